package transform

import (
	"fmt"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

const flattenPurpose = "flattening"

var flattenDef = config.NewDef(config.Key{Name: "delimiter", Type: config.String, Default: config.Default("."), Importance: config.Medium,
	Doc: "What stands between the names of outer and inner fields."})

// Flatten makes one level of nested structs, or of nested maps without a schema.
type Flatten struct {
	side      side
	delimiter string
	schemas   schemaCache
}

var _ connect.Transformation = (*Flatten)(nil)

// Configure implements connect.Transformation.
func (t *Flatten) Configure(m config.Map) error {
	v, err := parse(flattenDef, m)
	if err == nil {
		t.delimiter = v.String("delimiter")
	}
	return err
}

// Apply implements connect.Transformation.
func (t *Flatten) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	if value.IsNull() {
		return true, nil
	}
	if schema == nil {
		from, err := mapOf(value, flattenPurpose)
		if err != nil {
			return false, err
		}
		to := &data.Map{}
		if err := t.flattenMap(to, from, ""); err != nil {
			return false, err
		}
		t.side.set(r, nil, data.MapOf(to))
		return true, nil
	}
	from, err := structOf(value, flattenPurpose)
	if err != nil {
		return false, err
	}
	updated, err := t.schemas.get(schema, t.flattenSchema)
	if err != nil {
		return false, err
	}
	to := data.NewStruct(updated)
	at := 0
	t.flattenStruct(to.Values(), &at, from.Schema(), from)
	t.side.set(r, updated, data.StructOf(to))
	return true, nil
}

func (t *Flatten) name(prefix, field string) string {
	if prefix == "" {
		return field
	}
	return prefix + t.delimiter + field
}

func (t *Flatten) flattenMap(to, from *data.Map, prefix string) error {
	for _, e := range from.Entries {
		name := t.name(prefix, e.Key.Str())
		switch e.Value.Kind() {
		case data.KindMap:
			if err := t.flattenMap(to, e.Value.Map(), name); err != nil {
				return err
			}
		case data.KindNull, data.KindBool, data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64,
			data.KindFloat32, data.KindFloat64, data.KindString, data.KindBytes, data.KindArray:
			to.Put(name, e.Value)
		case data.KindStruct:
			return connect.NewDataError(fmt.Sprintf("Flatten transformation does not support class %s for record without schemas (for field %s).", e.Value.JavaClass(), name), nil)
		case data.KindDecimal, data.KindBigInt, data.KindInstant, data.KindObject:
			return connect.NewDataError("Flatten transformation was passed a value of type class "+e.Value.JavaClass()+" which is not supported by Connect's data API", nil)
		}
	}
	return nil
}

func (t *Flatten) flattenSchema(s *data.Schema) (*data.Schema, error) {
	b := data.NewStructBuilder().Like(s)
	def, _ := s.Default()
	if err := t.addFields(b, s, "", s.Optional(), def); err != nil {
		return nil, err
	}
	return b.Build()
}

// addFields adds the fields of s. A field is optional when it or one around it
// is; its default is its own, or that of the struct around it.
func (t *Flatten) addFields(b *data.Builder, s *data.Schema, prefix string, optional bool, around data.Value) error {
	for _, f := range s.Fields() {
		name := t.name(prefix, f.Name)
		def, has := f.Schema.Default()
		if !has && around.Kind() == data.KindStruct {
			def, _ = around.Struct().Get(f.Name) // a field of its own schema
		}
		inner := optional || f.Schema.Optional()
		switch {
		case f.Schema.Type() == data.StructType:
			if err := t.addFields(b, f.Schema, name, inner, def); err != nil {
				return err
			}
		case f.Schema.Type() == data.MapType:
			return connect.NewDataError(fmt.Sprintf("Flatten transformation does not support %s for record with schemas (for field %s).", f.Schema.Type(), name), nil)
		default:
			field := data.NewBuilder(f.Schema.Type()).Like(f.Schema).Items(f.Schema.Elem()).SetOptional(inner)
			if !def.IsNull() {
				field.Default(def)
			}
			flat, err := field.Build()
			if err != nil {
				return err
			}
			b.Field(name, flat)
		}
	}
	return nil
}

// flattenStruct fills values from at on with the fields of a struct, or with
// nulls where the struct is null.
func (t *Flatten) flattenStruct(values []data.Value, at *int, s *data.Schema, from *data.Struct) {
	for i, f := range s.Fields() {
		v := data.Null
		if from != nil {
			v = withDefault(from.At(i), f.Schema, true)
		}
		if f.Schema.Type() == data.StructType {
			var inner *data.Struct
			if v.Kind() == data.KindStruct {
				inner = v.Struct()
			}
			t.flattenStruct(values, at, f.Schema, inner)
			continue
		}
		values[*at] = v
		*at++
	}
}
