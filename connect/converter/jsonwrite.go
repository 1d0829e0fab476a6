package converter

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"kconnect/connect"
	"kconnect/connect/data"
)

// jsonWriter holds the settings by which values are written.
type jsonWriter struct {
	numeric     bool // decimal.format
	nullDefault bool // replace.null.with.default
}

// encoder writes the values of one schema.
type encoder struct {
	schema   *data.Schema
	logical  data.Logical
	typ      data.Type
	numeric  bool
	textKeys bool // a map that is written as an object
	key      *encoder
	elem     *encoder
	fields   []fieldEncoder
	scale    int32 // of a Decimal
	scaleErr error
	null     []byte // what null is written as
	nullErr  error
}

type fieldEncoder struct {
	name []byte // with the bytes around it: {"id": or ,"name":
	err  error  // of the name
	encoder
}

func (w *jsonWriter) encoderOf(s *data.Schema) *encoder {
	e := &encoder{schema: s, logical: s.Logical(), typ: s.Type(), numeric: w.numeric}
	switch e.typ {
	case data.MapType:
		if s.Key() != nil {
			e.key = w.encoderOf(s.Key())
			e.textKeys = s.Key().Type() == data.String
		}
		if s.Elem() != nil {
			e.elem = w.encoderOf(s.Elem())
		}
	case data.Array:
		if s.Elem() != nil {
			e.elem = w.encoderOf(s.Elem())
		}
	case data.StructType:
		e.fields = make([]fieldEncoder, len(s.Fields()))
		for i, f := range s.Fields() {
			name := []byte{','}
			if i == 0 {
				name[0] = '{'
			}
			name, err := appendString(name, f.Name)
			e.fields[i] = fieldEncoder{append(name, ':'), err, *w.encoderOf(f.Schema)}
		}
	}
	if e.logical == data.LogicalDecimal {
		e.scale, e.scaleErr = s.Scale()
	}
	d, ok := s.Default()
	switch {
	case ok && w.nullDefault:
		e.null, e.nullErr = e.append(nil, d)
	case s.Optional():
		e.null = []byte("null")
	default:
		e.nullErr = connect.NewDataError("Conversion error: null value for field that is required and has no default value", nil)
	}
	return e
}

// append appends the JSON of v.
func (e *encoder) append(dst []byte, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return append(dst, e.null...), e.nullErr
	}
	if e.logical != data.NotLogical {
		return e.appendLogical(dst, v)
	}
	kind := v.Kind()
	switch e.typ {
	case data.Int8:
		if kind == data.KindInt8 {
			return strconv.AppendInt(dst, v.Int(), 10), nil
		}
	case data.Int16:
		if kind == data.KindInt16 {
			return strconv.AppendInt(dst, v.Int(), 10), nil
		}
	case data.Int32:
		if kind == data.KindInt32 {
			return strconv.AppendInt(dst, v.Int(), 10), nil
		}
	case data.Int64:
		if kind == data.KindInt64 {
			return strconv.AppendInt(dst, v.Int(), 10), nil
		}
	case data.Float32:
		if kind == data.KindFloat32 {
			return data.AppendJSONFloat(dst, float64(v.Float32()), 32), nil
		}
	case data.Float64:
		if kind == data.KindFloat64 {
			return data.AppendJSONFloat(dst, v.Float64(), 64), nil
		}
	case data.Boolean:
		if kind == data.KindBool {
			return strconv.AppendBool(dst, v.Bool()), nil
		}
	case data.String:
		if kind == data.KindString {
			return appendString(dst, v.Str())
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

func (e *encoder) appendLogical(dst []byte, v data.Value) ([]byte, error) {
	if e.logical == data.LogicalDecimal {
		if v.Kind() != data.KindDecimal {
			return dst, connect.NewDataError("Invalid type for Decimal, expected BigDecimal but was class "+v.JavaClass(), nil)
		}
		d := v.Decimal()
		if e.numeric {
			return d.AppendText(dst), nil
		}
		if e.scaleErr != nil || d.Scale() != e.scale {
			_, err := data.AppendDecimalBytes(nil, e.schema, d)
			return dst, err
		}
		var unscaled [32]byte
		return appendBase64(dst, d.AppendBytes(unscaled[:0])), nil
	}
	if v.Kind() != data.KindInstant {
		return dst, connect.NewDataError("Invalid type for "+logicalNames[e.logical]+", expected Date but was class "+v.JavaClass(), nil)
	}
	n, err := data.StoredInstant(e.logical, v.Instant())
	return strconv.AppendInt(dst, n, 10), err
}

var logicalNames = [...]string{
	data.LogicalDecimal: "Decimal", data.LogicalDate: "Date", data.LogicalTime: "Time", data.LogicalTimestamp: "Timestamp",
}

func (e *encoder) appendStruct(dst []byte, s *data.Struct) ([]byte, error) {
	if s.Schema() != e.schema && !s.Schema().Equal(e.schema) {
		return dst, connect.NewDataError("Mismatching schema.", nil)
	}
	values := s.Values()
	if len(values) == 0 {
		return append(dst, "{}"...), nil
	}
	for i := range e.fields {
		f := &e.fields[i]
		if f.err != nil {
			return dst, f.err
		}
		var err error
		if dst, err = f.append(append(dst, f.name...), values[i]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (e *encoder) appendArray(dst []byte, elements []data.Value) ([]byte, error) {
	dst = append(dst, '[')
	for i, v := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = e.elem.appendAny(dst, v); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// appendAny is append for an encoder that may be nil: without a schema.
func (e *encoder) appendAny(dst []byte, v data.Value) ([]byte, error) {
	if e == nil {
		return appendPlain(dst, v)
	}
	return e.append(dst, v)
}

func (e *encoder) appendMap(dst []byte, m *data.Map) ([]byte, error) {
	return appendEntries(dst, m, e.key, e.elem, e.textKeys)
}

// appendEntries writes a map as an object when its keys are texts, otherwise
// as an array of pairs.
func appendEntries(dst []byte, m *data.Map, key, elem *encoder, object bool) ([]byte, error) {
	open, end := byte('['), byte(']')
	if object {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	for i := range m.Entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if !object {
			dst = append(dst, '[')
		}
		start := len(dst)
		if dst, err = key.appendAny(dst, m.Entries[i].Key); err != nil {
			return dst, err
		}
		separator := byte(',')
		if object {
			separator = ':'
			if dst[start] != '"' { // the text of a null or of a number is the name
				dst = append(dst, `""`...)
				copy(dst[start+1:], dst[start:len(dst)-2])
				dst[start] = '"'
			}
		}
		if dst, err = elem.appendAny(append(dst, separator), m.Entries[i].Value); err != nil {
			return dst, err
		}
		if !object {
			dst = append(dst, ']')
		}
	}
	return append(dst, end), nil
}

// appendPlain appends a value without a schema.
func appendPlain(dst []byte, v data.Value) ([]byte, error) {
	switch v.Kind() {
	case data.KindNull:
		return append(dst, "null"...), nil
	case data.KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case data.KindFloat32:
		return data.AppendJSONFloat(dst, float64(v.Float32()), 32), nil
	case data.KindFloat64:
		return data.AppendJSONFloat(dst, v.Float64(), 64), nil
	case data.KindString:
		return appendString(dst, v.Str())
	case data.KindBytes:
		return appendBase64(dst, v.Bytes()), nil
	case data.KindArray:
		return (&encoder{}).appendArray(dst, v.Array())
	case data.KindMap:
		object := true
		for _, e := range v.Map().Entries {
			object = object && e.Key.Kind() == data.KindString
		}
		return appendEntries(dst, v.Map(), nil, nil, object)
	case data.KindStruct:
		return dst, connect.NewDataError("Mismatching schema.", nil)
	}
	return dst, connect.NewDataError("Java class class "+v.JavaClass()+" does not have corresponding schema type.", nil)
}

func appendBase64(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

// appendString appends s in quotes, escaped as the Java worker does: the
// shortest escapes for controls, upper-case hex, and characters beyond U+FFFF
// as two escapes (golden json-from-connect/string-*).
func appendString(dst []byte, s string) ([]byte, error) {
	dst = append(dst, '"')
	b := data.StringOf(s).Bytes()
	for {
		n := plainText(b)
		dst = append(dst, b[:n]...)
		if n == len(b) {
			return append(dst, '"'), nil
		}
		b = b[n:]
		c := b[0]
		if c < utf8.RuneSelf {
			dst = data.AppendJSONEscape(dst, c)
			b = b[1:]
			continue
		}
		char, size := utf8.DecodeRune(b)
		switch {
		case char == utf8.RuneError && size == 1:
			return dst, notUTF8(b)
		case size == 4:
			char -= 0x10000
			dst = data.AppendJSONUnit(dst, 0xd800+char>>10)
			dst = data.AppendJSONUnit(dst, 0xdc00+char&0x3ff)
		default:
			dst = append(dst, b[:size]...)
		}
		b = b[size:]
	}
}

// notUTF8 is the error of a text that is no UTF-8, such as a lone surrogate.
func notUTF8(b []byte) error {
	cause := &syntaxError{class: classJSONGeneration, message: "Invalid UTF-8 in a text, which starts with the bytes " + strconv.QuoteToASCII(string(b[:min(len(b), 4)]))}
	return connect.NewDataError("Converting Kafka Connect data to byte[] failed due to serialization error: ", &connect.Error{
		Class: connect.ClassSerialization, Kind: connect.Data, Message: "Error serializing JSON message", Cause: cause,
	})
}
