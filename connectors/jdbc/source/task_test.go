package source

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

func TestMain(m *testing.M) {
	// database/sql of the tests' own connections keeps one goroutine a pool.
	goleak.VerifyTestMain(m)
}

// taskConfig configures a task of the tables that the database has.
func taskConfig(db *database, mode string, tables string, pairs ...string) config.Map {
	return with(config.Map{
		"connection.url": db.url, "connection.user": db.user, "connection.password": db.password,
		"mode": mode, "topic.prefix": "p_", "poll.interval.ms": "0", "tables": tables, "tables.fetched": "true",
	}, pairs...)
}

// startTask starts a task on the offsets of r.
func startTask(t testing.TB, r *run, cfg config.Map) *Task {
	t.Helper()
	task := new(Task)
	env := connect.Env{Config: cfg, Logger: zap.NewNop(), Now: time.Now, Health: &r.health}
	if err := task.Start(context.Background(), &connect.SourceEnv{Env: env, Offsets: r}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := task.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return task
}

func pollOnce(t testing.TB, task *Task, records int) *connect.SourceBatch {
	t.Helper()
	b := connect.NewSourceBatch(records, 1<<30)
	for again := true; again; again = len(b.Records) == 0 && task.opening != nil { // a statement may take longer than a poll
		if err := task.Poll(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestAResultSetSpansPolls(t *testing.T) {
	for _, kind := range []string{"sqlite", "mariadb", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			db := newDatabase(t, kind, "kcsource_span")
			if kind == "sqlite" {
				db.exec(t, "PRAGMA journal_mode = WAL") // so that an open result set does not keep writers out
			}
			db.exec(t, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, name VARCHAR(9))", "INSERT INTO t VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d'),(5,'e')")
			cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id")
			task := startTask(t, newRun(t, cfg), cfg)
			var schemas []*data.Schema
			for _, want := range []int{2, 2, 1, 0} {
				b := pollOnce(t, task, 2)
				if len(b.Records) != want {
					t.Fatalf("%d records, want %d", len(b.Records), want)
				}
				for i := range b.Records {
					schemas = append(schemas, b.Records[i].ValueSchema)
				}
				if want == 2 {
					// A row of later is not in the result set that is open.
					db.exec(t, fmt.Sprintf("DELETE FROM t WHERE id = %d", 100))
				}
			}
			db.exec(t, "INSERT INTO t VALUES (6,'f')")
			b := pollOnce(t, task, 2)
			if len(b.Records) != 1 {
				t.Fatalf("%d records of the next round, want 1", len(b.Records))
			}
			schemas = append(schemas, b.Records[0].ValueSchema)
			if len(slices.Compact(schemas)) != 1 {
				t.Error("an unchanged table has more than one schema: converters cannot remember it by its pointer")
			}
		})
	}
}

func TestBatchMaxRowsLimitsABatch(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INT NOT NULL)", "INSERT INTO t VALUES (1),(2),(3)")
	cfg := taskConfig(db, "bulk", "t", "batch.max.rows", "2")
	if b := pollOnce(t, startTask(t, newRun(t, cfg), cfg), 100); len(b.Records) != 2 {
		t.Errorf("%d records, want 2", len(b.Records))
	}
}

func TestAnIntegerOf64BitsWidensItsColumn(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INTEGER NOT NULL, n INTEGER)", "INSERT INTO t VALUES (1,7),(2,3000000000),(3,8)")
	cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id")
	task := startTask(t, newRun(t, cfg), cfg)
	types := func(b *connect.SourceBatch) string {
		var all []string
		for i := range b.Records {
			v := b.Records[i].Value.Struct().At(1)
			all = append(all, fmt.Sprintf("%s %d", b.Records[i].ValueSchema.Fields()[1].Schema.Type(), v.Int()))
		}
		return strings.Join(all, ", ")
	}
	if got, want := types(pollOnce(t, task, 10)), "INT32 7, INT64 3000000000, INT64 8"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	db.exec(t, "INSERT INTO t VALUES (4,9)")
	if got, want := types(pollOnce(t, task, 10)), "INT64 9"; got != want {
		t.Errorf("the column shrank again: got %s, want %s", got, want)
	}
}

// The rows before a faulty one go out; then the task fails.
func TestRowsBeforeAFaultyOneAreHandedOver(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INT NOT NULL, d DECIMAL(5,2))", "INSERT INTO t VALUES (1,'1.25'),(2,'2.125')")
	cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id")
	task := startTask(t, newRun(t, cfg), cfg)
	if b := pollOnce(t, task, 10); len(b.Records) != 1 {
		t.Fatalf("%d records, want the good one", len(b.Records))
	}
	err := task.Poll(context.Background(), connect.NewSourceBatch(10, 1<<20))
	if err == nil || !strings.Contains(connect.Trace(err), "column d: 2.125 has more than the 2 decimal places") {
		t.Errorf("error %v", err)
	}
}

func TestOneLabelOfTwoColumnsIsRefused(t *testing.T) {
	for _, kind := range []string{"sqlite", "mariadb", "postgres"} {
		t.Run(kind, func(t *testing.T) { testOneLabelOfTwoColumns(t, newDatabase(t, kind, "kcsource_labels")) })
	}
}

func testOneLabelOfTwoColumns(t *testing.T, db *database) {
	db.exec(t, "CREATE TABLE t (id INT NOT NULL, n INT)", "CREATE TABLE u (id INT NOT NULL)", "INSERT INTO t VALUES (1,2)", "INSERT INTO u VALUES (1)")
	for query, want := range map[string]string{
		"SELECT t.id, u.id FROM t JOIN u ON t.id = u.id": "t.id and u.id",
		"SELECT id, n AS id FROM t":                      "two columns of this name hold different values",
	} { // the trace ends there, and not with how the rest of the rows was given up
		cfg := with(taskConfig(db, "bulk", ""), "query", query)
		err := startTask(t, newRun(t, cfg), cfg).Poll(context.Background(), connect.NewSourceBatch(10, 1<<20))
		if err == nil || !strings.Contains(connect.Trace(err), "field name duplication id") || !strings.Contains(connect.Trace(err), want) ||
			strings.Contains(connect.Trace(err), "context canceled") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// D18: also where query.retry.attempts is not set.
func TestTablesWithoutAnAutoIncrementColumnAreNamed(t *testing.T) {
	for kind, auto := range map[string]string{"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "mariadb": "INT AUTO_INCREMENT PRIMARY KEY", "postgres": "SERIAL PRIMARY KEY"} {
		t.Run(kind, func(t *testing.T) {
			db := newDatabase(t, kind, "kcsource_auto")
			db.exec(t, "CREATE TABLE a (id INT NOT NULL PRIMARY KEY)", "CREATE TABLE b (id "+auto+", n INT)", "CREATE TABLE c (id INT NOT NULL)", "INSERT INTO b (n) VALUES (1)")
			cfg := taskConfig(db, "incrementing", "a,b,c")
			b := connect.NewSourceBatch(10, 1<<20)
			task, err := startTask(t, newRun(t, cfg), cfg), error(nil)
			for polls := 0; polls < 100 && err == nil; polls++ { // one may return before the tables are looked at
				err = task.Poll(context.Background(), b)
			}
			if err == nil || len(b.Records) > 0 {
				t.Fatalf("%d records, %v", len(b.Records), err)
			}
			trace := strings.NewReplacer("`", "", `"`, "").Replace(connect.Trace(err))
			trace = strings.NewReplacer("kcsource_auto.", "", "public.", "").Replace(trace)
			if !strings.Contains(trace, "no auto-increment column in a, c, and incrementing.column.name names none") {
				t.Error(trace)
			}
		})
	}
}

func TestEveryTableOfATaskIsChecked(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE a (id INT NOT NULL)", "CREATE TABLE b (id INT)", "INSERT INTO a VALUES (1)")
	cfg := taskConfig(db, "incrementing", `"a","b"`, "incrementing.column.name", "id")
	b := connect.NewSourceBatch(10, 1<<20)
	err := startTask(t, newRun(t, cfg), cfg).Poll(context.Background(), b)
	if err == nil || !strings.Contains(err.Error(), `on "b" because this column is nullable`) || len(b.Records) > 0 {
		t.Errorf("%d records, %v", len(b.Records), err)
	}
}

func TestAWrongPasswordFailsAtOnce(t *testing.T) {
	db := newDatabase(t, "mariadb", "kcsource_password")
	cfg := taskConfig(db, "bulk", "t", "connection.password", "hunter2")
	r := newRun(t, cfg)
	err := startTask(t, r, cfg).Poll(context.Background(), connect.NewSourceBatch(10, 1<<20))
	if err == nil || !strings.Contains(err.Error(), "Access denied") || strings.Contains(connect.Trace(err), "hunter2") || r.health.waits > 0 {
		t.Errorf("%v after %d waits", err, r.health.waits)
	}
}

func TestPollReturnsWhenItsContextEnds(t *testing.T) {
	db := newDatabase(t, "mariadb", "kcsource_context")
	cfg := with(taskConfig(db, "bulk", ""), "query", "SELECT SLEEP(60) AS s")
	task := startTask(t, newRun(t, cfg), cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- task.Poll(ctx, connect.NewSourceBatch(10, 1<<20)) }()
	waitFor(t, "the statement to run", func() bool {
		var n int
		return db.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(60) AS s'").Scan(&n) == nil && n == 1
	})
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Poll goes on")
	}
}

// slowQueries take so many seconds until they have a row.
var slowQueries = map[string]string{"mariadb": "SELECT SLEEP(%g) AS s", "postgres": "SELECT 1 AS s FROM pg_sleep(%g)"}

// A worker must be able to pause and commit while the database thinks.
func TestPollsReturnWhileAStatementRuns(t *testing.T) {
	for kind, query := range slowQueries {
		t.Run(kind, func(t *testing.T) {
			db := newDatabase(t, kind, "kcsource_slow")
			cfg := with(taskConfig(db, "bulk", ""), "query", fmt.Sprintf(query, 1.2))
			task := startTask(t, newRun(t, cfg), cfg)
			polls := 0
			b := connect.NewSourceBatch(10, 1<<20)
			for ; len(b.Records) == 0; polls++ {
				if err := task.Poll(t.Context(), b); err != nil {
					t.Fatal(err)
				}
			}
			if polls == 1 {
				t.Error("Poll waited for the statement")
			}
		})
	}
}

func TestATaskStopsWhileAStatementRuns(t *testing.T) {
	for kind, query := range slowQueries {
		t.Run(kind, func(t *testing.T) {
			db := newDatabase(t, kind, "kcsource_stop")
			cfg := with(taskConfig(db, "bulk", ""), "query", fmt.Sprintf(query, 600.0))
			task := startTask(t, newRun(t, cfg), cfg) // which stops it at the end of the test
			b := connect.NewSourceBatch(10, 1<<20)
			if err := task.Poll(t.Context(), b); err != nil || len(b.Records) > 0 {
				t.Errorf("%d records, %v", len(b.Records), err)
			}
		})
	}
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond) // between two looks at the condition
	}
}

// A crash at any row boundary loses nothing: incrementing and
// timestamp+incrementing read every row once, timestamp repeats at most the
// rows of the last instant.
func TestResumingAtAnyRowLosesNothing(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, ts TIMESTAMP NOT NULL)",
		"INSERT INTO t VALUES (1,1000),(2,1000),(3,1000),(4,2000),(5,3000),(6,3000),(7,4000)")
	for mode, repeats := range map[string]bool{"incrementing": false, "timestamp+incrementing": false, "timestamp": true} {
		cfg := taskConfig(db, mode, "t", "incrementing.column.name", "id", "timestamp.column.name", "ts")
		for stop := range 8 {
			for _, size := range []int{1, 2, 100} {
				r := newRun(t, cfg)
				first := startTask(t, r, cfg)
				for read := 0; read < stop; {
					b := pollOnce(t, first, min(size, stop-read))
					read += len(b.Records)
					r.take(b)
				}
				// What was read but not handed over, and the task, are gone.
				second := startTask(t, r, cfg)
				for stop < 7 {
					b := pollOnce(t, second, size)
					if r.take(b); len(b.Records) == 0 || strings.Contains(r.records["p_t"][len(r.records["p_t"])-1], `"id":7,`) {
						break
					}
				}
				records := r.records["p_t"]
				distinct := slices.Compact(slices.Sorted(slices.Values(records)))
				switch {
				case len(distinct) != 7:
					t.Errorf("%s stopped after %d rows by %d: %d rows of 7", mode, stop, size, len(distinct))
				case !repeats && len(records) != 7:
					t.Errorf("%s stopped after %d rows by %d: %d records of 7 rows", mode, stop, size, len(records))
				case repeats && len(records) > 7+3:
					t.Errorf("%s stopped after %d rows by %d: %d records, more than one instant repeated", mode, stop, size, len(records))
				}
			}
		}
	}
}
