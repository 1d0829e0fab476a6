package worker

import (
	"context"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/metrics"
)

// deadLetters sends failed records, as they were consumed, to the dead letter
// queue of a sink connector.
type deadLetters struct {
	topic     string
	headers   bool // errors.deadletterqueue.context.headers.enable
	connector string
	task      int
	producer  *kgo.Client
	sent      *metrics.Client // of the producer
	errors    *metrics.Errors
	filled    config.Filled // what no header may show (Promise 8)

	mu     sync.Mutex
	failed error // the first refusal by Kafka
}

// send produces one dead letter without waiting for its acknowledgement; wait
// does that. Key, value, headers and timestamp are the consumed ones, and the
// ten context headers follow the record's own (spec jdbc-sink.md, section 7).
func (q *deadLetters) send(ctx context.Context, f *failure) error {
	r := &kgo.Record{Topic: q.topic, Partition: connect.NoPartition, Key: f.raw.Key, Value: f.raw.Value, Timestamp: f.raw.Timestamp}
	r.Headers = append(r.Headers, f.raw.Headers...)
	if q.headers {
		add := func(name, value string) {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: "__connect.errors." + name, Value: []byte(value)})
		}
		add("topic", f.raw.Topic)
		add("partition", strconv.Itoa(int(f.raw.Partition)))
		add("offset", strconv.FormatInt(f.raw.Offset, 10))
		add("connector.name", q.connector)
		add("task.id", strconv.Itoa(q.task))
		add("stage", string(f.stage))
		add("class.name", f.class)
		add("exception.class.name", connect.ClassOf(f.err))
		if m := connect.MessageOf(f.err); m != "" {
			add("exception.message", q.filled.Hide(m))
		} else {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: "__connect.errors.exception.message"})
		}
		add("exception.stacktrace", q.filled.Hide(connect.Trace(f.err)))
	}
	q.errors.DeadLetter()
	q.producer.Produce(ctx, r, func(_ *kgo.Record, err error) {
		if err == nil {
			return
		}
		q.errors.DeadLetterRefused()
		q.sent.Refused()
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.failed == nil {
			q.failed = connect.NewError("A bad record could not be sent to the dead letter queue "+q.topic+"; check that the topic exists and takes records of this size", err)
		}
	})
	return q.refusal()
}

// wait returns when every dead letter is acknowledged, or with the reason why not.
func (q *deadLetters) wait(ctx context.Context) error {
	if err := q.producer.Flush(ctx); err != nil {
		return connect.NewRetriable("Dead letters are not acknowledged yet", err)
	}
	return q.refusal()
}

func (q *deadLetters) refusal() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.failed
}

// newFailure describes a failed sink record.
func newFailure(stage Stage, class string, err error, k *consumed) *failure {
	return &failure{stage: stage, class: class, err: err, topic: k.Topic, partition: k.Partition, offset: k.Offset,
		timestamp: k.Timestamp.UnixMilli(), raw: k}
}
