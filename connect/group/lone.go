package group

import (
	"context"
	"slices"
)

// Lone is the membership of a worker by itself: a group without a coordinator whose only member leads, and has all
// the work. It sends Joined alone, once at the start of Run and after each Rejoin, and wants one Allocated for each, as
// a [Member] does. Its methods may be called from any goroutine.
type Lone struct {
	snapshot  Snapshot
	events    chan Event
	rejoins   chan string
	allocated chan []ID
}

// NewLone prepares the membership.
func NewLone(snapshot Snapshot) *Lone {
	l := &Lone{snapshot: snapshot, events: make(chan Event), rejoins: make(chan string, 1), allocated: make(chan []ID, 1)}
	l.rejoins <- "the worker starts"
	return l
}

// Events delivers the rounds.
func (l *Lone) Events() <-chan Event { return l.events }

// Rejoin asks for a new round. Requests that come before it begins are one.
func (l *Lone) Rejoin(reason string) {
	select {
	case l.rejoins <- reason:
	default: // one that was not seen yet stands for this one too
	}
}

// Allocated answers Joined: ids is all the work that the worker now has.
func (l *Lone) Allocated(ids []ID) { l.allocated <- ids }

// Leave has nobody to tell.
func (l *Lone) Leave(context.Context) error { return nil }

// Run holds rounds until ctx ends, and then returns nil.
func (l *Lone) Run(ctx context.Context) error {
	var held []ID
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.rejoins:
		}
		select {
		case <-ctx.Done():
			return nil
		case l.events <- Event{Kind: Joined, Generation: l.round(held)}:
		}
		select {
		case <-ctx.Done():
			return nil
		case held = <-l.allocated:
		}
	}
}

// round assigns what is missing of all work, and revokes what is no work any more. Its generation is always 0, that
// of the Java worker's statuses in this mode.
func (l *Lone) round(held []ID) Generation {
	offset, tasks := l.snapshot()
	a := Assignment{Version: V1, Offset: offset}
	has := make(set[ID], len(held))
	for _, id := range held {
		has.add(id)
		if n, there := tasks[id.Connector]; !there || id.Task >= n {
			a.Revoked = append(a.Revoked, id)
		}
	}
	for name, n := range tasks {
		for task := ConnectorTask; task < n; task++ {
			if id := (ID{name, task}); !has.has(id) {
				a.Assigned = append(a.Assigned, id)
			}
		}
	}
	slices.SortFunc(a.Assigned, compareIDs)
	slices.SortFunc(a.Revoked, compareIDs)
	return Generation{Protocol: "compatible", Leader: true, Assignment: a}
}
