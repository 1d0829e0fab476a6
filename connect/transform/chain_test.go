package transform_test

import (
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
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
		"transforms.replace.type":        "org.apache.kafka.connect.transforms.ReplaceField$Value",
		"transforms.replace.renames":     "pwd:password",
		"transforms.route.type":          "org.apache.kafka.connect.transforms.RegexRouter",
		"transforms.route.regex":         "my_(.*)",
		"transforms.route.replacement":   "$1",
		"transforms.replace.exclude":     "created_at",
		"transforms.insert.topic.field":  "topic",
	})
	if err != nil {
		b.Fatal(err)
	}
	schema := data.NewStructBuilder().Field("id", data.Int32Schema).Field("user_id", data.StringSchema).Field("pwd", data.StringSchema).
		Field("name", data.StringSchema).Field("created_at", data.NewTimestampBuilder().MustBuild()).MustBuild()
	s := data.NewStruct(schema)
	copy(s.Values(), []data.Value{data.Int32Of(1), data.StringOf("user1"), data.StringOf("secret"), data.StringOf("Someone"), data.InstantOf(1577934245678)})
	const rows = 500
	batch := make([]connect.Record, rows)
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch {
			batch[i] = connect.Record{Topic: "my_users1", Partition: connect.NoPartition, Timestamp: connect.NoTimestamp, ValueSchema: schema, Value: data.StructOf(s)}
		}
		if _, err := chain.Apply(batch, nil, func(_ *connect.Record, _ string, err error) error { return err }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
