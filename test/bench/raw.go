package main

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

const columns = "id INT AUTO_INCREMENT PRIMARY KEY, user_id VARCHAR(20), pwd VARCHAR(20), name VARCHAR(20), created_at DATETIME DEFAULT NOW()"

// schema is what stands before a row in its envelope.
const schema = `{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"user_id"},` +
	`{"type":"string","optional":true,"field":"pwd"},{"type":"string","optional":true,"field":"name"},` +
	`{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"created_at"}],"optional":false,"name":"users1"},"payload":`

// measured runs work in this process and notes rate and CPU.
func (b *bench) measured(name string, rows int, work func() error) error {
	before := ownCPU()
	begin := time.Now()
	if err := work(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	took := time.Since(begin)
	b.results = append(b.results, result{name: name, rate: float64(rows) / took.Seconds(), cpu: (ownCPU() - before) / time.Duration(rows), rss: peak("self")})
	fmt.Printf("%s: %d rows in %.2f s\n", name, rows, took.Seconds())
	return nil
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rawSinks insert and upsert rows from memory: prepared statements of 500
// rows, a transaction every 3,000.
func (b *bench) rawSinks(ctx context.Context) error {
	for _, s := range []struct{ name, table, key, tail string }{
		{"raw insert", "raw_insert", "", ""},
		{"raw upsert", "raw_upsert", ", PRIMARY KEY(id)", " ON DUPLICATE KEY UPDATE user_id=VALUES(user_id), pwd=VALUES(pwd), name=VALUES(name), created_at=VALUES(created_at)"},
	} {
		if _, err := b.db.ExecContext(ctx, "CREATE TABLE "+s.table+" (id INT NOT NULL, user_id TEXT, pwd TEXT, name TEXT, created_at DATETIME(3)"+s.key+")"); err != nil {
			return err
		}
		if err := b.measured(s.name, b.rows, func() error { return b.insertAll(ctx, s.table, s.tail) }); err != nil {
			return err
		}
		if _, err := b.db.ExecContext(ctx, "DROP TABLE "+s.table); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) insertAll(ctx context.Context, table, tail string) error {
	const statement, transaction = 500, 3000
	conn, err := mysql.MySQLDriver{}.Open(b.dsn.FormatDSN())
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // committed
	stmt, err := conn.Prepare("INSERT INTO " + table + " VALUES (?,?,?,?,?)" + strings.Repeat(",(?,?,?,?,?)", statement-1) + tail)
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
