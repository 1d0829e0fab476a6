package jsonschema

import (
	"encoding/base64"
	"strconv"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

// encoder writes the values of one Connect schema.
type encoder struct {
	schema  *data.Schema
	kind    data.Kind
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
	e := &encoder{schema: s, kind: s.Kind(), numeric: c.numeric, union: isUnion(s)}
	var err error
	switch s.Type() {
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
	switch {
	case v.Kind() == e.kind:
	case e.kind == data.KindBytes:
		return dst, connect.NewDataError("Invalid type for bytes type: class "+v.JavaClass(), nil)
	default:
		return dst, registry.WrongKind(e.schema, v)
	}
	switch e.kind {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case data.KindFloat32:
		return data.AppendJSONFloat(dst, float64(v.Float32()), 32), nil
	case data.KindFloat64:
		return data.AppendJSONFloat(dst, v.Float64(), 64), nil
	case data.KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case data.KindString:
		return jsontree.AppendString(dst, v.Str()), nil
	case data.KindBytes:
		return appendBase64(dst, v.Bytes()), nil
	case data.KindInstant:
		n, err := data.StoredInstant(e.schema.Logical(), v.Instant())
		return strconv.AppendInt(dst, n, 10), err
	case data.KindDecimal:
		return e.appendDecimal(dst, v.Decimal())
	case data.KindArray:
		return e.appendArray(dst, v.Array())
	case data.KindMap:
		return e.appendMap(dst, v.Map())
	}
	return e.appendStruct(dst, v.Struct())
}

func appendBase64(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

func (e *encoder) appendDecimal(dst []byte, d data.Decimal) ([]byte, error) {
	if e.numeric {
		return d.AppendText(dst), nil
	}
	var buffer [32]byte
	b, err := data.AppendDecimalBytes(buffer[:0], e.schema, d)
	if err != nil {
		return dst, err
	}
	return appendBase64(dst, b), nil
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
