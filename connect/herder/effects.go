package herder

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"kconnect/connect/group"
	"kconnect/connect/storage"
	"kconnect/connect/worker"
)

// protocolName is the group's protocol in the words of Java's metrics.
func protocolName(protocol string) string {
	if protocol == "default" {
		return "EAGER"
	}
	return strings.ToUpper(protocol)
}

// carryOut carries out one effect without waiting for anything.
func (h *Herder) carryOut(s *state, f effect) {
	switch f := f.(type) {
	case answerGroup:
		h.member.Allocated(f.allocated)
	case rejoin:
		h.rounds("Asking for a rebalance", zap.String("reason", f.reason))
		h.member.Rejoin(f.reason)
	case resync:
		backoff := h.cfg.Group.MaxDelay / 10
		if s.protocol == "default" {
			backoff = h.cfg.UnsyncBackoff
		}
		h.aside(func(ctx context.Context) { h.resync(ctx, f, backoff) })
	case readConfigs:
		h.aside(func(ctx context.Context) { h.readConfigs(ctx, f.epoch) })
	case stopWork:
		h.aside(func(context.Context) { h.stopWork(f) })
	case startConnector:
		h.startConnector(s.configs.Connectors[f.name], f.start)
	case startTask:
		h.startTask(s.configs.Connectors[f.id.Connector], f.id)
	case moveTarget:
		if c := s.configs.Connectors[f.name]; c != nil {
			h.worker.SetTarget(f.name, target(c.Target), func(err error) {
				h.aside(func(context.Context) { h.send(connectorStarted{f.name, f.start, err}) })
			})
		}
	case planTasks:
		h.aside(func(ctx context.Context) {
			h.planTasks(ctx, f.name)
			h.send(planned(f))
		})
	case write:
		h.aside(func(ctx context.Context) { h.send(written{f.request, h.write(ctx, f.request)}) })
	case reply:
		f.done <- f.err
	case roundApplied:
		h.generation.Store(f.generation)
		if !h.cfg.Standalone {
			h.cfg.Worker.Metrics.Rebalance.Completed(f.generation, s.leaderURL, protocolName(s.protocol))
		}
		h.rounds("Rebalance applied", zap.Int32("generation", f.generation), zap.Bool("leader", f.leader),
			zap.Int("assigned", len(s.assigned)), zap.String("protocol", s.protocol))
		if f.leader {
			h.cleanStatuses(s.configs, f.generation)
			h.aside(h.ensureSessionKey)
		}
	case applyRestart:
		h.applyRestart(s, f.RestartRequest)
	case setLogger:
		if _, err := h.levels.Set(f.logger, f.level); err != nil {
			h.log.Warn("A log level of the config topic is not known", zap.String("logger", f.logger), zap.String("level", f.level))
		}
	}
}

// rounds logs what is no news to a worker by itself.
func (h *Herder) rounds(what string, fields ...zap.Field) {
	if h.cfg.Standalone {
		h.log.Debug(what, fields...)
		return
	}
	h.log.Info(what, fields...)
}

func (h *Herder) stopWork(f stopWork) {
	why := map[stopReason]worker.Transition{revokedWork: worker.OnRevoke, replacedWork: worker.OnRevoke, restartWork: worker.OnRestart, deletedWork: worker.OnDelete}[f.why]
	var names []string
	var tasks []group.ID
	for _, id := range f.ids {
		if id.Task == group.ConnectorTask {
			names = append(names, id.Connector)
		} else {
			tasks = append(tasks, id)
		}
	}
	h.worker.Stop(names, tasks, why)
	// The statuses must be out before the group hears that the work is gone.
	ctx, cancel := context.WithTimeout(h.ctx, 5*time.Second)
	defer cancel()
	if err := h.statuses.Flush(ctx); err != nil {
		h.log.Warn("Statuses of stopped work are not written yet", zap.Error(err))
	}
	connector := f.ids[0].Connector
	if f.why == deletedWork || h.configs.Snapshot().Connectors[connector] == nil { // it may have been deleted while this was stopping
		// Each worker that ran a part of it, because the part may have told of a
		// topic after the others had forgotten it.
		h.statuses.DeleteTopics(connector)
	}
	h.send(workStopped{f.ids})
}

func (h *Herder) startConnector(c *storage.Connector, start int) {
	h.worker.StartConnector(c.Name, c.Config, target(c.Target), func(err error) {
		// From the connector's goroutine, which the loop may be waiting for.
		h.aside(func(context.Context) { h.send(connectorStarted{c.Name, start, err}) })
	})
}

func (h *Herder) startTask(c *storage.Connector, id group.ID) {
	h.worker.StartTask(id, c.Config, c.Tasks[id.Task], target(c.Target))
}

func target(t TargetState) worker.Target {
	switch t {
	case Paused:
		return worker.TargetPaused
	case Stopped:
		return worker.TargetStopped
	case Started:
	}
	return worker.TargetRunning
}

// readConfigs reads the config topic to its end.
func (h *Herder) readConfigs(ctx context.Context, epoch int) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.SyncTimeout)
	defer cancel()
	h.send(configsRead{epoch, h.configs.Refresh(ctx)})
}

// resync reads the config topic after a pause, outside the group.
func (h *Herder) resync(ctx context.Context, f resync, backoff time.Duration) {
	if f.leave {
		if err := h.member.Leave(ctx); err != nil {
			h.log.Warn("Leaving the group failed", zap.Error(err))
		}
	}
	if f.share > 0 {
		pause := backoff / time.Duration(f.share)
		h.log.Warn("The config topic could not be read up to what the leader has; the group is left until it can", zap.Duration("next", pause))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-h.stopping:
		case <-timer.C:
		}
		timer.Stop()
	} else {
		h.log.Warn("All work is given up, because the config topic cannot be read and others may have been given it")
	}
	h.readConfigs(ctx, f.epoch)
}

// cleanStatuses removes statuses of connectors and tasks that are gone.
func (h *Herder) cleanStatuses(configs *storage.ConfigSnapshot, generation int32) {
	for _, name := range h.statuses.Connectors() {
		c := configs.Connectors[name]
		for _, task := range slices.Sorted(maps.Keys(h.statuses.Tasks(name))) {
			if c == nil || task >= c.TaskCount {
				h.statuses.DeleteTask(name, task, generation)
			}
		}
		if c == nil {
			h.statuses.DeleteConnector(name, generation)
		}
	}
}

// write changes the config topic as a request asks.
func (h *Herder) write(ctx context.Context, r *request) error {
	if r.abandoned() { // its client was answered with a timeout
		return context.Canceled
	}
	switch r.kind {
	case putConnector:
		return h.configs.PutConnector(ctx, r.name, r.entries, r.target)
	case deleteConnector:
		return h.configs.RemoveConnector(ctx, r.name)
	case putTarget:
		if r.target == Stopped {
			return h.configs.StopConnector(ctx, r.name)
		}
		return h.configs.PutTargetState(ctx, r.name, r.target)
	case putTasks:
		return h.configs.PutTaskConfigs(ctx, r.name, r.tasks)
	case restartConnector:
		return h.configs.PutRestartRequest(ctx, r.restart)
	case alterOffsets:
		return r.alter(ctx)
	case restartTask, restartPlan, signOfLife:
	}
	return fmt.Errorf("request kind %d writes nothing", r.kind)
}
