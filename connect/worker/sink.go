package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"kconnect/connect"
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

// deliveryBytes is the size from which a delivery takes no more polls (Promise 6).
const deliveryBytes = 8 << 20

var errLost = errors.New("partitions were lost")
