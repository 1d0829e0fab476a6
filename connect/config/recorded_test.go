package config

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The files testdata/*.jsonl hold what Kafka 4.2.0 and Java 17 answered.

func recorded[T any](t *testing.T, file string) []T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return decodeLines[T](t, b)
}

func decodeLines[T any](t *testing.T, b []byte) []T {
	t.Helper()
	var out []T
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		t.Fatal("no recorded lines")
	}
	return out
}

func typeOf(t *testing.T, name string) Type {
	t.Helper()
	for i, n := range typeNames {
		if n == name {
			return Type(i)
		}
	}
	t.Fatalf("unknown type %q", name)
	return 0
}

func TestTextsAreReadAsInJava(t *testing.T) {
	type line struct {
		Type, Text   string
		Value, Error *string
		Items        []string
		Secret       *string
	}
	for _, c := range recorded[line](t, "parse.jsonl") {
		d := NewDef(Key{Name: "k", Type: typeOf(t, c.Type)})
		vals, err := d.Parse(Map{"k": c.Text})
		if c.Error != nil {
			if err == nil || err.Error() != *c.Error {
				t.Errorf("%s %q: error %v, want %s", c.Type, c.Text, err, *c.Error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %q: %v", c.Type, c.Text, err)
			continue
		}
		if got, _ := vals.Text("k"); got != *c.Value {
			t.Errorf("%s %q: %q, want %q", c.Type, c.Text, got, *c.Value)
		}
		if c.Items != nil && !cmp.Equal(vals.List("k"), c.Items) {
			t.Errorf("%s %q: items %q, want %q", c.Type, c.Text, vals.List("k"), c.Items)
		}
		if c.Secret != nil && vals.Password("k").Reveal() != *c.Secret {
			t.Errorf("%s %q: wrong secret", c.Type, c.Text)
		}
	}
}

func TestValidatorsSpeakAsInJava(t *testing.T) {
	validators := map[string]Validator{
		"atLeast1":            AtLeast(1),
		"between-1,10":        Between(-1, 10),
		"between0.5,1.0":      Between(0.5, 1.0),
		"between0.0,0.25":     Between(0.0, 0.25),
		"oneOf":               OneOf("move", "copy"),
		"oneOfEmpty":          OneOf("", "bulk"),
		"oneOfFold":           OneOfFold("NUMERIC", "BASE64"),
		"nonEmpty":            NonEmpty(),
		"nonEmptyNoControl":   NonEmptyNoControl(),
		"nonNull":             NonNull(),
		"nonEmptyList":        NonEmptyList(),
		"regex":               Regex(),
		"all":                 All(NonEmpty(), Regex()),
		"uniqueList":          NonEmptyUniqueList(),
		"uniqueListEmpty":     UniqueList(),
		"uniqueListEmptyNull": orNull(UniqueList()),
		"listOf":              UniqueList("a", "b"),
		"listOfNonEmpty":      NonEmptyUniqueList("a", "b"),
		"topicCreation.repl":  ReplicationFactor(),
		"topicCreation.part":  Partitions(),
	}
	type line struct {
		Validator, Valid, Java, Class string
		Value                         any
		Error                         *string
	}
	for _, c := range recorded[line](t, "validators.jsonl") {
		v, ok := validators[c.Validator]
		if !ok {
			t.Errorf("no validator %s", c.Validator)
			continue
		}
		if c.Valid != "" && v.String() != c.Valid { // Java describes its lists with an empty text
			t.Errorf("%s describes itself as %q, want %q", c.Validator, v, c.Valid)
		}
		if c.Class == "java.lang.NullPointerException" {
			continue // Java's fault, not a message
		}
		err := v.Check("k", goValue(c.Java, c.Value))
		if (err == nil) != (c.Error == nil) || err != nil && err.Error() != *c.Error {
			t.Errorf("%s of %v: error %v, want %v", c.Validator, c.Value, err, str(c.Error))
		}
	}
}

func goValue(class string, v any) any {
	switch v := v.(type) {
	case float64:
		switch class {
		case "Integer":
			return int32(v)
		case "Short":
			return int16(v)
		case "Long":
			return int64(v)
		}
	case []any:
		items := []string{}
		for _, it := range v {
			items = append(items, it.(string))
		}
		return items
	}
	return v
}

func str(s *string) string {
	if s == nil {
		return "<nil>"
	}
	return *s
}

func TestConnectorKeysAreThoseOfJava(t *testing.T) {
	type key struct {
		Name, Type, Importance, Width, Display string
		Valid, Default                         *string
		Required                               bool
		Group                                  string
		Order                                  int
	}
	type line struct {
		Kind   string
		Keys   []key
		Groups []string
		Config Raw
		Errors map[string][]string
		Values map[string]*string
		Parse  string
		Threw  string `json:"validateThrew"`
	}
	for _, c := range recorded[line](t, "connectors.jsonl") {
		kind := map[string]ConnectorKind{"source": Source, "sink": Sink}[c.Kind]
		d := ConnectorDef(kind)
		if c.Keys != nil {
			var got []key
			for _, k := range d.Keys() {
				one := key{Name: k.Name, Type: k.Type.String(), Importance: k.Importance.String(), Width: k.Width.String(),
					Display: k.DisplayName(), Default: k.DefaultText(), Required: k.Required, Group: k.Group, Order: k.OrderInGroup()}
				got = append(got, one)
				if k.Doc == "" {
					t.Errorf("%s has no documentation", k.Name)
				}
			}
			for i := range c.Keys {
				if want := c.Keys[i].Valid; want != nil && *want != "" && !strings.HasPrefix(*want, "A concrete subclass") {
					if k, ok := d.Lookup(c.Keys[i].Name); ok && (k.Validate == nil || k.Validate.String() != *want) {
						t.Errorf("%s: valid %v, want %s", k.Name, k.Validate, *want)
					}
				}
				c.Keys[i].Valid = nil
			}
			if diff := cmp.Diff(c.Keys, got); diff != "" {
				t.Errorf("%s keys (-java +ours):\n%s", c.Kind, diff)
			}
			if diff := cmp.Diff(c.Groups, d.Groups()); diff != "" {
				t.Errorf("%s groups (-java +ours):\n%s", c.Kind, diff)
			}
			continue
		}
		results := d.ValidateRaw(c.Config)
		m := Map{}
		for k, v := range c.Config {
			if v != nil {
				m[k] = *v
			}
		}
		if kind == Sink && c.Threw == "" {
			CheckSinkTopics(m, results)
		}
		errs, vals := map[string][]string{}, map[string]*string{}
		for _, r := range results {
			if len(r.Errors) > 0 {
				errs[r.Key.Name] = r.Errors
			}
			if _, set := c.Config[r.Key.Name]; set {
				vals[r.Key.Name] = r.Value
			}
		}
		config, _ := json.Marshal(c.Config)
		if diff := cmp.Diff(c.Errors, errs); diff != "" {
			t.Errorf("%s %s errors (-java +ours):\n%s", c.Kind, config, diff)
		}
		if diff := cmp.Diff(c.Values, vals); diff != "" {
			t.Errorf("%s %s values (-java +ours):\n%s", c.Kind, config, diff)
		}
		if len(m) == len(c.Config) {
			_, err := d.Parse(m)
			var first *Error
			if got := "ok"; errors.As(err, &first) && first.Error() != c.Parse || err == nil && got != c.Parse {
				t.Errorf("%s %s: Parse %v, want %s", c.Kind, config, err, c.Parse)
			}
		}
	}
}

func TestEmbeddedKeysAreSortedAndNamedAsInJava(t *testing.T) {
	type line struct {
		Name, Group, Display string
		Order                int
		Internal             bool
		Dependents           []string
	}
	d := NewDef(
		Key{Name: "b", Type: Int, Default: Default("1")},
		Key{Name: "a", Required: true},
		Key{Name: "z", Default: Default("x"), Importance: High},
		Key{Name: "g2", Default: Default("x"), Importance: High, Group: "G", Order: 2, Display: "Gee 2"},
		Key{Name: "g1", Default: Default("x"), Group: "G", Order: 1, Display: "Gee 1", Dependents: []string{"z"}},
		Key{Name: "h1", Default: Default("x"), Group: "A", Order: 1, Display: "H"},
		Key{Name: "i", Default: Default("x"), Importance: High, Internal: true},
	)
	var got []line
	for _, k := range d.Embedded("transforms.t.", "Transforms: t", 3).Keys() {
		got = append(got, line{k.Name, k.Group, k.DisplayName(), k.OrderInGroup(), k.Internal, k.Dependents})
	}
	if diff := cmp.Diff(recorded[line](t, "embed.jsonl"), got); diff != "" {
		t.Errorf("(-java +ours):\n%s", diff)
	}
}

func TestTransformationsAndPredicatesAreListedAsInJava(t *testing.T) {
	type line struct {
		Name, Type, Importance, Group, Width, Display string
		Default                                       *string
		Required                                      bool
		Order                                         int
	}
	router := NewDef(Key{Name: "regex", Required: true, Importance: High}, Key{Name: "replacement", Required: true, Importance: High})
	mask := NewDef(Key{Name: "fields", Type: List, Required: true, Importance: High}, Key{Name: "replacement"},
		Key{Name: "replace.null.with.default", Type: Boolean, Default: Default("true"), Importance: Medium})
	matches := NewDef(Key{Name: "pattern", Required: true, Importance: Medium})
	d := TransformDef("r", "4.2.0", router).Merge(TransformDef("m", "4.2.0", mask),
		PredicateDef("p", "4.2.0", matches), PredicateDef("q", "4.2.0", NewDef()))
	var got []line
	for _, k := range d.Keys() {
		got = append(got, line{k.Name, k.Type.String(), k.Importance.String(), k.Group, k.Width.String(), k.DisplayName(),
			k.DefaultText(), k.Required, k.OrderInGroup()})
		if k.Doc == "" && !strings.Contains("regex replacement fields replace.null.with.default pattern", k.DisplayName()) {
			t.Errorf("%s has no documentation", k.Name)
		}
	}
	if diff := cmp.Diff(recorded[line](t, "chain.jsonl"), got); diff != "" {
		t.Errorf("(-java +ours):\n%s", diff)
	}
	if n := len(TransformDef("x", "", nil).Keys()); n != 2 {
		t.Errorf("an unknown transformation has %d keys", n)
	}
}

func TestPrefixedKeysKeepGroupAndDisplay(t *testing.T) {
	d := NewDef(
		Key{Name: "mode", Default: Default("a"), Group: "G", Order: 1, Dependents: []string{"size"}},
		Key{Name: "size", Type: Int, Default: Default("1"), Visible: func(cfg Map) bool { return cfg["mode"] == "b" }},
	).Prefixed("key.converter.")
	mode, ok := d.Lookup("key.converter.mode")
	if !ok || mode.DisplayName() != "mode" || mode.Group != "G" || mode.Dependents[0] != "key.converter.size" {
		t.Errorf("%+v", mode)
	}
	if !d.Validate(Map{"key.converter.mode": "b"})[1].Visible || d.Validate(Map{"mode": "b"})[1].Visible {
		t.Error("Visible does not see the names without the prefix")
	}
}
