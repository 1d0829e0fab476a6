package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

// Config says which group to join, and as whom.
type Config struct {
	GroupID  string // group.id
	URL      string // advertised URL of the REST server, with a trailing slash
	ClientID string // becomes the front of the member id
	Protocol string // connect.protocol: "sessioned", "compatible" or "eager"

	SessionTimeout    time.Duration // session.timeout.ms
	RebalanceTimeout  time.Duration // rebalance.timeout.ms: how long the user of a Member may take to answer an event
	HeartbeatInterval time.Duration // heartbeat.interval.ms: also how long the coordinator may be gone before Lost
	MaxDelay          time.Duration // scheduled.rebalance.max.delay.ms: what a leader waits for a worker to come back

	// Classes are all names by which connectors' configurations can name a plugin of this worker: as leader, workers
	// that hear of them give it nothing else as long as another can run it. Nil says nothing, as the Java worker does.
	Classes []string
	// Needs returns the classes that a connector of the last Snapshot names, for the same purpose; nil for one that is
	// not known. It is called from another goroutine than Run's and must not block. Optional.
	Needs func(connector string) []string

	Logger *zap.Logger
}

// Snapshot answers which configuration this worker has read: the offset as the group compares it (-1 when none was
// read) and the number of tasks of every connector. It is called from another goroutine than Run's, must not
// block, and the map belongs to the Member afterwards: hand out one that no longer changes.
type Snapshot func() (offset int64, tasks map[string]int)

// EventKind tells events apart.
type EventKind uint8

// Events. All but Rejoining wait for Member.Allocated.
const (
	Rejoining EventKind = iota + 1 // a round has begun; work goes on
	Revoke                         // stop all work, then answer: the group is eager and does not rebalance before
	Joined                         // a round is over: apply Event.Generation, then answer
	Lost                           // the coordinator cannot be reached: stop all work, then answer
)

func (k EventKind) String() string {
	return [...]string{"", "Rejoining", "Revoke", "Joined", "Lost"}[k]
}

// Event is what a Member tells its user.
type Event struct {
	Kind       EventKind
	Reason     string     // why, for the log; empty in Joined
	Generation Generation // of Joined
}

// Generation is the outcome of one round.
type Generation struct {
	Generation int32
	MemberID   string
	Protocol   string // name that the group agreed on: "sessioned", "compatible" or "default"
	Assignment Assignment
	Leader     bool
	Members    map[string]string // leader only: member id -> URL
	Owners     map[ID]string     // leader only: URL of the worker that has it; none for work in between
}

// Member is this worker's membership of the group. Its methods may be called from any goroutine.
type Member struct {
	cfg         Config
	protocols   []protocol
	snapshot    Snapshot
	log         *zap.Logger
	coordinator kmsg.Requestor // a client of its own; tests play a broker
	close       func()

	events    chan Event
	rejoins   chan string
	allocated chan []ID
	leaves    chan leave
	done      chan struct{} // closed when Run has ended
}

type leave struct {
	ctx   context.Context
	reply chan error
}

// New prepares a member. opts says how to reach the brokers (kafkaconf.Common); the client that New makes from them
// belongs to the member, because it must not retry on its own, and is closed when Run ends.
func New(opts []kgo.Opt, cfg Config, snapshot Snapshot) (*Member, error) {
	opts = append(opts[:len(opts):len(opts)],
		kgo.ClientID(cfg.ClientID),
		// Run itself decides about every failure: how long it may last is part of the protocol.
		kgo.RequestRetries(0),
		kgo.RequestTimeoutOverhead(min(max(cfg.SessionTimeout, time.Second), 15*time.Minute)), // kgo's limit
		kgo.DialTimeout(max(cfg.HeartbeatInterval, time.Second)),
		kgo.ConnIdleTimeout(min(2*cfg.HeartbeatInterval+time.Minute, 15*time.Minute)),
		kgo.DisableClientMetrics(),
	)
	m, err := newMember(nil, cfg, snapshot)
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("client of worker group %q: %w", cfg.GroupID, err)
	}
	m.coordinator, m.close = cl, cl.Close
	return m, nil
}

func newMember(coordinator kmsg.Requestor, cfg Config, snapshot Snapshot) (*Member, error) {
	switch {
	case cfg.GroupID == "":
		return nil, errors.New("group.id is empty: set it to the name that all workers of the cluster share")
	case cfg.URL == "":
		return nil, errors.New("the worker has no URL for the other workers: set rest.advertised.host.name or listeners")
	case cfg.HeartbeatInterval <= 0 || cfg.SessionTimeout <= cfg.HeartbeatInterval:
		return nil, fmt.Errorf("heartbeat.interval.ms (%d) must be above 0 and below session.timeout.ms (%d)",
			cfg.HeartbeatInterval.Milliseconds(), cfg.SessionTimeout.Milliseconds())
	case cfg.RebalanceTimeout <= 0:
		return nil, fmt.Errorf("rebalance.timeout.ms (%d) must be above 0", cfg.RebalanceTimeout.Milliseconds())
	}
	protocols, err := protocolsOf(cfg.Protocol)
	if err != nil {
		return nil, err
	}
	log := cfg.Logger
	if log == nil {
		log = zap.NewNop()
	}
	return &Member{
		cfg: cfg, protocols: protocols, snapshot: snapshot, log: log,
		coordinator: coordinator,
		close:       func() {},
		events:      make(chan Event),
		rejoins:     make(chan string, 1),
		allocated:   make(chan []ID, 1),
		leaves:      make(chan leave),
		done:        make(chan struct{}),
	}, nil
}

// Events delivers what happens, in order. The channel is never closed; nothing comes after Run has ended.
func (m *Member) Events() <-chan Event { return m.events }

// Rejoin asks for a new round because something has changed that the leader must know: make it visible in
// Snapshot before. Requests that come before the round begins are one. After Leave it joins the group again.
func (m *Member) Rejoin(reason string) {
	select {
	case m.rejoins <- reason:
	default: // one that was not seen yet stands for this one too
	}
}

// Allocated answers Revoke, Joined and Lost, once each: the event was carried out, and ids is all the work that this
// worker now has (started or about to be), which the next JoinGroup reports. The slice belongs to the Member then.
func (m *Member) Allocated(ids []ID) {
	for {
		select {
		case m.allocated <- ids:
			return
		default:
		}
		select {
		case <-m.allocated: // superseded before Run has seen it
		default:
		}
	}
}

// Leave gives up membership: the others share out the work at once or after their delay, instead of waiting for the
// session to expire. Stop the work first, or what Allocated said last is reported again by the join that Rejoin leads
// to. Run stays, and sends no event until then. An error means that the coordinator could not be told; the session
// then expires there.
func (m *Member) Leave(ctx context.Context) error {
	l := leave{ctx, make(chan error, 1)}
	select {
	case m.leaves <- l:
	case <-m.done:
		return fmt.Errorf("worker group %q: left before", m.cfg.GroupID)
	case <-ctx.Done():
		return fmt.Errorf("leave worker group %q: %w", m.cfg.GroupID, ctx.Err())
	}
	return <-l.reply
}
