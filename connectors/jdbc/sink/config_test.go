package sink

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
)

// recordedKey is a key in a recorded validate answer.
type recordedKey struct {
	Definition struct {
		Name, Type    string
		Required      bool
		DefaultValue  *string `json:"default_value"`
		Importance    string
		Documentation string
		Group         *string
		Order         int `json:"order_in_group"`
		Width         string
		Display       string `json:"display_name"`
		Dependents    []string
	}
	Value struct {
		Value       *string
		Recommended []string `json:"recommended_values"`
		Errors      []string
		Visible     bool
	}
}

func TestValidateAnswersAreTheRecordedOnes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "test", "testdata", "golden", "rest", "17-validate-jdbc.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Steps []struct {
			Name   string
			JSON   map[string]string
			Expect struct {
				JSON struct {
					Name    string
					Configs []json.RawMessage
				}
			}
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	d := sqliteDB(t)
	checked := 0
	for _, step := range golden.Steps {
		if step.Expect.JSON.Name != "io.confluent.connect.jdbc.JdbcSinkConnector" {
			continue
		}
		t.Run(step.Name, func(t *testing.T) {
			m := config.Map(step.JSON)
			if _, set := m["connection.url"]; set {
				m["connection.url"] = d.config["connection.url"] // any database will do
			}
			results := map[string]config.Result{}
			for _, r := range (&Connector{}).ValidateConfig(t.Context(), m, answers(m)) {
				results[r.Key.Name] = r
			}
			for _, text := range step.Expect.JSON.Configs {
				var want recordedKey
				if err := json.Unmarshal(text, &want); err != nil {
					continue // a placeholder among the framework's keys
				}
				got, ok := results[want.Definition.Name]
				if !ok {
					continue // the framework's
				}
				checked++
				compareKey(t, want, got)
			}
		})
	}
	if checked < 30 {
		t.Errorf("only %d keys were compared", checked)
	}
}

func compareKey(t *testing.T, want recordedKey, got config.Result) {
	t.Helper()
	var g recordedKey
	k := got.Key
	g.Definition.Name, g.Definition.Type, g.Definition.Required = k.Name, k.Type.String(), k.Required
	g.Definition.DefaultValue, g.Definition.Importance = k.DefaultText(), k.Importance.String()
	if group, ok := k.GroupName(); ok {
		g.Definition.Group = &group
	}
	g.Definition.Order, g.Definition.Width, g.Definition.Display = k.OrderInGroup(), k.Width.String(), k.DisplayName()
	g.Definition.Dependents = append([]string{}, k.Dependents...)
	g.Value.Value, g.Value.Recommended, g.Value.Errors, g.Value.Visible = got.Value, got.Recommended, got.Errors, got.Visible
	want.Definition.Documentation = ""
	if want.Value.Value != nil && len(*want.Value.Value) > 1 && (*want.Value.Value)[:2] == "${" {
		want.Value.Value = g.Value.Value // a placeholder of the recording
	}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Errorf("%s (-recorded +got):\n%s", k.Name, diff)
	}
}

func TestContradictionsAreRefusedAtTheStartToo(t *testing.T) {
	for _, m := range []config.Map{
		{"connection.url": "jdbc:sqlite:x", "insert.mode": "update"},
		{"connection.url": "jdbc:sqlite:x", "delete.enabled": "true"},
		{"connection.url": "jdbc:sqlite:x", "kconnect.connection.failure": "perhaps"},
	} {
		if _, err := taskSettings("c", m); err == nil {
			t.Errorf("%v was accepted", m)
		}
	}
}

func TestWhatIsNotThereIsRefusedByName(t *testing.T) {
	for url, dialect := range map[string]string{
		"jdbc:postgresql://h/db": "", "jdbc:oracle:thin:@h": "", "http://h/db": "", "jdbc:sqlite:x": "MySqlDatabaseDialect",
	} {
		m := config.Map{"name": "c", "connection.url": url, "dialect.name": dialect}
		results := (&Connector{}).ValidateConfig(t.Context(), m, answers(m))
		if !faulty(results) {
			t.Errorf("%s with dialect %q was accepted", url, dialect)
		}
	}
}

func TestReferenceNamesEveryKey(t *testing.T) {
	for _, k := range Definition().Keys() {
		if k.Doc == "" || k.Group == "" && !k.Internal {
			t.Errorf("%s has no documentation or group", k.Name)
		}
	}
}

// answers are the results that the worker hands to ValidateConfig.
func answers(m config.Map) []config.Result {
	return append(Definition().Validate(m), slices.DeleteFunc(ownDefinition.Validate(m), func(r config.Result) bool {
		_, set := m[r.Key.Name]
		return !set
	})...)
}
