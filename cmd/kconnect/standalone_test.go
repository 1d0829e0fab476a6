package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
	"kconnect/connect/herder"
	"kconnect/rest"
)

func connectorIn(t *testing.T, name, text string) (connectorFile, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return readConnector(path)
}

func TestConnectorFiles(t *testing.T) {
	text := func(s string) *string { return &s }
	paused := herder.Paused
	for name, c := range map[string]struct {
		file, text string
		want       rest.NewConnector
	}{
		"properties": {"a.properties", "# comment\nname = a\ntopic=caf\xe9\ntasks.max=1\ntasks.max=2\n", rest.NewConnector{
			Name: "a", Config: config.Entries{{Key: "name", Value: text("a")}, {Key: "topic", Value: text("café")}, {Key: "tasks.max", Value: text("2")}}}},
		"properties that are called .json": {"a.json", "name=a\n", rest.NewConnector{Name: "a", Config: config.Entries{{Key: "name", Value: text("a")}}}},
		"JSON that is called .properties":  {"a.properties", `{"name":"a"}`, rest.NewConnector{Name: "a", Config: config.Entries{{Key: "name", Value: text("a")}}}},
		"a bare configuration": {"a.json", "\xef\xbb\xbf{\"tasks.max\":1,\"flag\":true,\"none\":null,\"name\":\"a\"}", rest.NewConnector{
			Name: "a", Config: config.Entries{{Key: "tasks.max", Value: text("1")}, {Key: "flag", Value: text("true")}, {Key: "none"}, {Key: "name", Value: text("a")}}}},
		"what POST takes": {"a.json", `{"config":{"tasks.max":1},"initial_state":"paused","name":"a"}`, rest.NewConnector{
			Name: "a", Config: config.Entries{{Key: "tasks.max", Value: text("1")}, {Key: "name", Value: text("a")}}, InitialState: &paused}},
		"what GET answers": {"a.json", `{"name":"a","config":{"name":"a"},"tasks":[{"connector":"a","task":0}],"type":"source"}`, rest.NewConnector{
			Name: "a", Config: config.Entries{{Key: "name", Value: text("a")}}}},
	} {
		got, err := connectorIn(t, c.file, c.text)
		if diff := cmp.Diff(c.want, got.NewConnector); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestConnectorFilesThatAreNone(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"properties without a name":        {"topic=t\n", "lacks the name"},
		"a bare configuration without one": {`{"topic":"t"}`, "lacks the name"},
		"a connector without one":          {`{"config":{"topic":"t"}}`, "has no name"},
		"a connector without settings":     {`{"name":"a","tasks":[]}`, "has no configuration"},
		"two names":                        {`{"name":"a","config":{"name":"b"}}`, "b"},
		"a state that there is not":        {`{"name":"a","config":{},"initial_state":"ASLEEP"}`, "ASLEEP"},
		"a setting that is an object":      {`{"name":"a","config":{"x":{}}}`, "line: 1, column: 27"},
		"a comma too many":                 {"{\"name\":\"a\",\n}", "line: 2, column: 1"},
		"a list":                           {`[{"name":"a"}]`, "no JSON object"},
		"a broken escape":                  {"name=a\\u12\n", "line 1"},
	} {
		if got, err := connectorIn(t, "a.json", c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want %q", name, got.NewConnector, err, c.want)
		}
	}
	if _, err := readConnector(filepath.Join(t.TempDir(), "absent.json")); err == nil {
		t.Error("a file that is not there is read")
	}
}

func TestTheProgramsNameIsASubcommand(t *testing.T) {
	for _, c := range [][2]string{
		{"bin/connect-standalone.sh -daemon a b", "standalone a b"},
		{"connect-standalone a b.json", "standalone a b.json"},
		{"connect-distributed a", "distributed a"},
		{"kconnect standalone a", "standalone a"},
	} {
		if got := strings.Join(arguments(strings.Fields(c[0])), " "); got != c[1] {
			t.Errorf("%s is %s, want %s", c[0], got, c[1])
		}
	}
}
