package harness

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"kconnect/test/harness/service"
)

// MariaDB makes an empty database with a new name on the server of the run. It is dropped when t ends.
func MariaDB(t testing.TB) *Database {
	t.Helper()
	config, err := mysql.ParseDSN(address(t, service.MariaDBName))
	if err != nil {
		t.Fatalf("%s: %v", service.EnvMariaDB, err)
	}
	return newMariaDB(t, &Database{Address: config.Addr, User: config.User, Password: config.Passwd}, Name("db"))
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
	return newMariaDB(t, &Database{Address: server.Address(), User: "root", Password: service.Password, server: server}, Name("db"))
}

// newMariaDB fills in what is missing in d.
func newMariaDB(t testing.TB, d *Database, name string) *Database {
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
	d.Name, d.pool, d.create, d.scheme, d.quote = name, sql.OpenDB(connector), newMariaDB, "mariadb", "`"
	t.Cleanup(func() { d.pool.Close() })
	return d
}

// noTable reports whether a server of either kind says that a table is not there.
func noTable(err error) bool {
	if refused := (*mysql.MySQLError)(nil); errors.As(err, &refused) {
		return refused.Number == 1146
	}
	refused := (*pgconn.PgError)(nil)
	return errors.As(err, &refused) && refused.Code == "42P01"
}
