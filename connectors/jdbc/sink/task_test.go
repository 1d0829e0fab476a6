package sink

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// taskTest runs a task without a worker.
type taskTest struct {
	*Task
	health waitLog
}

// deadLetters is the reporter of a test.
type deadLetters struct {
	tolerant bool
	records  []*connect.Record
	errs     []error
}

func (d *deadLetters) Tolerant() bool { return d.tolerant }

func (d *deadLetters) Report(_ context.Context, r *connect.Record, err error) error {
	d.records, d.errs = append(d.records, r), append(d.errs, err)
	if d.tolerant {
		return nil
	}
	return connect.NewError("Tolerance exceeded in error handler", err)
}

// waitLog is the health of a test.
type waitLog struct {
	mu     sync.Mutex
	last   error // nil: moving
	waited int
}

func (h *waitLog) Waiting(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = err
	h.waited++
}

func (h *waitLog) Moving() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = nil
}

// startTask starts a task on a database with the settings given on top of the
// database's own.
func startTask(tb testing.TB, d *testDatabase, reporter *deadLetters, settings config.Map) *taskTest {
	tb.Helper()
	m := d.config.Clone()
	maps.Copy(m, settings)
	t := &taskTest{Task: &Task{}}
	env := &connect.SinkEnv{Env: connect.Env{
		Connector: "c", Config: m, Logger: zap.NewNop(), Now: time.Now, Health: &t.health,
	}}
	if reporter != nil {
		env.Reporter = reporter
	}
	if err := t.Start(tb.Context(), env); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := t.Stop(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	})
	return t
}

// put delivers records until the task is content or its error is not
// retriable, and returns that error.
func (t *taskTest) put(tb testing.TB, records ...connect.Record) error {
	tb.Helper()
	for i := range records {
		records[i].Origin.Index = i
	}
	for {
		err := t.Put(tb.Context(), records)
		if connect.KindOf(err) != connect.Retriable || err == nil {
			return err
		}
	}
}

var (
	idName = data.NewStructBuilder().Field("id", data.Int32Schema).Field("name", data.OptionalStringSchema).MustBuild()
	keyID  = data.NewStructBuilder().Field("id", data.Int32Schema).MustBuild()
)

// idNameRecord is a record of topic t with the value {id, name}.
func idNameRecord(offset int64, id int32, name string) connect.Record {
	s := data.MakeStruct(idName, []data.Value{data.Int32Of(id), data.StringOf(name)})
	return connect.Record{Topic: "t", ValueSchema: idName, Value: data.StructOf(&s), Timestamp: 1, Origin: connect.Origin{Topic: "t", Offset: offset}}
}

// keyed gives a record the key {id}.
func keyed(r connect.Record, id int32) connect.Record {
	s := data.MakeStruct(keyID, []data.Value{data.Int32Of(id)})
	r.KeySchema, r.Key = keyID, data.StructOf(&s)
	return r
}

// tombstone is the delete of a key.
func tombstone(offset int64, id int32) connect.Record {
	return keyed(connect.Record{Topic: "t", Timestamp: 1, Origin: connect.Origin{Topic: "t", Offset: offset}}, id)
}
