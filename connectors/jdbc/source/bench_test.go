package source

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

const benchRows = 200_000

// usersTable makes a table users1 of benchRows rows.
func usersTable(b *testing.B, kind string) *database {
	db := newDatabase(b, kind, "kcsource_bench")
	const others = ", user_id VARCHAR(20), pwd VARCHAR(20), name VARCHAR(20), created_at "
	db.exec(b, map[string]string{
		"sqlite":   "CREATE TABLE users1 (id INTEGER PRIMARY KEY AUTOINCREMENT" + others + "TIMESTAMP)",
		"mariadb":  "CREATE TABLE users1 (id INT AUTO_INCREMENT PRIMARY KEY" + others + "DATETIME DEFAULT NOW())",
		"postgres": "CREATE TABLE users1 (id SERIAL PRIMARY KEY" + others + "TIMESTAMP DEFAULT NOW())",
	}[kind])
	for from := 0; from < benchRows; from += 1000 {
		var values []string
		for i := from; i < from+1000; i++ {
			created := "'2023-04-04 21:22:51'"
			if kind == "sqlite" {
				created = "1680643371000"
			}
			values = append(values, fmt.Sprintf("('user%d','pwd%d','User%d name',%s)", i, i, i, created))
		}
		db.exec(b, "INSERT INTO users1 (user_id, pwd, name, created_at) VALUES "+strings.Join(values, ","))
	}
	return db
}

// BenchmarkUsers1 reads 200,000 rows of users1: raw through the driver's rows,
// and through the task into batches that are used again.
func BenchmarkUsers1(b *testing.B) {
	for _, kind := range []string{"mariadb", "postgres", "sqlite"} {
		b.Run(kind, func(b *testing.B) {
			db := usersTable(b, kind)
			b.Run("raw", func(b *testing.B) { benchRaw(b, db) })
			b.Run("task", func(b *testing.B) { benchTask(b, db, benchRows) })
			// With gaps, the cost of watching them (D14).
			db.exec(b, "DELETE FROM users1 WHERE id % 100 = 50")
			b.Run("task with 1% of ids missing", func(b *testing.B) { benchTask(b, db, benchRows*99/100) })
			db.exec(b, "DELETE FROM users1 WHERE id % 2 = 0")
			b.Run("task with every second id missing", func(b *testing.B) { benchTask(b, db, benchRows/2) })
		})
	}
}

func benchRaw(b *testing.B, db *database) {
	d, err := dialect.Open(dialect.Config{URL: db.url, User: db.user, Password: config.Secret(db.password)})
	if err != nil {
		b.Fatal(err)
	}
	c, err := d.Connect(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	b.ReportAllocs()
	for b.Loop() {
		rows, err := c.Query(context.Background(), "SELECT * FROM users1 WHERE id > ? ORDER BY id", int64(-1))
		if err != nil {
			b.Fatal(err)
		}
		row := make([]driver.Value, len(rows.Columns()))
		n := 0
		for ; ; n++ {
			if err := rows.Next(row); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil || n != benchRows {
			b.Fatalf("%d rows, %v", n, err)
		}
	}
	reportRows(b, benchRows)
}

func benchTask(b *testing.B, db *database, rows int) {
	cfg := config.Map{
		"connection.url": db.url, "connection.user": db.user, "connection.password": db.password,
		"mode": "incrementing", "incrementing.column.name": "id", "topic.prefix": "bench_", "tables": "users1", "tables.fetched": "true",
	}
	batch := connect.NewSourceBatch(10_000, 8<<20)
	b.ReportAllocs()
	for b.Loop() {
		task := new(Task)
		env := &connect.SourceEnv{Env: connect.Env{Config: cfg, Logger: zap.NewNop(), Now: time.Now, Health: new(recordedHealth)}, Offsets: newRun(b, cfg)}
		if err := task.Start(context.Background(), env); err != nil {
			b.Fatal(err)
		}
		for n := 0; n < rows; {
			batch.Reset(10_000, 8<<20)
			if err := task.Poll(context.Background(), batch); err != nil {
				b.Fatal(err)
			}
			n += len(batch.Records)
		}
		if err := task.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	reportRows(b, rows)
}

func reportRows(b *testing.B, rows int) {
	perRow := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(rows)
	b.ReportMetric(perRow, "ns/row")
	b.ReportMetric(1e9/perRow, "rows/s")
}
