package rest

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
)

const fileSource = `{"name":"a b","config":{"connector.class":"FileStreamSource","topic":"t"}}`

var typed = map[string]string{"Content-Type": "application/json"}

func TestWritesReachTheLeader(t *testing.T) {
	leading, following := newFake(), newFake()
	leader := serve(t, leading, Config{})
	following.elsewhere = leader.URL + "/"
	follower := serve(t, following, Config{})

	res, body := send(t, "POST", follower.URL+"/connectors", typed, strings.NewReader(fileSource))
	if res.StatusCode != 201 || !strings.Contains(body, `"tasks":[]`) || leading.connectors["a b"] == nil {
		t.Fatalf("create: %d %s", res.StatusCode, body)
	}
	if got := res.Header.Get("Location"); got != follower.URL+"/connectors/a%20b" {
		t.Errorf("Location is %s, which is not of the worker that was asked", got)
	}
	for _, c := range []struct {
		do, body string
		status   int
		answer   string
	}{
		{"POST /connectors", fileSource, 409, `{"error_code":409,"message":"Connector a b already exists"}`},
		{"PUT /connectors/new/config", `{"connector.class":"FileStreamSource","topic":"t"}`, 201, `"name":"new"`},
		{"PUT /connectors/a%20b/config", `{"connector.class":"FileStreamSource","topic":"u"}`, 200, `"topic":"u"`},
		{"PATCH /connectors/a%20b/config", `{"x":null}`, 200, `"name":"a b"`},
		{"PUT /connectors/a%20b/stop", "", 204, ""},
		{"POST /connectors/a%20b/restart?includeTasks=true&onlyFailed=false", "", 202, `"state":"STOPPED"`},
		{"POST /connectors/a%20b/restart", "", 204, ""},
		{"POST /connectors/nope/tasks/0/restart", "", 404, `{"error_code":404,"message":"Unknown connector: nope"}`},
		{"DELETE /connectors/a%20b", "", 204, ""},
	} {
		method, path, _ := strings.Cut(c.do, " ")
		res, body := send(t, method, follower.URL+path, typed, strings.NewReader(c.body))
		if res.StatusCode != c.status || !strings.Contains(body, c.answer) {
			t.Errorf("%s: %d %s", c.do, res.StatusCode, body)
		}
	}
}

func TestRequestsGoTwoHopsAtMost(t *testing.T) {
	first, second, third := newFake(), newFake(), newFake()
	servers := []*httptest.Server{serve(t, first, Config{}), serve(t, second, Config{}), serve(t, third, Config{})}
	third.connectors["c"] = &fakeConnector{state: "STARTED"}

	first.elsewhere, second.elsewhere = servers[1].URL, servers[2].URL
	if res, body := send(t, "POST", servers[0].URL+"/connectors/c/restart", nil, nil); res.StatusCode != 204 {
		t.Errorf("by way of the leader to the owner: %d %s", res.StatusCode, body)
	}
	// Three workers that all believe it is somebody else.
	third.elsewhere = servers[0].URL
	const conflict = `{"error_code":409,"message":"Cannot complete request because of a conflicting operation (e.g. worker rebalance)"}`
	if res, body := send(t, "POST", servers[0].URL+"/connectors/c/restart", nil, nil); res.StatusCode != 409 || body != conflict {
		t.Errorf("round and round: %d %s", res.StatusCode, body)
	}
	if res, body := send(t, "DELETE", servers[0].URL+"/connectors/c?forward=false", nil, nil); res.StatusCode != 409 || body != conflict {
		t.Errorf("forward=false: %d %s", res.StatusCode, body)
	}
	first.elsewhere = "nobody"
	if res, body := send(t, "DELETE", servers[0].URL+"/connectors/c", nil, nil); res.StatusCode != 409 || !strings.Contains(body, "no known leader URL") {
		t.Errorf("no leader: %d %s", res.StatusCode, body)
	}
}

func TestForwardedRequestsCarryWhatJavaWorkersExpect(t *testing.T) {
	var got *http.Request
	var gotBody string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		b, _ := io.ReadAll(r.Body)
		gotBody = string(b)
	}))
	defer other.Close()
	fake := newFake()
	fake.elsewhere = other.URL + "/base/"
	server := serve(t, fake, Config{})
	send(t, "POST", server.URL+"/connectors/a%20b/restart/;x=y?onlyFailed=true&includeTasks=true", map[string]string{
		"Authorization": "Basic abc", "Cookie": "a=b", "Content-Type": "application/json; charset=utf-8",
		"X-Connect-Authorization": "c2ln", "X-Connect-Request-Signature-Algorithm": "HmacSHA256",
	}, strings.NewReader(" {}"))
	if got.Method != "POST" || got.RequestURI != "/base/connectors/a%20b/restart?forward=true&includeTasks=true&onlyFailed=true" || gotBody != " {}" {
		t.Errorf("%s %s %q", got.Method, got.RequestURI, gotBody)
	}
	got.Header.Del("Content-Length")
	want := http.Header{
		"Accept": {"application/json"}, "User-Agent": {"kafka-connect"}, "Content-Type": {"application/json"}, "Authorization": {"Basic abc"},
		"X-Connect-Authorization": {"c2ln"}, "X-Connect-Request-Signature-Algorithm": {"HmacSHA256"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsOfTheOtherWorkerAreTold(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	answer := func(status int, body string) string {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(other.Close)
		return other.URL
	}
	for name, c := range map[string]struct {
		url    string
		status int
		says   []string
	}{
		"unreachable":      {gone.URL, 500, []string{"IO Error trying to forward REST request", gone.URL, "refused"}},
		"no URL":           {"::", 500, []string{"cannot forward"}},
		"still starting":   {answer(404, ""), 500, []string{"404", "may still be starting"}},
		"a page":           {answer(502, "<html>"), 500, []string{"502"}},
		"a redirect":       {answer(307, ""), 500, []string{"307"}},
		"a Connect error":  {answer(422, `{"error_code":422,"message":"x"}`), 422, []string{`{"error_code":422,"message":"x"}`}},
		"a rebalance":      {answer(409, `{"error_code":409,"message":"y"}`), 409, []string{"y"}},
		"a plain success":  {answer(204, ""), 204, nil},
		"a success's body": {answer(202, `{"a":1}`), 202, []string{`{"a":1}`}},
	} {
		fake := newFake()
		fake.elsewhere = c.url
		server := serve(t, fake, Config{})
		res, body := send(t, "DELETE", server.URL+"/connectors/c", nil, nil)
		if res.StatusCode != c.status {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
		for _, part := range c.says {
			if !strings.Contains(body, part) {
				t.Errorf("%s: %s does not say %q", name, body, part)
			}
		}
	}
}

func TestSignedCallsReachTheHerderWhole(t *testing.T) {
	fake := newFake()
	server := serve(t, fake, Config{})
	mac := []byte{1, 2, 255}
	signed := map[string]string{"Content-Type": "application/json",
		headerMAC: base64.StdEncoding.EncodeToString(mac), headerAlgorithm: "HmacSHA256"}
	const body = "[ {\"task.class\":\"T\",\"n\":1.0}, {} ]\n"
	if res, text := send(t, "POST", server.URL+"/connectors/c/tasks", signed, strings.NewReader(body)); res.StatusCode != 204 {
		t.Fatalf("%d %s", res.StatusCode, text)
	}
	if diff := cmp.Diff([]config.Map{{"task.class": "T", "n": "1.0"}, {}}, fake.tasks); diff != "" {
		t.Error(diff)
	}
	if s := fake.sig; s.Algorithm != "HmacSHA256" || string(s.MAC) != string(mac) || string(s.Body) != body {
		t.Errorf("signature %+v", s)
	}
	if res, _ := send(t, "PUT", server.URL+"/connectors/c/fence", signed, nil); res.StatusCode != 204 || len(fake.sig.Body) != 0 {
		t.Errorf("fence: %d, body %q", res.StatusCode, fake.sig.Body)
	}
	signed[headerMAC] = "%%"
	if res, text := send(t, "PUT", server.URL+"/connectors/c/fence", signed, nil); res.StatusCode != 400 {
		t.Errorf("not base64: %d %s", res.StatusCode, text)
	}
	for _, body := range []string{"", "null", "{}", "[null]", `[{"a":null}]`, `[{"a":{}}]`, "["} {
		if res, text := send(t, "POST", server.URL+"/connectors/c/tasks", typed, strings.NewReader(body)); res.StatusCode != 500 {
			t.Errorf("%q: %d %s", body, res.StatusCode, text)
		}
	}
}
