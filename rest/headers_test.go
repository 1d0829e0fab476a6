package rest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHeaderRulesAreReadAsJavaReadsThem(t *testing.T) {
	got, err := ParseHeaders(`set X-One: 1, addDate X-When:60000 ,"add Cache-Control: no-cache, no-store",, setDate Expires: -1`)
	want := []HeaderRule{
		{Name: "X-One", Value: "1", Replace: true},
		{Name: "X-When", Value: "60000", Date: true},
		{Name: "Cache-Control", Value: "no-cache, no-store"},
		{Name: "Expires", Value: "-1", Replace: true, Date: true},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, text := range []string{"X-One: 1", "put X: 1", "set X", "set : 1", "set a b: 1", "setDate X: soon", "set X: a\nb", "SET X: 1"} {
		if _, err := ParseHeaders(text); err == nil || !strings.Contains(err.Error(), headersKey) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestEveryAnswerHasTheConfiguredHeaders(t *testing.T) {
	rules, err := ParseHeaders(`set X-One: 1, add X-Two: a, add X-Two: b, setDate X-When: 3600000`)
	if err != nil {
		t.Fatal(err)
	}
	fake := newFake()
	server := serve(t, fake, Config{Headers: rules})
	for path, status := range map[string]int{"/": 200, "/nope": 404, "/connectors/a%2Fb": 400, "/connectors/x": 404, "/connectors/x/restart": 405} {
		res, _ := send(t, "GET", server.URL+path, nil, nil)
		if res.StatusCode != status || res.Header.Get("X-One") != "1" || !slices.Equal(res.Header.Values("X-Two"), []string{"a", "b"}) {
			t.Errorf("GET %s: %d %v", path, res.StatusCode, res.Header)
		}
		if when, err := http.ParseTime(res.Header.Get("X-When")); err != nil || when.Before(time.Now()) {
			t.Errorf("GET %s: X-When is %q", path, res.Header.Get("X-When"))
		}
	}
	fake.starting = true
	if res, _ := send(t, "GET", server.URL+"/", nil, nil); res.Header.Get("X-One") != "1" {
		t.Error("an answer during start-up lacks the headers")
	}
}

func TestPagesOfAllowedOriginsMayRead(t *testing.T) {
	server := serve(t, newFake(), Config{AllowOrigin: `http://a.example, https://.*\.b\.example`, AllowMethods: "GET,PUT"})
	for origin, allowed := range map[string]bool{
		"http://a.example": true, "https://x.b.example": true, "http://axexample": false, "HTTPS://X.B.example": true, "http://A.example": true,
		"http://a.example.evil": false, "https://b.example": false, "": false,
	} {
		headers := map[string]string{"Origin": origin, "Access-Control-Request-Method": "DELETE"}
		for method, body := range map[string]string{"GET": "[]", "OPTIONS": "HEAD, POST, GET, OPTIONS"} {
			res, text := send(t, method, server.URL+"/connectors", headers, nil)
			want := ""
			if allowed {
				want = origin
			}
			h := res.Header
			if res.StatusCode != 200 || text != body || h.Get("Access-Control-Allow-Origin") != want || h.Get("Vary") != "Origin" {
				t.Errorf("%s from %q: %d %q %v", method, origin, res.StatusCode, text, h)
			}
			if preflight := allowed && method == "OPTIONS"; preflight != (h.Get("Access-Control-Allow-Methods") == "GET,PUT") ||
				preflight != (h.Get("Access-Control-Max-Age") == "60") || preflight != (h.Get("Access-Control-Allow-Headers") == "Content-Type") {
				t.Errorf("%s from %q: %v", method, origin, h)
			}
		}
	}
	every := serve(t, newFake(), Config{AllowOrigin: "*"})
	res, _ := send(t, "OPTIONS", every.URL+"/", map[string]string{"Origin": "https://any.example", "Access-Control-Request-Method": "GET"}, nil)
	if res.Header.Get("Access-Control-Allow-Origin") != "https://any.example" || res.Header.Get("Access-Control-Allow-Methods") != "GET,HEAD,POST" {
		t.Errorf("with every origin: %v", res.Header)
	}
	if _, err := New(newFake(), Config{Listeners: []string{"http://127.0.0.1:0"}, AllowOrigin: "*.a.example"}); err == nil || !strings.Contains(err.Error(), "access.control.allow.origin") {
		t.Errorf("an origin that is no pattern: %v", err)
	}
	plain := serve(t, newFake(), Config{})
	if res, _ := send(t, "GET", plain.URL+"/", map[string]string{"Origin": "http://a.example"}, nil); res.Header.Get("Access-Control-Allow-Origin") != "" || res.Header.Get("Vary") != "" {
		t.Errorf("without access.control.allow.origin: %v", res.Header)
	}
}
