package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
)

// goldenCase is one recording of the Java connector.
type goldenCase struct {
	Name            string             `json:"name"`
	DB              string             `json:"db"`
	Kind            string             `json:"kind"`
	SetupSQL        []string           `json:"setup_sql"`
	ConnectorConfig map[string]*string `json:"connector_config"`
	SeedOffsets     []goldenOffset     `json:"seed_offsets"`
	Steps           []struct {
		Wait    map[string]int `json:"wait"`
		PauseMS int            `json:"pause_ms"`
		SQL     []string       `json:"sql"`
		Do      string         `json:"do"`
	} `json:"steps"`
	Expect          map[string][]goldenRecord `json:"expect"`
	ExpectPrefix    bool                      `json:"expect_prefix"`
	ExpectOffsets   []goldenOffset            `json:"expect_offsets"`
	ExpectTask      *goldenFailure            `json:"expect_task"`
	ExpectConnector *goldenFailure            `json:"expect_connector"`
	ExpectErrors    map[string][]string       `json:"expect_errors"`
	ErrorsPrefix    int                       `json:"errors_prefix"`
}

type goldenRecord struct {
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

type goldenOffset struct {
	Partition map[string]any `json:"partition"`
	Offset    map[string]any `json:"offset"`
}

type goldenFailure struct {
	State         string `json:"state"`
	TraceContains string `json:"trace_contains"`
}

// goldenDir returns the folder of the recordings.
func goldenDir() string {
	if dir := os.Getenv("KCONNECT_GOLDEN_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "test", "testdata", "golden")
}

// TestGoldenRecordings replays the recordings against connector and tasks,
// without a worker and without Kafka.
func TestGoldenRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldenDir(), "jdbc-source", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s: %v", goldenDir(), err)
	}
	differences := readDifferences(t)
	var passed, failed, later atomic.Int32
	t.Run("cases", func(t *testing.T) {
		for _, file := range files {
			c := readCase(t, file, differences)
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				defer func() {
					switch {
					case t.Skipped():
						later.Add(1)
					case t.Failed():
						failed.Add(1)
					default:
						passed.Add(1)
					}
				}()
				c.replay(t)
			})
		}
	})
	fmt.Printf("golden jdbc-source: %d passed, %d failed, %d not yet (modes or databases of later issues)\n", passed.Load(), failed.Load(), later.Load())
}

// readDifferences reads what is expected instead where we differ on purpose:
// fields that replace those of the recording, by case.
func readDifferences(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "test", "testdata", "golden", "differences.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Row    string          `json:"row"`
		Expect json.RawMessage `json:"expect"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("differences.json: %v", err)
	}
	ours := map[string]json.RawMessage{}
	for name, d := range all {
		if name, ok := strings.CutPrefix(name, "jdbc-source/"); ok {
			ours[name] = d.Expect
		}
	}
	return ours
}

func readCase(t *testing.T, file string, differences map[string]json.RawMessage) *goldenCase {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &goldenCase{}
	decode := func(text []byte) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	decode(text)
	if ours, ok := differences[c.Name]; ok {
		// A difference replaces the whole expectation.
		c.Expect, c.ExpectOffsets, c.ExpectTask, c.ExpectConnector, c.ExpectErrors = nil, nil, nil, nil, nil
		decode(ours)
	}
	return c
}

// placeholder is ${name} in a recording.
var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

func fillIn(text string, vars map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		if v, ok := vars[p[2:len(p)-1]]; ok {
			return v
		}
		return p
	})
}

func (c *goldenCase) replay(t *testing.T) {
	db := newDatabase(t, c.DB, "kcsource_"+c.Name)
	if db.name != "" { // recordings hold the name that their database had
		for _, field := range []map[string][]goldenRecord{c.Expect} {
			for _, records := range field {
				for i := range records {
					if v := records[i].Value; v != nil {
						*v = strings.ReplaceAll(*v, "rc_"+c.Name+".", db.name+".")
					}
				}
			}
		}
	}
	vars := db.vars()
	vars["prefix"] = "p_"
	db.exec(t, fillAll(c.SetupSQL, vars)...)
	cfg := config.Map{"connector.class": connectorClass, "tasks.max": "1", "connection.url": "${url}", "topic.prefix": "${prefix}", "poll.interval.ms": "300"}
	if c.DB != "sqlite" {
		cfg["connection.user"], cfg["connection.password"] = "${user}", "${password}"
	}
	for k, v := range c.ConnectorConfig {
		if delete(cfg, k); v != nil {
			cfg[k] = *v
		}
	}
	for k, v := range cfg {
		cfg[k] = fillIn(v, vars)
	}
	if c.Kind == "validate" {
		c.validate(t, cfg, vars)
		return
	}
	if e := cfg["poll.interval.ms"]; e == "3600000" && len(c.Steps) > 0 {
		t.Fatalf("a case with steps polls every %s ms", e)
	}
	r := newRun(t, cfg)
	for _, o := range c.SeedOffsets {
		r.offsets[canonical(t, o.Partition, vars)] = seeded{offset: o.Offset}
	}
	r.start()
	defer r.stop()
	for _, s := range c.Steps {
		for topic, n := range s.Wait {
			topic = fillIn(topic, vars)
			r.until(fmt.Sprintf("%d records of %s", n, topic), func() bool { return len(r.records[topic]) >= n })
		}
		if s.PauseMS > 0 {
			r.pollFor(time.Duration(s.PauseMS) * time.Millisecond)
		}
		if s.Do == "stop" {
			r.stop()
		}
		db.exec(t, fillAll(s.SQL, vars)...)
		switch s.Do {
		case "resume":
			r.start()
		case "restart", "stop-resume":
			r.stop()
			r.start()
		}
	}
	c.compare(t, r, vars)
}

func fillAll(texts []string, vars map[string]string) []string {
	filled := make([]string, len(texts))
	for i, s := range texts {
		filled[i] = fillIn(s, vars)
	}
	return filled
}

func (c *goldenCase) compare(t *testing.T, r *run, vars map[string]string) {
	want := map[string][]string{}
	for topic, records := range c.Expect {
		topic = fillIn(topic, vars)
		want[topic] = nil
		for _, rec := range records {
			want[topic] = append(want[topic], *rec.Value)
		}
	}
	for _, f := range []*goldenFailure{c.ExpectTask, c.ExpectConnector} {
		if f == nil {
			continue
		}
		contains := fillIn(f.TraceContains, vars)
		r.until("a failure that says "+contains, func() bool { return strings.Contains(r.trace(), contains) })
	}
	for topic, records := range want {
		r.until(fmt.Sprintf("%d records of %s", len(records), topic), func() bool { return len(r.records[topic]) >= len(records) })
	}
	if c.ExpectTask == nil && c.ExpectConnector == nil {
		if !c.ExpectPrefix {
			r.pollFor(700 * time.Millisecond) // for what should not come
		}
		if trace := r.trace(); trace != "" {
			t.Errorf("failed: %s", trace)
		}
	}
	for topic, records := range want {
		got := r.records[topic]
		if c.ExpectPrefix {
			got = got[:len(records)]
		}
		if d := cmp.Diff(records, got); d != "" {
			t.Errorf("records of %s (-want +got):\n%s", topic, d)
		}
	}
	if c.ExpectOffsets != nil {
		var offsets []string
		for _, o := range c.ExpectOffsets {
			offsets = append(offsets, canonical(t, o.Partition, vars)+" "+canonical(t, o.Offset, vars))
		}
		for i := range offsets {
			offsets[i] = strings.ReplaceAll(offsets[i], `"rc_`+c.Name+`.`, `"`+vars["db"]+`.`)
		}
		slices.Sort(offsets)
		if d := cmp.Diff(offsets, r.storedOffsets()); d != "" {
			t.Errorf("offsets (-want +got):\n%s", d)
		}
	}
}

// canonical returns an object as JSON with sorted keys.
func canonical(t *testing.T, o map[string]any, vars map[string]string) string {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return fillIn(string(text), vars)
}

func (c *goldenCase) validate(t *testing.T, cfg config.Map, vars map[string]string) {
	results := new(Connector).ValidateConfig(t.Context(), cfg, answers(cfg))
	got, want := map[string][]string{}, map[string][]string{}
	cut := func(messages []string) []string {
		var all []string
		for _, m := range messages {
			if m = fillIn(m, vars); c.ErrorsPrefix > 0 {
				m = m[:min(len(m), c.ErrorsPrefix)]
			}
			all = append(all, m)
		}
		return all
	}
	for _, r := range results {
		if len(r.Errors) > 0 {
			got[r.Key.Name] = cut(r.Errors)
		}
	}
	for key, messages := range c.ExpectErrors {
		want[key] = cut(messages)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("errors (-want +got):\n%s", d)
	}
}
