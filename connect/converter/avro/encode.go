package avro

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"kconnect/connect"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

// encoder writes the values of one Connect schema as one Avro schema.
type encoder struct {
	schema *data.Schema // nil for values without a schema
	node   *node
	step   encodeStep
	kind   data.Kind // of values that step can take

	// Of a union, where null and the one type of the values stand; -1 when node
	// is no union, or has no null.
	branch, null int64
	nullable     bool       // the schema's word
	def          data.Value // in the place of null; null when there is none

	key, elem *encoder       // of an array, a map, a list of entries
	swapped   bool           // the entries have the value first
	fields    []fieldEncoder // of a record in the order of node, of a union in that of the schema
	symbols   map[string]int64
	size      int
}

type fieldEncoder struct {
	from int // the field of the struct; -1 for a constant
	*encoder
	constant []byte // a default of the Avro schema
}

// encodeStep says how a value that is not null is written.
type encodeStep uint8

const (
	stepInt encodeStep = iota // any whole number
	stepFloat
	stepDouble
	stepIntToFloat
	stepIntToDouble
	stepFloatToDouble
	stepBool
	stepText
	stepEnum
	stepBytes
	stepFixed
	stepDecimal
	stepDecimalFixed
	stepInstant
	stepArray
	stepMap
	stepEntries
	stepRecord
	stepUnion
	stepAnything
)

// errNull is the error of null where there must be a value.
func errNull() error {
	return connect.NewDataError("Found null value for non-optional schema", nil)
}

// append appends v. Null becomes the default first where it may.
func (e *encoder) append(dst []byte, v data.Value) ([]byte, error) {
	if v.IsNull() {
		v = e.def
		if v.IsNull() {
			return e.appendNull(dst)
		}
	}
	if e.branch >= 0 {
		dst = binary.AppendVarint(dst, e.branch)
	}
	if v.Kind() != e.kind && e.step != stepAnything {
		return dst, registry.WrongKind(e.schema, v)
	}
	switch e.step {
	case stepInt:
		return binary.AppendVarint(dst, v.Int()), nil
	case stepText:
		return appendText(dst, v.Str()), nil
	case stepBool:
		if v.Bool() {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case stepFloat:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v.Float32())), nil
	case stepDouble:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float64())), nil
	case stepIntToFloat:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v.Int()))), nil
	case stepIntToDouble:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v.Int()))), nil
	case stepFloatToDouble:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v.Float32()))), nil
	case stepBytes:
		b := v.Bytes()
		return append(binary.AppendVarint(dst, int64(len(b))), b...), nil
	case stepInstant:
		n, err := data.StoredInstant(e.schema.Logical(), v.Instant())
		return binary.AppendVarint(dst, n), err
	case stepDecimal:
		return e.appendDecimal(dst, v.Decimal())
	case stepDecimalFixed:
		return e.appendDecimalFixed(dst, v.Decimal())
	case stepEnum:
		i, ok := e.symbols[v.Str()]
		if !ok {
			return dst, connect.NewDataError(strconv.Quote(v.Str())+" is not a symbol of enum "+e.node.fullName(), nil)
		}
		return binary.AppendVarint(dst, i), nil
	case stepFixed:
		if len(v.Bytes()) != e.size {
			return dst, connect.NewDataError("Fixed "+e.node.fullName()+" holds "+strconv.Itoa(e.size)+" bytes, the value has "+strconv.Itoa(len(v.Bytes())), nil)
		}
		return append(dst, v.Bytes()...), nil
	case stepArray:
		return e.appendArray(dst, v.Array())
	case stepMap, stepEntries:
		return e.appendMap(dst, v.Map())
	case stepRecord:
		return e.appendRecord(dst, v.Struct())
	case stepUnion:
		return e.appendUnion(dst, v.Struct())
	case stepAnything:
		return appendAnything(dst, v)
	}
	return dst, registry.WrongKind(e.schema, v)
}

func (e *encoder) appendNull(dst []byte) ([]byte, error) {
	switch {
	case e.step == stepAnything:
		return append(dst, make([]byte, 9)...), nil // null nine times
	case !e.nullable:
		return dst, errNull()
	case e.null < 0:
		return dst, connect.NewDataError("Found null value for Avro schema "+e.node.fullName()+", which does not allow it", nil)
	}
	return binary.AppendVarint(dst, e.null), nil
}

func appendText(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = withoutSurrogates(s)
	}
	return append(binary.AppendVarint(dst, int64(len(s))), s...)
}

// withoutSurrogates writes ? for lone surrogates, as Java does.
func withoutSurrogates(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			if i+2 < len(s) && s[i] == 0xed && s[i+1] >= 0xa0 {
				size = 3
			}
			b = append(b, '?')
		} else {
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return string(b)
}

func (e *encoder) appendDecimal(dst []byte, d data.Decimal) ([]byte, error) {
	start := len(dst)
	// The length is one byte for up to 63 bytes, which hold 150 digits.
	out, err := data.AppendDecimalBytes(append(dst, 0), e.schema, d)
	if err != nil {
		return dst, err
	}
	if n := len(out) - start - 1; n < 64 {
		out[start] = byte(n << 1)
		return out, nil
	}
	b := append([]byte(nil), out[start+1:]...)
	return append(binary.AppendVarint(dst, int64(len(b))), b...), nil
}

// appendDecimalFixed fills the fixed with the sign.
func (e *encoder) appendDecimalFixed(dst []byte, d data.Decimal) ([]byte, error) {
	var buffer [32]byte
	b, err := data.AppendDecimalBytes(buffer[:0], e.schema, d)
	if err != nil {
		return dst, err
	}
	if len(b) > e.size {
		return dst, connect.NewDataError("Fixed "+e.node.fullName()+" holds "+strconv.Itoa(e.size)+" bytes, the decimal needs "+strconv.Itoa(len(b)), nil)
	}
	fill := byte(0)
	if d.Sign() < 0 {
		fill = 0xff
	}
	for range e.size - len(b) {
		dst = append(dst, fill)
	}
	return append(dst, b...), nil
}

func (e *encoder) appendArray(dst []byte, list []data.Value) ([]byte, error) {
	if len(list) == 0 {
		return append(dst, 0), nil
	}
	dst = binary.AppendVarint(dst, int64(len(list)))
	var err error
	for _, v := range list {
		if dst, err = e.elem.append(dst, v); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

func (e *encoder) appendMap(dst []byte, m *data.Map) ([]byte, error) {
	if len(m.Entries) == 0 {
		return append(dst, 0), nil
	}
	dst = binary.AppendVarint(dst, int64(len(m.Entries)))
	var err error
	for i := range m.Entries {
		entry := &m.Entries[i]
		if e.swapped {
			if dst, err = e.elem.append(dst, entry.Value); err == nil {
				dst, err = e.key.append(dst, entry.Key)
			}
			if err != nil {
				return dst, err
			}
			continue
		}
		if e.step == stepMap {
			if entry.Key.Kind() != data.KindString {
				return dst, registry.WrongKind(e.schema.Key(), entry.Key)
			}
			dst = appendText(dst, entry.Key.Str())
		} else if dst, err = e.key.append(dst, entry.Key); err != nil {
			return dst, err
		}
		if dst, err = e.elem.append(dst, entry.Value); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

func (e *encoder) appendRecord(dst []byte, s *data.Struct) ([]byte, error) {
	if s.Schema() != e.schema && !s.Schema().Equal(e.schema) {
		return dst, connect.NewDataError("Mismatching struct schema", nil)
	}
	values := s.Values()
	var err error
	for i := range e.fields {
		f := &e.fields[i]
		if f.from < 0 {
			dst = append(dst, f.constant...)
			continue
		}
		if dst, err = f.append(dst, values[f.from]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendUnion writes the one field that is set.
func (e *encoder) appendUnion(dst []byte, s *data.Struct) ([]byte, error) {
	if s.Schema() != e.schema && !s.Schema().Equal(e.schema) {
		return dst, connect.NewDataError("Mismatching struct schema", nil)
	}
	for i, v := range s.Values() {
		if !v.IsNull() || !e.fields[i].def.IsNull() {
			return e.fields[i].append(dst, v)
		}
	}
	return e.appendNull(dst)
}

// anythingPlaces are the fields of the record of values without a schema.
var anythingPlaces = map[data.Kind]int{
	data.KindBool: 0, data.KindBytes: 1, data.KindFloat64: 2, data.KindFloat32: 3,
	data.KindInt8: 4, data.KindInt16: 4, data.KindInt32: 4, data.KindInt64: 5, data.KindString: 6, data.KindArray: 7, data.KindMap: 8,
}

// appendAnything writes a value without a schema as the field for its type.
func appendAnything(dst []byte, v data.Value) ([]byte, error) {
	const fields = 9
	at, ok := anythingPlaces[v.Kind()]
	if v.IsNull() {
		at, ok = fields, true
	}
	if !ok {
		return dst, connect.NewDataError("Unknown Java type for schemaless data: class "+v.JavaClass(), nil)
	}
	for i := range fields {
		if i != at {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 2) // the second type of the union
		var err error
		if dst, err = appendAnythingValue(dst, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendAnythingValue(dst []byte, v data.Value) ([]byte, error) {
	var err error
	switch v.Kind() {
	case data.KindBool:
		if v.Bool() {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case data.KindBytes:
		return append(binary.AppendVarint(dst, int64(len(v.Bytes()))), v.Bytes()...), nil
	case data.KindFloat64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float64())), nil
	case data.KindFloat32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v.Float32())), nil
	case data.KindString:
		return appendText(dst, v.Str()), nil
	case data.KindArray:
		if n := len(v.Array()); n > 0 {
			dst = binary.AppendVarint(dst, int64(n))
		}
		for _, e := range v.Array() {
			if dst, err = appendAnything(dst, e); err != nil {
				return dst, err
			}
		}
		return append(dst, 0), nil
	case data.KindMap:
		if n := len(v.Map().Entries); n > 0 {
			dst = binary.AppendVarint(dst, int64(n))
		}
		for _, e := range v.Map().Entries {
			if dst, err = appendAnything(dst, e.Key); err == nil {
				dst, err = appendAnything(dst, e.Value)
			}
			if err != nil {
				return dst, err
			}
		}
		return append(dst, 0), nil
	}
	return binary.AppendVarint(dst, v.Int()), nil
}
