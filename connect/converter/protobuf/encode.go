package protobuf

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"kconnect/connect"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
	"kconnect/connect/data/calendar"
)

// messageEncoder writes structs of one schema as a message.
type messageEncoder struct {
	schema *data.Schema
	fields []fieldEncoder // by number, the order in which Java writes them
}

// fieldEncoder writes one field of a message.
type fieldEncoder struct {
	at, member int // the place in the struct, and in the union that stands there; -1 for none
	union      *data.Schema
	tag        []byte
	packed     []byte // the tag of a list of numbers in one; nil otherwise
	list       bool
	entries    *messageEncoder // of a map: fields key and value
	presence   bool            // zero is written, too
	def        data.Value      // in the place of null
	valueEncoder
}

// valueEncoder writes one value, without its tag.
type valueEncoder struct {
	schema  *data.Schema
	logical data.Logical
	kind    protoreflect.Kind
	values  data.Kind // that can be written
	message *messageEncoder
	wrapper *fieldEncoder // a message with the value in its first field
	numbers map[string]int32
}

func noPlace(s *data.Schema, fd protoreflect.FieldDescriptor) error {
	return connect.NewDataError("Values of "+s.String()+" cannot be written as field "+string(fd.FullName())+" of type "+fd.Kind().String(), nil)
}

// encoderOf compiles how structs of s are written as m.
func (c *settings) encoderOf(s *data.Schema, m protoreflect.MessageDescriptor) (*messageEncoder, error) {
	e := &messageEncoder{schema: s}
	for i, f := range s.Fields() {
		if !isUnion(f.Schema) {
			if err := c.addField(e, m, f.Schema, f.Name, i, -1, nil); err != nil {
				return nil, err
			}
			continue
		}
		for j, member := range f.Schema.Fields() {
			if err := c.addField(e, m, member.Schema, member.Name, i, j, f.Schema); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(e.fields, func(a, b fieldEncoder) int { return cmp.Compare(number(a.tag), number(b.tag)) })
	return e, nil
}

func number(tag []byte) protowire.Number {
	n, _, _ := protowire.ConsumeTag(tag)
	return n
}

func (c *settings) addField(e *messageEncoder, m protoreflect.MessageDescriptor, s *data.Schema, name string, at, member int, union *data.Schema) error {
	fd := m.Fields().ByName(protoreflect.Name(c.scrubbed(name)))
	if fd == nil {
		return connect.NewDataError("Cannot find field with name "+c.scrubbed(name), nil)
	}
	f, err := c.fieldEncoder(s, fd)
	if err != nil {
		return err
	}
	f.at, f.member, f.union = at, member, union
	e.fields = append(e.fields, f)
	return nil
}

func (c *settings) fieldEncoder(s *data.Schema, fd protoreflect.FieldDescriptor) (fieldEncoder, error) {
	f := fieldEncoder{member: -1, presence: fd.HasPresence()}
	if d, ok := s.Default(); ok && !c.ignoreDefault {
		f.def = d
	}
	f.tag = protowire.AppendTag(nil, fd.Number(), wireType(fd.Kind()))
	if s.Type() == data.MapType {
		if !isMap(fd) {
			return f, noPlace(s, fd)
		}
		return f, c.mapEncoder(&f, s, fd)
	}
	if s.Type() == data.Array {
		if fd.Cardinality() != protoreflect.Repeated || isMap(fd) {
			return f, noPlace(s, fd)
		}
		f.list = true
		if fd.IsPacked() {
			f.packed = protowire.AppendTag(nil, fd.Number(), protowire.BytesType)
		}
		s = s.Elem()
	} else if fd.Cardinality() == protoreflect.Repeated {
		return f, noPlace(s, fd)
	}
	v, err := c.valueEncoder(s, fd)
	f.valueEncoder = v
	return f, err
}

func wireType(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	}
	return protowire.VarintType
}

func (c *settings) mapEncoder(f *fieldEncoder, s *data.Schema, fd protoreflect.FieldDescriptor) error {
	fields := fd.Message().Fields()
	key, err := c.fieldEncoder(s.Key(), fields.Get(0))
	if err != nil {
		return err
	}
	value, err := c.fieldEncoder(s.Elem(), fields.Get(1))
	if err != nil {
		return err
	}
	f.entries = &messageEncoder{fields: []fieldEncoder{key, value}}
	f.schema = s
	return nil
}

func (c *settings) valueEncoder(s *data.Schema, fd protoreflect.FieldDescriptor) (v valueEncoder, err error) {
	if s == nil {
		return v, connect.NewDataError("Field "+string(fd.FullName())+" has values without a schema", nil)
	}
	v = valueEncoder{schema: s, logical: s.Logical(), kind: fd.Kind(), values: s.Kind()}
	if v.logical != data.NotLogical {
		want := map[data.Logical]protoreflect.FullName{
			data.LogicalDecimal: decimalMessage, data.LogicalDate: dateMessage, data.LogicalTime: timeMessage, data.LogicalTimestamp: timestampMessage,
		}[v.logical]
		if v.kind != protoreflect.MessageKind || fd.Message().FullName() != want {
			return v, noPlace(s, fd)
		}
		return v, nil
	}
	if v.kind == protoreflect.MessageKind && s.Type() != data.StructType {
		if _, ok := wrapped(string(fd.Message().FullName())); !ok {
			return v, noPlace(s, fd)
		}
		inner, err := c.fieldEncoder(s, fd.Message().Fields().Get(0))
		v.wrapper = &inner
		return v, err
	}
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		switch v.kind {
		case protoreflect.BoolKind, protoreflect.FloatKind, protoreflect.DoubleKind, protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind, protoreflect.GroupKind:
			return v, noPlace(s, fd)
		}
	case data.Float32, data.Float64:
		if v.kind != protoreflect.DoubleKind && (v.kind != protoreflect.FloatKind || s.Type() == data.Float64) {
			return v, noPlace(s, fd)
		}
	case data.Boolean:
		if v.kind != protoreflect.BoolKind {
			return v, noPlace(s, fd)
		}
	case data.String:
		if v.kind == protoreflect.EnumKind {
			v.numbers = map[string]int32{}
			values := fd.Enum().Values()
			for i := range values.Len() {
				v.numbers[string(values.Get(i).Name())] = int32(values.Get(i).Number())
			}
		} else if v.kind != protoreflect.StringKind {
			return v, noPlace(s, fd)
		}
	case data.Bytes:
		if v.kind != protoreflect.BytesKind {
			return v, noPlace(s, fd)
		}
	case data.StructType:
		if v.kind != protoreflect.MessageKind {
			return v, noPlace(s, fd)
		}
		v.message, err = c.encoderOf(s, fd.Message())
	default:
		return v, noPlace(s, fd)
	}
	return v, err
}

// append writes the fields of a struct that are set.
func (e *messageEncoder) append(dst []byte, v data.Value) ([]byte, error) {
	if v.Kind() != data.KindStruct {
		return dst, registry.WrongKind(e.schema, v)
	}
	s := v.Struct()
	if s.Schema() != e.schema && !s.Schema().Equal(e.schema) {
		return dst, connect.NewDataError("Mismatching struct schema", nil)
	}
	values := s.Values()
	var err error
	for i := range e.fields {
		f := &e.fields[i]
		x := values[f.at]
		if f.member >= 0 && !x.IsNull() {
			if x.Kind() != data.KindStruct {
				return dst, registry.WrongKind(f.union, x)
			}
			x = x.Struct().At(f.member)
		}
		if dst, err = f.append(dst, x); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// append writes a field with its tag; nothing for null.
func (f *fieldEncoder) append(dst []byte, v data.Value) ([]byte, error) {
	if v.IsNull() && f.member < 0 {
		v = f.def
	}
	switch {
	case v.IsNull():
		return dst, nil
	case f.entries != nil:
		return f.appendMap(dst, v)
	case f.list:
		return f.appendList(dst, v)
	case !f.presence && isZero(v):
		if v.Kind() != f.values { // zero of another type is none
			return dst, registry.WrongKind(f.schema, v)
		}
		return dst, nil
	}
	return f.valueEncoder.append(append(dst, f.tag...), v)
}

func isZero(v data.Value) bool {
	switch v.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return v.Int() == 0
	case data.KindBool:
		return !v.Bool()
	case data.KindFloat32:
		return math.Float32bits(v.Float32()) == 0
	case data.KindFloat64:
		return math.Float64bits(v.Float64()) == 0
	case data.KindString:
		return v.Str() == ""
	case data.KindBytes:
		return len(v.Bytes()) == 0
	}
	return false
}

func (f *fieldEncoder) appendList(dst []byte, v data.Value) ([]byte, error) {
	if v.Kind() != data.KindArray {
		return dst, connect.NewDataError("Invalid type for ARRAY: class "+v.JavaClass(), nil)
	}
	list := v.Array()
	if len(list) == 0 {
		return dst, nil
	}
	start := 0
	if f.packed != nil {
		dst = append(append(dst, f.packed...), 0)
		start = len(dst)
	}
	var err error
	for _, x := range list {
		if x.IsNull() {
			return dst, connect.NewDataError("A list in Protobuf cannot hold null", nil)
		}
		if f.packed == nil {
			dst = append(dst, f.tag...)
		}
		if dst, err = f.valueEncoder.append(dst, x); err != nil {
			return dst, err
		}
	}
	if f.packed != nil {
		dst = sized(dst, start)
	}
	return dst, nil
}

func (f *fieldEncoder) appendMap(dst []byte, v data.Value) ([]byte, error) {
	if v.Kind() != data.KindMap {
		return dst, connect.NewDataError("Invalid type for MAP: class "+v.JavaClass(), nil)
	}
	var err error
	for _, entry := range v.Map().Entries {
		dst = append(append(dst, f.tag...), 0)
		start := len(dst)
		if dst, err = f.entries.fields[0].append(dst, entry.Key); err == nil {
			dst, err = f.entries.fields[1].append(dst, entry.Value)
		}
		if err != nil {
			return dst, err
		}
		dst = sized(dst, start)
	}
	return dst, nil
}

// sized puts the length of what begins at start into the byte before it, and
// makes room where one byte is not enough.
func sized(dst []byte, start int) []byte {
	n := len(dst) - start
	if n < 0x80 {
		dst[start-1] = byte(n)
		return dst
	}
	more := protowire.SizeVarint(uint64(n)) - 1
	for range more {
		dst = append(dst, 0)
	}
	copy(dst[start+more:], dst[start:start+n])
	protowire.AppendVarint(dst[:start-1], uint64(n))
	return dst
}

func (e *valueEncoder) append(dst []byte, v data.Value) ([]byte, error) {
	if v.Kind() != e.values {
		return dst, registry.WrongKind(e.schema, v)
	}
	switch {
	case e.logical != data.NotLogical:
		dst = append(dst, 0)
		start := len(dst)
		dst, err := e.appendLogical(dst, v)
		if err != nil {
			return dst, err
		}
		return sized(dst, start), nil
	case e.wrapper != nil:
		dst = append(dst, 0)
		start := len(dst)
		dst, err := e.wrapper.append(dst, v)
		if err != nil {
			return dst, err
		}
		return sized(dst, start), nil
	case e.message != nil:
		dst = append(dst, 0)
		start := len(dst)
		dst, err := e.message.append(dst, v)
		if err != nil {
			return dst, err
		}
		return sized(dst, start), nil
	}
	switch e.kind {
	case protoreflect.BoolKind:
		return protowire.AppendVarint(dst, protowire.EncodeBool(v.Bool())), nil
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Uint64Kind:
		return protowire.AppendVarint(dst, uint64(v.Int())), nil
	case protoreflect.Uint32Kind:
		return protowire.AppendVarint(dst, uint64(uint32(v.Int()))), nil
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.AppendVarint(dst, protowire.EncodeZigZag(v.Int())), nil
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return protowire.AppendFixed32(dst, uint32(v.Int())), nil
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return protowire.AppendFixed64(dst, uint64(v.Int())), nil
	case protoreflect.FloatKind:
		return protowire.AppendFixed32(dst, math.Float32bits(v.Float32())), nil
	case protoreflect.DoubleKind:
		if v.Kind() == data.KindFloat32 {
			return protowire.AppendFixed64(dst, math.Float64bits(float64(v.Float32()))), nil
		}
		return protowire.AppendFixed64(dst, math.Float64bits(v.Float64())), nil
	case protoreflect.StringKind:
		s := v.Str()
		if !utf8.ValidString(s) {
			s = string([]rune(s)) // a lone surrogate has no place in UTF-8
		}
		return protowire.AppendString(dst, s), nil
	case protoreflect.BytesKind:
		return protowire.AppendBytes(dst, v.Bytes()), nil
	case protoreflect.EnumKind:
		if e.numbers == nil {
			return protowire.AppendVarint(dst, uint64(v.Int())), nil
		}
		n, ok := e.numbers[v.Str()]
		if !ok {
			return dst, connect.NewDataError(strconv.Quote(v.Str())+" is not a value of the enum of "+e.schema.String(), nil)
		}
		return protowire.AppendVarint(dst, uint64(int64(n))), nil
	}
	return dst, registry.WrongKind(e.schema, v)
}

const (
	milliNanos  = 1_000_000
	secondMilli = 1000
	dayMillis   = 24 * 60 * 60 * 1000
)

// appendInt writes a number that is not zero as a field.
func appendInt(dst []byte, number protowire.Number, n int64) []byte {
	if n == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, number, protowire.VarintType), uint64(n))
}

func (e *valueEncoder) appendLogical(dst []byte, v data.Value) ([]byte, error) {
	switch e.logical {
	case data.LogicalDecimal:
		d := v.Decimal()
		var buffer [32]byte
		dst = protowire.AppendTag(dst, 1, protowire.BytesType)
		dst = protowire.AppendBytes(dst, d.AppendBytes(buffer[:0]))
		dst = appendInt(dst, 2, int64(precision(d)))
		return appendInt(dst, 3, int64(d.Scale())), nil
	case data.LogicalDate:
		days, err := data.DateFromInstant(v.Instant())
		if err != nil {
			return dst, err
		}
		year, month, day := calendar.Date(int64(days))
		if year <= 0 {
			year = 1 - year // Java names the year of the era
		}
		return appendInt(appendInt(appendInt(dst, 1, int64(year)), 2, int64(month)), 3, int64(day)), nil
	case data.LogicalTime:
		ms := v.Instant()
		if ms < 0 || ms > dayMillis {
			return dst, connect.NewDataError("Time values must use number of millis greater than 0 and less than 86400000", nil)
		}
		ms %= dayMillis
		dst = appendInt(dst, 1, ms/3_600_000)
		dst = appendInt(dst, 2, ms/60_000%60)
		dst = appendInt(dst, 3, ms/secondMilli%60)
		return appendInt(dst, 4, ms%secondMilli*milliNanos), nil
	}
	seconds, rest := calendar.FloorDiv(v.Instant(), secondMilli)
	return appendInt(appendInt(dst, 1, seconds), 2, rest*milliNanos), nil
}

// precision counts the digits of a decimal.
func precision(d data.Decimal) int {
	if small, ok := d.Small(); ok && small != math.MinInt64 {
		if small < 0 {
			small = -small
		}
		n := 1
		for ; small >= 10; small /= 10 {
			n++
		}
		return n
	}
	return len(new(big.Int).Abs(d.Unscaled()).Text(10))
}
