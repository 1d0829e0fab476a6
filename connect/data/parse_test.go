package data_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect/data"
)

func TestParseTextNeverLosesAPlainText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Java's own Values makes " " of " {", and so it is here: a blank before a bracket is no plain text.
		text := rapid.StringMatching(`[a-zA-Zéü_/.][a-zA-Z0-9 :,_/.\[\]{}"\\-]*`).Draw(t, "text")
		s, v, isNull := data.ParseText(text)
		if isNull || s == nil {
			if text != "null" {
				t.Fatalf("%q is null", text)
			}
			return
		}
		if s.Type() == data.String && v.Str() != text {
			t.Fatalf("%q became %q", text, v.Str())
		}
	})
}

func TestParseTextReadsWhatAppendQuotedWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		elements := rapid.SliceOfN(rapid.Int64(), 1, 8).Draw(t, "elements")
		list := make([]data.Value, len(elements))
		for i, n := range elements {
			list[i] = data.Int64Of(n)
		}
		text, err := data.AppendQuoted(nil, data.ArrayOf(list), false)
		if err != nil {
			t.Fatal(err)
		}
		s, v, _ := data.ParseText(string(text))
		if s.Type() != data.Array || len(v.Array()) != len(list) {
			t.Fatalf("%s became %s", text, v)
		}
		for i, e := range v.Array() {
			if e.Int() != elements[i] {
				t.Fatalf("%s became %s", text, v)
			}
		}
	})
}

func FuzzParseText(f *testing.F) {
	for _, text := range []string{"", "null", "1", "[1,2.5]", `{"a":1,"b":[true]}`, "2020-01-02T03:04:05.678Z", "14:34:54.346Z", `["2020-01-02"]`, `\:`, `"`, "1e400", "[[[["} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, v, isNull := data.ParseText(text)
		if isNull {
			if s != nil || !v.IsNull() {
				t.Fatalf("%q is null and %s of %s", text, v, s)
			}
			return
		}
		if s.Type().Primitive() {
			if err := data.Validate(s, v); err != nil {
				t.Fatalf("%q became %s of %s: %v", text, v, s, err)
			}
		}
	})
}

func TestTextsAreNestedUpToAThousandLevels(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if s, _, _ := data.ParseText(nested(1000)); s.Type() != data.Array {
		t.Errorf("a thousand levels are of type %s", s.Type())
	}
	for _, text := range []string{nested(1001), nested(1_000_000), strings.Repeat("{1:", 1_000_000), strings.Repeat("{", 1_000_000)} {
		if s, v, _ := data.ParseText(text); s != data.StringSchema || v.Str() != text {
			t.Errorf("%.10s: a value of type %s", text, s.Type())
		}
	}
	// Siblings are no levels.
	if s, _, _ := data.ParseText("[" + strings.Repeat("[1],", 5000) + "[1]]"); s.Type() != data.Array {
		t.Errorf("five thousand lists in a list are of type %s", s.Type())
	}
}

func TestNumbersOfTextsAreBounded(t *testing.T) {
	long := strings.Repeat("7", 10_000)
	if s, _, _ := data.ParseText(long); s.Type() != data.Bytes {
		t.Errorf("ten thousand digits are of type %s", s.Type())
	}
	if s, v, _ := data.ParseText(long + "7"); s != data.StringSchema || v.Str() != long+"7" {
		t.Errorf("one more is of type %s", s.Type())
	}
}
