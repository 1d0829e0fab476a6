package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"kconnect/connect/converter/slab"
	"kconnect/connect/data"
)

// decoder reads the values of one Avro schema as those of a Connect schema.
type decoder struct {
	schema  *data.Schema
	logical data.Logical
	kind    kind
	node    *node
	small   data.Type // of an int: Int8, Int16 or Int32
	scale   int32
	size    int
	least   int // bytes that a value takes at least

	// Of a union, in the order of its types; a nil one is null. member is the
	// field of the union struct, -1 where the union is a nullable type.
	branches []*decoder
	members  []int

	elem    *decoder
	key     *decoder // of a list of entries, with swapped when the value comes first
	swapped bool
	fields  []*decoder
	symbols []data.Value
}

// maxEmpty bounds how many elements without bytes an array may have.
const maxEmpty = 10_000

// decoderOf compiles how n is read as s, which toConnect has made of n.
func (c *settings) decoderOf(s *data.Schema, n *node) (*decoder, error) {
	r := reading{settings: *c}
	return r.decoder(s, n)
}

func (r *reading) decoder(s *data.Schema, n *node) (*decoder, error) {
	if isAnything(n) { // it refers to itself
		return &decoder{kind: recordKind, node: n, least: 9}, nil
	}
	d := &decoder{schema: s, kind: n.kind, node: n, size: n.size}
	if s != nil {
		d.logical = s.Logical()
	}
	var err error
	switch n.kind {
	case unionKind:
		return r.unionDecoder(d)
	case bytesKind, fixedKind:
		if d.logical == data.LogicalDecimal {
			if d.scale, err = s.Scale(); err != nil {
				return nil, err
			}
		}
		d.least = n.size
		if n.kind == bytesKind {
			d.least = 1
		}
	case intKind:
		d.small, d.least = s.Type(), 1
	case booleanKind, longKind, stringKind:
		d.least = 1
	case floatKind:
		d.least = 4
	case doubleKind:
		d.least = 8
	case enumKind:
		d.least = 1
		for _, symbol := range n.symbols {
			d.symbols = append(d.symbols, data.StringOf(symbol))
		}
	case arrayKind, mapKind:
		d.least = 1
		if n.kind == arrayKind && s.Type() == data.MapType {
			return d, r.entriesDecoder(d)
		}
		d.elem, err = r.decoder(s.Elem(), n.items)
	case recordKind:
		for i := range n.fields {
			f, err := r.decoder(s.Fields()[i].Schema, n.fields[i].node)
			if err != nil {
				return nil, err
			}
			d.fields = append(d.fields, f)
			d.least = min(d.least+f.least, math.MaxInt32)
		}
	}
	return d, err
}

func (r *reading) entriesDecoder(d *decoder) (err error) {
	entry := d.node.items
	k, v := entry.field("key"), entry.field("value")
	d.swapped = k > v
	if d.key, err = r.decoder(d.schema.Key(), entry.fields[k].node); err != nil {
		return err
	}
	d.elem, err = r.decoder(d.schema.Elem(), entry.fields[v].node)
	return err
}

func (r *reading) unionDecoder(d *decoder) (*decoder, error) {
	d.least = 1
	only := r.only(d.node)
	member := 0
	for _, b := range d.node.branches {
		if b.kind == nullKind {
			d.branches, d.members = append(d.branches, nil), append(d.members, -1)
			continue
		}
		s, at := d.schema, -1
		if only == nil {
			s, at = d.schema.Fields()[member].Schema, member
			member++
		}
		bd, err := r.decoder(s, b)
		if err != nil {
			return nil, err
		}
		d.branches, d.members = append(d.branches, bd), append(d.members, at)
	}
	return d, nil
}

// reader reads one record's bytes.
type reader struct {
	b     []byte
	pos   int
	empty int // elements without bytes so far
	depth int // of values without a schema
	*memory
}

// memory is where decoded values live.
type memory struct {
	values  slab.Slab[data.Value]
	structs slab.Slab[data.Struct]
}

// malformed is a fault of the bytes; Java's reader would say EOFException or
// AvroRuntimeException.
func (r *reader) malformed(format string, args ...any) error {
	return fmt.Errorf("%s at byte %d", fmt.Sprintf(format, args...), r.pos)
}

func (r *reader) long() (int64, error) {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 { // the usual case
		c := uint64(r.b[r.pos])
		r.pos++
		return int64(c>>1) ^ -int64(c&1), nil
	}
	v, n := binary.Varint(r.b[r.pos:])
	if n <= 0 {
		return 0, r.malformed("a number does not end")
	}
	r.pos += n
	return v, nil
}

func (r *reader) bytes(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(r.b)-r.pos) {
		return nil, r.malformed("%d bytes are announced, %d are left", n, len(r.b)-r.pos)
	}
	b := r.b[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return b, nil
}

func (r *reader) sized() ([]byte, error) {
	n, err := r.long()
	if err != nil {
		return nil, err
	}
	return r.bytes(n)
}

// text is UTF-8; what is not becomes U+FFFD, as in Java.
func (r *reader) text() (data.Value, error) {
	b, err := r.sized()
	if err != nil {
		return data.Null, err
	}
	if !utf8.Valid(b) {
		b = []byte(string([]rune(string(b))))
	}
	return data.TextOf(b), nil
}

func (d *decoder) read(r *reader) (data.Value, error) {
	switch d.kind {
	case booleanKind:
		b, err := r.bytes(1)
		if err != nil {
			return data.Null, err
		}
		return data.BoolOf(b[0] == 1), nil
	case intKind, longKind:
		return d.number(r)
	case floatKind:
		b, err := r.bytes(4)
		if err != nil {
			return data.Null, err
		}
		return data.Float32Of(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
	case doubleKind:
		b, err := r.bytes(8)
		if err != nil {
			return data.Null, err
		}
		return data.Float64Of(math.Float64frombits(binary.LittleEndian.Uint64(b))), nil
	case stringKind:
		return r.text()
	case bytesKind:
		b, err := r.sized()
		if err != nil {
			return data.Null, err
		}
		return d.bytesValue(b)
	case fixedKind:
		b, err := r.bytes(int64(d.size))
		if err != nil {
			return data.Null, err
		}
		return d.bytesValue(b)
	case enumKind:
		i, err := r.long()
		if err != nil {
			return data.Null, err
		}
		if i < 0 || i >= int64(len(d.symbols)) {
			return data.Null, r.malformed("enum %s has no symbol %d", d.node.fullName(), i)
		}
		return d.symbols[i], nil
	case unionKind:
		return d.union(r)
	case recordKind:
		if d.schema == nil {
			return d.anything(r)
		}
		return d.record(r)
	case arrayKind:
		if d.key != nil {
			return d.entries(r)
		}
		return d.array(r)
	case mapKind:
		return d.entries(r)
	}
	return data.Null, nil
}

func (d *decoder) number(r *reader) (data.Value, error) {
	n, err := r.long()
	if err != nil {
		return data.Null, err
	}
	if d.kind == intKind && n != int64(int32(n)) {
		return data.Null, r.malformed("an int does not fit 32 bits")
	}
	switch d.logical {
	case data.LogicalDate:
		return data.InstantOf(data.InstantFromDate(int32(n))), nil
	case data.LogicalTime:
		ms, err := data.InstantFromTime(int32(n))
		return data.InstantOf(ms), err
	case data.LogicalTimestamp:
		return data.InstantOf(n), nil
	}
	switch {
	case d.kind == longKind:
		return data.Int64Of(n), nil
	case d.small == data.Int8:
		return data.Int8Of(int8(n)), nil
	case d.small == data.Int16:
		return data.Int16Of(int16(n)), nil
	}
	return data.Int32Of(int32(n)), nil
}

func (d *decoder) bytesValue(b []byte) (data.Value, error) {
	if d.logical != data.LogicalDecimal {
		return data.BytesOf(b), nil
	}
	if len(b) == 0 {
		_, err := data.ReadDecimalBytes(d.schema, b)
		return data.Null, err
	}
	return data.DecimalOf(data.DecimalFromBytes(b, d.scale)), nil
}

func (d *decoder) union(r *reader) (data.Value, error) {
	i, err := r.long()
	if err != nil {
		return data.Null, err
	}
	if i < 0 || i >= int64(len(d.branches)) {
		return data.Null, r.malformed("a union of %d types has no type %d", len(d.branches), i)
	}
	b := d.branches[i]
	if b == nil {
		return data.Null, nil
	}
	v, err := b.read(r)
	if err != nil || d.members[i] < 0 {
		return v, err
	}
	values := r.values.Take(len(d.schema.Fields()))
	values[d.members[i]] = v
	return r.structOf(d.schema, values), nil
}

func (r *reader) structOf(s *data.Schema, values []data.Value) data.Value {
	st := r.structs.Take(1)
	st[0] = data.MakeStruct(s, values)
	return data.StructOf(&st[0])
}

func (d *decoder) record(r *reader) (data.Value, error) {
	values := r.values.Take(len(d.fields))
	for i, f := range d.fields {
		var err error
		if values[i], err = f.read(r); err != nil {
			return data.Null, fmt.Errorf("field %s: %w", d.schema.Fields()[i].Name, err)
		}
	}
	return r.structOf(d.schema, values), nil
}

// block returns the number of elements of the next block; 0 is the end.
// Promise 6: it never is more than the bytes can hold.
func (r *reader) block(least int) (int, error) {
	n, err := r.long()
	if err != nil {
		return 0, err
	}
	if n < 0 { // the size of the block follows, for those who skip it
		if n = -n; n < 0 {
			return 0, r.malformed("a block has too many elements")
		}
		if _, err := r.long(); err != nil {
			return 0, err
		}
	}
	if least == 0 {
		if n > int64(maxEmpty-r.empty) {
			return 0, r.malformed("an array has more than %d elements without bytes", maxEmpty)
		}
		r.empty += int(n)
	} else if n > int64(len(r.b)-r.pos)/int64(least) {
		return 0, r.malformed("%d elements are announced, %d bytes are left", n, len(r.b)-r.pos)
	}
	return int(n), nil
}

func (d *decoder) array(r *reader) (data.Value, error) {
	var all []data.Value
	for {
		n, err := r.block(d.elem.least)
		if err != nil {
			return data.Null, err
		}
		if n == 0 {
			return data.ArrayOf(all), nil
		}
		base := len(all)
		if all == nil {
			all = r.values.Take(n)
		} else {
			all = append(all, make([]data.Value, n)...)
		}
		for i := range n {
			if all[base+i], err = d.elem.read(r); err != nil {
				return data.Null, err
			}
		}
	}
}

// entries reads a map, or a list of entries that stands for one. A repeated
// key counts as the last entry says.
func (d *decoder) entries(r *reader) (data.Value, error) {
	m := &data.Map{}
	least := d.elem.least + 1
	if d.key != nil {
		least = d.key.least + d.elem.least
	}
	for {
		n, err := r.block(least)
		if err != nil {
			return data.Null, err
		}
		if n == 0 {
			m.Entries = distinct(m.Entries)
			return data.MapOf(m), nil
		}
		m.Entries = append(make([]data.Entry, 0, len(m.Entries)+n), m.Entries...)
		for range n {
			var e data.Entry
			if e.Key, e.Value, err = d.entry(r); err != nil {
				return data.Null, err
			}
			m.Entries = append(m.Entries, e)
		}
	}
}

func (d *decoder) entry(r *reader) (k, v data.Value, err error) {
	if d.swapped {
		if v, err = d.elem.read(r); err == nil {
			k, err = d.key.read(r)
		}
		return k, v, err
	}
	if d.key == nil {
		k, err = r.text()
	} else {
		k, err = d.key.read(r)
	}
	if err == nil {
		v, err = d.elem.read(r)
	}
	return k, v, err
}

// distinct keeps the last entry of each text key, in the place of the first.
func distinct(entries []data.Entry) []data.Entry {
	if len(entries) < 2 {
		return entries
	}
	places := make(map[string]int, len(entries))
	out := entries[:0]
	for _, e := range entries {
		if e.Key.Kind() != data.KindString {
			out = append(out, e)
			continue
		}
		if i, twice := places[e.Key.Str()]; twice {
			out[i] = e
			continue
		}
		places[e.Key.Str()] = len(out)
		out = append(out, e)
	}
	return out
}

// maxAnythingDepth is how deep values without a schema may be nested.
const maxAnythingDepth = 500

// anything reads a value without a schema: the first field that is set.
func (d *decoder) anything(r *reader) (data.Value, error) {
	if r.depth++; r.depth > maxAnythingDepth {
		return data.Null, r.malformed("a value is nested more than %d deep", maxAnythingDepth)
	}
	defer func() { r.depth-- }()
	result := data.Null
	for i := range d.node.fields {
		n, err := r.long()
		if err != nil {
			return data.Null, err
		}
		inner := d.node.fields[i].node
		if inner.kind != unionKind || n < 0 || n >= int64(len(inner.branches)) {
			return data.Null, r.malformed("a union has no type %d", n)
		}
		branch := inner.branches[n]
		if branch.kind == nullKind {
			continue
		}
		v, err := d.anythingField(r, branch)
		if err != nil {
			return data.Null, err
		}
		if result.IsNull() {
			result = v
		}
	}
	return result, nil
}

func (d *decoder) anythingField(r *reader, n *node) (data.Value, error) {
	switch {
	case n.kind == arrayKind && isEntry(n.items):
		return (&decoder{kind: arrayKind, node: n, key: d, elem: d}).entries(r)
	case n.kind == arrayKind:
		return (&decoder{kind: arrayKind, node: n, elem: d}).array(r)
	case n.kind == recordKind || n.kind == unionKind || n.kind == mapKind || n.kind == enumKind || n.kind == fixedKind:
		return data.Null, r.malformed("record %s is not that of values without a schema", d.node.fullName())
	}
	return (&decoder{kind: n.kind, node: n, small: data.Int32}).read(r)
}
