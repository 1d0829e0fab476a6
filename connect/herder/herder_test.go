package herder

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/data"
	"kconnect/connect/group"
	"kconnect/connect/logging"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
	"kconnect/connect/worker"
)

// census counts what runs in a cluster of herders.
type census struct {
	mu    sync.Mutex
	now   map[string]int // by connector or task
	twice []string       // what ran twice at one time
}

func (c *census) enter(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now[name]++; c.now[name] > 1 {
		c.twice = append(c.twice, name)
	}
}

func (c *census) leave(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now[name]--; c.now[name] == 0 {
		delete(c.now, name)
	}
}

func (c *census) running() (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range c.now {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// resident is a connector that has as many tasks as tasks.max says.
type resident struct {
	*census
	name string
	cfg  config.Map
}

func (r *resident) Start(_ context.Context, env *connect.ConnectorEnv) error {
	r.name, r.cfg = env.Connector, env.Config
	if r.cfg["broken"] == "true" {
		return errors.New("it is broken")
	}
	r.enter(r.name)
	return nil
}

func (r *resident) TaskConfigs(_ context.Context, n int) (all []config.Map, _ error) {
	for range n {
		all = append(all, r.cfg.Clone())
	}
	return all, nil
}

func (r *resident) Stop(context.Context) error {
	if r.cfg["broken"] != "true" {
		r.leave(r.name)
	}
	return nil
}

// settler is its task. It sends one record, for the sake of an offset.
type settler struct {
	*census
	name string
	sent bool
}

func (s *settler) Start(_ context.Context, env *connect.SourceEnv) error {
	s.name = fmt.Sprintf("%s-%d", env.Connector, env.Task)
	s.enter(s.name)
	return nil
}

func (s *settler) Poll(ctx context.Context, b *connect.SourceBatch) error {
	if !s.sent {
		s.sent = true
		r := b.Add()
		r.Topic, r.ValueSchema, r.Value = "out", data.StringSchema, data.StringOf("x")
		r.Source = &connect.SourcePartition{Fields: []connect.Field{{Name: "of", Value: data.StringOf(s.name)}}}
		r.SourceOffset = connect.SourceOffset{Names: []string{"n"}, Values: []data.Value{data.Int64Of(1)}}
		return nil
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
	return nil
}

func (s *settler) Stop(context.Context) error {
	s.leave(s.name)
	return nil
}

// node is one worker of a cluster.
type node struct {
	*Herder
	url  string
	stop context.CancelFunc
	done chan struct{} // closed when Run has returned err
	err  error
}

// nodes is a cluster of workers on one broker.
type nodes struct {
	t       *testing.T
	brokers []string
	broker  *kfake.Cluster
	census  *census
	all     []*node
}

func newNodes(t *testing.T, options ...kfake.Opt) *nodes {
	t.Helper()
	c := &nodes{t: t, census: &census{now: make(map[string]int)}}
	c.open(options...)
	c.brokers = c.broker.ListenAddrs()
	t.Cleanup(func() { c.broker.Close() })
	return c
}

// open starts the broker.
func (c *nodes) open(options ...kfake.Opt) {
	c.t.Helper()
	broker, err := kfake.NewCluster(append(options, kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1))...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.broker = broker
}

// add starts one more node, without some of the classes, and waits until it is
// in the group.
func (c *nodes) add(lacking ...string) *node {
	c.t.Helper()
	n := &node{done: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(n.serve))
	c.t.Cleanup(server.Close)
	n.url = server.URL + "/"
	plugins := append(converter.Plugins(), connect.Plugin{
		Class: "Resident", Kind: connect.SourcePlugin, Version: "1", TaskClass: "Settler", Def: config.NewDef(),
		New:     func() any { return &resident{census: c.census} },
		NewTask: func() any { return &settler{census: c.census} },
	})
	registry, err := plugin.New(slices.DeleteFunc(plugins, func(p connect.Plugin) bool { return slices.Contains(lacking, p.Class) })...)
	if err != nil {
		c.t.Fatal(err)
	}
	id := strings.TrimPrefix(server.URL, "http://")
	const text = "org.apache.kafka.connect.storage.StringConverter"
	n.Herder = New(Config{
		WorkerID: id, Client: []kgo.Opt{kgo.SeedBrokers(c.brokers...)}, ClientID: "cluster",
		Group: group.Config{GroupID: "cluster", URL: n.url, ClientID: "connect-" + id, Protocol: "sessioned",
			SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second, HeartbeatInterval: 100 * time.Millisecond},
		Worker: worker.Config{
			Properties: config.Map{"bootstrap.servers": strings.Join(c.brokers, ","), "key.converter": text, "value.converter": text},
			GroupID:    "cluster", FlushInterval: 20 * time.Millisecond, FlushTimeout: 5 * time.Second, GracefulTimeout: 5 * time.Second, TopicTracking: true,
		},
		Configs:  storage.Topic{Name: "configs", Partitions: 1, Replication: 1},
		Offsets:  storage.Topic{Name: "offsets", Partitions: 1, Replication: 1},
		Statuses: storage.Topic{Name: "statuses", Partitions: 1, Replication: 1},

		SyncTimeout: 5 * time.Second, UnsyncBackoff: 100 * time.Millisecond, TopicTracking: true, TopicReset: true, Signing: usual, OverridePolicy: "All",
	}, registry, nil, logging.NewLevels(time.Now), zap.NewNop())
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	go func() {
		defer close(n.done)
		n.err = n.Run(ctx)
	}()
	c.all = append(c.all, n)
	c.t.Cleanup(func() { c.remove(n) })
	c.until("the worker is in the group", func() bool { return n.Ready() && n.Health(ctx).Status == "healthy" })
	return n
}

// remove stops a node as SIGTERM does.
func (c *nodes) remove(n *node) {
	c.t.Helper()
	n.stop()
	<-n.done
	if n.err != nil {
		c.t.Errorf("the worker ended with %v", n.err)
	}
	c.all = slices.DeleteFunc(c.all, func(o *node) bool { return o == n })
}

func (c *nodes) until(what string, condition func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: not within 30 s; what runs is %v", what, c.census.running())
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (c *nodes) untilRunning(names ...string) {
	c.t.Helper()
	slices.Sort(names)
	c.until(fmt.Sprintf("%v runs", names), func() bool { return slices.Equal(c.census.running(), names) })
}

// serve is the one resource that workers need of each other.
func (n *node) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var tasks []config.Map
	if err := json.Unmarshal(body, &tasks); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	mac, _ := base64.StdEncoding.DecodeString(r.Header.Get("X-Connect-Authorization"))
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/connectors/"), "/tasks")
	if err := n.PutTaskConfigs(r.Context(), name, tasks, Signature{Algorithm: r.Header.Get("X-Connect-Request-Signature-Algorithm"), MAC: mac, Body: body}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// ask sends a request to a node and, as rest does, to the one that it names.
func (c *nodes) ask(n *node, request func(n *node) error) error {
	err := request(n)
	var elsewhere *ElsewhereError
	for hops := 0; errors.As(err, &elsewhere) && hops < 2; hops++ {
		i := slices.IndexFunc(c.all, func(o *node) bool { return o.url == elsewhere.URL })
		if i < 0 {
			return err
		}
		err = request(c.all[i])
	}
	return err
}

func (c *nodes) put(n *node, name string, extra config.Map) error {
	m := config.Map{"name": name, "connector.class": "Resident"}
	for k, v := range extra {
		m[k] = v
	}
	return c.ask(n, func(n *node) error {
		_, _, err := n.PutConfig(c.t.Context(), name, config.FromMap(m).Entries(), true, nil)
		return err
	})
}

func (c *nodes) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// state returns the states of a connector and its tasks, as every node tells
// them; empty while they differ.
func (c *nodes) state(name string) string {
	text := ""
	for i, n := range c.all {
		own := ""
		if s, err := n.Status(name); err == nil {
			own = s.Connector.State
			for _, t := range s.Tasks {
				own += " " + t.State
			}
		}
		if i > 0 && own != text {
			return ""
		}
		text = own
	}
	return text
}

func (c *nodes) untilState(name, want string) {
	c.t.Helper()
	c.until(name+" is "+want, func() bool { return c.state(name) == want })
}

func (c *nodes) neverTwice() {
	c.t.Helper()
	c.census.mu.Lock()
	defer c.census.mu.Unlock()
	if len(c.census.twice) > 0 {
		c.t.Errorf("%v ran twice at one time", c.census.twice)
	}
}

func TestAClusterSharesItsWork(t *testing.T) {
	c := newNodes(t)
	first := c.add()
	c.must(c.put(first, "a", config.Map{"tasks.max": "3"}))
	c.untilRunning("a", "a-0", "a-1", "a-2")
	second := c.add()
	third := c.add()
	c.must(c.put(third, "b", config.Map{"tasks.max": "2"})) // a follower may have to publish the tasks
	c.untilRunning("a", "a-0", "a-1", "a-2", "b", "b-0", "b-1")
	c.untilState("a", "RUNNING RUNNING RUNNING RUNNING")
	c.untilState("b", "RUNNING RUNNING RUNNING")
	where := make(map[string]int)
	for _, name := range []string{"a", "b"} {
		s, err := second.Status(name)
		c.must(err)
		for _, task := range s.Tasks {
			where[task.WorkerID]++
		}
	}
	for id, n := range where {
		if n > 2 {
			t.Errorf("worker %s has %d of 5 tasks, the others %v", id, n, where)
		}
	}
	c.must(c.put(second, "a", config.Map{"tasks.max": "5"}))
	c.untilRunning("a", "a-0", "a-1", "a-2", "a-3", "a-4", "b", "b-0", "b-1")
	c.must(c.put(second, "a", config.Map{"tasks.max": "1"}))
	c.untilRunning("a", "a-0", "b", "b-0", "b-1")
	c.untilState("a", "RUNNING RUNNING") // statuses of tasks that are gone are removed
	c.remove(first)                      // the leader
	c.untilRunning("a", "a-0", "b", "b-0", "b-1")
	c.remove(second)
	c.untilRunning("a", "a-0", "b", "b-0", "b-1")
	c.untilState("b", "RUNNING RUNNING RUNNING")
	c.neverTwice()
	c.remove(third)
	if left := c.census.running(); len(left) > 0 {
		t.Errorf("%v runs after every worker has stopped", left)
	}
}

func TestRequestsReachTheWorkerThatCanCarryThemOut(t *testing.T) {
	c := newNodes(t)
	c.add()
	c.add()
	c.must(c.put(c.all[0], "a", config.Map{"tasks.max": "2"}))
	c.untilState("a", "RUNNING RUNNING RUNNING")
	for i, n := range c.all { // the same of a leader and of a follower
		ctx := t.Context()
		c.must(c.ask(n, func(n *node) error { return n.SetTarget(ctx, "a", Paused) }))
		c.untilState("a", "PAUSED PAUSED PAUSED")
		c.must(c.ask(n, func(n *node) error { return n.SetTarget(ctx, "a", Started) }))
		c.untilState("a", "RUNNING RUNNING RUNNING")
		for task := range 2 {
			c.must(c.ask(n, func(n *node) error { return n.RestartTask(ctx, "a", task) }))
		}
		c.untilState("a", "RUNNING RUNNING RUNNING")
		c.must(c.ask(n, func(n *node) error { _, err := n.Restart(ctx, "a", false, false); return err }))
		c.untilState("a", "RUNNING RUNNING RUNNING")
		var plan *ConnectorStatus
		c.must(c.ask(n, func(n *node) (err error) { plan, err = n.Restart(ctx, "a", true, false); return err }))
		if plan.Connector.State != "RESTARTING" || len(plan.Tasks) != 2 || plan.Tasks[1].State != "RESTARTING" {
			t.Errorf("the plan is %+v", plan)
		}
		c.untilState("a", "RUNNING RUNNING RUNNING")
		c.untilRunning("a", "a-0", "a-1")

		var notFound *NotFoundError
		if err := c.ask(n, func(n *node) error { return n.RestartTask(ctx, "a", 7) }); !errors.As(err, &notFound) {
			t.Errorf("a restart of a task that is not there (D22): %v", err)
		}
		if err := c.ask(n, func(n *node) error { return n.Delete(ctx, "z") }); !errors.As(err, &notFound) {
			t.Errorf("a deletion of a connector that is not there: %v", err)
		}
		patched := config.Entries{{Key: "note", Value: text(fmt.Sprint(i))}}
		c.must(c.ask(n, func(n *node) error { _, err := n.PatchConfig(ctx, "a", patched); return err }))
		c.until("the patch is everywhere", func() bool {
			return !slices.ContainsFunc(c.all, func(n *node) bool {
				cfg, err := n.Config("a")
				return err != nil || cfg["note"] == nil || *cfg["note"] != fmt.Sprint(i) || cfg["tasks.max"] == nil
			})
		})
		c.untilState("a", "RUNNING RUNNING RUNNING")
	}
	c.must(c.ask(c.all[1], func(n *node) error { return n.Delete(t.Context(), "a") }))
	c.untilRunning()
	c.untilState("a", "")
	c.until("its topics are forgotten", func() bool {
		topics, err := c.all[0].Topics("a")
		return err == nil && len(topics) == 0
	})
	c.neverTwice()
}

func TestOffsetsOfAStoppedConnectorAreChanged(t *testing.T) {
	c := newNodes(t)
	n := c.add()
	c.must(c.put(n, "a", nil))
	offsets := func() []OffsetEntry {
		t.Helper()
		o, err := n.Offsets(t.Context(), "a")
		c.must(err)
		return o
	}
	at := func(n int64) []OffsetEntry {
		return []OffsetEntry{{Partition: map[string]any{"of": "a-0"}, Offset: map[string]any{"n": n}}}
	}
	c.until("the task has stored its offset", func() bool { return len(offsets()) == 1 })
	if diff := cmp.Diff(at(1), offsets()); diff != "" {
		t.Errorf("offsets (-want +got):\n%s", diff)
	}
	var bad *BadRequestError
	if _, err := n.AlterOffsets(t.Context(), "a", at(5)); !errors.As(err, &bad) {
		t.Errorf("offsets of a connector that runs: %v", err)
	}
	c.must(n.SetTarget(t.Context(), "a", Stopped))
	c.untilState("a", "STOPPED")
	c.untilRunning()
	_, err := n.AlterOffsets(t.Context(), "a", at(5))
	c.must(err)
	if diff := cmp.Diff(at(5), offsets()); diff != "" {
		t.Errorf("offsets (-want +got):\n%s", diff)
	}
	_, err = n.ResetOffsets(t.Context(), "a")
	c.must(err)
	if o := offsets(); len(o) != 0 {
		t.Errorf("offsets after a reset: %v", o)
	}
}

// What tasks noted about a partition is not shown, and goes with its offset.
func TestNotesOfTasksAreHiddenAndGoWithTheirOffset(t *testing.T) {
	c := newNodes(t)
	n := c.add()
	c.must(c.put(n, "a", nil))
	c.until("the task has stored its offset", func() bool {
		o, err := n.Offsets(t.Context(), "a")
		return err == nil && len(o) == 1
	})
	c.must(n.SetTarget(t.Context(), "a", Stopped))
	c.untilState("a", "STOPPED")
	c.untilRunning()
	cfg, err := n.Config("a")
	c.must(err)
	store, release, err := n.worker.Offsets(t.Context(), "a", cfg)
	c.must(err)
	defer release()
	note := func(of string) storage.Fields {
		return storage.Fields{{Name: connect.AsidePrefix + "note", Value: "1"}, {Name: "of", Value: of}}
	}
	c.must(store.Set(t.Context(), []storage.SourceOffset{
		{Connector: "a", Partition: note("a-0"), Offset: storage.Fields{{Name: "n", Value: int64(1)}}},
		{Connector: "a", Partition: note("b"), Offset: storage.Fields{{Name: "n", Value: int64(2)}}},
	}))
	all := func() (shown, notes int) {
		t.Helper()
		o, err := n.Offsets(t.Context(), "a")
		c.must(err)
		stored, err := store.Partitions(t.Context())
		c.must(err)
		return len(o), len(stored) - len(o)
	}
	if shown, notes := all(); shown != 1 || notes != 2 {
		t.Errorf("%d partitions are shown beside %d notes", shown, notes)
	}
	_, err = n.AlterOffsets(t.Context(), "a", []OffsetEntry{{Partition: map[string]any{"of": "a-0"}, Offset: map[string]any{"n": int64(5)}}})
	c.must(err)
	if shown, notes := all(); shown != 1 || notes != 1 {
		t.Errorf("after a change %d partitions are shown beside %d notes", shown, notes)
	}
	_, err = n.ResetOffsets(t.Context(), "a")
	c.must(err)
	if shown, notes := all(); shown != 0 || notes != 0 {
		t.Errorf("after a reset %d partitions are shown beside %d notes", shown, notes)
	}
}

func TestABrokenConnectorIsFailedUntilItIsMended(t *testing.T) {
	c := newNodes(t)
	n := c.add()
	c.must(c.put(n, "a", config.Map{"broken": "true"}))
	c.untilState("a", "FAILED")
	if s, err := n.Status("a"); err != nil || !strings.Contains(s.Connector.Trace, "it is broken") {
		t.Errorf("the status is %+v, %v", s, err)
	}
	if _, err := n.Restart(t.Context(), "a", false, false); err == nil || !strings.Contains(err.Error(), "it is broken") {
		t.Errorf("a restart in vain: %v", err)
	}
	c.must(c.put(n, "a", nil))
	c.untilState("a", "RUNNING RUNNING")
}

// TestWorkFindsTheWorkersThatCanRunIt: it is FAILED, with a trace that says
// why, only where there are none.
func TestWorkFindsTheWorkersThatCanRunIt(t *testing.T) {
	c := newNodes(t)
	const extra = "org.apache.kafka.connect.json.JsonConverter"
	first := c.add()
	c.must(c.put(first, "a", config.Map{"tasks.max": "2"}))
	c.must(c.put(first, "b", config.Map{"tasks.max": "3", "value.converter": extra}))
	all := []string{"a", "a-0", "a-1", "b", "b-0", "b-1", "b-2"}
	c.untilRunning(all...)
	c.add(extra)
	c.until("the second worker has all tasks that it can run", func() bool {
		s, err := first.Status("a")
		return err == nil && len(s.Tasks) == 2 && s.Tasks[0].WorkerID == c.all[1].cfg.WorkerID && s.Tasks[1].WorkerID == c.all[1].cfg.WorkerID
	})
	c.untilRunning(all...)
	c.untilState("b", "RUNNING RUNNING RUNNING RUNNING")

	c.remove(first)
	c.untilState("b", "RUNNING FAILED FAILED FAILED")
	s, err := c.all[0].Status("b")
	c.must(err)
	if trace := s.Tasks[0].Trace; !strings.Contains(trace, extra) || !strings.Contains(trace, "Converter") {
		t.Errorf("the trace of a task without its converter is %s", trace)
	}
	c.add("Resident")
	c.remove(c.all[0])
	c.untilState("a", "FAILED FAILED FAILED")
	s, err = c.all[0].Status("a")
	c.must(err)
	for _, trace := range []string{s.Connector.Trace, s.Tasks[0].Trace} {
		if !strings.Contains(trace, "Failed to find any class that implements Connector and which name matches Resident") {
			t.Errorf("the trace without the connector's class is %s", trace)
		}
	}
	c.add()
	c.untilRunning(all...)
	c.untilState("a", "RUNNING RUNNING RUNNING")
	c.neverTwice()
}

func TestTheClassesThatAWorkerLacksAreNamed(t *testing.T) {
	configs := &storage.ConfigSnapshot{Connectors: map[string]*storage.Connector{
		"b": {Config: config.Raw{"connector.class": text("Elastic"), "value.converter": text("org.a.Avro")}},
		"a": {Config: config.Raw{"connector.class": text("Resident"), "value.converter": text("org.a.Avro"), "transforms": text("x"), "transforms.x.type": text("org.a.Mask")}},
	}}
	want := []string{"Elastic (b)", "org.a.Avro (a, b)", "org.a.Mask (a)"}
	if diff := cmp.Diff(want, unknownClasses(configs, []string{"Resident"})); diff != "" {
		t.Error(diff)
	}
}

func TestOfTwoWhoCreateOneConnectorOneIsRefused(t *testing.T) {
	c := newNodes(t)
	n := c.add()
	const clients = 5
	results := make(chan error, clients)
	for range clients {
		go func() {
			_, _, err := n.PutConfig(t.Context(), "a", config.FromMap(config.Map{"name": "a", "connector.class": "Resident"}).Entries(), false, nil)
			results <- err
		}()
	}
	made := 0
	for range clients {
		err := <-results
		switch {
		case err == nil:
			made++
		case !errors.As(err, new(*ConflictError)):
			t.Errorf("one of them is told %v", err)
		}
	}
	if made != 1 {
		t.Errorf("%d of %d clients are told that they created the connector", made, clients)
	}
	c.untilRunning("a", "a-0")
}

// TestAWorkerOutlivesItsBroker: work stops while the group is out of reach,
// because others could be given it, and all goes on by itself.
func TestAWorkerOutlivesItsBroker(t *testing.T) {
	dir := t.TempDir()
	c := newNodes(t, kfake.DataDir(dir))
	c.add()
	c.add()
	c.must(c.put(c.all[0], "a", config.Map{"tasks.max": "2"}))
	c.untilState("a", "RUNNING RUNNING RUNNING")
	_, port, err := net.SplitHostPort(c.brokers[0])
	c.must(err)
	number, err := strconv.Atoi(port)
	c.must(err)
	c.broker.Close()
	c.untilRunning()
	created := make(chan error, 1)
	go func() { created <- c.put(c.all[0], "b", nil) }() // waits for the group
	names := c.all[1].Connectors()                       // does not
	if diff := cmp.Diff([]string{"a"}, names); diff != "" {
		t.Errorf("connectors while the broker is away:\n%s", diff)
	}
	c.open(kfake.DataDir(dir), kfake.Ports(number))
	c.untilRunning("a", "a-0", "a-1")
	var elsewhere *ElsewhereError
	for err := <-created; err != nil; err = c.put(c.all[0], "b", nil) {
		if !errors.As(err, &elsewhere) { // nobody knew yet who leads
			t.Fatal(err)
		}
	}
	c.untilState("b", "RUNNING RUNNING")
	c.untilState("a", "RUNNING RUNNING RUNNING")
	c.neverTwice()
}

func TestAWorkerThatIsGoneAnswersNothing(t *testing.T) {
	c := newNodes(t)
	n := c.add()
	c.remove(n)
	var unavailable *UnavailableError
	if err := n.Delete(t.Context(), "a"); !errors.As(err, &unavailable) {
		t.Errorf("a request after the end: %v", err)
	}
	if n.Ready() {
		t.Error("it says that it is ready")
	}
}

func TestAWorkerThatFindsNoBrokerStopsWhenItIsTold(t *testing.T) {
	n := &node{Herder: New(Config{Client: []kgo.Opt{kgo.SeedBrokers("127.0.0.1:1")}, ClientID: "alone"}, nil, nil, nil, zap.NewNop())}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
