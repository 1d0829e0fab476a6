package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgtype"
)

// pgConn is a driver.Conn on the protocol itself. Rows are read from the socket
// as they are taken, so that a result set of any size needs the memory of one
// row (Promise 6), and a value is a []byte in the driver's buffer: nothing is
// allocated for it. Result sets of Conn.Query have some types in binary form
// (see pgTypes), all others have texts.
type pgConn struct {
	pc        *pgconn.PgConn
	canceller *pgCanceller
	named     int                          // statements so far, for their names
	columns   *pgconn.StatementDescription // of columnsQuery, once it was needed
	types     map[uint32]pgType            // of types that are not built in
}

// pgHost connects to one server.
type pgHost struct{ config *pgconn.Config }

// Connect opens a connection.
func (h *pgHost) Connect(ctx context.Context) (driver.Conn, error) {
	config := h.config.Copy()
	canceller := &pgCanceller{}
	config.BuildContextWatcherHandler = canceller.watch
	pc, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &pgConn{pc: pc, canceller: canceller}, nil
}

// cancelPatience is how long a statement whose context ended may take to say so.
const cancelPatience = 2 * time.Second

// pgCanceller asks the server to end a statement when its context ends, so that
// the server does not go on with it and its answer is still read. The request
// travels on its own connection and may arrive late, so this one is not used
// again.
type pgCanceller struct {
	pc   *pgconn.PgConn
	used atomic.Bool
}

func (c *pgCanceller) watch(pc *pgconn.PgConn) ctxwatch.Handler {
	c.pc = pc
	return c
}

// HandleCancel is called on a goroutine that the connection waits for.
func (c *pgCanceller) HandleCancel(context.Context) {
	c.used.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), cancelPatience)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = c.pc.Conn().SetDeadline(deadline) // that of a closed connection matters no more
	_ = c.pc.CancelRequest(ctx)           // best effort; the deadline ends the wait otherwise
}

// HandleUnwatchAfterCancel takes the deadline back.
func (c *pgCanceller) HandleUnwatchAfterCancel() { _ = c.pc.Conn().SetDeadline(time.Time{}) }

func (c *pgConn) usable() error {
	if c.canceller.used.Load() || c.pc.IsClosed() {
		return driver.ErrBadConn
	}
	return nil
}

// Close ends the connection and waits until it is gone.
func (c *pgConn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), cancelPatience)
	defer cancel()
	err := c.pc.Close(ctx)
	select {
	case <-c.pc.CleanupDone(): // after a fault the library says goodbye on a goroutine of its own
	case <-ctx.Done():
	}
	return err
}

// Ping asks the server for an empty answer.
func (c *pgConn) Ping(ctx context.Context) error {
	if err := c.usable(); err != nil {
		return err
	}
	return c.pc.Ping(ctx)
}

// Begin is for the interface: connectors begin with the statements of their dialect.
func (c *pgConn) Begin() (driver.Tx, error) {
	_, err := c.ExecContext(context.Background(), "BEGIN", nil)
	return pgTx{c}, err
}

type pgTx struct{ c *pgConn }

func (t pgTx) Commit() error {
	_, err := t.c.ExecContext(context.Background(), "COMMIT", nil)
	return err
}

func (t pgTx) Rollback() error {
	_, err := t.c.ExecContext(context.Background(), "ROLLBACK", nil)
	return err
}

// ExecContext runs a statement; without arguments also several with semicolons
// between them.
func (c *pgConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		results, err := c.pc.Exec(ctx, query).ReadAll()
		if err != nil {
			return nil, pgError(err)
		}
		var changed int64
		for _, r := range results {
			changed += r.CommandTag.RowsAffected()
			if query == "COMMIT" && r.CommandTag.String() == "ROLLBACK" {
				return nil, errRolledBack // Promise 1: else rows would count as written
			}
		}
		return driver.RowsAffected(changed), nil
	}
	sql, n := numbered(query)
	var a pgArgs
	if err := a.set(n, args, nil); err != nil {
		return nil, err
	}
	tag, err := c.pc.ExecParams(ctx, sql, a.values, nil, a.formats, nil).Close()
	if err != nil {
		return nil, pgError(err)
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// query opens a result set of one statement. Integers among the arguments are
// bigint, as those of Java's setLong; texts take the type that they are
// compared with, as its timestamps do. plain leaves all values as texts and does
// not ask what the columns are.
func (c *pgConn) query(ctx context.Context, query string, args []driver.NamedValue, plain bool) (*pgRows, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	sql, n := numbered(query)
	oids := make([]uint32, len(args))
	for i, a := range args {
		oids[i] = pgArgType(a.Value)
	}
	var a pgArgs
	if err := a.set(n, args, oids); err != nil {
		return nil, err
	}
	// The statement without a name needs no closing; the next one takes its place.
	stmt, err := c.pc.Prepare(ctx, "", sql, oids)
	if err != nil {
		return nil, pgError(err)
	}
	rows := newPgRows(stmt)
	if !plain {
		// Asked before the rows come, because a connection has one result set at a time.
		if err := c.describe(ctx, rows); err != nil {
			return nil, err
		}
	}
	rows.result = c.pc.ExecPrepared(ctx, "", a.values, a.formats, rows.formats)
	return rows, nil
}

// Prepare prepares a statement.
func (c *pgConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext prepares a statement whose arguments have the types that the
// server infers.
func (c *pgConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	c.named++
	sql, n := numbered(query)
	stmt, err := c.pc.Prepare(ctx, "kconnect_"+strconv.Itoa(c.named), sql, nil)
	if err != nil {
		return nil, pgError(err)
	}
	return &pgStmt{c: c, stmt: stmt, placeholders: n}, nil
}

// pgStmt is a prepared statement. Its arguments' memory is used again.
type pgStmt struct {
	c            *pgConn
	stmt         *pgconn.StatementDescription
	placeholders int
	args         pgArgs
}

// Close frees the statement on the server.
func (s *pgStmt) Close() error {
	if s.c.usable() != nil {
		return nil // it went with the connection
	}
	return s.c.pc.Deallocate(context.Background(), s.stmt.Name)
}

// NumInput returns the number of arguments.
func (s *pgStmt) NumInput() int { return s.placeholders }

// Exec is ExecContext without a context.
func (s *pgStmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), number(nil, args))
}

// Query is QueryContext without a context.
func (s *pgStmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), number(nil, args))
}

// ExecContext runs the statement.
func (s *pgStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.c.usable(); err != nil {
		return nil, err
	}
	if err := s.args.set(s.placeholders, args, s.stmt.ParamOIDs); err != nil {
		return nil, err
	}
	tag, err := s.c.pc.ExecPrepared(ctx, s.stmt.Name, s.args.values, s.args.formats, nil).Close()
	if err != nil {
		return nil, pgError(err)
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// QueryContext opens a result set of texts.
func (s *pgStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.c.usable(); err != nil {
		return nil, err
	}
	if err := s.args.set(s.placeholders, args, s.stmt.ParamOIDs); err != nil {
		return nil, err
	}
	rows := newPgRows(s.stmt)
	rows.result = s.c.pc.ExecPrepared(ctx, s.stmt.Name, s.args.values, s.args.formats, nil)
	return rows, nil
}

// pgError takes the server's own error out of what the library puts around it.
func pgError(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e
	}
	return err
}

// pgBinary is an argument that is in the binary form of its type already.
type pgBinary []byte

// pgArgs are the arguments of a statement as the protocol has them.
type pgArgs struct {
	values  [][]byte
	formats []int16
	buf     []byte // of texts; old parts stay valid when it grows
}

// placeholderError is a statement that has not as many placeholders as values,
// as when a query uses the operator ?.
type placeholderError struct{ placeholders, values int }

func (e *placeholderError) Error() string {
	return fmt.Sprintf("the statement has %d placeholders for %d values: the operators ?, ?| and ?& are written ??, ??| and ??&", e.placeholders, e.values)
}

// set encodes args for n placeholders: as texts, which every type reads, but
// bytes for a bytea as they are.
func (a *pgArgs) set(n int, args []driver.NamedValue, oids []uint32) error {
	if len(args) != n {
		return &placeholderError{n, len(args)}
	}
	a.values, a.formats, a.buf = a.values[:0], a.formats[:0], a.buf[:0]
	for i := range args {
		start, format := len(a.buf), int16(pgtype.TextFormatCode)
		var text []byte
		switch v := args[i].Value.(type) {
		case nil:
		case string:
			text = unsafe.Slice(unsafe.StringData(v), len(v)) // only read
		case int64:
			a.buf = strconv.AppendInt(a.buf, v, 10)
			text = a.buf[start:]
		case float64:
			a.buf = appendPgFloat(a.buf, v)
			text = a.buf[start:]
		case bool:
			a.buf = strconv.AppendBool(a.buf, v)
			text = a.buf[start:]
		case []byte:
			text = v
			if i < len(oids) && oids[i] == pgtype.ByteaOID {
				format = pgtype.BinaryFormatCode
			}
		case pgBinary:
			text, format = v, pgtype.BinaryFormatCode
		default:
			return fmt.Errorf("a %T cannot be an argument", v)
		}
		if text == nil && args[i].Value != nil {
			text = []byte{} // nil would be a null
		}
		a.values, a.formats = append(a.values, text), append(a.formats, format)
	}
	return nil
}

func appendPgFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// pgArgType returns the type that an argument is declared as; 0 lets the server infer it.
func pgArgType(v driver.Value) uint32 {
	switch v.(type) {
	case int64:
		return pgtype.Int8OID
	case float64:
		return pgtype.Float8OID
	case bool:
		return pgtype.BoolOID
	case []byte:
		return pgtype.ByteaOID
	}
	return 0
}

// pgRows is an open result set. Values are []byte which refer to cells that
// hold the driver's buffer of the present row.
type pgRows struct {
	stmt    *pgconn.StatementDescription
	names   []string
	formats []int16
	fields  []Field // once they were described
	result  *pgconn.ResultReader
	cells   [][]byte
	values  []driver.Value // values[i] refers to cells[i]
}

func newPgRows(stmt *pgconn.StatementDescription) *pgRows {
	n := len(stmt.Fields)
	r := &pgRows{stmt: stmt, names: make([]string, n), cells: make([][]byte, n), values: make([]driver.Value, n)}
	for i := range stmt.Fields {
		r.names[i] = stmt.Fields[i].Name
		r.values[i] = refer(&r.cells[i])
	}
	return r
}

// Columns returns the labels.
func (r *pgRows) Columns() []string { return r.names }

// Next fills dest with the next row, or returns io.EOF.
func (r *pgRows) Next(dest []driver.Value) error {
	if !r.result.NextRow() {
		if err := r.Close(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, v := range r.result.Values() {
		if v == nil {
			dest[i] = nil
			continue
		}
		r.cells[i] = v
		dest[i] = r.values[i]
	}
	return nil
}

// Close reads what is left of the result set.
func (r *pgRows) Close() error {
	_, err := r.result.Close()
	return pgError(err)
}
