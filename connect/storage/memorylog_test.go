package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zaptest"

	"kconnect/connect/config"
)

func TestAMemoryLogHandsOverEveryRecordOnceAndInOrder(t *testing.T) {
	var got []string // Run's, read after ReadToEnd
	l := NewMemoryLog(func(records []*kgo.Record) {
		for _, r := range records {
			got = append(got, fmt.Sprint(r.Offset))
		}
	})
	start(t, l.Run, l.Close)
	const writers, each = 4, 100
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each / 2 {
				if err := l.Append(t.Context(), &kgo.Record{}, &kgo.Record{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := l.ReadToEnd(within(t)); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range writers * each {
		want = append(want, fmt.Sprint(i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.unread) != 0 {
		t.Errorf("it keeps %d records that were read", len(l.unread))
	}
}

func TestAReaderOfAMemoryLogThatNobodyRunsGivesUpWithItsContext(t *testing.T) {
	l := NewMemoryLog(func([]*kgo.Record) {})
	for _, err := range l.AppendEach(t.Context(), []*kgo.Record{{}}) {
		if err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.ReadToEnd(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestConfigurationsInMemory(t *testing.T) {
	h := &heard{}
	c := MemoryConfigs(zaptest.NewLogger(t), h.listen)
	start(t, c.Run, c.Close)
	ctx := within(t)
	if c.Snapshot().Offset != -1 {
		t.Errorf("the offset begins at %d", c.Snapshot().Offset)
	}
	if err := c.PutConnector(ctx, "a", config.Entries{{Key: "k", Value: text("v")}}, Paused); err != nil {
		t.Fatal(err)
	}
	if err := c.PutTaskConfigs(ctx, "a", []config.Map{{"task": "0"}}); err != nil {
		t.Fatal(err)
	}
	a := c.Snapshot().Connectors["a"]
	if a == nil || a.Target != Paused || len(a.Tasks) != 1 || *a.Config["name"] != "a" {
		t.Errorf("the connector is %+v", a)
	}
	if err := c.RemoveConnector(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if len(c.Snapshot().Connectors) != 0 {
		t.Error("the connector is still there")
	}
	var kinds []ChangeKind
	for _, change := range h.all() {
		kinds = append(kinds, change.Kind)
	}
	if diff := cmp.Diff([]ChangeKind{ConnectorAdded, TasksChanged, ConnectorRemoved}, kinds); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestStatusesInMemory(t *testing.T) {
	s := MemoryStatuses(zaptest.NewLogger(t))
	start(t, s.Run, s.Close)
	s.PutConnector("a", status(StateRunning, me, 0))
	s.PutTask("a", 0, status(StateRunning, me, 0))
	s.PutTaskSafe("a", 0, status(StateFailed, me, 0))
	s.TrackTopic(TopicStatus{Topic: "t", Connector: "a"})
	settle(t, s)
	if got, ok := s.Task("a", 0); !ok || got.State != StateFailed {
		t.Errorf("the task is %v, %v", got, ok)
	}
	if len(s.Topics("a")) != 1 {
		t.Errorf("the topics are %v", s.Topics("a"))
	}
	s.DeleteConnector("a", 0)
	settle(t, s)
	if names := s.Connectors(); len(names) != 0 {
		t.Errorf("%v are still there", names)
	}
}
