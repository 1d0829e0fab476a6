package source

import (
	"context"
	"math"
	"testing"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
)

func TestMetricsTellHowFarATaskIsBehind(t *testing.T) {
	for name, c := range map[string]struct {
		kind, mode, series string
		before, after      float64 // a first batch of two of the four rows, and all
	}{
		"ids of SQLite":          {"sqlite", "incrementing", rowsBehindMetric.Name, 38, 0},
		"ids of MariaDB":         {"mariadb", "incrementing", rowsBehindMetric.Name, 38, 0},
		"instants of MariaDB":    {"mariadb", "timestamp", secondsBehindMetric.Name, 3600, 0},
		"ids of PostgreSQL":      {"postgres", "incrementing", rowsBehindMetric.Name, 38, 0},
		"instants of PostgreSQL": {"postgres", "timestamp", secondsBehindMetric.Name, 3600, 0},
		"both kinds on MariaDB":  {"mariadb", "timestamp+incrementing", secondsBehindMetric.Name, 3600, 0},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t, c.kind, "kcsource_behind")
			db.exec(t, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, ts TIMESTAMP NOT NULL)",
				"INSERT INTO t VALUES (1,'2020-01-01 00:00:00'),(2,'2020-01-01 01:00:00'),(3,'2020-01-01 01:30:00'),(40,'2020-01-01 02:00:00')")
			cfg := taskConfig(db, c.mode, "t", "incrementing.column.name", "id", "timestamp.column.name", "ts")
			task := new(Task)
			env := connect.Env{Config: cfg, Logger: zap.NewNop(), Now: time.Now, Health: new(recordedHealth), Metrics: new(connect.Metrics)}
			if err := task.Start(context.Background(), &connect.SourceEnv{Env: env, Offsets: newRun(t, cfg)}); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = task.Stop(context.Background()) }()
			read := func(name string) float64 {
				for _, s := range env.Metrics.Published() {
					if s.Name == name {
						return s.Read()
					}
				}
				t.Fatalf("%s is not there", name)
				return 0
			}
			if v := read(c.series); !math.IsNaN(v) {
				t.Errorf("%v behind before anything is known", v)
			}
			pollOnce(t, task, 2)
			if v := read(c.series); v != c.before {
				t.Errorf("%v behind after two rows, want %v", v, c.before)
			}
			pollOnce(t, task, 2)
			if v := read(c.series); v != c.after {
				t.Errorf("%v behind after all rows, want %v", v, c.after)
			}
			if read(rowsMetric.Name) != 4 || read(bytesMetric.Name) == 0 || read(readingMetric.Name) == 0 {
				t.Error("rows, bytes or time are not counted")
			}
		})
	}
}
