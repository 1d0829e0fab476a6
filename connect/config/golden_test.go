package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ownGolden holds the recordings of a real worker.
var ownGolden = filepath.Join("..", "..", "test", "testdata", "golden")

// goldenDir is ownGolden, or another set of recordings that
// KCONNECT_GOLDEN_DIR names.
func goldenDir() string {
	if dir := os.Getenv("KCONNECT_GOLDEN_DIR"); dir != "" {
		return dir
	}
	return ownGolden
}

// providerFixture describes the files that the provider cases read. A set of
// other cases may come without it: they are about the same files.
func providerFixture(t *testing.T) []byte {
	t.Helper()
	name := filepath.Join("converters", "config-providers.fixture.json")
	b, err := os.ReadFile(filepath.Join(goldenDir(), name))
	if errors.Is(err, os.ErrNotExist) {
		b, err = os.ReadFile(filepath.Join(ownGolden, name))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goldenFile returns a recording; a set of other recordings may lack it.
func goldenFile(t *testing.T, elem ...string) []byte {
	t.Helper()
	name := filepath.Join(append([]string{goldenDir()}, elem...)...)
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("KCONNECT_GOLDEN_DIR") != "" {
		t.Skipf("%s is not in KCONNECT_GOLDEN_DIR", filepath.Join(elem...))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type goldenError struct{ Class, Message string }

type goldenProvider struct {
	Provider string
	Env      Map
	Config   Map
}

type goldenProviderCase struct {
	ID, Op string
	goldenProvider
	Path      *string
	Keys      []string
	Providers map[string]goldenProvider
	Configs   Raw
	Expect    struct {
		Stage   string
		Data    Map
		Configs Raw
		Error   *goldenError
	}
}

func (g goldenProvider) make() (Provider, error) {
	p := newProvider(g.Provider)
	if p == nil {
		p = &EnvProvider{Env: g.Env}
	}
	if env, ok := p.(*EnvProvider); ok {
		env.Env = g.Env
	}
	if g.Config == nil {
		return p, nil // used without being configured
	}
	return p, p.Configure(g.Config)
}

func TestGoldenConfigProviders(t *testing.T) {
	cases := decodeLines[goldenProviderCase](t, layOut(t, providerFixture(t), goldenFile(t, "converters", "config-providers.jsonl")))
	failed := 0
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			c.run(t)
			if t.Failed() {
				failed++
			}
		})
	}
	fmt.Printf("golden config providers: %d passed, %d failed\n", len(cases)-failed, failed)
}

func (c goldenProviderCase) run(t *testing.T) {
	stage := "configure"
	providers := Providers{}
	var single Provider
	var err error
	switch c.Op {
	case "configProvider":
		single, err = c.make()
	case "configTransform":
		for name, g := range c.Providers {
			p, err := g.make()
			if err != nil {
				t.Fatal(err)
			}
			providers[name] = p
		}
	default:
		t.Fatalf("unknown op %s", c.Op)
	}
	var data Map
	var configs Raw
	if err == nil {
		if single != nil {
			stage = "get"
			path := ""
			if c.Path != nil {
				path = *c.Path
			}
			data, err = single.Get(path, c.Keys)
		} else {
			stage = "transform"
			configs, err = providers.Resolve(c.Configs)
		}
	}
	if want := c.Expect.Error; want != nil {
		if err == nil || stage != c.Expect.Stage {
			t.Fatalf("%s %v: error %v, want %s %s", stage, data, err, c.Expect.Stage, want)
		}
		if diff := cmp.Diff(*want, javaError(err)); diff != "" {
			t.Fatalf("error (-java +ours):\n%s", diff)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Expect.Data, data); diff != "" {
		t.Errorf("data (-java +ours):\n%s", diff)
	}
	if diff := cmp.Diff(c.Expect.Configs, configs); diff != "" {
		t.Errorf("configs (-java +ours):\n%s", diff)
	}
}

func javaError(err error) goldenError {
	var pattern *PatternError
	var malformed *PropertiesError
	switch {
	case errors.Is(err, ErrNotConfigured):
		return goldenError{"java.lang.IllegalStateException", err.Error()}
	case errors.As(err, &pattern):
		return goldenError{"java.util.regex.PatternSyntaxException", err.Error()}
	case errors.As(err, &malformed):
		return goldenError{"java.lang.IllegalArgumentException", malformed.Message}
	}
	return goldenError{"org.apache.kafka.common.config.ConfigException", err.Error()}
}

// layOut puts the files of the fixture into a temporary folder and its name
// into the cases.
func layOut(t *testing.T, fixture, cases []byte) []byte {
	t.Helper()
	var f struct {
		Placeholder string
		Files       map[string]struct {
			Text  string
			Bytes []byte
		}
		Symlinks map[string]string
	}
	if err := json.Unmarshal(fixture, &f); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range f.Files {
		path := filepath.Join(root, name)
		must(os.MkdirAll(filepath.Dir(path), 0o755))
		b := content.Bytes
		if b == nil {
			b = []byte(content.Text)
		}
		must(os.WriteFile(path, b, 0o644))
	}
	for name, target := range f.Symlinks {
		must(os.Symlink(target, filepath.Join(root, name)))
	}
	return []byte(strings.ReplaceAll(string(cases), f.Placeholder, filepath.ToSlash(root)))
}

// fileKeys are what the file connectors define, as recorded in rest 15-plugins.
func fileKeys(kind ConnectorKind) *Def {
	file := Key{Name: "file", Type: String, Importance: High}
	if kind == Sink {
		return NewDef(file)
	}
	return NewDef(file,
		Key{Name: "topic", Type: String, Required: true, Importance: High, Validate: NonEmpty()},
		Key{Name: "batch.size", Type: Int, Default: Default("2000"), Importance: Low})
}

type goldenConfig struct {
	Definition, Value map[string]any
}

// TestGoldenValidateFileStream replays the validate answers of the file
// connectors. Status codes and classes belong to the REST server, so only
// answers with configs are looked at.
func TestGoldenValidateFileStream(t *testing.T) {
	var file struct {
		Steps []struct {
			Name   string
			JSON   Raw
			Pick   *struct{ Values []string }
			Expect struct {
				JSON struct {
					ErrorCount int `json:"error_count"`
					Groups     []string
					Configs    []goldenConfig
				}
			}
		}
	}
	if err := json.Unmarshal(goldenFile(t, "rest", "16-validate-filestream.json"), &file); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, step := range file.Steps {
		want := step.Expect.JSON
		if want.Configs == nil {
			continue
		}
		steps++
		t.Run(step.Name, func(t *testing.T) {
			kind := Source
			if strings.Contains(*step.JSON["connector.class"], "Sink") {
				kind = Sink
			}
			d := ConnectorDef(kind).Edit(asWorkerDoes).Merge(fileKeys(kind))
			results := d.ValidateRaw(step.JSON)
			if kind == Sink {
				m, err := step.JSON.Map()
				if err != nil {
					t.Fatal(err)
				}
				CheckSinkTopics(m, results)
			}
			if diff := cmp.Diff(want.Groups, d.Groups()); diff != "" {
				t.Errorf("groups (-java +ours):\n%s", diff)
			}
			got, errorCount := []goldenConfig{}, 0
			for _, r := range results {
				errorCount += len(r.Errors)
				if step.Pick == nil || contains(step.Pick.Values, r.Key.Name) {
					got = append(got, answer(r))
				}
			}
			if errorCount != want.ErrorCount {
				t.Errorf("%d errors, want %d", errorCount, want.ErrorCount)
			}
			if len(got) != len(want.Configs) {
				t.Fatalf("%d configs, want %d", len(got), len(want.Configs))
			}
			for i := range got {
				compareLoosely(t, want.Configs[i].Definition, got[i].Definition)
				compareLoosely(t, want.Configs[i].Value, got[i].Value)
			}
		})
	}
	if steps < 6 {
		t.Errorf("only %d steps have configs", steps)
	}
}

// asWorkerDoes fills in what the worker knows: the converters.
func asWorkerDoes(k *Key) {
	const converters = "org.apache.kafka.connect.converters."
	classes := []string{converters + "BooleanConverter", converters + "ByteArrayConverter", converters + "DoubleConverter",
		converters + "FloatConverter", converters + "IntegerConverter", converters + "LongConverter", converters + "ShortConverter",
		"org.apache.kafka.connect.json.JsonConverter"}
	switch k.Name {
	case "key.converter", "value.converter":
		k.Default = Default("org.apache.kafka.connect.json.JsonConverter")
	case "header.converter":
		k.Default = Default("org.apache.kafka.connect.storage.SimpleHeaderConverter")
		classes = append(classes, "org.apache.kafka.connect.storage.SimpleHeaderConverter")
	default:
		return
	}
	classes = append(classes, "org.apache.kafka.connect.storage.StringConverter")
	k.Recommend = func(Map) []string { return classes }
}

func contains(list []string, s string) bool {
	for _, it := range list {
		if it == s {
			return true
		}
	}
	return false
}

// answer writes a result as the REST server does.
func answer(r Result) goldenConfig {
	text := func(s *string) any {
		if s == nil {
			return nil
		}
		return *s
	}
	list := func(items []string) any {
		out := []any{}
		for _, it := range items {
			out = append(out, it)
		}
		return out
	}
	var group any
	if g, ok := r.Key.GroupName(); ok {
		group = g
	}
	return goldenConfig{
		Definition: map[string]any{"name": r.Key.Name, "type": r.Key.Type.String(), "required": r.Key.Required,
			"default_value": text(r.Key.DefaultText()), "importance": r.Key.Importance.String(), "documentation": r.Key.Doc,
			"group": group, "order_in_group": float64(r.Key.OrderInGroup()), "width": r.Key.Width.String(),
			"display_name": r.Key.DisplayName(), "dependents": list(r.Key.Dependents)},
		Value: map[string]any{"name": r.Key.Name, "value": text(r.Value), "recommended_values": list(r.Recommended),
			"errors": list(r.Errors), "visible": r.Visible},
	}
}

// compareLoosely knows the placeholders of the recordings: <<any>> and
// <<contains:text>>, also inside of lists.
func compareLoosely(t *testing.T, want, got map[string]any) {
	t.Helper()
	for k, w := range want {
		if !looselyEqual(w, got[k]) {
			t.Errorf("%v: %s is %v, want %v", want["name"], k, got[k], w)
		}
	}
}

func looselyEqual(want, got any) bool {
	switch w := want.(type) {
	case string:
		if w == "<<any>>" {
			return true
		}
		if part, ok := strings.CutPrefix(w, "<<contains:"); ok {
			g, _ := got.(string)
			return strings.Contains(g, strings.TrimSuffix(part, ">>"))
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !looselyEqual(w[i], g[i]) {
				return false
			}
		}
		return true
	}
	return cmp.Equal(want, got)
}
