package rest

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// What a Java worker 4.2.0 answered to each.
func TestTheAnswerHasTheTypeThatIsAskedFor(t *testing.T) {
	server := serve(t, newFake(), Config{})
	for _, c := range []struct{ method, accept, want, body string }{
		{"GET", "", "application/json", "[]"},
		{"GET", "application/json; charset=utf-8", "application/json;charset=utf-8", "[]"},
		{"GET", `application/json;charset="utf-8"`, "application/json;charset=utf-8", "[]"},
		{"GET", "APPLICATION/JSON;version=1;q=0.5", "application/json;version=1", "[]"},
		{"GET", "*/*, application/json;version=1", "application/json;version=1", "[]"},
		{"GET", "text/html, application/*;q=0.1", "application/json", "[]"},
		{"OPTIONS", "", "text/plain", "HEAD, POST, GET, OPTIONS"},
		{"OPTIONS", "*", "text/plain", "HEAD, POST, GET, OPTIONS"},
		{"OPTIONS", "text/*", "text/plain", "HEAD, POST, GET, OPTIONS"},
		{"OPTIONS", "application/json", "application/json", ""},
		{"OPTIONS", "json", "json/*", ""},
		{"OPTIONS", "text/html,*/*;q=0.1", "text/html", ""},
		{"OPTIONS", "text/html, application/json", "text/html", ""},
	} {
		headers := map[string]string{}
		if c.accept != "" {
			headers["Accept"] = c.accept
		}
		res, body := send(t, c.method, server.URL+"/connectors", headers, http.NoBody)
		if got := res.Header.Get("Content-Type"); got != c.want || body != c.body {
			t.Errorf("%s, Accept %q: %q %q, want %q %q", c.method, c.accept, got, body, c.want, c.body)
		}
	}
}

func TestAnErrorHasTheTypeThatIsAskedFor(t *testing.T) {
	server := serve(t, newFake(), Config{})
	res, _ := send(t, "GET", server.URL+"/connectors/x", map[string]string{"Accept": "application/json; charset=utf-8"}, http.NoBody)
	if got := res.Header.Get("Content-Type"); res.StatusCode != 404 || got != "application/json;charset=utf-8" {
		t.Errorf("%d %s", res.StatusCode, got)
	}
}

func TestQueriesAreReadAsJavaReadsThem(t *testing.T) {
	server := serve(t, newFake(), Config{})
	for query, want := range map[string]string{
		"":                           "[]",
		"?":                          "[]",
		"?&&":                        "[]",
		"?Expand=info":               "[]",
		"?expand":                    "{}",
		"?expand=%zz":                "{}", // a bad escape stands for itself
		"?expand=status;expand=info": "{}", // a semicolon separates nothing
		"?a=%zz&expand=info":         "{}",
		"?%65xpand=info&" + strings.Repeat("a", 3000): "{}",
	} {
		if res, body := send(t, "GET", server.URL+"/connectors"+query, nil, http.NoBody); res.StatusCode != 200 || body != want {
			t.Errorf("%.60s: %d %s, want %s", query, res.StatusCode, body, want)
		}
	}
}

func TestLocationKeepsWhatJavaKeeps(t *testing.T) {
	for name, want := range map[string]string{
		"a b/c%d?e#f":     "a%20b%2Fc%25d%3Fe%23f",
		"!$&'()*+,;=:@~_": "!$&'()*+,;=:@~_",
		"<[{\u00fc}]>%21": "%3C%5B%7B%C3%BC%7D%5D%3E%2521",
	} {
		if got := segment(name); got != want {
			t.Errorf("%s becomes %s, want %s", name, got, want)
		}
	}
}

func TestAConnectRequestIsRefused(t *testing.T) {
	server := serve(t, newFake(), Config{})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "CONNECT /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 400 ") {
		t.Errorf("got %s, %v", text, err)
	}
}
