package source

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestGapsAreTheIdsThatAreMissing runs the set beside a map of ids.
func TestGapsAreTheIdsThatAreMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s gapSet
		model := map[int64]int64{} // ids and when they end
		high, now := rapid.Int64Range(0, 1000).Draw(t, "high"), int64(0)
		const timeout, grid = 1000, 100
		lost := func(g givenUp, what string) {
			var n uint64
			for id := range model {
				if g.ids > 0 && id >= g.first && id <= g.last && !s.has(id) {
					delete(model, id)
					n++
				}
			}
			if n != g.ids {
				t.Fatalf("%s: %d ids are said to be given up, %d are gone", what, g.ids, n)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) {
				now += rapid.Int64Range(0, 60).Draw(t, "pause")
				first := high + 1
				last := first + rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 3000)).Draw(t, "more")
				until := (now/grid+1)*grid + timeout
				for id := first; id <= last; id++ {
					model[id] = until
				}
				high = last + 1
				lost(s.open(first, last, until), "open")
			},
			"fill": func(t *rapid.T) {
				id := rapid.Int64Range(-1, high+1).Draw(t, "id")
				if ids := slices.Sorted(maps.Keys(model)); len(ids) > 0 && rapid.Bool().Draw(t, "missing") {
					id = rapid.SampledFrom(ids).Draw(t, "missing id")
				}
				if _, missing := model[id]; missing != s.has(id) {
					t.Fatalf("has(%d) is %t", id, s.has(id))
				}
				delete(model, id)
				lost(s.fill(id), "fill")
			},
			"expire": func(t *rapid.T) {
				now += rapid.Int64Range(0, 500).Draw(t, "pause")
				lost(s.expire(now), "expire")
				for id, until := range model {
					if until <= now {
						t.Fatalf("%d should have been given up by %d", id, now)
					}
				}
			},
			"through": func(t *rapid.T) {
				last := rapid.Int64Range(high-3000, high+1).Draw(t, "through")
				lost(s.through(last), "through")
				for id := range model {
					if id <= last {
						t.Fatalf("%d should have been given up with all through %d", id, last)
					}
				}
			},
			"below": func(t *rapid.T) {
				high = rapid.Int64Range(max(high-50, 0), high).Draw(t, "below")
				s.below(high)
				maps.DeleteFunc(model, func(id, _ int64) bool { return id > high })
			},
			"store": func(t *rapid.T) {
				text := s.append([]byte{})
				again, rest, err := parseGaps(append(slices.Clone(text), 7))
				if err != nil || !slices.Equal(rest, []byte{7}) {
					t.Fatalf("%v, %d bytes left", err, len(rest))
				}
				s = again
			},
			"": func(t *rapid.T) {
				if s.count() != uint64(len(model)) {
					t.Fatalf("%d ids, want %d", s.count(), len(model))
				}
				covered := map[int64]bool{}
				for _, a := range s.asked() {
					for id := a.first; id <= a.last; id++ {
						covered[id] = true
					}
				}
				for id := range model {
					if !s.has(id) || !covered[id] {
						t.Fatalf("%d is missing, has says %t, asked %t", id, s.has(id), covered[id])
					}
				}
				for id := range covered {
					if _, missing := model[id]; s.has(id) != missing {
						t.Fatalf("has(%d) is %t", id, s.has(id))
					}
				}
				if len(s.ranges) > maxGaps {
					t.Fatalf("%d ranges", len(s.ranges))
				}
			},
		})
	})
}

// Every second id missing is the pattern of auto_increment_increment=2.
func TestManyGapsShareRanges(t *testing.T) {
	var s gapSet
	const ids = 1_000_000
	for id := int64(1); id < ids; id += 2 {
		if g := s.open(id, id, 1000); g.ids > 0 {
			t.Fatalf("%d is given up at %d", g.first, id)
		}
	}
	if n := s.count(); n != ids/2 || len(s.ranges) > maxGaps {
		t.Errorf("%d ids in %d ranges", n, len(s.ranges))
	}
	if text := s.append(nil); len(text) > 200_000 {
		t.Errorf("stored in %d bytes", len(text))
	}
}

func TestTheOldestRangeIsGivenUp(t *testing.T) {
	var s gapSet
	var all []givenUp
	for i := range int64(maxGaps + 2) {
		if g := s.open(i*10_000, i*10_000+4, 1000); g.ids > 0 {
			all = append(all, g)
		}
	}
	want := []givenUp{{span{0, 4}, 5}, {span{10_000, 10_004}, 5}}
	if d := cmp.Diff(want, all, cmp.AllowUnexported(givenUp{}, span{})); d != "" {
		t.Errorf("given up (-want +got):\n%s", d)
	}
}

func FuzzParseGaps(f *testing.F) {
	var s gapSet
	s.open(3, 5, 100)
	s.open(9, 9, 100)
	s.open(5000, 1<<40, 200)
	f.Add(s.append(nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, _, err := parseGaps(text)
		if err != nil {
			return
		}
		again, rest, err := parseGaps(s.append(nil))
		if err != nil || len(rest) > 0 || again.count() != s.count() {
			t.Errorf("%v, %d bytes left, %d of %d ids", err, len(rest), again.count(), s.count())
		}
	})
}

func BenchmarkGaps(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var s gapSet
		for id := int64(0); id < 100_000; id += 100 {
			s.open(id, id, 1000)
			s.fill(id)
		}
	}
}
