package transform

import (
	"math/big"
	"slices"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

const maskPurpose = "mask fields"

var maskFieldDef = config.NewDef(
	config.Key{Name: "fields", Type: config.List, Required: true, Importance: config.High, Validate: config.NonEmptyUniqueList(), Doc: "The fields that are masked."},
	config.Key{Name: "replacement", Type: config.String, Importance: config.Low, Validate: config.NonEmpty(),
		Doc: "What stands in place of texts and numbers. Without it a field gets the empty value of its type."},
	replaceNullKey,
)

// MaskField replaces the values of fields by empty ones or by a replacement.
type MaskField struct {
	side        side
	fields      []string
	replacement *string
	replace     bool
}

var _ connect.Transformation = (*MaskField)(nil)

// Configure implements connect.Transformation.
func (t *MaskField) Configure(m config.Map) error {
	v, err := parse(maskFieldDef, m)
	if err != nil {
		return err
	}
	t.fields, t.replace = v.List("fields"), v.Bool("replace.null.with.default")
	if text, ok := v.OptString("replacement"); ok {
		t.replacement = &text
	}
	return nil
}

// Apply implements connect.Transformation.
func (t *MaskField) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	if schema == nil {
		from, err := mapOf(value, maskPurpose)
		if err != nil {
			return false, err
		}
		to := &data.Map{Entries: append([]data.Entry(nil), from.Entries...)}
		for _, f := range t.fields {
			v, _ := from.Get(f)
			if v, err = t.mask(v); err != nil {
				return false, err
			}
			to.Put(f, v) // also one that was not there, as null
		}
		t.side.set(r, nil, data.MapOf(to))
		return true, nil
	}
	from, err := structOf(value, maskPurpose)
	if err != nil {
		return false, err
	}
	to := data.NewStruct(from.Schema())
	for i, f := range from.Schema().Fields() {
		v := withDefault(from.At(i), f.Schema, t.replace)
		if slices.Contains(t.fields, f.Name) {
			if v, err = t.mask(v); err != nil {
				return false, err
			}
		}
		if err := store(to, i, v); err != nil {
			return false, err
		}
	}
	t.side.set(r, schema, data.StructOf(to))
	return true, nil
}

func (t *MaskField) mask(v data.Value) (data.Value, error) {
	if v.IsNull() {
		return v, nil
	}
	if t.replacement != nil {
		return t.substitute(v)
	}
	switch v.Kind() {
	case data.KindBool:
		return data.BoolOf(false), nil
	case data.KindInt8:
		return data.Int8Of(0), nil
	case data.KindInt16:
		return data.Int16Of(0), nil
	case data.KindInt32:
		return data.Int32Of(0), nil
	case data.KindInt64:
		return data.Int64Of(0), nil
	case data.KindFloat32:
		return data.Float32Of(0), nil
	case data.KindFloat64:
		return data.Float64Of(0), nil
	case data.KindString:
		return data.StringOf(""), nil
	case data.KindDecimal:
		return data.DecimalOf(data.NewDecimal(0, 0)), nil
	case data.KindBigInt:
		return data.BigIntOf(new(big.Int)), nil
	case data.KindInstant:
		return data.InstantOf(0), nil
	case data.KindArray:
		return data.ArrayOf(nil), nil
	case data.KindMap:
		return data.MapOf(&data.Map{}), nil
	case data.KindNull, data.KindBytes, data.KindStruct, data.KindObject:
	}
	return v, connect.NewDataError("Cannot mask value of type: class "+v.JavaClass(), nil)
}

// substitute reads the replacement as the type of v.
func (t *MaskField) substitute(v data.Value) (data.Value, error) {
	text := *t.replacement
	if v.Kind() == data.KindBigInt {
		d, ok := parseWhole(text)
		if !ok {
			return v, connect.NewDataError("Unable to convert "+text+" (class java.lang.String) to number",
				&connect.Error{Class: "java.lang.NumberFormatException", Kind: connect.Data, Message: `For input string: "` + text + `"`})
		}
		return data.BigIntOf(d.Unscaled()), nil
	}
	var d data.Decimal
	var whole int64
	switch v.Kind() {
	case data.KindString:
		return data.StringOf(text), nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64, data.KindFloat32, data.KindFloat64, data.KindDecimal:
		var err error
		if d, err = data.ParseBigDecimal(text); err != nil {
			number := "a number"
			if v.Kind() == data.KindDecimal {
				number = "number"
			}
			return v, connect.NewDataError("Unable to convert "+text+" (class java.lang.String) to "+number, err)
		}
		whole, _ = d.Int64()
	case data.KindNull, data.KindBool, data.KindBytes, data.KindBigInt, data.KindInstant, data.KindArray, data.KindMap, data.KindStruct, data.KindObject:
		return v, connect.NewDataError("Cannot mask value of type class "+v.JavaClass()+" with custom replacement.", nil)
	}
	switch v.Kind() {
	case data.KindInt8:
		return data.Int8Of(int8(whole)), nil
	case data.KindInt16:
		return data.Int16Of(int16(whole)), nil
	case data.KindInt32:
		return data.Int32Of(int32(whole)), nil
	case data.KindInt64:
		return data.Int64Of(whole), nil
	case data.KindFloat32:
		return data.Float32Of(float32(d.Float64())), nil // rounded twice, as in Java
	case data.KindFloat64:
		return data.Float64Of(d.Float64()), nil
	default:
		return data.DecimalOf(d), nil
	}
}
