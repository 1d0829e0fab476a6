package source

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
)

func TestKeysAreStructsOfThePrimaryKey(t *testing.T) {
	for _, kind := range []string{"sqlite", "mariadb", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			db := newDatabase(t, kind, "kcsource_key")
			db.exec(t, "CREATE TABLE t (a INT NOT NULL, n VARCHAR(9), b VARCHAR(9) NOT NULL, PRIMARY KEY (b, a))", "INSERT INTO t VALUES (1,'x','one'),(2,'y','two')")
			for _, mode := range []string{"bulk", "incrementing"} {
				cfg := taskConfig(db, mode, "t", "incrementing.column.name", "a", "kconnect.key.mode", "primary_key")
				task := startTask(t, newRun(t, cfg), cfg)
				b := pollOnce(t, task, 10)
				if len(b.Records) != 2 {
					t.Fatalf("%d records", len(b.Records))
				}
				for i, want := range []string{"Struct{a=1,b=one}", "Struct{a=2,b=two}"} {
					r := &b.Records[i]
					if r.Key.String() != want || r.KeySchema == nil || r.KeySchema.Name() != "t.Key" || r.KeySchema != b.Records[0].KeySchema {
						t.Errorf("%s: key %s of schema %v, want %s", mode, r.Key, r.KeySchema, want)
					}
				}
			}
		})
	}
}

func TestATableWithoutPrimaryKeyHasNoKeys(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
	cfg := taskConfig(db, "bulk", "t", "kconnect.key.mode", "primary_key")
	task := startTask(t, newRun(t, cfg), cfg)
	err := task.Poll(context.Background(), connect.NewSourceBatch(10, 1<<20))
	if err == nil || !strings.Contains(err.Error()+connect.Trace(err), "has no primary key") {
		t.Errorf("got %v", err)
	}
}

func TestBulkRunsAreToldByHeaders(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1),(2),(3)")
	cfg := taskConfig(db, "bulk", "t", "kconnect.bulk.run.headers", "true")
	task := new(Task)
	env := connect.Env{Config: cfg, Logger: zap.NewNop(), Now: time.Now, Health: new(recordedHealth)}
	if err := task.Start(context.Background(), &connect.SourceEnv{Env: env, Offsets: newRun(t, cfg)}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = task.Stop(context.Background()) }()
	var ids, counts []string
	for len(ids) < 6 { // two runs, in batches of two
		b := pollOnce(t, task, 2)
		for i := range b.Records {
			h := b.Records[i].Headers
			ids, counts = append(ids, h[0].Value.String()), append(counts, "")
			if h[0].Key != headerRunID || len(h) > 2 {
				t.Fatalf("headers %v", h)
			}
			if len(h) == 2 {
				counts[len(counts)-1] = h[1].Key + "=" + h[1].Value.String()
			}
		}
	}
	const rows = headerRunRows + "=3"
	if ids[0] != ids[2] || ids[3] != ids[5] || ids[0] == ids[3] || strings.Join(counts, " ") != "  "+rows+"   "+rows {
		t.Errorf("ids %v, counts %q", ids, counts)
	}
}
