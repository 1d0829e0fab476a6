package source

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"kconnect/connect"
)

// proxy stands between a task and its database.
type proxy struct {
	target string
	addr   string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	after    int64 // bytes to the client after which a connection is cut; 0: never
	wg       sync.WaitGroup
}

func newProxy(t *testing.T, target string) *proxy {
	p := &proxy{target: target, conns: map[net.Conn]bool{}}
	p.up(t, "127.0.0.1:0")
	t.Cleanup(func() { p.down(); p.wg.Wait() })
	return p
}

func (p *proxy) up(t *testing.T, addr string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.listener, p.addr = l, l.Addr().String()
	p.mu.Unlock()
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(c) })
		}
	})
}

func (p *proxy) serve(client net.Conn) {
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	after := p.after
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
	var answers io.Reader = server
	if after > 0 {
		answers = io.LimitReader(server, after)
	}
	_, _ = io.Copy(client, answers)
	_ = client.Close()
	_ = server.Close()
	both.Wait()
	p.mu.Lock()
	delete(p.conns, client)
	delete(p.conns, server)
	p.mu.Unlock()
}

// down closes the door and cuts all connections.
func (p *proxy) down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.listener.Close()
	for c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) cutAfter(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = bytes
}

// usersDatabase has a table t of n rows behind a proxy.
func usersDatabase(t *testing.T, kind, name string, n int) (*database, *proxy) {
	db := newDatabase(t, kind, name)
	db.exec(t, map[string]string{
		"mariadb":  "CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100))",
		"postgres": "CREATE TABLE t (id SERIAL PRIMARY KEY, name VARCHAR(100))",
	}[kind])
	for from := 0; from < n; from += 500 {
		var rows []string
		for i := from; i < from+500; i++ {
			rows = append(rows, fmt.Sprintf("('%s %d')", strings.Repeat("x", 60), i))
		}
		db.exec(t, "INSERT INTO t (name) VALUES "+strings.Join(rows, ","))
	}
	p := newProxy(t, db.server)
	db.url = strings.Replace(db.url, db.server, p.addr, 1)
	return db, p
}

// D11: a database that is away is waited for, and the task goes on behind the
// last row that it handed over.
func TestADatabaseThatIsAwayIsWaitedFor(t *testing.T) {
	for _, kind := range []string{"mariadb", "postgres"} {
		t.Run(kind, func(t *testing.T) { aDatabaseThatIsAwayIsWaitedFor(t, kind) })
	}
}

func aDatabaseThatIsAwayIsWaitedFor(t *testing.T, kind string) {
	db, p := usersDatabase(t, kind, "kcsource_outage", 1000)
	p.down() // not there when the task starts
	cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id", "connection.backoff.ms", "200")
	r := newRun(t, cfg)
	task := startTask(t, r, cfg)
	poll := func() {
		b := connect.NewSourceBatch(300, 1<<20)
		if err := task.Poll(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		r.take(b)
	}
	for r.health.waits < 3 {
		poll()
	}
	if err := r.health.waiting; err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("the task waits for %v", err)
	}
	p.up(t, p.addr)
	for len(r.records["p_t"]) < 300 {
		poll()
	}
	if r.health.waiting != nil {
		t.Errorf("a task that moves waits for %v", r.health.waiting)
	}
	p.down() // in mid-result
	waits := r.health.waits
	for r.health.waits == waits {
		poll()
	}
	p.up(t, p.addr)
	for len(r.records["p_t"]) < 1000 {
		poll()
	}
	once(t, r.records["p_t"], 1000)
}

func TestAConnectionThatIsCutInMidStatementLosesAndRepeatsNothing(t *testing.T) {
	for _, kind := range []string{"mariadb", "postgres"} {
		t.Run(kind, func(t *testing.T) { aConnectionThatIsCutInMidStatementLosesAndRepeatsNothing(t, kind) })
	}
}

func aConnectionThatIsCutInMidStatementLosesAndRepeatsNothing(t *testing.T, kind string) {
	db, p := usersDatabase(t, kind, "kcsource_cut", 3000)
	p.cutAfter(40_000) // about 500 rows
	cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id", "connection.backoff.ms", "1")
	r := newRun(t, cfg)
	task := startTask(t, r, cfg)
	for deadline := time.Now().Add(60 * time.Second); len(r.records["p_t"]) < 3000; {
		b := connect.NewSourceBatch(70, 1<<20)
		if err := task.Poll(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		r.take(b)
		if time.Now().After(deadline) {
			t.Fatalf("%d records", len(r.records["p_t"]))
		}
	}
	if r.health.waits == 0 {
		t.Error("nothing was cut")
	}
	once(t, r.records["p_t"], 3000)
}

// kconnect.connection.failure=fail is the Java connector's patience.
func TestAConnectionFailureFailsTheTaskWhereAskedFor(t *testing.T) {
	for _, kind := range []string{"mariadb", "postgres"} {
		t.Run(kind, func(t *testing.T) { aConnectionFailureFailsTheTaskWhereAskedFor(t, kind) })
	}
}

func aConnectionFailureFailsTheTaskWhereAskedFor(t *testing.T, kind string) {
	db, p := usersDatabase(t, kind, "kcsource_fail", 500)
	p.down()
	cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id", keyConnectionFailure, "fail", "connection.attempts", "2", "connection.backoff.ms", "10")
	r := newRun(t, cfg)
	task := startTask(t, r, cfg)
	var err error
	for range 10 {
		if err = task.Poll(context.Background(), connect.NewSourceBatch(10, 1<<20)); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(connect.Trace(err), "Could not connect to the database") || r.health.waits != 1 {
		t.Errorf("%v after %d waits", err, r.health.waits)
	}
}

// once checks that each of n rows came once and in order.
func once(t *testing.T, records []string, n int) {
	t.Helper()
	if len(records) != n {
		t.Errorf("%d records of %d rows", len(records), n)
	}
	for i, rec := range records {
		if want := fmt.Sprintf(`"payload":{"id":%d,`, i+1); !strings.Contains(rec, want) {
			t.Fatalf("record %d is %s, want %s", i, rec, want)
		}
	}
}
