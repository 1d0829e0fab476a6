package config

import "testing"

func TestValuesOfProvidersAreHidden(t *testing.T) {
	f := Filled{"s3cret": "${f:a}", "s3cret+": "${f:b}", "tab\there": "${f:c}", "1": "${f:d}", "true": "${f:e}"}
	for text, want := range map[string]string{
		"":                              "",
		"x s3cret, s3cret+ and 1":       "x ${f:a}, ${f:b} and 1",
		"as3cretb":                      "a${f:a}b",
		"it is true":                    "it is true",
		"a tab\there or \"tab\\there\"": "a ${f:c} or \"${f:c}\"",
	} {
		if got := f.Hide(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := (Filled)(nil).Hide("x"); got != "x" {
		t.Error(got)
	}
}
