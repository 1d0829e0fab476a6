package protobuf

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"kconnect/connect/converter/slab"
	"kconnect/connect/data"
	"kconnect/connect/data/calendar"
)

// memory is where decoded values live.
type memory struct {
	values  slab.Slab[data.Value]
	structs slab.Slab[data.Struct]
	count   int // values of this record
}

// maxValues bounds how many values one record unfolds to: an empty message
// takes two bytes, and all its fields as a struct.
const maxValues = 4_000_000

var errTooMany = errors.New("the record unfolds to more than " + strconv.Itoa(maxValues) + " values")

// messageDecoder reads messages as structs of one schema.
type messageDecoder struct {
	schema  *data.Schema
	initial []data.Value // what fields are that are not there
	maps    []int        // fields that begin as empty maps
	lists   []int        // fields that begin as empty lists
	fields  map[protowire.Number]*fieldDecoder
	low     []*fieldDecoder // those with small numbers
}

// fieldDecoder reads one field.
type fieldDecoder struct {
	at, member int // the place in the struct, and in the union that stands there; -1 for none
	union      *data.Schema
	others     []int // places of the other members of a oneof that is flattened
	wire       protowire.Type
	list       int // which of the lists it is, -1 for none
	repeated   bool
	key, value *fieldDecoder // of a map
	valueDecoder
}

type valueDecoder struct {
	schema  *data.Schema
	logical data.Logical
	typ     data.Type
	kind    protoreflect.Kind
	strict  bool // texts must be UTF-8
	message *messageDecoder
	inner   *fieldDecoder // of a wrapper that stands for its value
	names   map[int32]data.Value
	enum    string
}

func (c *settings) decoderOf(s *data.Schema, m protoreflect.MessageDescriptor) (*messageDecoder, error) {
	if s.Type() != data.StructType { // a wrapper at the top: as a struct of one field that is taken out
		field := data.NewStructBuilder().Field("value", s).MustBuild()
		return c.messageDecoder(field, m)
	}
	return c.messageDecoder(s, m)
}

func (c *settings) messageDecoder(s *data.Schema, m protoreflect.MessageDescriptor) (*messageDecoder, error) {
	d := &messageDecoder{schema: s, initial: make([]data.Value, len(s.Fields())), fields: map[protowire.Number]*fieldDecoder{}}
	fields := m.Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		f := &fieldDecoder{member: -1, list: -1}
		o := realOneof(fd)
		field := s
		name := string(fd.Name())
		if o != nil && !c.flatten {
			f.at = s.Field(c.unionName(o))
			f.union = s.Fields()[f.at].Schema
			f.member = f.union.Field(name)
			field = f.union
		} else {
			f.at = s.Field(name)
			if o != nil {
				for j := range o.Fields().Len() {
					if at := s.Field(string(o.Fields().Get(j).Name())); at != f.at {
						f.others = append(f.others, at)
					}
				}
			}
		}
		fs := field.Fields()[field.Field(name)].Schema
		if err := c.fieldDecoder(f, fs, fd); err != nil {
			return nil, err
		}
		switch {
		case f.key != nil:
			d.maps = append(d.maps, f.at)
		case f.repeated:
			f.list = len(d.lists)
			d.lists = append(d.lists, f.at)
		case o == nil && fd.Kind() != protoreflect.MessageKind && !c.isOptional(fd):
			d.initial[f.at] = f.zero(fd)
		}
		d.fields[fd.Number()] = f
		if n := int(fd.Number()); n < 256 {
			for len(d.low) <= n {
				d.low = append(d.low, nil)
			}
			d.low[n] = f
		}
	}
	return d, nil
}

// isOptional reports whether a field that is not there is null.
func (c *settings) isOptional(fd protoreflect.FieldDescriptor) bool {
	if fd.ParentFile().Syntax() == protoreflect.Proto3 {
		return fd.HasOptionalKeyword()
	}
	return c.optionalProto2 && fd.HasOptionalKeyword()
}

// zero is the default of a field, as its file says.
func (f *fieldDecoder) zero(fd protoreflect.FieldDescriptor) data.Value {
	def := fd.Default()
	switch f.typ {
	case data.Boolean:
		return data.BoolOf(def.Bool())
	case data.Float32:
		return data.Float32Of(float32(def.Float()))
	case data.Float64:
		return data.Float64Of(def.Float())
	case data.Bytes:
		return data.BytesOf(def.Bytes())
	case data.String:
		if f.kind == protoreflect.EnumKind {
			return f.symbol(int32(def.Enum()))
		}
		return data.StringOf(def.String())
	}
	switch f.kind {
	case protoreflect.EnumKind:
		return data.Int32Of(int32(def.Enum()))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return data.IntegerOf(f.typ, int64(def.Uint()))
	}
	return data.IntegerOf(f.typ, def.Int())
}

func (c *settings) fieldDecoder(f *fieldDecoder, s *data.Schema, fd protoreflect.FieldDescriptor) (err error) {
	f.wire = wireType(fd.Kind())
	if isMap(fd) {
		f.schema, f.typ, f.kind = s, data.MapType, fd.Kind()
		entry := fd.Message().Fields()
		f.key, f.value = &fieldDecoder{member: -1, list: -1}, &fieldDecoder{member: -1, list: -1}
		if err := c.fieldDecoder(f.key, s.Key(), entry.Get(0)); err != nil {
			return err
		}
		return c.fieldDecoder(f.value, s.Elem(), entry.Get(1))
	}
	if fd.Cardinality() == protoreflect.Repeated {
		f.repeated = true
		s = s.Elem()
	}
	f.valueDecoder = valueDecoder{schema: s, logical: s.Logical(), typ: s.Type(), kind: fd.Kind(), strict: fd.ParentFile().Syntax() == protoreflect.Proto3}
	switch {
	case fd.Kind() == protoreflect.EnumKind:
		f.enum = string(fd.Enum().Name())
		f.names = map[int32]data.Value{}
		values := fd.Enum().Values()
		for i := values.Len() - 1; i >= 0; i-- { // the first of an alias counts
			f.names[int32(values.Get(i).Number())] = data.StringOf(string(values.Get(i).Name()))
		}
	case fd.Kind() == protoreflect.MessageKind && f.logical == data.NotLogical:
		if s.Type() == data.StructType {
			f.message, err = c.messageDecoder(s, fd.Message())
			return err
		}
		value := fd.Message().Fields().Get(0)
		f.inner = &fieldDecoder{member: -1, list: -1}
		return c.fieldDecoder(f.inner, s, value)
	}
	return nil
}

// next takes the first field off b. raw is its value, whole.
func next(b []byte) (num protowire.Number, typ protowire.Type, raw, after []byte, err error) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return 0, 0, nil, nil, protowire.ParseError(n)
	}
	if !num.IsValid() {
		return 0, 0, nil, nil, errors.New("a field has a number that no field can have")
	}
	size := protowire.ConsumeFieldValue(num, typ, b[n:])
	if size < 0 {
		return 0, 0, nil, nil, protowire.ParseError(size)
	}
	return num, typ, b[n : n+size], b[n+size:], nil
}

// read reads a message.
func (d *messageDecoder) read(b []byte, m *memory) (data.Value, error) {
	n := len(d.initial)
	if m.count += n; m.count > maxValues {
		return data.Null, errTooMany
	}
	values := m.values.Take(n)
	copy(values, d.initial)
	for _, at := range d.maps {
		values[at] = data.MapOf(&data.Map{})
	}
	var lists [][]data.Value
	if len(d.lists) > 0 {
		lists = make([][]data.Value, len(d.lists))
	}
	var again []*fieldDecoder // messages that stand there twice and are to be merged
	for rest := b; len(rest) > 0; {
		num, typ, raw, after, err := next(rest)
		if err != nil {
			return data.Null, err
		}
		rest = after
		f := d.field(num)
		if f == nil || typ != f.wire && (!f.repeated || typ != protowire.BytesType) {
			continue // a field that the schema does not know
		}
		if f.message != nil && !f.repeated && !values[f.at].IsNull() && f.member < 0 && !slices.Contains(again, f) {
			again = append(again, f)
		}
		if err := d.set(f, values, lists, raw, typ, m); err != nil {
			return data.Null, fmt.Errorf("field %d: %w", num, err)
		}
	}
	for _, f := range again {
		v, err := f.message.read(d.occurrences(b, f), m)
		if err != nil {
			return data.Null, err
		}
		values[f.at] = v
	}
	for i, at := range d.lists {
		values[at] = data.ArrayOf(lists[i])
	}
	for _, at := range d.maps {
		entries := values[at].Map()
		entries.Entries = distinct(entries.Entries)
	}
	st := m.structs.Take(1)
	st[0] = data.MakeStruct(d.schema, values)
	return data.StructOf(&st[0]), nil
}

func (d *messageDecoder) field(num protowire.Number) *fieldDecoder {
	if int(num) < len(d.low) {
		return d.low[num]
	}
	return d.fields[num]
}

// occurrences puts the bytes of a message together that stands there several
// times: that is how Protobuf merges them.
func (d *messageDecoder) occurrences(b []byte, f *fieldDecoder) []byte {
	var all []byte
	for len(b) > 0 {
		num, typ, raw, after, err := next(b)
		if err != nil {
			break // read has been here
		}
		if d.field(num) == f && typ == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(raw)
			all = append(all, content...)
		}
		b = after
	}
	return all
}

func (d *messageDecoder) set(f *fieldDecoder, values []data.Value, lists [][]data.Value, raw []byte, typ protowire.Type, m *memory) error {
	switch {
	case f.key != nil:
		content, _ := protowire.ConsumeBytes(raw)
		e, err := f.entry(content, m)
		if err != nil {
			return err
		}
		entries := values[f.at].Map()
		entries.Entries = append(entries.Entries, e)
		return nil
	case f.repeated && typ == protowire.BytesType && f.wire != protowire.BytesType:
		packed, _ := protowire.ConsumeBytes(raw)
		for len(packed) > 0 {
			n := protowire.ConsumeFieldValue(1, f.wire, packed)
			if n < 0 {
				return protowire.ParseError(n)
			}
			v, err := f.read(packed[:n], m)
			if err != nil {
				return err
			}
			lists[f.list] = append(lists[f.list], v)
			packed = packed[n:]
		}
		return nil
	}
	v, err := f.read(raw, m)
	if err != nil {
		return err
	}
	switch {
	case f.repeated:
		lists[f.list] = append(lists[f.list], v)
	case f.member >= 0:
		inner := m.values.Take(len(f.union.Fields()))
		inner[f.member] = v
		st := m.structs.Take(1)
		st[0] = data.MakeStruct(f.union, inner)
		values[f.at] = data.StructOf(&st[0])
	default:
		values[f.at] = v
		for _, at := range f.others {
			values[at] = data.Null
		}
	}
	return nil
}

// distinct keeps the last entry of each key, in the place of the first.
func distinct(entries []data.Entry) []data.Entry {
	if len(entries) < 2 {
		return entries
	}
	type key struct {
		text   string
		number int64
	}
	places := make(map[key]int, len(entries))
	out := entries[:0]
	for _, e := range entries {
		var k key
		switch e.Key.Kind() {
		case data.KindString:
			k.text = e.Key.Str()
		case data.KindBool:
			if e.Key.Bool() {
				k.number = 1
			}
		default:
			k.number = e.Key.Int()
		}
		if i, twice := places[k]; twice {
			out[i] = e
			continue
		}
		places[k] = len(out)
		out = append(out, e)
	}
	return out
}

func (f *fieldDecoder) entry(b []byte, m *memory) (e data.Entry, err error) {
	if m.count += 2; m.count > maxValues {
		return e, errTooMany
	}
	e.Key, e.Value = f.key.missing(), f.value.missing()
	for len(b) > 0 {
		num, typ, raw, after, err := next(b)
		switch {
		case err != nil:
		case num == 1 && typ == f.key.wire:
			e.Key, err = f.key.read(raw, m)
		case num == 2 && typ == f.value.wire:
			e.Value, err = f.value.read(raw, m)
		}
		if err != nil {
			return e, err
		}
		b = after
	}
	return e, nil
}

// missing is what a key or a value of a map is that is not there.
func (f *fieldDecoder) missing() data.Value {
	switch f.typ {
	case data.Boolean:
		return data.BoolOf(false)
	case data.Float32:
		return data.Float32Of(0)
	case data.Float64:
		return data.Float64Of(0)
	case data.Bytes:
		if f.logical == data.NotLogical {
			return data.BytesOf(nil)
		}
		return data.Null
	case data.String:
		if f.kind == protoreflect.EnumKind {
			return f.symbol(0)
		}
		return data.StringOf("")
	case data.StructType, data.Array, data.MapType:
		return data.Null
	}
	if f.logical != data.NotLogical {
		return data.Null
	}
	return data.IntegerOf(f.typ, 0)
}

// read reads one value; raw is whole.
func (f *valueDecoder) read(raw []byte, m *memory) (data.Value, error) {
	switch f.kind {
	case protoreflect.MessageKind:
		b, _ := protowire.ConsumeBytes(raw)
		switch {
		case f.message != nil:
			return f.message.read(b, m)
		case f.inner != nil:
			return f.unwrap(b, m)
		}
		return f.logicalValue(b)
	case protoreflect.StringKind:
		b, _ := protowire.ConsumeBytes(raw)
		if !utf8.Valid(b) {
			if f.strict {
				return data.Null, errors.New("Protocol message had invalid UTF-8.") //nolint:staticcheck // the message of the Java library
			}
			b = []byte(string([]rune(string(b))))
		}
		return data.TextOf(b), nil
	case protoreflect.BytesKind:
		b, _ := protowire.ConsumeBytes(raw)
		return data.BytesOf(b), nil
	case protoreflect.FloatKind:
		n, _ := protowire.ConsumeFixed32(raw)
		return data.Float32Of(math.Float32frombits(n)), nil
	case protoreflect.DoubleKind:
		n, _ := protowire.ConsumeFixed64(raw)
		return data.Float64Of(math.Float64frombits(n)), nil
	case protoreflect.Fixed32Kind:
		n, _ := protowire.ConsumeFixed32(raw)
		return data.IntegerOf(f.typ, int64(n)), nil
	case protoreflect.Sfixed32Kind:
		n, _ := protowire.ConsumeFixed32(raw)
		return data.IntegerOf(f.typ, int64(int32(n))), nil
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		n, _ := protowire.ConsumeFixed64(raw)
		return data.IntegerOf(f.typ, int64(n)), nil
	}
	n, _ := protowire.ConsumeVarint(raw)
	switch f.kind {
	case protoreflect.BoolKind:
		return data.BoolOf(n != 0), nil
	case protoreflect.EnumKind:
		if f.typ == data.String {
			return f.symbol(int32(n)), nil
		}
		return data.Int32Of(int32(n)), nil
	case protoreflect.Int32Kind:
		return data.IntegerOf(f.typ, int64(int32(n))), nil
	case protoreflect.Uint32Kind:
		return data.IntegerOf(f.typ, int64(uint32(n))), nil
	case protoreflect.Sint32Kind:
		return data.IntegerOf(f.typ, int64(int32(protowire.DecodeZigZag(n&math.MaxUint32)))), nil
	case protoreflect.Sint64Kind:
		return data.IntegerOf(f.typ, protowire.DecodeZigZag(n)), nil
	}
	return data.IntegerOf(f.typ, int64(n)), nil
}

// symbol is the name of a number of an enum; of one that it lacks, the name
// that Java makes up.
func (f *valueDecoder) symbol(n int32) data.Value {
	if name, ok := f.names[n]; ok {
		return name
	}
	return data.StringOf("UNKNOWN_ENUM_VALUE_" + f.enum + "_" + strconv.Itoa(int(n)))
}

func (f *valueDecoder) unwrap(b []byte, m *memory) (data.Value, error) {
	v := f.inner.missing()
	for len(b) > 0 {
		num, typ, raw, after, err := next(b)
		if err == nil && num == 1 && typ == f.inner.wire {
			v, err = f.inner.read(raw, m)
		}
		if err != nil {
			return data.Null, err
		}
		b = after
	}
	return v, nil
}

// logicalValue reads the message of a logical type.
func (f *valueDecoder) logicalValue(b []byte) (data.Value, error) {
	var content []byte
	var n [5]int64
	for len(b) > 0 {
		num, typ, raw, after, err := next(b)
		switch {
		case err != nil:
			return data.Null, err
		case num == 1 && typ == protowire.BytesType:
			content, _ = protowire.ConsumeBytes(raw)
		case num < 5 && typ == protowire.VarintType:
			x, _ := protowire.ConsumeVarint(raw)
			n[num] = int64(x)
		}
		b = after
	}
	switch f.logical {
	case data.LogicalDecimal:
		if len(content) == 0 {
			_, err := data.ReadDecimalBytes(f.schema, nil)
			return data.Null, err
		}
		return data.DecimalOf(data.DecimalFromBytes(content, int32(n[3]))), nil
	case data.LogicalDate:
		year, month, day := int32(n[1]), int32(n[2]), int32(n[3])
		days := calendar.Day(int(year), int(month), int(day))
		if y, mo, d := calendar.Date(days); int32(y) != year || int32(mo) != month || int32(d) != day || year < 1 {
			return data.Null, fmt.Errorf("there is no date %d-%d-%d", year, month, day)
		}
		return data.InstantOf(days * dayMillis), nil
	case data.LogicalTime:
		h, mi, s, nanos := n[1], n[2], n[3], n[4]
		if h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59 || nanos < 0 || nanos > 999_999_999 {
			return data.Null, fmt.Errorf("there is no time %d:%d:%d and %d ns", h, mi, s, nanos)
		}
		return data.InstantOf(((h*60+mi)*60+s)*secondMilli + nanos/milliNanos), nil
	}
	seconds, nanos := n[1], int64(int32(n[2]))
	if seconds < -62_135_596_800 || seconds > 253_402_300_799 || nanos < 0 || nanos > 999_999_999 {
		return data.Null, fmt.Errorf("there is no timestamp of %d seconds and %d ns", seconds, nanos)
	}
	return data.InstantOf(seconds*secondMilli + nanos/milliNanos), nil
}
