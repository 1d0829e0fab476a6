package data

import "slices"

// Param is one entry of a schema's parameters, which keep insertion order.
type Param struct{ Key, Value string }

// Field is one field of a struct schema.
type Field struct {
	Name   string
	Index  int
	Schema *Schema
}

// Schema describes values. It is immutable; make one with a Builder.
type Schema struct {
	typ        Type
	optional   bool
	hasName    bool
	hasVersion bool
	hasDoc     bool
	hasDefault bool
	version    int32
	name, doc  string
	params     []Param
	fields     []Field
	index      map[string]int
	key, elem  *Schema
	def        Value
}

// Type returns the schema's type.
func (s *Schema) Type() Type { return s.typ }

// Optional reports whether null is allowed.
func (s *Schema) Optional() bool { return s.optional }

// Name returns the name, which is empty when there is none.
func (s *Schema) Name() string { return s.name }

// HasName tells an empty name from none.
func (s *Schema) HasName() bool { return s.hasName }

// Version returns the version and whether there is one.
func (s *Schema) Version() (int32, bool) { return s.version, s.hasVersion }

// Doc returns the documentation and whether there is any.
func (s *Schema) Doc() (string, bool) { return s.doc, s.hasDoc }

// Default returns the default value and whether there is one.
func (s *Schema) Default() (Value, bool) { return s.def, s.hasDefault }

// Params returns the shared parameters in insertion order; nil means none.
func (s *Schema) Params() []Param { return s.params }

// Param returns one parameter and whether it is set.
func (s *Schema) Param(key string) (string, bool) {
	for _, p := range s.params {
		if p.Key == key {
			return p.Value, true
		}
	}
	return "", false
}

// Fields returns the shared fields of a struct schema.
func (s *Schema) Fields() []Field { return s.fields }

// Field returns the index of a field, or -1.
func (s *Schema) Field(name string) int {
	if s.index == nil { // few fields: a scan beats a map
		for i := range s.fields {
			if s.fields[i].Name == name {
				return i
			}
		}
		return -1
	}
	if i, ok := s.index[name]; ok {
		return i
	}
	return -1
}

// Key returns the schema of a map's keys.
func (s *Schema) Key() *Schema { return s.key }

// Elem returns the schema of an array's elements or a map's values.
func (s *Schema) Elem() *Schema { return s.elem }

// String returns the form that messages use: Schema{name:TYPE} or Schema{TYPE}.
func (s *Schema) String() string {
	if s == nil {
		return "null"
	}
	if s.hasName {
		return "Schema{" + s.name + ":" + s.typ.String() + "}"
	}
	return "Schema{" + s.typ.String() + "}"
}

// Equal reports whether two schemas (either may be nil) are equal in every
// attribute. The order of parameters does not matter, that of fields does.
func (s *Schema) Equal(o *Schema) bool {
	if s == o {
		return true
	}
	if s == nil || o == nil || s.typ != o.typ || s.optional != o.optional ||
		s.hasName != o.hasName || s.name != o.name || s.hasVersion != o.hasVersion || s.version != o.version ||
		s.hasDoc != o.hasDoc || s.doc != o.doc || s.hasDefault != o.hasDefault ||
		len(s.params) != len(o.params) || len(s.fields) != len(o.fields) {
		return false
	}
	if !s.key.Equal(o.key) || !s.elem.Equal(o.elem) || s.hasDefault && !s.def.Equal(o.def) {
		return false
	}
	for i := range s.fields {
		if s.fields[i].Name != o.fields[i].Name || !s.fields[i].Schema.Equal(o.fields[i].Schema) {
			return false
		}
	}
	for _, p := range s.params {
		if !slices.Contains(o.params, p) {
			return false
		}
	}
	return true
}

// Schemas without attributes; share them rather than build them again.
var (
	Int8Schema            = &Schema{typ: Int8}
	Int16Schema           = &Schema{typ: Int16}
	Int32Schema           = &Schema{typ: Int32}
	Int64Schema           = &Schema{typ: Int64}
	Float32Schema         = &Schema{typ: Float32}
	Float64Schema         = &Schema{typ: Float64}
	BooleanSchema         = &Schema{typ: Boolean}
	StringSchema          = &Schema{typ: String}
	BytesSchema           = &Schema{typ: Bytes}
	OptionalInt8Schema    = &Schema{typ: Int8, optional: true}
	OptionalInt16Schema   = &Schema{typ: Int16, optional: true}
	OptionalInt32Schema   = &Schema{typ: Int32, optional: true}
	OptionalInt64Schema   = &Schema{typ: Int64, optional: true}
	OptionalFloat32Schema = &Schema{typ: Float32, optional: true}
	OptionalFloat64Schema = &Schema{typ: Float64, optional: true}
	OptionalBooleanSchema = &Schema{typ: Boolean, optional: true}
	OptionalStringSchema  = &Schema{typ: String, optional: true}
	OptionalBytesSchema   = &Schema{typ: Bytes, optional: true}
)
