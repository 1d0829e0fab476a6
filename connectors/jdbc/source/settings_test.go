package source

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
)

// The definition is compared with what the Java connector answers to validate
// (golden rest 17-validate-jdbc).
func TestDefinitionIsTheJavaConnectors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(goldenDir(), "rest", "17-validate-jdbc.json"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("${N}"), []byte("n"))
	type entry struct {
		Definition struct {
			Name       string   `json:"name"`
			Type       string   `json:"type"`
			Required   bool     `json:"required"`
			Default    *string  `json:"default_value"`
			Importance string   `json:"importance"`
			Group      *string  `json:"group"`
			Order      int      `json:"order_in_group"`
			Width      string   `json:"width"`
			Display    string   `json:"display_name"`
			Dependents []string `json:"dependents"`
		} `json:"definition"`
		Value struct {
			Value       *string  `json:"value"`
			Recommended []string `json:"recommended_values"`
			Errors      []string `json:"errors"`
			Visible     bool     `json:"visible"`
		} `json:"value"`
	}
	var recording struct {
		Steps []struct {
			Name   string     `json:"name"`
			JSON   config.Map `json:"json"`
			Expect struct {
				JSON json.RawMessage `json:"json"`
			} `json:"expect"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(text, &recording); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, step := range recording.Steps {
		if step.Name != "valid source, complete answer" {
			continue
		}
		var answer struct {
			Configs []json.RawMessage `json:"configs"`
		}
		if err := json.Unmarshal(step.Expect.JSON, &answer); err != nil {
			t.Fatal(err)
		}
		want := map[string]entry{}
		for _, raw := range answer.Configs {
			var e entry
			if json.Unmarshal(raw, &e) == nil { // keys of the worker may hold <<any>> for a list
				want[e.Definition.Name] = e
			}
		}
		for _, r := range definition.Validate(step.JSON) {
			w, ok := want[r.Key.Name]
			if !ok {
				t.Errorf("%s is not a key of the Java connector", r.Key.Name)
				continue
			}
			checked++
			var got entry
			got.Definition.Name, got.Definition.Type, got.Definition.Required = r.Key.Name, r.Key.Type.String(), r.Key.Required
			got.Definition.Default, got.Definition.Importance, got.Definition.Order = r.Key.DefaultText(), r.Key.Importance.String(), r.Key.OrderInGroup()
			got.Definition.Width, got.Definition.Display = r.Key.Width.String(), r.Key.DisplayName()
			got.Definition.Dependents = append([]string{}, r.Key.Dependents...)
			if group, ok := r.Key.GroupName(); ok {
				got.Definition.Group = &group
			}
			got.Value.Value, got.Value.Recommended, got.Value.Errors, got.Value.Visible = r.Value, r.Recommended, r.Errors, r.Visible
			if d := cmp.Diff(w, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", r.Key.Name, d)
			}
		}
	}
	if checked != 40 {
		t.Errorf("%d of 40 keys were compared", checked)
	}
}

var smallest = config.Map{"connection.url": "jdbc:sqlite:x.db", "mode": "bulk", "table.whitelist": "t"}

func with(m config.Map, pairs ...string) config.Map {
	m = m.Clone()
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func TestSettingsAreRead(t *testing.T) {
	s, err := readSettings(with(smallest, "query.retry.attempts", "-1", "poll.interval.ms", "1", "connection.foo", "bar", "topic.prefix", " p ",
		"transaction.isolation.mode", "read_committed", "numeric.precision.mapping", "true", "timestamp.initial", "-1", "table.types", "table, View"))
	if err != nil {
		t.Fatal(err)
	}
	if s.retries != 0 || s.pollInterval != time.Millisecond || s.database.Properties["foo"] != "bar" || s.prefix != "p" || s.isolation != "READ COMMITTED" ||
		s.columns.Numeric != 1 || *s.initial != -1 || strings.Join(s.kinds, " ") != "TABLE VIEW" || !s.wait {
		t.Errorf("got %+v", s)
	}
	for _, m := range []config.Map{with(smallest, keyConnectionFailure, "fail"), with(smallest, keyCompatibility, "java")} {
		if s, err := readSettings(m); err != nil || s.wait {
			t.Errorf("%v: waits for the database, %v", m, err)
		}
	}
	for _, m := range []config.Map{
		with(smallest, "batch.max.rows", "0"), with(smallest, "mode", ""), with(smallest, "quote.sql.identifiers", "SOMETIMES"),
		with(smallest, keyConnectionFailure, "perhaps"), with(smallest, "table.include.list", "("),
	} {
		if _, err := readSettings(m); connect.KindOf(err) != connect.Config {
			t.Errorf("%v: %v", m, err)
		}
	}
}

func TestOwnKeysShowOnlyWhenSet(t *testing.T) {
	names := func(m config.Map) string {
		var own []string
		for _, r := range new(Connector).ValidateConfig(t.Context(), m, answers(m)) {
			if strings.HasPrefix(r.Key.Name, "kconnect.") {
				own = append(own, r.Key.Name+" "+strings.Join(r.Errors, "; "))
			}
		}
		return strings.Join(own, ", ")
	}
	m := with(smallest, "connection.url", "jdbc:sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if got := names(m); got != "" {
		t.Errorf("without one: %s", got)
	}
	if got := names(with(m, keyConnectionFailure, "fail")); got != keyConnectionFailure+" " {
		t.Errorf("with one: %s", got)
	}
	if got := names(with(m, keyConnectionFailure, "no")); !strings.Contains(got, "must be one of") {
		t.Errorf("with a wrong one: %s", got)
	}
}

func TestASecretQueryStaysOutOfErrors(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	m := config.Map{"connection.url": db.url, "mode": "bulk", "query.masked": "SELECT hunter2 FROM nowhere", "tasks.max": "1"}
	for _, r := range new(Connector).ValidateConfig(t.Context(), m, answers(m)) {
		if s := strings.Join(r.Errors, " "); strings.Contains(s, "hunter2") || strings.Contains(s, "nowhere") {
			t.Errorf("%s: %s", r.Key.Name, s)
		}
	}
	r := newRun(t, m)
	r.start()
	defer r.stop()
	r.until("a failure", func() bool { return r.trace() != "" })
	if trace := r.trace(); strings.Contains(trace, "hunter2") || strings.Contains(trace, "nowhere") || !strings.Contains(trace, "hidden") {
		t.Errorf("trace: %s", trace)
	}
}

// answers are the results that the worker hands to ValidateConfig.
func answers(m config.Map) []config.Result {
	return append(definition.Validate(m), slices.DeleteFunc(ownDefinition.Validate(m), func(r config.Result) bool {
		_, set := m[r.Key.Name]
		return !set
	})...)
}
