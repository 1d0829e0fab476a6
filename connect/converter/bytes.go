package converter

import (
	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var typeOnlyDef = config.NewDef(typeKeyDef)

// ByteArray passes bytes through. The schema of what it reads is optional
// bytes. It is also a header converter.
type ByteArray struct{}

// Configure checks the settings; there are none but converter.type.
func (ByteArray) Configure(m config.Map, isKey bool) error {
	_, err := parseTyped(typeOnlyDef, m, isKey)
	return err
}

// Append writes v, which must be bytes and have a bytes schema or none.
func (ByteArray) Append(dst []byte, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	switch {
	case s != nil && s.Type() != data.Bytes:
		return dst, connect.NewDataError("Invalid schema type for ByteArrayConverter: "+s.Type().String(), nil)
	case v.IsNull():
		return nil, nil
	case v.Kind() != data.KindBytes:
		return dst, connect.NewDataError("ByteArrayConverter is not compatible with objects of type class "+v.JavaClass(), nil)
	case dst == nil:
		dst = []byte{} // no bytes are not a tombstone
	}
	return append(dst, v.Bytes()...), nil
}

// Decode returns b itself.
func (ByteArray) Decode(_ string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return data.OptionalBytesSchema, data.Null, nil
	}
	return data.OptionalBytesSchema, data.BytesOf(b), nil
}

// AppendHeader writes a header as Append writes a value.
func (c ByteArray) AppendHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return c.Append(dst, topic, s, v)
}

// DecodeHeader reads a header as Decode reads a value.
func (c ByteArray) DecodeHeader(topic, _ string, b []byte) (*data.Schema, data.Value, error) {
	return c.Decode(topic, b)
}

// Boolean reads and writes one byte, 0 or 1. The schema of what it reads is an
// optional boolean. It is also a header converter.
type Boolean struct{}

// Configure checks the settings; there are none but converter.type.
func (Boolean) Configure(m config.Map, isKey bool) error {
	_, err := parseTyped(typeOnlyDef, m, isKey)
	return err
}

// Append writes v, which must be a boolean and have a boolean schema or none.
func (Boolean) Append(dst []byte, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	switch {
	case s != nil && s.Type() != data.Boolean:
		return dst, connect.NewDataError("Invalid schema type for BooleanConverter: "+s.Type().String(), nil)
	case v.IsNull():
		return nil, nil
	case v.Kind() != data.KindBool:
		return dst, connect.NewDataError("BooleanConverter is not compatible with objects of type class "+v.JavaClass(), nil)
	case v.Bool():
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

// Decode reads one byte.
func (Boolean) Decode(_ string, b []byte) (*data.Schema, data.Value, error) {
	var fault string
	switch {
	case b == nil:
		return data.OptionalBooleanSchema, data.Null, nil
	case len(b) != 1:
		fault = "Size of data received by BooleanDeserializer is not 1"
	case b[0] > 1:
		fault = "Unexpected byte received by BooleanDeserializer: " + data.Int8Of(int8(b[0])).String()
	default:
		return data.OptionalBooleanSchema, data.BoolOf(b[0] == 1), nil
	}
	return nil, data.Null, deserializeError("boolean", fault)
}

func deserializeError(name, fault string) error {
	return connect.NewDataError("Failed to deserialize "+name+": ", &connect.Error{
		Class: connect.ClassSerialization, Kind: connect.Data, Message: fault,
	})
}

// AppendHeader writes a header as Append writes a value.
func (c Boolean) AppendHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return c.Append(dst, topic, s, v)
}

// DecodeHeader reads a header as Decode reads a value.
func (c Boolean) DecodeHeader(topic, _ string, b []byte) (*data.Schema, data.Value, error) {
	return c.Decode(topic, b)
}
