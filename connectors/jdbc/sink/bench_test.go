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
	rawStatement   = 500 // rows
	rawTransaction = 3000
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

// benchServer is one database of the benchmarks.
type benchServer struct {
	name           string
	database       func(testing.TB) *testDatabase
	create, begin  string
	values, upsert string // of the raw statement
}

var benchServers = []benchServer{
	{"mariadb", mariaDB, "CREATE TABLE users1(id INT NOT NULL PRIMARY KEY, user_id VARCHAR(20), pwd VARCHAR(20), name VARCHAR(40), created_at DATETIME(3))",
		"START TRANSACTION", strings.Repeat(",(?,?,?,?,?)", rawStatement),
		" on duplicate key update user_id=values(user_id),pwd=values(pwd),name=values(name),created_at=values(created_at)"},
	{"postgres", postgresDB, "CREATE TABLE users1(id INT NOT NULL PRIMARY KEY, user_id TEXT, pwd TEXT, name TEXT, created_at TIMESTAMP)",
		"BEGIN", postgresValues(rawStatement),
		" ON CONFLICT (id) DO UPDATE SET user_id=EXCLUDED.user_id,pwd=EXCLUDED.pwd,name=EXCLUDED.name,created_at=EXCLUDED.created_at"},
}

func postgresValues(rows int) string {
	var b strings.Builder
	for i := range rows {
		n := 5 * i
		fmt.Fprintf(&b, ",($%d,$%d,$%d,$%d,$%d)", n+1, n+2, n+3, n+4, n+5)
	}
	return b.String()
}

// BenchmarkPut compares Put with the loop that nothing can beat: prepared
// statements of 500 rows, a transaction every 3,000 rows, arguments at hand.
// Runs of both alternate, and the share of the raw loop is the figure.
func BenchmarkPut(b *testing.B) {
	for _, server := range benchServers {
		for _, bench := range []struct {
			mode     string
			delivery int // records of one Put
		}{{"insert", 3000}, {"insert", 500}, {"upsert", 3000}, {"upsert", 500}, {"load", 3000}} {
			if bench.mode == "load" && server.name != "mariadb" {
				continue
			}
			b.Run(fmt.Sprintf("%s/%s/%d", server.name, bench.mode, bench.delivery), func(b *testing.B) { benchPut(b, server, bench.mode, bench.delivery) })
		}
	}
}

func benchPut(b *testing.B, server benchServer, mode string, delivery int) {
	d := server.database(b)
	records := users1Records(benchRows)
	arguments := rawArguments(records)
	var raw, own, ownCPU time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		d.exec(b, "DROP TABLE IF EXISTS users1", server.create)
		start := time.Now()
		rawInsert(b, d, &server, mode, arguments)
		raw += time.Since(start)

		d.exec(b, "DROP TABLE IF EXISTS users1", server.create)
		settings := config.Map{"insert.mode": mode}
		switch mode {
		case "upsert":
			settings["pk.mode"] = "record_key"
		case "load":
			settings = config.Map{keyLoad: "true"}
		}
		task := startTask(b, d, nil, settings)
		b.StartTimer()
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
}

func rawInsert(b *testing.B, d *testDatabase, server *benchServer, mode string, all []driver.NamedValue) {
	b.Helper()
	conn := d.rawConn(b)
	text := "INSERT INTO users1(id,user_id,pwd,name,created_at) VALUES " + server.values[1:]
	if mode == "upsert" {
		text += server.upsert
	}
	stmt, err := conn.Prepare(text)
	if err != nil {
		b.Fatal(err)
	}
	exec := conn.(driver.ExecerContext)
	for from := 0; from < benchRows; from += rawStatement {
		if from%rawTransaction == 0 {
			if _, err := exec.ExecContext(context.Background(), server.begin, nil); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), all[from*5:(from+rawStatement)*5]); err != nil {
			b.Fatal(err)
		}
		if to := from + rawStatement; to%rawTransaction == 0 || to == benchRows {
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
