package data

// Validate reports whether v may be a value of schema s, by its runtime type
// as Java's ConnectSchema does: no widening, a logical schema takes only its
// own class. The scale of a Decimal is not checked. The error names the
// location (golden data-model, op validate).
func Validate(s *Schema, v Value) error { return validate(s, v, "value") }

// ValidateField is Validate for the value of a field, which the error names.
func ValidateField(name string, s *Schema, v Value) error {
	if fits(s, v) { // the usual case, without building the location
		return nil
	}
	return validate(s, v, `field: "`+name+`"`)
}

// Validate reports whether every field that is set fits its schema and every
// field that is required, and has no default, is set.
func (s *Struct) Validate() error {
	for i := range s.schema.fields {
		f := &s.schema.fields[i]
		if s.values[i].IsNull() && (f.Schema.optional || f.Schema.hasDefault) {
			continue
		}
		if err := ValidateField(f.Name, f.Schema, s.values[i]); err != nil {
			return err
		}
	}
	return nil
}

// fits answers for the values whose kind alone decides. False means that
// validate must look closer.
func fits(s *Schema, v Value) bool {
	if v.kind == KindNull {
		return s.optional
	}
	return s.typ.Primitive() && v.kind == s.Kind()
}

func validate(s *Schema, v Value, location string) error {
	if v.IsNull() {
		if !s.optional {
			return dataError("Invalid value: null used for required " + location + ", schema type: " + s.typ.String())
		}
		return nil
	}
	if v.kind != s.Kind() {
		named := ""
		if s.hasName {
			named = ` "` + s.name + `"`
		}
		return dataError("Invalid Java object for schema" + named + " with type " + s.typ.String() + ": class " + v.JavaClass() + " for " + location)
	}
	switch v.kind {
	case KindStruct:
		if !v.Struct().schema.Equal(s) {
			return dataError("Struct schemas do not match.")
		}
		return v.Struct().Validate()
	case KindArray:
		for _, e := range v.Array() {
			if s.elem != nil && !fits(s.elem, e) {
				if err := validate(s.elem, e, "element of array "+location); err != nil {
					return err
				}
			}
		}
	case KindMap:
		for _, e := range v.Map().Entries {
			if s.key != nil && !fits(s.key, e.Key) {
				if err := validate(s.key, e.Key, "key of map "+location); err != nil {
					return err
				}
			}
			if s.elem != nil && !fits(s.elem, e.Value) {
				if err := validate(s.elem, e.Value, "value of map "+location); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

var typeKinds = [...]Kind{
	Int8: KindInt8, Int16: KindInt16, Int32: KindInt32, Int64: KindInt64,
	Float32: KindFloat32, Float64: KindFloat64, Boolean: KindBool, String: KindString,
	Bytes: KindBytes, Array: KindArray, MapType: KindMap, StructType: KindStruct,
}

// Kind returns the one runtime type that values of s have.
func (s *Schema) Kind() Kind {
	switch s.Logical() {
	case LogicalDecimal:
		return KindDecimal
	case LogicalDate, LogicalTime, LogicalTimestamp:
		return KindInstant
	}
	return typeKinds[s.typ]
}
