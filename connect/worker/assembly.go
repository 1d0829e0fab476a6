package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/kafkaconf"
	"kconnect/connect/metrics"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
	"kconnect/connect/transform"
)

// deliveryRecords is how many records a delivery of a sink task holds at most
// when nobody set max.poll.records: enough for large statements and few
// transactions.
const deliveryRecords = 3000

// newTask puts a task together. The returned function runs it.
func (w *Worker) newTask(ctx context.Context, t *task, connectorConfig config.Raw, taskConfig config.Map, log *zap.Logger) (func(soft, hard context.Context) error, error) {
	cfg, filled, err := w.resolve(connectorConfig)
	if err != nil {
		return nil, err
	}
	own, more, err := w.resolve(config.FromMap(taskConfig))
	if err != nil {
		return nil, err
	}
	maps.Copy(filled, more)
	t.life.filled, log = filled, hiding(log, filled)
	p, err := w.registry.Connector(cfg["connector.class"])
	if err != nil {
		return nil, err
	}
	common, err := p.CommonDef().Parse(cfg)
	if err != nil {
		return nil, err
	}
	chain, err := transform.NewChain(w.registry, cfg)
	if err != nil {
		return nil, connect.NewError(connect.ClassOf(err)+": "+connect.MessageOf(err), err) // as in Java
	}
	health := &health{now: w.now}
	b := base{
		id: t.id, log: log, now: w.now, health: health, pause: t.pause, report: t.life.move, meter: t.meter,
		tolerance: newTolerance(common, cfg, fmt.Sprintf("%s-%d", t.id.Connector, t.id.Task), p.Kind == connect.SourcePlugin, log),
	}
	b.tolerance.errors = &t.meter.Errors
	env := connect.Env{Connector: t.id.Connector, Task: t.id.Task, Config: own, Logger: log, Now: w.now, Health: health, Metrics: t.meter.Plugin}
	onTopic := func(topic string) {
		if w.cfg.TopicTracking {
			w.listener.TopicUsed(t.id.Connector, t.id.Task, topic)
		}
	}
	a := assembly{w: w, cfg: cfg, filled: filled, base: b, env: env, chain: chain, onTopic: onTopic}
	if a.key, a.classes.key, err = w.converter("key.converter", cfg, true); err != nil {
		return nil, err
	}
	if a.value, a.classes.value, err = w.converter("value.converter", cfg, false); err != nil {
		return nil, err
	}
	if a.header, a.classes.header, err = w.headerConverter(cfg); err != nil {
		return nil, err
	}
	for _, c := range []any{a.key, a.value, a.header} {
		if c, ok := c.(io.Closer); ok {
			context.AfterFunc(ctx, func() {
				if err := c.Close(); err != nil {
					log.Warn("Closing a converter failed", zap.Error(err))
				}
			})
		}
	}
	t.meter.Describe(w.about(p, &a, health))
	var run func(soft, hard context.Context) error
	switch task := p.NewTask().(type) {
	case connect.SourceTask:
		run, err = a.source(task)
	case connect.SinkTask:
		run, err = a.sink(ctx, task, common)
	default:
		err = connect.NewError("The class "+p.TaskClass+" is neither a source nor a sink task", nil)
	}
	if err == nil {
		t.life.version = p.Version // which the status of a task that cannot be put together lacks, as in Java
	}
	return run, err
}

// clientRefused is the error of settings that a Kafka client does not take.
func clientRefused(err error) error {
	return &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: err.Error()}
}

// assembly is the parts of one task.
type assembly struct {
	w       *Worker
	cfg     config.Map // the connector's
	filled  config.Filled
	base    base
	env     connect.Env
	chain   *transform.Chain
	key     connect.Converter
	value   connect.Converter
	header  connect.HeaderConverter
	classes converterClasses
	onTopic func(topic string)
}

// client returns the settings of one of the task's Kafka clients.
func (a *assembly) client(worker, override, id string) (config.Map, error) {
	m, err := a.settings(worker, override)
	if _, set := m["client.id"]; err == nil && !set {
		m["client.id"] = "connector-" + id + "-" + a.base.id.Connector + "-" + strconv.Itoa(a.base.id.Task)
	}
	return m, err
}

// settings returns those of one kind of the connector's Kafka clients: the
// worker's bootstrap servers, its settings of that kind, then the connector's
// overrides. A configuration that the REST API would not take may still be in
// the config topic: overrides that the policy forbids are an error here too, as
// in Java.
func (a *assembly) settings(worker, override string) (config.Map, error) {
	m := config.Map{"bootstrap.servers": a.w.cfg.Properties["bootstrap.servers"]}
	for k, v := range a.w.cfg.Properties.WithPrefix(worker) {
		m[k] = v
	}
	policy := a.w.cfg.Properties["connector.client.config.override.policy"]
	var forbidden []string
	for k, v := range a.cfg.WithPrefix(override) {
		m[k] = v
		if k == kafkaconf.AllowedURLs || !plugin.Overridable(a.w.cfg.Properties, policy, k) {
			forbidden = append(forbidden, override+k)
		}
	}
	if allowed, set := a.w.cfg.Properties[kafkaconf.AllowedURLs]; set {
		m[kafkaconf.AllowedURLs] = allowed // of the worker alone
	}
	if len(forbidden) > 0 {
		slices.Sort(forbidden)
		return nil, connect.NewError("Client Config Overrides not allowed "+fmt.Sprint(forbidden)+" by the policy "+policy+
			": take them out of the connector's configuration, or change connector.client.config.override.policy on the workers", nil)
	}
	return m, nil
}

// producer is one of the task's producers.
type producer struct {
	client *kgo.Client
	sent   *metrics.Client
	// patience is how long a record may wait for its acknowledgement
	// (delivery.timeout.ms); 0 when nobody set that, which is for ever, as in Java.
	patience time.Duration
}

func (a *assembly) producer(id string) (producer, error) {
	m, err := a.client("producer.", "producer.override.", id)
	if err != nil {
		return producer{}, err
	}
	opts, err := kafkaconf.Producer(m)
	if err != nil {
		return producer{}, clientRefused(err)
	}
	p := producer{sent: a.base.meter.Client(metrics.Producer, m["client.id"])}
	p.sent.Buffer(bufferMemory(m))
	if ms, err := strconv.ParseInt(strings.TrimSpace(m["delivery.timeout.ms"]), 10, 32); err == nil && ms < math.MaxInt32 {
		p.patience = time.Duration(ms) * time.Millisecond
	}
	// The library counts from the record's timestamp, which may be years ago,
	// and so must not count at all.
	p.client, err = kgo.NewClient(append(opts, kgo.RecordDeliveryTimeout(0), kgo.AllowAutoTopicCreation(), kgo.WithHooks(a.base.health, p.sent))...)
	return p, err
}

func (a *assembly) admin() (*kadm.Client, error) {
	m, err := a.client("admin.", "admin.override.", "adminclient")
	if err != nil {
		return nil, err
	}
	opts, err := kafkaconf.Common(m)
	if err != nil {
		return nil, clientRefused(err)
	}
	cl, err := kgo.NewClient(append(opts, kgo.WithHooks(a.base.meter.Client(metrics.Admin, m["client.id"])))...)
	if err != nil {
		return nil, err
	}
	return kadm.NewClient(cl), nil
}

func (a *assembly) source(task connect.SourceTask) (func(soft, hard context.Context) error, error) {
	var groups []topicGroup
	if a.w.cfg.TopicCreation {
		var err error
		if groups, err = newTopicGroups(a.cfg); err != nil {
			return nil, err
		}
	}
	if topic := a.cfg["offsets.storage.topic"]; topic != "" && a.w.cfg.OffsetsTopic.Name == "" {
		a.base.log.Warn("offsets.storage.topic has no effect in standalone mode: the offsets are in the worker's file", zap.String("topic", topic))
	}
	producer, err := a.producer("producer")
	if err != nil {
		return nil, err
	}
	admin, err := a.admin()
	if err != nil {
		producer.client.Close()
		return nil, err
	}
	s := &source{
		base: a.base, task: task, chain: a.chain, key: a.key, value: a.value, header: a.header, classes: a.classes,
		producer: producer.client, sent: producer.sent, patience: producer.patience, flush: a.w.cfg.FlushInterval, timeout: a.w.cfg.FlushTimeout,
		env: &connect.SourceEnv{Env: a.env},
		openOffsets: func(ctx context.Context) (*storage.ConnectorOffsets, func(), error) {
			return a.w.offsetsOf(ctx, a.base.id.Connector, a.cfg)
		},
		topics: &topicCreator{groups: groups, admin: admin, onTopic: a.onTopic, health: a.base.health, log: a.base.log, known: make(map[string]bool)},
	}
	return func(soft, hard context.Context) error {
		defer producer.client.Close()
		defer admin.Close()
		return s.run(soft, hard)
	}, nil
}

func (a *assembly) sink(ctx context.Context, task connect.SinkTask, common *config.Values) (func(soft, hard context.Context) error, error) {
	props, err := a.client("consumer.", "consumer.override.", "consumer")
	if err != nil {
		return nil, err
	}
	for key, value := range map[string]string{"group.id": "connect-" + a.base.id.Connector, "auto.offset.reset": "earliest", "enable.auto.commit": "false"} {
		if _, set := props[key]; !set {
			props[key] = value
		}
	}
	settings, err := kafkaconf.Consumer(props)
	if err != nil {
		return nil, clientRefused(err)
	}
	maxPoll := settings.MaxPollRecords
	if _, set := props["max.poll.records"]; !set {
		maxPoll = deliveryRecords
	}
	read := a.base.meter.Client(metrics.Consumer, props["client.id"])
	opts := append(settings.Opts, kgo.WithHooks(a.base.health, read))
	regex := common.String("topics.regex")
	if regex != "" {
		opts = append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics("^(?:"+regex+")$"))
	} else {
		opts = append(opts, kgo.ConsumeTopics(common.List("topics")...))
	}
	closeDLQ := func() {}
	if topic := common.String("errors.deadletterqueue.topic.name"); topic != "" {
		producer, err := a.producer("dlq-producer") // dead letters are waited for: what follows is not committed before
		if err != nil {
			return nil, err
		}
		closeDLQ = producer.client.Close
		a.base.tolerance.dlq = &deadLetters{topic: topic, headers: common.Bool("errors.deadletterqueue.context.headers.enable"),
			connector: a.base.id.Connector, task: a.base.id.Task, producer: producer.client, sent: producer.sent, errors: a.base.tolerance.errors, filled: a.filled}
		if err := a.createDeadLetterTopic(ctx, topic, common.Short("errors.deadletterqueue.topic.replication.factor")); err != nil {
			closeDLQ()
			return nil, err
		}
	}
	s := &sink{
		base: a.base, task: task, chain: a.chain, key: a.key, value: a.value, header: a.header, classes: a.classes,
		options: opts, regex: regex != "", read: read, maxPoll: maxPoll, flush: a.w.cfg.FlushInterval, timeout: a.w.cfg.FlushTimeout, onTopic: a.onTopic,
	}
	s.env = &connect.SinkEnv{Env: a.env, Consumer: &s.requests}
	if a.base.tolerance.reports() {
		s.env.Reporter = &reporter{s}
	}
	return func(soft, hard context.Context) error {
		defer closeDLQ()
		return s.run(soft, hard)
	}, nil
}

// createDeadLetterTopic sees to the dead letter queue before the task starts.
func (a *assembly) createDeadLetterTopic(ctx context.Context, topic string, replication int16) error {
	admin, err := a.admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	topics, err := admin.ListTopics(ctx, topic)
	if err == nil && topics.Has(topic) && topics[topic].Err == nil {
		return nil
	}
	reason := ""
	if err == nil {
		var created kadm.CreateTopicResponse
		created, err = admin.CreateTopic(ctx, 1, replication, nil, topic)
		reason = created.ErrMessage
	}
	if err == nil || errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	if reason == "" {
		reason = err.Error()
	}
	e := connect.NewError("Could not initialize dead letter queue with topic="+topic, connect.NewError(reason, err))
	e.Remedy = "Create the topic, or set errors.deadletterqueue.topic.replication.factor to at most the number of brokers"
	return e
}

// converter returns the connector's converter of a role, or the worker's, with
// the settings that stand beside it.
func (w *Worker) converter(role string, cfg config.Map, isKey bool) (connect.Converter, string, error) {
	class, settings := w.converterSettings(role, cfg)
	p, err := w.registry.Converter(class)
	if err != nil {
		return nil, "", err
	}
	c := p.New().(connect.Converter) //nolint:errcheck,forcetypeassert // the registry holds converters under this kind
	if err := c.Configure(settings, isKey); err != nil {
		return nil, "", err
	}
	return c, p.Class, nil
}

func (w *Worker) headerConverter(cfg config.Map) (connect.HeaderConverter, string, error) {
	class, settings := w.converterSettings("header.converter", cfg)
	if class == "" {
		class = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
	}
	p, err := w.registry.HeaderConverter(class)
	if err != nil {
		return nil, "", err
	}
	c := p.New().(connect.HeaderConverter) //nolint:errcheck,forcetypeassert // the registry holds header converters under this kind
	if err := c.Configure(settings, false); err != nil {
		return nil, "", err
	}
	return c, p.Class, nil
}

func (w *Worker) converterSettings(role string, cfg config.Map) (class string, settings config.Map) {
	from := cfg
	if cfg[role] == "" {
		from = w.cfg.Properties
	}
	settings = from.WithPrefix(role + ".")
	for _, key := range []string{compatibility, "kconnect.converter.coercion"} {
		if v, ok := cfg[key]; ok {
			settings[key] = v
		} else if v, ok := w.cfg.Properties[key]; ok {
			settings[key] = v
		}
	}
	return from[role], settings
}
