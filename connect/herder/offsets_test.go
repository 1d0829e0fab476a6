package herder

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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
