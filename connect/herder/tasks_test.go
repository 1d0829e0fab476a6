package herder

import (
	"testing"

	"kconnect/connect/config"
	"kconnect/connect/storage"
)

// TestTasksAreWrittenOnlyWhenTheyChanged: a plan that says what the topic has
// is not written, or every restart would rebalance the group.
func TestTasksAreWrittenOnlyWhenTheyChanged(t *testing.T) {
	one := []config.Map{{"file": "x"}}
	same := config.Raw{"tasks.max": text("1"), "file": nil}
	for _, c := range []struct {
		name    string
		there   storage.Connector
		planned []config.Map
		want    bool
	}{
		{"nothing changed", storage.Connector{Config: same, Applied: config.Raw{"tasks.max": text("1"), "file": nil}, Tasks: one}, []config.Map{{"file": "x"}}, false},
		{"another task", storage.Connector{Config: same, Applied: same, Tasks: one}, []config.Map{{"file": "y"}}, true},
		{"one more key", storage.Connector{Config: same, Applied: same, Tasks: one}, []config.Map{{"file": "x", "tail": "true"}}, true},
		{"more tasks", storage.Connector{Config: same, Applied: same, Tasks: one}, []config.Map{{"file": "x"}, {"file": "y"}}, true},
		{"no tasks", storage.Connector{Config: same, Applied: same, Tasks: one}, nil, true},
		{"no tasks, as before", storage.Connector{Config: same, Applied: same}, nil, false},
		{"tasks in another order", storage.Connector{Config: same, Applied: same, Tasks: []config.Map{{"file": "x"}, {"file": "y"}}}, []config.Map{{"file": "y"}, {"file": "x"}}, true},
		{"the connector's own value", storage.Connector{Config: config.Raw{"tasks.max": text("2"), "file": nil}, Applied: same, Tasks: one}, one, true},
		{"a null that became a value", storage.Connector{Config: config.Raw{"tasks.max": text("1"), "file": text("")}, Applied: same, Tasks: one}, one, true},
		{"a null that is gone", storage.Connector{Config: config.Raw{"tasks.max": text("1")}, Applied: same, Tasks: one}, one, true},
		{"never committed", storage.Connector{Config: same}, nil, true},
		{"records are missing", storage.Connector{Config: same, Applied: same, Tasks: one, Inconsistent: true}, one, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := tasksChanged(&c.there, c.planned); got != c.want {
				t.Errorf("changed is %t", got)
			}
		})
	}
}
