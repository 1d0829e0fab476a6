package storage

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
)

// goldenStep is a REST call that was sent to the Java worker whose topics are
// recorded, with its answer.
type goldenStep struct {
	Step     string
	Time     int64 `json:"t_ms"` // before the call, ms since the epoch
	Request  string
	Body     string
	Response json.RawMessage
}

// replayedWorker holds the topics of a recorded worker, replayed up to a time.
type replayedWorker struct {
	records  []replayedRecord // those still to come, by time
	configs  *ConfigState
	statuses *statusView
	offsets  offsetIndex
	restarts []RestartRequest
	levels   map[string]string
}

type replayedRecord struct {
	goldenRecord
	apply func(goldenRecord) error
}

func openRecording(t *testing.T, cluster string) *replayedWorker {
	t.Helper()
	w := &replayedWorker{configs: NewConfigState(), statuses: newStatusView(), offsets: offsetIndex{}, levels: map[string]string{}}
	add := func(file string, apply func(goldenRecord) error) {
		for _, r := range readGolden(t, cluster+"/"+file) {
			if !r.Control {
				w.records = append(w.records, replayedRecord{r, apply})
			}
		}
	}
	add("configs.jsonl", func(r goldenRecord) error {
		change, err := w.configs.Apply(string(r.Key), r.Value, r.Offset)
		switch change.Kind {
		case RestartRequested:
			w.restarts = append(w.restarts, change.Restart)
		case LoggerLevelChanged:
			w.levels[change.Logger] = change.Level
		}
		return err
	})
	add("status.jsonl", func(r goldenRecord) error { return w.statuses.apply(string(r.Key), r.Value) })
	add("offsets.jsonl", func(r goldenRecord) error { return w.offsets.apply(r.Key, r.Value) })
	slices.SortStableFunc(w.records, func(a, b replayedRecord) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return w
}

// replay applies what was written before a time.
func (w *replayedWorker) replay(t *testing.T, before int64) {
	t.Helper()
	for len(w.records) > 0 && w.records[0].Timestamp < before {
		r := w.records[0]
		w.records = w.records[1:]
		if err := r.apply(r.goldenRecord); err != nil {
			t.Errorf("record %s: %v", r.Key, err)
		}
	}
}

func (w *replayedWorker) info(name string) any {
	c := w.configs.Snapshot().Connectors[name]
	tasks := []any{}
	for task := range c.Tasks {
		tasks = append(tasks, map[string]any{"connector": name, "task": float64(task)})
	}
	return map[string]any{"name": name, "config": plainConfig(c.Config), "tasks": tasks}
}

func plainConfig(raw config.Raw) map[string]any {
	m := map[string]any{}
	for k, v := range raw {
		m[k] = *v
	}
	return m
}

func (w *replayedWorker) status(name string) any {
	one := func(e *statusEntry) map[string]any {
		m := map[string]any{"state": string(e.value.State), "worker_id": e.value.WorkerID, "version": e.value.Version}
		if e.value.Trace != "" {
			m["trace"] = e.value.Trace
		}
		return m
	}
	tasks := []any{}
	for _, task := range slices.Sorted(maps.Keys(w.statuses.tasks[name])) {
		m := one(w.statuses.tasks[name][task])
		m["id"] = float64(task)
		tasks = append(tasks, m)
	}
	return map[string]any{"name": name, "connector": one(w.statuses.connectors[name]), "tasks": tasks}
}

func (w *replayedWorker) sourceOffsets(name string) any {
	plain := func(f Fields) map[string]any {
		m := map[string]any{}
		for _, x := range f {
			if m[x.Name] = x.Value; x.Value != nil {
				if n, ok := x.Value.(int64); ok {
					m[x.Name] = float64(n)
				}
			}
		}
		return m
	}
	all := []any{}
	for _, o := range w.offsets.of(name) {
		all = append(all, map[string]any{"partition": plain(o.Partition), "offset": plain(o.Offset)})
	}
	return map[string]any{"offsets": all}
}

// withoutType removes what no topic holds: whether a connector is a source.
func withoutType(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "type")
		for _, x := range v {
			withoutType(x)
		}
	case []any:
		for _, x := range v {
			withoutType(x)
		}
	}
	return v
}

// After each recorded call the topics hold what its answer says: those of a
// read are compared with the state at the time of the call, those of a write
// with the state before the next one.
func TestTopicsHoldWhatTheRestAnswersSay(t *testing.T) {
	checked := 0
	for _, cluster := range goldenClusters {
		steps := readSteps(t, cluster)
		w := openRecording(t, cluster)
		for i, s := range steps {
			w.replay(t, s.Time)
			w.restarts = nil
			var answer any
			if len(s.Response) > 0 {
				if err := json.Unmarshal(s.Response, &answer); err != nil {
					t.Fatal(err)
				}
			}
			answer = withoutType(answer)
			method, target, _ := strings.Cut(s.Request, " ")
			u, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(strings.Trim(u.Path, "/"), "/")
			name, what := "", ""
			if len(parts) > 1 {
				name, what = parts[1], strings.Join(parts[2:], "/")
			}
			if method == "GET" && name != "rb-file-sink" {
				checked++
				w.compareRead(t, s.Step, name, what, u.Query().Has("expand"), answer)
				continue
			}
			next := int64(math.MaxInt64)
			if i+1 < len(steps) {
				next = steps[i+1].Time
			}
			w.replay(t, next)
			if w.compareWrite(t, s, method, name, what, u.Query(), answer) {
				checked++
			}
		}
	}
	if checked != 34 {
		t.Errorf("%d steps were compared, want 34", checked)
	}
}

func readSteps(t *testing.T, cluster string) []goldenStep {
	t.Helper()
	text, err := os.ReadFile("../../test/testdata/golden/internal/" + cluster + "/steps.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var steps []goldenStep
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s goldenStep
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, s)
	}
	return steps
}

func (w *replayedWorker) compareRead(t *testing.T, step, name, what string, expand bool, answer any) {
	t.Helper()
	var got any
	switch {
	case name == "" && expand:
		all := map[string]any{}
		for name := range w.configs.Snapshot().Connectors {
			all[name] = map[string]any{"status": w.status(name), "info": w.info(name)}
		}
		got = all
	case name == "":
		names := []any{}
		for _, name := range slices.Sorted(maps.Keys(w.configs.Snapshot().Connectors)) {
			names = append(names, name)
		}
		slices.SortFunc(answer.([]any), func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		got = names
	case what == "offsets":
		got = w.sourceOffsets(name)
	case what == "status":
		got = w.status(name)
	default:
		t.Fatalf("%s: no comparison", step)
	}
	if diff := gocmp.Diff(answer, got); diff != "" {
		t.Errorf("%s (-java +ours):\n%s", step, diff)
	}
}

// compareWrite reports whether the topics show anything of the call.
func (w *replayedWorker) compareWrite(t *testing.T, s goldenStep, method, name, what string, query url.Values, answer any) bool {
	t.Helper()
	if strings.HasPrefix(s.Request, "PUT /admin/loggers/") {
		if w.levels[what] != "DEBUG" {
			t.Errorf("%s: levels are %v", s.Step, w.levels)
		}
		return true
	}
	c := w.configs.Snapshot().Connectors[name]
	target := map[string]TargetState{"pause": Paused, "resume": Started, "stop": Stopped}
	switch {
	case method == "DELETE" && what == "":
		if c != nil || w.statuses.connectors[name] != nil || len(w.statuses.tasks[name]) > 0 || len(w.statuses.topics[name]) > 0 {
			t.Errorf("%s: something is left of the connector", s.Step)
		}
	case what == "config" || what == "" && method == "POST":
		m := answer.(map[string]any)
		c = w.configs.Snapshot().Connectors[m["name"].(string)]
		if diff := gocmp.Diff(m["config"], any(plainConfig(c.Config))); diff != "" {
			t.Errorf("%s (-java +ours):\n%s", s.Step, diff)
		}
		if stopped := strings.Contains(s.Body, `"initial_state":"STOPPED"`); stopped != (c.Target == Stopped) {
			t.Errorf("%s: the target is %s", s.Step, c.Target)
		}
	case target[what] != "":
		if c.Target != target[what] {
			t.Errorf("%s: the target is %s", s.Step, c.Target)
		}
	case what == "restart" && len(query) > 0:
		want := RestartRequest{Connector: name, IncludeTasks: query.Get("includeTasks") == "true", OnlyFailed: query.Get("onlyFailed") == "true"}
		if diff := gocmp.Diff([]RestartRequest{want}, w.restarts); diff != "" {
			t.Errorf("%s (-java +ours):\n%s", s.Step, diff)
		}
		if got := len(w.statuses.tasks[name]); got != len(answer.(map[string]any)["tasks"].([]any)) {
			t.Errorf("%s: %d tasks have a status", s.Step, got)
		}
	case what == "topics/reset":
		if len(w.statuses.topics[name]) > 0 {
			t.Errorf("%s: topics are %v", s.Step, w.statuses.topics[name])
		}
	case what == "offsets" && method == "PATCH" && name != "rb-file-sink":
		var body struct{ Offsets []any }
		if err := json.Unmarshal([]byte(s.Body), &body); err != nil {
			t.Fatal(err)
		}
		got := w.sourceOffsets(name).(map[string]any)["offsets"].([]any)
		if len(body.Offsets) != 1 || !slices.ContainsFunc(got, func(o any) bool { return gocmp.Equal(o, body.Offsets[0]) }) {
			t.Errorf("%s: the offsets are %v", s.Step, got)
		}
	case what == "offsets" && method == "DELETE" && name != "rb-file-sink":
		if left := w.offsets.of(name); len(left) > 0 {
			t.Errorf("%s: offsets are %v", s.Step, left)
		}
	default:
		return false
	}
	return true
}
