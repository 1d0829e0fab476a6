package transform

import (
	"fmt"

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
	schemas schemaCache
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
	updated, err := t.schemas.get(schema, t.update)
	if err != nil {
		return false, err
	}
	if value.Kind() == data.KindStruct {
		from := value.Struct()
		s := data.NewStruct(updated)
		for i, f := range updated.Fields() {
			if i >= len(from.Values()) { // a struct of another schema than the record's; Java reads by position
				return false, &connect.Error{Class: "java.lang.ArrayIndexOutOfBoundsException", Kind: connect.Data,
					Message: fmt.Sprintf("Index %d out of bounds for length %d", i, len(from.Values()))}
			}
			if err := store(s, i, withDefault(from.At(i), f.Schema, t.replace)); err != nil {
				return false, err
			}
		}
		value = data.StructOf(s)
	}
	t.side.set(r, updated, value)
	return true, nil
}

// update works on structs only, as the Java class does.
func (t *SetSchemaMetadata) update(s *data.Schema) (*data.Schema, error) {
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
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if d, ok := s.Default(); ok {
		b.Default(d)
	}
	return b.Build()
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
