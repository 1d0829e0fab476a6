package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
)

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
