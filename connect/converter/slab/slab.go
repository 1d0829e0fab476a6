// Package slab hands out many small slices from few large ones.
package slab

// Slab hands out slices of chunks and never takes them back: many small
// values cost one allocation, and the garbage collector frees a chunk when
// nothing in it is in use. The zero Slab is ready; it is used by one goroutine
// at a time.
type Slab[T any] struct {
	free []T
	next int // size of the next chunk
}

// The sizes of chunks in elements: an idle converter holds little.
const (
	firstChunk = 64
	lastChunk  = 2048
)

// Take returns n zero elements.
func (s *Slab[T]) Take(n int) []T {
	if n > len(s.free) {
		s.next = min(max(2*s.next, firstChunk), lastChunk)
		s.free = make([]T, max(n, s.next))
	}
	p := s.free[:n:n]
	s.free = s.free[n:]
	return p
}
