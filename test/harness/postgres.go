package harness

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"kconnect/test/harness/service"
)

const postgresScheme = "postgresql"

// Postgres makes an empty database with a new name on the server of the run. It is dropped when t ends.
func Postgres(t testing.TB) *Database {
	t.Helper()
	config, err := pgx.ParseConfig(address(t, service.PostgresName))
	if err != nil {
		t.Fatalf("%s: %v", service.EnvPostgres, err)
	}
	server := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	return newPostgres(t, &Database{Address: server, User: config.User, Password: config.Password}, Name("db"))
}

// PrivatePostgres starts a server for this test alone, which the test may stop and start, with an empty database.
func PrivatePostgres(t testing.TB) *Database {
	t.Helper()
	dir := filepath.Join(openDir(t), service.PostgresName)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	server, err := service.NewPostgres(dir)
	installed(t, err)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Killed, the server would leave shared memory behind; after Kill there is none to stop.
		if err := server.Stop(); err != nil {
			t.Log(err)
		}
		if t.Failed() {
			t.Logf("log of the PostgreSQL server:\n%s", server.Log())
		}
	})
	return newPostgres(t, &Database{Address: server.Address(), User: "kc", Password: service.Password, server: server}, Name("db"))
}

// newPostgres fills in what is missing in d.
func newPostgres(t testing.TB, d *Database, name string) *Database {
	t.Helper()
	config, err := pgx.ParseConfig("postgres://" + d.Address + "/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = d.User, d.Password
	// Arguments go into the text of the statement, and a text may hold several statements.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	server := stdlib.OpenDB(*config)
	t.Cleanup(func() { server.Close() })
	drop := fmt.Sprintf("DROP DATABASE IF EXISTS %q WITH (FORCE)", name)
	for _, s := range []string{drop, fmt.Sprintf("CREATE DATABASE %q", name)} {
		if _, err := server.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	t.Cleanup(func() {
		if d.server != nil {
			return // it goes as a whole, and may be down
		}
		// The test's own context has ended.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := server.ExecContext(ctx, drop); err != nil {
			t.Errorf("%s: %v", drop, err)
		}
	})
	own := config.Copy()
	own.Database = name
	d.Name, d.pool, d.create, d.scheme, d.quote = name, stdlib.OpenDB(*own), newPostgres, postgresScheme, `"`
	t.Cleanup(func() { d.pool.Close() })
	return d
}

// postgresTexts is Query below database/sql, whose values are no longer what the server prints.
func (d *Database) postgresTexts(t testing.TB, query string, args []any) [][]string {
	t.Helper()
	conn, err := d.pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	values := make([][]byte, len(args))
	for i, a := range args {
		values[i] = fmt.Append(nil, a)
	}
	var all [][]string
	err = conn.Raw(func(driverConn any) error {
		r := driverConn.(*stdlib.Conn).Conn().PgConn().ExecParams(t.Context(), query, values, nil, nil, nil)
		for r.NextRow() {
			row := make([]string, len(r.Values()))
			for i, v := range r.Values() {
				row[i] = "NULL"
				if v != nil {
					row[i] = string(v)
				}
			}
			all = append(all, row)
		}
		_, err := r.Close()
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}
