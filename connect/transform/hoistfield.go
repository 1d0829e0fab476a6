package transform

import (
	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var hoistFieldDef = config.NewDef(config.Key{Name: "field", Type: config.String, Required: true, Importance: config.Medium,
	Doc: "The name of the one field of the struct (or map, without a schema) that the key or value becomes."})

// HoistField wraps a key or value in a struct, or in a map without a schema.
type HoistField struct {
	side    side
	field   string
	schemas schemaCache
}

var _ connect.Transformation = (*HoistField)(nil)

// Configure implements connect.Transformation.
func (t *HoistField) Configure(m config.Map) error {
	v, err := parse(hoistFieldDef, m)
	if err == nil {
		t.field = v.String("field")
	}
	return err
}

// Apply implements connect.Transformation.
func (t *HoistField) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	if schema == nil {
		t.side.set(r, nil, data.MapOf(&data.Map{Entries: []data.Entry{{Key: data.StringOf(t.field), Value: value}}}))
		return true, nil
	}
	hoisted, err := t.schemas.get(schema, func(s *data.Schema) (*data.Schema, error) {
		return data.NewStructBuilder().Field(t.field, s).Build()
	})
	if err != nil {
		return false, err
	}
	wrapped := data.NewStruct(hoisted)
	if err := wrapped.Put(t.field, value); err != nil {
		return false, err
	}
	t.side.set(r, hoisted, data.StructOf(wrapped))
	return true, nil
}
