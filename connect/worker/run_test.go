package worker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
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

// text converts strings; "bad" is refused both ways.
type text struct{}

func (text) Configure(config.Map, bool) error { return nil }

func (text) Append(dst []byte, _ string, _ *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if v.Str() == "bad" {
		return nil, connect.NewDataError("a bad value", nil)
	}
	return append(dst, v.Bytes()...), nil
}

func (text) Decode(_ string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return nil, data.Null, nil
	}
	if string(b) == "bad" {
		return nil, data.Null, connect.NewDataError("a bad value", nil)
	}
	return data.StringSchema, data.TextOf(b), nil
}

func (c text) AppendHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return c.Append(dst, topic, s, v)
}

func (c text) DecodeHeader(topic, _ string, b []byte) (*data.Schema, data.Value, error) {
	return c.Decode(topic, b)
}

// counter is a source of the numbers from its offset on, in batches.
type counter struct {
	to, batch int
	bad       int // this one does not convert; 0: none
	next      int
	partition *connect.SourcePartition
	names     []string
}

func (c *counter) Start(ctx context.Context, env *connect.SourceEnv) error {
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
		value := strconv.Itoa(c.next)
		if c.next == c.bad {
			value = "bad"
		}
		r.Topic, r.ValueSchema, r.Value = "numbers", data.StringSchema, data.TextOf(b.Copy([]byte(value)))
		r.Source = c.partition
		at := b.Values(1)
		at[0] = data.Int64Of(int64(c.next))
		r.SourceOffset = connect.SourceOffset{Names: c.names, Values: at}
	}
	return nil
}

func (c *counter) Stop(context.Context) error { return nil }

// collector is a sink that keeps what it was given.
type collector struct {
	mu    sync.Mutex
	got   []string
	puts  int
	fail  func(put int, records []connect.Record) error // before anything is kept
	env   *connect.SinkEnv
	block chan struct{} // Put waits for it when set
}

func (c *collector) Start(_ context.Context, env *connect.SinkEnv) error { c.env = env; return nil }
func (c *collector) Stop(context.Context) error                          { return nil }

func (c *collector) Put(ctx context.Context, records []connect.Record) error {
	if c.block != nil {
		select {
		case <-c.block:
		case <-ctx.Done():
			return ctx.Err()
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

// bed is a worker on a fake broker.
type bed struct {
	t       *testing.T
	cluster *kfake.Cluster
	worker  *Worker
	offsets *storage.Offsets
	admin   *kadm.Client
	heard   *listener
	cfg     config.Raw
}

// listener is heard from many goroutines.
type listener struct {
	mu sync.Mutex
	heard
}

func (l *listener) StatusChanged(s Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard.StatusChanged(s)
}

func (l *listener) TopicUsed(c string, task int, topic string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard.TopicUsed(c, task, topic)
}

func (l *listener) last() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.statuses) == 0 {
		return Status{}
	}
	return l.statuses[len(l.statuses)-1]
}

func newBed(t *testing.T, source func() any, sink func() any, cfg config.Map) *bed {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DefaultNumPartitions(1), kfake.AllowAutoTopicCreation(), kfake.SeedTopics(1, "numbers"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	brokers := cluster.ListenAddrs()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, cluster: cluster, heard: &listener{}, admin: kadm.NewClient(client)}
	t.Cleanup(b.admin.Close)
	b.offsets, err = storage.OpenOffsets(t.Context(), storage.LogConfig{Topic: storage.Topic{Name: "offsets", Partitions: 1, Replication: 1}, Client: []kgo.Opt{kgo.SeedBrokers(brokers...)}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tail sync.WaitGroup
	tail.Go(func() { _ = b.offsets.Run(ctx) })
	t.Cleanup(func() { cancel(); tail.Wait(); b.offsets.Close() })
	connector := func(class string, kind connect.PluginKind, task func() any) connect.Plugin {
		return connect.Plugin{Class: class, Kind: kind, Version: "1", TaskClass: class + "Task", Def: config.NewDef(), NewTask: task}
	}
	converter := connect.Plugin{Class: "Text", Def: config.NewDef(), New: func() any { return text{} }, Kind: connect.ConverterPlugin}
	header := converter
	header.Kind = connect.HeaderConverterPlugin
	registry, err := plugin.New(connector("Counter", connect.SourcePlugin, source), connector("Collector", connect.SinkPlugin, sink), converter, header)
	if err != nil {
		t.Fatal(err)
	}
	b.worker = New(Config{
		Properties: config.Map{"bootstrap.servers": strings.Join(brokers, ","), "key.converter": "Text", "value.converter": "Text", "header.converter": "Text",
			"consumer.heartbeat.interval.ms": "100", "consumer.metadata.max.age.ms": "200"},
		FlushInterval: 20 * time.Millisecond, FlushTimeout: 5 * time.Second, GracefulTimeout: 5 * time.Second, TopicTracking: true,
	}, registry, nil, b.offsets, b.heard, zap.NewNop())
	m := config.Map{"name": "c", "connector.class": "Collector", "topics": "numbers"}
	if source != nil {
		m = config.Map{"name": "c", "connector.class": "Counter"}
	}
	for k, v := range cfg {
		m[k] = v
	}
	b.cfg = config.FromMap(m)
	return b
}

var theTask = group.ID{Connector: "c", Task: 0}

func (b *bed) start() { b.worker.StartTask(theTask, b.cfg, config.Map{}, TargetRunning) }
func (b *bed) stop()  { b.worker.StopTasks([]group.ID{theTask}, OnRevoke) }

func (b *bed) until(what string, condition func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: not within 30 s; the last status is %+v", what, b.heard.last())
		}
		<-time.After(2 * time.Millisecond)
	}
}

// topic returns the values of the topic numbers.
func (b *bed) topic() (all []string) {
	b.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.ConsumeTopics("numbers"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		b.t.Fatal(err)
	}
	defer cl.Close()
	ends, err := b.admin.ListEndOffsets(b.t.Context(), "numbers")
	if err != nil {
		b.t.Fatal(err)
	}
	end, _ := ends.Lookup("numbers", 0)
	for int64(len(all)) < end.Offset {
		cl.PollFetches(b.t.Context()).EachRecord(func(r *kgo.Record) { all = append(all, string(r.Value)) })
	}
	return all
}

func (b *bed) stored() int {
	b.t.Helper()
	o, err := (&offsetReader{b.offsets, "c"}).Offset(b.t.Context(), &connect.SourcePartition{Fields: []connect.Field{{Name: "p", Value: data.StringOf("numbers")}}})
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
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.DefaultProduceTopic("numbers"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer cl.Close()
	for _, v := range values {
		if err := cl.ProduceSync(b.t.Context(), kgo.StringRecord(v)).FirstErr(); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bed) committed() int64 {
	offsets, err := b.admin.FetchOffsets(b.t.Context(), "connect-c")
	if err != nil {
		return 0
	}
	o, _ := offsets.Lookup("numbers", 0)
	return o.At
}

func numbers(from, to int) []string {
	all := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

func TestASourceGoesOnBehindItsLastRecord(t *testing.T) {
	task := &counter{to: 5000, batch: 100}
	b := newBed(t, func() any { return task }, nil, nil)
	b.start()
	b.until("offsets are stored", func() bool { return b.stored() == 5000 })
	b.stop()
	task.to = 5010
	b.start()
	b.until("offsets are stored", func() bool { return b.stored() == 5010 })
	b.stop()
	if got, want := strings.Join(b.topic(), " "), strings.Join(numbers(1, 5010), " "); got != want {
		t.Errorf("the topic has %d bytes of numbers, want %d: something is lost, repeated or out of order", len(got), len(want))
	}
	if last := b.heard.last(); last.State != Unassigned {
		t.Errorf("the last status is %s", last.State)
	}
}

func TestASourceStoresNoOffsetOfWhatKafkaDoesNotAcknowledge(t *testing.T) {
	b := newBed(t, func() any { return &counter{to: 100, batch: 10} }, nil, nil)
	refuse := make(chan struct{})
	b.cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		select {
		case <-refuse:
			return nil, nil, false
		default:
		}
		produce := req.(*kmsg.ProduceRequest)
		resp := produce.ResponseKind().(*kmsg.ProduceResponse)
		resp.Default()
		for _, topic := range produce.Topics {
			if topic.Topic == "offsets" {
				return nil, nil, false
			}
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, kerr.NotEnoughReplicas.Code
				answer.Partitions = append(answer.Partitions, part)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
	b.start()
	b.until("the task runs", func() bool { return b.heard.last().State == Running })
	for range 20 {
		if n := b.stored(); n != 0 {
			t.Fatalf("position %d is stored while nothing was acknowledged", n)
		}
	}
	close(refuse)
	b.until("offsets are stored", func() bool { return b.stored() == 100 })
	b.stop()
}

func TestABadRecordOfASourceFailsTheTask(t *testing.T) {
	b := newBed(t, func() any { return &counter{to: 10, batch: 2, bad: 5} }, nil, nil)
	b.start()
	b.until("the task fails", func() bool { return b.heard.last().State == Failed })
	if trace := b.heard.last().Trace; !strings.HasPrefix(trace, "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\nCaused by: org.apache.kafka.connect.errors.DataException: a bad value") {
		t.Errorf("the trace is %s", trace)
	}
	b.until("what was acknowledged is stored", func() bool { return b.stored() == 4 })
	b.stop()
}

func TestABadRecordOfASourceIsSkippedUnderTolerance(t *testing.T) {
	b := newBed(t, func() any { return &counter{to: 10, batch: 2, bad: 5} }, nil, config.Map{"errors.tolerance": "all"})
	b.start()
	b.until("offsets are stored", func() bool { return b.stored() == 10 })
	b.stop()
	if got := strings.Join(b.topic(), " "); got != "1 2 3 4 6 7 8 9 10" {
		t.Errorf("the topic holds %s", got)
	}
}

func TestASinkCommitsWhatWasPut(t *testing.T) {
	task := &collector{}
	b := newBed(t, nil, func() any { return task }, nil)
	b.produce(numbers(1, 20)...)
	b.start()
	b.until("offsets are committed", func() bool { return b.committed() == 20 })
	b.produce("21")
	b.until("the next one arrives", func() bool { return strings.HasSuffix(task.values(), " 21") })
	b.stop()
	if got, want := task.values(), strings.Join(numbers(1, 21), " "); got != want {
		t.Errorf("the sink has %s", got)
	}
	if n := b.committed(); n != 21 {
		t.Errorf("offset %d is committed after the stop, want 21", n)
	}
}

func TestASinkRepeatsADeliveryWhileTheErrorIsRetriable(t *testing.T) {
	task := &collector{fail: func(put int, _ []connect.Record) error {
		if put <= 3 {
			return &connect.Error{Kind: connect.Retriable, Message: "the database is down", RetryAfter: time.Millisecond}
		}
		return nil
	}}
	b := newBed(t, nil, func() any { return task }, config.Map{"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"})
	b.produce(numbers(1, 5)...)
	b.start()
	b.until("offsets are committed", func() bool { return b.committed() == 5 })
	b.stop()
	if got := task.values(); got != "1 2 3 4 5" {
		t.Errorf("the sink has %s", got)
	}
	if ends, err := b.admin.ListEndOffsets(t.Context(), "dead"); err != nil {
		t.Error(err)
	} else if o, _ := ends.Lookup("dead", 0); o.Offset != 0 {
		t.Errorf("%d good records went to the dead letter queue", o.Offset)
	}
}

func TestABadRecordOfASinkFailsTheTaskAfterWhatCameBefore(t *testing.T) {
	task := &collector{}
	b := newBed(t, nil, func() any { return task }, config.Map{"consumer.override.max.poll.records": "1"})
	b.produce("1", "2", "bad", "4")
	b.start()
	b.until("the task fails", func() bool { return b.heard.last().State == Failed })
	if got := task.values(); got != "1 2" {
		t.Errorf("the sink has %s", got)
	}
	b.until("what was put is committed", func() bool { return b.committed() == 2 })
	b.stop()
}

func TestABadRecordGoesToTheDeadLetterQueueWithItsContext(t *testing.T) {
	task := &collector{}
	b := newBed(t, nil, func() any { return task }, config.Map{"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead",
		"errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true"})
	b.produce("1", "bad", "3")
	b.start()
	b.until("offsets are committed", func() bool { return b.committed() == 3 })
	b.stop()
	if got := task.values(); got != "1 3" {
		t.Errorf("the sink has %s", got)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.ConsumeTopics("dead"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	var dead []*kgo.Record
	for len(dead) == 0 {
		dead = cl.PollFetches(t.Context()).Records()
	}
	var got []string
	for _, h := range dead[0].Headers {
		got = append(got, fmt.Sprintf("%s=%q", strings.TrimPrefix(h.Key, "__connect.errors."), h.Value))
	}
	want := `topic="numbers" partition="0" offset="1" connector.name="c" task.id="0" stage="VALUE_CONVERTER" class.name="Text" ` +
		`exception.class.name="org.apache.kafka.connect.errors.DataException" exception.message="a bad value" ` +
		`exception.stacktrace="org.apache.kafka.connect.errors.DataException: a bad value\n"`
	if string(dead[0].Value) != "bad" || strings.Join(got, " ") != want {
		t.Errorf("the dead letter is %q with %s", dead[0].Value, strings.Join(got, " "))
	}
}

func TestAReportedRecordIsTheOneThatWasConsumed(t *testing.T) {
	task := &collector{}
	task.fail = func(_ int, records []connect.Record) error {
		for i := range records {
			if records[i].Value.Str() == "2" {
				if err := task.env.Reporter.Report(t.Context(), &records[i], errors.New("too long")); err != nil {
					return err
				}
			}
		}
		return nil
	}
	b := newBed(t, nil, func() any { return task }, config.Map{"errors.tolerance": "none", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"})
	b.produce("1", "2", "3")
	b.start()
	b.until("the task fails", func() bool { return b.heard.last().State == Failed })
	b.stop()
	if ends, err := b.admin.ListEndOffsets(t.Context(), "dead"); err != nil {
		t.Error(err)
	} else if o, _ := ends.Lookup("dead", 0); o.Offset != 1 {
		t.Errorf("the dead letter queue has %d records, want 1: also without tolerance the record is reported before the task fails", o.Offset)
	}
}

func TestAPausedSinkDeliversNothing(t *testing.T) {
	task := &collector{}
	b := newBed(t, nil, func() any { return task }, nil)
	b.produce("1")
	b.start()
	b.until("the first arrives", func() bool { return task.values() == "1" })
	b.worker.SetTarget("c", TargetPaused, func(bool, error) {})
	b.until("it is paused", func() bool { return b.heard.last().State == Paused })
	b.produce("2")
	b.until("the first is committed", func() bool { return b.committed() == 1 })
	if got := task.values(); got != "1" {
		t.Errorf("the paused sink has %s", got)
	}
	b.worker.SetTarget("c", TargetRunning, func(bool, error) {})
	b.until("the second arrives", func() bool { return task.values() == "1 2" })
	b.stop()
}

func TestATaskThatHangsIsLeftBehindWithoutALateStatus(t *testing.T) {
	task := &collector{block: make(chan struct{})}
	b := newBed(t, nil, func() any { return task }, nil)
	b.worker.cfg.GracefulTimeout = 50 * time.Millisecond
	b.produce("1")
	b.start()
	b.until("the task runs", func() bool { return b.heard.last().State == Running })
	b.stop() // Put ends with its context, so the task does stop, after the graceful time
	if s := b.heard.last().State; s != Unassigned {
		t.Errorf("the last status is %s", s)
	}
	if n := b.committed(); n > 0 {
		t.Errorf("offset %d is committed of what was never put", n)
	}
}
