package metrics

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kconnect/connect"
)

// Count is a number that only grows.
type Count struct{ atomic.Int64 }

func (c *Count) value() float64 { return float64(c.Load()) }

// Connector is what a worker tells of a connector that runs here.
type Connector struct {
	State  *State
	Plugin *connect.Metrics // of the connector itself
	name   string

	class atomic.Pointer[Class]
}

// Class is what runs.
type Class struct{ Class, Version, Type string }

// Describe says which class it is, once that is known.
func (c *Connector) Describe(class Class) { c.class.Store(&class) }

// Task is what the owners of a task tell of it. All methods may be called from
// any goroutine.
type Task struct {
	State  *State
	Errors Errors
	Plugin *connect.Metrics
	id     taskID
	r      *Registry

	about atomic.Pointer[About]

	batch   *Sampled // records of a batch
	commit  *Sampled // ms
	commits *Sampled // outcomes
	handled *Sampled // ms of a poll or put
	active  atomic.Int64
	actives *Sampled

	polled, written         Count // source
	pollRate, writeRate     *Sampled
	read, sent              Count // sink
	readRate, sendRate      *Sampled
	completed               Count
	completeRate            *Sampled
	commitSeq, partitionNum atomic.Int64

	mu      sync.Mutex
	clients []*Client
}

type taskID struct {
	connector string
	task      int
}

// About is what a task is made of.
type About struct {
	Sink bool
	Connector, Task,
	KeyConverter, ValueConverter, HeaderConverter Class
	// Waits returns what the task waits for now. It must not block.
	Waits func() []Wait
}

// Wait is one thing that a task may wait for.
type Wait struct {
	On    string    // "connector", "kafka", "topics", "converter", "acknowledgements" or "write"
	Since time.Time // zero: it does not wait for this
}

// Describe says what the task is made of. Until then it has a status only.
func (t *Task) Describe(a About) { t.about.Store(&a) }

// Close ends the task's series, those of its clients included.
func (t *Task) Close() {
	if t == nil {
		return
	}
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.r.tasks[t.id] == t {
		delete(t.r.tasks, t.id)
	}
}

// Client returns the counts of one of the task's Kafka clients, which end with
// the task's.
func (t *Task) Client(role Role, id string) *Client {
	c := t.r.newClient(role, id)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients = append(t.clients, c)
	return c
}

func (t *Task) allClients() []*Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.clients)
}

// Polled says that a source task returned n records, after so long.
func (t *Task) Polled(n int, took time.Duration) {
	if t == nil {
		return
	}
	now := t.r.clock.now()
	t.polled.Add(int64(n))
	t.pollRate.record(now, float64(n))
	t.batch.record(now, float64(n))
	t.handled.record(now, ms(took))
	t.moveActive(now, int64(n))
}

// Written says that of n polled records those that were not dropped, written,
// are acknowledged.
func (t *Task) Written(n, written int) {
	if t == nil {
		return
	}
	now := t.r.clock.now()
	t.written.Add(int64(written))
	t.writeRate.record(now, float64(written))
	t.moveActive(now, -int64(n))
}

func (t *Task) moveActive(now time.Time, by int64) {
	t.actives.record(now, float64(t.active.Add(by)))
}

// Read says that a sink task's consumer returned n records.
func (t *Task) Read(n int) {
	if t == nil || n == 0 {
		return
	}
	now := t.r.clock.now()
	t.read.Add(int64(n))
	t.readRate.record(now, float64(n))
	t.moveActive(now, int64(n))
}

// Sent says that Put takes n records.
func (t *Task) Sent(n int) {
	if t == nil {
		return
	}
	now := t.r.clock.now()
	t.sent.Add(int64(n))
	t.sendRate.record(now, float64(n))
	t.batch.record(now, float64(n))
}

// Put says that Put returned without error, after so long.
func (t *Task) Put(took time.Duration) {
	if t != nil {
		t.handled.RecordTime(took)
	}
}

// Dropped says that n records that were read will not be committed by this
// task, because their partition went to another one.
func (t *Task) Dropped(n int) {
	if t != nil && n > 0 {
		t.moveActive(t.r.clock.now(), -int64(n))
	}
}

// Assigned says how many partitions a sink task has.
func (t *Task) Assigned(partitions int) {
	if t != nil {
		t.partitionNum.Store(int64(partitions))
	}
}

// Committed says how a commit of offsets ended, after so long; of a sink also
// how many records it covers.
func (t *Task) Committed(took time.Duration, records int, err error) {
	if t == nil {
		return
	}
	now := t.r.clock.now()
	t.commits.RecordOutcome(err == nil)
	t.commitSeq.Add(1)
	if err != nil {
		return
	}
	t.commit.record(now, ms(took))
	t.completed.Add(1)
	t.completeRate.record(now, 1)
	if records > 0 {
		t.moveActive(now, -int64(records))
	}
}

// Errors counts the failures that errors.tolerance is about.
type Errors struct {
	failures, records, skipped, retries, logged, deadLetters, deadLettersRefused Count

	last atomic.Int64 // ms since the epoch
}

// Failed says that a record failed for good, and whether it is passed over.
func (e *Errors) Failed(now time.Time, skipped bool) {
	if e == nil {
		return
	}
	e.failures.Add(1)
	e.records.Add(1)
	e.last.Store(now.UnixMilli())
	if skipped {
		e.skipped.Add(1)
	}
}

// Retried says that an operation on a record failed and is tried again.
func (e *Errors) Retried() {
	if e != nil {
		e.failures.Add(1)
		e.retries.Add(1)
	}
}

// Logged says that a failure was written to the log.
func (e *Errors) Logged() {
	if e != nil {
		e.logged.Add(1)
	}
}

// DeadLetter says that a record goes to the dead letter queue.
func (e *Errors) DeadLetter() {
	if e != nil {
		e.deadLetters.Add(1)
	}
}

// DeadLetterRefused says that Kafka did not take it.
func (e *Errors) DeadLetterRefused() {
	if e != nil {
		e.deadLettersRefused.Add(1)
	}
}
