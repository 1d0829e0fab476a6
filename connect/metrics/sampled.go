package metrics

import (
	"math"
	"sync"
	"time"
)

// clock is the time over which events count.
type clock struct {
	window time.Duration // metrics.sample.window.ms
	count  int           // metrics.num.samples
	now    func() time.Time
}

// Sampled keeps events, each with a value, of the last few windows: a sample is
// full when its window is over, and forgotten when its last event is as old as
// all windows together, as those of Java clients. Any goroutine may use it.
type Sampled struct {
	clock *clock

	mu      sync.Mutex
	samples []sample // one more than clock.count at most
	current int
}

// sample is what one window has seen.
type sample struct {
	start, last time.Time
	events      int64
	sum         float64
	min, max    float64
}

func newSampled(c *clock) *Sampled { return &Sampled{clock: c} }

// Record adds one event.
func (s *Sampled) Record(value float64) { s.record(s.clock.now(), value) }

func (s *Sampled) record(now time.Time, value float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.at(now)
	if now.Sub(c.start) >= s.clock.window {
		c = s.advance(now)
	}
	c.events++
	c.sum += value
	c.min, c.max, c.last = min(c.min, value), max(c.max, value), now
}

// RecordTime adds an event whose value is a time in ms.
func (s *Sampled) RecordTime(took time.Duration) {
	s.Record(ms(took))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// RecordOutcome adds an event that is a success or a failure.
func (s *Sampled) RecordOutcome(ok bool) {
	value := 0.0
	if ok {
		value = 1
	}
	s.Record(value)
}

func (s *Sampled) at(now time.Time) *sample {
	if len(s.samples) == 0 {
		s.samples = append(s.samples, fresh(now))
	}
	return &s.samples[s.current]
}

// advance begins the next sample, in the place of the oldest once all are used.
func (s *Sampled) advance(now time.Time) *sample {
	s.current = (s.current + 1) % (s.clock.count + 1)
	if s.current == len(s.samples) {
		s.samples = append(s.samples, sample{})
	}
	s.samples[s.current] = fresh(now)
	return &s.samples[s.current]
}

func fresh(now time.Time) sample {
	return sample{start: now, last: now, min: math.Inf(1), max: math.Inf(-1)}
}

// all returns the samples that count as one, which has begun with the oldest.
func (s *Sampled) all() (sample, time.Time) {
	now := s.clock.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at(now)
	sum := fresh(now)
	for i := range s.samples {
		c := &s.samples[i]
		if now.Sub(c.last) >= time.Duration(s.clock.count)*s.clock.window {
			*c = fresh(now)
		}
		sum.events += c.events
		sum.sum += c.sum
		sum.min, sum.max = min(sum.min, c.min), max(sum.max, c.max)
		if c.start.Before(sum.start) {
			sum.start = c.start
		}
	}
	return sum, now
}

// Avg returns the average value; NaN without events, as in Java.
func (s *Sampled) Avg() float64 {
	all, _ := s.all()
	return all.sum / float64(all.events) // 0/0 is NaN
}

// Max returns the largest value; NaN without events.
func (s *Sampled) Max() float64 {
	all, _ := s.all()
	if all.events == 0 {
		return math.NaN()
	}
	return all.max
}

// Min returns the smallest value; NaN without events.
func (s *Sampled) Min() float64 {
	all, _ := s.all()
	if all.events == 0 {
		return math.NaN()
	}
	return all.min
}

// Rate returns the sum of the values by second. Windows that have not been
// yet count as empty ones, so that a first burst is no high rate.
func (s *Sampled) Rate() float64 {
	all, now := s.all()
	elapsed := now.Sub(all.start)
	if s.clock.window > 0 {
		if full := int(elapsed / s.clock.window); full < s.clock.count-1 {
			elapsed += time.Duration(s.clock.count-1-full) * s.clock.window
		}
	}
	if elapsed = max(elapsed, s.clock.window); elapsed == 0 {
		return 0
	}
	return all.sum / elapsed.Seconds()
}

// Successes returns the share of RecordOutcome(true), from 0 to 1; 0 without events.
func (s *Sampled) Successes() float64 {
	if avg := s.Avg(); !math.IsNaN(avg) {
		return avg
	}
	return 0
}

// Failures returns the share of RecordOutcome(false), from 0 to 1; 0 without events.
func (s *Sampled) Failures() float64 {
	if avg := s.Avg(); !math.IsNaN(avg) {
		return 1 - avg
	}
	return 0
}
