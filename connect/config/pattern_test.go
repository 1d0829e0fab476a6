package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPatternsMatchAsInJava(t *testing.T) {
	type match struct {
		Input string
		Whole bool
		Find  []*string
	}
	type line struct {
		Pattern string
		Error   *string
		Matches []match
	}
	// The second file is of Java 25: of what differs from Java 17 in it, \b and
	// letter cases, ours are the newer ones.
	for _, c := range append(recorded[line](t, "patterns.jsonl"), recorded[line](t, "patterns-jdk25.jsonl")...) {
		p, err := CompilePattern(c.Pattern)
		if c.Error != nil {
			if err == nil || err.Error() != *c.Error {
				t.Errorf("%q: error %q, want %q", c.Pattern, err, *c.Error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.Pattern, err)
			continue
		}
		for _, want := range c.Matches {
			got := match{Input: want.Input}
			if got.Whole, err = p.Matches(want.Input); err != nil {
				t.Fatal(err)
			}
			loc, err := p.match(want.Input)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(loc); i += 2 {
				if loc[i] < 0 {
					got.Find = append(got.Find, nil)
					continue
				}
				text := want.Input[loc[i]:loc[i+1]]
				got.Find = append(got.Find, &text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q on %q (-java +ours):\n%s", c.Pattern, want.Input, diff)
			}
		}
	}
}

func TestReplacementsReadAsInJava(t *testing.T) {
	type line struct {
		Pattern, Replacement, Input, Class string
		Result, Error                      *string
	}
	for _, c := range recorded[line](t, "replace.jsonl") {
		p, err := CompilePattern(c.Pattern)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.ReplaceFirst(c.Input, c.Replacement)
		if c.Error != nil {
			var e *ReplacementError
			if !errors.As(err, &e) || e.Message != *c.Error || e.Class != c.Class {
				t.Errorf("%q -> %q: error %v, want %s %s", c.Pattern, c.Replacement, err, c.Class, *c.Error)
			}
			continue
		}
		if err != nil || got != *c.Result {
			t.Errorf("%q -> %q: %q, %v, want %q", c.Pattern, c.Replacement, got, err, *c.Result)
		}
	}
}

func TestUnsupportedPatternsAreRefused(t *testing.T) {
	for _, text := range []string{`\X`, `\N{DASH}`, `(?U)\w`, `\p{InGreek}`, `(?<=a++)b`, `(?<=(?>a|ab))c`, `(?<!\R)a`} {
		if _, err := CompilePattern(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func FuzzCompilePattern(f *testing.F) {
	for _, s := range []string{"a(b|c)*", "[a-z&&[^b]]+?", `\Qx\E\p{Lu}{1,3}`, "(?<n>a)(?i:b)(?=c)"} {
		f.Add(s, "abc")
	}
	f.Fuzz(func(t *testing.T, text, input string) {
		p, err := CompilePattern(text)
		if err != nil || len(text) > 50 || strings.Contains(text, "{") || p.full == nil {
			return // what remains does not explode
		}
		if _, err := p.Matches(input); err != nil {
			t.Fatal(err)
		}
	})
}
