package converter

import (
	"strconv"

	"kconnect/connect"
	"kconnect/connect/data"
)

// schemaOf reads the schema of an envelope from its JSON tree; null is nil.
// Attributes of the wrong type are ignored, as in Java, but for the type.
func (c *coercion) schemaOf(n data.Value) (*data.Schema, error) {
	if n.IsNull() {
		return nil, nil
	}
	var m data.Map
	if n.Kind() == data.KindMap {
		m = *n.Map()
	}
	name, ok := stringMember(&m, "type")
	if !ok {
		return nil, connect.NewDataError("Schema must contain 'type' field", nil)
	}
	b, err := c.typeOf(name, &m)
	if err != nil {
		return nil, err
	}
	optional, _ := m.Get("optional")
	b.SetOptional(optional.Kind() == data.KindBool && optional.Bool())
	if name, ok := stringMember(&m, "name"); ok {
		b.Named(name)
	}
	if version, _ := m.Get("version"); version.Kind() == data.KindInt64 || version.Kind() == data.KindBigInt {
		low, _ := wholeNumber(version)
		b.Version(int32(low)) // cut to 32 bits as in Java
	}
	if doc, ok := stringMember(&m, "doc"); ok {
		b.Doc(doc)
	}
	if params, _ := m.Get("parameters"); params.Kind() == data.KindMap {
		for _, p := range params.Map().Entries {
			if p.Value.Kind() != data.KindString {
				return nil, connect.NewDataError("Schema parameters must have string values.", nil)
			}
			b.Param(p.Key.Str(), p.Value.Str())
		}
	}
	def, ok := m.Get("default")
	if !ok {
		return b.Build()
	}
	return c.withDefault(b, def)
}

func (c *coercion) typeOf(name string, m *data.Map) (*data.Builder, error) {
	switch name {
	case "boolean":
		return data.NewBuilder(data.Boolean), nil
	case "int8":
		return data.NewBuilder(data.Int8), nil
	case "int16":
		return data.NewBuilder(data.Int16), nil
	case "int32":
		return data.NewBuilder(data.Int32), nil
	case "int64":
		return data.NewBuilder(data.Int64), nil
	case "float":
		return data.NewBuilder(data.Float32), nil
	case "double":
		return data.NewBuilder(data.Float64), nil
	case "bytes":
		return data.NewBuilder(data.Bytes), nil
	case "string":
		return data.NewBuilder(data.String), nil
	case "array":
		items, _ := m.Get("items")
		if items.IsNull() {
			return nil, connect.NewDataError("Array schema did not specify the element type", nil)
		}
		elem, err := c.schemaOf(items)
		return data.NewBuilder(data.Array).Items(elem), err
	case "map":
		return c.mapOf(m)
	case "struct":
		return c.structOf(m)
	}
	return nil, connect.NewDataError("Unknown schema type: "+name, nil)
}

func (c *coercion) mapOf(m *data.Map) (*data.Builder, error) {
	keys, _ := m.Get("keys")
	if keys.IsNull() {
		return nil, connect.NewDataError("Map schema did not specify the key type", nil)
	}
	values, _ := m.Get("values")
	if values.IsNull() {
		return nil, connect.NewDataError("Map schema did not specify the value type", nil)
	}
	key, err := c.schemaOf(keys)
	if err != nil {
		return nil, err
	}
	value, err := c.schemaOf(values)
	return data.NewBuilder(data.MapType).Keys(key).Items(value), err
}

func (c *coercion) structOf(m *data.Map) (*data.Builder, error) {
	b := data.NewStructBuilder()
	fields, _ := m.Get("fields")
	if fields.Kind() != data.KindArray {
		return nil, connect.NewDataError(`Struct schema's "fields" argument is not an array.`, nil)
	}
	for _, f := range fields.Array() {
		var fm data.Map
		if f.Kind() == data.KindMap {
			fm = *f.Map()
		}
		name, ok := stringMember(&fm, "field")
		if !ok {
			return nil, connect.NewDataError("Struct schema's field name not specified properly", nil)
		}
		s, err := c.schemaOf(f)
		if err != nil {
			return nil, err
		}
		b.Field(name, s)
		if err := b.Err(); err != nil { // Java's builder fails at this field, before the next is read
			return nil, err
		}
	}
	return b, nil
}

// withDefault reads the default by the schema without it.
func (c *coercion) withDefault(b *data.Builder, def data.Value) (*data.Schema, error) {
	s, err := b.Build()
	if err != nil {
		return nil, err
	}
	// A default that does not fit is read as Java reads it, whatever the coercion
	// of values: it stands for no record (golden envelope-default-wrong-type).
	lax := *c
	lax.java = true
	v, err := lax.value(s, def)
	if err != nil {
		return nil, err
	}
	if v.Kind() == data.KindStruct {
		// Java builds the struct on another schema than the one that it then
		// compares, so no default struct can be read (golden default-struct).
		return nil, invalidDefault(&data.Error{Message: "Struct schemas do not match."})
	}
	if v.IsNull() {
		if err := data.Validate(s, v); err != nil {
			return nil, invalidDefault(err)
		}
		return s, nil // no default
	}
	return b.Default(v).Build()
}

func invalidDefault(cause error) error {
	return &data.Error{Class: "org.apache.kafka.connect.errors.SchemaBuilderException", Message: "Invalid default value", Cause: cause}
}

func stringMember(m *data.Map, name string) (string, bool) {
	v, _ := m.Get(name)
	if v.Kind() != data.KindString {
		return "", false
	}
	return v.Str(), true
}

var jsonTypeNames = [...]string{
	data.Int8: "int8", data.Int16: "int16", data.Int32: "int32", data.Int64: "int64",
	data.Float32: "float", data.Float64: "double", data.Boolean: "boolean", data.String: "string",
	data.Bytes: "bytes", data.Array: "array", data.MapType: "map", data.StructType: "struct",
}

// appendSchema appends the JSON form of s, the key "field" last when field is
// set. Defaults are written as payloads are.
func (w *jsonWriter) appendSchema(dst []byte, s *data.Schema, field *string) ([]byte, error) {
	if s == nil {
		return append(dst, "null"...), nil
	}
	var err error
	dst = append(append(append(dst, `{"type":"`...), jsonTypeNames[s.Type()]...), '"')
	switch s.Type() {
	case data.Array:
		if dst, err = w.appendSchema(append(dst, `,"items":`...), s.Elem(), nil); err != nil {
			return dst, err
		}
	case data.MapType:
		if dst, err = w.appendSchema(append(dst, `,"keys":`...), s.Key(), nil); err != nil {
			return dst, err
		}
		if dst, err = w.appendSchema(append(dst, `,"values":`...), s.Elem(), nil); err != nil {
			return dst, err
		}
	case data.StructType:
		dst = append(dst, `,"fields":[`...)
		for i := range s.Fields() {
			if i > 0 {
				dst = append(dst, ',')
			}
			f := &s.Fields()[i]
			if dst, err = w.appendSchema(dst, f.Schema, &f.Name); err != nil {
				return dst, err
			}
		}
		dst = append(dst, ']')
	}
	dst = strconv.AppendBool(append(dst, `,"optional":`...), s.Optional())
	if s.HasName() {
		if dst, err = appendMember(dst, "name", s.Name()); err != nil {
			return dst, err
		}
	}
	if v, ok := s.Version(); ok {
		dst = strconv.AppendInt(append(dst, `,"version":`...), int64(v), 10)
	}
	if doc, ok := s.Doc(); ok {
		if dst, err = appendMember(dst, "doc", doc); err != nil {
			return dst, err
		}
	}
	if params := s.Params(); len(params) > 0 {
		dst = append(dst, `,"parameters":{`...)
		for i, p := range params {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendString(dst, p.Key); err != nil {
				return dst, err
			}
			if dst, err = appendString(append(dst, ':'), p.Value); err != nil {
				return dst, err
			}
		}
		dst = append(dst, '}')
	}
	if d, ok := s.Default(); ok {
		e := w.encoderOf(s)
		if dst, err = e.append(append(dst, `,"default":`...), d); err != nil {
			return dst, err
		}
	}
	if field != nil {
		if dst, err = appendMember(dst, "field", *field); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func appendMember(dst []byte, name, value string) ([]byte, error) {
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return appendString(dst, value)
}
