package metrics

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kconnect/connect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// page returns the values of GET /metrics by series, as it writes them.
func page(t *testing.T, r *Registry) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /metrics: %d %s", w.Code, w.Body)
	}
	all := make(map[string]string)
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			cut := strings.LastIndexByte(line, ' ')
			all[line[:cut]] = strings.TrimSpace(line[cut+1:])
		}
	}
	return all
}

// names returns the names of our series of a page.
func names(page map[string]string) []string {
	set := make(map[string]bool)
	for s := range page {
		name, _, _ := strings.Cut(s, "{")
		if strings.HasPrefix(name, "kafka_") || strings.HasPrefix(name, "kconnect_") {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// busy is a registry of a worker of which everything has happened.
func busy(h *hand) *Registry {
	r := New(Config{Now: h.now, ClientID: "connect-1", Version: "1", Commit: "c"})
	r.Rebalance.Started()
	h.pass(20 * time.Millisecond)
	r.Rebalance.Completed(3, "http://a/", "SESSIONED")
	h.pass(5 * time.Second)
	for _, kind := range []string{"source", "sink"} {
		c := r.Connector(kind)
		c.Describe(Class{Class: "C", Version: "1", Type: kind})
		c.State.Enter("RUNNING")
		task := r.Task(kind, 0)
		task.Describe(About{Sink: kind == "sink", Connector: Class{Class: "C", Version: "1", Type: kind}, Waits: func() []Wait { return []Wait{{On: "connector"}, {On: "kafka", Since: h.at}} }})
		task.State.Enter("RUNNING")
	}
	source, sink := r.tasks[taskID{"source", 0}], r.tasks[taskID{"sink", 0}]
	source.Polled(10, 4*time.Millisecond)
	source.Written(10, 8)
	source.Committed(3*time.Millisecond, 0, nil)
	source.Errors.Failed(h.at, true)
	source.Errors.Retried()
	sink.Read(7)
	sink.Sent(6)
	sink.Put(2 * time.Millisecond)
	sink.Assigned(2)
	sink.Committed(time.Millisecond, 5, nil)
	sink.Committed(time.Millisecond, 0, errors.New("no"))
	producer, consumer := source.Client(Producer, "p"), sink.Client(Consumer, "k")
	producer.Buffer(1000)
	producer.OnProduceBatchWritten(kgo.BrokerMetadata{}, "t", 0, kgo.ProduceBatchMetrics{NumRecords: 8, UncompressedBytes: 80, CompressedBytes: 40})
	consumer.Position("t", 1, 90, 100, 10)
	consumer.Assigned(2)
	for _, c := range []*Client{producer, consumer, source.Client(Admin, "a"), r.Client(Member, "connect-1")} {
		c.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, nil)
		for _, key := range []kmsg.Key{kmsg.Produce, kmsg.Fetch, kmsg.OffsetCommit, kmsg.Heartbeat, kmsg.JoinGroup, kmsg.SyncGroup} {
			c.OnBrokerE2E(kgo.BrokerMetadata{NodeID: 1}, key.Int16(), kgo.BrokerE2E{BytesWritten: 10, BytesRead: 20, ReadWait: time.Millisecond})
		}
	}
	return r
}

func TestEverySeriesIsInTheAnswerOfABusyWorkerAndNoOther(t *testing.T) {
	h := newHand()
	var want []string
	for _, f := range Families() {
		want = append(want, f.Name)
	}
	slices.Sort(want)
	if twice := slices.Compact(slices.Clone(want)); len(twice) != len(want) {
		t.Errorf("a name stands in two tables")
	}
	if diff := cmp.Diff(want, names(page(t, busy(h)))); diff != "" {
		t.Errorf("names (-table +answer):\n%s", diff)
	}
}

func TestValuesAreThoseThatWereCounted(t *testing.T) {
	h := newHand()
	r := busy(h)
	got := page(t, r)
	for series, want := range map[string]string{
		`kafka_connect_worker_connector_count`:                                                     "2",
		`kafka_connect_worker_task_startup_success_total`:                                          "2",
		`kafka_connect_worker_task_startup_success_percentage`:                                     "1",
		`kafka_connect_worker_connector_running_task_count{connector="sink"}`:                      "1",
		`kafka_connect_worker_connector_failed_task_count{connector="sink"}`:                       "0",
		`kafka_connect_worker_rebalance_completed_rebalances_total`:                                "1",
		`kafka_connect_worker_rebalance_epoch`:                                                     "3",
		`kafka_connect_worker_rebalance_rebalancing`:                                               "0",
		`kafka_connect_worker_rebalance_rebalance_avg_time_ms`:                                     "20",
		`kafka_connect_worker_rebalance_time_since_last_rebalance_ms`:                              "5000",
		`kafka_connect_worker_rebalance_leader_name{leader_name="http://a/"}`:                      "1",
		`kafka_connect_worker_rebalance_connect_protocol{connect_protocol="SESSIONED"}`:            "1",
		`kafka_connect_connector_status{connector="source",status="running"}`:                      "1",
		`kafka_connect_connector_status{connector="source",status="stopped"}`:                      "0",
		`kafka_connect_connector_task_status{connector="source",status="running",task="0"}`:        "1",
		`kafka_connect_connector_task_status{connector="source",status="failed",task="0"}`:         "0",
		`kafka_connect_source_task_source_record_poll_total{connector="source",task="0"}`:          "10",
		`kafka_connect_source_task_source_record_write_total{connector="source",task="0"}`:         "8",
		`kafka_connect_source_task_source_record_active_count{connector="source",task="0"}`:        "0",
		`kafka_connect_source_task_source_record_active_count_max{connector="source",task="0"}`:    "10",
		`kafka_connect_source_task_poll_batch_avg_time_ms{connector="source",task="0"}`:            "4",
		`kafka_connect_connector_task_batch_size_max{connector="source",task="0"}`:                 "10",
		`kafka_connect_task_error_total_record_failures{connector="source",task="0"}`:              "2",
		`kafka_connect_task_error_total_record_errors{connector="source",task="0"}`:                "1",
		`kafka_connect_task_error_total_records_skipped{connector="source",task="0"}`:              "1",
		`kafka_connect_sink_task_sink_record_read_total{connector="sink",task="0"}`:                "7",
		`kafka_connect_sink_task_sink_record_send_total{connector="sink",task="0"}`:                "6",
		`kafka_connect_sink_task_sink_record_active_count{connector="sink",task="0"}`:              "2",
		`kafka_connect_sink_task_partition_count{connector="sink",task="0"}`:                       "2",
		`kafka_connect_sink_task_offset_commit_seq_no{connector="sink",task="0"}`:                  "2",
		`kafka_connect_sink_task_offset_commit_completion_total{connector="sink",task="0"}`:        "1",
		`kafka_connect_connector_task_offset_commit_failure_percentage{connector="sink",task="0"}`: "0.5",
		`kconnect_task_waiting{connector="sink",on="kafka",task="0"}`:                              "1",
		`kconnect_task_waiting{connector="sink",on="connector",task="0"}`:                          "0",
		`kconnect_task_waiting_since_seconds{connector="sink",on="connector",task="0"}`:            "0",
		`kconnect_task_waiting_since_seconds{connector="sink",on="kafka",task="0"}`:                "1.70000000502e+09",
		`kafka_producer_record_send_total{clientid="p"}`:                                           "8",
		`kafka_producer_compression_rate_avg{clientid="p"}`:                                        "0.5",
		`kafka_producer_record_size_avg{clientid="p"}`:                                             "10",
		`kafka_producer_buffer_available_bytes{clientid="p"}`:                                      "1000",
		`kafka_producer_topic_record_send_total{clientid="p",topic="t"}`:                           "8",
		`kafka_producer_node_request_total{clientid="p",nodeid="node-1"}`:                          "6",
		`kafka_consumer_fetch_manager_records_lag{clientid="k",partition="1",topic="t"}`:           "10",
		`kafka_consumer_fetch_manager_records_lead{clientid="k",partition="1",topic="t"}`:          "80",
		`kafka_consumer_fetch_manager_records_lag_max{clientid="k"}`:                               "10",
		`kafka_consumer_coordinator_commit_total{clientid="k"}`:                                    "1",
		`kafka_consumer_coordinator_assigned_partitions{clientid="k"}`:                             "2",
		`kafka_consumer_incoming_byte_total{clientid="k"}`:                                         "120",
		`kafka_admin_client_connection_count{clientid="a"}`:                                        "1",
		`kafka_connect_coordinator_assigned_tasks{clientid="connect-1"}`:                           "2",
		`kafka_connect_coordinator_last_heartbeat_seconds_ago{clientid="connect-1"}`:               "0",
		`kafka_connect_request_total{clientid="connect-1"}`:                                        "6",
		`kafka_connect_version_info{clientid="connect-1",version="1"}`:                             "1",
		`kafka_connect_connector_connector_type{connector="sink",connector_type="sink"}`:           "1",
	} {
		if got[series] != want {
			t.Errorf("%s is %q, want %s", series, got[series], want)
		}
	}
}

func TestAWorkerWithoutAGroupHasNoSeriesOfRebalances(t *testing.T) {
	r := New(Config{})
	for _, member := range []bool{false, true} {
		if member {
			r.Rebalance.Started()
		}
		if _, there := page(t, r)["kafka_connect_worker_rebalance_rebalancing"]; there != member {
			t.Errorf("member %t: the series is there: %t", member, there)
		}
	}
}

func TestSeriesGoWithTheirOwner(t *testing.T) {
	r := busy(newHand())
	old := r.tasks[taskID{"sink", 0}]
	r.tasks[taskID{"source", 0}].Close()
	r.Task("sink", 0) // started again: the old one was left behind
	old.Close()
	r.ForgetConnector("source")
	got := page(t, r)
	for s := range got {
		if strings.Contains(s, `"source"`) || strings.Contains(s, `clientid="p"`) || strings.Contains(s, `clientid="k"`) {
			t.Errorf("%s is still there", s)
		}
	}
	if got[`kafka_connect_connector_task_status{connector="sink",status="unassigned",task="0"}`] != "1" {
		t.Error("the task that was started again has no status")
	}
}

func TestOneOddSeriesHidesNoOther(t *testing.T) {
	core, logged := observer.New(zap.InfoLevel)
	r := New(Config{Logger: zap.New(core)})
	one, two := r.Task("c\xff", 0), r.Task("c", 1)
	one.Client(Producer, "same") // users may give every producer one client.id
	two.Client(Producer, "same")
	one.Plugin.Publish(connect.MetricDef{Name: "kconnect_x_total", Help: "One.", Counter: true}, func() float64 { return 1 })
	two.Plugin.Publish(connect.MetricDef{Name: "kconnect_x_total", Help: "Two."}, func() float64 { return 2 })
	two.Plugin.Publish(connect.MetricDef{Name: "kconnect_x_total", Help: "Two."}, func() float64 { return 3 })
	got := page(t, r)
	for series, want := range map[string]string{
		"kconnect_x_total{connector=\"c\uFFFD\",task=\"0\"}": "1",
		`kconnect_x_total{connector="c",task="1"}`:           "3",
		`kafka_producer_record_send_total{clientid="same"}`:  "0",
		`kafka_connect_worker_task_startup_attempts_total`:   "2",
	} {
		if got[series] != want {
			t.Errorf("%s is %q, want %s", series, got[series], want)
		}
	}
	if logged.Len() > 0 {
		t.Errorf("the log says %v", logged.All())
	}
}

// A scrape that is stuck in a plugin's function, or with its client, holds
// nothing that work needs.
func TestWorkGoesOnDuringAScrape(t *testing.T) {
	h := newHand()
	r := busy(h)
	task := r.tasks[taskID{"sink", 0}]
	stuck, free := make(chan struct{}), make(chan struct{})
	task.Plugin.Publish(connect.MetricDef{Name: "kconnect_slow"}, func() float64 { close(stuck); <-free; return 1 })
	done := make(chan map[string]string)
	go func() { done <- page(t, r) }()
	<-stuck
	task.Read(1)
	task.Sent(1)
	task.Put(time.Second)
	task.Committed(time.Second, 1, nil)
	task.Errors.Failed(time.Now(), true)
	c := task.Client(Consumer, "another")
	c.OnBrokerE2E(kgo.BrokerMetadata{}, 1, kgo.BrokerE2E{})
	c.Position("t", 0, 1, 2, 0)
	r.Task("new", 0).State.Enter("RUNNING")
	r.Rebalance.Started()
	task.Close()
	close(free)
	if got := <-done; got[`kconnect_slow{connector="sink",task="0"}`] != "1" {
		t.Error("the scrape lost the series that it waited for")
	}
}

// The race detector reads along.
func TestScrapesAndWorkMeet(t *testing.T) {
	r := New(Config{})
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for n := range 2 {
		workers.Go(func() {
			for ctx.Err() == nil {
				task := r.Task("c", n)
				task.Describe(About{Sink: n%2 == 0, Waits: func() []Wait { return nil }})
				task.State.Enter("RUNNING")
				task.Plugin.Publish(connect.MetricDef{Name: "kconnect_y"}, func() float64 { return 1 })
				c := task.Client(Producer|Consumer, "id")
				for range 20 {
					task.Polled(1, 1)
					task.Written(1, 1)
					task.Read(1)
					task.Sent(1)
					task.Put(1)
					task.Committed(1, 1, nil)
					c.Position("t", int32(n), 1, 2, 0)
					c.OnPollStart(ctx)
					c.OnBrokerE2E(kgo.BrokerMetadata{NodeID: int32(n)}, 0, kgo.BrokerE2E{})
					c.OnProduceBatchWritten(kgo.BrokerMetadata{}, "t", 0, kgo.ProduceBatchMetrics{NumRecords: 1})
					c.Lost("t", int32(n))
				}
				r.Rebalance.Completed(1, "", "")
				task.Close()
			}
		})
	}
	for range 8 {
		page(t, r)
	}
	cancel()
	workers.Wait()
}

func TestAStateKnowsItsShareOfTheTask(t *testing.T) {
	h := newHand()
	r := New(Config{Now: h.now})
	task := r.Task("c", 0)
	h.pass(time.Second)
	task.State.Enter("RUNNING")
	h.pass(5 * time.Second)
	task.State.Enter("PAUSED")
	h.pass(2 * time.Second)
	task.State.Enter("RUNNING")
	h.pass(2 * time.Second)
	if running, paused := task.State.ratio("running"), task.State.ratio("paused"); running != 0.7 || paused != 0.2 {
		t.Errorf("running %v, paused %v, want 0.7 and 0.2", running, paused)
	}
	failed := r.Task("c", 1)
	failed.State.Enter("FAILED")
	r.Task("c", 2).State.Enter("UNASSIGNED") // stopped before it had begun
	got := page(t, r)
	for series, want := range map[string]string{"attempts_total": "3", "success_total": "1", "failure_total": "1", "failure_percentage": "0.5"} {
		if got["kafka_connect_worker_task_startup_"+series] != want {
			t.Errorf("startup %s is %s, want %s", series, got["kafka_connect_worker_task_startup_"+series], want)
		}
	}
}

func BenchmarkScrapeOf500Tasks(b *testing.B) {
	r := New(Config{})
	for n := range 500 {
		task := r.Task("c", n)
		task.Describe(About{Sink: n%2 == 0})
		task.Client(Producer, "p")
	}
	handler := r.Handler()
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		w.Body = nil
		handler.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", nil))
	}
}
