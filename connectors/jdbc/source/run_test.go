package source

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	_ "modernc.org/sqlite"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/data"
	"kconnect/test/harness"
	"kconnect/test/harness/service"
)

// database is a fresh database of one test.
type database struct {
	kind, name, url        string
	user, password, server string
	db                     *sql.DB
}

// newDatabase makes an empty database and drops it after the test. A MariaDB
// server is named by KCONNECT_TEST_MARIADB, a data source name of the Go driver.
func newDatabase(t testing.TB, kind, name string) *database {
	t.Helper()
	if kind == "sqlite" {
		file := filepath.Join(t.TempDir(), "test.db")
		db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(10000)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return &database{kind: kind, url: "jdbc:sqlite:" + file, db: db}
	}
	if kind == "postgres" {
		return newPostgres(t, name)
	}
	server, err := mysql.ParseDSN(harness.Server(t, service.MariaDBName))
	if err != nil {
		t.Fatalf("%s: %v", service.EnvMariaDB, err)
	}
	d := &database{kind: kind, name: name, server: server.Addr, user: server.User, password: server.Passwd}
	admin, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/?charset=utf8mb4", d.user, d.password, d.server))
	if err != nil {
		t.Fatal(err)
	}
	create := []string{"DROP DATABASE IF EXISTS `" + name + "`", "CREATE DATABASE `" + name + "` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"}
	for _, s := range create {
		if _, err := admin.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, n := range []string{name, name + "_x"} {
			if _, err := admin.ExecContext(context.Background(), "DROP DATABASE IF EXISTS `"+n+"`"); err != nil {
				t.Error(err)
			}
		}
		_ = admin.Close()
	})
	d.url = "jdbc:mariadb://" + d.server + "/" + name
	d.db, err = sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/%s?charset=utf8mb4", d.user, d.password, d.server, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.db.Close() })
	return d
}

// newPostgres makes an empty database on the server of KCONNECT_TEST_POSTGRES, a
// URL of the Go driver.
func newPostgres(t testing.TB, name string) *database {
	t.Helper()
	server, err := pgx.ParseConfig(harness.Server(t, service.PostgresName))
	if err != nil {
		t.Fatalf("%s: %v", service.EnvPostgres, err)
	}
	d := &database{kind: "postgres", name: name, user: server.User, password: server.Password, server: net.JoinHostPort(server.Host, strconv.Itoa(int(server.Port)))}
	admin := stdlib.OpenDB(*server)
	for _, s := range []string{`DROP DATABASE IF EXISTS "` + name + `" WITH (FORCE)`, `CREATE DATABASE "` + name + `"`} {
		if _, err := admin.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`); err != nil {
			t.Error(err)
		}
		_ = admin.Close()
	})
	d.url = "jdbc:postgresql://" + d.server + "/" + name
	own := server.Copy()
	own.Database = name
	own.RuntimeParams["TimeZone"] = "UTC" // as where the recordings were made
	d.db = stdlib.OpenDB(*own)
	t.Cleanup(func() { _ = d.db.Close() })
	return d
}

func (d *database) vars() map[string]string {
	return map[string]string{
		"url": d.url, "url_mysql": strings.Replace(d.url, "mariadb", "mysql", 1),
		"user": d.user, "password": d.password, "db": d.name,
	}
}

// exec runs statements on one connection.
func (d *database) exec(t testing.TB, statements ...string) {
	t.Helper()
	c, err := d.db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for _, s := range statements {
		if _, err := c.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// seeded is an offset as JSON has it.
type seeded struct{ offset map[string]any }

// run runs a connector and its tasks as a worker does, with offsets in memory.
type run struct {
	t       testing.TB
	cfg     config.Map
	health  recordedHealth
	offsets map[string]seeded   // by the partition's JSON
	records map[string][]string // JSON envelopes by topic

	converter converter.JSON

	connector *Connector
	tasks     []*Task
	mu        sync.Mutex // guards what the connector's goroutine calls
	again     bool
	failed    error
	taskFault error
}

func newRun(t testing.TB, cfg config.Map) *run {
	r := &run{t: t, cfg: cfg, offsets: map[string]seeded{}, records: map[string][]string{}}
	if err := r.converter.Configure(cfg.WithPrefix("value.converter."), false); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *run) logger() *zap.Logger { return zaptest.NewLogger(r.t, zaptest.Level(zap.WarnLevel)) }

func (r *run) env(task int, cfg config.Map) connect.Env {
	return connect.Env{Connector: "c", Task: task, Config: cfg, Logger: r.logger(), Now: time.Now, Health: &r.health}
}

func (r *run) start() {
	r.t.Helper()
	r.connector = &Connector{catalogs: new(catalogs)}
	env := &connect.ConnectorEnv{
		Env:         r.env(-1, r.cfg),
		Reconfigure: func() { r.mu.Lock(); r.again = true; r.mu.Unlock() },
		Fail:        func(err error) { r.mu.Lock(); r.failed = err; r.mu.Unlock() },
	}
	if err := r.connector.Start(context.Background(), env); err != nil {
		r.failed = err
		return
	}
	r.startTasks()
}

func (r *run) startTasks() {
	var n int
	_, _ = fmt.Sscan(r.cfg["tasks.max"], &n)
	configs, err := r.connector.TaskConfigs(context.Background(), n)
	if err != nil {
		r.failed = err
		return
	}
	for i, cfg := range configs {
		task := new(Task)
		r.tasks = append(r.tasks, task)
		if err := task.Start(context.Background(), &connect.SourceEnv{Env: r.env(i, cfg), Offsets: r}); err != nil {
			r.taskFault = err
		}
	}
}

func (r *run) stopTasks() {
	for _, task := range r.tasks {
		if err := task.Stop(context.Background()); err != nil {
			r.t.Error(err)
		}
	}
	r.tasks = nil
}

func (r *run) stop() {
	r.stopTasks()
	if r.connector != nil {
		if err := r.connector.Stop(context.Background()); err != nil {
			r.t.Error(err)
		}
		r.connector = nil
	}
}

// poll polls every task once.
func (r *run) poll() {
	r.mu.Lock()
	again := r.again
	r.again = false
	r.mu.Unlock()
	if again {
		r.stopTasks()
		r.startTasks()
	}
	if len(r.tasks) == 0 || r.taskFault != nil {
		time.Sleep(10 * time.Millisecond) // nothing to poll: the connector's goroutine is what is waited for
		return
	}
	for _, task := range r.tasks {
		b := connect.NewSourceBatch(10_000, 8<<20)
		if err := task.Poll(context.Background(), b); err != nil {
			r.taskFault = err
			return
		}
		r.take(b)
		if r.taskFault != nil {
			return
		}
	}
}

// take converts a batch and stores its offsets, as a worker does with records
// that Kafka acknowledged.
func (r *run) take(b *connect.SourceBatch) {
	for i := range b.Records {
		rec := &b.Records[i]
		text, err := r.converter.Append(nil, rec.Topic, rec.ValueSchema, rec.Value)
		if err != nil {
			r.taskFault = err
			return
		}
		r.records[rec.Topic] = append(r.records[rec.Topic], string(text))
		r.store(rec.Source, rec.SourceOffset)
	}
	for _, p := range b.Positions {
		r.store(p.Source, p.Offset)
	}
}

func (r *run) store(p *connect.SourcePartition, o connect.SourceOffset) {
	if len(o.Names) == 0 {
		return
	}
	offset := map[string]any{}
	for j, name := range o.Names {
		offset[name] = plain(o.Values[j])
	}
	r.offsets[partitionText(r.t, p)] = seeded{offset}
}

func (r *run) until(what string, done func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); r.poll() {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited in vain for %s; records: %d topics; trace: %s", what, len(r.records), r.trace())
		}
		if strings.Contains(what, "records") && r.trace() != "" {
			r.t.Fatalf("failed while waiting for %s: %s", what, r.trace())
		}
	}
}

func (r *run) pollFor(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		r.poll()
	}
}

// trace is what the status of the failed connector or task would show.
func (r *run) trace() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.taskFault != nil:
		return connect.Trace(r.taskFault)
	case r.failed != nil:
		return connect.Trace(r.failed)
	}
	return ""
}

// Offset reads a stored offset, as the worker's reader does.
func (r *run) Offset(_ context.Context, p *connect.SourcePartition) (connect.SourceOffset, error) {
	var o connect.SourceOffset
	for name, v := range r.offsets[partitionText(r.t, p)].offset {
		o.Names = append(o.Names, name)
		switch v := v.(type) {
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				return o, err
			}
			o.Values = append(o.Values, data.Int64Of(n))
		case int64:
			o.Values = append(o.Values, data.Int64Of(v))
		case string:
			o.Values = append(o.Values, data.StringOf(v))
		default:
			return o, fmt.Errorf("offset %s is a %T", name, v)
		}
	}
	return o, nil
}

func (r *run) storedOffsets() []string {
	var all []string
	for partition, o := range r.offsets {
		if strings.Contains(partition, connect.AsidePrefix) {
			continue // a worker does not show it
		}
		text, err := json.Marshal(o.offset)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, partition+" "+string(text))
	}
	slices.Sort(all)
	return all
}

func partitionText(t testing.TB, p *connect.SourcePartition) string {
	m := map[string]any{}
	for _, f := range p.Fields {
		m[f.Name] = plain(f.Value)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func plain(v data.Value) any {
	if v.Kind() == data.KindString {
		return strings.Clone(v.Str())
	}
	return v.Int()
}

// recordedHealth remembers what a task said of itself.
type recordedHealth struct {
	mu      sync.Mutex
	waiting error
	waits   int
}

func (h *recordedHealth) Waiting(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting, h.waits = err, h.waits+1
}

func (h *recordedHealth) Moving() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = nil
}
