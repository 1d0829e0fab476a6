package storage

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect"
	"kconnect/connect/config"
)

// heard collects changes.
type heard struct {
	mu      sync.Mutex
	changes []Change
}

func (h *heard) listen(c Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes = append(h.changes, c)
}

func (h *heard) all() []Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Change(nil), h.changes...)
}

func openConfigs(t *testing.T, b testBroker, h *heard) *Configs {
	t.Helper()
	c, err := OpenConfigs(within(t), b.config(t, "config", 1), h.listen)
	if err != nil {
		t.Fatal(err)
	}
	start(t, c.Run, c.Close)
	return c
}

func text(s string) *string { return &s }

// recordsOf returns the topic as "key=value" lines.
func recordsOf(t *testing.T, b testBroker, name string) []string {
	t.Helper()
	var lines []string
	log, err := OpenTopicLog(within(t), b.config(t, name, 1), func(records []*kgo.Record) {
		for _, r := range records {
			lines = append(lines, string(r.Key)+"="+string(r.Value))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	return lines
}

func TestOneWorkerWritesAndTheOtherHears(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		var wrote, heardByOther heard
		writer, other := openConfigs(t, b, &wrote), openConfigs(t, b, &heardByOther)
		if got := writer.Snapshot().Offset; got != -1 {
			t.Errorf("offset %d of an empty topic, want -1", got)
		}
		ctx := within(t)
		key := SessionKey{Key: []byte("0123"), Algorithm: "HmacSHA256", CreatedAt: 7}
		tasks := []config.Map{{"task.class": "T", "n": "0"}, {"task.class": "T", "n": "1"}}
		for i, err := range []error{
			writer.PutSessionKey(ctx, key),
			writer.PutConnector(ctx, "a", config.Entries{{Key: "z", Value: text("1")}, {Key: "b"}}, Paused),
			writer.PutTaskConfigs(ctx, "a", tasks),
			writer.PutTargetState(ctx, "a", Started),
			writer.StopConnector(ctx, "a"),
			writer.PutRestartRequest(ctx, RestartRequest{Connector: "a", IncludeTasks: true}),
			writer.PutLoggerLevel(ctx, "org.example", "DEBUG"),
			writer.PutConnector(ctx, "a", config.Entries{{Key: "name", Value: text("a")}, {Key: "b", Value: text("<é>")}}, ""),
			writer.PutTaskConfigs(ctx, "a", tasks),
			writer.PutConnector(ctx, "b", nil, ""),
			writer.RemoveConnector(ctx, "b"),
		} {
			if err != nil {
				t.Fatalf("write %d: %v", i, err)
			}
		}
		wantRecords := []string{
			`session-key={"key":"MDEyMw==","algorithm":"HmacSHA256","creation-timestamp":7}`,
			`target-state-a={"state":"PAUSED","state.v2":"PAUSED"}`,
			`connector-a={"properties":{"z":"1","b":null,"name":"a"}}`,
			`task-a-0={"properties":{"task.class":"T","n":"0"}}`,
			`task-a-1={"properties":{"task.class":"T","n":"1"}}`,
			`commit-a={"tasks":2}`,
			`target-state-a={"state":"STARTED","state.v2":"STARTED"}`,
			`commit-a={"tasks":0}`,
			`target-state-a={"state":"PAUSED","state.v2":"STOPPED"}`,
			`restart-connector-a={"include-tasks":true,"only-failed":false}`,
			`logger-cluster-org.example={"level":"DEBUG"}`,
			`connector-a={"properties":{"name":"a","b":"<é>"}}`,
			`task-a-0={"properties":{"task.class":"T","n":"0"}}`,
			`task-a-1={"properties":{"task.class":"T","n":"1"}}`,
			`commit-a={"tasks":2}`,
			`connector-b={"properties":{"name":"b"}}`,
			`connector-b=`,
			`target-state-b=`,
		}
		if diff := cmp.Diff(wantRecords, recordsOf(t, b, "config")); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		wantChanges := []Change{
			{Kind: SessionKeyChanged},
			{Kind: ConnectorAdded, Connector: "a"},
			{Kind: TasksChanged, Connector: "a", Tasks: 2},
			{Kind: TargetChanged, Connector: "a"},
			{Kind: TasksChanged, Connector: "a"},
			{Kind: TargetChanged, Connector: "a"},
			{Kind: RestartRequested, Connector: "a", Restart: RestartRequest{Connector: "a", IncludeTasks: true}},
			{Kind: LoggerLevelChanged, Logger: "org.example", Level: "DEBUG"},
			{Kind: ConnectorChanged, Connector: "a"},
			{Kind: TasksChanged, Connector: "a", Tasks: 2},
			{Kind: ConnectorAdded, Connector: "b"},
			{Kind: ConnectorRemoved, Connector: "b"},
		}
		if err := other.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		for name, h := range map[string]*heard{"writer": &wrote, "other": &heardByOther} {
			if diff := cmp.Diff(wantChanges, h.all()); diff != "" {
				t.Errorf("changes heard by the %s (-want +got):\n%s", name, diff)
			}
		}
		if diff := cmp.Diff(writer.Snapshot(), other.Snapshot()); diff != "" {
			t.Errorf("snapshots (-writer +other):\n%s", diff)
		}
		a := writer.Snapshot().Connectors["a"]
		if diff := cmp.Diff(tasks, a.Tasks); diff != "" {
			t.Errorf("tasks (-want +got):\n%s", diff)
		}

		var late heard
		cold := openConfigs(t, b, &late)
		if diff := cmp.Diff(writer.Snapshot(), cold.Snapshot()); diff != "" {
			t.Errorf("cold replay (-live +cold):\n%s", diff)
		}
		if got := late.all(); len(got) != 0 {
			t.Errorf("the past was told: %v", got)
		}
	})
}

func TestConfigTopicOfManyPartitionsIsRefused(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		b.createTopic(t, "config", 2, "compact")
		_, err := OpenConfigs(within(t), b.config(t, "config", 1), func(Change) {})
		var e *connect.Error
		if !errors.As(err, &e) || e.Class != connect.ClassConfig {
			t.Errorf("error %v, want a ConfigException", err)
		}
	})
}

func TestWriteWithoutABrokerEndsWithItsContext(t *testing.T) {
	cluster, b := fakeBroker(t)
	var h heard
	c := openConfigs(t, b, &h)
	cluster.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.PutConnector(ctx, "a", nil, "") }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
}
