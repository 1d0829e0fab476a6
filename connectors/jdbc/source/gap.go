package source

import (
	"encoding/binary"
	"fmt"
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
			g.last = last
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

// below keeps only what lies at or below an id.
func (s *gapSet) below(last int64) {
	for len(s.ranges) > 0 {
		g := &s.ranges[len(s.ranges)-1]
		if g.last <= last {
			return
		}
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
	end := int(g.last - g.first)
	for i := 0; i <= end; i++ {
		if g.missing[i/64] == 0 {
			i |= 63
			continue
		}
		if g.missing[i/64]&(1<<uint(i%64)) == 0 {
			continue
		}
		from := i
		for i < end && g.missing[(i+1)/64]&(1<<uint((i+1)%64)) != 0 {
			i++
		}
		all = append(all, span{g.first + int64(from), g.first + int64(i)})
	}
	return all
}

// append writes the set: the number of ranges, then of each how far it begins
// behind the last, its width, how much longer it lasts, and which ids are missing.
func (s *gapSet) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s.ranges)))
	var last, until int64
	for i := range s.ranges {
		g := &s.ranges[i]
		dst = binary.AppendVarint(dst, g.first-last)
		dst = binary.AppendUvarint(dst, uint64(g.last)-uint64(g.first))
		dst = binary.AppendVarint(dst, g.until-until)
		last, until = g.last, g.until
		words := g.words()
		dst = binary.AppendUvarint(dst, uint64(len(words)))
		for _, word := range words {
			dst = binary.LittleEndian.AppendUint64(dst, word)
		}
	}
	return dst
}

// words are those of missing that the range reaches.
func (g *gap) words() []uint64 {
	if g.missing == nil {
		return nil
	}
	return g.missing[:(g.last-g.first)/64+1]
}

// parseGaps reads what append wrote and returns what follows it.
func parseGaps(src []byte) (s gapSet, rest []byte, err error) {
	r := reader{src}
	n := r.uvarint()
	if n > maxGaps {
		return s, nil, fmt.Errorf("%d ranges where %d are the most", n, maxGaps)
	}
	var last, until int64
	for range n {
		g := gap{first: last + r.varint()}
		wide := r.uvarint()
		g.last = int64(uint64(g.first) + wide)
		g.until = until + r.varint()
		words := r.uvarint()
		if r.src == nil || g.last < g.first || len(s.ranges) > 0 && g.first <= last {
			return gapSet{}, nil, fmt.Errorf("range %d is broken", len(s.ranges))
		}
		if words > 0 {
			if wide >= gapWidth || words != wide/64+1 {
				return gapSet{}, nil, fmt.Errorf("range %d is %d wide and has %d words", len(s.ranges), wide, words)
			}
			g.missing = make([]uint64, gapWidth/64)
			for i := range words {
				g.missing[i] = r.uint64()
			}
			if used := wide%64 + 1; used < 64 {
				g.missing[words-1] &= 1<<used - 1
			}
			if r.src == nil || g.count() == 0 {
				return gapSet{}, nil, fmt.Errorf("range %d is broken", len(s.ranges))
			}
		}
		last, until = g.last, g.until
		s.ranges = append(s.ranges, g)
	}
	if r.src == nil {
		return gapSet{}, nil, fmt.Errorf("it ends too soon")
	}
	return s, r.src, nil
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

func (r *reader) skip(n int) {
	if n <= 0 {
		r.src = nil
		return
	}
	r.src = r.src[n:]
}
