package transform_test

import (
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/data"
	"kconnect/connect/data/golden"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
)

// recordedSteps returns each configuration that a recording accepts and each
// record that one has.
func recordedSteps(t *testing.T) (steps []config.Map, records []golden.Case) {
	t.Helper()
	files, err := filepath.Glob("../../test/testdata/golden/transforms/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		cases, err := golden.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			m := config.Map{"type": c.Class}
			for k, v := range c.Config {
				if v != nil {
					m[k] = *v
				}
			}
			if c.Expect.Stage != "configure" && c.Expect.Stage != "test" && c.Expect.Result == nil {
				steps = append(steps, m)
			}
			if c.Record != nil {
				records = append(records, c)
			}
		}
	}
	return steps, records
}

// TestChainsKeepWhatTheyShare sends records through random chains: none may
// panic, and none may change the values of the record in place, which the
// dead letter queue and other records of the batch still refer to.
func TestChainsKeepWhatTheyShare(t *testing.T) {
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		t.Fatal(err)
	}
	steps, records := recordedSteps(t)
	rapid.Check(t, func(t *rapid.T) {
		m := config.Map{}
		for _, alias := range []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "length")] {
			for k, v := range rapid.SampledFrom(steps).Draw(t, alias) {
				m["transforms."+alias+"."+k] = v
			}
			if m["transforms"] != "" {
				m["transforms"] += ","
			}
			m["transforms"] += alias
		}
		chain, err := transform.NewChain(registry, m)
		if err != nil {
			t.Skip(err.Error()) // a recording of a predicate
		}
		batch := make([]connect.Record, 2)
		for i := range batch {
			r, err := decodeRecord(rapid.SampledFrom(records).Draw(t, "record").Record)
			if err != nil {
				t.Fatal(err)
			}
			batch[i] = *r
		}
		before := []connect.Record{batch[0], batch[1]}
		texts := []string{before[0].String(), before[1].String()}
		failed := 0
		kept, err := chain.Apply(batch, nil, func(*connect.Record, string, error) error { failed++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if len(kept)+failed > 2 {
			t.Fatalf("%d kept and %d failed of 2", len(kept), failed)
		}
		for i := range before {
			if now := before[i].String(); now != texts[i] {
				t.Fatalf("the record was\n%s\nand is now\n%s", texts[i], now)
			}
		}
	})
}

// BenchmarkChain has a chain and, to measure it by, what it costs to encode
// the row that it is given.
func BenchmarkChain(b *testing.B) {
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		b.Fatal(err)
	}
	chain, err := transform.NewChain(registry, config.Map{
		"transforms":                     "insert,replace,route",
		"transforms.insert.type":         "org.apache.kafka.connect.transforms.InsertField$Value",
		"transforms.insert.static.field": "source",
		"transforms.insert.static.value": "mariadb",
		"transforms.insert.topic.field":  "topic",
		"transforms.replace.type":        "org.apache.kafka.connect.transforms.ReplaceField$Value",
		"transforms.replace.renames":     "pwd:password",
		"transforms.replace.exclude":     "created_at",
		"transforms.route.type":          "org.apache.kafka.connect.transforms.RegexRouter",
		"transforms.route.regex":         "my_(.*)",
		"transforms.route.replacement":   "$1",
	})
	if err != nil {
		b.Fatal(err)
	}
	schema := data.NewStructBuilder().Named("users1").Field("id", data.Int32Schema).Field("user_id", data.OptionalStringSchema).
		Field("pwd", data.OptionalStringSchema).Field("name", data.OptionalStringSchema).
		Field("created_at", data.NewTimestampBuilder().Optional().MustBuild()).MustBuild()
	s := data.NewStruct(schema)
	copy(s.Values(), []data.Value{data.Int32Of(7), data.StringOf("user4"), data.StringOf("user4444"), data.StringOf("User4 name"), data.InstantOf(1680643371000)})
	const rows = 500
	perRow := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row") }
	b.Run("users1", func(b *testing.B) {
		batch := make([]connect.Record, rows)
		b.ReportAllocs()
		for b.Loop() {
			chain.Recycle()
			for i := range batch {
				batch[i] = connect.Record{Topic: "my_users1", Partition: connect.NoPartition, Timestamp: connect.NoTimestamp, ValueSchema: schema, Value: data.StructOf(s)}
			}
			if _, err := chain.Apply(batch, nil, func(_ *connect.Record, _ string, err error) error { return err }); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b)
	})
	b.Run("users1/encoding", func(b *testing.B) {
		var json converter.JSON
		if err := json.Configure(config.Map{}, false); err != nil {
			b.Fatal(err)
		}
		var text []byte
		b.ReportAllocs()
		for b.Loop() {
			text = text[:0]
			for range rows {
				if text, err = json.Append(text, "users1", schema, data.StructOf(s)); err != nil {
					b.Fatal(err)
				}
			}
		}
		perRow(b)
	})
}
