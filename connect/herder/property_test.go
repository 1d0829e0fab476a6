package herder

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kconnect/connect/group"
	"kconnect/connect/storage"
)

// cluster is several herder states on one config log and one group, with every
// delay and order chosen by the test. Its leader uses the real assignor.
type cluster struct {
	t       *rapid.T
	log     []record // the config topic
	members []*member
	memory  group.Memory
	round   int32
	wanted  bool // somebody asked for a round
	asked   map[*request]int
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
	report   []group.ID // the last answer to the group
	answers  bool       // no event of the group waits for an answer
	joined   bool       // it has been in a round
	complete int32      // the last round that it was given

	published map[string][]chan struct{} // what ends plans that are on their way, by connector
}

func (c *cluster) url(m *member) string { return "http://" + m.id + "/" }

func (c *cluster) start(id string) {
	m := &member{id: id, alive: true, s: newState(), configs: storage.NewConfigState(), works: make(map[group.ID]bool), answers: true, complete: -1}
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
	m.s.configs = m.configs.Snapshot()
	for _, f := range step(m.s, e) {
		m.carryOut(c, f)
	}
	c.check()
}

func (m *member) later(work func()) { m.beside = append(m.beside, work) }

func (m *member) carryOut(c *cluster, f effect) {
	switch f := f.(type) {
	case answerGroup:
		m.report, m.answers = slices.Clone(f.allocated), true
	case rejoin:
		c.wanted = true
	case leaveGroup:
		c.t.Fatalf("%s leaves the group", m.id)
	case readConfigs:
		m.later(func() {
			for m.read < len(c.log) {
				m.catchUp(c)
			}
			m.inbox = append(m.inbox, configsRead{epoch: f.epoch})
		})
	case stopWork:
		m.later(func() {
			for _, id := range f.ids {
				if id.Task == group.ConnectorTask {
					m.withdraw(id.Connector)
				}
				if !m.works[id] {
					c.t.Fatalf("%s stops %v, which does not run there", m.id, id)
				}
				delete(m.works, id)
			}
			m.inbox = append(m.inbox, workStopped{f.ids})
		})
	case startConnector:
		m.begin(c, group.ID{Connector: f.name, Task: group.ConnectorTask})
		m.later(func() { m.inbox = append(m.inbox, connectorStarted{f.name, nil}) })
	case startTask:
		m.begin(c, f.id)
	case moveTarget:
		if m.works[group.ID{Connector: f.name, Task: group.ConnectorTask}] {
			m.later(func() { m.inbox = append(m.inbox, connectorStarted{f.name, nil}) })
		}
	case planTasks:
		m.later(func() { m.plan(c, f.name) })
	case write:
		m.later(func() { c.write(f.request) })
	case reply:
		c.answer(f.request, f.err)
	case roundApplied, applyRestart, setLogger:
	default:
		c.t.Fatalf("an effect that nobody carries out: %T", f)
	}
}

func (m *member) begin(c *cluster, id group.ID) {
	if m.works[id] {
		c.t.Fatalf("%s starts %v, which runs there", m.id, id)
	}
	m.works[id] = true
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
		c.t.Fatalf("request %d for %s was answered twice", r.kind, r.name)
	}
	r.done <- err
}

// write is what the leader's writer does.
func (c *cluster) write(r *request) {
	select {
	case <-r.gone:
		c.answer(r, errors.New("withdrawn"))
		return
	default:
	}
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
	case restartConnector, restartTask, restartPlan, alterOffsets:
		c.t.Fatalf("request %d is not written here", r.kind)
	}
	c.answer(r, nil)
}

// rebalance plays a round, when every member has dealt with the last one.
func (c *cluster) rebalance() {
	c.wanted = false
	c.round++
	alive := c.alive()
	leader := alive[0]
	snapshot := leader.configs.Snapshot()
	r := group.Round{Version: group.V2, Leader: leader.id, Generation: c.round, Completed: leader.complete, Members: make(map[string]group.Metadata),
		Offset: snapshot.Offset, Connectors: make(map[string]int), Now: time.Unix(int64(c.round), 0)}
	for name, k := range snapshot.Connectors {
		r.Connectors[name] = len(k.Tasks)
	}
	for _, m := range alive {
		meta := group.Metadata{Version: group.V2, URL: c.url(m), Offset: m.configs.Snapshot().Offset}
		if m.joined {
			meta.Allocation = &group.Assignment{Version: group.V2, Assigned: m.report}
		}
		r.Members[m.id] = meta
	}
	plan, memory := group.Assign(r, c.memory)
	c.memory = memory
	for _, m := range alive {
		a := plan.Assignments[m.id]
		a.LeaderURL = c.url(leader)
		m.joined, m.complete, m.answers = true, c.round, false
		g := group.Generation{Generation: c.round, MemberID: m.id, Protocol: "sessioned", Assignment: a, Leader: m == leader}
		m.inbox = append(m.inbox, groupEvent{group.Event{Kind: group.Rejoining}}, groupEvent{group.Event{Kind: group.Joined, Generation: g}})
		c.wanted = c.wanted || len(a.Revoked) > 0 || a.Delay > 0 // the member itself asks for the second round
	}
}

// check holds at every moment: nothing runs twice.
func (c *cluster) check() {
	owner := make(map[group.ID]string)
	for _, m := range c.alive() {
		for id := range m.works {
			if other, twice := owner[id]; twice {
				c.t.Fatalf("%v runs on %s and on %s", id, other, m.id)
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
		if m.read < len(c.log) {
			all = append(all, func() { m.catchUp(c) })
		}
		quiet = quiet && m.answers
	}
	if c.wanted && quiet {
		all = append(all, c.rebalance)
	}
	return all
}

// TestEverythingRunsOnceWhateverHappens creates, changes, pauses, stops and
// deletes connectors and takes workers away, with everything that happens in
// between in any order: nothing ever runs twice, and in the end everything
// that is configured runs once and every request has one answer.
func TestEverythingRunsOnceWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &cluster{t: t, asked: make(map[*request]int)}
		for i := range rapid.IntRange(1, 3).Draw(t, "workers") {
			c.start(fmt.Sprintf("w%d", i))
		}
		workers := len(c.members)
		var requests []*request
		ask := func(m *member, r *request) {
			c.request(r)
			requests = append(requests, r)
			m.inbox = append(m.inbox, requested{r})
		}
		names := []string{"a", "b", "c"}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			alive := c.alive()
			m := rapid.SampledFrom(alive).Draw(t, "worker")
			switch rapid.IntRange(0, 16).Draw(t, "what") {
			case 0, 1:
				ask(m, &request{kind: putConnector, name: name, replace: true, task: rapid.IntRange(1, 3).Draw(t, "tasks")})
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
					if m == alive[0] {
						c.memory = group.Memory{} // another leads, and knows nothing
					}
					c.wanted = true
				}
			case 7:
				if len(alive) < 4 {
					workers++
					c.start(fmt.Sprintf("w%d", workers))
				}
			default:
				if all := c.actions(); len(all) > 0 {
					rapid.SampledFrom(all).Draw(t, "action")()
				}
			}
		}
		for n := 0; ; n++ {
			all := c.actions()
			if len(all) == 0 {
				break
			}
			if n > 5000 {
				t.Fatal("it does not come to rest: " + c.String())
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
		text += fmt.Sprintf("\n%s: alive %t, phase %d, leader %t, inbox %v, beside %d, works %v, assigned %v, running %v, stopping %v, waiting %d, answers %t, read %d, planning %v, rejoinOn %v",
			m.id, m.alive, m.s.phase, m.s.leader, m.inbox, len(m.beside), m.works, keys(m.s.assigned), keys(m.s.running), keys(m.s.stopping), len(m.s.waiting), m.answers, m.read, m.s.planning, keys(m.s.rejoinOn))
	}
	return text
}

func (c *cluster) settled(requests []*request) {
	snapshot := c.members[len(c.members)-1].configs.Snapshot()
	for _, m := range c.alive() {
		snapshot = m.configs.Snapshot()
		if m.s.phase != settled {
			c.t.Fatalf("%s is not settled: phase %d", m.id, m.s.phase)
		}
	}
	want := make(map[group.ID]bool)
	for name, k := range snapshot.Connectors {
		want[group.ID{Connector: name, Task: group.ConnectorTask}] = true
		for i := range k.Tasks {
			want[group.ID{Connector: name, Task: i}] = true
		}
		if n, _ := strconv.Atoi(*k.Config["tasks.max"]); k.Target == Started && len(k.Tasks) != n {
			c.t.Fatalf("%s has %d tasks, want %d: %s", name, len(k.Tasks), n, c)
		}
	}
	for _, m := range c.alive() {
		for id := range m.works {
			if !want[id] {
				c.t.Fatalf("%v runs on %s but is not configured", id, m.id)
			}
			delete(want, id)
		}
	}
	if len(want) > 0 {
		c.t.Fatalf("%v runs nowhere", keys(want))
	}
	dead := make(map[*request]bool)
	for _, m := range c.members {
		if m.alive {
			continue
		}
		for _, e := range m.inbox {
			if r, ok := e.(requested); ok {
				dead[r.request] = true
			}
		}
		for _, r := range m.s.waiting {
			dead[r] = true
		}
		for _, w := range m.s.restarts {
			for _, r := range w.replies {
				dead[r] = true
			}
		}
	}
	for _, r := range requests {
		if c.asked[r] != 1 && !dead[r] && !c.lostWrite(r) {
			c.t.Fatalf("request %d for %s has %d answers", r.kind, r.name, c.asked[r])
		}
	}
}

// lostWrite reports whether the worker that was about to write a request died:
// its client sees a broken connection.
func (c *cluster) lostWrite(*request) bool {
	return slices.ContainsFunc(c.members, func(m *member) bool { return !m.alive && len(m.beside) > 0 })
}
