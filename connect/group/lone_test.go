package group

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// alone runs a membership until the test ends.
func alone(t *testing.T, snapshot Snapshot) *Lone {
	t.Helper()
	l := NewLone(snapshot)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestALoneWorkerGetsAllWorkAndLosesWhatIsGone(t *testing.T) {
	tasks := map[string]int{"a": 2, "b": 0}
	l := alone(t, func() (int64, map[string]int) { return 7, tasks })
	e := <-l.Events()
	want := Event{Kind: Joined, Generation: Generation{Protocol: "compatible", Leader: true, Assignment: Assignment{
		Version: V1, Offset: 7, Assigned: []ID{{"a", ConnectorTask}, {"a", 0}, {"a", 1}, {"b", ConnectorTask}},
	}}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("the first round (-want +got):\n%s", diff)
	}
	// Changes that come while a round is applied are one further round.
	tasks = map[string]int{"a": 1, "c": 0}
	l.Rejoin("a has a task less")
	l.Rejoin("c is there")
	l.Allocated(e.Generation.Assignment.Assigned)
	e = <-l.Events()
	if diff := cmp.Diff(Assignment{Version: V1, Offset: 7, Assigned: []ID{{"c", ConnectorTask}}, Revoked: []ID{{"a", 1}, {"b", ConnectorTask}}}, e.Generation.Assignment); diff != "" {
		t.Errorf("the second round (-want +got):\n%s", diff)
	}
	l.Allocated([]ID{{"a", ConnectorTask}, {"a", 0}, {"c", ConnectorTask}})
	l.Rejoin("nothing has changed")
	e = <-l.Events()
	if diff := cmp.Diff(Assignment{Version: V1, Offset: 7}, e.Generation.Assignment); diff != "" {
		t.Errorf("the third round (-want +got):\n%s", diff)
	}
	l.Allocated(nil)
	if err := l.Leave(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestALoneWorkerStopsInEveryStateOfARound(t *testing.T) {
	nothing := func() (int64, map[string]int) { return -1, nil }
	for _, stage := range []string{"before the round", "while it is applied", "after it"} {
		l := alone(t, nothing)
		if stage != "before the round" {
			<-l.Events()
		}
		if stage == "after it" {
			l.Allocated(nil)
		}
	} // the cleanups wait for Run
}

func TestAfterARoundALoneWorkerHasExactlyTheWorkThatThereIs(t *testing.T) {
	work := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.IntRange(0, 3), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		held := map[ID]bool{}
		for name, n := range work.Draw(t, "held") {
			for task := ConnectorTask; task < n; task++ {
				held[ID{name, task}] = rapid.Bool().Draw(t, "has")
			}
		}
		var reported []ID
		for id, has := range held {
			if has {
				reported = append(reported, id)
			} else {
				delete(held, id)
			}
		}
		tasks := work.Draw(t, "there is")
		l := NewLone(func() (int64, map[string]int) { return 1, tasks })
		a := l.round(reported).Assignment
		for _, id := range a.Revoked {
			if !held[id] {
				t.Fatalf("%v is revoked and was not held", id)
			}
			delete(held, id)
		}
		for _, id := range a.Assigned {
			if held[id] {
				t.Fatalf("%v is assigned twice", id)
			}
			held[id] = true
		}
		want := map[ID]bool{}
		for name, n := range tasks {
			for task := ConnectorTask; task < n; task++ {
				want[ID{name, task}] = true
			}
		}
		if diff := cmp.Diff(want, held); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}
