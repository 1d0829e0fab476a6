package herder

import (
	"context"
	"errors"
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/logging"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
)

// Ready reports whether the REST resources may be served: the internal topics
// were read. Writes then wait for the group.
func (h *Herder) Ready() bool { return h.opened.Load() }

// Health reports whether the worker is ready: once it has started, whether it
// would get to a request before ctx ends, which it does not while it is
// without its group.
func (h *Herder) Health(ctx context.Context) Health {
	if h.view.Load().everReady {
		if err := h.ask(ctx, &request{kind: signOfLife}); err != nil {
			return Health{Status: "unhealthy", Message: "Worker was unable to handle this request and may be unable to handle other requests. " + err.Error()}
		}
		return Health{Status: "healthy", Message: "Worker has completed startup and is ready to handle requests."}
	}
	doing := "it has read the internal topics and is joining the group"
	switch {
	case !h.opened.Load() && h.cfg.Standalone:
		doing = "it is looking for the Kafka cluster"
	case !h.opened.Load():
		doing = "it is looking for the Kafka cluster and reading the internal topics"
	}
	return Health{Status: "starting", Message: "Worker is still starting up: " + doing + "."}
}

// ClusterID returns the id of the Kafka cluster.
func (h *Herder) ClusterID() string { return h.clusterID }

// Connectors returns the names of all connectors, in order.
func (h *Herder) Connectors() []string {
	snapshot := h.configs.Snapshot()
	names := make([]string, 0, len(snapshot.Connectors))
	for name := range snapshot.Connectors {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Config returns a connector's configuration as it was posted.
func (h *Herder) Config(name string) (config.Raw, error) {
	c := h.configs.Snapshot().Connectors[name]
	if c == nil {
		return nil, &NotFoundError{Message: "Connector " + name + " not found"}
	}
	return c.Config, nil
}

// Info returns a connector's configuration and tasks.
func (h *Herder) Info(name string) (ConnectorInfo, error) {
	cfg, err := h.Config(name)
	if err != nil {
		return ConnectorInfo{}, err
	}
	return h.infoOf(name, cfg), nil
}

// infoOf describes a connector with a configuration that may not be read back yet.
func (h *Herder) infoOf(name string, cfg config.Raw) ConnectorInfo {
	info := ConnectorInfo{Name: name, Config: cfg, Tasks: []TaskID{}, Type: h.typeOf(cfg)}
	if c := h.configs.Snapshot().Connectors[name]; c != nil {
		for i := range c.Tasks {
			info.Tasks = append(info.Tasks, TaskID{name, i})
		}
	}
	return info
}

// typeOf returns source, sink or unknown.
func (h *Herder) typeOf(cfg config.Raw) string {
	if class := cfg["connector.class"]; class != nil {
		if p, err := h.registry.Connector(*class); err == nil {
			return string(p.Kind)
		}
	}
	return "unknown"
}

// Tasks returns the configurations of a connector's tasks.
func (h *Herder) Tasks(name string) ([]TaskInfo, error) {
	c := h.configs.Snapshot().Connectors[name]
	if c == nil {
		return nil, &NotFoundError{Message: "Connector " + name + " not found"}
	}
	infos := make([]TaskInfo, len(c.Tasks))
	for i, m := range c.Tasks {
		infos[i] = TaskInfo{ID: TaskID{name, i}, Config: m}
	}
	return infos, nil
}

// Status returns what a connector and its tasks do.
func (h *Herder) Status(name string) (ConnectorStatus, error) {
	c, ok := h.statuses.Connector(name)
	if !ok {
		return ConnectorStatus{}, &NotFoundError{Message: "No status found for connector " + name}
	}
	s := ConnectorStatus{
		Name:      name,
		Connector: ConnectorState{State: string(c.State), WorkerID: c.WorkerID, Version: version(c), Trace: c.Trace},
		Tasks:     []TaskState{},
		Type:      "unknown",
	}
	if k := h.configs.Snapshot().Connectors[name]; k != nil {
		s.Type = h.typeOf(k.Config)
	}
	for task, t := range h.statuses.Tasks(name) {
		s.Tasks = append(s.Tasks, taskState(task, t))
	}
	slices.SortFunc(s.Tasks, func(a, b TaskState) int { return a.ID - b.ID })
	return s, nil
}

// TaskStatus returns what one task does.
func (h *Herder) TaskStatus(name string, task int) (TaskState, error) {
	t, ok := h.statuses.Task(name, task)
	if !ok {
		return TaskState{}, &NotFoundError{Message: "No status found for task " + taskName(name, task)}
	}
	return taskState(task, t), nil
}

func taskState(task int, t storage.Status) TaskState {
	return TaskState{ID: task, State: string(t.State), WorkerID: t.WorkerID, Version: version(t), Trace: t.Trace}
}

func version(s storage.Status) *string {
	if s.Version == "" {
		return nil
	}
	return &s.Version
}

// Topics returns the topics that a connector has used; none for one that is
// not known, as in Java.
func (h *Herder) Topics(name string) ([]string, error) {
	if !h.cfg.TopicTracking {
		return nil, &ForbiddenError{Message: "Topic tracking is disabled."}
	}
	topics := []string{}
	for _, t := range h.statuses.Topics(name) {
		topics = append(topics, t.Topic)
	}
	return topics, nil
}

// ResetTopics forgets them.
func (h *Herder) ResetTopics(_ context.Context, name string) error {
	switch {
	case !h.cfg.TopicTracking:
		return &ForbiddenError{Message: "Topic tracking is disabled."}
	case !h.cfg.TopicReset:
		return &ForbiddenError{Message: "Topic tracking reset is disabled."}
	}
	h.statuses.DeleteTopics(name)
	return nil
}

// Plugins returns the plugins in the order of the REST answer.
func (h *Herder) Plugins(connectorsOnly bool) []connect.Plugin {
	return h.registry.List(connectorsOnly)
}

// PluginConfig returns the keys of a plugin.
func (h *Herder) PluginConfig(name string) ([]config.Key, error) {
	keys, err := h.registry.Keys(name)
	var unknown *plugin.UnknownError
	if errors.As(err, &unknown) {
		return nil, &NotFoundError{Message: err.Error()}
	}
	return keys, err
}

// validation is the worker's part in the validation of connectors.
func (h *Herder) validation() plugin.WorkerDefaults {
	return plugin.WorkerDefaults{Properties: h.cfg.Worker.Properties, OverridePolicy: h.cfg.OverridePolicy}
}

// Loggers returns the levels of all loggers.
func (h *Herder) Loggers() map[string]LoggerLevel {
	all := make(map[string]LoggerLevel)
	for name, l := range h.levels.All() {
		all[name] = LoggerLevel{Level: l.Name, LastModified: l.LastModified}
	}
	return all
}

// Logger returns the level of one logger.
func (h *Herder) Logger(name string) (LoggerLevel, error) {
	l, ok := h.levels.Get(name)
	if !ok {
		return LoggerLevel{}, &NotFoundError{Message: "Logger " + name + " not found."}
	}
	return LoggerLevel{Level: l.Name, LastModified: l.LastModified}, nil
}

// SetLogger changes a level, here or on all workers, and returns the names of
// the loggers that changed here.
func (h *Herder) SetLogger(ctx context.Context, name, level string, cluster bool) ([]string, error) {
	if level == "" {
		return nil, errors.New("Illegal null or empty Level name.") //nolint:staticcheck // Java's words
	}
	if !logging.Known(level) {
		return nil, &NotFoundError{Message: "invalid log level '" + level + "'."}
	}
	if cluster {
		return nil, h.configs.PutLoggerLevel(ctx, name, strings.ToUpper(strings.TrimSpace(level)))
	}
	return h.levels.Set(name, level)
}

// Validate checks a connector configuration as creating it would. One without
// a connector class that is known here is a BadRequestError.
func (h *Herder) Validate(ctx context.Context, cfg config.Entries) (Validation, error) {
	v, err := h.validate(ctx, cfg)
	if err != nil {
		return Validation{}, err
	}
	return *v, nil
}
