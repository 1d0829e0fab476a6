package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The timeouts of the groups that are measured: short, so that the death of a
// worker does not take minutes.
const (
	clusterWorkers = 3
	sessionTimeout = 6 * time.Second // the least that brokers allow by default
	heartbeat      = 2 * time.Second
	maxDelay       = 3 * time.Second // scheduled.rebalance.max.delay.ms
)

// clusterFigures are those of one cluster.
type clusterFigures struct {
	connectors       int
	posted           time.Duration // from the first POST to the answer of the last
	running          time.Duration // from the first POST until every connector and task is RUNNING
	moved            time.Duration // from kill -9 until all work of that worker runs elsewhere
	listed, slowest  time.Duration // GET /connectors all the while: 99th percentile and maximum
	ready, healthy   time.Duration // of a worker that comes back, from the start of its process
	cpu              time.Duration // of all workers until everything ran
	memory           int           // peak of the largest worker, MB
	alone, aloneTask time.Duration // one connector more: POST, and until its task runs
}

// clusters measures groups of three workers with many small connectors.
func clusters(ctx context.Context, brokers, binary string, sizes []int) error {
	dir, err := os.MkdirTemp("", "kconnect-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...))
	if err != nil {
		return err
	}
	admin := kadm.NewClient(client)
	defer admin.Close()
	fmt.Printf("%d workers, session.timeout.ms=%d, heartbeat.interval.ms=%d, scheduled.rebalance.max.delay.ms=%d\n",
		clusterWorkers, sessionTimeout.Milliseconds(), heartbeat.Milliseconds(), maxDelay.Milliseconds())
	var all []*clusterFigures
	for _, n := range sizes {
		c := &cluster{bench: &bench{brokers: brokers, binary: binary, dir: dir, admin: admin, run: fmt.Sprintf("bench%d-c%d", os.Getpid(), n)}, size: n}
		f, err := c.measure(ctx)
		c.stop() //nolint:contextcheck // also after an interrupt
		if err != nil {
			return fmt.Errorf("cluster with %d connectors: %w", n, err)
		}
		all = append(all, f)
	}
	row := func(name string, of func(*clusterFigures) string) {
		fmt.Printf("%-58s", name)
		for _, f := range all {
			fmt.Printf("%12s", of(f))
		}
		fmt.Println()
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000) }
	s := func(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
	row("connectors with one task each", func(f *clusterFigures) string { return strconv.Itoa(f.connectors) })
	row("all POSTed after", func(f *clusterFigures) string { return s(f.posted) })
	row("all RUNNING after", func(f *clusterFigures) string { return s(f.running) })
	row("one connector more: answered after", func(f *clusterFigures) string { return ms(f.alone) })
	row("its task RUNNING after", func(f *clusterFigures) string { return ms(f.aloneTask) })
	row("worker killed: its work RUNNING elsewhere after", func(f *clusterFigures) string { return s(f.moved) })
	row("GET /connectors all the while, 99th percentile", func(f *clusterFigures) string { return ms(f.listed) })
	row("slowest", func(f *clusterFigures) string { return ms(f.slowest) })
	row("start of a worker to GET /connectors 200", func(f *clusterFigures) string { return ms(f.ready) })
	row("to GET /health 200", func(f *clusterFigures) string { return ms(f.healthy) })
	row("CPU of all workers until all RUNNING", func(f *clusterFigures) string { return s(f.cpu) })
	row("peak memory of the largest worker", func(f *clusterFigures) string { return fmt.Sprintf("%d MB", f.memory) })
	return nil
}

// cluster is a group of workers.
type cluster struct {
	*bench
	size    int
	workers []*process
}

func (c *cluster) stop() {
	for _, w := range c.workers {
		_ = w.Stop(20 * time.Second)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c.deleteTopics(ctx)
}

func (c *cluster) worker(ctx context.Context, i int) (*process, error) {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return c.start(ctx, fmt.Sprintf("worker%d", i), map[string]string{
		"session.timeout.ms": ms(sessionTimeout), "heartbeat.interval.ms": ms(heartbeat), "scheduled.rebalance.max.delay.ms": ms(maxDelay),
	})
}

func (c *cluster) measure(ctx context.Context) (*clusterFigures, error) {
	f := &clusterFigures{connectors: c.size}
	for i := range clusterWorkers {
		w, err := c.worker(ctx, i)
		if err != nil {
			return nil, err
		}
		c.workers = append(c.workers, w)
		if err := w.healthy(ctx); err != nil { // so the first is the leader
			return nil, err
		}
	}
	watch := c.watch(ctx)
	begin := time.Now()
	for i := range c.size {
		if err := c.file(ctx, i); err != nil {
			return nil, err
		}
	}
	f.posted = time.Since(begin)
	if err := c.await(ctx, c.size, ""); err != nil {
		return nil, err
	}
	f.running = time.Since(begin)
	for _, w := range c.workers {
		f.cpu += usage(w.PID()).cpu
	}
	one := time.Now()
	if err := c.file(ctx, c.size); err != nil {
		return nil, err
	}
	f.alone = time.Since(one)
	if err := c.await(ctx, c.size+1, ""); err != nil {
		return nil, err
	}
	f.aloneTask = time.Since(one)
	for _, w := range c.workers {
		f.memory = max(f.memory, peak(strconv.Itoa(w.PID())))
	}
	// The last one, which is not the leader: a leader that dies costs no delay.
	dead := c.workers[clusterWorkers-1]
	watch.without(dead)
	killed := time.Now()
	dead.Kill()
	c.workers = c.workers[:clusterWorkers-1]
	if err := c.await(ctx, c.size+1, strings.TrimPrefix(dead.url, "http://")); err != nil {
		return nil, err
	}
	f.moved = time.Since(killed)
	f.listed, f.slowest = watch.stop()
	back, err := c.worker(ctx, clusterWorkers)
	if err != nil {
		return nil, err
	}
	c.workers = append(c.workers, back)
	f.ready = back.ready
	if err := back.healthy(ctx); err != nil {
		return nil, err
	}
	f.healthy = time.Since(back.began)
	return f, nil
}

// file creates a FileStream source with a file of one line.
func (c *cluster) file(ctx context.Context, i int) error {
	name := fmt.Sprintf("%s-%d", c.run, i)
	file := filepath.Join(c.dir, name)
	if err := os.WriteFile(file, []byte("one line\n"), 0o600); err != nil {
		return err
	}
	return c.workers[i%len(c.workers)].create(ctx, name, map[string]string{
		"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1", "file": file, "topic": c.run + "-lines",
	})
}

// await waits until n connectors and their tasks are RUNNING, none of them on
// the worker without.
func (c *cluster) await(ctx context.Context, n int, without string) error {
	for {
		begin := time.Now()
		running, example, err := c.running(ctx, without)
		if err != nil || running == n {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d connectors run; %s does not: %w", running, n, example, ctx.Err())
		case <-time.After(max(50*time.Millisecond, 4*time.Since(begin))): // so that asking is a small part of the load
		}
	}
}

func (c *cluster) running(ctx context.Context, without string) (n int, example string, err error) {
	status, body, err := c.workers[0].call(ctx, http.MethodGet, "/connectors?expand=status", nil)
	if err != nil || status != http.StatusOK {
		return 0, "", fmt.Errorf("GET /connectors?expand=status: %d %w", status, err)
	}
	type part struct {
		State    string
		WorkerID string `json:"worker_id"`
		Trace    string
	}
	var all map[string]struct {
		Status struct {
			Connector part
			Tasks     []part
		}
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return 0, "", err
	}
	for name, s := range all {
		parts := append([]part{s.Status.Connector}, s.Status.Tasks...)
		for _, p := range parts {
			if p.State == "FAILED" {
				return 0, "", fmt.Errorf("%s failed: %s", name, p.Trace)
			}
		}
		if len(parts) == 2 && !slices.ContainsFunc(parts, func(p part) bool { return p.State != "RUNNING" || p.WorkerID == without }) {
			n++
		} else {
			example = name
		}
	}
	return n, example, nil
}

// healthy waits until a worker is ready.
func (w *process) healthy(ctx context.Context) error {
	for {
		if status, _, err := w.call(ctx, http.MethodGet, "/health", nil); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-w.Exited():
			return fmt.Errorf("the worker ended while it was starting:\n%s", w.Tail(20))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// listWatch asks the workers for their connectors again and again.
type listWatch struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	workers []*process
	took    []time.Duration
}

func (c *cluster) watch(ctx context.Context) *listWatch {
	ctx, cancel := context.WithCancel(ctx)
	l := &listWatch{cancel: cancel, done: make(chan struct{}), workers: slices.Clone(c.workers)}
	go func() {
		defer close(l.done)
		for i := 0; ; i++ {
			l.mu.Lock()
			w := l.workers[i%len(l.workers)]
			l.mu.Unlock()
			begin := time.Now()
			if status, _, err := w.call(ctx, http.MethodGet, "/connectors", nil); err == nil && status == http.StatusOK {
				l.took = append(l.took, time.Since(begin))
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return l
}

// without leaves a worker out from now on.
func (l *listWatch) without(w *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.workers = slices.DeleteFunc(l.workers, func(o *process) bool { return o == w })
}

// stop ends the watch and returns the 99th percentile and the slowest answer.
func (l *listWatch) stop() (p99, slowest time.Duration) {
	l.cancel()
	<-l.done
	if len(l.took) == 0 {
		return 0, 0
	}
	slices.Sort(l.took)
	return l.took[len(l.took)*99/100], l.took[len(l.took)-1]
}
