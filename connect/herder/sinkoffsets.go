package herder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"kconnect/connect/config"
	"kconnect/connect/data"
)

// The names in the offsets of sink connectors.
const (
	kafkaTopic     = "kafka_topic"
	kafkaPartition = "kafka_partition"
	kafkaOffset    = "kafka_offset"
)

// groupChange is what a user wants of a sink connector's consumer group.
type groupChange struct {
	commit kadm.Offsets
	remove kadm.TopicsSet
}

// sinkChange reads the offsets that a user gave for a sink connector. Errors
// are as in Java (golden rest 13-offsets-sink).
func sinkChange(name string, changes []OffsetEntry) (groupChange, error) {
	g := groupChange{commit: make(kadm.Offsets), remove: make(kadm.TopicsSet)}
	var negative error
	for _, c := range changes {
		topic, partition, err := kafkaTopicPartition(c.Partition)
		if err != nil {
			return g, err
		}
		if c.Offset == nil {
			g.remove.Add(topic, partition)
			continue
		}
		if _, ok := c.Offset[kafkaOffset]; !ok {
			return g, &BadRequestError{Message: "The offset for a sink connector should either be null or contain the key '" + kafkaOffset + "'"}
		}
		offset, err := wholeNumber(c.Offset[kafkaOffset], 64, "offset", "Offset")
		if err != nil {
			return g, err
		}
		if offset < 0 {
			negative = fmt.Errorf("Failed to modify offsets for sink connector %s: Invalid negative offset %d", name, offset) //nolint:staticcheck // Java's beginning
		}
		g.commit.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset, LeaderEpoch: -1})
	}
	return g, negative
}

func (h *Herder) alterSink(ctx context.Context, name string, cfg config.Raw, changes []OffsetEntry) (bool, error) {
	change, err := sinkChange(name, changes)
	if err != nil {
		return false, err
	}
	sure, err := h.vote(ctx, cfg, changes)
	if err != nil {
		return false, err
	}
	group := sinkGroup(name, cfg)
	if len(change.commit) > 0 {
		if err := h.checkPartitions(ctx, change.commit); err != nil {
			return false, groupError(name, group, err)
		}
		resp, err := h.admin.CommitOffsets(ctx, group, change.commit)
		if err == nil {
			err = resp.Error()
		}
		if err != nil {
			return false, groupError(name, group, err)
		}
	}
	if len(change.remove) > 0 {
		resp, err := h.admin.DeleteOffsets(ctx, group, change.remove)
		if err == nil {
			err = resp.Error()
		}
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return false, groupError(name, group, err)
		}
	}
	return sure, nil
}

// checkPartitions refuses partitions that do not exist: Kafka itself takes any.
func (h *Herder) checkPartitions(ctx context.Context, offsets kadm.Offsets) error {
	for topic, partitions := range offsets {
		topics, err := h.admin.ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		for p := range partitions {
			if _, ok := topics[topic].Partitions[p]; !ok {
				return fmt.Errorf("topic %s has no partition %d", topic, p)
			}
		}
	}
	return nil
}

// groupError is the error of a change that Kafka refused, beginning as in Java.
func groupError(name, group string, err error) error {
	why := "consumer group " + group + " cannot be changed"
	if errors.Is(err, kerr.NonEmptyGroup) || errors.Is(err, kerr.GroupSubscribedToTopic) || errors.Is(err, kerr.UnknownMemberID) {
		why = "its tasks haven't stopped completely yet, so that consumer group " + group + " still has members; try again in a moment"
	}
	return fmt.Errorf("Failed to alter consumer group offsets for connector %s: %s: %w", name, why, err) //nolint:staticcheck // Java's beginning
}

// kafkaTopicPartition reads the partition of a sink connector's offset.
func kafkaTopicPartition(m map[string]any) (string, int32, error) {
	if m == nil {
		return "", 0, &BadRequestError{Message: "The partition for a sink connector offset cannot be null or missing"}
	}
	topic, ok := m[kafkaTopic]
	if !ok || topic == nil {
		return "", 0, badPartition()
	}
	if _, ok := m[kafkaPartition]; !ok {
		return "", 0, badPartition()
	}
	partition, err := wholeNumber(m[kafkaPartition], 32, "partition", "Partition")
	if err != nil {
		return "", 0, err
	}
	return javaText(topic), int32(partition), nil
}

func badPartition() error {
	return &BadRequestError{Message: fmt.Sprintf("The partition for a sink connector offset must contain the keys '%s' and '%s'", kafkaTopic, kafkaPartition)}
}

// wholeNumber reads a number of bits that may be written as text.
func wholeNumber(v any, bits int, what, title string) (int64, error) {
	text := javaText(v)
	switch v.(type) {
	case int64, string:
		if n, err := strconv.ParseInt(text, 10, bits); err == nil {
			return n, nil
		}
	}
	return 0, &BadRequestError{Message: fmt.Sprintf("Failed to parse the following Kafka %s value in the provided offsets: '%s'. %s values for sink connectors need to be integers.", what, text, title)}
}

// javaText is a value of a request as Java shows it.
func javaText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		return data.Float64Of(v).String()
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, key+"="+javaText(v[key]))
		}
		return "{" + strings.Join(all, ", ") + "}"
	case []any:
		var all []string
		for _, x := range v {
			all = append(all, javaText(x))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return fmt.Sprint(v)
}
