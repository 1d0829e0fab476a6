package worker

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/data"
)

func position(n int) connect.SourceOffset {
	return connect.SourceOffset{Names: []string{"n"}, Values: []data.Value{data.Int64Of(int64(n))}}
}

// TestOffsetsNeverPassAnUnacknowledgedFlight completes flights in any order
// while offsets are taken and stored, or cannot be stored: what may be stored
// is always each partition's last position within the unbroken run of
// completed flights, and only what is not stored yet.
func TestOffsetsNeverPassAnUnacknowledgedFlight(t *testing.T) {
	partitions := []*connect.SourcePartition{{}, {}, {}}
	rapid.Check(t, func(t *rapid.T) {
		var tr tracker
		var flights []*flight // a flight's position is its number
		done := map[int]bool{}
		left, prefix := 0, 0
		stored := map[*connect.SourcePartition]int{}
		for _, p := range partitions {
			stored[p] = -1
		}
		var storing map[*connect.SourcePartition]connect.SourceOffset // taken, and not yet known to be stored
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				f := &flight{count: 1}
				for i, p := range partitions {
					if rapid.Bool().Draw(t, "partition "+strconv.Itoa(i)) {
						f.marks = append(f.marks, mark{p, position(len(flights))})
					}
				}
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
				for _, f := range tr.complete(flights[i]) {
					if f != flights[left] {
						t.Fatal("flights leave out of order")
					}
					left++
				}
				for done[prefix] {
					prefix++
				}
				if left != prefix {
					t.Fatalf("%d flights have left, want %d", left, prefix)
				}
			case 3:
				if storing != nil {
					continue // the committer takes one after the other
				}
				storing = tr.take()
				for _, p := range partitions {
					want := -1
					for i := range prefix {
						for _, m := range flights[i].marks {
							if m.partition == p {
								want = i
							}
						}
					}
					o, ok := storing[p]
					if ok != (want > stored[p]) {
						t.Fatalf("a position to store: %t, acknowledged up to %d, stored up to %d", ok, want, stored[p])
					}
					if ok && int(o.Get("n").Int()) != want {
						t.Fatalf("position %d may be stored, want %d", o.Get("n").Int(), want)
					}
				}
			case 4:
				if storing == nil {
					continue
				}
				if rapid.Bool().Draw(t, "stored") {
					for p, o := range storing {
						stored[p] = int(o.Get("n").Int())
					}
				} else {
					tr.putBack(storing)
				}
				storing = nil
			}
		}
		if want := len(flights) - prefix; tr.unfinished() != want {
			t.Fatalf("%d flights are unfinished, want %d", tr.unfinished(), want)
		}
	})
}

// TestPositionsOutliveTheirBatch: a batch's memory is used again while its
// positions still wait to be stored.
func TestPositionsOutliveTheirBatch(t *testing.T) {
	b := connect.NewSourceBatch(10, 1<<20)
	at := b.Values(2)
	at[0], at[1] = data.TextOf(b.Copy([]byte("2023-04-04"))), data.Int64Of(7)
	o := copyOffset(connect.SourceOffset{Names: []string{"t", "n"}, Values: at})
	b.Reset(10, 1<<20)
	copy(b.Copy(make([]byte, 10)), "overwrite!")
	b.Values(2)[0] = data.BoolOf(true)
	if o.Get("t").Str() != "2023-04-04" || o.Get("n").Int() != 7 {
		t.Errorf("the position is now %s", o)
	}
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
