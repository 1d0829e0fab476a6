package metrics

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// hand is a clock that a test moves.
type hand struct{ at time.Time }

func newHand() *hand { return &hand{time.Unix(1_700_000_000, 0)} }

func (h *hand) now() time.Time { return h.at }

func (h *hand) pass(d time.Duration) { h.at = h.at.Add(d) }

func TestSampledHoldsWhatJavaClientsHold(t *testing.T) {
	type event struct{ at, value float64 } // seconds
	nan := math.NaN()
	for _, c := range []struct {
		name                string
		events              []event
		at                  float64
		avg, low, max, rate float64
	}{
		{"nothing", nil, 0, nan, nan, nan, 0},
		{"a first burst is spread over the window before it", []event{{0, 10}, {0, 20}}, 0, 15, 10, 20, 1},
		{"the window before it is empty until the first is full", []event{{0, 10}, {0, 20}}, 15, 15, 10, 20, 30. / 45},
		{"a full window", []event{{0, 10}, {0, 20}}, 30, 15, 10, 20, 1},
		{"just before it is forgotten", []event{{0, 10}, {0, 20}}, 59, 15, 10, 20, 30. / 59},
		{"forgotten", []event{{0, 10}, {0, 20}}, 60, nan, nan, nan, 0},
		{"the oldest of three windows goes", []event{{0, 10}, {30, 20}, {60, 30}}, 60, 25, 20, 30, 50. / 30},
		{"a sample counts as long as its last event does", []event{{0, 1}, {29, 3}, {58, 5}}, 80, 3, 1, 5, 9. / 80},
		{"and goes whole", []event{{0, 1}, {29, 3}, {58, 5}}, 89, 5, 5, 5, 5. / 31},
		{"a fourth window takes the place of the first", []event{{0, 100}, {30, 1}, {60, 2}, {90, 3}}, 90, 2.5, 2, 3, 5. / 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHand()
			begin := h.at
			s := newSampled(&clock{window: 30 * time.Second, count: 2, now: h.now})
			to := func(seconds float64) { h.at = begin.Add(time.Duration(seconds * float64(time.Second))) }
			for _, e := range c.events {
				to(e.at)
				s.Record(e.value)
			}
			to(c.at)
			got, want := fmt.Sprintf("%.9g %.9g %.9g %.9g", s.Avg(), s.Min(), s.Max(), s.Rate()), fmt.Sprintf("%.9g %.9g %.9g %.9g", c.avg, c.low, c.max, c.rate)
			if got != want {
				t.Errorf("average, minimum, maximum and rate are %s, want %s", got, want)
			}
		})
	}
}

func TestSharesOfOutcomesAddUpToOneOnceThereAreAny(t *testing.T) {
	h := newHand()
	s := newSampled(&clock{window: time.Second, count: 2, now: h.now})
	if s.Successes() != 0 || s.Failures() != 0 {
		t.Errorf("without events: %v and %v", s.Successes(), s.Failures())
	}
	for _, ok := range []bool{true, true, true, false} {
		s.RecordOutcome(ok)
	}
	if s.Successes() != 0.75 || s.Failures() != 0.25 {
		t.Errorf("after three of four: %v and %v", s.Successes(), s.Failures())
	}
}

// Whatever the times: an event counts for at least the windows' length, and no
// longer than that after the last one.
func TestAnEventCountsAsLongAsTheWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHand()
		c := &clock{window: time.Duration(rapid.IntRange(1, 50).Draw(t, "window")), count: rapid.IntRange(1, 4).Draw(t, "samples"), now: h.now}
		s := newSampled(c)
		all := time.Duration(c.count) * c.window
		type event struct {
			at    time.Time
			value float64
		}
		var events []event
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			h.pass(time.Duration(rapid.IntRange(0, 80).Draw(t, "pause")))
			v := float64(rapid.IntRange(0, 1000).Draw(t, "value"))
			s.Record(v)
			events = append(events, event{h.at, v})
			if rapid.Bool().Draw(t, "look") {
				for _, e := range events {
					if h.at.Sub(e.at) < all && s.Max() < e.value {
						t.Fatalf("the event of %v ago is forgotten", h.at.Sub(e.at))
					}
				}
				if r := s.Rate(); r < 0 || math.IsNaN(r) || math.IsInf(r, 0) {
					t.Fatalf("the rate is %v", r)
				}
			}
		}
		h.pass(all)
		if !math.IsNaN(s.Avg()) || !math.IsNaN(s.Max()) || s.Rate() != 0 {
			t.Fatalf("after all windows: %v %v %v", s.Avg(), s.Max(), s.Rate())
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	s := newSampled(&clock{window: 30 * time.Second, count: 2, now: time.Now})
	for b.Loop() {
		s.Record(1)
	}
}

// BenchmarkSinkDelivery is all that one delivery to a sink task counts, with the
// fetch that it came from.
func BenchmarkSinkDelivery(b *testing.B) {
	t := New(Config{}).Task("c", 0)
	c := t.Client(Consumer, "k")
	for b.Loop() {
		c.OnPollStart(b.Context())
		c.OnBrokerE2E(kgo.BrokerMetadata{NodeID: 1}, 1, kgo.BrokerE2E{BytesWritten: 100, BytesRead: 1 << 20})
		c.OnFetchBatchRead(kgo.BrokerMetadata{NodeID: 1}, "t", 0, kgo.FetchBatchMetrics{NumRecords: 3000})
		c.Position("t", 0, 1, 1, 0)
		t.Read(3000)
		t.Sent(3000)
		t.Put(time.Millisecond)
	}
}

// BenchmarkSourceBatch is all that one batch of a source task counts.
func BenchmarkSourceBatch(b *testing.B) {
	t := New(Config{}).Task("c", 0)
	for b.Loop() {
		t.Polled(2048, time.Millisecond)
		t.Written(2048, 2048)
	}
}
