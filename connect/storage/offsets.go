package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// Offsets is the worker's offset topic: how far source connectors have read.
// All methods but Run and Close may be called concurrently. A connector that
// has a topic of its own has it in a ConnectorOffsets.
type Offsets struct {
	log    Log
	logger *zap.Logger

	mu    sync.RWMutex
	index offsetIndex
}

// SourceOffset is the offset of one partition of a source connector.
type SourceOffset struct {
	Connector string
	Partition Fields
	Offset    Fields // nil: none
}

// OpenOffsets creates the topic if it is absent and reads it to the end.
func OpenOffsets(ctx context.Context, cfg LogConfig) (*Offsets, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	o := &Offsets{logger: cfg.Logger, index: offsetIndex{}}
	log, err := OpenTopicLog(ctx, cfg, o.handle)
	if err != nil {
		return nil, err
	}
	o.log = log
	return o, nil
}

// Run tails the topic until ctx ends.
func (o *Offsets) Run(ctx context.Context) error { return o.log.Run(ctx) }

// Close closes the connections. Call it after Run has returned.
func (o *Offsets) Close() { o.log.Close() }

func (o *Offsets) handle(records []*kgo.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range records {
		if err := o.index.apply(r.Key, r.Value); err != nil {
			o.logger.Warn("ignoring a record of the offset topic", zap.ByteString("key", r.Key), zap.Int32("partition", r.Partition), zap.Int64("offset", r.Offset), zap.Error(err))
		}
	}
}

// Get returns the offset of each of a connector's partitions, nil where there
// is none, after reading what was written until now. The offsets are shared:
// do not change them.
func (o *Offsets) Get(ctx context.Context, connector string, partitions []Fields) ([]Fields, error) {
	if err := o.log.ReadToEnd(ctx); err != nil {
		return nil, fmt.Errorf("offsets of connector %s: %w", connector, err)
	}
	offsets := make([]Fields, len(partitions))
	o.mu.RLock()
	defer o.mu.RUnlock()
	for i, partition := range partitions {
		key, err := canonicalKey(connector, partition)
		if err != nil {
			return nil, err
		}
		if p := o.index[key]; p != nil {
			if s := p.live(); s != nil {
				offsets[i] = s.offset
			}
		}
	}
	return offsets, nil
}

// Partitions returns every partition of a connector that has an offset, in an
// order that depends on nothing else, after reading what was written until now.
func (o *Offsets) Partitions(ctx context.Context, connector string) ([]SourceOffset, error) {
	if err := o.log.ReadToEnd(ctx); err != nil {
		return nil, fmt.Errorf("offsets of connector %s: %w", connector, err)
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.index.of(connector), nil
}

// Set writes offsets and waits until all are acknowledged (Promise 1: a caller
// passes only offsets of records that Kafka has). A nil Offset removes the
// partition's. An Offset is written in its order, a Partition in the one by
// which Java finds it, or as it is already spelt in the topic. After an error
// some may have been written.
func (o *Offsets) Set(ctx context.Context, offsets []SourceOffset) error {
	records := make([]*kgo.Record, 0, len(offsets))
	o.mu.RLock()
	for _, offset := range offsets {
		rs, err := o.index.records(offset)
		if err != nil {
			o.mu.RUnlock()
			return err
		}
		records = append(records, rs...)
	}
	o.mu.RUnlock()
	return o.log.Append(ctx, records...)
}

// offsetIndex holds every partition in the topic by its canonical key. Java
// looks offsets up by the raw bytes of the key, so another spelling of one
// partition is another key to it; here they are one. It is pure.
type offsetIndex map[string]*offsetPartition

type offsetPartition struct {
	connector string
	partition Fields
	java      string      // the key that a Java worker writes
	spellings []*spelling // last written last
}

// spelling is a key that was seen for a partition.
type spelling struct {
	key    string
	offset Fields // nil: removed
}

// live returns the spelling that counts: Java's if it has an offset, else the
// newest that has; nil if none has.
func (p *offsetPartition) live() *spelling {
	var newest *spelling
	for _, s := range p.spellings {
		if s.offset == nil {
			continue
		}
		if s.key == p.java {
			return s
		}
		newest = s
	}
	return newest
}

// apply reads one record. An error says why it was ignored.
func (x offsetIndex) apply(key, value []byte) error {
	connector, partition, err := decodeOffsetKey(key)
	if err != nil {
		return err
	}
	raw, err := decodeValue(value)
	if err != nil {
		return fmt.Errorf("value: %w", err)
	}
	offset, err := decodeFields(raw)
	if err != nil {
		return fmt.Errorf("value: %w", err)
	}
	p, err := x.partition(connector, partition)
	if err != nil {
		return err
	}
	p.spellings = append(slices.DeleteFunc(p.spellings, func(s *spelling) bool { return s.key == string(key) }),
		&spelling{key: string(key), offset: offset})
	return nil
}

func (x offsetIndex) partition(connector string, partition Fields) (*offsetPartition, error) {
	canonical, err := canonicalKey(connector, partition)
	if err != nil {
		return nil, err
	}
	p := x[canonical]
	if p == nil {
		java, err := offsetKey(connector, partition)
		if err != nil {
			return nil, err
		}
		p = &offsetPartition{connector: connector, partition: partition, java: string(java)}
		x[canonical] = p
	}
	return p, nil
}

// of returns a connector's partitions that have an offset.
func (x offsetIndex) of(connector string) []SourceOffset {
	var found []SourceOffset
	for _, canonical := range slices.Sorted(maps.Keys(x)) {
		if p := x[canonical]; p.connector == connector {
			if s := p.live(); s != nil {
				found = append(found, SourceOffset{Connector: connector, Partition: p.partition, Offset: s.offset})
			}
		}
	}
	return found
}

// records returns what has to be written for an offset: one record under the
// spelling that counts, or tombstones under all that have an offset, so that
// none comes to life again.
func (x offsetIndex) records(o SourceOffset) ([]*kgo.Record, error) {
	canonical, err := canonicalKey(o.Connector, o.Partition)
	if err != nil {
		return nil, err
	}
	java, err := offsetKey(o.Connector, o.Partition)
	if err != nil {
		return nil, err
	}
	var value []byte
	if o.Offset != nil {
		if value, err = appendFields(nil, o.Offset); err != nil {
			return nil, fmt.Errorf("source offset of connector %s: %w", o.Connector, err)
		}
	}
	p := x[canonical]
	if p == nil || p.live() == nil {
		return []*kgo.Record{{Key: java, Value: value}}, nil
	}
	if value != nil {
		return []*kgo.Record{{Key: []byte(p.live().key), Value: value}}, nil
	}
	var tombstones []*kgo.Record
	for _, s := range p.spellings {
		if s.offset != nil {
			tombstones = append(tombstones, &kgo.Record{Key: []byte(s.key)})
		}
	}
	return tombstones, nil
}
