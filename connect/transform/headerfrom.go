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
			left := slices.DeleteFunc(slices.Clone(from.Entries), func(e data.Entry) bool { return slices.Contains(t.fields, e.Key.Str()) })
			t.side.set(r, nil, data.MapOf(&data.Map{Entries: left}))
		}
		r.Headers = headers
		return true, nil
	}
	from, err := structOf(value, purpose)
	if err != nil {
		return false, err
	}
	for i, f := range t.fields {
		at := from.Schema().Field(f)
		if at < 0 {
			return false, &connect.Error{Class: connect.ClassNullPointer, Kind: connect.Data,
				Message: `Cannot invoke "org.apache.kafka.connect.data.Field.schema()" because the return value of "org.apache.kafka.connect.data.Schema.field(String)" is null`,
				Remedy:  "The struct has no field " + f + ": correct fields."}
		}
		s := from.Schema().Fields()[at].Schema
		headers = append(headers, connect.Header{Key: t.headers[i], Schema: s, Value: withDefault(from.At(at), s, t.replace)})
	}
	if t.move {
		updated, err := t.schemas.get(from.Schema(), t.updated)
		if err != nil {
			return false, err
		}
		to := data.NewStruct(updated)
		for i, f := range updated.Fields() {
			to.Values()[i] = withDefault(from.At(from.Schema().Field(f.Name)), f.Schema, t.replace)
		}
		t.side.set(r, updated, data.StructOf(to))
	}
	r.Headers = headers
	return true, nil
}

func (t *HeaderFrom) updated(s *data.Schema) (*data.Schema, error) {
	b := data.NewStructBuilder().Like(s)
	for _, f := range s.Fields() {
		if !slices.Contains(t.fields, f.Name) {
			b.Field(f.Name, f.Schema)
		}
	}
	return b.Build()
}
