package storage

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// addRecords seeds a target with recorded records, each with the one after it.
func addRecords(f *testing.F, files ...string) {
	f.Helper()
	for _, file := range files {
		records := slices.DeleteFunc(readGolden(f, file), func(r goldenRecord) bool { return r.Control })
		for i, r := range records[:len(records)-1] {
			f.Add(string(r.Key), r.Value, string(records[i+1].Key), records[i+1].Value)
		}
	}
}

// FuzzConfigRecords replays two records of any kind over a connector with two
// tasks: what is ignored changes nothing but the offset, which stands still
// only for what is no JSON, and what is understood leaves a state that holds
// together.
func FuzzConfigRecords(f *testing.F) {
	addRecords(f, "java-4.2.0/configs.jsonl", "java-4.2.0-exactly-once/configs.jsonl")
	for _, value := range []string{``, `null`, `{}`, `[]`, `{"properties":null}`, `{"properties":{"a":null,"a":1}}`, `{"tasks":-1}`, `{"tasks":99999999999}`,
		`{"state":"PAUSED"}`, `{"state.v2":"STOPPED"}`, `{"task-count":"x"}`, `{"key":"!","algorithm":"x","creation-timestamp":1}`, `{"level":null}`} {
		for _, key := range []string{"connector-", "connector-a", "target-state-a", "task-a-0", "task-a-9999999999", "task-a", "commit-a", "tasks-fencing-a", "restart-connector-a", "session-key", "logger-cluster-x", "x"} {
			f.Add(key, []byte(value), "commit-a", []byte(`{"tasks":1}`))
		}
	}
	f.Fuzz(func(t *testing.T, key1 string, value1 []byte, key2 string, value2 []byte) {
		s := NewConfigState()
		for i, r := range [][2]string{
			{"connector-a", `{"properties":{"name":"a","tasks.max":"2"}}`}, {"task-a-0", `{"properties":{"x":"0"}}`}, {"task-a-1", `{"properties":{"x":"1"}}`}, {"commit-a", `{"tasks":2}`},
		} {
			if _, err := s.Apply(r[0], []byte(r[1]), int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		for i, r := range []struct {
			key   string
			value []byte
		}{{key1, value1}, {key2, value2}} {
			before := s.Snapshot()
			value := slices.Clone(r.value)
			change, err := s.Apply(r.key, value, int64(4+i))
			after := s.Snapshot()
			want := int64(5 + i)
			if _, broken := decodeValue(r.value); broken != nil {
				want = before.Offset
			}
			if after.Offset != want {
				t.Errorf("%q %q: offset %d, want %d", r.key, r.value, after.Offset, want)
			}
			if err != nil && (change != (Change{}) || !cmp.Equal(before.Connectors, after.Connectors)) {
				t.Errorf("%q %q: %v changed %+v: %s", r.key, r.value, err, change, cmp.Diff(before.Connectors, after.Connectors))
			}
			checkSnapshot(t, after)
			// Records lie in buffers of the client that are used again.
			for j := range value {
				value[j] = 'x'
			}
			if later := s.Snapshot(); !cmp.Equal(after.Connectors, later.Connectors) || !cmp.Equal(after.SessionKey, later.SessionKey) {
				t.Errorf("%q %q: the state refers to the record", r.key, r.value)
			}
		}
	})
}

func checkSnapshot(t *testing.T, s *ConfigSnapshot) {
	t.Helper()
	for name, c := range s.Connectors {
		if c.Name != name || c.Target != Started && c.Target != Paused && c.Target != Stopped {
			t.Errorf("connector %q has name %q and target %q", name, c.Name, c.Target)
		}
		if c.TaskCount < 0 || c.Inconsistent != (c.Tasks == nil && c.TaskCount > 0) || !c.Inconsistent && len(c.Tasks) != c.TaskCount {
			t.Errorf("connector %q has %d of %d tasks, inconsistent %t", name, len(c.Tasks), c.TaskCount, c.Inconsistent)
		}
		again := NewConfigState()
		if _, err := again.Apply(connectorPrefix+name, encodeProperties(c.Posted), 0); err != nil || !cmp.Equal(again.Snapshot().Connectors[name].Posted, c.Posted) {
			t.Errorf("connector %q is not read as it is written: %v, %s", name, err, encodeProperties(c.Posted))
		}
	}
}

// FuzzStatusRecords reads records of any kind; what is understood is written
// as it was read, and tombstones leave nothing.
func FuzzStatusRecords(f *testing.F) {
	addRecords(f, "java-4.2.0/status.jsonl", "java-4.2.0-exactly-once/status.jsonl")
	f.Add("status-topic-t:connector-c", []byte(`{"topic":{"name":"t","connector":"c","task":0,"discoverTimestamp":1}}`), "status-topic-t:connector-c", []byte(nil))
	f.Add("status-task-a-0", []byte(`{"state":"RUNNING","worker_id":"w","generation":1}`), "status-connector-a", []byte(`null`))
	f.Fuzz(func(t *testing.T, key1 string, value1 []byte, key2 string, value2 []byte) {
		v := newStatusView()
		for _, r := range []struct {
			key   string
			value []byte
		}{{key1, value1}, {key2, value2}} {
			if v.apply(r.key, r.value) != nil {
				continue
			}
			for name, e := range v.connectors {
				checkStatus(t, name, e.value)
			}
			for name, tasks := range v.tasks {
				for _, e := range tasks {
					checkStatus(t, name, e.value)
				}
			}
		}
		for _, name := range v.names() {
			if err := v.apply(statusConnectorKey(name), nil); name != "" && err != nil {
				t.Errorf("%q cannot be removed: %v", name, err)
			}
		}
		if left := v.names(); len(left) > 0 && left[0] != "" {
			t.Errorf("after their tombstones %q are left", left)
		}
	})
}

func checkStatus(t *testing.T, name string, s Status) {
	t.Helper()
	raw, err := decodeValue(encodeStatus(s))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := decodeStatus(raw); err != nil || again != s {
		t.Errorf("the status of %q is not read as it is written: %v, %+v, %+v", name, err, s, again)
	}
}

// FuzzOffsetRecords reads records of any kind; an offset that is understood is
// written so that it is found again, and removed so that it stays away.
func FuzzOffsetRecords(f *testing.F) {
	addRecords(f, "java-4.2.0/offsets.jsonl", "java-4.2.0-exactly-once/offsets.jsonl")
	f.Add(`["c",{"b":1,"a":null}]`, []byte(`{"x":1.0}`), `["c",{"a":null,"b":1}]`, []byte(`{"x":2}`))
	f.Add(`["c",null]`, []byte(`{}`), `["c",{}]`, []byte(nil))
	f.Fuzz(func(t *testing.T, key1 string, value1 []byte, key2 string, value2 []byte) {
		x := offsetIndex{}
		connectors := map[string]bool{}
		for _, r := range []struct {
			key   string
			value []byte
		}{{key1, value1}, {key2, value2}} {
			if x.apply([]byte(r.key), r.value) == nil {
				connector, _, _ := decodeOffsetKey([]byte(r.key))
				connectors[connector] = true
			}
		}
		for connector := range connectors {
			before := x.of(connector)
			for _, o := range before {
				write(t, x, o)
			}
			if diff := cmp.Diff(before, x.of(connector)); diff != "" {
				t.Errorf("offsets of %q written as they were read (-before +after):\n%s", connector, diff)
			}
			for _, o := range before {
				write(t, x, SourceOffset{Connector: connector, Partition: o.Partition})
			}
			if left := x.of(connector); len(left) > 0 {
				t.Errorf("removed offsets of %q are back: %v", connector, left)
			}
		}
	})
}

func write(t *testing.T, x offsetIndex, o SourceOffset) {
	t.Helper()
	records, err := x.records(o)
	if err != nil {
		t.Fatalf("%+v cannot be written: %v", o, err)
	}
	for _, r := range records {
		if err := x.apply(r.Key, r.Value); err != nil {
			t.Fatalf("%s %s is written but not read: %v", r.Key, r.Value, err)
		}
	}
}
