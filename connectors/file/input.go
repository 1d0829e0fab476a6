package file

import (
	"io"
	"sync"
)

// input reads a stream that has no positions, the standard input, for all
// tasks of the process. There is one, because a read cannot be given up: a
// reader of each task's own would take a line with it when the task stops.
// Its goroutine is the one that nobody waits for; it ends with the stream.
type input struct {
	from   io.Reader
	once   sync.Once
	chunks chan []byte
}

func newInput(from io.Reader) *input {
	return &input{from: from, chunks: make(chan []byte)}
}

// pieces returns the channel of what was read; it is closed at the end. The
// first call starts the reading.
func (in *input) pieces() <-chan []byte {
	in.once.Do(func() { go in.read() })
	return in.chunks
}

func (in *input) read() {
	defer close(in.chunks)
	for {
		p := make([]byte, chunk)
		n, err := in.from.Read(p)
		if n > 0 {
			in.chunks <- p[:n]
		}
		if err != nil {
			return
		}
	}
}
