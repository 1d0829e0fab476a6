package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.uber.org/zap"

	"kconnect/connect"
)

const (
	cleanupPolicy = "cleanup.policy"
	leaderPause   = 20 * time.Millisecond // between looks for a partition's leader
)

// Topic is an internal topic and how it is made when it is absent.
type Topic struct {
	Name        string
	Partitions  int32 // -1: the broker's default. The config topic always has one
	Replication int16 // -1: the broker's default
	// Settings are passed to the broker as they are (min.insync.replicas, ...).
	// A cleanup.policy in them is dropped with a warning: it is always compact.
	Settings map[string]string
	// Property is the worker's key that names the topic, for error messages:
	// "config.storage.topic".
	Property string
}

// ensure creates the topic if it is absent and checks it if it is there. As in
// Java creation is simply tried: asking first would leave the client with the
// knowledge that there is no such topic, and a wait for that to expire.
func (t *Topic) ensure(ctx context.Context, admin *kadm.Client, logger *zap.Logger) (kadm.TopicDetail, error) {
	created, err := t.create(ctx, admin, logger)
	if err != nil {
		return kadm.TopicDetail{}, err
	}
	if !created {
		if err := t.checkPolicy(ctx, admin, logger); err != nil {
			return kadm.TopicDetail{}, err
		}
	}
	return t.awaitLeaders(ctx, admin)
}

func (t *Topic) describe(ctx context.Context, admin *kadm.Client) (kadm.TopicDetail, error) {
	topics, err := admin.ListTopics(ctx, t.Name)
	if err != nil {
		return kadm.TopicDetail{}, fmt.Errorf("describe topic %s (%s): %w", t.Name, t.Property, err)
	}
	detail := topics[t.Name]
	switch {
	case detail.Err == nil, errors.Is(detail.Err, kerr.UnknownTopicOrPartition), kerr.IsRetriable(detail.Err):
		return detail, nil
	}
	return detail, fmt.Errorf("describe topic %s (%s): %w", t.Name, t.Property, detail.Err)
}

// create returns false when the topic is there already.
func (t *Topic) create(ctx context.Context, admin *kadm.Client, logger *zap.Logger) (bool, error) {
	settings := map[string]*string{}
	for k, v := range t.Settings {
		if k == cleanupPolicy {
			logger.Warn("cleanup.policy of an internal topic cannot be chosen, it is compact", zap.String("topic", t.Name), zap.String("ignored", v))
			continue
		}
		settings[k] = &v
	}
	settings[cleanupPolicy] = kadm.StringPtr("compact")
	resp, err := admin.CreateTopic(ctx, t.Partitions, t.Replication, settings, t.Name)
	switch {
	case err == nil:
		logger.Info("created topic", zap.String("topic", t.Name), zap.Int32("partitions", t.Partitions), zap.Int16("replication", t.Replication))
		return true, nil
	case errors.Is(err, kerr.TopicAlreadyExists):
		return false, nil
	case errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.UnsupportedVersion):
		detail, describeErr := t.describe(ctx, admin)
		if describeErr == nil && !errors.Is(detail.Err, kerr.UnknownTopicOrPartition) {
			return false, nil
		}
		return false, fmt.Errorf("topic %s (%s) does not exist and this worker may not create it: create it with cleanup.policy=compact, or allow it: %w", t.Name, t.Property, errors.Join(err, describeErr))
	}
	if resp.ErrMessage != "" {
		err = fmt.Errorf("%w: %s", err, resp.ErrMessage)
	}
	return false, fmt.Errorf("create topic %s (%s) with %d partitions and %d replicas: %w", t.Name, t.Property, t.Partitions, t.Replication, err)
}

// awaitLeaders waits until every partition can be read: right after its
// creation a topic is not yet known to every broker.
func (t *Topic) awaitLeaders(ctx context.Context, admin *kadm.Client) (kadm.TopicDetail, error) {
	for {
		detail, err := t.describe(ctx, admin)
		if err != nil {
			return detail, err
		}
		missing := detail.Err
		for _, p := range detail.Partitions {
			if p.Err != nil && !errors.Is(p.Err, kerr.ReplicaNotAvailable) {
				missing = p.Err
			}
		}
		if missing == nil {
			return detail, nil
		}
		select {
		case <-ctx.Done():
			return detail, fmt.Errorf("topic %s (%s) is not available: %w: %w", t.Name, t.Property, missing, context.Cause(ctx))
		case <-time.After(leaderPause):
		}
	}
}

// settings reads the topic's settings.
func (t *Topic) settings(ctx context.Context, admin *kadm.Client) ([]kadm.Config, error) {
	configs, err := admin.DescribeTopicConfigs(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	found, err := configs.On(t.Name, func(r *kadm.ResourceConfig) error { return r.Err })
	return found.Configs, err
}

// checkPolicy refuses a topic that the broker would delete records from. A
// broker that does not tell is believed.
func (t *Topic) checkPolicy(ctx context.Context, admin *kadm.Client, logger *zap.Logger) error {
	configs, err := t.settings(ctx, admin)
	// One that another worker creates just now is not yet known to every broker.
	for errors.Is(err, kerr.UnknownTopicOrPartition) && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(leaderPause):
			configs, err = t.settings(ctx, admin)
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.UnsupportedVersion):
		logger.Warn("the cleanup.policy of an internal topic cannot be read: make sure that it is compact", zap.String("topic", t.Name), zap.Error(err))
		return nil
	default:
		return fmt.Errorf("read the settings of topic %s (%s): %w", t.Name, t.Property, err)
	}
	for _, c := range configs {
		if c.Key == cleanupPolicy && c.MaybeValue() != "compact" {
			return &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: fmt.Sprintf(
				"topic '%s' of '%s' is required to have 'cleanup.policy=compact', but has 'cleanup.policy=%s', under which the cluster loses its connectors, offsets or statuses in time: change the topic's policy or name another topic",
				t.Name, t.Property, c.MaybeValue())}
		}
	}
	return nil
}
