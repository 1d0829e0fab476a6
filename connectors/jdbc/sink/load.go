package sink

import (
	"context"
	"time"

	"kconnect/connectors/jdbc/dialect"
)

const (
	loadRows   = 100     // below, INSERT needs fewer round trips
	loadBytes  = 4 << 20 // of one load
	loadFaults = 3       // loads of a shape in a row that were taken back until INSERT writes it
)

// load writes the first rows by LOAD DATA and returns how many; none when
// INSERT has to: for few rows, where a load may mean something else than
// INSERT, and where the server had something to say against it.
func (b *batch) load(ctx context.Context, s *shape, rows []int) (int, error) {
	l := b.w.loader
	if l == nil || b.bad != nil || len(rows) < loadRows || s.loads == loadsNever {
		return 0, nil
	}
	if s.loads == loadsUnknown {
		if err := b.w.askLoads(ctx, b.table, s); err != nil || s.loads == loadsNever {
			return 0, err
		}
	}
	n := min(len(rows), b.w.s.batch)
	args := &b.w.args
	l.Reset()
	for i, row := range rows[:n] {
		r := &b.records[row]
		args.Reset()
		if err := bind(args, s.bound, r); err != nil {
			return 0, b.locate(err, r)
		}
		if err := l.Add(args.Values(len(s.bound))); err != nil {
			s.loads = loadsNever
			return 0, nil
		}
		if l.Bytes() > loadBytes {
			n = i + 1
		}
		if i+1 == n {
			break
		}
	}
	began := time.Now()
	clean, err := l.Load(ctx, b.w.conn, b.table.id, s.names())
	b.w.counts.took(began)
	b.w.counts.statements.Add(1)
	switch {
	case err != nil:
		return 0, &sqlError{err: err, table: b.table.id.Text(), shape: s}
	case clean:
		s.loadFaults = 0
		b.w.tx.rows += int64(n)
		return n, nil
	}
	if s.loadFaults++; s.loadFaults == loadFaults {
		s.loads = loadsNever
	}
	return 0, nil
}

// loads says whether rows of a shape may be loaded.
type loads uint8

const (
	loadsUnknown loads = iota
	loadsNever
	loadsRows
)

// askLoads finds out whether the columns of a shape take the same from a load
// as from INSERT, and the table gives rows back.
func (w *writer) askLoads(ctx context.Context, t *table, s *shape) error {
	s.loads = loadsNever
	for i := range s.bound {
		c, ok := t.def.Column(s.bound[i].name)
		if !ok || !dialect.Loads(c, s.bound[i].schema) {
			return nil
		}
	}
	ok, err := w.loader.TakesBack(ctx, w.conn, t.def)
	if err != nil {
		return w.fail(err, t, s)
	}
	if ok {
		s.loads = loadsRows
	}
	return nil
}
