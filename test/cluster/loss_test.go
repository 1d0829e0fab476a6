//go:build unix

package cluster

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"kconnect/test/harness"
)

// without takes the broker away from two workers for longer than their session, and looks whether they come back.
func without(t *testing.T, outage time.Duration) {
	t.Helper()
	k := harness.PrivateBroker(t)
	s, other := newStream(t, k), newStream(t, k)
	first := harness.Worker(t, on(k))
	second := harness.Worker(t, harness.Join(first))
	s.create(t, first)
	other.create(t, second)
	end, endOther := s.writeSteadily(t), other.writeSteadily(t)
	s.flowing(t)
	other.flowing(t)

	k.Stop(t)
	// The length of the outage is what this test is about: there is nothing to wait for in it.
	<-time.After(outage)
	if status, _, body := first.Do(t, "GET", "/connectors/"+s.source()+"/status", ""); status != 200 {
		t.Errorf("without a broker a status is answered with %d %s", status, body)
	}
	k.Start(t)

	for _, s := range []*stream{s, other} {
		s.flowing(t)
		s.running(t, first)
		s.running(t, second)
	}
	end()
	endOther()
	for _, s := range []*stream{s, other} {
		s.arrived(t)
	}
	stop(t, first)
	stop(t, second)
	// Lines that the broker has and did not acknowledge any more come again, and so do those of a task that was given up.
	s.check(t, 2)
	other.check(t, 2)
}

func TestWorkersComeBackByThemselvesAfterTheBrokerWasAway(t *testing.T) {
	t.Parallel()
	without(t, 15*time.Second)
}

func TestSoakWorkersComeBackByThemselvesAfterTheBrokerWasAway(t *testing.T) {
	if cmp.Or(os.Getenv("SOAK"), "0s") == "0s" {
		t.Skip("SOAK=5m, which make soak sets, is not set")
	}
	without(t, time.Minute)
}

func TestAWorkerThatWasSuspendedGivesUpWhatOthersRunByThen(t *testing.T) {
	t.Parallel()
	k := harness.Broker(t)
	s := newStream(t, k)
	first := harness.Worker(t, quick)
	second := harness.Worker(t, harness.Join(first))
	s.create(t, first)
	end := s.writeSteadily(t)
	s.flowing(t)
	ran, other := first, second
	if first.Status(t, s.source()).Tasks[0].WorkerID == address(second) {
		ran, other = second, first
	}

	ran.Freeze(t)
	defer ran.Thaw(t) // if the test fails before
	harness.Eventually(t, "the other worker runs all", func() (bool, string) {
		source, sink := other.Status(t, s.source()), other.Status(t, s.sink())
		at := address(other)
		return source.Tasks[0].WorkerID == at && source.Tasks[0].State == "RUNNING" &&
			sink.Tasks[0].WorkerID == at && sink.Tasks[0].State == "RUNNING", text(t, []harness.Status{source, sink})
	})
	s.flowing(t)
	joins := strings.Count(ran.Log(t), "joined the worker group")
	ran.Thaw(t)
	harness.Eventually(t, "the worker has joined again", func() (bool, string) {
		return strings.Count(ran.Log(t), "joined the worker group") > joins, "not yet"
	})
	s.flowing(t)
	s.running(t, ran)
	s.running(t, other)
	end()
	s.arrived(t)
	// Until the coordinator tells it, the worker goes on with what it ran, as a Java worker does; those lines come twice. Once it
	// has given up, each comes once, and that remains so.
	harness.Eventually(t, "one worker runs the source", func() (bool, string) {
		records := s.records(t, 100)
		return records == 100, fmt.Sprintf("100 lines became %d records", records)
	})
	for range 5 {
		if records := s.records(t, 100); records != 100 {
			t.Errorf("100 lines became %d records: the source runs twice", records)
		}
	}
}

// records passes lines and returns how many records they became.
func (s *stream) records(t *testing.T, lines int) int {
	t.Helper()
	before := len(s.kafka.ReadAll(t, s.name))
	s.pass(t, lines)
	return len(s.kafka.ReadAll(t, s.name)) - before
}
