package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/data"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
	"kconnect/test/registrytest"
)

const (
	examplesFile   = "testdata/examples.json"
	pluginsPage    = "../../docs/plugins.md"
	registryInDocs = "http://registry:8081"
)

// example is what a class does with one configuration.
type example struct {
	Class  string     `json:"class"`
	Says   string     `json:"says"`
	Config config.Map `json:"config"`

	// Of transformations and predicates: what else the chain has, and records.
	Predicates map[string]config.Map `json:"predicates"`
	Link       config.Map            `json:"link"` // that a predicate is for
	In         []json.RawMessage     `json:"in"`
	Out        []json.RawMessage     `json:"out"`

	// Of converters: a value in the notation of JsonConverter, the bytes as text
	// or in hexadecimal, and what reading them gives where that is another value.
	Connect    json.RawMessage `json:"connect"`
	Written    string          `json:"written"`
	Read       json.RawMessage `json:"read"`
	Registered string          `json:"registered"`

	// Of config providers: where the values are, and a configuration before and after.
	Files    map[string]string `json:"files"`
	Env      map[string]string `json:"env"`
	Given    config.Map        `json:"given"`
	Resolved config.Map        `json:"resolved"`
}

func examples(t *testing.T) []example {
	t.Helper()
	b, err := os.ReadFile(examplesFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// chain is the configuration of a connector with the example's class.
func (e *example) chain(p *connect.Plugin) config.Map {
	m := config.Map{}
	add := func(prefix, class string, settings config.Map) {
		if class != "" {
			m[prefix+"type"] = class
		}
		for k, v := range settings {
			m[prefix+k] = v
		}
	}
	if p.Kind == connect.PredicatePlugin {
		m["transforms"], m["predicates"] = "t", "p"
		add("transforms.t.", "", e.Link)
		m["transforms.t.predicate"] = "p"
		add("predicates.p.", e.Class, e.Config)
		return m
	}
	m["transforms"] = "t"
	add("transforms.t.", e.Class, e.Config)
	for alias, settings := range e.Predicates {
		m["predicates"] = alias
		add("predicates."+alias+".", "", settings)
	}
	return m
}

// twin is the example of the Key variant: what happens to values happens to keys.
func (e example) twin(t *testing.T) example {
	t.Helper()
	e.Class = strings.TrimSuffix(e.Class, "$Value") + "$Key"
	swap := func(all []json.RawMessage) []json.RawMessage {
		swapped := make([]json.RawMessage, len(all))
		for i, raw := range all {
			r := map[string]json.RawMessage{}
			if err := json.Unmarshal(raw, &r); err != nil {
				t.Fatal(err)
			}
			r["key"], r["value"] = r["value"], r["key"]
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			swapped[i] = b
		}
		return swapped
	}
	e.In, e.Out = swap(e.In), swap(e.Out)
	return e
}

// jsonOf returns the converter of the notation: with schema or without.
func jsonOf(t *testing.T, schemas bool) *converter.JSON {
	t.Helper()
	c := &converter.JSON{}
	if err := c.Configure(config.Map{"schemas.enable": fmt.Sprint(schemas)}, false); err != nil {
		t.Fatal(err)
	}
	return c
}

func decodeExample(t *testing.T, raw json.RawMessage) (*data.Schema, data.Value) {
	t.Helper()
	s, v, err := jsonOf(t, bytes.HasPrefix(raw, []byte(`{"schema"`))).Decode("", raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return s, v
}

func encodeExample(t *testing.T, s *data.Schema, v data.Value) json.RawMessage {
	t.Helper()
	if s == nil && v.IsNull() {
		return json.RawMessage("null")
	}
	b, err := jsonOf(t, s != nil).Append(nil, "", s, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodeExampleRecord(t *testing.T, raw json.RawMessage) connect.Record {
	t.Helper()
	var e struct {
		Topic     string                     `json:"topic"`
		Timestamp *int64                     `json:"timestamp"`
		Key       json.RawMessage            `json:"key"`
		Value     json.RawMessage            `json:"value"`
		Headers   map[string]json.RawMessage `json:"headers"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	r := connect.Record{Topic: e.Topic, Partition: connect.NoPartition, Timestamp: connect.NoTimestamp, Source: &connect.SourcePartition{}}
	if e.Timestamp != nil {
		r.Timestamp = *e.Timestamp
	}
	if e.Key != nil {
		r.KeySchema, r.Key = decodeExample(t, e.Key)
	}
	if e.Value != nil {
		r.ValueSchema, r.Value = decodeExample(t, e.Value)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Headers)) {
		h := connect.Header{Key: k}
		h.Schema, h.Value = decodeExample(t, e.Headers[k])
		r.Headers = append(r.Headers, h)
	}
	return r
}

// told is a record as the examples tell one, for comparison.
func told(t *testing.T, r *connect.Record) any {
	t.Helper()
	headers := map[string]any{}
	for _, h := range r.Headers {
		headers[h.Key] = plainJSON(t, encodeExample(t, nil, h.Value))
	}
	return map[string]any{
		"topic": r.Topic, "timestamp": r.Timestamp, "headers": headers,
		"key": plainJSON(t, encodeExample(t, r.KeySchema, r.Key)), "value": plainJSON(t, encodeExample(t, r.ValueSchema, r.Value)),
	}
}

func plainJSON(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestExamplesDoWhatTheySay runs every example of docs/plugins.md. Every
// converter, transformation, predicate and config provider has one.
func TestExamplesDoWhatTheySay(t *testing.T) {
	registry, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, p := range registry.All() {
		if p.Kind != connect.SourcePlugin && p.Kind != connect.SinkPlugin {
			missing[p.Class] = true
		}
	}
	for class := range config.ProviderDefs() {
		missing[class] = true
	}
	for _, e := range examples(t) {
		delete(missing, e.Class)
		p := registry.Find(e.Class)
		switch {
		case p == nil:
			t.Run(e.Class, func(t *testing.T) { provides(t, &e) })
		case p.Kind == connect.TransformationPlugin || p.Kind == connect.PredicatePlugin:
			t.Run(e.Class, func(t *testing.T) { transforms(t, registry, &e) })
			if twin := e.twin(t); registry.Find(twin.Class) != nil {
				delete(missing, twin.Class)
				t.Run(twin.Class, func(t *testing.T) { transforms(t, registry, &twin) })
			}
		default:
			t.Run(e.Class, func(t *testing.T) { converts(t, p, &e) })
		}
	}
	for class := range missing {
		t.Errorf("%s has no example in %s", class, examplesFile)
	}
}

func transforms(t *testing.T, registry *plugin.Registry, e *example) {
	p := registry.Find(e.Class)
	for _, result := range p.Def.Validate(e.Config) {
		if len(result.Errors) > 0 {
			t.Error(result.Errors)
		}
	}
	chain, err := transform.NewChain(registry, e.chain(p))
	if err != nil {
		t.Fatal(err)
	}
	in, want := make([]connect.Record, len(e.In)), []any{}
	for i, raw := range e.In {
		in[i] = decodeExampleRecord(t, raw)
	}
	for _, raw := range e.Out {
		r := decodeExampleRecord(t, raw)
		want = append(want, told(t, &r))
	}
	kept, err := chain.Apply(in, nil, func(_ *connect.Record, _ string, err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	got := []any{}
	for i := range kept {
		got = append(got, told(t, &kept[i]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func converts(t *testing.T, p *connect.Plugin, e *example) {
	settings := maps.Clone(e.Config)
	var server *registrytest.Server
	if settings["schema.registry.url"] == registryInDocs {
		server = registrytest.Start(t)
		settings["schema.registry.url"] = server.Settings()["schema.registry.url"]
	}
	s, v := decodeExample(t, e.Connect)
	want := e.Connect
	var b []byte
	var err error
	var readSchema *data.Schema
	var read data.Value
	switch c := p.New().(type) {
	case connect.Converter:
		if err = c.Configure(settings, false); err == nil {
			if b, err = c.Append(nil, "users1", s, v); err == nil {
				readSchema, read, err = c.Decode("users1", b)
			}
		}
	case connect.HeaderConverter:
		if err = c.Configure(settings, false); err == nil {
			if b, err = c.AppendHeader(nil, "users1", "h", s, v); err == nil {
				readSchema, read, err = c.DecodeHeader("users1", "h", b)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := shownBytes(b); got != e.Written {
		t.Errorf("written is %s", got)
	}
	if e.Read != nil {
		want = e.Read
	}
	if diff := cmp.Diff(plainJSON(t, want), plainJSON(t, encodeExample(t, readSchema, read))); diff != "" {
		t.Errorf("what is read (-want +got):\n%s", diff)
	}
	if server != nil {
		registered, ok := server.GetSchema("users1-value", 1)
		if !ok || registered.Schema.Schema != e.Registered {
			t.Errorf("registered is %s", registered.Schema.Schema)
		}
	}
}

// shownBytes are bytes as text, or in hexadecimal when they are none.
func shownBytes(b []byte) string {
	if utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return r < ' ' }) < 0 {
		return string(b)
	}
	return fmt.Sprintf("% x", b)
}

func provides(t *testing.T, e *example) {
	root := t.TempDir()
	at := func(text string) string { // the folders of the example, below a temporary one
		for _, dir := range []string{"/run/secrets", "/etc/kconnect"} {
			text = strings.ReplaceAll(text, dir, filepath.Join(root, dir))
		}
		return text
	}
	for name, content := range e.Files {
		name = at(name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range e.Env {
		t.Setenv(k, v)
	}
	worker := e.worker()
	for k, v := range worker {
		worker[k] = at(v)
	}
	providers, err := config.NewProviders(worker)
	if err != nil {
		t.Fatal(err)
	}
	given := config.Map{}
	for k, v := range e.Given {
		given[k] = at(v)
	}
	resolved, err := providers.Resolve(config.FromMap(given))
	if err != nil {
		t.Fatal(err)
	}
	got, err := resolved.Map()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e.Resolved, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// worker is the configuration of a worker with the example's provider.
func (e *example) worker() config.Map {
	m := config.Map{"config.providers": "p", "config.providers.p.class": e.Class}
	for k, v := range e.Config {
		m["config.providers.p.param."+k] = v
	}
	return m
}

// TestTheReferenceOfPluginsIsWhatTheyDo compares docs/plugins.md with the
// definitions and the examples; `make docs` writes it.
func TestTheReferenceOfPluginsIsWhatTheyDo(t *testing.T) {
	registry, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	page := &pluginPage{}
	page.WriteString("# Converters, transformations, predicates and config providers\n\n" +
		"Made from the definitions and from examples that the tests run, by `make docs`; do not edit. Connectors, and the keys that all of them have, are in the\n" +
		"[configuration reference](configuration.md).\n\n" +
		"Records are shown in JSON as [JsonConverter](#orgapachekafkaconnectjsonjsonconverter) writes them. The settings of a converter have the prefix\n" +
		"`key.converter.`, `value.converter.` or `header.converter.` before them; those of Apache Kafka convert headers, too.\n" +
		"A transformation that ends in `$Value` is there with `$Key`, too, and does the same to the key.\n")
	kinds := []struct {
		title string
		kinds []connect.PluginKind
	}{
		{"Transformations", []connect.PluginKind{connect.TransformationPlugin}},
		{"Predicates", []connect.PluginKind{connect.PredicatePlugin}},
		{"Converters", []connect.PluginKind{connect.ConverterPlugin, connect.HeaderConverterPlugin}},
	}
	all := examples(t)
	for _, k := range kinds {
		fmt.Fprintf(page, "\n## %s\n", k.title)
		for _, e := range all {
			if p := registry.Find(e.Class); p != nil && slices.Contains(k.kinds, p.Kind) {
				page.plugin(t, &e, p.Def)
				page.example(t, &e, p)
			}
		}
	}
	fmt.Fprint(page, "\n## Config providers\n\nSet in the configuration of the worker, as `config.providers.NAME.class` and `config.providers.NAME.param.KEY`.\n")
	for _, e := range all {
		if def, ok := config.ProviderDefs()[e.Class]; ok {
			page.plugin(t, &e, def)
			page.provider(&e)
		}
	}
	isWritten(t, pluginsPage, page.Bytes())
}

// pluginPage is docs/plugins.md.
type pluginPage struct{ bytes.Buffer }

// plugin writes what a class is and its settings.
func (p *pluginPage) plugin(t *testing.T, e *example, def *config.Def) {
	fmt.Fprintf(p, "\n### %s\n\n%s\n\n", e.Class, e.Says)
	if len(def.Keys()) == 0 {
		p.WriteString("No settings.\n")
		return
	}
	var b bytes.Buffer
	if err := def.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	p.WriteString(strings.ReplaceAll("\n"+b.String(), "\n### ", "\n#### ")[1:])
}

func (p *pluginPage) example(t *testing.T, e *example, pl *connect.Plugin) {
	if pl.Kind == connect.TransformationPlugin || pl.Kind == connect.PredicatePlugin {
		p.properties(e.chain(pl))
		p.block("json", "makes of", lines(e.In)...)
		p.block("json", "this", lines(e.Out)...)
		return
	}
	role := "value.converter"
	if pl.Kind == connect.HeaderConverterPlugin {
		role = "header.converter"
	}
	m := config.Map{role: e.Class}
	for k, v := range e.Config {
		m[role+"."+k] = v
	}
	p.properties(m)
	_, v := decodeExample(t, e.Connect)
	p.block("json", fmt.Sprintf("writes `%s`, with its schema", v), string(e.Connect))
	what := "as these bytes"
	if !isHex(e.Written) {
		what = "as this text"
	}
	p.block("", what, e.Written)
	if e.Registered != "" {
		p.block("", "and registers, in topic `users1`, under the subject `users1-value`", strings.TrimSpace(e.Registered))
	}
	if e.Read != nil {
		p.block("json", "which is read as", string(e.Read))
	}
}

func isHex(text string) bool {
	return strings.Trim(text, "0123456789abcdef ") == "" && text != ""
}

func (p *pluginPage) provider(e *example) {
	p.properties(e.worker())
	for _, name := range slices.Sorted(maps.Keys(e.Files)) {
		p.block("", "with the file `"+name+"`", strings.TrimSpace(e.Files[name]))
	}
	if len(e.Env) > 0 {
		p.block("", "with the environment", properties(e.Env)...)
	}
	p.block("properties", "makes of", properties(e.Given)...)
	p.block("properties", "this", properties(e.Resolved)...)
}

func (p *pluginPage) properties(m config.Map) {
	p.block("properties", "Example:", properties(m)...)
}

func properties(m map[string]string) []string {
	all := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, k+"="+strings.ReplaceAll(m[k], `\`, `\\`))
	}
	return all
}

func (p *pluginPage) block(language, before string, content ...string) {
	fmt.Fprintf(p, "\n%s\n\n```%s\n%s\n```\n", before, language, strings.Join(content, "\n"))
}

func lines(all []json.RawMessage) []string {
	text := make([]string, len(all))
	for i, raw := range all {
		text[i] = string(raw)
	}
	return text
}
