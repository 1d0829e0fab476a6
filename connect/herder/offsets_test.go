package herder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/plugin"
)

// voter is a connector class that is asked about changes of offsets.
type voter struct {
	connect.Connector
	vote func(changes []connect.OffsetChange) (bool, error)
}

func (v voter) AlterOffsets(_ config.Map, changes []connect.OffsetChange) (bool, error) {
	return v.vote(changes)
}

func newVoter(t *testing.T, vote func(changes []connect.OffsetChange) (bool, error)) (*Herder, config.Raw) {
	t.Helper()
	r, err := plugin.New(connect.Plugin{Class: "Voter", Kind: connect.SourcePlugin, Def: config.NewDef(), New: func() any { return voter{vote: vote} }})
	if err != nil {
		t.Fatal(err)
	}
	return &Herder{registry: r}, config.FromMap(config.Map{"connector.class": "Voter"})
}

func TestAConnectorSeesNullAndNothingApart(t *testing.T) {
	var got []connect.OffsetChange
	h, cfg := newVoter(t, func(changes []connect.OffsetChange) (bool, error) { got = changes; return true, nil })
	sure, err := h.vote(t.Context(), cfg, []OffsetEntry{
		{Partition: nil, Offset: nil},
		{Partition: map[string]any{}, Offset: map[string]any{}},
		{Partition: map[string]any{"f": "x"}, Offset: map[string]any{"n": int64(1)}},
	})
	if err != nil || !sure {
		t.Fatalf("the vote is %t, %v", sure, err)
	}
	want := []connect.OffsetChange{
		{},
		{Partition: connect.SourcePartition{Fields: []connect.Field{}}, Offset: connect.SourceOffset{Names: []string{}}},
		{Partition: connect.SourcePartition{Fields: []connect.Field{{Name: "f", Value: data.StringOf("x")}}},
			Offset: connect.SourceOffset{Names: []string{"n"}, Values: []data.Value{data.Int64Of(1)}}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b data.Value) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestAVoteThatHangsIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letGo := make(chan struct{})
		h, cfg := newVoter(t, func([]connect.OffsetChange) (bool, error) { <-letGo; panic("no such table") })
		gone := errors.New("nobody waits any more")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, gone)
		defer cancel()
		if _, err := h.vote(ctx, cfg, nil); !errors.Is(err, gone) {
			t.Errorf("the answer is %v", err)
		}
		close(letGo)
		if _, err := h.vote(t.Context(), cfg, nil); err == nil || !strings.Contains(err.Error(), "no such table") {
			t.Errorf("the answer of one that panics is %v", err)
		}
	})
}

// Asked of a Java worker 4.2.0; golden rest 13-offsets-sink has some of them.
func TestOffsetsOfSinkConnectorsAreReadAsInJava(t *testing.T) {
	type m = map[string]any
	const (
		missing = "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"
		noKey   = "The offset for a sink connector should either be null or contain the key 'kafka_offset'"
	)
	badOffset := func(text string) string {
		return "Failed to parse the following Kafka offset value in the provided offsets: '" + text + "'. Offset values for sink connectors need to be integers."
	}
	badPartition := func(text string) string {
		return "Failed to parse the following Kafka partition value in the provided offsets: '" + text + "'. Partition values for sink connectors need to be integers."
	}
	p0 := m{"kafka_topic": "t", "kafka_partition": int64(0)}
	o1 := m{"kafka_offset": int64(1)}
	for _, c := range []struct {
		partition, offset m
		want              string // "" for a change
	}{
		{p0, o1, ""},
		{m{"kafka_topic": "t", "kafka_partition": "0", "x": 1.5}, m{"kafka_offset": "1", "x": nil}, ""},
		{p0, nil, ""},
		{nil, o1, "The partition for a sink connector offset cannot be null or missing"},
		{m{}, o1, missing},
		{m{"kafka_topic": nil, "kafka_partition": int64(0)}, o1, missing},
		{m{"kafka_topic": "t"}, nil, missing},
		{m{"kafka_topic": "t", "kafka_partition": nil}, o1, badPartition("null")},
		{m{"kafka_topic": "t", "kafka_partition": 0.0}, o1, badPartition("0.0")},
		{m{"kafka_topic": "t", "kafka_partition": true}, o1, badPartition("true")},
		{m{"kafka_topic": "t", "kafka_partition": int64(99999999999)}, o1, badPartition("99999999999")},
		{m{"kafka_topic": "t", "kafka_partition": m{"a": int64(1), "b": []any{"x", nil}}}, o1, badPartition("{a=1, b=[x, null]}")},
		{p0, m{}, noKey},
		{p0, m{"kafka_offset": nil}, badOffset("null")},
		{p0, m{"kafka_offset": 1.0}, badOffset("1.0")},
		{p0, m{"kafka_offset": "x"}, badOffset("x")},
		{p0, m{"kafka_offset": json.Number("99999999999999999999")}, badOffset("99999999999999999999")},
	} {
		got, err := sinkChange("k", []OffsetEntry{{Partition: c.partition, Offset: c.offset}})
		var bad *BadRequestError
		switch {
		case c.want == "" && err != nil, c.want != "" && (!errors.As(err, &bad) || bad.Message != c.want):
			t.Errorf("%v %v: %v, want %q", c.partition, c.offset, err, c.want)
		case c.want == "" && c.offset == nil:
			if diff := cmp.Diff(kadm.TopicsSet{"t": {0: {}}}, got.remove); diff != "" || len(got.commit) > 0 {
				t.Errorf("%v: %s", c.partition, diff)
			}
		case c.want == "":
			if o, ok := got.commit.Lookup("t", 0); !ok || o.At != 1 || len(got.remove) > 0 {
				t.Errorf("%v %v: %v", c.partition, c.offset, got)
			}
		}
	}
	_, err := sinkChange("k", []OffsetEntry{{Partition: p0, Offset: m{"kafka_offset": int64(-1)}}})
	if want := "Failed to modify offsets for sink connector k: Invalid negative offset -1"; fmt.Sprint(err) != want {
		t.Errorf("a negative offset: %v, want %s", err, want)
	}
}

func TestOffsetsOfSourceConnectorsAreFlat(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "<nil>"}, {true, "<nil>"}, {"a", "<nil>"}, {int64(1), "<nil>"}, {1.5, "<nil>"},
		{map[string]any{}, "Offsets may only contain primitive types as values, but field b contains MAP"},
		{[]any{}, "Offsets may only contain primitive types as values, but field b contains ARRAY"},
		{json.Number("99999999999999999999"), "Offsets may only contain primitive types as values, but field b contains class java.math.BigInteger"},
	} {
		if got := fmt.Sprint(checkPrimitive(map[string]any{"a": "x", "b": c.value})); got != c.want {
			t.Errorf("%v: %s, want %s", c.value, got, c.want)
		}
	}
}
