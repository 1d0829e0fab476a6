package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// gate passes connections on to a server and can cut them.
type gate struct {
	listener net.Listener
	server   string
	mu       sync.Mutex
	open     bool
	conns    []net.Conn
	done     sync.WaitGroup
}

func newGate(t *testing.T, server string) *gate {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: l, server: server, open: true}
	g.done.Go(g.accept)
	t.Cleanup(func() {
		_ = l.Close()
		g.cut()
		g.done.Wait()
	})
	return g
}

func (g *gate) accept() {
	for {
		in, err := g.listener.Accept()
		if err != nil {
			return
		}
		out, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", g.server)
		g.mu.Lock()
		if err != nil || !g.open {
			_ = in.Close()
			if out != nil {
				_ = out.Close()
			}
			g.mu.Unlock()
			continue
		}
		g.conns = append(g.conns, in, out)
		g.mu.Unlock()
		g.done.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
		g.done.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
	}
}

// cut closes every connection and lets none in until it is opened again.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = false
	for _, c := range g.conns {
		_ = c.Close()
	}
	g.conns = nil
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
}

// through returns the database as it is reached through a gate.
func (d *testDatabase) through(t *testing.T) (*testDatabase, *gate) {
	t.Helper()
	scheme, rest, _ := strings.Cut(d.config["connection.url"], "//")
	server, database, _ := strings.Cut(rest, "/")
	g := newGate(t, server)
	m := d.config.Clone()
	m["connection.url"] = scheme + "//" + g.listener.Addr().String() + "/" + database
	return &testDatabase{name: d.name, kind: d.kind, config: m, db: d.db}, g
}

func TestADatabaseThatIsAwayIsWaitedForAndNothingIsReported(t *testing.T) {
	onEachServer(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int primary key, name varchar(10))")
		gated, g := d.through(t)
		dlq := &deadLetters{tolerant: true}
		task := startTask(t, gated, dlq, config.Map{"max.retries": "0"})
		if err := task.Put(t.Context(), []connect.Record{idNameRecord(0, 1, "a")}); err != nil {
			t.Fatal(err)
		}
		g.cut()
		records := []connect.Record{idNameRecord(1, 2, "b")}
		for range 3 {
			err := task.Put(t.Context(), records)
			var e *connect.Error
			if !errors.As(err, &e) || e.Kind != connect.Retriable || e.RetryAfter <= 0 {
				t.Fatalf("got %v, want a retriable error with a delay", err)
			}
			if task.health.last == nil {
				t.Error("the task does not say that it waits")
			}
			if strings.Contains(connect.Trace(err), d.config["connection.password"]) {
				t.Error("the password shows")
			}
		}
		g.reopen()
		if err := task.Put(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		if task.health.last != nil {
			t.Error("the task moves and says that it waits")
		}
		if len(dlq.records) > 0 {
			t.Errorf("%d good records were reported", len(dlq.records))
		}
		if diff := cmp.Diff([][]any{{"1"}, {"2"}}, d.query(t, "SELECT id FROM t ORDER BY id")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAConnectionThatBrokeWhileIdleIsReplacedAtOnce(t *testing.T) {
	onEachServer(t, func(t *testing.T, d *testDatabase) {
		gated, g := d.through(t)
		task := startTask(t, gated, nil, config.Map{"auto.create": "true"})
		if err := task.Put(t.Context(), []connect.Record{idNameRecord(0, 1, "a")}); err != nil {
			t.Fatal(err)
		}
		g.cut()
		g.reopen()
		if err := task.Put(t.Context(), []connect.Record{idNameRecord(1, 2, "b")}); err != nil {
			t.Fatal(err)
		}
		if task.health.waited > 0 {
			t.Error("the task waited")
		}
	})
}

func TestConnectionFailureCanFailTheTask(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // nobody listens there now
	d := &testDatabase{config: config.Map{"connection.url": "jdbc:mariadb://" + address + "/x"}}
	for _, key := range []string{"kconnect.connection.failure", "kconnect.compatibility"} {
		value := map[string]string{"kconnect.connection.failure": "fail", "kconnect.compatibility": "java"}[key]
		task := startTask(t, d, nil, config.Map{key: value, "connection.backoff.ms": "1", "connection.attempts": "2"})
		if err := task.Put(t.Context(), []connect.Record{idNameRecord(0, 1, "a")}); err == nil || connect.KindOf(err) == connect.Retriable {
			t.Errorf("%s=%s: got %v", key, value, err)
		}
	}
}

func TestAWrongPasswordFailsAtOnce(t *testing.T) {
	d := mariaDB(t)
	task := startTask(t, d, &deadLetters{tolerant: true}, config.Map{"connection.password": "no such secret"})
	err := task.Put(t.Context(), []connect.Record{idNameRecord(0, 1, "a")})
	if err == nil || connect.KindOf(err) == connect.Retriable || task.health.waited > 0 {
		t.Fatalf("got %v", err)
	}
	if trace := connect.Trace(err); !strings.Contains(trace, "Access denied") || !strings.Contains(trace, "connection.password") || strings.Contains(trace, "no such secret") {
		t.Error(trace)
	}
}

func TestALockIsWaitedFor(t *testing.T) {
	onEachServer(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int primary key, name varchar(10))", "INSERT INTO t VALUES(1,'old')")
		dlq := &deadLetters{tolerant: true}
		url := d.config["connection.url"] + map[string]string{"mariadb": "?sessionVariables=innodb_lock_wait_timeout=1", "postgres": "?options=-c%20lock_timeout=500"}[d.kind]
		task := startTask(t, d, dlq, config.Map{"connection.url": url, "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "max.retries": "0"})
		tx, err := d.db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "UPDATE t SET name = 'held' WHERE id = 1"); err != nil {
			t.Fatal(err)
		}
		records := []connect.Record{idNameRecord(0, 1, "new"), idNameRecord(1, 2, "b")}
		if err := task.Put(t.Context(), records); connect.KindOf(err) != connect.Retriable {
			t.Fatalf("got %v, want a retriable error", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := task.Put(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]any{{"1", "new"}, {"2", "b"}}, d.query(t, "SELECT id, name FROM t ORDER BY id")); diff != "" {
			t.Error(diff)
		}
		if len(dlq.records) > 0 {
			t.Error("good records were reported")
		}
	})
}

func TestParallelUpsertsOfTheSameKeysDoNotDeadlock(t *testing.T) {
	const tasks, rounds, keys = 3, 20, 400
	for _, kind := range []struct {
		name, table, key string
		record           func(offset int64, id int, name string) connect.Record
	}{
		{"integers", "CREATE TABLE t(id int primary key, name varchar(20))", "id", func(offset int64, id int, name string) connect.Record {
			return idNameRecord(offset, int32(id), name)
		}},
		{"texts", "CREATE TABLE t(k varchar(20) primary key, name varchar(20))", "k", func(_ int64, id int, name string) connect.Record {
			return textRecord(fmt.Sprintf("key-%d", id), name)
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			onEachServer(t, func(t *testing.T, d *testDatabase) {
				d.exec(t, kind.table)
				var group sync.WaitGroup
				errs := make(chan error, tasks*rounds)
				for n := range tasks {
					task := startTask(t, d, nil, config.Map{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": kind.key})
					group.Go(func() {
						for round := range rounds {
							var records []connect.Record
							for i := range keys {
								id := (i*7919 + n*131 + round*17) % keys // another order for each
								records = append(records, kind.record(int64(i), id, fmt.Sprint(n)))
							}
							if err := task.Put(t.Context(), records); err != nil {
								errs <- err
							}
						}
					})
				}
				group.Wait()
				close(errs)
				for err := range errs {
					t.Error(err)
				}
				if got := d.query(t, "SELECT count(*) FROM t"); got[0][0] != fmt.Sprint(keys) {
					t.Errorf("%v rows", got)
				}
			})
		})
	}
}

func TestSeveralTasksMayCreateOneTable(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		const tasks = 4
		var group sync.WaitGroup
		errs := make([]error, tasks)
		for n := range tasks {
			task := startTask(t, d, nil, config.Map{"auto.create": "true", "auto.evolve": "true"})
			wide := data.NewStructBuilder().Field("id", data.Int32Schema).Field("name", data.OptionalStringSchema).
				Field("more", data.OptionalInt32Schema).MustBuild()
			s := data.MakeStruct(wide, []data.Value{data.Int32Of(int32(n)), data.Null, data.Null})
			records := []connect.Record{idNameRecord(0, int32(n), "a"), {Topic: "t", ValueSchema: wide, Value: data.StructOf(&s)}}
			group.Go(func() { errs[n] = task.put(t, records...) })
		}
		group.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(connect.Trace(err))
			}
		}
		if got := d.query(t, "SELECT count(*), count(name) FROM t"); got[0][0] != fmt.Sprint(2*tasks) || got[0][1] != fmt.Sprint(tasks) {
			t.Errorf("%v", got)
		}
	})
}

func TestATableThatWasDroppedMeanwhileIsMadeAgain(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		for _, dlq := range []*deadLetters{nil, {tolerant: true}} {
			task := startTask(t, d, dlq, config.Map{"auto.create": "true", "max.retries": "0"})
			if err := task.Put(t.Context(), []connect.Record{idNameRecord(0, 1, "a")}); err != nil {
				t.Fatal(err)
			}
			d.exec(t, "DROP TABLE t")
			if err := task.Put(t.Context(), []connect.Record{idNameRecord(1, 2, "b")}); err != nil {
				t.Fatal(connect.Trace(err))
			}
			if dlq != nil && len(dlq.records) > 0 {
				t.Error("a good record was reported")
			}
			if diff := cmp.Diff([][]any{{"2"}}, d.query(t, "SELECT id FROM t")); diff != "" {
				t.Error(diff)
			}
			d.exec(t, "DROP TABLE t")
		}
	})
}

func TestAColumnThatWasDroppedMeanwhileIsAddedAgain(t *testing.T) {
	onEachServer(t, func(t *testing.T, d *testDatabase) {
		task := startTask(t, d, nil, config.Map{"auto.create": "true", "auto.evolve": "true", "max.retries": "0"})
		if err := task.Put(t.Context(), []connect.Record{idNameRecord(0, 1, "a")}); err != nil {
			t.Fatal(err)
		}
		d.exec(t, "ALTER TABLE t DROP COLUMN name")
		if err := task.Put(t.Context(), []connect.Record{idNameRecord(1, 2, "b")}); err != nil {
			t.Fatal(connect.Trace(err))
		}
		if diff := cmp.Diff([][]any{{"1", nil}, {"2", "b"}}, d.query(t, "SELECT id, name FROM t ORDER BY id")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAGoodRowIsNotLostBehindABadOneOfItsKey(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int primary key, name varchar(3) CHECK (length(name) <= 3))")
		dlq := &deadLetters{tolerant: true}
		task := startTask(t, d, dlq, config.Map{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"})
		if err := task.put(t, idNameRecord(0, 1, "ok"), idNameRecord(1, 1, "too long"), idNameRecord(2, 2, "b")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]any{{"1", "ok"}, {"2", "b"}}, d.query(t, "SELECT id, name FROM t ORDER BY id")); diff != "" {
			t.Error(diff)
		}
		if len(dlq.records) != 1 || dlq.records[0].Origin.Offset != 1 {
			t.Errorf("reported %d", len(dlq.records))
		}
	})
}

func TestRetriesEndAndThenTheRecordIsNamed(t *testing.T) {
	onEachServer(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int, name varchar(3))")
		task := startTask(t, d, nil, config.Map{"max.retries": "2", "retry.backoff.ms": "77"})
		records := []connect.Record{idNameRecord(0, 1, "a"), idNameRecord(1, 2, "much too long"), idNameRecord(2, 3, "c")}
		for range 2 {
			err := task.Put(t.Context(), records)
			var e *connect.Error
			if !errors.As(err, &e) || e.Kind != connect.Retriable || e.RetryAfter.Milliseconds() != 77 {
				t.Fatalf("got %v", err)
			}
		}
		err := task.Put(t.Context(), records)
		if err == nil || connect.KindOf(err) == connect.Retriable {
			t.Fatalf("got %v", err)
		}
		trace := connect.Trace(err)
		for _, part := range []string{"java.sql.SQLException: Exception chain:", map[string]string{"mariadb": "Data too long for column 'name'", "postgres": "ERROR: value too long for type character varying(3)"}[d.kind], "topic='t',partition=0,offset=1", "name='much too long'", "Remedy: make the column longer"} {
			if !strings.Contains(trace, part) {
				t.Errorf("lacks %q: %s", part, trace)
			}
		}
		if got := d.query(t, "SELECT id FROM t"); len(got) > 0 {
			t.Errorf("rows of a failed delivery: %v", got)
		}
	})
}

func TestValuesStayOutOfErrorsOnRequest(t *testing.T) {
	d := mariaDB(t)
	d.exec(t, "CREATE TABLE t(id int primary key, name varchar(30))")
	task := startTask(t, d, nil, config.Map{"max.retries": "0", "trim.sensitive.log": "true"})
	err := task.Put(t.Context(), []connect.Record{idNameRecord(0, 4711, "secret"), idNameRecord(1, 4711, "secret")})
	if err == nil {
		t.Fatal("no error")
	}
	if trace := connect.Trace(err); strings.Contains(trace, "4711") || strings.Contains(trace, "secret") || !strings.Contains(trace, "error 1062") {
		t.Error(trace)
	}
}
