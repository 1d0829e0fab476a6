package transform

import (
	"slices"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var headerFromDef = config.NewDef(
	config.Key{Name: "fields", Type: config.List, Required: true, Importance: config.High, Validate: config.NonEmptyList(), Doc: "The fields that become headers."},
	config.Key{Name: "headers", Type: config.List, Required: true, Importance: config.High, Validate: config.NonEmptyList(), Doc: "The keys of the headers, in the order of fields."},
	config.Key{Name: "operation", Type: config.String, Required: true, Importance: config.High, Validate: config.OneOf("move", "copy"), Doc: "Whether the fields go (move) or stay (copy)."},
	replaceNullKey,
)

// HeaderFrom copies or moves fields into headers.
type HeaderFrom struct {
	side    side
	fields  []string
	headers []string
	move    bool
	replace bool
	schemas schemaCache
}

var _ connect.Transformation = (*HeaderFrom)(nil)

// Configure implements connect.Transformation.
func (t *HeaderFrom) Configure(m config.Map) error {
	v, err := parse(headerFromDef, m)
	if err != nil {
		return err
	}
	t.fields, t.headers = v.List("fields"), v.List("headers")
	t.move, t.replace = v.String("operation") == "move", v.Bool("replace.null.with.default")
	if len(t.fields) != len(t.headers) {
		return &config.Error{Whole: true, Message: "'fields' config must have the same number of elements as 'headers' config."}
	}
	return nil
}

// Apply implements connect.Transformation.
func (t *HeaderFrom) Apply(r *connect.Record) (bool, error) {
	purpose := "header copy"
	if t.move {
		purpose = "header move"
	}
	schema, value := t.side.get(r)
	headers := slices.Clip(r.Headers)
	if schema == nil {
		from, err := mapOf(value, purpose)
		if err != nil {
			return false, err
		}
		for i, f := range t.fields {
			v, _ := from.Get(f)
			headers = append(headers, connect.Header{Key: t.headers[i], Value: v})
		}
		if t.move {
			left := slices.DeleteFunc(slices.Clone(from.Entries), func(e data.Entry) bool {
				return e.Key.Kind() == data.KindString && slices.Contains(t.fields, e.Key.Str())
			})
			t.side.set(r, nil, data.MapOf(&data.Map{Entries: left}))
		}
		r.Headers = headers
		return true, nil
	}
	from, err := structOf(value, purpose)
	if err != nil {
		return false, err
	}
	left := value
	updated := schema
	if t.move {
		if updated, err = t.schemas.get(schema, t.updated); err != nil {
			return false, err
		}
		if left, err = t.moved(from, updated); err != nil {
			return false, err
		}
	}
	for i, f := range t.fields {
		h, err := t.header(i, f, schema, from)
		if err != nil {
			return false, err
		}
		headers = append(headers, h)
	}
	t.side.set(r, updated, left)
	r.Headers = headers
	return true, nil
}

// moved returns the struct without the fields that become headers.
func (t *HeaderFrom) moved(from *data.Struct, updated *data.Schema) (data.Value, error) {
	to := data.NewStruct(updated)
	for i, f := range updated.Fields() {
		at := from.Schema().Field(f.Name)
		if at < 0 { // a struct of another schema than the record's
			return data.Null, connect.NewDataError(f.Name+" is not a valid field name", nil)
		}
		if err := store(to, i, withDefault(from.At(at), from.Schema().Fields()[at].Schema, t.replace)); err != nil {
			return data.Null, err
		}
	}
	return data.StructOf(to), nil
}

// header returns header i: the value is that of the struct, the schema that
// which the record's has for the field.
func (t *HeaderFrom) header(i int, field string, schema *data.Schema, from *data.Struct) (connect.Header, error) {
	v := data.Null
	if at := from.Schema().Field(field); at >= 0 {
		v = withDefault(from.At(at), from.Schema().Fields()[at].Schema, t.replace)
	}
	if schema.Type() != data.StructType {
		return connect.Header{}, connect.NewDataError("Cannot look up fields on non-struct type", nil)
	}
	at := schema.Field(field)
	if at < 0 {
		return connect.Header{}, &connect.Error{Class: connect.ClassNullPointer, Kind: connect.Data,
			Message: `Cannot invoke "org.apache.kafka.connect.data.Field.schema()" because the return value of "org.apache.kafka.connect.data.Schema.field(String)" is null`,
			Remedy:  "The struct has no field " + field + ": correct fields."}
	}
	s := schema.Fields()[at].Schema
	switch {
	case v.IsNull() && !s.Optional():
		return connect.Header{}, connect.NewDataError("A null value requires an optional schema but was "+s.String(), nil)
	case !v.IsNull() && !fitsHeader(s, v.Kind()):
		return connect.Header{}, connect.NewDataError("The value "+v.String()+" is not compatible with the schema "+s.String(), nil)
	}
	return connect.Header{Key: t.headers[i], Schema: s, Value: v}, nil
}

// fitsHeader reports whether a header of a schema may hold values of a kind.
// Java looks at the outer class alone and, other than for fields, lets a
// logical type hold its base type, too.
func fitsHeader(s *data.Schema, k data.Kind) bool {
	switch s.Type() { //exhaustive:enforce
	case data.Int8:
		return k == data.KindInt8
	case data.Int16:
		return k == data.KindInt16
	case data.Int32:
		return k == data.KindInt32 || k == data.KindInstant && (s.Logical() == data.LogicalDate || s.Logical() == data.LogicalTime)
	case data.Int64:
		return k == data.KindInt64 || k == data.KindInstant && s.Logical() == data.LogicalTimestamp
	case data.Float32:
		return k == data.KindFloat32
	case data.Float64:
		return k == data.KindFloat64
	case data.Boolean:
		return k == data.KindBool
	case data.String:
		return k == data.KindString
	case data.Bytes:
		return k == data.KindBytes || k == data.KindDecimal && s.Logical() == data.LogicalDecimal
	case data.Array:
		return k == data.KindArray
	case data.MapType:
		return k == data.KindMap
	case data.StructType:
		return k == data.KindStruct
	}
	return false
}

func (t *HeaderFrom) updated(s *data.Schema) (*data.Schema, error) {
	if s.Type() != data.StructType {
		return nil, connect.NewDataError("Cannot list fields on non-struct type", nil)
	}
	b := data.NewStructBuilder().Like(s)
	for _, f := range s.Fields() {
		if !slices.Contains(t.fields, f.Name) {
			b.Field(f.Name, f.Schema)
		}
	}
	return b.Build()
}
