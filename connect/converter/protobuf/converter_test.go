package protobuf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/test/registrytest"
)

func configured(t rapid.TB, s *registrytest.Server, more ...string) *Converter {
	return registrytest.Configured(t, s, &Converter{}, more...)
}

// serialize is what a registry does for clients that ask for the form of a
// file descriptor.
func serialize(text string) (string, error) {
	fd, err := compile(text, nil)
	if err != nil {
		return "", err
	}
	b, err := proto.Marshal(protodesc.ToFileDescriptorProto(fd))
	return base64.StdEncoding.EncodeToString(b), err
}

// TestReadsWhatPythonWrote replays what ProtobufSerializer of confluent-kafka for
// Python wrote.
func TestReadsWhatPythonWrote(t *testing.T) {
	see := func(more []string, shown []byte) []byte {
		if more != nil && more[0] == "generalized.sum.type.support" { // a union is shown as its value then
			shown = bytes.ReplaceAll(shown, []byte(`"choice_0":"chosen"`), []byte(`"choice_0":{"text":"chosen","number":null}`))
			shown = bytes.ReplaceAll(shown, []byte(`"choice_0":9`), []byte(`"choice_0":{"text":null,"number":9}`))
		}
		return shown
	}
	settings := [][]string{nil, {"enhanced.protobuf.schema.support", "true"}, {"generalized.sum.type.support", "true", "optional.for.nullables", "true"}}
	registrytest.ReadsPeer(t, "protobuf", func() connect.Converter { return &Converter{} }, settings, see)
}

// TestWhatIsWrittenIsRead also lets messages of the Protobuf library read it,
// and writes again what was read.
func TestWhatIsWrittenIsRead(t *testing.T) {
	s := registrytest.Start(t)
	rapid.Check(t, func(t *rapid.T) {
		s.Reset()
		nullable := rapid.SampledFrom([]string{"optional.for.nullables", "wrapper.for.nullables"}).Draw(t, "nullable")
		c := configured(t, s, nullable, "true")
		g := registrytest.Generator{OnlyStructs: true}
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
			t.Fatalf("%v: %s % x", err, registered.Schema.Schema, b)
		}
		want, err := json.Marshal(expected(schema, v))
		if err != nil {
			t.Fatal(err)
		}
		have, err := json.Marshal(registrytest.Show(got, w))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(have)); diff != "" {
			t.Fatalf("%s\n%s", registered.Schema.Schema, diff)
		}
		again, err := c.Append(nil, "again", got, w)
		// Elements of lists are read as optional, so that these would be wrappers.
		if err != nil || nullable == "optional.for.nullables" && !bytes.Equal(again[5:], b[5:]) {
			t.Fatalf("% x became % x: %v", b, again, err)
		}
		fd, err := compile(registered.Schema.Schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := dynamicpb.NewMessage(fd.Messages().Get(0))
		if err := proto.Unmarshal(b[6:], m); err != nil || len(m.GetUnknown()) > 0 {
			t.Fatalf("the library: %v, %d bytes unknown", err, len(m.GetUnknown()))
		}
		theirs, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil || len(theirs) != len(b)-6 {
			t.Fatalf("the library writes %d bytes, not %d", len(theirs), len(b)-6)
		}
	})
}

// expected is v with what Protobuf makes of nulls: lists and maps that are
// not there are empty.
func expected(s *data.Schema, v data.Value) any {
	if v.IsNull() {
		switch s.Type() {
		case data.Array:
			return []any{}
		case data.MapType:
			return map[string]any{}
		}
		return nil
	}
	if v.Kind() == data.KindStruct {
		m := map[string]any{}
		for i, f := range s.Fields() {
			m[f.Name] = expected(f.Schema, v.Struct().At(i))
		}
		return m
	}
	return registrytest.Show(s, v)
}

// everything is a struct of every type, and a value of it.
func everything() (*data.Schema, data.Value) {
	inner := data.NewStructBuilder().Named("com.example.Inner").Optional().Field("x", data.Int64Schema).MustBuild()
	s := data.NewStructBuilder().Named("com.example.Everything").
		Field("int8", data.Int8Schema).Field("int64", data.Int64Schema).Field("float64", data.Float64Schema).Field("boolean", data.BooleanSchema).
		Field("string", data.StringSchema).Field("bytes", data.BytesSchema).Field("nothing", data.OptionalStringSchema).
		Field("decimal", data.NewDecimalBuilder(2).MustBuild()).Field("date", data.NewDateBuilder().MustBuild()).Field("timestamp", data.NewTimestampBuilder().MustBuild()).
		Field("array", data.NewBuilder(data.Array).Items(data.Int32Schema).MustBuild()).
		Field("map", data.NewBuilder(data.MapType).Keys(data.StringSchema).Items(data.Float64Schema).MustBuild()).
		Field("inner", inner).Field("inners", data.NewBuilder(data.Array).Items(inner).MustBuild()).MustBuild()
	in := data.NewStruct(inner)
	in.Values()[0] = data.Int64Of(1 << 40)
	st := data.MakeStruct(s, []data.Value{
		data.Int8Of(-8), data.Int64Of(-64), data.Float64Of(-0.5), data.BoolOf(true), data.StringOf("Grüße 🚀"), data.BytesOf([]byte{0, 255}), data.Null,
		data.DecimalOf(data.NewDecimal(-12345, 2)), data.InstantOf(19782 * 86400000), data.InstantOf(-1),
		data.ArrayOf([]data.Value{data.Int32Of(1), data.Int32Of(-2)}),
		data.MapOf(&data.Map{Entries: []data.Entry{{Key: data.StringOf("k"), Value: data.Float64Of(2.5)}}}),
		data.StructOf(in), data.ArrayOf([]data.Value{data.StructOf(in)}),
	})
	return s, data.StructOf(&st)
}

func TestPythonReadsWhatIsWritten(t *testing.T) {
	s := registrytest.Start(t)
	s.Serialize = serialize
	c := configured(t, s)
	schema, v := everything()
	b, err := c.Append(nil, "written", schema, v)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Read(t, "protobuf", []registrytest.Record{{Topic: "written", Bytes: b}})
	registrytest.Same(t, "value", got[0], []byte(`{"int8":-8,"int64":"-64","float64":-0.5,"boolean":true,"string":"Grüße 🚀","bytes":"AP8=",
		"decimal":{"value":"z8c=","precision":5,"scale":2},"date":{"year":2024,"month":2,"day":29},"timestamp":"1969-12-31T23:59:59.999Z",
		"array":[1,-2],"map":[{"key":"k","value":2.5}],"inner":{"x":"1099511627776"},"inners":[{"x":"1099511627776"}]}`))
}

func TestSchemaTexts(t *testing.T) {
	enum := data.NewBuilder(data.String).Named("Colour").Param(enumParam, "Colour").Param(enumParam+".RED", "0").Param(enumParam+".GREEN", "1").MustBuild()
	union := data.NewStructBuilder().Named(unionPrefix+"choice").Optional().Field("text", data.NewBuilder(data.String).Optional().Param(tagParam, "5").MustBuild()).Field("number", data.NewBuilder(data.Int64).Optional().Param(tagParam, "6").MustBuild()).MustBuild()
	s := data.NewStructBuilder().Named("com.example.Person").Field("id", data.Int16Schema).Field("name", data.OptionalStringSchema).
		Field("colour", enum).Field("choice_0", union).Field("big", data.NewBuilder(data.Int64).Param(typeParam, "fixed64").MustBuild()).
		Field("amount", data.NewDecimalBuilder(2).MustBuild()).Field("inner", data.NewStructBuilder().Field("b", data.BooleanSchema).MustBuild()).
		Field("tags", data.NewBuilder(data.MapType).Named("tag_list").Keys(data.StringSchema).Items(data.Int32Schema).MustBuild()).MustBuild()
	want := `syntax = "proto3";
package com.example;

import "confluent/meta.proto";
import "confluent/type/decimal.proto";

message Person {
  int32 id = 1 [(confluent.field_meta) = { params: [{ key: "connect.type", value: "int16" }] }];
  optional string name = 2;
  Colour colour = 3;
  fixed64 big = 4;
  confluent.type.Decimal amount = 7 [(confluent.field_meta) = { params: [{ key: "scale", value: "2" }] }];
  ConnectDefault1 inner = 8;
  repeated TagListEntry tags = 9;

  oneof choice {
    string text = 5;
    int64 number = 6;
  }

  enum Colour {
    RED = 0;
    GREEN = 1;
  }

  message ConnectDefault1 {
    bool b = 1;
  }

  message TagListEntry {
    string key = 1;
    int32 value = 2;
  }
}
`
	c := configured(t, registrytest.Start(t), "optional.for.nullables", "true")
	got, name, err := c.settings.fromConnect(s)
	if err != nil || name != "com.example.Person" {
		t.Fatal(name, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	fd, err := compile(got, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := c.settings.toConnect(fd.Messages().Get(0), 0)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := c.settings.fromConnect(back)
	if err != nil {
		t.Fatal(err)
	}
	if !sameLines(got, again) {
		t.Error(cmp.Diff(got, again))
	}
}

// sameLines compares two files without the order of their lines, without the
// package, which needs enhanced.protobuf.schema.support, and without the word
// optional, since messages and enums are always read as optional.
func sameLines(a, b string) bool {
	lines := func(s string) map[string]int {
		m := map[string]int{}
		for l := range strings.Lines(s) {
			if l = strings.TrimPrefix(strings.TrimSpace(l), "optional "); l != "package com.example;" && l != "" {
				m[l]++
			}
		}
		return m
	}
	return cmp.Equal(lines(a), lines(b))
}

func TestNullAndPlainValues(t *testing.T) {
	c := configured(t, registrytest.Start(t))
	if b, err := c.Append([]byte("x"), "t", nil, data.Null); err != nil || b != nil {
		t.Errorf("%v, %v", b, err)
	}
	if s, v, err := c.Decode("t", nil); s != nil || !v.IsNull() || err != nil {
		t.Errorf("%v, %v, %v", s, v, err)
	}
	for i, k := range []struct {
		schema *data.Schema
		v      data.Value
		index  byte
	}{
		{data.StringSchema, data.StringOf("top"), 14}, {data.Int64Schema, data.Int64Of(-5), 4}, {data.BooleanSchema, data.BoolOf(false), 12}, {data.Float64Schema, data.Float64Of(0.1), 0},
	} {
		topic := "t" + string(rune('a'+i))
		b, err := c.Append(nil, topic, k.schema, k.v)
		if err != nil {
			t.Fatal(err)
		}
		if k.index != 0 && (b[5] != 2 || b[6] != k.index) {
			t.Errorf("% x", b)
		}
		if _, v, err := c.Decode(topic, b); err != nil || !v.Equal(k.v) {
			t.Errorf("%v, %v", v, err)
		}
	}
}

// TestFilesOfOthers reads .proto files as people write them.
func TestFilesOfOthers(t *testing.T) {
	for _, k := range []struct {
		name, schema, record, want, fault string
		more                              []string
	}{
		{"the second message", `syntax = "proto3"; message A {} message B { int32 x = 1; }`, "\x02\x02\x08\x05", `{"x":5}`, "", nil},
		{"a nested message", `syntax = "proto3"; message A { message B { int32 x = 1; } }`, "\x04\x00\x00\x08\x05", `{"x":5}`, "", nil},
		{"fields that are not known", `syntax = "proto3"; message A { int32 x = 1; }`, "\x00\x12\x01z\x08\x05\x19\x00\x00\x00\x00\x00\x00\x00\x00", `{"x":5}`, "", nil},
		{"messages that are merged", `syntax = "proto3"; message A { B b = 1; message B { int32 x = 1; int32 y = 2; } }`, "\x00\x0a\x02\x08\x01\x0a\x02\x10\x02", `{"b":{"x":1,"y":2}}`, "", nil},
		{"lists that are and are not packed", `syntax = "proto3"; message A { repeated int32 x = 1; }`, "\x00\x0a\x02\x01\x02\x08\x03", `{"x":[1,2,3]}`, "", nil},
		{"the last member counts", `syntax = "proto3"; message A { oneof o { int32 x = 1; int32 y = 2; } }`, "\x00\x08\x01\x10\x02", `{"o_0":{"x":null,"y":2}}`, "", nil},
		{"without the place of a oneof", `syntax = "proto3"; message A { oneof o { int32 x = 1; int32 y = 2; } }`, "\x00\x10\x02", `{"o":{"x":null,"y":2}}`, "", []string{"generate.index.for.unions", "false"}},
		{"flat", `syntax = "proto3"; message A { oneof o { int32 x = 1; int32 y = 2; } }`, "\x00\x08\x01\x10\x02", `{"x":null,"y":2}`, "", []string{"flatten.unions", "true"}},
		{"proto2", `syntax = "proto2"; message A { optional int32 x = 1 [default = 7]; optional string s = 2; required bool b = 3; }`, "\x00\x18\x01", `{"x":null,"s":null,"b":true}`, "", nil},
		{"proto2 with its defaults", `syntax = "proto2"; message A { optional int32 x = 1 [default = 7]; required bool b = 3; }`, "\x00\x18\x01", `{"x":7,"b":true}`, "", []string{"optional.for.proto2", "false"}},
		{"an enum with a number that it lacks", `syntax = "proto3"; message A { E e = 1; enum E { X = 0; } }`, "\x00\x08\x09", `{"e":"UNKNOWN_ENUM_VALUE_E_9"}`, "", nil},
		{"enums as numbers", `syntax = "proto3"; message A { E e = 1; enum E { X = 0; Y = 2; } }`, "\x00\x08\x02", `{"e":2}`, "", []string{"int.for.enums", "true"}},
		{"wrappers as messages", `syntax = "proto3"; import "google/protobuf/wrappers.proto"; message A { google.protobuf.Int32Value w = 1; }`, "\x00\x0a\x02\x08\x05", `{"w":{"value":5}}`, "", nil},
		{"wrappers as values", `syntax = "proto3"; import "google/protobuf/wrappers.proto"; message A { google.protobuf.Int32Value w = 1; google.protobuf.StringValue s = 2; }`, "\x00\x0a\x00", `{"w":0,"s":null}`, "", []string{"wrapper.for.nullables", "true"}},
		{"no such message", `syntax = "proto3"; message A {}`, "\x02\x08", "", "no message at place [4]", nil},
		{"cut", `syntax = "proto3"; message A { string s = 1; }`, "\x00\x0a\x05x", "", "Error deserializing Protobuf message for id 7", nil},
		{"not UTF-8", `syntax = "proto3"; message A { string s = 1; }`, "\x00\x0a\x01\xff", "", "invalid UTF-8", nil},
		{"recursive", `syntax = "proto3"; message A { A a = 1; }`, "\x00", "", "Message A contains itself", nil},
		{"an import that is missing", `syntax = "proto3"; import "other.proto"; message A {}`, "\x00", "", "it is not among the references of the schema", nil},
		{"no date", `syntax = "proto3"; import "google/type/date.proto"; message A { google.type.Date d = 1; }`, "\x00\x0a\x06\x08\x01\x10\x02\x18\x1e", "", "there is no date 1-2-30", nil},
		{"steps without end", `syntax = "proto3"; message A {}`, "\xfe\xff\xff\xff\x0f", "", "the place of the message in its schema cannot be read", nil},
	} {
		t.Run(k.name, func(t *testing.T) {
			s := registrytest.Seeded(t, sr.TypeProtobuf, k.schema)
			registrytest.Reads(t, configured(t, s, k.more...), k.record, k.want, k.fault)
		})
	}
}

func TestReferencesAreImported(t *testing.T) {
	s := registrytest.Start(t)
	s.SeedSchema("other", 1, 1, sr.Schema{Schema: `syntax = "proto3"; package o; message Other { int32 x = 1; }`, Type: sr.TypeProtobuf})
	s.SeedSchema("t-value", 1, 7, sr.Schema{
		Schema: `syntax = "proto3"; import "dir/other.proto"; message A { o.Other other = 1; }`, Type: sr.TypeProtobuf,
		References: []sr.SchemaReference{{Name: "dir/other.proto", Subject: "other", Version: 1}},
	})
	schema, v, err := configured(t, s).Decode("t", []byte("\x00\x00\x00\x00\x07\x00\x0a\x02\x08\x05"))
	if err != nil {
		t.Fatal(err)
	}
	registrytest.Same(t, "value", registrytest.Show(schema, v), []byte(`{"other":{"x":5}}`))
}

func TestTheNewestSchemaIsWrittenIfItFits(t *testing.T) {
	schema := data.NewStructBuilder().Named("P").Field("a", data.Int32Schema).MustBuild()
	st := data.MakeStruct(schema, []data.Value{data.Int32Of(5)})
	for _, k := range []struct{ text, fault, bytes string }{
		{`syntax = "proto3"; message X {} message P { int64 a = 1; string b = 2; }`, "", "\x00\x00\x00\x00\x07\x02\x02\x08\x05"},
		{`syntax = "proto3"; message P { string a = 1; }`, "field P.a is int32 in the data, and string in the schema", ""},
		{`syntax = "proto3"; message Q { int32 a = 1; }`, "it has no message P", ""},
	} {
		s := registrytest.Seeded(t, sr.TypeProtobuf, k.text)
		b, err := configured(t, s, "auto.register.schemas", "false", "use.latest.version", "true").Append(nil, "t", schema, data.StructOf(&st))
		if k.fault == "" {
			if err != nil || string(b) != k.bytes {
				t.Errorf("% x, %v", b, err)
			}
		} else if err == nil || !strings.Contains(connect.Trace(err), k.fault) {
			t.Error(err)
		}
	}
}

func TestWhatProtobufCannotSay(t *testing.T) {
	c := configured(t, registrytest.Start(t))
	list := data.NewBuilder(data.Array).Items(data.StringSchema).MustBuild()
	field := func(s *data.Schema) *data.Schema { return data.NewStructBuilder().Named("S").Field("f", s).MustBuild() }
	for _, k := range []struct {
		schema *data.Schema
		value  data.Value
		fault  string
	}{
		{list, data.ArrayOf(nil), "Unsupported root schema of type ARRAY"},
		{nil, data.StringOf("x"), "values that have no schema"},
		{field(data.NewBuilder(data.Array).Items(list).MustBuild()), data.ArrayOf(nil), "Array cannot be nested"},
		{field(data.NewBuilder(data.Array).Items(data.OptionalStringSchema).MustBuild()), data.ArrayOf([]data.Value{data.Null}), "cannot hold null"},
		{data.NewStructBuilder().Named("S").Field("not a name", data.StringSchema).MustBuild(), data.StringOf("x"), "scrub.invalid.names=true"},
	} {
		v := k.value
		if k.schema != nil && k.schema.Type() == data.StructType {
			st := data.MakeStruct(k.schema, []data.Value{v})
			v = data.StructOf(&st)
		}
		if _, err := c.Append(nil, "t", k.schema, v); err == nil || !strings.Contains(connect.Trace(err), k.fault) {
			t.Errorf("%s: %v", k.fault, err)
		}
	}
	c = configured(t, registrytest.Start(t), "scrub.invalid.names", "true")
	s := data.NewStructBuilder().Named("my-ns.my table").Field("1st col", data.StringSchema).MustBuild()
	st := data.MakeStruct(s, []data.Value{data.StringOf("x")})
	if _, err := c.Append(nil, "t", s, data.StructOf(&st)); err == nil { // the package is not scrubbed, as in Java
		t.Error("a package with a dash")
	}
}

func FuzzDecode(f *testing.F) {
	const text = `syntax = "proto3"; import "google/type/date.proto"; import "confluent/type/decimal.proto"; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
message A { repeated sint32 a = 1; map<string, bytes> m = 2; repeated B b = 3; oneof o { B x = 4; string y = 5; } google.type.Date d = 6; confluent.type.Decimal e = 7;
google.protobuf.Timestamp t = 8; optional double f = 9; E n = 10; google.protobuf.Int64Value w = 11; map<int32, B> mb = 12; B again = 13;
message B { fixed32 i = 1; repeated string s = 2; } enum E { Z = 0; } }`
	f.Add([]byte("\x0a\x02\x01\x02\x12\x05\x0a\x01k\x12\x00\x1a\x05\x0d\x01\x00\x00\x00\x2a\x01y"))
	f.Add([]byte("\x6a\x00\x6a\x05\x0d\x01\x00\x00\x00\x32\x06\x08\x01\x10\x02\x18\x1c"))
	fd, err := compile(text, nil)
	if err != nil {
		f.Fatal(err)
	}
	c := settings{index: true, optional: true, wrapper: true, enhanced: true}
	schema, err := c.toConnect(fd.Messages().Get(0), 1)
	if err != nil {
		f.Fatal(err)
	}
	d, err := c.decoderOf(schema, fd.Messages().Get(0))
	if err != nil {
		f.Fatal(err)
	}
	e, err := c.encoderOf(schema, fd.Messages().Get(0))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := d.read(b, &memory{})
		theirs := dynamicpb.NewMessage(fd.Messages().Get(0))
		if libErr := proto.Unmarshal(b, theirs); libErr != nil && err == nil {
			t.Fatalf("the library refuses % x: %v", b, libErr)
		}
		if err != nil {
			return
		}
		again, err := e.append(nil, v)
		if err != nil {
			return // an enum with a number that it lacks
		}
		if w, err := d.read(again, &memory{}); err != nil || !w.Equal(v) {
			t.Fatalf("% x became % x: %v", b, again, err)
		}
	})
}

func FuzzSchema(f *testing.F) {
	f.Add(`syntax = "proto2"; message A { optional group G = 1 { optional int32 x = 2; } extensions 5 to 9; }`)
	f.Add(`syntax = "proto3"; message A { map<int32, A> m = 1; reserved 2; oneof o { string s = 3; } }`)
	f.Add(`CgthLnByb3RvIgMKAUE=`)
	f.Fuzz(func(t *testing.T, text string) {
		fd, err := compile(text, nil)
		if err != nil || fd.Messages().Len() == 0 {
			return
		}
		for _, c := range []settings{{index: true, rawWrapper: true}, {flatten: true, generalized: true, optional: true, scrub: true}} {
			schema, err := c.toConnect(fd.Messages().Get(0), 1)
			if err != nil {
				continue
			}
			if _, err := c.decoderOf(schema, fd.Messages().Get(0)); err != nil {
				t.Fatal(err)
			}
			if back, _, err := c.fromConnect(schema); err == nil {
				_, _ = compile(back, nil) // any answer but a panic
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

// BenchmarkDynamicMessage is the yardstick: the same record as a message of
// the Protobuf library.
func BenchmarkDynamicMessage(b *testing.B) {
	s, v := everything()
	c := configured(b, registrytest.Start(b))
	record, err := c.Append(nil, "t", s, v)
	if err != nil {
		b.Fatal(err)
	}
	text, _, err := c.settings.fromConnect(s)
	if err != nil {
		b.Fatal(err)
	}
	fd, err := compile(text, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := proto.Unmarshal(record[6:], dynamicpb.NewMessage(fd.Messages().Get(0))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	s, _ := everything()
	c := configured(b, registrytest.Start(b))
	text, _, err := c.settings.fromConnect(s)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := compile(text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
