package connect

import (
	"kconnect/connect/data"
)

// SourceBatch is what a source task fills. The worker owns it, hands it to
// one Poll at a time and uses it again: everything that a task took from it
// (records, values, structs, bytes) lives until the batch was converted and
// must not be kept by the task.
type SourceBatch struct {
	Records []Record
	// Positions are offsets beside those of single records; see Store.
	Positions []Position

	maxRecords, maxBytes int
	bytes                int
	values               slab[data.Value]
	structs              slab[data.Struct]
	text                 slab[byte]
}

// NewSourceBatch returns a batch that is full at so many records or bytes.
func NewSourceBatch(maxRecords, maxBytes int) *SourceBatch {
	return &SourceBatch{maxRecords: maxRecords, maxBytes: maxBytes}
}

// Add appends an empty record and returns it for filling in. The pointer is
// good until the next Add.
func (b *SourceBatch) Add() *Record {
	b.Records = append(b.Records, Record{Partition: NoPartition, Timestamp: NoTimestamp})
	return &b.Records[len(b.Records)-1]
}

// Position is an offset of a partition of the source.
type Position struct {
	Source *SourcePartition
	Offset SourceOffset
}

// Store adds a position that holds once every record of this batch, and of
// those before, is in Kafka: for state that no single record carries, also in a
// batch without records. It wins over positions of the batch's records. All
// positions of a batch are stored by the same commit, or none is taken from it.
// The offset may refer to the batch's memory.
func (b *SourceBatch) Store(p *SourcePartition, o SourceOffset) {
	b.Positions = append(b.Positions, Position{p, o})
}

// Full reports whether the task should return what it has: the batch holds as
// many records, or as many bytes of values, as the worker takes at once
// (Promise 6).
func (b *SourceBatch) Full() bool {
	return len(b.Records) >= b.maxRecords || b.Size() >= b.maxBytes
}

// Limit lowers the number of records at which the batch is full, for tasks
// with a batch size of their own. It holds until the batch is reset.
func (b *SourceBatch) Limit(records int) {
	if records > 0 && records < b.maxRecords {
		b.maxRecords = records
	}
}

// Size returns the bytes of memory that the batch's values take.
func (b *SourceBatch) Size() int {
	const record, value = 200, 24
	return len(b.Records)*record + b.values.used()*value + b.text.used() + b.bytes
}

// Grew tells the batch of bytes that the task allocated itself for its records.
func (b *SourceBatch) Grew(bytes int) { b.bytes += bytes }

// Values returns n null values that live as long as the batch.
func (b *SourceBatch) Values(n int) []data.Value { return b.values.take(n) }

// Struct returns a struct value over values, which the batch then owns.
func (b *SourceBatch) Struct(schema *data.Schema, values []data.Value) data.Value {
	s := b.structs.take(1)
	s[0] = data.MakeStruct(schema, values)
	return data.StructOf(&s[0])
}

// Copy returns a copy of p that lives as long as the batch: for what a
// driver's buffer will overwrite with its next row.
func (b *SourceBatch) Copy(p []byte) []byte {
	c := b.text.take(len(p))
	copy(c, p)
	return c
}

// Reset empties the batch and keeps its memory, with new limits. The worker
// calls it; nothing taken from the batch may be in use any more.
func (b *SourceBatch) Reset(maxRecords, maxBytes int) {
	b.maxRecords, b.maxBytes, b.bytes = maxRecords, maxBytes, 0
	clear(b.Records)
	b.Records = b.Records[:0]
	clear(b.Positions)
	b.Positions = b.Positions[:0]
	b.values.reset()
	b.structs.reset()
	b.text.reset()
}

// slab hands out slices of chunks that it keeps for the next use.
type slab[T any] struct {
	chunks [][]T
	chunk  int // the one in use
	off    int // of the first free element in it
	full   int // elements in the chunks before it
}

const slabChunk = 4096 // elements

// take returns n zero elements. More than a chunk is not kept for the next use.
func (s *slab[T]) take(n int) []T {
	if n > slabChunk {
		s.full += n
		return make([]T, n)
	}
	for s.chunk < len(s.chunks) {
		if c := s.chunks[s.chunk]; s.off+n <= len(c) {
			p := c[s.off : s.off+n : s.off+n]
			s.off += n
			return p
		}
		s.full += s.off
		s.chunk++
		s.off = 0
	}
	s.chunks = append(s.chunks, make([]T, slabChunk))
	s.off = n
	return s.chunks[s.chunk][:n:n]
}

func (s *slab[T]) used() int { return s.full + s.off }

// reset clears what was handed out, so that it keeps no other memory alive.
func (s *slab[T]) reset() {
	for i, c := range s.chunks {
		if i > s.chunk {
			break
		}
		clear(c)
	}
	s.chunk, s.off, s.full = 0, 0, 0
}
