package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// Task reads some of a connector's tables, or its query. It has one connection
// and no goroutine: rows are read as Poll is called.
type Task struct {
	env    *connect.SourceEnv
	s      *settings
	db     *dialect.Database
	link   link
	tables []*table
	open   *table // whose result set is open
	fault  error  // found behind rows that were handed over
}

// errNoTable is the Java connector's sentence for a task without work (golden
// md_tables_none).
const errNoTable = "Task is being killed because it was not assigned a table nor a query to execute." +
	" If run in table mode please make sure that the tables exist on the database." +
	" If the table does exist on the database, we recommend using the fully qualified table name."

// Start reads the configuration and the stored offsets. It does not connect:
// a database that is down is waited for in Poll (D11).
func (t *Task) Start(ctx context.Context, env *connect.SourceEnv) error {
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
	t.link = link{db: t.db, s: s, env: &env.Env}
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
	if t.s.mode == bulk {
		return nil
	}
	var err error
	q.position, err = storedPosition(ctx, t.env.Offsets, q.partition)
	return err
}

func (t *Task) addTable(ctx context.Context, quoted string) error {
	id := t.db.Resolve(dialect.ParseID(quoted, t.db.QuoteChar()))
	q := t.newTable(id)
	q.topic, q.partition = t.s.prefix+id.Name, barePartition(id)
	if t.s.mode == bulk {
		return nil
	}
	older := q.partition
	q.partition = tablePartition(id)
	var err error
	q.position, err = storedPosition(ctx, t.env.Offsets, q.partition, older)
	return err
}

func (t *Task) newTable(id dialect.TableID) *table {
	q := &table{
		s: t.s, log: t.env.Logger, id: id,
		criteria: criteria{mode: t.s.mode, id: t.s.incrementingName, timestamps: t.s.timestampNames},
	}
	t.tables = append(t.tables, q)
	return q
}

// pollPatience is how long one poll waits for something to do.
const pollPatience = 500 * time.Millisecond

// Poll adds the next rows to b. What was read is returned at once (D20).
func (t *Task) Poll(ctx context.Context, b *connect.SourceBatch) error {
	if t.fault != nil {
		return connect.NewError("Error while polling for records", t.fault)
	}
	b.Limit(t.s.batchRows)
	err := t.poll(ctx, b)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		t.link.drop(t.abandon()) // the error is that of the end
		return nil
	case len(b.Records) > 0:
		// Rows before the faulty one are good: they go out, the error follows.
		t.fault = err
		return nil
	}
	return connect.NewError("Error while polling for records", err)
}

// poll returns errors that fail the task; all others it waits out.
func (t *Task) poll(ctx context.Context, b *connect.SourceBatch) error {
	deadline := t.env.Now().Add(pollPatience)
	for first := true; len(b.Records) == 0; first = false {
		next := t.next()
		now := t.env.Now()
		wait := deadline.Sub(now)
		if wait <= 0 && !first {
			return nil
		}
		if next != nil {
			wait = min(wait, max(next.due.Sub(now), t.link.retryAt.Sub(now)))
		}
		if wait > 0 {
			if !sleep(ctx, wait) {
				return nil
			}
			continue
		}
		if next == nil || now.Before(next.due) || now.Before(t.link.retryAt) {
			return nil
		}
		if err := t.step(ctx, next, b); err != nil {
			if err := t.weigh(ctx, next, err); err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
	return nil
}

// next returns the table whose turn it is: the one whose result set is open,
// else the one that has waited longest; equals by name. Nil without tables.
func (t *Task) next() *table {
	if t.open != nil {
		return t.open
	}
	var first *table
	for _, q := range t.tables {
		if first == nil || q.due.Before(first.due) || q.due.Equal(first.due) && q.id.String() < first.id.String() {
			first = q
		}
	}
	return first
}

// step begins or goes on with a round of q.
func (t *Task) step(ctx context.Context, q *table, b *connect.SourceBatch) error {
	if t.open == nil {
		c, err := t.link.connect(ctx)
		if err != nil {
			return err
		}
		for _, each := range t.tables { // all of them before the first row goes out
			if !each.checked {
				if err := each.check(ctx, c); err != nil {
					return err
				}
				each.checked = true
			}
		}
		if err := q.open(ctx, c); err != nil {
			return err
		}
		t.link.works()
		if q.result == nil {
			t.finished(q)
			return nil
		}
		t.open = q
	}
	stop := context.AfterFunc(ctx, q.result.cancel)
	defer stop()
	if err := q.fill(t.db, b); err != nil {
		return err
	}
	if q.result.done {
		return t.finish(q)
	}
	return nil
}

func (t *Task) finish(q *table) error {
	r := q.result
	q.result, t.open = nil, nil
	t.finished(q)
	return r.close()
}

func (t *Task) finished(q *table) {
	q.failures = 0
	q.due = t.env.Now().Add(t.s.pollInterval)
}

// weigh decides about an error that reading q met: whether it fails the task,
// which it then returns, or is waited out.
func (t *Task) weigh(ctx context.Context, q *table, err error) error {
	t.link.drop(t.abandon())
	var failed *linkError
	if errors.As(err, &failed) {
		return failed.final
	}
	var own *connect.Error
	if errors.As(err, &own) && own.Kind != connect.Retriable || ctx.Err() != nil {
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
		return sqlError(fmt.Sprintf("reading %s failed", q.label(t.db)), err)
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

// abandon gives up the open result set and reports whether that took the
// connection with it.
func (t *Task) abandon() bool {
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
