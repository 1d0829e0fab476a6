package transform_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/data/golden"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
)

// TestGolden replays what the Java worker's transformations and predicates
// did. KCONNECT_GOLDEN_DIR names another folder with recordings. Cases of
// classes that are not there count as "not yet" and are named.
func TestGolden(t *testing.T) {
	dir := os.Getenv("KCONNECT_GOLDEN_DIR")
	if dir == "" {
		dir = "../../test/testdata/golden"
	}
	files, err := filepath.Glob(filepath.Join(dir, "transforms", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s/transforms: %v", dir, err)
	}
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		t.Fatal(err)
	}
	zone := time.Local
	t.Cleanup(func() { time.Local = zone })
	passed, failed, crashes := 0, 0, 0
	missing := make(map[string]int)
	for _, file := range files {
		cases, err := golden.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if registry.Find(c.Class) == nil {
				missing[c.Class]++
				continue
			}
			if nullPointer(c) {
				crashes++
				continue
			}
			if problem := replay(registry, c); problem != "" {
				failed++
				t.Errorf("%s: %s", c.ID, problem)
				continue
			}
			passed++
		}
	}
	fmt.Printf("golden transforms: %d passed, %d failed\n", passed, failed)
	if crashes > 0 {
		fmt.Printf("golden transforms: %d not run: a null for a key without which the Java class crashes; no null reaches a class here\n", crashes)
	}
	for class, n := range missing {
		t.Logf("%d cases of %s, which is not there yet", n, class)
	}
}

// nullPointer reports whether Java failed on a null in the configuration not
// by its table but by a NullPointerException.
func nullPointer(c golden.Case) bool {
	for _, v := range c.Config {
		if v == nil && c.Expect.Stage == "configure" {
			return c.Expect.Error.Class == "java.lang.NullPointerException"
		}
	}
	return false
}

// replay returns how the answer to one case is wrong, or "".
func replay(registry *plugin.Registry, c golden.Case) string {
	location, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return err.Error()
	}
	time.Local = location
	problem := ask(registry, c, c.Expect)
	if problem != "" && c.ExpectJdk19 != nil {
		problem = ask(registry, c, *c.ExpectJdk19)
	}
	return problem
}

func ask(registry *plugin.Registry, c golden.Case, want golden.Expect) string {
	m := make(config.Map)
	for k, v := range c.Config {
		if v != nil {
			m[k] = *v
		}
	}
	fails := func(stage string, err error) string {
		if want.Error == nil {
			return fmt.Sprintf("failed at stage %s: %s", stage, connect.Trace(err))
		}
		if problem := want.Error.Diff(err); problem != "" {
			return problem
		}
		if want.Stage != stage {
			return fmt.Sprintf("failed at stage %s, want %s", stage, want.Stage)
		}
		return ""
	}
	p := registry.Find(c.Class)
	if len(m) < len(c.Config) {
		// A connector with a null does not start (config.Raw.Map); what is wrong
		// with it users read in the answer of the table. Where it takes the null,
		// it is as good as absent.
		for _, r := range p.Def.ValidateRaw(c.Config) {
			if len(r.Errors) > 0 {
				return fails("configure", &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: r.Errors[0]})
			}
		}
	}
	instance := p.New()
	if err := configure(instance, m); err != nil {
		return fails("configure", err)
	}
	if c.Record == nil {
		if want.Error != nil {
			return "did not fail, want " + want.Error.String()
		}
		return ""
	}
	r, err := decodeRecord(c.Record)
	if err != nil {
		return err.Error()
	}
	if p, ok := instance.(connect.Predicate); ok {
		got, err := p.Test(r)
		if err != nil {
			return fails("test", err)
		}
		if fmt.Sprint(got) != string(want.Result) {
			return fmt.Sprintf("is %t, want %s", got, want.Result)
		}
		return ""
	}
	keep, err := instance.(connect.Transformation).Apply(r)
	if err != nil {
		return fails("apply", err)
	}
	if want.Error != nil {
		return "did not fail, want " + want.Error.String()
	}
	if want.SameObject {
		want.Record = c.Record
	}
	if !keep {
		if string(want.Record) != "null" {
			return "the record was dropped"
		}
		return ""
	}
	return golden.Diff(encodeRecord(r), want.Record)
}

func configure(instance any, m config.Map) error {
	if p, ok := instance.(connect.Predicate); ok {
		return p.Configure(m)
	}
	return instance.(connect.Transformation).Configure(m)
}

// recorded is a record in the notation of the recordings.
type recorded struct {
	Kind        string          `json:"kind"`
	Topic       *string         `json:"topic"`
	Partition   *int32          `json:"partition"`
	Timestamp   *string         `json:"timestamp"`
	Offset      *string         `json:"offset"`
	KeySchema   json.RawMessage `json:"keySchema"`
	Key         json.RawMessage `json:"key"`
	ValueSchema json.RawMessage `json:"valueSchema"`
	Value       json.RawMessage `json:"value"`
	Headers     []struct {
		Key    string          `json:"key"`
		Schema json.RawMessage `json:"schema"`
		Value  json.RawMessage `json:"value"`
	} `json:"headers"`
}

func pair(schema, value json.RawMessage) (*data.Schema, data.Value, error) {
	s, err := golden.Schema(schema)
	if err != nil {
		return nil, data.Null, err
	}
	v, err := golden.Value(value, s)
	return s, v, err
}

func decodeRecord(raw json.RawMessage) (*connect.Record, error) {
	var c recorded
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	r := &connect.Record{Topic: connect.NoTopic, Partition: connect.NoPartition, Timestamp: connect.NoTimestamp}
	if c.Topic != nil {
		r.Topic = *c.Topic
	}
	if c.Partition != nil {
		r.Partition = *c.Partition
	}
	var err error
	if c.Timestamp != nil {
		if r.Timestamp, err = strconv.ParseInt(*c.Timestamp, 10, 64); err != nil {
			return nil, err
		}
	}
	if c.Kind == "sink" {
		r.Origin = connect.Origin{Topic: r.Topic, Partition: r.Partition}
		if c.Offset != nil {
			if r.Origin.Offset, err = strconv.ParseInt(*c.Offset, 10, 64); err != nil {
				return nil, err
			}
		}
	} else {
		// What the recordings' own source records had.
		r.Source = &connect.SourcePartition{Fields: []connect.Field{{Name: "p", Value: data.Int64Of(1)}}}
		r.SourceOffset = connect.SourceOffset{Names: []string{"o"}, Values: []data.Value{data.Int64Of(1)}}
	}
	if r.KeySchema, r.Key, err = pair(c.KeySchema, c.Key); err != nil {
		return nil, err
	}
	if r.ValueSchema, r.Value, err = pair(c.ValueSchema, c.Value); err != nil {
		return nil, err
	}
	for _, h := range c.Headers {
		s, v, err := pair(h.Schema, h.Value)
		if err != nil {
			return nil, err
		}
		r.Headers = append(r.Headers, connect.Header{Key: h.Key, Schema: s, Value: v})
	}
	return r, nil
}

func encodeRecord(r *connect.Record) any {
	m := map[string]any{
		"kind": "source", "topic": r.Topic, "partition": nil, "timestamp": nil,
		"keySchema": golden.EncodeSchema(r.KeySchema), "key": golden.EncodeValue(r.Key, r.KeySchema),
		"valueSchema": golden.EncodeSchema(r.ValueSchema), "value": golden.EncodeValue(r.Value, r.ValueSchema),
	}
	if r.Topic == connect.NoTopic {
		m["topic"] = nil
	}
	if r.Partition != connect.NoPartition {
		m["partition"] = json.Number(strconv.Itoa(int(r.Partition)))
	}
	if r.Timestamp != connect.NoTimestamp {
		m["timestamp"] = strconv.FormatInt(r.Timestamp, 10)
	}
	if r.Source == nil {
		m["kind"], m["offset"] = "sink", strconv.FormatInt(r.Origin.Offset, 10)
	}
	headers := []any{}
	for _, h := range r.Headers {
		headers = append(headers, map[string]any{"key": h.Key, "schema": golden.EncodeSchema(h.Schema), "value": golden.EncodeValue(h.Value, h.Schema)})
	}
	m["headers"] = headers
	return m
}
