package metrics

import (
	"math"
	"sync"
	"time"
)

// Rebalance follows the worker group.
type Rebalance struct {
	now   func() time.Time
	times *Sampled // ms

	mu        sync.Mutex
	began     time.Time // of the round under way; zero: none is
	ended     time.Time // of the last one
	completed int64
	total     time.Duration
	epoch     int32
	leader    string
	protocol  string // in upper case, as Java's
}

// Started says that a round is under way.
func (b *Rebalance) Started() {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.began.IsZero() {
		b.began = now
	}
}

// Completed says that a round was applied: its generation, the leader's URL and
// the protocol in Java's spelling (SESSIONED, COMPATIBLE, EAGER).
func (b *Rebalance) Completed(epoch int32, leader, protocol string) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.epoch, b.leader, b.protocol = epoch, leader, protocol
	b.completed++
	b.ended = now
	if b.began.IsZero() {
		return
	}
	took := now.Sub(b.began)
	b.began = time.Time{}
	b.total += took
	b.times.RecordTime(took)
}

// rounds is a copy of what is known.
type rounds struct {
	completed        int64
	rebalancing      float64
	sinceLast        float64 // ms; NaN before the first
	total            float64 // ms
	epoch            int32
	leader, protocol string
}

// read reports false for a worker that has no group.
func (b *Rebalance) read() (r rounds, member bool) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	r = rounds{completed: b.completed, sinceLast: math.NaN(), total: float64(b.total.Milliseconds()), epoch: b.epoch, leader: b.leader, protocol: b.protocol}
	if !b.began.IsZero() {
		r.rebalancing = 1
	}
	if !b.ended.IsZero() {
		r.sinceLast = float64(now.Sub(b.ended).Milliseconds())
	}
	return r, b.completed > 0 || !b.began.IsZero()
}
