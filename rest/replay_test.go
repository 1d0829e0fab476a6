package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// step is one recorded request with its answer, see the recordings' format in
// test/testdata/golden. Waiting is left out: the fake has done what it was told.
type step struct {
	Name            string            `json:"name"`
	Do              string            `json:"do"`
	Headers         map[string]string `json:"headers"`
	JSON            json.RawMessage   `json:"json"`
	Body            *string           `json:"body"`
	Message         string            `json:"message"`
	MessageContains []string          `json:"message_contains"`
	Filter          string            `json:"filter"`
	StatusOnly      bool              `json:"status_only"`
	BodyAny         bool              `json:"body_any"`
	Expect          struct {
		Status  int                `json:"status"`
		Headers map[string]*string `json:"headers"`
		JSON    any                `json:"json"`
		Text    *string            `json:"text"`
	} `json:"expect"`
}

func TestRecordedRequestsAreAnsweredAlike(t *testing.T) {
	for _, file := range []string{
		"01-root-health", "02-create-get-delete", "03-create-errors", "04-content-type-and-header-case",
		"05-names", "06-initial-state", "10-tasks", "18-admin-loggers",
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "test", "testdata", "golden", "rest", file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			server := serve(t, newFake(), Config{Version: "v", Commit: "c"})
			names := strings.NewReplacer("${RUN}", "run", "${WORKDIR}", "/tmp/dir", "${BASE}", server.URL)
			text = []byte(names.Replace(string(text)))
			var scenario struct {
				Vars  map[string]string `json:"vars"`
				Steps []json.RawMessage `json:"steps"`
			}
			if err := json.Unmarshal(text, &scenario); err != nil {
				t.Fatal(err)
			}
			for name, value := range scenario.Vars {
				for i := range scenario.Steps {
					scenario.Steps[i] = bytes.ReplaceAll(scenario.Steps[i], []byte("${"+name+"}"), []byte(value))
				}
			}
			for i, raw := range scenario.Steps {
				var s step
				if err := json.Unmarshal(raw, &s); err != nil {
					t.Fatal(err)
				}
				// What a validation finds is the Herder's.
				if s.Do == "" || bytes.Contains(raw, []byte("Connector configuration is invalid")) {
					continue
				}
				if diff := replay(t, server.URL, &s); diff != "" {
					t.Errorf("step %d, %s %s: %s", i, s.Do, s.Name, diff)
				}
			}
		})
	}
}

// replay sends a step and says how its answer differs from the recorded one.
func replay(t *testing.T, base string, s *step) string {
	t.Helper()
	method, path, _ := strings.Cut(s.Do, " ")
	var body io.Reader
	if s.Headers == nil {
		s.Headers = map[string]string{}
	}
	switch {
	case s.JSON != nil:
		body = bytes.NewReader(s.JSON)
		if s.Headers["Content-Type"] == "" {
			s.Headers["Content-Type"] = "application/json"
		}
	case s.Body != nil:
		body = strings.NewReader(*s.Body)
	}
	res, text := send(t, method, base+path, s.Headers, body)
	if res.StatusCode != s.Expect.Status {
		return fmt.Sprintf("status %d, want %d; %s", res.StatusCode, s.Expect.Status, text)
	}
	if s.StatusOnly {
		return ""
	}
	for name, want := range s.Expect.Headers {
		values := res.Header.Values(name)
		switch {
		case want == nil:
			if len(values) > 0 {
				return fmt.Sprintf("header %s is %q, want none", name, values)
			}
		case name == "Allow":
			if !slices.Equal(methods(values[0]), methods(*want)) {
				return fmt.Sprintf("Allow is %s, want %s", values[0], *want)
			}
		case len(values) != 1 || !same(*want, values[0]):
			return fmt.Sprintf("header %s is %q, want %q", name, values, *want)
		}
	}
	if s.BodyAny {
		return ""
	}
	if s.Expect.Text != nil {
		if text != *s.Expect.Text {
			return fmt.Sprintf("body %q, want %q", text, *s.Expect.Text)
		}
		return ""
	}
	var got any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		return fmt.Sprintf("body %q: %v", text, err)
	}
	if s.Filter != "" {
		got = filter(got, regexp.MustCompile(s.Filter))
	}
	if m, ok := got.(map[string]any); ok && s.Message != "" {
		message, _ := m["message"].(string)
		for _, part := range s.MessageContains {
			if !strings.Contains(message, part) {
				return fmt.Sprintf("message %q does not contain %q", message, part)
			}
		}
		return ""
	}
	if !same(s.Expect.JSON, got) {
		want, _ := json.Marshal(s.Expect.JSON)
		return fmt.Sprintf("body %s, want %s", text, want)
	}
	return ""
}

func methods(list string) []string { return slices.Sorted(strings.SplitSeq(list, ",")) }

func filter(v any, re *regexp.Regexp) any {
	switch v := v.(type) {
	case []any:
		return slices.DeleteFunc(v, func(x any) bool { s, _ := x.(string); return !re.MatchString(s) })
	case map[string]any:
		for k := range v {
			if !re.MatchString(k) {
				delete(v, k)
			}
		}
	}
	return v
}

// same compares with a recorded value that may be a placeholder.
func same(want, got any) bool {
	switch w := want.(type) {
	case string:
		if kind, ok := strings.CutPrefix(w, "<<"); ok {
			s, isText := got.(string)
			switch kind = strings.TrimSuffix(kind, ">>"); {
			case kind == "int":
				_, number := got.(float64)
				return number
			case strings.HasPrefix(kind, "re:"):
				return isText && regexp.MustCompile("^(?:"+kind[3:]+")$").MatchString(s)
			case kind == "worker_id":
				return isText && strings.Contains(s, ":")
			}
			return isText
		}
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k := range w {
			if v, ok := g[k]; !ok || !same(w[k], v) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(w, g, same)
	}
	return want == got
}

// serve starts the main listener's handler on a port of its own.
func serve(t *testing.T, h Herder, cfg Config) *httptest.Server {
	t.Helper()
	if cfg.Listeners == nil {
		cfg.Listeners = []string{"http://127.0.0.1:0"}
	}
	s, err := New(h, cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.ports[0].handler)
	t.Cleanup(server.Close)
	t.Cleanup(s.forwarder.CloseIdleConnections)
	return server
}

var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// answer is an answer without its body.
type answer struct {
	StatusCode int
	Header     http.Header
}

// send sends a request and returns the answer and its body.
func send(t *testing.T, method, url string, headers map[string]string, body io.Reader) (answer, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header}, string(text)
}
