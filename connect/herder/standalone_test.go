package herder

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"

	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/storage"
	"kconnect/connect/worker"
)

// created is a standalone worker's state in which a connector that somebody
// waits for was read back and assigned.
func created(t *testing.T) (*state, *request) {
	t.Helper()
	s := newState()
	step(s, joined(true, -1, nil, nil))
	r := &request{kind: putConnector, name: "a", awaited: true}
	expect(t, step(s, requested{r}), "write a")
	s.configs = configured(Started, 0)
	expect(t, step(s, configChange{storage.Change{Kind: storage.ConnectorAdded, Connector: "a"}}), "awaitChanges")
	expect(t, step(s, joined(true, 5, ids("a"), nil)), "answer [a]", "roundApplied", "start a")
	expect(t, step(s, written{request: r}))
	return s, r
}

func TestAStandaloneWorkerAnswersWhenTheTasksArePlanned(t *testing.T) {
	s, _ := created(t)
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}), "planTasks")
	expect(t, step(s, planWanted{"a"})) // once more
	expect(t, step(s, planned{"a"}), "planTasks")
	expect(t, step(s, planned{"a"}), "reply <nil>")
	expect(t, step(s, planWanted{"a"}), "planTasks")
	expect(t, step(s, planned{"a"}))
}

func TestAStandaloneWorkerAnswersWithTheErrorOfTheStart(t *testing.T) {
	s, _ := created(t)
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"], err: errors.New("no such file")}), "reply no such file")
}

func TestAStandaloneWorkerAnswersForAConnectorThatIsNotToRun(t *testing.T) {
	s, _ := created(t)
	s.configs = configured(Paused, 0)
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}), "reply <nil>")
}

func TestTheStartOfAnOlderConfigurationIsNotWhatARequestWaitsFor(t *testing.T) {
	s, _ := created(t)
	expect(t, step(s, requested{&request{kind: putConnector, name: "a", replace: true, awaited: true}}), "write a")
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}), "planTasks")
	expect(t, step(s, planned{"a"}))
	expect(t, step(s, configChange{storage.Change{Kind: storage.ConnectorChanged, Connector: "a"}}), "stop [a]")
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]})) // of the stopped one
	expect(t, step(s, workStopped{ids("a")}), "start a")
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}), "planTasks")
	expect(t, step(s, planned{"a"}), "reply <nil>", "reply <nil>")
}

func TestAStandaloneWorkerAnswersWithTheErrorOfTheWrite(t *testing.T) {
	s, _ := created(t)
	r := &request{kind: putConnector, name: "a", replace: true, awaited: true}
	expect(t, step(s, requested{r}), "write a")
	expect(t, step(s, written{request: r, err: errors.New("too late")}), "reply too late")
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}), "planTasks")
	expect(t, step(s, planned{"a"}), "reply <nil>") // of the first
}

func TestNobodyWaitsForAConnectorThatWasDeleted(t *testing.T) {
	s, _ := created(t)
	s.configs = &storage.ConfigSnapshot{Offset: 6}
	expect(t, step(s, configChange{storage.Change{Kind: storage.ConnectorRemoved, Connector: "a"}}), "stop [a]", "reply "+staleConfig, "awaitChanges")
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}))
}

func TestARequestThatIsNotWaitedForAnyMoreIsForgotten(t *testing.T) {
	s, r := created(t)
	gone := make(chan struct{})
	r.gone = gone
	expect(t, step(s, ticked{}))
	if len(s.awaited) != 1 {
		t.Error("it was forgotten while it was waited for")
	}
	close(gone)
	expect(t, step(s, ticked{}))
	if len(s.awaited) != 0 {
		t.Error("it is kept")
	}
}

func TestSettingsOfAStandaloneWorker(t *testing.T) {
	properties := config.Map{
		"bootstrap.servers": "localhost:9092", "key.converter": "k", "value.converter": "v",
		"offset.storage.file.filename": "connect.offsets", "offset.flush.interval.ms": "5",
		"group.id": "left over", // as a file that was made from connect-distributed.properties has it
	}
	v, err := worker.StandaloneDef.Parse(properties)
	if err != nil {
		t.Fatal(err)
	}
	c, err := StandaloneSettings(properties, v, "http://h:1/", "h:1", zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if !c.Standalone || c.OffsetFile != "connect.offsets" || c.WorkerID != "h:1" || c.Worker.FlushInterval.Milliseconds() != 5 || !c.TopicTracking || !c.TopicReset {
		t.Errorf("got %+v", c)
	}
	if g, there := c.Worker.Properties["group.id"]; there {
		t.Errorf("sinks are held against the group %s", g)
	}
	if _, err := worker.StandaloneDef.Parse(config.Map{"bootstrap.servers": "b", "key.converter": "k", "value.converter": "v"}); err == nil {
		t.Error("a configuration without an offsets file is accepted")
	}
}

func TestIntervalsThatNoClockCanCountAreTakenAsFarAsItCan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"-1": time.Millisecond, "0": time.Millisecond, "1": time.Millisecond, "60000": time.Minute,
		"9223372036854775807": 292 * 365 * 24 * time.Hour, // at least; never, for those who write it
	} {
		properties := config.Map{"bootstrap.servers": "b:1", "key.converter": "k", "value.converter": "v", "offset.storage.file.filename": "f", "offset.flush.interval.ms": text}
		v, err := worker.StandaloneDef.Parse(properties)
		if err != nil {
			t.Fatal(err)
		}
		got := workerSettings(properties, v).FlushInterval
		if got < want || want <= time.Minute && got != want {
			t.Errorf("offset.flush.interval.ms=%s is an interval of %s, want %s", text, got, want)
		}
	}
}

var (
	_ membership = (*group.Member)(nil)
	_ membership = (*group.Lone)(nil)
)
