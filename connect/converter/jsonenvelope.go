package converter

import (
	"bytes"

	"kconnect/connect/converter/slab"
	"kconnect/connect/data"
)

// envelope is what is known of envelopes with one schema text.
type envelope struct {
	schema *data.Schema
	reader *valueReader // nil without a schema
	// prefix is the envelope up to and including the colon after "payload", as
	// it was written last.
	prefix []byte
}

// memory is where decoded values live.
type memory struct {
	values  slab.Slab[data.Value]
	structs slab.Slab[data.Struct]
	bytes   slab.Slab[byte]
	stack   []data.Value // elements of the arrays that are being read
	entries []data.Entry // of the maps that are being read
}

// valueReader reads the payload of one schema as long as it needs no
// coercion: everything else, and every fault, is the exact reader's business.
type valueReader struct {
	schema  *data.Schema
	logical data.Logical
	typ     data.Type
	null    data.Value // what null and a missing field are
	nullOK  bool
	fields  []fieldReader
	elem    *valueReader
}

type fieldReader struct {
	name []byte // with quotes and colon: "id":
	valueReader
}

func readerOf(s *data.Schema, nullDefault bool) *valueReader {
	d := &valueReader{schema: s, logical: s.Logical(), typ: s.Type(), nullOK: s.Optional()}
	if def, ok := s.Default(); ok && nullDefault {
		d.null, d.nullOK = def, true
	}
	switch d.typ {
	case data.Array, data.MapType:
		d.elem = readerOf(s.Elem(), nullDefault)
	case data.StructType:
		d.fields = make([]fieldReader, len(s.Fields()))
		for i, f := range s.Fields() {
			// A name that is written with escapes does not match and is looked up.
			name := append(append([]byte{'"'}, f.Name...), '"', ':')
			d.fields[i] = fieldReader{name, *readerOf(f.Schema, nullDefault)}
		}
	}
	return d
}

// locate finds the parts of an envelope whose members are in the usual order:
// the text of its schema and where its payload begins.
func locate(b []byte) (schema []byte, payload int, ok bool) {
	r := jsonReader{b: b}
	if !r.skip('{') || !r.skipName(`"schema"`) {
		return nil, 0, false
	}
	start := r.pos
	if !r.skipSchema() {
		return nil, 0, false
	}
	schema = b[start:r.pos]
	if !r.skip(',') || !r.skipName(`"payload"`) {
		return nil, 0, false
	}
	return schema, r.pos, true
}

func (r *jsonReader) skip(c byte) bool {
	r.space()
	if r.peek() != c {
		return false
	}
	r.pos++
	return true
}

// skipName skips a name in quotes, its colon and the space around.
func (r *jsonReader) skipName(name string) bool {
	r.space()
	if !bytes.HasPrefix(r.b[r.pos:], []byte(name)) {
		return false
	}
	r.pos += len(name)
	if !r.skip(':') {
		return false
	}
	r.space()
	return true
}

// skipSchema skips an object by its braces, or null. Whether it is well formed
// shows when it is looked up.
func (r *jsonReader) skipSchema() bool {
	if r.peek() == 'n' {
		return r.literal("null")
	}
	depth := 0
	for r.pos < len(r.b) {
		switch r.b[r.pos] {
		case '{':
			depth++
		case '}':
			if depth--; depth <= 0 {
				r.pos++
				return depth == 0
			}
		case '"':
			r.pos++
			for r.pos < len(r.b) && r.b[r.pos] != '"' {
				if r.b[r.pos] == '\\' {
					r.pos++
				}
				r.pos++
			}
		default:
			if depth == 0 {
				return false
			}
		}
		r.pos++
	}
	return false
}

// read reads one value at r.pos.
func (d *valueReader) read(r *jsonReader, m *memory) (data.Value, bool) {
	c := r.peek()
	if c == 'n' {
		return d.null, d.nullOK && r.literal("null")
	}
	switch d.logical {
	case data.LogicalDecimal:
		return d.decimal(r, c)
	case data.LogicalTimestamp:
		n, ok := r.integer()
		return data.InstantOf(n), ok
	case data.LogicalDate:
		n, ok := r.integer()
		return data.InstantOf(data.InstantFromDate(int32(n))), ok && int64(int32(n)) == n
	case data.LogicalTime:
		n, ok := r.integer()
		ms, err := data.InstantFromTime(int32(n))
		return data.InstantOf(ms), ok && int64(int32(n)) == n && err == nil
	}
	switch d.typ {
	case data.Int32:
		n, ok := r.integer()
		return data.Int32Of(int32(n)), ok && int64(int32(n)) == n
	case data.Int64:
		n, ok := r.integer()
		return data.Int64Of(n), ok
	case data.String:
		if c != '"' {
			return data.Null, false
		}
		r.pos++
		s, ok := r.text(maxString)
		return data.TextOf(s), ok
	case data.StructType:
		return d.structure(r, m)
	case data.Float64:
		f, ok := r.float(64)
		return data.Float64Of(f), ok
	case data.Boolean:
		if c == 't' {
			return data.BoolOf(true), r.literal("true")
		}
		return data.BoolOf(false), r.literal("false")
	case data.Float32:
		f, ok := r.float(32)
		return data.Float32Of(float32(f)), ok
	case data.Int16:
		n, ok := r.integer()
		return data.Int16Of(int16(n)), ok && int64(int16(n)) == n
	case data.Int8:
		n, ok := r.integer()
		return data.Int8Of(int8(n)), ok && int64(int8(n)) == n
	case data.Bytes:
		return d.bytes(r, m, c)
	case data.Array:
		return d.array(r, m)
	case data.MapType:
		return d.mapping(r, m)
	}
	return data.Null, false
}

// integer reads an integer literal of at most 18 digits without leading zeros.
func (r *jsonReader) integer() (int64, bool) {
	b, i := r.b, r.pos
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	start := i
	var n int64
	for i < len(b) && digit(b[i]) {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	if i == start || i-start > 18 || b[start] == '0' && i-start > 1 {
		return 0, false
	}
	if i < len(b) {
		switch b[i] { // what may follow; in particular no point and no exponent
		case ',', '}', ']', ' ', '\t', '\n', '\r':
		default:
			return 0, false
		}
	}
	r.pos = i
	if negative {
		n = -n
	}
	return n, true
}

func (r *jsonReader) float(bits int) (float64, bool) {
	if c := r.peek(); c != '-' && !digit(c) {
		return 0, false
	}
	literal, _, ok := r.numberText()
	if !ok {
		return 0, false
	}
	return parseFloat(literal, bits)
}

func (d *valueReader) decimal(r *jsonReader, c byte) (data.Value, bool) {
	if c == '"' {
		r.pos++
		text, ok := r.text(maxString)
		if !ok {
			return data.Null, false
		}
		v, err := decimalFromBase64(d.schema, text)
		return data.DecimalOf(v), err == nil
	}
	if c != '-' && !digit(c) {
		return data.Null, false
	}
	literal, _, ok := r.numberText()
	if !ok {
		return data.Null, false
	}
	v, ok := data.ParseDecimal(literal)
	return data.DecimalOf(v), ok
}

func (d *valueReader) bytes(r *jsonReader, m *memory, c byte) (data.Value, bool) {
	if c != '"' {
		return data.Null, false
	}
	r.pos++
	text, ok := r.text(maxString)
	if !ok {
		return data.Null, false
	}
	b, err := decodeBase64(m.bytes.Take((len(text) + 3) / 4 * 3)[:0], text)
	return data.BytesOf(b), err == nil
}

// unset marks a field that was not read yet; no payload has such a value.
var unset = missingNode

func (d *valueReader) structure(r *jsonReader, m *memory) (data.Value, bool) {
	if !r.skip('{') {
		return data.Null, false
	}
	values := m.values.Take(len(d.fields))
	ordered := true // every field before next was read, and none after it
	next := 0
	r.space()
	for r.peek() != '}' {
		i, ok := d.field(r, next)
		if !ok {
			return data.Null, false
		}
		if i != next && ordered {
			ordered = false
			for j := next; j < len(values); j++ {
				values[j] = unset
			}
		}
		if !ordered && values[i].Kind() != unset.Kind() {
			return data.Null, false // the same name again
		}
		if values[i], ok = d.fields[i].read(r, m); !ok {
			return data.Null, false
		}
		next = i + 1
		if r.space(); r.peek() == ',' {
			r.pos++
			if r.space(); r.peek() == '}' {
				return data.Null, false
			}
		} else if r.peek() != '}' {
			return data.Null, false
		}
	}
	r.pos++
	from := next
	if !ordered {
		from = 0
	}
	for i := from; i < len(values); i++ {
		if ordered || values[i].Kind() == unset.Kind() {
			if !d.fields[i].nullOK {
				return data.Null, false
			}
			values[i] = d.fields[i].null
		}
	}
	s := m.structs.Take(1)
	s[0] = data.MakeStruct(d.schema, values)
	return data.StructOf(&s[0]), true
}

// field reads the name of a member and the space after its colon, and returns
// which field it is; next is the likely one.
func (d *valueReader) field(r *jsonReader, next int) (int, bool) {
	i := next
	if next < len(d.fields) && bytes.HasPrefix(r.b[r.pos:], d.fields[next].name) {
		r.pos += len(d.fields[next].name)
	} else {
		if r.peek() != '"' {
			return 0, false
		}
		r.pos++
		name, ok := r.text(maxName)
		if !ok || !r.skip(':') {
			return 0, false
		}
		if i = d.schema.Field(data.TextOf(name).Str()); i < 0 {
			return 0, false // its value is to be read past
		}
	}
	r.space()
	return i, true
}

func (d *valueReader) array(r *jsonReader, m *memory) (data.Value, bool) {
	if r.peek() != '[' {
		return data.Null, false
	}
	r.pos++
	base := len(m.stack)
	r.space()
	for first := true; r.peek() != ']'; first = false {
		if !first {
			if r.peek() != ',' {
				return data.Null, false
			}
			r.pos++
			r.space()
		}
		v, ok := d.elem.read(r, m)
		if !ok {
			return data.Null, false
		}
		m.stack = append(m.stack, v)
		r.space()
	}
	r.pos++
	elements := m.values.Take(len(m.stack) - base)
	copy(elements, m.stack[base:])
	clear(m.stack[base:])
	m.stack = m.stack[:base]
	return data.ArrayOf(elements), true
}

func (d *valueReader) mapping(r *jsonReader, m *memory) (data.Value, bool) {
	if d.schema.Key().Type() != data.String || r.peek() != '{' {
		return data.Null, false
	}
	r.pos++
	base := len(m.entries)
	r.space()
	for first := true; r.peek() != '}'; first = false {
		if !first {
			if r.peek() != ',' {
				return data.Null, false
			}
			r.pos++
			r.space()
		}
		if r.peek() != '"' {
			return data.Null, false
		}
		r.pos++
		name, ok := r.text(maxName)
		if !ok || !r.skip(':') {
			return data.Null, false
		}
		r.space()
		v, ok := d.elem.read(r, m)
		if !ok {
			return data.Null, false
		}
		m.entries = append(m.entries, data.Entry{Key: data.TextOf(name), Value: v})
		r.space()
	}
	r.pos++
	entries := lastWins(append([]data.Entry(nil), m.entries[base:]...))
	clear(m.entries[base:])
	m.entries = m.entries[:base]
	return data.MapOf(&data.Map{Entries: entries}), true
}
