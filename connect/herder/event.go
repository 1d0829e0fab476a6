package herder

import (
	"context"

	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/storage"
)

// event is something that happened. The loop hands it to step.
type event interface{ isEvent() }

type (
	// groupEvent is what the group says.
	groupEvent struct{ group.Event }
	// configChange is one record of the config topic.
	configChange struct{ storage.Change }
	// workStopped is the end of a stopWork.
	workStopped struct{ ids []group.ID }
	// configsRead is the end of a readConfigs.
	configsRead struct {
		epoch int
		err   error
	}
	// connectorStarted is the end of a start, or of a move to STARTED.
	connectorStarted struct {
		name  string
		start int // which one; that of an earlier start means nothing
		err   error
	}
	// planWanted asks for the tasks of a connector to be planned again.
	planWanted struct{ name string }
	// planned is the end of a planTasks.
	planned struct{ name string }
	// requested is a request of a user or of another worker.
	requested struct{ *request }
	// written is the end of a write.
	written struct {
		*request
		err error
	}
	// changesPaused ends a rejoin that waits for further changes.
	changesPaused struct{}
	// ticked comes once a second.
	ticked struct{}
)

func (groupEvent) isEvent()       {}
func (configChange) isEvent()     {}
func (workStopped) isEvent()      {}
func (configsRead) isEvent()      {}
func (connectorStarted) isEvent() {}
func (planWanted) isEvent()       {}
func (planned) isEvent()          {}
func (requested) isEvent()        {}
func (written) isEvent()          {}
func (changesPaused) isEvent()    {}
func (ticked) isEvent()           {}

// effect is something to be done. The loop carries it out.
type effect interface{ isEffect() }

type (
	// answerGroup tells the group that its event was applied.
	answerGroup struct{ allocated []group.ID }
	// rejoin asks for a round.
	rejoin struct{ reason string }
	// awaitChanges ends in changesPaused once the config topic has been quiet
	// for a moment.
	awaitChanges struct{}
	// resync waits, reads the config topic as readConfigs does and says so. It
	// leaves the group first if leave is set.
	resync struct {
		epoch int
		leave bool
		share int // of the wait: an unsyncBackoff divided by it; 0: no wait
	}
	// readConfigs reads the config topic to its end, within worker.sync.timeout.ms.
	readConfigs struct{ epoch int }
	// stopWork stops connectors and tasks and then says so.
	stopWork struct {
		ids []group.ID
		why stopReason
	}
	startConnector struct {
		name  string
		start int // numbers the starts here
	}
	startTask struct{ id group.ID }
	// moveTarget brings a connector and its tasks to their target.
	moveTarget struct {
		name  string
		start int // of the connector
	}
	// planTasks asks the connector for its tasks and publishes them if they changed.
	planTasks struct{ name string }
	// write changes the config topic and then says so.
	write struct{ *request }
	// reply answers a request.
	reply struct {
		*request
		err error
	}
	// roundApplied ends a round: statuses of what is gone are removed, the
	// session key is looked at, by the leader.
	roundApplied struct {
		generation int32
		leader     bool
	}
	// applyRestart carries out a restart request on what runs here.
	applyRestart struct{ storage.RestartRequest }
	setLogger    struct{ logger, level string }
)

func (answerGroup) isEffect()    {}
func (rejoin) isEffect()         {}
func (awaitChanges) isEffect()   {}
func (resync) isEffect()         {}
func (readConfigs) isEffect()    {}
func (stopWork) isEffect()       {}
func (startConnector) isEffect() {}
func (startTask) isEffect()      {}
func (moveTarget) isEffect()     {}
func (planTasks) isEffect()      {}
func (write) isEffect()          {}
func (reply) isEffect()          {}
func (roundApplied) isEffect()   {}
func (applyRestart) isEffect()   {}
func (setLogger) isEffect()      {}

// stopReason is why work is stopped; it decides the status that is written.
type stopReason uint8

const (
	revokedWork  stopReason = iota // UNASSIGNED
	restartWork                    // RESTARTING
	deletedWork                    // none: the leader removes it
	replacedWork                   // UNASSIGNED: new configuration
)

// requestKind tells requests apart.
type requestKind uint8

const (
	putConnector requestKind = iota
	deleteConnector
	putTarget
	putTasks
	restartConnector // with or without tasks
	restartTask
	restartPlan // what a restart record asks of this worker
	alterOffsets
	signOfLife // is answered as soon as a round is over
)

// request is one request on its way through the loop.
type request struct {
	kind    requestKind
	name    string
	task    int
	entries config.Entries // putConnector
	replace bool           // putConnector: the connector may exist
	target  TargetState    // putConnector (initial, may be empty), putTarget
	tasks   []config.Map   // putTasks
	restart storage.RestartRequest
	plan    []group.ID // restartPlan: what has to be restarted if it runs here

	// awaited, of putConnector: the answer comes when the connector has started
	// and its tasks are planned, as that of Java's standalone mode.
	awaited bool

	alter func(ctx context.Context) error // alterOffsets

	created bool            // answer of putConnector
	done    chan error      // capacity 1
	gone    <-chan struct{} // closed when nobody waits for the answer any more
}

// abandoned reports that nobody waits for the answer any more.
func (r *request) abandoned() bool {
	select {
	case <-r.gone:
		return true
	default:
		return false
	}
}

// leaderOnly reports whether only the leader may do it.
func (r *request) leaderOnly() bool {
	switch r.kind {
	case putConnector, deleteConnector, putTasks, alterOffsets:
		return true
	case putTarget:
		return r.target == Stopped
	case restartConnector:
		return r.restart.IncludeTasks || r.restart.OnlyFailed
	case restartTask, restartPlan, signOfLife:
	}
	return false
}
