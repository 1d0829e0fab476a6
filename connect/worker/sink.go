package worker

import (
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

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connect/metrics"
	"kconnect/connect/transform"
)

// consumed is a record as it came from Kafka.
type consumed = kgo.Record

// sink runs one sink task.
type sink struct {
	base
	task     connect.SinkTask
	env      *connect.SinkEnv
	chain    *transform.Chain
	key      connect.Converter
	value    connect.Converter
	header   connect.HeaderConverter
	classes  converterClasses
	options  []kgo.Opt // of the consumer, without group callbacks
	regex    bool      // topics.regex chooses the topics
	consumer *kgo.Client
	read     *metrics.Client // of the consumer
	maxPoll  int             // records of one delivery
	flush    time.Duration
	timeout  time.Duration      // of the last commit of a task that failed
	onTopic  func(topic string) // a record of this topic was consumed

	deliveries chan *delivery
	spare      chan *delivery
	rebalances chan rebalance

	// owned is the assignment: each partition with the number of the
	// assignment that brought it, so that records polled under an older one
	// are recognised and dropped.
	mu      sync.Mutex
	owned   map[connect.TopicPartition]int
	rounds  int
	abandon context.CancelCauseFunc // of the Put that goes on; nil between two of them
	// A seek interrupts the poll that goes on; polls has a token while somebody
	// polls or seeks.
	seeking   bool
	interrupt context.CancelFunc
	polls     chan struct{}

	// The rest belongs to the putting goroutine.
	position  map[connect.TopicPartition]int64 // next offset to be delivered
	committed map[connect.TopicPartition]int64
	requests  consumerRequests
	current   *delivery       // the one being put
	hard      context.Context // in which its dead letters are sent, which outlives Put
	paused    bool            // as the status says
	tick      *time.Ticker    // of commits
	watch     *time.Ticker    // of the health
	delivered int             // records since the last commit
}

// delivery is the records of one poll on their way to Put.
type delivery struct {
	raw     []*consumed
	records []connect.Record
	ends    []end
	bytes   int   // of raw keys and values
	err     error // the task fails once everything before this was delivered
}

// end is where a poll ends in one partition.
type end struct {
	tp       connect.TopicPartition
	round    int
	next     int64
	from, to int // its records in raw
}

// rebalance is a change of the assignment, handed to the putting goroutine
// by the group's callbacks, which wait for done.
type rebalance struct {
	assigned []connect.TopicPartition
	revoked  []connect.TopicPartition
	lost     bool // others may own them already: commit nothing
	done     chan struct{}
}

// run works until soft ends, then commits what was delivered until hard ends.
func (s *sink) run(soft, hard context.Context) error {
	s.deliveries = make(chan *delivery) // the one being filled is the one ahead
	s.spare = make(chan *delivery, 3)
	s.rebalances = make(chan rebalance)
	s.polls = make(chan struct{}, 1)
	s.owned = make(map[connect.TopicPartition]int)
	s.position = make(map[connect.TopicPartition]int64)
	s.committed = make(map[connect.TopicPartition]int64)
	g, ctx := errgroup.WithContext(soft)
	started := make(chan struct{})
	g.Go(func() error {
		return s.putting(ctx, hard, started)
	})
	g.Go(func() error {
		select {
		case <-started:
		case <-ctx.Done():
			return nil
		}
		return s.polling(ctx)
	})
	return g.Wait()
}

// polling consumes, decodes and transforms, one delivery ahead of Put.
func (s *sink) polling(ctx context.Context) error {
	for {
		if resumed := s.pause.resumed(); resumed != nil {
			select {
			case <-ctx.Done():
				return nil
			case <-resumed:
			}
		}
		d := s.newDelivery()
		s.fill(ctx, d, true)
		if ctx.Err() != nil {
			return nil
		}
		if d.err == nil && len(d.raw) == 0 {
			s.recycle(d)
			continue
		}
		if !s.handOver(ctx, d) {
			return nil
		}
	}
}

// deliveryBytes is the size from which a delivery takes no more polls (Promise 6).
const deliveryBytes = 8 << 20

// handOver gives a delivery to the putting goroutine. While that is busy the
// delivery grows: large ones need fewer transactions. It returns false when
// polling is over.
func (s *sink) handOver(ctx context.Context, d *delivery) bool {
	for d.err == nil && len(d.raw) < s.maxPoll && d.bytes < deliveryBytes {
		select {
		case s.deliveries <- d:
			return true
		case <-ctx.Done():
			return false
		default:
		}
		before := len(d.raw)
		s.fill(ctx, d, false)
		if len(d.raw) > before {
			continue
		}
		timer := time.NewTimer(time.Millisecond)
		select {
		case s.deliveries <- d:
			timer.Stop()
			return true
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
	failed := d.err != nil // the putting goroutine then fails the task
	select {
	case s.deliveries <- d:
		return !failed
	case <-ctx.Done():
		return false
	}
}

// fill polls, once and waiting for records or not, and adds what came to a
// delivery.
func (s *sink) fill(ctx context.Context, d *delivery, wait bool) {
	from, done, ends := len(d.raw), len(d.records), len(d.ends)
	fetches := s.poll(ctx, d, wait)
	if ctx.Err() != nil {
		return
	}
	if d.err = s.fetchError(ctx, fetches); d.err == nil && len(d.raw) > from {
		d.err = s.decode(ctx, d, from)
	}
	if d.err != nil {
		// A bad record keeps the others of its poll out, as in Java; those of
		// earlier polls are put before the task fails.
		d.raw, d.records, d.ends = d.raw[:from], d.records[:done], d.ends[:ends]
	}
}

// poll polls while no seek can happen, so that whatever comes is known to be of
// before or after it.
func (s *sink) poll(ctx context.Context, d *delivery, wait bool) kgo.Fetches {
	s.polls <- struct{}{}
	defer func() { <-s.polls }()
	var fetches kgo.Fetches
	if wait {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		s.mu.Lock()
		s.interrupt = cancel
		if s.seeking {
			cancel()
		}
		s.mu.Unlock()
		fetches = s.consumer.PollRecords(ctx, s.maxPoll)
	} else {
		fetches = s.consumer.PollRecords(nil, s.maxPoll-len(d.raw)) //nolint:staticcheck // nil: take only what is there
	}
	s.take(d, fetches)
	s.consumer.AllowRebalance()
	return fetches
}

// fetchError returns the error that no waiting will cure. It is called while
// rebalances are allowed.
func (s *sink) fetchError(ctx context.Context, fetches kgo.Fetches) error {
	for _, e := range fetches.Errors() {
		var lost *kgo.ErrDataLoss
		var session *kgo.ErrGroupSession
		switch {
		case errors.Is(e.Err, context.Canceled), errors.Is(e.Err, kgo.ErrClientClosed):
		case errors.As(e.Err, &lost):
			s.log.Warn("Kafka lost records that were not consumed yet; going on behind them", zap.String("topic", e.Topic), zap.Int32("partition", e.Partition), zap.Error(e.Err))
		case errors.As(e.Err, &session) && rejoins(session.Err):
			s.log.Warn("The group is joined anew; records that were not committed come again, here or at another task", zap.Error(e.Err))
		case errors.Is(e.Err, kerr.UnknownTopicID):
			// The topic was deleted, and maybe made anew. The client holds on to the
			// old one until it is told to forget it; the Java consumer goes on by name.
			s.log.Warn("A topic was deleted or made anew; looking for it by its name", zap.String("topic", e.Topic))
			s.consumer.PurgeTopicsFromConsuming(e.Topic)
			if !s.regex {
				s.consumer.AddConsumeTopics(e.Topic)
			}
			sleep(ctx, time.Second)
		case kerr.IsRetriable(e.Err):
			s.log.Warn("Consuming failed and is tried again", zap.String("topic", e.Topic), zap.Int32("partition", e.Partition), zap.Error(e.Err))
			sleep(ctx, time.Second)
		case errors.Is(e.Err, kerr.InvalidTopicException):
			return &connect.Error{Class: "org.apache.kafka.common.errors.InvalidTopicException", Message: "Invalid topics: [" + e.Topic + "]",
				Remedy: "A topic's name has at most 249 letters, digits, dots, underscores and hyphens: see topics"}
		default:
			return connect.NewError("Consuming topic "+e.Topic+" failed", e.Err)
		}
	}
	return nil
}

// rejoins reports whether the consumer comes back to its group by itself, as
// the Java consumer does: the group has given it up for dead, because its
// process stood still for longer than session.timeout.ms, or cannot be reached.
// What else a group refuses is a matter of configuration or rights.
func rejoins(err error) bool {
	e, ok := errors.AsType[*kerr.Error](err)
	if !ok {
		return true // of the network
	}
	return e.Retriable || slices.Contains([]*kerr.Error{
		kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.MemberIDRequired, kerr.RebalanceInProgress,
		kerr.FencedMemberEpoch, kerr.StaleMemberEpoch, kerr.UnreleasedInstanceID,
	}, e)
}

// take notes what was polled while no rebalance can happen.
func (s *sink) take(d *delivery, fetches kgo.Fetches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(d.raw)
	defer func() { s.meter.Read(len(d.raw) - before) }()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		from := len(d.raw)
		d.raw = append(d.raw, p.Records...)
		for _, k := range p.Records {
			d.bytes += len(k.Key) + len(k.Value)
		}
		tp := connect.TopicPartition{Topic: p.Topic, Partition: p.Partition}
		next := p.Records[len(p.Records)-1].Offset + 1
		d.ends = append(d.ends, end{tp, s.owned[tp], next, from, len(d.raw)})
		s.read.Position(p.Topic, p.Partition, next, p.HighWatermark, p.LogStartOffset)
	})
}

func (s *sink) newDelivery() *delivery {
	select {
	case d := <-s.spare:
		return d
	default:
		return &delivery{}
	}
}

func (s *sink) recycle(d *delivery) {
	clear(d.raw)
	clear(d.records)
	d.raw, d.records, d.ends, d.bytes, d.err = d.raw[:0], d.records[:0], d.ends[:0], 0, nil
	select {
	case s.spare <- d:
	default:
	}
}

// decode converts and transforms what was polled from a record on. The error
// fails the task.
func (s *sink) decode(ctx context.Context, d *delivery, from int) error {
	topic := ""
	done := len(d.records) // of earlier polls
	for i := from; i < len(d.raw); i++ {
		k := d.raw[i]
		if k.Topic != topic {
			topic = k.Topic
			s.onTopic(topic)
		}
		d.records = append(d.records, connect.Record{})
		last := len(d.records) - 1
		ok, err := s.convert(ctx, i, k, &d.records[last], func() error {
			// Records before this one come first, also with their failures.
			_, err := s.transform(ctx, d, d.records[done:last])
			return err
		})
		if err != nil {
			return err
		}
		if !ok {
			d.records = d.records[:last]
		}
	}
	kept, err := s.transform(ctx, d, d.records[done:])
	d.records = d.records[:done+len(kept)]
	return err
}

func (s *sink) transform(ctx context.Context, d *delivery, records []connect.Record) ([]connect.Record, error) {
	return s.chain.Apply(records, s.tolerance.retries(ctx), func(r *connect.Record, class string, err error) error {
		return s.tolerance.handle(ctx, newFailure(StageTransformation, class, err, d.raw[r.Origin.Index]))
	})
}

// convert fills r from k. It returns false when the record is to be skipped.
// before is called ahead of a failure that ends the task.
func (s *sink) convert(ctx context.Context, index int, k *consumed, r *connect.Record, before func() error) (bool, error) {
	fail := func(stage Stage, class string, err error) (bool, error) {
		if !s.tolerance.all && !wasInterrupted(err) {
			if err := before(); err != nil {
				return false, err
			}
		}
		return false, s.tolerance.handle(ctx, newFailure(stage, class, err, k))
	}
	r.Topic, r.Partition, r.Timestamp = k.Topic, k.Partition, connect.NoTimestamp
	r.Origin = connect.Origin{Topic: k.Topic, Partition: k.Partition, Offset: k.Offset, TimestampType: "NoTimestampType", Index: index}
	switch k.Attrs.TimestampType() {
	case 0:
		r.Origin.TimestampType, r.Timestamp = "CreateTime", k.Timestamp.UnixMilli()
	case 1:
		r.Origin.TimestampType, r.Timestamp = "LogAppendTime", k.Timestamp.UnixMilli()
	}
	if r.Timestamp < 0 { // -1 on the wire is none
		r.Timestamp = connect.NoTimestamp
	}
	var err error
	if r.KeySchema, r.Key, err = s.decodeValue(ctx, s.key, k.Topic, k.Key); err != nil {
		return fail(StageKeyConverter, s.classes.key, err)
	}
	if r.ValueSchema, r.Value, err = s.decodeValue(ctx, s.value, k.Topic, k.Value); err != nil {
		return fail(StageValueConverter, s.classes.value, err)
	}
	for _, h := range k.Headers {
		schema, v, err := s.header.DecodeHeader(k.Topic, h.Key, h.Value)
		if err != nil {
			err = s.outlast(ctx, err, func() (e error) {
				schema, v, e = s.header.DecodeHeader(k.Topic, h.Key, h.Value)
				return e
			})
		}
		if err != nil {
			return fail(StageHeaderConverter, s.classes.header, err)
		}
		r.Headers = append(r.Headers, connect.Header{Key: h.Key, Schema: schema, Value: v})
	}
	return true, nil
}

func (s *sink) decodeValue(ctx context.Context, c connect.Converter, topic string, b []byte) (schema *data.Schema, v data.Value, err error) {
	schema, v, err = c.Decode(topic, b)
	if err != nil {
		err = s.outlast(ctx, err, func() (e error) {
			schema, v, e = c.Decode(topic, b)
			return e
		})
	}
	return schema, v, err
}

// putting makes every call of the task and commits.
func (s *sink) putting(soft, hard context.Context, started chan<- struct{}) (err error) {
	defer s.stop(func() error { return s.task.Stop(hard) })
	start := func(ctx context.Context) error {
		s.begun = true
		return s.task.Start(ctx, s.env)
	}
	if err := s.start(soft, start); err != nil || soft.Err() != nil {
		return err
	}
	client, err := kgo.NewClient(append(s.options,
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(ctx context.Context, _ *kgo.Client, m map[string][]int32) {
			s.announce(ctx, rebalance{assigned: partitions(m)})
		}),
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, m map[string][]int32) {
			s.announce(ctx, rebalance{revoked: partitions(m)})
		}),
		kgo.OnPartitionsLost(func(ctx context.Context, _ *kgo.Client, m map[string][]int32) {
			s.announce(ctx, rebalance{revoked: partitions(m), lost: true})
		}),
	)...)
	if err != nil {
		return connect.NewError("The consumer of this task cannot be made; check the consumer.* settings of the worker and the consumer.override.* settings of the connector", err)
	}
	s.consumer = client
	defer func() {
		// Leaving calls the callbacks, which must find nobody here.
		go func() {
			for r := range s.rebalances {
				close(r.done)
			}
		}()
		s.consumer.AllowRebalance()
		s.consumer.CloseAllowingRebalance()
		close(s.rebalances)
	}()
	close(started)
	s.paused = s.began()
	err = s.deliverAll(soft, hard)
	// What was delivered is committed, also when the task fails. Nobody ends hard
	// for such a task, and its status waits for this.
	last := hard
	if err != nil {
		var cancel context.CancelFunc
		last, cancel = context.WithTimeout(hard, s.timeout)
		defer cancel()
	}
	if e := s.commit(last, nil); e != nil {
		s.log.Warn("The last commit of offsets failed; records may be delivered again", zap.Error(e))
	}
	return err
}

// deliverAll is the loop of the putting goroutine.
func (s *sink) deliverAll(soft, hard context.Context) error {
	s.tick = time.NewTicker(s.flush)
	defer s.tick.Stop()
	s.watch = time.NewTicker(time.Second)
	defer s.watch.Stop()
	for {
		d, err := s.await(soft, hard, s.deliveries, nil)
		if err != nil || soft.Err() != nil {
			return err
		}
		if err := s.deliver(soft, hard, d); err != nil {
			return err
		}
		s.recycle(d)
	}
}

// await does what the task has to do between two calls of Put, until a delivery
// or wake comes, or soft ends. While the task is paused neither comes: what was
// consumed before waits for the end of the pause.
func (s *sink) await(soft, hard context.Context, deliveries <-chan *delivery, wake <-chan time.Time) (*delivery, error) {
	for {
		changed := s.pause.changed() // before the look, so that no change is missed
		if p := s.pause.paused(); p != s.paused {
			s.followPause(hard, p)
		}
		next, alarm := deliveries, wake
		if s.paused {
			next, alarm = nil, nil
		}
		select {
		case <-soft.Done():
			return nil, nil
		case r := <-s.rebalances:
			if err := s.rebalance(hard, r); err != nil {
				return nil, err
			}
		case d := <-next:
			return d, nil
		case <-alarm:
			return nil, nil
		case <-s.tick.C:
			if err := s.commit(hard, nil); err != nil {
				if dlq := s.tolerance.dlq; dlq != nil && dlq.refusal() != nil {
					return nil, dlq.refusal() // no commit could follow (Promise 5)
				}
				s.log.Warn("Committing offsets failed; it is tried again with the next commit", zap.Error(err))
			}
		case <-s.watch.C:
			s.showHealth()
		case <-changed:
		}
	}
}

func (s *sink) followPause(hard context.Context, paused bool) {
	s.paused = paused
	if !paused {
		s.report(OnStart, "")
		s.health.hidden()
		return
	}
	if err := s.commit(hard, nil); err != nil {
		s.log.Warn("Committing offsets before the pause failed", zap.Error(err))
	}
	s.report(OnPause, "")
}

// deliver puts one delivery. When that is done it returns the error that came
// behind its records.
func (s *sink) deliver(soft, hard context.Context, d *delivery) error {
	if err := s.put(soft, hard, d); err != nil || soft.Err() != nil {
		return err
	}
	return d.err
}

// put puts the records of a delivery, again and again while the error is
// retriable and the task shall go on.
func (s *sink) put(soft, hard context.Context, d *delivery) error {
	s.current, s.hard = d, hard
	for attempt := 0; ; attempt++ {
		s.dropLost(d)
		if len(d.ends) == 0 {
			return nil
		}
		s.meter.Sent(len(d.records))
		began := s.now()
		lost, err := s.callPut(hard, d.records)
		if err == nil {
			s.meter.Put(s.now().Sub(began))
			s.health.Moving()
			for _, e := range d.ends {
				s.position[e.tp] = e.next
				s.delivered += e.to - e.from
			}
			return s.serve(hard)
		}
		if lost {
			// The loss is dealt with below; what is left comes again.
			err = connect.NewRetriable("Partitions were lost while they were written", err)
		}
		if connect.KindOf(err) != connect.Retriable {
			return connect.NewError("Exiting WorkerSinkTask due to unrecoverable exception.", err)
		}
		// Promise 4: the group is kept, the offsets stay, the same records come again.
		if !lost {
			s.health.Waiting(err)
		}
		s.log.Warn("Writing failed and is tried again", zap.Error(err))
		delay := backoff(attempt)
		var e *connect.Error
		if errors.As(err, &e) && e.RetryAfter > 0 {
			delay = e.RetryAfter
		}
		s.showHealth()
		timer := time.NewTimer(delay)
		_, err = s.await(soft, hard, nil, timer.C)
		timer.Stop()
		if err != nil || soft.Err() != nil {
			return err
		}
	}
}

// callPut calls the task's Put. Its context ends when partitions are lost,
// which lost reports: their next owner may be past these records already, and
// what is written now would undo newer rows.
func (s *sink) callPut(hard context.Context, records []connect.Record) (lost bool, err error) {
	ctx, cancel := context.WithCancelCause(hard)
	defer cancel(nil)
	s.mu.Lock()
	s.abandon = cancel
	s.mu.Unlock()
	settled := s.watchPut(len(records))
	err = guard(func() error { return s.task.Put(ctx, records) })
	settled()
	s.mu.Lock()
	s.abandon = nil
	s.mu.Unlock()
	return errors.Is(context.Cause(ctx), errLost), err
}

var errLost = errors.New("partitions were lost")

// watchPut shows a Put that takes long as a wait, because a server that hangs
// or holds a lock gives no error to show (Promise 5). The function that it
// returns ends that.
func (s *sink) watchPut(records int) (settled func()) {
	began, over, done := s.now(), make(chan struct{}), make(chan struct{})
	timer := time.AfterFunc(time.Second, func() {
		defer close(done)
		look := time.NewTicker(time.Second)
		defer look.Stop()
		for s.now().Sub(began) < showWaitAfter {
			select {
			case <-look.C:
			case <-over:
				return
			}
		}
		s.health.wait(&s.health.put, began, connect.NewRetriable(fmt.Sprintf(
			"Writing a delivery of %d records has not ended yet: what is written to does not answer, holds a lock or is slow", records), nil))
		s.showHealth()
	})
	return func() {
		close(over)
		if !timer.Stop() {
			<-done
			s.health.move(&s.health.put)
		}
	}
}

// dropLost removes what belongs to partitions that are no longer ours.
func (s *sink) dropLost(d *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := d.ends[:0]
	for _, e := range d.ends {
		if s.owned[e.tp] == e.round && e.round != 0 {
			kept = append(kept, e)
		} else {
			s.meter.Dropped(e.to - e.from)
		}
	}
	if len(kept) == len(d.ends) || len(kept) == 0 {
		d.ends = kept
		return
	}
	d.ends = kept
	records := d.records[:0]
	for i := range d.records {
		at := d.records[i].Origin.Index
		if slices.ContainsFunc(kept, func(e end) bool { return e.from <= at && at < e.to }) {
			records = append(records, d.records[i])
		}
	}
	d.records = records
}

// announce hands a change of the assignment to the putting goroutine and
// waits until it was dealt with.
func (s *sink) announce(ctx context.Context, r rebalance) {
	if len(r.assigned)+len(r.revoked) == 0 {
		return
	}
	r.done = make(chan struct{})
	if r.lost {
		s.mu.Lock()
		if s.abandon != nil {
			s.abandon(errLost)
		}
		s.mu.Unlock()
	}
	select {
	case s.rebalances <- r:
	case <-ctx.Done():
		return
	}
	<-r.done
}

// rebalance takes over new partitions and gives up old ones: what was
// delivered is committed, what was not is dropped.
func (s *sink) rebalance(ctx context.Context, r rebalance) error {
	defer close(r.done)
	defer s.count()
	if len(r.revoked) > 0 {
		if !r.lost {
			if err := s.commit(ctx, r.revoked); err != nil {
				s.log.Warn("Committing the offsets of revoked partitions failed; their next owner repeats records", zap.Error(err))
			}
		}
		s.mu.Lock()
		for _, tp := range r.revoked {
			delete(s.owned, tp)
		}
		s.mu.Unlock()
		for _, tp := range r.revoked {
			delete(s.position, tp)
			delete(s.committed, tp)
			s.read.Lost(tp.Topic, tp.Partition)
		}
		if l, ok := s.task.(connect.PartitionListener); ok {
			if err := guard(func() error { return l.Close(ctx, r.revoked) }); err != nil {
				return err
			}
		}
	}
	if len(r.assigned) > 0 {
		s.mu.Lock()
		s.rounds++
		for _, tp := range r.assigned {
			s.owned[tp] = s.rounds
		}
		s.mu.Unlock()
		if l, ok := s.task.(connect.PartitionListener); ok {
			if err := guard(func() error { return l.Open(ctx, r.assigned) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// serve carries out what the task asked of its consumer during Put.
func (s *sink) serve(ctx context.Context) error {
	q := s.requests.take()
	if len(q.pause) > 0 {
		s.consumer.PauseFetchPartitions(byTopic(q.pause))
	}
	if len(q.resume) > 0 {
		s.consumer.ResumeFetchPartitions(byTopic(q.resume))
	}
	if len(q.seek) > 0 {
		if err := s.seek(ctx, q.seek); err != nil {
			return err
		}
	}
	if q.commit {
		return s.commit(ctx, nil)
	}
	return nil
}

// seek moves positions between two polls. While it waits for the one that goes
// on, that may wait for a rebalance.
func (s *sink) seek(ctx context.Context, to map[connect.TopicPartition]int64) error {
	s.mu.Lock()
	s.seeking = true
	if s.interrupt != nil {
		s.interrupt()
	}
	s.mu.Unlock()
	for waiting := true; waiting; {
		select {
		case s.polls <- struct{}{}:
			waiting = false
		case r := <-s.rebalances:
			if err := s.rebalance(ctx, r); err != nil {
				return err
			}
		}
	}
	defer func() { <-s.polls }()
	offsets := make(map[string]map[int32]kgo.EpochOffset)
	s.mu.Lock()
	s.seeking = false
	s.rounds++
	for tp, o := range to {
		if _, ok := s.owned[tp]; !ok {
			continue
		}
		s.owned[tp] = s.rounds // what was polled before the seek is dropped
		s.position[tp] = o
		if offsets[tp.Topic] == nil {
			offsets[tp.Topic] = make(map[int32]kgo.EpochOffset)
		}
		offsets[tp.Topic][tp.Partition] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	s.mu.Unlock()
	s.consumer.SetOffsets(offsets)
	return nil
}

// commit commits the delivered positions of some partitions, or of all when
// only is nil. Reports to the dead letter queue are waited for first, so that
// no record is committed whose dead letter is not in Kafka.
func (s *sink) commit(ctx context.Context, only []connect.TopicPartition) error {
	if s.tolerance.dlq != nil {
		if err := s.tolerance.dlq.wait(ctx); err != nil {
			return err
		}
	}
	offsets := make(map[connect.TopicPartition]int64, len(s.position))
	if only == nil {
		maps.Copy(offsets, s.position)
	}
	for _, tp := range only {
		if o, ok := s.position[tp]; ok {
			offsets[tp] = o
		}
	}
	if p, ok := s.task.(connect.PreCommitter); ok && len(offsets) > 0 {
		var err error
		if err = guard(func() error { offsets, err = p.PreCommit(ctx, offsets); return err }); err != nil {
			return err
		}
	}
	commit := make(map[string]map[int32]kgo.EpochOffset)
	for tp, o := range offsets {
		if c, ok := s.committed[tp]; ok && c == o {
			continue
		}
		if commit[tp.Topic] == nil {
			commit[tp.Topic] = make(map[int32]kgo.EpochOffset)
		}
		commit[tp.Topic][tp.Partition] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	if len(commit) == 0 {
		return nil
	}
	began := s.now()
	// Promise 1: the rows of these offsets are committed in the database.
	err := commitOffsets(ctx, s.consumer, commit)
	if err == nil {
		maps.Copy(s.committed, offsets)
	}
	s.meter.Committed(s.now().Sub(began), s.covered(err == nil && only == nil), err)
	return err
}
