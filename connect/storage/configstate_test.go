package storage

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kconnect/connect/config"
)

// step is a record and what it must do.
type step struct {
	key, value string // an empty value is a tombstone
	change     ChangeKind
	ignored    bool // with an error
}

func replay(t *testing.T, steps []step) *ConfigSnapshot {
	t.Helper()
	s := NewConfigState()
	for i, step := range steps {
		change, err := s.Apply(step.key, []byte(step.value), int64(i))
		if change.Kind != step.change || (err != nil) != step.ignored {
			t.Errorf("record %d %s: change %d, error %v, want change %d, ignored %v", i, step.key, change.Kind, err, step.change, step.ignored)
		}
	}
	return s.Snapshot()
}

const (
	connectorA = `{"properties":{"name":"a"}}`
	taskA      = `{"properties":{"task.class":"T"}}`
)

func TestConfigReplayRules(t *testing.T) {
	tests := map[string]struct {
		steps []step
		check func(s *ConfigSnapshot, a *Connector) string // empty: right
	}{
		"a new connector is started": {
			[]step{{"connector-a", connectorA, ConnectorAdded, false}},
			func(_ *ConfigSnapshot, a *Connector) string {
				return differ(Connector{Name: "a", Config: a.Config, Posted: a.Posted, Target: Started, Generation: -1, TaskCountRecord: -1}, *a)
			},
		},
		"an initial target state comes first and is no news": {
			[]step{{"target-state-a", `{"state":"PAUSED","state.v2":"STOPPED"}`, NoChange, false}, {"connector-a", connectorA, ConnectorAdded, false}},
			func(_ *ConfigSnapshot, a *Connector) string { return differ(Stopped, a.Target) },
		},
		"an old target state has no v2": {
			[]step{{"connector-a", connectorA, ConnectorAdded, false}, {"target-state-a", `{"state":"PAUSED"}`, TargetChanged, false}},
			func(_ *ConfigSnapshot, a *Connector) string { return differ(Paused, a.Target) },
		},
		"the same target state again is no news": {
			[]step{{"connector-a", connectorA, ConnectorAdded, false}, {"target-state-a", `{"state":"STARTED","state.v2":"STARTED"}`, NoChange, false}},
			nil,
		},
		"an unknown target state is ignored": {
			[]step{{"connector-a", connectorA, ConnectorAdded, false}, {"target-state-a", `{"state":"ASLEEP"}`, NoChange, true}},
			func(_ *ConfigSnapshot, a *Connector) string { return differ(Started, a.Target) },
		},
		"a removed target state of a connector that stays is STARTED": {
			[]step{
				{"connector-a", connectorA, ConnectorAdded, false},
				{"target-state-a", `{"state":"PAUSED","state.v2":"PAUSED"}`, TargetChanged, false},
				{"target-state-a", "", NoChange, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string { return differ(Started, a.Target) },
		},
		"tasks count once committed": {
			[]step{
				{"connector-a", connectorA, ConnectorAdded, false},
				{"task-a-0", taskA, NoChange, false},
				{"task-a-1", taskA, NoChange, false},
				{"commit-a", `{"tasks":2}`, TasksChanged, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string {
				return differ([]any{2, 2, 0, true, false}, []any{a.TaskCount, len(a.Tasks), a.Generation, a.PendingFencing, a.Inconsistent}) + differ(a.Config, a.Applied)
			},
		},
		"tasks of a larger set do not hurt": {
			[]step{
				{"connector-a", connectorA, ConnectorAdded, false},
				{"task-a-0", taskA, NoChange, false},
				{"task-a-7", taskA, NoChange, false},
				{"commit-a", `{"tasks":1}`, TasksChanged, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string { return differ(1, len(a.Tasks)) },
		},
		"a commit without all its tasks makes the connector inconsistent": {
			[]step{
				{"connector-a", connectorA, ConnectorAdded, false},
				{"task-a-1", taskA, NoChange, false},
				{"commit-a", `{"tasks":2}`, TasksChanged, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string {
				return differ([]any{true, 2, 0, -1}, []any{a.Inconsistent, a.TaskCount, len(a.Tasks), a.Generation})
			},
		},
		"a complete commit mends it": {
			[]step{
				{"connector-a", connectorA, ConnectorAdded, false},
				{"commit-a", `{"tasks":1}`, TasksChanged, false},
				{"task-a-0", taskA, NoChange, false},
				{"commit-a", `{"tasks":1}`, TasksChanged, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string {
				return differ([]any{false, 1}, []any{a.Inconsistent, len(a.Tasks)})
			},
		},
		"the applied configuration is that of the last commit": {
			[]step{
				{"connector-a", connectorA, ConnectorAdded, false},
				{"commit-a", `{"tasks":0}`, TasksChanged, false},
				{"connector-a", `{"properties":{"name":"a","x":null}}`, ConnectorChanged, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string {
				name := "a"
				return differ(config.Raw{"name": &name}, a.Applied) + differ(config.Raw{"name": &name, "x": nil}, a.Config)
			},
		},
		"a commit of a connector compacted away is dropped with its tasks": {
			[]step{
				{"task-a-0", taskA, NoChange, false},
				{"commit-a", `{"tasks":1}`, NoChange, false},
				{"connector-a", connectorA, ConnectorAdded, false},
				{"commit-a", `{"tasks":1}`, TasksChanged, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string { return differ(true, a.Inconsistent) },
		},
		"a removed connector takes its tasks along": {
			[]step{
				{"connector-a", connectorA, ConnectorAdded, false},
				{"task-a-0", taskA, NoChange, false},
				{"commit-a", `{"tasks":1}`, TasksChanged, false},
				{"connector-a", "", ConnectorRemoved, false},
				{"target-state-a", "", NoChange, false},
				{"connector-a", connectorA, ConnectorAdded, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string {
				return differ([]any{0, 0, Started}, []any{a.TaskCount, len(a.Tasks), a.Target})
			},
		},
		"removing what is not there is no news": {
			[]step{{"connector-a", "", NoChange, false}},
			func(s *ConfigSnapshot, _ *Connector) string { return differ(0, len(s.Connectors)) },
		},
		"a task count record ends the need for fencing": {
			[]step{
				{"connector-a", connectorA, ConnectorAdded, false},
				{"commit-a", `{"tasks":0}`, TasksChanged, false},
				{"tasks-fencing-a", `{"task-count":3}`, NoChange, false},
			},
			func(_ *ConfigSnapshot, a *Connector) string {
				return differ([]any{false, 3}, []any{a.PendingFencing, a.TaskCountRecord})
			},
		},
		"names may hold dashes": {
			[]step{
				{"connector-a-b-1", connectorA, ConnectorAdded, false},
				{"task-a-b-1-0", taskA, NoChange, false},
				{"commit-a-b-1", `{"tasks":1}`, TasksChanged, false},
			},
			func(s *ConfigSnapshot, _ *Connector) string { return differ(1, len(s.Connectors["a-b-1"].Tasks)) },
		},
		"what is not JSON does not move the offset": {
			[]step{{"connector-a", connectorA, ConnectorAdded, false}, {"connector-b", `{"prop`, NoChange, true}},
			func(s *ConfigSnapshot, _ *Connector) string { return differ(int64(1), s.Offset) },
		},
		"an unknown key moves the offset": {
			[]step{{"connector-a", connectorA, ConnectorAdded, false}, {"news", `{}`, NoChange, true}},
			func(s *ConfigSnapshot, _ *Connector) string { return differ(int64(2), s.Offset) },
		},
		"malformed records are ignored": {
			[]step{
				{"connector-a", `[]`, NoChange, true},
				{"connector-a", `{"properties":[]}`, NoChange, true},
				{"connector-a", `{"properties":{"x":{}}}`, NoChange, true},
				{"connector-a", connectorA, ConnectorAdded, false},
				{"task-a-0", "", NoChange, true},
				{"task-a-x", taskA, NoChange, true},
				{"task-a-0", `{}`, NoChange, true},
				{"commit-a", "", NoChange, true},
				{"commit-a", `{"tasks":"1"}`, NoChange, true},
				{"tasks-fencing-a", `{}`, NoChange, true},
				{"restart-connector-a", "", NoChange, true},
				{"session-key", `{"key":"AA==","algorithm":"HmacSHA256","creation-timestamp":"1"}`, NoChange, true},
				{"session-key", `{"key":"?","algorithm":"HmacSHA256","creation-timestamp":1}`, NoChange, true},
				{"session-key", "", NoChange, true},
				{"logger-cluster-x", `{}`, NoChange, true},
			},
			func(s *ConfigSnapshot, a *Connector) string {
				return differ([]any{int64(15), 0}, []any{s.Offset, a.TaskCount}) + differ((*SessionKey)(nil), s.SessionKey)
			},
		},
		"missing fields of a restart request are false": {
			[]step{{"restart-connector-a", `{"include-tasks":true}`, RestartRequested, false}},
			nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snapshot := replay(t, test.steps)
			if test.check == nil {
				return
			}
			if diff := test.check(snapshot, snapshot.Connectors["a"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func differ(want, got any) string { return cmp.Diff(want, got) }

func TestRestartRequestsAreRankedByImpact(t *testing.T) {
	ascending := []RestartRequest{
		{OnlyFailed: true}, {OnlyFailed: true, IncludeTasks: true}, {}, {IncludeTasks: true},
	}
	for want, r := range ascending {
		if got := r.Impact(); got != want {
			t.Errorf("%+v: impact %d, want %d", r, got, want)
		}
	}
}

func TestSessionKeyIsNotPrinted(t *testing.T) {
	key := SessionKey{Key: []byte("secret"), Algorithm: "HmacSHA256", CreatedAt: 1}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, key); strings.Contains(got, "secret") || strings.Contains(got, "115") {
			t.Errorf("%s shows %s", format, got)
		}
	}
}

type drawnRecord struct{ Key, Value string }

// drawRecords draws records of three connectors, most of them well-formed.
func drawRecords(t *rapid.T) []drawnRecord {
	name := rapid.SampledFrom([]string{"a", "b", "a-b"})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) drawnRecord {
		n := name.Draw(t, "name")
		i := rapid.IntRange(0, 2).Draw(t, "number")
		switch rapid.IntRange(0, 10).Draw(t, "kind") {
		case 0, 1:
			return drawnRecord{connectorPrefix + n, fmt.Sprintf(`{"properties":{"name":%q,"v":"%d"}}`, n, i)}
		case 2:
			return drawnRecord{connectorPrefix + n, ""}
		case 3:
			return drawnRecord{targetStatePrefix + n, string(encodeTargetState([]TargetState{Started, Paused, Stopped}[i]))}
		case 4:
			return drawnRecord{targetStatePrefix + n, ""}
		case 5, 6, 7:
			return drawnRecord{taskKey(n, i), taskA}
		case 8:
			return drawnRecord{commitPrefix + n, string(encodeCommit(i))}
		case 9:
			return drawnRecord{fencingPrefix + n, fmt.Sprintf(`{"task-count":%d}`, i)}
		default:
			return drawnRecord{rapid.SampledFrom([]string{"", "x", "task-", "session-key"}).Draw(t, "key"), rapid.SampledFrom([]string{"", "{", "{}"}).Draw(t, "value")}
		}
	}), 0, 60).Draw(t, "records")
}

func TestLiveStateEqualsColdReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		live := NewConfigState()
		type kept struct {
			snapshot *ConfigSnapshot
			text     string
		}
		var all []kept
		for i, r := range records {
			_, _ = live.Apply(r.Key, []byte(r.Value), int64(i)) // ignored records are part of the game
			s := live.Snapshot()
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, kept{s, string(text)})

			cold := NewConfigState()
			for j, r := range records[:i+1] {
				_, _ = cold.Apply(r.Key, []byte(r.Value), int64(j))
			}
			if diff := cmp.Diff(cold.Snapshot(), s); diff != "" {
				t.Fatalf("after record %d (-cold +live):\n%s", i, diff)
			}
		}
		for i, k := range all {
			text, err := json.Marshal(k.snapshot)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != k.text {
				t.Fatalf("snapshot %d changed later: %s was %s", i, text, k.text)
			}
		}
		for name, c := range live.Snapshot().Connectors {
			if c.Inconsistent && c.Tasks != nil || !c.Inconsistent && len(c.Tasks) != c.TaskCount || c.Target == "" || c.Name != name {
				t.Fatalf("connector %+v", c)
			}
		}
	})
}
