package worker

import (
	"sync"
	"time"

	"kconnect/connect"
	"kconnect/connect/data"
)

// tracker knows which source offsets may be committed: those of the unbroken
// run of flights, from the oldest on, whose records are all acknowledged
// (Promise 1). One goroutine submits, any may complete, one takes.
type tracker struct {
	mu      sync.Mutex
	flights []*flight // in the order of production; the front is the oldest unfinished one
	ready   map[*connect.SourcePartition]connect.SourceOffset
	records int64 // acknowledged records whose offsets are in ready
}

// mark is the last position of one partition within a flight.
type mark struct {
	partition *connect.SourcePartition
	offset    connect.SourceOffset
}

// submit appends a flight. Its marks must not share memory with a batch.
func (t *tracker) submit(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flights = append(t.flights, f)
}

// complete says that every record of f is acknowledged and moves the front.
// It returns the flights that left the tracker and may be used again.
func (t *tracker) complete(f *flight) []*flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.done = true
	n := 0
	for n < len(t.flights) && t.flights[n].done {
		for _, m := range t.flights[n].marks {
			if t.ready == nil {
				t.ready = make(map[*connect.SourcePartition]connect.SourceOffset)
			}
			t.ready[m.partition] = m.offset
		}
		t.records += int64(t.flights[n].count)
		n++
	}
	if n == 0 {
		return nil
	}
	left := append([]*flight(nil), t.flights[:n]...)
	rest := copy(t.flights, t.flights[n:])
	clear(t.flights[rest:])
	t.flights = t.flights[:rest]
	return left
}

// take returns the offsets that may be committed and forgets them; nil when
// there are none.
func (t *tracker) take() map[*connect.SourcePartition]connect.SourceOffset {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.ready
	t.ready, t.records = nil, 0
	return r
}

// putBack returns offsets whose commit failed. Newer ones win.
func (t *tracker) putBack(offsets map[*connect.SourcePartition]connect.SourceOffset) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ready == nil {
		t.ready = offsets
		return
	}
	for p, o := range offsets {
		if _, newer := t.ready[p]; !newer {
			t.ready[p] = o
		}
	}
}

// unfinished returns how many flights have records without an answer.
func (t *tracker) unfinished() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.flights)
}

// waitingSince returns when the oldest flight with records without an answer
// was produced.
func (t *tracker) waitingSince() (since time.Time, waiting bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.flights) == 0 {
		return time.Time{}, false
	}
	return t.flights[0].since, true
}

// copyOffset returns an offset that does not share values with a batch. The
// names are shared: tasks keep them for good.
func copyOffset(o connect.SourceOffset) connect.SourceOffset {
	values := make([]data.Value, len(o.Values))
	for i, v := range o.Values {
		if v.Kind() == data.KindString {
			v = data.StringOf(string(append([]byte(nil), v.Bytes()...)))
		}
		values[i] = v
	}
	return connect.SourceOffset{Names: o.Names, Values: values}
}
