package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/group"
)

// sinkBed is a bed with one sink task, which every start uses again.
func sinkBed(t *testing.T, task connect.SinkTask, cfg config.Map) *bed {
	t.Helper()
	return newBed(t, parts{sink: func() connect.SinkTask { return task }, config: cfg})
}

// deadLettered is the configuration of a sink with a dead letter queue.
func deadLettered(tolerance string, extra config.Map) config.Map {
	m := config.Map{"errors.tolerance": tolerance, "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"}
	maps.Copy(m, extra)
	return m
}

func TestASinkCommitsWhatWasPut(t *testing.T) {
	task := &collector{}
	b := sinkBed(t, task, nil)
	b.produce(numbers(1, 20)...)
	b.start()
	b.untilCommitted(20)
	b.produce("21")
	b.until("the next one arrives", func() bool { return strings.HasSuffix(task.values(), " 21") })
	b.stop()
	if got, want := task.values(), strings.Join(numbers(1, 21), " "); got != want {
		t.Errorf("the sink has %s", got)
	}
	if n := b.committed(); n != 21 {
		t.Errorf("offset %d is committed after the stop, want 21", n)
	}
	if task.starts != 1 || task.stops != 1 {
		t.Errorf("%d starts and %d stops", task.starts, task.stops)
	}
}

func TestASinkThatIsStoppedInTheMiddleLosesAndRepeatsNothing(t *testing.T) {
	task := &collector{}
	b := sinkBed(t, task, config.Map{"consumer.override.max.poll.records": "3"})
	have := func() int { return len(strings.Fields(task.values())) }
	next := 1
	for range 4 {
		b.produce(numbers(next, next+29)...)
		before := have()
		b.start()
		b.until("some arrive", func() bool { return have() > before })
		b.stop()
		next += 30
	}
	b.start()
	b.until("all arrive", func() bool { return have() >= next-1 })
	b.stop()
	sameNumbers(t, strings.Fields(task.values()), numbers(1, next-1))
}

func TestASinkRepeatsADeliveryWhileTheErrorIsRetriable(t *testing.T) {
	var tried []int
	task := &collector{}
	task.fail = func(put int, records []connect.Record) error {
		if put > 1 {
			tried = append(tried, len(records))
		}
		if put > 1 && put <= 4 {
			return &connect.Error{Kind: connect.Retriable, Message: "the database is down", RetryAfter: time.Millisecond}
		}
		return nil
	}
	b := sinkBed(t, task, deadLettered("all", config.Map{"consumer.override.max.poll.records": "1"}))
	b.produce(numbers(1, 5)...)
	b.start()
	b.untilCommitted(5)
	b.stop()
	if got := task.values(); got != "1 2 3 4 5" {
		t.Errorf("the sink has %s", got)
	}
	if n := len(b.records("dead")); n != 0 { // Promise 4
		t.Errorf("%d good records went to the dead letter queue", n)
	}
	if diff := cmp.Diff([]int{1, 1, 1, 1}, tried[:4]); diff != "" {
		t.Errorf("records of each delivery (-want +got):\n%s", diff)
	}
}

func TestNothingOfAFailingDeliveryIsCommitted(t *testing.T) {
	var down atomic.Bool
	var failures atomic.Int64
	task := &collector{fail: func(int, []connect.Record) error {
		if down.Load() {
			failures.Add(1)
			return &connect.Error{Kind: connect.Retriable, Message: "the database is down", RetryAfter: time.Millisecond}
		}
		return nil
	}}
	b := sinkBed(t, task, nil)
	b.produce("1")
	b.start()
	b.untilCommitted(1)
	down.Store(true)
	b.produce("2", "3")
	b.until("Put fails", func() bool { return failures.Load() > 20 })
	b.stop()
	if n := b.committed(); n != 1 {
		t.Errorf("offset %d is committed, want 1", n)
	}
	if s := b.heard.last(theTask); s.State != Unassigned {
		t.Errorf("a task that was stopped while it waits is %s: %s", s.State, s.Trace)
	}
	down.Store(false)
	b.start()
	b.untilCommitted(3)
	b.stop()
	if got := task.values(); got != "1 2 3" {
		t.Errorf("the sink has %s", got)
	}
}

func TestAPutThatFailsForGoodFailsTheTaskAfterWhatCameBefore(t *testing.T) {
	for _, panics := range []bool{false, true} {
		t.Run(fmt.Sprintf("panics %t", panics), func(t *testing.T) {
			task := &collector{fail: func(_ int, records []connect.Record) error {
				if records[0].Value.Str() != "3" {
					return nil
				}
				if panics {
					panic("value too long")
				}
				return errors.New("value too long")
			}}
			b := sinkBed(t, task, config.Map{"consumer.override.max.poll.records": "1"})
			b.produce(numbers(1, 5)...)
			b.start()
			b.untilState(Failed)
			trace := b.heard.last(theTask).Trace
			if !strings.HasPrefix(trace, "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\nCaused by: ") || !strings.Contains(trace, "value too long") {
				t.Errorf("the trace is %s", trace)
			}
			b.stop()
			if n := b.committed(); n != 2 {
				t.Errorf("offset %d is committed, want 2", n)
			}
			if got := task.values(); got != "1 2" || task.stops != 1 {
				t.Errorf("the sink has %s and was stopped %d times", got, task.stops)
			}
		})
	}
}

func TestASinkStartsWhenItsSurroundingsAreThere(t *testing.T) {
	task := &collector{start: func(attempt int) error {
		if attempt < 3 {
			return connect.NewRetriable("the database is down", nil)
		}
		return nil
	}}
	b := sinkBed(t, task, nil)
	b.produce("1")
	b.start()
	b.untilCommitted(1)
	b.stop()
	if diff := cmp.Diff([]State{Running, Unassigned}, b.heard.states()); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestASinkThatCannotStartIsFailedAndStopped(t *testing.T) {
	task := &collector{start: func(int) error { return errors.New("wrong password") }}
	b := sinkBed(t, task, nil)
	b.start()
	b.untilState(Failed)
	b.stop()
	if task.starts != 1 || task.stops != 1 {
		t.Errorf("%d starts and %d stops", task.starts, task.stops)
	}
}

func TestABadRecordOfASinkFailsTheTaskAfterWhatCameBefore(t *testing.T) {
	task := &collector{}
	b := sinkBed(t, task, config.Map{"consumer.override.max.poll.records": "1"})
	b.produce("1", "2", "bad", "4")
	b.start()
	b.untilState(Failed)
	b.stop()
	if got := task.values(); got != "1 2" {
		t.Errorf("the sink has %s", got)
	}
	if n := b.committed(); n != 2 {
		t.Errorf("offset %d is committed, want 2", n)
	}
	if trace := b.heard.last(theTask).Trace; !strings.HasPrefix(trace, "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\nCaused by: org.apache.kafka.connect.errors.DataException: a bad value") {
		t.Errorf("the trace is %s", trace)
	}
}

// TestABadRecordKeepsOnlyItsOwnPollOut: a busy sink merges polls into one
// delivery, and those before the one with the bad record are put, as in Java.
func TestABadRecordKeepsOnlyItsOwnPollOut(t *testing.T) {
	entered, goOn := make(chan struct{}, 10), make(chan struct{})
	task := &collector{enter: func(context.Context) error { entered <- struct{}{}; <-goOn; return nil }}
	b := sinkBed(t, task, config.Map{"consumer.override.fetch.max.wait.ms": "10"})
	b.produce("1")
	b.start()
	<-entered // the next polls gather in one delivery
	before := len(b.heard.usedTopics())
	b.produce("2")
	b.until("the second poll came", func() bool { return len(b.heard.usedTopics()) > before })
	b.produce("3", "bad")
	b.until("the third poll came", func() bool { return len(b.heard.usedTopics()) > before+1 })
	close(goOn)
	b.untilState(Failed)
	b.stop()
	if got := task.values(); got != "1 2" {
		t.Errorf("the sink has %s", got)
	}
	if n := b.committed(); n != 2 {
		t.Errorf("offset %d is committed, want 2", n)
	}
}

func TestASinkConversionThatMayWorkLaterIsTriedAgain(t *testing.T) {
	for _, value := range []string{"shaky", "tremble"} {
		t.Run(value, func(t *testing.T) {
			task := &collector{}
			b := sinkBed(t, task, config.Map{"errors.retry.timeout": "-1", "errors.retry.delay.max.ms": "5", "transforms": "s", "transforms.s.type": "Sieve"})
			b.produce("1", value, "3")
			b.start()
			b.until("all is committed, or the task fails", func() bool { return b.committed() == 3 || b.heard.last(theTask).State == Failed })
			if s := b.heard.last(theTask); s.State == Failed {
				t.Errorf("errors.retry.timeout is not heeded: %s", s.Trace)
			}
			b.stop()
			if got := task.values(); got != "1 "+value+" 3" {
				t.Errorf("the sink has %s", got)
			}
		})
	}
}

func TestABadRecordGoesToTheDeadLetterQueueWithItsContext(t *testing.T) {
	long := time.Date(2023, 4, 4, 21, 22, 51, 0, time.UTC)
	for _, c := range []struct {
		name   string
		record kgo.Record
		want   string
	}{
		{"value", kgo.Record{Value: []byte("bad")}, `stage="VALUE_CONVERTER" class.name="Text" exception.class.name="org.apache.kafka.connect.errors.DataException" exception.message="a bad value" ` +
			`exception.stacktrace="org.apache.kafka.connect.errors.DataException: a bad value\n"`},
		{"key", kgo.Record{Key: []byte("bad"), Value: []byte("v")}, `stage="KEY_CONVERTER" class.name="Text" exception.class.name="org.apache.kafka.connect.errors.DataException" exception.message="a bad value" ` +
			`exception.stacktrace="org.apache.kafka.connect.errors.DataException: a bad value\n"`},
		{"header", kgo.Record{Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("bad")}}}, `stage="HEADER_CONVERTER" class.name="Text" exception.class.name="org.apache.kafka.connect.errors.DataException" exception.message="a bad value" ` +
			`exception.stacktrace="org.apache.kafka.connect.errors.DataException: a bad value\n"`},
		{"transformation", kgo.Record{Value: []byte("fail")}, `stage="TRANSFORMATION" class.name="Sieve" exception.class.name="org.apache.kafka.connect.errors.DataException" exception.message="a value that no sieve takes" ` +
			`exception.stacktrace="org.apache.kafka.connect.errors.DataException: a value that no sieve takes\n"`},
		{"put", kgo.Record{Value: []byte("too long")}, `stage="TASK_PUT" class.name="org.apache.kafka.connect.sink.SinkTask" exception.class.name="org.apache.kafka.connect.errors.ConnectException" exception.message="no" ` +
			`exception.stacktrace="org.apache.kafka.connect.errors.ConnectException: no\n"`},
		{"of the past", kgo.Record{Value: []byte("bad"), Timestamp: long}, `stage="VALUE_CONVERTER" class.name="Text" exception.class.name="org.apache.kafka.connect.errors.DataException" exception.message="a bad value" ` +
			`exception.stacktrace="org.apache.kafka.connect.errors.DataException: a bad value\n"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := &collector{}
			task.fail = func(_ int, records []connect.Record) error {
				for i := range records {
					if records[i].Value.Str() == "too long" {
						return task.env.Reporter.Report(t.Context(), &records[i], errors.New("no"))
					}
				}
				return nil
			}
			b := sinkBed(t, task, deadLettered("all", config.Map{"errors.deadletterqueue.context.headers.enable": "true", "transforms": "s", "transforms.s.type": "Sieve"}))
			b.produce("1")
			b.produceRecords(&c.record)
			b.produce("3")
			b.start()
			b.until("all is committed, or the task fails", func() bool { return b.committed() == 3 || b.heard.last(theTask).State == Failed })
			if s := b.heard.last(theTask); s.State == Failed {
				t.Fatalf("the task failed: %s", s.Trace)
			}
			b.stop()
			if got := strings.ReplaceAll(task.values(), "too long ", ""); got != "1 3" {
				t.Errorf("the sink has %s", got)
			}
			all := b.records("dead")
			if len(all) != 1 {
				t.Fatalf("there are %d dead letters", len(all))
			}
			dead := all[0]
			var own, got []string
			for _, h := range dead.Headers {
				if name, context := strings.CutPrefix(h.Key, "__connect.errors."); context {
					got = append(got, fmt.Sprintf("%s=%q", name, h.Value))
				} else {
					own = append(own, fmt.Sprintf("%s=%q", h.Key, h.Value))
				}
			}
			want := `topic="numbers" partition="0" offset="1" connector.name="c" task.id="0" ` + c.want
			if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
				t.Errorf("context headers (-want +got):\n%s", diff)
			}
			if len(own) != len(c.record.Headers) || show(dead.Key) != show(c.record.Key) || show(dead.Value) != show(c.record.Value) {
				t.Errorf("the dead letter is %s=%s with headers %v", show(dead.Key), show(dead.Value), own)
			}
			if !c.record.Timestamp.IsZero() && !dead.Timestamp.Equal(c.record.Timestamp) {
				t.Errorf("its timestamp is %s", dead.Timestamp)
			}
		})
	}
}

func TestDeadLettersCarryNoContextUnlessItIsAskedFor(t *testing.T) {
	b := sinkBed(t, &collector{}, deadLettered("all", nil))
	b.produce("bad")
	b.start()
	b.untilCommitted(1)
	b.stop()
	if dead := b.records("dead"); len(dead) != 1 || len(dead[0].Headers) != 0 {
		t.Errorf("the dead letters are %v", dead)
	}
}

func TestAReportedRecordIsTheOneThatWasConsumed(t *testing.T) {
	task := &collector{}
	task.fail = func(_ int, records []connect.Record) error {
		for i := range records {
			if records[i].Value.Str() == "2" {
				if err := task.env.Reporter.Report(t.Context(), &records[i], errors.New("too long")); err != nil {
					return err
				}
			}
		}
		return nil
	}
	b := sinkBed(t, task, deadLettered("none", sieved))
	b.produce("drop", "1", "2", "3")
	b.start()
	b.untilState(Failed)
	b.stop()
	dead := b.records("dead")
	if len(dead) != 1 || string(dead[0].Value) != "2" {
		t.Errorf("the dead letters are %v: also without tolerance the record is reported before the task fails", dead)
	}
}

func TestOffsetsWaitForTheirDeadLetters(t *testing.T) {
	b := sinkBed(t, &collector{}, deadLettered("all", nil))
	if _, err := b.admin.CreateTopic(t.Context(), 1, 1, nil, "dead"); err != nil {
		t.Fatal(err)
	}
	var refused atomic.Int64
	var healed atomic.Bool
	b.onProduce("dead", func() (int16, bool) { refused.Add(1); return kerr.NotEnoughReplicas.Code, !healed.Load() })
	b.produce("1", "bad", "3")
	b.start()
	b.until("Kafka refuses the dead letter", func() bool { return refused.Load() > 0 })
	for range 20 {
		if n := b.committed(); n > 1 {
			t.Fatalf("offset %d is committed without its dead letter", n)
		}
	}
	healed.Store(true)
	b.untilCommitted(3)
	b.stop()
}

func TestATaskThatFailsDoesNotWaitForDeadLettersWithoutEnd(t *testing.T) {
	p := parts{sink: func() connect.SinkTask {
		return &collector{fail: func(int, []connect.Record) error { return errors.New("no such table") }}
	},
		config: deadLettered("all", nil), worker: func(c *Config) { c.FlushTimeout = 50 * time.Millisecond }}
	b := newBed(t, p)
	if _, err := b.admin.CreateTopic(t.Context(), 1, 1, nil, "dead"); err != nil {
		t.Fatal(err)
	}
	b.refuse("dead", kerr.NotEnoughReplicas.Code)
	b.produce("bad", "2")
	b.start()
	b.untilState(Failed)
	b.stop()
	if n := b.committed(); n > 0 {
		t.Errorf("offset %d is committed without its dead letter", n)
	}
}

func TestADeadLetterThatKafkaRefusesFailsTheTask(t *testing.T) {
	b := sinkBed(t, &collector{}, deadLettered("all", nil))
	if _, err := b.admin.CreateTopic(t.Context(), 1, 1, nil, "dead"); err != nil {
		t.Fatal(err)
	}
	b.refuse("dead", kerr.MessageTooLarge.Code)
	b.produce("1", "bad", "3")
	b.start()
	// Promise 5: it must not stay RUNNING without ever committing again.
	b.untilState(Failed)
	b.stop()
	if n := b.committed(); n > 1 {
		t.Errorf("offset %d is committed without its dead letter", n)
	}
}

func TestOffsetsMoveOverRecordsThatAreLeftOut(t *testing.T) {
	task := &collector{}
	b := sinkBed(t, task, sieved)
	b.produce("drop", "drop", "drop")
	b.start()
	b.untilCommitted(3)
	b.stop()
	if got := task.values(); got != "" {
		t.Errorf("the sink has %s", got)
	}
}

func TestAPausedSinkDeliversNothing(t *testing.T) {
	task := &collector{}
	b := sinkBed(t, task, nil)
	b.produce("1")
	b.start()
	b.until("the first arrives", func() bool { return task.values() == "1" })
	b.worker.SetTarget("c", TargetPaused, func(error) {})
	b.untilState(Paused)
	b.produce("2")
	b.untilCommitted(1)
	if got := task.values(); got != "1" {
		t.Errorf("the paused sink has %s", got)
	}
	b.worker.SetTarget("c", TargetRunning, func(error) {})
	b.until("the second arrives", func() bool { return task.values() == "1 2" })
	b.stop()
}

// counted counts the rounds of commits.
type counted struct {
	*collector
	commits atomic.Int64
}

func (c *counted) PreCommit(_ context.Context, offsets map[connect.TopicPartition]int64) (map[connect.TopicPartition]int64, error) {
	c.commits.Add(1)
	return offsets, nil
}

func TestASinkThatWaitsForItsDatabaseCanBePaused(t *testing.T) {
	var down atomic.Bool
	var attempts atomic.Int64
	task := &counted{collector: &collector{fail: func(int, []connect.Record) error {
		attempts.Add(1)
		if down.Load() {
			return &connect.Error{Kind: connect.Retriable, Message: "no route to the database", RetryAfter: time.Millisecond}
		}
		return nil
	}}}
	b := sinkBed(t, task, nil)
	b.produce("1")
	b.start()
	b.untilCommitted(1)
	down.Store(true)
	b.produce("2")
	b.until("it waits", func() bool { return attempts.Load() > 2 })
	b.worker.SetTarget("c", TargetPaused, func(error) {})
	b.untilState(Paused)
	paused, commits := attempts.Load(), task.commits.Load()
	down.Store(false)
	b.until("it goes on committing", func() bool { return task.commits.Load() > commits+3 })
	if n := attempts.Load(); n != paused {
		t.Errorf("%d attempts during the pause", n-paused)
	}
	b.worker.SetTarget("c", TargetRunning, func(error) {})
	b.untilCommitted(2)
	if got := task.values(); got != "1 2" {
		t.Errorf("the sink has %s", got)
	}
	if s := b.heard.last(theTask); s.State != Running || s.Trace != "" {
		t.Errorf("after the pause it is %s: %s", s.State, s.Trace)
	}
	b.stop()
}

func TestASinkThatWaitsForItsDatabaseStopsAtOnce(t *testing.T) {
	var attempts atomic.Int64
	task := &collector{fail: func(int, []connect.Record) error {
		attempts.Add(1)
		return &connect.Error{Kind: connect.Retriable, Message: "no route to the database", RetryAfter: time.Hour}
	}}
	for _, target := range []Target{TargetRunning, TargetPaused} {
		b := newBed(t, parts{sink: func() connect.SinkTask { return task }, worker: func(c *Config) { c.GracefulTimeout = time.Minute }})
		b.produce("1")
		before := attempts.Load()
		b.start()
		b.until("it waits", func() bool { return attempts.Load() > before })
		if target == TargetPaused {
			b.worker.SetTarget("c", TargetPaused, func(error) {})
			b.untilState(Paused)
		}
		task := b.running(theTask)
		task.cancel()
		b.until("it ends by itself", func() bool {
			select {
			case <-task.done:
				return true
			default:
				return false
			}
		})
		b.stop()
		if s := b.heard.last(theTask); s.State != Unassigned {
			t.Errorf("it is %s: %s", s.State, s.Trace)
		}
	}
}

func TestASinkThatWaitsSaysSoInItsStatus(t *testing.T) {
	var down atomic.Bool
	task := &collector{fail: func(int, []connect.Record) error {
		if down.Load() {
			return &connect.Error{Kind: connect.Retriable, Message: "no route to the database", RetryAfter: time.Millisecond}
		}
		return nil
	}}
	b := sinkBed(t, task, nil)
	b.produce("1")
	b.start()
	b.untilCommitted(1)
	down.Store(true)
	b.produce("2")
	b.until("what it waits for is shown", func() bool {
		b.later.Add(int64(time.Second))
		return strings.Contains(b.heard.last(theTask).Trace, "no route to the database")
	})
	down.Store(false)
	b.until("the status is well again", func() bool { return b.heard.last(theTask).Trace == "" })
	b.untilCommitted(2)
	b.stop()
	for _, s := range b.heard.states() {
		if s == Failed {
			t.Error("it failed meanwhile")
		}
	}
}

func TestAPutThatHangsShowsInTheStatus(t *testing.T) {
	entered, goOn := make(chan struct{}), make(chan struct{})
	task := &collector{enter: func(context.Context) error {
		select {
		case <-goOn:
		default:
			close(entered)
			<-goOn
		}
		return nil
	}}
	b := sinkBed(t, task, nil)
	b.produce("1")
	b.start()
	<-entered
	b.until("the status says that it hangs", func() bool {
		b.later.Add(int64(time.Second))
		return strings.Contains(b.heard.last(theTask).Trace, "Writing a delivery of 1 records has not ended yet")
	})
	close(goOn)
	b.untilCommitted(1)
	b.until("the status is well again", func() bool { return b.heard.last(theTask).Trace == "" })
	b.stop()
}

// TestWhatIsLostIsNotWrittenOn loses every partition in the middle of a Put:
// what it writes is given up, and comes again to whoever has the partitions.
func TestWhatIsLostIsNotWrittenOn(t *testing.T) {
	var hang atomic.Bool
	hang.Store(true)
	entered := make(chan struct{})
	task := &collector{enter: func(ctx context.Context) error {
		if !hang.CompareAndSwap(true, false) {
			return nil
		}
		close(entered)
		<-ctx.Done() // the transaction of a database would be rolled back now
		return context.Cause(ctx)
	}}
	b := sinkBed(t, task, nil)
	b.produce("1")
	b.produce("2")
	b.start()
	<-entered
	var refused atomic.Bool
	b.cluster.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if !refused.CompareAndSwap(false, true) {
			return nil, nil, false
		}
		answer := r.ResponseKind().(*kmsg.HeartbeatResponse)
		answer.ErrorCode = kerr.UnknownMemberID.Code // the group has thrown it out
		return answer, nil, true
	})
	b.until("every record was put", func() bool {
		task.mu.Lock()
		defer task.mu.Unlock()
		return slices.Contains(task.got, "1") && slices.Contains(task.got, "2")
	})
	b.untilCommitted(2)
	b.stop()
	if got := b.heard.last(theTask); got.State != Unassigned {
		t.Errorf("the task ended as %v", got)
	}
}

func TestASlowPutIsFinishedWithinTheGracefulTimeout(t *testing.T) {
	entered, goOn := make(chan struct{}), make(chan struct{})
	task := &collector{enter: func(context.Context) error { close(entered); <-goOn; return nil }}
	b := sinkBed(t, task, nil)
	b.produce("1")
	b.start()
	<-entered
	var stopping sync.WaitGroup
	stopping.Go(b.stop)
	b.until("the stop has begun", func() bool { _, tasks := b.worker.Running(); return len(tasks) == 0 })
	close(goOn)
	stopping.Wait()
	if n := b.committed(); n != 1 || task.values() != "1" {
		t.Errorf("offset %d is committed, the sink has %q", n, task.values())
	}
}

func TestATaskThatIsKilledIsUnassignedNotFailed(t *testing.T) {
	entered := make(chan struct{})
	task := &collector{enter: func(ctx context.Context) error { close(entered); <-ctx.Done(); return ctx.Err() }}
	b := newBed(t, parts{sink: func() connect.SinkTask { return task }, worker: func(c *Config) { c.GracefulTimeout = 50 * time.Millisecond }})
	b.produce("1")
	b.start()
	<-entered
	b.stop()
	if s := b.heard.last(theTask); s.State != Unassigned {
		t.Errorf("the last status is %s: %s", s.State, s.Trace)
	}
	if n := b.committed(); n > 0 {
		t.Errorf("offset %d is committed of what was never put", n)
	}
}

func TestATaskThatHangsIsLeftBehindWithoutALateStatus(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	task := &collector{enter: func(context.Context) error { close(entered); <-release; return errors.New("far too late") }}
	b := newBed(t, parts{sink: func() connect.SinkTask { return task }, worker: func(c *Config) { c.GracefulTimeout = 50 * time.Millisecond }})
	b.produce("1")
	b.start()
	<-entered
	hanging := b.running(theTask)
	b.stop()
	close(release)
	<-hanging.done
	if s := b.heard.last(theTask); s.State != Unassigned {
		t.Errorf("the last status is %s: %s", s.State, s.Trace)
	}
	if n := b.committed(); n > 0 {
		t.Errorf("offset %d is committed of what was never put", n)
	}
}

// late is a sink whose rows are durable up to an offset that the test sets.
type late struct {
	*collector
	durable *atomic.Int64
}

func (l late) PreCommit(_ context.Context, offsets map[connect.TopicPartition]int64) (map[connect.TopicPartition]int64, error) {
	sure := make(map[connect.TopicPartition]int64)
	for tp, o := range offsets {
		if d := l.durable.Load(); d > 0 {
			sure[tp] = min(o, d)
		}
	}
	return sure, nil
}

func TestOnlyWhatASinkHasMadeDurableIsCommitted(t *testing.T) {
	task := late{&collector{}, &atomic.Int64{}}
	b := sinkBed(t, task, nil)
	b.produce(numbers(1, 5)...)
	b.start()
	b.until("all arrive", func() bool { return task.values() == "1 2 3 4 5" })
	for range 20 {
		if n := b.committed(); n > 0 {
			t.Fatalf("offset %d is committed", n)
		}
	}
	task.durable.Store(3)
	b.untilCommitted(3)
	b.stop()
	if n := b.committed(); n != 3 {
		t.Errorf("offset %d is committed", n)
	}
}

func TestASinkAsksForACommit(t *testing.T) {
	task := &collector{}
	task.fail = func(_ int, records []connect.Record) error {
		if slices.ContainsFunc(records, func(r connect.Record) bool { return r.Value.Str() == "3" }) {
			task.env.Consumer.RequestCommit()
		}
		return nil
	}
	b := newBed(t, parts{sink: func() connect.SinkTask { return task }, worker: func(c *Config) { c.FlushInterval = time.Hour }})
	b.produce("1", "2", "3")
	b.start()
	b.untilCommitted(3)
	b.stop()
}

func TestASinkSeeks(t *testing.T) {
	numbersZero := connect.TopicPartition{Topic: "numbers", Partition: 0}
	for _, c := range []struct {
		name string
		to   int64
		want []string
	}{
		{"forward", 150, append(numbers(1, 10), numbers(151, 200)...)},
		{"backward", 5, append(numbers(1, 10), numbers(6, 200)...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := &collector{}
			sought := false
			task.fail = func(_ int, records []connect.Record) error {
				if !sought && records[len(records)-1].Value.Str() == "10" {
					sought = true
					task.env.Consumer.Seek(map[connect.TopicPartition]int64{numbersZero: c.to})
				}
				return nil
			}
			b := sinkBed(t, task, config.Map{"consumer.override.max.poll.records": "5"})
			b.produce(numbers(1, 200)...)
			b.start()
			b.untilCommitted(200)
			b.stop()
			sameNumbers(t, strings.Fields(task.values()), c.want)
		})
	}
}

// TestRecordsPolledBeforeASeekAreNotDelivered seeks back again and again while
// records come in one by one, so that there is always a poll on its way: the
// next record after a seek is the one that was sought.
func TestRecordsPolledBeforeASeekAreNotDelivered(t *testing.T) {
	numbersZero := connect.TopicPartition{Topic: "numbers", Partition: 0}
	var seeks atomic.Int64
	task := &collector{}
	next := int64(0)
	var wrong []string
	task.fail = func(put int, records []connect.Record) error {
		first, last := records[0].Origin.Offset, records[len(records)-1].Origin.Offset
		if first != next {
			wrong = append(wrong, fmt.Sprintf("%d instead of %d", first, next))
		}
		next = last + 1
		if put%2 == 0 && last > 20 {
			next = last - 5
			task.env.Consumer.Seek(map[connect.TopicPartition]int64{numbersZero: next})
			seeks.Add(1)
		}
		<-time.After(2 * time.Millisecond)
		return nil
	}
	b := sinkBed(t, task, config.Map{"consumer.override.fetch.max.wait.ms": "10"})
	b.start()
	cl := b.client(kgo.DefaultProduceTopic("numbers"), kgo.ProducerLinger(0))
	b.until("enough was sought", func() bool {
		for range 20 {
			cl.Produce(t.Context(), kgo.StringRecord("x"), nil)
			<-time.After(100 * time.Microsecond)
		}
		return seeks.Load() >= 300
	})
	b.stop()
	if len(wrong) > 0 {
		t.Errorf("after %d of %d seeks other records came: %s", len(wrong), seeks.Load(), strings.Join(wrong[:min(len(wrong), 10)], ", "))
	}
}

func TestASinkPausesAPartitionOfItsOwn(t *testing.T) {
	numbersZero := connect.TopicPartition{Topic: "numbers", Partition: 0}
	var paused atomic.Bool
	task := &collector{}
	task.fail = func(_ int, records []connect.Record) error {
		switch records[len(records)-1].Value.Str() {
		case "1":
			task.env.Consumer.Pause(numbersZero)
			paused.Store(true)
		case "go on":
			task.env.Consumer.Resume(numbersZero)
		}
		return nil
	}
	b := newBed(t, parts{sink: func() connect.SinkTask { return task }, partitions: 2})
	b.produce("1")
	b.start()
	b.untilCommitted(1)
	b.produce("2")
	for range 20 {
		if got := task.values(); got != "1" {
			t.Fatalf("the sink has %s of a partition that it has paused", got)
		}
		_ = b.committed()
	}
	b.produceRecords(&kgo.Record{Partition: 1, Value: []byte("go on")})
	b.untilCommitted(2)
	b.stop()
	if got := task.values(); got != "1 go on 2" {
		t.Errorf("the sink has %s", got)
	}
}

func TestASinkTakesTheTopicsOfItsPattern(t *testing.T) {
	task := &collector{}
	b := sinkBed(t, task, config.Map{"topics": "", "topics.regex": "num.*"})
	if _, err := b.admin.CreateTopic(t.Context(), 1, 1, nil, "other-numbers"); err != nil {
		t.Fatal(err)
	}
	b.produceRecords(&kgo.Record{Topic: "other-numbers", Value: []byte("x")})
	b.produce("1")
	b.start()
	b.until("the first arrives", func() bool { return task.values() == "1" })
	if _, err := b.admin.CreateTopic(t.Context(), 1, 1, nil, "numerals"); err != nil {
		t.Fatal(err)
	}
	b.produceRecords(&kgo.Record{Topic: "numerals", Value: []byte("II")})
	b.until("a topic that came later is read", func() bool { return task.values() == "1 II" })
	b.stop()
}

// journal is what several tasks of one sink were given, and when partitions
// came and went.
type journal struct {
	mu      sync.Mutex
	entries []entry
}

type entry struct {
	task      string
	what      string // put, open or close
	partition int32
	offset    int64
}

// member is a task that writes the journal.
type member struct {
	name string
	*journal
	slow func() // within Put
}

func (m *member) Start(context.Context, *connect.SinkEnv) error { return nil }
func (m *member) Stop(context.Context) error                    { return nil }

func (m *member) write(what string, partition int32, offset int64) {
	m.entries = append(m.entries, entry{m.name, what, partition, offset})
}

func (m *member) Put(_ context.Context, records []connect.Record) error {
	m.slow()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range records {
		m.write("put", records[i].Origin.Partition, records[i].Origin.Offset)
	}
	return nil
}

func (m *member) note(what string, partitions []connect.TopicPartition) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, tp := range partitions {
		m.write(what, tp.Partition, 0)
	}
	return nil
}

func (m *member) Open(_ context.Context, p []connect.TopicPartition) error { return m.note("open", p) }
func (m *member) Close(_ context.Context, p []connect.TopicPartition) error {
	return m.note("close", p)
}

// TestARebalanceLosesAndRepeatsNothing lets tasks come and go while records
// flow and Put is slow: each record is put once, and only by the task that
// has its partition at that time.
func TestARebalanceLosesAndRepeatsNothing(t *testing.T) {
	const partitions, each = 4, 150
	for _, strategy := range []string{"RangeAssignor", "CooperativeStickyAssignor"} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			j := &journal{}
			made := 0
			var making sync.Mutex
			b := newBed(t, parts{
				sink: func() connect.SinkTask {
					making.Lock()
					defer making.Unlock()
					made++
					return &member{name: strconv.Itoa(made), journal: j, slow: func() { <-time.After(2 * time.Millisecond) }}
				},
				partitions: partitions,
				config: config.Map{"consumer.override.partition.assignment.strategy": "org.apache.kafka.clients.consumer." + strategy,
					"consumer.override.max.poll.records": "7"},
			})
			cl := b.client(kgo.DefaultProduceTopic("numbers"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
			send := func(n int) {
				for i := range n {
					for p := range int32(partitions) {
						cl.Produce(t.Context(), &kgo.Record{Partition: p, Value: []byte(strconv.Itoa(i))}, nil)
					}
				}
				if err := cl.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			puts := func() int {
				j.mu.Lock()
				defer j.mu.Unlock()
				n := 0
				for _, e := range j.entries {
					if e.what == "put" {
						n++
					}
				}
				return n
			}
			task := func(n int) []group.ID { return []group.ID{{Connector: "c", Task: n}} }
			steps := []func(){
				func() { b.startTask(0, TargetRunning) },
				func() { b.startTask(1, TargetRunning) },
				func() { b.startTask(2, TargetRunning) },
				func() { b.worker.Stop(nil, task(0), OnRevoke) },
				func() { b.startTask(0, TargetRunning) },
				func() { b.worker.Stop(nil, append(task(1), task(2)...), OnRevoke) },
			}
			for i, step := range steps {
				send(each)
				step()
				// In the middle of what there is, so that the next step meets work.
				b.until("records flow", func() bool { return puts() > (i*2+1)*each*partitions/2 })
			}
			b.until("every record was put", func() bool { return puts() >= len(steps)*each*partitions })
			b.worker.Stop(nil, task(0), OnRevoke)
			j.check(t, partitions, int64(len(steps)*each))
			for p := range int32(partitions) {
				offsets, err := b.admin.FetchOffsets(t.Context(), "connect-c")
				if o, _ := offsets.Lookup("numbers", p); err != nil || o.At != int64(len(steps)*each) {
					t.Errorf("partition %d is committed at %d, %v", p, o.At, err)
				}
			}
		})
	}
}

func (j *journal) check(t *testing.T, partitions int32, end int64) {
	t.Helper()
	owner := make(map[int32]string)
	next := make(map[int32]int64)
	for i, e := range j.entries {
		switch e.what {
		case "open":
			owner[e.partition] = e.task
		case "close":
			if owner[e.partition] == e.task {
				delete(owner, e.partition)
			}
		case "put":
			if owner[e.partition] != e.task {
				t.Fatalf("entry %d: task %s puts record %d of partition %d, which %q has", i, e.task, e.offset, e.partition, owner[e.partition])
			}
			if e.offset != next[e.partition] {
				t.Fatalf("entry %d: task %s puts record %d of partition %d, want %d", i, e.task, e.offset, e.partition, next[e.partition])
			}
			next[e.partition]++
		}
	}
	for p := range partitions {
		if next[p] != end {
			t.Errorf("partition %d: %d records were put, want %d", p, next[p], end)
		}
	}
}

// TestARebalanceDuringARetryDropsWhatIsRevoked takes partitions away from a
// task whose database is down: what it goes on trying is what it still has.
func TestARebalanceDuringARetryDropsWhatIsRevoked(t *testing.T) {
	for _, strategy := range []string{"RangeAssignor", "CooperativeStickyAssignor"} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			var down atomic.Bool
			down.Store(true)
			var tried atomic.Int64
			var mu sync.Mutex
			byTask := make(map[int]map[int32][]int64) // task -> partition -> offsets
			made := 0
			b := newBed(t, parts{
				sink: func() connect.SinkTask {
					mu.Lock()
					defer mu.Unlock()
					n := made
					made++
					byTask[n] = make(map[int32][]int64)
					return &collector{fail: func(_ int, records []connect.Record) error {
						if n == 0 && down.Load() {
							tried.Add(1)
							return &connect.Error{Kind: connect.Retriable, Message: "down", RetryAfter: time.Millisecond}
						}
						mu.Lock()
						defer mu.Unlock()
						for i := range records {
							o := records[i].Origin
							byTask[n][o.Partition] = append(byTask[n][o.Partition], o.Offset)
						}
						return nil
					}}
				},
				partitions: 2,
				config:     config.Map{"consumer.override.partition.assignment.strategy": "org.apache.kafka.clients.consumer." + strategy},
			})
			for i := range 3 {
				value := []byte(strconv.Itoa(i))
				b.produceRecords(&kgo.Record{Partition: 0, Value: value}, &kgo.Record{Partition: 1, Value: value})
			}
			b.startTask(0, TargetRunning)
			b.until("the first task is refused", func() bool { return tried.Load() > 3 })
			b.startTask(1, TargetRunning)
			b.until("the second task has a partition", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(byTask[1]) == 1
			})
			down.Store(false)
			b.until("the first task puts the rest", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(byTask[0]) > 0 && len(slices.Collect(maps.Values(byTask[0]))[0]) >= 3
			})
			b.worker.Stop(nil, []group.ID{{Connector: "c", Task: 0}, {Connector: "c", Task: 1}}, OnRevoke)
			if len(byTask[0]) != 1 || len(byTask[1]) != 1 {
				t.Fatalf("each task has one partition, but was given %v and %v", byTask[0], byTask[1])
			}
			for n, got := range byTask {
				for p, offsets := range got {
					if diff := cmp.Diff([]int64{0, 1, 2}, offsets); diff != "" {
						t.Errorf("task %d, partition %d (-want +got):\n%s", n, p, diff)
					}
				}
			}
		})
	}
}
