package worker

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/kafkaconf"
	"kconnect/connect/storage"
)

// ownOffsets keeps one reader for each offset topic that connectors have of
// their own while somebody uses it: their tasks, or a request.
type ownOffsets struct {
	mu   sync.Mutex
	open []*ownTopic
}

// ownTopic is one reader.
type ownTopic struct {
	connector string
	settings  config.Map // by which it is opened; other settings are another reader
	users     int

	opening chan struct{} // has a token while nobody opens it
	store   *storage.ConnectorOffsets
}

// Offsets returns where the offsets of a source connector are, by its
// configuration. The caller calls release when it is done. Kafka is waited for
// until ctx ends; a topic that cannot be used is an error that no waiting cures.
func (w *Worker) Offsets(ctx context.Context, name string, raw config.Raw) (o *storage.ConnectorOffsets, release func(), err error) {
	cfg, _, err := w.resolve(raw)
	if err != nil {
		return nil, nil, err
	}
	return w.offsetsOf(ctx, name, cfg)
}

func (w *Worker) offsetsOf(ctx context.Context, name string, cfg config.Map) (*storage.ConnectorOffsets, func(), error) {
	topic := strings.TrimSpace(cfg["offsets.storage.topic"])
	if topic == "" || w.cfg.OffsetsTopic.Name == "" {
		return storage.InWorkerTopic(name, w.offsets), func() {}, nil
	}
	a := assembly{w: w, cfg: cfg}
	producer, err := a.settings("producer.", "producer.override.")
	if err != nil {
		return nil, nil, err
	}
	if topic == w.cfg.OffsetsTopic.Name && sameServers(producer, w.cfg.Properties) {
		return storage.InWorkerTopic(name, w.offsets), func() {}, nil
	}
	log, settings, err := a.ownOffsetsLog(name, topic, producer)
	if err != nil {
		return nil, nil, err
	}
	t := w.own.use(name, settings)
	if err := t.ready(ctx, w.offsets, log); err != nil {
		w.own.release(t)
		return nil, nil, err
	}
	return t.store, sync.OnceFunc(func() { w.own.release(t) }), nil
}

// sameServers reports whether two clients find Kafka in the same place, as far
// as that can be told from their settings.
func sameServers(a, b config.Map) bool {
	servers := func(m config.Map) []string {
		list := strings.Split(m["bootstrap.servers"], ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	return slices.Equal(servers(a), servers(b))
}

// ownOffsetsLog describes the topic: made as the worker's is, written with the
// settings of the tasks' producers, read committed unless a setting of their
// consumers says otherwise. The settings are everything that it depends on.
func (a *assembly) ownOffsetsLog(name, topic string, producer config.Map) (storage.LogConfig, config.Map, error) {
	consumer, err := a.settings("consumer.", "consumer.override.")
	if err != nil {
		return storage.LogConfig{}, nil, err
	}
	admin, err := a.settings("admin.", "admin.override.")
	if err != nil {
		return storage.LogConfig{}, nil, err
	}
	for key, value := range map[string]string{"enable.idempotence": "false", "delivery.timeout.ms": strconv.Itoa(math.MaxInt32)} { // Java's
		if _, set := producer[key]; !set {
			producer[key] = value
		}
	}
	cfg := storage.LogConfig{Topic: a.w.cfg.OffsetsTopic, ClientID: "connector-offsets-" + name, Logger: a.w.log.Named("connector." + name),
		ReadCommitted: strings.TrimSpace(consumer["isolation.level"]) != "read_uncommitted"}
	cfg.Topic.Name, cfg.Topic.Property = topic, "offsets.storage.topic"
	settings := config.Map{"topic": topic}
	for prefix, m := range map[string]config.Map{"producer.": producer, "consumer.": consumer, "admin.": admin} {
		for key, value := range m {
			settings[prefix+key] = value
		}
	}
	if cfg.Producer, err = kafkaconf.Producer(producer); err != nil {
		return cfg, nil, err
	}
	if cfg.Client, err = kafkaconf.Common(consumer); err != nil {
		return cfg, nil, err
	}
	cfg.Admin, err = kafkaconf.Common(admin)
	return cfg, settings, err
}

// use returns the reader with these settings, made if there is none.
func (o *ownOffsets) use(name string, settings config.Map) *ownTopic {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.open {
		if t.connector == name && maps.Equal(t.settings, settings) {
			t.users++
			return t
		}
	}
	t := &ownTopic{connector: name, settings: settings, users: 1, opening: make(chan struct{}, 1)}
	t.opening <- struct{}{}
	o.open = append(o.open, t)
	return t
}

// release closes a reader that nobody uses any more.
func (o *ownOffsets) release(t *ownTopic) {
	o.mu.Lock()
	t.users--
	last := t.users == 0
	if last {
		o.open = slices.DeleteFunc(o.open, func(other *ownTopic) bool { return other == t })
	}
	o.mu.Unlock()
	if last && t.store != nil {
		t.store.Close()
	}
}

// ready opens the topic unless another user has done so. The error is
// retriable when Kafka is not there.
func (t *ownTopic) ready(ctx context.Context, worker *storage.Offsets, cfg storage.LogConfig) error {
	select {
	case <-t.opening:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { t.opening <- struct{}{} }()
	if t.store != nil {
		return nil
	}
	store, err := storage.OpenConnectorOffsets(ctx, t.connector, worker, cfg)
	if err != nil {
		refusal, wrong := (*kerr.Error)(nil), (*connect.Error)(nil)
		if errors.As(err, &wrong) || errors.As(err, &refusal) && !refusal.Retriable {
			return connect.NewError("The source offsets of this connector cannot be kept in the topic of offsets.storage.topic", err)
		}
		return connect.NewRetriable("The offset topic of the connector cannot be opened", err)
	}
	t.store = store
	return nil
}
