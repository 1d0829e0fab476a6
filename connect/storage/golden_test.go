package storage

import (
	"bufio"
	"encoding/json"
	"kconnect/connect/config"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goldenRecord is a line of the recordings of a real Java worker's topics.
type goldenRecord struct {
	Partition int32
	Offset    int64
	Key       []byte `json:"key_b64"`
	Value     []byte `json:"value_b64"`
	Control   bool
	Timestamp int64
}

func readGolden(t testing.TB, name string) []goldenRecord {
	t.Helper()
	f, err := os.Open(filepath.Join("../../test/testdata/golden/internal", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var records []goldenRecord
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r goldenRecord
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return records
}

var goldenClusters = []string{"java-4.2.0", "java-4.2.0-exactly-once"}

// reencode writes again, from what was understood of it, the record that
// Apply has just replayed.
func reencode(t *testing.T, s *ConfigState, change Change, key string) []byte {
	t.Helper()
	kind, name := splitConfigKey(key)
	switch kind {
	case connectorPrefix:
		return encodeProperties(s.connectors[name].Posted)
	case targetStatePrefix:
		return encodeTargetState(s.connectors[name].Target)
	case taskPrefix:
		connector, task, _ := splitTaskKey(name)
		c := s.connectors[connector]
		return encodeTaskConfig(c.deferred[task], c.Posted)
	case commitPrefix:
		return encodeCommit(s.connectors[name].TaskCount)
	case sessionKeyKey:
		return encodeSessionKey(*s.sessionKey)
	case restartPrefix:
		return encodeRestart(change.Restart)
	case loggerClusterPrefix:
		return encodeLoggerLevel(change.Level)
	}
	return nil
}

func TestConfigRecordsAreJavasBytes(t *testing.T) {
	counts := map[string]int{}
	for _, cluster := range goldenClusters {
		s := NewConfigState()
		for _, r := range readGolden(t, cluster+"/configs.jsonl") {
			if r.Control {
				continue
			}
			key := string(r.Key)
			change, err := s.Apply(key, r.Value, r.Offset)
			if err != nil {
				t.Errorf("%s %d %s: %v", cluster, r.Offset, key, err)
			}
			kind, _ := splitConfigKey(key)
			if r.Value == nil || kind == fencingPrefix {
				continue
			}
			counts[kind]++
			if diff := cmp.Diff(string(r.Value), string(reencode(t, s, change, key))); diff != "" {
				t.Errorf("%s %d %s (-java +ours):\n%s", cluster, r.Offset, key, diff)
			}
		}
	}
	want := map[string]int{
		connectorPrefix: 12, targetStatePrefix: 9, taskPrefix: 15, commitPrefix: 17,
		sessionKeyKey: 2, restartPrefix: 3, loggerClusterPrefix: 1,
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("records by kind (-want +got):\n%s", diff)
	}
}

func TestConfigKeysAreJavas(t *testing.T) {
	for _, cluster := range goldenClusters {
		for _, r := range readGolden(t, cluster+"/configs.jsonl") {
			if rest, ok := strings.CutPrefix(string(r.Key), taskPrefix); ok && !r.Control {
				connector, task, ok := splitTaskKey(rest)
				if got := taskKey(connector, task); !ok || got != string(r.Key) {
					t.Errorf("key %s becomes %s", r.Key, got)
				}
			}
		}
	}
}

func TestPatchedConfigurationIsInHashMapOrder(t *testing.T) {
	// Record 28 is a PATCH of record 25, which Java merges into a HashMap.
	records := readGolden(t, "java-4.2.0/configs.jsonl")
	s := NewConfigState()
	if _, err := s.Apply(string(records[25].Key), records[25].Value, 25); err != nil {
		t.Fatal(err)
	}
	all := "all"
	patched := append(s.Snapshot().Connectors["rb-file-sink"].Posted, config.Entry{Key: "errors.tolerance", Value: &all})
	if diff := cmp.Diff(string(records[28].Value), string(encodeProperties(InHashMapOrder(patched)))); diff != "" {
		t.Errorf("(-java +ours):\n%s", diff)
	}
}

func TestReplayOfARealConfigTopic(t *testing.T) {
	s := NewConfigState()
	kinds := map[ChangeKind]int{}
	for _, r := range readGolden(t, "java-4.2.0/configs.jsonl") {
		change, err := s.Apply(string(r.Key), r.Value, r.Offset)
		if err != nil {
			t.Fatal(err)
		}
		kinds[change.Kind]++
	}
	snapshot := s.Snapshot()
	if snapshot.Offset != 54 {
		t.Errorf("offset %d, want 54", snapshot.Offset)
	}
	type summary struct {
		Target     TargetState
		TaskCount  int
		Tasks      int
		Generation int
		Current    bool // applied is the configuration
	}
	got := map[string]summary{}
	for name, c := range snapshot.Connectors {
		got[name] = summary{c.Target, c.TaskCount, len(c.Tasks), c.Generation, cmp.Equal(c.Config, c.Applied)}
	}
	want := map[string]summary{
		"rb-jdbc-src":     {Started, 1, 1, 2, true},
		"rb-jdbc-sink":    {Started, 1, 1, 0, true},
		"rb-init-stopped": {Stopped, 0, 0, -1, false},
		"rb-own":          {Started, 1, 1, 0, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("connectors (-want +got):\n%s", diff)
	}
	wantKinds := map[ChangeKind]int{
		ConnectorAdded: 8, ConnectorChanged: 2, ConnectorRemoved: 4, TasksChanged: 13,
		TargetChanged: 6, SessionKeyChanged: 1, RestartRequested: 3, LoggerLevelChanged: 1,
		NoChange: kinds[NoChange],
	}
	if diff := cmp.Diff(wantKinds, kinds); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestExactlyOnceOffsetDoesNotCountMarkers(t *testing.T) {
	s := NewConfigState()
	var fencing []string
	for _, r := range readGolden(t, "java-4.2.0-exactly-once/configs.jsonl") {
		if r.Control {
			continue
		}
		if _, err := s.Apply(string(r.Key), r.Value, r.Offset); err != nil {
			t.Fatal(err)
		}
		if c := s.Snapshot().Connectors["rbe-jdbc"]; c != nil {
			state := "idle"
			if c.PendingFencing {
				state = "pending"
			}
			fencing = append(fencing, state)
		}
	}
	if got := s.Snapshot().Offset; got != 33 { // the last record is at 32, its marker at 33
		t.Errorf("offset %d, want 33", got)
	}
	if got := s.connectors["rbe-jdbc"].TaskCountRecord; got != 1 {
		t.Errorf("task count record %d, want 1", got)
	}
	want := []string{"idle", "pending", "idle", "pending", "idle", "pending", "idle", "pending", "idle"}
	if diff := cmp.Diff(want, slices.Compact(fencing)); diff != "" {
		t.Errorf("fencing (-want +got):\n%s", diff)
	}
}

func TestStatusRecordsAreJavasBytes(t *testing.T) {
	for _, cluster := range goldenClusters {
		count := 0
		for _, r := range readGolden(t, cluster+"/status.jsonl") {
			if r.Control || r.Value == nil {
				continue
			}
			raw, err := decodeValue(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			var key string
			var value []byte
			if rest, ok := strings.CutPrefix(string(r.Key), statusTopicPrefix); ok {
				topic, err := decodeTopicStatus(raw)
				if err != nil {
					t.Fatal(err)
				}
				connector, name, _ := splitStatusTopicKey(rest)
				key, value = statusTopicKey(connector, name), encodeTopicStatus(topic)
			} else {
				status, err := decodeStatus(raw)
				if err != nil {
					t.Fatal(err)
				}
				value = encodeStatus(status)
				if name, ok := strings.CutPrefix(string(r.Key), statusConnectorPrefix); ok {
					key = statusConnectorKey(name)
				} else {
					name, task, _ := splitTaskKey(strings.TrimPrefix(string(r.Key), statusTaskPrefix))
					key = statusTaskKey(name, task)
				}
			}
			count++
			if diff := cmp.Diff(string(r.Key)+" "+string(r.Value), key+" "+string(value)); diff != "" {
				t.Errorf("%s %d/%d (-java +ours):\n%s", cluster, r.Partition, r.Offset, diff)
			}
		}
		if count == 0 {
			t.Errorf("%s: no statuses", cluster)
		}
	}
}

func TestOffsetRecordsAreJavasBytes(t *testing.T) {
	count := 0
	for _, name := range []string{"java-4.2.0/offsets.jsonl", "java-4.2.0/own-offsets.jsonl", "java-4.2.0-exactly-once/offsets.jsonl"} {
		for _, r := range readGolden(t, name) {
			if r.Control {
				continue
			}
			connector, partition, err := decodeOffsetKey(r.Key)
			if err != nil {
				t.Fatal(err)
			}
			slices.Reverse(partition) // its order must not matter
			key, err := offsetKey(connector, partition)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := decodeValue(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			offset, err := decodeFields(raw)
			if err != nil {
				t.Fatal(err)
			}
			want := string(r.Value)
			if r.Value == nil {
				want = "null"
			}
			value, err := appendFields(nil, offset)
			if err != nil {
				t.Fatal(err)
			}
			count++
			if string(key) != string(r.Key) || string(value) != want {
				t.Errorf("%s %d/%d: %s %s becomes %s %s", name, r.Partition, r.Offset, r.Key, r.Value, key, value)
			}
		}
	}
	if count != 13 {
		t.Errorf("%d offsets, want 13", count)
	}
}

func TestJSONTextIsJacksons(t *testing.T) {
	// Recorded from Kafka's JsonConverter without schemas.
	fields := Fields{
		{"a/<>&'\"\\\b\f\n\r\t\u0001\u001f\u007f\u0080é\u2028\u2029\uffff", "😀x"},
		{"d", 1.0e10}, {"e", 0.1}, {"f", 1.0}, {"g", int64(100)}, {"h", true}, {"i", nil}, {"big", 1234567.0},
		{"b7", 12345678.5}, {"s", 0.001}, {"s2", 0.0001}, {"nz", negativeZero()},
	}
	want := `{"a/<>&'\"\\\b\f\n\r\t\u0001\u001F` + "\u007f\u0080é\u2028\u2029\uffff" + `":"\uD83D\uDE00x","d":1.0E10,"e":0.1,"f":1.0,"g":100,"h":true,"i":null,"big":1234567.0,"b7":1.23456785E7,"s":0.001,"s2":1.0E-4,"nz":-0.0}`
	got, err := appendFields(nil, fields)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-java +ours):\n%s", diff)
	}
	raw, err := decodeValue(got)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeFields(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fields, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func negativeZero() float64 {
	zero := 0.0
	return math.Copysign(zero, -1)
}

func TestJSONIsReadAsJacksonReadsIt(t *testing.T) {
	tests := map[string]any{ // recorded; nil: not JSON
		`{"a":1} x`:                 Fields{{"a", int64(1)}},
		``:                          Fields(nil),
		`{"a":1,"a":2}`:             Fields{{"a", int64(2)}},
		`{"a":9223372036854775808}`: Fields{{"a", int64(-9223372036854775808)}},
		`{"a":1e3}`:                 Fields{{"a", 1000.0}},
		`null`:                      Fields(nil),
		" {\"a\" : 1} \n":           Fields{{"a", int64(1)}},
		`[1,2`:                      nil,
		"{\"a\":\"\xff\"}":          nil,
		`{'a':1}`:                   nil,
		`{"a":NaN}`:                 nil,
	}
	for text, want := range tests {
		raw, err := decodeValue([]byte(text))
		if want == nil {
			if err == nil {
				t.Errorf("%s: no error", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := decodeFields(raw)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, any(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
