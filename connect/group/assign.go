package group

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// Round is what a leader knows when it hands out the work.
type Round struct {
	Version    int16               // of the protocol that the group agreed on
	Leader     string              // its own member id
	Generation int32               // the one being built
	Completed  int32               // the last one the leader got an assignment of; -1 is none
	Members    map[string]Metadata // by member id, the leader included
	Offset     int64               // of the configuration below
	Connectors map[string]int      // how many tasks each has; 0 as well when its task configs are incomplete
	Needs      map[string][]string // the classes that each names, compared with Metadata.Classes; none where not known
	MaxDelay   time.Duration       // scheduled.rebalance.max.delay.ms
	Now        time.Time
}

// Plan is the outcome of a round.
type Plan struct {
	Assignments map[string]Assignment // by member id, one for every member
	Owners      map[ID]string         // member id; work that is being moved or waits for a delay has none
}

// Memory is what a leader keeps from one round to the next. The zero value is that of a new leader: it owes nobody a
// delay, and takes work that nobody holds for new. Assign never changes a Memory, so a round may be thrown away.
type Memory struct {
	generation int32
	members    set[string]
	placed     set[ID] // assigned after the last round, with what was lost then
	revoked    set[ID] // taken away in the last round
	candidates []string
	scheduled  time.Time // zero when no rebalance is scheduled
	balanced   bool      // the last round took work away only to even out the load
	successive int       // how often in a row that was about to happen again
}

// Assign hands out the work: in V0 all of it anew, later versions incrementally (KIP-415). The members hear
// ConfigMismatch, and nothing is remembered, when one of them has read a newer configuration than the leader.
func Assign(r Round, m Memory) (Plan, Memory) {
	newest := r.Offset
	for _, member := range r.Members {
		newest = max(newest, member.Offset)
	}
	switch {
	case newest > r.Offset:
		r.Offset = newest
		return r.plan(ConfigMismatch, 0, nil, nil), m
	case r.Version == V0:
		return r.eager(), m
	}
	return r.cooperative(m)
}

// share is one member's part of a plan.
type share struct {
	member     string
	connectors []ID // held when the round is over
	tasks      []ID
	gained     []ID
}

func (s *share) gain(id ID) {
	kind := s.of(id)
	*kind = append(*kind, id)
	s.gained = append(s.gained, id)
}

// of is the part of the share that id belongs to.
func (s *share) of(id ID) *[]ID {
	if id.Task == ConnectorTask {
		return &s.connectors
	}
	return &s.tasks
}

func (s *share) drop(gone set[ID]) {
	s.connectors = slices.DeleteFunc(s.connectors, gone.has)
	s.tasks = slices.DeleteFunc(s.tasks, gone.has)
}

func (s *share) empty() bool { return len(s.connectors)+len(s.tasks) == 0 }

func (r Round) plan(err int16, delay time.Duration, shares []*share, revoked map[string][]ID) Plan {
	p := Plan{Assignments: make(map[string]Assignment, len(r.Members)), Owners: make(map[ID]string)}
	for member := range r.Members {
		slices.SortFunc(revoked[member], compareIDs)
		p.Assignments[member] = Assignment{
			Version: r.Version, Err: err, Leader: r.Leader, LeaderURL: r.Members[r.Leader].URL, Offset: r.Offset,
			Revoked: revoked[member], Delay: delay,
		}
	}
	for _, s := range shares {
		slices.SortFunc(s.gained, compareIDs)
		a := p.Assignments[s.member]
		a.Assigned = s.gained
		p.Assignments[s.member] = a
		for _, id := range slices.Concat(s.connectors, s.tasks) {
			p.Owners[id] = s.member
		}
	}
	return p
}

func (r Round) eager() Plan {
	shares := make([]*share, 0, len(r.Members))
	for _, member := range slices.Sorted(maps.Keys(r.Members)) {
		shares = append(shares, &share{member: member})
	}
	if able := r.abilities(shares); len(able) > 0 {
		able.handOut(r, shares, r.configured(), true, nil, &Memory{})
		return r.plan(NoError, 0, shares, nil)
	}
	connectors, tasks := split(r.configured())
	// Connectors first: dealing each with its tasks would put all tasks of one-task connectors on every other member.
	for i, id := range slices.Concat(connectors, tasks) {
		shares[i%len(shares)].gain(id)
	}
	return r.plan(NoError, 0, shares, nil)
}

func (r Round) cooperative(m Memory) (Plan, Memory) {
	next := Memory{generation: r.Generation, members: make(set[string]), candidates: m.candidates,
		scheduled: m.scheduled, balanced: m.balanced, successive: m.successive}
	shares, holders := r.held()
	for _, s := range shares {
		next.members.add(s.member)
	}

	active := make(set[ID])
	for id := range holders {
		active.add(id)
	}
	placed := m.placed
	if m.generation != r.Completed {
		placed = nil // the members never saw what the last round decided
	}
	if m.revoked.intersects(active) {
		placed = active // somebody did not carry out the last revocation: begin from what runs
	}
	configured := make(set[ID])
	for _, id := range r.configured() {
		configured.add(id)
	}
	// Work that runs without being configured is taken away even by a leader that has no memory of it.
	deleted := placed.union(active).minus(configured)
	lost := placed.minus(active, deleted)
	todo := sorted(configured.minus(placed, active))

	able := r.abilities(shares)
	taken := make(set[ID]) // from every member that holds it
	for id, n := range holders {
		if deleted.has(id) || n > 1 {
			taken.add(id) // what runs twice stops everywhere and is handed out next time
		}
	}
	revoked := make(map[string][]ID)
	for i, s := range shares {
		for _, id := range slices.Concat(s.connectors, s.tasks) {
			if !able.can(i, id) {
				taken.add(id) // a leader that does not know of abilities gave it
			}
			if taken.has(id) {
				revoked[s.member] = append(revoked[s.member], id)
			}
		}
		s.drop(taken)
	}

	orphans, delay := r.lost(lost, shares, m, &next)
	todo = append(todo, orphans...)
	switch {
	case len(able) > 0:
		for _, s := range shares { // who waits for lost work to come back has the least of all anyway
			todo = append(todo, s.gained...)
			s.drop(setOf(s.gained))
			s.gained = nil
		}
		delay = max(delay, able.handOut(r, shares, todo, delay > 0, revoked, &next))
	case delay > 0:
		next.balanced = false
		fillBoth(shares, todo)
	default:
		var back []ID
		back, delay = r.balance(shares, configured, revoked, &next)
		fillBoth(shares, append(todo, back...))
	}

	next.placed, next.revoked = lost.union(nil), make(set[ID])
	for _, s := range shares {
		for _, id := range slices.Concat(s.connectors, s.tasks) {
			next.placed.add(id)
		}
		for _, id := range revoked[s.member] {
			next.revoked.add(id)
		}
	}
	return r.plan(NoError, delay, shares, revoked), next
}

// held turns the allocations that the members report into shares in the order of the member ids, and counts how
// many members hold each piece of work.
func (r Round) held() ([]*share, map[ID]int) {
	shares := make([]*share, 0, len(r.Members))
	holders := make(map[ID]int)
	for _, member := range slices.Sorted(maps.Keys(r.Members)) {
		s := &share{member: member}
		shares = append(shares, s)
		if r.Members[member].Allocation == nil {
			continue
		}
		seen := make(set[ID])
		for _, id := range r.Members[member].Allocation.Assigned {
			if seen.has(id) {
				continue
			}
			seen.add(id)
			holders[id]++
			kind := s.of(id)
			*kind = append(*kind, id) // the order reported decides what a revocation takes first
		}
	}
	return shares, holders
}

func (r Round) configured() []ID {
	var ids []ID
	for connector, tasks := range r.Connectors {
		ids = append(ids, ID{connector, ConnectorTask})
		for task := range tasks {
			ids = append(ids, ID{connector, task})
		}
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

// lost deals with work that was assigned in the last round and that no member holds now: mostly a worker has left, and
// may be back before the delay is over. It returns what has to be handed out in this round like new work, and
// the time for which the rest has to wait.
func (r Round) lost(lost set[ID], shares []*share, m Memory, next *Memory) ([]ID, time.Duration) {
	schedule := func(at time.Time) { next.candidates, next.scheduled = nil, at }
	if len(lost) == 0 && !m.balanced {
		schedule(time.Time{})
		return nil, 0
	}
	if m.scheduled.IsZero() && len(m.members.minus(next.members)) == 0 {
		return sorted(lost), 0 // nobody left: a member has missed its assignment
	}
	if r.MaxDelay <= 0 {
		return sorted(lost), 0
	}
	if !m.scheduled.IsZero() && !r.Now.Before(m.scheduled) {
		schedule(time.Time{})
		next.balanced = false
		var candidates []*share
		for _, member := range m.candidates {
			if i := slices.IndexFunc(shares, func(s *share) bool { return s.member == member }); i >= 0 {
				candidates = append(candidates, shares[i])
			}
		}
		if len(candidates) == 0 {
			return sorted(lost), 0
		}
		connectors, tasks := split(sorted(lost))
		for _, kind := range [][]ID{connectors, tasks} {
			for i, id := range kind {
				candidates[i%len(candidates)].gain(id)
			}
		}
		return nil, 0
	}
	delay := r.MaxDelay
	if !m.scheduled.IsZero() {
		delay = min(ceilMillis(m.scheduled.Sub(r.Now)), r.MaxDelay)
	}
	next.scheduled = r.Now.Add(delay)
	next.candidates = slices.Clone(m.candidates)
	for _, s := range shares { // empty now, so probably back after a restart, or new in its place
		if s.empty() && !slices.Contains(next.candidates, s.member) {
			next.candidates = append(next.candidates, s.member)
		}
	}
	return nil, delay
}

// balance takes work from members that have more than their even share. It does so in one round, and again only after a
// delay that grows, so that members that fail to keep up do not toss work around. It returns that delay, and work
// that a member was to get in this very round and that is better given to another.
func (r Round) balance(shares []*share, configured set[ID], revoked map[string][]ID, next *Memory) (back []ID, delay time.Duration) {
	excess := r.excess(shares, configured)
	for _, s := range shares {
		fresh := make(set[ID])
		for _, id := range s.gained {
			if excess[s.member].has(id) {
				fresh.add(id)
				delete(excess[s.member], id)
			}
		}
		s.drop(fresh)
		s.gained = slices.DeleteFunc(s.gained, fresh.has)
		back = append(back, sorted(fresh)...)
		if len(excess[s.member]) == 0 {
			delete(excess, s.member)
		}
	}
	move, delay := r.mayMove(len(excess) > 0, next)
	if !move {
		return back, delay
	}
	for _, s := range shares {
		if gone := excess[s.member]; len(gone) > 0 {
			revoked[s.member] = append(revoked[s.member], sorted(gone)...)
			s.drop(gone)
		}
	}
	return back, 0
}

// mayMove says whether work may be taken away in this round to even out loads, or the delay after which it may be.
func (r Round) mayMove(uneven bool, next *Memory) (bool, time.Duration) {
	if !uneven {
		if next.balanced {
			next.balanced, next.successive = false, 0
		}
		return false, 0
	}
	if next.balanced {
		next.successive++
		if delay := backoff(next.successive, r.MaxDelay); delay > 0 {
			next.scheduled = r.Now.Add(delay)
			return false, delay
		}
	}
	next.balanced = true
	return true, 0
}

// excess is what each member holds beyond an even share, for connectors and for tasks apart.
func (r Round) excess(shares []*share, configured set[ID]) map[string]set[ID] {
	if !slices.ContainsFunc(shares, func(s *share) bool { return !s.empty() }) {
		return nil
	}
	excess := make(map[string]set[ID])
	connectors, tasks := split(sorted(configured))
	for _, kind := range []struct {
		total int
		held  func(*share) []ID
	}{
		{len(connectors), func(s *share) []ID { return s.connectors }},
		{len(tasks), func(s *share) []ID { return s.tasks }},
	} {
		even, extras := kind.total/len(shares), kind.total%len(shares)
		for _, s := range shares {
			held, allowed := kind.held(s), even
			if len(held) > even && extras > 0 {
				extras--
				allowed++
			}
			for _, id := range held[:max(len(held)-allowed, 0)] {
				if excess[s.member] == nil {
					excess[s.member] = make(set[ID])
				}
				excess[s.member].add(id)
			}
		}
	}
	return excess
}

// fillBoth gives out connectors, then tasks, each by their own loads.
func fillBoth(shares []*share, work []ID) {
	connectors, tasks := split(work)
	fill(shares, connectors)
	fill(shares, tasks)
}

// fill gives each piece of work, all of one kind, to the member that has the fewest of that kind.
func fill(shares []*share, work []ID) {
	if len(work) == 0 {
		return
	}
	order, kind := slices.Clone(shares), work[0]
	load := func(s *share) int { return len(*s.of(kind)) }
	slices.SortStableFunc(order, func(a, b *share) int {
		return cmp.Or(cmp.Compare(load(a), load(b)), cmp.Compare(a.member, b.member))
	})
	for level := load(order[0]); len(work) > 0; level++ {
		for _, s := range order {
			if len(work) == 0 || load(s) > level {
				break
			}
			s.gain(work[0])
			work = work[1:]
		}
	}
}

// split separates connectors from tasks and keeps the order.
func split(ids []ID) (connectors, tasks []ID) {
	for _, id := range ids {
		if id.Task == ConnectorTask {
			connectors = append(connectors, id)
		} else {
			tasks = append(tasks, id)
		}
	}
	slices.SortFunc(connectors, compareIDs)
	slices.SortFunc(tasks, compareIDs)
	return connectors, tasks
}

// backoff is 40 ms, 1.6 s, 64 s ... up to limit.
func backoff(successive int, limit time.Duration) time.Duration {
	return time.Duration(math.Min(float64(limit), float64(time.Millisecond)*math.Pow(40, float64(successive))))
}

// ceilMillis rounds up: a delay travels as whole milliseconds, and a member that came back a fraction too early
// would have to wait once more.
func ceilMillis(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}

type set[T comparable] map[T]struct{}

func (s set[T]) add(v T) { s[v] = struct{}{} }

func (s set[T]) has(v T) bool { _, in := s[v]; return in }

func setOf(ids []ID) set[ID] {
	s := make(set[ID], len(ids))
	for _, id := range ids {
		s.add(id)
	}
	return s
}

func sorted(s set[ID]) []ID { return slices.SortedFunc(maps.Keys(s), compareIDs) }

func (s set[T]) intersects(o set[T]) bool {
	for v := range s {
		if o.has(v) {
			return true
		}
	}
	return false
}

func (s set[T]) union(o set[T]) set[T] {
	u := make(set[T], len(s)+len(o))
	maps.Copy(u, s)
	maps.Copy(u, o)
	return u
}

func (s set[T]) minus(others ...set[T]) set[T] {
	d := maps.Clone(s)
	for _, o := range others {
		maps.DeleteFunc(d, func(v T, _ struct{}) bool { return o.has(v) })
	}
	return d
}
