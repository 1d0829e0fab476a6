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
	alike, err := flattenStruct(to, &at, schema, from)
	if err == nil && !alike {
		err = t.flattenByName(to, from, "")
	}
	if err != nil {
		return false, err
	}
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
		var name string
		switch e.Key.Kind() {
		case data.KindString:
			name = t.name(prefix, e.Key.Str())
		case data.KindNull:
			name = t.name(prefix, "null")
		default:
			return wrongClass(e.Key, stringClass)
		}
		nameless := prefix == "" && e.Key.IsNull() // stays the key null
		switch e.Value.Kind() {
		case data.KindMap:
			inner := e.Value.Map()
			if nameless && len(inner.Entries) > 0 {
				return &connect.Error{Class: connect.ClassNullPointer, Kind: connect.Data, Message: `Cannot invoke "String.isEmpty()" because "prefix" is null`}
			}
			if err := t.flattenMap(to, inner, name); err != nil {
				return err
			}
		case data.KindNull, data.KindBool, data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64,
			data.KindFloat32, data.KindFloat64, data.KindString, data.KindBytes, data.KindArray:
			if nameless {
				to.Entries = append(to.Entries, e)
				continue
			}
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
	if s.Type() != data.StructType {
		return nil, connect.NewDataError("Cannot list fields on non-struct type", nil)
	}
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
			return mapInStruct(name)
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

func mapInStruct(name string) error {
	return connect.NewDataError(fmt.Sprintf("Flatten transformation does not support %s for record with schemas (for field %s).", data.MapType, name), nil)
}

// flattenStruct fills the fields from at on with those of a struct, or leaves
// them null where the struct is null. It goes by position, without building a
// name, and gives up with false at a struct that is not of the schema s.
func flattenStruct(to *data.Struct, at *int, s *data.Schema, from *data.Struct) (alike bool, err error) {
	if from != nil && from.Schema() != s {
		return false, nil
	}
	for i, f := range s.Fields() {
		if f.Schema.Type() == data.StructType {
			inner, err := innerStruct(from, i)
			if err != nil {
				return false, err
			}
			if alike, err := flattenStruct(to, at, f.Schema, inner); err != nil || !alike {
				return false, err
			}
			continue
		}
		if from != nil {
			if err := store(to, *at, withDefault(from.At(i), f.Schema, true)); err != nil {
				return false, err
			}
		}
		*at++
	}
	return true, nil
}

// flattenByName is flattenStruct for structs whose schema, or that of a struct
// in them, is not the one of the record.
func (t *Flatten) flattenByName(to, from *data.Struct, prefix string) error {
	for i, f := range from.Schema().Fields() {
		name := t.name(prefix, f.Name)
		switch f.Schema.Type() {
		case data.MapType:
			return mapInStruct(name)
		case data.StructType:
			inner, err := innerStruct(from, i)
			if err == nil && inner != nil {
				err = t.flattenByName(to, inner, name)
			}
			if err != nil {
				return err
			}
		default:
			at := to.Schema().Field(name)
			if at < 0 {
				return connect.NewDataError(name+" is not a valid field name", nil)
			}
			if err := store(to, at, withDefault(from.At(i), f.Schema, true)); err != nil {
				return err
			}
		}
	}
	return nil
}

// innerStruct returns the struct in field i, nil for null: the default of a
// struct does not count here, only those of the fields in it.
func innerStruct(from *data.Struct, i int) (*data.Struct, error) {
	if from == nil || from.At(i).IsNull() {
		return nil, nil
	}
	if from.At(i).Kind() != data.KindStruct {
		return nil, wrongClass(from.At(i), structClass)
	}
	return from.At(i).Struct(), nil
}
