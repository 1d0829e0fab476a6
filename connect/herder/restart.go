package herder

import (
	"context"

	"kconnect/connect/group"
	"kconnect/connect/storage"
)

// restartPlanOf says what a restart request restarts, by the statuses: the
// connector unless only what failed is wanted and it did not fail, the tasks
// if they are included, by the same test. It is pure.
func restartPlanOf(r storage.RestartRequest, connector storage.Status, tasks map[int]storage.Status) []group.ID {
	wanted := func(s storage.Status) bool { return !r.OnlyFailed || s.State == storage.StateFailed }
	var ids []group.ID
	if wanted(connector) {
		ids = append(ids, group.ID{Connector: r.Connector, Task: group.ConnectorTask})
	}
	if r.IncludeTasks {
		for task, status := range tasks {
			if wanted(status) {
				ids = append(ids, group.ID{Connector: r.Connector, Task: task})
			}
		}
	}
	return sorted(ids)
}

// applyRestart restarts the part of a restart record that runs here.
func (h *Herder) applyRestart(s *state, r storage.RestartRequest) {
	c := s.configs.Connectors[r.Connector]
	if c == nil || c.Target != Started {
		return // paused and stopped connectors keep their state
	}
	status, ok := h.statuses.Connector(r.Connector)
	if !ok {
		return
	}
	plan := restartPlanOf(r, status, h.statuses.Tasks(r.Connector))
	for _, f := range step(s, requested{&request{kind: restartPlan, name: r.Connector, plan: plan}}) {
		h.carryOut(s, f)
	}
}

// restartStatus is the answer of a restart: the status with everything that
// will be restarted shown as RESTARTING.
func (h *Herder) restartStatus(r storage.RestartRequest) (ConnectorStatus, error) {
	status, ok := h.statuses.Connector(r.Connector)
	if !ok {
		return ConnectorStatus{}, &NotFoundError{Message: "Status for connector " + r.Connector + " not found"}
	}
	answer, err := h.Status(r.Connector)
	if err != nil {
		return answer, err
	}
	for _, id := range restartPlanOf(r, status, h.statuses.Tasks(r.Connector)) {
		if id.Task == group.ConnectorTask {
			answer.Connector.State = string(storage.StateRestarting)
			continue
		}
		for i := range answer.Tasks {
			if answer.Tasks[i].ID == id.Task {
				answer.Tasks[i].State = string(storage.StateRestarting)
			}
		}
	}
	return answer, nil
}

// Restart restarts a connector. Without includeTasks and onlyFailed it is the
// connector alone and the answer is nil; otherwise it is the plan.
func (h *Herder) Restart(ctx context.Context, name string, includeTasks, onlyFailed bool) (*ConnectorStatus, error) {
	r := storage.RestartRequest{Connector: name, IncludeTasks: includeTasks, OnlyFailed: onlyFailed}
	if !includeTasks && !onlyFailed {
		return nil, h.ask(ctx, &request{kind: restartConnector, name: name, restart: r})
	}
	plan, planErr := h.restartStatus(r)
	if err := h.ask(ctx, &request{kind: restartConnector, name: name, restart: r}); err != nil {
		return nil, err
	}
	return &plan, planErr
}

// RestartTask restarts one task.
func (h *Herder) RestartTask(ctx context.Context, name string, task int) error {
	return h.ask(ctx, &request{kind: restartTask, name: name, task: task})
}
