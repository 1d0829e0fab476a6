package harness

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"

	"kconnect/test/harness/service"
)

// Database is a database on a real MariaDB server. Its methods may be called from several goroutines.
type Database struct {
	Address  string // host:port
	Name     string
	User     string // may do everything on the server
	Password string

	server *service.MariaDB // nil on the server of the run
	pool   *sql.DB
}

// MariaDB makes an empty database with a new name on the server of the run. It is dropped when t ends.
func MariaDB(t testing.TB) *Database {
	t.Helper()
	config, err := mysql.ParseDSN(address(t, service.MariaDBName))
	if err != nil {
		t.Fatalf("%s: %v", service.EnvMariaDB, err)
	}
	return newDatabase(t, &Database{Address: config.Addr, User: config.User, Password: config.Passwd}, Name("db"))
}

// PrivateMariaDB starts a server for this test alone, which the test may stop and start, with an empty database.
func PrivateMariaDB(t testing.TB) *Database {
	t.Helper()
	dir := filepath.Join(openDir(t), service.MariaDBName)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	server, err := service.NewMariaDB(dir)
	installed(t, err)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Kill()
		if t.Failed() {
			t.Logf("log of the MariaDB server:\n%s", server.Log())
		}
	})
	return newDatabase(t, &Database{Address: server.Address(), User: "root", Password: service.Password, server: server}, Name("db"))
}

// Database makes another empty database with the given name on the same server, in place of what was there under this name. It
// is dropped when t ends. On the server of the run the name must be one that no other test uses.
func (d *Database) Database(t testing.TB, name string) *Database {
	t.Helper()
	return newDatabase(t, &Database{Address: d.Address, User: d.User, Password: d.Password, server: d.server}, name)
}

// newDatabase fills in what is missing in d.
func newDatabase(t testing.TB, d *Database, name string) *Database {
	t.Helper()
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr = d.User, d.Password, "tcp", d.Address
	// Arguments go into the text of the statement, so that Query sees every value as the server prints it.
	config.InterpolateParams = true
	config.MultiStatements = true
	// A server that a test kills is no news.
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	server := sql.OpenDB(connector)
	t.Cleanup(func() { server.Close() })
	if _, err := server.ExecContext(t.Context(), "DROP DATABASE IF EXISTS `"+name+"`; CREATE DATABASE `"+name+"`"); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if d.server != nil {
			return // it goes as a whole, and may be down
		}
		// The test's own context has ended.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := server.ExecContext(ctx, "DROP DATABASE IF EXISTS `"+name+"`"); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	config = config.Clone()
	config.DBName = name
	connector, err = mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	d.Name, d.pool = name, sql.OpenDB(connector)
	t.Cleanup(func() { d.pool.Close() })
	return d
}

// JDBC is the connection.url of the database.
func (d *Database) JDBC() string { return "jdbc:mariadb://" + d.Address + "/" + d.Name }

// Pool is the database for tests that need more than Exec and Query. It is closed when the test ends.
func (d *Database) Pool() *sql.DB { return d.pool }

// Exec runs one statement, or several with semicolons between them.
func (d *Database) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := d.pool.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Query returns the rows as the server prints them, NULL as "NULL".
func (d *Database) Query(t testing.TB, query string, args ...any) [][]string {
	t.Helper()
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
	err := d.pool.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM `"+table+"`").Scan(&n)
	if noTable(err) {
		return -1
	}
	if err != nil {
		t.Fatalf("count %s: %v", table, err)
	}
	return n
}

func noTable(err error) bool {
	refused := (*mysql.MySQLError)(nil)
	return errors.As(err, &refused) && refused.Number == 1146
}

// private returns the server of this test, or fails t: tests may not stop what others use.
func (d *Database) private(t testing.TB) *service.MariaDB {
	t.Helper()
	if d.server == nil {
		t.Fatal("this is the MariaDB server of the whole run: take one from PrivateMariaDB to stop it")
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
