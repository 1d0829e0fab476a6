package source

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// late is a table with writers whose transactions are a model: a row has its id
// and its time when the transaction begins, and is there from its commit on.
type late struct {
	t       *rapid.T
	db      *database
	cfg     config.Map
	run     *run
	task    *Task
	clock   atomic.Int64 // ns since the epoch; runs with every look at it
	sent    map[string]int
	want    map[string]int
	pending map[int]string // open transactions: the row's values
	ids     int
	base    int64 // ms; of the first row
}

func newLate(t *testing.T, rt *rapid.T, db *database, mode string, pairs ...string) *late {
	cfg := with(taskConfig(db, mode, "t", "incrementing.column.name", "id", "timestamp.column.name", "ts",
		keyGapTimeoutMS, "3600000"), pairs...) // no transaction outlasts it, by a clock that every look moves on
	l := &late{t: rt, db: db, cfg: cfg, run: newRun(t, cfg), sent: map[string]int{}, want: map[string]int{}, pending: map[int]string{}, base: time.Now().UnixMilli() - 20_000}
	l.clock.Store(time.Now().UnixNano())
	db.exec(t, "PRAGMA journal_mode = WAL", "DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, ts TIMESTAMP NOT NULL)")
	l.start()
	l.begin(0)
	l.commit(t, 1)
	l.finish()
	return l
}

func (l *late) start() {
	l.task = new(Task)
	env := connect.Env{Config: l.cfg, Logger: zap.NewNop(), Health: &l.run.health, Now: func() time.Time {
		return time.Unix(0, l.clock.Add(int64(200*time.Millisecond)))
	}}
	if err := l.task.Start(context.Background(), &connect.SourceEnv{Env: env, Offsets: l.run}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *late) stop() {
	if err := l.task.Stop(context.Background()); err != nil {
		l.t.Fatal(err)
	}
}

// begin takes an id and the time step.
func (l *late) begin(step int) {
	l.ids++
	l.pending[l.ids] = fmt.Sprintf("%d,%d", l.ids, l.base+int64(step))
}

func (l *late) commit(t *testing.T, id int) {
	l.db.exec(t, "INSERT INTO t VALUES ("+l.pending[id]+")")
	l.want[l.pending[id]]++
	delete(l.pending, id)
}

// poll takes a batch, or loses it, as a worker that is killed does.
func (l *late) poll(records int, lose bool) int {
	b := connect.NewSourceBatch(records, 1<<20)
	if err := l.task.Poll(context.Background(), b); err != nil {
		l.t.Fatal(connect.Trace(err))
	}
	if lose {
		return 0
	}
	l.run.take(b)
	for i := range b.Records {
		row := b.Records[i].Value.Struct()
		l.sent[fmt.Sprintf("%d,%d", row.At(0).Int(), row.At(1).Int())]++
	}
	return len(b.Records)
}

// finish polls until every row is there, and then for what should not come.
func (l *late) finish() {
	missing := func() bool {
		for row, n := range l.want {
			if l.sent[row] < n {
				return true
			}
		}
		return false
	}
	for polls := 0; polls < 300 && missing(); polls++ {
		l.poll(100, false)
	}
	for range 5 {
		l.poll(100, false)
	}
}

// Rows that commit late, in any order, are sent once (D14, D15), also when the
// task is stopped, or killed with what it had in hand.
func TestRowsThatCommitLateAreSent(t *testing.T) {
	for _, mode := range []string{"incrementing", "timestamp+incrementing"} {
		t.Run(mode, func(t *testing.T) {
			db := newDatabase(t, "sqlite", "")
			rapid.Check(t, func(rt *rapid.T) {
				l := newLate(t, rt, db, mode)
				defer func() { _ = l.task.Stop(context.Background()) }()
				step := 0
				open := func(rt *rapid.T) int {
					if len(l.pending) == 0 {
						rt.Skip("no transaction is open")
					}
					return rapid.SampledFrom(slices.Sorted(maps.Keys(l.pending))).Draw(rt, "transaction")
				}
				actions := map[string]func(*rapid.T){
					"begin": func(rt *rapid.T) {
						for range rapid.IntRange(1, 5).Draw(rt, "transactions") {
							step += rapid.IntRange(0, 2).Draw(rt, "ms")
							l.begin(step)
						}
					},
					"commit":   func(rt *rapid.T) { l.commit(t, open(rt)) },
					"rollback": func(rt *rapid.T) { delete(l.pending, open(rt)) },
					"poll":     func(rt *rapid.T) { l.poll(rapid.SampledFrom([]int{1, 2, 100}).Draw(rt, "records"), false) },
					"restart": func(rt *rapid.T) {
						if rapid.Bool().Draw(rt, "killed") {
							l.poll(2, true)
						}
						l.stop()
						l.start()
					},
				}
				rt.Repeat(actions)
				for _, id := range slices.Sorted(maps.Keys(l.pending)) {
					l.commit(t, id)
				}
				l.finish()
				if d := cmp.Diff(l.want, l.sent); d != "" {
					rt.Fatalf("rows (-committed +sent):\n%s", d)
				}
			})
		})
	}
}

// What is recent is told by the database's clock, also for rows of gaps: it may
// be another than the worker's, as where a server shows local times.
func TestALateRowIsSentOnceWhateverTheWorkersClockSays(t *testing.T) {
	for _, ahead := range []time.Duration{-6 * time.Hour, 0, 6 * time.Hour} {
		db := newDatabase(t, "sqlite", "")
		at := time.Now().UnixMilli() - 1000
		insert := func(id int) { db.exec(t, fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", id, at)) }
		db.exec(t, "PRAGMA journal_mode = WAL", "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, ts TIMESTAMP NOT NULL)")
		insert(1)
		insert(3)
		cfg := taskConfig(db, "timestamp+incrementing", "t", "incrementing.column.name", "id", "timestamp.column.name", "ts")
		r := newRun(t, cfg)
		task, now := new(Task), time.Now().Add(ahead)
		env := connect.Env{Config: cfg, Logger: zap.NewNop(), Health: &r.health, Now: func() time.Time {
			now = now.Add(200 * time.Millisecond)
			return now
		}}
		if err := task.Start(context.Background(), &connect.SourceEnv{Env: env, Offsets: r}); err != nil {
			t.Fatal(err)
		}
		var ids []int64
		poll := func() {
			b := pollOnce(t, task, 10)
			for i := range b.Records {
				ids = append(ids, b.Records[i].Value.Struct().At(0).Int())
			}
		}
		for polls := 0; polls < 100 && len(ids) < 2; polls++ {
			poll()
		}
		insert(2)
		for polls := 0; polls < 100 && len(ids) < 3; polls++ {
			poll()
		}
		for range 20 {
			poll()
		}
		if d := cmp.Diff([]int64{1, 3, 2}, ids); d != "" {
			t.Errorf("worker %s ahead (-want +got):\n%s", ahead, d)
		}
		if err := task.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// In timestamp mode rows of the last instant may come late.
func TestRowsOfTheLastInstantAreSentLate(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	rapid.Check(t, func(rt *rapid.T) {
		l := newLate(t, rt, db, "timestamp")
		defer func() { _ = l.task.Stop(context.Background()) }()
		step := 0
		rt.Repeat(map[string]func(*rapid.T){
			"insert": func(rt *rapid.T) {
				step += rapid.IntRange(0, 1).Draw(rt, "ms")
				for range rapid.IntRange(1, 3).Draw(rt, "rows") {
					l.begin(step)
					l.commit(t, l.ids)
				}
			},
			"poll":    func(rt *rapid.T) { l.poll(rapid.SampledFrom([]int{1, 2, 100}).Draw(rt, "records"), false) },
			"restart": func(*rapid.T) { l.stop(); l.start() },
		})
		l.finish()
		for row, n := range l.want {
			if l.sent[row] < n {
				rt.Errorf("row %s was not sent", row)
			}
		}
	})
}

// What is older than the time for which gaps are watched is Java's: a row that
// comes with an old time is not read (golden md_ts).
func TestAnOldInstantIsNotAskedForAgain(t *testing.T) {
	w := watch{mode: timestamp, timeout: 1000, counts: new(watchCounts)}
	at := dialect.Timestamp{Seconds: 100}
	p := position{hasTimestamp: true, timestamp: at}
	w.remember(p, 1, at, false)
	for after, want := range map[int64]bool{0: true, 1: true, 2: false} {
		if got := w.repeat(p, dialect.Timestamp{Seconds: 100 + after}); got != want {
			t.Errorf("%d s after it: %t", after, got)
		}
	}
}

// Rows of a query that read differently each time, such as with random(), are
// not sent with every round for ever.
func TestRowsThatReadDifferentlyAreNotRepeatedForEver(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INTEGER NOT NULL)", "INSERT INTO t VALUES (1)")
	cfg := with(taskConfig(db, "incrementing", "", "incrementing.column.name", "id"), "query", "SELECT id, random() AS r FROM t")
	r := newRun(t, cfg)
	task := startTask(t, r, cfg)
	r.tasks = nil
	n := 0
	for range 4 {
		n += len(pollOnce(t, task, 100).Records)
	}
	for range 2 {
		if more := len(pollOnce(t, task, 100).Records); more > 0 {
			t.Errorf("%d more after %d", more, n)
		}
	}
	if n > 1+maxStrikes {
		t.Errorf("the row was sent %d times", n)
	}
}

// A second row with the last id is sent, as long as it comes soon. Where a
// LIMIT could hide what is new behind what was sent, later ids come all the same.
func TestASecondRowOfTheLastIDIsSent(t *testing.T) {
	for suffix, want := range map[string]string{"": "abcbd", "LIMIT 1": "abd"} {
		db := newDatabase(t, "sqlite", "")
		db.exec(t, "PRAGMA journal_mode = WAL", "CREATE TABLE t (id INTEGER NOT NULL, v TEXT)", "INSERT INTO t VALUES (1,'a'),(2,'b')")
		cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id", "query.suffix", suffix)
		task := startTask(t, newRun(t, cfg), cfg)
		got := ""
		poll := func(until string) {
			waitFor(t, until+" after "+got, func() bool {
				b := pollOnce(t, task, 100)
				for i := range b.Records {
					got += b.Records[i].Value.Struct().At(1).Str()
				}
				return got == until || len(b.Records) == 0
			})
		}
		poll("ab")
		db.exec(t, "INSERT INTO t VALUES (2,'c'),(2,'b')")
		poll(want[:len(want)-1])
		db.exec(t, "INSERT INTO t VALUES (3,'d')")
		poll(want)
		if got != want {
			t.Errorf("suffix %q: rows %s, want %s", suffix, got, want)
		}
	}
}

// A Java worker's position is gone on with: nothing is known about what lies
// before it, and its offset maps stay as they are.
func TestWithoutNotesNothingBeforeThePositionIsMissing(t *testing.T) {
	for _, mode := range []string{"incrementing", "timestamp+incrementing"} {
		db := newDatabase(t, "sqlite", "")
		now := time.Now().UnixMilli() - 10_000
		db.exec(t, "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, ts TIMESTAMP NOT NULL)")
		cfg := taskConfig(db, mode, "t", "incrementing.column.name", "id", "timestamp.column.name", "ts",
			keyGapEarly, "false") // its rows have ids of the test, not of the database
		r := newRun(t, cfg)
		offset := map[string]any{"incrementing": int64(10)}
		if mode != "incrementing" {
			offset["timestamp"], offset["timestamp_nanos"] = now, now%1000*1_000_000
		}
		r.offsets[partitionText(t, tablePartition(dialect.TableID{Name: "t"}))] = seeded{offset}
		task := startTask(t, r, cfg)
		db.exec(t, fmt.Sprintf("INSERT INTO t VALUES (5,%d),(10,%d),(11,%d),(14,%d)", now-5, now, now+1, now+1))
		got := ids(t, r, task, 2)
		db.exec(t, fmt.Sprintf("INSERT INTO t VALUES (3,%d),(12,%d)", now-7, now+1))
		got += ids(t, r, task, 1)
		if want := "11 14 12 "; got != want {
			t.Errorf("%s: rows %s, want %s", mode, got, want)
		}
		names := 1
		if mode != "incrementing" {
			names = 3
		}
		for partition, o := range r.offsets {
			if !strings.Contains(partition, connect.AsidePrefix) && len(o.offset) != names {
				t.Errorf("%s: the offset of %s is %v", mode, partition, o.offset)
			}
		}
	}
}

// A late row of the last instant with a smaller id leaves the stored position
// where it is, from which a Java worker would go on.
func TestThePositionDoesNotGoBack(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	now := time.Now().UnixMilli() - 1000
	db.exec(t, "PRAGMA journal_mode = WAL", "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, ts TIMESTAMP NOT NULL)", fmt.Sprintf("INSERT INTO t VALUES (1,%d),(5,%d)", now-1, now))
	cfg := taskConfig(db, "timestamp+incrementing", "t", "incrementing.column.name", "id", "timestamp.column.name", "ts")
	r := newRun(t, cfg)
	task := startTask(t, r, cfg)
	got := ids(t, r, task, 2)
	db.exec(t, fmt.Sprintf("INSERT INTO t VALUES (3,%d)", now))
	if got += ids(t, r, task, 1); got != "1 5 3 " {
		t.Errorf("rows %s", got)
	}
	stored := r.offsets[partitionText(t, tablePartition(dialect.TableID{Name: "t"}))].offset
	if stored["incrementing"] != int64(5) {
		t.Errorf("the offset is %v", stored)
	}
}

// ids polls for n rows and then some, and returns their ids.
func ids(t *testing.T, r *run, task *Task, n int) string {
	t.Helper()
	got := ""
	for polls, deadline := 0, time.Now().Add(20*time.Second); n > 0 || polls < 2; polls++ {
		if time.Now().After(deadline) {
			t.Fatalf("%d rows are missing after %s", n, got)
		}
		b := pollOnce(t, task, 100)
		r.take(b)
		for i := range b.Records {
			got += fmt.Sprint(b.Records[i].Value.Struct().At(0).Int(), " ")
			n--
			polls = 0
		}
	}
	return got
}

// kconnect.gap.timeout.ms=0 and kconnect.compatibility=java are Java's reading.
func TestWithoutATimeoutLateRowsAreLostAsInJava(t *testing.T) {
	for key, value := range map[string]string{keyGapTimeoutMS: "0", keyCompatibility: "java"} {
		db := newDatabase(t, "sqlite", "")
		db.exec(t, "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL)", "INSERT INTO t VALUES (1),(3)")
		cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id", key, value)
		r := newRun(t, cfg)
		task := startTask(t, r, cfg)
		got := ids(t, r, task, 2)
		db.exec(t, "INSERT INTO t VALUES (2),(4)")
		if got += ids(t, r, task, 1); got != "1 3 4 " || len(r.offsets) != 1 {
			t.Errorf("%s: rows %s, offsets %v", key, got, r.offsets)
		}
	}
}

// A gap that does not fill is asked for once more when its time is over, then
// given up.
func TestAGapIsGivenUpAfterItsTime(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL)", "INSERT INTO t VALUES (1),(3)")
	cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id", keyGapTimeoutMS, "100")
	r := newRun(t, cfg)
	task := startTask(t, r, cfg)
	got := ids(t, r, task, 2)
	waitFor(t, "the gap to be given up", func() bool {
		r.take(pollOnce(t, task, 100))
		return task.watched.givenUp.Load() == 1
	})
	if n := task.watched.gaps.Load(); n != 0 {
		t.Errorf("%d gaps are open", n)
	}
	db.exec(t, "INSERT INTO t VALUES (2),(4)")
	if got += ids(t, r, task, 1); got != "1 3 4 " {
		t.Errorf("rows %s", got)
	}
	again := startTask(t, r, cfg) // the notes in the offsets say so too
	if again.watched.gaps.Load() != 0 {
		t.Error("the gap is open again")
	}
}

func TestBrokenNotesAreLeftOut(t *testing.T) {
	whole := func() connect.SourceOffset {
		w := watch{mode: timestampIncrementing, timeout: 1000, counts: new(watchCounts)}
		w.see(5, 0)
		w.see(9, 0)
		w.remember(position{id: 9}, 9, dialect.Timestamp{}, false)
		return w.notes(position{id: 9}, connect.NewSourceBatch(1, 1))
	}()
	text := whole.Values[0].Str()
	for i, broken := range []string{"", "!", text[:len(text)-2], text[1:], text + "AAAA"} {
		w := watch{mode: timestampIncrementing, timeout: 1000, counts: new(watchCounts)}
		if err := w.begin(position{id: 9, hasID: true}, connect.SourceOffset{Names: notesNames, Values: []data.Value{data.StringOf(broken)}}); err == nil {
			t.Errorf("notes %d are taken: %+v", i, w)
		}
	}
	w := watch{mode: timestampIncrementing, timeout: 1000, counts: new(watchCounts)}
	if err := w.begin(position{id: 9, hasID: true}, whole); err != nil || !w.gaps.has(7) || w.high != 9 || len(w.last.rows) != 1 {
		t.Errorf("%+v, %v", w, err)
	}
}
