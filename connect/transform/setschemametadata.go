package transform

import (
	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var setSchemaMetadataDef = config.NewDef(
	config.Key{Name: "schema.name", Type: config.String, Importance: config.High, Doc: "The new name of the schema."},
	config.Key{Name: "schema.version", Type: config.Int, Importance: config.High, Doc: "The new version of the schema."},
	replaceNullKey,
)

// SetSchemaMetadata changes name and version of a struct schema.
type SetSchemaMetadata struct {
	side    side
	name    *string
	version *int32
	replace bool
	schemas derived[*arrangement]
}

var _ connect.Transformation = (*SetSchemaMetadata)(nil)

// Configure implements connect.Transformation.
func (t *SetSchemaMetadata) Configure(m config.Map) error {
	v, err := parse(setSchemaMetadataDef, m)
	if err != nil {
		return err
	}
	if name, ok := v.OptString("schema.name"); ok {
		t.name = &name
	}
	if n, ok := v.OptInt("schema.version"); ok {
		version := int32(n)
		t.version = &version
	}
	t.replace = v.Bool("replace.null.with.default")
	if t.name == nil && t.version == nil {
		return &config.Error{Whole: true, Message: "Neither schema name nor version configured"}
	}
	return nil
}

// Apply implements connect.Transformation.
func (t *SetSchemaMetadata) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	if schema == nil {
		if value.IsNull() {
			return true, nil
		}
		return false, connect.NewDataError("Schema required for [updating schema metadata]", nil)
	}
	if value.Kind() == data.KindStruct {
		return true, rearrange(t, &t.schemas, r, schema, value.Struct())
	}
	a, err := t.schemas.get(schema, t.arrange)
	if err != nil {
		return false, err
	}
	t.side.set(r, a.schema, value)
	return true, nil
}

func (t *SetSchemaMetadata) arranges() side { return t.side }

// arrange works on structs only, as the Java class does.
func (t *SetSchemaMetadata) arrange(s *data.Schema) (*arrangement, error) {
	if s.Type() != data.StructType {
		return nil, connect.NewDataError("Cannot list fields on non-struct type", nil)
	}
	b := data.NewStructBuilder().Like(s).SetOptional(s.Optional())
	if t.name != nil {
		b.Named(*t.name)
	}
	if t.version != nil {
		b.Version(*t.version)
	}
	a := &arrangement{}
	for i, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
		a.fields = append(a.fields, copied(&f, i, t.replace))
	}
	if d, ok := s.Default(); ok {
		b.Default(d)
	}
	var err error
	a.schema, err = b.Build()
	return a, err
}

// store puts a value into field i of a struct, which must allow it: Java
// validates each field that it copies, too, so a null in a required field
// fails here and not in the converter.
func store(s *data.Struct, i int, v data.Value) error {
	f := &s.Schema().Fields()[i]
	if err := data.ValidateField(f.Name, f.Schema, v); err != nil {
		return err
	}
	s.Values()[i] = v
	return nil
}

// withDefault returns the default of a schema in place of null.
func withDefault(v data.Value, s *data.Schema, replace bool) data.Value {
	if v.IsNull() && replace {
		v, _ = s.Default()
	}
	return v
}
