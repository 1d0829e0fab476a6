package rest

import "testing"

func TestPathsHaveOneSpelling(t *testing.T) {
	for raw, want := range map[string]string{
		"/":                            "/",
		"/;a=b":                        "/",
		"/connectors":                  "/connectors",
		"/connectors/":                 "/connectors",
		"/connectors/;a=b":             "/connectors",
		"/connectors/x;a=b/status":     "/connectors/x/status",
		"/connectors/a+b":              "/connectors/a+b",
		"/connectors/%61%20b":          "/connectors/a%20b",
		"/connectors/a%3Bb%3f%3Ac":     "/connectors/a%3Bb%3F:c",
		"/connectors/%C3%BC":           "/connectors/%C3%BC",
		"/connectors/..":               "/connectors/..",
		"/connectors/a#b":              "/connectors/a",
		"/connectors/a'(b)*":           "/connectors/a%27%28b%29%2A",
		"/../x":                        "",
		"/connectors/../../x":          "",
		"/connectors/a|b":              "",
		"/connectors/[a]":              "",
		"/connectors/a%09b":            "",
		"/connectors/a%0Ab":            "",
		"/connectors/a%7fb":            "",
		"":                             "",
		"*":                            "",
		"//":                           "",
		"/connectors//x":               "",
		"/connectors/x//":              "",
		"/connectors/;a/x":             "",
		"/connectors/a%2Fb":            "",
		"/connectors/a%25b":            "",
		"/connectors/a%5Cb":            "",
		"/connectors/a%00b":            "",
		"/connectors/a\\b":             "",
		"/connectors/a%zz":             "",
		"/connectors/a%2":              "",
		"/connectors/%FF":              "",
		"/connectors/\u00fc":           "",
		"/connectors/%2e%2e/health":    "",
		"/connectors/%2E":              "",
		"/admin/loggers/a.b%24c":       "/admin/loggers/a.b$c",
		"/connectors/x/tasks/0/status": "/connectors/x/tasks/0/status",
	} {
		got, err := cleanPath(raw)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q is cleaned to %q, %v; want %q", raw, got, err, want)
		}
	}
}
