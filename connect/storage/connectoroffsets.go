package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// ConnectorOffsets is where the offsets of one source connector are: in the
// worker's topic, or in a topic of its own (offsets.storage.topic) with a copy
// in the worker's, so that the connector can move to either (spec
// internal-topics, section 3). Its methods may be called concurrently, and
// Close when all others have returned.
type ConnectorOffsets struct {
	connector string
	worker    *Offsets
	own       *Offsets // nil: only the worker's
	logger    *zap.Logger
	stop      context.CancelFunc
	tail      sync.WaitGroup // of the own topic

	// What still has to be copied to the worker's topic, by canonical key, and
	// the copier's end; nil while none runs.
	copying  context.Context // of the copier
	abandon  context.CancelFunc
	mu       sync.Mutex
	uncopied map[string]SourceOffset
	copied   chan struct{}
}

// lastCopy is what Close waits for a copy to the worker's topic. Nothing else
// breaks one off: it could still reach the topic, behind a removal, and the
// offset come to life again. One that fails is made up for by the next: the own
// topic is what counts.
const lastCopy = time.Second

// InWorkerTopic is the store of a connector without a topic of its own.
func InWorkerTopic(connector string, worker *Offsets) *ConnectorOffsets {
	return &ConnectorOffsets{connector: connector, worker: worker}
}

// OpenConnectorOffsets creates a connector's own topic if it is absent, reads
// it to the end and tails it until Close.
func OpenConnectorOffsets(ctx context.Context, connector string, worker *Offsets, cfg LogConfig) (*ConnectorOffsets, error) {
	own, err := OpenOffsets(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("the offset topic of connector %s: %w", connector, err)
	}
	running, stop := context.WithCancel(context.Background())
	o := &ConnectorOffsets{connector: connector, worker: worker, own: own, logger: own.logger, stop: stop}
	o.copying, o.abandon = context.WithCancel(context.Background())
	o.tail.Go(func() {
		if err := own.Run(running); err != nil {
			o.logger.Error("a connector's offset topic is no longer read", zap.String("connector", connector), zap.Error(err))
		}
	})
	return o, nil
}

// Close finishes the copies that were begun, unless Kafka does not answer, and
// closes the connections of the own topic. The worker's stays open.
func (o *ConnectorOffsets) Close() {
	if o.own == nil {
		return
	}
	defer time.AfterFunc(lastCopy, o.abandon).Stop()
	_ = o.awaitCopies(context.Background()) // that has no end, and so no error
	o.abandon()
	o.stop()
	o.tail.Wait()
	o.own.Close()
}

// Get is Offsets.Get. Where the own topic has nothing the worker's counts.
func (o *ConnectorOffsets) Get(ctx context.Context, partitions []Fields) ([]Fields, error) {
	offsets, err := o.worker.Get(ctx, o.connector, partitions)
	if err != nil || o.own == nil {
		return offsets, err
	}
	newer, err := o.own.Get(ctx, o.connector, partitions)
	if err != nil {
		return nil, err
	}
	for i, offset := range newer {
		if offset != nil {
			offsets[i] = offset
		}
	}
	return offsets, nil
}

// Partitions is Offsets.Partitions.
func (o *ConnectorOffsets) Partitions(ctx context.Context) ([]SourceOffset, error) {
	older, err := o.worker.Partitions(ctx, o.connector)
	if err != nil || o.own == nil {
		return older, err
	}
	newer, err := o.own.Partitions(ctx, o.connector)
	if err != nil {
		return nil, err
	}
	all, err := byKey(older, newer)
	if err != nil {
		return nil, err
	}
	return sortedByKey(all), nil
}

// Set is Offsets.Set. What is to be removed is removed from the worker's topic
// first: otherwise the copy there would come to life again when the second
// write fails.
func (o *ConnectorOffsets) Set(ctx context.Context, offsets []SourceOffset) error {
	if o.own == nil {
		return o.worker.Set(ctx, offsets)
	}
	var removed, kept []SourceOffset
	for _, offset := range offsets {
		if offset.Offset == nil {
			removed = append(removed, offset)
		} else {
			kept = append(kept, offset)
		}
	}
	if len(removed) > 0 {
		if err := o.awaitCopies(ctx); err != nil {
			return err
		}
		if err := o.worker.Set(ctx, removed); err != nil {
			return err
		}
	}
	if err := o.own.Set(ctx, offsets); err != nil {
		return err
	}
	return o.copyLater(kept)
}

// copyLater copies offsets to the worker's topic without waiting for that.
// Only the newest of each partition waits for its turn.
func (o *ConnectorOffsets) copyLater(offsets []SourceOffset) error {
	if len(offsets) == 0 {
		return nil
	}
	all, err := byKey(offsets)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.uncopied == nil {
		o.uncopied = all
	} else {
		maps.Copy(o.uncopied, all)
	}
	if o.copied == nil {
		done := make(chan struct{})
		o.copied = done
		go func() { // Close waits for it
			defer close(done)
			o.copyAll()
		}()
	}
	return nil
}

func (o *ConnectorOffsets) copyAll() {
	for {
		o.mu.Lock()
		offsets := sortedByKey(o.uncopied)
		o.uncopied = nil
		if len(offsets) == 0 {
			o.copied = nil
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		if err := o.worker.Set(o.copying, offsets); err != nil {
			o.logger.Warn("offsets of a connector with a topic of its own could not be copied to the worker's topic", zap.String("connector", o.connector), zap.Error(err))
		}
	}
}

func (o *ConnectorOffsets) awaitCopies(ctx context.Context) error {
	o.mu.Lock()
	copied := o.copied
	o.mu.Unlock()
	if copied == nil {
		return nil
	}
	select {
	case <-copied:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("offsets of connector %s are still being copied to the worker's topic: %w", o.connector, context.Cause(ctx))
	}
}

// byKey joins lists; of several offsets of one partition the last counts.
func byKey(lists ...[]SourceOffset) (map[string]SourceOffset, error) {
	all := make(map[string]SourceOffset)
	for _, list := range lists {
		for _, offset := range list {
			key, err := canonicalKey(offset.Connector, offset.Partition)
			if err != nil {
				return nil, err
			}
			all[key] = offset
		}
	}
	return all, nil
}

func sortedByKey(all map[string]SourceOffset) []SourceOffset {
	var list []SourceOffset
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[key])
	}
	return list
}
