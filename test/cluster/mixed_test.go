package cluster

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"kconnect/test/harness"
)

// quick makes workers notice the loss of others soon, and store offsets often.
var quick = harness.Properties{
	"session.timeout.ms": "6000", "heartbeat.interval.ms": "300", "scheduled.rebalance.max.delay.ms": "1000",
	"consumer.session.timeout.ms": "6000", "consumer.heartbeat.interval.ms": "1000", "offset.flush.interval.ms": "200",
}

// on returns quick for workers on k.
func on(k *harness.Kafka) harness.Properties {
	p := maps.Clone(quick)
	p["bootstrap.servers"] = k.Brokers
	return p
}

// mixture is two Java workers and two of ours in one group, with a stream created through each of them.
type mixture struct {
	kafka   *harness.Kafka
	workers []*harness.Connect
	java    map[*harness.Connect]bool
	streams []*stream
	led     map[bool]bool // kinds of workers that have led the group: Java's, ours
}

func newMixture(t *testing.T) *mixture {
	t.Helper()
	m := &mixture{kafka: harness.Broker(t), led: map[bool]bool{}}
	for range 4 {
		m.streams = append(m.streams, newStream(t, m.kafka))
	}
	ours := harness.Worker(t, quick)
	join := harness.Join(ours)
	m.workers = []*harness.Connect{ours, harness.JavaWorker(t, join), harness.Worker(t, join), harness.JavaWorker(t, join)}
	m.java = map[*harness.Connect]bool{m.workers[1]: true, m.workers[3]: true}
	for i, s := range m.streams {
		s.create(t, m.workers[i])
	}
	return m
}

// leader waits until the group has a leader, and notes its kind.
func (m *mixture) leader(t *testing.T) *harness.Connect {
	t.Helper()
	w := waitLeader(t, m.kafka, m.workers...)
	m.led[m.java[w]] = true
	return w
}

// disturb lets lines flow and ends one worker after the other for as long as it is told, and until each kind of worker has
// led the group meanwhile. end ends a worker; it is started again at once or after the others have its work.
func (m *mixture) disturb(t *testing.T, length time.Duration, end func(*harness.Connect)) {
	t.Helper()
	ends := make([]func(), len(m.streams))
	for i, s := range m.streams {
		ends[i] = s.writeSteadily(t)
	}
	clear(m.led)
	m.leader(t)
	for until := time.Now().Add(length); time.Now().Before(until) || len(m.led) < 2; {
		victim := m.workers[rand.IntN(len(m.workers))]
		if len(m.led) < 2 {
			victim = m.leader(t) // whom the coordinator takes next is its choice, so this may take some tries
		}
		t.Logf("%v left: %s goes, Java: %v", time.Until(until).Round(time.Second), victim.URL, m.java[victim])
		end(victim)
		if rand.IntN(2) == 0 {
			m.flowing(t)
		}
		victim.Start(t)
		m.flowing(t)
	}
	for i, s := range m.streams {
		ends[i]()
		s.arrived(t)
		s.running(t, m.workers[i])
	}
}

func (m *mixture) flowing(t *testing.T) {
	t.Helper()
	for _, s := range m.streams {
		s.flowing(t)
	}
	m.leader(t)
}

// mixed stops workers in order for a third of the time, which may not even repeat a line, and then kills and stops them.
func mixed(t *testing.T, length time.Duration) {
	t.Helper()
	m := newMixture(t)
	m.disturb(t, length/3, func(w *harness.Connect) { stop(t, w) })
	for _, s := range m.streams {
		s.check(t, 0)
	}
	kills := 0
	m.disturb(t, length-length/3, func(w *harness.Connect) {
		if rand.IntN(3) == 0 {
			stop(t, w)
			return
		}
		kills++
		w.Kill9(t)
	})
	for _, w := range m.workers {
		stop(t, w)
	}
	for _, s := range m.streams {
		s.check(t, kills)
	}
}

func TestJavaWorkersAndOursInOneGroupLoseNothingAndRunNothingTwice(t *testing.T) {
	mixed(t, 18*time.Second)
}

func TestSoakJavaWorkersAndOursInOneGroup(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv("SOAK"), "0s"))
	if err != nil {
		t.Fatal(err)
	}
	if length == 0 {
		t.Skip("SOAK=5m, which make soak sets, is not set")
	}
	mixed(t, length)
}
