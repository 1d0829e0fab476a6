package worker

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kconnect/connect/group"
)

func TestEveryTransitionIsDeclaredOrImpossible(t *testing.T) {
	// What was deleted does not come back under the same life.
	impossible := map[Transition]bool{OnStart: true, OnPause: true, OnHalt: true, OnFail: true, OnRestart: true}
	for _, s := range []State{Unassigned, Running, Paused, Stopped, Failed, Restarting, Destroyed} {
		for tr := OnStart; tr <= OnDelete; tr++ {
			n, err := s.Next(tr)
			if s == Destroyed && impossible[tr] {
				if err == nil {
					t.Errorf("%s goes to %s on %s", s, n, tr)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s has no transition on %s", s, tr)
			}
		}
	}
	if n, _ := Failed.Next(OnPause); n != Failed {
		t.Errorf("a failed task that is paused becomes %s", n)
	}
}

func newLife(h *heard) *life {
	return &life{id: group.ID{Connector: "c", Task: 0}, listener: h, log: zap.NewNop(), state: Unassigned}
}

func TestALifeReportsChangesOnce(t *testing.T) {
	h := &heard{}
	l := newLife(h)
	l.move(OnStart, "")
	l.move(OnStart, "")
	l.move(OnStart, "waits for the database")
	l.move(OnPause, "")
	l.end(OnRevoke)
	l.move(OnFail, "a straggler") // it was stopped: nobody wants to hear of it
	if diff := cmp.Diff([]State{Running, Running, Paused, Unassigned}, h.states()); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

func TestAFailedTaskKeepsItsTraceWhenItIsRevoked(t *testing.T) {
	h := &heard{}
	l := newLife(h)
	l.move(OnFail, "why")
	l.end(OnRevoke)
	if len(h.statuses) != 1 || h.statuses[0].Trace != "why" || !h.statuses[0].Safe {
		t.Errorf("reports are %+v", h.statuses)
	}
}

func TestADeletedOneWritesNoStatus(t *testing.T) {
	h := &heard{}
	l := newLife(h)
	l.move(OnStart, "")
	l.end(OnDelete)
	if diff := cmp.Diff([]State{Running}, h.states()); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}
