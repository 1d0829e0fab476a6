package herder

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/group"
	"kconnect/connect/storage"
)

func TestARestartPlanTakesWhatTheRequestAsksFor(t *testing.T) {
	fine, failed := storage.Status{State: storage.StateRunning}, storage.Status{State: storage.StateFailed}
	tasks := map[int]storage.Status{2: failed, 1: failed, 0: fine, 10: fine}
	for _, c := range []struct {
		name        string
		connector   storage.Status
		tasks, only bool
		want        []group.ID
	}{
		{"the connector alone", fine, false, false, ids("a")},
		{"with its tasks, in order", fine, true, false, append(ids("a", "a0", "a1", "a2"), group.ID{Connector: "a", Task: 10})},
		{"only what failed", fine, true, true, ids("a1", "a2")},
		{"only what failed, the connector too", failed, true, true, ids("a", "a1", "a2")},
		{"only a failed connector", failed, false, true, ids("a")},
		{"nothing has failed", fine, false, true, nil},
		{"what is paused or on its way has not failed", storage.Status{State: storage.StatePaused}, false, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := restartPlanOf(storage.RestartRequest{Connector: "a", IncludeTasks: c.tasks, OnlyFailed: c.only}, c.connector, tasks)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}
