package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// Conn is one connection. It belongs to one goroutine, and one result set may
// be open on it at a time.
type Conn struct {
	Dialect
	dc    driver.Conn
	named []driver.NamedValue // used again by every call
}

// Close ends the connection, and with it an open transaction or result set.
func (c *Conn) Close() error { return c.dc.Close() }

// Ping asks the database whether the connection still works.
func (c *Conn) Ping(ctx context.Context) error {
	if p, ok := c.dc.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	_, err := c.Exec(ctx, "SELECT 1")
	return err
}

// Exec runs a statement without a result and returns how many rows it changed.
func (c *Conn) Exec(ctx context.Context, query string, args ...driver.Value) (int64, error) {
	res, err := c.exec(ctx, query, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (c *Conn) exec(ctx context.Context, query string, args []driver.Value) (driver.Result, error) {
	if e, ok := c.dc.(driver.ExecerContext); ok {
		res, err := e.ExecContext(ctx, query, c.args(args))
		if !errors.Is(err, driver.ErrSkip) {
			return res, err
		}
	}
	stmt, err := c.Prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }()
	return stmt.Exec(ctx, args...)
}

// Query opens a result set, which lives as long as ctx: ending ctx breaks the
// connection. The statement is prepared even without arguments, because
// MariaDB's values are exact only in the form that prepared statements have
// (D27). PostgreSQL's values are in the form that its Column reads.
func (c *Conn) Query(ctx context.Context, query string, args ...driver.Value) (driver.Rows, error) {
	return c.query(ctx, query, args, false)
}

func (c *Conn) query(ctx context.Context, query string, args []driver.Value, texts bool) (driver.Rows, error) {
	if pg, ok := c.dc.(*pgConn); ok {
		rows, err := pg.query(ctx, query, c.args(args), texts)
		if err != nil {
			return nil, err
		}
		return rows, nil
	}
	stmt, err := c.Prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.Query(ctx, args...)
	if err != nil {
		return nil, errors.Join(err, stmt.Close())
	}
	return &stmtRows{rows, stmt, query}, nil
}

// stmtRows closes the statement that was prepared for one result set.
type stmtRows struct {
	driver.Rows
	stmt  *Stmt
	query string
}

func (r *stmtRows) Close() error {
	err := r.Rows.Close()
	return errors.Join(err, r.stmt.Close())
}

// Texts reads a small result set of texts; null reads as the empty string.
func (c *Conn) Texts(ctx context.Context, query string, args ...driver.Value) (_ [][]string, err error) {
	rows, err := c.query(ctx, query, args, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	var all [][]string
	for {
		if err := rows.Next(row); err != nil {
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			return nil, err
		}
		texts := make([]string, len(row))
		for i, v := range row {
			switch v := v.(type) {
			case nil:
			case string:
				texts[i] = v
			case []byte:
				texts[i] = string(v)
			default:
				texts[i] = fmt.Sprint(v)
			}
		}
		all = append(all, texts)
	}
}

// Prepare prepares a statement on this connection.
func (c *Conn) Prepare(ctx context.Context, query string) (*Stmt, error) {
	var stmt driver.Stmt
	var err error
	if p, ok := c.dc.(driver.ConnPrepareContext); ok {
		stmt, err = p.PrepareContext(ctx, query)
	} else {
		stmt, err = c.dc.Prepare(query)
	}
	if err != nil {
		return nil, err
	}
	return &Stmt{stmt: stmt}, nil
}

// args numbers arguments for the driver. The slice is good until the next call.
func (c *Conn) args(args []driver.Value) []driver.NamedValue {
	c.named = number(c.named[:0], args)
	return c.named
}

func number(dst []driver.NamedValue, args []driver.Value) []driver.NamedValue {
	for i, a := range args {
		dst = append(dst, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return dst
}

// Stmt is a prepared statement of one connection and shares its goroutine.
type Stmt struct {
	stmt  driver.Stmt
	named []driver.NamedValue
}

// Close frees the statement on the server.
func (s *Stmt) Close() error { return s.stmt.Close() }

// Query opens a result set under the rules of Conn.Query.
func (s *Stmt) Query(ctx context.Context, args ...driver.Value) (driver.Rows, error) {
	s.named = number(s.named[:0], args)
	q, ok := s.stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, fmt.Errorf("driver %T cannot query with a context", s.stmt)
	}
	return q.QueryContext(ctx, s.named)
}

// Exec runs the statement with args.
func (s *Stmt) Exec(ctx context.Context, args ...driver.Value) (driver.Result, error) {
	s.named = number(s.named[:0], args)
	return s.ExecNamed(ctx, s.named)
}

// ExecNamed is Exec for a caller that keeps its own numbered arguments.
func (s *Stmt) ExecNamed(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	e, ok := s.stmt.(driver.StmtExecContext)
	if !ok {
		return nil, fmt.Errorf("driver %T cannot execute with a context", s.stmt)
	}
	return e.ExecContext(ctx, args)
}
