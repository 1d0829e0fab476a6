package plugin_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
	"kconnect/connect/plugin"
)

// recording is one line of testdata/validate.jsonl: what a Java worker 4.2.0
// answered to PUT /connector-plugins/FileStreamSource (or Sink)/config/validate.
// The first line and the first line of kind sink have the whole answer to
// a plain configuration; the others have what they set beside it, and the
// entries that are not in its answer. Members that are as in plainDefinition
// and plainValue are left out, as is the documentation. A key that names a
// class recommends "classes", all there are of the kind.
type recording struct {
	ID         string
	Kind       string
	Set        map[string]*string
	Unset      []string
	Name       string
	ErrorCount int `json:"error_count"`
	Groups     []string
	Count      int // entries in the whole answer
	Configs    []recordedEntry
}

type recordedEntry struct {
	After      *string // the name of the entry before
	Definition recordedDefinition
	Value      recordedValue
}

type recordedDefinition struct {
	Name       string
	Type       string
	Required   bool
	Default    *string `json:"default_value"`
	Importance string
	Group      *string
	Order      int `json:"order_in_group"`
	Width      string
	Display    string `json:"display_name"`
	Dependents []string
}

type recordedValue struct {
	Value       *string
	Recommended any `json:"recommended_values"`
	Errors      []string
	Visible     bool
}

func (e *recordedEntry) UnmarshalJSON(b []byte) error {
	type plain recordedEntry
	p := plain{
		Definition: recordedDefinition{Type: "STRING", Importance: "LOW", Order: -1, Width: "NONE"},
		Value:      recordedValue{Visible: true},
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	if p.Definition.Display == "" {
		p.Definition.Display = p.Definition.Name
	}
	*e = recordedEntry(p)
	return nil
}

// entriesOf returns results in the form of a recording.
func entriesOf(results []config.Result) []recordedEntry {
	var all []recordedEntry
	var before *string
	for _, r := range results {
		k := r.Key
		e := recordedEntry{
			After:      before,
			Definition: definitionOf(*k),
			Value:      recordedValue{Value: r.Value, Errors: r.Errors, Visible: r.Visible},
		}
		if len(r.Recommended) > 0 {
			recommended := make([]any, len(r.Recommended))
			for i, text := range r.Recommended {
				recommended[i] = text
			}
			if e.Value.Recommended = any(recommended); k.Type == config.Class {
				e.Value.Recommended = "classes"
			}
		}
		all = append(all, e)
		before = &k.Name
	}
	return all
}

// sameEntry treats a list without items as no list.
func sameEntry(a, b recordedEntry) string {
	for _, e := range []*recordedEntry{&a, &b} {
		if len(e.Value.Errors) == 0 {
			e.Value.Errors = nil
		}
		if len(e.Definition.Dependents) == 0 {
			e.Definition.Dependents = nil
		}
	}
	return cmp.Diff(a, b)
}

func TestValidationsAnswerAsTheJavaWorker(t *testing.T) {
	t.Setenv("KC_TASKS", "x") // for the recorded references to it
	b, err := os.ReadFile("testdata/validate.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	r := registry(t)
	plain := map[string]recording{}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var want recording
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		base, ok := plain[want.Kind]
		if !ok {
			plain[want.Kind], base = want, want
		}
		t.Run(want.ID, func(t *testing.T) {
			raw := config.Raw{}
			maps.Copy(raw, base.Set)
			maps.Copy(raw, want.Set)
			for _, key := range want.Unset {
				delete(raw, key)
			}
			got, err := plugin.Validate(t.Context(), r, worker, raw.Entries())
			if err != nil {
				t.Fatal(err)
			}
			compareRecorded(t, base, want, got)
		})
	}
}

func compareRecorded(t *testing.T, base, want recording, got *plugin.Validation) {
	t.Helper()
	if got.Name != want.Name || got.ErrorCount != want.ErrorCount || !slices.Equal(got.Groups, want.Groups) {
		t.Errorf("%s with %d errors and groups %q, want %s with %d and %q", got.Name, got.ErrorCount, got.Groups, want.Name, want.ErrorCount, want.Groups)
	}
	if len(got.Results) != want.Count {
		t.Errorf("%d entries, want %d", len(got.Results), want.Count)
	}
	expected := map[string]recordedEntry{}
	for _, e := range slices.Concat(base.Configs, want.Configs) {
		expected[e.Definition.Name] = e
	}
	for _, e := range entriesOf(got.Results) {
		wanted, ok := expected[e.Definition.Name]
		if !ok {
			t.Errorf("%s is not in the recorded answer", e.Definition.Name)
			continue
		}
		if diff := sameEntry(wanted, e); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.Definition.Name, diff)
		}
	}
	for _, e := range want.Configs {
		if !slices.ContainsFunc(got.Results, func(r config.Result) bool { return r.Key.Name == e.Definition.Name }) {
			t.Errorf("%s is missing", e.Definition.Name)
		}
	}
}
