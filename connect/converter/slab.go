package converter

// slab hands out slices of chunks and never takes them back: many small
// values cost one allocation, and the garbage collector frees a chunk when
// nothing in it is in use.
type slab[T any] struct {
	free []T
	next int // size of the next chunk
}

// The sizes of chunks in elements: an idle converter holds little.
const (
	firstChunk = 64
	lastChunk  = 2048
)

// take returns n zero elements.
func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		s.next = min(max(2*s.next, firstChunk), lastChunk)
		s.free = make([]T, max(n, s.next))
	}
	p := s.free[:n:n]
	s.free = s.free[n:]
	return p
}
