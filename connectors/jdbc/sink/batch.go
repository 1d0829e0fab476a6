package sink

import (
	"context"
	"errors"
	"time"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// Limits of one statement besides the dialect's: arguments are bound in
// memory, and servers refuse packets above max_allowed_packet, which is 1 MB
// in the oldest that are about and more elsewhere.
const (
	statementBytes  = 1_000_000 // of arguments; a single row may have more
	compositeDelete = 100       // rows of a DELETE with several key columns, whose text grows with them
	maxPrepared     = 256       // statements on one connection
)

// batch writes rows of one table.
type batch struct {
	w       *writer
	table   *table
	records []connect.Record
	bad     *[]rejected // nil: the first fault is the error
	merged  bool        // the rows are of different keys
}

// writeMerged writes the first runs as a merge of them, if they allow one,
// and returns how many they were.
func (b *batch) writeMerged(ctx context.Context, runs []run) (int, error) {
	n, writes := mergeableRuns(runs)
	if n == 0 || !b.w.merger.merge(b.table, runs[:n], b.records) {
		return 0, nil
	}
	b.merged = true
	defer func() { b.merged = false }()
	if rows := b.w.merger.deletes; len(rows) > 0 {
		if err := b.write(ctx, runs[0].shape, opDelete, rows); err != nil {
			return 0, err
		}
	}
	if rows := b.w.merger.writes; len(rows) > 0 {
		if err := b.write(ctx, writes, opUpsert, rows); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// write executes an operation on rows, in as few statements as the limits
// allow.
func (b *batch) write(ctx context.Context, s *shape, op operation, rows []int) error {
	for len(rows) > 0 {
		if op == opInsert {
			n, err := b.load(ctx, s, rows)
			if err != nil {
				return err
			}
			if n > 0 {
				rows = rows[n:]
				continue
			}
		}
		n, err := b.tryStatement(ctx, s, op, rows)
		if err != nil {
			if err := b.isolate(ctx, s, op, rows[:n], err); err != nil {
				return err
			}
		}
		rows = rows[n:]
	}
	return nil
}

// tryStatement is statement, after whose failure others can follow when bad rows
// are looked for.
func (b *batch) tryStatement(ctx context.Context, s *shape, op operation, rows []int) (n int, err error) {
	if b.bad == nil {
		return b.statement(ctx, s, op, rows)
	}
	err = b.w.guarded(ctx, func() error {
		n, err = b.statement(ctx, s, op, rows)
		return err
	})
	return n, err
}

// isolate looks in the rows of a statement that failed for those to blame: it
// executes its halves, in order, until a bad row stands alone.
func (b *batch) isolate(ctx context.Context, s *shape, op operation, rows []int, err error) error {
	if b.bad == nil || ctx.Err() != nil || !b.w.isolates(err) {
		return err
	}
	class := b.w.class(err)
	if class == dialect.Syntax || class == dialect.Missing { // no row of them is any better
		for _, row := range rows {
			*b.bad = append(*b.bad, rejected{row, b.blame(err, s, row)})
		}
		return nil
	}
	if len(rows) == 1 {
		*b.bad = append(*b.bad, rejected{rows[0], b.blame(err, s, rows[0])})
		return nil
	}
	half := len(rows) / 2
	if err := b.write(ctx, s, op, rows[:half]); err != nil {
		return err
	}
	return b.write(ctx, s, op, rows[half:])
}

// blame names the record that an error of the database is about.
func (b *batch) blame(err error, s *shape, row int) error {
	e, ok := errors.AsType[*sqlError](err)
	if !ok {
		return err
	}
	named := *e
	named.record, named.shape = &b.records[row], s
	return &named
}

// statement binds and executes one statement. It returns how many of the first
// rows it was for.
func (b *batch) statement(ctx context.Context, s *shape, op operation, rows []int) (int, error) {
	n, err := b.bindRows(s, op, rows)
	if err != nil {
		return n, err
	}
	k := statement{op, n}
	if b.w.target.RowsInArrays() {
		k.rows = 0
	}
	stmt, err := b.w.prepare(ctx, s, k)
	if err == nil {
		began := time.Now()
		_, err = stmt.ExecNamed(ctx, b.w.args.Values(n*s.values(op)))
		b.w.counts.took(began)
		b.w.counts.statements.Add(1)
		if err != nil {
			// It may hold on to its arguments: MariaDB refuses whatever comes after a
			// value above max_allowed_packet.
			b.w.discard(s, k)
		}
	}
	if err != nil {
		s.single = s.single || b.w.target.MetTwice(err)
		e := &sqlError{err: err, table: b.table.id.Text(), shape: s}
		if n == 1 {
			e.record = &b.records[rows[0]]
		}
		return n, e
	}
	b.w.tx.rows += int64(n)
	return n, nil
}

// bindRows binds rows for one statement and returns how many of the first it
// has taken.
func (b *batch) bindRows(s *shape, op operation, rows []int) (int, error) {
	first, second := s.arguments(op)
	arrays, most := b.w.target.RowsInArrays(), b.w.mostRows(s, op)
	n := min(len(rows), most)
	if !arrays {
		n = statementRows(len(rows), most)
	}
	args := &b.w.args
	args.Reset()
	for _, columns := range [...][]column{first, second} {
		for i := range columns {
			args.Column(columns[i].Element)
		}
	}
	distinct := op == opUpsert && !b.merged && b.w.target.DistinctKeys() && n > 1
	if distinct {
		b.w.met.reset()
	}
	for i, row := range rows[:n] {
		r := &b.records[row]
		if distinct && !b.w.met.add(s, r) {
			return i, nil // in the next statement, because rows of one key go one after the other
		}
		err := bind(args, first, r)
		if err == nil {
			err = bind(args, second, r)
		}
		switch {
		case err != nil:
			return n, b.locate(err, r)
		case args.Bytes() <= statementBytes || n == 1:
		case arrays:
			return i + 1, nil
		default:
			return statementRows(max(i, 1), most), nil // without this row, unless it is the first
		}
	}
	return n, nil
}

// bind adds what a record has for columns.
func bind(args *dialect.Args, columns []column, r *connect.Record) error {
	for i := range columns {
		c := &columns[i]
		v := c.value(r)
		if v.IsNull() {
			args.Null()
			continue
		}
		if err := c.Bind(v, args); err != nil {
			return err
		}
	}
	return nil
}

// locate says which record a value that could not be bound came from.
func (b *batch) locate(err error, r *connect.Record) error {
	e, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return err
	}
	located := *e
	located.Cause = connect.NewError("table "+b.table.id.Text()+", "+place(r), e.Cause)
	return &located
}

// mostRows returns how many rows a statement may have.
func (w *writer) mostRows(s *shape, op operation) int {
	if op == opUpdate || op == opUpsert && s.single {
		return 1
	}
	most := w.target.MaxRows()
	if w.target.RowsInArrays() {
		return max(min(most, w.s.batch), 1)
	}
	most = evenly(w.s.batch, max(min(most, w.target.MaxPlaceholders()/max(s.values(op), 1)), 1))
	if op == opDelete && s.keys > 1 {
		most = min(most, compositeDelete)
	}
	return max(most, 1)
}

// evenly returns how many rows each statement of a full batch takes when there
// are as few as most allows: 3,000 rows are six statements of 500, where 512
// would leave a rest for five small ones.
func evenly(batch, most int) int {
	statements := (batch + most - 1) / most
	return (batch + statements - 1) / statements
}

// statementRows returns how many of n rows the next statement takes: the most
// or a power of two, so that few statements are prepared and each is used again.
func statementRows(n, most int) int {
	if n >= most {
		return most
	}
	p := 1
	for p*2 <= n {
		p *= 2
	}
	return p
}

// prepare returns the statement of a shape, prepared once.
func (w *writer) prepare(ctx context.Context, s *shape, k statement) (*dialect.Stmt, error) {
	if stmt, ok := s.batched[k]; ok {
		return stmt, nil
	}
	if w.prepared >= maxPrepared {
		for _, t := range w.tables {
			w.unprepare(t.shapes...)
		}
	}
	stmt, err := w.conn.Prepare(ctx, s.text(k))
	if err != nil {
		return nil, err
	}
	s.batched[k] = stmt
	w.prepared++
	return stmt, nil
}

// discard frees one statement of a shape.
func (w *writer) discard(s *shape, k statement) {
	if stmt, ok := s.batched[k]; ok {
		_ = stmt.Close() // the connection may be gone, and the statement with it
		delete(s.batched, k)
		w.prepared--
	}
}

// unprepare frees the statements of shapes.
func (w *writer) unprepare(shapes ...*shape) {
	for _, s := range shapes {
		for _, stmt := range s.batched {
			_ = stmt.Close() // the connection may be gone, and the statements with it
		}
		w.prepared -= len(s.batched)
		clear(s.batched)
	}
}
