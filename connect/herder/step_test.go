package herder

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/storage"
)

// text returns a value's address, for configurations.
func text(s string) *string { return &s }

// configured is a snapshot with connector a, its target and number of tasks.
func configured(target TargetState, tasks int) *storage.ConfigSnapshot {
	return &storage.ConfigSnapshot{Offset: 5, Connectors: map[string]*storage.Connector{
		"a": {Name: "a", Config: config.Raw{"tasks.max": text("1")}, Target: target, TaskCount: tasks, Tasks: make([]config.Map, tasks)},
	}}
}

func ids(names ...string) (all []group.ID) {
	for _, n := range names {
		id := group.ID{Connector: n[:1], Task: group.ConnectorTask}
		if len(n) > 1 {
			id.Task = int(n[1] - '0')
		}
		all = append(all, id)
	}
	return all
}

// joined is a round in which this worker is the leader, or follows http://l/.
func joined(leader bool, offset int64, assigned, revoked []group.ID) event {
	return groupEvent{group.Event{Kind: group.Joined, Generation: group.Generation{
		Generation: 3, Leader: leader, Protocol: "sessioned",
		Assignment: group.Assignment{Version: group.V2, LeaderURL: "http://l/", Offset: offset, Assigned: assigned, Revoked: revoked},
	}}}
}

// running is a settled state with work.
func running(leader bool, work ...string) *state {
	s := newState()
	s.configs = configured(Started, 2)
	step(s, joined(leader, 5, ids(work...), nil))
	return s
}

func names(effects []effect) (all []string) {
	for _, f := range effects {
		switch f := f.(type) {
		case reply:
			all = append(all, fmt.Sprintf("reply %v", f.err))
		case stopWork:
			all = append(all, fmt.Sprintf("stop %v", f.ids))
		case startConnector:
			all = append(all, "start "+f.name)
		case startTask:
			all = append(all, fmt.Sprintf("start %v", f.id))
		case answerGroup:
			all = append(all, fmt.Sprintf("answer %v", f.allocated))
		default:
			all = append(all, fmt.Sprintf("%T", f)[len("herder."):])
		}
	}
	return all
}

func expect(t *testing.T, effects []effect, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, names(effects)); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestAnAssignmentStartsWhatIsConfigured(t *testing.T) {
	s := newState()
	s.configs = configured(Started, 2)
	expect(t, step(s, joined(true, 5, ids("a", "a0", "a7"), nil)), "answer [a a-0 a-7]", "roundApplied", "start a", "start a-0")
}

func TestNothingStartsBeforeTheConfigTopicIsReadAsFarAsTheLeaderHas(t *testing.T) {
	s := newState()
	s.configs = &storage.ConfigSnapshot{Offset: 2}
	expect(t, step(s, joined(false, 5, ids("a"), nil)), "readConfigs")
	s.configs = configured(Started, 2)
	expect(t, step(s, configsRead{epoch: s.epoch}), "answer [a]", "roundApplied", "start a")
}

func TestAWorkerThatCannotReadTheConfigTopicLeavesForAWhile(t *testing.T) {
	s := newState()
	step(s, joined(false, 5, ids("a"), nil))
	expect(t, step(s, configsRead{epoch: s.epoch, err: errors.New("no broker")}), "answer [a]", "leaveGroup")
}

func TestAnAssignmentOfAnOlderConfigStartsNothing(t *testing.T) {
	s := newState()
	s.configs = configured(Started, 2)
	expect(t, step(s, joined(true, 4, ids("a"), nil)), "answer [a]", "rejoin")
}

func TestRevokedWorkIsStoppedBeforeTheGroupIsAnswered(t *testing.T) {
	s := running(false, "a", "a0", "a1")
	expect(t, step(s, joined(false, 5, nil, ids("a", "a1"))), "stop [a a-1]")
	expect(t, step(s, workStopped{ids("a", "a1")}), "answer [a-0]", "roundApplied")
}

func TestNewTaskConfigurationsStopTheTasksThenRebalance(t *testing.T) {
	s := running(true, "a", "a0", "a1")
	expect(t, step(s, configChange{storage.Change{Kind: storage.TasksChanged, Connector: "a", Tasks: 2}}), "stop [a-0 a-1]")
	expect(t, step(s, workStopped{ids("a0", "a1")}), "rejoin")
	expect(t, step(s, joined(true, 5, nil, nil)), "answer [a a-0 a-1]", "roundApplied", "start a-0", "start a-1")
}

func TestAChangedConnectorStopsAndStartsWithoutARebalance(t *testing.T) {
	s := running(true, "a", "a0")
	expect(t, step(s, configChange{storage.Change{Kind: storage.ConnectorChanged, Connector: "a"}}), "stop [a]")
	expect(t, step(s, workStopped{ids("a")}), "start a")
	expect(t, step(s, connectorStarted{name: "a"}), "planTasks")
}

func TestAPausedConnectorPlansNoTasks(t *testing.T) {
	s := running(true, "a")
	s.configs = configured(Paused, 2)
	expect(t, step(s, configChange{storage.Change{Kind: storage.TargetChanged, Connector: "a"}}), "moveTarget")
	expect(t, step(s, connectorStarted{name: "a"}))
}

func TestALostGroupStopsEverything(t *testing.T) {
	s := running(true, "a", "a0")
	expect(t, step(s, groupEvent{group.Event{Kind: group.Lost}}), "stop [a a-0]")
	expect(t, step(s, workStopped{ids("a", "a0")}), "answer []")
}

func TestAWriteDuringARebalanceGoesThroughAfterIt(t *testing.T) {
	s := running(true, "a")
	step(s, groupEvent{group.Event{Kind: group.Rejoining}})
	expect(t, step(s, requested{&request{kind: deleteConnector, name: "a"}}))
	expect(t, step(s, joined(true, 5, nil, nil)), "answer [a]", "roundApplied", "write")
}

func TestARequestThatNobodyWaitsForIsForgotten(t *testing.T) {
	s := running(true, "a")
	step(s, groupEvent{group.Event{Kind: group.Rejoining}})
	gone := make(chan struct{})
	step(s, requested{&request{kind: deleteConnector, name: "a", gone: gone}})
	close(gone)
	step(s, ticked{})
	expect(t, step(s, joined(true, 5, nil, nil)), "answer [a]", "roundApplied")
}

func TestRequestsAreAnsweredByThoseWhoMay(t *testing.T) {
	for _, c := range []struct {
		name    string
		leader  bool
		work    []string
		request request
		want    []string
	}{
		{"a follower sends writes to the leader", false, nil, request{kind: putConnector, name: "b"}, []string{"reply the worker at http://l/ has to do this"}},
		{"a follower pauses by itself", false, nil, request{kind: putTarget, name: "a", target: Paused}, []string{"write"}},
		{"a follower does not stop by itself", false, nil, request{kind: putTarget, name: "a", target: Stopped}, []string{"reply the worker at http://l/ has to do this"}},
		{"a connector is created once", true, nil, request{kind: putConnector, name: "a"}, []string{"reply Connector a already exists"}},
		{"an unknown connector cannot be deleted", true, nil, request{kind: deleteConnector, name: "b"}, []string{"reply Connector b not found"}},
		{"a connector that runs here is restarted", true, []string{"a"}, request{kind: restartConnector, name: "a"}, []string{"stop [a]"}},
		{"a task that runs elsewhere is restarted there", false, nil, request{kind: restartTask, name: "a", task: 1}, []string{"reply the worker at http://l/ has to do this"}},
		{"a task that does not exist is unknown (D22)", true, nil, request{kind: restartTask, name: "a", task: 2}, []string{"reply Unknown task: a-2"}},
		{"offsets are altered of stopped connectors only", true, nil, request{kind: alterOffsets, name: "a"}, []string{"reply Connectors must be in the STOPPED state before their offsets can be modified. " +
			"This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/a/stop' endpoint"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, step(running(c.leader, c.work...), requested{&c.request}), c.want...)
		})
	}
}

func TestARestartIsAnsweredWhenTheConnectorHasStarted(t *testing.T) {
	s := running(true, "a")
	step(s, requested{&request{kind: restartConnector, name: "a"}})
	expect(t, step(s, workStopped{ids("a")}), "start a")
	expect(t, step(s, connectorStarted{name: "a", err: errors.New("no such driver")}), "reply no such driver")
}

func TestARestartPlanTakesWhatTheRequestAsksFor(t *testing.T) {
	failed, fine := storage.Status{State: storage.StateFailed}, storage.Status{State: storage.StateRunning}
	tasks := map[int]storage.Status{0: fine, 1: failed}
	for _, c := range []struct {
		tasks, failed bool
		want          []group.ID
	}{
		{false, false, ids("a")}, {true, false, ids("a", "a0", "a1")}, {true, true, ids("a1")}, {false, true, nil},
	} {
		got := restartPlanOf(storage.RestartRequest{Connector: "a", IncludeTasks: c.tasks, OnlyFailed: c.failed}, fine, tasks)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("tasks %t, only failed %t (-want +got):\n%s", c.tasks, c.failed, diff)
		}
	}
}

func TestTasksAreWrittenOnlyWhenTheyChanged(t *testing.T) {
	applied := config.Raw{"tasks.max": text("1"), "file": nil}
	c := &storage.Connector{Config: config.Raw{"tasks.max": text("1"), "file": nil}, Applied: applied, Tasks: []config.Map{{"file": "x"}}}
	if tasksChanged(c, []config.Map{{"file": "x"}}) {
		t.Error("the same tasks count as changed")
	}
	if !tasksChanged(c, []config.Map{{"file": "y"}}) || !tasksChanged(c, nil) {
		t.Error("other tasks do not count as changed")
	}
	c.Config = config.Raw{"tasks.max": text("2"), "file": nil}
	if !tasksChanged(c, []config.Map{{"file": "x"}}) {
		t.Error("a changed connector does not count")
	}
}
