package worker

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/storage"
)

// sourceBed is a bed with one source task, which every start uses again.
func sourceBed(t *testing.T, task connect.SourceTask, cfg config.Map) *bed {
	t.Helper()
	return newBed(t, parts{source: func() connect.SourceTask { return task }, config: cfg})
}

// sameNumbers reports the first difference, since thousands of numbers are no message.
func sameNumbers(t *testing.T, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("number %d of %d is %s, want %s: something is lost, repeated or out of order", i, len(got), got[i], want[i])
			return
		}
	}
	t.Errorf("there are %d numbers, want %d", len(got), len(want))
}

func TestASourceGoesOnBehindItsLastRecord(t *testing.T) {
	task := &counter{to: 5000, batch: 100}
	b := sourceBed(t, task, nil)
	b.start()
	b.untilStored(5000)
	b.stop()
	task.to = 5010
	b.start()
	b.untilStored(5010)
	b.stop()
	sameNumbers(t, b.topic(), numbers(1, 5010))
	if diff := cmp.Diff([]State{Running, Unassigned, Running, Unassigned}, b.heard.states()); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if task.starts != 2 || task.stops != 2 {
		t.Errorf("%d starts and %d stops", task.starts, task.stops)
	}
}

func TestASourceThatIsStoppedInTheMiddleLosesAndRepeatsNothing(t *testing.T) {
	const endless = 1 << 30
	task := &counter{to: endless, batch: 7}
	b := sourceBed(t, task, nil)
	end := 0
	for range 5 {
		b.start()
		b.until("rows flow", func() bool { return b.stored() > end+500 })
		b.stop()
		got := b.topic()
		end = len(got)
		sameNumbers(t, got, numbers(1, end))
		if n := b.stored(); n != end {
			t.Fatalf("position %d is stored after a clean stop, and the topic has %d records", n, end)
		}
	}
}

func TestASourceThatIsKilledRepeatsButLosesNothing(t *testing.T) {
	var there atomic.Int64
	there.Store(100)
	task := &counter{batch: 10, limit: func() int { return int(there.Load()) }}
	b := newBed(t, parts{source: func() connect.SourceTask { return task }, worker: func(c *Config) { c.GracefulTimeout = 50 * time.Millisecond }})
	b.start()
	b.untilStored(100)
	var refused atomic.Int64
	var healed atomic.Bool
	b.onProduce("numbers", func() (int16, bool) { refused.Add(1); return kerr.NotEnoughReplicas.Code, !healed.Load() })
	there.Store(200)
	b.until("Kafka refuses", func() bool { return refused.Load() > 0 })
	b.stop()
	if s := b.heard.last(theTask); s.State != Unassigned {
		t.Errorf("the task that was killed is %s: %s", s.State, s.Trace)
	}
	if n := b.stored(); n != 100 {
		t.Errorf("position %d is stored, but only 100 were acknowledged", n)
	}
	healed.Store(true)
	b.start()
	b.untilStored(200)
	b.stop()
	seen := make(map[string]bool)
	var first []string
	for _, v := range b.topic() {
		if !seen[v] {
			seen[v] = true
			first = append(first, v)
		}
	}
	sameNumbers(t, first, numbers(1, 200))
}

func TestASourceStoresNoOffsetOfWhatKafkaDoesNotAcknowledge(t *testing.T) {
	b := sourceBed(t, &counter{to: 100, batch: 10}, nil)
	heal := b.refuse("numbers", kerr.NotEnoughReplicas.Code)
	b.start()
	b.untilState(Running)
	for range 20 {
		if n := b.stored(); n != 0 {
			t.Fatalf("position %d is stored while nothing was acknowledged", n)
		}
	}
	heal()
	b.untilStored(100)
	b.stop()
	sameNumbers(t, b.topic(), numbers(1, 100))
}

func TestAnAcknowledgementDoesNotOvertakeAnEarlierOne(t *testing.T) {
	task := &counter{to: 20, batch: 10, topic: func(n int) string {
		if n <= 10 {
			return "slow"
		}
		return "fast"
	}}
	b := newBed(t, parts{source: func() connect.SourceTask { return task }, brokers: 2})
	for i, topic := range []string{"slow", "fast"} {
		if _, err := b.admin.CreateTopic(t.Context(), 1, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
		if err := b.cluster.MoveTopicPartition(topic, 0, int32(i)); err != nil {
			t.Fatal(err)
		}
	}
	heal := b.refuse("slow", kerr.NotEnoughReplicas.Code)
	b.start()
	b.until("the fast topic has its records", func() bool { return len(b.records("fast")) == 10 })
	for range 20 {
		if n := b.stored(); n != 0 {
			t.Fatalf("position %d is stored while the records up to 10 are not acknowledged", n)
		}
	}
	heal()
	b.untilStored(20)
	b.stop()
	if n := len(b.records("slow")); n != 10 {
		t.Errorf("the slow topic has %d records", n)
	}
}

func TestABadRecordOfASourceFailsTheTask(t *testing.T) {
	for _, c := range []struct {
		value, trace string
	}{
		{"bad", "a bad value"},
		{"fail", "a value that no sieve takes"},
		{"tremble", "not now"},
	} {
		t.Run(c.value, func(t *testing.T) {
			b := sourceBed(t, &counter{to: 10, batch: 2, values: map[int]string{5: c.value}}, sieved)
			b.start()
			b.untilState(Failed)
			trace := b.heard.last(theTask).Trace
			if !strings.HasPrefix(trace, "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\nCaused by: org.apache.kafka.connect.errors.") || !strings.Contains(trace, c.trace) {
				t.Errorf("the trace is %s", trace)
			}
			b.untilStored(4)
			b.stop()
			sameNumbers(t, b.topic(), numbers(1, 4))
			if s := b.heard.last(theTask).State; s != Failed {
				t.Errorf("a failed task that is revoked shows %s", s)
			}
		})
	}
}

func TestRecordsBeforeABadOneOfTheSamePollAreSent(t *testing.T) {
	for _, c := range []struct {
		name   string
		values map[int]string
		stored int
		want   []string
	}{
		{"a conversion fails", map[int]string{5: "bad"}, 4, numbers(1, 4)},
		{"a transformation fails", map[int]string{5: "fail"}, 4, numbers(1, 4)},
		{"a conversion fails before a transformation", map[int]string{5: "bad", 6: "fail"}, 4, numbers(1, 4)},
		{"a transformation fails before a conversion", map[int]string{5: "fail", 6: "bad"}, 4, numbers(1, 4)},
		// The offset of what was dropped is not stored for its own sake, as in Java.
		{"records were dropped before", map[int]string{2: "drop", 4: "drop", 5: "bad"}, 3, []string{"1", "3"}},
		{"the first fails", map[int]string{1: "fail"}, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := sourceBed(t, &counter{to: 10, batch: 10, values: c.values}, sieved)
			b.start()
			b.untilState(Failed)
			b.stop()
			if n := b.stored(); n != c.stored {
				t.Errorf("position %d is stored, want %d", n, c.stored)
			}
			sameNumbers(t, b.topic(), c.want)
		})
	}
}

func TestASourceThatTriesARecordAgainStopsPromptly(t *testing.T) {
	b := sourceBed(t, &counter{to: 10, batch: 10, values: map[int]string{5: "never"}},
		config.Map{"errors.retry.timeout": "-1", "errors.tolerance": "all", "transforms": "s", "transforms.s.type": "Sieve"})
	b.start()
	b.until("the record is tried", func() bool { return b.tried.Load() > 0 })
	task := b.running(theTask)
	b.stop()
	select {
	case <-task.done:
	default:
		t.Error("it was left behind")
	}
	if n := b.stored(); n != 4 {
		t.Errorf("position %d is stored, want 4", n)
	}
	sameNumbers(t, b.topic(), numbers(1, 4))
	if diff := cmp.Diff([]State{Running, Unassigned}, b.heard.states()); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestABadRecordOfASourceIsSkippedUnderTolerance(t *testing.T) {
	task := &counter{to: 10, batch: 3, values: map[int]string{5: "bad", 6: "fail", 7: "drop", 10: "bad"}}
	b := sourceBed(t, task, config.Map{"errors.tolerance": "all", "transforms": "s", "transforms.s.type": "Sieve"})
	b.start()
	b.untilStored(10) // what is left out moves the offset all the same
	b.stop()
	sameNumbers(t, b.topic(), []string{"1", "2", "3", "4", "8", "9"})
}

func TestAConversionThatMayWorkLaterIsTriedAgain(t *testing.T) {
	for _, value := range []string{"shaky", "tremble"} {
		t.Run(value, func(t *testing.T) {
			b := sourceBed(t, &counter{to: 3, batch: 10, values: map[int]string{2: value}},
				config.Map{"errors.retry.timeout": "-1", "errors.retry.delay.max.ms": "5", "transforms": "s", "transforms.s.type": "Sieve"})
			b.start()
			b.until("the task has stored its last position, or failed", func() bool { return b.stored() == 3 || b.heard.last(theTask).State == Failed })
			if s := b.heard.last(theTask); s.State == Failed {
				t.Errorf("errors.retry.timeout is not heeded: %s", s.Trace)
			}
			b.stop()
			sameNumbers(t, b.topic(), []string{"1", value, "3"})
		})
	}
}

func TestWhatWasPolledBeforeAnErrorIsSentAllTheSame(t *testing.T) {
	b := sourceBed(t, &counter{to: 100, batch: 10, after: func(next int) error {
		if next > 20 {
			return errors.New("the table is gone")
		}
		return nil
	}}, nil)
	b.start()
	b.untilState(Failed)
	b.untilStored(20)
	b.stop()
	sameNumbers(t, b.topic(), numbers(1, 20))
	if trace := b.heard.last(theTask).Trace; !strings.Contains(trace, "the table is gone") {
		t.Errorf("the trace is %s", trace)
	}
}

func TestAPollThatFailsForAWhileIsTriedAgain(t *testing.T) {
	failures := 0
	b := sourceBed(t, &counter{to: 20, batch: 10, poll: func(next int) error {
		if next == 11 && failures < 3 {
			failures++
			return connect.NewRetriable("the database is down", nil)
		}
		return nil
	}}, nil)
	b.start()
	b.untilStored(20)
	b.stop()
	sameNumbers(t, b.topic(), numbers(1, 20))
	if diff := cmp.Diff([]State{Running, Unassigned}, b.heard.states()); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestAPanicOfASourceFailsItsTaskAlone(t *testing.T) {
	task := &counter{to: 10, batch: 5, poll: func(next int) error {
		if next > 5 {
			panic("no such column")
		}
		return nil
	}}
	b := sourceBed(t, task, nil)
	b.start()
	b.untilState(Failed)
	if trace := b.heard.last(theTask).Trace; !strings.Contains(trace, "the plugin panicked: no such column") {
		t.Errorf("the trace is %s", trace)
	}
	b.untilStored(5)
	b.stop()
	if task.stops != 1 {
		t.Errorf("the task was stopped %d times", task.stops)
	}
}

func TestASourceStartsWhenItsSurroundingsAreThere(t *testing.T) {
	task := &counter{to: 5, batch: 5, start: func(attempt int) error {
		if attempt < 3 {
			return connect.NewRetriable("the database is down", nil)
		}
		return nil
	}}
	b := sourceBed(t, task, nil)
	b.start()
	b.untilStored(5)
	b.stop()
	if diff := cmp.Diff([]State{Running, Unassigned}, b.heard.states()); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if task.stops != 1 {
		t.Errorf("the task was stopped %d times", task.stops)
	}
}

func TestASourceThatCannotStartIsFailedAndStopped(t *testing.T) {
	task := &counter{start: func(int) error { return errors.New("wrong password") }}
	b := sourceBed(t, task, nil)
	b.start()
	b.untilState(Failed)
	b.stop()
	if task.starts != 1 || task.stops != 1 {
		t.Errorf("%d starts and %d stops", task.starts, task.stops)
	}
}

func TestAPausedSourceIsNotPolled(t *testing.T) {
	var polls atomic.Int64
	task := &counter{to: 1 << 30, batch: 1, poll: func(int) error { polls.Add(1); return nil }}
	b := sourceBed(t, task, nil)
	b.startTask(0, TargetPaused)
	b.untilState(Paused)
	if n := polls.Load(); n != 0 {
		t.Errorf("a task that is assigned paused was polled %d times", n)
	}
	b.worker.SetTarget("c", TargetRunning, func(error) {})
	b.until("rows flow", func() bool { return b.stored() > 10 })
	b.worker.SetTarget("c", TargetPaused, func(error) {})
	b.untilState(Paused)
	n := polls.Load()
	b.until("everything is stored", func() bool { return b.stored() == len(b.topic()) })
	if more := polls.Load(); more != n {
		t.Errorf("the paused task was polled %d times", more-n)
	}
	b.stop()
	if diff := cmp.Diff([]State{Paused, Running, Paused, Unassigned}, b.heard.states()); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestARecordArrivesWithEverythingThatItHas(t *testing.T) {
	at := time.Now().Add(-time.Second).Truncate(time.Millisecond)
	task := &counter{to: 3, batch: 10, values: map[int]string{1: ""}, shape: func(n int, r *connect.Record) {
		switch n {
		case 1: // a null key and an empty value, which is no tombstone
			r.Partition = 1
		case 2:
			r.KeySchema, r.Key = data.StringSchema, data.StringOf("k")
			r.Timestamp, r.Partition = at.UnixMilli(), 2
			r.Headers = []connect.Header{{Key: "h", Schema: data.StringSchema, Value: data.StringOf("v")}}
		case 3: // a tombstone
			r.KeySchema, r.Key, r.ValueSchema, r.Value = data.StringSchema, data.StringOf(""), nil, data.Null
			r.Partition = 2
		}
	}}
	b := newBed(t, parts{source: func() connect.SourceTask { return task }, partitions: 3})
	b.start()
	b.untilStored(3)
	b.stop()
	var got []string
	for _, r := range b.records("numbers") {
		text := fmt.Sprintf("%d: %s=%s", r.Partition, show(r.Key), show(r.Value))
		for _, h := range r.Headers {
			text += fmt.Sprintf(" %s=%s", h.Key, show(h.Value))
		}
		if r.Timestamp.Equal(at) {
			text += " at the time given"
		}
		got = append(got, text)
	}
	want := []string{`1: null=""`, `2: "k"="2" h="v" at the time given`, `2: ""=null`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestATaskThatIsAssignedPausedStartsWhenItIsResumed(t *testing.T) {
	sourceTask, sinkTask := &counter{to: 3, batch: 3}, &collector{}
	for _, p := range []parts{
		{source: func() connect.SourceTask { return sourceTask }},
		{sink: func() connect.SinkTask { return sinkTask }},
	} {
		b := newBed(t, p)
		b.startTask(0, TargetPaused)
		b.untilState(Paused)
		if sourceTask.starts+sinkTask.starts > 0 && p.source != nil || sinkTask.starts > 0 {
			t.Error("it was started")
		}
		b.worker.SetTarget("c", TargetRunning, func(error) {})
		if p.source != nil {
			b.untilStored(3)
		} else {
			b.produce("1")
			b.untilCommitted(1)
		}
		b.stop()
		if diff := cmp.Diff([]State{Paused, Running, Unassigned}, b.heard.states()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	}
}

func TestATaskThatWasNeverStartedIsNotStopped(t *testing.T) {
	for name, newTask := range map[string]func() (b *bed, starts, stops *int){
		"source": func() (*bed, *int, *int) {
			task := &counter{}
			return sourceBed(t, task, nil), &task.starts, &task.stops
		},
		"sink": func() (*bed, *int, *int) {
			task := &collector{}
			return sinkBed(t, task, nil), &task.starts, &task.stops
		},
	} {
		b, starts, stops := newTask()
		b.startTask(0, TargetPaused)
		b.untilState(Paused)
		b.stop()
		if *starts != 0 || *stops != 0 {
			t.Errorf("%s: %d starts and %d stops of a task that was paused all the time", name, *starts, *stops)
		}
	}
}

func TestATaskThatWaitsForItsSurroundingsCanBePaused(t *testing.T) {
	for _, where := range []string{"start", "poll"} {
		down := func(int) error { return connect.NewRetriable("no route to the database", nil) }
		task := &counter{to: 3, batch: 3}
		if where == "start" {
			task.start = down
		} else {
			task.poll = down
		}
		b := sourceBed(t, task, nil)
		b.start()
		b.until("it waits, and says so", func() bool {
			b.later.Add(int64(time.Second))
			return strings.Contains(b.heard.last(theTask).Trace, "no route to the database")
		})
		b.worker.SetTarget("c", TargetPaused, func(error) {})
		b.untilState(Paused)
		b.worker.SetTarget("c", TargetRunning, func(error) {})
		b.until("it waits again, and says so", func() bool {
			return b.heard.last(theTask).State == Running && strings.Contains(b.heard.last(theTask).Trace, "no route to the database")
		})
		b.stop()
	}
}

// past gives records a timestamp of long before now less any timeout.
func past(_ int, r *connect.Record) { r.Timestamp = time.Now().AddDate(-1, 0, 0).UnixMilli() }

func TestARecordOfThePastIsTaken(t *testing.T) {
	for _, cfg := range []config.Map{nil, {"producer.override.delivery.timeout.ms": "30001"}, {"producer.override.delivery.timeout.ms": "2147483647"}} {
		b := sourceBed(t, &counter{to: 5, batch: 5, shape: past}, cfg)
		b.start()
		b.until("the records are stored, or the task fails", func() bool { return b.stored() == 5 || b.heard.last(theTask).State == Failed })
		if s := b.heard.last(theTask); s.State == Failed {
			t.Errorf("%v: the task failed: %s", cfg, s.Trace)
		}
		b.stop()
	}
}

func TestARecordThatKafkaLetsWaitTooLongFailsTheTask(t *testing.T) {
	for _, tolerance := range []string{"none", "all"} {
		var there atomic.Int64
		there.Store(5)
		source := &counter{limit: func() int { return int(there.Load()) }, batch: 5, shape: past}
		b := newBed(t, parts{source: func() connect.SourceTask { return source },
			config: config.Map{"producer.override.delivery.timeout.ms": "40000", "errors.tolerance": tolerance},
			worker: func(c *Config) { c.FlushTimeout = 50 * time.Millisecond }})
		b.start()
		b.untilStored(5)
		heal := b.refuse("numbers", kerr.NotLeaderForPartition.Code)
		there.Store(10)
		task := b.running(theTask)
		b.until("records wait", func() bool { return b.refused.Load() > 0 })
		b.later.Store(int64(39 * time.Second))
		b.until("the wait is shown", func() bool { return b.heard.last(theTask).Trace != "" })
		if s := b.heard.last(theTask); s.State != Running {
			t.Errorf("it is %s before its time: %s", s.State, s.Trace)
		}
		b.later.Store(int64(41 * time.Second))
		b.untilState(Failed)
		if trace := b.heard.last(theTask).Trace; !strings.Contains(trace, "\nCaused by: org.apache.kafka.common.errors.TimeoutException: ") {
			t.Errorf("the trace is %s", trace)
		}
		<-task.done
		if n := b.stored(); n != 5 {
			t.Errorf("position %d is stored, but only 5 were acknowledged", n)
		}
		heal()
		b.stop()
	}
}

func show(b []byte) string {
	if b == nil {
		return "null"
	}
	return strconv.Quote(string(b))
}

func TestARecordThatKafkaRefusesFailsTheTask(t *testing.T) {
	var there atomic.Int64
	there.Store(10)
	b := sourceBed(t, &counter{batch: 10, limit: func() int { return int(there.Load()) }}, nil)
	b.start()
	b.untilStored(10)
	b.refuse("numbers", kerr.MessageTooLarge.Code)
	there.Store(20)
	b.untilState(Failed)
	if trace := b.heard.last(theTask).Trace; !strings.HasPrefix(trace, "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback\nCaused by: ") {
		t.Errorf("the trace is %s", trace)
	}
	b.stop()
	if n := b.stored(); n != 10 {
		t.Errorf("position %d is stored, but only 10 were acknowledged", n)
	}
}

func TestARecordThatKafkaRefusesIsSkippedUnderTolerance(t *testing.T) {
	b := sourceBed(t, &counter{to: 10, batch: 10}, config.Map{"errors.tolerance": "all"})
	b.refuse("numbers", kerr.MessageTooLarge.Code)
	b.start()
	b.untilStored(10)
	b.stop()
}

func TestASourceTopicIsMadeByTheRules(t *testing.T) {
	task := &counter{to: 3, batch: 1, topic: func(int) string { return "made" }}
	b := newBed(t, parts{source: func() connect.SourceTask { return task }, worker: func(c *Config) { c.TopicCreation = true },
		config: config.Map{"topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "1", "topic.creation.default.cleanup.policy": "compact"}})
	b.start()
	b.untilStored(3)
	b.stop()
	ends, err := b.admin.ListEndOffsets(t.Context(), "made")
	if err != nil || len(ends["made"]) != 3 {
		t.Errorf("the topic has %d partitions, %v", len(ends["made"]), err)
	}
	if p := b.cluster.TopicInfo("made").Configs["cleanup.policy"]; p == nil || *p != "compact" {
		t.Errorf("the topic's cleanup.policy is %v", p)
	}
	if !slices.Contains(b.heard.topics, "made") {
		t.Errorf("the topics that were reported are %v", b.heard.topics)
	}
}

func TestASourceHeedsThePartitionerOfItsProducer(t *testing.T) {
	task := &counter{to: 90, batch: 30, shape: func(_ int, r *connect.Record) {
		r.KeySchema, r.Key = data.StringSchema, data.StringOf("always the same")
	}}
	b := newBed(t, parts{source: func() connect.SourceTask { return task }, partitions: 3,
		config: config.Map{"producer.override.partitioner.class": "org.apache.kafka.clients.producer.RoundRobinPartitioner"}})
	b.start()
	b.untilStored(90)
	b.stop()
	in := make(map[int32]int)
	for _, r := range b.records("numbers") {
		in[r.Partition]++
	}
	// Promise 9: a setting that is accepted does what it says.
	if diff := cmp.Diff(map[int32]int{0: 30, 1: 30, 2: 30}, in); diff != "" {
		t.Errorf("records by partition under RoundRobinPartitioner (-want +got):\n%s", diff)
	}
}

// A write that was broken off may arrive behind the next one, with older offsets.
func TestACommitThatTakesLongIsNotBrokenOffForANewerOne(t *testing.T) {
	var there atomic.Int64
	there.Store(5)
	task := &counter{batch: 5, limit: func() int { return int(there.Load()) }}
	b := newBed(t, parts{source: func() connect.SourceTask { return task }, worker: func(c *Config) { c.FlushTimeout = 20 * time.Millisecond }})
	core, told := observer.New(zap.WarnLevel)
	b.worker.log = zap.New(core)
	b.start()
	b.untilStored(5)

	var commits atomic.Int64
	arrived, answer := make(chan struct{}), make(chan struct{})
	b.onProduce("offsets", func() (int16, bool) {
		if commits.Add(1) == 1 {
			b.cluster.SleepControl(func() { close(arrived); <-answer })
		}
		return 0, false
	})
	there.Store(10)
	<-arrived
	there.Store(15)
	b.until("there are newer offsets", func() bool { return len(b.topic()) == 15 })
	b.until("the worker says that the commit takes long", func() bool { return told.FilterMessageSnippet("offset.flush.timeout.ms").Len() > 0 })
	if n := b.stored(); n != 5 || commits.Load() != 1 {
		t.Errorf("position %d is stored and %d commits were sent before the first of them was answered", n, commits.Load())
	}
	close(answer)
	b.untilStored(15)
	b.stop()
	var stored []string
	for _, r := range b.records("offsets") {
		stored = append(stored, string(r.Value))
	}
	if diff := cmp.Diff([]string{`{"n":5}`, `{"n":10}`, `{"n":15}`}, stored); diff != "" {
		t.Error("the offsets topic (-want +got):\n" + diff)
	}
}

func TestASourceHearsThatItsOffsetsAreStored(t *testing.T) {
	task := &counter{to: 1 << 30, batch: 1}
	b := sourceBed(t, task, nil)
	b.start()
	b.until("Committed is called", func() bool { return task.told.Load() > 1 })
	if n := b.stored(); n == 0 {
		t.Error("nothing is stored")
	}
	b.stop()
}

func TestEachPartitionOfASourceHasItsOffset(t *testing.T) {
	odd := &connect.SourcePartition{Fields: []connect.Field{{Name: "p", Value: data.StringOf("odd")}}}
	task := &counter{to: 101, batch: 10, shape: func(n int, r *connect.Record) {
		if n%2 == 1 {
			r.Source = odd
		}
	}}
	b := sourceBed(t, task, nil)
	b.start()
	b.untilStored(100)
	b.stop()
	o, err := (&offsetReader{storage.InWorkerTopic("c", b.offsets)}).Offset(t.Context(), odd)
	if err != nil || o.Get("n").Int() != 101 {
		t.Errorf("the odd partition is at %s, %v", o, err)
	}
}

func TestASourceThatWaitsSaysSoInItsStatus(t *testing.T) {
	var down atomic.Bool
	task := &counter{to: 1 << 30, batch: 10, poll: func(int) error {
		if down.Load() {
			return connect.NewRetriable("no route to the database", nil)
		}
		return nil
	}}
	b := sourceBed(t, task, nil)
	b.start()
	b.until("rows flow", func() bool { return b.stored() > 10 })
	down.Store(true)
	wait := func(shown bool) {
		t.Helper()
		b.until(fmt.Sprintf("what it waits for is shown: %t", shown), func() bool {
			s := b.heard.last(theTask)
			return s.State == Running && strings.Contains(s.Trace, "no route to the database") == shown
		})
	}
	b.until("the task waits", func() bool { b.later.Add(int64(time.Second)); return b.heard.last(theTask).Trace != "" })
	wait(true)
	// A pause and a resume do not make the database come back (Promise 5).
	b.worker.SetTarget("c", TargetPaused, func(error) {})
	b.untilState(Paused)
	b.worker.SetTarget("c", TargetRunning, func(error) {})
	b.until("it runs again", func() bool { return b.heard.last(theTask).State == Running })
	b.later.Add(int64(time.Minute))
	wait(true)
	down.Store(false)
	wait(false)
	b.stop()
}

func TestASourceThatKafkaKeptWaitingIsWellAgainWithoutNewRows(t *testing.T) {
	b := sourceBed(t, &counter{to: 10, batch: 10}, nil)
	heal := b.refuse("numbers", kerr.NotEnoughReplicas.Code)
	b.start()
	b.untilState(Running)
	b.until("Kafka's silence is shown", func() bool {
		b.later.Add(int64(time.Second))
		return strings.Contains(b.heard.last(theTask).Trace, "Kafka has not acknowledged")
	})
	heal()
	b.untilStored(10)
	b.until("the status is well again", func() bool { return b.heard.last(theTask).Trace == "" })
	b.stop()
}

func TestASourceStopsInTimeWhenKafkaIsGone(t *testing.T) {
	task := &counter{to: 1 << 30, batch: 100}
	b := newBed(t, parts{source: func() connect.SourceTask { return task }, worker: func(c *Config) { c.GracefulTimeout, c.FlushTimeout = 100*time.Millisecond, 100*time.Millisecond },
		config: config.Map{"producer.override.buffer.memory": "4096"}})
	b.start()
	b.until("rows flow", func() bool { return b.stored() > 10 })
	b.cluster.Close()
	ending := b.running(theTask)
	b.stop()
	<-ending.done
	if s := b.heard.last(theTask); s.State != Unassigned {
		t.Errorf("the task is %s: %s", s.State, s.Trace)
	}
	if task.stops != 1 {
		t.Errorf("the task was stopped %d times", task.stops)
	}
}

func TestASourceKeepsFewRecordsInFlight(t *testing.T) {
	var read atomic.Int64
	task := &counter{to: 1 << 30, batch: 10, shape: func(int, *connect.Record) { read.Add(1) }, values: map[int]string{}}
	wide := strings.Repeat("x", 1000)
	task.shape = func(_ int, r *connect.Record) { read.Add(1); r.Value = data.StringOf(wide) }
	b := sourceBed(t, task, config.Map{"producer.override.buffer.memory": "100000"})
	heal := b.refuse("numbers", kerr.NotEnoughReplicas.Code)
	b.start()
	// Promise 6: it reads on until the producer's memory is full, and no further.
	b.until("the task reads", func() bool { return read.Load() >= 100 })
	quiet, last := 0, int64(0)
	b.until("the task reads no more", func() bool {
		n := read.Load()
		if n != last {
			quiet, last = 0, n
		}
		quiet++
		return quiet > 50
	})
	if last > 200 {
		t.Errorf("%d records of 1 KB were read while the producer may hold 100 of them", last)
	}
	heal()
	b.stop()
}
