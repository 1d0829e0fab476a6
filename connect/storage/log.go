package storage

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Log is what a store needs of its log. There are two: [TopicLog], a topic
// that the workers of a cluster share, and [MemoryLog], that of a worker by
// itself. Whoever opens one names the function that handles its records.
type Log interface {
	// Append writes records, which are the log's from then on, and waits until
	// all are durable. They keep their order.
	Append(ctx context.Context, records ...*kgo.Record) error
	// AppendEach is Append with the outcome of each record, in their order.
	AppendEach(ctx context.Context, records []*kgo.Record) []error
	// ReadToEnd waits until every record that was in the log when it was called
	// has been handled. Run must be running; never call it while handling.
	ReadToEnd(ctx context.Context) error
	// Run hands what is appended to the store until ctx ends. Call it once.
	Run(ctx context.Context) error
	// Close ends what the log holds open. Call it after Run has returned.
	Close()
}

var (
	_ Log = (*TopicLog)(nil)
	_ Log = (*MemoryLog)(nil)
)
