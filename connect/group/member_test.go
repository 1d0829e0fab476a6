package group

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// coordinator plays a broker for a group of one: it hands out member ids, makes the member leader of each
// generation, and returns the assignment that the leader computed. Tests put answers of their own before these.
type coordinator struct {
	mu         sync.Mutex
	generation int32
	members    int
	seen       []kmsg.Request
	answer     func(ctx context.Context, req kmsg.Request) (kmsg.Response, error) // nil, nil: the usual one
}

func (c *coordinator) Request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	c.mu.Lock()
	if join, is := req.(*kmsg.JoinGroupRequest); is {
		first := *join // which is sent again with the id that it got
		c.seen = append(c.seen, &first)
	} else {
		c.seen = append(c.seen, req)
	}
	answer := c.answer
	c.mu.Unlock()
	if answer != nil {
		if resp, err := answer(ctx, req); resp != nil || err != nil {
			return resp, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch req := req.(type) {
	case *kmsg.JoinGroupRequest:
		resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
		resp.MemberID = req.MemberID
		if req.MemberID == "" {
			c.members++
			resp.MemberID = "member-" + string(rune('0'+c.members))
			resp.ErrorCode = kerr.MemberIDRequired.Code
			return resp, nil
		}
		c.generation++
		resp.Generation, resp.LeaderID, resp.Protocol = c.generation, req.MemberID, &req.Protocols[0].Name
		m := kmsg.NewJoinGroupResponseMember()
		m.MemberID, m.ProtocolMetadata = req.MemberID, req.Protocols[0].Metadata
		resp.Members = append(resp.Members, m)
		return resp, nil
	case *kmsg.SyncGroupRequest:
		resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
		resp.MemberAssignment = req.GroupAssignment[0].MemberAssignment
		return resp, nil
	}
	return req.ResponseKind(), nil
}

func (c *coordinator) script(answer func(ctx context.Context, req kmsg.Request) (kmsg.Response, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

// requests takes the requests of one kind that came since the last call.
func requests[R kmsg.Request](c *coordinator) []R {
	c.mu.Lock()
	defer c.mu.Unlock()
	var of []R
	var rest []kmsg.Request
	for _, req := range c.seen {
		if r, is := req.(R); is {
			of = append(of, r)
		} else {
			rest = append(rest, req)
		}
	}
	c.seen = rest
	return of
}

func refuseHeartbeats(err *kerr.Error) func(context.Context, kmsg.Request) (kmsg.Response, error) {
	return func(_ context.Context, req kmsg.Request) (kmsg.Response, error) {
		if hb, is := req.(*kmsg.HeartbeatRequest); is {
			resp := hb.ResponseKind().(*kmsg.HeartbeatResponse)
			resp.ErrorCode = err.Code
			return resp, nil
		}
		return nil, nil
	}
}

func down(context.Context, kmsg.Request) (kmsg.Response, error) { return nil, io.EOF }

func testConfig() Config {
	return Config{GroupID: "g", URL: "http://a:8083/", ClientID: "a", Protocol: "sessioned", SessionTimeout: 10 * time.Second,
		RebalanceTimeout: 60 * time.Second, HeartbeatInterval: 3 * time.Second, MaxDelay: 5 * time.Minute}
}

var oneConnector = []ID{{"x", ConnectorTask}, {"x", 0}}

// play runs a member against a coordinator in virtual time. The configuration is connector x with one task, at offset 2.
func play(t *testing.T, cfg Config, test func(t *testing.T, c *coordinator, m *Member)) {
	synctest.Test(t, func(t *testing.T) {
		c := &coordinator{}
		m, err := newMember(c, cfg, func() (int64, map[string]int) { return 2, map[string]int{"x": 1} })
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		test(t, c, m)
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// expect takes the next event, which has to be of this kind.
func expect(t *testing.T, m *Member, kind EventKind) Event {
	t.Helper()
	e := <-m.Events()
	if e.Kind != kind {
		t.Fatalf("event %v (%s), want %v", e.Kind, e.Reason, kind)
	}
	return e
}

// quiet checks that no event is waiting and nothing will happen before time passes.
func quiet(t *testing.T, m *Member) {
	t.Helper()
	synctest.Wait()
	select {
	case e := <-m.Events():
		t.Fatalf("unexpected event %v (%s)", e.Kind, e.Reason)
	default:
	}
}

// pass lets virtual time go by.
func pass(d time.Duration) { time.Sleep(d) }

// settle takes a member through its first round.
func settle(t *testing.T, c *coordinator, m *Member) {
	t.Helper()
	expect(t, m, Joined)
	m.Allocated(oneConnector)
	quiet(t, m)
	requests[*kmsg.JoinGroupRequest](c)
}

func TestALoneWorkerJoinsWithoutAPause(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		start := time.Now()
		got := expect(t, m, Joined).Generation
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the first join slept %v", waited)
		}
		want := Generation{Generation: 1, MemberID: "member-1", Protocol: "sessioned", Leader: true,
			Assignment: Assignment{Version: V2, Leader: "member-1", LeaderURL: "http://a:8083/", Offset: 2, Assigned: oneConnector},
			Members:    map[string]string{"member-1": "http://a:8083/"},
			Owners:     map[ID]string{oneConnector[0]: "http://a:8083/", oneConnector[1]: "http://a:8083/"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		joins := requests[*kmsg.JoinGroupRequest](c)
		if len(joins) != 2 || len(joins[0].Protocols) != 3 || joins[0].ProtocolType != "connect" || joins[0].InstanceID != nil ||
			joins[0].SessionTimeoutMillis != 10000 || joins[0].RebalanceTimeoutMillis != 60000 {
			t.Errorf("joined with %+v", joins)
		}
		m.Allocated(oneConnector)
	})
}

func TestARoundWaitsForTheAnswerToTheLastOne(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		expect(t, m, Joined)
		requests[*kmsg.JoinGroupRequest](c)
		c.script(refuseHeartbeats(kerr.RebalanceInProgress))
		pass(10 * time.Second)
		quiet(t, m)
		if joins := requests[*kmsg.JoinGroupRequest](c); len(joins) > 0 {
			t.Error("joined before the answer")
		}
		if beats := requests[*kmsg.HeartbeatRequest](c); len(beats) < 3 {
			t.Errorf("%d heartbeats in 10 s while the user worked, want one every 3 s at least", len(beats))
		}
		c.script(nil)
		m.Allocated(oneConnector)
		expect(t, m, Rejoining)
		expect(t, m, Joined)
		joins := requests[*kmsg.JoinGroupRequest](c)
		if len(joins) != 1 || joins[0].MemberID != "member-1" {
			t.Fatalf("joined with %+v", joins)
		}
		reported, err := DecodeMetadata(joins[0].Protocols[0].Metadata)
		if err != nil || reported.Allocation == nil {
			t.Fatalf("%+v, %v", reported, err)
		}
		if diff := cmp.Diff(oneConnector, reported.Allocation.Assigned); diff != "" {
			t.Errorf("reported:\n%s", diff)
		}
		m.Allocated(oneConnector)
	})
}

func TestAnExpelledWorkerComesBackWithItsWork(t *testing.T) {
	for _, test := range []struct {
		verdict *kerr.Error
		id      string // with which the next JoinGroup begins
	}{{kerr.UnknownMemberID, ""}, {kerr.FencedInstanceID, ""}, {kerr.IllegalGeneration, "member-1"}} {
		t.Run(test.verdict.Message, func(t *testing.T) {
			play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
				settle(t, c, m)
				c.script(refuseHeartbeats(test.verdict))
				expect(t, m, Rejoining)
				expect(t, m, Joined)
				joins := requests[*kmsg.JoinGroupRequest](c)
				if joins[0].MemberID != test.id {
					t.Errorf("came back as %q, want %q", joins[0].MemberID, test.id)
				}
				if reported, err := DecodeMetadata(joins[0].Protocols[0].Metadata); err != nil || reported.Allocation == nil || len(reported.Allocation.Assigned) != 2 {
					t.Errorf("reported %+v, %v", reported, err)
				}
				m.Allocated(oneConnector)
			})
		})
	}
}

func TestAJoinThatIsRefusedBeginsAnew(t *testing.T) {
	for _, verdict := range []*kerr.Error{kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.RebalanceInProgress, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator} {
		for _, kind := range []kmsg.Request{kmsg.NewPtrJoinGroupRequest(), kmsg.NewPtrSyncGroupRequest()} {
			t.Run(verdict.Message, func(t *testing.T) {
				play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
					settle(t, c, m)
					times := 3
					c.script(func(_ context.Context, req kmsg.Request) (kmsg.Response, error) {
						if req.Key() != kind.Key() || times == 0 {
							return nil, nil
						}
						times--
						switch resp := req.ResponseKind().(type) {
						case *kmsg.JoinGroupResponse:
							resp.ErrorCode = verdict.Code
							return resp, nil
						case *kmsg.SyncGroupResponse:
							resp.ErrorCode = verdict.Code
							return resp, nil
						}
						return nil, nil
					})
					m.Rejoin("test")
					expect(t, m, Rejoining)
					if g := expect(t, m, Joined).Generation; g.Assignment.Err != NoError {
						t.Errorf("%+v", g)
					}
					m.Allocated(oneConnector)
				})
			})
		}
	}
}

func TestALostCoordinatorEndsAllWork(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		c.script(down)
		start := time.Now()
		expect(t, m, Lost)
		if waited := time.Since(start); waited != firstBeat+3*time.Second {
			t.Errorf("lost after %v, want the first heartbeat and 3 s of trying", waited)
		}
		c.script(nil)
		m.Allocated(nil)
		expect(t, m, Joined)
		joins := requests[*kmsg.JoinGroupRequest](c)
		first := joins[0]
		if reported, err := DecodeMetadata(first.Protocols[0].Metadata); err != nil || reported.Allocation != nil || first.MemberID != "member-1" {
			t.Errorf("came back as %q with %+v, %v", first.MemberID, reported, err)
		}
		m.Allocated(oneConnector)
	})
}

func TestACoordinatorLostDuringARoundEndsAllWork(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		c.script(func(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
			if req.Key() == kmsg.JoinGroup.Int16() {
				return nil, kerr.NotCoordinator
			}
			return nil, nil
		})
		m.Rejoin("test")
		expect(t, m, Rejoining)
		expect(t, m, Lost)
		m.Allocated(nil)
		pass(time.Minute)
		quiet(t, m) // once is enough
		c.script(nil)
		expect(t, m, Joined)
		m.Allocated(oneConnector)
	})
}

func TestALongOutageIsOvercome(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		c.script(down)
		expect(t, m, Lost)
		m.Allocated(nil)
		pass(time.Minute)
		quiet(t, m)
		c.script(nil)
		start := time.Now()
		expect(t, m, Joined)
		if waited := time.Since(start); waited > pauseAfter(100) {
			t.Errorf("back %v after the coordinator, the longest pause between tries is %v", waited, pauseAfter(100))
		}
		m.Allocated(oneConnector)
	})
}

func TestAShortOutageEndsNothing(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		c.script(down)
		pass(2700 * time.Millisecond)
		c.script(nil)
		pass(time.Minute)
		quiet(t, m)
	})
}

func TestHeartbeatsSlowDownAfterARound(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		pass(time.Minute)
		synctest.Wait()
		requests[*kmsg.HeartbeatRequest](c)
		pass(time.Minute)
		synctest.Wait()
		if beats := requests[*kmsg.HeartbeatRequest](c); len(beats) != 20 {
			t.Errorf("%d heartbeats in a quiet minute, want one every 3 s", len(beats))
		}
	})
}

func TestLostWaitsForTheAnswerToJoined(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		m.Rejoin("test")
		expect(t, m, Rejoining)
		expect(t, m, Joined)
		c.script(down)
		pass(20 * time.Second)
		quiet(t, m)
		m.Allocated(oneConnector)
		expect(t, m, Lost)
		c.script(nil)
		m.Allocated(nil)
		expect(t, m, Joined)
		m.Allocated(oneConnector)
	})
}

func TestAnEagerGroupStopsAllWorkBeforeARound(t *testing.T) {
	cfg := testConfig()
	cfg.Protocol = "eager"
	play(t, cfg, func(t *testing.T, c *coordinator, m *Member) {
		g := expect(t, m, Joined).Generation
		if g.Protocol != "default" || g.Assignment.Version != V0 {
			t.Errorf("%+v", g)
		}
		m.Allocated(oneConnector)
		quiet(t, m)
		requests[*kmsg.JoinGroupRequest](c)
		m.Rejoin("test")
		if e := expect(t, m, Revoke); e.Reason != "test" {
			t.Errorf("reason %q", e.Reason)
		}
		quiet(t, m)
		if joins := requests[*kmsg.JoinGroupRequest](c); len(joins) > 0 {
			t.Error("joined while work was running")
		}
		m.Allocated(nil)
		if diff := cmp.Diff(oneConnector, expect(t, m, Joined).Generation.Assignment.Assigned); diff != "" {
			t.Error(diff)
		}
		m.Allocated(oneConnector)
	})
}

// assigning answers SyncGroup with a, as a leader elsewhere would have computed it.
func assigning(a Assignment) func(context.Context, kmsg.Request) (kmsg.Response, error) {
	return func(_ context.Context, req kmsg.Request) (kmsg.Response, error) {
		if req.Key() != kmsg.SyncGroup.Int16() {
			return nil, nil
		}
		resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
		resp.MemberAssignment = a.Append(nil)
		return resp, nil
	}
}

func TestRevokedWorkLeadsToAnotherRound(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		c.script(assigning(Assignment{Version: V2, Leader: "b", LeaderURL: "http://b/", Offset: 2, Revoked: oneConnector}))
		m.Rejoin("test")
		expect(t, m, Rejoining)
		if g := expect(t, m, Joined).Generation; g.Leader || len(g.Assignment.Revoked) != 2 {
			t.Errorf("%+v", g)
		}
		quiet(t, m)
		requests[*kmsg.JoinGroupRequest](c)
		c.script(assigning(Assignment{Version: V2, Leader: "b", LeaderURL: "http://b/", Offset: 2}))
		m.Allocated(nil)
		expect(t, m, Rejoining)
		expect(t, m, Joined)
		reported, err := DecodeMetadata(requests[*kmsg.JoinGroupRequest](c)[0].Protocols[0].Metadata)
		want := &Assignment{Version: V2, Leader: "b", LeaderURL: "http://b/", Offset: 2}
		if diff := cmp.Diff(want, reported.Allocation); err != nil || diff != "" {
			t.Errorf("reported: %v\n%s", err, diff)
		}
		m.Allocated(nil)
		pass(10 * time.Second)
		quiet(t, m)
	})
}

func TestADelayEndsInAnotherRound(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		c.script(assigning(Assignment{Version: V2, Leader: "b", Offset: 2, Delay: 5 * time.Second}))
		settle(t, c, m)
		c.script(assigning(Assignment{Version: V2, Leader: "b", Offset: 2}))
		start := time.Now()
		expect(t, m, Rejoining)
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("rejoined after %v, want 5s", waited)
		}
		expect(t, m, Joined)
		m.Allocated(nil)
		pass(10 * time.Second)
		quiet(t, m) // the delay is forgotten
	})
}

func TestAUserThatHangsMakesTheWorkerLeave(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		m.Rejoin("test")
		expect(t, m, Rejoining)
		expect(t, m, Joined)
		pass(61 * time.Second)
		synctest.Wait()
		left := requests[*kmsg.LeaveGroupRequest](c)
		if len(left) != 1 || left[0].Members[0].MemberID != "member-1" || *left[0].Members[0].Reason != reasonStalled {
			t.Fatalf("left with %+v", left)
		}
		requests[*kmsg.HeartbeatRequest](c)
		requests[*kmsg.JoinGroupRequest](c)
		pass(10 * time.Second)
		synctest.Wait()
		if beats := requests[*kmsg.HeartbeatRequest](c); len(beats) > 0 {
			t.Error("heartbeats after leaving")
		}
		m.Allocated(oneConnector)
		expect(t, m, Rejoining)
		expect(t, m, Joined)
		join := requests[*kmsg.JoinGroupRequest](c)[0]
		if reported, err := DecodeMetadata(join.Protocols[0].Metadata); join.MemberID != "" || err != nil || len(reported.Allocation.Assigned) != 2 {
			t.Errorf("came back as %q with %+v, %v", join.MemberID, reported, err)
		}
		m.Allocated(oneConnector)
	})
}

func TestRejoinDuringARoundLeadsToAnother(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		pending, release := make(chan struct{}, 9), make(chan struct{})
		c.script(func(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
			if req.Key() == kmsg.JoinGroup.Int16() {
				pending <- struct{}{}
				<-release
			}
			return nil, nil
		})
		m.Rejoin("first")
		m.Rejoin("second") // in time for the same round, or soon enough to be one with it
		expect(t, m, Rejoining)
		<-pending
		m.Rejoin("third")
		m.Rejoin("fourth")
		synctest.Wait()
		close(release)
		expect(t, m, Joined)
		m.Allocated(oneConnector)
		expect(t, m, Rejoining)
		expect(t, m, Joined)
		m.Allocated(oneConnector)
		quiet(t, m)
	})
}

func TestLeaveEndsARoundAndRejoinBeginsAnew(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		pending := make(chan struct{}, 1)
		c.script(func(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
			if req.Key() != kmsg.JoinGroup.Int16() {
				return nil, nil
			}
			pending <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		m.Rejoin("test")
		<-pending
		if err := m.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		left := requests[*kmsg.LeaveGroupRequest](c)
		if len(left) != 1 || left[0].Members[0].MemberID != "member-1" || *left[0].Members[0].Reason != reasonClosed {
			t.Errorf("left with %+v", left)
		}
		c.script(nil)
		requests[kmsg.Request](c)
		m.Allocated(nil)
		pass(time.Minute)
		quiet(t, m)
		if seen := requests[kmsg.Request](c); len(seen) > 0 {
			t.Errorf("%d requests after leaving", len(seen))
		}
		m.Rejoin("back")
		if g := expect(t, m, Joined).Generation; g.MemberID != "member-2" {
			t.Errorf("came back as %q", g.MemberID)
		}
		m.Allocated(oneConnector)
	})
}

func TestLeavingAGroupThatForgotTheMemberIsNoError(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		c.script(func(_ context.Context, req kmsg.Request) (kmsg.Response, error) {
			if req.Key() != kmsg.LeaveGroup.Int16() {
				return nil, nil
			}
			resp := req.ResponseKind().(*kmsg.LeaveGroupResponse)
			gone := kmsg.NewLeaveGroupResponseMember()
			gone.ErrorCode = kerr.UnknownMemberID.Code
			resp.Members = append(resp.Members, gone)
			return resp, nil
		})
		if err := m.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		c.script(down)
		m.Rejoin("test")
		if err := m.Leave(t.Context()); err != nil { // no member id: nothing to tell
			t.Error(err)
		}
	})
}

func TestLeaveReportsThatTheCoordinatorWasNotTold(t *testing.T) {
	play(t, testConfig(), func(t *testing.T, c *coordinator, m *Member) {
		settle(t, c, m)
		c.script(down)
		if err := m.Leave(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("Leave: %v", err)
		}
	})
}

func TestALeaderThatWasBehindTakesAFreshSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &coordinator{}
		var mu sync.Mutex
		offset := int64(2)
		m, err := newMember(c, testConfig(), func() (int64, map[string]int) {
			mu.Lock()
			defer mu.Unlock()
			return offset, map[string]int{"x": int(offset)}
		})
		if err != nil {
			t.Fatal(err)
		}
		c.script(func(_ context.Context, req kmsg.Request) (kmsg.Response, error) {
			join, is := req.(*kmsg.JoinGroupRequest)
			if !is || join.MemberID == "" {
				return nil, nil
			}
			resp := join.ResponseKind().(*kmsg.JoinGroupResponse)
			resp.Generation, resp.MemberID, resp.LeaderID, resp.Protocol = 1, join.MemberID, join.MemberID, &join.Protocols[0].Name
			for id, b := range map[string][]byte{join.MemberID: join.Protocols[0].Metadata, "b": Metadata{Version: V2, URL: "http://b/", Offset: 4}.Append(nil)} {
				member := kmsg.NewJoinGroupResponseMember()
				member.MemberID, member.ProtocolMetadata = id, b
				resp.Members = append(resp.Members, member)
			}
			mu.Lock()
			offset = 5 // read while the group was joining: more than anybody reported
			mu.Unlock()
			return resp, nil
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		g := expect(t, m, Joined).Generation
		if g.Assignment.Err != NoError || g.Assignment.Offset != 5 || len(g.Owners) != 6 {
			t.Errorf("%+v", g)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatNoRetryHealsEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for verdict, remedy := range map[*kerr.Error]string{
			kerr.InconsistentGroupProtocol: "another group.id",
			kerr.GroupAuthorizationFailed:  "READ on the group",
			kerr.InvalidSessionTimeout:     "group.min.session.timeout.ms",
		} {
			c := &coordinator{}
			c.script(func(_ context.Context, req kmsg.Request) (kmsg.Response, error) {
				resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
				resp.ErrorCode = verdict.Code
				return resp, nil
			})
			m, err := newMember(c, testConfig(), func() (int64, map[string]int) { return -1, nil })
			if err != nil {
				t.Fatal(err)
			}
			err = m.Run(t.Context())
			if !errors.Is(err, verdict) || !strings.Contains(err.Error(), remedy) || !strings.Contains(err.Error(), `"g"`) {
				t.Errorf("Run: %v", err)
			}
			if err := m.Leave(t.Context()); err == nil {
				t.Error("Leave after Run")
			}
		}
	})
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"group.id":              func(c *Config) { c.GroupID = "" },
		"URL":                   func(c *Config) { c.URL = "" },
		"connect.protocol":      func(c *Config) { c.Protocol = "cooperative" },
		"session.timeout.ms":    func(c *Config) { c.SessionTimeout = c.HeartbeatInterval },
		"heartbeat.interval.ms": func(c *Config) { c.HeartbeatInterval = 0 },
		"rebalance.timeout.ms":  func(c *Config) { c.RebalanceTimeout = 0 },
	} {
		cfg := testConfig()
		change(&cfg)
		if _, err := New(nil, cfg, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
