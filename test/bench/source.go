package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kgo"
	"modernc.org/sqlite"
)

// origin is a database with the table users1.
type origin struct {
	name  string            // before the names of its figures
	login map[string]string // the connector's settings for it
	// each calls row for every row, as fast as the driver can; texts are good
	// until row returns.
	each func(ctx context.Context, row func(id int64, texts [3][]byte)) error
}

const usersQuery = "SELECT * FROM users1 WHERE id > %s ORDER BY id ASC"

// sources measures the JDBC source on every database, with its default settings
// and tuned, beside the raw loop on the same database.
func (b *bench) sources(ctx context.Context) error {
	origins := []*origin{b.mariadb()}
	for _, open := range []func(context.Context) (*origin, func(), error){b.postgres, b.sqlite} {
		o, release, err := open(ctx)
		if err != nil {
			return err
		}
		defer release()
		origins = append(origins, o)
	}
	for _, o := range origins {
		if err := b.rawSource(ctx, o); err != nil {
			return err
		}
		if err := b.source(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) mariadb() *origin {
	return &origin{each: func(ctx context.Context, row func(int64, [3][]byte)) error {
		conn, err := mysql.MySQLDriver{}.Open(b.dsn.FormatDSN())
		if err != nil {
			return err
		}
		return eachRow(ctx, conn, func(cell driver.Value) []byte { return cell.([]byte) }, row) //nolint:errcheck,forcetypeassert // the table is ours
	}}
}

// eachRow reads users1 through the interfaces of a driver and closes conn.
func eachRow(ctx context.Context, conn driver.Conn, text func(driver.Value) []byte, row func(int64, [3][]byte)) error {
	defer conn.Close() //nolint:errcheck // read to the end
	stmt, err := conn.Prepare(fmt.Sprintf(usersQuery, "?"))
	if err != nil {
		return err
	}
	defer stmt.Close()                                                                                                 //nolint:errcheck // likewise
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, []driver.NamedValue{{Ordinal: 1, Value: int64(-1)}}) //nolint:errcheck,forcetypeassert // the driver's own type
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // likewise
	cells := make([]driver.Value, 5)
	for {
		if err := rows.Next(cells); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		row(cells[0].(int64), [3][]byte{text(cells[1]), text(cells[2]), text(cells[3])}) //nolint:errcheck,forcetypeassert // the table is ours
	}
}

// postgresDatabase makes an empty database and returns how to reach it and what
// drops it.
func postgresDatabase(ctx context.Context, name string) (*pgx.ConnConfig, func(), error) {
	config, err := pgx.ParseConfig(os.Getenv("KCONNECT_TEST_POSTGRES"))
	if err != nil || os.Getenv("KCONNECT_TEST_POSTGRES") == "" {
		return nil, nil, errors.Join(errors.New("KCONNECT_TEST_POSTGRES is not set; run `make bench`"), err)
	}
	admin, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	release := func() { //nolint:contextcheck // also after an interrupt
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_, _ = admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		_ = admin.Close(ctx)
	}
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		release()
		return nil, nil, err
	}
	own := config.Copy()
	own.Database = name
	return own, release, nil
}

// postgresLogin returns a connector's settings for a database.
func postgresLogin(c *pgx.ConnConfig) map[string]string {
	return map[string]string{
		"connection.url":  fmt.Sprintf("jdbc:postgresql://%s:%d/%s", c.Host, c.Port, c.Database),
		"connection.user": c.User, "connection.password": c.Password,
	}
}

// postgres makes users1 in a database of its own.
func (b *bench) postgres(ctx context.Context) (*origin, func(), error) {
	own, release, err := postgresDatabase(ctx, b.run)
	if err != nil {
		return nil, nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, own)
	if err != nil {
		release()
		return nil, nil, err
	}
	_, err = conn.PgConn().Exec(ctx, "CREATE TABLE users1 (id SERIAL PRIMARY KEY, user_id VARCHAR(20), pwd VARCHAR(20), name VARCHAR(20), created_at TIMESTAMP DEFAULT NOW());"+
		" INSERT INTO users1(user_id, pwd, name, created_at) SELECT 'user' || i, 'pwd' || i, 'User number ' || i, timestamp 'epoch' + (1680000000 + i) * interval '1 s'"+
		fmt.Sprintf(" FROM generate_series(1, %d) i", b.rows)).ReadAll()
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		release()
		return nil, nil, err
	}
	return &origin{
		name:  "PostgreSQL ",
		login: postgresLogin(own),
		each: func(ctx context.Context, row func(int64, [3][]byte)) error {
			conn, err := pgconn.ConnectConfig(ctx, &own.Config)
			if err != nil {
				return err
			}
			defer conn.Close(ctx) //nolint:errcheck // read to the end
			stmt, err := conn.Prepare(ctx, "", fmt.Sprintf(usersQuery, "$1"), nil)
			if err != nil {
				return err
			}
			// Numbers and times in binary form, which costs the server less.
			r := conn.ExecPrepared(ctx, stmt.Name, [][]byte{[]byte("-1")}, nil, []int16{1, 0, 0, 0, 1})
			for r.NextRow() {
				v := r.Values()
				row(int64(int32(binary.BigEndian.Uint32(v[0]))), [3][]byte{v[1], v[2], v[3]})
			}
			_, err = r.Close()
			return err
		},
	}, release, nil
}

// sqlite makes users1 in a file.
func (b *bench) sqlite(ctx context.Context) (*origin, func(), error) {
	file := filepath.Join(b.dir, "users1.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, nil, err
	}
	defer db.Close() //nolint:errcheck // written, or the error is known
	if _, err := db.ExecContext(ctx, "CREATE TABLE users1 (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id VARCHAR(20), pwd VARCHAR(20), name VARCHAR(20), created_at TIMESTAMP)"); err != nil {
		return nil, nil, err
	}
	_, err = db.ExecContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"+
		" INSERT INTO users1(user_id, pwd, name, created_at) SELECT 'user' || i, 'pwd' || i, 'User number ' || i, (1680000000 + i) * 1000 FROM n", b.rows)
	if err != nil {
		return nil, nil, err
	}
	return &origin{
		name:  "SQLite ",
		login: map[string]string{"connection.url": "jdbc:sqlite:" + file, "connection.user": "", "connection.password": ""},
		each: func(ctx context.Context, row func(int64, [3][]byte)) error {
			conn, err := (&sqlite.Driver{}).Open(file)
			if err != nil {
				return err
			}
			return eachRow(ctx, conn, func(cell driver.Value) []byte {
				s := cell.(string) //nolint:errcheck,forcetypeassert // the table is ours
				return unsafe.Slice(unsafe.StringData(s), len(s))
			}, row)
		},
	}, func() {}, nil
}

const rawRead = "raw read and produce"

// rawSource reads rows, appends bytes and produces them, without a worker.
func (b *bench) rawSource(ctx context.Context, o *origin) error {
	topic := b.topic(o.name + "raw")
	if _, err := b.admin.CreateTopic(ctx, 1, 1, nil, topic); err != nil {
		return err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.brokers, ",")...), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(1<<20), kgo.MaxBufferedBytes(32<<20))
	if err != nil {
		return err
	}
	defer cl.Close()
	return b.measured(o.name+rawRead, b.rows, func() error {
		var failed error
		promise := func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		}
		slab := make([]byte, 0, 1<<20)
		err := o.each(ctx, func(id int64, texts [3][]byte) {
			if cap(slab)-len(slab) < 1024 {
				slab = make([]byte, 0, 1<<20)
			}
			start := len(slab)
			slab = append(slab, schema...)
			slab = append(slab, `{"id":`...)
			slab = strconv.AppendInt(slab, id, 10)
			for i, name := range []string{`,"user_id":"`, `","pwd":"`, `","name":"`} {
				slab = append(slab, name...)
				slab = append(slab, texts[i]...)
			}
			slab = append(slab, `","created_at":1680000000000}}`...)
			cl.Produce(ctx, &kgo.Record{Topic: topic, Value: slab[start:len(slab):len(slab)]}, promise)
		})
		if err != nil {
			return err
		}
		if err := cl.Flush(ctx); err != nil {
			return err
		}
		return failed
	})
}

func (b *bench) topic(name string) string { return b.run + "-" + strings.ReplaceAll(name, " ", "-") }

// source measures the JDBC source on one database.
func (b *bench) source(ctx context.Context, o *origin) error {
	for _, s := range []struct {
		name  string
		tuned map[string]string
	}{
		{o.name + "source", nil},
		{o.name + "source tuned", map[string]string{"batch.max.rows": "5000", "poll.interval.ms": "1"}},
	} {
		topic := b.topic(s.name) + "-"
		if _, err := b.admin.CreateTopic(ctx, 1, 1, nil, topic+"users1"); err != nil {
			return err
		}
		cfg := map[string]string{"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "mode": "incrementing", "incrementing.column.name": "id",
			"table.whitelist": "users1", "topic.prefix": topic}
		maps.Copy(cfg, o.login)
		maps.Copy(cfg, s.tuned)
		err := b.measure(ctx, s.name, o.name+rawRead, cfg, func() (int, error) {
			ends, err := b.admin.ListEndOffsets(ctx, topic+"users1")
			if err != nil {
				return 0, err
			}
			e, _ := ends.Lookup(topic+"users1", 0)
			return int(e.Offset), e.Err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
