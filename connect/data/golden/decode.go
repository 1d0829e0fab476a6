package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"unicode/utf8"

	"kconnect/connect/data"
)

// Schema reads the notation of a schema; null gives nil. A schema that Java's
// builder refuses is the builder's error.
func Schema(raw json.RawMessage) (*data.Schema, error) {
	var n *struct {
		Type       string            `json:"type"`
		Optional   bool              `json:"optional"`
		Name       *string           `json:"name"`
		Version    *int32            `json:"version"`
		Doc        *string           `json:"doc"`
		Parameters [][2]string       `json:"parameters"`
		Key        json.RawMessage   `json:"keySchema"`
		Elem       json.RawMessage   `json:"valueSchema"`
		Default    json.RawMessage   `json:"default"`
		Fields     []json.RawMessage `json:"fields"`
	}
	if len(raw) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &n); err != nil || n == nil {
		return nil, err
	}
	t, ok := types[n.Type]
	if !ok {
		return nil, fmt.Errorf("golden: unknown type %q", n.Type)
	}
	b := data.NewBuilder(t).SetOptional(n.Optional)
	if n.Name != nil {
		b.Named(*n.Name)
	}
	if n.Version != nil {
		b.Version(*n.Version)
	}
	if n.Doc != nil {
		b.Doc(*n.Doc)
	}
	for _, p := range n.Parameters {
		b.Param(p[0], p[1])
	}
	key, err := Schema(n.Key)
	if err != nil {
		return nil, err
	}
	elem, err := Schema(n.Elem)
	if err != nil {
		return nil, err
	}
	b.Keys(key).Items(elem)
	for _, f := range n.Fields {
		var field struct {
			Name   json.RawMessage `json:"name"`
			Schema json.RawMessage `json:"schema"`
		}
		if err := json.Unmarshal(f, &field); err != nil {
			return nil, err
		}
		name, err := text(field.Name)
		if err != nil {
			return nil, err
		}
		s, err := Schema(field.Schema)
		if err != nil {
			return nil, err
		}
		b.Field(name, s)
	}
	if n.Default == nil {
		return b.Build()
	}
	// A default struct lies on the schema that is being built.
	own, err := b.Build()
	if err != nil {
		return nil, err
	}
	v, err := Value(n.Default, own)
	if err != nil {
		return nil, err
	}
	return b.Default(v).Build()
}

var types = map[string]data.Type{
	"int8": data.Int8, "int16": data.Int16, "int32": data.Int32, "int64": data.Int64,
	"float32": data.Float32, "float64": data.Float64, "boolean": data.Boolean, "string": data.String,
	"bytes": data.Bytes, "array": data.Array, "map": data.MapType, "struct": data.StructType,
}

// Value reads the notation of a value. s is the schema of the context, nil
// when there is none: it is where a struct finds its schema.
func Value(raw json.RawMessage, s *data.Schema) (data.Value, error) {
	var n map[string]json.RawMessage
	if len(raw) == 0 {
		return data.Null, nil
	}
	if err := json.Unmarshal(raw, &n); err != nil || n == nil {
		return data.Null, err
	}
	for kind, content := range n {
		switch kind {
		case "schema":
			continue
		case "array":
			return array(content, s)
		case "map":
			return mapping(content, s)
		case "struct":
			if own, ok := n["schema"]; ok {
				var err error
				if s, err = Schema(own); err != nil {
					return data.Null, err
				}
			}
			return structure(content, s)
		}
		v, err := scalar(kind, content)
		if err != nil {
			return data.Null, fmt.Errorf("golden: value %s: %w", raw, err)
		}
		return v, nil
	}
	return data.Null, fmt.Errorf("golden: value %s has no type", raw)
}

func scalar(kind string, raw json.RawMessage) (data.Value, error) {
	s, err := text(raw)
	if err != nil {
		return data.Null, err
	}
	switch kind {
	case "boolean":
		return data.BoolOf(s == "true"), nil
	case "int8":
		i, err := strconv.ParseInt(s, 10, 8)
		return data.Int8Of(int8(i)), err
	case "int16":
		i, err := strconv.ParseInt(s, 10, 16)
		return data.Int16Of(int16(i)), err
	case "int32":
		i, err := strconv.ParseInt(s, 10, 32)
		return data.Int32Of(int32(i)), err
	case "int64":
		i, err := strconv.ParseInt(s, 10, 64)
		return data.Int64Of(i), err
	case "float32":
		f, err := strconv.ParseFloat(s, 32)
		return data.Float32Of(float32(f)), err
	case "float64":
		f, err := strconv.ParseFloat(s, 64)
		return data.Float64Of(f), err
	case "string":
		return data.StringOf(s), nil
	case "bytes", "bytebuffer":
		var b []byte
		err := json.Unmarshal(raw, &b)
		return data.BytesOf(b), err
	case "decimal":
		d, ok := data.ParseDecimal(s)
		if !ok {
			return data.Null, fmt.Errorf("%q is no decimal", s)
		}
		return data.DecimalOf(d), nil
	case "bigint":
		i, ok := new(big.Int).SetString(s, 10)
		if !ok {
			return data.Null, fmt.Errorf("%q is no integer", s)
		}
		return data.BigIntOf(i), nil
	case "instant":
		i, err := strconv.ParseInt(s, 10, 64)
		return data.InstantOf(i), err
	case "java":
		// The recorder used new UUID(1, 2), whose text some cases show.
		if s == "java.util.UUID" {
			return data.ObjectTextOf(s, "00000000-0000-0001-0000-000000000002"), nil
		}
		return data.ObjectOf(s), nil
	}
	return data.Null, fmt.Errorf("unknown type %q", kind)
}

func array(raw json.RawMessage, s *data.Schema) (data.Value, error) {
	var n []json.RawMessage
	if err := json.Unmarshal(raw, &n); err != nil {
		return data.Null, err
	}
	elements := make([]data.Value, len(n))
	for i := range n {
		v, err := Value(n[i], elem(s))
		if err != nil {
			return data.Null, err
		}
		elements[i] = v
	}
	return data.ArrayOf(elements), nil
}

func mapping(raw json.RawMessage, s *data.Schema) (data.Value, error) {
	var n [][2]json.RawMessage
	if err := json.Unmarshal(raw, &n); err != nil {
		return data.Null, err
	}
	m := &data.Map{}
	for _, e := range n {
		var keySchema *data.Schema
		if s != nil {
			keySchema = s.Key()
		}
		k, err := Value(e[0], keySchema)
		if err != nil {
			return data.Null, err
		}
		v, err := Value(e[1], elem(s))
		if err != nil {
			return data.Null, err
		}
		m.Entries = append(m.Entries, data.Entry{Key: k, Value: v})
	}
	return data.MapOf(m), nil
}

func structure(raw json.RawMessage, s *data.Schema) (data.Value, error) {
	if s == nil || s.Type() != data.StructType {
		return data.Null, fmt.Errorf("golden: struct %s has no struct schema", raw)
	}
	var n [][2]json.RawMessage
	if err := json.Unmarshal(raw, &n); err != nil {
		return data.Null, err
	}
	st := data.NewStruct(s)
	for _, f := range n {
		name, err := text(f[0])
		if err != nil {
			return data.Null, err
		}
		i := s.Field(name)
		if i < 0 {
			return data.Null, fmt.Errorf("golden: no field %q in %s", name, s)
		}
		v, err := Value(f[1], s.Fields()[i].Schema)
		if err != nil {
			return data.Null, err
		}
		st.Values()[i] = v
	}
	return data.StructOf(st), nil
}

func elem(s *data.Schema) *data.Schema {
	if s == nil {
		return nil
	}
	return s.Elem()
}

// text returns the text of a JSON string, number or literal. Unlike
// encoding/json it keeps a lone UTF-16 surrogate, in the three bytes by which
// package data holds one.
func text(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || raw[0] != '"' {
		return string(raw), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || !bytes.Contains(raw, []byte(`\u`)) {
		return s, err
	}
	var b []byte
	for i := 1; i < len(raw)-1; {
		if raw[i] != '\\' {
			b = append(b, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			var c string
			if err := json.Unmarshal([]byte(`"`+string(raw[i:i+2])+`"`), &c); err != nil {
				return "", err
			}
			b = append(b, c...)
			i += 2
			continue
		}
		r := unit(raw[i:])
		i += 6
		if low := unit(raw[i:]); r>>10 == 0xd800>>10 && low>>10 == 0xdc00>>10 {
			r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
			i += 6
		}
		if r>>11 == 0xd800>>11 {
			b = append(b, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b), nil
}

// unit reads one \uXXXX escape; -1 when there is none.
func unit(raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return -1
	}
	u, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(u)
}
