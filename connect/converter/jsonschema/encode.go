package jsonschema

import (
	"encoding/base64"
	"math"
	"strconv"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/data"
)

// encoder writes the values of one Connect schema.
type encoder struct {
	schema  *data.Schema
	logical data.Logical
	typ     data.Type
	numeric bool
	union   bool
	object  bool // a map that is written as an object
	null    []byte
	missing bool // a required field that is null is left out, as in Java
	key     *encoder
	elem    *encoder
	fields  []fieldEncoder
}

type fieldEncoder struct {
	name []byte // with quotes and colon
	*encoder
}

func (c *settings) encoderOf(s *data.Schema) (*encoder, error) {
	if s == nil {
		return nil, connect.NewDataError("JsonSchemaConverter cannot write values that have no schema", nil)
	}
	e := &encoder{schema: s, logical: s.Logical(), typ: s.Type(), numeric: c.numeric, union: isUnion(s)}
	var err error
	switch e.typ {
	case data.Array:
		e.elem, err = c.encoderOf(s.Elem())
	case data.MapType:
		e.object = textKeys(s)
		if e.key, err = c.encoderOf(s.Key()); err == nil {
			e.elem, err = c.encoderOf(s.Elem())
		}
	case data.StructType:
		for _, f := range s.Fields() {
			fe, err := c.encoderOf(f.Schema)
			if err != nil {
				return nil, err
			}
			e.fields = append(e.fields, fieldEncoder{append(jsontree.AppendString(nil, f.Name), ':'), fe})
		}
	}
	if err != nil {
		return nil, err
	}
	e.null, e.missing = []byte("null"), !s.Optional()
	if d, ok := s.Default(); ok && !d.IsNull() && !c.ignoreDefault {
		e.missing = false
		e.null, err = e.append(nil, d)
	}
	return e, err
}

func (e *encoder) append(dst []byte, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return append(dst, e.null...), nil
	}
	if e.logical != data.NotLogical {
		return e.appendLogical(dst, v)
	}
	kind := v.Kind()
	switch e.typ {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		if kind >= data.KindInt8 && kind <= data.KindInt64 && int(kind-data.KindInt8) == int(e.typ-data.Int8) {
			return strconv.AppendInt(dst, v.Int(), 10), nil
		}
	case data.Float32:
		if kind == data.KindFloat32 {
			f := v.Float32()
			return appendFloat(dst, float64(f), data.AppendFloat32(nil, f)), nil
		}
	case data.Float64:
		if kind == data.KindFloat64 {
			var buffer [32]byte
			return appendFloat(dst, v.Float64(), data.AppendFloat64(buffer[:0], v.Float64())), nil
		}
	case data.Boolean:
		if kind == data.KindBool {
			return strconv.AppendBool(dst, v.Bool()), nil
		}
	case data.String:
		if kind == data.KindString {
			return jsontree.AppendString(dst, v.Str()), nil
		}
	case data.Bytes:
		if kind == data.KindBytes {
			return appendBase64(dst, v.Bytes()), nil
		}
		return dst, connect.NewDataError("Invalid type for bytes type: class "+v.JavaClass(), nil)
	case data.Array:
		if kind == data.KindArray {
			return e.appendArray(dst, v.Array())
		}
	case data.MapType:
		if kind == data.KindMap {
			return e.appendMap(dst, v.Map())
		}
	case data.StructType:
		if kind == data.KindStruct {
			return e.appendStruct(dst, v.Struct())
		}
	}
	return dst, connect.NewDataError("Invalid type for "+e.typ.String()+": class "+v.JavaClass(), nil)
}

// appendFloat writes what JSON has no number for as text, as Java does.
func appendFloat(dst []byte, f float64, text []byte) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(append(append(dst, '"'), text...), '"')
	}
	return append(dst, text...)
}

func appendBase64(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

func (e *encoder) appendLogical(dst []byte, v data.Value) ([]byte, error) {
	if e.logical == data.LogicalDecimal {
		if v.Kind() != data.KindDecimal {
			return dst, connect.NewDataError("Invalid type for Decimal, expected BigDecimal but was class "+v.JavaClass(), nil)
		}
		if e.numeric {
			return v.Decimal().AppendText(dst), nil
		}
		var buffer [32]byte
		b, err := data.AppendDecimalBytes(buffer[:0], e.schema, v.Decimal())
		if err != nil {
			return dst, err
		}
		return appendBase64(dst, b), nil
	}
	if v.Kind() != data.KindInstant {
		name := map[data.Logical]string{data.LogicalDate: "Date", data.LogicalTime: "Time", data.LogicalTimestamp: "Timestamp"}[e.logical]
		return dst, connect.NewDataError("Invalid type for "+name+", expected Date but was class "+v.JavaClass(), nil)
	}
	switch e.logical {
	case data.LogicalDate:
		n, err := data.DateFromInstant(v.Instant())
		return strconv.AppendInt(dst, int64(n), 10), err
	case data.LogicalTime:
		n, err := data.TimeFromInstant(v.Instant())
		return strconv.AppendInt(dst, int64(n), 10), err
	}
	return strconv.AppendInt(dst, v.Instant(), 10), nil
}

func (e *encoder) appendArray(dst []byte, list []data.Value) ([]byte, error) {
	dst = append(dst, '[')
	var err error
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = e.elem.append(dst, v); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (e *encoder) appendMap(dst []byte, m *data.Map) ([]byte, error) {
	open, end := byte('['), byte(']')
	if e.object {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	var err error
	for i := range m.Entries {
		entry := &m.Entries[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		if e.object {
			if entry.Key.Kind() != data.KindString {
				return dst, connect.NewDataError("Invalid type for STRING: class "+entry.Key.JavaClass(), nil)
			}
			dst = append(jsontree.AppendString(dst, entry.Key.Str()), ':')
		} else {
			if dst, err = e.key.append(append(dst, `{"key":`...), entry.Key); err != nil {
				return dst, err
			}
			dst = append(dst, `,"value":`...)
		}
		if dst, err = e.elem.append(dst, entry.Value); err != nil {
			return dst, err
		}
		if !e.object {
			dst = append(dst, '}')
		}
	}
	return append(dst, end), nil
}

func (e *encoder) appendStruct(dst []byte, s *data.Struct) ([]byte, error) {
	if s.Schema() != e.schema && !s.Schema().Equal(e.schema) {
		return dst, connect.NewDataError("Mismatching schema.", nil)
	}
	values := s.Values()
	if e.union {
		for i, v := range values {
			if !v.IsNull() {
				return e.fields[i].append(dst, v)
			}
		}
		return append(dst, "null"...), nil
	}
	dst = append(dst, '{')
	first := true
	var err error
	for i := range e.fields {
		f := &e.fields[i]
		if f.missing && values[i].IsNull() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if dst, err = f.append(append(dst, f.name...), values[i]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
