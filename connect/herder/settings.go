package herder

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"go.uber.org/zap"

	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/kafkaconf"
	"kconnect/connect/storage"
	"kconnect/connect/worker"
)

// Settings reads a worker's configuration: properties with ${provider:...}
// resolved, and the same parsed by worker.Def. url is the advertised URL of
// the REST server with a trailing slash, workerID its host:port.
func Settings(properties config.Map, v *config.Values, url, workerID string, log *zap.Logger) (Config, error) {
	client, err := kafkaconf.Common(internalClient(properties))
	if err != nil {
		return Config{}, err
	}
	msInt := func(key string) time.Duration { return time.Duration(v.Int(key)) * time.Millisecond }
	id := v.String("group.id")
	clientID := id
	memberID := "connect-" + workerID
	if c := v.String("client.id"); c != "" {
		clientID += "-" + c
		memberID = c
	}
	cfg := Config{
		WorkerID: workerID, Client: client, ClientID: clientID,
		Group: group.Config{
			GroupID: id, URL: url, ClientID: memberID, Protocol: v.String("connect.protocol"),
			SessionTimeout: msInt("session.timeout.ms"), RebalanceTimeout: msInt("rebalance.timeout.ms"),
			HeartbeatInterval: msInt("heartbeat.interval.ms"), MaxDelay: msInt("scheduled.rebalance.max.delay.ms"), Logger: log.Named("group"),
		},
		Worker:   workerSettings(properties, v),
		Configs:  topic(properties, "config.storage.", 1, v.Short("config.storage.replication.factor")),
		Offsets:  topic(properties, "offset.storage.", int32(v.Int("offset.storage.partitions")), v.Short("offset.storage.replication.factor")),
		Statuses: topic(properties, "status.storage.", int32(v.Int("status.storage.partitions")), v.Short("status.storage.replication.factor")),

		SyncTimeout:   msInt("worker.sync.timeout.ms"),
		UnsyncBackoff: msInt("worker.unsync.backoff.ms"),
		TopicTracking: v.Bool("topic.tracking.enable"), TopicReset: v.Bool("topic.tracking.allow.reset"),
		OverridePolicy: v.String("connector.client.config.override.policy"),
		Signing: Signing{
			KeyAlgorithm: v.String("inter.worker.key.generation.algorithm"), KeyTTL: msInt("inter.worker.key.ttl.ms"),
			Algorithm: v.String("inter.worker.signature.algorithm"), Accepted: v.List("inter.worker.verification.algorithms"),
		},
	}
	cfg.Worker.OffsetsTopic = cfg.Offsets
	if size, ok := v.OptInt("inter.worker.key.size"); ok {
		cfg.Signing.KeySize = (size + 7) / 8
	}
	if err := cfg.Signing.Check(); err != nil {
		return Config{}, err
	}
	if s := v.String("exactly.once.source.support"); !strings.EqualFold(s, "disabled") {
		// Promise 9: a setting that is accepted does what it says.
		return Config{}, fmt.Errorf("exactly.once.source.support=%s: exactly-once source tasks are not part of this version; set it to disabled, or run the connectors that need it on Java workers of another cluster", s)
	}
	return cfg, nil
}

// StandaloneSettings is [Settings] for standalone mode, with v parsed by
// worker.StandaloneDef.
func StandaloneSettings(properties config.Map, v *config.Values, _, workerID string, _ *zap.Logger) (Config, error) {
	client, err := kafkaconf.Common(internalClient(properties))
	if err != nil {
		return Config{}, err
	}
	clientID := v.String("client.id")
	if clientID == "" {
		clientID = "connect-standalone"
	}
	own := maps.Clone(properties)
	delete(own, "group.id") // there is no group of workers with which a sink could share its name
	return Config{
		WorkerID: workerID, Client: client, ClientID: clientID, Worker: workerSettings(own, v),
		Standalone: true, OffsetFile: v.String("offset.storage.file.filename"),
		TopicTracking: v.Bool("topic.tracking.enable"), TopicReset: v.Bool("topic.tracking.allow.reset"),
		OverridePolicy: v.String("connector.client.config.override.policy"),
	}, nil
}

// workerSettings reads what both modes tell the worker.
func workerSettings(properties config.Map, v *config.Values) worker.Config {
	// What no clock can count is as good as never.
	ms := func(key string) time.Duration {
		return time.Duration(min(v.Long(key), math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
	}
	return worker.Config{
		Properties: properties, GroupID: properties["group.id"],
		// Java takes 0, and commits as often as it can.
		FlushInterval: max(ms("offset.flush.interval.ms"), time.Millisecond), FlushTimeout: ms("offset.flush.timeout.ms"),
		GracefulTimeout: ms("task.shutdown.graceful.timeout.ms"),
		TopicCreation:   v.Bool("topic.creation.enable"), TopicTracking: v.Bool("topic.tracking.enable"),
	}
}

// internalClient returns the client settings of the worker's own clients:
// those without a prefix (spec internal-topics, "Common rules").
func internalClient(m config.Map) config.Map {
	own := make(config.Map, len(m))
	for k, v := range m {
		switch k {
		case "client.id", "group.id": // set for each client
		case "session.timeout.ms", "heartbeat.interval.ms", "rebalance.timeout.ms": // of the worker group
		default:
			own[k] = v
		}
	}
	return own
}

// topic describes one internal topic. Every other key of the prefix is a
// setting of the topic.
func topic(m config.Map, prefix string, partitions int32, replication int16) storage.Topic {
	t := storage.Topic{Name: m[prefix+"topic"], Partitions: partitions, Replication: replication, Property: prefix + "topic", Settings: make(map[string]string)}
	for k, v := range m.WithPrefix(prefix) {
		switch k {
		case "topic", "partitions", "replication.factor":
		default:
			t.Settings[k] = v
		}
	}
	return t
}
