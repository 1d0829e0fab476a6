package group

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What the config topic of the recorded cluster held at the offsets that the workers reported (README of golden/internal).
var recordedConfigs = map[int64]map[string]int{
	-1: {},
	2:  {"cap-a": 0},
	4:  {"cap-a": 1},
	5:  {"cap-a": 1, "cap-b": 0},
	8:  {"cap-a": 1, "cap-b": 2},
	10: {"cap-a": 1},
}

func TestAssignsAsTheJavaLeaderDid(t *testing.T) {
	joined := make(map[string]Metadata)
	var memory Memory
	completed := int32(-1)
	rounds := 0
	recordings(t, "requests-java-4.2.0.jsonl", func(line int, r requested) {
		if r.Request.Group != "rb-cap" {
			return // a sink's consumer
		}
		switch {
		case r.API == "JoinGroup" && r.Request.Member != "":
			m, err := DecodeMetadata(unhex(t, r.Request.Protocols[0].Metadata))
			if err != nil {
				t.Fatal(err)
			}
			joined[r.Request.Member] = m
		case r.API == "SyncGroup" && len(r.Request.Assignments) > 0:
			round := Round{Version: V2, Leader: r.Request.Member, Generation: r.Request.Generation, Completed: completed,
				Members: make(map[string]Metadata), MaxDelay: 5 * time.Second, Now: time.UnixMilli(r.Time)}
			want := make(map[string]Assignment)
			for _, a := range r.Request.Assignments {
				round.Members[a.Member] = joined[a.Member]
				round.Offset = max(round.Offset, joined[a.Member].Offset)
				assignment, err := DecodeAssignment(unhex(t, a.Assignment))
				if err != nil {
					t.Fatal(err)
				}
				slices.SortFunc(assignment.Revoked, compareIDs)
				want[a.Member] = assignment
			}
			if round.Generation == 1 {
				round.Offset = -1
			}
			round.Connectors = recordedConfigs[round.Offset]
			var plan Plan
			plan, memory = Assign(round, memory)
			if diff := cmp.Diff(want, plan.Assignments); diff != "" {
				t.Errorf("line %d, generation %d:\n%s", line, round.Generation, diff)
			}
			completed = r.Request.Generation
			rounds++
		}
	})
	if rounds != 11 {
		t.Errorf("the recording has %d rounds, want 11", rounds)
	}
}

func TestEagerDealsConnectorsThenTasks(t *testing.T) {
	plan, _ := Assign(Round{Version: V0, Leader: "a", Offset: 3, Connectors: map[string]int{"x": 2, "y": 1},
		Members: map[string]Metadata{"a": {URL: "http://a/", Offset: 3}, "b": {Offset: 2}}}, Memory{})
	want := map[string]Assignment{
		"a": {Leader: "a", LeaderURL: "http://a/", Offset: 3, Assigned: []ID{{"x", ConnectorTask}, {"x", 0}, {"y", 0}}},
		"b": {Leader: "a", LeaderURL: "http://a/", Offset: 3, Assigned: []ID{{"x", 1}, {"y", ConnectorTask}}},
	}
	if diff := cmp.Diff(want, plan.Assignments); diff != "" {
		t.Error(diff)
	}
}

func TestALeaderThatIsBehindAssignsNothing(t *testing.T) {
	for _, version := range []int16{V0, V1, V2} {
		plan, _ := Assign(Round{Version: version, Leader: "a", Offset: 3, Connectors: map[string]int{"x": 1},
			Members: map[string]Metadata{"a": {Offset: 3}, "b": {Offset: 9}}}, Memory{})
		want := Assignment{Version: version, Err: ConfigMismatch, Leader: "a", Offset: 9}
		if diff := cmp.Diff(map[string]Assignment{"a": want, "b": want}, plan.Assignments); diff != "" {
			t.Errorf("version %d:\n%s", version, diff)
		}
	}
}

// cluster plays the workers of a cooperative group and its leader, whoever that is.
type cluster struct {
	now        time.Time
	generation int32
	completed  map[string]int32
	memory     map[string]Memory
	held       map[string][]ID // by member
	configured map[string]int
	classes    map[string][]string // what members state
	needs      map[string][]string // by connector
	maxDelay   time.Duration
	plan       Plan
}

func newCluster(maxDelay time.Duration) *cluster {
	return &cluster{now: time.UnixMilli(1_700_000_000_000), completed: make(map[string]int32), memory: make(map[string]Memory),
		held: make(map[string][]ID), configured: make(map[string]int), classes: make(map[string][]string), needs: make(map[string][]string), maxDelay: maxDelay}
}

func (c *cluster) add(member string) { c.held[member], c.completed[member] = nil, -1 }

func (c *cluster) remove(member string) {
	delete(c.held, member)
	delete(c.memory, member)
	delete(c.completed, member)
}

// round plays one round, in which the members of deaf miss their assignment.
func (c *cluster) round(deaf ...string) {
	c.generation++
	leader := slices.Min(slices.Collect(maps.Keys(c.held)))
	members := make(map[string]Metadata)
	for m, ids := range c.held {
		members[m] = Metadata{Version: V2, URL: "http://" + m + "/", Allocation: &Assignment{Assigned: slices.Clone(ids)}, Classes: c.classes[m]}
	}
	c.plan, c.memory[leader] = Assign(Round{Version: V2, Leader: leader, Generation: c.generation, Completed: c.completed[leader],
		Members: members, Connectors: c.configured, Needs: c.needs, MaxDelay: c.maxDelay, Now: c.now}, c.memory[leader])
	for m, a := range c.plan.Assignments {
		if slices.Contains(deaf, m) {
			continue
		}
		c.completed[m] = c.generation
		c.held[m] = slices.DeleteFunc(c.held[m], func(id ID) bool { return slices.Contains(a.Revoked, id) })
		c.held[m] = append(c.held[m], a.Assigned...)
	}
}

func (c *cluster) delay() time.Duration {
	for _, a := range c.plan.Assignments {
		return a.Delay
	}
	return 0
}

// settle plays the rounds that the members ask for until nobody does.
func (c *cluster) settle(t interface{ Fatalf(string, ...any) }) {
	for range 50 {
		c.round()
		again := c.delay() > 0
		c.now = c.now.Add(c.delay())
		for _, a := range c.plan.Assignments {
			again = again || len(a.Revoked) > 0
		}
		if !again {
			return
		}
	}
	t.Fatalf("the group does not settle: %+v", c.plan)
}

func (c *cluster) want() []ID { return Round{Connectors: c.configured}.configured() }

func (c *cluster) all() []ID {
	var all []ID
	for _, ids := range c.held {
		all = append(all, ids...)
	}
	slices.SortFunc(all, compareIDs)
	return all
}

func (c *cluster) spread(connectors bool) (least, most int) {
	least = 1 << 30
	for _, ids := range c.held {
		n := 0
		for _, id := range ids {
			if (id.Task == ConnectorTask) == connectors {
				n++
			}
		}
		least, most = min(least, n), max(most, n)
	}
	return least, most
}

// able reports whether a member may be given a piece of work: one that nobody can run, anybody may.
func (c *cluster) able(member string, id ID) bool {
	can := func(m string) bool {
		return c.classes[m] == nil || !slices.ContainsFunc(c.needs[id.Connector], func(n string) bool { return !slices.Contains(c.classes[m], n) })
	}
	return can(member) || !slices.ContainsFunc(slices.Collect(maps.Keys(c.held)), can)
}

// fits reports whether all work of a kind can run with at most limit pieces on each member, by augmenting paths.
func (c *cluster) fits(limit int, connectors bool) bool {
	at := make(map[string][]ID)
	var put func(id ID, seen map[string]bool) bool
	put = func(id ID, seen map[string]bool) bool {
		for m := range c.held {
			if seen[m] || !c.able(m, id) {
				continue
			}
			seen[m] = true
			if len(at[m]) < limit {
				at[m] = append(at[m], id)
				return true
			}
			for i, other := range at[m] {
				if put(other, seen) {
					at[m][i] = id
					return true
				}
			}
		}
		return false
	}
	for _, id := range c.want() {
		if (id.Task == ConnectorTask) == connectors && !put(id, make(map[string]bool)) {
			return false
		}
	}
	return true
}

func TestWorkOfADepartedWorkerWaitsForItsReturn(t *testing.T) {
	c := newCluster(5 * time.Second)
	for _, m := range []string{"a", "b", "c"} {
		c.add(m)
	}
	c.configured = map[string]int{"x": 3, "y": 3, "z": 3}
	c.settle(t)
	kept, lost := slices.Clone(c.held["a"]), slices.Clone(c.held["c"])

	c.remove("c")
	c.round()
	if c.delay() != 5*time.Second {
		t.Fatalf("delay %v, want 5s", c.delay())
	}
	for _, id := range lost {
		if owner := c.plan.Owners[id]; owner != "" {
			t.Errorf("%v is given to %s at once", id, owner)
		}
	}
	c.now = c.now.Add(2 * time.Second)
	c.add("c2")
	c.round()
	if c.delay() != 3*time.Second {
		t.Errorf("delay %v in the middle of the wait, want 3s", c.delay())
	}
	c.now = c.now.Add(3 * time.Second)
	c.round()
	slices.SortFunc(lost, compareIDs)
	got := slices.SortedFunc(slices.Values(c.held["c2"]), compareIDs)
	if diff := cmp.Diff(lost, got); diff != "" {
		t.Errorf("the worker that came back has other work:\n%s", diff)
	}
	if diff := cmp.Diff(kept, c.held["a"]); diff != "" {
		t.Errorf("a bystander's work moved:\n%s", diff)
	}
}

func TestWorkOfADepartedWorkerIsSharedOutAfterTheDelay(t *testing.T) {
	c := newCluster(5 * time.Second)
	for _, m := range []string{"a", "b", "c"} {
		c.add(m)
	}
	c.configured = map[string]int{"x": 3, "y": 3}
	c.settle(t)
	c.remove("b")
	c.round()
	c.now = c.now.Add(4999 * time.Millisecond)
	c.round()
	if got := len(c.all()); got == len(c.want()) {
		t.Error("handed out before the delay was over")
	}
	c.now = c.now.Add(time.Millisecond)
	c.round()
	if diff := cmp.Diff(c.want(), c.all()); diff != "" {
		t.Error(diff)
	}
}

func TestANewLeaderGivesOutUnownedWorkAtOnce(t *testing.T) {
	c := newCluster(5 * time.Second)
	for _, m := range []string{"a", "b"} {
		c.add(m)
	}
	c.configured = map[string]int{"x": 4}
	c.settle(t)
	c.remove("a") // the leader
	c.round()
	if diff := cmp.Diff(c.want(), c.all()); diff != "" || c.delay() != 0 {
		t.Errorf("delay %v\n%s", c.delay(), diff)
	}
}

func TestWithoutDelayLostWorkMovesAtOnce(t *testing.T) {
	c := newCluster(0)
	for _, m := range []string{"a", "b"} {
		c.add(m)
	}
	c.configured = map[string]int{"x": 4}
	c.settle(t)
	c.remove("b")
	c.round()
	if diff := cmp.Diff(c.want(), c.all()); diff != "" || c.delay() != 0 {
		t.Errorf("delay %v\n%s", c.delay(), diff)
	}
}

func TestAMissedAssignmentIsRepeated(t *testing.T) {
	c := newCluster(5 * time.Second)
	for _, m := range []string{"a", "b"} {
		c.add(m)
	}
	c.configured = map[string]int{"x": 2}
	c.round("b")
	if len(c.all()) == len(c.want()) {
		t.Fatal("b was to miss its part")
	}
	c.round()
	if diff := cmp.Diff(c.want(), c.all()); diff != "" || c.delay() != 0 {
		t.Errorf("delay %v\n%s", c.delay(), diff)
	}
}

func TestWorkThatRunsTwiceStopsEverywhereFirst(t *testing.T) {
	c := newCluster(5 * time.Second)
	for _, m := range []string{"a", "b"} {
		c.add(m)
	}
	c.configured = map[string]int{"x": 1}
	twice := ID{"x", 0}
	c.held["a"] = []ID{{"x", ConnectorTask}, twice}
	c.held["b"] = []ID{twice} // was expelled, and goes on
	c.round()
	for m, a := range c.plan.Assignments {
		if !slices.Contains(a.Revoked, twice) {
			t.Errorf("%s keeps %v", m, twice)
		}
	}
	if owner, any := c.plan.Owners[twice]; any {
		t.Errorf("%v has owner %s while it is being stopped", twice, owner)
	}
	c.settle(t)
	if diff := cmp.Diff(c.want(), c.all()); diff != "" {
		t.Error(diff)
	}
}

func TestDeletedWorkIsTakenAwayByALeaderThatNeverKnewIt(t *testing.T) {
	c := newCluster(5 * time.Second)
	for _, m := range []string{"a", "b"} {
		c.add(m)
	}
	c.held["b"] = []ID{{"gone", ConnectorTask}, {"gone", 0}}
	c.round()
	if len(c.all()) != 0 {
		t.Errorf("still held: %v", c.all())
	}
}

func TestRepeatedBalancingBacksOff(t *testing.T) {
	c := newCluster(time.Minute)
	c.configured = map[string]int{"x": 12}
	c.add("a")
	c.settle(t)
	c.add("b")
	c.round() // takes work from a
	c.add("c")
	c.round() // would take again
	if c.delay() != 40*time.Millisecond {
		t.Errorf("delay %v before taking work twice in a row, want 40ms", c.delay())
	}
	if len(c.plan.Assignments["a"].Revoked) != 0 {
		t.Errorf("revoked all the same: %v", c.plan.Assignments["a"].Revoked)
	}
	c.now = c.now.Add(c.delay())
	c.settle(t)
	if least, most := c.spread(false); least != 4 || most != 4 {
		t.Errorf("between %d and %d tasks, want 4 each", least, most)
	}
}

// TestEveryTaskHasExactlyOneOwner plays random lives of a group. After every round no two members hold the same
// work; when it settles all configured work is held, evenly, and what need not move has not moved.
func TestEveryTaskHasExactlyOneOwner(t *testing.T) {
	t.Run("among equal members", func(t *testing.T) { liveRandomly(t, false) })
	t.Run("among members that state their classes", func(t *testing.T) { liveRandomly(t, true) })
}

func liveRandomly(t *testing.T, stating bool) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 5 * time.Second}).Draw(t, "max delay"))
		c.add("m0")
		next := 1
		round := func(deaf ...string) {
			before := make(map[string][]ID)
			for m, ids := range c.held {
				before[m] = slices.Clone(ids)
			}
			c.round(deaf...)
			if all := c.all(); len(slices.Compact(all)) != len(c.all()) {
				t.Fatalf("work runs twice: %v", c.held)
			}
			for m, a := range c.plan.Assignments {
				if a.Delay < 0 || a.Delay > c.maxDelay {
					t.Fatalf("delay %v", a.Delay)
				}
				for _, id := range a.Revoked {
					if !slices.Contains(before[m], id) {
						t.Fatalf("%s shall give back %v, which it does not have", m, id)
					}
				}
				for _, id := range a.Assigned {
					if slices.Contains(before[m], id) {
						t.Fatalf("%s gets %v, which it has", m, id)
					}
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"worker comes": func(t *rapid.T) {
				if len(c.held) < 6 {
					m := fmt.Sprintf("m%d", next)
					c.add(m)
					if stating {
						c.classes[m] = rapid.SampledFrom([][]string{nil, {}, {"A"}, {"B"}, {"A", "B"}}).Draw(t, "classes")
					}
					next++
				}
				round()
			},
			"worker goes": func(t *rapid.T) {
				if len(c.held) > 1 {
					c.remove(rapid.SampledFrom(slices.Sorted(maps.Keys(c.held))).Draw(t, "who"))
				}
				round()
			},
			"connector changes": func(t *rapid.T) {
				c.configured = maps.Clone(c.configured)
				name := fmt.Sprintf("c%d", rapid.IntRange(0, 4).Draw(t, "which"))
				c.configured[name] = rapid.IntRange(0, 5).Draw(t, "tasks")
				if stating {
					c.needs[name] = rapid.SampledFrom([][]string{nil, {"A"}, {"B"}, {"B", "A"}, {"C"}}).Draw(t, "needs")
				}
				round()
			},
			"connector goes": func(t *rapid.T) {
				c.configured = maps.Clone(c.configured)
				delete(c.configured, fmt.Sprintf("c%d", rapid.IntRange(0, 4).Draw(t, "which")))
				round()
			},
			"time goes by": func(t *rapid.T) {
				c.now = c.now.Add(time.Duration(rapid.IntRange(0, 6000).Draw(t, "ms")) * time.Millisecond)
				round()
			},
			"assignment gets lost": func(t *rapid.T) {
				round(rapid.SampledFrom(slices.Sorted(maps.Keys(c.held))).Draw(t, "who"))
			},
			"settles": func(t *rapid.T) {
				c.settle(t)
				if diff := cmp.Diff(c.want(), c.all()); diff != "" {
					t.Fatalf("after settling:\n%s", diff)
				}
				for _, connectors := range []bool{true, false} {
					least, most := c.spread(connectors)
					if !stating && most-least > 1 {
						t.Fatalf("between %d and %d: %v", least, most, c.held)
					}
					if most > 0 && c.fits(most-1, connectors) {
						t.Fatalf("up to %d, although %d would do: %v", most, most-1, c.held)
					}
				}
				for m, ids := range c.held {
					for _, id := range ids {
						if !c.able(m, id) {
							t.Fatalf("%s has %v, which it cannot run", m, id)
						}
					}
				}
				held := maps.Clone(c.held)
				c.round()
				if diff := cmp.Diff(held, c.held); diff != "" {
					t.Fatalf("a round without a cause moved work:\n%s", diff)
				}
			},
		})
	})
}

// TestALeaverMovesOnlyItsOwnWork: few moves.
func TestALeaverMovesOnlyItsOwnWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster(0)
		for i := range rapid.IntRange(2, 6).Draw(t, "workers") {
			c.add(fmt.Sprintf("m%d", i))
		}
		for i := range rapid.IntRange(1, 6).Draw(t, "connectors") {
			c.configured[fmt.Sprintf("c%d", i)] = rapid.IntRange(0, 8).Draw(t, "tasks")
		}
		c.settle(t)
		before := maps.Clone(c.held)
		leaver := rapid.SampledFrom(slices.Sorted(maps.Keys(c.held))[1:]).Draw(t, "leaver")
		c.remove(leaver)
		c.settle(t)
		for m, ids := range c.held {
			for _, id := range before[m] {
				if !slices.Contains(ids, id) {
					t.Fatalf("%s had to give up %v", m, id)
				}
			}
		}
		if diff := cmp.Diff(c.want(), c.all()); diff != "" {
			t.Fatal(diff)
		}
	})
}
