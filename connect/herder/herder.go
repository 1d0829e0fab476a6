package herder

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/logging"
	"kconnect/connect/metrics"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
	"kconnect/connect/worker"
)

// Config is what a Herder needs to know of the worker's configuration.
type Config struct {
	WorkerID string // advertised host:port, the worker_id of statuses
	Group    group.Config
	Client   []kgo.Opt // connection of the worker's own clients
	ClientID string    // <group.id>[-<client.id>]
	Worker   worker.Config

	// Standalone: this worker is its own cluster. Its configurations and statuses
	// are in memory and its source offsets in OffsetFile; of Group, Signing,
	// ClientID and the topics nothing is used.
	Standalone bool
	OffsetFile string // offset.storage.file.filename

	Offsets, Statuses, Configs storage.Topic

	SyncTimeout    time.Duration // worker.sync.timeout.ms
	UnsyncBackoff  time.Duration // in an eager group, between tries to read the configs
	TopicTracking  bool          // topic.tracking.enable
	TopicReset     bool          // topic.tracking.allow.reset
	Signing        Signing
	OverridePolicy string // connector.client.config.override.policy

	// ClientTLS is for signed requests to a leader whose URL is https; nil: the system's authorities.
	ClientTLS *tls.Config
}

// Herder runs this worker's share of the cluster. Make one with New and
// Run it; every other method may be called from any goroutine while Ready.
type Herder struct {
	cfg       Config
	log       *zap.Logger // of the herder
	logs      *zap.Logger // the root
	registry  *plugin.Registry
	providers config.Providers
	levels    *logging.Levels
	offsets   *storage.Offsets
	statuses  *storage.Statuses
	configs   *storage.Configs
	member    membership
	worker    *worker.Worker
	admin     *kadm.Client
	http      *http.Client
	clusterID string

	events     chan event
	generation atomic.Int32
	view       atomic.Pointer[view]
	opened     atomic.Bool
	stopping   chan struct{} // closed when the loop has ended
	besideMu   sync.Mutex    // guards beside against new work during the shutdown
	beside     sync.WaitGroup
	over       bool
	ctx        context.Context // of what runs beside the loop; ends with Run
	keyMu      sync.Mutex      // one session key at a time
}

// membership is the worker's part in a group: a *group.Member, or a *group.Lone
// in standalone mode.
type membership interface {
	Events() <-chan group.Event
	Allocated(ids []group.ID)
	Rejoin(reason string)
	Leave(ctx context.Context) error
	Run(ctx context.Context) error
}

// view is what requests may know of the loop's state without asking it.
type view struct {
	settled   bool
	everReady bool
	leader    bool
	leaderURL string
	signed    bool // the group's protocol signs internal requests
}

// New returns a herder that has not read anything yet.
func New(cfg Config, registry *plugin.Registry, providers config.Providers, levels *logging.Levels, log *zap.Logger) *Herder {
	if cfg.Worker.Metrics == nil {
		cfg.Worker.Metrics = metrics.New(metrics.Config{}) // nobody scrapes it
	}
	h := &Herder{
		cfg: cfg, log: log.Named("herder"), logs: log, registry: registry, providers: providers, levels: levels,
		events: make(chan event, 64), stopping: make(chan struct{}),
		http: newLeaderClient(cfg.ClientTLS),
	}
	h.view.Store(&view{})
	return h
}

// startTimeout is how long a start waits for brokers that cannot be reached.
const startTimeout = time.Minute

// open opens the internal topics, creating those that are absent, and reads them.
func (h *Herder) open(ctx context.Context) error {
	client, err := kgo.NewClient(append(h.metered(metrics.Admin, h.cfg.ClientID+"-admin"), kgo.ClientID(h.cfg.ClientID+"-admin"))...)
	if err != nil {
		return err
	}
	h.admin = kadm.NewClient(client)
	if err := h.awaitCluster(ctx); err != nil {
		return err
	}
	stores := h.openTopics
	if h.cfg.Standalone {
		stores = h.openAlone
	}
	if err := stores(ctx); err != nil {
		return err
	}
	h.worker = worker.New(h.cfg.Worker, h.registry, h.providers, h.offsets, h, h.logs)
	h.warnOfUnknownClasses()
	snapshot := func() (int64, map[string]int) {
		snapshot := h.configs.Snapshot()
		tasks := make(map[string]int, len(snapshot.Connectors))
		for name, c := range snapshot.Connectors {
			tasks[name] = len(c.Tasks)
		}
		return snapshot.Offset, tasks
	}
	if h.cfg.Standalone {
		h.member = group.NewLone(snapshot)
		return nil
	}
	membership := h.cfg.Group
	membership.Classes = h.registry.Names()
	membership.Needs = func(name string) []string {
		if c := h.configs.Snapshot().Connectors[name]; c != nil {
			return plugin.Needs(c.Config)
		}
		return nil
	}
	h.member, err = group.New(h.metered(metrics.Member, membership.ClientID), membership, snapshot)
	return err
}

// openTopics opens the stores of a worker of a cluster. The three topics are
// independent, and the start of the process waits for all of them.
func (h *Herder) openTopics(ctx context.Context) error {
	store := func(topic storage.Topic, suffix string) storage.LogConfig {
		return storage.LogConfig{Topic: topic, ClientID: h.cfg.ClientID + suffix, Client: h.metered(metrics.Producer|metrics.Consumer, h.cfg.ClientID+suffix), Logger: h.logs.Named("storage")}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		h.offsets, err = storage.OpenOffsets(gctx, store(h.cfg.Offsets, "-offsets"))
		return err
	})
	g.Go(func() (err error) {
		h.statuses, err = storage.OpenStatuses(gctx, store(h.cfg.Statuses, "-statuses"))
		return err
	})
	g.Go(func() (err error) {
		h.configs, err = storage.OpenConfigs(gctx, store(h.cfg.Configs, "-configs"), h.configChanged)
		return err
	})
	return g.Wait()
}

// openAlone opens the stores of a worker by itself.
func (h *Herder) openAlone(context.Context) (err error) {
	log := h.logs.Named("storage")
	h.statuses, h.configs = storage.MemoryStatuses(log), storage.MemoryConfigs(log, h.configChanged)
	h.offsets, err = storage.OpenOffsetFile(h.cfg.OffsetFile, log)
	return err
}

func (h *Herder) configChanged(c storage.Change) { h.send(configChange{c}) }

// metered returns the settings of one of the worker's own clients, which is
// counted under its client id.
func (h *Herder) metered(role metrics.Role, clientID string) []kgo.Opt {
	return append(slices.Clone(h.cfg.Client), kgo.WithHooks(h.cfg.Worker.Metrics.Client(role, clientID)))
}

// awaitCluster asks for the cluster's id until a broker answers.
func (h *Herder) awaitCluster(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		metadata, err := h.admin.BrokerMetadata(ctx)
		if err == nil {
			h.clusterID = metadata.Cluster
			return nil
		}
		if err := refused(err); err != nil {
			return err
		}
		if ctx.Err() == nil {
			h.log.Warn("No broker of bootstrap.servers can be reached yet", zap.Error(err))
		}
		timer := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("the Kafka cluster cannot be reached: %w; check bootstrap.servers, security.protocol and ssl.keystore.* of the worker", err)
		case <-timer.C:
		}
	}
}

// refused is the error of a start that no waiting helps: brokers and worker
// have reached each other, and one of them does not accept the other.
func refused(err error) error {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Errorf("the brokers refuse the login: %w; check sasl.mechanism and sasl.jaas.config of the worker", err)
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of the brokers is not accepted: %w; check ssl.truststore.* of the worker, and that bootstrap.servers has the names in the certificate", err)
	}
	return nil
}

// warnOfUnknownClasses names the classes of the config topic that this worker
// lacks, in one line.
func (h *Herder) warnOfUnknownClasses() {
	lacking := unknownClasses(h.configs.Snapshot(), h.registry.Names())
	if len(lacking) == 0 {
		return
	}
	h.log.Warn("The config topic names classes that this worker does not have. Connectors that need them go to workers that have them, where the leader can know that; "+
		"on this one they would be FAILED", zap.Strings("classes", lacking))
}

// unknownClasses returns what connectors name and is not among names, sorted,
// each with the connectors that name it.
func unknownClasses(configs *storage.ConfigSnapshot, names []string) []string {
	lacking := make(map[string][]string)
	for _, connector := range slices.Sorted(maps.Keys(configs.Connectors)) {
		for _, class := range plugin.Needs(configs.Connectors[connector].Config) {
			if _, known := slices.BinarySearch(names, class); !known && !slices.Contains(lacking[class], connector) {
				lacking[class] = append(lacking[class], connector)
			}
		}
	}
	var texts []string
	for _, class := range slices.Sorted(maps.Keys(lacking)) {
		texts = append(texts, fmt.Sprintf("%s (%s)", class, strings.Join(lacking[class], ", ")))
	}
	return texts
}

func (h *Herder) close() {
	if h.offsets != nil {
		h.offsets.Close()
	}
	if h.statuses != nil {
		h.statuses.Close()
	}
	if h.configs != nil {
		h.configs.Close()
	}
	if h.admin != nil {
		h.admin.Close()
	}
}

// Run opens the internal topics (creating them if absent) and works until ctx
// ends, then stops all work, writes its statuses, leaves the group (Promise 7)
// and closes the stores.
func (h *Herder) Run(ctx context.Context) error {
	defer h.close()
	if err := h.open(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	// What serves the loop outlives ctx until the shutdown is through.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, gctx := errgroup.WithContext(serving)
	var endBeside context.CancelFunc
	h.ctx, endBeside = context.WithCancel(gctx)
	defer endBeside()
	h.opened.Store(true)
	g.Go(func() error { return h.offsets.Run(gctx) })
	g.Go(func() error { return h.statuses.Run(gctx) })
	g.Go(func() error { return h.configs.Run(gctx) })
	g.Go(func() error { return h.member.Run(gctx) })
	g.Go(func() error {
		defer stop()
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		// A store or the membership that fails ends the worker, cleanly.
		defer context.AfterFunc(gctx, cancel)()
		h.loop(running)
		h.opened.Store(false)
		close(h.stopping)
		h.shutdown(gctx)
		h.besideMu.Lock()
		h.over = true
		h.besideMu.Unlock()
		endBeside() // a write, or a read, that waits for a broker that is away
		h.beside.Wait()
		h.http.CloseIdleConnections()
		return nil
	})
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}

// send hands an event to the loop; nothing is sent once the loop has ended.
func (h *Herder) send(e event) {
	select {
	case h.events <- e:
	case <-h.stopping:
	}
}

// loop is the one goroutine that owns the state.
func (h *Herder) loop(ctx context.Context) {
	s := newState()
	h.rebalancing()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var quiet alarm
	defer quiet.stop()
	pause := changePause
	if h.cfg.Standalone {
		pause = 0 // its rounds cost nothing
	}
	ready := false
	for {
		var e event
		select {
		case <-ctx.Done():
			return
		case g := <-h.member.Events():
			e = groupEvent{g}
			if g.Kind != group.Joined {
				h.rebalancing()
				h.log.Info("Group", zap.Stringer("event", g.Kind), zap.String("reason", g.Reason))
			}
		case e = <-h.events:
		case <-quiet.c:
			quiet.stop()
			e = changesPaused{}
		case <-tick.C:
			e = ticked{}
			h.rotateSessionKey()
		}
		s.configs = h.configs.Snapshot()
		for _, f := range step(s, e) {
			if _, ok := f.(awaitChanges); ok {
				quiet.extend(pause, changeLimit)
				continue
			}
			h.carryOut(s, f)
		}
		ready = ready || s.phase == settled
		h.view.Store(&view{settled: s.phase == settled, everReady: ready, leader: s.leader, leaderURL: s.leaderURL, signed: s.protocol == "sessioned"})
	}
}

// A round that is due because of the config topic waits until no change has
// come for changePause, at most changeLimit after the first. A client that
// creates connectors one after the other needs some milliseconds for each; one
// that creates a single connector hardly notices.
const (
	changePause = 15 * time.Millisecond
	changeLimit = 200 * time.Millisecond
)

// alarm is a timer that can be put off.
type alarm struct {
	c     <-chan time.Time // nil while it is off
	timer *time.Timer
	since time.Time // it was set
}

// extend sets the alarm to pause from now, but not later than limit after it
// was first set.
func (a *alarm) extend(pause, limit time.Duration) {
	now := time.Now()
	if a.c == nil {
		a.since = now
	}
	pause = max(0, min(pause, limit-now.Sub(a.since)))
	a.stop()
	a.timer = time.NewTimer(pause)
	a.c = a.timer.C
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.c = nil
}

// rebalancing says that a round of the worker group is under way.
func (h *Herder) rebalancing() {
	if !h.cfg.Standalone {
		h.cfg.Worker.Metrics.Rebalance.Started()
	}
}

// protocolName is the group's protocol in the words of Java's metrics.
func protocolName(protocol string) string {
	if protocol == "default" {
		return "EAGER"
	}
	return strings.ToUpper(protocol)
}

// aside runs what may take long beside the loop.
func (h *Herder) aside(work func(ctx context.Context)) {
	h.besideMu.Lock()
	defer h.besideMu.Unlock()
	if h.over {
		return
	}
	h.beside.Add(1)
	go func() {
		defer h.beside.Done()
		work(h.ctx)
	}()
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

// shutdown stops everything and leaves the group.
func (h *Herder) shutdown(ctx context.Context) {
	connectors, tasks := h.worker.Running()
	h.log.Info("Stopping", zap.Int("connectors", len(connectors)), zap.Int("tasks", len(tasks)))
	h.worker.Stop(connectors, tasks, worker.OnRevoke)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := h.statuses.Flush(ctx); err != nil {
		h.log.Warn("The last statuses could not be written", zap.Error(err))
	}
	if err := h.member.Leave(ctx); err != nil {
		h.log.Warn("Leaving the group failed; the others wait for the session to expire", zap.Error(err))
	}
}

// StatusChanged implements worker.Listener.
func (h *Herder) StatusChanged(c worker.Status) {
	st := storage.Status{State: storage.State(c.State), Trace: c.Trace, WorkerID: h.cfg.WorkerID, Generation: h.generation.Load(), Version: c.Version}
	switch {
	case c.ID.Task == group.ConnectorTask && c.Safe:
		h.statuses.PutConnectorSafe(c.ID.Connector, st)
	case c.ID.Task == group.ConnectorTask:
		h.statuses.PutConnector(c.ID.Connector, st)
	case c.Safe:
		h.statuses.PutTaskSafe(c.ID.Connector, c.ID.Task, st)
	default:
		h.statuses.PutTask(c.ID.Connector, c.ID.Task, st)
	}
}

// TopicUsed implements worker.Listener.
func (h *Herder) TopicUsed(connector string, task int, topic string) {
	h.statuses.TrackTopic(storage.TopicStatus{Topic: topic, Connector: connector, Task: task, Discovered: time.Now().UnixMilli()})
}

// ReconfigurationRequested implements worker.Listener.
func (h *Herder) ReconfigurationRequested(name string) {
	h.aside(func(context.Context) { h.send(planWanted{name}) })
}

var (
	_ worker.Listener = (*Herder)(nil)
)
