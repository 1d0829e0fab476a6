package herder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/storage"
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
		if _, aside := o.Partition.Aside(); aside {
			continue
		}
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
		return h.alterSource(ctx, name, cfg, changes, false)
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
			return h.alterSource(ctx, name, cfg, current, true)
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
			return false, groupError(name, group, err)
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

// checkPrimitive refuses what no offset can hold.
func checkPrimitive(m map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		what := ""
		switch m[key].(type) {
		case map[string]any:
			what = "MAP"
		case []any:
			what = "ARRAY"
		case json.Number:
			what = "class java.math.BigInteger"
		default:
			continue
		}
		return connect.NewError("Offsets may only contain primitive types as values, but field "+key+" contains "+what, nil)
	}
	return nil
}

// alterSource changes offsets, and removes what tasks noted about their
// partitions, or all that they noted.
func (h *Herder) alterSource(ctx context.Context, name string, cfg config.Raw, changes []OffsetEntry, all bool) (bool, error) {
	for _, c := range changes {
		for _, m := range []map[string]any{c.Partition, c.Offset} {
			if err := checkPrimitive(m); err != nil {
				return false, err
			}
		}
	}
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
	stored, err := offsets.Partitions(ctx)
	if err != nil {
		return false, err
	}
	for _, o := range stored {
		about, aside := o.Partition.Aside()
		if aside && (all || slices.ContainsFunc(changed, func(c storage.SourceOffset) bool { return c.Partition.Same(about) })) {
			changed = append(changed, storage.SourceOffset{Connector: name, Partition: o.Partition})
		}
	}
	return sure, offsets.Set(ctx, changed)
}

func taskName(connector string, task int) string { return connector + "-" + strconv.Itoa(task) }
