package worker

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/storage"
)

// ownBed is a bed with a source that keeps its offsets in a topic of its own.
func ownBed(t *testing.T, task connect.SourceTask, cfg config.Map) *bed {
	t.Helper()
	m := config.Map{"offsets.storage.topic": "own"}
	for k, v := range cfg {
		m[k] = v
	}
	return sourceBed(t, task, m)
}

// readers is how many offset topics of connectors are open.
func (b *bed) readers() int {
	b.worker.own.mu.Lock()
	defer b.worker.own.mu.Unlock()
	return len(b.worker.own.open)
}

func TestASourceKeepsItsOffsetsInATopicOfItsOwn(t *testing.T) {
	var there atomic.Int64
	there.Store(10)
	b := ownBed(t, &counter{limit: func() int { return int(there.Load()) }, batch: 5}, nil)
	b.start()
	b.untilStored(10) // the copy in the worker's topic
	b.stop()
	own := b.records("own")
	if len(own) == 0 {
		t.Fatal("nothing is in the connector's topic")
	}
	if r := own[len(own)-1]; string(r.Key) != `["c",{"p":"numbers"}]` || string(r.Value) != `{"n":10}` || r.ProducerID != -1 {
		t.Errorf("its last record is %s: %s of producer %d", r.Key, r.Value, r.ProducerID)
	}
	if p := b.cluster.TopicInfo("own").Configs["cleanup.policy"]; p == nil || *p != "compact" {
		t.Errorf("the topic's cleanup.policy is %v", p)
	}
	if n := b.readers(); n != 0 {
		t.Errorf("%d readers are open after the last task", n)
	}
	there.Store(20)
	b.start()
	b.untilStored(20)
	b.stop()
	// Without the setting it goes on from the copy.
	delete(b.cfg, "offsets.storage.topic")
	there.Store(30)
	b.start()
	b.untilStored(30)
	b.stop()
	sameNumbers(t, b.topic(), numbers(1, 30))
}

// TestOffsetsAreWhereJavaPutsThem: the same key goes to the same partition
// (golden internal, java-4.2.0/own-offsets), or compaction would keep two.
func TestOffsetsAreWhereJavaPutsThem(t *testing.T) {
	b := newBed(t, parts{source: func() connect.SourceTask { return &counter{} }, config: config.Map{"offsets.storage.topic": "own"},
		worker: func(c *Config) { c.OffsetsTopic.Partitions = 25 }})
	offsets, release, err := b.worker.Offsets(t.Context(), "rb-own", b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := offsets.Set(t.Context(), []storage.SourceOffset{{Connector: "rb-own",
		Partition: storage.Fields{{Name: "filename", Value: "/tmp/rb_in.txt"}}, Offset: storage.Fields{{Name: "position", Value: int64(9)}}}}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.records("own") {
		if string(r.Key) != `["rb-own",{"filename":"/tmp/rb_in.txt"}]` || string(r.Value) != `{"position":9}` || r.Partition != 18 {
			t.Errorf("%s: %s is in partition %d, want 18", r.Key, r.Value, r.Partition)
		}
	}
}

func TestSomeConnectorsHaveNoTopicOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		why, topic string
		standalone bool
	}{
		{"it is the worker's", "offsets", false},
		{"it is the worker's, with blanks", " offsets ", false},
		{"the worker is a standalone one", "own", true},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBed(t, parts{source: func() connect.SourceTask { return &counter{to: 3, batch: 3} }, config: config.Map{"offsets.storage.topic": c.topic},
				worker: func(w *Config) {
					if c.standalone {
						w.OffsetsTopic = storage.Topic{}
					}
				}})
			b.start()
			b.untilStored(3)
			if n := b.readers(); n != 0 {
				t.Errorf("%d readers beside the worker's", n)
			}
			b.stop()
		})
	}
}

func TestTasksOfAConnectorShareTheReaderOfItsOffsets(t *testing.T) {
	b := newBed(t, parts{source: func() connect.SourceTask { return &counter{to: 3, batch: 3} }, config: config.Map{"offsets.storage.topic": "own", "tasks.max": "2"}})
	b.start()
	b.startTask(1, TargetRunning)
	b.until("both have sent their records", func() bool { return len(b.topic()) >= 6 })
	if n := b.readers(); n != 1 {
		t.Errorf("%d readers are open, want 1", n)
	}
	// A request uses it, too.
	offsets, release, err := b.worker.Offsets(t.Context(), "c", b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := offsets.Partitions(t.Context()); err != nil || len(all) > 1 {
		t.Errorf("partitions: %v, %v", all, err)
	}
	if n := b.readers(); n != 1 {
		t.Errorf("%d readers are open for a request, want 1", n)
	}
	b.worker.Stop(nil, []group.ID{theTask, {Connector: "c", Task: 1}}, OnRevoke)
	if n := b.readers(); n != 1 {
		t.Errorf("%d readers are open while the request goes on, want 1", n)
	}
	release()
	release() // once is enough
	if n := b.readers(); n != 0 {
		t.Errorf("%d readers are left open", n)
	}
}

func TestAnOffsetTopicThatMayNotBeMadeFailsTheTask(t *testing.T) {
	b := ownBed(t, &counter{to: 3, batch: 3}, nil)
	_, heal := b.refuseCreation("own", kerr.TopicAuthorizationFailed.Code)
	b.start()
	b.untilState(Failed)
	b.stop()
	const want = "org.apache.kafka.connect.errors.ConnectException: The source offsets of this connector cannot be kept in the topic of offsets.storage.topic\nCaused by: "
	if trace := b.heard.last(theTask).Trace; !strings.HasPrefix(trace, want) || !strings.Contains(trace, "topic own (offsets.storage.topic) does not exist and this worker may not create it") {
		t.Errorf("the trace is %s", trace)
	}
	if _, _, err := b.worker.Offsets(t.Context(), "c", b.cfg); err == nil {
		t.Error("a request is not told")
	}
	heal()
	b.start()
	b.untilStored(3)
	b.stop()
	if n := b.readers(); n != 0 {
		t.Errorf("%d readers are left open", n)
	}
}

func TestASourceWaitsForTheTopicOfItsOffsets(t *testing.T) {
	b := ownBed(t, &counter{to: 3, batch: 3}, nil)
	asked, heal := b.refuseCreation("own", kerr.RequestTimedOut.Code)
	b.start()
	b.until("it asks for the topic", func() bool { return asked.Load() > 0 })
	b.later.Store(int64(time.Minute))
	heal()
	b.untilStored(3)
	b.stop()
	for _, s := range b.heard.states() {
		if s == Failed {
			t.Error("it failed meanwhile")
		}
	}
}
