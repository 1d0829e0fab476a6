package sink

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"kconnect/connect/config"

	"kconnect/test/harness"
	"kconnect/test/harness/service"
	_ "modernc.org/sqlite"
)

// testDatabase is an empty database of a test.
type testDatabase struct {
	name   string
	config config.Map // connection.* keys
	db     *sql.DB
	dsn    string // of the Go driver; not SQLite
	kind   string // as the recordings name it: mariadb, postgres or sqlite
}

var databases atomic.Int64 // makes names unique within one run

// mariaDB returns an empty database on the server that KCONNECT_TEST_MARIADB
// names, and skips the test without one.
func mariaDB(tb testing.TB) *testDatabase {
	tb.Helper()
	c := mariaServer(tb)
	d := &testDatabase{kind: "mariadb", name: fmt.Sprintf("sink_%d_%d", os.Getpid(), databases.Add(1))}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		tb.Fatal(err)
	}
	server := sql.OpenDB(connector)
	defer func() { _ = server.Close() }()
	if _, err := server.ExecContext(tb.Context(), "CREATE DATABASE `"+d.name+"`"); err != nil {
		tb.Fatalf("the MariaDB server of KCONNECT_TEST_MARIADB: %v", err)
	}
	c.DBName = d.name
	d.dsn = c.FormatDSN()
	if connector, err = mysql.NewConnector(c); err != nil {
		tb.Fatal(err)
	}
	d.db = sql.OpenDB(connector)
	d.config = config.Map{
		"connection.url": "jdbc:mariadb://" + c.Addr + "/" + d.name, "connection.user": c.User, "connection.password": c.Passwd,
	}
	tb.Cleanup(func() {
		d.exec(tb, "DROP DATABASE `"+d.name+"`")
		_ = d.db.Close()
	})
	return d
}

// mariaServer reads KCONNECT_TEST_MARIADB, a data source name of the Go driver.
func mariaServer(tb testing.TB) *mysql.Config {
	tb.Helper()
	c, err := mysql.ParseDSN(harness.Server(tb, service.MariaDBName))
	if err != nil {
		tb.Fatalf("%s: %v", service.EnvMariaDB, err)
	}
	return c
}

// postgresDB returns an empty database on the server that KCONNECT_TEST_POSTGRES
// names, a URL of the Go driver, and skips the test without one.
func postgresDB(tb testing.TB) *testDatabase {
	tb.Helper()
	c, err := pgx.ParseConfig(harness.Server(tb, service.PostgresName))
	if err != nil {
		tb.Fatalf("%s: %v", service.EnvPostgres, err)
	}
	d := &testDatabase{kind: "postgres", name: fmt.Sprintf("sink_%d_%d", os.Getpid(), databases.Add(1))}
	server := stdlib.OpenDB(*c)
	if _, err := server.ExecContext(tb.Context(), `CREATE DATABASE "`+d.name+`"`); err != nil {
		tb.Fatalf("the PostgreSQL server of KCONNECT_TEST_POSTGRES: %v", err)
	}
	tb.Cleanup(func() {
		if _, err := server.ExecContext(context.Background(), `DROP DATABASE "`+d.name+`" WITH (FORCE)`); err != nil {
			tb.Error(err)
		}
		_ = server.Close()
	})
	own := c.Copy()
	own.Database = d.name
	own.RuntimeParams["TimeZone"] = "UTC"            // as where the recordings were made
	own.DefaultQueryExecMode = pgx.QueryExecModeExec // nothing stays prepared, because tests alter tables
	address := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	d.dsn = (&url.URL{Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Host: address, Path: "/" + d.name, RawQuery: "sslmode=disable"}).String()
	d.db = stdlib.OpenDB(*own)
	tb.Cleanup(func() { _ = d.db.Close() })
	d.config = config.Map{"connection.url": "jdbc:postgresql://" + address + "/" + d.name, "connection.user": c.User, "connection.password": c.Password}
	return d
}

// sqliteDB returns an empty database file.
func sqliteDB(tb testing.TB) *testDatabase {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "sink.db")
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		tb.Fatal(err)
	}
	d := &testDatabase{name: path, db: db, kind: "sqlite", config: config.Map{"connection.url": "jdbc:sqlite:" + path}}
	d.exec(tb, "CREATE TABLE made_once(a int)")
	d.exec(tb, "DROP TABLE made_once")
	tb.Cleanup(func() { _ = db.Close() })
	return d
}

func (d *testDatabase) exec(tb testing.TB, statements ...string) {
	tb.Helper()
	for _, s := range statements {
		if _, err := d.db.ExecContext(context.WithoutCancel(tb.Context()), s); err != nil {
			tb.Fatalf("%s: %v", s, err)
		}
	}
}

// query returns rows as texts; nil is null.
func (d *testDatabase) query(tb testing.TB, text string, args ...any) [][]any {
	tb.Helper()
	rows, err := d.db.QueryContext(tb.Context(), text, args...)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	all := [][]any{}
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			tb.Fatal(err)
		}
		for i, v := range row {
			row[i] = cell(v)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

func cell(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return string(v)
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return pythonFloat(v)
	}
	return fmt.Sprint(v)
}

// pythonFloat is how the recordings show doubles of SQLite.
func pythonFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', 17, 64)
	if short := strconv.FormatFloat(f, 'f', -1, 64); len(short) < 20 {
		s = short
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// rawConn is the driver's own connection to the test's database, for the loop
// that benchmarks compare with.
func (d *testDatabase) rawConn(tb testing.TB) driver.Conn {
	tb.Helper()
	c, err := d.db.Driver().Open(d.dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}
