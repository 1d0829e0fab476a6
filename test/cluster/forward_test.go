package cluster

import (
	"net/http"
	"strings"
	"testing"

	"kconnect/test/harness"
)

func TestRequestsPassFromOursToAJavaLeaderAndFromJavaToOurs(t *testing.T) {
	t.Parallel()
	k := harness.Broker(t)
	byJava, byOurs, withJava, withOurs := newStream(t, k), newStream(t, k), newStream(t, k), newStream(t, k)
	ours := harness.Worker(t, quick)
	java := harness.JavaWorker(t, harness.Join(ours))
	if waitLeader(t, k, ours, java) != ours {
		t.Fatal("the worker that was there first does not lead")
	}
	t.Run("from_Java_to_ours", func(t *testing.T) { through(t, java, ours, byJava, withOurs) })

	stop(t, ours)
	waitLeader(t, k, java)
	ours.Start(t)
	t.Run("from_ours_to_Java", func(t *testing.T) {
		through(t, ours, java, byOurs, withJava)
		if waitLeader(t, k, ours, java) != java {
			t.Error("ours leads now: the requests may not have been forwarded")
		}
	})
}

// through sends requests of all kinds to a worker that does not lead; mine is created through it, and other through the leader.
func through(t *testing.T, follower, leader *harness.Connect, mine, other *stream) {
	mine.create(t, follower)
	other.create(t, leader)
	mine.pass(t, 100)
	other.pass(t, 100)
	// The work is spread, so that each worker owns connectors: the follower has published its task configurations with the leader,
	// by a signed request.
	owned := map[string]int{}
	for _, s := range []*stream{mine, other} {
		for _, name := range []string{s.source(), s.sink()} {
			owned[follower.Status(t, name).Connector.WorkerID]++
		}
	}
	if owned[address(follower)] == 0 || owned[address(leader)] == 0 {
		t.Errorf("connectors of each worker: %v, want some of both", owned)
	}

	for _, s := range []*stream{mine, other} {
		source := "/connectors/" + s.source()
		config := s.sourceConfig()
		config["batch.size"] = "100"
		must(t, follower, 200, http.MethodPut, source+"/config", text(t, config))
		published(t, leader, source, `"batch.size":"100"`)
		must(t, follower, 200, http.MethodPatch, source+"/config", `{"batch.size":"200"}`)
		published(t, leader, source, `"batch.size":"200"`)
		published(t, follower, source, `"batch.size":"200"`)
		s.running(t, follower)

		must(t, follower, 204, http.MethodPost, source+"/restart", "")
		s.running(t, leader)
		must(t, follower, 202, http.MethodPost, source+"/restart?includeTasks=true", "")
		s.running(t, leader)
		must(t, follower, 204, http.MethodPost, source+"/tasks/0/restart", "")
		s.running(t, leader)
		s.pass(t, 100)

		must(t, follower, 202, http.MethodPut, source+"/pause", "")
		leader.WaitStatus(t, s.source(), "PAUSED", 1)
		must(t, follower, 202, http.MethodPut, source+"/resume", "")
		s.running(t, leader)
		s.pass(t, 100)
		must(t, follower, 204, http.MethodPut, source+"/stop", "")
		leader.WaitStatus(t, s.source(), "STOPPED", 0)
		stored := must(t, follower, 200, http.MethodGet, source+"/offsets", "")
		if want := must(t, leader, 200, http.MethodGet, source+"/offsets", ""); stored != want || !strings.Contains(stored, `"position":`) {
			t.Errorf("offsets at the follower are %s, at the leader %s", stored, want)
		}
		// Back to the first line: all come again.
		settled(t, follower, http.MethodPatch, source+"/offsets",
			`{"offsets":[{"partition":{"filename":`+text(t, s.in)+`},"offset":{"position":0}}]}`)
		must(t, follower, 202, http.MethodPut, source+"/resume", "")
		s.running(t, follower)
		s.kafka.Consume(t, s.name, 2*s.lines)
		s.pass(t, 100)

		sink := "/connectors/" + s.sink()
		must(t, follower, 204, http.MethodPut, sink+"/stop", "")
		leader.WaitStatus(t, s.sink(), "STOPPED", 0)
		settled(t, follower, http.MethodDelete, sink+"/offsets", "")
		before := strings.Count(string(s.arrivals(t)), "\n")
		must(t, follower, 202, http.MethodPut, sink+"/resume", "")
		harness.Eventually(t, "the sink has all lines again", func() (bool, string) {
			now := strings.Count(string(s.arrivals(t)), "\n")
			return now == 2*before, text(t, []int{before, now})
		})
		must(t, follower, 200, http.MethodGet, source+"/topics", "")
		must(t, follower, 202, http.MethodPut, source+"/topics/reset", "")
		for _, name := range []string{source, sink} {
			must(t, follower, 204, http.MethodDelete, name, "")
			must(t, follower, 404, http.MethodGet, name, "")
			harness.Eventually(t, "the leader has no "+name, func() (bool, string) {
				status, answer := ask(t, leader, http.MethodGet, name, "")
				return status == 404, answer
			})
		}
	}
}

// published waits until w knows a task configuration with the given text in it.
func published(t *testing.T, w *harness.Connect, connector, part string) {
	t.Helper()
	harness.Eventually(t, "a task configuration with "+part, func() (bool, string) {
		answer := must(t, w, 200, http.MethodGet, connector+"/tasks", "")
		return strings.Contains(answer, part), answer
	})
}

// settled sends a request for offsets until the group no longer says that tasks are still being stopped.
func settled(t *testing.T, w *harness.Connect, method, path, body string) {
	t.Helper()
	harness.Eventually(t, method+" "+path, func() (bool, string) {
		status, answer := ask(t, w, method, path, body)
		if status != 200 && status != 400 && status != 500 {
			t.Fatalf("%s %s at %s: %d %s", method, path, w.URL, status, answer)
		}
		return status == 200, answer
	})
}

func address(w *harness.Connect) string { return strings.TrimPrefix(w.URL, "http://") }
