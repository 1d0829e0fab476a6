package jaas

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJAASTexts(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`org.a.PlainLoginModule required username="alice" password="se cret";`:  {"username": "alice", "password": "se cret"},
		"a.B required\n  username=alice\n  password='it''s';":                   nil, // two texts side by side
		`a.B Required username=alice password='a"b' ;`:                          {"username": "alice", "password": `a"b`},
		`a.B required username="a\"b\\c\n\101\tz" password="ü";`:                {"username": "a\"b\\c\nA\tz", "password": "ü"},
		`a.B required /* old */ username="x" // note` + "\n" + `password="//";`: {"username": "x", "password": "//"},
		`a.B required;`:                                 {},
		`a.B required username="x" password="y"`:        nil,
		`a.B required username="x"; c.D required;`:      nil,
		`a.B username="x";`:                             nil,
		`a.B required username "x";`:                    nil,
		`a.B required username="x" password=pass/word;`: nil,
		`a.B required username="x`:                      nil,
		`a.B required username="x" /* `:                 nil,
		``:                                              nil,
	} {
		got, ok := Parse(text)
		if ok != (want != nil) {
			t.Errorf("%s: accepted is %v", text, ok)
			continue
		}
		if diff := cmp.Diff(want, got.Options); ok && diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

// FuzzParse checks that a quoted value comes back as it was, whatever it is, and that no text makes the reader fail badly.
func FuzzParse(f *testing.F) {
	f.Add(`a.B required username="x" password="y";`)
	f.Add(`"\`)
	f.Add(`\377'`)
	f.Fuzz(func(t *testing.T, s string) {
		Parse(s)
		quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`)
		got, ok := Parse(`a.B required username="x" password="` + quote.Replace(s) + `";`)
		if !ok || got.Options["password"] != s {
			t.Errorf("%q: %v, %q", s, ok, got.Options["password"])
		}
	})
}

func TestFilesHaveSections(t *testing.T) {
	got, err := ParseFile("/* users */ KafkaConnect {\n  a.PropertyFileLoginModule required\n  file=\"/etc/users\";\n};\nKafkaClient { b.C optional; d.E required x='y'; };\nEmpty { };")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]Login{
		"KafkaConnect": {{"a.PropertyFileLoginModule", "required", map[string]string{"file": "/etc/users"}}},
		"KafkaClient":  {{"b.C", "optional", map[string]string{}}, {"d.E", "required", map[string]string{"x": "y"}}},
		"Empty":        nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got["KafkaConnect"][0].SimpleModule() != "PropertyFileLoginModule" {
		t.Errorf("simple name %q", got["KafkaConnect"][0].SimpleModule())
	}
}

func TestFaultsOfFilesNameTheSectionAndNoText(t *testing.T) {
	const secret = "s3cr3t"
	for text, part := range map[string]string{
		`A { m.M required p="s3cr3t" };`:                "section A",
		`A { m.M required p="s3cr3t"; }`:                "section A",
		`A { m.M required p="s3cr3t"; }; B`:             "after section A",
		`A { m.M maybe p="s3cr3t"; };`:                  "section A",
		`A { m.M required p="s3cr3t;`:                   "does not end",
		`A { m.M required p="s3cr3t"; }; A { };`:        "section A is there twice",
		`m.M required p="s3cr3t";`:                      "the first section",
		`A { m.M required p="s3cr3t"; m.M required q }`: "login 2",
	} {
		_, err := ParseFile(text)
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzParseFile checks that no text makes the reader fail badly, and that a login survives being written.
func FuzzParseFile(f *testing.F) {
	f.Add(`A { a.B required x="y"; };`)
	f.Add("A{")
	f.Fuzz(func(t *testing.T, s string) {
		sections, err := ParseFile(s)
		if err != nil {
			return
		}
		for _, logins := range sections {
			for _, l := range logins {
				if l.Module == "" || strings.ContainsAny(l.Module+l.Flag, " \t\r\n\f=;{}\"'/\\") {
					continue // was quoted
				}
				for name := range l.Options {
					if name == "" || strings.ContainsAny(name, " \t\r\n\f=;{}\"'/\\") {
						return
					}
				}
				again, ok := Parse(l.String())
				if diff := cmp.Diff(l, again); !ok || diff != "" {
					t.Errorf("%q: %v %s", l.String(), ok, diff)
				}
			}
		}
	})
}
