package transform_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
)

// arranging are configurations of the transformations that a chain joins.
var arranging = []config.Map{
	{"type": "InsertField", "static.field": "added", "static.value": "x"},
	{"type": "InsertField", "topic.field": "topic!", "timestamp.field": "at!"},
	{"type": "InsertField", "offset.field": "offset"},
	{"type": "InsertField", "partition.field": "a", "replace.null.with.default": "false"},
	{"type": "ReplaceField", "exclude": "a"},
	{"type": "ReplaceField", "include": "b,added,c", "replace.null.with.default": "false"},
	{"type": "ReplaceField", "renames": "a:z,z:a,at:b"},
	{"type": "ReplaceField", "exclude": "a,b,at"},
	{"type": "SetSchemaMetadata", "schema.name": "other"},
	{"type": "SetSchemaMetadata", "schema.version": "3", "replace.null.with.default": "false"},
}

// TestJoinedTransformationsDoWhatEachDoes sends the same records through a
// chain and through one whose links cannot be joined, because each has a
// predicate, which is always true.
func TestJoinedTransformationsDoWhatEachDoes(t *testing.T) {
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		t.Fatal(err)
	}
	inner := data.NewStructBuilder().Field("n", data.Int8Schema).MustBuild()
	fields := []*data.Schema{
		data.Int32Schema, data.OptionalStringSchema, inner, data.NewBuilder(data.Array).Items(data.Int64Schema).Optional().MustBuild(),
		data.NewBuilder(data.String).Default(data.StringOf("d")).MustBuild(), data.NewBuilder(data.Int32).Optional().Default(data.Int32Of(9)).MustBuild(),
		data.NewTimestampBuilder().MustBuild(),
	}
	nested := data.NewStruct(inner)
	nested.Values()[0] = data.Int8Of(1)
	values := []data.Value{
		data.Null, data.Int32Of(4), data.StringOf("s"), data.StructOf(nested), data.StructOf(data.NewStruct(inner)), data.InstantOf(5),
		data.ArrayOf([]data.Value{data.Int64Of(1)}), data.ArrayOf([]data.Value{data.Null}), data.Int64Of(6),
	}
	rapid.Check(t, func(t *rapid.T) {
		joined := config.Map{"predicates": "never", "predicates.never.type": "org.apache.kafka.connect.transforms.predicates.HasHeaderKey", "predicates.never.name": "none"}
		apart := joined.Clone()
		for i := range rapid.IntRange(1, 4).Draw(t, "length") {
			alias := fmt.Sprint("t", i)
			for _, m := range []config.Map{joined, apart} {
				m["transforms"] = strings.TrimPrefix(m["transforms"]+","+alias, ",")
			}
			side := rapid.SampledFrom([]string{"$Value", "$Value", "$Key"}).Draw(t, "side")
			for k, v := range rapid.SampledFrom(arranging).Draw(t, alias) {
				if k == "type" {
					v = "org.apache.kafka.connect.transforms." + v + side
				}
				joined["transforms."+alias+"."+k], apart["transforms."+alias+"."+k] = v, v
			}
			apart["transforms."+alias+".predicate"], apart["transforms."+alias+".negate"] = "never", "true"
		}
		a, err := transform.NewChain(registry, joined)
		if err != nil {
			t.Fatal(err)
		}
		b, err := transform.NewChain(registry, apart)
		if err != nil {
			t.Fatal(err)
		}
		var schemas []*data.Schema
		for range 3 {
			builder := data.NewStructBuilder()
			for _, name := range []string{"a", "b", "c"}[:rapid.IntRange(0, 3).Draw(t, "width")] {
				builder.Field(name, rapid.SampledFrom(fields).Draw(t, name))
			}
			schemas = append(schemas, builder.MustBuild())
		}
		content := func() (*data.Schema, data.Value) {
			schema := rapid.SampledFrom(schemas).Draw(t, "schema")
			s := data.NewStruct(schema)
			for i := range s.Values() {
				s.Values()[i] = rapid.SampledFrom(values).Draw(t, "value")
			}
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				return nil, data.Null
			case 1:
				return schema, data.Null
			case 2:
				return rapid.SampledFrom(schemas).Draw(t, "other"), data.StructOf(s)
			}
			return schema, data.StructOf(s)
		}
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			batch := make([]connect.Record, rapid.IntRange(1, 70).Draw(t, "records"))
			for i := range batch {
				r := &batch[i]
				r.Topic, r.Timestamp, r.Partition = "topic", rapid.SampledFrom([]int64{connect.NoTimestamp, 7}).Draw(t, "timestamp"), rapid.SampledFrom([]int32{connect.NoPartition, 2}).Draw(t, "partition")
				r.KeySchema, r.Key = content()
				r.ValueSchema, r.Value = content()
				if rapid.Bool().Draw(t, "source") {
					r.Source = &connect.SourcePartition{}
				}
			}
			a.Recycle()
			want, got := through(t, b, batch), through(t, a, batch)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("record %d\nis     %s\nwanted %s", i, got[i], want[i])
				}
			}
		}
	})
}

// through returns what a chain makes of records: the text of each that is left,
// after the errors of the others.
func through(t *rapid.T, c *transform.Chain, batch []connect.Record) []string {
	var all []string
	left, err := c.Apply(append([]connect.Record(nil), batch...), nil, func(_ *connect.Record, class string, err error) error {
		all = append(all, class+": "+err.Error())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range left {
		all = append(all, left[i].String()+fieldsOf(left[i].KeySchema)+fieldsOf(left[i].ValueSchema))
	}
	return all
}

func fieldsOf(s *data.Schema) string {
	if s == nil {
		return ""
	}
	var text strings.Builder
	for _, f := range s.Fields() {
		version, _ := f.Schema.Version()
		fmt.Fprint(&text, " ", f.Name, ":", f.Schema, f.Schema.Optional(), version)
	}
	return text.String()
}
