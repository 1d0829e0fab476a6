package sink

import (
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
)

// check reports whether a record is usable under pk.mode and delete.enabled.
// What it refuses is a fault of the record (D10): with errors.tolerance=all
// and a reporter it is reported, otherwise the task fails with this sentence.
func (s *settings) check(r *connect.Record) error {
	if s.needsKey && !usableKey(r) {
		return s.refuse(r, "key and non-null Struct or primitive key schema", "key", r.KeySchema, r.Key)
	}
	if s.needsValue && !usableValue(r) {
		return s.refuse(r, "Struct or String value and non-null Struct or String schema", "value", r.ValueSchema, r.Value)
	}
	if s.deletes && r.ValueSchema == nil && !r.Value.IsNull() {
		// Its keys alone would be written. Java ends in a class cast.
		return s.refuse(r, "Struct or String value and non-null Struct or String schema, or a null value to delete its row", "value", r.ValueSchema, r.Value)
	}
	if r.ValueSchema != nil && r.ValueSchema.Type() == data.String && len(s.structOptions) > 0 {
		return connect.NewError("Sink connector '"+s.connector+"' is configured with field-level options that are not applicable to String values: "+
			strings.Join(s.structOptions, ", ")+". Remove these options, or have the upstream producer emit Struct values instead.", nil)
	}
	return nil
}

func usableKey(r *connect.Record) bool {
	s := r.KeySchema
	return s != nil && !r.Key.IsNull() && (s.Type() == data.StructType || s.Type().Primitive())
}

func usableValue(r *connect.Record) bool {
	s := r.ValueSchema
	return s != nil && !r.Value.IsNull() && (s.Type() == data.StructType || s.Type() == data.String)
}

func (s *settings) refuse(r *connect.Record, needed, part string, schema *data.Schema, v data.Value) error {
	typ := "null"
	if schema != nil {
		typ = schemaWord(schema.Type())
	}
	m := "Sink connector '" + s.connector + "' is configured with 'delete.enabled=" + strconv.FormatBool(s.deletes) + "' and 'pk.mode=" + string(s.pkMode) +
		"' and therefore requires records with a non-null " + needed + ", but found record at (topic='" + r.Topic +
		"',partition=" + strconv.Itoa(int(r.Partition)) + ",offset=" + strconv.FormatInt(r.Origin.Offset, 10) +
		",timestamp=" + timestampText(r.Timestamp) + ") with a " + className(v) + " " + part + " and " + typ + " " + part + " schema."
	remedy := remedyValueSchema
	switch {
	case part == "key":
		remedy = remedyKeySchema
	case v.IsNull():
		remedy = remedyTombstone
	}
	return recordError(m, remedy)
}

func timestampText(ms int64) string {
	if ms == connect.NoTimestamp {
		return "null"
	}
	return strconv.FormatInt(ms, 10)
}

// className returns the simple name of the Java class that a value has there.
func className(v data.Value) string {
	return [...]string{
		data.KindNull: "null", data.KindBool: "Boolean", data.KindInt8: "Byte", data.KindInt16: "Short", data.KindInt32: "Integer",
		data.KindInt64: "Long", data.KindFloat32: "Float", data.KindFloat64: "Double", data.KindString: "String", data.KindBytes: "byte[]",
		data.KindDecimal: "BigDecimal", data.KindBigInt: "BigInteger", data.KindInstant: "Date", data.KindArray: "ArrayList",
		data.KindMap: "HashMap", data.KindStruct: "Struct", data.KindObject: "Object",
	}[v.Kind()]
}

// schemaWord returns the lower-case name of a type, such as int32.
func schemaWord(t data.Type) string {
	return [...]string{
		data.Int8: "int8", data.Int16: "int16", data.Int32: "int32", data.Int64: "int64", data.Float32: "float32", data.Float64: "float64",
		data.Boolean: "boolean", data.String: "string", data.Bytes: "bytes", data.Array: "array", data.MapType: "map", data.StructType: "struct",
	}[t]
}
