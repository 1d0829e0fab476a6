package worker

import "fmt"

// State is the state of a connector or task as statuses show it.
type State string

// The states of a status.
const (
	Unassigned State = "UNASSIGNED"
	Running    State = "RUNNING"
	Paused     State = "PAUSED"
	Stopped    State = "STOPPED" // connectors only
	Failed     State = "FAILED"
	Restarting State = "RESTARTING"
	Destroyed  State = "DESTROYED"
)

// Transition is what moves a connector or task from one state to another.
type Transition uint8

// The transitions.
const (
	OnStart   Transition = iota // it was started, and its target is to run
	OnPause                     // it was started, or told, to pause
	OnHalt                      // a connector was told to stop without leaving this worker
	OnFail                      // it failed
	OnRestart                   // a restart was asked for
	OnRevoke                    // it leaves this worker
	OnDelete                    // its connector was deleted
)

var transitionNames = [...]string{"start", "pause", "halt", "fail", "restart", "revoke", "delete"}

func (t Transition) String() string { return transitionNames[t] }

// next holds every allowed transition; an absent pair is a bug that the
// tests enumerate. Failing twice and revoking the failed are allowed because
// both happen when a stop and a failure cross.
var next = map[State]map[Transition]State{
	Unassigned: {OnStart: Running, OnPause: Paused, OnHalt: Stopped, OnFail: Failed, OnRestart: Restarting, OnRevoke: Unassigned, OnDelete: Destroyed},
	Running:    {OnStart: Running, OnPause: Paused, OnHalt: Stopped, OnFail: Failed, OnRestart: Restarting, OnRevoke: Unassigned, OnDelete: Destroyed},
	Paused:     {OnStart: Running, OnPause: Paused, OnHalt: Stopped, OnFail: Failed, OnRestart: Restarting, OnRevoke: Unassigned, OnDelete: Destroyed},
	Stopped:    {OnStart: Running, OnPause: Paused, OnHalt: Stopped, OnFail: Failed, OnRestart: Restarting, OnRevoke: Unassigned, OnDelete: Destroyed},
	Failed:     {OnFail: Failed, OnRestart: Restarting, OnRevoke: Unassigned, OnDelete: Destroyed, OnStart: Running, OnPause: Failed, OnHalt: Stopped},
	Restarting: {OnStart: Running, OnPause: Paused, OnHalt: Stopped, OnFail: Failed, OnRestart: Restarting, OnRevoke: Unassigned, OnDelete: Destroyed},
	Destroyed:  {OnDelete: Destroyed, OnRevoke: Destroyed},
}

// Next returns the state after a transition. An undeclared pair is an error.
func (s State) Next(t Transition) (State, error) {
	if n, ok := next[s][t]; ok {
		return n, nil
	}
	return s, fmt.Errorf("no transition %s from %s", t, s)
}
