package transform

import (
	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

const copyPurpose = "copying fields from value to key"

var valueToKeyDef = config.NewDef(
	config.Key{Name: "fields", Type: config.List, Required: true, Importance: config.High, Validate: config.NonEmptyUniqueList(),
		Doc: "The fields of the value that make the key, in this order."},
	replaceNullKey,
)

// replaceNullKey is a key that several classes share.
var replaceNullKey = config.Key{Name: "replace.null.with.default", Type: config.Boolean, Default: config.Default("true"), Importance: config.Medium,
	Doc: "Whether a null in a field that has a default is copied as the default."}

// ValueToKey replaces the key by a struct (or map, without a schema) of fields
// of the value.
type ValueToKey struct {
	fields  []string
	replace bool
	schemas schemaCache
}

var _ connect.Transformation = (*ValueToKey)(nil)

// Configure implements connect.Transformation.
func (t *ValueToKey) Configure(m config.Map) error {
	v, err := parse(valueToKeyDef, m)
	if err != nil {
		return err
	}
	t.fields, t.replace = v.List("fields"), v.Bool("replace.null.with.default")
	return nil
}

// Apply implements connect.Transformation.
func (t *ValueToKey) Apply(r *connect.Record) (bool, error) {
	if r.ValueSchema == nil {
		value, err := mapOf(r.Value, copyPurpose)
		if err != nil {
			return false, err
		}
		key := &data.Map{Entries: make([]data.Entry, len(t.fields))}
		for i, f := range t.fields {
			v, _ := value.Get(f)
			key.Entries[i] = data.Entry{Key: data.StringOf(f), Value: v}
		}
		r.KeySchema, r.Key = nil, data.MapOf(key)
		return true, nil
	}
	value, err := structOf(r.Value, copyPurpose)
	if err != nil {
		return false, err
	}
	schema, err := t.schemas.get(value.Schema(), t.keySchema)
	if err != nil {
		return false, err
	}
	key := data.NewStruct(schema)
	for i, f := range t.fields {
		v := value.At(value.Schema().Field(f))
		if v.IsNull() && t.replace {
			v, _ = schema.Fields()[i].Schema.Default()
		}
		if err := store(key, i, v); err != nil {
			return false, err
		}
	}
	r.KeySchema, r.Key = schema, data.StructOf(key)
	r.ValueSchema = value.Schema() // Java hands on the struct's own schema
	return true, nil
}

func (t *ValueToKey) keySchema(value *data.Schema) (*data.Schema, error) {
	b := data.NewStructBuilder()
	for _, f := range t.fields {
		i := value.Field(f)
		if i < 0 {
			return nil, connect.NewDataError("Field does not exist: "+f, nil)
		}
		b.Field(f, value.Fields()[i].Schema)
	}
	return b.Build()
}
