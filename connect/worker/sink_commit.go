package worker

import (
	"context"
	"maps"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
)

// rebalance is a change of the assignment, handed to the putting goroutine
// by the group's callbacks, which wait for done.
type rebalance struct {
	assigned []connect.TopicPartition
	revoked  []connect.TopicPartition
	lost     bool // others may own them already: commit nothing
	done     chan struct{}
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
