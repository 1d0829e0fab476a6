package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

const (
	// statusAttempt is how long a write is tried before it is looked at again:
	// by then it may be out of date.
	statusAttempt = 5 * time.Second
	statusPause   = 250 * time.Millisecond
)

// Statuses is the status topic: what every connector and task of the cluster
// does, as far as this worker has read. All methods but Run and Close may be
// called concurrently.
//
// Writes are asynchronous. They go out in the order of the calls, while Run is
// running, and show in the view when they are read back.
type Statuses struct {
	log    Log
	logger *zap.Logger
	wake   chan struct{} // capacity 1: queue is not empty
	try    time.Duration // of one attempt; tests make it shorter

	mu         sync.RWMutex
	view       *statusView
	generation int32                  // of the last status written
	queue      []*statusWrite         // not yet being sent
	tracked    map[string]TopicStatus // topic records on their way, by key
	queued     int                    // writes ever queued
	done       int                    // and those of them acknowledged or given up
	progress   chan struct{}          // closed and replaced when done grows
}

// statusWrite is a record on its way. entry is nil for topic records, which no
// rule holds back.
type statusWrite struct {
	key      string
	value    []byte // nil: a tombstone
	entry    *statusEntry
	status   Status
	safe     bool
	sequence int
}

// OpenStatuses creates the topic if it is absent and reads it to the end.
func OpenStatuses(ctx context.Context, cfg LogConfig) (*Statuses, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	s := newStatuses(cfg.Logger)
	log, err := OpenTopicLog(ctx, cfg, s.handle)
	if err != nil {
		return nil, err
	}
	s.log = log
	return s, nil
}

// MemoryStatuses returns the statuses of a worker by itself, which are lost
// with it.
func MemoryStatuses(logger *zap.Logger) *Statuses {
	s := newStatuses(logger)
	s.log = NewMemoryLog(s.handle)
	return s
}

func newStatuses(logger *zap.Logger) *Statuses {
	return &Statuses{
		logger:   logger,
		wake:     make(chan struct{}, 1),
		try:      statusAttempt,
		view:     newStatusView(),
		tracked:  map[string]TopicStatus{},
		progress: make(chan struct{}),
	}
}

// Run tails the topic and sends what is written until ctx ends. What is not
// sent by then is lost: Flush first.
func (s *Statuses) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.log.Run(ctx) })
	g.Go(func() error { return s.send(ctx) })
	return g.Wait()
}

// Close closes the connections. Call it after Run has returned.
func (s *Statuses) Close() { s.log.Close() }

// Refresh waits until the view has everything that was acknowledged before the call.
func (s *Statuses) Refresh(ctx context.Context) error { return s.log.ReadToEnd(ctx) }

func (s *Statuses) handle(records []*kgo.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		key := string(r.Key)
		delete(s.tracked, key)
		if err := s.view.apply(key, r.Value); err != nil {
			s.logger.Warn("ignoring a record of the status topic", zap.String("key", key), zap.Int32("partition", r.Partition), zap.Int64("offset", r.Offset), zap.Error(err))
		}
	}
}

// Connector returns a connector's status.
func (s *Statuses) Connector(name string) (Status, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.view.connectors[name]; e != nil && e.known {
		return e.value, true
	}
	return Status{}, false
}

// Connectors returns the names of all connectors that have a status, or a task
// that has one, in alphabetical order.
func (s *Statuses) Connectors() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.view.names()
}

// Task returns a task's status.
func (s *Statuses) Task(connector string, task int) (Status, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.view.tasks[connector][task]; e != nil && e.known {
		return e.value, true
	}
	return Status{}, false
}

// Tasks returns the statuses of a connector's tasks by number. The map is the caller's.
func (s *Statuses) Tasks(connector string) map[int]Status {
	s.mu.RLock()
	defer s.mu.RUnlock()
	tasks := map[int]Status{}
	for task, e := range s.view.tasks[connector] {
		if e.known {
			tasks[task] = e.value
		}
	}
	return tasks
}

// Topics returns the topics that a connector has used, in alphabetical order.
func (s *Statuses) Topics(connector string) []TopicStatus {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.SortedFunc(maps.Values(s.view.topics[connector]), func(a, b TopicStatus) int { return cmp.Compare(a.Topic, b.Topic) })
}

// PutConnector writes a connector's status whatever others said: for what its
// owner does.
func (s *Statuses) PutConnector(name string, status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(statusConnectorKey(name), s.view.connectorEntry(name), status, false)
}

// PutConnectorSafe writes a connector's status unless another worker has said
// something in a later generation: for UNASSIGNED and FAILED, which come from
// workers that may have lost the connector.
func (s *Statuses) PutConnectorSafe(name string, status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(statusConnectorKey(name), s.view.connectorEntry(name), status, true)
}

// PutTask is PutConnector for a task.
func (s *Statuses) PutTask(connector string, task int, status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(statusTaskKey(connector, task), s.view.taskEntry(connector, task), status, false)
}

// PutTaskSafe is PutConnectorSafe for a task.
func (s *Statuses) PutTaskSafe(connector string, task int, status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(statusTaskKey(connector, task), s.view.taskEntry(connector, task), status, true)
}

// DeleteConnector removes a connector's status, in the given generation.
// Readers forget its tasks' with it; their records need DeleteTask.
func (s *Statuses) DeleteConnector(name string, generation int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(statusConnectorKey(name), s.view.connectorEntry(name), Status{Generation: generation}, false)
}

// DeleteTask removes a task's status.
func (s *Statuses) DeleteTask(connector string, task int, generation int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(statusTaskKey(connector, task), s.view.taskEntry(connector, task), Status{Generation: generation}, false)
}

// TrackTopic writes that a connector has used a topic unless that is known or
// on its way. It is cheap enough to be called for every batch.
func (s *Statuses) TrackTopic(t TopicStatus) {
	key := statusTopicKey(t.Connector, t.Topic)
	s.mu.RLock()
	_, known := s.view.topics[t.Connector][t.Topic]
	_, queued := s.tracked[key]
	s.mu.RUnlock()
	if known || queued {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, queued := s.tracked[key]; queued {
		return
	}
	s.tracked[key] = t
	s.enqueue(&statusWrite{key: key, value: encodeTopicStatus(t)})
}

// DeleteTopics forgets all topics of a connector, those on their way included.
func (s *Statuses) DeleteTopics(connector string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	topics := maps.Clone(s.view.topics[connector])
	for _, t := range s.tracked {
		if t.Connector == connector {
			if topics == nil {
				topics = make(map[string]TopicStatus)
			}
			topics[t.Topic] = t
		}
	}
	for topic := range topics {
		s.enqueue(&statusWrite{key: statusTopicKey(connector, topic)})
	}
}

// put queues a status; one without a state is a tombstone. The lock is held.
func (s *Statuses) put(key string, entry *statusEntry, status Status, safe bool) {
	s.generation = status.Generation
	if safe && !entry.mayOverwrite(status) {
		return
	}
	var value []byte
	if status.State != "" {
		value = encodeStatus(status)
	}
	entry.sequence++
	s.enqueue(&statusWrite{key: key, value: value, entry: entry, status: status, safe: safe, sequence: entry.sequence})
}

func (s *Statuses) enqueue(w *statusWrite) {
	s.queue = append(s.queue, w)
	s.queued++
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Flush waits until everything that was written before the call is
// acknowledged or given up. Run must be running.
func (s *Statuses) Flush(ctx context.Context) error {
	s.mu.RLock()
	target := s.queued
	s.mu.RUnlock()
	for {
		s.mu.RLock()
		done, progress := s.done, s.progress
		s.mu.RUnlock()
		if done >= target {
			return nil
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return fmt.Errorf("flush %d statuses: %w", target-done, context.Cause(ctx))
		}
	}
}

// send is the one goroutine that writes: batch by batch, so that a status
// never overtakes an earlier one.
func (s *Statuses) send(ctx context.Context) error {
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil
		}
		s.mu.Lock()
		batch := s.queue
		s.queue = nil
		s.mu.Unlock()
		for batch = s.attempt(ctx, batch); len(batch) > 0; batch = s.attempt(ctx, batch) {
			// What others said meanwhile decides whether to go on.
			if err := s.refresh(ctx); err != nil {
				return nil //nolint:nilerr // ctx has ended
			}
			batch = s.dropOutdated(batch)
		}
	}
}

// attempt sends the batch once and returns what is to be sent again.
func (s *Statuses) attempt(ctx context.Context, batch []*statusWrite) []*statusWrite {
	attemptCtx, cancel := context.WithTimeout(ctx, s.try)
	defer cancel()
	records := make([]*kgo.Record, len(batch))
	for i, w := range batch {
		records[i] = &kgo.Record{Key: []byte(w.key), Value: w.value}
	}
	outcomes := s.log.AppendEach(attemptCtx, records)
	var again []*statusWrite
	for i, w := range batch {
		err := outcomes[i]
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil
		case retriable(err):
			s.logger.Warn("cannot write a status, trying on", zap.String("key", w.key), zap.Error(err))
			again = append(again, w)
		default:
			s.logger.Error("cannot write a status", zap.String("key", w.key), zap.Error(err))
			s.giveUp(w)
		}
	}
	s.finish(len(batch) - len(again))
	return again
}

// refresh waits a little and then reads to the end, however often it takes.
// The error is ctx's.
func (s *Statuses) refresh(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(statusPause):
		}
		refreshCtx, cancel := context.WithTimeout(ctx, statusAttempt)
		err := s.log.ReadToEnd(refreshCtx)
		cancel()
		if err == nil {
			return nil
		}
	}
}

// dropOutdated returns the writes that are still worth sending.
func (s *Statuses) dropOutdated(batch []*statusWrite) []*statusWrite {
	s.mu.RLock()
	kept := slices.DeleteFunc(slices.Clone(batch), s.outdated)
	s.mu.RUnlock()
	s.finish(len(batch) - len(kept))
	return kept
}

// outdated tells whether a write that failed is to be dropped: its connector
// was deleted, or somebody has said something newer. An unsafe write of an
// earlier generation is then treated as a safe one. Java drops it unseen, and
// with it the FAILED of a task that nobody else speaks for. The lock is held.
func (s *Statuses) outdated(w *statusWrite) bool {
	if w.entry == nil {
		return false
	}
	careful := w.safe || w.status.Generation != s.generation
	return w.entry.deleted || careful && (w.sequence != w.entry.sequence || !w.entry.mayOverwrite(w.status))
}

// giveUp lets a topic be tracked again whose record cannot be written now.
func (s *Statuses) giveUp(w *statusWrite) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tracked, w.key)
}

// finish counts writes that are acknowledged or given up.
func (s *Statuses) finish(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done += n
	close(s.progress)
	s.progress = make(chan struct{})
}

// retriable tells faults that pass from those that do not. The client itself
// retries within an attempt, so most end as a deadline.
func retriable(err error) bool {
	return kerr.IsRetriable(err) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries)
}
