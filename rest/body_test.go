package rest

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
)

func text(s string) *string { return &s }

func TestConfigurationsKeepOrderAndSpelling(t *testing.T) {
	for body, want := range map[string]config.Entries{
		"":                           nil,
		" \n":                        nil,
		"null":                       nil,
		"{}":                         {},
		"\xef\xbb\xbf{\"a\":1}":      {{Key: "a", Value: text("1")}},
		`{"z":"1","a":null}`:         {{Key: "z", Value: text("1")}, {Key: "a"}},
		`{"a":1.50,"b":1e5}`:         {{Key: "a", Value: text("1.50")}, {Key: "b", Value: text("1e5")}},
		`{"a":-0,"b":1E400}`:         {{Key: "a", Value: text("-0")}, {Key: "b", Value: text("1E400")}},
		`{"a":true,"b":false}`:       {{Key: "a", Value: text("true")}, {Key: "b", Value: text("false")}},
		`{"a":1,"b":2,"a":null}`:     {{Key: "a"}, {Key: "b", Value: text("2")}},
		`{"":"","a":"\ud83d\ude00"}`: {{Key: "", Value: text("")}, {Key: "a", Value: text("\U0001F600")}},
		`{"a":"\\ud800 # // x"}`:     {{Key: "a", Value: text(`\ud800 # // x`)}},
	} {
		doc, tok, err := parse([]byte(body))
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		got, err := doc.entries("the configuration", tok, 0)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", body, err, diff)
		}
	}
}

func TestBadBodiesAreToldWhatAndWhere(t *testing.T) {
	for body, want := range map[string][]string{
		"{\n \"a\": 1,\n # comment\n \"b\": 2}": {"Unexpected character ('#' (code 35))", "no comments", "line: 3, column: 2"},
		"{\"a\": 1 // comment\n}":               {"Unexpected character ('/' (code 47))", "no comments", "line: 1, column: 9"},
		"/* comment */ {}":                      {"no comments", "line: 1, column: 1"},
		"{}\n# the end":                         {"no comments", "line: 2, column: 1"},
		`{"a":/}`:                               {"Unexpected character ('/' (code 47)) looking for"},
		"not json":                              {"Unrecognized token 'not'", "line: 1, column: 1"},
		`{"a":tru}`:                             {"Unrecognized token 'tru'"},
		`{"a":NaN}`:                             {"Unrecognized token 'NaN'"},
		`{} x`:                                  {"Unrecognized token 'x'", "column: 4"},
		`{}{}`:                                  {"Unexpected character ('{' (code 123)) after top-level value"},
		`{"a":1x}`:                              {"Unexpected character ('x' (code 120))"},
		`{"a":01}`:                              {"Unexpected character ('1' (code 49))"},
		`{"a":1,}`:                              {"Unexpected character ('}' (code 125))", "column: 8"},
		`{'a':1}`:                               {"Unexpected character (''' (code 39))"},
		"{\"a\":\"x\ty\"}":                      {"CTRL-CHAR, code 9", "column: 8"},
		`{"a":"\x"}`:                            {"Unexpected character ('x' (code 120)) in string escape code"},
		"{\"\u00fc\":\u00fc}":                   {"Unexpected character ('\u00fc' (code 252))", "column: 6"},
		"{\"a\":\"\xff\"}":                      {"Invalid UTF-8 byte 0xff", "column: 7"},
		`{"a":"\ud800"}`:                        {"Unpaired surrogate \\ud800", "column: 7"},
		`{"a":"\\\udc00\ud800"}`:                {"Unpaired surrogate \\udc00"},
		`{"a":`:                                 {"Unexpected end-of-input", "column: 6"},
		"{\n":                                   {"Unexpected end-of-input", "line: 2, column: 1"},
		`{"a":"b`:                               {"Unexpected end-of-input"},
		`[]`:                                    {"the configuration", "expected an object, not an array"},
		`"x"`:                                   {"expected an object, not a text"},
		`5`:                                     {"not a number"},
		`true`:                                  {"not a boolean"},
		"{\"a\":\n {\"b\":1}}":                  {`Cannot read "a"`, "not an object", "line: 2, column: 2"},
		`{"a":[1]}`:                             {`Cannot read "a"`, "not an array", "column: 6"},
		strings.Repeat(`{"a":`, 20000):          {"exceeded max depth"},
	} {
		doc, tok, err := parse([]byte(body))
		if err == nil {
			_, err = doc.entries("the configuration", tok, 0)
		}
		if err == nil {
			t.Errorf("%.60q is accepted", body)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%.60q: %q does not say %q", body, err, part)
			}
		}
	}
}

func TestOffsetValuesKeepTheirKind(t *testing.T) {
	doc, tok, err := parse([]byte(`{"a":1,"b":1.0,"c":"1","d":true,"e":null,"f":{"g":[1,"x"]},"h":-9223372036854775808,"i":9223372036854775808}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := doc.values("it", tok, 0)
	want := map[string]any{"a": int64(1), "b": 1.0, "c": "1", "d": true, "e": nil,
		"f": map[string]any{"g": []any{int64(1), "x"}}, "h": int64(-1 << 63), "i": json.Number("9223372036854775808")}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, body := range []string{`{"a":1e999}`} {
		doc, tok, err := parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := doc.values("it", tok, 0); err == nil {
			t.Errorf("%s is accepted", body)
		}
	}
}

// FuzzBody compares with encoding/json, which reads what is well-formed into a
// map without order.
func FuzzBody(f *testing.F) {
	for _, s := range []string{``, `null`, `{"a":"1","b":2.50,"c":null}`, `{"a":1,"a":2}`, "{\n# x\n}", `{"a":"\ud800\udc00\\"}`,
		`{"a":{"b":[1]}}`, "\xef\xbb\xbf{}", "{\"a\":\"\xc3\x28\"}", `[{}]`, `{"a":1} x`, `{"a":tru`, `"\`, `{"a":"\u12`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, tok, err := parse(body)
		plain := []byte(strings.TrimPrefix(string(body), "\xef\xbb\xbf"))
		valid := json.Valid(plain) && utf8.Valid(plain)
		if err != nil {
			if valid && !strings.Contains(err.Error(), "surrogate") {
				t.Fatalf("%q is refused: %v", body, err)
			}
			if !strings.Contains(err.Error(), "line: ") {
				t.Fatalf("%q: the error has no place: %v", body, err)
			}
			return
		}
		if tok != nil && !valid {
			t.Fatalf("%q is accepted", body)
		}
		entries, err := doc.entries("it", tok, 0)
		if err != nil || tok == nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Skip() // numbers that no float64 holds
		}
		if len(want) != len(entries) {
			t.Fatalf("%q has %d keys, want %d", body, len(entries), len(want))
		}
		for _, e := range entries {
			if s, ok := want[e.Key].(string); ok && (e.Value == nil || *e.Value != s) {
				t.Fatalf("%q: %s differs", body, e.Key)
			}
			if v, ok := want[e.Key]; !ok || (v == nil) != (e.Value == nil) {
				t.Fatalf("%q: %s is %v", body, e.Key, v)
			}
		}
	})
}
