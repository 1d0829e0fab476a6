package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// jdbcKeys are some keys of the JDBC source, whose messages are recorded in
// golden jdbc-source val_*.
func jdbcKeys() *Def {
	return NewDef(
		Key{Name: "connection.password", Type: Password},
		Key{Name: "connection.attempts", Type: Int, Default: Default("3"), Validate: AtLeast(1)},
		Key{Name: "mode", Type: String, Default: Default(""), Validate: OneOf("", "bulk", "timestamp", "incrementing", "timestamp+incrementing"),
			Dependents: []string{"validate.non.null"}},
		Key{Name: "validate.non.null", Type: Boolean, Default: Default("true"),
			Visible: func(cfg Map) bool { return cfg["mode"] != "" && cfg["mode"] != "bulk" }},
		Key{Name: "poll.interval.ms", Type: Int, Default: Default("5000")},
		Key{Name: "batch.max.rows", Type: Int, Default: Default("1000")},
		Key{Name: "query.masked", Type: Password, Default: Default("")},
		Key{Name: "table.types", Type: List, Default: Default("TABLE"),
			Recommend: func(cfg Map) []string { return []string{"TABLE", "VIEW " + cfg["poll.interval.ms"]} }},
	)
}

func TestValidateSpeaksAsRecorded(t *testing.T) {
	for _, c := range []struct {
		golden string
		config Map
		want   map[string][]string
	}{
		{"val_ok", Map{"mode": "bulk"}, nil},
		{"val_bad_attempts", Map{"connection.attempts": "0"}, map[string][]string{
			"connection.attempts": {"Invalid value 0 for configuration connection.attempts: Value must be at least 1"}}},
		{"val_bad_numbers", Map{"poll.interval.ms": "soon", "batch.max.rows": "1.5", "validate.non.null": "yes"}, map[string][]string{
			"poll.interval.ms":  {"Invalid value soon for configuration poll.interval.ms: Not a number of type INT"},
			"batch.max.rows":    {"Invalid value 1.5 for configuration batch.max.rows: Not a number of type INT"},
			"validate.non.null": {"Invalid value yes for configuration validate.non.null: Expected value to be either true or false"}}},
		{"val_mode_bad", Map{"mode": "nope"}, map[string][]string{
			"mode": {"Invalid value nope for configuration mode: String must be one of: , bulk, timestamp, incrementing, timestamp+incrementing"}}},
		{"rest 17 bad numbers", Map{"connection.attempts": "x"}, map[string][]string{
			"connection.attempts": {"Invalid value x for configuration connection.attempts: Not a number of type INT",
				"Invalid value null for configuration connection.attempts: Value must be non-null"}}},
	} {
		got := map[string][]string{}
		for _, r := range jdbcKeys().Validate(c.config) {
			if len(r.Errors) > 0 {
				got[r.Key.Name] = r.Errors
			}
		}
		if c.want == nil {
			c.want = map[string][]string{}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-java +ours):\n%s", c.golden, diff)
		}
	}
}

func TestValidateShowsValuesRecommendationsAndVisibility(t *testing.T) {
	results := map[string]Result{}
	for _, r := range jdbcKeys().Validate(Map{"mode": " incrementing ", "poll.interval.ms": "+07", "connection.password": "pw"}) {
		results[r.Key.Name] = r
	}
	for name, want := range map[string]string{"mode": "incrementing", "poll.interval.ms": "7", "connection.password": Hidden, "query.masked": Hidden} {
		if got := results[name].Value; got == nil || *got != want {
			t.Errorf("%s is %v, want %q", name, str(got), want)
		}
	}
	if !results["validate.non.null"].Visible {
		t.Error("validate.non.null is hidden with mode incrementing")
	}
	if diff := cmp.Diff([]string{"TABLE", "VIEW 7"}, results["table.types"].Recommended); diff != "" {
		t.Error(diff)
	}
	for _, r := range jdbcKeys().Validate(Map{}) {
		if r.Key.Name == "connection.password" && r.Value != nil {
			t.Error("a password that is not set shows a value")
		}
		if r.Key.Name == "validate.non.null" && r.Visible {
			t.Error("validate.non.null is visible without a mode")
		}
	}
	masked, _ := jdbcKeys().Lookup("query.masked")
	if got := masked.DefaultText(); got == nil || *got != Hidden {
		t.Errorf("default of a secret shows as %s", str(got))
	}
}

func TestClassesAreResolved(t *testing.T) {
	d := NewDef(Key{Name: "value.converter", Type: Class, Default: Default("Elsewhere"), Resolve: func(text string) (string, error) {
		if text == "StringConverter" {
			return "org.apache.kafka.connect.storage.StringConverter", nil
		}
		return "", Invalid("value.converter", text, "Class "+text+" could not be found.")
	}})
	vals, err := d.Parse(Map{"value.converter": " StringConverter "})
	if err != nil || vals.String("value.converter") != "org.apache.kafka.connect.storage.StringConverter" {
		t.Errorf("%v %v", vals, err)
	}
	if vals, err = d.Parse(Map{}); err != nil || vals.String("value.converter") != "Elsewhere" {
		t.Errorf("%v %v", vals, err)
	}
	_, err = d.Parse(Map{"value.converter": "NoSuchConverter"})
	if want := "Invalid value NoSuchConverter for configuration value.converter: Class NoSuchConverter could not be found."; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestParseJoinsOneErrorForEachKey(t *testing.T) {
	_, err := ConnectorDef(Source).Parse(Map{"tasks.max": "x", "errors.tolerance": "some"})
	want := []string{
		`Missing required configuration "name" which has no default value.`,
		`Missing required configuration "connector.class" which has no default value.`,
		`Invalid value x for configuration tasks.max: Not a number of type INT`,
		`Invalid value some for configuration errors.tolerance: String must be one of: none, all`,
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("%v", err)
	}
	var first *Error
	if !errors.As(err, &first) || first.Key != "name" {
		t.Errorf("%v", first)
	}
}

func TestParseDropsRepeatedTopics(t *testing.T) {
	vals, err := ConnectorDef(Sink).Parse(Map{"name": "n", "connector.class": "c", "topics": "b, a,b"})
	if err != nil || !cmp.Equal(vals.List("topics"), []string{"b", "a"}) {
		t.Errorf("%v %v", vals, err)
	}
}

func TestValuesOfEachType(t *testing.T) {
	d := NewDef(
		Key{Name: "s", Type: String}, Key{Name: "b", Type: Boolean}, Key{Name: "i", Type: Int}, Key{Name: "h", Type: Short},
		Key{Name: "l", Type: Long}, Key{Name: "d", Type: Double}, Key{Name: "a", Type: List}, Key{Name: "c", Type: Class}, Key{Name: "p", Type: Password},
	)
	v, err := d.Parse(Map{"s": "x", "b": "true", "i": "-1", "h": "2", "l": "3", "d": "0.5", "a": "p,q", "c": "k", "p": "pw"})
	if err != nil {
		t.Fatal(err)
	}
	if v.String("s") != "x" || !v.Bool("b") || v.Int("i") != -1 || v.Short("h") != 2 || v.Long("l") != 3 || v.Double("d") != 0.5 ||
		len(v.List("a")) != 2 || v.String("c") != "k" || v.Password("p").Reveal() != "pw" {
		t.Error("a value is wrong")
	}
	null, err := d.Parse(Map{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range d.Keys() {
		if _, ok := null.Text(k.Name); ok {
			t.Errorf("%s has a value", k.Name)
		}
	}
	if _, ok := null.OptString("s"); ok || null.Int("i") != 0 || null.List("a") != nil || null.Bool("b") {
		t.Error("a null is no zero value")
	}
}

func TestAskingForAnUndeclaredKeyPanics(t *testing.T) {
	v, _ := jdbcKeys().Parse(Map{})
	for name, ask := range map[string]func(){
		"undeclared":   func() { v.String("nope") },
		"another type": func() { v.Int("mode") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			ask()
		}()
	}
}

func TestWrongTablesPanic(t *testing.T) {
	for name, keys := range map[string][]Key{
		"twice":             {{Name: "a"}, {Name: "a"}},
		"no name":           {{}},
		"default and none":  {{Name: "a", Required: true, Default: Default("x")}},
		"default not valid": {{Name: "a", Type: Int, Default: Default("0"), Validate: AtLeast(1)}},
		"default not text":  {{Name: "a", Type: Int, Default: Default("x")}},
		"lost dependent":    {{Name: "a", Dependents: []string{"b"}}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			NewDef(keys...)
		}()
	}
}

func TestMergeKeepsPlacesAndTakesLaterDefinitions(t *testing.T) {
	d := NewDef(Key{Name: "a", Doc: "1"}, Key{Name: "b"}).Merge(NewDef(Key{Name: "c"}, Key{Name: "a", Doc: "2"}))
	var names []string
	for _, k := range d.Keys() {
		names = append(names, k.Name+k.Doc)
	}
	if diff := cmp.Diff([]string{"a2", "b", "c"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"y", "z"}, d.Unknown(Map{"z": "", "a": "", "y": ""})); diff != "" {
		t.Error(diff)
	}
}

// Promise 8.
func TestSecretsDoNotShow(t *testing.T) {
	s := Secret("pa55")
	b, err := json.Marshal(map[string]any{"a": s, "b": []Secret{s}, "c": struct{ P Secret }{s}})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{string(b), s.String(), Invalid("k", s, "bad").Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, s), fmt.Sprintf(verb, struct{ P Secret }{s}), fmt.Sprintf(verb, []Secret{s}))
	}
	vals, _ := jdbcKeys().Parse(Map{"connection.password": "pa55"})
	texts = append(texts, fmt.Sprintf("%v %+v", vals, *vals))
	for _, text := range texts {
		if strings.Contains(text, "pa55") || strings.Contains(strings.ToLower(text), "70613535") {
			t.Errorf("shows: %s", text)
		}
	}
	if s.Reveal() != "pa55" {
		t.Error("Reveal does not")
	}
}

// Promise 8.
func TestMaskedHidesSecretsAndUnknownKeys(t *testing.T) {
	got := jdbcKeys().Masked(Map{"mode": "bulk", "connection.password": "pa55", "other.password": "pa55"})
	if diff := cmp.Diff(Map{"mode": "bulk", "connection.password": Hidden, "other.password": Hidden}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNullsAreNamed(t *testing.T) {
	one := "1"
	_, err := Raw{"b": nil, "a": nil, "c": &one}.Map()
	if err == nil || !strings.Contains(err.Error(), "a, b:") {
		t.Errorf("%v", err)
	}
	m, err := FromMap(Map{"c": "1"}).Map()
	if err != nil || !cmp.Equal(m, Map{"c": "1"}) {
		t.Errorf("%v %v", m, err)
	}
}

func TestWithPrefixCutsThePrefix(t *testing.T) {
	got := Map{"key.converter": "x", "key.converter.": "y", "key.converter.schemas.enable": "false", "other": "z"}.WithPrefix("key.converter.")
	if diff := cmp.Diff(Map{"schemas.enable": "false"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMarkdownListsEveryKeyInItsGroup(t *testing.T) {
	var b bytes.Buffer
	d := ConnectorDef(Sink).Merge(NewDef(Key{Name: "x|y", Doc: "a|b\nc", Default: Default("")}, Key{Name: "inner", Internal: true, Default: Default("1")}))
	if err := d.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### Error Handling\n", "| `tasks.max` | int | `1` | [1,...] | high |", "| `name` | string | (required) |", "| `topics` | list | (empty) |", `a\|b c`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "inner") {
		t.Error("an internal key is listed")
	}
}

func TestListsOfPlainItemsReadBack(t *testing.T) {
	d := NewDef(Key{Name: "k", Type: List})
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9._-]{1,8}`), 1, 6).Draw(t, "items")
		blanks := rapid.SampledFrom([]string{",", " , ", "\t,", ", "})
		text := items[0]
		for _, it := range items[1:] {
			text += blanks.Draw(t, "separator") + it
		}
		v, err := d.Parse(Map{"k": text})
		if err != nil || !cmp.Equal(v.List("k"), items) {
			t.Fatalf("%q: %v %v", text, v, err)
		}
	})
}

func TestProvidersAreMadeFromAWorkersConfiguration(t *testing.T) {
	t.Setenv("CONFIG_TEST_USER", "scott")
	p, err := NewProviders(Map{"config.providers": "env, file", "config.providers.env.class": "EnvVarConfigProvider",
		"config.providers.env.param.allowlist.pattern": "CONFIG_TEST_.*", "config.providers.file.class": FileProviderClass})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.ResolveMap(Map{"user": "${env:CONFIG_TEST_USER}", "path": "${env:PATH}"})
	if diff := cmp.Diff(Map{"user": "scott", "path": "${env:PATH}"}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, m := range []Map{
		{"config.providers": "v"},
		{"config.providers": "v", "config.providers.v.class": "com.example.VaultProvider"},
		{"config.providers": "f", "config.providers.f.class": FileProviderClass, "config.providers.f.param.allowed.paths": "relative"},
	} {
		if _, err := NewProviders(m); err == nil {
			t.Errorf("%v was accepted", m)
		}
	}
}
