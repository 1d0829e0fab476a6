package group

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// town is a cluster of workers that do what their Members say, and a configuration that all of them know.
type town struct {
	t       *testing.T
	brokers []string
	group   string
	maxWait time.Duration // scheduled.rebalance.max.delay.ms
	session time.Duration

	mu      sync.Mutex
	changed chan struct{} // closed and replaced with every change
	offset  int64
	tasks   map[string]int
	workers map[string]*worker
}

type worker struct {
	town *town
	m    *Member
	url  string
	stop context.CancelFunc
	done chan error

	held []ID       // guarded by town.mu
	last Generation // guarded by town.mu
	lost int        // guarded by town.mu
}

func newTown(t *testing.T, brokers []string, group string) *town {
	town := &town{t: t, brokers: brokers, group: group, changed: make(chan struct{}), session: time.Second, offset: -1, workers: make(map[string]*worker)}
	t.Cleanup(func() {
		for _, w := range town.workers {
			w.kill()
		}
	})
	return town
}

// change changes the town's state and wakes those who wait for it.
func (n *town) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	close(n.changed)
	n.changed = make(chan struct{})
}

// until waits until the town's state satisfies cond.
func (n *town) until(what string, cond func() bool) {
	n.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		n.mu.Lock()
		ok, changed := cond(), n.changed
		n.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			n.mu.Lock()
			defer n.mu.Unlock()
			for url, w := range n.workers {
				n.t.Logf("%s: held %v, last %+v", url, w.held, w.last)
			}
			n.t.Fatalf("not reached: %s", what)
		}
	}
}

// configure makes a new configuration known to all workers.
func (n *town) configure(tasks map[string]int) {
	n.change(func() { n.offset++; n.tasks = tasks })
	for _, w := range n.workers {
		w.m.Rejoin("the configuration has changed")
	}
}

func (n *town) start(url, protocol string) *worker {
	n.t.Helper()
	w := &worker{town: n, url: url, done: make(chan error, 2)}
	var err error
	w.m, err = New([]kgo.Opt{kgo.SeedBrokers(n.brokers...)}, Config{
		GroupID: n.group, URL: url, ClientID: "connect-" + url, Protocol: protocol,
		SessionTimeout: n.session, RebalanceTimeout: 20 * time.Second, HeartbeatInterval: 200 * time.Millisecond, MaxDelay: n.maxWait,
	}, func() (int64, map[string]int) {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.offset, n.tasks
	})
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go func() { w.done <- w.m.Run(ctx) }()
	go func() { w.work(ctx); w.done <- nil }()
	n.change(func() { n.workers[url] = w })
	return w
}

// work does what doc.go tells the user of a Member to do.
func (w *worker) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.m.Events():
			var held []ID
			w.town.change(func() {
				switch a := e.Generation.Assignment; e.Kind {
				case Joined:
					w.last = e.Generation
					if a.Version == V0 {
						w.held = nil
					}
					w.held = slices.DeleteFunc(w.held, func(id ID) bool { return slices.Contains(a.Revoked, id) })
					for _, id := range a.Assigned { // an assignment may come twice
						if !slices.Contains(w.held, id) {
							w.held = append(w.held, id)
						}
					}
				case Lost, Revoke:
					w.held = nil
					w.lost++
				}
				held = slices.Clone(w.held)
			})
			if e.Kind != Rejoining {
				w.m.Allocated(held)
			}
		}
	}
}

// kill stops a worker without leaving the group, as kill -9 would.
func (w *worker) kill() {
	w.stop()
	for range 2 {
		if err := <-w.done; err != nil {
			w.town.t.Errorf("%s: %v", w.url, err)
		}
	}
}

func (w *worker) leave() {
	w.town.t.Helper()
	w.town.change(func() { w.held = nil })
	if err := w.m.Leave(w.town.t.Context()); err != nil {
		w.town.t.Error(err)
	}
	w.gone()
}

// gone takes a stopped worker out of the town.
func (w *worker) gone() {
	w.kill()
	w.town.change(func() { delete(w.town.workers, w.url) })
}

// shared says that the workers have all configured work between them, as evenly as it goes, and agree about the leader.
func (n *town) shared() bool {
	var all []ID
	least, most := 1<<30, 0
	leaders := make(map[string]bool)
	for _, w := range n.workers {
		all = append(all, w.held...)
		least, most = min(least, len(w.held)), max(most, len(w.held))
		leaders[w.last.Assignment.LeaderURL] = true
	}
	slices.SortFunc(all, compareIDs)
	return slices.Equal(all, Round{Connectors: n.tasks}.configured()) && most-least <= 2 && len(leaders) == 1
}

// lives plays the life of a group: one worker, two, a third, one leaves, one is killed.
func lives(t *testing.T, brokers []string, group, protocol string, session time.Duration) {
	n := newTown(t, brokers, group)
	n.maxWait, n.session = 50*time.Millisecond, session
	a := n.start("http://a/", protocol)
	n.until("a leads", func() bool { return a.last.Leader })
	n.configure(map[string]int{"x": 3, "y": 2, "z": 1})
	n.until("a has all", n.shared)

	b := n.start("http://b/", protocol)
	n.until("a and b share", n.shared)
	c := n.start("http://c/", protocol)
	n.until("a, b and c share", n.shared)
	n.until("the leader knows who has what", func() bool {
		owners := make(map[string]int)
		for _, url := range a.last.Owners {
			owners[url]++
		}
		return a.last.Leader && len(a.last.Members) == 3 && len(a.last.Owners) == 9 && len(owners) == 3
	})

	n.configure(map[string]int{"x": 3, "y": 2, "w": 2})
	n.until("z is gone and w is there", n.shared)

	b.leave()
	n.until("a and c share", n.shared)
	c.gone()
	n.until("a has all again", n.shared)
	d := n.start("http://d/", protocol)
	n.until("a and d share", n.shared)
	a.leave() // the leader
	n.until("d has all and leads", func() bool { return n.shared() && d.last.Leader })
	d.leave()
}

func TestWorkersShareWork(t *testing.T) {
	for _, protocol := range []string{"sessioned", "compatible", "eager"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			lives(t, fakeBroker(t).ListenAddrs(), "group", protocol, time.Second)
		})
	}
}

func TestWorkersShareWorkOnARealBroker(t *testing.T) {
	brokers := os.Getenv("KCONNECT_TEST_BROKERS")
	if brokers == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("KCONNECT_TEST_BROKERS is not set: it has to name a Kafka broker")
		}
		t.Skip("KCONNECT_TEST_BROKERS does not name a Kafka broker")
	}
	for _, protocol := range []string{"sessioned", "eager"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			group := fmt.Sprintf("group-lives-%s-%d", protocol, time.Now().UnixNano())
			lives(t, strings.Split(brokers, ","), group, protocol, 6*time.Second) // the least that a broker allows by default
			deleteGroup(t, strings.Split(brokers, ","), group)
		})
	}
}

func deleteGroup(t *testing.T, brokers []string, group string) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).DeleteGroups(t.Context(), group); err != nil {
		t.Log(err)
	}
}

func fakeBroker(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestOneEagerWorkerChangesTheProtocolOfTheGroup, and takes that back when it leaves.
func TestOneEagerWorkerChangesTheProtocolOfTheGroup(t *testing.T) {
	n := newTown(t, fakeBroker(t).ListenAddrs(), "group")
	a := n.start("http://a/", "sessioned")
	n.until("a leads", func() bool { return a.last.Leader })
	n.configure(map[string]int{"x": 5})
	n.until("a has all", n.shared)
	b := n.start("http://b/", "eager")
	n.until("shared by v0", func() bool { return n.shared() && a.last.Protocol == "default" && b.last.Protocol == "default" })
	b.leave()
	n.until("a has all by v2", func() bool { return n.shared() && a.last.Protocol == "sessioned" })
}

// TestACoordinatorThatMovesIsFoundAgain: no work stops for it.
func TestACoordinatorThatMovesIsFoundAgain(t *testing.T) {
	c := fakeBroker(t, kfake.NumBrokers(3))
	n := newTown(t, c.ListenAddrs(), "group")
	a := n.start("http://a/", "sessioned")
	n.until("a leads", func() bool { return a.last.Leader })
	n.configure(map[string]int{"x": 5})
	n.until("a has all", n.shared)
	before := c.CoordinatorFor("group")
	for c.CoordinatorFor("group") == before {
		c.RehashCoordinators()
	}
	b := n.start("http://b/", "sessioned")
	n.until("a and b share", n.shared)
	n.mu.Lock()
	defer n.mu.Unlock()
	if a.lost+b.lost > 0 {
		t.Errorf("work was stopped %d times", a.lost+b.lost)
	}
}

// TestABrokerThatRestartsIsJoinedAgain: the work stops meanwhile, because another worker could be given it.
func TestABrokerThatRestartsIsJoinedAgain(t *testing.T) {
	dir := t.TempDir()
	first := fakeBroker(t, kfake.DataDir(dir))
	addrs := first.ListenAddrs()
	var port int
	if _, err := fmt.Sscanf(addrs[0][strings.LastIndex(addrs[0], ":")+1:], "%d", &port); err != nil {
		t.Fatal(err)
	}
	n := newTown(t, addrs, "group")
	a := n.start("http://a/", "sessioned")
	n.until("a leads", func() bool { return a.last.Leader })
	n.configure(map[string]int{"x": 5})
	n.until("a has all", n.shared)
	first.Close()
	n.until("the work stops", func() bool { return a.lost == 1 && len(a.held) == 0 })
	fakeBroker(t, kfake.DataDir(dir), kfake.Ports(port))
	n.until("a has all again", n.shared)
}

// TestMembersOfOtherKindsAreLeftAlone: a group id that a consumer uses is refused with a remedy.
func TestMembersOfOtherKindsAreLeftAlone(t *testing.T) {
	c := fakeBroker(t, kfake.SeedTopics(1, "topic"))
	consumer, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumerGroup("group"), kgo.ConsumeTopics("topic"))
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	if _, err := c.WaitGroupStable(t.Context(), "group", 1); err != nil {
		t.Fatal(err)
	}
	m, err := New([]kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...)}, Config{GroupID: "group", URL: "http://a/", ClientID: "a", Protocol: "sessioned",
		SessionTimeout: 6 * time.Second, RebalanceTimeout: 20 * time.Second, HeartbeatInterval: time.Second},
		func() (int64, map[string]int) { return -1, maps.Clone(map[string]int{}) })
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "use another group.id") {
		t.Errorf("Run: %v", err)
	}
}
