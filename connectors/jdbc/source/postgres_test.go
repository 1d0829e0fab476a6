package source

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
)

// payloads returns the records of a topic without their schemas.
func payloads(r *run, topic string) []string {
	var all []string
	for _, rec := range r.records[topic] {
		_, payload, _ := strings.Cut(rec, `"payload":`)
		all = append(all, strings.TrimSuffix(payload, "}"))
	}
	return all
}

// kconnect.postgres.native.types: what Java leaves out is read.
func TestPostgresOwnTypesAreReadWhereAskedFor(t *testing.T) {
	db := newDatabase(t, "postgres", "kcsource_native")
	db.exec(t, "CREATE TYPE mood AS ENUM ('sad', 'so so'); CREATE TYPE pair AS (a int, b text)",
		`CREATE TABLE t (id INT NOT NULL PRIMARY KEY, i INT[], s TEXT[], n NUMERIC(5,2)[], ts TIMESTAMPTZ[], u UUID[], m mood[], j JSONB[], b BOOL[] NOT NULL,
			ip INET, span INTERVAL, r INT4RANGE, bits BIT VARYING, p pair, js JSON)`,
		`INSERT INTO t VALUES (1, '{1,NULL,-3}', '{a,"b c",NULL,"\"q\""}', '{1.5,2}', '{"1970-01-01 00:00:00.5Z"}', '{123e4567-e89b-12d3-a456-426655440000}', '{"so so",sad}',
			ARRAY['{"k": [1]}'::jsonb], '{t,f}', '10.0.0.1/8', '1 day 02:00:00', '[1,5)', B'0101', '(1,x)', '[1]')`,
		"INSERT INTO t (id, i, b) VALUES (2, '{}', '[5:6]={f,t}')")
	cfg := taskConfig(db, "bulk", "t", "kconnect.postgres.native.types", "true", "poll.interval.ms", "3600000")
	r := newRun(t, cfg)
	r.take(pollOnce(t, startTask(t, r, cfg), 10))
	want := []string{
		`{"id":1,"i":[1,null,-3],"s":["a","b c",null,"\"q\""],"n":["AJY=","AMg="],"ts":[500],"u":["123e4567-e89b-12d3-a456-426655440000"],"m":["so so","sad"],"j":["{\"k\": [1]}"],"b":[true,false],` +
			`"ip":"10.0.0.1/8","span":"1 day 02:00:00","r":"[1,5)","bits":"0101","p":"(1,x)","js":"[1]"}`,
		`{"id":2,"i":[],"s":null,"n":null,"ts":null,"u":null,"m":null,"j":null,"b":[false,true],"ip":null,"span":null,"r":null,"bits":null,"p":null,"js":null}`,
	}
	if d := cmp.Diff(want, payloads(r, "p_t")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if schema := r.records["p_t"][0]; !strings.Contains(schema, `{"type":"array","items":{"type":"int32","optional":true},"optional":true,"field":"i"}`) {
		t.Errorf("schema: %s", schema)
	}
	db.exec(t, "DELETE FROM t", "INSERT INTO t (id, i, b) VALUES (3, '{{1},{2}}', '{}')")
	task := startTask(t, newRun(t, cfg), cfg)
	err := task.Poll(context.Background(), connect.NewSourceBatch(10, 1<<20))
	if err == nil || !strings.Contains(connect.Trace(err), "column i: an array of several dimensions") {
		t.Errorf("two dimensions give %v", err)
	}
}

// Promise 6: what a poll reads is bounded, however much the table holds; a
// stopped task leaves no statement behind on the server.
func TestALargePostgresTableIsReadInBoundedMemory(t *testing.T) {
	db := newDatabase(t, "postgres", "kcsource_large")
	db.exec(t, "CREATE VIEW t AS SELECT generate_series(1, 10000000) AS id, repeat('x', 100000) AS x") // 1 TB
	cfg := taskConfig(db, "bulk", "t", "batch.max.rows", "100")
	task := startTask(t, newRun(t, cfg), cfg)
	var before, after runtime.MemStats
	for i := range 5 {
		b := pollOnce(t, task, 10_000)
		for len(b.Records) == 0 {
			b = pollOnce(t, task, 10_000)
		}
		if len(b.Records) > 100 {
			t.Errorf("%d records", len(b.Records))
		}
		runtime.GC()
		if runtime.ReadMemStats(&after); i == 0 {
			before = after
		}
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 64<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if err := task.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the statement to end on the server", func() bool {
		var n int
		err := db.db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = 'kcsource_large' AND state = 'active' AND pid <> pg_backend_pid()").Scan(&n)
		return err == nil && n == 0
	})
}

func TestAPostgresQueryIsCheckedAtValidation(t *testing.T) {
	db := newDatabase(t, "postgres", "kcsource_validate")
	db.exec(t, "CREATE TABLE t (id INT, j JSONB)")
	errors := func(key, query string) string {
		m := with(taskConfig(db, "bulk", ""), key, query)
		delete(m, "tables")
		delete(m, "tables.fetched")
		var all []string
		for _, r := range new(Connector).ValidateConfig(t.Context(), m, answers(m)) {
			for _, e := range r.Errors {
				all = append(all, r.Key.Name+": "+e)
			}
		}
		return strings.Join(all, "; ")
	}
	if got := errors("query", "SELECT * FROM t WHERE j ?? 'a'"); got != "" {
		t.Errorf("a good query: %s", got)
	}
	if got := errors("query", "SELECT absent FROM t"); !strings.HasPrefix(got, "query: Invalid query: ERROR: column \"absent\" does not exist") {
		t.Errorf("a bad query: %s", got)
	}
	if got := errors("query.masked", "SELECT secret FROM t"); strings.Contains(got, "secret") || !strings.HasPrefix(got, "query.masked: Invalid query: ") {
		t.Errorf("a masked query: %s", got)
	}
}

// The operator ? is written ?? as for Java's driver, which takes a single one for a placeholder.
func TestAPostgresQueryWithThePlaceholderAsOperatorFailsWithTheRemedy(t *testing.T) {
	db := newDatabase(t, "postgres", "kcsource_operator")
	db.exec(t, "CREATE TABLE t (id INT, j JSONB)", `INSERT INTO t VALUES (1, '{"a": 1}'), (2, '{"b": 1}')`)
	good := with(taskConfig(db, "incrementing", ""), "query", "SELECT * FROM (SELECT * FROM t WHERE j ?? 'a') x", "incrementing.column.name", "id")
	r := newRun(t, good)
	r.take(pollOnce(t, startTask(t, r, good), 10))
	if d := cmp.Diff([]string{`{"id":1,"j":"{\"a\": 1}"}`}, payloads(r, "p_")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	bad := with(taskConfig(db, "bulk", ""), "query", "SELECT * FROM t WHERE j ? 'a'")
	err := startTask(t, newRun(t, bad), bad).Poll(context.Background(), connect.NewSourceBatch(10, 1<<20))
	if err == nil || !strings.Contains(connect.Trace(err), "are written ??") {
		t.Errorf("a single one gives %v", err)
	}
}

func TestAPostgresTaskReadsAtTheLevelThatIsSet(t *testing.T) {
	db := newDatabase(t, "postgres", "kcsource_isolation")
	for mode, want := range map[string]string{"DEFAULT": "read committed", "SERIALIZABLE": "serializable", "repeatable_read": "repeatable read"} {
		cfg := with(taskConfig(db, "bulk", ""), "query", "SELECT current_setting('transaction_isolation') AS level", "transaction.isolation.mode", mode, "poll.interval.ms", "3600000")
		r := newRun(t, cfg)
		r.take(pollOnce(t, startTask(t, r, cfg), 10))
		if got := fmt.Sprint(payloads(r, "p_")); got != `[{"level":"`+want+`"}]` {
			t.Errorf("%s: %s", mode, got)
		}
	}
}

// A table whose columns change is read with its new ones in the next round.
func TestAPostgresColumnThatChangesItsTypeIsReadAnew(t *testing.T) {
	db := newDatabase(t, "postgres", "kcsource_alter")
	db.exec(t, "CREATE TABLE t (id SERIAL PRIMARY KEY, v INT)", "INSERT INTO t (v) VALUES (1)")
	cfg := taskConfig(db, "incrementing", "t", "incrementing.column.name", "id")
	r := newRun(t, cfg)
	task := startTask(t, r, cfg)
	r.take(pollOnce(t, task, 10))
	db.exec(t, "ALTER TABLE t ALTER v TYPE TEXT USING v::text, ALTER v SET NOT NULL", "INSERT INTO t (v) VALUES ('two')")
	r.take(pollOnce(t, task, 10))
	if d := cmp.Diff([]string{`{"id":1,"v":1}`, `{"id":2,"v":"two"}`}, payloads(r, "p_t")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !strings.Contains(r.records["p_t"][1], `{"type":"string","optional":false,"field":"v"}`) {
		t.Errorf("schema: %s", r.records["p_t"][1])
	}
}
