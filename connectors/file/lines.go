package file

import (
	"bytes"
	"slices"
)

// chunk is how many bytes are read at once.
const chunk = 64 << 10

// lines cuts text that arrives in pieces into lines. A line ends with \n,
// \r\n or \r; a \r that is the last byte may be half an end and has to wait.
type lines struct {
	text   []byte
	taken  int // bytes of text that next returned already
	looked int // bytes of text up to which no line ends
}

// room returns space for up to n more bytes; add says how many came. The line
// of the last next is no longer valid then.
func (l *lines) room(n int) []byte {
	switch {
	case l.taken == len(l.text) && cap(l.text) > 4*chunk:
		l.text = nil // one long line needs no memory for ever
	case l.taken > 0:
		l.text = l.text[:copy(l.text, l.text[l.taken:])]
	}
	l.looked -= l.taken
	l.taken = 0
	l.text = slices.Grow(l.text, n)
	return l.text[len(l.text) : len(l.text)+n]
}

func (l *lines) add(n int) { l.text = l.text[:len(l.text)+n] }

// pending returns how many bytes wait for the end of their line.
func (l *lines) pending() int { return len(l.text) - l.taken }

// next returns the next whole line without its end, and its size with it;
// 0 when there is none.
func (l *lines) next() (line []byte, size int) {
	i := bytes.IndexAny(l.text[l.looked:], "\r\n")
	if i < 0 {
		l.looked = len(l.text)
		return nil, 0
	}
	end := l.looked + i
	after := end + 1
	if l.text[end] == '\r' {
		if after == len(l.text) {
			l.looked = end
			return nil, 0
		}
		if l.text[after] == '\n' {
			after++
		}
	}
	line, size = l.text[l.taken:end], after-l.taken
	l.taken, l.looked = after, after
	return line, size
}
