package data

import "strings"

// Project turns a value of schema source into one of schema target, as Java's
// SchemaProjector does: numbers widen, structs keep the fields that target
// has, defaults fill the missing ones. The errors have the class
// SchemaProjectorException (golden data-model, op project).
func Project(source *Schema, v Value, target *Schema) (Value, error) {
	switch {
	case source.typ != target.typ && !promotable(source.typ, target.typ):
		return Null, projectorError("Schema type mismatch. source type: "+source.typ.String()+" and target type: "+target.typ.String(), nil)
	case source.hasName != target.hasName || source.name != target.name:
		return Null, projectorError("Schema name mismatch. source name: "+nameText(source)+" and target name: "+nameText(target), nil)
	case !sameParams(source.params, target.params):
		return Null, projectorError("Schema parameters not equal. source parameters: "+paramsText(source.params)+
			" and target parameters: "+paramsText(target.params), nil)
	}
	if source.optional && !target.optional && !target.hasDefault {
		return Null, projectorError("Writer schema is optional, however, target schema does not provide a default value.", nil)
	}
	if v.IsNull() {
		if source.optional && !target.optional {
			return target.def, nil
		}
		return Null, nil
	}
	switch target.typ {
	case StructType:
		return projectStruct(v.Struct(), target)
	case Array:
		elements := make([]Value, len(v.Array()))
		for i, e := range v.Array() {
			p, err := Project(source.elem, e, target.elem)
			if err != nil {
				return Null, err
			}
			elements[i] = p
		}
		return ArrayOf(elements), nil
	case MapType:
		m := &Map{Entries: make([]Entry, len(v.Map().Entries))}
		for i, e := range v.Map().Entries {
			key, err := Project(source.key, e.Key, target.key)
			if err != nil {
				return Null, err
			}
			value, err := Project(source.elem, e.Value, target.elem)
			if err != nil {
				return Null, err
			}
			m.Entries[i] = Entry{key, value}
		}
		return MapOf(m), nil
	}
	return widen(v, target.typ), nil
}

func projectStruct(from *Struct, target *Schema) (Value, error) {
	to := NewStruct(target)
	for i := range target.fields {
		f := &target.fields[i]
		j := from.schema.Field(f.Name)
		if j < 0 {
			if f.Schema.optional {
				continue // null, even when there is a default
			}
			if !f.Schema.hasDefault {
				return Null, projectorError("Required field `"+f.Name+"` is missing from source schema: "+from.schema.String(), nil)
			}
			to.values[i] = f.Schema.def
			continue
		}
		v, err := from.Get(f.Name)
		if err != nil {
			return Null, err
		}
		if v, err = Project(from.schema.fields[j].Schema, v, f.Schema); err != nil {
			if e, ok := err.(*Error); ok && e.Class == projectorClass { //nolint:errorlint // this link, not a cause
				err = projectorError("Error projecting "+f.Name, err)
			}
			return Null, err
		}
		if err := to.Put(f.Name, v); err != nil {
			return Null, err
		}
	}
	return StructOf(to), nil
}

// promotable tells whether a number widens to t; the types are in that order.
func promotable(from, to Type) bool { return from <= to && to <= Float64 }

// widen returns a number as t; values that are no numbers stay as they are.
func widen(v Value, t Type) Value {
	var f float64
	switch {
	case t > Float64:
		return v
	case v.kind >= KindInt8 && v.kind <= KindInt64:
		switch t {
		case Int8:
			return Int8Of(int8(v.Int()))
		case Int16:
			return Int16Of(int16(v.Int()))
		case Int32:
			return Int32Of(int32(v.Int()))
		case Int64:
			return Int64Of(v.Int())
		case Float32:
			return Float32Of(float32(v.Int())) // from the integer, not through a double: one rounding
		}
		f = float64(v.Int())
	case v.kind == KindFloat32:
		f = float64(v.Float32())
	default:
		return v
	}
	if t == Float32 {
		return v
	}
	return Float64Of(f)
}

func nameText(s *Schema) string {
	if !s.hasName {
		return "null"
	}
	return s.name
}

func sameParams(a, b []Param) bool {
	if len(a) != len(b) {
		return false
	}
	for _, p := range a {
		found := false
		for _, q := range b {
			found = found || p == q
		}
		if !found {
			return false
		}
	}
	return true
}

func paramsText(params []Param) string {
	if len(params) == 0 {
		return "null"
	}
	texts := make([]string, len(params))
	for i, p := range params {
		texts[i] = p.Key + "=" + p.Value
	}
	return "{" + strings.Join(texts, ", ") + "}"
}

const projectorClass = "org.apache.kafka.connect.errors.SchemaProjectorException"

func projectorError(message string, cause error) error {
	return &Error{Class: projectorClass, Message: message, Cause: cause}
}
