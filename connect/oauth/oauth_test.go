package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kconnect/connect/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// jwt makes a token with claims.
func jwt(claims string) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"none"}`) + "." + part(claims) + "." + part("signature")
}

func endpoint(t *testing.T, answer http.HandlerFunc) *Endpoint {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	e := &Endpoint{URL: server.URL + "/token", ID: "me", Secret: "s3cr3t&=", Backoff: time.Millisecond, MaxBackoff: time.Minute}
	e.Connect(nil, 0, 0)
	return e
}

func TestTheEndpointIsAskedAsByJava(t *testing.T) {
	for _, test := range []struct {
		scope     string
		urlEncode bool
		auth      string
		body      string
	}{
		{"", false, "me:s3cr3t&=", "grant_type=client_credentials"},
		{"a b", false, "me:s3cr3t&=", "grant_type=client_credentials&scope=a b"},
		{"a b", true, "me:s3cr3t%26%3D", "grant_type=client_credentials&scope=a+b"},
	} {
		e := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			auth := "Basic " + base64.StdEncoding.EncodeToString([]byte(test.auth))
			if r.Method != "POST" || r.Header.Get("Authorization") != auth || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || string(body) != test.body {
				t.Errorf("%s %v %s", r.Method, r.Header, body)
			}
			_, _ = io.WriteString(w, `{"access_token":" a.b.c ","expires_in":1}`)
		})
		e.Scope, e.URLEncode = test.scope, test.urlEncode
		if text, err := e.Retrieve(t.Context()); text != "a.b.c" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	}
}

func TestTheEndpointIsAskedAgainWhereThatMayHelp(t *testing.T) {
	for _, test := range []struct {
		status int
		answer string
		tries  int
		says   string
	}{
		{500, "s3cr3t", 3, ""},
		{429, "", 3, ""},
		{401, `{"error":"invalid_client","error_description":"who?","hint":"s3cr3t"}`, 1, "invalid_client - who?"},
		{400, `{"errorCode":"e0","errorSummary":"no"}`, 1, "e0 - no"},
		{302, "", 3, ""},
		{200, `{"token":"s3cr3t"}`, 1, "no access_token"},
		{200, "s3cr3t", 1, "no access_token"},
	} {
		asked := 0
		e := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked == 3 {
				_, _ = io.WriteString(w, `{"id_token":"x"}`)
				return
			}
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.answer)
		})
		text, err := e.Retrieve(t.Context())
		if asked != test.tries || (text == "x") != (test.tries == 3) || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%d %s: %q, %v after %d", test.status, test.answer, text, err, asked)
		}
		if strings.Contains(fmt.Sprint(err), "s3cr3t") {
			t.Errorf("%v shows a secret", err)
		}
	}
}

func TestTriesEnd(t *testing.T) {
	e := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	e.MaxBackoff = 20 * time.Millisecond
	if _, err := e.Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("%v", err)
	}
	e.MaxBackoff = time.Hour
	e.Backoff = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := e.Retrieve(ctx); done <- err }()
	cancel()
	if err := <-done; err == nil {
		t.Error("a request that was given up has a token")
	}
}

func TestFilesAreReadAnew(t *testing.T) {
	f := File{filepath.Join(t.TempDir(), "token")}
	if _, err := f.Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), f.Path) {
		t.Errorf("no file: %v", err)
	}
	for _, text := range []string{"one", "two"} {
		if err := os.WriteFile(f.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Retrieve(t.Context()); got != text || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestTokensAreLookedInto(t *testing.T) {
	for text, says := range map[string]string{
		jwt(`{"sub":"me","exp":4000000000,"iat":1}`): "",
		jwt(`{"sub":"me","exp":4e9}`) + "\n":         "",
		jwt(`{"sub":"me"}`):                          "expires",
		jwt(`{"sub":"me","exp":"soon"}`):             "expires",
		jwt(`{"exp":4000000000}`):                    "claim sub",
		jwt(`{"sub":" ","exp":4000000000}`):          "claim sub",
		jwt(`[]`):                                    "cannot be read",
		"a.!.c":                                      "cannot be read",
		"opaque":                                     "three parts",
	} {
		_, err := Claims{Subject: "sub"}.parse(text)
		if (says == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), text)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// script gives tokens one after the other; a nil one is a failure.
type script struct {
	given int
	life  []time.Duration
}

func (s *script) Retrieve(context.Context) (string, error) {
	life := s.life[s.given]
	s.given++
	if life == 0 {
		return "", errors.New("the provider is away")
	}
	now := time.Now()
	return jwt(fmt.Sprintf(`{"sub":"%d","iat":%d,"exp":%d}`, s.given, now.Unix(), now.Add(life).Unix())), nil
}

func TestATokenIsUsedUntilItIsDueAndWhileItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{life: []time.Duration{time.Hour, 0, time.Hour, 0}}
		source := NewSource(s, Refresh{Window: 0.8, MinPeriod: time.Minute, Buffer: 5 * time.Minute}, Claims{"sub"})
		asked := func(after time.Duration, want int, ok bool) {
			t.Helper()
			time.Sleep(after)
			text, err := source.Token(t.Context())
			if s.given != want || (err == nil) != ok || (text != "") != ok {
				t.Errorf("asked %d times, want %d; %v", s.given, want, err)
			}
		}
		asked(0, 1, true)
		asked(47*time.Minute, 1, true)
		asked(2*time.Minute, 2, true) // due, the provider is away, the old one still lasts
		asked(time.Second, 3, true)
		asked(61*time.Minute, 4, false) // away, and the old one has expired
	})
}

func TestRefreshIsJavas(t *testing.T) {
	now := time.Unix(1000, 0)
	r := Refresh{Window: 0.8, MinPeriod: time.Minute, Buffer: 5 * time.Minute}
	for _, test := range []struct {
		life, age, want time.Duration
	}{
		{time.Hour, 0, 48 * time.Minute},
		{20 * time.Minute, 0, 15 * time.Minute},                     // the buffer
		{5 * time.Minute, 0, 4 * time.Minute},                       // too short for buffer and period
		{time.Hour, 50 * time.Minute, time.Minute},                  // the period
		{time.Hour, 58 * time.Minute, -10 * time.Minute},            // at once
		{time.Hour, 20 * time.Minute, 28 * time.Minute},             // of its whole life
		{6*time.Minute + time.Second, 0, time.Minute + time.Second}, // just long enough for both
	} {
		tok := token{issued: now.Add(-test.age), expires: now.Add(test.life - test.age)}
		if got := r.at(now, tok).Sub(now); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	e := Endpoint{Secret: config.Secret("s3cr3t")}
	if text := fmt.Sprintf("%v %+v", e, e); strings.Contains(text, "s3cr3t") {
		t.Error(text)
	}
}
