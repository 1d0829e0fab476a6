package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connect/metrics"
	"kconnect/connect/storage"
	"kconnect/connect/transform"
)

// A source batch is handed on at this size at the latest. Two are in use, so
// that one is filled while the other is converted.
const (
	batchRecords = 2048
	batchBytes   = 4 << 20
	batches      = 2
)

// source runs one source task.
type source struct {
	base
	task     connect.SourceTask
	env      *connect.SourceEnv
	chain    *transform.Chain
	key      connect.Converter
	value    connect.Converter
	header   connect.HeaderConverter
	classes  converterClasses
	producer *kgo.Client
	patience time.Duration   // delivery.timeout.ms; 0: for ever
	sent     *metrics.Client // of the producer
	topics   *topicCreator
	flush    time.Duration // between commits
	timeout  time.Duration // of a commit when the task ends

	// openOffsets says where the connector's offsets are; they are closed when
	// the task has ended.
	openOffsets func(ctx context.Context) (*storage.ConnectorOffsets, func(), error)
	offsets     *storage.ConnectorOffsets // nil before the task is started
	release     func()

	free     chan *connect.SourceBatch
	filled   chan *connect.SourceBatch
	spare    sync.Pool // of *flight
	tracker  tracker
	lastAck  atomic.Int64 // ns; of the last acknowledgement or of an idle moment
	commits  atomic.Bool  // the poller shall call Committed
	sendErr  atomic.Pointer[error]
	fail     context.CancelCauseFunc
	spans    []span
	produced atomic.Int64
}

// flight is one converted batch on its way to Kafka. Its memory is used again
// once every record was answered.
type flight struct {
	records []kgo.Record
	sources []int // the number of each among the batch's transformed records
	slab    []byte
	marks   []mark
	count   int
	pending atomic.Int32
	refused atomic.Int32 // records that Kafka did not take, tolerated
	done    bool
	since   time.Time // of the production
}

// span is where a record's key and value lie in the slab; -1 is null.
type span struct{ key, keyEnd, value, valueEnd int }

// run works until soft ends, then finishes what was polled until hard ends.
func (s *source) run(soft, hard context.Context) error {
	s.free = make(chan *connect.SourceBatch, batches)
	s.filled = make(chan *connect.SourceBatch, 1)
	for range batches {
		s.free <- connect.NewSourceBatch(batchRecords, batchBytes)
	}
	soft, s.fail = context.WithCancelCause(soft)
	defer s.fail(nil)

	committing, stopCommitting := context.WithCancel(hard)
	defer stopCommitting()
	g, failing := errgroup.WithContext(soft)
	g.Go(func() error {
		defer close(s.filled)
		return s.poll(failing, hard)
	})
	g.Go(func() error {
		defer stopCommitting()
		return s.convert(failing, hard)
	})
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		s.commitLoop(committing, hard)
	}()
	err := g.Wait()
	<-committed
	if s.release != nil {
		defer s.release()
	}
	// What is acknowledged by now is the last that can be stored.
	last, done := context.WithTimeout(hard, s.timeout)
	defer done()
	s.commit(last)
	if e := s.sendErr.Load(); e != nil {
		return *e
	}
	return err
}

// poll makes every call of the task.
func (s *source) poll(soft, hard context.Context) error {
	defer s.stop(func() error { return s.task.Stop(hard) })
	if err := s.start(soft, s.startTask); err != nil || soft.Err() != nil {
		return err
	}
	s.began()
	for attempt, waiting := 0, false; ; {
		b := s.empty(soft)
		if b == nil {
			return nil
		}
		if s.commits.Swap(false) {
			if c, ok := s.task.(connect.Committer); ok {
				if err := c.Committed(soft); err != nil {
					s.log.Warn("The task failed in Committed", zap.Error(err))
				}
			}
		}
		b.Reset(batchRecords, batchBytes)
		began := s.now()
		err := guard(func() error { return s.task.Poll(soft, b) })
		switch {
		case len(b.Records) > 0 || len(b.Positions) > 0:
			s.meter.Polled(len(b.Records), s.now().Sub(began))
			// What was read before an error is sent all the same.
			select {
			case s.filled <- b:
			case <-soft.Done():
				return nil
			}
			attempt = 0
			s.health.Moving()
		default:
			s.free <- b
		}
		if soft.Err() != nil {
			return nil
		}
		if err != nil {
			if connect.KindOf(err) != connect.Retriable {
				return err
			}
			s.health.Waiting(err)
			waiting = true
			if !s.rest(soft, backoff(attempt)) {
				return nil
			}
			attempt++
			continue
		}
		if waiting { // an empty poll of a task that itself says that it waits is no movement
			s.health.Moving()
			waiting = false
		}
	}
}

// empty returns a batch to fill, while the task is not paused: also one whose
// batches are all waiting pauses at once. It returns nil when ctx ended.
func (s *source) empty(ctx context.Context) *connect.SourceBatch {
	for s.awaitResumed(ctx) {
		changed := s.pause.changed()
		if s.pause.paused() {
			continue
		}
		select {
		case b := <-s.free:
			return b
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil
}

// startTask starts the task once its offsets can be read.
func (s *source) startTask(ctx context.Context) (err error) {
	if s.offsets == nil {
		if s.offsets, s.release, err = s.openOffsets(ctx); err != nil {
			return err
		}
		s.env.Offsets = &offsetReader{s.offsets}
	}
	s.begun = true
	return s.task.Start(ctx, s.env)
}

// convert turns batches into flights and produces them, without waiting for
// acknowledgements in between. What waits for better times ends with soft.
func (s *source) convert(soft, hard context.Context) error {
	var failed error
	for b := range s.filled {
		if failed != nil || s.sendErr.Load() != nil {
			continue // the poller may hand over one more
		}
		if failed = s.send(soft, hard, b); failed != nil {
			s.fail(failed)
			continue
		}
		s.free <- b
	}
	// Also a task that failed stores the offsets of what Kafka took before.
	ctx := hard
	if failed != nil || s.sendErr.Load() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(hard, s.timeout)
		defer cancel()
	}
	if err := s.producer.Flush(ctx); err != nil {
		s.log.Warn("Records were still unacknowledged when the time to stop was over; they will be read and sent again",
			zap.Int("batches", s.tracker.unfinished()))
	}
	if wasInterrupted(failed) {
		return nil // what was not sent is read again
	}
	return failed
}

// send converts one batch and hands it to the producer. When a record fails the
// task, those before it are sent all the same.
func (s *source) send(soft, hard context.Context, b *connect.SourceBatch) error {
	f, _ := s.spare.Get().(*flight)
	if f == nil {
		f = &flight{}
	}
	f.done, f.count, f.marks, f.slab = false, len(b.Records), f.marks[:0], f.slab[:0]
	f.refused.Store(0)
	// A record that a transformation drops moves the offset all the same, so
	// positions are taken before the chain.
	f.marks = appendMarks(f.marks, b.Records)
	for _, p := range b.Positions {
		f.marks = setMark(f.marks, p.Source, p.Offset)
	}
	s.chain.Recycle() // the batch before is bytes by now
	var bad *failure
	records, err := s.chain.Apply(b.Records, s.tolerance.retries(soft), func(r *connect.Record, class string, err error) error {
		bad = s.failure(StageTransformation, class, r, err)
		if s.tolerance.all {
			return s.tolerance.handle(hard, bad)
		}
		return err // which is told when it is this record's turn
	})
	n, failed := s.encodeAll(soft, hard, f, records)
	if failed == nil && err != nil {
		failed = s.tolerance.handle(hard, bad)
	}
	if failed == nil || n > 0 {
		ready, e := s.topics.ensure(soft, f.records)
		if e != nil {
			failed, n = e, f.sources[ready]
			f.records = f.records[:ready]
		}
	}
	if failed != nil {
		f.count, f.marks = n, appendMarks(f.marks[:0], records[:n])
	}
	s.produce(hard, f)
	return failed
}

// encodeAll fills the records of a flight, up to the first that fails the task,
// and returns how many of the given ones are dealt with.
func (s *source) encodeAll(soft, hard context.Context, f *flight, records []connect.Record) (n int, err error) {
	if cap(f.records) < len(records) {
		f.records = make([]kgo.Record, len(records))
	}
	f.records, f.sources = f.records[:0], f.sources[:0]
	s.spans = s.spans[:0]
	for n = range records {
		r := &records[n]
		start := len(f.slab)
		var sp span
		var headers []kgo.RecordHeader
		f.slab, sp, err = s.encode(soft, hard, f.slab, r)
		if err == nil && len(r.Headers) > 0 {
			headers, err = s.encodeHeaders(soft, hard, r)
		}
		if err != nil {
			f.slab = f.slab[:start]
			var sk *skipped
			if errors.As(err, &sk) {
				err = nil
				continue
			}
			break
		}
		k := kgo.Record{Topic: r.Topic, Partition: r.Partition, Headers: headers}
		if r.Timestamp != connect.NoTimestamp {
			k.Timestamp = time.UnixMilli(r.Timestamp)
		}
		f.records, f.sources = append(f.records, k), append(f.sources, n)
		s.spans = append(s.spans, sp)
	}
	if err == nil {
		n = len(records)
	}
	// The slab has its place now.
	for i := range f.records {
		k, sp := &f.records[i], s.spans[i]
		if sp.key >= 0 {
			k.Key = f.slab[sp.key:sp.keyEnd:sp.keyEnd]
		}
		if sp.value >= 0 {
			k.Value = f.slab[sp.value:sp.valueEnd:sp.valueEnd]
		}
	}
	return n, err
}

// skipped says that a record was reported and is left out.
type skipped struct{ cause error }

func (e *skipped) Error() string { return e.cause.Error() }
func (e *skipped) Unwrap() error { return e.cause }

// encode appends key and value to the slab.
func (s *source) encode(soft, hard context.Context, slab []byte, r *connect.Record) ([]byte, span, error) {
	sp := span{key: -1, value: -1}
	// The null key of most sources needs no converter, whatever its class.
	if r.KeySchema != nil || !r.Key.IsNull() {
		out, err := s.appendValue(soft, hard, s.key, StageKeyConverter, s.classes.key, slab, r, r.KeySchema, r.Key)
		if err != nil {
			return slab, sp, err
		}
		if out != nil {
			sp.key, sp.keyEnd = len(slab), len(out)
			slab = out
		}
	}
	out, err := s.appendValue(soft, hard, s.value, StageValueConverter, s.classes.value, slab, r, r.ValueSchema, r.Value)
	if err != nil {
		return slab, sp, err
	}
	if out != nil {
		sp.value, sp.valueEnd = len(slab), len(out)
		slab = out
	}
	return slab, sp, nil
}

// appendValue converts one value. The error is a *skipped when the
// configuration tolerates it.
func (s *source) appendValue(soft, hard context.Context, c connect.Converter, stage Stage, class string, slab []byte, r *connect.Record, schema *data.Schema, v data.Value) ([]byte, error) {
	out, err := c.Append(slab, r.Topic, schema, v)
	if err != nil {
		err = s.outlast(soft, err, func() (e error) {
			out, e = c.Append(slab, r.Topic, schema, v)
			return e
		})
	}
	if err != nil {
		return nil, s.tolerate(hard, stage, class, r, err)
	}
	return out, nil
}

func (s *source) encodeHeaders(soft, hard context.Context, r *connect.Record) ([]kgo.RecordHeader, error) {
	headers := make([]kgo.RecordHeader, len(r.Headers))
	for i, h := range r.Headers {
		b, err := s.header.AppendHeader([]byte{}, r.Topic, h.Key, h.Schema, h.Value)
		if err != nil {
			err = s.outlast(soft, err, func() (e error) {
				b, e = s.header.AppendHeader([]byte{}, r.Topic, h.Key, h.Schema, h.Value)
				return e
			})
		}
		if err != nil {
			return nil, s.tolerate(hard, StageHeaderConverter, s.classes.header, r, err)
		}
		headers[i] = kgo.RecordHeader{Key: h.Key, Value: b}
	}
	return headers, nil
}

// tolerate reports a record that could not be converted. The error is a
// *skipped when it is to be left out, else that which fails the task.
func (s *source) tolerate(ctx context.Context, stage Stage, class string, r *connect.Record, err error) error {
	if err := s.tolerance.handle(ctx, s.failure(stage, class, r, err)); err != nil {
		return err
	}
	return &skipped{err}
}

func (s *source) failure(stage Stage, class string, r *connect.Record, err error) *failure {
	return &failure{stage: stage, class: class, err: err, topic: r.Topic, partition: r.Partition}
}

// produce submits a flight. The promise of each record runs on the producer's
// goroutines.
func (s *source) produce(ctx context.Context, f *flight) {
	if s.tracker.unfinished() == 0 {
		s.lastAck.Store(s.now().UnixNano())
	}
	f.since = s.now()
	f.pending.Store(int32(len(f.records) + 1))
	s.tracker.submit(f)
	promise := func(r *kgo.Record, err error) {
		if err != nil {
			if !s.answered(ctx, r, err) {
				return // never acknowledged: the offset stays where it is
			}
			f.refused.Add(1)
		}
		s.landed(f)
	}
	for i := range f.records {
		s.producer.Produce(ctx, &f.records[i], promise)
	}
	s.produced.Add(int64(len(f.records)))
	s.landed(f)
}

// landed counts one answer and completes the flight with the last.
func (s *source) landed(f *flight) {
	if f.pending.Add(-1) > 0 {
		return
	}
	s.lastAck.Store(s.now().UnixNano())
	for _, done := range s.tracker.complete(f) {
		s.meter.Written(done.count, len(done.records)-int(done.refused.Load()))
		clear(done.records)
		s.spare.Put(done)
	}
}

// answered decides about a record that Kafka refused: true when it counts as
// done (tolerated), false when the task must fail or is ending.
func (s *source) answered(ctx context.Context, r *kgo.Record, err error) bool {
	if ctx.Err() != nil || errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, context.Canceled) {
		return false
	}
	s.sent.Refused()
	f := &failure{stage: StageKafkaProduce, class: "org.apache.kafka.connect.source.SourceTask", err: err, topic: r.Topic, partition: r.Partition}
	if s.tolerance.handle(ctx, f) == nil {
		return true
	}
	failed := connect.NewError("Unrecoverable exception from producer send callback",
		connect.NewError(fmt.Sprintf("topic %s does not take a record of %d bytes: %s", r.Topic, len(r.Key)+len(r.Value), err), err))
	s.giveUp(failed)
	return false
}

// giveUp fails the task because of what became of records that were produced.
func (s *source) giveUp(failed error) {
	s.sendErr.CompareAndSwap(nil, &failed)
	s.fail(failed)
}

// checkPatience fails the task when Kafka let records wait for longer than
// delivery.timeout.ms. They are not skipped under errors.tolerance=all: it is
// no fault of theirs (Promise 4).
func (s *source) checkPatience() {
	since, waiting := s.tracker.waitingSince()
	if s.patience == 0 || !waiting || s.now().Sub(since) < s.patience {
		return
	}
	s.giveUp(connect.NewError("Unrecoverable exception from producer send callback", &connect.Error{
		Class: "org.apache.kafka.common.errors.TimeoutException", Kind: connect.Fatal,
		Message: fmt.Sprintf("Kafka has not acknowledged records for %d ms since they were produced (delivery.timeout.ms); leave the key out to wait for as long as it takes", s.patience.Milliseconds())}))
}

// commitLoop stores offsets every flush interval and watches for a Kafka that
// does not answer, until ctx ends. A commit is not broken off for taking long,
// and the next one waits for it: a write that is broken off may still reach the
// topic, behind that of newer offsets. Only the end of hard does so, or the
// timeout of a commit that is under way when ctx ends.
func (s *source) commitLoop(ctx, hard context.Context) {
	storing, breakOff := context.WithCancel(hard)
	defer breakOff()
	var underWay chan struct{} // closed at the end of a commit; nil: there is none
	tick := time.NewTicker(s.flush)
	defer tick.Stop()
	watch := time.NewTicker(time.Second)
	defer watch.Stop()
	for {
		select {
		case <-ctx.Done():
			if underWay != nil {
				defer time.AfterFunc(s.timeout, breakOff).Stop()
				<-underWay
			}
			return
		case <-tick.C:
			if underWay == nil {
				done := make(chan struct{})
				underWay = done
				go func() {
					defer close(done)
					s.commit(storing)
				}()
			}
		case <-underWay:
			underWay = nil
		case <-watch.C:
			if last := time.Unix(0, s.lastAck.Load()); s.tracker.unfinished() > 0 && s.now().Sub(last) > showWaitAfter {
				s.health.wait(&s.health.acks, last, connect.NewRetriable("Kafka has not acknowledged any record of this task for 10 s. Check that the brokers are up and that the topic's partitions have a leader.", nil))
			} else {
				s.health.move(&s.health.acks)
			}
			s.checkPatience()
			s.showHealth()
		}
	}
}

// commit stores the offsets of acknowledged records, until ctx ends; what
// cannot be stored is tried again with the next commit.
func (s *source) commit(ctx context.Context) {
	offsets := s.tracker.take()
	if len(offsets) == 0 {
		return
	}
	defer time.AfterFunc(s.timeout, func() {
		s.log.Warn("Kafka has not taken the offsets within offset.flush.timeout.ms; they are stored as soon as it does", zap.Duration("timeout", s.timeout))
	}).Stop()
	began := s.now()
	err := storeOffsets(ctx, s.offsets, s.id.Connector, offsets)
	s.meter.Committed(s.now().Sub(began), 0, err)
	if err != nil {
		s.tracker.putBack(offsets)
		s.log.Warn("Offsets could not be stored; they are tried again with the next commit", zap.Error(err))
		return
	}
	s.commits.Store(true)
}

// appendMarks adds the last position of each partition among records.
func appendMarks(marks []mark, records []connect.Record) []mark {
	for i := range records {
		r := &records[i]
		if r.Source == nil || len(r.SourceOffset.Names) == 0 {
			continue
		}
		if i+1 < len(records) && records[i+1].Source == r.Source && len(records[i+1].SourceOffset.Names) > 0 {
			continue // the next record's position covers it
		}
		marks = setMark(marks, r.Source, r.SourceOffset)
	}
	return marks
}

func setMark(marks []mark, p *connect.SourcePartition, o connect.SourceOffset) []mark {
	m := mark{p, copyOffset(o)}
	for i := range marks {
		if marks[i].partition == p {
			marks[i] = m
			return marks
		}
	}
	return append(marks, m)
}
