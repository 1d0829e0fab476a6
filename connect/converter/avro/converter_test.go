package avro

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/test/registrytest"
)

func configured(t rapid.TB, s *registrytest.Server, more ...string) *Converter {
	return registrytest.Configured(t, s, &Converter{}, more...)
}

// TestReadsWhatPythonWrote replays what AvroSerializer of confluent-kafka for
// Python wrote.
func TestReadsWhatPythonWrote(t *testing.T) {
	settings := [][]string{nil, {"enhanced.avro.schema.support", "true"}, {"generalized.sum.type.support", "true"}, {"connect.meta.data", "false"}}
	registrytest.ReadsPeer(t, "avro", func() connect.Converter { return &Converter{} }, settings, nil)
}

// TestWhatIsWrittenIsRead also asks a general Avro library whether the schema
// is one and whether the bytes are of it.
func TestWhatIsWrittenIsRead(t *testing.T) {
	s := registrytest.Start(t)
	rapid.Check(t, func(t *rapid.T) {
		s.Reset()
		c := configured(t, s)
		g := registrytest.Generator{Metadata: true}
		schema := g.Schema(t)
		v := g.Value(t, schema)
		b, err := c.Append([]byte("before"), "t", schema, v)
		if err != nil {
			t.Fatal(err)
		}
		b = b[len("before"):]
		got, w, err := c.Decode("t", b)
		if err != nil {
			t.Fatalf("%v: % x", err, b)
		}
		registered, _ := s.GetSchema("t-value", 1)
		if !got.Equal(schema) {
			t.Fatalf("the schema changed: %s", registered.Schema.Schema)
		}
		if !w.Equal(expected(schema, v)) {
			t.Fatalf("the value changed: %s", registered.Schema.Schema)
		}
		other, err := avro.Parse(registered.Schema.Schema)
		if err != nil {
			t.Fatalf("%v: %s", err, registered.Schema.Schema)
		}
		if schema.Type() == data.Bytes { // these have no length at the top
			return
		}
		var any any
		if rest, err := other.Decode(b[5:], &any); err != nil || len(rest) > 0 {
			t.Fatalf("the other library: %v, %d bytes are left of % x for %s", err, len(rest), b, registered.Schema.Schema)
		}
	})
}

// expected is v with defaults in the place of nulls in structs.
func expected(s *data.Schema, v data.Value) data.Value {
	switch v.Kind() {
	case data.KindStruct:
		st := data.NewStruct(s)
		for i, f := range s.Fields() {
			x := v.Struct().At(i)
			if d, ok := f.Schema.Default(); ok && x.IsNull() {
				x = d
			}
			st.Values()[i] = expected(f.Schema, x)
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
	inner := data.NewStructBuilder().Named("com.example.Inner").Optional().Field("x", data.Int64Schema).MustBuild()
	s := data.NewStructBuilder().Named("com.example.Everything").
		Field("int8", data.Int8Schema).Field("int16", data.Int16Schema).Field("int32", data.Int32Schema).Field("int64", data.Int64Schema).
		Field("float32", data.Float32Schema).Field("float64", data.Float64Schema).Field("boolean", data.BooleanSchema).
		Field("string", data.StringSchema).Field("bytes", data.BytesSchema).
		Field("nothing", data.OptionalStringSchema).Field("something", data.OptionalStringSchema).
		Field("decimal", data.NewDecimalBuilder(2).MustBuild()).Field("date", data.NewDateBuilder().MustBuild()).
		Field("time", data.NewTimeBuilder().MustBuild()).Field("timestamp", data.NewTimestampBuilder().Optional().MustBuild()).
		Field("array", data.NewBuilder(data.Array).Items(data.OptionalInt32Schema).MustBuild()).
		Field("map", data.NewBuilder(data.MapType).Keys(data.StringSchema).Items(data.Float64Schema).MustBuild()).
		Field("struct", inner).
		MustBuild()
	in := data.NewStruct(inner)
	in.Values()[0] = data.Int64Of(1 << 40)
	st := data.MakeStruct(s, []data.Value{
		data.Int8Of(-8), data.Int16Of(-16), data.Int32Of(-32), data.Int64Of(-64), data.Float32Of(0.5), data.Float64Of(-1e300), data.BoolOf(true),
		data.StringOf("Grüße 🚀"), data.BytesOf([]byte{0, 255}), data.Null, data.StringOf("s"),
		data.DecimalOf(data.NewDecimal(-12345, 2)), data.InstantOf(19782 * 86400000), data.InstantOf(86399999), data.InstantOf(-1),
		data.ArrayOf([]data.Value{data.Int32Of(1), data.Null}), data.MapOf(&data.Map{Entries: []data.Entry{{Key: data.StringOf("k"), Value: data.Float64Of(2.5)}}}),
		data.StructOf(in),
	})
	return s, data.StructOf(&st)
}

func TestPythonReadsWhatIsWritten(t *testing.T) {
	s := registrytest.Start(t)
	c := configured(t, s)
	schema, v := everything()
	type pair struct {
		schema *data.Schema
		v      data.Value
	}
	pairs := []pair{
		{schema, v},
		{data.StringSchema, data.StringOf("top")}, {data.Int64Schema, data.Int64Of(-5)}, {data.OptionalFloat64Schema, data.Float64Of(0.1)},
		{data.NewBuilder(data.Array).Items(data.StringSchema).MustBuild(), data.ArrayOf([]data.Value{data.StringOf("a")})},
	}
	var records []registrytest.Record
	for i, p := range pairs {
		topic := "written-" + string(rune('a'+i))
		b, err := c.Append(nil, topic, p.schema, p.v)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, registrytest.Record{Topic: topic, Bytes: b})
	}
	for i, got := range s.Read(t, "avro", records) {
		registrytest.Same(t, records[i].Topic, registrytest.Show(pairs[i].schema, pairs[i].v), got)
	}
}

// TestSchemaTexts holds the registered texts to those of the Java converter,
// whose order of members decides which id a schema gets.
func TestSchemaTexts(t *testing.T) {
	named := data.NewStructBuilder().Named("com.example.Person").Version(2).Doc("a person").Field("id", data.Int8Schema).MustBuild()
	for _, c := range []struct {
		name   string
		schema *data.Schema
		want   string
		more   []string
	}{
		{"primitive", data.Int64Schema, `"long"`, nil},
		{"optional", data.OptionalStringSchema, `["null","string"]`, nil},
		{"small", data.Int16Schema, `{"type":"int","connect.type":"int16"}`, nil},
		{"no schema", nil, `{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":[{"name":"boolean","type":["null","boolean"],"default":null},{"name":"bytes","type":["null","bytes"],"default":null},{"name":"double","type":["null","double"],"default":null},{"name":"float","type":["null","float"],"default":null},{"name":"int","type":["null","int"],"default":null},{"name":"long","type":["null","long"],"default":null},{"name":"string","type":["null","string"],"default":null},{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":[{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}`, nil},
		{
			"decimal", data.NewDecimalBuilder(2).MustBuild(),
			`{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`, nil,
		},
		{
			"decimal with precision", data.NewDecimalBuilder(2).Param("connect.decimal.precision", "10").MustBuild(),
			`{"type":"bytes","scale":2,"precision":10,"connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"10"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`, nil,
		},
		{"timestamp", data.NewTimestampBuilder().MustBuild(), `{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}`, nil},
		{"date", data.NewDateBuilder().MustBuild(), `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}`, nil},
		{"time", data.NewTimeBuilder().MustBuild(), `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"}`, nil},
		{
			"struct", named,
			`{"type":"record","name":"Person","namespace":"com.example","fields":[{"name":"id","type":{"type":"int","connect.type":"int8"}}],"connect.doc":"a person","connect.version":2,"connect.name":"com.example.Person"}`, nil,
		},
		{
			"struct without a name", data.NewStructBuilder().Field("a", data.NewStructBuilder().Optional().Field("x", data.BooleanSchema).MustBuild()).MustBuild(),
			`{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"a","type":["null",{"type":"record","name":"ConnectDefault2","fields":[{"name":"x","type":"boolean"}]}],"default":null}]}`, nil,
		},
		{
			"defaults", data.NewStructBuilder().Named("D").Field("s", data.NewBuilder(data.String).Optional().Default(data.StringOf("d")).MustBuild()).Field("f", data.NewBuilder(data.Float32).Default(data.Float32Of(1.1)).MustBuild()).MustBuild(),
			`{"type":"record","name":"D","fields":[{"name":"s","type":[{"type":"string","connect.default":"d"},"null"],"default":"d"},{"name":"f","type":{"type":"float","connect.default":1.1},"default":1.100000023841858}],"connect.name":"D"}`, nil,
		},
		{
			"without metadata", named, `{"type":"record","name":"Person","namespace":"com.example","fields":[{"name":"id","type":"int"}]}`,
			[]string{"connect.meta.data", "false"},
		},
		{
			"map with number keys", data.NewBuilder(data.MapType).Keys(data.Int32Schema).Items(data.StringSchema).MustBuild(),
			`{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}`, nil,
		},
		{
			"a type twice", data.NewStructBuilder().Named("a.T").Field("x", data.NewStructBuilder().Named("b.U").Field("i", data.Int32Schema).MustBuild()).Field("y", data.NewStructBuilder().Named("b.U").Field("i", data.Int32Schema).MustBuild()).MustBuild(),
			`{"type":"record","name":"T","namespace":"a","fields":[{"name":"x","type":{"type":"record","name":"U","namespace":"b","fields":[{"name":"i","type":"int"}],"connect.name":"b.U"}},{"name":"y","type":"b.U"}],"connect.name":"a.T"}`, nil,
		},
		{
			"names that Avro does not allow", data.NewStructBuilder().Named("my-ns.my table").Field("1st col", data.Int32Schema).MustBuild(),
			`{"type":"record","name":"my_table","namespace":"my_ns","fields":[{"name":"x1st_col","type":"int"}],"connect.name":"my-ns.my table"}`,
			[]string{"scrub.invalid.names", "true"},
		},
		{
			"enum", data.NewBuilder(data.String).Named("e.E").Param("io.confluent.connect.avro.Enum", "e.E").Param("io.confluent.connect.avro.Enum.A", "A").Param("io.confluent.connect.avro.Enum.B", "B").MustBuild(),
			`{"type":"enum","name":"E","namespace":"e","symbols":["A","B"],"connect.parameters":{"io.confluent.connect.avro.Enum":"e.E","io.confluent.connect.avro.Enum.A":"A","io.confluent.connect.avro.Enum.B":"B"},"connect.name":"e.E"}`,
			[]string{"enhanced.avro.schema.support", "true"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := configured(t, registrytest.Start(t), c.more...).settings.fromConnect(c.schema)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(appendSchema(nil, n))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNullIsATombstone(t *testing.T) {
	c := configured(t, registrytest.Start(t))
	if b, err := c.Append([]byte("x"), "t", nil, data.Null); err != nil || b != nil {
		t.Errorf("%v, %v", b, err)
	}
	if b, err := c.Append([]byte("x"), "t", data.OptionalStringSchema, data.Null); err != nil || b != nil {
		t.Errorf("%v, %v", b, err)
	}
	if s, v, err := c.Decode("t", nil); s != nil || !v.IsNull() || err != nil {
		t.Errorf("%v, %v, %v", s, v, err)
	}
	if _, err := c.Append(nil, "t", data.StringSchema, data.Null); err == nil || err.Error() != "Found null value for non-optional schema" || connect.ClassOf(err) != connect.ClassData {
		t.Error(err)
	}
}

func TestValuesWithoutASchema(t *testing.T) {
	c := configured(t, registrytest.Start(t))
	m := &data.Map{}
	m.Put("list", data.ArrayOf([]data.Value{data.Int64Of(1), data.StringOf("x"), data.Null, data.BoolOf(false), data.Float64Of(1.5), data.Float32Of(2), data.Int32Of(3), data.BytesOf([]byte{1})}))
	m.Put("map", data.MapOf(&data.Map{Entries: []data.Entry{{Key: data.Int32Of(1), Value: data.StringOf("one")}}}))
	b, err := c.Append(nil, "t", nil, data.MapOf(m))
	if err != nil {
		t.Fatal(err)
	}
	s, v, err := c.Decode("t", b)
	if err != nil || s != nil || !v.Equal(data.MapOf(m)) {
		t.Errorf("%v, %v", s, err)
	}
}

func TestTheRegistryIsAskedOncePerSchema(t *testing.T) {
	s := registrytest.Start(t)
	c := configured(t, s)
	schema, v := everything()
	b, err := c.Append(nil, "t", schema, v)
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := c.Decode("t", b)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"POST /subjects/t-value/versions", "GET /schemas/ids/1?subject=t-value", "POST /subjects/t-value?deleted=true"}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Error(diff)
	}
	for range 3 {
		if b, err = c.Append(b[:0], "t", schema, v); err != nil {
			t.Fatal(err)
		}
		again, _, err := c.Decode("t", b)
		if err != nil || again != first {
			t.Error("another schema for the same id")
		}
	}
	if r := s.Requests(); r != nil {
		t.Error(r)
	}
}

func TestCachesAreBounded(t *testing.T) {
	s := registrytest.Start(t)
	c := configured(t, s, "schemas.cache.size", "3")
	for i := range 20 {
		schema := data.NewStructBuilder().Named("R").Field("f", data.NewBuilder(data.String).Doc(strings.Repeat("x", i)).MustBuild()).MustBuild()
		st := data.MakeStruct(schema, []data.Value{data.StringOf("v")})
		b, err := c.Append(nil, "t", schema, data.StructOf(&st))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Decode("t", b); err != nil {
			t.Fatal(err)
		}
		if written, read := c.schemas.Len(); written > 3 || read > 3 {
			t.Fatalf("%d writers, %d readers", written, read)
		}
	}
}

func person(t *testing.T, names ...string) (*data.Schema, data.Value) {
	b := data.NewStructBuilder().Named("Person")
	var values []data.Value
	for _, n := range names {
		b.Field(n, data.Int32Schema)
		values = append(values, data.Int32Of(int32(len(values)+1)))
	}
	s := b.MustBuild()
	st := data.MakeStruct(s, values)
	return s, data.StructOf(&st)
}

// TestTheNewestSchemaIsWritten has fields in another order, wider types, one
// that the data lacks and none of one that it has.
func TestTheNewestSchemaIsWritten(t *testing.T) {
	s := registrytest.Seeded(t, sr.TypeAvro, `{"type":"record","name":"Person","fields":[{"name":"b","type":"long"},{"name":"c","type":"string","default":"d"},{"name":"a","type":"double"}]}`)
	c := configured(t, s, "auto.register.schemas", "false", "use.latest.version", "true")
	schema, v := person(t, "a", "b", "x")
	b, err := c.Append(nil, "t", schema, v)
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := c.Decode("t", b)
	if err != nil {
		t.Fatal(err)
	}
	registrytest.Same(t, "value", registrytest.Show(nil, got), []byte(`{"a":1,"b":2,"c":"d"}`))

	schema, v = person(t, "a")
	_, err = c.Append(nil, "t", schema, v)
	if err == nil || !strings.Contains(connect.Trace(err), "Set latest.compatibility.strict=false to disable this check") {
		t.Error(err)
	}
	c = configured(t, s, "auto.register.schemas", "false", "use.latest.version", "true", "latest.compatibility.strict", "false")
	if _, err = c.Append(nil, "t", schema, v); err == nil || !strings.Contains(err.Error(), "Field b of Avro record Person of the registry is not in the data and has no default") {
		t.Error(err)
	}
	c = configured(t, s, "auto.register.schemas", "false", "use.schema.id", "7")
	schema, v = person(t, "a", "b")
	if b, err = c.Append(nil, "t", schema, v); err != nil || b[4] != 7 {
		t.Error(b, err)
	}
}

func TestSubjects(t *testing.T) {
	const strategy = "io.confluent.kafka.serializers.subject."
	schema, v := person(t, "a")
	for _, k := range []struct{ class, want string }{
		{"TopicNameStrategy", "t-value"}, {strategy + "RecordNameStrategy", "Person"}, {"TopicRecordNameStrategy", "t-Person"},
	} {
		s := registrytest.Start(t)
		c := configured(t, s, "value.subject.name.strategy", k.class)
		b, err := c.Append(nil, "t", schema, v)
		if err != nil || !s.SubjectExists(k.want) {
			t.Errorf("%s: %v", k.class, err)
			continue
		}
		if _, got, err := c.Decode("t", b); err != nil || !got.Struct().At(0).Equal(data.Int32Of(1)) {
			t.Error(err)
		}
		if k.want != "t-value" {
			_, err := c.Append(nil, "t", data.StringSchema, data.StringOf(""))
			if err == nil || !strings.Contains(connect.Trace(err), "the message value must only be a record schema") {
				t.Error(err)
			}
		}
	}
}

func TestKeysHaveSubjectsOfTheirOwn(t *testing.T) {
	s := registrytest.Start(t)
	var c Converter
	if err := c.Configure(s.Settings(), true); err != nil {
		t.Fatal(err)
	}
	b, err := c.Append(nil, "t", data.StringSchema, data.StringOf("k"))
	if err != nil || !s.SubjectExists("t-key") || s.SubjectExists("t-value") {
		t.Fatal(err)
	}
	if _, v, err := c.Decode("t", b); err != nil || v.Str() != "k" {
		t.Error(err)
	}
}

// TestLogicalTypesOfAnotherUnitAreRefused holds Promise 3.
func TestLogicalTypesOfAnotherUnitAreRefused(t *testing.T) {
	for _, k := range []struct {
		schema *data.Schema
		v      data.Value
		typ    string
		ok     bool
	}{
		{data.NewTimestampBuilder().MustBuild(), data.InstantOf(1), `{"type":"long","logicalType":"timestamp-micros"}`, false},
		{data.NewTimestampBuilder().MustBuild(), data.InstantOf(1), `{"type":"long","logicalType":"timestamp-millis"}`, true},
		{data.NewTimestampBuilder().MustBuild(), data.InstantOf(1), `"long"`, true},
		{data.NewDecimalBuilder(2).MustBuild(), data.DecimalOf(data.NewDecimal(1, 2)), `{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}`, false},
	} {
		s := registrytest.Seeded(t, sr.TypeAvro, `{"type":"record","name":"R","fields":[{"name":"f","type":`+k.typ+`}]}`)
		c := configured(t, s, "auto.register.schemas", "false", "use.latest.version", "true", "latest.compatibility.strict", "false")
		schema := data.NewStructBuilder().Named("R").Field("f", k.schema).MustBuild()
		st := data.MakeStruct(schema, []data.Value{k.v})
		_, err := c.Append(nil, "t", schema, data.StructOf(&st))
		if k.ok != (err == nil) {
			t.Errorf("%s: %v", k.typ, err)
		}
	}
}

func TestErrorsNameWhatToDo(t *testing.T) {
	schema, v := person(t, "a")
	write := func(c *Converter) error { _, err := c.Append(nil, "t", schema, v); return err }
	read := func(c *Converter) error { _, _, err := c.Decode("t", []byte{0, 0, 0, 0, 9, 2}); return err }
	for _, k := range []struct {
		name    string
		prepare func(s *registrytest.Server)
		more    []string
		do      func(c *Converter) error
		class   string
		kind    connect.Kind
		trace   []string
	}{
		{
			"not from a registry", nil, nil, func(c *Converter) error { _, _, err := c.Decode("t", []byte(`{"a":1}`)); return err },
			connect.ClassData, connect.Data,
			[]string{"Failed to deserialize data for topic t to Avro:", "Caused by: org.apache.kafka.common.errors.SerializationException: Unknown magic byte!"},
		},
		{
			"unknown id", nil, nil, read, connect.ClassData, connect.Data,
			[]string{"Failed to deserialize data for topic t to Avro:", "Error retrieving Avro value schema for id 9", "RestClientException: ", "error code: 40403", "schema.registry.url"},
		},
		{
			"schema of another subject", func(s *registrytest.Server) {
				s.SeedSchema("other", 1, 9, sr.Schema{Schema: `"int"`, Type: sr.TypeAvro})
			}, nil, read, connect.ClassData, connect.Data,
			[]string{"Error retrieving Avro value schema version for id 9", "error code: 40401", "value.subject.name.strategy"},
		},
		{
			"schema of another format", func(s *registrytest.Server) {
				s.SeedSchema("t-value", 1, 9, sr.Schema{Schema: `{}`, Type: sr.TypeJSON})
			}, nil, read, connect.ClassData, connect.Data, []string{"of type JSON", "use the converter of that format"},
		},
		{
			"recursive", func(s *registrytest.Server) {
				s.SeedSchema("t-value", 1, 9, sr.Schema{Schema: `{"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"]}]}`, Type: sr.TypeAvro})
			}, nil, read, connect.ClassData, connect.Data, []string{"Record Node contains itself"},
		},
		{
			"cut", func(s *registrytest.Server) {
				s.SeedSchema("t-value", 1, 9, sr.Schema{Schema: `"string"`, Type: sr.TypeAvro})
			}, nil, read, connect.ClassData, connect.Data, []string{"Error deserializing Avro message for id 9", "1 bytes are announced, 0 are left"},
		},
		{
			"not registered", nil, []string{"auto.register.schemas", "false"}, write, connect.ClassData, connect.Data,
			[]string{"Failed to serialize Avro data from topic t:", `Error retrieving Avro schema{"type":"record","name":"Person"`, "Register the schema under subject t-value, or set auto.register.schemas=true"},
		},
		{
			"no newest", nil, []string{"auto.register.schemas", "false", "use.latest.version", "true"}, write, connect.ClassData, connect.Data,
			[]string{"Error retrieving latest version of Avro schema", "subject t-value"},
		},
		{
			"incompatible", func(s *registrytest.Server) { s.Answer(409, 409, "Schema being registered is incompatible") }, nil, write,
			connect.ClassConfig, connect.Config,
			[]string{"Failed to access Avro data from topic t : Schema being registered is incompatible; error code: 409", "compatibility level"},
		},
		{
			"invalid", func(s *registrytest.Server) { s.Answer(422, 42201, "Invalid schema") }, nil, write,
			connect.ClassData, connect.Data, []string{"Error registering Avro schema", "Invalid schema; error code: 42201"},
		},
		{
			"not allowed", func(s *registrytest.Server) { s.Answer(401, 401, "Unauthorized") }, nil, read,
			connect.ClassConfig, connect.Config, []string{"Failed to access Avro data from topic t : Unauthorized; error code: 401", "basic.auth.user.info"},
		},
		{
			"broken", func(s *registrytest.Server) { s.Answer(503, 50001, "store") }, nil, read,
			connect.ClassRetriable, connect.Retriable, []string{"store; error code: 50001"},
		},
		{
			"gone", func(s *registrytest.Server) {
				s.Fail(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
			}, nil, read, "org.apache.kafka.common.errors.NetworkException", connect.Retriable,
			[]string{"Network connection error while deserializing data for topic t: The schema registry at http://127.0.0.1", "errors.retry.timeout"},
		},
	} {
		t.Run(k.name, func(t *testing.T) {
			s := registrytest.Start(t)
			if k.prepare != nil {
				k.prepare(s)
			}
			err := k.do(configured(t, s, k.more...))
			if err == nil {
				t.Fatal("no error")
			}
			trace := connect.Trace(err)
			if connect.ClassOf(err) != k.class || connect.KindOf(err) != k.kind {
				t.Errorf("kind %d: %s", connect.KindOf(err), trace)
			}
			for _, text := range k.trace {
				if !strings.Contains(trace, text) {
					t.Errorf("%q is not in\n%s", text, trace)
				}
			}
		})
	}
}

// TestARegistryThatComesBackIsUsed holds Promise 4.
func TestARegistryThatComesBackIsUsed(t *testing.T) {
	s := registrytest.Start(t)
	s.Answer(500, 50001, "not yet")
	c := configured(t, s)
	schema, v := everything()
	before := []byte("before")
	if b, err := c.Append(before, "t", schema, v); connect.KindOf(err) != connect.Retriable || len(b) != len(before) {
		t.Fatal(err)
	}
	s.Fail(nil)
	b, err := c.Append(nil, "t", schema, v)
	if err != nil {
		t.Fatal(err)
	}
	if _, w, err := c.Decode("t", b); err != nil || !w.Equal(expectedVersion(t, c, b)) {
		t.Error(err)
	}
}

func expectedVersion(t *testing.T, c *Converter, b []byte) data.Value {
	_, v, err := c.Decode("t", b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestUnionsAndEnumsGoRound(t *testing.T) {
	text := `{"type":"record","name":"R","namespace":"n","fields":[
		{"name":"u","type":["null",{"type":"enum","name":"E","symbols":["A","B"]},{"type":"record","name":"X","fields":[{"name":"i","type":"int"}]},"string",{"type":"fixed","name":"F","size":2}],"default":null},
		{"name":"e","type":"E"},{"name":"f","type":"F"}]}`
	for _, value := range []string{"\x00\x02ab", "\x02\x02\x00ab", "\x04\x05\x00ab", "\x06\x02z\x02ab", "\x08zz\x00ab"} {
		for _, setting := range []string{"enhanced.avro.schema.support", "generalized.sum.type.support"} {
			s := registrytest.Seeded(t, sr.TypeAvro, text)
			c := configured(t, s, setting, "true", "connect.meta.data", "true")
			record := append([]byte{0, 0, 0, 0, 7}, value...)
			schema, v, err := c.Decode("t", record)
			if err != nil {
				t.Fatal(err)
			}
			b, err := c.Append(nil, "again", schema, v)
			if err != nil {
				t.Fatalf("%s %q: %v", setting, value, err)
			}
			if string(b[5:]) != value {
				t.Errorf("%s: %q became %q", setting, value, b[5:])
			}
			_, again, err := c.Decode("again", b)
			if err != nil {
				t.Fatal(err)
			}
			first, err := json.Marshal(registrytest.Show(nil, v))
			if err != nil {
				t.Fatal(err)
			}
			registrytest.Same(t, setting, registrytest.Show(nil, again), first)
		}
	}
}
