package group

import (
	"cmp"
	"slices"
	"time"
)

// Members may state the classes that they have; those in Java do not. Where the statements make a difference, work goes to
// members that can run it, as evenly as that allows. Where they make none, which is always so among equal workers, the
// rules are Java's to the letter.

// abilities says who can run what: by connector, one '1' or '0' for each share. Connectors that every member can run are
// absent, and so are those that nobody can run: they are FAILED wherever they are, which is how users hear of it.
type abilities map[string]string

// abilities compares what the connectors need with what the members state. Without a statement a member is taken to be
// able to run everything.
func (r Round) abilities(shares []*share) abilities {
	able := make(abilities)
	has := make([]set[string], len(shares))
	for i, s := range shares {
		if classes := r.Members[s.member].Classes; classes != nil {
			has[i] = make(set[string], len(classes))
			for _, class := range classes {
				has[i].add(class)
			}
		}
	}
	for connector := range r.Connectors {
		var who []byte
		some := false
		for _, known := range has {
			if known == nil || !slices.ContainsFunc(r.Needs[connector], func(class string) bool { return !known.has(class) }) {
				who, some = append(who, '1'), true
			} else {
				who = append(who, '0')
			}
		}
		if some && slices.Contains(who, '0') {
			able[connector] = string(who)
		}
	}
	return able
}

// can reports whether the member of a share can run a piece of work.
func (a abilities) can(share int, id ID) bool {
	who := a[id.Connector]
	return who == "" || who[share] == '1'
}

// choice is how many members can run a piece of work, for sorting; fewer come first.
func (a abilities) choice(id ID) int {
	who, n := a[id.Connector], 0
	if who == "" {
		return int(^uint(0) >> 1)
	}
	for _, c := range who {
		n += int(c - '0')
	}
	return n
}

// deal is the work of one kind while it is being handed out, by share.
type deal struct {
	able   abilities
	held   [][]ID // what members have
	free   [][]ID // what they get; may still go elsewhere
	moving bool   // what they have may, too
}

// deals begins to hand out: connectors first, then tasks, which are balanced apart.
func (a abilities) deals(shares []*share, todo []ID) [2]*deal {
	var all [2]*deal
	connectors, tasks := split(todo)
	for k, work := range [...][]ID{connectors, tasks} {
		d := &deal{able: a, held: make([][]ID, len(shares)), free: make([][]ID, len(shares))}
		for i, s := range shares {
			d.held[i] = slices.Clone([...][]ID{s.connectors, s.tasks}[k])
		}
		d.place(work)
		all[k] = d
	}
	return all
}

func (d *deal) load(share int) int { return len(d.held[share]) + len(d.free[share]) }

// place adds work where the load is least. What can run in few places comes first.
func (d *deal) place(work []ID) {
	slices.SortStableFunc(work, func(a, b ID) int { return cmp.Compare(d.able.choice(a), d.able.choice(b)) })
	for _, id := range work {
		to := -1
		for i := range d.held {
			if d.able.can(i, id) && (to < 0 || d.load(i) < d.load(to)) {
				to = i
			}
		}
		d.free[to] = append(d.free[to], id)
	}
	d.even()
}

// even makes the loads as even as they can become.
func (d *deal) even() {
	for d.shift() {
	}
}

// leveled is the same deal when members may also have to give up what they hold, and whether any has to.
func (d *deal) leveled() (*deal, bool) {
	l := &deal{able: d.able, moving: true}
	had := 0
	for i := range d.held {
		had += len(d.held[i])
		l.held = append(l.held, slices.Clone(d.held[i]))
		l.free = append(l.free, slices.Clone(d.free[i]))
	}
	l.even()
	for i := range l.held {
		had -= len(l.held[i])
	}
	return l, had > 0
}

// shift looks for a chain of members, each of which can run something of the one before, from one with more work to one
// with less, and moves one piece along each link. Without such a chain no other distribution is more even.
func (d *deal) shift() bool {
	heaviest := make([]int, len(d.held))
	for i := range heaviest {
		heaviest[i] = i
	}
	slices.SortStableFunc(heaviest, func(a, b int) int { return cmp.Compare(d.load(b), d.load(a)) })
	type link struct {
		from, piece int // the index of what moves: in free, or beyond that in held
	}
	for _, from := range heaviest {
		via := map[int]link{from: {}}
		to := -1
		for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			if d.load(at) <= d.load(from)-2 && (to < 0 || d.load(at) < d.load(to)) {
				to = at
			}
			for piece := range d.pieces(at) {
				for next := range d.held {
					if _, seen := via[next]; !seen && d.able.can(next, d.piece(at, piece)) {
						via[next] = link{at, piece}
						queue = append(queue, next)
					}
				}
			}
		}
		if to < 0 {
			continue
		}
		for at := to; at != from; at = via[at].from {
			d.move(via[at].from, via[at].piece, at)
		}
		return true
	}
	return false
}

// pieces is how much of a share can move.
func (d *deal) pieces(share int) int {
	if d.moving {
		return d.load(share)
	}
	return len(d.free[share])
}

func (d *deal) piece(share, i int) ID {
	if i < len(d.free[share]) {
		return d.free[share][i]
	}
	return d.held[share][i-len(d.free[share])]
}

func (d *deal) move(from, piece, to int) {
	d.free[to] = append(d.free[to], d.piece(from, piece))
	if n := len(d.free[from]); piece >= n {
		d.held[from] = slices.Delete(d.held[from], piece-n, piece-n+1)
	} else {
		d.free[from] = slices.Delete(d.free[from], piece, piece+1)
	}
}

// handOut gives out work. Unless lost work is waited for, it also takes away what makes the loads uneven and leaves room
// where that is to go in the next round; the delay is that of Round.mayMove.
func (a abilities) handOut(r Round, shares []*share, todo []ID, waiting bool, revoked map[string][]ID, next *Memory) (delay time.Duration) {
	deals := a.deals(shares, todo)
	if waiting {
		next.balanced = false
	} else {
		connectors, uneven := deals[0].leveled()
		tasks, unevenTasks := deals[1].leveled()
		var move bool
		if move, delay = r.mayMove(uneven || unevenTasks, next); move {
			deals = [2]*deal{connectors, tasks}
		}
	}
	gone := make(set[ID])
	for i, s := range shares {
		mine := make(set[ID])
		for _, id := range slices.Concat(s.connectors, s.tasks) {
			mine.add(id)
		}
		for _, d := range deals {
			for _, id := range d.held[i] {
				delete(mine, id)
			}
		}
		if len(mine) > 0 {
			revoked[s.member] = append(revoked[s.member], sorted(mine)...)
			s.drop(mine)
			gone = gone.union(mine)
		}
	}
	for i, s := range shares {
		for _, d := range deals {
			for _, id := range d.free[i] {
				if !gone.has(id) {
					s.gain(id)
				}
			}
		}
	}
	return delay
}
