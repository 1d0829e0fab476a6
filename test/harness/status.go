package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
)

// Status is what GET /connectors/{name}/status answers.
type Status struct {
	Name      string
	Connector TaskStatus
	Tasks     []TaskStatus
	Type      string
}

// TaskStatus is the part of one task, or of the connector itself, whose ID is 0.
type TaskStatus struct {
	ID       int
	State    string
	WorkerID string `json:"worker_id"`
	Trace    string
}

// Status asks for the status of a connector; t fails when the answer is not 200.
func (w *Connect) Status(t testing.TB, name string) Status {
	t.Helper()
	code, _, body := w.Do(t, http.MethodGet, "/connectors/"+name+"/status", "")
	s, err := parseStatus(code, body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parseStatus(code int, body string) (Status, error) {
	if code != http.StatusOK {
		return Status{}, fmt.Errorf("status: %d %s", code, body)
	}
	var s Status
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return Status{}, errors.Join(err, errors.New(body))
	}
	return s, nil
}

// WaitStatus waits until the connector has exactly the given number of tasks, all in the given state, and, unless the state is
// FAILED, is in that state itself: a task fails alone.
func (w *Connect) WaitStatus(t testing.TB, name, state string, tasks int) Status {
	t.Helper()
	var s Status
	Eventually(t, fmt.Sprintf("connector %s with %d tasks %s", name, tasks, state), func() (bool, string) {
		code, _, body, err := w.do(t, http.MethodGet, "/connectors/"+name+"/status", "")
		if err != nil {
			return false, err.Error()
		}
		if s, err = parseStatus(code, body); err != nil {
			return false, err.Error()
		}
		if len(s.Tasks) != tasks || (state != "FAILED" && s.Connector.State != state) {
			return false, body
		}
		for _, task := range s.Tasks {
			if task.State != state {
				return false, body
			}
		}
		return true, body
	})
	return s
}
