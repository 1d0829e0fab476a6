package sink

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

const (
	benchRows      = 200_000
	rawTransaction = 3000 // rows
)

var users1 = data.NewStructBuilder().Named("users1").
	Field("id", data.Int32Schema).
	Field("user_id", data.OptionalStringSchema).
	Field("pwd", data.OptionalStringSchema).
	Field("name", data.OptionalStringSchema).
	Field("created_at", data.NewTimestampBuilder().Optional().MustBuild()).
	MustBuild()

func users1Records(n int) []connect.Record {
	records := make([]connect.Record, n)
	for i := range records {
		s := data.MakeStruct(users1, []data.Value{
			data.Int32Of(int32(i + 1)), data.StringOf(fmt.Sprintf("user%d", i%1000)), data.StringOf("pwd-0123456789"),
			data.StringOf(fmt.Sprintf("Name of %d", i)), data.InstantOf(1680643371000 + int64(i)*1000),
		})
		k := data.MakeStruct(keyID, []data.Value{data.Int32Of(int32(i + 1))})
		records[i] = connect.Record{
			Topic: "users1", KeySchema: keyID, Key: data.StructOf(&k), ValueSchema: users1, Value: data.StructOf(&s),
			Origin: connect.Origin{Topic: "users1", Offset: int64(i)},
		}
	}
	return records
}

const createUsers1 = "CREATE TABLE users1(id INT NOT NULL PRIMARY KEY, user_id VARCHAR(20), pwd VARCHAR(20), name VARCHAR(40), created_at DATETIME(3))"

// BenchmarkPut compares Put with the loop that nothing can beat: prepared
// statements of 500 rows, a transaction every 3,000 rows, arguments at hand.
// Runs of both alternate, and the share of the raw loop is the figure.
func BenchmarkPut(b *testing.B) {
	for _, bench := range []struct {
		mode     string
		delivery int // records of one Put
	}{{"insert", 3000}, {"insert", 500}, {"upsert", 3000}, {"upsert", 500}, {"load", 3000}} {
		mode, delivery := bench.mode, bench.delivery
		b.Run(fmt.Sprintf("%s/%d", mode, delivery), func(b *testing.B) {
			d := mariaDB(b)
			records := users1Records(benchRows)
			arguments := rawArguments(records)
			var raw, own, ownCPU time.Duration
			for range b.N {
				d.exec(b, "DROP TABLE IF EXISTS users1", createUsers1)
				start := time.Now()
				rawInsert(b, d, mode, arguments)
				raw += time.Since(start)

				d.exec(b, "DROP TABLE IF EXISTS users1", createUsers1)
				settings := config.Map{"insert.mode": mode}
				switch mode {
				case "upsert":
					settings["pk.mode"] = "record_key"
				case "load":
					settings = config.Map{keyLoad: "true"}
				}
				task := startTask(b, d, nil, settings)
				start, cpu := time.Now(), processCPU()
				for from := 0; from < len(records); from += delivery {
					if err := task.Put(b.Context(), records[from:min(from+delivery, len(records))]); err != nil {
						b.Fatal(err)
					}
				}
				own += time.Since(start)
				ownCPU += processCPU() - cpu
			}
			if got := d.query(b, "SELECT count(*) FROM users1"); got[0][0] != fmt.Sprint(benchRows) {
				b.Fatalf("%v rows", got)
			}
			rows := float64(benchRows * b.N)
			b.ReportMetric(rows/own.Seconds(), "rows/s")
			b.ReportMetric(rows/raw.Seconds(), "raw-rows/s")
			b.ReportMetric(raw.Seconds()/own.Seconds(), "of-raw")
			b.ReportMetric(float64(ownCPU.Nanoseconds())/rows, "cpu-ns/row")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func rawInsert(b *testing.B, d *testDatabase, mode string, all []driver.NamedValue) {
	b.Helper()
	const statementRows = 500
	conn := d.rawConn(b)
	text := "INSERT INTO users1(id,user_id,pwd,name,created_at) VALUES(?,?,?,?,?)" + strings.Repeat(",(?,?,?,?,?)", statementRows-1)
	if mode == "upsert" {
		text += " on duplicate key update user_id=values(user_id),pwd=values(pwd),name=values(name),created_at=values(created_at)"
	}
	stmt, err := conn.Prepare(text)
	if err != nil {
		b.Fatal(err)
	}
	exec := conn.(driver.ExecerContext)
	for from := 0; from < benchRows; from += statementRows {
		if from%rawTransaction == 0 {
			if _, err := exec.ExecContext(context.Background(), "START TRANSACTION", nil); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), all[from*5:(from+statementRows)*5]); err != nil {
			b.Fatal(err)
		}
		if to := from + statementRows; to%rawTransaction == 0 || to == benchRows {
			if _, err := exec.ExecContext(context.Background(), "COMMIT", nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// rawArguments returns the records' values as the driver takes them.
func rawArguments(records []connect.Record) []driver.NamedValue {
	args := make([]driver.NamedValue, 0, 5*len(records))
	for i := range records {
		v := records[i].Value.Struct().Values()
		created := time.UnixMilli(v[4].Instant()).UTC().Format("2006-01-02 15:04:05.000")
		args = append(args, driver.NamedValue{Value: v[0].Int()}, driver.NamedValue{Value: v[1].Str()}, driver.NamedValue{Value: v[2].Str()},
			driver.NamedValue{Value: v[3].Str()}, driver.NamedValue{Value: created})
	}
	return args
}
