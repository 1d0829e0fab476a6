package sink

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

func newConverter(t *testing.T, class string) connect.Converter {
	if class == "org.apache.kafka.connect.json.JsonConverter" {
		return &tj{cache: map[string]*data.Schema{}}
	}
	return ts{}
}

type ts struct{}

func (ts) Configure(config.Map, bool) error                                { return nil }
func (ts) Append([]byte, string, *data.Schema, data.Value) ([]byte, error) { return nil, nil }
func (ts) Decode(_ string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return data.OptionalStringSchema, data.Null, nil
	}
	return data.OptionalStringSchema, data.TextOf(b), nil
}

type tj struct {
	noSchema, noDefault bool
	cache               map[string]*data.Schema
}

func (c *tj) Configure(m config.Map, _ bool) error {
	c.noSchema = m["schemas.enable"] == "false"
	c.noDefault = m["replace.null.with.default"] == "false"
	return nil
}
func (*tj) Append([]byte, string, *data.Schema, data.Value) ([]byte, error) { return nil, nil }

type tsch struct {
	Type                string
	Optional            bool
	Name                *string
	Version             *int32
	Field               string
	Fields              []tsch
	Default             json.RawMessage
	Parameters          map[string]string
	Items, Keys, Values *tsch
	Doc                 *string
}

var ttypes = map[string]data.Type{"int8": data.Int8, "int16": data.Int16, "int32": data.Int32, "int64": data.Int64, "float": data.Float32, "double": data.Float64, "boolean": data.Boolean, "string": data.String, "bytes": data.Bytes, "array": data.Array, "map": data.MapType, "struct": data.StructType}

func (c *tj) schema(s *tsch) *data.Schema {
	b := data.NewBuilder(ttypes[s.Type]).SetOptional(s.Optional)
	if s.Name != nil {
		b.Named(*s.Name)
	}
	if s.Version != nil {
		b.Version(*s.Version)
	}
	for k, v := range s.Parameters {
		b.Param(k, v)
	}
	for i := range s.Fields {
		b.Field(s.Fields[i].Field, c.schema(&s.Fields[i]))
	}
	if s.Items != nil {
		b.Items(c.schema(s.Items))
	}
	if s.Keys != nil {
		b.Keys(c.schema(s.Keys))
	}
	if s.Values != nil {
		b.Items(c.schema(s.Values))
	}
	if s.Default != nil {
		t := *s
		t.Default = nil
		v, err := c.value(c.schema(&t), s.Default)
		if err == nil {
			b.Default(v)
		}
	}
	return b.MustBuild()
}
func (c *tj) value(s *data.Schema, raw json.RawMessage) (data.Value, error) {
	if raw == nil || string(raw) == "null" {
		if d, ok := s.Default(); ok && !c.noDefault {
			return d, nil
		}
		if !s.Optional() {
			return data.Null, errors.New("Invalid null value for required " + s.Type().String() + " field")
		}
		return data.Null, nil
	}
	var n json.Number
	num := func() int64 { _ = json.Unmarshal(raw, &n); i, _ := n.Int64(); return i }
	switch s.Name() {
	case data.DateName:
		return data.InstantOf(num() * 86400000), nil
	case data.TimeName, data.TimestampName:
		return data.InstantOf(num()), nil
	case data.DecimalName:
		if raw[0] == '"' {
			var b []byte
			_ = json.Unmarshal(raw, &b)
			sc := int32(0)
			if p, ok := s.Param("scale"); ok {
				sc = int32(p[0] - '0')
			}
			return data.DecimalOf(data.DecimalFromBytes(b, sc)), nil
		}
		d, _ := data.ParseDecimal(string(raw))
		return data.DecimalOf(d), nil
	}
	switch s.Type() {
	case data.Int8:
		return data.Int8Of(int8(num())), nil
	case data.Int16:
		return data.Int16Of(int16(num())), nil
	case data.Int32:
		return data.Int32Of(int32(num())), nil
	case data.Int64:
		return data.Int64Of(num()), nil
	case data.Float32:
		var f float32
		_ = json.Unmarshal(raw, &f)
		return data.Float32Of(f), nil
	case data.Float64:
		var f float64
		_ = json.Unmarshal(raw, &f)
		return data.Float64Of(f), nil
	case data.Boolean:
		return data.BoolOf(string(raw) == "true"), nil
	case data.String:
		var x string
		if raw[0] != '"' {
			return data.Null, nil
		}
		_ = json.Unmarshal(raw, &x)
		return data.StringOf(x), nil
	case data.Bytes:
		var x string
		_ = json.Unmarshal(raw, &x)
		b, _ := base64.StdEncoding.DecodeString(x)
		return data.BytesOf(b), nil
	case data.StructType:
		var m map[string]json.RawMessage
		if err := json.Unmarshal(raw, &m); err != nil {
			return data.Null, err
		}
		st := data.NewStruct(s)
		for i, f := range s.Fields() {
			v, err := c.value(f.Schema, m[f.Name])
			if err != nil {
				return data.Null, err
			}
			st.Values()[i] = v
		}
		return data.StructOf(st), nil
	}
	return data.MapOf(&data.Map{}), nil
}
func (c *tj) Decode(_ string, b []byte) (_ *data.Schema, _ data.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("bad envelope")
		}
	}()
	if b == nil {
		return nil, data.Null, nil
	}
	if c.noSchema {
		return nil, data.MapOf(&data.Map{}), nil
	}
	var e struct {
		Schema  *tsch
		Payload json.RawMessage
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, data.Null, err
	}
	if e.Schema == nil {
		return nil, data.MapOf(&data.Map{}), nil
	}
	s := c.schema(e.Schema)
	v, err := c.value(s, e.Payload)
	return s, v, err
}
