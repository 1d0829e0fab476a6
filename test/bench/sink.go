package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// goal is a database that sinks write to.
type goal struct {
	name        string            // before the names of its figures
	login       map[string]string // the connector's settings for it
	open        func() (driver.Conn, error)
	exec        func(ctx context.Context, statement string) error
	instant     string             // the type of created_at
	placeholder func(n int) string // of a statement's n-th argument
	upsert      string             // what makes an INSERT an upsert
	// progress says cheaply how many rows a table has about, and count exactly.
	progress func(ctx context.Context, table string) (int, error)
	count    func(ctx context.Context, table string) (int, error)
}

// sinks measures the JDBC sink on every database, on the records of the source,
// beside the raw loop on the same database.
func (b *bench) sinks(ctx context.Context) error {
	postgres, release, err := b.postgresGoal(ctx)
	if err != nil {
		return err
	}
	defer release()
	for _, g := range []*goal{b.mariadbGoal(), postgres} {
		if err := b.rawSinks(ctx, g); err != nil {
			return err
		}
		if err := b.sink(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) mariadbGoal() *goal {
	start := 0
	return &goal{
		open:        func() (driver.Conn, error) { return mysql.MySQLDriver{}.Open(b.dsn.FormatDSN()) },
		exec:        func(ctx context.Context, s string) error { _, err := b.db.ExecContext(ctx, s); return err },
		instant:     "DATETIME(3)",
		placeholder: func(int) string { return "?" },
		upsert:      " ON DUPLICATE KEY UPDATE user_id=VALUES(user_id), pwd=VALUES(pwd), name=VALUES(name), created_at=VALUES(created_at)",
		// Counting a million rows again and again would be a load of its own; the
		// server's counter of written rows is cheap.
		progress: func(ctx context.Context, table string) (n int, err error) {
			if n, err = b.written(ctx); table == "" {
				start = n
			}
			return n - start, err
		},
		count: func(ctx context.Context, table string) (n int, err error) {
			err = b.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n)
			return n, err
		},
	}
}

// written returns how many rows the MariaDB server has written since its start.
func (b *bench) written(ctx context.Context) (n int, err error) {
	var name string
	err = b.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Handler_write'").Scan(&name, &n)
	return n, err
}

// postgresGoal makes a database.
func (b *bench) postgresGoal(ctx context.Context) (*goal, func(), error) {
	config, release, err := postgresDatabase(ctx, b.run+"_sink")
	if err != nil {
		return nil, nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		release()
		return nil, nil, err
	}
	number := func(ctx context.Context, query string) (n int, err error) {
		err = conn.QueryRow(ctx, query).Scan(&n)
		if e := (*pgconn.PgError)(nil); errors.As(err, &e) && e.Code == "42P01" { // the table is not there yet
			return 0, nil
		}
		return n, err
	}
	return &goal{
		name: "PostgreSQL ", login: postgresLogin(config),
		open:        func() (driver.Conn, error) { return stdlib.GetConnector(*config).Connect(ctx) },
		exec:        func(ctx context.Context, s string) error { _, err := conn.Exec(ctx, s); return err },
		instant:     "TIMESTAMP",
		placeholder: func(n int) string { return "$" + strconv.Itoa(n) },
		upsert:      " ON CONFLICT (id) DO UPDATE SET user_id=EXCLUDED.user_id, pwd=EXCLUDED.pwd, name=EXCLUDED.name, created_at=EXCLUDED.created_at",
		// Rows come in the order of their ids, so that the last pages tell.
		progress: func(ctx context.Context, table string) (int, error) {
			if table == "" {
				return 0, nil
			}
			size, err := number(ctx, "SELECT pg_relation_size('"+table+"')")
			if err != nil || size == 0 {
				return 0, err
			}
			return number(ctx, fmt.Sprintf("SELECT coalesce(max(id + 0), 0) FROM %s WHERE ctid >= '(%d,0)'", table, max(size/8192-200, 0)))
		},
		count: func(ctx context.Context, table string) (int, error) {
			return number(ctx, "SELECT count(*) FROM "+table)
		},
	}, func() { _ = conn.Close(context.WithoutCancel(ctx)); release() }, nil
}

// sink measures the JDBC sink on one database.
func (b *bench) sink(ctx context.Context, g *goal) error {
	for _, s := range []struct {
		mode string
		cfg  map[string]string
	}{
		{"insert", nil},
		{"upsert", map[string]string{"pk.mode": "record_value", "pk.fields": "id"}},
	} {
		table := "sink_" + s.mode
		cfg := map[string]string{"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": b.topic("source") + "-users1",
			"table.name.format": table, "auto.create": "true", "insert.mode": s.mode}
		maps.Copy(cfg, g.login)
		maps.Copy(cfg, s.cfg)
		if _, err := g.progress(ctx, ""); err != nil {
			return err
		}
		err := b.measure(ctx, g.name+"sink "+s.mode, g.name+"raw "+s.mode, cfg, func() (int, error) {
			if n, err := g.progress(ctx, table); err != nil || n < b.rows {
				return n, err
			}
			return g.count(ctx, table)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rawSinks insert and upsert rows from memory: prepared statements of 500
// rows, a transaction every 3,000.
func (b *bench) rawSinks(ctx context.Context, g *goal) error {
	for _, s := range []struct{ mode, key, tail string }{{"insert", "", ""}, {"upsert", ", PRIMARY KEY(id)", g.upsert}} {
		table := "raw_" + s.mode
		if err := g.exec(ctx, "CREATE TABLE "+table+" (id INT NOT NULL, user_id TEXT, pwd TEXT, name TEXT, created_at "+g.instant+s.key+")"); err != nil {
			return err
		}
		if err := b.measured(g.name+"raw "+s.mode, b.rows, func() error { return b.insertAll(ctx, g, table, s.tail) }); err != nil {
			return err
		}
		if err := g.exec(ctx, "DROP TABLE "+table); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) insertAll(ctx context.Context, g *goal, table, tail string) error {
	const statement, transaction = 500, 3000
	conn, err := g.open()
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // committed
	var values strings.Builder
	for n := range 5 * statement {
		values.WriteString([...]string{",(", ",", ",", ",", ","}[n%5] + g.placeholder(n+1))
		if n%5 == 4 {
			values.WriteByte(')')
		}
	}
	stmt, err := conn.Prepare("INSERT INTO " + table + " VALUES " + values.String()[1:] + tail)
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // likewise
	args := make([]driver.NamedValue, 0, 5*statement)
	at := time.Unix(1680000000, 0).UTC()
	for row := 0; row < b.rows; {
		tx, err := conn.(driver.ConnBeginTx).BeginTx(ctx, driver.TxOptions{}) //nolint:errcheck,forcetypeassert // the driver's own type
		if err != nil {
			return err
		}
		for end := min(row+transaction, b.rows); row < end; {
			args = args[:0]
			for range statement {
				row++
				n := strconv.Itoa(row)
				for _, v := range [5]driver.Value{int64(row), "user" + n, "pwd" + n, "User number " + n, at} {
					args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: v})
				}
			}
			if _, err := stmt.(driver.StmtExecContext).ExecContext(ctx, args); err != nil { //nolint:errcheck,forcetypeassert // likewise
				return err
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}
