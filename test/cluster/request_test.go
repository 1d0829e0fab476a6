package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"kconnect/test/harness"
)

// ask sends a request until it is answered with something other than the 409 or 500 that a worker answers while the group is
// rebalancing, and returns the answer.
func ask(t *testing.T, w *harness.Connect, method, path, body string) (status int, answer string) {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("%s %s at %s is not put off", method, path, w.URL), func() (bool, string) {
		status, _, answer = w.Do(t, method, path, body)
		return !putOff(status, answer), fmt.Sprintf("%d %s", status, answer)
	})
	return status, answer
}

// putOff says whether an answer asks to try again.
func putOff(status int, answer string) bool {
	if status != http.StatusConflict && status != http.StatusInternalServerError {
		return false
	}
	for _, passing := range []string{"momentarily", "conflicting operation", "rebalance is expected", "not completed startup"} {
		if strings.Contains(answer, passing) {
			return true
		}
	}
	return false
}

// must sends a request, patiently, and fails t when the status is not the one that is wanted.
func must(t *testing.T, w *harness.Connect, want int, method, path, body string) string {
	t.Helper()
	status, answer := ask(t, w, method, path, body)
	if status != want {
		t.Fatalf("%s %s at %s: %d %s, want %d", method, path, w.URL, status, answer, want)
	}
	return answer
}

// text writes a request body.
func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// post creates a connector.
func post(t *testing.T, w *harness.Connect, name string, config map[string]string) {
	t.Helper()
	must(t, w, http.StatusCreated, http.MethodPost, "/connectors", text(t, map[string]any{"name": name, "config": config}))
}

// stop stops a worker in order.
func stop(t *testing.T, w *harness.Connect) {
	t.Helper()
	// A JVM that is told to end by a signal says so.
	if code := w.Term(t); code != 0 && code != 128+15 {
		t.Errorf("the worker at %s ended with status %d", w.URL, code)
	}
}

// leader returns the URL, without a slash at the end, of the worker that leads the group, or what stands in the way of knowing it.
func leader(t *testing.T, admin *kadm.Client, group string) (url, obstacle string) {
	t.Helper()
	described, err := admin.DescribeGroups(t.Context(), group)
	if err == nil {
		err = described[group].Err
	}
	if err != nil { // of a coordinator that has only just started
		return "", err.Error()
	}
	g := described[group]
	for _, member := range g.Members {
		if assignment, ok := member.Assigned.AsConnect(); ok && g.State == "Stable" {
			return strings.TrimSuffix(assignment.LeaderURL, "/"), ""
		}
	}
	return "", "the group is " + g.State
}

// waitLeader waits until a worker of those given leads the group.
func waitLeader(t *testing.T, k *harness.Kafka, workers ...*harness.Connect) *harness.Connect {
	t.Helper()
	var found *harness.Connect
	admin := k.Admin(t)
	harness.Eventually(t, "a worker leads the group", func() (bool, string) {
		url, obstacle := leader(t, admin, workers[0].Properties["group.id"])
		for _, w := range workers {
			if w.URL == url {
				found = w
				return true, ""
			}
		}
		return false, url + obstacle
	})
	return found
}
