package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

// Reasons that LeaveGroup gives, worded as the Java worker does: operators know them from the broker's log.
const (
	reasonClosed  = "the consumer is being closed"
	reasonStalled = "worker poll timeout has expired."
)

type phase uint8

const (
	outside phase = iota // left, and not on the way back
	joining              // a round is under way, or the pause before the next try
	asking               // an event waits for its answer
	settled              // member of a generation, nothing to do but to stay
)

// membership is the state of one Run. Only Run's goroutine touches it; Run blocks nowhere but in its select, so that
// it takes requests at any time.
type membership struct {
	*Member
	ctx   context.Context
	phase phase

	memberID   string      // empty: not known to the coordinator
	completed  int32       // generation of the last round that succeeded
	version    int16       // of the protocol of that round
	held       *Assignment // what the next JoinGroup reports; nil before the first round and after Lost
	assignment Assignment  // of the event Joined that is being answered
	memory     Memory
	again      string // why another round is due; empty: it is not

	queue   []Event   // for the user, oldest first
	asked   EventKind // what the user has to answer, in phase asking
	heart   *heart
	playing *playing

	failures int   // rounds in a row that failed
	retry    alarm // the next try
	loss     alarm // the coordinator has been out of reach too long
	lost     bool  // loss went off while the user was busy with another event
	delay    alarm // a scheduled rebalance
	patience alarm // the user takes too long
	warned   time.Time
}

// playing is a round under way.
type playing struct {
	outcome chan outcome // buffered
	cancel  context.CancelFunc
}

// Run joins the group and stays in it until ctx ends (nil) or the coordinator refuses the worker for good (an error).
// Ending ctx does not leave the group: call Leave before. Run may be called once; it ends all that it has started.
func (m *Member) Run(ctx context.Context) error {
	defer close(m.done)
	defer m.close()
	s := &membership{Member: m, ctx: ctx, completed: -1}
	defer s.halt()
	s.join("")
	for {
		var events chan Event
		var first Event
		if len(s.queue) > 0 {
			events, first = m.events, s.queue[0]
		}
		var outcomes chan outcome
		if s.playing != nil {
			outcomes = s.playing.outcome
		}
		var beats chan error
		if s.heart != nil {
			beats = s.heart.beats
		}
		var err error
		select {
		case <-ctx.Done():
			return nil
		case events <- first:
			s.queue = s.queue[1:]
		case reason := <-m.rejoins:
			s.rejoin(reason)
		case ids := <-m.allocated:
			s.allocate(ids)
		case l := <-m.leaves:
			left := s.leave(l.ctx, reasonClosed)
			s.rest() // before the caller goes on, who may want back in
			l.reply <- left
		case o := <-outcomes:
			err = s.finish(o)
		case beat := <-beats:
			err = s.beat(beat)
		case <-s.retry.c:
			s.join(s.again)
		case <-s.loss.c:
			s.lose()
		case <-s.delay.c:
			s.delay.stop()
			s.rejoin("the delay of a scheduled rebalance is over")
		case <-s.patience.c:
			s.patience.stop()
			s.stall()
		}
		if err != nil {
			return err
		}
	}
}

// halt ends what runs beside Run.
func (s *membership) halt() {
	s.stopHeart()
	s.abandon()
	for _, a := range []*alarm{&s.retry, &s.loss, &s.delay, &s.patience} {
		a.stop()
	}
}

func (s *membership) stopHeart() {
	if s.heart != nil {
		s.heart.stop()
		s.heart = nil
	}
}

// abandon cancels a round under way.
func (s *membership) abandon() {
	if s.playing == nil {
		return
	}
	s.playing.cancel()
	o := <-s.playing.outcome
	s.playing, s.memberID, s.memory = nil, o.memberID, o.memory
}

// join begins a round.
func (s *membership) join(reason string) {
	s.stopHeart()
	s.retry.stop()
	s.delay.stop()
	s.phase = joining
	// Every Rejoin until here is served by this round, since the snapshot is taken after it.
	select {
	case <-s.rejoins:
	default:
	}
	s.again = ""
	ctx, cancel := context.WithCancel(s.ctx)
	p := &playing{outcome: make(chan outcome, 1), cancel: cancel}
	s.playing = p
	r := round{memberID: s.memberID, completed: s.completed, held: s.held, memory: s.memory, reason: reason}
	go func() { p.outcome <- s.play(ctx, r) }()
}

// finish takes the outcome of a round.
func (s *membership) finish(o outcome) error {
	s.playing.cancel()
	s.playing, s.memberID, s.memory = nil, o.memberID, o.memory
	if o.err != nil {
		return s.fail(o.err)
	}
	g := o.generation
	s.failures, s.completed, s.assignment = 0, g.Generation, g.Assignment
	s.loss.stop()
	s.log.Info("joined the worker group", zap.Int32("generation", g.Generation), zap.String("member", g.MemberID),
		zap.String("protocol", g.Protocol), zap.Bool("leader", g.Leader), zap.String("leader.url", g.Assignment.LeaderURL),
		zap.Int64("offset", g.Assignment.Offset), zap.Stringers("assigned", g.Assignment.Assigned),
		zap.Stringers("revoked", g.Assignment.Revoked), zap.Duration("delay", g.Assignment.Delay))
	if g.Assignment.Delay > 0 {
		s.delay.set(g.Assignment.Delay)
	}
	s.heart = s.startHeart(s.ctx, s.memberID, g.Generation)
	s.ask(Event{Kind: Joined, Generation: g})
	return nil
}

// fail decides what a failed round means.
func (s *membership) fail(err error) error {
	if remedy := refusal(err); remedy != "" {
		return fmt.Errorf("%w; %s", err, remedy)
	}
	s.failures++
	pause := pauseAfter(s.failures)
	if unreachable(err) {
		s.worry()
		if s.loss.c != nil {
			pause = min(pause, s.cfg.HeartbeatInterval/10) // often enough to be back in time
		}
	} else {
		s.forget(err)
		if s.failures == 1 {
			pause = 0 // the coordinator answers: it only wants another round
		}
	}
	s.again = fmt.Sprintf("rebalance failed: %v", err)
	if now := time.Now(); s.failures > 1 && now.Sub(s.warned) >= warnEvery {
		s.warned = now
		s.log.Warn("cannot join the worker group, trying on", zap.Int("failures", s.failures), zap.Error(err))
	}
	s.retry.set(pause)
	return nil
}

// beat takes the result of a heartbeat.
func (s *membership) beat(err error) error {
	switch {
	case err == nil, errors.Is(err, kerr.CoordinatorLoadInProgress):
		s.loss.stop()
		s.lost = false
	case errors.Is(err, kerr.RebalanceInProgress):
		s.loss.stop()
		s.lost = false
		s.rejoin("the group rebalances")
	case refusal(err) != "":
		return fmt.Errorf("heartbeat to worker group %q: %w; %s", s.cfg.GroupID, err, refusal(err))
	case unreachable(err):
		s.log.Debug("heartbeat failed", zap.Error(err))
		s.worry()
	default:
		s.forget(err)
		s.stopHeart()
		s.rejoin(fmt.Sprintf("the coordinator refused a heartbeat: %v", err))
	}
	return nil
}

// worry starts to count how long the coordinator is out of reach. Who has no part in the group loses nothing.
func (s *membership) worry() {
	if s.held != nil && s.loss.c == nil && !s.lost {
		s.loss.set(s.cfg.HeartbeatInterval)
	}
}

// forget drops the member id when the coordinator does not know it any more. What runs is kept and reported: the
// leader sorts out what runs twice.
func (s *membership) forget(err error) {
	if errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.FencedInstanceID) {
		s.memberID = ""
	}
}

// rejoin begins a round as soon as that is possible.
func (s *membership) rejoin(reason string) {
	switch s.phase {
	case outside:
		s.join(reason)
	case joining, asking:
		s.again = reason
	case settled:
		if s.version == V0 && len(s.held.Assigned) > 0 {
			s.ask(Event{Kind: Revoke, Reason: reason})
			s.again = reason
			return
		}
		s.queue = append(s.queue, Event{Kind: Rejoining, Reason: reason})
		s.join(reason)
	}
}

// lose tells the user that this worker cannot stay in the group.
func (s *membership) lose() {
	s.loss.stop()
	if s.phase == asking {
		s.lost = true // one question at a time
		return
	}
	s.log.Warn("the group coordinator is out of reach, giving up all work",
		zap.String("group", s.cfg.GroupID), zap.Duration("for", s.cfg.HeartbeatInterval))
	s.abandon()
	s.stopHeart()
	s.retry.stop()
	s.delay.stop()
	s.ask(Event{Kind: Lost, Reason: fmt.Sprintf("the group coordinator was out of reach for %v", s.cfg.HeartbeatInterval)})
}

// ask queues an event that the user has to answer.
func (s *membership) ask(e Event) {
	s.phase, s.asked = asking, e.Kind
	s.queue = append(s.queue, e)
	s.patience.set(s.cfg.RebalanceTimeout)
}

// allocate takes the user's account of what it has.
func (s *membership) allocate(ids []ID) {
	if s.phase != asking || len(s.queue) > 0 { // not an answer, since there is no question
		if s.held != nil {
			s.held = s.held.holding(ids)
		}
		return
	}
	s.patience.stop()
	s.phase = settled
	switch s.asked {
	case Joined:
		s.version = s.assignment.Version
		s.held = s.assignment.holding(ids)
		if len(s.assignment.Revoked) > 0 && s.again == "" {
			s.again = "work was given back and can be assigned anew"
		}
	case Revoke:
		s.held = s.held.holding(ids)
	case Lost:
		s.held, s.lost, s.failures = nil, false, 0
		s.join(s.again)
		return
	}
	switch {
	case s.lost:
		s.lose()
	case s.asked == Revoke:
		s.join(s.again)
	case s.again != "":
		s.rejoin(s.again)
	}
}

// holding is a as a member reports it. It is a copy: a round under way may still read the old one.
func (a Assignment) holding(ids []ID) *Assignment {
	a.Assigned, a.Revoked = ids, nil
	return &a
}

// stall leaves the group for a user that does not answer, so that the others need not wait for it. As soon as
// it does, it is welcome again.
func (s *membership) stall() {
	s.log.Error("the worker has not finished with an event in time and leaves the group until it has",
		zap.Stringer("event", s.asked), zap.Duration("rebalance.timeout.ms", s.cfg.RebalanceTimeout))
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.HeartbeatInterval)
	defer cancel()
	if err := s.leave(ctx, reasonStalled); err != nil {
		s.log.Warn("could not leave the group", zap.Error(err))
	}
	s.loss.stop()
	s.again = "the worker had not answered in time"
}

// leave tells the coordinator that this member is gone.
func (s *membership) leave(ctx context.Context, reason string) error {
	s.abandon()
	s.stopHeart()
	id := s.memberID
	if id == "" {
		return nil
	}
	s.memberID = ""
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = s.cfg.GroupID, id // the field of LeaveGroup before v3
	member := kmsg.NewLeaveGroupRequestMember()
	member.MemberID, member.Reason = id, kmsg.StringPtr(reason)
	req.Members = append(req.Members, member)
	resp, err := req.RequestWith(ctx, s.coordinator)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
		for _, m := range resp.Members {
			err = errors.Join(err, kerr.ErrorForCode(m.ErrorCode))
		}
	}
	if err != nil && !errors.Is(err, kerr.UnknownMemberID) { // which would say that it is gone already
		return fmt.Errorf("leave worker group %q: %w", s.cfg.GroupID, err)
	}
	return nil
}

// rest makes Run wait for a Rejoin.
func (s *membership) rest() {
	s.halt()
	s.phase, s.queue, s.again, s.lost, s.failures = outside, nil, "", false, 0
	select {
	case <-s.rejoins: // asked for a round in the membership that is over
	default:
	}
}

const warnEvery = 30 * time.Second

// pauseAfter grows from 20 ms to 1.28 s with the failures in a row.
func pauseAfter(failures int) time.Duration {
	return 20 * time.Millisecond << min(failures-1, 6)
}

// unreachable says that err is of the network or of a coordinator that is not where it was: not an answer about the
// membership, nor of a coordinator that is only reading its log.
func unreachable(err error) bool {
	if err == nil {
		return false
	}
	for _, verdict := range []error{kerr.CoordinatorLoadInProgress, kerr.RebalanceInProgress, kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.FencedInstanceID, kerr.MemberIDRequired} {
		if errors.Is(err, verdict) {
			return false
		}
	}
	return refusal(err) == ""
}

// refusal is the remedy when err will not go away by itself; empty when it may.
func refusal(err error) string {
	for _, r := range []struct {
		err    error
		remedy string
	}{
		{kerr.GroupAuthorizationFailed, "grant the worker's principal READ on the group (group.id)"},
		{kerr.ClusterAuthorizationFailed, "grant the worker's principal access to the cluster"},
		{kerr.SaslAuthenticationFailed, "check sasl.jaas.config and sasl.mechanism"},
		{kerr.UnsupportedSaslMechanism, "check sasl.mechanism"},
		{kerr.IllegalSaslState, "check security.protocol"},
		{kerr.InconsistentGroupProtocol, "group.id is used by something else, or no connect.protocol suits all workers: use another group.id, or the same connect.protocol everywhere"},
		{kerr.InvalidGroupID, "set group.id to another name"},
		{kerr.InvalidSessionTimeout, "set session.timeout.ms between the broker's group.min.session.timeout.ms and group.max.session.timeout.ms"},
		{kerr.GroupMaxSizeReached, "raise group.max.size on the broker, or run fewer workers"},
		{kerr.UnsupportedVersion, "use a broker that knows Connect's group protocol (0.10 or later)"},
	} {
		if errors.Is(err, r.err) {
			return r.remedy
		}
	}
	return ""
}

// alarm is a timer that can be off: its channel is nil then, and never chosen in a select.
type alarm struct {
	c     <-chan time.Time
	timer *time.Timer
}

func (a *alarm) set(d time.Duration) {
	a.stop()
	a.timer = time.NewTimer(d)
	a.c = a.timer.C
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.timer, a.c = nil, nil
}
