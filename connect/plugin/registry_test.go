package plugin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/plugin"
	"kconnect/connectors/file"
)

func TestClassesHaveShortNames(t *testing.T) {
	r := registry(t)
	const kafka = "org.apache.kafka.connect."
	for _, c := range []struct {
		find  func(string) (*connect.Plugin, error)
		names []string
		class string
	}{
		{r.Connector, []string{"FileStreamSource", "FileStreamSourceConnector"}, kafka + "file.FileStreamSourceConnector"},
		{r.Converter, []string{"Json", "JsonConverter"}, kafka + "json.JsonConverter"},
		{r.HeaderConverter, []string{"Simple", "SimpleHeaderConverter"}, kafka + "storage.SimpleHeaderConverter"},
		{r.HeaderConverter, []string{"Long", "LongConverter"}, kafka + "converters.LongConverter"},
		{r.Transformation, []string{"RegexRouter"}, kafka + "transforms.RegexRouter"},
		{r.Transformation, nil, kafka + "transforms.Cast$Value"},
		{r.Predicate, []string{"TopicNameMatches"}, kafka + "transforms.predicates.TopicNameMatches"},
	} {
		for _, name := range append(c.names, c.class) {
			if p, err := c.find(name); err != nil || p.Class != c.class {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		}
	}
}

func TestNamesAreThoseUnderWhichClassesAreFound(t *testing.T) {
	r := registry(t)
	names := r.Names()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("not sorted, or not each name once: %q", names)
	}
	for _, name := range names {
		if r.Find(name) == nil {
			t.Errorf("%s names no class", name)
		}
	}
	for _, name := range []string{"FileStreamSource", "FileStreamSourceConnector", "org.apache.kafka.connect.transforms.Cast$Value", "Json", "RegexRouter"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestAConnectorNeedsTheClassesThatItNames(t *testing.T) {
	text := func(s string) *string { return &s }
	got := plugin.Needs(config.Raw{
		"connector.class": text("File"), "key.converter": nil, "value.converter": text("Json"), "header.converter": text(""),
		"transforms": text("a, b,gone"), "transforms.a.type": text("Mask"), "transforms.b.type": text("${env:X}"),
		"predicates": text("p"), "predicates.p.type": text("IsTombstone"), "unused.type": text("Other"),
	})
	if diff := cmp.Diff([]string{"File", "Json", "Mask", "IsTombstone"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnUnknownClassIsAnErrorThatNamesIt(t *testing.T) {
	r := registry(t)
	for what, find := range map[string]func(string) (*connect.Plugin, error){
		"Connector": r.Connector, "Converter": r.Converter, "HeaderConverter": r.HeaderConverter, "Transformation": r.Transformation, "Predicate": r.Predicate,
	} {
		for _, name := range []string{"", "Nope", "Cast$Value", "filestreamsource", "Connector", "Converter"} {
			_, err := find(name)
			if want := "Failed to find any class that implements " + what + " and which name matches " + name; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
	}
	if _, err := r.Keys("Cast$Value"); err == nil {
		t.Error("a nested class has a short name")
	}
}

func TestAClassIsThereOncePerKind(t *testing.T) {
	p := connect.Plugin{Class: "a.B", Kind: connect.ConverterPlugin, Def: config.NewDef()}
	other := p
	other.Kind = connect.HeaderConverterPlugin
	if _, err := plugin.New(p, other); err != nil {
		t.Error(err)
	}
	if _, err := plugin.New(p, other, p); err == nil || !strings.Contains(err.Error(), "a.B") {
		t.Errorf("got %v", err)
	}
}

func TestPluginsThatTheJavaDistributionLacksAreListedButNotRecommended(t *testing.T) {
	converters := []connect.Plugin{
		{Class: "com.example.Added", Kind: connect.ConverterPlugin, Unrecommended: true},
		{Class: "com.example.Known", Kind: connect.ConverterPlugin},
	}
	r, err := plugin.New(append(converters, file.Plugins()...)...)
	if err != nil {
		t.Fatal(err)
	}
	if list := r.List(false); len(list) != 2+len(file.Plugins()) {
		t.Errorf("listed are %v", list)
	}
	source := "org.apache.kafka.connect.file.FileStreamSourceConnector"
	v, err := plugin.Validate(t.Context(), r, worker, config.Entries{{Key: "connector.class", Value: &source}})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(v.Results, func(c config.Result) bool { return c.Key.Name == "value.converter" })
	if diff := cmp.Diff([]string{"com.example.Known"}, v.Results[i].Recommended); diff != "" {
		t.Errorf("recommended (-want +got):\n%s", diff)
	}
}
