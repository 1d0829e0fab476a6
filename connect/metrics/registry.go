package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"kconnect/connect"
)

// Config shapes a Registry.
type Config struct {
	Window  time.Duration // metrics.sample.window.ms; 0: 30 s
	Samples int           // metrics.num.samples; 0: 2

	ClientID, Version, Commit string // of this worker

	Now    func() time.Time // nil: time.Now
	Logger *zap.Logger      // nil: none
}

// Registry is all that one worker counts. Its methods may be called from any
// goroutine.
type Registry struct {
	Rebalance *Rebalance

	cfg                         Config
	clock                       clock
	started                     time.Time
	connectorStarts, taskStarts starts
	descs                       map[string]*prometheus.Desc

	mu         sync.Mutex // held for a look-up or a copy of the maps, never while anything is counted
	connectors map[string]*Connector
	tasks      map[taskID]*Task
	clients    map[*Client]bool // the worker's own; tasks keep theirs
}

// New returns a registry of a worker that does nothing yet.
func New(cfg Config) *Registry {
	if cfg.Window == 0 {
		cfg.Window = 30 * time.Second
	}
	if cfg.Samples == 0 {
		cfg.Samples = 2
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	r := &Registry{
		cfg: cfg, clock: clock{window: cfg.Window, count: cfg.Samples, now: cfg.Now}, started: cfg.Now(), descs: make(map[string]*prometheus.Desc),
		connectors: make(map[string]*Connector), tasks: make(map[taskID]*Task), clients: make(map[*Client]bool),
	}
	r.connectorStarts.outcomes, r.taskStarts.outcomes = newSampled(&r.clock), newSampled(&r.clock)
	r.Rebalance = &Rebalance{now: cfg.Now, times: newSampled(&r.clock)}
	for _, f := range Families() {
		r.descs[f.Name] = prometheus.NewDesc(f.Name, f.Help, f.Labels, nil)
	}
	return r
}

// Connector begins the series of a connector that is started here. An older
// one of the same name has none any more.
func (r *Registry) Connector(name string) *Connector {
	c := &Connector{State: newState(r.clock.now, &r.connectorStarts), Plugin: &connect.Metrics{}, name: name}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.connectors[name] = c
	return c
}

// ForgetConnector ends the series of a connector that does not run here any more.
func (r *Registry) ForgetConnector(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.connectors, name)
}

// Task begins the series of a task that is started here. An older one of the
// same number has none any more.
func (r *Registry) Task(connector string, task int) *Task {
	s := func() *Sampled { return newSampled(&r.clock) }
	t := &Task{
		State: newState(r.clock.now, &r.taskStarts), Plugin: &connect.Metrics{}, id: taskID{connector, task}, r: r,
		batch: s(), commit: s(), commits: s(), handled: s(), actives: s(), pollRate: s(), writeRate: s(), readRate: s(), sendRate: s(), completeRate: s(),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks[t.id] = t
	return t
}

// Client returns the counts of one of the worker's own Kafka clients.
func (r *Registry) Client(role Role, id string) *Client {
	c := r.newClient(role, id)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clients[c] = true
	return c
}

// sizes is how much runs here.
type sizes struct{ connectors, tasks int }

func (r *Registry) size() sizes {
	r.mu.Lock()
	defer r.mu.Unlock()
	return sizes{len(r.connectors), len(r.tasks)}
}

// Handler answers GET /metrics in the formats of Prometheus, with the series of
// the Go runtime and the process.
func (r *Registry) Handler() http.Handler {
	all := prometheus.NewRegistry()
	all.MustRegister(r, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{
		// One odd series must not hide the others.
		ErrorHandling:       promhttp.ContinueOnError,
		ErrorLog:            zap.NewStdLog(r.cfg.Logger),
		MaxRequestsInFlight: 4,
		// zstd would keep several MB of tables for each scrape.
		OfferedCompressions: []promhttp.Compression{promhttp.Identity, promhttp.Gzip},
	})
}
