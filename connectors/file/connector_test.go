package file

import (
	"fmt"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// The answers are those of the Java worker 4.2.0 (golden rest 12-offsets-source and its like).
func TestOffsetsAreCheckedBeforeTheyAreAltered(t *testing.T) {
	partition := func(name string) connect.SourcePartition {
		return connect.SourcePartition{Fields: []connect.Field{{Name: name, Value: data.StringOf("f")}}}
	}
	none := connect.SourcePartition{Fields: []connect.Field{}}
	const (
		noPosition = "Offset objects should either be null or contain the key 'position'"
		noLong     = "The value for the 'position' key in the offset is expected to be a Long value"
		negative   = "The value for the 'position' key in the offset should be a non-negative value"
	)
	for _, c := range []struct {
		partition connect.SourcePartition
		offset    connect.SourceOffset
		want      string
	}{
		{partition("filename"), at(data.Int64Of(4)), ""},
		{partition("filename"), connect.SourceOffset{}, ""},
		{partition("file"), connect.SourceOffset{}, ""}, // garbage can be removed
		{connect.SourcePartition{}, connect.SourceOffset{}, ""},
		{partition("filename"), connect.SourceOffset{Names: []string{"p"}, Values: []data.Value{data.Int64Of(4)}}, noPosition},
		{partition("filename"), at(data.Null), noLong},
		{partition("filename"), at(data.StringOf("4")), noLong},
		{partition("filename"), at(data.Float64Of(1)), noLong},
		{partition("filename"), at(data.Int64Of(-1)), negative},
		{partition("file"), at(data.Int64Of(-1)), negative},
		{partition("file"), at(data.Int64Of(1)), "Partition objects should contain the key 'filename'"},
		{connect.SourcePartition{}, at(data.Int64Of(1)), "Partition objects cannot be null"},
		// An object without entries is no null.
		{none, at(data.Int64Of(1)), "Partition objects should contain the key 'filename'"},
		{none, connect.SourceOffset{}, ""},
		{partition("filename"), connect.SourceOffset{Names: []string{}}, noPosition},
		{none, connect.SourceOffset{Names: []string{}}, noPosition},
		{connect.SourcePartition{}, connect.SourceOffset{Names: []string{}}, noPosition},
	} {
		changes := []connect.OffsetChange{{Partition: partition("filename"), Offset: at(data.Int64Of(1))}, {Partition: c.partition, Offset: c.offset}}
		sure, err := new(SourceConnector).AlterOffsets(config.Map{"file": "f"}, changes)
		if got := fmt.Sprint(err); c.want != "" && got != c.want || c.want == "" && (err != nil || !sure) {
			t.Errorf("%v %v: got %t, %s; want %q", c.partition, c.offset, sure, got, c.want)
		}
	}
	_, err := new(SourceConnector).AlterOffsets(config.Map{"topic": "t"}, []connect.OffsetChange{{Partition: partition("filename")}})
	if fmt.Sprint(err) != "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked." {
		t.Errorf("the standard input: %v", err)
	}
}

func TestOneTaskReadsAndAnyNumberWrites(t *testing.T) {
	for _, p := range Plugins() {
		c := p.New().(connect.Connector)
		if err := c.Start(t.Context(), &connect.ConnectorEnv{Env: connect.Env{Config: config.Map{"file": "f", "topic": "t"}}}); err != nil {
			t.Fatal(err)
		}
		configs, err := c.TaskConfigs(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		want := 3
		if p.Kind == connect.SourcePlugin {
			want = 1
		}
		if len(configs) != want || configs[0]["file"] != "f" {
			t.Errorf("%s: tasks are %v, want %d", p.Class, configs, want)
		}
	}
	if err := new(SourceConnector).Start(t.Context(), &connect.ConnectorEnv{Env: connect.Env{Config: config.Map{"file": "f"}}}); err == nil {
		t.Error("a source without topic starts")
	}
}
