package herder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/storage"
)

// The names in the offsets of sink connectors.
const (
	kafkaTopic     = "kafka_topic"
	kafkaPartition = "kafka_partition"
	kafkaOffset    = "kafka_offset"
)

// Offsets returns the stored offsets of a connector: of a source those of the
// offsets topic, of a sink those of its consumer group.
func (h *Herder) Offsets(ctx context.Context, name string) ([]OffsetEntry, error) {
	cfg, err := h.Config(name)
	if err != nil {
		return nil, err
	}
	if h.typeOf(cfg) == string(connect.SinkPlugin) {
		return h.sinkOffsets(ctx, sinkGroup(name, cfg))
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout) // the connector's own topic may have to be opened
	defer cancel()
	offsets, release, err := h.worker.Offsets(ctx, name, cfg)
	if err != nil {
		return nil, err
	}
	defer release()
	stored, err := offsets.Partitions(ctx)
	if err != nil {
		return nil, err
	}
	entries := []OffsetEntry{}
	for _, o := range stored {
		entries = append(entries, OffsetEntry{Partition: plainMap(o.Partition), Offset: plainMap(o.Offset)})
	}
	return entries, nil
}

func plainMap(f storage.Fields) map[string]any {
	if f == nil {
		return nil
	}
	m := make(map[string]any, len(f))
	for _, x := range f {
		m[x.Name] = x.Value
	}
	return m
}

// sinkGroup is the consumer group of a sink connector.
func sinkGroup(name string, cfg config.Raw) string {
	if g := cfg["consumer.override.group.id"]; g != nil && *g != "" {
		return *g
	}
	return "connect-" + name
}

func (h *Herder) sinkOffsets(ctx context.Context, group string) ([]OffsetEntry, error) {
	committed, err := h.admin.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return []OffsetEntry{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the offsets of consumer group %s cannot be read: %w", group, err)
	}
	entries := []OffsetEntry{}
	for _, o := range committed.Sorted() {
		entries = append(entries, OffsetEntry{
			Partition: map[string]any{kafkaTopic: o.Topic, kafkaPartition: int64(o.Partition)},
			Offset:    map[string]any{kafkaOffset: o.At},
		})
	}
	return entries, nil
}

// The answers of a successful change of offsets.
const (
	alteredSure = "The offsets for this connector have been %s successfully"
	alteredOurs = "The Connect framework-managed offsets for this connector have been %s successfully. However, if this connector manages offsets externally, " +
		"they will need to be manually reset in the system that the connector uses."
)

// AlterOffsets changes offsets of a stopped connector.
func (h *Herder) AlterOffsets(ctx context.Context, name string, changes []OffsetEntry) (string, error) {
	if len(changes) == 0 {
		return "", &BadRequestError{Message: "Partitions / offsets need to be provided for an alter offsets request"}
	}
	return h.changeOffsets(ctx, name, "altered", func(ctx context.Context, cfg config.Raw, sink bool) (bool, error) {
		if sink {
			return h.alterSink(ctx, name, cfg, changes)
		}
		return h.alterSource(ctx, name, cfg, changes)
	})
}

// ResetOffsets removes all offsets of a stopped connector.
func (h *Herder) ResetOffsets(ctx context.Context, name string) (string, error) {
	return h.changeOffsets(ctx, name, "reset", func(ctx context.Context, cfg config.Raw, sink bool) (bool, error) {
		current, err := h.Offsets(ctx, name)
		if err != nil {
			return false, err
		}
		for i := range current {
			current[i].Offset = nil
		}
		if !sink {
			return h.alterSource(ctx, name, cfg, current)
		}
		sure, err := h.vote(ctx, cfg, current)
		if err != nil {
			return false, err
		}
		group := sinkGroup(name, cfg)
		resp, err := h.admin.DeleteGroups(ctx, group)
		if err == nil {
			err = resp[group].Err
		}
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return false, groupError(group, err)
		}
		return sure, nil
	})
}

func (h *Herder) changeOffsets(ctx context.Context, name, done string, change func(ctx context.Context, cfg config.Raw, sink bool) (bool, error)) (string, error) {
	sure := false
	r := &request{kind: alterOffsets, name: name, alter: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, requestTimeout, ErrTimeout)
		defer cancel() // other writes wait for this one
		cfg, err := h.Config(name)
		if err != nil {
			return err
		}
		sure, err = change(ctx, cfg, h.typeOf(cfg) == string(connect.SinkPlugin))
		return err
	}}
	if err := h.ask(ctx, r); err != nil {
		return "", err
	}
	if sure {
		return fmt.Sprintf(alteredSure, done), nil
	}
	return fmt.Sprintf(alteredOurs, done), nil
}

// vote asks the connector class about a change. It returns whether the class
// confirmed it. A class that hangs is left behind when ctx ends.
func (h *Herder) vote(ctx context.Context, cfg config.Raw, changes []OffsetEntry) (bool, error) {
	class := ""
	if c := cfg["connector.class"]; c != nil {
		class = *c
	}
	p, err := h.registry.Connector(class)
	if err != nil {
		return false, err
	}
	alterer, ok := p.New().(connect.OffsetAlterer)
	if !ok {
		return false, nil
	}
	m, err := cfg.Map()
	if err != nil {
		return false, err
	}
	var all []connect.OffsetChange
	for _, c := range changes {
		o := orderedFields(c.Offset)
		change := connect.OffsetChange{Partition: connect.SourcePartition{Fields: orderedFields(c.Partition)}}
		if o != nil {
			change.Offset.Names = []string{}
		}
		for _, f := range o {
			change.Offset.Names = append(change.Offset.Names, f.Name)
			change.Offset.Values = append(change.Offset.Values, f.Value)
		}
		all = append(all, change)
	}
	type answer struct {
		sure bool
		err  error
	}
	voted := make(chan answer, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				voted <- answer{err: connect.NewError(fmt.Sprintf("the connector panicked while it was asked about its offsets: %v", p), nil)}
			}
		}()
		sure, err := alterer.AlterOffsets(m, all)
		voted <- answer{sure, err}
	}()
	select {
	case a := <-voted:
		return a.sure, a.err
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// orderedFields keeps nil, which is null, and an empty object apart.
func orderedFields(m map[string]any) []connect.Field {
	if m == nil {
		return nil
	}
	f := []connect.Field{}
	for _, x := range storageFields(m) {
		f = append(f, connect.Field{Name: x.Name, Value: plainValue(x.Value)})
	}
	return f
}

func plainValue(v any) data.Value {
	switch x := v.(type) {
	case bool:
		return data.BoolOf(x)
	case int64:
		return data.Int64Of(x)
	case float64:
		return data.Float64Of(x)
	case string:
		return data.StringOf(x)
	}
	return data.Null
}

// storageFields returns a user's map in the order in which Java stores it.
func storageFields(m map[string]any) storage.Fields {
	if m == nil {
		return nil
	}
	f := make(storage.Fields, 0, len(m))
	for name, v := range m {
		f = append(f, storage.Field{Name: name, Value: v})
	}
	slices.SortFunc(f, func(a, b storage.Field) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return f.HashMapOrder()
}

func (h *Herder) alterSource(ctx context.Context, name string, cfg config.Raw, changes []OffsetEntry) (bool, error) {
	sure, err := h.vote(ctx, cfg, changes)
	if err != nil {
		return false, err
	}
	offsets, release, err := h.worker.Offsets(ctx, name, cfg)
	if err != nil {
		return false, err
	}
	defer release()
	var changed []storage.SourceOffset
	for _, c := range changes {
		changed = append(changed, storage.SourceOffset{Connector: name, Partition: storageFields(c.Partition), Offset: storageFields(c.Offset)})
	}
	return sure, offsets.Set(ctx, changed)
}

func (h *Herder) alterSink(ctx context.Context, name string, cfg config.Raw, changes []OffsetEntry) (bool, error) {
	commit := make(kadm.Offsets)
	remove := make(kadm.TopicsSet)
	for _, c := range changes {
		topic, partition, err := kafkaTopicPartition(c.Partition)
		if err != nil {
			return false, err
		}
		if c.Offset == nil {
			remove.Add(topic, partition)
			continue
		}
		if _, ok := c.Offset[kafkaOffset]; !ok {
			return false, &BadRequestError{Message: "The offset for a sink connector should either be null or contain the key '" + kafkaOffset + "'"}
		}
		offset, err := wholeNumber(c.Offset[kafkaOffset], "offset", "Offset")
		if err != nil {
			return false, err
		}
		commit.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset, LeaderEpoch: -1})
	}
	sure, err := h.vote(ctx, cfg, changes)
	if err != nil {
		return false, err
	}
	group := sinkGroup(name, cfg)
	if len(commit) > 0 {
		if err := h.checkPartitions(ctx, commit); err != nil {
			return false, err
		}
		resp, err := h.admin.CommitOffsets(ctx, group, commit)
		if err == nil {
			err = resp.Error()
		}
		if err != nil {
			return false, groupError(group, err)
		}
	}
	if len(remove) > 0 {
		resp, err := h.admin.DeleteOffsets(ctx, group, remove)
		if err == nil {
			err = resp.Error()
		}
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return false, groupError(group, err)
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

func groupError(group string, err error) error {
	if errors.Is(err, kerr.NonEmptyGroup) || errors.Is(err, kerr.GroupSubscribedToTopic) || errors.Is(err, kerr.UnknownMemberID) {
		return fmt.Errorf("the tasks of the connector haven't stopped completely: consumer group %s still has members; try again in a moment: %w", group, err)
	}
	return fmt.Errorf("the offsets of consumer group %s cannot be changed: %w", group, err)
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
	partition, err := wholeNumber(m[kafkaPartition], "partition", "Partition")
	if err != nil {
		return "", 0, err
	}
	return fmt.Sprint(topic), int32(partition), nil
}

func badPartition() error {
	return &BadRequestError{Message: fmt.Sprintf("The partition for a sink connector offset must contain the keys '%s' and '%s'", kafkaTopic, kafkaPartition)}
}

// wholeNumber reads a number that may be written as text.
func wholeNumber(v any, what, title string) (int64, error) {
	switch x := v.(type) {
	case int64:
		return x, nil
	case string:
		if n, err := strconv.ParseInt(x, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, &BadRequestError{Message: fmt.Sprintf("Failed to parse the following Kafka %s value in the provided offsets: '%v'. %s values for sink connectors need to be integers.", what, v, title)}
}

func taskName(connector string, task int) string { return connector + "-" + strconv.Itoa(task) }
