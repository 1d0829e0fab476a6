package worker

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/group"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text converts strings. "bad" is refused both ways; the first two attempts at
// "shaky" fail, as those of a registry that is restarted; "registered" waits
// for one that is away. "unanswered" waits for one that never answers.
type text struct {
	shaken int
	away   *atomic.Bool
	asked  *atomic.Int64 // attempts at "registered" while it is away
	closed chan struct{}
}

func (c *text) Close() error { close(c.closed); return nil }

func (*text) Configure(config.Map, bool) error { return nil }

func (c *text) check(s string) error {
	switch s {
	case "bad":
		return connect.NewDataError("a bad value", nil)
	case "shaky":
		if c.shaken++; c.shaken <= 2 {
			return connect.NewRetriable("not now", nil)
		}
	case "unanswered":
		c.asked.Add(1)
		<-c.closed
		return connect.NewRetriable("the converter was closed", nil)
	case "registered":
		if c.away.Load() {
			c.asked.Add(1)
			return connect.NewRetriable("no registry", nil)
		}
	}
	return nil
}

func (c *text) Append(dst []byte, _ string, _ *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if err := c.check(v.Str()); err != nil {
		return nil, err
	}
	if dst == nil {
		dst = []byte{}
	}
	return append(dst, v.Bytes()...), nil
}

func (c *text) Decode(_ string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return nil, data.Null, nil
	}
	if err := c.check(string(b)); err != nil {
		return nil, data.Null, err
	}
	return data.StringSchema, data.TextOf(b), nil
}

func (c *text) AppendHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return c.Append(dst, topic, s, v)
}

func (c *text) DecodeHeader(topic, _ string, b []byte) (*data.Schema, data.Value, error) {
	return c.Decode(topic, b)
}

// sieve is a transformation: it drops "drop", refuses "fail", is never ready
// for "never", and the first two attempts at "tremble" fail, after they changed
// the record.
type sieve struct {
	trembled int
	tried    *atomic.Int64 // attempts at "never"
}

func (*sieve) Configure(config.Map) error { return nil }

func (s *sieve) Apply(r *connect.Record) (bool, error) {
	switch r.Value.Str() {
	case "drop":
		return false, nil
	case "fail":
		return false, connect.NewDataError("a value that no sieve takes", nil)
	case "tremble":
		if s.trembled++; s.trembled <= 2 {
			r.Topic, r.Value = "elsewhere", data.StringOf("half done")
			return false, connect.NewRetriable("not now", nil)
		}
	case "never":
		s.tried.Add(1)
		return false, connect.NewRetriable("not now", nil)
	}
	return true, nil
}

// picky takes no configuration.
type picky struct{ sieve }

func (*picky) Configure(config.Map) error {
	return &config.Error{Whole: true, Message: "No sieve configured"}
}

// sieved is the configuration of a connector with the sieve.
var sieved = config.Map{"transforms": "s", "transforms.s.type": "Sieve"}

// counter is a source of the numbers from its offset on, in batches.
type counter struct {
	to, batch int
	limit     func() int           // nil: to
	values    map[int]string       // what stands for a number
	topic     func(n int) string   // nil: always numbers
	poll      func(next int) error // before anything is read
	after     func(next int) error // after a batch was filled
	start     func(attempt int) error
	shape     func(n int, r *connect.Record)

	next, starts, stops int
	told                atomic.Int64 // calls of Committed
	partition           *connect.SourcePartition
	names               []string
}

func (c *counter) Start(ctx context.Context, env *connect.SourceEnv) error {
	c.starts++
	if c.start != nil {
		if err := c.start(c.starts); err != nil {
			return err
		}
	}
	c.partition = &connect.SourcePartition{Fields: []connect.Field{{Name: "p", Value: data.StringOf("numbers")}}}
	c.names = []string{"n"}
	o, err := env.Offsets.Offset(ctx, c.partition)
	if err != nil {
		return err
	}
	c.next = 1
	if n := o.Get("n"); !n.IsNull() {
		c.next = int(n.Int()) + 1
	}
	return nil
}

func (c *counter) Poll(ctx context.Context, b *connect.SourceBatch) error {
	if c.poll != nil {
		if err := c.poll(c.next); err != nil {
			return err
		}
	}
	if c.limit != nil {
		c.to = c.limit()
	}
	if c.next > c.to {
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
		return nil
	}
	b.Limit(c.batch)
	for ; c.next <= c.to && !b.Full(); c.next++ {
		r := b.Add()
		value, ok := c.values[c.next]
		if !ok {
			value = strconv.Itoa(c.next)
		}
		r.Topic, r.ValueSchema, r.Value = "numbers", data.StringSchema, data.TextOf(b.Copy([]byte(value)))
		if c.topic != nil {
			r.Topic = c.topic(c.next)
		}
		r.Source = c.partition
		at := b.Values(1)
		at[0] = data.Int64Of(int64(c.next))
		r.SourceOffset = connect.SourceOffset{Names: c.names, Values: at}
		if c.shape != nil {
			c.shape(c.next, r)
		}
	}
	if c.after != nil {
		return c.after(c.next)
	}
	return nil
}

func (c *counter) Stop(context.Context) error { c.stops++; return nil }

func (c *counter) Committed(context.Context) error { c.told.Add(1); return nil }

// collector is a sink that keeps what it was given.
type collector struct {
	start func(attempt int) error
	enter func(ctx context.Context) error               // at the beginning of Put
	fail  func(put int, records []connect.Record) error // before anything is kept
	env   *connect.SinkEnv

	mu            sync.Mutex
	got           []string
	puts          int
	starts, stops int
}

func (c *collector) Start(_ context.Context, env *connect.SinkEnv) error {
	c.env = env
	c.starts++
	if c.start != nil {
		return c.start(c.starts)
	}
	return nil
}

func (c *collector) Stop(context.Context) error { c.stops++; return nil }

func (c *collector) Put(ctx context.Context, records []connect.Record) error {
	if c.enter != nil {
		if err := c.enter(ctx); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.puts++
	if c.fail != nil {
		if err := c.fail(c.puts, records); err != nil {
			return err
		}
	}
	for i := range records {
		c.got = append(c.got, strings.Clone(records[i].Value.Str()))
	}
	return nil
}

func (c *collector) values() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.got, " ")
}

// parts is what a test has on its bed.
type parts struct {
	source     func() connect.SourceTask
	sink       func() connect.SinkTask
	connector  func() connect.Connector
	config     config.Map    // of the connector, beside its name and class
	worker     func(*Config) // changes the worker's configuration
	partitions int32         // of the topic numbers; 0: one
	brokers    int           // 0: one
}

// bed is a worker on a fake broker.
type bed struct {
	t       *testing.T
	cluster *kfake.Cluster
	worker  *Worker
	offsets *storage.Offsets
	admin   *kadm.Client
	heard   *heard
	cfg     config.Raw
	refused atomic.Int64 // produce requests
	tried   atomic.Int64 // attempts of the sieve at "never"
	away    atomic.Bool  // the converters' registry is down
	asked   atomic.Int64 // attempts of the converters meanwhile
	later   atomic.Int64 // ns by which the worker's clock is ahead
}

func newBed(t *testing.T, p parts) *bed {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(max(p.brokers, 1)), kfake.DefaultNumPartitions(1), kfake.AllowAutoTopicCreation(),
		kfake.SeedTopics(max(p.partitions, 1), "numbers"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	b := &bed{t: t, cluster: cluster, heard: &heard{}}
	b.admin = kadm.NewClient(b.client())
	topic := storage.Topic{Name: "offsets", Partitions: 1, Replication: 1}
	b.offsets, err = storage.OpenOffsets(t.Context(), storage.LogConfig{Topic: topic, Client: []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tail sync.WaitGroup
	tail.Go(func() { _ = b.offsets.Run(ctx) })
	t.Cleanup(func() { cancel(); tail.Wait(); b.offsets.Close() })

	if p.connector == nil {
		p.connector = func() connect.Connector { return &planner{} }
	}
	class := "Counter"
	own := config.Map{}
	task := func() any { return p.source() }
	kind := connect.SourcePlugin
	if p.sink != nil {
		class, kind = "Collector", connect.SinkPlugin
		own["topics"] = "numbers"
		task = func() any { return p.sink() }
	}
	registry, err := plugin.New(
		connect.Plugin{Class: class, Kind: kind, Version: "1", TaskClass: class + "Task", Def: config.NewDef(), NewTask: task, New: func() any { return p.connector() }},
		connect.Plugin{Class: "Text", Kind: connect.ConverterPlugin, Def: config.NewDef(), New: func() any { return &text{away: &b.away, asked: &b.asked, closed: make(chan struct{})} }},
		connect.Plugin{Class: "Text", Kind: connect.HeaderConverterPlugin, Def: config.NewDef(), New: func() any { return &text{away: &b.away, asked: &b.asked, closed: make(chan struct{})} }},
		connect.Plugin{Class: "Picky", Kind: connect.TransformationPlugin, Def: config.NewDef(), New: func() any { return &picky{} }},
		connect.Plugin{Class: "Sieve", Kind: connect.TransformationPlugin, Def: config.NewDef(), New: func() any { return &sieve{tried: &b.tried} }},
	)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Properties: config.Map{"bootstrap.servers": strings.Join(cluster.ListenAddrs(), ","), "key.converter": "Text", "value.converter": "Text", "header.converter": "Text",
			"producer.linger.ms": "0", "consumer.heartbeat.interval.ms": "100", "consumer.metadata.max.age.ms": "200"},
		FlushInterval: 20 * time.Millisecond, FlushTimeout: 5 * time.Second, GracefulTimeout: 5 * time.Second, TopicTracking: true, OffsetsTopic: topic,
	}
	if p.worker != nil {
		p.worker(&cfg)
	}
	b.worker = New(cfg, registry, nil, b.offsets, b.heard, zap.NewNop())
	b.worker.now = func() time.Time { return time.Now().Add(time.Duration(b.later.Load())) }
	own["name"], own["connector.class"] = "c", class
	for k, v := range p.config {
		own[k] = v
	}
	b.cfg = config.FromMap(own)
	t.Cleanup(func() { // of a test that ended early
		connectors, tasks := b.worker.Running()
		b.worker.Stop(connectors, tasks, OnRevoke)
	})
	return b
}

func (b *bed) client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.cluster.ListenAddrs()...))...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(cl.Close)
	return cl
}

var theTask = group.ID{Connector: "c", Task: 0}

func (b *bed) start() { b.startTask(0, TargetRunning) }

func (b *bed) startTask(n int, target Target) {
	b.worker.StartTask(group.ID{Connector: "c", Task: n}, b.cfg, config.Map{}, target)
}

func (b *bed) stop() { b.worker.Stop(nil, []group.ID{theTask}, OnRevoke) }

func (b *bed) until(what string, condition func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: not within 30 s; the last status is %+v", what, b.heard.last(theTask))
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (b *bed) untilState(s State) {
	b.t.Helper()
	b.until("the task is "+string(s), func() bool { return b.heard.last(theTask).State == s })
}

func (b *bed) untilStored(n int) {
	b.t.Helper()
	b.until("position "+strconv.Itoa(n)+" is stored", func() bool { return b.stored() == n })
}

func (b *bed) untilCommitted(n int64) {
	b.t.Helper()
	b.until("offset "+strconv.FormatInt(n, 10)+" is committed", func() bool { return b.committed() == n })
}

// records returns what a topic's first partitions hold, in the order of the
// partitions.
func (b *bed) records(topic string) (all []*kgo.Record) {
	b.t.Helper()
	ends, err := b.admin.ListEndOffsets(b.t.Context(), topic)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, end := range ends.Offsets().Sorted() {
		cl := b.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {end.Partition: kgo.NewOffset().AtStart()}}))
		for n := int64(0); n < end.At; {
			for _, r := range cl.PollFetches(b.t.Context()).Records() {
				all = append(all, r)
				n = r.Offset + 1
			}
		}
	}
	return all
}

// topic returns the values of the topic numbers.
func (b *bed) topic() (all []string) {
	b.t.Helper()
	for _, r := range b.records("numbers") {
		all = append(all, string(r.Value))
	}
	return all
}

// stored is the position that the counter would go on behind; 0: none.
func (b *bed) stored() int {
	b.t.Helper()
	o, err := (&offsetReader{storage.InWorkerTopic("c", b.offsets)}).Offset(b.t.Context(), &connect.SourcePartition{Fields: []connect.Field{{Name: "p", Value: data.StringOf("numbers")}}})
	if err != nil {
		b.t.Fatal(err)
	}
	if n := o.Get("n"); !n.IsNull() {
		return int(n.Int())
	}
	return 0
}

func (b *bed) produce(values ...string) {
	b.t.Helper()
	all := make([]*kgo.Record, len(values))
	for i, v := range values {
		all[i] = kgo.StringRecord(v)
	}
	b.produceRecords(all...)
}

// produceRecords produces to the topic numbers, to the first partition unless
// a record says otherwise.
func (b *bed) produceRecords(all ...*kgo.Record) {
	b.t.Helper()
	cl := b.client(kgo.DefaultProduceTopic("numbers"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer cl.Close()
	if err := cl.ProduceSync(b.t.Context(), all...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

// running returns a task that runs, to see it end.
func (b *bed) running(id group.ID) *task {
	b.worker.mu.Lock()
	defer b.worker.mu.Unlock()
	return b.worker.tasks[id]
}

// committed is the offset of the sink's group in the first partition; 0: none.
func (b *bed) committed() int64 {
	offsets, err := b.admin.FetchOffsets(b.t.Context(), "connect-c")
	if err != nil {
		return 0
	}
	o, _ := offsets.Lookup("numbers", 0)
	return max(o.At, 0)
}

// onProduce calls handle with every produce request to a topic that exists,
// within the broker's loop. An answer of true is the code of a refusal.
func (b *bed) onProduce(topic string, handle func() (code int16, refused bool)) {
	b.t.Helper()
	info := b.cluster.TopicInfo(topic)
	if info == nil {
		b.t.Fatalf("topic %s does not exist", topic)
	}
	b.cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		about := func(t kmsg.ProduceRequestTopic) bool { return t.Topic == topic || t.TopicID == info.TopicID }
		if !slices.ContainsFunc(produce.Topics, about) {
			return nil, nil, false
		}
		code, refused := handle()
		if !refused {
			return nil, nil, false
		}
		resp := produce.ResponseKind().(*kmsg.ProduceResponse)
		resp.Default()
		for _, t := range produce.Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, code
				answer.Partitions = append(answer.Partitions, part)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
}

// refuse answers produce requests to a topic with an error until the returned
// function is called.
func (b *bed) refuse(topic string, code int16) (heal func()) {
	b.t.Helper()
	var healed atomic.Bool
	b.onProduce(topic, func() (int16, bool) {
		if healed.Load() {
			return 0, false
		}
		b.refused.Add(1)
		return code, true
	})
	return func() { healed.Store(true) }
}

func numbers(from, to int) []string {
	all := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

// heard is what a worker reports.
type heard struct {
	mu       sync.Mutex
	statuses []Status
	topics   []string
	planned  int
}

func (h *heard) StatusChanged(s Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statuses = append(h.statuses, s)
}

func (h *heard) TopicUsed(_ string, _ int, topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.topics = append(h.topics, topic)
}

func (h *heard) ReconfigurationRequested(string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.planned++
}

// usedTopics returns the topics that were reported, in order.
func (h *heard) usedTopics() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.topics)
}

// last returns the newest status of a connector or task.
func (h *heard) last(id group.ID) Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.statuses) - 1; i >= 0; i-- {
		if h.statuses[i].ID == id {
			return h.statuses[i]
		}
	}
	return Status{}
}

// states returns every state that was reported, in order.
func (h *heard) states() (all []State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.statuses {
		all = append(all, s.State)
	}
	return all
}
