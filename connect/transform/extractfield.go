package transform

import (
	"kconnect/connect"
	"kconnect/connect/config"
)

const extractPurpose = "field extraction"

var extractFieldDef = config.NewDef(
	config.Key{Name: "field", Type: config.String, Required: true, Importance: config.Medium, Doc: "The field whose value replaces the whole."},
	replaceNullKey,
	pathSyntaxKey,
)

// ExtractField replaces a key or value by one of its fields.
type ExtractField struct {
	side    side
	path    *fieldPath
	replace bool
}

var _ connect.Transformation = (*ExtractField)(nil)

// Configure implements connect.Transformation.
func (t *ExtractField) Configure(m config.Map) error {
	v, err := parse(extractFieldDef, m)
	if err != nil {
		return err
	}
	t.replace = v.Bool("replace.null.with.default")
	t.path, err = newFieldPath(v.String("field"), v.String("field.syntax.version") != "V1" && v.String("field.syntax.version") != "v1")
	return err
}

// Apply implements connect.Transformation.
func (t *ExtractField) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	if schema == nil {
		if value.IsNull() {
			return true, nil
		}
		m, err := mapOf(value, extractPurpose)
		if err != nil {
			return false, err
		}
		v, err := t.path.inMap(m)
		if err != nil {
			return false, err
		}
		t.side.set(r, nil, v)
		return true, nil
	}
	if !value.IsNull() {
		if _, err := structOf(value, extractPurpose); err != nil {
			return false, err
		}
	}
	field, err := t.path.inSchema(schema)
	if err != nil {
		return false, err
	}
	if field == nil {
		return false, &connect.Error{Class: connect.ClassIllegalArgument, Kind: connect.Data, Message: "Unknown field: " + t.path.text}
	}
	if !value.IsNull() {
		if value, err = t.path.inStruct(value.Struct(), t.replace); err != nil {
			return false, err
		}
	}
	t.side.set(r, field, value)
	return true, nil
}
