package storage

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// MemoryLog is the log of one worker by itself. It holds a record only until
// Run has handed it over: what was read is in the store, which is the compacted
// log, and nobody reads twice. All methods but Run may be called concurrently.
type MemoryLog struct {
	handle func([]*kgo.Record)

	mu       sync.Mutex
	unread   []*kgo.Record
	end      int64         // offset of the next record to be appended
	read     int64         // of the next to be handled
	appended chan struct{} // capacity 1: unread is not empty
	advanced chan struct{} // closed and replaced whenever read moves
}

// NewMemoryLog returns an empty log. handle is called from Run, with records in
// their order, which are its to keep.
func NewMemoryLog(handle func([]*kgo.Record)) *MemoryLog {
	return &MemoryLog{handle: handle, appended: make(chan struct{}, 1), advanced: make(chan struct{})}
}

// Append never waits and never fails.
func (l *MemoryLog) Append(_ context.Context, records ...*kgo.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		r.Offset = l.end
		l.end++
	}
	l.unread = append(l.unread, records...)
	select {
	case l.appended <- struct{}{}:
	default:
	}
	return nil
}

// AppendEach is Append.
func (l *MemoryLog) AppendEach(ctx context.Context, records []*kgo.Record) []error {
	_ = l.Append(ctx, records...) // never fails
	return make([]error, len(records))
}

// ReadToEnd implements [Log].
func (l *MemoryLog) ReadToEnd(ctx context.Context) error {
	l.mu.Lock()
	end := l.end
	l.mu.Unlock()
	for {
		l.mu.Lock()
		done, advanced := l.read >= end, l.advanced
		l.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return fmt.Errorf("read what was written: %w", context.Cause(ctx))
		}
	}
}

// Run implements [Log].
func (l *MemoryLog) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.appended:
		}
		l.mu.Lock()
		records := l.unread
		l.unread = nil
		l.mu.Unlock()
		if len(records) == 0 { // read together with those before
			continue
		}
		l.handle(records)
		l.mu.Lock()
		l.read += int64(len(records))
		close(l.advanced)
		l.advanced = make(chan struct{})
		l.mu.Unlock()
	}
}

// Close has nothing to end.
func (l *MemoryLog) Close() {}
