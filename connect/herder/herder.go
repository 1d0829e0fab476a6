package herder

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
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

func (h *Herder) configChanged(c storage.Change) { h.send(configChange{c}) }

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

// rebalancing says that a round of the worker group is under way.
func (h *Herder) rebalancing() {
	if !h.cfg.Standalone {
		h.cfg.Worker.Metrics.Rebalance.Started()
	}
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
