package source

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"
)

// Bounds of a gapSet (Promise 6).
const (
	maxGaps  = 1024 // ranges of one table
	gapWidth = 1024 // ids that a range of several gaps spans at most
)

// gapSet is the set of ids that were skipped and may still come (D14). It is at
// most maxGaps ranges in the order of their ids, which is also the order in
// which they were found. Neighbouring gaps share a range that remembers which
// of its ids are missing. The set does no I/O.
type gapSet struct{ ranges []gap }

// gap is a range of ids. The first and the last were missing when it was made.
type gap struct {
	first, last int64
	until       int64    // ms since the epoch: afterwards it is asked for once more and given up
	missing     []uint64 // bit i is id first+i; nil: all ids are missing
	text        []byte   // as it is stored; nil: not known
}

// span is a run of ids, the last one included.
type span struct{ first, last int64 }

// givenUp is what left a set without having been found: so many ids within a span.
type givenUp struct {
	span
	ids uint64
}

func (g *givenUp) add(o givenUp) {
	switch {
	case o.ids == 0:
	case g.ids == 0:
		*g = o
	default:
		g.first, g.last = min(g.first, o.first), max(g.last, o.last)
		g.ids += o.ids
	}
}

// open adds a gap above all others. Gaps share a range when they end at the
// same time, so until should come from a coarse grid. It returns what the set
// no longer has room for: the oldest range.
func (s *gapSet) open(first, last, until int64) givenUp {
	if n := len(s.ranges); n > 0 {
		if g := &s.ranges[n-1]; width(g.first, last) <= gapWidth && until == g.until {
			g.enumerate()
			for id := first; id <= last; id++ {
				g.set(id)
			}
			g.last, g.text = last, nil
			return givenUp{}
		}
	}
	s.ranges = append(s.ranges, gap{first: first, last: last, until: until})
	return s.trim()
}

// trim gives up the oldest range where there is one too many.
func (s *gapSet) trim() givenUp {
	if len(s.ranges) <= maxGaps {
		return givenUp{}
	}
	g := s.ranges[0]
	s.ranges = slices.Delete(s.ranges, 0, 1)
	return g.left()
}

// has reports whether an id is missing.
func (s *gapSet) has(id int64) bool {
	i, ok := s.find(id)
	return ok && s.ranges[i].has(id)
}

// fill takes an id out that came after all. It returns what the set has no
// room for any more, since an id may break a range in two.
func (s *gapSet) fill(id int64) givenUp {
	i, ok := s.find(id)
	if !ok {
		return givenUp{}
	}
	g := &s.ranges[i]
	g.text = nil
	switch {
	case g.missing != nil || width(g.first, g.last) <= gapWidth && id != g.first && id != g.last:
		g.enumerate()
		g.missing[(id-g.first)/64] &^= 1 << uint((id-g.first)%64)
		if g.count() == 0 {
			s.ranges = slices.Delete(s.ranges, i, i+1)
		}
	case g.first == g.last:
		s.ranges = slices.Delete(s.ranges, i, i+1)
	case id == g.first:
		g.first++
	case id == g.last:
		g.last--
	default:
		above := gap{first: id + 1, last: g.last, until: g.until}
		g.last = id - 1
		s.ranges = slices.Insert(s.ranges, i+1, above)
		return s.trim()
	}
	return givenUp{}
}

func (s *gapSet) find(id int64) (int, bool) {
	i := sort.Search(len(s.ranges), func(i int) bool { return s.ranges[i].last >= id })
	return i, i < len(s.ranges) && s.ranges[i].first <= id
}

// expire gives up the ranges whose time was over at now.
func (s *gapSet) expire(now int64) givenUp {
	var all givenUp
	s.ranges = slices.DeleteFunc(s.ranges, func(g gap) bool {
		if g.until > now {
			return false
		}
		all.add(g.left())
		return true
	})
	return all
}

// through gives up what lies at or below an id.
func (s *gapSet) through(last int64) givenUp {
	var all givenUp
	for len(s.ranges) > 0 && s.ranges[0].last <= last {
		all.add(s.ranges[0].left())
		s.ranges = slices.Delete(s.ranges, 0, 1)
	}
	if len(s.ranges) == 0 || s.ranges[0].first > last {
		return all
	}
	g := &s.ranges[0] // of several gaps, or it could not lie across an id that came
	g.text = nil
	rest := gap{first: last + 1, last: g.last, until: g.until}
	if g.missing == nil {
		all.add(givenUp{span{g.first, last}, width(g.first, last)})
		*g = rest
		return all
	}
	for _, r := range g.spans(nil) {
		if r.first > last {
			break
		}
		r.last = min(r.last, last)
		all.add(givenUp{r, width(r.first, r.last)})
		for id := r.first; id <= r.last; id++ {
			g.missing[(id-g.first)/64] &^= 1 << uint((id-g.first)%64)
		}
	}
	if g.count() == 0 {
		s.ranges = slices.Delete(s.ranges, 0, 1)
	}
	return all
}

// below keeps only what lies at or below an id.
func (s *gapSet) below(last int64) {
	for len(s.ranges) > 0 {
		g := &s.ranges[len(s.ranges)-1]
		if g.last <= last {
			return
		}
		g.text = nil
		if g.first <= last && g.missing == nil {
			g.last = last
			return
		}
		if g.first <= last {
			for id := last + 1; id <= g.last; id++ {
				g.missing[(id-g.first)/64] &^= 1 << uint((id-g.first)%64)
			}
			g.last = last
			if g.count() > 0 {
				return
			}
		}
		s.ranges = s.ranges[:len(s.ranges)-1]
	}
}

// count is the number of ids that are missing; it stops at the largest number.
func (s *gapSet) count() uint64 {
	var n uint64
	for i := range s.ranges {
		n += s.ranges[i].count()
	}
	return n
}

// asked returns the spans in which a statement has to look. Ranges with many
// gaps are looked at as a whole: rows in between are known by has.
func (s *gapSet) asked() []span {
	const many = 64
	var all []span
	for i := range s.ranges {
		g := &s.ranges[i]
		before := len(all)
		all = g.spans(all)
		if len(all)-before > many {
			all = append(all[:before], span{g.first, g.last})
		}
	}
	return all
}

func width(first, last int64) uint64 { return uint64(last) - uint64(first) + 1 }

// enumerate makes the range one that knows each of its ids.
func (g *gap) enumerate() {
	if g.missing != nil {
		return
	}
	g.missing = make([]uint64, gapWidth/64)
	for id := g.first; id <= g.last; id++ {
		g.set(id)
	}
}

func (g *gap) set(id int64) { g.missing[(id-g.first)/64] |= 1 << uint((id-g.first)%64) }

func (g *gap) has(id int64) bool {
	return g.missing == nil || g.missing[(id-g.first)/64]&(1<<uint((id-g.first)%64)) != 0
}

func (g *gap) count() uint64 {
	if g.missing == nil {
		return width(g.first, g.last)
	}
	n := 0
	for _, word := range g.missing {
		n += bits.OnesCount64(word)
	}
	return uint64(n)
}

func (g *gap) left() givenUp {
	left := g.spans(nil)
	return givenUp{span{left[0].first, left[len(left)-1].last}, g.count()}
}

// spans appends the runs of missing ids.
func (g *gap) spans(all []span) []span {
	if g.missing == nil {
		return append(all, span{g.first, g.last})
	}
	before := len(all)
	for i, word := range g.missing {
		for word != 0 {
			zeros := bits.TrailingZeros64(word)
			ones := bits.TrailingZeros64(^(word >> zeros))
			first := g.first + int64(64*i+zeros)
			last := first + int64(ones) - 1
			if n := len(all); n > before && all[n-1].last == first-1 {
				all[n-1].last = last
			} else {
				all = append(all, span{first, last})
			}
			if zeros+ones == 64 {
				break
			}
			word &= math.MaxUint64 << (zeros + ones)
		}
	}
	return all
}

// How the ids of a range are stored.
const (
	allMissing  = iota
	runsMissing // how many are there and how many are missing, in turn
	bitsMissing
)

// append writes the set: the number of ranges, then each.
func (s *gapSet) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s.ranges)))
	for i := range s.ranges {
		g := &s.ranges[i]
		if g.text == nil { // a set is stored often, and most of its ranges are as they were
			g.text = g.encode()
		}
		dst = append(dst, g.text...)
	}
	return dst
}

// encode writes a range: its first id, its width, its end, and what is missing.
func (g *gap) encode() []byte {
	dst := binary.AppendVarint(make([]byte, 0, 32), g.first)
	dst = binary.AppendUvarint(dst, uint64(g.last)-uint64(g.first))
	dst = binary.AppendVarint(dst, g.until)
	if g.missing == nil {
		return append(dst, allMissing)
	}
	runs, words := g.spans(nil), g.missing[:(g.last-g.first)/64+1]
	if 3*len(runs) < 8*len(words) {
		dst = binary.AppendUvarint(append(dst, runsMissing), uint64(len(runs)))
		next := g.first
		for _, r := range runs {
			dst = binary.AppendUvarint(dst, uint64(r.first-next))
			dst = binary.AppendUvarint(dst, uint64(r.last-r.first))
			next = r.last + 1
		}
		return dst
	}
	dst = append(dst, bitsMissing)
	for _, word := range words {
		dst = binary.LittleEndian.AppendUint64(dst, word)
	}
	return dst
}

// parseGaps reads what append wrote and returns what follows it.
func parseGaps(src []byte) (s gapSet, rest []byte, err error) {
	r := reader{src}
	n := r.uvarint()
	if n > maxGaps {
		return s, nil, fmt.Errorf("%d ranges where %d are the most", n, maxGaps)
	}
	for i := range n {
		g, err := r.gap()
		if err == nil && i > 0 && g.first <= s.ranges[i-1].last {
			err = errors.New("it overlaps with the one before")
		}
		if err != nil {
			return gapSet{}, nil, fmt.Errorf("range %d: %w", i, err)
		}
		s.ranges = append(s.ranges, g)
	}
	return s, r.src, nil
}

func (r *reader) gap() (gap, error) {
	g := gap{first: r.varint()}
	wide := r.uvarint()
	g.last = int64(uint64(g.first) + wide)
	g.until = r.varint()
	kind := r.byte()
	switch {
	case r.src == nil || g.last < g.first:
		return g, errors.New("it is broken")
	case kind == allMissing:
		return g, nil
	case wide >= gapWidth:
		return g, fmt.Errorf("its ids are listed, and it is %d wide", wide)
	case kind == runsMissing:
		g.missing = make([]uint64, gapWidth/64)
		next := uint64(0)
		for range r.uvarint() {
			first := next + r.uvarint()
			last := first + r.uvarint()
			if r.src == nil || first < next || last < first || last > wide {
				return g, errors.New("its runs are broken")
			}
			for id := first; id <= last; id++ {
				g.set(g.first + int64(id))
			}
			next = last + 1
		}
	case kind == bitsMissing:
		g.missing = make([]uint64, gapWidth/64)
		for i := range wide/64 + 1 {
			g.missing[i] = r.uint64()
		}
		if used := wide%64 + 1; used < 64 {
			g.missing[wide/64] &= 1<<used - 1
		}
	default:
		return g, fmt.Errorf("its ids are of an unknown kind %d", kind)
	}
	if r.src == nil || g.count() == 0 {
		return g, errors.New("its ids are broken")
	}
	return g, nil
}

// reader reads numbers; src is nil once it ended too soon.
type reader struct{ src []byte }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.src)
	r.skip(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.src)
	r.skip(n)
	return v
}

func (r *reader) uint64() uint64 {
	if len(r.src) < 8 {
		r.src = nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.src)
	r.skip(8)
	return v
}

func (r *reader) byte() byte {
	if len(r.src) == 0 {
		r.src = nil
		return 0
	}
	b := r.src[0]
	r.skip(1)
	return b
}

func (r *reader) skip(n int) {
	if n <= 0 {
		r.src = nil
		return
	}
	r.src = r.src[n:]
}
