package source

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// table is a table, or the query, that a task reads again and again.
type table struct {
	s         *settings
	log       *zap.Logger
	id        dialect.TableID // without a name in query mode
	topic     string
	partition *connect.SourcePartition
	criteria  criteria
	position  position
	checked   bool // its columns suit the mode
	statement string
	again     bool // the statement asks for the last instant or id again
	count     int  // rows that the round sent
	barren    bool // the last round did not ask for it, and had no row
	watch     watch
	wait      wait              // for those who could fill gaps
	clock     dialect.Timestamp // when the round began: the database's, or ours in modes without a timestamp
	pass      pass              // over the gaps
	askAt     time.Time         // not to begin another before
	withheld  bool              // position is not on the last record: it is stored with the notes
	lastLate  int64             // the id of the row of a gap that was added last
	ours      time.Time         // when the open statement was sent, by our clock
	notes     *connect.SourcePartition

	slot   time.Time                // the time of the schedule that the round is for
	runs   *connect.SourcePartition // where it is stored
	bulk   *bulkRun                 // whose id the records of the open result set carry
	keys   []string                 // columns of the records' keys
	behind behind

	due      time.Time // of the next round
	failures int       // in a row, of the kind that query.retry.attempts counts
	result   *resultSet
	schema   *data.Schema    // of the last result set
	keyed    *data.Schema    // of its keys
	wide     map[string]bool // columns that need 64 bits
	told     map[string]bool // what was logged once
}

// label names the table in messages.
func (t *table) label(d dialect.Dialect) string {
	if t.id.Name == "" {
		return "query"
	}
	return t.id.Quoted(d)
}

// open runs the statement of a round, or the next one of a pass over its gaps,
// and reads its first row. Afterwards t.result is nil when there are no rows.
func (t *table) open(ctx context.Context, c *dialect.Conn, ours time.Time) error {
	t.ours = ours
	if !t.criteria.mode.timestamp() {
		t.clock = dialect.TimestampOf(ours.UnixMilli())
	}
	if len(t.pass.spans) > 0 {
		statement := gapStatement(c, t.id, t.s, &t.criteria, t.pass.next())
		return t.run(ctx, c, statement, t.criteria.gapArguments(c, t.watch.from, t.position, &t.s.columns))
	}
	var end dialect.Timestamp
	if t.criteria.mode.timestamp() {
		now, err := c.Clock(ctx, c, t.s.columns.Zone)
		if err != nil {
			return err
		}
		t.begin(now)
		t.clock = now
		end = now.Minus(t.s.delay)
	}
	t.count = 0
	if t.s.runHeaders {
		t.bulk = newBulkRun(ours)
	}
	again := t.watch.repeat(t.position, t.clock)
	if t.s.suffix != "" {
		again = again && t.barren // a LIMIT could give nothing but rows that were sent
	}
	if t.statement == "" || again != t.again {
		t.statement, t.again = statement(c, t.id, t.s, &t.criteria, again), again
	}
	return t.run(ctx, c, t.statement, t.criteria.arguments(c, t.position, again, end, &t.s.columns))
}

func (t *table) run(ctx context.Context, c *dialect.Conn, statement string, arguments []driver.Value) error {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	// Until the first row is there the poll's context counts too.
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	rows, err := c.Query(life, statement, arguments...)
	if err != nil {
		cancel()
		return err
	}
	r := &resultSet{rows: rows, cancel: cancel, row: make([]driver.Value, len(rows.Columns()))}
	if err := r.next(); err != nil {
		return errors.Join(err, r.close())
	}
	if r.done {
		return r.close()
	}
	t.result = r
	if err := t.describe(ctx, c); err != nil {
		t.result = nil
		return errors.Join(err, r.close())
	}
	return nil
}

// begin applies timestamp.initial to a table that nothing is stored for.
func (t *table) begin(now dialect.Timestamp) {
	if t.position.hasTimestamp || t.position.hasID || t.s.initial == nil {
		return
	}
	if t.position.hasTimestamp = true; *t.s.initial == -1 {
		t.position.timestamp = now
	} else {
		t.position.timestamp = dialect.TimestampOf(*t.s.initial)
	}
	t.watch.from = t.position.timestamp
}

// describe makes the layout of the open result set, whose first row is read.
func (t *table) describe(ctx context.Context, c *dialect.Conn) error {
	fields, err := c.Fields(ctx, c, t.result.rows, t.id)
	if err != nil {
		return err
	}
	for i := range fields {
		fields[i].First = t.result.row[i]
	}
	t.result.fields = fields
	return t.layOut(c)
}

func (t *table) layOut(d dialect.Dialect) error {
	o := t.s.columns
	o.Wide = func(column string) bool { return t.wide[column] }
	o.Changed = func(column, how string) {
		t.warnOnce(fmt.Sprintf("column %s: a value was changed on reading: %s", column, how))
	}
	l, err := newLayout(d, t.result.fields, t.id.Name, &t.criteria, o, t.warnOnce)
	if err != nil {
		return err
	}
	if l.schema.Equal(t.schema) {
		l.schema = t.schema
	}
	if t.s.primaryKey {
		if l.key, err = newRecordKey(t.id.Name, t.keys, l.schema, t.keyed); err != nil {
			return err
		}
	}
	t.schema, t.keyed, t.result.layout = l.schema, l.key.schema, l
	return nil
}

func (t *table) warnOnce(what string) { t.once(t.log.Warn, what) }
func (t *table) infoOnce(what string) { t.once(t.log.Info, what) }

func (t *table) once(log func(string, ...zap.Field), what string) {
	if t.told[what] {
		return
	}
	if t.told == nil {
		t.told = map[string]bool{}
	}
	t.told[what] = true
	log(what, zap.String("table", t.id.String()))
}

// check refuses a table whose columns do not suit the mode, and finds the
// incrementing column where none is configured. Every table is checked, not
// only a task's first (D19).
func (t *table) check(ctx context.Context, c *dialect.Conn) error {
	if t.id.Name == "" || t.s.mode == bulk && !t.s.primaryKey {
		return nil
	}
	if err := t.mapColumns(); err != nil {
		return err
	}
	definition, found, err := c.Table(ctx, c, t.id)
	if err != nil || !found {
		return err // of a table that is gone the statement's error tells more
	}
	if t.s.primaryKey {
		if t.keys, err = keyColumns(c, t, definition); err != nil {
			return err
		}
	}
	if t.s.mode.incrementing() {
		if err := t.checkID(c, definition); err != nil {
			return err
		}
	}
	if t.s.mode.timestamp() {
		return t.checkTimestamps(c, definition)
	}
	return nil
}

// mapColumns takes the columns from the mapping keys, of which exactly one has
// to match.
func (t *table) mapColumns() error {
	if !t.s.mapped() {
		return nil
	}
	name := t.id.String()
	one := func(mappings []mapping, key string) ([]string, error) {
		columns, matches := columnsFor(mappings, name)
		switch {
		case matches == 0:
			return nil, configError(fmt.Sprintf("table %s matches no regular expression of %s: add one, or leave the table out by table.exclude.list", name, key), nil)
		case matches > 1:
			return nil, configError(fmt.Sprintf("table %s matches %d regular expressions of %s: make them such that one does", name, matches, key), nil)
		}
		return columns, nil
	}
	if t.s.mode.incrementing() && len(t.s.incrementingMap) > 0 {
		columns, err := one(t.s.incrementingMap, keyIncrementingColumnMapping)
		if err != nil {
			return err
		}
		t.criteria.id = columns[0]
	}
	if t.s.mode.timestamp() {
		columns, err := one(t.s.timestampMap, keyTimestampColumnsMapping)
		if err != nil {
			return err
		}
		t.criteria.timestamps = columns
	}
	return nil
}

// errNoAutoIncrement is told once for all tables that it is about.
var errNoAutoIncrement = errors.New("no auto-increment column")

func (t *table) checkID(d dialect.Dialect, definition *dialect.Table) error {
	if t.criteria.id == "" {
		for _, c := range definition.Columns {
			if c.AutoIncrement {
				t.criteria.id, t.watch.unique = c.Name, true
				return nil
			}
		}
		return errNoAutoIncrement
	}
	column, found := definition.Column(t.criteria.id)
	switch {
	case !found:
		return configError(fmt.Sprintf("Incrementing column: %s does not exist in table '%s'", t.criteria.id, t.label(d)), nil)
	case t.s.nonNull && column.Nullable && !column.RowID:
		return connect.NewError(fmt.Sprintf("Cannot make incremental queries using incrementing column %s on %s because this column is nullable.", t.criteria.id, t.label(d)), nil)
	}
	t.watch.unique = column.AutoIncrement || column.PrimaryKey && len(definition.PrimaryKey()) == 1
	return nil
}

func (t *table) checkTimestamps(d dialect.Dialect, definition *dialect.Table) error {
	names := strings.Join(t.criteria.timestamps, ",")
	if names == "" {
		return configError(fmt.Sprintf("mode %s needs %s", "timestamp", keyTimestampColumnName), nil)
	}
	nullable := true
	var missing []string
	for _, name := range t.criteria.timestamps {
		if c, found := definition.Column(name); !found {
			missing = append(missing, name)
		} else if !c.Nullable {
			nullable = false
		}
	}
	switch {
	case len(missing) > 0:
		return configError(fmt.Sprintf("Timestamp column: %s does not exist in table '%s'", strings.Join(missing, ","), t.label(d)), nil)
	case t.s.nonNull && nullable:
		return connect.NewError(fmt.Sprintf("Cannot make incremental queries using timestamp columns %s on %s because all of these columns are nullable.", names, t.label(d)), nil)
	}
	return nil
}
