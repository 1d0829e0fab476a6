package jsonschema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/sr"
	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/data"
	"kconnect/test/registrytest"
)

func configured(t rapid.TB, s *registrytest.Server, more ...string) *Converter {
	return registrytest.Configured(t, s, &Converter{}, more...)
}

// TestReadsWhatPythonWrote replays what JSONSerializer of confluent-kafka for
// Python wrote.
func TestReadsWhatPythonWrote(t *testing.T) {
	settings := [][]string{nil, {"generalized.sum.type.support", "true"}, {"use.optional.for.nonrequired", "true"}, {"json.fail.invalid.schema", "true"}}
	registrytest.ReadsPeer(t, "json", func() connect.Converter { return &Converter{} }, settings, nil)
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	s := registrytest.Start(t)
	rapid.Check(t, func(t *rapid.T) {
		s.Reset()
		numeric := rapid.SampledFrom([]string{"NUMERIC", "BASE64"}).Draw(t, "decimal.format")
		c := configured(t, s, "decimal.format", numeric)
		g := registrytest.Generator{Metadata: true}
		schema := g.Schema(t)
		v := g.Value(t, schema)
		b, err := c.Append([]byte("before"), "t", schema, v)
		if err != nil {
			t.Fatal(err)
		}
		b = b[len("before"):]
		registered, _ := s.GetSchema("t-value", 1)
		got, w, err := c.Decode("t", b)
		if err != nil {
			t.Fatalf("%v: %s %s", err, registered.Schema.Schema, b)
		}
		if !got.Equal(schema) {
			t.Fatalf("the schema changed: %s", registered.Schema.Schema)
		}
		if !w.Equal(expected(schema, v)) {
			t.Fatalf("the value changed: %s %s", registered.Schema.Schema, b)
		}
		if numeric == "NUMERIC" { // as Base64 a decimal is no number, which its schema says, in Java as here
			compiler := jsonschema.NewCompiler()
			tree, err := jsonschema.UnmarshalJSON(strings.NewReader(registered.Schema.Schema))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiler.AddResource("x", tree); err != nil {
				t.Fatal(err)
			}
			check, err := compiler.Compile("x")
			if err != nil {
				t.Fatalf("%v: %s", err, registered.Schema.Schema)
			}
			if err := valid(check, b[5:]); err != nil {
				t.Fatalf("%v: %s is not of %s", err, b[5:], registered.Schema.Schema)
			}
		}
	})
}

// expected is v with defaults in the place of nulls.
func expected(s *data.Schema, v data.Value) data.Value {
	if d, ok := s.Default(); ok && v.IsNull() {
		return d
	}
	switch v.Kind() {
	case data.KindStruct:
		st := data.NewStruct(s)
		for i, f := range s.Fields() {
			st.Values()[i] = expected(f.Schema, v.Struct().At(i))
		}
		return data.StructOf(st)
	case data.KindArray:
		list := []data.Value{}
		for _, e := range v.Array() {
			list = append(list, expected(s.Elem(), e))
		}
		return data.ArrayOf(list)
	case data.KindMap:
		m := &data.Map{}
		for _, e := range v.Map().Entries {
			m.Entries = append(m.Entries, data.Entry{Key: e.Key, Value: expected(s.Elem(), e.Value)})
		}
		return data.MapOf(m)
	}
	return v
}

// everything is a struct of every type, and a value of it.
func everything() (*data.Schema, data.Value) {
	s := data.NewStructBuilder().Named("Everything").
		Field("int8", data.Int8Schema).Field("int64", data.OptionalInt64Schema).Field("float64", data.Float64Schema).Field("boolean", data.BooleanSchema).
		Field("string", data.StringSchema).Field("nothing", data.OptionalStringSchema).Field("decimal", data.NewDecimalBuilder(2).MustBuild()).
		Field("timestamp", data.NewTimestampBuilder().MustBuild()).Field("array", data.NewBuilder(data.Array).Items(data.Int32Schema).MustBuild()).
		Field("map", data.NewBuilder(data.MapType).Keys(data.StringSchema).Items(data.Float64Schema).MustBuild()).MustBuild()
	st := data.MakeStruct(s, []data.Value{
		data.Int8Of(-8), data.Int64Of(1 << 50), data.Float64Of(-0.5), data.BoolOf(true), data.StringOf("Grüße \"🚀\"\n"), data.Null,
		data.DecimalOf(data.NewDecimal(-12345, 2)), data.InstantOf(-1), data.ArrayOf([]data.Value{data.Int32Of(1)}),
		data.MapOf(&data.Map{Entries: []data.Entry{{Key: data.StringOf("k"), Value: data.Float64Of(2.5)}}}),
	})
	return s, data.StructOf(&st)
}

func TestPythonReadsWhatIsWritten(t *testing.T) {
	s := registrytest.Start(t)
	c := configured(t, s, "decimal.format", "NUMERIC", "object.additional.properties", "false")
	schema, v := everything()
	b, err := c.Append(nil, "written", schema, v)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Read(t, "json", []registrytest.Record{{Topic: "written", Bytes: b}})
	registrytest.Same(t, "value", got[0], []byte(`{"int8":-8,"int64":1125899906842624,"float64":-0.5,"boolean":true,"string":"Grüße \"🚀\"\n","nothing":null,"decimal":-123.45,"timestamp":-1,"array":[1],"map":{"k":2.5}}`))
}

func TestSchemaTexts(t *testing.T) {
	for _, c := range []struct {
		name   string
		schema *data.Schema
		want   string
		more   []string
	}{
		{"primitive", data.Int64Schema, `{"type":"integer","connect.type":"int64"}`, nil},
		{"optional", data.OptionalStringSchema, `{"oneOf":[{"type":"null"},{"type":"string"}]}`, nil},
		{
			"decimal", data.NewDecimalBuilder(2).MustBuild(),
			`{"title":"org.apache.kafka.connect.data.Decimal","type":"number","connect.version":1,"connect.type":"bytes","connect.parameters":{"scale":"2"}}`, nil,
		},
		{
			"struct", data.NewStructBuilder().Named("Person").Doc("d").Field("id", data.Int32Schema).Field("name", data.OptionalStringSchema).MustBuild(),
			`{"title":"Person","description":"d","type":"object","properties":{"name":{"oneOf":[{"type":"null"},{"type":"string"}],"connect.index":1},"id":{"type":"integer","connect.index":0,"connect.type":"int32"}},"additionalProperties":false}`,
			[]string{"object.additional.properties", "false"},
		},
		{
			"map with number keys", data.NewBuilder(data.MapType).Keys(data.Int32Schema).Items(data.BooleanSchema).MustBuild(),
			`{"type":"array","items":{"type":"object","properties":{"value":{"type":"boolean","connect.index":1},"key":{"type":"integer","connect.index":0,"connect.type":"int32"}}},"connect.type":"map"}`, nil,
		},
		{"default", data.NewBuilder(data.Float32).Default(data.Float32Of(1.5)).MustBuild(), `{"default":1.5,"type":"number","connect.type":"float32"}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree, err := configured(t, registrytest.Start(t), c.more...).settings.fromConnect(c.schema, -1, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(jsontree.Append(nil, tree))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNullIsATombstone(t *testing.T) {
	c := configured(t, registrytest.Start(t))
	for _, s := range []*data.Schema{nil, data.OptionalStringSchema, data.StringSchema} {
		if b, err := c.Append([]byte("x"), "t", s, data.Null); err != nil || b != nil {
			t.Errorf("%v: %v, %v", s, b, err)
		}
	}
	if s, v, err := c.Decode("t", nil); s != nil || !v.IsNull() || err != nil {
		t.Errorf("%v, %v, %v", s, v, err)
	}
}

// TestSchemasOfOthers reads schemas as people write them.
func TestSchemasOfOthers(t *testing.T) {
	for _, k := range []struct {
		name, schema, record, want, fault string
		more                              []string
	}{
		{"allOf of objects", `{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"$ref":"#/definitions/b"}],"definitions":{"b":{"properties":{"b":{"type":"string"}}}}}`, `{"a":1,"b":"x"}`, `{"a":1,"b":"x"}`, "", nil},
		{"anyOf of structs by properties", `{"anyOf":[{"type":"object","properties":{"x":{"type":"integer"}}},{"type":"object","properties":{"x":{"type":"integer"},"y":{"type":"integer"}}}]}`, `{"x":1,"y":2}`, `{"x":1,"y":2}`, "", nil},
		{"no type", `{"properties":{"a":{"maxLength":3},"b":{"minimum":1}}}`, `{"a":"s","b":1.5}`, `{"a":"s","b":1.5}`, "", nil},
		{"anchors", `{"properties":{"a":{"$ref":"#here"}},"$defs":{"x":{"$anchor":"here","type":"integer"}}}`, `{"a":2}`, `{"a":2}`, "", nil},
		{"whole numbers with a point", `{"type":"integer"}`, `5.0`, `5`, "", nil},
		{"more properties", `{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"z":[{"y":1}],"a":2}`, `{"a":2}`, "", nil},
		{"wrong type", `{"type":"integer"}`, `"5"`, "", "Invalid type for INT64", nil},
		{"too large", `{"type":"integer","connect.type":"int8"}`, `300`, "", "Number 300 does not fit INT8", nil},
		{"null", `{"type":"integer"}`, `null`, "", "Invalid null value for required INT64 field", nil},
		{"recursive", `{"type":"object","properties":{"next":{"$ref":"#"}}}`, `{}`, "", "contains itself", nil},
		{"no type at all", `{"type":"object","properties":{"a":{}}}`, `{}`, "", "EmptySchema", nil},
		{"leads nowhere", `{"properties":{"a":{"$ref":"other.json"}}}`, `{}`, "", `reference "other.json" leads nowhere`, nil},
		{"not JSON", `{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":1`, "", "Error deserializing JSON message for id 7", nil},
		{"not valid", `{"type":"object","properties":{"a":{"type":"integer","maximum":5}}}`, `{"a":6}`, "", "maximum", []string{"json.fail.invalid.schema", "true"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			s := registrytest.Seeded(t, sr.TypeJSON, k.schema)
			registrytest.Reads(t, configured(t, s, k.more...), k.record, k.want, k.fault)
		})
	}
}

// TestCoercionOfJava: what is refused otherwise becomes what the Java
// converter makes of it (D1).
func TestCoercionOfJava(t *testing.T) {
	for _, k := range []struct{ schema, record, want, fault string }{
		{`{"type":"integer"}`, `"5"`, `0`, ""},
		{`{"type":"integer"}`, `5.9`, `5`, ""},
		{`{"type":"integer"}`, `9223372036854775808`, `-9223372036854775808`, ""},
		{`{"type":"integer","connect.type":"int8"}`, `300`, `44`, ""},
		{`{"type":"integer","connect.type":"int16"}`, `[1]`, `0`, ""},
		{`{"type":"number"}`, `"NaN"`, `0.0`, ""},
		{`{"type":"number","connect.type":"float32"}`, `{"a":1}`, `0.0`, ""},
		{`{"type":"boolean"}`, `"true"`, `false`, ""},
		{`{"type":"array","items":{"type":"integer"}}`, `{"a":1,"b":"x"}`, `[1,0]`, ""},
		{`{"type":"array","items":{"type":"integer"}}`, `7`, `[]`, ""},
		{`{"type":"object","properties":{"a":{"oneOf":[{"type":"null"},{"type":"string"}]},"b":{"type":"integer"}}}`, `{"a":5,"b":2}`, `{"a":null,"b":2}`, ""},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"a":5}`, "", "Invalid type for STRING: a JSON number"},
		{`{"type":"string","connect.type":"bytes"}`, `true`, "", "Invalid type for BYTES"},
		{`{"type":"object"}`, `5`, "", "Structs should be encoded as JSON objects"},
	} {
		for _, setting := range []string{"kconnect.converter.coercion", "kconnect.compatibility"} {
			t.Run(k.schema+" "+k.record+" "+setting, func(t *testing.T) {
				s := registrytest.Seeded(t, sr.TypeJSON, k.schema)
				registrytest.Reads(t, configured(t, s, setting, "java"), k.record, k.want, k.fault)
			})
		}
	}
	s := registrytest.Start(t)
	if err := (&Converter{}).Configure(s.Settings("kconnect.converter.coercion", "no"), false); err == nil {
		t.Error("a coercion that there is not")
	}
}

func TestTheNewestSchemaIsWrittenIfItFits(t *testing.T) {
	s := registrytest.Seeded(t, sr.TypeJSON, `{"type":"object","properties":{"decimal":{"type":"string"}}}`)
	more := []string{"auto.register.schemas", "false", "use.latest.version", "true"}
	schema, v := everything()
	_, err := configured(t, s, more...).Append(nil, "t", schema, v)
	if err == nil || !strings.Contains(connect.Trace(err), "Set latest.compatibility.strict=false") || !strings.Contains(connect.Trace(err), "field decimal is BYTES in the data, and STRING in the schema") {
		t.Error(connect.Trace(err))
	}
	b, err := configured(t, s, append(more, "latest.compatibility.strict", "false")...).Append(nil, "t", schema, v)
	if err != nil || b[4] != 7 {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	schemas := []string{
		`{"type":"object","properties":{"a":{"type":["null","integer","string"]},"b":{"type":"array","items":{"type":"number"}},"c":{"type":"object","connect.type":"map","additionalProperties":{"type":"string","connect.type":"bytes"}}}}`,
		`{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.parameters":{"scale":"2"},"connect.type":"bytes"}`,
	}
	f.Add(0, []byte(`{"a":1,"b":[1e400,-0],"c":{"x":"AA=="}}`))
	f.Add(1, []byte(`1e2147483647`))
	c := settings{}
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		s, err := load(schemas[uint(which)%2], nil)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := c.toConnect(s, 0)
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.decoderOf(schema).readBytes(b)
		if err != nil {
			return
		}
		e, err := c.encoderOf(schema)
		if err != nil {
			t.Fatal(err)
		}
		text, err := e.append(nil, v)
		if err != nil {
			return // a decimal of another scale
		}
		if w, err := c.decoderOf(schema).readBytes(text); err != nil || !w.Equal(v) {
			t.Fatalf("%s became %s: %v", b, text, err)
		}
	})
}

func FuzzSchema(f *testing.F) {
	f.Add([]byte(`{"$ref":"#"}`))
	f.Add([]byte(`{"properties":{"a":{"$ref":"#/properties/b"},"b":{"allOf":[{"$ref":"#/properties/a"}]}}}`))
	f.Add([]byte(`{"oneOf":[{"type":"null"},{"enum":["a",null]},{"const":1}],"default":"a"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := load(string(text), nil)
		if err != nil {
			return
		}
		for _, c := range []settings{{}, {generalized: true, optional: true}} {
			schema, err := c.toConnect(s, 1)
			if err != nil {
				continue
			}
			if _, err := c.fromConnect(schema, -1, false); err != nil {
				continue
			}
			if e, err := c.encoderOf(schema); err == nil {
				_, _ = e.append(nil, data.Null) // any answer but a panic
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	s, v := everything()
	registrytest.BenchmarkAppend(b, configured(b, registrytest.Start(b)), s, v)
}

func BenchmarkDecode(b *testing.B) {
	s, v := everything()
	registrytest.BenchmarkDecode(b, configured(b, registrytest.Start(b)), s, v)
}
