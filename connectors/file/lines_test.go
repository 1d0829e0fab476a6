package file

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drain returns the whole lines and the sum of their sizes.
func drain(l *lines) (all []string, size int) {
	for {
		line, n := l.next()
		if n == 0 {
			return all, size
		}
		all = append(all, string(line))
		size += n
	}
}

// The last \r of a text may be half an end, so it is none.
var lineEnd = regexp.MustCompile(`\r\n|\n|\r`)

func TestLinesAreTheSameHoweverTheTextArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab€\r\n"))).Draw(t, "text")
		var want []string
		whole := 0
		for _, end := range lineEnd.FindAllStringIndex(text, -1) {
			if end[1] == len(text) && strings.HasSuffix(text, "\r") {
				break
			}
			want = append(want, text[whole:end[0]])
			whole = end[1]
		}
		var l lines
		var got []string
		size := 0
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			l.add(copy(l.room(n), rest[:n]))
			rest = rest[n:]
			if rapid.Bool().Draw(t, "take one") {
				if line, n := l.next(); n > 0 {
					got, size = append(got, string(line)), size+n
				}
				continue
			}
			more, n := drain(&l)
			got, size = append(got, more...), size+n
		}
		more, n := drain(&l)
		got, size = append(got, more...), size+n
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		if size != whole || l.pending() != len(text)-whole {
			t.Errorf("%d bytes taken and %d pending, want %d of %d", size, l.pending(), whole, len(text))
		}
	})
}

func TestALongLineLeavesNoMemoryBehind(t *testing.T) {
	var l lines
	const long = 8 * chunk
	for range long / chunk {
		l.add(copy(l.room(chunk), strings.Repeat("x", chunk)))
	}
	l.add(copy(l.room(1), "\n"))
	if line, size := l.next(); len(line) != long || size != long+1 {
		t.Fatalf("a line of %d bytes with %d bytes in all", len(line), size)
	}
	l.room(chunk)
	if cap(l.text) > 4*chunk {
		t.Errorf("%d bytes are kept", cap(l.text))
	}
}
