package transform_test

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
)

// Few names, so that settings meet the fields of records.
var (
	fieldNames = []string{"a", "b", "c", "a.b", "", "ключ", "*"}
	topics     = []string{"a", "my_users1", "", "t.b-c_d"}
	texts      = []string{"", "a", "5", "-7", "1e400", "NaN", "true", "yyyy-MM-dd", "2024-02-29", "20240229", "12:00:00.5", "\xff", "\x00", "ß", "2024-02-29T12:00:00.123Z"}
	patterns   = []string{"a", "my_(.*)", ".*", "(a)|(b)", "[a-z&&[^b]]+", `\p{Alpha}+`, "(?<name>a)(?=.)", "(x)*", `\Qa.b\E`}
	formats    = []string{"yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "EEE, d MMM yyyy", "YYYY-'W'ww", "G u D F k K z Z a", "''", "HH:mm"}
	types      = []string{"int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"}
)

func some(t *rapid.T, label string, from []string) string {
	return rapid.SampledFrom(from).Draw(t, label)
}

// list draws a list that most validations take.
func list(t *rapid.T, label string, element func(label string) string) string {
	all := element(label)
	if rapid.Bool().Draw(t, label+", a second") {
		all += "," + element(label)
	}
	return all
}

// setting draws a text for a key, one that is mostly of use.
func setting(t *rapid.T, class string, key config.Key) string {
	name := func(label string) string { return some(t, label, fieldNames) }
	if rapid.IntRange(0, 9).Draw(t, "any text") == 0 {
		return some(t, key.Name, texts)
	}
	switch key.Name {
	case "spec":
		return list(t, key.Name, func(l string) string {
			if rapid.Bool().Draw(t, "whole") {
				return some(t, l, types)
			}
			return name(l) + ":" + some(t, l, types)
		})
	case "renames":
		return list(t, key.Name, func(l string) string { return name(l) + ":" + name(l) })
	case "fields", "headers", "include", "exclude":
		return list(t, key.Name, name)
	case "regex", "pattern":
		return some(t, key.Name, patterns)
	case "replacement", "topic.format":
		return some(t, key.Name, []string{"$1", "x", "${name}", `\$`, "$0$0", "7", "${topic}-${timestamp}", "${field}", ""})
	case "format", "timestamp.format":
		return some(t, key.Name, formats)
	case "target.type":
		return some(t, key.Name, []string{"string", "unix", "Date", "Time", "Timestamp"})
	case "unix.precision":
		return some(t, key.Name, []string{"seconds", "milliseconds", "microseconds", "nanoseconds"})
	case "operation":
		return some(t, key.Name, []string{"move", "copy"})
	case "field.syntax.version":
		return some(t, key.Name, []string{"V1", "V2"})
	case "field":
		return some(t, class, append([]string{"a.b.c", "`a.b`.c", "$.a"}, fieldNames...))
	}
	switch key.Type {
	case config.Boolean:
		return some(t, key.Name, []string{"true", "false"})
	case config.Int, config.Short, config.Long:
		return some(t, key.Name, []string{"0", "1", "-1", "2147483647"})
	}
	if rapid.Bool().Draw(t, "a field") {
		return name(key.Name) + some(t, key.Name, []string{"", "!", "?"})
	}
	return some(t, key.Name, texts)
}

// configuration draws settings of a class that its validation takes; false when
// it does not.
func configuration(t *rapid.T, p *connect.Plugin) (config.Map, bool) {
	m := config.Map{}
	for _, key := range p.Def.Keys() {
		if key.Required || rapid.Bool().Draw(t, key.Name+" is set") {
			m[key.Name] = setting(t, p.Class, key)
		}
	}
	for _, result := range p.Def.Validate(m) {
		if len(result.Errors) > 0 {
			return nil, false
		}
	}
	return m, true
}

// chainConfig draws a chain of one to four links with their predicates.
func chainConfig(t *rapid.T, registry *plugin.Registry) config.Map {
	classes := transform.Plugins()
	m := config.Map{}
	add := func(list, prefix string, kind connect.PluginKind) (alias string, ok bool) {
		p := rapid.SampledFrom(classes).Filter(func(p connect.Plugin) bool { return p.Kind == kind }).Draw(t, list)
		own, ok := configuration(t, &p)
		if !ok || configure(registry.Find(p.Class).New(), own) != nil {
			return "", false // refused with an error that its own tests look at
		}
		alias = list[:1] + strconv.Itoa(len(m))
		m[prefix+alias+".type"] = p.Class
		for k, v := range own {
			m[prefix+alias+"."+k] = v
		}
		m[list] += alias + ","
		return alias, true
	}
	for range rapid.IntRange(1, 4).Draw(t, "links") {
		alias, ok := add("transforms", "transforms.", connect.TransformationPlugin)
		if !ok || !rapid.Bool().Draw(t, "predicate") {
			continue
		}
		if predicate, ok := add("predicates", "predicates.", connect.PredicatePlugin); ok {
			m["transforms."+alias+".predicate"] = predicate
			m["transforms."+alias+".negate"] = strconv.FormatBool(rapid.Bool().Draw(t, "negate"))
		}
	}
	return m
}

var wholes = []int64{0, 1, -1, 127, 128, -32769, math.MaxInt32, math.MinInt64, math.MaxInt64, 1709208000000, -62135596800001}

// plain draws a value without parts, as connectors make them without schema.
func plain(t *rapid.T) data.Value {
	n := rapid.SampledFrom(wholes).Draw(t, "number")
	switch rapid.IntRange(0, 13).Draw(t, "plain") {
	case 0:
		return data.Null
	case 1:
		return data.BoolOf(n > 0)
	case 2:
		return data.Int8Of(int8(n))
	case 3:
		return data.Int16Of(int16(n))
	case 4:
		return data.Int32Of(int32(n))
	case 5:
		return data.Int64Of(n)
	case 6:
		return data.Float32Of(rapid.SampledFrom([]float32{0, 1.5, -1e38, float32(math.NaN()), float32(math.Inf(1))}).Draw(t, "float"))
	case 7:
		return data.Float64Of(rapid.SampledFrom([]float64{0, 1.5, -1e300, math.NaN(), math.Inf(-1)}).Draw(t, "double"))
	case 8:
		return data.BytesOf([]byte(some(t, "bytes", texts)))
	case 9:
		return data.InstantOf(n)
	case 10:
		return data.DecimalOf(data.NewDecimal(n, rapid.SampledFrom([]int32{0, 2, -3, 300}).Draw(t, "scale")))
	case 11:
		return data.BigIntOf(new(big.Int).Lsh(big.NewInt(n), 70))
	case 12:
		return data.ObjectOf("java.util.UUID")
	}
	return data.StringOf(some(t, "text", texts))
}

// loose draws a value without a schema.
func loose(t *rapid.T, depth int) data.Value {
	switch kind := rapid.IntRange(0, 4).Draw(t, "loose"); {
	case depth > 0 && kind < 3:
		m := &data.Map{}
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			m.Put(some(t, "key", fieldNames), loose(t, depth-1))
		}
		return data.MapOf(m)
	case depth > 0 && kind == 3:
		return data.ArrayOf([]data.Value{loose(t, depth-1), data.Null})
	}
	return plain(t)
}

// typed draws a schema and a value: mostly one of it, sometimes any, as a
// careless connector makes them.
func typed(t *rapid.T, depth int) (*data.Schema, data.Value) {
	b, v := leafOf(t)
	if depth > 0 {
		switch rapid.IntRange(0, 6).Draw(t, "parts") {
		case 0:
			s, e := typed(t, depth-1)
			b, v = data.NewBuilder(data.Array).Items(s), data.ArrayOf([]data.Value{e, e})
		case 1:
			s, e := typed(t, depth-1)
			m := &data.Map{}
			m.Put(some(t, "key", fieldNames), e)
			b, v = data.NewBuilder(data.MapType).Keys(data.StringSchema).Items(s), data.MapOf(m)
		case 2, 3, 4, 5:
			b = data.NewStructBuilder()
			var values []data.Value
			for _, name := range fieldNames[:rapid.IntRange(0, len(fieldNames)).Draw(t, "fields")] {
				s, e := typed(t, depth-1)
				b.Field(name, s)
				values = append(values, e)
			}
			built, err := b.Build()
			if err != nil { // the name that no field may have
				b, values = data.NewStructBuilder().Field("a", data.StringSchema), []data.Value{data.StringOf("a")}
				built = b.MustBuild()
			}
			st := data.MakeStruct(built, values)
			v = data.StructOf(&st)
		}
	}
	if rapid.Bool().Draw(t, "named") && v.Kind() != data.KindDecimal && v.Kind() != data.KindInstant {
		b.Named(some(t, "name", topics)).Version(3).Doc("d").Param("k", "v")
	}
	if v.Kind() != data.KindStruct && rapid.Bool().Draw(t, "default") {
		b.Default(v)
	}
	if rapid.Bool().Draw(t, "optional") {
		b.Optional()
		if rapid.Bool().Draw(t, "null") {
			v = data.Null
		}
	}
	s, err := b.Build()
	if err != nil { // its default holds a null that must not be
		s, v = data.OptionalStringSchema, data.Null
	}
	if rapid.IntRange(0, 15).Draw(t, "careless") == 0 {
		v = loose(t, 1)
	}
	return s, v
}

func leafOf(t *rapid.T) (*data.Builder, data.Value) {
	v := plain(t)
	switch v.Kind() {
	case data.KindBool:
		return data.NewBuilder(data.Boolean), v
	case data.KindInt8:
		return data.NewBuilder(data.Int8), v
	case data.KindInt16:
		return data.NewBuilder(data.Int16), v
	case data.KindInt32:
		return data.NewBuilder(data.Int32), v
	case data.KindInt64:
		return data.NewBuilder(data.Int64), v
	case data.KindFloat32:
		return data.NewBuilder(data.Float32), v
	case data.KindFloat64:
		return data.NewBuilder(data.Float64), v
	case data.KindBytes:
		return data.NewBuilder(data.Bytes), v
	case data.KindDecimal:
		return data.NewDecimalBuilder(2), v
	case data.KindInstant:
		return rapid.SampledFrom([]func() *data.Builder{data.NewDateBuilder, data.NewTimeBuilder, data.NewTimestampBuilder}).Draw(t, "logical")(), v
	case data.KindString:
		return data.NewBuilder(data.String), v
	}
	return data.NewBuilder(data.String), data.StringOf("a")
}

func side(t *rapid.T, label string) (*data.Schema, data.Value) {
	if rapid.IntRange(0, 2).Draw(t, label) == 0 {
		return nil, loose(t, 3)
	}
	return typed(t, 3)
}

func randomRecord(t *rapid.T) connect.Record {
	r := connect.Record{Topic: some(t, "topic", topics), Partition: connect.NoPartition, Timestamp: connect.NoTimestamp}
	if rapid.Bool().Draw(t, "timestamp") {
		r.Timestamp = rapid.SampledFrom(wholes).Draw(t, "ms")
	}
	if rapid.Bool().Draw(t, "sink") {
		r.Partition, r.Origin = 3, connect.Origin{Topic: r.Topic, Partition: 3, Offset: 7, TimestampType: "CreateTime"}
	} else {
		r.Source = &connect.SourcePartition{Fields: []connect.Field{{Name: "p", Value: data.Int64Of(1)}}}
	}
	r.KeySchema, r.Key = side(t, "key")
	r.ValueSchema, r.Value = side(t, "value")
	for range rapid.IntRange(0, 2).Draw(t, "headers") {
		h := connect.Header{Key: some(t, "header", fieldNames)}
		h.Schema, h.Value = typed(t, 1)
		r.Headers = append(r.Headers, h)
	}
	return r
}

// chainsNeverPanic sends random records through a random chain: each is kept,
// dropped, or refused with an error of a Java class, and nothing that others
// may refer to is changed in place.
func chainsNeverPanic(t *rapid.T, registry *plugin.Registry) {
	m := chainConfig(t, registry)
	chain, err := transform.NewChain(registry, m)
	if err != nil {
		t.Fatalf("%v: %v", m, err)
	}
	batch := []connect.Record{randomRecord(t), randomRecord(t)}
	before := []connect.Record{batch[0], batch[1]}
	told := []string{batch[0].String(), batch[1].String()}
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%v with %v: panic: %v", m, told, p)
		}
	}()
	failed := 0
	kept, err := chain.Apply(batch, nil, func(_ *connect.Record, class string, err error) error {
		failed++
		if _, ok := err.(interface{ JavaClass() string }); !ok || registry.Find(class) == nil {
			return fmt.Errorf("an error without a Java class, of %s: %w", class, err)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v with %v: %v", m, told, err)
	}
	if len(kept)+failed > len(before) {
		t.Fatalf("%d kept and %d failed of 2", len(kept), failed)
	}
	for i := range kept {
		_ = kept[i].String() // whole enough to be told
	}
	for i := range before {
		if now := before[i].String(); now != told[i] {
			t.Fatalf("%v changed\n%s\nto\n%s", m, told[i], now)
		}
	}
}

func FuzzChainsNeverPanic(f *testing.F) {
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) { chainsNeverPanic(t, registry) }))
}

// TestChainsNeverPanic is the property of the fuzz target in every run.
func TestChainsNeverPanic(t *testing.T) {
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) { chainsNeverPanic(t, registry) })
}
