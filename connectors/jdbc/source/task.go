package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// Task reads some of a connector's tables, or its query. It has one connection,
// and rows are read as Poll is called. Only until a statement gives its first
// row there is a goroutine, because that may take longer than a poll should.
type Task struct {
	env     *connect.SourceEnv
	s       *settings
	db      *dialect.Database
	link    link
	tables  []*table
	opening *opening
	open    *table // whose result set is open
	fault   error  // found behind rows that were handed over

	connects, queries    atomic.Int64 // for the metrics
	rows, bytes, reading atomic.Int64 // reading is in ns
	watched              watchCounts
}

// opening is a round that has no row yet. While it goes on, link and tables
// belong to its goroutine.
type opening struct {
	table  *table
	began  time.Time
	cancel context.CancelFunc
	done   chan error // has room for the one answer
}

// errNoTable is the Java connector's sentence for a task without work (golden
// md_tables_none).
const errNoTable = "Task is being killed because it was not assigned a table nor a query to execute." +
	" If run in table mode please make sure that the tables exist on the database." +
	" If the table does exist on the database, we recommend using the fully qualified table name."

// Start reads the configuration and the stored offsets. It does not connect:
// a database that is down is waited for in Poll (D11).
func (t *Task) Start(ctx context.Context, env *connect.SourceEnv) (err error) {
	t.env = env
	s, err := readSettings(env.Config)
	if err != nil {
		return err
	}
	if t.db, err = openDatabase(s, env.Config[keyDialectName]); err != nil {
		return err
	}
	for _, w := range t.db.Warnings {
		env.Logger.Warn(w)
	}
	t.s = s
	t.link = link{db: t.db, s: s, env: &env.Env, connects: &t.connects}
	defer func() {
		if err == nil {
			t.publish()
		}
	}()
	if s.query != "" {
		return t.addQuery(ctx)
	}
	if s.tables == "" && s.fetched {
		return configError(errNoTable, nil)
	}
	for _, quoted := range splitTables(s.tables, t.db.QuoteChar()) {
		if err := t.addTable(ctx, quoted); err != nil {
			return err
		}
	}
	return nil
}

// openDatabase opens what the configuration names. Java lets dialect.name win
// over the URL; here each URL has one dialect, and another name is refused.
func openDatabase(s *settings, name string) (*dialect.Database, error) {
	db, err := dialect.Open(s.database)
	if err != nil {
		return nil, configError(err.Error(), err)
	}
	if name = strings.TrimSpace(name); name != "" && name != db.Name() {
		return nil, configError(fmt.Sprintf("dialect.name is %s, but connection.url is of %s: leave dialect.name out", name, db.Name()), nil)
	}
	return db, nil
}

func (t *Task) addQuery(ctx context.Context) error {
	q := t.newTable(dialect.TableID{})
	q.topic, q.partition, q.checked = t.s.prefix, queryPartition(), true
	if err := t.schedule(ctx, q); err != nil || t.s.mode == bulk {
		return err
	}
	return t.takeUp(ctx, q)
}

func (t *Task) addTable(ctx context.Context, quoted string) error {
	id, err := dialect.ParseID(quoted, t.db.QuoteChar())
	if err != nil {
		return err
	}
	id = t.db.Resolve(id)
	q := t.newTable(id)
	q.topic, q.partition = t.s.prefix+id.Name, barePartition(id)
	older := q.partition
	if t.s.mode != bulk {
		q.partition = tablePartition(id)
	}
	if err := t.schedule(ctx, q); err != nil || t.s.mode == bulk {
		return err
	}
	return t.takeUp(ctx, q, older)
}

// schedule sets the time of a table's first run.
func (t *Task) schedule(ctx context.Context, q *table) error {
	if t.s.schedule == nil {
		return nil
	}
	q.runs = runsPartition(q.partition)
	stored, err := t.env.Offsets.Offset(ctx, q.runs)
	if err != nil {
		return err
	}
	last, err := lastRun(stored)
	if err != nil {
		t.env.Logger.Warn("the time of the last run cannot be read; none counts as missed", zap.String("table", q.id.String()), zap.Error(err))
	}
	q.slot = t.s.schedule.first(last, t.env.Now())
	q.due = q.slot
	return nil
}

// takeUp reads where a table was read to, and what was noted beside it. Notes
// that cannot be read are left out: the position holds without them.
func (t *Task) takeUp(ctx context.Context, q *table, older ...*connect.SourcePartition) error {
	var err error
	if q.position, err = storedPosition(ctx, t.env.Offsets, append([]*connect.SourcePartition{q.partition}, older...)...); err != nil {
		return err
	}
	q.notes = q.partition.Aside(notesName)
	notes, err := t.env.Offsets.Offset(ctx, q.notes)
	if err != nil {
		return err
	}
	if err := q.watch.begin(q.position, notes); err != nil {
		t.env.Logger.Warn("what was noted about gaps cannot be read; rows that were missing are no longer asked for", zap.String("table", q.id.String()), zap.Error(err))
	}
	return nil
}

func (t *Task) newTable(id dialect.TableID) *table {
	q := &table{
		s: t.s, log: t.env.Logger, id: id,
		watch:    newWatch(t.s, &t.watched),
		criteria: criteria{mode: t.s.mode, id: t.s.incrementingName, timestamps: t.s.timestampNames},
	}
	t.tables = append(t.tables, q)
	return q
}

// pollPatience is how long one poll waits for something to do, or goes on while
// rows come slowly.
const pollPatience = 500 * time.Millisecond

// Poll adds the next rows to b. What was read is returned at once (D20).
func (t *Task) Poll(ctx context.Context, b *connect.SourceBatch) error {
	if t.fault != nil {
		return connect.NewError("Error while polling for records", t.fault)
	}
	b.Limit(t.s.batchRows)
	err := t.poll(ctx, b)
	t.rows.Add(int64(len(b.Records)))
	t.bytes.Add(int64(b.Size()))
	if ctx.Err() != nil {
		t.link.drop(t.abandon()) // what was begun is not gone on with
		return nil
	}
	if err != nil && len(b.Records) > 0 {
		// Rows before the faulty one are good: they go out, the error follows.
		t.fault = err
		return nil
	}
	if err != nil {
		return connect.NewError("Error while polling for records", err)
	}
	return nil
}

// poll returns errors that fail the task; all others it waits out.
func (t *Task) poll(ctx context.Context, b *connect.SourceBatch) error {
	timer := time.NewTimer(pollPatience)
	defer timer.Stop()
	deadline := t.env.Now().Add(pollPatience)
	for len(b.Records) == 0 && ctx.Err() == nil {
		var err error
		q := t.open
		switch {
		case q != nil:
			err = t.read(ctx, q, b, deadline)
		case t.opening != nil:
			q = t.opening.table
			select {
			case err = <-t.opening.done:
				err = t.opened(q, b, err)
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return nil
			}
		default:
			wait := pollPatience
			now := t.env.Now()
			if q = t.next(); q != nil {
				wait = max(q.due.Sub(now), t.link.retryAt.Sub(now))
			}
			if !now.Before(deadline) {
				return nil
			}
			if wait > 0 {
				if !sleep(ctx, min(wait, deadline.Sub(now))) {
					return nil
				}
				continue
			}
			t.begin(q)
		}
		if err != nil {
			if err := t.weigh(q, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// next returns the table whose turn it is, the one that has waited longest;
// equals by name. Nil without tables.
func (t *Task) next() *table {
	var first *table
	for _, q := range t.tables {
		if first == nil || q.due.Before(first.due) || q.due.Equal(first.due) && q.id.String() < first.id.String() {
			first = q
		}
	}
	return first
}

// begin starts a round of q.
func (t *Task) begin(q *table) {
	ctx, cancel := context.WithCancel(context.Background())
	o := &opening{table: q, cancel: cancel, done: make(chan error, 1)}
	t.opening = o
	o.began = t.env.Now()
	go func() { o.done <- t.connectAndOpen(ctx, q) }()
}

func (t *Task) connectAndOpen(ctx context.Context, q *table) error {
	c, err := t.link.connect(ctx)
	if err != nil {
		return err
	}
	if err := t.check(ctx, c); err != nil {
		return err
	}
	q.behind.ask(ctx, q, c, t.env.Now)
	q.lookForHolders(ctx, c, t.env.Now)
	return q.open(ctx, c, t.env.Now())
}

// check checks all tables before the first row goes out (D19).
func (t *Task) check(ctx context.Context, c *dialect.Conn) error {
	var lacking []string
	for _, q := range t.tables {
		if q.checked {
			continue
		}
		err := q.check(ctx, c)
		if errors.Is(err, errNoAutoIncrement) {
			lacking = append(lacking, q.label(t.db))
			continue
		}
		if err != nil {
			return err
		}
		q.checked = true
	}
	if len(lacking) == 0 {
		return nil
	}
	// D18: Java asks again and again for columns that are not there.
	return connect.NewError("Failed to query table after retries", connect.NewError(fmt.Sprintf(
		"no auto-increment column in %s, and %s names none: set it", strings.Join(lacking, ", "), keyIncrementingColumnName), nil))
}

// opened takes over what a round that was begun has come to.
func (t *Task) opened(q *table, b *connect.SourceBatch, err error) error {
	t.opening.cancel()
	t.reading.Add(int64(t.env.Now().Sub(t.opening.began)))
	t.opening = nil
	if err != nil {
		return err
	}
	t.link.works()
	t.queries.Add(1)
	if q.result == nil {
		q.nothing()
		t.finished(q, b)
		return nil
	}
	t.open = q
	return nil
}

// read goes on with the round of q.
func (t *Task) read(ctx context.Context, q *table, b *connect.SourceBatch, deadline time.Time) error {
	stop := context.AfterFunc(ctx, q.result.cancel)
	defer stop()
	var late atomic.Bool // cheaper to look at for every row than the clock
	timer := time.AfterFunc(deadline.Sub(t.env.Now()), func() { late.Store(true) })
	defer timer.Stop()
	began := t.env.Now()
	err := q.fill(t.db, b, &late)
	t.reading.Add(int64(t.env.Now().Sub(began)))
	q.behind.moved(q.position)
	if err != nil {
		return err
	}
	if !q.result.done {
		return nil
	}
	r := q.result
	q.result, t.open = nil, nil
	t.finished(q, b)
	return r.close()
}

// finished ends a statement of q's round, and the round unless it looks for
// rows that are missing now.
func (t *Task) finished(q *table, b *connect.SourceBatch) {
	q.failures = 0
	q.due = t.env.Now()
	if !q.over(q.due) {
		q.storeRun(b)
		q.due = q.after(q.due)
	}
	q.note(b)
}

// weigh decides about an error that reading q met: whether it fails the task,
// which it then returns, or is waited out.
func (t *Task) weigh(q *table, err error) error {
	t.link.drop(t.abandon())
	q.pass = pass{} // nothing is proven by half of it
	var failed *linkError
	if errors.As(err, &failed) {
		return failed.final
	}
	var own *connect.Error
	if errors.As(err, &own) && own.Kind != connect.Retriable {
		return err
	}
	class := t.db.Classify(err)
	err = t.hide(err)
	switch {
	case class.Surroundings() && (t.s.wait || class == dialect.Transient):
		t.link.drop(class == dialect.Connection)
		t.link.wait(fmt.Errorf("reading %s: %w", q.label(t.db), err))
		return nil
	case class == dialect.Missing, class == dialect.Permission, class == dialect.Syntax, class == dialect.Connection:
		return sqlError(fmt.Sprintf("reading %s failed: %s", q.label(t.db), remedies[class]), err)
	}
	q.failures++
	if t.s.retries > 0 && q.failures >= t.s.retries {
		return connect.NewError("Failed to query table after retries", sqlError("reading "+q.label(t.db)+" failed", err))
	}
	t.env.Health.Waiting(fmt.Errorf("reading %s: %w", q.label(t.db), err))
	t.env.Logger.Warn("reading failed, the table is read again", zap.String("table", q.label(t.db)), zap.Int("failures", q.failures), zap.Error(err))
	q.due = t.env.Now().Add(t.s.pollInterval)
	return nil
}

// remedies say what to do about errors that fail a task.
var remedies = map[dialect.Class]string{
	dialect.Missing:    "see that the table and the columns that the configuration names are there",
	dialect.Permission: "see that connection.user and connection.password are right and that the user may SELECT",
	dialect.Syntax:     "see that query, query.suffix and quote.sql.identifiers make a statement",
	dialect.Connection: "see that the database can be reached, and restart the task",
}

// abandon gives up the round that is begun or read and reports whether that
// took the connection with it.
func (t *Task) abandon() bool {
	if o := t.opening; o != nil {
		o.cancel()
		t.opening = nil
		if <-o.done; o.table.result == nil {
			return true
		}
		t.open = o.table
	}
	q := t.open
	if q == nil {
		return false
	}
	r := q.result
	q.result, t.open = nil, nil
	_ = r.close() // the connection is closed next, and this error says no more than that
	return !r.done
}

// hide takes the statement's words out of an error where the query is a secret
// (Promise 8).
func (t *Task) hide(err error) error {
	if !t.s.masked {
		return err
	}
	what, _, _ := strings.Cut(err.Error(), ": ")
	return fmt.Errorf("%s (the rest is hidden, as %s is)", what, keyQueryMasked)
}

func sqlError(message string, err error) error {
	return connect.NewError(message, &connect.Error{Class: connect.ClassSQL, Message: err.Error()})
}

// Stop ends the connection.
func (t *Task) Stop(context.Context) error {
	t.abandon()
	return t.link.close()
}

// sleep waits and reports whether it was to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
