package herder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kconnect/connect/group"
	"kconnect/connect/storage"
)

// cluster is several herder states on one config log and one group, with every
// delay and order chosen by the test. Its leaders use the real assignor.
type cluster struct {
	t       *rapid.T
	log     []record // the config topic
	members []*member
	leader  *member // of the last round
	round   int32
	version int16            // of the protocol that all workers can do
	delay   time.Duration    // scheduled.rebalance.max.delay.ms; a second passes with each round
	wanted  bool             // somebody asked for a round
	revoked bool             // all work was given back for an eager round
	asked   map[*request]int // answers
	wrote   map[*request]int // times that it was written to the log
	starts  map[group.ID]int // so far
	before  map[*request]int // starts of what it restarts when it was asked
	story   []string         // what happened
}

type record struct{ key, value string }

// member is one worker.
type member struct {
	id       string
	alive    bool
	s        *state
	configs  *storage.ConfigState
	read     int // records of the log
	inbox    []event
	beside   []func() // what runs beside the loop, each ready at any time
	works    map[group.ID]bool
	memory   group.Memory    // as a leader
	report   []group.ID      // the last answer to the group
	asked    group.EventKind // what waits for an answer; 0: nothing
	taken    []group.ID      // what the round takes away, until it is answered
	joined   bool            // it has been in a round, and not lost the group since
	version  int16           // of that round
	complete int32           // the last round that it was given

	out      bool // the coordinator is out of reach or has expelled it
	gone     bool // it knows that it is out
	left     bool // the group, because it cannot read the log
	blind    bool // it cannot read the log
	expelled bool // others may have been given what it runs, until it has answered the next round

	published map[string][]chan struct{} // what ends plans that are on their way, by connector
}

// GoString keeps what rapid prints readable.
func (m *member) GoString() string { return m.id }

// tell notes what happens, for the message of a failure.
func (c *cluster) tell(format string, args ...any) {
	c.story = append(c.story, fmt.Sprintf(format, args...))
}

func (c *cluster) fatalf(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("%s\n%s\nafter\n%s", fmt.Sprintf(format, args...), c, strings.Join(c.story, "\n"))
}

func (c *cluster) url(m *member) string { return "http://" + m.id + "/" }

func (c *cluster) start(id string) {
	m := &member{id: id, alive: true, s: newState(), configs: storage.NewConfigState(), works: make(map[group.ID]bool), complete: -1}
	c.members = append(c.members, m)
	for m.read < len(c.log) { // the topic is read before anything else, and tells nothing
		_, _ = m.configs.Apply(c.log[m.read].key, value(c.log[m.read].value), int64(m.read))
		m.read++
	}
	c.wanted = true
}

func value(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func (c *cluster) alive() []*member {
	return slices.DeleteFunc(slices.Clone(c.members), func(m *member) bool { return !m.alive })
}

// catchUp applies one record of the log at a member.
func (m *member) catchUp(c *cluster) {
	change, _ := m.configs.Apply(c.log[m.read].key, value(c.log[m.read].value), int64(m.read))
	m.read++
	if change.Kind != storage.NoChange {
		m.inbox = append(m.inbox, configChange{change})
	}
}

// step handles the next event of a member.
func (m *member) step(c *cluster) {
	e := m.inbox[0]
	m.inbox = m.inbox[1:]
	if g, ok := e.(groupEvent); ok && g.Kind == group.Lost {
		m.gone = true
	}
	m.s.configs = m.configs.Snapshot()
	effects := step(m.s, e)
	c.tell("%s: %s -> %s", m.id, brief(e), strings.Join(names(effects), ", "))
	for _, f := range effects {
		m.carryOut(c, f)
	}
	c.check()
}

// brief names an event.
func brief(e event) string {
	switch e := e.(type) {
	case groupEvent:
		a := e.Generation.Assignment
		return fmt.Sprintf("%s %d: assigned %v, revoked %v, offset %d, err %d", e.Kind, e.Generation.Generation, a.Assigned, a.Revoked, a.Offset, a.Err)
	case configChange:
		return fmt.Sprintf("change %d of %s", e.Kind, e.Connector)
	case requested:
		return fmt.Sprintf("request %d for %s", e.kind, e.name)
	case workStopped:
		return fmt.Sprintf("stopped %v", e.ids)
	}
	return fmt.Sprintf("%T %+v", e, e)
}

func (m *member) later(work func()) { m.beside = append(m.beside, work) }

func (m *member) carryOut(c *cluster, f effect) {
	switch f := f.(type) {
	case answerGroup:
		m.answer(c, f.allocated)
	case rejoin:
		c.wanted = true
		if m.left {
			m.left, m.out = false, false
		}
	case resync:
		if f.leave {
			m.out, m.left, m.expelled = true, true, true
			c.wanted = true
		}
		m.later(func() { m.readConfigs(c, f.epoch) })
	case readConfigs:
		m.later(func() { m.readConfigs(c, f.epoch) })
	case stopWork:
		m.later(func() {
			for _, id := range f.ids {
				if id.Task == group.ConnectorTask {
					m.withdraw(id.Connector)
				}
				if !m.works[id] {
					c.fatalf("%s stops %v, which does not run there", m.id, id)
				}
				delete(m.works, id)
			}
			m.inbox = append(m.inbox, workStopped{f.ids})
		})
	case startConnector:
		m.begin(c, group.ID{Connector: f.name, Task: group.ConnectorTask})
		m.later(func() { m.inbox = append(m.inbox, connectorStarted{f.name, f.start, nil}) })
	case startTask:
		m.begin(c, f.id)
	case moveTarget:
		if m.works[group.ID{Connector: f.name, Task: group.ConnectorTask}] {
			m.later(func() { m.inbox = append(m.inbox, connectorStarted{f.name, f.start, nil}) })
		}
	case planTasks:
		m.later(func() { m.plan(c, f.name) })
	case awaitChanges:
		m.later(func() { m.inbox = append(m.inbox, changesPaused{}) })
	case write:
		m.later(func() { m.write(c, f.request) })
	case reply:
		c.answer(f.request, f.err)
	case applyRestart:
		if k := m.s.configs.Connectors[f.Connector]; k != nil && k.Target == Started {
			plan := []group.ID{{Connector: f.Connector, Task: group.ConnectorTask}}
			for i := range k.Tasks {
				plan = append(plan, group.ID{Connector: f.Connector, Task: i})
			}
			for _, f := range step(m.s, requested{&request{kind: restartPlan, name: f.Connector, plan: plan}}) {
				m.carryOut(c, f)
			}
		}
	case roundApplied, setLogger:
	default:
		c.fatalf("an effect that nobody carries out: %T", f)
	}
}

// readConfigs reads the log to its end, if it can.
func (m *member) readConfigs(c *cluster, epoch int) {
	if m.blind {
		m.inbox = append(m.inbox, configsRead{epoch, errors.New("no broker")})
		return
	}
	for m.read < len(c.log) {
		m.catchUp(c)
	}
	m.inbox = append(m.inbox, configsRead{epoch: epoch})
}

// answer takes what a member tells the group: by then everything is stopped
// that has to be.
func (m *member) answer(c *cluster, allocated []group.ID) {
	stopped := m.taken
	switch m.asked { //exhaustive:enforce
	case group.Revoke, group.Lost:
		stopped = slices.Collect(maps.Keys(m.works))
	case group.Joined:
		m.expelled = false
	case group.Rejoining:
	}
	for _, id := range stopped {
		if m.works[id] {
			c.fatalf("%s answers %s while %v runs", m.id, m.asked, id)
		}
	}
	if m.asked == 0 && !m.left {
		c.fatalf("%s answers nothing", m.id)
	}
	if m.left {
		if len(m.works) > 0 || len(allocated) > 0 {
			c.fatalf("%s gives up its work and has %v, says %v", m.id, m.works, allocated)
		}
		m.expelled = false
	}
	m.report, m.taken = slices.Clone(allocated), nil
	if m.asked == group.Lost {
		m.out, m.gone, m.joined = false, false, false // and back, as a new member
		c.wanted = true
	}
	m.asked = 0
}

func (m *member) ask(kind group.EventKind, g group.Generation) {
	m.asked = kind
	m.inbox = append(m.inbox, groupEvent{group.Event{Kind: kind, Generation: g}})
}

func (m *member) begin(c *cluster, id group.ID) {
	if m.works[id] {
		c.fatalf("%s starts %v, which runs there", m.id, id)
	}
	m.works[id] = true
	c.starts[id]++
}

// plan publishes as many tasks as the configuration says.
func (m *member) plan(c *cluster, name string) {
	done := func() { m.inbox = append(m.inbox, planned{name}) }
	k := m.configs.Snapshot().Connectors[name]
	if k == nil || k.Target != Started || !m.works[group.ID{Connector: name, Task: group.ConnectorTask}] {
		done()
		return
	}
	n, _ := strconv.Atoi(*k.Config["tasks.max"])
	if len(k.Tasks) == n && k.Applied != nil && *k.Applied["tasks.max"] == *k.Config["tasks.max"] && !k.Inconsistent {
		done()
		return
	}
	m.publish(c, m, name, n, done)
}

// withdraw ends the plans of a connector that stops.
func (m *member) withdraw(name string) {
	for _, gone := range m.published[name] {
		close(gone)
	}
	delete(m.published, name)
}

// publish asks a member to write the tasks, and then the leader that it names.
func (m *member) publish(c *cluster, at *member, name string, n int, done func()) {
	gone := make(chan struct{})
	r := c.request(&request{kind: putTasks, name: name, task: n})
	r.gone = gone
	if m.published == nil {
		m.published = make(map[string][]chan struct{})
	}
	m.published[name] = append(m.published[name], gone)
	at.inbox = append(at.inbox, requested{r})
	m.await(r, at, func(err error) {
		var elsewhere *ElsewhereError
		select {
		case <-gone:
			done()
			return
		default:
		}
		if !errors.As(err, &elsewhere) {
			done()
			return
		}
		for _, leader := range c.alive() {
			if c.url(leader) == elsewhere.URL && at == m {
				m.publish(c, leader, name, n, done)
				return
			}
		}
		m.later(func() { m.plan(c, name) }) // tried again, as planTasks does after its delay
	})
}

// await runs then once a request was answered, or its worker died.
func (m *member) await(r *request, at *member, then func(error)) {
	var wait func()
	wait = func() {
		select {
		case err := <-r.done:
			then(err)
		default:
			if !at.alive {
				then(&ElsewhereError{})
				return
			}
			m.later(wait)
		}
	}
	m.later(wait)
}

func (c *cluster) request(r *request) *request {
	r.done, r.gone = make(chan error, 1), make(chan struct{})
	return r
}

func (c *cluster) answer(r *request, err error) {
	if c.asked[r]++; c.asked[r] > 1 {
		c.fatalf("request %d for %s was answered twice", r.kind, r.name)
	}
	if err == nil {
		id := r.restarts()
		switch {
		case id != nil && c.starts[*id] == c.before[r]:
			c.fatalf("%v was not restarted, and the answer says so", *id)
		case id == nil && c.wrote[r] != 1:
			c.fatalf("request %d for %s was written %d times, and is answered as done", r.kind, r.name, c.wrote[r])
		}
	}
	r.done <- err
}

// restarts is the one piece of work that a request restarts without writing.
func (r *request) restarts() *group.ID {
	switch {
	case r.kind == restartTask:
		return &group.ID{Connector: r.name, Task: r.task}
	case r.kind == restartConnector && !r.restart.IncludeTasks:
		return &group.ID{Connector: r.name, Task: group.ConnectorTask}
	}
	return nil
}

// write writes a request and says so once it is read back.
func (m *member) write(c *cluster, r *request) {
	err := c.write(r)
	end := len(c.log)
	var wait func()
	wait = func() {
		if err == nil && m.read < end {
			m.later(wait)
			return
		}
		m.inbox = append(m.inbox, written{r, err})
	}
	wait()
}

// write is what the leader's writer does.
func (c *cluster) write(r *request) error {
	if r.abandoned() {
		return errors.New("withdrawn")
	}
	c.wrote[r]++
	add := func(key, value string) { c.log = append(c.log, record{key, value}) }
	switch r.kind { //exhaustive:enforce
	case putConnector:
		add("connector-"+r.name, fmt.Sprintf(`{"properties":{"name":%q,"tasks.max":"%d"}}`, r.name, r.task))
	case deleteConnector:
		add("connector-"+r.name, "")
		add("target-state-"+r.name, "")
	case putTarget:
		if r.target == Stopped {
			add("commit-"+r.name, `{"tasks":0}`)
		}
		old := r.target
		if old == Stopped {
			old = Paused
		}
		add("target-state-"+r.name, fmt.Sprintf(`{"state":%q,"state.v2":%q}`, old, r.target))
	case putTasks:
		for i := range r.task {
			add(fmt.Sprintf("task-%s-%d", r.name, i), `{"properties":{}}`)
		}
		add("commit-"+r.name, fmt.Sprintf(`{"tasks":%d}`, r.task))
	case restartConnector:
		add("restart-connector-"+r.name, `{"include-tasks":true,"only-failed":false}`)
	case alterOffsets: // writes to another topic
	case restartTask, restartPlan, signOfLife:
		c.fatalf("request %d is not written here", r.kind)
	}
	return nil
}

// within returns the members of the group.
func (c *cluster) within() []*member {
	return slices.DeleteFunc(c.alive(), func(m *member) bool { return m.out })
}

// rebalance plays a round, when every member has dealt with the last one.
func (c *cluster) rebalance() {
	within := c.within()
	if !c.revoked {
		// Who is in an eager group gives everything back first.
		c.revoked = true
		for _, m := range within {
			if m.joined && m.version == group.V0 && len(m.report) > 0 {
				m.ask(group.Revoke, group.Generation{})
			}
		}
		return
	}
	c.wanted, c.revoked = false, false
	c.round++
	c.tell("round %d with %d workers, version %d", c.round, len(within), c.version)
	if !slices.Contains(within, c.leader) {
		c.leader = within[0]
	}
	snapshot := c.leader.configs.Snapshot()
	r := group.Round{Version: c.version, Leader: c.leader.id, Generation: c.round, Completed: c.leader.complete, Members: make(map[string]group.Metadata),
		Offset: snapshot.Offset, Connectors: make(map[string]int), Now: time.Unix(int64(c.round), 0), MaxDelay: c.delay}
	for name, k := range snapshot.Connectors {
		r.Connectors[name] = len(k.Tasks)
	}
	for _, m := range within {
		meta := group.Metadata{Version: c.version, URL: c.url(m), Offset: m.configs.Snapshot().Offset}
		if m.joined {
			meta.Allocation = &group.Assignment{Version: m.version, Assigned: m.report}
		}
		r.Members[m.id] = meta
	}
	var plan group.Plan
	plan, c.leader.memory = group.Assign(r, c.leader.memory)
	owners := make(map[group.ID]string)
	for id, owner := range plan.Owners {
		owners[id] = r.Members[owner].URL
	}
	for _, m := range within {
		a := plan.Assignments[m.id]
		a.LeaderURL = c.url(c.leader)
		m.taken = a.Revoked
		if c.version == group.V0 && m.joined && m.version != group.V0 {
			// Nobody asked it to stop before, so what others get now runs twice
			// until it has answered.
			m.expelled = true
			for id := range m.works {
				if !slices.Contains(a.Assigned, id) {
					m.taken = append(m.taken, id)
				}
			}
		}
		m.joined, m.version, m.complete = true, c.version, c.round
		g := group.Generation{Generation: c.round, MemberID: m.id, Protocol: "sessioned", Assignment: a}
		if m == c.leader {
			g.Leader, g.Owners = true, owners
		}
		m.inbox = append(m.inbox, groupEvent{group.Event{Kind: group.Rejoining}})
		m.ask(group.Joined, g)
		c.wanted = c.wanted || len(a.Revoked) > 0 || a.Delay > 0 // the member itself asks for the second round
	}
}

// check holds at every moment: nothing runs twice on workers that believe to
// be in the group. What a worker runs that was expelled is sorted out once it
// is back.
func (c *cluster) check() {
	owner := make(map[group.ID]string)
	for _, m := range c.alive() {
		if m.gone || m.expelled {
			continue
		}
		for id := range m.works {
			if other, twice := owner[id]; twice {
				c.fatalf("%v runs on %s and on %s", id, other, m.id)
			}
			owner[id] = m.id
		}
	}
}

// actions returns everything that may happen next without the test's doing.
func (c *cluster) actions() []func() {
	var all []func()
	quiet := true
	for _, m := range c.alive() {
		if len(m.inbox) > 0 {
			all = append(all, func() { m.step(c) })
		}
		for i := range m.beside {
			all = append(all, func() {
				work := m.beside[i]
				m.beside = slices.Delete(m.beside, i, i+1)
				work()
				c.check()
			})
		}
		if m.read < len(c.log) && !m.blind {
			all = append(all, func() { m.catchUp(c) })
		}
		if m.out {
			// The session of a worker that is out of reach ends after it has noticed.
			quiet = quiet && (m.gone || m.expelled || m.left)
			if m.expelled && !m.left {
				all = append(all, func() {
					m.out, c.wanted = false, true
					c.tell("%s is back", m.id)
				})
			}
			continue
		}
		quiet = quiet && m.asked == 0
	}
	if c.wanted && quiet && len(c.within()) > 0 {
		all = append(all, c.rebalance)
	}
	return all
}

// TestEverythingRunsOnceWhateverHappens creates, changes, pauses, stops and
// deletes connectors and takes workers away, with everything that happens in
// between in any order: nothing ever runs twice, and in the end everything
// that is configured runs once and every request has one answer. A worker that
// stays alone answers for a new configuration when it runs (standalone mode).
func TestEverythingRunsOnceWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &cluster{t: t, asked: make(map[*request]int), wrote: make(map[*request]int), starts: make(map[group.ID]int), before: make(map[*request]int),
			version: group.V2, delay: rapid.SampledFrom([]time.Duration{0, 3 * time.Second}).Draw(t, "delay")}
		standalone := rapid.Bool().Draw(t, "standalone")
		first := 1
		if !standalone {
			first = rapid.IntRange(1, 3).Draw(t, "workers")
		}
		for i := range first {
			c.start(fmt.Sprintf("w%d", i))
		}
		workers := len(c.members)
		var requests []*request
		ask := func(m *member, r *request) {
			c.request(r)
			requests = append(requests, r)
			if id := r.restarts(); id != nil {
				c.before[r] = c.starts[*id]
			}
			m.inbox = append(m.inbox, requested{r})
		}
		names := []string{"a", "b", "c"}
		for range rapid.IntRange(0, 120).Draw(t, "steps") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			alive := c.alive()
			m := rapid.SampledFrom(alive).Draw(t, "worker")
			switch rapid.IntRange(0, 30).Draw(t, "what") {
			case 0, 1:
				ask(m, &request{kind: putConnector, name: name, replace: true, awaited: standalone, task: rapid.IntRange(1, 3).Draw(t, "tasks")})
			case 2:
				ask(m, &request{kind: deleteConnector, name: name})
			case 3:
				ask(m, &request{kind: putTarget, name: name, target: rapid.SampledFrom([]TargetState{Started, Paused, Stopped}).Draw(t, "target")})
			case 4:
				ask(m, &request{kind: restartTask, name: name, task: rapid.IntRange(0, 2).Draw(t, "task")})
			case 5:
				ask(m, &request{kind: restartConnector, name: name})
			case 6:
				if len(alive) > 1 {
					m.alive, m.works = false, nil
					c.wanted = true
					c.tell("%s dies", m.id)
				}
			case 7:
				if len(alive) < 4 && !standalone {
					workers++
					c.start(fmt.Sprintf("w%d", workers))
				}
			case 8:
				ask(m, &request{kind: restartConnector, name: name, restart: storage.RestartRequest{Connector: name, IncludeTasks: true}})
			case 9:
				ask(m, &request{kind: alterOffsets, name: name})
			case 10:
				if m.joined && !m.out && m.asked == 0 {
					m.out, c.wanted = true, true
					m.ask(group.Lost, group.Generation{})
				}
			case 11: // the coordinator has forgotten it; it will be back without having stopped
				if m.joined && !m.out && m.asked == 0 {
					m.out, m.expelled, c.wanted = true, true, true
					c.tell("%s is expelled", m.id)
				}
			case 13:
				m.blind = !m.blind
				c.tell("%s is blind: %t", m.id, m.blind)
			case 12: // a worker of an older version joins, or the last one leaves
				c.version = rapid.SampledFrom([]int16{group.V0, group.V1, group.V2}).Draw(t, "version")
				c.wanted = true
			default:
				if all := c.actions(); len(all) > 0 {
					rapid.SampledFrom(all).Draw(t, "action")()
				}
			}
		}
		for n := range 200 { // enough for a blind worker to give up its work
			if all := c.actions(); len(all) > 0 {
				all[n%len(all)]()
			}
		}
		for _, m := range c.members {
			m.blind = false
		}
		for n := 0; ; n++ {
			all := c.actions()
			if len(all) == 0 {
				break
			}
			if n > 5000 {
				c.fatalf("it does not come to rest")
			}
			all[n%len(all)]()
		}
		c.settled(requests)
	})
}

// String shows where everything stands.
func (c *cluster) String() string {
	text := fmt.Sprintf("round %d, wanted %t, log %v", c.round, c.wanted, c.log)
	for _, m := range c.members {
		text += fmt.Sprintf("\n%s: alive %t, phase %d, leader %t, inbox %v, beside %d, works %v, assigned %v, running %v, stopping %v, waiting %d, asked %d, out %t, read %d, planning %v, rejoinOn %v",
			m.id, m.alive, m.s.phase, m.s.leader, m.inbox, len(m.beside), m.works, keys(m.s.assigned), keys(m.s.running), keys(m.s.stopping), len(m.s.waiting), m.asked, m.out, m.read, m.s.planning, keys(m.s.rejoinOn))
	}
	return text
}

func (c *cluster) settled(requests []*request) {
	snapshot := c.members[len(c.members)-1].configs.Snapshot()
	for _, m := range c.alive() {
		snapshot = m.configs.Snapshot()
		if m.s.phase != settled {
			c.fatalf("%s is not settled: phase %d", m.id, m.s.phase)
		}
	}
	want := make(map[group.ID]bool)
	for name, k := range snapshot.Connectors {
		want[group.ID{Connector: name, Task: group.ConnectorTask}] = true
		for i := range k.Tasks {
			want[group.ID{Connector: name, Task: i}] = true
		}
		if n, _ := strconv.Atoi(*k.Config["tasks.max"]); k.Target == Started && len(k.Tasks) != n {
			c.fatalf("%s has %d tasks, want %d", name, len(k.Tasks), n)
		}
	}
	for _, m := range c.alive() {
		for id := range m.works {
			if !want[id] {
				c.fatalf("%v runs on %s but is not configured", id, m.id)
			}
			delete(want, id)
		}
	}
	if len(want) > 0 {
		c.fatalf("%v runs nowhere", keys(want))
	}
	dead := make(map[*request]bool)
	for _, m := range c.members {
		if m.alive {
			continue
		}
		for _, e := range m.inbox {
			switch e := e.(type) {
			case requested:
				dead[e.request] = true
			case written:
				dead[e.request] = true
			}
		}
		for _, r := range m.s.waiting {
			dead[r] = true
		}
		for _, queue := range m.s.writing {
			for _, r := range queue {
				dead[r] = true
			}
		}
		for _, w := range m.s.restarts {
			for _, r := range w.replies {
				dead[r] = true
			}
		}
	}
	for _, r := range requests {
		if c.asked[r] != 1 && !dead[r] && !c.lostWrite(r) {
			c.fatalf("request %d for %s has %d answers", r.kind, r.name, c.asked[r])
		}
	}
}

// lostWrite reports whether the worker that was about to write a request died:
// its client sees a broken connection.
func (c *cluster) lostWrite(*request) bool {
	return slices.ContainsFunc(c.members, func(m *member) bool { return !m.alive && len(m.beside) > 0 })
}
