package sink

import (
	"context"
	"errors"
	"slices"
	"time"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// Task writes records into the tables of a database.
type Task struct {
	env      *connect.SinkEnv
	s        *settings
	w        *writer
	tolerant bool // bad records are reported and passed over
	left     int  // retries of a delivery that the database refuses
	waits    int  // deliveries in a row that the surroundings stopped
	waiting  bool
}

var (
	_ connect.SinkTask          = (*Task)(nil)
	_ connect.PartitionListener = (*Task)(nil)
)

// Start implements connect.SinkTask. It does not connect: a database that is
// away is waited for by Put.
func (t *Task) Start(_ context.Context, env *connect.SinkEnv) error {
	s, err := taskSettings(env.Connector, env.Config)
	if err != nil {
		return connect.NewError("Couldn't start JdbcSinkTask due to configuration error", err)
	}
	t.env, t.s, t.left = env, s, s.maxRetries
	t.tolerant = env.Reporter != nil && env.Reporter.Tolerant()
	if t.w, err = newWriter(s, env.Logger); err != nil {
		return err
	}
	t.w.counts.publish(env.Metrics, env.Now)
	return nil
}

// Stop implements connect.SinkTask.
func (t *Task) Stop(context.Context) error {
	if t.w != nil {
		t.w.close()
	}
	return nil
}

// Open implements connect.PartitionListener: partitions need no preparation.
func (t *Task) Open(context.Context, []connect.TopicPartition) error { return nil }

// Close implements connect.PartitionListener. Nothing of partitions that go is
// in the task's hands: Put keeps no row. What waited to be written may be
// another task's now; if not, the next Put says so.
func (t *Task) Close(context.Context, []connect.TopicPartition) error {
	t.w.counts.delivered()
	return nil
}

// Put implements connect.SinkTask: all records are in the database when it
// returns nil, or were reported.
func (t *Task) Put(ctx context.Context, records []connect.Record) error {
	if len(records) == 0 {
		return nil
	}
	t.w.counts.delivering(records)
	bad, err := t.w.deliver(ctx, records, t.tolerant)
	t.w.args.Release()
	clear(t.w.merger.entries) // they hold texts of the records
	if err != nil {
		err = t.decide(ctx, records, err)
	}
	if err != nil {
		return err
	}
	t.moving()
	// Reported only now: had the transaction failed, they would come again.
	slices.SortFunc(bad, func(a, b rejected) int { return a.record - b.record })
	for _, b := range bad {
		if err := t.report(ctx, records, b); err != nil {
			return err
		}
	}
	return nil
}

func (t *Task) report(ctx context.Context, records []connect.Record, b rejected) error {
	err := b.err
	if e, ok := errors.AsType[*sqlError](err); ok {
		err = t.w.chain(e)
	}
	return t.env.Reporter.Report(ctx, &records[b.record], err)
}

// decide says what becomes of a delivery that failed (spec jdbc-sink.md,
// section 7, with D10 to D12).
func (t *Task) decide(ctx context.Context, records []connect.Record, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e, ok := errors.AsType[*sqlError](err)
	if !ok {
		if tableFault(err) && t.env.Reporter != nil && !t.tolerant {
			return t.untilFirstBad(ctx, records, err)
		}
		return err
	}
	class := t.w.target.Classify(e.err)
	switch {
	case class.Surroundings() && !t.s.failFast:
		// Promise 4: a fault of the surroundings is waited out (D11).
		t.waits++
		return t.wait(e, "The database cannot be written to for now", t.w.pause(t.waits-1))
	case class == dialect.Permission || e.connect:
		return t.w.fatal(e)
	case t.left > 0:
		t.left--
		t.w.forget()
		return t.wait(e, "The database refuses the records of this delivery", t.s.retryBackoff)
	}
	return t.untilFirstBad(ctx, records, err)
}

func (t *Task) wait(e *sqlError, message string, after time.Duration) error {
	chain := t.w.chain(e)
	t.waiting = true
	t.env.Health.Waiting(chain) // Promise 5
	t.w.counts.retry(t.w.target.Classify(e.err))
	again := connect.NewRetriable(message, chain)
	again.RetryAfter = after
	return again
}

func (t *Task) moving() {
	t.w.counts.delivered()
	t.left, t.waits = t.s.maxRetries, 0
	if t.waiting {
		t.waiting = false
		t.env.Health.Moving()
	}
}

// untilFirstBad ends a delivery that has a bad record and no tolerance. With a
// reporter the records before it are written and it is reported, as in Java
// (golden jdbc-sink/insert-duplicate-key-dlq-tolerance-none). Without one
// nothing is written, and the error names the record.
func (t *Task) untilFirstBad(ctx context.Context, records []connect.Record, first error) error {
	keep := t.env.Reporter != nil
	written, err := t.w.alone(ctx, records, keep)
	switch {
	case err == nil: // what was wrong is no more
		t.moving()
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	e, sql := errors.AsType[*sqlError](err)
	if sql && t.w.target.Classify(e.err).Surroundings() && !t.s.failFast {
		t.waits++
		return t.wait(e, "The database cannot be written to for now", t.w.pause(t.waits-1))
	}
	if keep && written < len(records) && (sql || tableFault(err)) {
		if err := t.report(ctx, records, rejected{written, err}); err != nil {
			return err
		}
	}
	switch {
	case sql:
		return t.w.fatal(e)
	case err != nil:
		return err
	}
	return first
}

func tableFault(err error) bool {
	e, ok := errors.AsType[*connect.Error](err)
	return ok && e.Class == connect.ClassTableAlterOrCreate
}
