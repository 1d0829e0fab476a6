package herder

import (
	"fmt"
	"maps"
	"slices"

	"kconnect/connect/group"
	"kconnect/connect/storage"
)

// step applies one event to the state and returns what has to be done, in
// order. It is pure.
func step(s *state, e event) []effect {
	switch e := e.(type) {
	case groupEvent:
		return s.onGroup(e.Event)
	case configChange:
		return s.onConfig(e.Change)
	case workStopped:
		return s.onStopped(e.ids)
	case configsRead:
		return s.onConfigsRead(e)
	case connectorStarted:
		return s.onConnectorStarted(e)
	case planWanted:
		return s.plan(e.name)
	case planned:
		if again := s.planning[e.name]; again {
			delete(s.planning, e.name)
			return s.plan(e.name)
		}
		delete(s.planning, e.name)
		return s.arrived(e.name, nil)
	case requested:
		return s.onRequest(e.request)
	case written:
		return s.onWritten(e)
	case changesPaused:
		if s.changed == "" {
			return nil
		}
		return s.rejoin(s.changed)
	case ticked:
		return s.dropAbandoned()
	}
	return nil
}

// onGroup handles what the group says.
func (s *state) onGroup(e group.Event) []effect {
	s.changed = "" // a round that begins now serves every change so far, or is followed by another
	if s.phase == unsynced {
		return nil // the membership is being left, and with it what it asks
	}
	switch e.Kind { //exhaustive:enforce
	case group.Rejoining:
		if s.phase == settled {
			s.phase = joining
		}
		return nil
	case group.Revoke, group.Lost:
		// Everything stops: the protocol is eager, or the coordinator is gone and
		// others may take over what runs here.
		s.phase = joining
		if e.Kind == group.Lost {
			s.phase = outside
			s.leader, s.leaderURL, s.owners = false, "", nil
		}
		s.assigned = make(map[group.ID]bool)
		s.round, s.revoked = nil, nil
		effects := s.stop(keys(s.running), revokedWork)
		if len(s.stopping) == 0 {
			return append(effects, answerGroup{})
		}
		s.revoked = copySet(s.stopping)
		s.phase = revoking
		return effects
	case group.Joined:
		return s.onJoined(e.Generation)
	}
	return nil
}

// onJoined begins to apply a round.
func (s *state) onJoined(g group.Generation) []effect {
	s.epoch++
	s.round, s.revoked = &g, make(map[group.ID]bool)
	s.leader, s.leaderURL, s.owners, s.protocol = g.Leader, g.Assignment.LeaderURL, g.Owners, g.Protocol
	s.phase = revoking
	var stop []group.ID
	gone := g.Assignment.Revoked
	if g.Assignment.Version == group.V0 {
		// The assignment is all that this worker has now. Mostly everything was
		// stopped before; not so when the group has just become eager.
		for _, id := range keys(s.assigned) {
			if !slices.Contains(g.Assignment.Assigned, id) {
				gone = append(gone, id)
			}
		}
	}
	for _, id := range gone {
		delete(s.assigned, id)
		if s.running[id] {
			stop = append(stop, id)
		}
		if s.running[id] || s.stopping[id] {
			s.revoked[id] = true
		}
	}
	for _, id := range g.Assignment.Assigned {
		s.assigned[id] = true
	}
	effects := s.stop(stop, revokedWork)
	if len(s.revoked) > 0 {
		return effects
	}
	return append(effects, s.catchUp()...)
}

// catchUp goes on once what the round takes away is stopped.
func (s *state) catchUp() []effect {
	if s.round == nil { // an eager group, or a lost one, waits for the answer
		s.phase = joining
		return []effect{answerGroup{allocated: keys(s.assigned)}}
	}
	if s.round.Assignment.Err != 0 || s.configs.Offset < s.round.Assignment.Offset {
		s.phase = catching
		return []effect{readConfigs{epoch: s.epoch}}
	}
	return s.settle()
}

func (s *state) onConfigsRead(e configsRead) []effect {
	switch {
	case e.epoch != s.epoch:
		return nil
	case s.phase == unsynced && e.err == nil:
		s.phase = joining
		return []effect{rejoin{"the config topic was read"}}
	case s.phase == unsynced:
		return s.unsync(false)
	case s.phase != catching:
		return nil
	}
	if e.err == nil && s.round.Assignment.Err == 0 && s.configs.Offset >= s.round.Assignment.Offset {
		return s.settle()
	}
	mismatch := s.round.Assignment.Err != 0
	if s.round.Assignment.Version == group.V0 && e.err != nil {
		s.assigned = make(map[group.ID]bool) // others get it as soon as this worker has left
	}
	s.round = nil
	s.phase = joining
	effects := []effect{answerGroup{allocated: keys(s.assigned)}}
	if mismatch && e.err == nil {
		return append(effects, rejoin{"the leader's view of the config topic was too old"})
	}
	s.unread = 0
	return append(effects, s.unsync(true)...)
}

// unsyncTries is how many failures to read the config topic are waited out
// before all work is given up.
const unsyncTries = 5

// unsync goes on after the config topic could not be read: outside the group,
// so that the others need not wait. In an incremental group the work goes on
// meanwhile, with pauses that become longer, but only for as long as nobody
// else is given it (spec group-protocol, "Worker: what to do with an
// assignment").
func (s *state) unsync(leave bool) []effect {
	s.phase = unsynced
	again := resync{epoch: s.epoch, leave: leave, share: 1}
	if s.protocol == "default" { // eager: nothing runs
		return []effect{again}
	}
	if s.unread++; s.unread <= unsyncTries {
		again.share = unsyncTries + 1 - s.unread
		return []effect{again}
	}
	s.unread = 0
	s.assigned = make(map[group.ID]bool)
	effects := s.stop(keys(s.running), revokedWork)
	s.revoked = copySet(s.stopping)
	if len(s.revoked) == 0 {
		return append(effects, s.withdrawn()...)
	}
	return effects
}

// withdrawn goes on when the work is given up that nobody could vouch for.
func (s *state) withdrawn() []effect {
	s.revoked = nil
	return []effect{answerGroup{}, resync{epoch: s.epoch}}
}

// settle ends a round.
func (s *state) settle() []effect {
	a := s.round.Assignment
	effects := []effect{answerGroup{allocated: keys(s.assigned)}}
	generation := s.round.Generation
	s.round, s.revoked = nil, nil
	if s.configs.Offset > a.Offset {
		// The leader worked with an older config: what it gave may not be right.
		s.phase = joining
		return append(effects, rejoin{"the config topic has moved past the assignment"})
	}
	s.phase = settled
	effects = append(effects, roundApplied{generation: generation, leader: s.leader})
	effects = append(effects, s.reconcile()...)
	for _, id := range slices.SortedFunc(maps.Keys(s.restarts), compareIDs) {
		if !s.assigned[id] || !s.configured(id) { // it has gone while it was being restarted
			effects = append(effects, s.restarted(id, &ConflictError{Message: staleConfig})...)
		}
	}
	waiting := s.waiting
	s.waiting = nil
	for i, r := range waiting {
		effects = append(effects, s.onRequest(r)...)
		if s.phase != settled {
			s.waiting = append(s.waiting, waiting[i+1:]...)
			break
		}
	}
	return effects
}

// reconcile starts what is assigned, configured and does not run.
func (s *state) reconcile() []effect {
	if s.phase != settled || s.closing {
		return nil
	}
	var effects []effect
	for _, id := range keys(s.assigned) {
		if s.running[id] || s.stopping[id] || !s.configured(id) {
			continue
		}
		s.running[id] = true
		if id.Task == group.ConnectorTask {
			s.starts++
			s.started[id.Connector] = s.starts
			effects = append(effects, startConnector{id.Connector, s.starts})
			continue
		}
		effects = append(effects, startTask{id})
		effects = append(effects, s.restarted(id, nil)...)
	}
	return effects
}

// stop stops what runs and returns nil for nothing.
func (s *state) stop(ids []group.ID, why stopReason) []effect {
	var running []group.ID
	for _, id := range ids {
		if s.running[id] {
			delete(s.running, id)
			if id.Task == group.ConnectorTask {
				delete(s.started, id.Connector)
			}
			s.stopping[id] = true
			running = append(running, id)
		}
	}
	if len(running) == 0 {
		return nil
	}
	// Each connector is stopped by itself, so that one that hangs delays no other.
	var effects []effect
	for len(running) > 0 {
		n := 1
		for n < len(running) && running[n].Connector == running[0].Connector {
			n++
		}
		reason := why
		if reason == revokedWork && s.configs.Connectors[running[0].Connector] == nil {
			reason = deletedWork
		}
		effects = append(effects, stopWork{ids: running[:n:n], why: reason})
		running = running[n:]
	}
	return effects
}

func (s *state) onStopped(ids []group.ID) []effect {
	var effects []effect
	again := false
	for _, id := range ids {
		delete(s.stopping, id)
		if s.rejoinOn[id] {
			delete(s.rejoinOn, id)
			again = true
		}
	}
	if again && len(s.rejoinOn) == 0 {
		effects = append(effects, s.rejoin("tasks have new configurations")...)
	}
	if s.phase == revoking || s.phase == unsynced && len(s.revoked) > 0 {
		for _, id := range ids {
			delete(s.revoked, id)
		}
		switch {
		case len(s.revoked) > 0:
		case s.phase == unsynced:
			effects = append(effects, s.withdrawn()...)
		default:
			effects = append(effects, s.catchUp()...)
		}
		return effects
	}
	return append(effects, s.reconcile()...)
}

// rejoinSoon asks for a round that serves further changes, too: where many
// connectors are created one after the other, a round for each would be most
// of the work. Meanwhile this worker goes on as it is.
func (s *state) rejoinSoon(reason string) []effect {
	if s.phase != settled {
		return s.rejoin(reason)
	}
	s.changed = reason
	return []effect{awaitChanges{}}
}

// rejoin asks for a round; nothing is started before it is applied.
func (s *state) rejoin(reason string) []effect {
	s.changed = ""
	switch s.phase { //exhaustive:ignore
	case settled:
		s.phase = joining
	case unsynced:
		return nil // not before the config topic can be read
	}
	return []effect{rejoin{reason}}
}

// restarted answers those who wait for a restart.
func (s *state) restarted(id group.ID, err error) []effect {
	r := s.restarts[id]
	if r == nil {
		return nil
	}
	delete(s.restarts, id)
	var effects []effect
	for _, q := range r.replies {
		effects = append(effects, reply{q, err})
	}
	return effects
}

// onConfig handles one record of the config topic.
func (s *state) onConfig(c storage.Change) []effect {
	id := group.ID{Connector: c.Connector, Task: group.ConnectorTask}
	switch c.Kind { //exhaustive:enforce
	case storage.ConnectorAdded:
		s.newConfig(c.Connector)
		return s.rejoinSoon("connector " + c.Connector + " was created")
	case storage.ConnectorRemoved:
		// Stopped at once, not only when the round revokes it: a connector that is
		// created anew under the name meanwhile must start with its own configuration.
		effects := s.stop(append(s.local(c.Connector), id), deletedWork)
		effects = append(effects, s.arrived(c.Connector, &ConflictError{Message: staleConfig})...)
		return append(effects, s.rejoinSoon("connector "+c.Connector+" was deleted")...)
	case storage.ConnectorChanged:
		s.newConfig(c.Connector)
		return s.stop([]group.ID{id}, replacedWork) // and starts again once stopped
	case storage.TasksChanged:
		if c.Tasks == 0 {
			return s.rejoinSoon("connector " + c.Connector + " has no tasks any more")
		}
		effects := s.stop(s.local(c.Connector), replacedWork)
		if len(effects) == 0 {
			return s.rejoinSoon("connector " + c.Connector + " has new tasks")
		}
		// Not before they are gone: this worker may not get them back. Until then
		// nothing is started, so none of them comes to life in between.
		for _, e := range effects {
			for _, id := range e.(stopWork).ids { //nolint:errcheck,forcetypeassert // stop returns nothing else
				s.rejoinOn[id] = true
			}
		}
		if s.phase == settled {
			s.phase = joining
		}
		return effects
	case storage.TargetChanged:
		return []effect{moveTarget{c.Connector, s.started[c.Connector]}}
	case storage.RestartRequested:
		return []effect{applyRestart{c.Restart}}
	case storage.LoggerLevelChanged:
		return []effect{setLogger{c.Logger, c.Level}}
	case storage.NoChange, storage.SessionKeyChanged:
	}
	return nil
}

func (s *state) onConnectorStarted(e connectorStarted) []effect {
	id := group.ID{Connector: e.name, Task: group.ConnectorTask}
	if e.start == 0 || e.start != s.started[e.name] {
		return nil // of a start before the last stop
	}
	failure := e.err
	if failure != nil {
		failure = fmt.Errorf("Failed to start connector: %s: %w", e.name, e.err) //nolint:staticcheck // Java's beginning
	}
	effects := s.restarted(id, failure)
	if e.err != nil {
		return append(effects, s.arrived(e.name, e.err)...)
	}
	if c := s.configs.Connectors[e.name]; c != nil && c.Target == Started {
		return append(effects, s.plan(e.name)...)
	}
	return append(effects, s.arrived(e.name, nil)...)
}

// newConfig notes that a connector's configuration was read back: whoever waits
// for it waits for the next start.
func (s *state) newConfig(name string) {
	if a := s.awaited[name]; a != nil {
		a.written = true
	}
}

// arrived answers those who wait for a connector with its new configuration.
func (s *state) arrived(name string, err error) []effect {
	a := s.awaited[name]
	if a == nil || !a.written {
		return nil
	}
	delete(s.awaited, name)
	var effects []effect
	for _, r := range a.replies {
		effects = append(effects, reply{r, err})
	}
	return effects
}

// plan plans the tasks of a connector that runs here, one plan at a time.
func (s *state) plan(name string) []effect {
	if !s.running[group.ID{Connector: name, Task: group.ConnectorTask}] {
		return nil
	}
	if _, busy := s.planning[name]; busy {
		s.planning[name] = true
		return nil
	}
	s.planning[name] = false
	return []effect{planTasks{name}}
}

// The texts of Java's 409 answers (spec rest, "Start-up and transient answers").
const (
	staleConfig = "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)"
	conflicting = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
)

// onRequest handles a request, or keeps it until the round is over.
func (s *state) onRequest(r *request) []effect {
	if s.closing {
		return []effect{reply{r, &ConflictError{Message: conflicting}}}
	}
	if r.kind == restartPlan {
		return s.restartPlanned(r)
	}
	if s.phase != settled {
		s.waiting = append(s.waiting, r)
		return nil
	}
	if queue, busy := s.writing[r.name]; busy {
		s.writing[r.name] = append(queue, r)
		return nil
	}
	if r.leaderOnly() && !s.leader {
		return []effect{reply{r, &ElsewhereError{URL: s.leaderURL}}}
	}
	c := s.configs.Connectors[r.name]
	switch r.kind { //exhaustive:enforce
	case putConnector:
		if c != nil && !r.replace {
			return []effect{reply{r, &ConflictError{Message: "Connector " + r.name + " already exists"}}}
		}
		r.created = c == nil
		if r.awaited {
			s.await(r)
		}
		return s.write(r)
	case deleteConnector:
		if c == nil {
			return []effect{reply{r, &NotFoundError{Message: "Connector " + r.name + " not found"}}}
		}
		return s.write(r)
	case putTarget:
		if c == nil {
			return []effect{reply{r, &NotFoundError{Message: "Unknown connector " + r.name}}}
		}
		return s.write(r)
	case putTasks:
		if c == nil {
			return []effect{reply{r, &NotFoundError{Message: "Connector " + r.name + " not found"}}}
		}
		return s.write(r)
	case signOfLife:
		return []effect{reply{r, nil}}
	case alterOffsets:
		if c == nil {
			return []effect{reply{r, &NotFoundError{Message: "Connector " + r.name + " not found"}}}
		}
		if c.Target != Stopped || c.TaskCount != 0 {
			return []effect{reply{r, &BadRequestError{Message: "Connectors must be in the STOPPED state before their offsets can be modified. " +
				"This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/" + r.name + "/stop' endpoint"}}}
		}
		return s.write(r)
	case restartConnector:
		if c == nil {
			return []effect{reply{r, &NotFoundError{Message: "Unknown connector: " + r.name}}}
		}
		if r.restart.IncludeTasks || r.restart.OnlyFailed {
			return s.write(r)
		}
		return s.restart(r, group.ID{Connector: r.name, Task: group.ConnectorTask})
	case restartTask:
		if c == nil {
			return []effect{reply{r, &NotFoundError{Message: "Unknown connector: " + r.name}}}
		}
		id := group.ID{Connector: r.name, Task: r.task}
		if r.task < 0 || !s.configured(id) { // D22: also an id that existed once
			return []effect{reply{r, &NotFoundError{Message: fmt.Sprintf("Unknown task: %s-%d", r.name, r.task)}}}
		}
		return s.restart(r, id)
	case restartPlan:
	}
	return nil
}

// write has a request written. Other requests for the connector wait for it:
// they are decided by what the topic says then, as in Java, where one request
// is handled after the other.
func (s *state) write(r *request) []effect {
	s.writing[r.name] = nil
	return []effect{write{r}}
}

func (s *state) onWritten(e written) []effect {
	effects := s.answerWritten(e)
	queue := s.writing[e.name]
	delete(s.writing, e.name)
	for _, r := range queue {
		effects = append(effects, s.onRequest(r)...)
	}
	return effects
}

// answerWritten answers a request that was written, but for one that waits for
// its connector to start.
func (s *state) answerWritten(e written) []effect {
	if !e.awaited {
		return []effect{reply(e)}
	}
	a := s.awaited[e.name]
	if e.err == nil || a == nil || !slices.Contains(a.replies, e.request) {
		return nil // it waits on, or has its answer
	}
	a.replies = slices.DeleteFunc(a.replies, func(r *request) bool { return r == e.request })
	a.written = true // what the others wait for
	return []effect{reply(e)}
}

// await keeps a request until its connector has started.
func (s *state) await(r *request) {
	a := s.awaited[r.name]
	if a == nil {
		a = &awaited{}
		s.awaited[r.name] = a
	}
	a.replies = append(a.replies, r)
	a.written = false // an earlier request waits for the newer configuration, too
}

// restart restarts one connector or task, or says who has it.
func (s *state) restart(r *request, id group.ID) []effect {
	if s.assigned[id] {
		w := s.restarts[id]
		if w == nil {
			w = &restart{}
			s.restarts[id] = w
		}
		w.replies = append(w.replies, r)
		return append(s.stop([]group.ID{id}, revokedWork), s.reconcile()...)
	}
	if s.leader {
		return []effect{reply{r, &ElsewhereError{URL: s.owners[id]}}}
	}
	return []effect{reply{r, &ElsewhereError{URL: s.leaderURL}}}
}

// restartPlanned restarts what a restart record names and runs here.
func (s *state) restartPlanned(r *request) []effect {
	return s.stop(r.plan, restartWork) // and starts again once stopped
}

// dropAbandoned forgets requests that nobody waits for any more.
func (s *state) dropAbandoned() []effect {
	s.waiting = slices.DeleteFunc(s.waiting, (*request).abandoned)
	for name, queue := range s.writing {
		s.writing[name] = slices.DeleteFunc(queue, (*request).abandoned)
	}
	for id, r := range s.restarts {
		if r.replies = slices.DeleteFunc(r.replies, (*request).abandoned); len(r.replies) == 0 {
			delete(s.restarts, id)
		}
	}
	for name, a := range s.awaited {
		if a.replies = slices.DeleteFunc(a.replies, (*request).abandoned); len(a.replies) == 0 {
			delete(s.awaited, name)
		}
	}
	return nil
}

func copySet(m map[group.ID]bool) map[group.ID]bool {
	c := make(map[group.ID]bool, len(m))
	for id := range m {
		c[id] = true
	}
	return c
}
