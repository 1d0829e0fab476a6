package worker

import (
	"sync"

	"go.uber.org/zap"

	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/metrics"
)

// life keeps the state of one connector or task and reports its changes.
type life struct {
	id       group.ID
	version  string
	listener Listener
	log      *zap.Logger
	meter    *metrics.State
	filled   config.Filled // what no trace may show; set before anything can be reported

	mu    sync.Mutex
	state State
	trace string
	over  bool // it was stopped: later reports are those of a straggler
}

func (w *Worker) newLife(id group.ID, version string) *life {
	return &life{id: id, version: version, listener: w.listener, log: w.log, state: Unassigned}
}

// move reports a change of state, or of the trace.
func (l *life) move(t Transition, trace string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.step(t, l.filled.Hide(trace)) // Promise 8
}

// end reports the last change. A failed one that is merely revoked keeps its
// trace in the status, as in Java.
func (l *life) end(t Transition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.over = true
	if l.state == Failed && t == OnRevoke {
		return
	}
	l.step(t, "")
}

func (l *life) step(t Transition, trace string) {
	next, err := l.state.Next(t)
	if err != nil {
		l.log.DPanic("A state change that is not in the table", zap.String("of", l.id.String()), zap.Error(err))
		return
	}
	if next == l.state && trace == l.trace && t != OnRevoke {
		return
	}
	l.state, l.trace = next, trace
	l.meter.Enter(string(next))
	if next == Destroyed {
		return // the leader removes statuses of what was deleted
	}
	l.listener.StatusChanged(Status{ID: l.id, State: next, Trace: trace, Version: l.version, Safe: next == Unassigned || next == Failed})
}
