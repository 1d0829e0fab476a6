package converter

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// Number reads and writes numbers of one type in big-endian bytes. Writing
// looks at the value alone, not at its schema, as in Java. The schema of what
// it reads is optional. It is also a header converter.
type Number struct {
	name   string // in messages
	class  string // Java class of the values
	reader string // Java class that messages name
	size   int
	kind   data.Kind
	schema *data.Schema
}

// NewShort returns the converter of int16.
func NewShort() *Number {
	return &Number{"short", "java.lang.Short", "ShortDeserializer", 2, data.KindInt16, data.OptionalInt16Schema}
}

// NewInteger returns the converter of int32.
func NewInteger() *Number {
	return &Number{"integer", "java.lang.Integer", "IntegerDeserializer", 4, data.KindInt32, data.OptionalInt32Schema}
}

// NewLong returns the converter of int64.
func NewLong() *Number {
	return &Number{"long", "java.lang.Long", "LongDeserializer", 8, data.KindInt64, data.OptionalInt64Schema}
}

// NewFloat returns the converter of float32.
func NewFloat() *Number {
	return &Number{"float", "java.lang.Float", "Deserializer", 4, data.KindFloat32, data.OptionalFloat32Schema}
}

// NewDouble returns the converter of float64.
func NewDouble() *Number {
	return &Number{"double", "java.lang.Double", "Deserializer", 8, data.KindFloat64, data.OptionalFloat64Schema}
}

// Configure checks the settings; there are none but converter.type.
func (c *Number) Configure(m config.Map, isKey bool) error {
	_, err := parseTyped(typeOnlyDef, m, isKey)
	return err
}

// Append writes v, which must be of the converter's type.
func (c *Number) Append(dst []byte, _ string, _ *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if v.Kind() != c.kind {
		return dst, connect.NewDataError("Failed to serialize to "+c.name+" (was class "+v.JavaClass()+"): ", c.castError(v.JavaClass()))
	}
	switch c.kind {
	case data.KindInt16:
		return binary.BigEndian.AppendUint16(dst, uint16(v.Int())), nil
	case data.KindInt32:
		return binary.BigEndian.AppendUint32(dst, uint32(v.Int())), nil
	case data.KindInt64:
		return binary.BigEndian.AppendUint64(dst, uint64(v.Int())), nil
	case data.KindFloat32:
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(v.Float32())), nil
	}
	if math.IsNaN(v.Float64()) { // Java writes one of the many
		return binary.BigEndian.AppendUint64(dst, 0x7ff8<<48), nil
	}
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v.Float64())), nil
}

// castError is Java's complaint about a class, which users find as the cause:
// what is no number fails at another place than what is the wrong one.
func (c *Number) castError(class string) error {
	target := "java.lang.Number"
	switch class {
	case "java.lang.Byte", "java.lang.Short", "java.lang.Integer", "java.lang.Long", "java.lang.Float", "java.lang.Double",
		"java.math.BigDecimal", "java.math.BigInteger":
		target = c.class
	}
	where := class + " and " + target + " are in module java.base of loader 'bootstrap'"
	if strings.HasPrefix(class, "org.apache.kafka.") {
		where = class + " is in unnamed module of loader 'app'; " + target + " is in module java.base of loader 'bootstrap'"
	}
	return &connect.Error{
		Class: "java.lang.ClassCastException", Kind: connect.Data,
		Message: "class " + class + " cannot be cast to class " + target + " (" + where + ")",
	}
}

// Decode reads a number of exactly the right size.
func (c *Number) Decode(_ string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return c.schema, data.Null, nil
	}
	if len(b) != c.size {
		return nil, data.Null, deserializeError(c.name, "Size of data received by "+c.reader+" is not "+strconv.Itoa(c.size))
	}
	switch c.kind {
	case data.KindInt16:
		return c.schema, data.Int16Of(int16(binary.BigEndian.Uint16(b))), nil
	case data.KindInt32:
		return c.schema, data.Int32Of(int32(binary.BigEndian.Uint32(b))), nil
	case data.KindInt64:
		return c.schema, data.Int64Of(int64(binary.BigEndian.Uint64(b))), nil
	case data.KindFloat32:
		return c.schema, data.Float32Of(math.Float32frombits(binary.BigEndian.Uint32(b))), nil
	}
	return c.schema, data.Float64Of(math.Float64frombits(binary.BigEndian.Uint64(b))), nil
}

// AppendHeader writes a header as Append writes a value.
func (c *Number) AppendHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return c.Append(dst, topic, s, v)
}

// DecodeHeader reads a header as Decode reads a value.
func (c *Number) DecodeHeader(topic, _ string, b []byte) (*data.Schema, data.Value, error) {
	return c.Decode(topic, b)
}
