package worker

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/metrics"
)

// scraped is what a worker answers to GET /metrics, by series.
type scraped map[string]string

// metered lets a bed's worker count where the test can look.
func metered(b **metrics.Registry) func(*Config) {
	return func(c *Config) {
		*b = metrics.New(metrics.Config{})
		c.Metrics = *b
	}
}

func scrape(t *testing.T, r *metrics.Registry) scraped {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	all := make(scraped)
	for line := range strings.Lines(w.Body.String()) {
		if cut := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") {
			all[line[:cut]] = strings.TrimSpace(line[cut+1:])
		}
	}
	return all
}

// task returns a series of the task, its name given without kafka_connect_.
func (s scraped) task(name string) string {
	return s["kafka_connect_"+name+`{connector="c",task="0"}`]
}

func (s scraped) status(status string) string {
	return s[`kafka_connect_connector_task_status{connector="c",status="`+status+`",task="0"}`]
}

// about returns the series that are about a connector or its clients.
func (s scraped) about(connector string) (all []string) {
	for series := range s {
		if strings.Contains(series, `connector="`+connector+`"`) || strings.Contains(series, "-"+connector+"-0") {
			all = append(all, series)
		}
	}
	return all
}

func TestASourceTaskCountsAndItsSeriesEndWithIt(t *testing.T) {
	var registry *metrics.Registry
	b := newBed(t, parts{worker: metered(&registry), source: func() connect.SourceTask {
		return &counter{to: 10, batch: 5, values: map[int]string{3: "drop", 4: "fail", 8: "bad"}}
	}, config: config.Map{"transforms": "s", "transforms.s.type": "Sieve", "errors.tolerance": "all", "errors.log.enable": "true"}})
	b.start()
	b.untilStored(10)
	got := scrape(t, registry)
	for name, want := range map[string]string{
		"source_task_source_record_poll_total": "10", "source_task_source_record_write_total": "7", "source_task_source_record_active_count": "0",
		"connector_task_batch_size_max": "5", "connector_task_offset_commit_success_percentage": "1",
		"task_error_total_record_errors": "2", "task_error_total_records_skipped": "2", "task_error_total_errors_logged": "2",
		"sink_task_sink_record_read_total": "",
	} {
		if got.task(name) != want {
			t.Errorf("%s is %q, want %q", name, got.task(name), want)
		}
	}
	if got.status("running") != "1" || got.status("failed") != "0" {
		t.Errorf("the status is %s running, %s failed", got.status("running"), got.status("failed"))
	}
	if n := got[`kafka_producer_record_send_total{clientid="connector-producer-c-0"}`]; n != "7" {
		t.Errorf("the producer sent %q records, want 7", n)
	}
	if got[`kafka_connect_connector_task_info{connector="c",connector_class="Counter",connector_type="source",connector_version="1",header_converter_class="Text",header_converter_version="",`+
		`key_converter_class="Text",key_converter_version="",task="0",task_class="CounterTask",task_version="1",value_converter_class="Text",value_converter_version=""}`] != "1" {
		t.Errorf("no series says what the task is made of: %v", got.about("c"))
	}
	b.stop()
	if left := scrape(t, registry).about("c"); len(left) > 0 {
		t.Errorf("of a stopped task there are still %v", left)
	}
}

func TestASinkTaskCountsWhatItReadsPutsAndCommits(t *testing.T) {
	var registry *metrics.Registry
	b := newBed(t, parts{worker: metered(&registry), sink: func() connect.SinkTask { return &collector{} },
		config: config.Map{"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"}})
	b.produce("1", "2", "bad", "4")
	b.start()
	b.untilCommitted(4)
	b.until("the commit is counted", func() bool { return scrape(t, registry).task("sink_task_sink_record_active_count") == "0" })
	got := scrape(t, registry)
	for name, want := range map[string]string{
		"sink_task_sink_record_read_total": "4", "sink_task_sink_record_send_total": "3", "sink_task_partition_count": "1",
		"task_error_deadletterqueue_produce_requests": "1", "task_error_deadletterqueue_produce_failures": "0", "task_error_total_record_errors": "1",
		"source_task_source_record_poll_total": "",
	} {
		if got.task(name) != want {
			t.Errorf("%s is %q, want %q", name, got.task(name), want)
		}
	}
	for series, want := range map[string]string{
		`kafka_consumer_fetch_manager_records_lag{clientid="connector-consumer-c-0",partition="0",topic="numbers"}`:  "0",
		`kafka_consumer_fetch_manager_records_lead{clientid="connector-consumer-c-0",partition="0",topic="numbers"}`: "4",
		`kafka_consumer_coordinator_assigned_partitions{clientid="connector-consumer-c-0"}`:                          "1",
		`kafka_producer_record_send_total{clientid="connector-dlq-producer-c-0"}`:                                    "1",
	} {
		if got[series] != want {
			t.Errorf("%s is %q, want %s", series, got[series], want)
		}
	}
}

// Promise 5: the metric says what a task waits for before its status does.
func TestATaskThatWaitsSaysSoInAMetric(t *testing.T) {
	var registry *metrics.Registry
	var down atomic.Bool
	down.Store(true)
	b := newBed(t, parts{worker: metered(&registry), sink: func() connect.SinkTask {
		return &collector{fail: func(int, []connect.Record) error {
			if down.Load() {
				return connect.NewRetriable("the database is down", errors.New("connection refused"))
			}
			return nil
		}}
	}})
	b.produce("1")
	b.start()
	waiting := func(name string) string {
		return scrape(t, registry)["kconnect_task_waiting"+name+`{connector="c",on="connector",task="0"}`]
	}
	b.until("the metric says that the task waits", func() bool { return waiting("") == "1" })
	if waiting("_since_seconds") == "0" {
		t.Error("it does not say since when")
	}
	down.Store(false)
	b.until("the metric says that it moves", func() bool { return waiting("") == "0" && waiting("_since_seconds") == "0" })
}

func TestRecordsThatKafkaRefusesAreNotWritten(t *testing.T) {
	var registry *metrics.Registry
	b := newBed(t, parts{worker: metered(&registry), source: func() connect.SourceTask { return &counter{to: 1, batch: 1} }, config: config.Map{"errors.tolerance": "all"}})
	b.refuse("numbers", kerr.MessageTooLarge.Code)
	b.start()
	b.untilStored(1)
	got := scrape(t, registry)
	if got.task("source_task_source_record_write_total") != "0" || got.task("task_error_total_records_skipped") != "1" ||
		got[`kafka_producer_record_error_total{clientid="connector-producer-c-0"}`] != "1" {
		t.Errorf("written %s, skipped %s", got.task("source_task_source_record_write_total"), got.task("task_error_total_records_skipped"))
	}
}

func TestAConnectorThatCannotBeStartedIsFailedInTheMetricsUntilItIsGone(t *testing.T) {
	var registry *metrics.Registry
	b := newBed(t, parts{worker: metered(&registry), source: func() connect.SourceTask { return &counter{} }})
	failed := make(chan error, 1)
	b.worker.StartConnector("x", config.FromMap(config.Map{"connector.class": "NoSuch"}), TargetRunning, func(err error) { failed <- err })
	if <-failed == nil {
		t.Fatal("it was started")
	}
	const status = `kafka_connect_connector_status{connector="x",status="failed"}`
	if got := scrape(t, registry); got[status] != "1" || got["kafka_connect_worker_connector_startup_failure_total"] != "1" {
		t.Errorf("failed is %q, failures are %q", got[status], got["kafka_connect_worker_connector_startup_failure_total"])
	}
	b.worker.Stop([]string{"x"}, nil, OnDelete)
	if left := scrape(t, registry).about("x"); len(left) > 0 {
		t.Errorf("of a connector that is gone there are still %v", left)
	}
}

func TestWhatATaskPublishesIsInTheMetrics(t *testing.T) {
	var registry *metrics.Registry
	var task *collector
	b := newBed(t, parts{worker: metered(&registry), sink: func() connect.SinkTask { task = &collector{}; return task }})
	b.worker.StartTask(group.ID{Connector: "c", Task: 0}, b.cfg, config.Map{}, TargetRunning)
	b.untilState(Running)
	task.env.Metrics.Publish(connect.MetricDef{Name: "kconnect_collector_rows", Help: "Rows."}, func() float64 { return 42 })
	if n := scrape(t, registry)[`kconnect_collector_rows{connector="c",task="0"}`]; n != "42" {
		t.Errorf("the series is %q, want 42", n)
	}
}
