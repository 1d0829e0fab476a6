package harness

import (
	"context"
	"database/sql"
	"testing"
)

// Database is a database on a real server. Its methods may be called from several goroutines. Statements are passed on as they
// are: placeholders are ? on MariaDB and $1 on PostgreSQL.
type Database struct {
	Address  string // host:port
	Name     string
	User     string // may do everything on the server
	Password string

	scheme string // of its JDBC URL
	quote  string // around identifiers
	create func(t testing.TB, d *Database, name string) *Database
	server databaseServer // nil on the server of the run
	pool   *sql.DB
}

// databaseServer is the server of one test.
type databaseServer interface {
	Start(ctx context.Context) error
	Stop() error
	Kill()
}

// Database makes another empty database with the given name on the same server, in place of what was there under this name. It
// is dropped when t ends. On the server of the run the name must be one that no other test uses.
func (d *Database) Database(t testing.TB, name string) *Database {
	t.Helper()
	other := *d
	return d.create(t, &other, name)
}

// JDBC is the connection.url of the database.
func (d *Database) JDBC() string { return "jdbc:" + d.scheme + "://" + d.Address + "/" + d.Name }

// Pool is the database for tests that need more than Exec and Query. It is closed when the test ends.
func (d *Database) Pool() *sql.DB { return d.pool }

// Exec runs one statement, or, without arguments, several with semicolons between them.
func (d *Database) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := d.pool.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Query returns the rows as the server prints them, NULL as "NULL".
func (d *Database) Query(t testing.TB, query string, args ...any) [][]string {
	t.Helper()
	if d.scheme == postgresScheme {
		return d.postgresTexts(t, query, args)
	}
	rows, err := d.pool.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var all [][]string
	for rows.Next() {
		row, cells := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range row {
			cells[i] = &row[i]
		}
		if err := rows.Scan(cells...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		text := make([]string, len(columns))
		for i, cell := range row {
			text[i] = "NULL"
			if cell.Valid {
				text[i] = cell.String
			}
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// Count returns the number of rows of a table, or -1 while there is no such table.
func (d *Database) Count(t testing.TB, table string) int {
	t.Helper()
	var n int
	err := d.pool.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+d.quote+table+d.quote).Scan(&n)
	if noTable(err) {
		return -1
	}
	if err != nil {
		t.Fatalf("count %s: %v", table, err)
	}
	return n
}

// private returns the server of this test, or fails t: tests may not stop what others use.
func (d *Database) private(t testing.TB) databaseServer {
	t.Helper()
	if d.server == nil {
		t.Fatal("this is the server of the whole run: take one from PrivateMariaDB or PrivatePostgres to stop it")
	}
	return d.server
}

// Start starts a private server again, on the same port and data.
func (d *Database) Start(t testing.TB) {
	t.Helper()
	if err := d.private(t).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Stop shuts a private server down in order.
func (d *Database) Stop(t testing.TB) {
	t.Helper()
	if err := d.private(t).Stop(); err != nil {
		t.Fatal(err)
	}
}

// Kill ends a private server at once, as a crash would.
func (d *Database) Kill(t testing.TB) {
	t.Helper()
	d.private(t).Kill()
}
