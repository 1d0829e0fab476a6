package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/metrics"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
)

// Config is what a Worker needs to know of the worker's configuration.
type Config struct {
	Properties      config.Map // all of it, with ${provider:...} resolved
	GroupID         string
	FlushInterval   time.Duration // offset.flush.interval.ms
	FlushTimeout    time.Duration // offset.flush.timeout.ms
	GracefulTimeout time.Duration // task.shutdown.graceful.timeout.ms, for all that stops at once
	OffsetsTopic    storage.Topic // the worker's; those of connectors are made like it. None in standalone mode, where they have none, as in Java
	TopicCreation   bool          // topic.creation.enable
	TopicTracking   bool          // topic.tracking.enable
	Metrics         *metrics.Registry
}

// Status is a change of state that the worker reports.
type Status struct {
	ID      group.ID
	State   State
	Trace   string
	Version string
	// Safe asks for a write that does not overwrite what a later owner said.
	Safe bool
}

// Listener receives what happens to connectors and tasks. Its methods are
// called from many goroutines and must not block on the worker.
type Listener interface {
	StatusChanged(s Status)
	// TopicUsed reports the first record of a topic that a task handled.
	TopicUsed(connector string, task int, topic string)
	// ReconfigurationRequested says that the tasks of a connector that runs
	// here have to be planned again.
	ReconfigurationRequested(connector string)
}

// Worker runs connectors and tasks. Its methods may be called from any goroutine.
type Worker struct {
	cfg       Config
	registry  *plugin.Registry
	providers config.Providers
	offsets   *storage.Offsets
	listener  Listener
	log       *zap.Logger
	now       func() time.Time
	own       ownOffsets

	mu         sync.Mutex
	connectors map[string]*connector
	tasks      map[group.ID]*task
}

// New returns a worker that runs nothing yet.
func New(cfg Config, registry *plugin.Registry, providers config.Providers, offsets *storage.Offsets, listener Listener, log *zap.Logger) *Worker {
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.New(metrics.Config{}) // nobody scrapes it
	}
	return &Worker{
		cfg: cfg, registry: registry, providers: providers, offsets: offsets, listener: listener, log: log, now: time.Now,
		connectors: make(map[string]*connector), tasks: make(map[group.ID]*task),
	}
}

// resolve returns a configuration without nulls and with ${provider:...}
// replaced, and by what.
func (w *Worker) resolve(raw config.Raw) (config.Map, config.Filled, error) {
	resolved, filled, err := w.providers.Fill(raw)
	if err != nil {
		return nil, nil, err
	}
	m, err := resolved.Map()
	if err != nil {
		return nil, nil, err
	}
	if _, set := m[compatibility]; !set {
		if v, ok := w.cfg.Properties[compatibility]; ok {
			m[compatibility] = v
		}
	}
	return m, filled, nil
}

// compatibility is the key that sets every switch of differences.md at once,
// for a worker or a connector.
const compatibility = "kconnect.compatibility"

// StartConnector starts a connector that does not run here yet and brings it
// to its target. started is called, from another goroutine, when that is done
// or has failed, but not when the connector is stopped before; a failure is in
// the status, too.
func (w *Worker) StartConnector(name string, raw config.Raw, target Target, started func(error)) {
	id := group.ID{Connector: name, Task: group.ConnectorTask}
	log := w.log.Named("connector." + name)
	life := w.newLife(id, "")
	meter := w.cfg.Metrics.Connector(name)
	life.meter = meter.State
	fail := func(err error) {
		log.Error("The connector cannot be started", zap.Error(err))
		life.move(OnFail, connect.Trace(err))
		started(err)
	}
	m, filled, err := w.resolve(raw)
	if err != nil {
		go fail(err)
		return
	}
	life.filled, log = filled, hiding(log, filled)
	tell := started
	started = func(err error) { tell(plugin.Hidden(err, filled)) }
	p, err := w.registry.Connector(m["connector.class"])
	if err != nil {
		go fail(err)
		return
	}
	life.version = p.Version
	meter.Describe(metrics.Class{Class: p.Class, Version: p.Version, Type: string(p.Kind)})
	if p.Kind == connect.SourcePlugin && w.cfg.TopicCreation {
		// The tasks read the rules; what is wrong with them shows in the connector.
		if _, err := newTopicGroups(m); err != nil {
			go fail(err)
			return
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &connector{name: name, plugin: p, config: m, filled: filled, log: log, report: life.move,
		aims: aims{set: make(chan struct{}, 1)}, calls: make(chan func(context.Context), 16), ctx: ctx, cancel: cancel, done: make(chan struct{})}
	c.env = connect.ConnectorEnv{
		Env:         connect.Env{Connector: name, Task: group.ConnectorTask, Config: m, Logger: log, Now: w.now, Health: &health{now: w.now}, Metrics: meter.Plugin},
		Reconfigure: func() { w.listener.ReconfigurationRequested(name) },
		Fail: func(err error) {
			log.Error("The connector failed", zap.Error(err))
			life.move(OnFail, connect.Trace(err))
		},
	}
	c.life = life
	w.mu.Lock()
	w.connectors[name] = c
	w.mu.Unlock()
	c.aim(target, started)
	go c.run(ctx)
}

// SetTarget brings a connector and its tasks, as far as they run here, to a
// target, without waiting for that. moved is called from another goroutine
// when the connector is there; never, when it does not run here or is stopped
// before. Of several calls the last one counts.
func (w *Worker) SetTarget(name string, target Target, moved func(error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, t := range w.tasks {
		if id.Connector == name {
			t.pause.set(target != TargetRunning)
		}
	}
	if c := w.connectors[name]; c != nil {
		c.aim(target, moved)
	}
}

// TaskConfigs asks a connector that runs here to plan its tasks. The answer
// has task.class set and values as the user wrote them, with ${provider:...}
// kept (spec internal-topics, "Config topic").
func (w *Worker) TaskConfigs(ctx context.Context, name string, raw config.Raw) ([]config.Map, error) {
	w.mu.Lock()
	c := w.connectors[name]
	w.mu.Unlock()
	if c == nil || !c.running.Load() {
		return nil, fmt.Errorf("connector %s does not run on this worker", name)
	}
	type answer struct {
		configs []config.Map
		err     error
	}
	reply := make(chan answer, 1)
	ok := c.do(func(ctx context.Context) {
		if !c.running.Load() {
			reply <- answer{nil, fmt.Errorf("connector %s was stopped", name)}
			return
		}
		configs, err := w.planTasks(ctx, c, raw)
		if err != nil && connect.KindOf(err) != connect.Retriable {
			c.log.Error("The connector failed to plan its tasks", zap.Error(err))
			c.report(OnFail, connect.Trace(err))
		}
		reply <- answer{configs, plugin.Hidden(err, c.filled)}
	})
	if !ok {
		return nil, connect.NewRetriable("connector "+name+" is busy with earlier calls", nil)
	}
	select {
	case a := <-reply:
		return a.configs, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.ctx.Done(): // it may hang: nobody waits for what was left behind
		return nil, fmt.Errorf("connector %s was stopped", name)
	}
}

// UntilStopped returns a context that ends when a connector stops running here,
// or is not here at all: what was planned for it then is out of date.
func (w *Worker) UntilStopped(ctx context.Context, name string) (context.Context, context.CancelFunc) {
	w.mu.Lock()
	c := w.connectors[name]
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	if c == nil {
		cancel()
		return ctx, cancel
	}
	stop := context.AfterFunc(c.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// planTasks calls the plugin and prepares its answer for the config topic.
func (w *Worker) planTasks(ctx context.Context, c *connector, raw config.Raw) ([]config.Map, error) {
	v, err := c.plugin.CommonDef().Parse(c.config)
	if err != nil {
		return nil, err
	}
	maxTasks := v.Int("tasks.max")
	configs, err := c.taskConfigs(ctx, maxTasks)
	if err != nil {
		return nil, err
	}
	if len(configs) > maxTasks && v.Bool("tasks.max.enforce") {
		return nil, connect.NewError(fmt.Sprintf("The connector %s has generated %d tasks, which is greater than %d, the maximum number of tasks it is configured to create. "+
			"Raise tasks.max, or set tasks.max.enforce=false", c.name, len(configs), maxTasks), nil)
	}
	for i, m := range configs {
		m = m.Clone()
		m["task.class"] = c.plugin.TaskClass
		if _, posted := raw[compatibility]; !posted {
			delete(m, compatibility)
		}
		// What the user wrote as ${...} must not become a secret in the topic.
		for key, text := range raw {
			if text != nil && m[key] == c.config[key] && *text != m[key] {
				if _, there := m[key]; there {
					m[key] = *text
				}
			}
		}
		configs[i] = m
	}
	return configs, nil
}

// StartTask starts a task that does not run here yet. Failures are in its status.
func (w *Worker) StartTask(id group.ID, connectorConfig config.Raw, taskConfig config.Map, target Target) {
	soft, cancel := context.WithCancel(context.Background())
	hard, kill := context.WithCancel(context.Background())
	t := &task{id: id, cancel: cancel, kill: kill, done: make(chan struct{}), pause: newPause(target != TargetRunning),
		life: w.newLife(id, ""), meter: w.cfg.Metrics.Task(id.Connector, id.Task)}
	t.life.meter = t.meter.State
	w.mu.Lock()
	w.tasks[id] = t
	w.mu.Unlock()
	go func() {
		defer close(t.done)
		defer cancel()
		log := w.log.Named(fmt.Sprintf("task.%s-%d", id.Connector, id.Task))
		run, err := w.newTask(soft, t, connectorConfig, taskConfig, log)
		if err == nil {
			err = run(soft, hard)
		}
		if hard.Err() != nil {
			return // what a task says of the end of its context is no failure
		}
		if err != nil {
			hiding(log, t.life.filled).Error("The task failed and stays so until it is restarted", zap.Error(err))
			t.life.move(OnFail, connect.Trace(err))
		}
	}()
}

// task is one running (or failed) task.
type task struct {
	id     group.ID
	cancel context.CancelFunc // stop, and finish what was begun
	kill   context.CancelFunc // stop now
	done   chan struct{}
	pause  *pause
	life   *life
	meter  *metrics.Task
}

// Stop stops connectors and tasks and waits: at most the graceful timeout for
// all of them, then a moment for tasks that heed the end of their contexts.
// What hangs is left behind; what it reports later is not heard.
func (w *Worker) Stop(names []string, ids []group.ID, why Transition) {
	connectors, tasks := w.forget(names, ids)
	defer func() {
		for _, n := range names { // also those that could not be started
			w.cfg.Metrics.ForgetConnector(n)
		}
	}()
	for _, c := range connectors {
		c.cancel()
	}
	for _, t := range tasks {
		t.cancel()
	}
	deadline := time.After(w.cfg.GracefulTimeout)
	for _, t := range tasks {
		select {
		case <-t.done:
		case <-deadline:
			deadline = expired
		}
		t.kill()
	}
	for _, c := range connectors {
		select {
		case <-c.done:
		case <-deadline:
			deadline = expired
			c.log.Warn("The connector did not stop in time and is left behind")
		}
		c.life.end(why)
	}
	moment := time.After(time.Second) // for all of them together
	for _, t := range tasks {
		select {
		case <-t.done:
		case <-moment:
			moment = expired
			w.log.Warn("A task did not stop in time and is left behind", zap.String("task", t.id.String()))
		}
		t.life.end(why)
		t.meter.Close()
	}
}

// forget takes what shall stop out of the tables.
func (w *Worker) forget(names []string, ids []group.ID) (connectors []*connector, tasks []*task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range names {
		if c := w.connectors[n]; c != nil {
			delete(w.connectors, n)
			connectors = append(connectors, c)
		}
	}
	for _, id := range ids {
		if t := w.tasks[id]; t != nil {
			delete(w.tasks, id)
			tasks = append(tasks, t)
		}
	}
	return connectors, tasks
}

// expired is a deadline that has passed.
var expired = func() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()

// Running returns what runs here, failed tasks included.
func (w *Worker) Running() (connectors []string, tasks []group.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := range w.connectors {
		connectors = append(connectors, n)
	}
	for id := range w.tasks {
		tasks = append(tasks, id)
	}
	return connectors, tasks
}
