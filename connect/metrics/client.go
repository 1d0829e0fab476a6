package metrics

import (
	"context"
	"math"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Role is what a Kafka client does.
type Role uint8

// The roles, which may be joined.
const (
	Producer Role = 1 << iota
	Consumer
	Admin
	Member // of the worker group
)

// Client counts what one Kafka client does. Hand it to the client as a hook.
// Close it unless it is a task's.
type Client struct {
	role Role
	id   string
	r    *Registry

	net            traffic
	opened, closed Count

	produce, fetch, commit, heartbeat, join, sync, throttle *Sampled // ms
	commits, heartbeats, joins, syncs, fetches              Count
	beat, joined                                            atomic.Int64 // ns since the epoch

	batchBytes, batchRecords, recordBytes, compression, fetchBytes *Sampled
	sent, refused, consumed, consumedBytes                         Count
	bufferTotal                                                    atomic.Int64
	assigned                                                       atomic.Int64
	polled                                                         atomic.Int64 // ns since the epoch
	between, lagMax, leadMin                                       *Sampled

	kafka atomic.Pointer[kgo.Client]

	mu     sync.Mutex
	nodes  map[int32]*traffic
	topics map[string]*topic
	lags   map[partition]*lag
}

// traffic is what went to one broker and came from it.
type traffic struct {
	requests, responses, in, out Count
	size, latency                *Sampled // bytes, ms
}

type topic struct{ records, bytes Count }

type partition struct {
	topic     string
	partition int32
}

// lag is how far a partition's reader is from its end, and from its beginning.
type lag struct {
	records, lead int64
	lags, leads   *Sampled
}

var (
	_ kgo.HookNewClient           = (*Client)(nil)
	_ kgo.HookBrokerConnect       = (*Client)(nil)
	_ kgo.HookBrokerDisconnect    = (*Client)(nil)
	_ kgo.HookBrokerE2E           = (*Client)(nil)
	_ kgo.HookBrokerThrottle      = (*Client)(nil)
	_ kgo.HookProduceBatchWritten = (*Client)(nil)
	_ kgo.HookFetchBatchRead      = (*Client)(nil)
	_ kgo.HookPollStart           = (*Client)(nil)
)

func (r *Registry) newClient(role Role, id string) *Client {
	s := func() *Sampled { return newSampled(&r.clock) }
	return &Client{
		role: role, id: id, r: r, net: traffic{size: s(), latency: s()},
		produce: s(), fetch: s(), commit: s(), heartbeat: s(), join: s(), sync: s(), throttle: s(),
		batchBytes: s(), batchRecords: s(), recordBytes: s(), compression: s(), fetchBytes: s(), between: s(), lagMax: s(), leadMin: s(),
		nodes: make(map[int32]*traffic), topics: make(map[string]*topic), lags: make(map[partition]*lag),
	}
}

// Close ends the client's series.
func (c *Client) Close() {
	if c == nil {
		return
	}
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	delete(c.r.clients, c)
}

// Buffer says how many bytes a producer may hold (buffer.memory).
func (c *Client) Buffer(bytes int64) {
	if c != nil {
		c.bufferTotal.Store(bytes)
	}
}

// Refused says that Kafka did not take a record.
func (c *Client) Refused() {
	if c != nil {
		c.refused.Add(1)
	}
}

// Position says where a consumer is after a poll: the offset to be read next,
// the end of the partition, and its beginning (-1: not known).
func (c *Client) Position(name string, number int32, next, end, begin int64) {
	if c == nil {
		return
	}
	p := partition{name, number}
	c.mu.Lock()
	l := c.lags[p]
	if l == nil {
		l = &lag{lags: newSampled(&c.r.clock), leads: newSampled(&c.r.clock)}
		c.lags[p] = l
	}
	l.records, l.lead = max(end-next, 0), -1
	if begin >= 0 {
		l.lead = max(next-begin, 0)
	}
	records, lead := l.records, l.lead
	c.mu.Unlock()
	l.lags.Record(float64(records))
	c.lagMax.Record(float64(records))
	if lead >= 0 {
		l.leads.Record(float64(lead))
		c.leadMin.Record(float64(lead))
	}
}

// Lost ends the series of a partition that the consumer does not read any more.
func (c *Client) Lost(name string, number int32) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.lags, partition{name, number})
}

// Assigned says how many partitions a consumer has.
func (c *Client) Assigned(partitions int) {
	if c != nil {
		c.assigned.Store(int64(partitions))
	}
}

// OnNewClient implements kgo.HookNewClient.
func (c *Client) OnNewClient(k *kgo.Client) {
	if c != nil {
		c.kafka.Store(k)
	}
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (c *Client) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if c != nil && err == nil {
		c.opened.Add(1)
	}
}

// OnBrokerDisconnect implements kgo.HookBrokerDisconnect.
func (c *Client) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) {
	if c != nil {
		c.closed.Add(1)
	}
}

// OnBrokerE2E implements kgo.HookBrokerE2E. It is called once a request.
func (c *Client) OnBrokerE2E(meta kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if c == nil {
		return
	}
	took, ok := e2e.DurationE2E(), e2e.Err() == nil
	c.net.count(e2e, ok)
	c.node(meta.NodeID).count(e2e, ok)
	if !ok {
		return
	}
	now := c.r.clock.now().UnixNano()
	switch kmsg.Key(key) {
	case kmsg.Produce:
		c.produce.RecordTime(took)
	case kmsg.Fetch:
		c.fetches.Add(1)
		c.fetch.RecordTime(took)
		c.fetchBytes.Record(float64(e2e.BytesRead))
	case kmsg.OffsetCommit:
		c.commits.Add(1)
		c.commit.RecordTime(took)
	case kmsg.Heartbeat:
		c.heartbeats.Add(1)
		c.heartbeat.RecordTime(took)
		c.beat.Store(now)
	case kmsg.JoinGroup:
		c.joins.Add(1)
		c.join.RecordTime(took)
	case kmsg.SyncGroup:
		c.syncs.Add(1)
		c.sync.RecordTime(took)
		c.joined.Store(now)
	default:
	}
}

func (c *Client) node(id int32) *traffic {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.nodes[id]
	if t == nil {
		t = &traffic{size: newSampled(&c.r.clock), latency: newSampled(&c.r.clock)}
		c.nodes[id] = t
	}
	return t
}

func (t *traffic) count(e2e kgo.BrokerE2E, ok bool) {
	t.requests.Add(1)
	t.out.Add(int64(e2e.BytesWritten))
	t.in.Add(int64(e2e.BytesRead))
	t.size.Record(float64(e2e.BytesWritten))
	if ok {
		t.responses.Add(1)
		t.latency.RecordTime(e2e.DurationE2E())
	}
}

// OnBrokerThrottle implements kgo.HookBrokerThrottle.
func (c *Client) OnBrokerThrottle(_ kgo.BrokerMetadata, interval time.Duration, _ bool) {
	if c != nil {
		c.throttle.RecordTime(interval)
	}
}

// OnProduceBatchWritten implements kgo.HookProduceBatchWritten.
func (c *Client) OnProduceBatchWritten(_ kgo.BrokerMetadata, name string, _ int32, m kgo.ProduceBatchMetrics) {
	if c == nil || m.NumRecords == 0 {
		return
	}
	c.sent.Add(int64(m.NumRecords))
	c.batchRecords.Record(float64(m.NumRecords))
	c.batchBytes.Record(float64(m.CompressedBytes))
	c.recordBytes.Record(float64(m.UncompressedBytes) / float64(m.NumRecords))
	if m.UncompressedBytes > 0 {
		c.compression.Record(float64(m.CompressedBytes) / float64(m.UncompressedBytes))
	}
	c.mu.Lock()
	t := c.topics[name]
	if t == nil {
		t = &topic{}
		c.topics[name] = t
	}
	c.mu.Unlock()
	t.records.Add(int64(m.NumRecords))
	t.bytes.Add(int64(m.CompressedBytes))
}

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (c *Client) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	if c != nil {
		c.consumed.Add(int64(m.NumRecords))
		c.consumedBytes.Add(int64(m.CompressedBytes))
	}
}

// OnPollStart implements kgo.HookPollStart.
func (c *Client) OnPollStart(context.Context) {
	if c == nil {
		return
	}
	now := c.r.clock.now().UnixNano()
	if last := c.polled.Swap(now); last != 0 {
		c.between.RecordTime(time.Duration(now - last))
	}
}

// ago returns the seconds since a moment in ns, -1 when it has not been, as in Java.
func (c *Client) ago(moment *atomic.Int64) float64 {
	at := moment.Load()
	if at == 0 {
		return -1
	}
	return math.Floor(float64(c.r.clock.now().UnixNano()-at) / 1e9)
}

func (c *Client) bufferAvailable() float64 {
	k := c.kafka.Load()
	if k == nil {
		return float64(c.bufferTotal.Load())
	}
	return float64(max(c.bufferTotal.Load()-k.BufferedProduceBytes(), 0))
}

// eachNode, eachTopic and eachLag call with copies, so that nothing is locked meanwhile.
func (c *Client) eachNode(call func(t *traffic, node string)) {
	c.mu.Lock()
	all := make(map[int32]*traffic, len(c.nodes))
	for id, t := range c.nodes {
		all[id] = t
	}
	c.mu.Unlock()
	for id, t := range all {
		call(t, nodeName(id))
	}
}

// nodeName is how Java names a broker; seeds have negative numbers there.
func nodeName(id int32) string {
	if id < 0 {
		id = id - math.MinInt32 // the library counts seeds up from the smallest number
		return "node--" + strconv.Itoa(int(id)+1)
	}
	return "node-" + strconv.Itoa(int(id))
}

func (c *Client) eachTopic(call func(t *topic, name string)) {
	c.mu.Lock()
	all := make(map[string]*topic, len(c.topics))
	for name, t := range c.topics {
		all[name] = t
	}
	c.mu.Unlock()
	for name, t := range all {
		call(t, name)
	}
}

// position is a copy of a lag.
type position struct {
	records, lead int64
	lags, leads   *Sampled
}

func (c *Client) eachLag(call func(l position, topic, partition string)) {
	c.mu.Lock()
	all := make(map[partition]position, len(c.lags))
	for p, l := range c.lags {
		all[p] = position(*l)
	}
	c.mu.Unlock()
	for p, l := range all {
		call(l, p.topic, strconv.Itoa(int(p.partition)))
	}
}
