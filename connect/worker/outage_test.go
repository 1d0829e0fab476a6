package worker

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect"
	"kconnect/connect/config"
)

// tolerant is a connector that loses whatever counts as a fault of a record.
var tolerant = config.Map{"errors.tolerance": "all", "errors.retry.timeout": "1"}

// awayBeds are a source and a sink with three records of which the second
// needs the registry, which is away. gone is what reached its end.
func awayBeds(t *testing.T, run func(t *testing.T, bed func(extra config.Map) *bed, done func(*bed) int, gone func(*bed) []string)) {
	t.Run("source", func(t *testing.T) {
		run(t, func(extra config.Map) *bed {
			m := maps.Clone(tolerant)
			maps.Copy(m, extra)
			b := sourceBed(t, &counter{to: 9, batch: 1, values: map[int]string{2: "registered"}}, m)
			b.away.Store(true)
			return b
		}, (*bed).stored, (*bed).topic)
	})
	for name, record := range map[string]kgo.Record{
		"sink":         {Value: []byte("registered")},
		"sink, key":    {Key: []byte("registered"), Value: []byte("2")},
		"sink, header": {Value: []byte("2"), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("registered")}}},
	} {
		t.Run(name, func(t *testing.T) {
			task := &collector{}
			run(t, func(extra config.Map) *bed {
				m := deadLettered("all", tolerant)
				maps.Copy(m, extra)
				b := sinkBed(t, task, m)
				b.away.Store(true)
				b.produce("1")
				b.produceRecords(&record)
				b.produce(numbers(3, 9)...)
				return b
			}, func(b *bed) int { return int(b.committed()) }, func(*bed) []string { return strings.Fields(task.values()) })
		})
	}
}

// TestARegistryThatIsDownCostsNoRecord: it is waited for, whatever is
// tolerated and however short errors.retry.timeout is (Promises 4 and 5).
func TestARegistryThatIsDownCostsNoRecord(t *testing.T) {
	awayBeds(t, func(t *testing.T, bed func(config.Map) *bed, done func(*bed) int, gone func(*bed) []string) {
		b := bed(nil)
		b.start()
		b.until("the registry is asked again and again", func() bool { return b.asked.Load() > 2 })
		shown := func() bool {
			b.later.Add(int64(time.Second))
			s := b.heard.last(theTask)
			return s.State == Running && strings.Contains(s.Trace, "no registry")
		}
		b.until("what it waits for is shown", shown)
		if n := done(b); n > 1 {
			t.Errorf("position %d is stored", n)
		}
		b.worker.SetTarget("c", TargetPaused, func(error) {})
		b.untilState(Paused)
		b.worker.SetTarget("c", TargetRunning, func(error) {})
		b.until("it is shown after a pause, too", shown)
		b.away.Store(false)
		b.until("the status is well again", func() bool { s := b.heard.last(theTask); return s.State == Running && s.Trace == "" })
		b.until("all is done", func() bool { return done(b) == 9 })
		b.stop()
		got := gone(b)
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], "registered", "2")
		}
		sameNumbers(t, got, numbers(1, 9))
		noDeadLetters(t, b)
		for _, s := range b.heard.states() {
			if s == Failed {
				t.Error("it failed meanwhile")
			}
		}
	})
}

func noDeadLetters(t *testing.T, b *bed) {
	t.Helper()
	if b.cluster.TopicInfo("dead") != nil {
		if n := len(b.records("dead")); n > 0 {
			t.Errorf("%d dead letters", n)
		}
	}
}

func TestATaskThatWaitsForTheRegistryStopsPromptly(t *testing.T) {
	awayBeds(t, func(t *testing.T, bed func(config.Map) *bed, done func(*bed) int, _ func(*bed) []string) {
		b := bed(nil)
		b.start()
		b.until("the registry is asked", func() bool { return b.asked.Load() > 0 })
		task := b.running(theTask)
		b.stop()
		select {
		case <-task.done:
		default:
			t.Error("it was left behind")
		}
		if n := done(b); n > 1 {
			t.Errorf("position %d is stored", n)
		}
		noDeadLetters(t, b)
		if diff := cmp.Diff([]State{Running, Unassigned}, b.heard.states()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	})
}

// TestTheSwitchOfOutagesHasJavasPatience: then a registry that is down is a
// fault of the record, once errors.retry.timeout is over.
func TestTheSwitchOfOutagesHasJavasPatience(t *testing.T) {
	for _, m := range []config.Map{{connectionFailure: "fail"}, {compatibility: "java"}} {
		awayBeds(t, func(t *testing.T, bed func(config.Map) *bed, done func(*bed) int, gone func(*bed) []string) {
			b := bed(m)
			b.start()
			b.until("the record is skipped", func() bool { return done(b) == 9 })
			b.stop()
			if diff := cmp.Diff(append([]string{"1"}, numbers(3, 9)...), gone(b)); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
	b := newBed(t, parts{source: func() connect.SourceTask {
		return &counter{to: 9, batch: 1, values: map[int]string{2: "registered"}}
	}, config: config.Map{connectionFailure: "fail"}})
	b.away.Store(true)
	b.start()
	b.untilState(Failed)
	b.stop()
}

// TestARegistryThatDoesNotAnswerHoldsUpNoStop: the converters are closed, and
// what they could not convert is done after the next start (Promise 7).
func TestARegistryThatDoesNotAnswerHoldsUpNoStop(t *testing.T) {
	for name, away := range map[string]config.Map{"waiting": nil, "as Java": {"kconnect.connection.failure": "fail"}} {
		t.Run(name+", source", func(t *testing.T) {
			m := maps.Clone(tolerant)
			maps.Copy(m, away)
			task := &counter{to: 3, batch: 1, values: map[int]string{2: "unanswered"}}
			b := sourceBed(t, task, m)
			b.start()
			b.until("the registry is asked", func() bool { return b.asked.Load() == 1 })
			b.stop()
			b.untilState(Unassigned)
			if task.stops != 1 { // a task that is left behind is not stopped
				t.Errorf("stopped %d times", task.stops)
			}
			sameNumbers(t, b.topic(), numbers(1, 1))
			if n := b.stored(); n != 1 {
				t.Errorf("position %d is stored", n)
			}
		})
		t.Run(name+", sink", func(t *testing.T) {
			m := deadLettered("all", tolerant)
			maps.Copy(m, away)
			task := &collector{}
			b := sinkBed(t, task, m)
			b.produce("1", "unanswered", "3")
			b.start()
			b.until("the registry is asked", func() bool { return b.asked.Load() == 1 })
			b.stop()
			b.untilState(Unassigned)
			if n, dead := b.committed(), len(b.records("dead")); n > 1 || dead > 0 {
				t.Errorf("offset %d is committed, %d dead letters", n, dead)
			}
		})
	}
}
