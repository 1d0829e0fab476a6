package sink

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// writer owns a task's connection and what is prepared on it.
type writer struct {
	s      *settings
	log    *zap.Logger
	db     *dialect.Database
	target dialect.Target

	conn     *dialect.Conn // nil: to be opened
	tx       transaction
	topics   map[string]*table
	tables   map[dialect.TableID]*table // several topics may share one
	prepared int                        // statements

	failed  map[*shape]error // of the delivery at hand: DDL is not tried again for every record
	touched []*table         // those of the delivery at hand, in order of arrival
	merger  merger
	met     metKeys
	loader  *dialect.Loader // nil unless kconnect.mariadb.load.data is set
	args    dialect.Args

	counts counts
}

// transaction is what is open on the connection.
type transaction struct {
	open bool
	ddl  bool // it holds DDL, which stays when rows fail
	save bool // after the DDL there is a savepoint
	rows int64
}

func newWriter(s *settings, log *zap.Logger) (*writer, error) {
	db, target, err := open(s)
	if err != nil {
		return nil, connect.NewError("The database of this connector cannot be used", err)
	}
	for _, warning := range db.Warnings {
		log.Warn(warning)
	}
	w := &writer{s: s, log: log, db: db, target: target, topics: map[string]*table{}, tables: map[dialect.TableID]*table{}, failed: map[*shape]error{}}
	if s.load {
		if w.loader, err = dialect.NewLoader(target); err != nil {
			return nil, connect.NewError(keyLoad+" cannot be used", err)
		}
	}
	return w, nil
}

// connect opens the connection if there is none.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Connect(ctx, w.target.WriteSession()...)
	for left := w.s.connectAttempts; err != nil && w.s.failFast && left > 1 && w.target.Classify(err).Surroundings(); left-- {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(w.s.connectBackoff):
		}
		conn, err = w.db.Connect(ctx, w.target.WriteSession()...)
	}
	if err != nil {
		return &sqlError{err: err, connect: true}
	}
	w.counts.connects.Add(1)
	w.conn = conn
	return nil
}

// close ends what the writer holds.
func (w *writer) close() {
	w.disconnect()
	if w.loader != nil {
		w.loader.Close()
	}
}

// disconnect drops the connection with all that was prepared on it.
func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	w.forget()
	if err := w.conn.Close(); err != nil {
		w.log.Debug("closing the connection", zap.Error(err))
	}
	w.conn, w.tx = nil, transaction{}
}

// forget drops what is known about tables, so that it is asked again.
func (w *writer) forget() {
	for _, t := range w.tables {
		w.unprepare(t.shapes...)
	}
	clear(w.tables)
	clear(w.topics)
	w.touched = w.touched[:0]
}

// begin opens the delivery's transaction. A connection that broke while it was
// idle shows here, before anything is lost, and is replaced at once.
func (w *writer) begin(ctx context.Context) error {
	if w.tx.open {
		return nil
	}
	if _, err := w.conn.Exec(ctx, w.target.BeginWrite()); err != nil {
		return &sqlError{err: err}
	}
	w.tx = transaction{open: true}
	return nil
}

// beginRows marks the place to which the rows are taken back when they fail.
func (w *writer) beginRows(ctx context.Context) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	if w.tx.ddl && !w.tx.save {
		if _, err := w.conn.Exec(ctx, "SAVEPOINT rows_of_delivery"); err != nil {
			return &sqlError{err: err}
		}
		w.tx.save = true
	}
	return nil
}

// guarded runs f in the open transaction. Where an error aborts that, it goes
// back to where it was before f.
func (w *writer) guarded(ctx context.Context, f func() error) error {
	if !w.target.ErrorsAbort() {
		return f()
	}
	if _, err := w.conn.Exec(ctx, "SAVEPOINT guarded"); err != nil {
		return &sqlError{err: err}
	}
	err := f()
	text := "RELEASE SAVEPOINT guarded"
	if err != nil {
		if ctx.Err() != nil || w.class(err) == dialect.Connection {
			return err
		}
		text = "ROLLBACK TO SAVEPOINT guarded; RELEASE SAVEPOINT guarded"
	}
	if _, e := w.conn.Exec(ctx, text); e != nil {
		return &sqlError{err: e}
	}
	return err
}

func (w *writer) commit(ctx context.Context) error {
	if !w.tx.open {
		return nil
	}
	began := time.Now()
	defer w.counts.took(began)
	// Promise 1: nothing counts as written before this returns.
	if _, err := w.conn.Exec(ctx, "COMMIT"); err != nil {
		return &sqlError{err: err}
	}
	w.counts.commits.Add(1)
	w.counts.rows.Add(w.tx.rows)
	w.tx = transaction{}
	return nil
}

// takeBack undoes the rows of the transaction and keeps its DDL, which stays
// as in Java whatever becomes of the rows (golden jdbc-sink/insert-duplicate-key-sqlite).
func (w *writer) takeBack(ctx context.Context) error {
	if !w.tx.open {
		return nil
	}
	text := "ROLLBACK"
	switch {
	case w.tx.save:
		text = "ROLLBACK TO rows_of_delivery"
	case w.tx.ddl: // no row yet
		return w.commit(ctx)
	}
	if _, err := w.conn.Exec(ctx, text); err != nil {
		return &sqlError{err: err}
	}
	if w.tx.save {
		w.tx.rows = 0
		return w.commit(ctx)
	}
	w.tx = transaction{}
	return nil
}

// pause returns how long to wait before a database that is away is tried
// again for the n-th time: a second, doubling up to connection.backoff.ms,
// less up to a half at random, so that tasks do not come back all at once.
func (w *writer) pause(n int) time.Duration {
	longest := max(w.s.connectBackoff, time.Second)
	d := min(time.Second<<min(n, 20), longest)
	return d - time.Duration(rand.Int64N(int64(d)/2+1))
}
