package storage

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"pgregory.net/rapid"
)

const me, somebodyElse = "127.0.0.1:8083", "127.0.0.1:8084"

func status(state State, worker string, generation int32) Status {
	return Status{State: state, WorkerID: worker, Generation: generation}
}

func openStatuses(t *testing.T, b testBroker) *Statuses {
	t.Helper()
	s, err := OpenStatuses(within(t), b.config(t, "status", 5))
	if err != nil {
		t.Fatal(err)
	}
	start(t, s.Run, s.Close)
	return s
}

// settle waits until everything written by s shows in all.
func settle(t *testing.T, s *Statuses, all ...*Statuses) {
	t.Helper()
	if err := s.Flush(within(t)); err != nil {
		t.Fatal(err)
	}
	for _, reader := range append(all, s) {
		if err := reader.Refresh(within(t)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStatusesAreSeenByOthers(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		mine, others := openStatuses(t, b), openStatuses(t, b)
		running := Status{State: StateRunning, WorkerID: me, Generation: 3, Version: "4.2.0"}
		failed := Status{State: StateFailed, Trace: "a\n\tat b", WorkerID: me, Generation: 3}
		topic := TopicStatus{Topic: "t", Connector: "a-b", Task: 1, Discovered: 5}
		mine.PutConnector("a-b", status(StateUnassigned, me, 3))
		mine.PutConnector("a-b", running)
		mine.PutTask("a-b", 0, running)
		mine.PutTaskSafe("a-b", 1, failed)
		mine.TrackTopic(topic)
		mine.TrackTopic(topic)
		mine.TrackTopic(TopicStatus{Topic: "s", Connector: "a-b"})
		settle(t, mine, others)

		if got, ok := others.Connector("a-b"); !ok || got != running {
			t.Errorf("connector %+v %v", got, ok)
		}
		if got, ok := others.Task("a-b", 0); !ok || got != running {
			t.Errorf("task %+v %v", got, ok)
		}
		if diff := cmp.Diff(map[int]Status{0: running, 1: failed}, others.Tasks("a-b")); diff != "" {
			t.Errorf("tasks (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]TopicStatus{{Topic: "s", Connector: "a-b"}, topic}, others.Topics("a-b")); diff != "" {
			t.Errorf("topics (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"a-b"}, others.Connectors()); diff != "" {
			t.Errorf("connectors (-want +got):\n%s", diff)
		}
		tracked := 0
		for _, line := range recordsOf(t, b, "status") {
			if strings.HasPrefix(line, "status-topic-t:connector-a-b=") {
				tracked++
			}
		}
		if tracked != 1 {
			t.Errorf("the topic was written %d times", tracked)
		}

		// Another worker takes task 0 over; the first one's late last word, a
		// safe write, is not written.
		others.PutTask("a-b", 0, status(StateRunning, somebodyElse, 4))
		settle(t, others, mine)
		mine.PutTaskSafe("a-b", 0, status(StateUnassigned, me, 3))
		mine.PutConnectorSafe("a-b", status(StateUnassigned, me, 3))
		settle(t, mine, others)
		if got, _ := mine.Task("a-b", 0); got.WorkerID != somebodyElse {
			t.Errorf("task 0 %+v", got)
		}
		if got, _ := others.Connector("a-b"); got.State != StateUnassigned {
			t.Errorf("connector %+v", got)
		}

		mine.TrackTopic(TopicStatus{Topic: "late", Connector: "a-b"}) // on its way when all are forgotten
		mine.DeleteTopics("a-b")
		mine.DeleteTask("a-b", 1, 4)
		mine.DeleteConnector("a-b", 4)
		settle(t, mine, others)
		if got := others.Connectors(); len(got) != 0 || len(others.Tasks("a-b")) != 0 || len(others.Topics("a-b")) != 0 {
			t.Errorf("left after deletion: %v %v %v", got, others.Tasks("a-b"), others.Topics("a-b"))
		}
		// It can be tracked again.
		mine.TrackTopic(topic)
		settle(t, mine, others)
		if got := others.Topics("a-b"); len(got) != 1 {
			t.Errorf("topics %v", got)
		}
	})
}

func TestStatusReaderRules(t *testing.T) {
	type read struct{ key, value string }
	running := func(generation int32) string { return string(encodeStatus(status(StateRunning, me, generation))) }
	unassigned := func(generation int32) string {
		return string(encodeStatus(status(StateUnassigned, somebodyElse, generation)))
	}
	tests := map[string]struct {
		records []read
		want    State // of task a-0; empty: none
	}{
		"the last record wins":                              {[]read{{"status-task-a-0", unassigned(2)}, {"status-task-a-0", running(1)}}, StateRunning},
		"an UNASSIGNED of the same generation is ignored":   {[]read{{"status-task-a-0", running(2)}, {"status-task-a-0", unassigned(2)}}, StateRunning},
		"an UNASSIGNED of an earlier generation is ignored": {[]read{{"status-task-a-0", running(2)}, {"status-task-a-0", unassigned(1)}}, StateRunning},
		"an UNASSIGNED of a later generation counts":        {[]read{{"status-task-a-0", running(2)}, {"status-task-a-0", unassigned(3)}}, StateUnassigned},
		"null removes":                                       {[]read{{"status-task-a-0", running(2)}, {"status-task-a-0", ""}}, ""},
		"a connector's null removes its tasks":               {[]read{{"status-task-a-0", running(2)}, {"status-connector-a", ""}}, ""},
		"a record of an older worker has no version":         {[]read{{"status-task-a-0", `{"state":"PAUSED","trace":null,"worker_id":"w","generation":1}`}}, StatePaused},
		"an unknown state is ignored":                        {[]read{{"status-task-a-0", running(2)}, {"status-task-a-0", `{"state":"ASLEEP","worker_id":"w","generation":1}`}}, StateRunning},
		"what is not JSON is ignored":                        {[]read{{"status-task-a-0", running(2)}, {"status-task-a-0", `{`}}, StateRunning},
		"a key without a task number is ignored":             {[]read{{"status-task-a", running(2)}}, ""},
		"UNASSIGNED after another state than RUNNING counts": {[]read{{"status-task-a-0", string(encodeStatus(status(StateFailed, me, 2)))}, {"status-task-a-0", unassigned(1)}}, StateUnassigned},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v := newStatusView()
			for _, r := range test.records {
				_ = v.apply(r.key, []byte(r.value)) // the view shows what counted
			}
			var got State
			if e := v.tasks["a"][0]; e != nil {
				got = e.value.State
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestFailedWritesAreDroppedWhenOutdated(t *testing.T) {
	tests := map[string]struct {
		safe     bool
		status   Status
		meantime func(s *Statuses) // between the failure and the next attempt
		outdated bool
	}{
		"nothing happened":                               {true, status(StateFailed, me, 2), func(*Statuses) {}, false},
		"safe, and I have said more since":               {true, status(StateFailed, me, 2), func(s *Statuses) { s.PutTask("a", 0, status(StateRestarting, me, 2)) }, true},
		"unsafe, and I have said more since":             {false, status(StatePaused, me, 2), func(s *Statuses) { s.PutTask("a", 0, status(StateRunning, me, 2)) }, false},
		"safe, and another has it in a later generation": {true, status(StateFailed, me, 2), func(s *Statuses) { read(s, "status-task-a-0", status(StateRunning, somebodyElse, 3)) }, true},
		"safe, and another had it in an earlier one":     {true, status(StateFailed, me, 2), func(s *Statuses) { read(s, "status-task-a-0", status(StateRunning, somebodyElse, 1)) }, false},
		"deleted": {false, status(StateRunning, me, 2), func(s *Statuses) {
			read(s, "status-task-a-0", status(StateRunning, me, 2))
			read(s, "status-task-a-0", Status{})
		}, true},
		"the group moved on and nobody else has it": {false, status(StateFailed, me, 2), func(s *Statuses) { s.PutTask("b", 0, status(StateRunning, me, 3)) }, false},
		"the group moved on and another has it": {false, status(StateRunning, me, 2), func(s *Statuses) {
			s.PutTask("b", 0, status(StateRunning, me, 3))
			read(s, "status-task-a-0", status(StateRunning, somebodyElse, 3))
		}, true},
		"same generation, unsafe, and another has it":       {false, status(StateRunning, me, 2), func(s *Statuses) { read(s, "status-task-a-0", status(StateRunning, somebodyElse, 3)) }, false},
		"the group moved on and I have said more of it":     {false, status(StateRunning, me, 2), func(s *Statuses) { s.PutTask("a", 0, status(StateRunning, me, 3)) }, true},
		"the connector was deleted and with it its tasks":   {false, status(StateRunning, me, 2), func(s *Statuses) { read(s, "status-connector-a", Status{}) }, true},
		"another task of the connector was deleted, not it": {false, status(StateRunning, me, 2), func(s *Statuses) { read(s, "status-task-a-1", Status{}) }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &Statuses{logger: zap.NewNop(), wake: make(chan struct{}, 1), view: newStatusView(), tracked: map[string]TopicStatus{}, progress: make(chan struct{})}
			if test.safe {
				s.PutTaskSafe("a", 0, test.status)
			} else {
				s.PutTask("a", 0, test.status)
			}
			write := s.queue[0]
			test.meantime(s)
			if kept := s.dropOutdated([]*statusWrite{write}); (len(kept) == 0) != test.outdated {
				t.Errorf("kept %d of 1, want outdated %v", len(kept), test.outdated)
			}
		})
	}
}

// read applies a record as if it came from the topic; no state is a tombstone.
func read(s *Statuses, key string, status Status) {
	var value []byte
	if status.State != "" {
		value = encodeStatus(status)
	}
	s.handle([]*kgo.Record{record(key, value)})
}

func TestStatusesSurviveAFailingBroker(t *testing.T) {
	cluster, b := fakeBroker(t)
	s, err := OpenStatuses(within(t), b.config(t, "status", 5))
	if err != nil {
		t.Fatal(err)
	}
	s.try = 200 * time.Millisecond // less than the client takes to try again
	start(t, s.Run, s.Close)
	failProduce(cluster, kerr.MessageTooLarge, 1) // for good
	s.PutTask("a", 0, status(StateRunning, me, 1))
	if err := s.Flush(within(t)); err != nil {
		t.Fatal(err)
	}
	failProduce(cluster, kerr.NotLeaderForPartition, 2) // in passing
	s.PutTask("a", 1, status(StateRunning, me, 1))
	s.PutTask("a", 1, status(StatePaused, me, 1))
	settle(t, s)
	if diff := cmp.Diff(map[int]Status{1: status(StatePaused, me, 1)}, s.Tasks("a")); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

// failProduce lets the next produce requests fail.
func failProduce(cluster *kfake.Cluster, fault *kerr.Error, times int) {
	fail := func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range req.(*kmsg.ProduceRequest).Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, fault.Code
				topic.Partitions = append(topic.Partitions, part)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	}
	for range times {
		cluster.ControlKey(int16(kmsg.Produce), fail) // each handles one request
	}
}

func TestStatusViewForgetsEverythingThatIsDeleted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := newStatusView()
		keys := rapid.SliceOf(rapid.Custom(func(t *rapid.T) string {
			n := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name")
			return rapid.SampledFrom([]string{"status-connector-" + n, "status-task-" + n + "-0", "status-topic-t:connector-" + n}).Draw(t, "key")
		})).Draw(t, "keys")
		for _, key := range keys {
			value := encodeStatus(status(StateRunning, me, 1))
			if strings.HasPrefix(key, statusTopicPrefix) {
				value = encodeTopicStatus(TopicStatus{Topic: "t"})
			}
			if err := v.apply(key, value); err != nil {
				t.Fatal(err)
			}
		}
		for _, key := range keys {
			if err := v.apply(key, nil); err != nil {
				t.Fatal(err)
			}
		}
		if left := fmt.Sprint(len(v.connectors), len(v.tasks), len(v.topics)); left != "0 0 0" {
			t.Fatalf("left: %s", left)
		}
	})
}
