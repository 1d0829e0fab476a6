package plugin_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
	"kconnect/connectors/file"
)

func registry(t *testing.T) *plugin.Registry {
	t.Helper()
	r, err := plugin.New(slices.Concat(converter.Plugins(), transform.Plugins(), file.Plugins())...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var worker = plugin.WorkerDefaults{OverridePolicy: "All", Properties: config.Map{
	"key.converter":   "org.apache.kafka.connect.json.JsonConverter",
	"value.converter": "org.apache.kafka.connect.json.JsonConverter",
}}

// TestRecordedValidations checks values, errors and their number against what
// the Java worker answered (golden rest 16-validate-filestream); the rest of
// the answer, such as the definitions, is compared through the REST API.
func TestRecordedValidations(t *testing.T) {
	text, err := os.ReadFile("../../test/testdata/golden/rest/16-validate-filestream.json")
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.NewReplacer("${WORKDIR}", "/tmp", "${N}", "n", "${RUN}", "r").Replace(string(text)))
	var scenario struct {
		Steps []struct {
			Name   string          `json:"name"`
			JSON   json.RawMessage `json:"json"`
			Expect struct {
				Status int             `json:"status"`
				JSON   json.RawMessage `json:"json"`
			} `json:"expect"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(text, &scenario); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, s := range scenario.Steps {
		var sent map[string]*string
		if s.Expect.Status != 200 || json.Unmarshal(s.JSON, &sent) != nil {
			continue
		}
		var want struct {
			Name    string   `json:"name"`
			Errors  int      `json:"error_count"`
			Groups  []string `json:"groups"`
			Configs []struct {
				Value struct {
					Name   string   `json:"name"`
					Value  *string  `json:"value"`
					Errors []string `json:"errors"`
				} `json:"value"`
			} `json:"configs"`
		}
		if err := json.Unmarshal(s.Expect.JSON, &want); err != nil {
			t.Fatal(err)
		}
		var entries config.Entries
		for k, v := range sent {
			entries = append(entries, config.Entry{Key: k, Value: v})
		}
		got, err := plugin.Validate(t.Context(), registry(t), worker, entries)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		checked++
		if got.Name != want.Name || got.ErrorCount != want.Errors || !slices.Equal(got.Groups, want.Groups) {
			t.Errorf("%s: %s with %d errors and groups %v, want %s with %d and %v", s.Name, got.Name, got.ErrorCount, got.Groups, want.Name, want.Errors, want.Groups)
		}
		for _, w := range want.Configs {
			i := slices.IndexFunc(got.Results, func(r config.Result) bool { return r.Key.Name == w.Value.Name })
			if i < 0 {
				t.Errorf("%s: no %s in the answer", s.Name, w.Value.Name)
				continue
			}
			r := got.Results[i]
			if !slices.EqualFunc(r.Errors, w.Value.Errors, like) {
				t.Errorf("%s: errors of %s are %q, want %q", s.Name, w.Value.Name, r.Errors, w.Value.Errors)
			}
			if w.Value.Value != nil && *w.Value.Value == "<<any>>" {
				continue
			}
			if (r.Value == nil) != (w.Value.Value == nil) || r.Value != nil && *r.Value != *w.Value.Value {
				t.Errorf("%s: the value of %s differs from %s", s.Name, w.Value.Name, s.Expect.JSON)
			}
		}
	}
	if checked < 6 {
		t.Errorf("only %d validations were checked", checked)
	}
}

// like compares with a recorded text, of which <<contains:part>> is a part.
func like(got, want string) bool {
	if part, ok := strings.CutPrefix(want, "<<contains:"); ok {
		return strings.Contains(got, strings.TrimSuffix(part, ">>"))
	}
	return got == want
}

func text(s string) *string { return &s }

func TestClassesHaveShortNames(t *testing.T) {
	r := registry(t)
	for _, name := range []string{
		"FileStreamSource", "FileStreamSourceConnector", "org.apache.kafka.connect.file.FileStreamSourceConnector",
	} {
		p, err := r.Connector(name)
		if err != nil || p.Class != "org.apache.kafka.connect.file.FileStreamSourceConnector" {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	if _, err := r.Connector("Nope"); err == nil || !strings.Contains(err.Error(), "Nope") {
		t.Errorf("a class that is not here: %v", err)
	}
}

func TestATransformationIsValidatedUnderItsAlias(t *testing.T) {
	got, err := plugin.Validate(t.Context(), registry(t), worker, config.Entries{
		{Key: "name", Value: text("v")}, {Key: "connector.class", Value: text("FileStreamSource")}, {Key: "topic", Value: text("t")},
		{Key: "transforms", Value: text("route,late")}, {Key: "transforms.route.type", Value: text("org.apache.kafka.connect.transforms.RegexRouter")},
		{Key: "transforms.route.regex", Value: text("(")}, {Key: "transforms.late.type", Value: text("com.example.Missing")},
	})
	if err != nil {
		t.Fatal(err)
	}
	wrong := map[string]bool{}
	for _, r := range got.Results {
		if len(r.Errors) > 0 {
			wrong[r.Key.Name] = true
		}
	}
	for _, key := range []string{"transforms.route.regex", "transforms.route.replacement", "transforms.late.type"} {
		if !wrong[key] {
			t.Errorf("%s is not refused; wrong are %v", key, wrong)
		}
	}
	if !strings.HasPrefix(got.Message(), "Connector configuration is invalid and contains the following ") {
		t.Errorf("the message is %q", got.Message())
	}
}

func TestNoConnectorClassIsARequestError(t *testing.T) {
	_, err := plugin.Validate(t.Context(), registry(t), worker, config.Entries{{Key: "name", Value: text("v")}, {Key: "x", Value: nil}})
	if want := "Connector config {name=v, x=null} contains no connector type"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
