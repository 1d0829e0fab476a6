package sink

import (
	"context"
	"errors"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// rejected is a record that cannot be written, and why.
type rejected struct {
	record int
	err    error
}

// deliver writes records in one transaction, the DDL that they need first
// (D5). When tolerant it writes what can be written and returns the others;
// otherwise the first fault is its error, and then no row is written.
func (w *writer) deliver(ctx context.Context, records []connect.Record, tolerant bool) ([]rejected, error) {
	bad, err := w.attempt(ctx, records, tolerant, true)
	if err != nil && w.tableGone(err) {
		// The table changed behind our back: look again, once.
		w.forget()
		bad, err = w.attempt(ctx, records, tolerant, false)
	}
	return bad, err
}

// tableGone reports whether a table or column that was there is missing, or may
// be of another type now.
func (w *writer) tableGone(err error) bool {
	e, ok := errors.AsType[*sqlError](err)
	if !ok || e.connect {
		return false
	}
	class := w.target.Classify(e.err)
	return class == dialect.Missing || class == dialect.Syntax
}

// metTwice reports whether an upsert had rows that are of one key to the
// database. Their shape is written with one row a statement from then on.
func (w *writer) metTwice(err error) bool {
	e, ok := errors.AsType[*sqlError](err)
	return ok && w.target.MetTwice(e.err)
}

// attempt is deliver without a second look. When first is set a missing table
// is its error whatever the tolerance.
func (w *writer) attempt(ctx context.Context, records []connect.Record, tolerant, first bool) ([]rejected, error) {
	if err := w.ready(ctx); err != nil {
		return nil, err
	}
	bad, err := w.plan(ctx, records, tolerant)
	if err == nil {
		err = w.writeRows(ctx, records, nil)
	}
	for err != nil && w.metTwice(err) { // once for each shape
		if err = w.takeBack(ctx); err == nil {
			err = w.writeRows(ctx, records, nil)
		}
	}
	if err != nil && tolerant && w.isolates(err) && (!first || !w.tableGone(err)) {
		// The rows of a merged statement hide others of the same keys, so they
		// are taken back and written again, each record in its turn.
		if err = w.takeBack(ctx); err == nil {
			err = w.writeRows(ctx, records, &bad)
		}
	}
	if err == nil {
		err = w.commit(ctx)
	}
	if err != nil {
		return nil, w.undo(ctx, err)
	}
	return bad, nil
}

// ready opens the connection, and replaces one that broke while it was idle.
func (w *writer) ready(ctx context.Context) error {
	if w.conn != nil {
		err := w.begin(ctx)
		if err == nil {
			return nil
		}
		if w.class(err) != dialect.Connection {
			return err
		}
		w.disconnect()
	}
	return w.connect(ctx)
}

// isolates reports whether an error is worth looking for the record to blame.
func (w *writer) isolates(err error) bool {
	if e, ok := errors.AsType[*sqlError](err); ok {
		c := w.target.Classify(e.err)
		return !c.Surroundings() && c != dialect.Permission
	}
	return connect.KindOf(err) == connect.Data
}

// undo leaves nothing of the delivery's rows and returns the error that was
// met, or the graver one that the way back met.
func (w *writer) undo(ctx context.Context, err error) error {
	if ctx.Err() != nil || w.class(err) == dialect.Connection {
		w.disconnect()
		return err
	}
	if e := w.takeBack(ctx); e != nil {
		w.disconnect()
	}
	return err
}

// plan checks the records in order, finds table and shape of each and carries
// out the DDL that they need, in the order in which Java meets it.
func (w *writer) plan(ctx context.Context, records []connect.Record, tolerant bool) ([]rejected, error) {
	for _, t := range w.touched {
		t.rows, t.runs = t.rows[:0], t.runs[:0]
	}
	w.touched = w.touched[:0]
	var bad []rejected
	clear(w.failed)
	for i := range records {
		r := &records[i]
		t, s, err := w.shapeOf(ctx, r)
		if err != nil {
			if !tolerant || !w.reportable(err) {
				return nil, err
			}
			bad = append(bad, rejected{i, err})
			continue
		}
		if len(t.rows) == 0 {
			w.touched = append(w.touched, t)
		}
		t.add(s, w.operation(r), i)
	}
	return bad, nil
}

// reportable reports whether an error of planning is a record's own (D10, D12)
// and not one of the configuration or the surroundings.
func (w *writer) reportable(err error) bool {
	if e, ok := errors.AsType[*connect.Error](err); ok && e.Class == connect.ClassTableAlterOrCreate {
		return true
	}
	return w.isolates(err)
}

func (w *writer) operation(r *connect.Record) operation {
	switch {
	case r.Value.IsNull():
		return opDelete
	case w.s.mode == modeUpdate:
		return opUpdate
	case w.s.mode == modeUpsert:
		return opUpsert
	}
	return opInsert
}

// shapeOf returns the table and shape of a record, ready for writing.
func (w *writer) shapeOf(ctx context.Context, r *connect.Record) (*table, *shape, error) {
	if err := w.s.check(r); err != nil {
		return nil, nil, err
	}
	t, err := w.tableOf(ctx, r.Topic)
	if err != nil {
		return nil, nil, err
	}
	s := t.shapeFor(r.KeySchema, r.ValueSchema)
	if s == nil {
		s = &shape{key: r.KeySchema, value: r.ValueSchema, batched: map[statement]*dialect.Stmt{}}
		if s.columns, err = planColumns(w.s, t.id.Name, r.KeySchema, r.ValueSchema); err != nil {
			return nil, nil, err
		}
		w.unprepare(t.remember(s)...)
	}
	if !s.ready {
		if err, ok := w.failed[s]; ok {
			return nil, nil, err
		}
		if err := w.ensure(ctx, t, s.columns); err != nil {
			w.failed[s] = err
			return nil, nil, err
		}
		if err := s.prepare(w.s, w.target, t); err != nil {
			return nil, nil, err
		}
	}
	return t, s, nil
}

func (w *writer) tableOf(ctx context.Context, topic string) (*table, error) {
	if t, ok := w.topics[topic]; ok {
		return t, nil
	}
	name, err := w.s.tableName(topic)
	if err != nil {
		return nil, err
	}
	id, err := dialect.ParseID(name, w.target.QuoteChar())
	if err != nil {
		return nil, err
	}
	if id, err = w.target.Place(ctx, w.conn, id); err != nil {
		return nil, &sqlError{err: err}
	}
	t, ok := w.tables[id]
	if !ok {
		t = &table{id: id}
		w.tables[id] = t
	}
	w.topics[topic] = t
	return t, nil
}

// writeRows writes what plan found. With bad, rows are written in order of
// arrival and those that the database refuses are added to it.
func (w *writer) writeRows(ctx context.Context, records []connect.Record, bad *[]rejected) error {
	if len(w.touched) == 0 {
		return nil
	}
	if err := w.beginRows(ctx); err != nil {
		return err
	}
	for _, t := range w.touched {
		b := batch{w: w, table: t, records: records, bad: bad}
		for i := 0; i < len(t.runs); {
			n := 0
			if bad == nil {
				var err error
				if n, err = b.writeMerged(ctx, t.runs[i:]); err != nil {
					return err
				}
			}
			if n == 0 {
				r := &t.runs[i]
				if err := b.write(ctx, r.shape, r.op, t.rows[r.from:r.to]); err != nil {
					return err
				}
				n = 1
			}
			i += n
		}
	}
	return nil
}

// alone writes records one after the other, until one fails, and returns how
// many it wrote and the error of the next. It commits what it wrote when keep
// is set or when nothing failed.
func (w *writer) alone(ctx context.Context, records []connect.Record, keep bool) (written int, _ error) {
	if err := w.ready(ctx); err != nil {
		return 0, err
	}
	for written < len(records) {
		if err := w.one(ctx, records[written:written+1]); err != nil {
			if keep && w.reportable(err) {
				if e := w.commit(ctx); e != nil {
					return 0, w.undo(ctx, e)
				}
				return written, err
			}
			return written, w.undo(ctx, err)
		}
		written++
	}
	if err := w.commit(ctx); err != nil {
		return 0, w.undo(ctx, err)
	}
	return written, nil
}

// one writes a single record within the open transaction.
func (w *writer) one(ctx context.Context, record []connect.Record) error {
	if _, err := w.plan(ctx, record, false); err != nil {
		return err
	}
	if err := w.beginRows(ctx); err != nil {
		return err
	}
	return w.guarded(ctx, func() error { return w.writeRows(ctx, record, nil) })
}
