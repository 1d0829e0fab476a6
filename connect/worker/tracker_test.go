package worker

import (
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/data"
)

func position(n int) connect.SourceOffset {
	return connect.SourceOffset{Names: []string{"n"}, Values: []data.Value{data.Int64Of(int64(n))}}
}

// TestOffsetsNeverPassAnUnacknowledgedFlight completes flights in any order
// and takes, or fails to store, offsets in between: what may be stored is
// always the last position of the unbroken run of completed flights.
func TestOffsetsNeverPassAnUnacknowledgedFlight(t *testing.T) {
	p := &connect.SourcePartition{}
	rapid.Check(t, func(t *rapid.T) {
		var tr tracker
		var flights []*flight
		done := map[int]bool{}
		stored, prefix := -1, 0 // flights are numbered; a flight's position is its number
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				f := &flight{marks: []mark{{p, position(len(flights))}}, count: 1}
				flights = append(flights, f)
				tr.submit(f)
			case 1, 2:
				var open []int
				for i := range flights {
					if !done[i] {
						open = append(open, i)
					}
				}
				if len(open) == 0 {
					continue
				}
				i := rapid.SampledFrom(open).Draw(t, "flight")
				done[i] = true
				left := tr.complete(flights[i])
				for done[prefix] {
					prefix++
				}
				for _, f := range left {
					if !f.done {
						t.Fatal("a flight left before it was completed")
					}
				}
			case 3:
				offsets := tr.take()
				o, ok := offsets[p]
				if ok != (prefix-1 > stored) {
					t.Fatalf("offsets to store: %t, acknowledged up to %d, stored up to %d", ok, prefix-1, stored)
				}
				if !ok {
					continue
				}
				if got := int(o.Get("n").Int()); got != prefix-1 {
					t.Fatalf("position %d may be stored, want %d", got, prefix-1)
				}
				if rapid.Bool().Draw(t, "stored") {
					stored = prefix - 1
				} else {
					tr.putBack(offsets)
				}
			}
		}
		if want := len(flights) - prefix; tr.unfinished() != want {
			t.Fatalf("%d flights are unfinished, want %d", tr.unfinished(), want)
		}
	})
}

func TestPuttingBackKeepsNewerOffsets(t *testing.T) {
	p := &connect.SourcePartition{}
	var tr tracker
	for i := range 2 {
		f := &flight{marks: []mark{{p, position(i)}}}
		tr.submit(f)
		tr.complete(f)
		if i == 0 {
			old := tr.take()
			defer func() {
				tr.putBack(old)
				if got := tr.take()[p].Get("n").Int(); got != 1 {
					t.Errorf("position %d won, want 1", got)
				}
			}()
		}
	}
}
