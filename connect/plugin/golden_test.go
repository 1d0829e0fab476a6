package plugin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/plugin"
)

// step is one request of a recorded REST scenario, as far as it matters here.
type step struct {
	Name    string
	Do      string
	JSON    map[string]*string
	Ignore  []string
	Pick    *struct{ Values []string }
	Message []string `json:"message_contains"`
	Expect  struct {
		Status int
		JSON   json.RawMessage
	}
}

// steps reads a scenario of the golden REST recordings. JDBC connectors get a
// SQLite file: nothing in the answers depends on the engine.
func steps(t *testing.T, scenario string) []step {
	t.Helper()
	b, err := os.ReadFile("../../test/testdata/golden/rest/" + scenario + ".json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(
		"${WORKDIR}", "/tmp", "${N}", "n", "${RUN}", "r", "${DB_USER}", "u", "${DB_PASSWORD}", "p",
		"${JDBC_URL}", "jdbc:sqlite:"+filepath.Join(t.TempDir(), "x.db"),
	).Replace(string(b))
	var raw struct{ Steps []json.RawMessage }
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatal(err)
	}
	var all []step
	for _, r := range raw.Steps {
		var s step
		// Requests that are no configuration are for the tests of the REST API.
		if err := json.Unmarshal(r, &s); err == nil && s.Do != "" {
			all = append(all, s)
		}
	}
	return all
}

// object is v as JSON reads it.
func object(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var o any
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// definition is a key as the REST API shows it, without its documentation,
// which is ours.
func definition(k *config.Key) map[string]any {
	d := map[string]any{
		"name": k.Name, "type": k.Type.String(), "required": k.Required, "default_value": k.DefaultText(), "importance": k.Importance.String(),
		"order_in_group": k.OrderInGroup(), "width": k.Width.String(), "display_name": k.DisplayName(), "dependents": append([]string{}, k.Dependents...), "group": nil,
	}
	if group, ok := k.GroupName(); ok {
		d["group"] = group
	}
	return d
}

// matches compares with a recorded value, in which placeholders stand for
// what differs from run to run.
func matches(want, got any) bool {
	switch want := want.(type) {
	case string:
		if part, ok := strings.CutPrefix(want, "<<contains:"); ok {
			text, isText := got.(string)
			return isText && strings.Contains(text, strings.TrimSuffix(part, ">>"))
		}
		if pattern, ok := strings.CutPrefix(want, "<<re:"); ok {
			text, isText := got.(string)
			return isText && regexp.MustCompile("(?s)^(?:"+strings.TrimSuffix(pattern, ">>")+")$").MatchString(text)
		}
		return want == got || strings.HasPrefix(want, "<<")
	case map[string]any:
		other, ok := got.(map[string]any)
		delete(want, "documentation")
		if !ok || len(other) != len(want) {
			return false
		}
		for k, v := range want {
			if !matches(v, other[k]) {
				return false
			}
		}
		return true
	case []any:
		other, ok := got.([]any)
		return ok && slices.EqualFunc(want, other, matches)
	}
	return cmp.Equal(want, got)
}

func TestRecordedValidations(t *testing.T) {
	r := registry(t)
	for _, scenario := range []string{"16-validate-filestream", "17-validate-jdbc"} {
		checked := 0
		for _, s := range steps(t, scenario) {
			path, ok := strings.CutSuffix(s.Do, "/config/validate")
			if !ok || !strings.HasPrefix(path, "PUT ") || s.JSON == nil || len(s.Ignore) > 0 && s.Expect.Status == 200 {
				continue // what is ignored there depends on the database server
			}
			if s.Expect.Status == 400 {
				continue // the REST API compares the path with the class
			}
			got, err := plugin.Validate(t.Context(), r, worker, config.Raw(s.JSON).Entries())
			checked++
			switch {
			case s.Expect.Status == 500:
				if err == nil {
					t.Errorf("%s: accepted", s.Name)
				}
				for _, part := range s.Message {
					if err != nil && !strings.Contains(err.Error(), strings.TrimSuffix(part, ", available connectors are: ")) {
						t.Errorf("%s: error %q lacks %q", s.Name, err, part)
					}
				}
				continue
			case err != nil:
				t.Errorf("%s: %v", s.Name, err)
				continue
			}
			compareAnswer(t, fmt.Sprintf("%s %s (%s)", scenario, s.Name, path), s, got)
		}
		if checked < 8 {
			t.Errorf("%s: only %d validations were checked", scenario, checked)
		}
	}
}

func compareAnswer(t *testing.T, name string, s step, got *plugin.Validation) {
	t.Helper()
	var want struct {
		Name       string
		ErrorCount int `json:"error_count"`
		Groups     []string
		Configs    []struct{ Definition, Value map[string]any }
	}
	if err := json.Unmarshal(s.Expect.JSON, &want); err != nil {
		t.Fatal(err)
	}
	if got.Name != want.Name || got.ErrorCount != want.ErrorCount || !slices.Equal(got.Groups, want.Groups) {
		t.Errorf("%s: %s with %d errors and groups %q, want %s with %d and %q", name, got.Name, got.ErrorCount, got.Groups, want.Name, want.ErrorCount, want.Groups)
	}
	results := got.Results
	if s.Pick != nil {
		results = slices.DeleteFunc(slices.Clone(results), func(r config.Result) bool { return !slices.Contains(s.Pick.Values, r.Key.Name) })
	}
	if len(results) != len(want.Configs) {
		t.Fatalf("%s: %d entries, want %d", name, len(results), len(want.Configs))
	}
	for i, w := range want.Configs {
		r := results[i]
		slices.Sort(r.Recommended)
		if list, ok := w.Value["recommended_values"].([]any); ok {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		value := map[string]any{"name": r.Key.Name, "value": r.Value, "recommended_values": r.Recommended, "errors": r.Errors, "visible": r.Visible}
		if d, v := object(t, definition(r.Key)), object(t, value); !matches(w.Definition, d) || !matches(w.Value, v) {
			t.Errorf("%s: got %v\n%v\nwant %v\n%v", name, d, v, w.Definition, w.Value)
		}
	}
}

func TestRecordedPlugins(t *testing.T) {
	r := registry(t)
	checked := 0
	for _, s := range steps(t, "15-plugins") {
		path, ok := strings.CutPrefix(s.Do, "GET /connector-plugins")
		if !ok {
			continue
		}
		var want any
		if err := json.Unmarshal(s.Expect.JSON, &want); err != nil {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/config")
		var got any
		switch {
		case strings.HasSuffix(path, "/config") && s.Expect.Status == 200:
			keys, err := r.Keys(strings.ReplaceAll(name, "%24", "$"))
			if err != nil {
				t.Errorf("%s: %v", s.Do, err)
				continue
			}
			list := make([]any, len(keys))
			for i := range keys {
				list[i] = definition(&keys[i])
			}
			got = object(t, list)
		case strings.HasSuffix(path, "/config") && s.Expect.Status == 404:
			if _, err := r.Keys(strings.ReplaceAll(name, "%24", "$")); err == nil {
				t.Errorf("%s: is there", s.Do)
			}
			checked++
			continue
		case path == "" || path == "?connectorsOnly=true" || path == "?connectorsOnly=false":
			got = object(t, listed(r.List(path != "?connectorsOnly=false")))
		default:
			continue
		}
		checked++
		if !matches(want, got) {
			t.Errorf("%s: got\n%v\nwant\n%v", s.Do, got, want)
		}
	}
	if checked < 8 {
		t.Errorf("only %d requests were checked", checked)
	}
}

func listed(plugins []connect.Plugin) []map[string]any {
	var all []map[string]any
	for _, p := range plugins {
		all = append(all, map[string]any{"class": p.Class, "type": p.Kind, "version": p.Version})
	}
	return all
}
