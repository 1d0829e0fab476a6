package data

import "unsafe"

// Struct is a value of a struct schema: one Value for each field, in schema order.
type Struct struct {
	schema *Schema
	values []Value
}

// NewStruct returns a struct with every field null.
func NewStruct(schema *Schema) *Struct {
	return &Struct{schema: schema, values: make([]Value, len(schema.fields))}
}

// MakeStruct returns a struct that owns values, which must have one element
// for each field of schema. It does not validate: it is the fast way for
// readers that fill values by the schema they made.
func MakeStruct(schema *Schema, values []Value) Struct {
	return Struct{schema: schema, values: values}
}

// StructOf returns a struct value that shares s.
func StructOf(s *Struct) Value { return Value{kind: KindStruct, ptr: unsafe.Pointer(s)} }

// Schema returns the struct's schema.
func (s *Struct) Schema() *Schema { return s.schema }

// Values returns the shared stored values, before defaults.
func (s *Struct) Values() []Value { return s.values }

// At returns the stored value of field i, before defaults.
func (s *Struct) At(i int) Value { return s.values[i] }

// Get returns the value of a field with the default in place of null. An
// unknown field is a DataException.
func (s *Struct) Get(name string) (Value, error) {
	i := s.schema.Field(name)
	if i < 0 {
		return Null, dataError(name + " is not a valid field name")
	}
	v := s.values[i]
	if v.IsNull() {
		if d, ok := s.schema.fields[i].Schema.Default(); ok {
			return d, nil
		}
	}
	return v, nil
}

// Put validates v against the field's schema and stores it. Null in a
// required field fails even when the field has a default (golden data-model).
func (s *Struct) Put(name string, v Value) error {
	i := s.schema.Field(name)
	if i < 0 {
		return dataError(name + " is not a valid field name")
	}
	f := &s.schema.fields[i]
	if err := ValidateField(f.Name, f.Schema, v); err != nil {
		return err
	}
	s.values[i] = v
	return nil
}
