package data

import (
	"slices"
	"strconv"
)

// Builder makes one schema. Its methods return it, so that calls chain; the
// first error is kept and returned by Build. Not safe for concurrent use.
type Builder struct {
	s       Schema
	err     error
	untyped bool
}

// NewBuilder starts a schema of a type. Arrays and maps need Items (and Keys).
func NewBuilder(t Type) *Builder { return &Builder{s: Schema{typ: t}} }

// NewStructBuilder starts a struct schema.
func NewStructBuilder() *Builder { return NewBuilder(StructType) }

// NewDecimalBuilder starts the logical type Decimal with a scale.
func NewDecimalBuilder(scale int32) *Builder {
	return NewBuilder(Bytes).Named(DecimalName).Version(1).Param(DecimalScale, strconv.Itoa(int(scale)))
}

// NewDateBuilder starts the logical type Date (days since the epoch).
func NewDateBuilder() *Builder { return NewBuilder(Int32).Named(DateName).Version(1) }

// NewTimeBuilder starts the logical type Time (milliseconds of the day).
func NewTimeBuilder() *Builder { return NewBuilder(Int32).Named(TimeName).Version(1) }

// NewTimestampBuilder starts the logical type Timestamp (milliseconds since the epoch).
func NewTimestampBuilder() *Builder { return NewBuilder(Int64).Named(TimestampName).Version(1) }

// Optional allows null.
func (b *Builder) Optional() *Builder { b.s.optional = true; return b }

// SetOptional allows null when optional is true.
func (b *Builder) SetOptional(optional bool) *Builder { b.s.optional = optional; return b }

// Named sets the name.
func (b *Builder) Named(name string) *Builder { b.s.name, b.s.hasName = name, true; return b }

// Version sets the version.
func (b *Builder) Version(v int32) *Builder { b.s.version, b.s.hasVersion = v, true; return b }

// Doc sets the documentation.
func (b *Builder) Doc(doc string) *Builder { b.s.doc, b.s.hasDoc = doc, true; return b }

// Param sets one parameter; a repeated key keeps its place.
func (b *Builder) Param(key, value string) *Builder {
	for i := range b.s.params {
		if b.s.params[i].Key == key {
			b.s.params[i].Value = value
			return b
		}
	}
	b.s.params = append(b.s.params, Param{key, value})
	return b
}

// Keys sets the key schema of a map.
func (b *Builder) Keys(s *Schema) *Builder { b.s.key = s; return b }

// Items sets the element schema of an array or the value schema of a map.
func (b *Builder) Items(s *Schema) *Builder { b.s.elem = s; return b }

// Untyped lets Build accept an array or a map without a schema of its elements
// or keys: what ParseText makes of [] and of elements of several types.
func (b *Builder) Untyped() *Builder { b.untyped = true; return b }

// Field adds a field to a struct schema.
func (b *Builder) Field(name string, s *Schema) *Builder {
	if b.err != nil {
		return b
	}
	if name == "" {
		b.err = builderError("fieldName cannot be null.", nil)
		return b
	}
	if s == nil {
		b.err = builderError("fieldSchema for field "+name+" cannot be null.", nil)
		return b
	}
	if b.s.Field(name) >= 0 {
		b.err = builderError("Cannot create field because of field name duplication "+name, nil)
		return b
	}
	i := len(b.s.fields)
	b.s.fields = append(b.s.fields, Field{name, i, s})
	if b.s.index != nil {
		b.s.index[name] = i
	} else if i >= 16 {
		b.s.index = make(map[string]int, 32)
		for _, f := range b.s.fields {
			b.s.index[f.Name] = f.Index
		}
	}
	return b
}

// Default sets the default value, which Build validates.
func (b *Builder) Default(v Value) *Builder { b.s.def, b.s.hasDefault = v, true; return b }

// Like copies name, version, doc and parameters from s.
func (b *Builder) Like(s *Schema) *Builder {
	b.s.name, b.s.hasName = s.name, s.hasName
	b.s.version, b.s.hasVersion = s.version, s.hasVersion
	b.s.doc, b.s.hasDoc = s.doc, s.hasDoc
	b.s.params = slices.Clone(s.params)
	return b
}

// Build returns the schema. The errors are those of Java's SchemaBuilder:
// duplicate or empty field names, a missing element schema, a default that
// does not fit (golden data-model, op buildSchema).
func (b *Builder) Build() (*Schema, error) {
	if b.err != nil {
		return nil, b.err
	}
	s := b.s
	switch {
	case b.untyped:
	case s.typ == MapType && s.key == nil:
		return nil, builderError("keySchema cannot be null.", nil)
	case (s.typ == Array || s.typ == MapType) && s.elem == nil:
		return nil, builderError("valueSchema cannot be null.", nil)
	}
	if s.hasDefault && !s.def.IsNull() {
		own := s
		own.def, own.hasDefault = Null, false // a default struct lies on the schema as it is without the default
		if err := Validate(&own, s.def); err != nil {
			return nil, builderError("Invalid default value", err)
		}
	}
	s.fields = slices.Clone(s.fields)
	s.params = slices.Clone(s.params)
	return &s, nil
}

// MustBuild is Build for schemas known to be right; it panics on an error.
func (b *Builder) MustBuild() *Schema {
	s, err := b.Build()
	if err != nil {
		panic(err)
	}
	return s
}

func builderError(message string, cause error) error {
	return &Error{Class: "org.apache.kafka.connect.errors.SchemaBuilderException", Message: message, Cause: cause}
}

// Err returns the first error so far, without building.
func (b *Builder) Err() error { return b.err }
