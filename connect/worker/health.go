package worker

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect"
	"kconnect/connect/metrics"
)

// showWaitAfter is how long a task waits before its status says so (D11).
const showWaitAfter = 10 * time.Second

// health keeps what a task waits for (Promise 5): the task's own word, that of
// its Kafka clients, converters whose schema registry does not answer, topics
// that cannot be created, acknowledgements that do not come, and a delivery whose
// writing does not end.
type health struct {
	now       func() time.Time
	mu        sync.Mutex
	task      wait
	kafka     wait
	converter wait
	topics    wait
	acks      wait
	put       wait
	shown     int // which wait the status shows, from 1; 0: none
}

// wait is one reason to wait; the zero value is none.
type wait struct {
	since time.Time
	err   error
}

var (
	_ connect.Health        = (*health)(nil)
	_ kgo.HookBrokerConnect = (*health)(nil)
	_ kgo.HookBrokerE2E     = (*health)(nil)
)

// Waiting implements connect.Health.
func (h *health) Waiting(err error) { h.wait(&h.task, h.now(), err) }

// Moving implements connect.Health.
func (h *health) Moving() { h.move(&h.task) }

// OnBrokerConnect notices that Kafka cannot be reached.
func (h *health) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		h.wait(&h.kafka, h.now(), connect.NewRetriable(fmt.Sprintf("The Kafka broker %s:%d cannot be reached", meta.Host, meta.Port), err))
	}
}

// OnBrokerE2E notices that Kafka answers.
func (h *health) OnBrokerE2E(_ kgo.BrokerMetadata, _ int16, e2e kgo.BrokerE2E) {
	if e2e.Err() == nil {
		h.move(&h.kafka)
	}
}

func (h *health) wait(w *wait, since time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.since.IsZero() {
		w.since = since
	}
	w.err = err
}

func (h *health) move(w *wait) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*w = wait{}
}

// waits returns what the task waits for, for its metrics (Promise 5).
func (h *health) waits() []metrics.Wait {
	h.mu.Lock()
	defer h.mu.Unlock()
	return []metrics.Wait{
		{On: "connector", Since: h.task.since}, {On: "kafka", Since: h.kafka.since},
		{On: "topics", Since: h.topics.since}, {On: "converter", Since: h.converter.since}, {On: "acknowledgements", Since: h.acks.since},
		{On: "write", Since: h.put.since},
	}
}

// hidden says that the status was written anew, without a wait.
func (h *health) hidden() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shown = 0
}

// report returns the text that the status should carry now, and whether that
// differs from what it carried after the last report.
func (h *health) report() (trace string, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, w := range []wait{h.task, h.kafka, h.converter, h.topics, h.acks, h.put} {
		if w.since.IsZero() || h.now().Sub(w.since) < showWaitAfter {
			continue
		}
		changed, h.shown = h.shown != i+1, i+1 // another reason is news, too
		return fmt.Sprintf("The task has been waiting since %s and goes on trying. Last error: %s",
			w.since.UTC().Format(time.RFC3339), connect.Trace(w.err)), changed
	}
	changed, h.shown = h.shown != 0, 0
	return "", changed
}
