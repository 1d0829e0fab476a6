package group

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// heart keeps a membership alive while Run waits for its user. It beats in its own goroutine, because starting and
// stopping work may take longer than a session, and stops before a JoinGroup, which keeps the session open itself.
// It beats faster at first: a rebalance often takes two rounds, and a heartbeat is how a member hears of the second.
type heart struct {
	beats  chan error // how each heartbeat went
	cancel context.CancelFunc
	done   chan struct{}
}

const firstBeat = 50 * time.Millisecond

func (m *Member) startHeart(ctx context.Context, memberID string, generation int32) *heart {
	ctx, cancel := context.WithCancel(ctx)
	h := &heart{beats: make(chan error), cancel: cancel, done: make(chan struct{})}
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = m.cfg.GroupID, memberID, generation
	go func() {
		defer close(h.done)
		pause := min(firstBeat, m.cfg.HeartbeatInterval)
		next := time.NewTimer(pause)
		defer next.Stop()
		for failures := 0; ; {
			select {
			case <-ctx.Done():
				return
			case <-next.C:
			}
			resp, err := req.RequestWith(ctx, m.coordinator)
			if err == nil {
				err = kerr.ErrorForCode(resp.ErrorCode)
			}
			select {
			case <-ctx.Done():
				return
			case h.beats <- err:
			}
			if unreachable(err) {
				failures++
				next.Reset(min(pauseAfter(failures), m.cfg.HeartbeatInterval/10)) // often enough to be back in time
				continue
			}
			failures = 0
			pause = min(2*pause, m.cfg.HeartbeatInterval)
			next.Reset(pause)
		}
	}()
	return h
}

func (h *heart) stop() {
	h.cancel()
	<-h.done
}
