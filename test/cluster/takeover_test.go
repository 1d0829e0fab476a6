package cluster

import (
	"testing"

	"kconnect/test/harness"
)

// flushed stores offsets often, so that a test that fails on repeated lines does so for another reason.
var flushed = harness.Properties{"offset.flush.interval.ms": "200"}

// takeTurns lets workers of one cluster follow one another, each stopped in order before the next starts. Each creates the
// connectors of a stream of its own and runs those of the workers before it.
func takeTurns(t *testing.T, k *harness.Kafka, properties harness.Properties, turns ...func(testing.TB, harness.Properties) *harness.Connect) {
	t.Helper()
	streams := make([]*stream, len(turns))
	for i := range streams {
		streams[i] = newStream(t, k)
	}
	var w *harness.Connect
	for i, start := range turns {
		if w != nil {
			stop(t, w)
			// Lines that come while nobody works must not be lost either.
			for _, s := range streams[:i] {
				if err := s.write(500); err != nil {
					t.Fatal(err)
				}
			}
			properties = harness.Join(w)
		}
		w = start(t, properties)
		streams[i].create(t, w)
		for _, s := range streams[:i+1] {
			s.running(t, w)
			s.pass(t, 500)
		}
	}
	stop(t, w)
	for _, s := range streams {
		s.check(t, 0)
	}
}

func TestOursGoesOnWhereAJavaWorkerStoppedAndJavaWhereOursStopped(t *testing.T) {
	takeTurns(t, harness.Broker(t), flushed, harness.Worker, harness.JavaWorker, harness.Worker)
}

func TestOursGoesOnWhereAJavaWorkerBefore4StoppedAndJavaWhereOursStopped(t *testing.T) {
	k := harness.OldBroker(t)
	properties := harness.Properties{"bootstrap.servers": k.Brokers, "offset.flush.interval.ms": "200"}
	takeTurns(t, k, properties, harness.OldJavaWorker, harness.Worker, harness.OldJavaWorker)
}
