package transform

import "kconnect/connect/data"

// structs makes the structs of a chain, many with one allocation. A struct
// that is kept holds on to those that were made with it, so they are few:
// structsTogether. Once recycle was called, memory is kept for it.
type structs struct {
	current   block
	recycling bool
	used      []block // since recycle
	free      []block
}

// block is memory of which the first structs and values are in use.
type block struct {
	structs       []data.Struct
	values        []data.Value
	taken, filled int // structs and values that are in use
}

const structsTogether = 32

// of returns a struct with every field null.
func (m *structs) of(schema *data.Schema) *data.Struct {
	n := len(schema.Fields())
	b := &m.current
	if b.taken == len(b.structs) || b.filled+n > len(b.values) {
		m.next(n)
	}
	s := &b.structs[b.taken]
	*s = data.MakeStruct(schema, b.values[b.filled:b.filled+n:b.filled+n])
	b.taken++
	b.filled += n
	return s
}

// next makes room for structs of n fields.
func (m *structs) next(n int) {
	if m.recycling && m.current.taken > 0 {
		m.used = append(m.used, m.current)
	}
	for len(m.free) > 0 {
		m.current = m.free[len(m.free)-1]
		m.free = m.free[:len(m.free)-1]
		if len(m.current.values) >= n {
			return
		}
	}
	m.current = block{structs: make([]data.Struct, structsTogether), values: make([]data.Value, n*structsTogether)}
}

// recycle takes back all structs that were made.
func (m *structs) recycle() {
	m.recycling = true
	for i := range m.used {
		m.used[i].clear()
	}
	m.current.clear()
	m.free = append(m.free, m.used...)
	m.used = m.used[:0]
}

// clear lets go of what the values refer to.
func (b *block) clear() {
	clear(b.structs[:b.taken])
	clear(b.values[:b.filled])
	b.taken, b.filled = 0, 0
}
