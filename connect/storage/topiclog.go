package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
)

// probeAfter is how long a reader of the end waits without progress before it
// asks the broker itself whether anything is left to read.
const probeAfter = 500 * time.Millisecond

// LogConfig is what a store needs to open its topic.
type LogConfig struct {
	Topic    Topic
	ClientID string      // <group.id>[-<client.id>]-configs, -offsets or -statuses
	Client   []kgo.Opt   // connection: seed brokers, TLS, SASL
	Logger   *zap.Logger // nil: none

	// Of a topic that is a connector's own the connector chooses more: the whole
	// configuration of the client that writes, the connection of the one that
	// creates the topic, and what is read. Nil and false: as the worker's topics.
	Producer      []kgo.Opt
	Admin         []kgo.Opt
	ReadCommitted bool
}

// TopicLog is one compacted topic that is read as a whole, from the beginning,
// and appended to. All methods but Run and Close may be called concurrently.
type TopicLog struct {
	topic     Topic
	client    *kgo.Client // reads
	producer  *kgo.Client // may be client
	admin     *kadm.Client
	isolation kgo.IsolationLevel
	handle    func([]*kgo.Record)
	logger    *zap.Logger

	mu        sync.Mutex
	positions []int64       // by partition: the offset of the next record to read
	advanced  chan struct{} // closed and replaced whenever a position moves
	fault     error         // of the last fetch; nil after one that brought records
}

// OpenTopicLog creates the topic if it is absent, reads it to the end and
// returns. handle is called with the records of each poll, in order within a
// partition and without control records: from this goroutine until OpenTopicLog
// returns, then from Run's. The records are handle's to keep.
//
// A worker's topic is read uncommitted and written with acks=all, without
// idempotence and compression, keys partitioned by murmur2: as the Java worker
// does.
func OpenTopicLog(ctx context.Context, cfg LogConfig, handle func([]*kgo.Record)) (*TopicLog, error) {
	logger := cfg.Logger
	if logger == nil {
		logger = zap.NewNop()
	}
	isolation := kgo.ReadUncommitted()
	if cfg.ReadCommitted {
		isolation = kgo.ReadCommitted()
	}
	opts := append([]kgo.Opt{kgo.MetadataMinAge(250 * time.Millisecond)}, cfg.Client...) // a lost leader is looked for at this pace, unless the client has its own
	opts = append(opts,
		kgo.ClientID(cfg.ClientID),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.DisableIdempotentWrite(),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.ProducerLinger(0), // whoever appends waits for it
		kgo.FetchIsolationLevel(isolation),
		// A position passes transaction markers; without seeing them it would
		// never be known to have reached an end that lies behind one.
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, badClient("reads", cfg.Topic, err)
	}
	l := &TopicLog{
		topic:     cfg.Topic,
		client:    client,
		producer:  client,
		admin:     kadm.NewClient(client),
		isolation: isolation,
		handle:    handle,
		logger:    logger,
		advanced:  make(chan struct{}),
	}
	if err := l.open(ctx, cfg); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// open makes the other clients and sees to the topic.
func (l *TopicLog) open(ctx context.Context, cfg LogConfig) error {
	if cfg.Producer != nil {
		producer, err := kgo.NewClient(append(append([]kgo.Opt(nil), cfg.Producer...), kgo.ClientID(cfg.ClientID))...)
		if err != nil {
			return badClient("writes", cfg.Topic, err)
		}
		l.producer = producer
	}
	creator := l.admin
	if cfg.Admin != nil {
		client, err := kgo.NewClient(append(append([]kgo.Opt(nil), cfg.Admin...), kgo.ClientID(cfg.ClientID))...)
		if err != nil {
			return badClient("creates", cfg.Topic, err)
		}
		defer client.Close()
		creator = kadm.NewClient(client)
	}
	detail, err := cfg.Topic.ensure(ctx, creator, l.logger)
	if err != nil {
		return err
	}
	return l.load(ctx, len(detail.Partitions))
}

// badClient says that the settings of a client contradict each other.
func badClient(does string, t Topic, err error) error {
	return &connect.Error{Class: connect.ClassConfig, Kind: connect.Config,
		Message: fmt.Sprintf("the settings of the client that %s topic %s (%s) cannot be used", does, t.Name, t.Property), Cause: err}
}

// Partitions returns the number of partitions.
func (l *TopicLog) Partitions() int { return len(l.positions) }

// load reads what is there when it is called, and starts the tail behind it.
func (l *TopicLog) load(ctx context.Context, partitions int) error {
	starts, err := l.offsets(ctx, partitions, l.admin.ListStartOffsets)
	if err != nil {
		return err
	}
	l.positions = starts
	ends, err := l.ends(ctx)
	if err != nil {
		return err
	}
	for behind := l.behind(ends); len(behind) > 0; behind = l.behind(ends) {
		records, next, err := l.fetch(ctx, behind)
		if len(records) > 0 {
			l.handle(records)
		}
		if l.advance(next, err) && err == nil {
			continue
		}
		if refused := (*kerr.Error)(nil); errors.As(err, &refused) && !refused.Retriable {
			return err
		}
		select {
		case <-ctx.Done():
			return l.stopped(ctx)
		case <-time.After(leaderPause):
		}
	}
	tail := make(map[int32]kgo.Offset, partitions)
	for p, position := range l.positions {
		tail[int32(p)] = kgo.NewOffset().At(position)
	}
	l.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{l.topic.Name: tail})
	return nil
}

// Run tails the topic until ctx ends, and then returns nil. Faults of the
// broker are waited out. It is to be called once.
func (l *TopicLog) Run(ctx context.Context) error {
	for ctx.Err() == nil && !l.poll(ctx) {
	}
	return nil
}

// poll hands one round of records to handle; it reports whether the client is closed.
func (l *TopicLog) poll(ctx context.Context) (closed bool) {
	fetches := l.client.PollFetches(ctx)
	if fetches.IsClientClosed() {
		return true
	}
	var fault error
	fetches.EachError(func(_ string, partition int32, err error) {
		// Promise 4: the client goes on trying by itself.
		if ctx.Err() == nil {
			fault = fmt.Errorf("read topic %s, partition %d: %w", l.topic.Name, partition, err)
		}
	})
	var records []*kgo.Record
	next := make(map[int32]int64)
	fetches.EachRecord(func(r *kgo.Record) {
		next[r.Partition] = r.Offset + 1
		if !r.Attrs.IsControl() {
			records = append(records, r)
		}
	})
	if len(records) > 0 {
		l.handle(records)
	}
	l.advance(next, fault)
	return false
}

// advance moves positions, after the records before them were handled.
func (l *TopicLog) advance(next map[int32]int64, fault error) (moved bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if fault != nil && (l.fault == nil || l.fault.Error() != fault.Error()) {
		l.logger.Warn("reading an internal topic fails, trying on", zap.String("topic", l.topic.Name), zap.Error(fault))
	}
	if fault != nil || len(next) > 0 {
		l.fault = fault
	}
	for p, offset := range next {
		if int(p) < len(l.positions) && l.positions[p] < offset {
			l.positions[p] = offset
			moved = true
		}
	}
	if moved {
		close(l.advanced)
		l.advanced = make(chan struct{})
	}
	return moved
}

// ReadToEnd waits until every record that was in the topic when it was called
// has been handled. Run must be running; never call it from handle.
func (l *TopicLog) ReadToEnd(ctx context.Context) error {
	ends, err := l.ends(ctx)
	if err != nil {
		return err
	}
	idle := time.NewTicker(probeAfter)
	defer idle.Stop()
	for {
		l.mu.Lock()
		advanced := l.advanced
		l.mu.Unlock()
		behind := l.behind(ends)
		if len(behind) == 0 {
			return nil
		}
		select {
		case <-advanced:
			idle.Reset(probeAfter)
		case <-idle.C:
			l.probe(ctx, behind)
		case <-ctx.Done():
			return l.stopped(ctx)
		case <-l.client.Context().Done():
			return fmt.Errorf("read topic %s to its end: %w", l.topic.Name, kgo.ErrClientClosed)
		}
	}
}

func (l *TopicLog) stopped(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault != nil {
		return fmt.Errorf("read topic %s to its end: %w (last fault: %w)", l.topic.Name, context.Cause(ctx), l.fault)
	}
	return fmt.Errorf("read topic %s to its end: %w", l.topic.Name, context.Cause(ctx))
}

// ends returns the end of each partition. Open transactions count, so that a
// reader waits for them.
func (l *TopicLog) ends(ctx context.Context) ([]int64, error) {
	return l.offsets(ctx, len(l.positions), l.admin.ListEndOffsets)
}

func (l *TopicLog) offsets(ctx context.Context, partitions int, list func(context.Context, ...string) (kadm.ListedOffsets, error)) ([]int64, error) {
	listed, err := list(ctx, l.topic.Name)
	if ctx.Err() != nil {
		err = context.Cause(ctx) // the client's error does not wrap it
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of topic %s: %w", l.topic.Name, err)
	}
	offsets := make([]int64, partitions)
	for p := range offsets {
		o, ok := listed.Lookup(l.topic.Name, int32(p))
		if !ok {
			o.Err = kerr.UnknownTopicOrPartition
		}
		if o.Err != nil {
			return nil, fmt.Errorf("offsets of topic %s, partition %d: %w", l.topic.Name, p, o.Err)
		}
		offsets[p] = o.Offset
	}
	return offsets, nil
}

// behind returns the positions of the partitions that have not reached their ends.
func (l *TopicLog) behind(ends []int64) map[int32]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	behind := make(map[int32]int64)
	for p, end := range ends {
		if l.positions[p] < end {
			behind[int32(p)] = l.positions[p]
		}
	}
	return behind
}

// probe looks whether anything is left to read at the given positions.
// Compaction can remove the last records and leave an empty batch, which the
// client passes without telling: no record ever shows that it is at the end.
func (l *TopicLog) probe(ctx context.Context, positions map[int32]int64) {
	records, next, err := l.fetch(ctx, positions)
	for _, r := range records {
		delete(next, r.Partition) // the tail will bring it
	}
	l.advance(next, err)
}

// Append writes records (the topic is filled in) and waits until all of them
// are acknowledged by all in-sync replicas. Records of one partition keep their order.
func (l *TopicLog) Append(ctx context.Context, records ...*kgo.Record) error {
	l.address(records)
	if err := l.producer.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("write to topic %s: %w", l.topic.Name, err)
	}
	return nil
}

// address leaves the partition to the key, also where a connector's own
// partitioner would heed the record's.
func (l *TopicLog) address(records []*kgo.Record) {
	for _, r := range records {
		r.Topic, r.Partition = l.topic.Name, connect.NoPartition
	}
}

// AppendEach is Append with the outcome of each record, in their order.
func (l *TopicLog) AppendEach(ctx context.Context, records []*kgo.Record) []error {
	place := make(map[*kgo.Record]int, len(records))
	l.address(records)
	for i, r := range records {
		place[r] = i
	}
	outcomes := make([]error, len(records))
	for _, result := range l.producer.ProduceSync(ctx, records...) { // in an order of their own
		outcomes[place[result.Record]] = result.Err
	}
	return outcomes
}

// Close closes the connections. Call it after Run has returned.
func (l *TopicLog) Close() {
	l.client.Close()
	if l.producer != l.client {
		l.producer.Close()
	}
}
