package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
)

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
