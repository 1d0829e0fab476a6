package herder

import (
	"errors"
	"fmt"
	"strings"
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

// eagerly is a round of the eager protocol.
func eagerly(offset int64, assigned ...group.ID) event {
	return groupEvent{group.Event{Kind: group.Joined, Generation: group.Generation{
		Generation: 4, Leader: true, Protocol: "default",
		Assignment: group.Assignment{Version: group.V0, LeaderURL: "http://l/", Offset: offset, Assigned: assigned},
	}}}
}

// mismatched is a round in which a worker had read more than the leader.
func mismatched(offset int64) event {
	return groupEvent{group.Event{Kind: group.Joined, Generation: group.Generation{
		Generation: 3, Protocol: "sessioned", Assignment: group.Assignment{Version: group.V2, Err: group.ConfigMismatch, LeaderURL: "http://l/", Offset: offset},
	}}}
}

func told(kind group.EventKind) event { return groupEvent{group.Event{Kind: kind}} }

func changed(kind storage.ChangeKind, tasks int) event {
	return configChange{storage.Change{Kind: kind, Connector: "a", Tasks: tasks}}
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
		case write:
			all = append(all, "write "+f.name)
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
	expect(t, step(s, configsRead{epoch: s.epoch, err: errors.New("no broker")}), "answer [a]", "resync")
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
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}), "planTasks")
}

func TestAPausedConnectorPlansNoTasks(t *testing.T) {
	s := running(true, "a")
	s.configs = configured(Paused, 2)
	expect(t, step(s, configChange{storage.Change{Kind: storage.TargetChanged, Connector: "a"}}), "moveTarget")
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}))
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
	expect(t, step(s, joined(true, 5, nil, nil)), "answer [a]", "roundApplied", "write a")
}

func TestASignOfLifeWaitsForTheGroup(t *testing.T) {
	s := running(false, "a")
	expect(t, step(s, requested{&request{kind: signOfLife}}), "reply <nil>")
	step(s, groupEvent{group.Event{Kind: group.Rejoining}})
	expect(t, step(s, requested{&request{kind: signOfLife}}))
	expect(t, step(s, joined(false, 5, nil, nil)), "answer [a]", "roundApplied", "reply <nil>")
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

func TestARestartOfWhatDoesNotStopIsForgottenWithItsClient(t *testing.T) {
	s := running(true, "a", "a0")
	gone := make(chan struct{})
	restart := func(gone <-chan struct{}) []effect {
		return step(s, requested{&request{kind: restartTask, name: "a", task: 0, gone: gone}})
	}
	expect(t, restart(gone), "stop [a-0]")
	expect(t, restart(nil)) // while it hangs
	close(gone)
	step(s, ticked{})
	if n := len(s.restarts[ids("a0")[0]].replies); n != 1 {
		t.Errorf("%d clients are to be answered, but one of two has gone", n)
	}
	expect(t, step(s, workStopped{ids("a0")}), "start a-0", "reply <nil>")
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
		{"a follower pauses by itself", false, nil, request{kind: putTarget, name: "a", target: Paused}, []string{"write a"}},
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
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"], err: errors.New("no such driver")}), "reply Failed to start connector: a: no such driver")
}

func TestACreatedConnectorRunsOnlyOnceItIsAssigned(t *testing.T) {
	s := running(true)
	expect(t, step(s, changed(storage.ConnectorAdded, 0)), "awaitChanges")
	expect(t, step(s, changesPaused{}), "rejoin")
	expect(t, step(s, told(group.Rejoining)))
	expect(t, step(s, joined(true, 5, ids("a"), nil)), "answer [a]", "roundApplied", "start a")
	expect(t, step(s, connectorStarted{name: "a", start: s.started["a"]}), "planTasks")
	expect(t, step(s, planned{"a"}))
}

func TestADeletedConnectorStopsAtOnce(t *testing.T) {
	s := running(true, "a", "a0", "a1")
	s.configs = &storage.ConfigSnapshot{Offset: 7}
	effects := step(s, changed(storage.ConnectorRemoved, 0))
	expect(t, effects, "stop [a-0 a-1 a]", "awaitChanges")
	if why := effects[0].(stopWork).why; why != deletedWork {
		t.Errorf("it is stopped for reason %d, which writes a status", why)
	}
	expect(t, step(s, joined(true, 7, nil, ids("a", "a0", "a1"))))
	expect(t, step(s, workStopped{ids("a", "a0", "a1")}), "answer []", "roundApplied")
}

func TestAConnectorThatIsGoneWhenItIsRevokedWritesNoStatus(t *testing.T) {
	s := running(false, "a", "a0")
	s.configs = &storage.ConfigSnapshot{Offset: 7}
	effects := step(s, joined(false, 7, nil, ids("a", "a0")))
	expect(t, effects, "stop [a a-0]")
	if why := effects[0].(stopWork).why; why != deletedWork {
		t.Errorf("it is stopped for reason %d", why)
	}
}

func TestAConnectorThatWasCreatedAnewStartsWithItsOwnConfiguration(t *testing.T) {
	s := running(true, "a", "a0")
	s.configs = &storage.ConfigSnapshot{Offset: 6}
	expect(t, step(s, changed(storage.ConnectorRemoved, 0)), "stop [a-0 a]", "awaitChanges")
	s.configs = configured(Started, 0)
	s.configs.Offset = 7
	expect(t, step(s, changed(storage.ConnectorAdded, 0)), "awaitChanges")
	expect(t, step(s, workStopped{ids("a", "a0")}), "start a") // which is assigned here until the round
	expect(t, step(s, changesPaused{}), "rejoin")
	expect(t, step(s, joined(true, 7, nil, ids("a0"))), "answer [a]", "roundApplied")
}

func TestTasksThatRunElsewhereNeedARebalanceAllTheSame(t *testing.T) {
	s := running(true, "a")
	expect(t, step(s, changed(storage.TasksChanged, 2)), "awaitChanges")
	expect(t, step(s, changesPaused{}), "rejoin")
}

// TestOneRoundServesManyChanges lets work go on, and requests be carried out,
// until the config topic is quiet.
func TestOneRoundServesManyChanges(t *testing.T) {
	s := running(true)
	for range 3 {
		expect(t, step(s, changed(storage.ConnectorAdded, 0)), "awaitChanges")
		expect(t, step(s, requested{&request{kind: putTarget, name: "a", target: Paused}}), "write a")
		delete(s.writing, "a")
	}
	expect(t, step(s, changesPaused{}), "rejoin")
	expect(t, step(s, changed(storage.ConnectorAdded, 0)), "rejoin") // no waiting for what the round may not serve
}

func TestARoundThatComesAnywayServesTheChanges(t *testing.T) {
	s := running(true)
	expect(t, step(s, changed(storage.ConnectorAdded, 0)), "awaitChanges")
	expect(t, step(s, told(group.Rejoining)))
	expect(t, step(s, joined(true, 5, ids("a"), nil)), "answer [a]", "roundApplied", "start a")
	expect(t, step(s, changesPaused{}))
}

func TestATaskCountOfNoneStopsNothingByItself(t *testing.T) {
	s := running(true, "a", "a0", "a1")
	expect(t, step(s, changed(storage.TasksChanged, 0)), "awaitChanges")
	s.configs = configured(Stopped, 0)
	expect(t, step(s, joined(true, 5, nil, ids("a0", "a1"))), "stop [a-0 a-1]")
	expect(t, step(s, workStopped{ids("a0", "a1")}), "answer [a]", "roundApplied")
}

func TestNothingOfAStoppedTaskSetStartsBeforeTheRound(t *testing.T) {
	s := running(true, "a", "a0", "a1")
	step(s, changed(storage.TasksChanged, 2))
	expect(t, step(s, workStopped{ids("a0")})) // one is gone, the other not yet
	expect(t, step(s, workStopped{ids("a1")}), "rejoin")
	expect(t, step(s, joined(true, 5, nil, ids("a1"))), "answer [a a-0]", "roundApplied", "start a-0")
}

func TestChangesThatNeedNoRound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change storage.Change
		want   []string
	}{
		{"a target", storage.Change{Kind: storage.TargetChanged, Connector: "a"}, []string{"moveTarget"}},
		{"a restart", storage.Change{Kind: storage.RestartRequested, Restart: storage.RestartRequest{Connector: "a"}}, []string{"applyRestart"}},
		{"a log level", storage.Change{Kind: storage.LoggerLevelChanged, Logger: "root", Level: "DEBUG"}, []string{"setLogger"}},
		{"a session key", storage.Change{Kind: storage.SessionKeyChanged}, nil},
		{"a connector that runs elsewhere", storage.Change{Kind: storage.ConnectorChanged, Connector: "b"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, step(running(false, "a", "a0"), configChange{c.change}), c.want...) })
	}
}

func TestAnEagerGroupTakesEverythingBackFirst(t *testing.T) {
	s := running(true, "a", "a0")
	expect(t, step(s, told(group.Revoke)), "stop [a a-0]")
	expect(t, step(s, workStopped{ids("a")}))
	expect(t, step(s, workStopped{ids("a0")}), "answer []")
	expect(t, step(s, eagerly(5, ids("a1")...)), "answer [a-1]", "roundApplied", "start a-1")
}

func TestAnEagerGroupIsAnsweredAtOnceWhenNothingRuns(t *testing.T) {
	expect(t, step(running(true), told(group.Revoke)), "answer []")
}

// A worker that knows only the eager protocol has joined: nobody was asked to
// give anything back, and the assignment is all that this worker has now (doc
// of package group, "Rules").
func TestTheFirstEagerAssignmentStopsWhatIsNotInIt(t *testing.T) {
	s := running(true, "a", "a0", "a1")
	expect(t, step(s, eagerly(5, ids("a0")...)), "stop [a a-1]")
	expect(t, step(s, workStopped{ids("a", "a1")}), "answer [a-0]", "roundApplied")
}

func TestAMismatchIsReadUpOnBeforeTheNextRound(t *testing.T) {
	s := running(false, "a")
	expect(t, step(s, mismatched(5)), "readConfigs") // however much this worker has read
	expect(t, step(s, configsRead{epoch: s.epoch}), "answer [a]", "rejoin")
	s.configs.Offset = 6
	expect(t, step(s, joined(false, 6, ids("a0"), nil)), "answer [a a-0]", "roundApplied", "start a-0")
}

func TestAMismatchThatCannotBeReadUpOnEndsTheMembershipForAWhile(t *testing.T) {
	s := running(false, "a")
	step(s, mismatched(9))
	expect(t, step(s, configsRead{epoch: s.epoch, err: errors.New("no broker")}), "answer [a]", "resync")
}

// TestWhoCannotReadTheConfigsLeavesAndGivesUpItsWorkInTime: others are given
// the work after the delay of the scheduled rebalance, of which the pauses are
// less than a quarter.
func TestWhoCannotReadTheConfigsLeavesAndGivesUpItsWorkInTime(t *testing.T) {
	s := running(true, "a", "a0")
	failed := func() []effect { return step(s, configsRead{epoch: s.epoch, err: errors.New("no broker")}) }
	expect(t, step(s, joined(true, 9, nil, nil)), "readConfigs")
	want := []effect{answerGroup{ids("a", "a0")}, resync{epoch: s.epoch, leave: true, share: 5}}
	if diff := cmp.Diff(want, failed(), cmp.AllowUnexported(answerGroup{}, resync{})); diff != "" {
		t.Error(diff)
	}
	// Nothing that happens meanwhile leads back into the group.
	expect(t, step(s, told(group.Lost)))
	expect(t, step(s, changed(storage.ConnectorAdded, 0)))
	for share := 4; share >= 1; share-- {
		if diff := cmp.Diff([]effect{resync{epoch: s.epoch, share: share}}, failed(), cmp.AllowUnexported(resync{})); diff != "" {
			t.Error(diff)
		}
	}
	expect(t, failed(), "stop [a a-0]")
	expect(t, step(s, workStopped{ids("a0")}))
	expect(t, step(s, workStopped{ids("a")}), "answer []", "resync")
	if diff := cmp.Diff([]effect{resync{epoch: s.epoch, share: 5}}, failed(), cmp.AllowUnexported(resync{})); diff != "" {
		t.Error(diff)
	}
	expect(t, step(s, configsRead{epoch: s.epoch}), "rejoin")
	s.configs.Offset = 9
	expect(t, step(s, joined(true, 9, ids("a"), nil)), "answer [a]", "roundApplied", "start a")
}

func TestAnEagerGroupIsRejoinedAfterItsOwnBackoff(t *testing.T) {
	s := newState()
	expect(t, step(s, eagerly(9, ids("a")...)), "readConfigs")
	for _, leave := range []bool{true, false, false, false, false, false, false} {
		effects := step(s, configsRead{epoch: s.epoch, err: errors.New("no broker")})
		if r, ok := effects[len(effects)-1].(resync); !ok || r.leave != leave || r.share != 1 {
			t.Fatalf("effects %v", names(effects))
		}
	}
	expect(t, step(s, configsRead{epoch: s.epoch}), "rejoin")
}

func TestWhatAnOlderRoundReadIsNotHeard(t *testing.T) {
	s := newState()
	step(s, joined(false, 5, ids("a"), nil))
	old := s.epoch
	expect(t, step(s, told(group.Lost)), "answer []")
	expect(t, step(s, configsRead{epoch: old}))
	expect(t, step(s, joined(false, 5, ids("a"), nil)), "readConfigs")
	expect(t, step(s, configsRead{epoch: old}))
	s.configs = configured(Started, 2)
	expect(t, step(s, configsRead{epoch: s.epoch}), "answer [a]", "roundApplied", "start a")
}

func TestNothingStartsWhileARoundIsUnderWay(t *testing.T) {
	s := running(true, "a", "a0")
	step(s, told(group.Rejoining))
	expect(t, step(s, changed(storage.ConnectorChanged, 0)), "stop [a]")
	expect(t, step(s, workStopped{ids("a")}))
	expect(t, step(s, joined(true, 5, nil, nil)), "answer [a a-0]", "roundApplied", "start a")
}

func TestWorkThatStopsDuringARevocationIsWaitedFor(t *testing.T) {
	s := running(true, "a", "a0")
	step(s, changed(storage.ConnectorChanged, 0)) // being stopped for its own reasons
	expect(t, step(s, joined(true, 5, nil, ids("a"))))
	expect(t, step(s, workStopped{ids("a")}), "answer [a-0]", "roundApplied")
}

func TestALossDuringARoundStillStopsEverythingBeforeItIsAnswered(t *testing.T) {
	s := running(false, "a", "a0", "a1")
	expect(t, step(s, joined(false, 5, nil, ids("a"))), "stop [a]")
	expect(t, step(s, told(group.Lost)), "stop [a-0 a-1]")
	expect(t, step(s, workStopped{ids("a0", "a1")}))
	expect(t, step(s, workStopped{ids("a")}), "answer []")
}

func TestEachConnectorIsStoppedByItself(t *testing.T) {
	s := newState()
	s.configs = configured(Started, 1)
	s.configs.Connectors["b"] = &storage.Connector{Name: "b", Target: Started, TaskCount: 1, Tasks: make([]config.Map, 1)}
	step(s, joined(true, 5, ids("a", "a0", "b", "b0"), nil))
	expect(t, step(s, told(group.Lost)), "stop [a a-0]", "stop [b b-0]")
}

func TestTasksArePlannedOneAtATime(t *testing.T) {
	s := running(true, "a")
	expect(t, step(s, planWanted{"a"}), "planTasks")
	expect(t, step(s, planWanted{"a"}))
	expect(t, step(s, planWanted{"a"}))
	expect(t, step(s, planned{"a"}), "planTasks")
	expect(t, step(s, planned{"a"}))
	expect(t, step(s, planWanted{"b"})) // which does not run here
}

func TestAConnectorThatFailedToStartPlansNoTasks(t *testing.T) {
	expect(t, step(running(true, "a"), connectorStarted{name: "a", start: 1, err: errors.New("no such driver")}))
}

func TestATaskIsRestartedHere(t *testing.T) {
	s := running(true, "a", "a0")
	expect(t, step(s, requested{&request{kind: restartTask, name: "a", task: 0}}), "stop [a-0]")
	expect(t, step(s, requested{&request{kind: restartTask, name: "a", task: 0}})) // the same restart serves both
	expect(t, step(s, workStopped{ids("a0")}), "start a-0", "reply <nil>", "reply <nil>")
}

func TestARestartIsNotAnsweredByAnEarlierStart(t *testing.T) {
	s := running(true, "a") // and says that it has started a little later
	expect(t, step(s, requested{&request{kind: restartConnector, name: "a"}}), "stop [a]")
	expect(t, step(s, connectorStarted{name: "a", start: 1, err: errors.New("of the first start")}))
	expect(t, step(s, workStopped{ids("a")}), "start a")
	expect(t, step(s, connectorStarted{name: "a", start: 1})) // which may be heard of late
	expect(t, step(s, connectorStarted{name: "a", start: 2}), "reply <nil>", "planTasks")
}

func TestARestartOfWhatLeavesMeanwhileIsAConflict(t *testing.T) {
	s := running(true, "a", "a0")
	step(s, requested{&request{kind: restartTask, name: "a", task: 0}})
	step(s, requested{&request{kind: restartConnector, name: "a"}})
	expect(t, step(s, joined(true, 5, nil, ids("a", "a0"))))
	expect(t, step(s, workStopped{ids("a", "a0")}), "answer []", "roundApplied", "reply "+staleConfig, "reply "+staleConfig)
}

func TestARestartPlanRestartsWhatRunsHere(t *testing.T) {
	s := running(true, "a", "a0")
	effects := step(s, requested{&request{kind: restartPlan, name: "a", plan: ids("a", "a0", "a1")}})
	expect(t, effects, "stop [a a-0]")
	if why := effects[0].(stopWork).why; why != restartWork {
		t.Errorf("it is stopped for reason %d, so the status does not say RESTARTING", why)
	}
	expect(t, step(s, workStopped{ids("a", "a0")}), "start a", "start a-0")
}

func TestALeaderSendsARestartToTheOwner(t *testing.T) {
	s := running(true)
	s.owners = map[group.ID]string{ids("a")[0]: "http://w/"}
	expect(t, step(s, requested{&request{kind: restartConnector, name: "a"}}), "reply the worker at http://w/ has to do this")
	expect(t, step(s, requested{&request{kind: restartTask, name: "a", task: 1}}), "reply "+(&ElsewhereError{}).Error()) // nobody has it
}

func TestATaskOfAnInconsistentConnectorIsUnknown(t *testing.T) {
	s := running(true, "a")
	s.configs.Connectors["a"].Tasks, s.configs.Connectors["a"].Inconsistent = nil, true
	expect(t, step(s, requested{&request{kind: restartTask, name: "a", task: 0}}), "reply Unknown task: a-0")
}

func TestRequestsThatWaitedMeetTheStateThatCameOfTheRound(t *testing.T) {
	s := running(true, "a")
	step(s, told(group.Rejoining))
	create := &request{kind: putConnector, name: "b"}
	pause := &request{kind: putTarget, name: "a", target: Paused}
	expect(t, step(s, requested{create}))
	expect(t, step(s, requested{pause}))
	// Another leads now.
	expect(t, step(s, joined(false, 5, nil, nil)), "answer [a]", "roundApplied", "reply the worker at http://l/ has to do this", "write a")
}

func TestRequestsWaitUntilThereIsAGroup(t *testing.T) {
	s := newState()
	expect(t, step(s, requested{&request{kind: deleteConnector, name: "a"}}))
	s.configs = configured(Started, 2)
	expect(t, step(s, joined(true, 5, nil, nil)), "answer []", "roundApplied", "write a")
}

// The Java worker handles one request after the other, so the second of two
// clients who create a connector of one name is told that it exists.
func TestTwoCreationsAtOnceMakeOneConnector(t *testing.T) {
	s := running(true)
	expect(t, step(s, requested{&request{kind: putConnector, name: "b"}}), "write b")
	for _, f := range step(s, requested{&request{kind: putConnector, name: "b"}}) {
		if w, ok := f.(write); ok {
			t.Errorf("connector %s is written a second time before the first write is through", w.name)
		}
	}
}

// TestRequestsForAConnectorWaitForAWriteOfIt lets each be decided by what the
// topic says after the one before; other connectors do not wait.
func TestRequestsForAConnectorWaitForAWriteOfIt(t *testing.T) {
	s := running(true)
	first := &request{kind: putConnector, name: "b", replace: true}
	gone := make(chan struct{})
	expect(t, step(s, requested{first}), "write b")
	expect(t, step(s, requested{&request{kind: putConnector, name: "b"}}))
	expect(t, step(s, requested{&request{kind: putTarget, name: "b", target: Paused, gone: gone}}))
	expect(t, step(s, requested{&request{kind: deleteConnector, name: "b"}}))
	expect(t, step(s, requested{&request{kind: putTarget, name: "a", target: Paused}}), "write a")
	close(gone)
	expect(t, step(s, ticked{})) // nobody waits for the pause any more
	s.configs.Connectors["b"] = &storage.Connector{Name: "b", Target: Started}
	expect(t, step(s, written{first, nil}), "reply <nil>", "reply Connector b already exists", "write b")
}

func TestACreationSaysWhetherTheConnectorIsNew(t *testing.T) {
	s := running(true)
	fresh, old := &request{kind: putConnector, name: "b", replace: true}, &request{kind: putConnector, name: "a", replace: true}
	expect(t, step(s, requested{fresh}), "write b")
	expect(t, step(s, requested{old}), "write a")
	if !fresh.created || old.created {
		t.Errorf("created: %t and %t", fresh.created, old.created)
	}
}

func TestOffsetsAreAlteredOfAConnectorWithoutTasks(t *testing.T) {
	s := running(true, "a")
	s.configs = configured(Stopped, 0)
	first := &request{kind: alterOffsets, name: "a"}
	expect(t, step(s, requested{first}), "write a")
	expect(t, step(s, written{first, nil}), "reply <nil>")
	s.configs = configured(Stopped, 2) // its tasks are not gone yet
	if got := names(step(s, requested{&request{kind: alterOffsets, name: "a"}})); len(got) != 1 || !strings.HasPrefix(got[0], "reply Connectors must be in the STOPPED state") {
		t.Errorf("effects %v", got)
	}
}
