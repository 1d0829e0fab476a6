package metrics

import "strconv"

// kind is the type of a series.
type kind uint8

const (
	gauge kind = iota
	counter
)

// emit gives one value of a series, with the values of the labels that the
// series has beside those of its table.
type emit func(value float64, labels ...string)

// series is one family of GET /metrics whose values come from a T.
type series[T any] struct {
	name   string
	kind   kind
	labels []string // beside those of the table
	java   string   // MBean type:attribute that it carries, several by commas; empty: our own
	help   string
	read   func(of T, out emit)
}

func one[T any](name string, k kind, java, help string, read func(T) float64) series[T] {
	return series[T]{name: name, kind: k, java: java, help: help, read: func(of T, out emit) { out(read(of)) }}
}

var states = []string{"unassigned", "running", "paused", "failed", "restarting", "destroyed"}

// eachState gives 1 to the state that it is, 0 to the others.
func eachState(current string, out emit, all ...string) {
	for _, s := range all {
		out(oneIf(s == current), s)
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

var workerSeries = []series[*Registry]{
	one("kafka_connect_worker_connector_count", gauge, "connect-worker-metrics:connector-count", "Connectors that run on this worker.",
		func(r *Registry) float64 { return float64(r.size().connectors) }),
	one("kafka_connect_worker_task_count", gauge, "connect-worker-metrics:task-count", "Tasks that run on this worker, failed ones included.",
		func(r *Registry) float64 { return float64(r.size().tasks) }),
	one("kafka_connect_worker_connector_startup_attempts_total", counter, "connect-worker-metrics:connector-startup-attempts-total", "Starts of connectors.",
		func(r *Registry) float64 { return r.connectorStarts.attempts.value() }),
	one("kafka_connect_worker_connector_startup_success_total", counter, "connect-worker-metrics:connector-startup-success-total", "Starts of connectors that succeeded.",
		func(r *Registry) float64 { return r.connectorStarts.successes.value() }),
	one("kafka_connect_worker_connector_startup_success_percentage", gauge, "connect-worker-metrics:connector-startup-success-percentage", "Share (0 to 1) of the last starts of connectors that succeeded.",
		func(r *Registry) float64 { return r.connectorStarts.outcomes.Successes() }),
	one("kafka_connect_worker_connector_startup_failure_total", counter, "connect-worker-metrics:connector-startup-failure-total", "Starts of connectors that failed.",
		func(r *Registry) float64 { return r.connectorStarts.failures.value() }),
	one("kafka_connect_worker_connector_startup_failure_percentage", gauge, "connect-worker-metrics:connector-startup-failure-percentage", "Share (0 to 1) of the last starts of connectors that failed.",
		func(r *Registry) float64 { return r.connectorStarts.outcomes.Failures() }),
	one("kafka_connect_worker_task_startup_attempts_total", counter, "connect-worker-metrics:task-startup-attempts-total", "Starts of tasks.",
		func(r *Registry) float64 { return r.taskStarts.attempts.value() }),
	one("kafka_connect_worker_task_startup_success_total", counter, "connect-worker-metrics:task-startup-success-total", "Starts of tasks that succeeded.",
		func(r *Registry) float64 { return r.taskStarts.successes.value() }),
	one("kafka_connect_worker_task_startup_success_percentage", gauge, "connect-worker-metrics:task-startup-success-percentage", "Share (0 to 1) of the last starts of tasks that succeeded.",
		func(r *Registry) float64 { return r.taskStarts.outcomes.Successes() }),
	one("kafka_connect_worker_task_startup_failure_total", counter, "connect-worker-metrics:task-startup-failure-total", "Starts of tasks that failed.",
		func(r *Registry) float64 { return r.taskStarts.failures.value() }),
	one("kafka_connect_worker_task_startup_failure_percentage", gauge, "connect-worker-metrics:task-startup-failure-percentage", "Share (0 to 1) of the last starts of tasks that failed.",
		func(r *Registry) float64 { return r.taskStarts.outcomes.Failures() }),
	{name: "kafka_connect_version_info", labels: []string{"clientid", "version"}, java: "connect app-info:version,connect app-info:Version", help: "1; the version of this program.",
		read: func(r *Registry, out emit) { out(1, r.cfg.ClientID, r.cfg.Version) }},
	{name: "kafka_connect_commit_id_info", labels: []string{"clientid", "commit_id"}, java: "connect app-info:commit-id,connect app-info:CommitId", help: "1; the commit from which this program was built.",
		read: func(r *Registry, out emit) { out(1, r.cfg.ClientID, r.cfg.Commit) }},
	{name: "kafka_connect_start_time_seconds", labels: []string{"clientid"}, java: "connect app-info:start-time-ms,connect app-info:StartTimeMs", help: "When this worker was started, Unix time.",
		read: func(r *Registry, out emit) { out(float64(r.started.UnixMilli())/1000, r.cfg.ClientID) }},
}

var rebalanceSeries = []series[rebalanceNow]{
	one("kafka_connect_worker_rebalance_completed_rebalances_total", counter, "connect-worker-rebalance-metrics:completed-rebalances-total,connect-coordinator-metrics:rebalance-total", "Rounds that this worker completed.",
		func(b rebalanceNow) float64 { return float64(b.completed) }),
	one("kafka_connect_worker_rebalance_epoch", gauge, "connect-worker-rebalance-metrics:epoch", "Generation of the worker group.",
		func(b rebalanceNow) float64 { return float64(b.epoch) }),
	one("kafka_connect_worker_rebalance_rebalancing", gauge, "connect-worker-rebalance-metrics:rebalancing", "1 while a round is under way.",
		func(b rebalanceNow) float64 { return b.rebalancing }),
	one("kafka_connect_worker_rebalance_rebalance_avg_time_ms", gauge, "connect-worker-rebalance-metrics:rebalance-avg-time-ms,connect-coordinator-metrics:rebalance-latency-avg", "Average time of a round, from its beginning until it is applied.",
		func(b rebalanceNow) float64 { return b.times.Avg() }),
	one("kafka_connect_worker_rebalance_rebalance_max_time_ms", gauge, "connect-worker-rebalance-metrics:rebalance-max-time-ms,connect-coordinator-metrics:rebalance-latency-max", "Longest time of a round.",
		func(b rebalanceNow) float64 { return b.times.Max() }),
	one("kafka_connect_worker_rebalance_time_since_last_rebalance_ms", gauge, "connect-worker-rebalance-metrics:time-since-last-rebalance-ms", "Time since the last round was completed; NaN before the first.",
		func(b rebalanceNow) float64 { return b.sinceLast }),
	{name: "kafka_connect_worker_rebalance_leader_name", labels: []string{"leader_name"}, java: "connect-worker-rebalance-metrics:leader-name", help: "1; the URL of the group's leader.",
		read: func(b rebalanceNow, out emit) { b.name(out, b.leader) }},
	{name: "kafka_connect_worker_rebalance_connect_protocol", labels: []string{"connect_protocol"}, java: "connect-worker-rebalance-metrics:connect-protocol", help: "1; the protocol that the group agreed on.",
		read: func(b rebalanceNow, out emit) { b.name(out, b.protocol) }},
}

// rebalanceNow is what the series of the group read.
type rebalanceNow struct {
	rounds
	times *Sampled
}

func (b rebalanceNow) name(out emit, text string) {
	if text != "" { // not before the first round
		out(1, text)
	}
}

// connectorTasks are the tasks of one connector that run here.
type connectorTasks struct {
	total int
	by    map[string]int // by state
}

func tasksIn(state string) series[connectorTasks] {
	return one("kafka_connect_worker_connector_"+state+"_task_count", gauge, "connect-worker-metrics:connector-"+state+"-task-count", "Tasks of the connector on this worker that are "+state+".",
		func(t connectorTasks) float64 { return float64(t.by[state]) })
}

// perConnectorSeries have the label connector.
var perConnectorSeries = []series[connectorTasks]{
	one("kafka_connect_worker_connector_total_task_count", gauge, "connect-worker-metrics:connector-total-task-count", "Tasks of the connector on this worker.",
		func(t connectorTasks) float64 { return float64(t.total) }),
	tasksIn("running"), tasksIn("paused"), tasksIn("failed"), tasksIn("unassigned"), tasksIn("restarting"), tasksIn("destroyed"),
}

// connectorSeries have the label connector.
var connectorSeries = []series[*Connector]{
	{name: "kafka_connect_connector_status", labels: []string{"status"}, java: "connector-metrics:status", help: "1 for the state in which the connector is, 0 for the others.",
		read: func(c *Connector, out emit) {
			eachState(c.State.current(), out, "unassigned", "running", "paused", "stopped", "failed", "restarting", "destroyed")
		}},
	{name: "kafka_connect_connector_connector_class", labels: []string{"connector_class"}, java: "connector-metrics:connector-class", help: "1; the class of the connector.",
		read: func(c *Connector, out emit) { c.describe(out, func(k *Class) string { return k.Class }) }},
	{name: "kafka_connect_connector_connector_type", labels: []string{"connector_type"}, java: "connector-metrics:connector-type", help: "1; source or sink.",
		read: func(c *Connector, out emit) { c.describe(out, func(k *Class) string { return k.Type }) }},
	{name: "kafka_connect_connector_connector_version", labels: []string{"connector_version"}, java: "connector-metrics:connector-version", help: "1; the version of the connector.",
		read: func(c *Connector, out emit) { c.describe(out, func(k *Class) string { return k.Version }) }},
}

func (c *Connector) describe(out emit, what func(*Class) string) {
	if k := c.class.Load(); k != nil {
		out(1, what(k))
	}
}

// taskSeries have the labels connector and task, as all that follow.
var taskSeries = []series[*Task]{
	{name: "kafka_connect_connector_task_status", labels: []string{"status"}, java: "connector-task-metrics:status", help: "1 for the state in which the task is, 0 for the others.",
		read: func(t *Task, out emit) { eachState(t.State.current(), out, states...) }},
	one("kafka_connect_connector_task_running_ratio", gauge, "connector-task-metrics:running-ratio", "Share (0 to 1) of its life that the task was running.",
		func(t *Task) float64 { return t.State.ratio("running") }),
	one("kafka_connect_connector_task_pause_ratio", gauge, "connector-task-metrics:pause-ratio", "Share (0 to 1) of its life that the task was paused.",
		func(t *Task) float64 { return t.State.ratio("paused") }),
	one("kafka_connect_connector_task_batch_size_avg", gauge, "connector-task-metrics:batch-size-avg", "Average records of a batch: of a poll of a source, of a delivery to a sink.",
		func(t *Task) float64 { return t.batch.Avg() }),
	one("kafka_connect_connector_task_batch_size_max", gauge, "connector-task-metrics:batch-size-max", "Most records of a batch.",
		func(t *Task) float64 { return t.batch.Max() }),
	one("kafka_connect_connector_task_offset_commit_avg_time_ms", gauge, "connector-task-metrics:offset-commit-avg-time-ms", "Average time of a commit of offsets.",
		func(t *Task) float64 { return t.commit.Avg() }),
	one("kafka_connect_connector_task_offset_commit_max_time_ms", gauge, "connector-task-metrics:offset-commit-max-time-ms", "Longest time of a commit of offsets.",
		func(t *Task) float64 { return t.commit.Max() }),
	one("kafka_connect_connector_task_offset_commit_success_percentage", gauge, "connector-task-metrics:offset-commit-success-percentage", "Share (0 to 1) of the last commits that succeeded.",
		func(t *Task) float64 { return t.commits.Successes() }),
	one("kafka_connect_connector_task_offset_commit_failure_percentage", gauge, "connector-task-metrics:offset-commit-failure-percentage", "Share (0 to 1) of the last commits that failed.",
		func(t *Task) float64 { return t.commits.Failures() }),
	{name: "kafka_connect_connector_task_info",
		labels: []string{"connector_class", "connector_type", "connector_version", "task_class", "task_version", "key_converter_class", "key_converter_version",
			"value_converter_class", "value_converter_version", "header_converter_class", "header_converter_version"},
		java: "connector-task-metrics:connector-class,connector-task-metrics:connector-type,connector-task-metrics:connector-version,connector-task-metrics:task-class,connector-task-metrics:task-version," +
			"connector-task-metrics:key-converter-class,connector-task-metrics:key-converter-version,connector-task-metrics:value-converter-class,connector-task-metrics:value-converter-version," +
			"connector-task-metrics:header-converter-class,connector-task-metrics:header-converter-version",
		help: "1; what the task is made of.",
		read: func(t *Task, out emit) {
			if a := t.about.Load(); a != nil {
				out(1, a.Connector.Class, a.Connector.Type, a.Connector.Version, a.Task.Class, a.Task.Version, a.KeyConverter.Class, a.KeyConverter.Version,
					a.ValueConverter.Class, a.ValueConverter.Version, a.HeaderConverter.Class, a.HeaderConverter.Version)
			}
		}},
	one("kafka_connect_task_error_total_record_failures", counter, "task-error-metrics:total-record-failures", "Operations on records that failed, those that were tried again included.",
		func(t *Task) float64 { return t.Errors.failures.value() }),
	one("kafka_connect_task_error_total_record_errors", counter, "task-error-metrics:total-record-errors", "Records that failed for good.",
		func(t *Task) float64 { return t.Errors.records.value() }),
	one("kafka_connect_task_error_total_records_skipped", counter, "task-error-metrics:total-records-skipped", "Failed records that were passed over (errors.tolerance=all).",
		func(t *Task) float64 { return t.Errors.skipped.value() }),
	one("kafka_connect_task_error_total_retries", counter, "task-error-metrics:total-retries", "Operations on records that were tried again (errors.retry.timeout).",
		func(t *Task) float64 { return t.Errors.retries.value() }),
	one("kafka_connect_task_error_total_errors_logged", counter, "task-error-metrics:total-errors-logged", "Failed records that were written to the log (errors.log.enable).",
		func(t *Task) float64 { return t.Errors.logged.value() }),
	one("kafka_connect_task_error_deadletterqueue_produce_requests", counter, "task-error-metrics:deadletterqueue-produce-requests", "Records that were sent to the dead letter queue.",
		func(t *Task) float64 { return t.Errors.deadLetters.value() }),
	one("kafka_connect_task_error_deadletterqueue_produce_failures", counter, "task-error-metrics:deadletterqueue-produce-failures", "Records that the dead letter queue did not take.",
		func(t *Task) float64 { return t.Errors.deadLettersRefused.value() }),
	one("kafka_connect_task_error_last_error_timestamp", gauge, "task-error-metrics:last-error-timestamp", "When the last record failed, ms since 1970; 0 when none has.",
		func(t *Task) float64 { return float64(t.Errors.last.Load()) }),
	{name: "kconnect_task_waiting", labels: []string{"on"}, help: "1 while the task waits and goes on trying: on its connector (a database that is down), on kafka (no broker can be reached), on topics (one cannot be created), on its converter (a schema registry that is down), on acknowledgements, or on a write that takes longer than 10 s.",
		read: func(t *Task, out emit) {
			for _, w := range t.waits() {
				out(oneIf(!w.Since.IsZero()), w.On)
			}
		}},
	{name: "kconnect_task_waiting_since_seconds", labels: []string{"on"}, help: "Since when the task waits, Unix time; 0 when it does not.",
		read: func(t *Task, out emit) {
			for _, w := range t.waits() {
				if w.Since.IsZero() {
					out(0, w.On)
				} else {
					out(float64(w.Since.UnixMilli())/1000, w.On)
				}
			}
		}},
}

func (t *Task) waits() []Wait {
	if a := t.about.Load(); a != nil && a.Waits != nil {
		return a.Waits()
	}
	return nil
}

var sourceSeries = []series[*Task]{
	one("kafka_connect_source_task_source_record_poll_total", counter, "source-task-metrics:source-record-poll-total", "Records that the task returned, before transformations.",
		func(t *Task) float64 { return t.polled.value() }),
	one("kafka_connect_source_task_source_record_poll_rate", gauge, "source-task-metrics:source-record-poll-rate", "The same, by second.",
		func(t *Task) float64 { return t.pollRate.Rate() }),
	one("kafka_connect_source_task_source_record_write_total", counter, "source-task-metrics:source-record-write-total", "Records that were acknowledged by Kafka, after transformations.",
		func(t *Task) float64 { return t.written.value() }),
	one("kafka_connect_source_task_source_record_write_rate", gauge, "source-task-metrics:source-record-write-rate", "The same, by second.",
		func(t *Task) float64 { return t.writeRate.Rate() }),
	one("kafka_connect_source_task_poll_batch_avg_time_ms", gauge, "source-task-metrics:poll-batch-avg-time-ms", "Average time in which the task returned a batch that is not empty.",
		func(t *Task) float64 { return t.handled.Avg() }),
	one("kafka_connect_source_task_poll_batch_max_time_ms", gauge, "source-task-metrics:poll-batch-max-time-ms", "Longest time in which the task returned a batch that is not empty.",
		func(t *Task) float64 { return t.handled.Max() }),
	one("kafka_connect_source_task_source_record_active_count", gauge, "source-task-metrics:source-record-active-count", "Records that were returned by the task and are not yet acknowledged by Kafka.",
		func(t *Task) float64 { return float64(t.active.Load()) }),
	one("kafka_connect_source_task_source_record_active_count_avg", gauge, "source-task-metrics:source-record-active-count-avg", "Average of the same.",
		func(t *Task) float64 { return t.actives.Avg() }),
	one("kafka_connect_source_task_source_record_active_count_max", gauge, "source-task-metrics:source-record-active-count-max", "Largest of the same.",
		func(t *Task) float64 { return t.actives.Max() }),
}

var sinkSeries = []series[*Task]{
	one("kafka_connect_sink_task_sink_record_read_total", counter, "sink-task-metrics:sink-record-read-total", "Records that were consumed, before transformations.",
		func(t *Task) float64 { return t.read.value() }),
	one("kafka_connect_sink_task_sink_record_read_rate", gauge, "sink-task-metrics:sink-record-read-rate", "The same, by second.",
		func(t *Task) float64 { return t.readRate.Rate() }),
	one("kafka_connect_sink_task_sink_record_send_total", counter, "sink-task-metrics:sink-record-send-total", "Records that were handed to the task, after transformations; those that it is given again count again.",
		func(t *Task) float64 { return t.sent.value() }),
	one("kafka_connect_sink_task_sink_record_send_rate", gauge, "sink-task-metrics:sink-record-send-rate", "The same, by second.",
		func(t *Task) float64 { return t.sendRate.Rate() }),
	one("kafka_connect_sink_task_put_batch_avg_time_ms", gauge, "sink-task-metrics:put-batch-avg-time-ms", "Average time in which the task wrote a delivery.",
		func(t *Task) float64 { return t.handled.Avg() }),
	one("kafka_connect_sink_task_put_batch_max_time_ms", gauge, "sink-task-metrics:put-batch-max-time-ms", "Longest time in which the task wrote a delivery.",
		func(t *Task) float64 { return t.handled.Max() }),
	one("kafka_connect_sink_task_sink_record_active_count", gauge, "sink-task-metrics:sink-record-active-count", "Records that were consumed and whose offsets are not committed yet.",
		func(t *Task) float64 { return float64(t.active.Load()) }),
	one("kafka_connect_sink_task_sink_record_active_count_avg", gauge, "sink-task-metrics:sink-record-active-count-avg", "Average of the same.",
		func(t *Task) float64 { return t.actives.Avg() }),
	one("kafka_connect_sink_task_sink_record_active_count_max", gauge, "sink-task-metrics:sink-record-active-count-max", "Largest of the same.",
		func(t *Task) float64 { return t.actives.Max() }),
	one("kafka_connect_sink_task_partition_count", gauge, "sink-task-metrics:partition-count", "Partitions that the task has.",
		func(t *Task) float64 { return float64(t.partitionNum.Load()) }),
	one("kafka_connect_sink_task_offset_commit_seq_no", gauge, "sink-task-metrics:offset-commit-seq-no", "Number of the last commit of offsets.",
		func(t *Task) float64 { return float64(t.commitSeq.Load()) }),
	one("kafka_connect_sink_task_offset_commit_completion_total", counter, "sink-task-metrics:offset-commit-completion-total", "Commits of offsets that succeeded.",
		func(t *Task) float64 { return t.completed.value() }),
	one("kafka_connect_sink_task_offset_commit_completion_rate", gauge, "sink-task-metrics:offset-commit-completion-rate", "The same, by second.",
		func(t *Task) float64 { return t.completeRate.Rate() }),
}

// Clients. All have the label clientid.

// networkSeries are those of clients of one kind, in the words of MBean types.
func networkSeries(prefix, java string) []series[*Client] {
	java += ":"
	return []series[*Client]{
		one(prefix+"_connection_count", gauge, java+"connection-count", "Open connections.",
			func(c *Client) float64 { return max(c.opened.value()-c.closed.value(), 0) }),
		one(prefix+"_connection_creation_total", counter, java+"connection-creation-total", "Connections that were opened.",
			func(c *Client) float64 { return c.opened.value() }),
		one(prefix+"_connection_close_total", counter, java+"connection-close-total", "Connections that were closed.",
			func(c *Client) float64 { return c.closed.value() }),
		one(prefix+"_request_total", counter, java+"request-total", "Requests sent.",
			func(c *Client) float64 { return c.net.requests.value() }),
		one(prefix+"_response_total", counter, java+"response-total", "Responses received.",
			func(c *Client) float64 { return c.net.responses.value() }),
		one(prefix+"_network_io_total", counter, java+"network-io-total", "Requests and responses.",
			func(c *Client) float64 { return c.net.requests.value() + c.net.responses.value() }),
		one(prefix+"_outgoing_byte_total", counter, java+"outgoing-byte-total", "Bytes sent.",
			func(c *Client) float64 { return c.net.out.value() }),
		one(prefix+"_incoming_byte_total", counter, java+"incoming-byte-total", "Bytes received.",
			func(c *Client) float64 { return c.net.in.value() }),
		one(prefix+"_request_size_avg", gauge, java+"request-size-avg", "Average bytes of a request.",
			func(c *Client) float64 { return c.net.size.Avg() }),
		one(prefix+"_request_size_max", gauge, java+"request-size-max", "Most bytes of a request.",
			func(c *Client) float64 { return c.net.size.Max() }),
	}
}

// nodeSeries have the label nodeid.
func nodeSeries(prefix, java string) []series[*Client] {
	of := func(name string, k kind, attribute, help string, read func(*traffic) float64) series[*Client] {
		return series[*Client]{name: prefix + "_node_" + name, kind: k, labels: []string{"nodeid"}, java: java + ":" + attribute, help: help,
			read: func(c *Client, out emit) { c.eachNode(func(t *traffic, node string) { out(read(t), node) }) }}
	}
	return []series[*Client]{
		of("request_total", counter, "request-total", "Requests sent to the broker.", func(t *traffic) float64 { return t.requests.value() }),
		of("response_total", counter, "response-total", "Responses received from the broker.", func(t *traffic) float64 { return t.responses.value() }),
		of("outgoing_byte_total", counter, "outgoing-byte-total", "Bytes sent to the broker.", func(t *traffic) float64 { return t.out.value() }),
		of("incoming_byte_total", counter, "incoming-byte-total", "Bytes received from the broker.", func(t *traffic) float64 { return t.in.value() }),
		of("request_size_avg", gauge, "request-size-avg", "Average bytes of a request to the broker.", func(t *traffic) float64 { return t.size.Avg() }),
		of("request_size_max", gauge, "request-size-max", "Most bytes of a request to the broker.", func(t *traffic) float64 { return t.size.Max() }),
		of("request_latency_avg", gauge, "request-latency-avg", "Average ms from a request to its response.", func(t *traffic) float64 { return t.latency.Avg() }),
		of("request_latency_max", gauge, "request-latency-max", "Most ms from a request to its response.", func(t *traffic) float64 { return t.latency.Max() }),
	}
}

var producerSeries = []series[*Client]{
	one("kafka_producer_record_send_total", counter, "producer-metrics:record-send-total", "Records sent.",
		func(c *Client) float64 { return c.sent.value() }),
	one("kafka_producer_record_error_total", counter, "producer-metrics:record-error-total", "Records that Kafka did not take.",
		func(c *Client) float64 { return c.refused.value() }),
	one("kafka_producer_record_size_avg", gauge, "producer-metrics:record-size-avg", "Average bytes of a record.",
		func(c *Client) float64 { return c.recordBytes.Avg() }),
	one("kafka_producer_batch_size_avg", gauge, "producer-metrics:batch-size-avg", "Average bytes of a batch to one partition, compressed.",
		func(c *Client) float64 { return c.batchBytes.Avg() }),
	one("kafka_producer_batch_size_max", gauge, "producer-metrics:batch-size-max", "Most bytes of a batch to one partition, compressed.",
		func(c *Client) float64 { return c.batchBytes.Max() }),
	one("kafka_producer_batch_records_avg", gauge, "", "Average records of a batch to one partition.",
		func(c *Client) float64 { return c.batchRecords.Avg() }),
	one("kafka_producer_compression_rate_avg", gauge, "producer-metrics:compression-rate-avg", "Average size of compressed batches by their size before.",
		func(c *Client) float64 { return c.compression.Avg() }),
	one("kafka_producer_request_latency_avg", gauge, "producer-metrics:request-latency-avg", "Average ms of a produce request.",
		func(c *Client) float64 { return c.produce.Avg() }),
	one("kafka_producer_request_latency_max", gauge, "producer-metrics:request-latency-max", "Most ms of a produce request.",
		func(c *Client) float64 { return c.produce.Max() }),
	one("kafka_producer_produce_throttle_time_avg", gauge, "producer-metrics:produce-throttle-time-avg", "Average ms for which a broker throttled the client.",
		func(c *Client) float64 { return c.throttle.Avg() }),
	one("kafka_producer_produce_throttle_time_max", gauge, "producer-metrics:produce-throttle-time-max", "Most ms for which a broker throttled the client.",
		func(c *Client) float64 { return c.throttle.Max() }),
	{name: "kafka_producer_buffer_total_bytes", java: "producer-metrics:buffer-total-bytes", help: "Bytes that may wait to be sent (buffer.memory); of connectors' producers.",
		read: func(c *Client, out emit) {
			if c.bufferTotal.Load() > 0 {
				out(float64(c.bufferTotal.Load()))
			}
		}},
	{name: "kafka_producer_buffer_available_bytes", java: "producer-metrics:buffer-available-bytes", help: "Bytes of that which are free.",
		read: func(c *Client, out emit) {
			if c.bufferTotal.Load() > 0 {
				out(c.bufferAvailable())
			}
		}},
	{name: "kafka_producer_topic_record_send_total", kind: counter, labels: []string{"topic"}, java: "producer-topic-metrics:record-send-total", help: "Records sent to the topic.",
		read: func(c *Client, out emit) {
			c.eachTopic(func(t *topic, name string) { out(t.records.value(), name) })
		}},
	{name: "kafka_producer_topic_byte_total", kind: counter, labels: []string{"topic"}, java: "producer-topic-metrics:byte-total", help: "Bytes sent to the topic, compressed.",
		read: func(c *Client, out emit) {
			c.eachTopic(func(t *topic, name string) { out(t.bytes.value(), name) })
		}},
}

var consumerSeries = []series[*Client]{
	one("kafka_consumer_fetch_manager_records_consumed_total", counter, "consumer-fetch-manager-metrics:records-consumed-total", "Records fetched.",
		func(c *Client) float64 { return c.consumed.value() }),
	one("kafka_consumer_fetch_manager_bytes_consumed_total", counter, "consumer-fetch-manager-metrics:bytes-consumed-total", "Bytes of the records fetched, compressed.",
		func(c *Client) float64 { return c.consumedBytes.value() }),
	one("kafka_consumer_fetch_manager_fetch_total", counter, "consumer-fetch-manager-metrics:fetch-total", "Fetch requests.",
		func(c *Client) float64 { return c.fetches.value() }),
	one("kafka_consumer_fetch_manager_fetch_latency_avg", gauge, "consumer-fetch-manager-metrics:fetch-latency-avg", "Average ms of a fetch request, the broker's waiting for records included.",
		func(c *Client) float64 { return c.fetch.Avg() }),
	one("kafka_consumer_fetch_manager_fetch_latency_max", gauge, "consumer-fetch-manager-metrics:fetch-latency-max", "Most ms of a fetch request.",
		func(c *Client) float64 { return c.fetch.Max() }),
	one("kafka_consumer_fetch_manager_fetch_size_avg", gauge, "consumer-fetch-manager-metrics:fetch-size-avg", "Average bytes of the response to a fetch request.",
		func(c *Client) float64 { return c.fetchBytes.Avg() }),
	one("kafka_consumer_fetch_manager_fetch_size_max", gauge, "consumer-fetch-manager-metrics:fetch-size-max", "Most bytes of the response to a fetch request.",
		func(c *Client) float64 { return c.fetchBytes.Max() }),
	one("kafka_consumer_fetch_manager_fetch_throttle_time_avg", gauge, "consumer-fetch-manager-metrics:fetch-throttle-time-avg", "Average ms for which a broker throttled the client.",
		func(c *Client) float64 { return c.throttle.Avg() }),
	one("kafka_consumer_fetch_manager_fetch_throttle_time_max", gauge, "consumer-fetch-manager-metrics:fetch-throttle-time-max", "Most ms for which a broker throttled the client.",
		func(c *Client) float64 { return c.throttle.Max() }),
	{name: "kafka_consumer_fetch_manager_records_lag", labels: []string{"topic", "partition"}, java: "consumer-fetch-manager-metrics partition:records-lag", help: "Records of the partition that were not yet polled when it was polled last; of sink tasks.",
		read: func(c *Client, out emit) {
			c.eachLag(func(l position, topic, partition string) { out(float64(l.records), topic, partition) })
		}},
	{name: "kafka_consumer_fetch_manager_records_lag_avg", labels: []string{"topic", "partition"}, java: "consumer-fetch-manager-metrics partition:records-lag-avg", help: "Average of the same.",
		read: func(c *Client, out emit) {
			c.eachLag(func(l position, topic, partition string) { out(l.lags.Avg(), topic, partition) })
		}},
	{name: "kafka_consumer_fetch_manager_records_lead", labels: []string{"topic", "partition"}, java: "consumer-fetch-manager-metrics partition:records-lead", help: "Records from the beginning of the partition to what was polled last; of sink tasks.",
		read: func(c *Client, out emit) {
			c.eachLag(func(l position, topic, partition string) { out(float64(l.lead), topic, partition) })
		}},
	{name: "kafka_consumer_fetch_manager_records_lead_avg", labels: []string{"topic", "partition"}, java: "consumer-fetch-manager-metrics partition:records-lead-avg", help: "Average of the same.",
		read: func(c *Client, out emit) {
			c.eachLag(func(l position, topic, partition string) { out(l.leads.Avg(), topic, partition) })
		}},
	one("kafka_consumer_fetch_manager_records_lag_max", gauge, "consumer-fetch-manager-metrics:records-lag-max", "Largest lag of all partitions.",
		func(c *Client) float64 { return c.lagMax.Max() }),
	one("kafka_consumer_fetch_manager_records_lead_min", gauge, "consumer-fetch-manager-metrics:records-lead-min", "Smallest lead of all partitions.",
		func(c *Client) float64 { return c.leadMin.Min() }),
	one("kafka_consumer_last_poll_seconds_ago", gauge, "consumer-metrics:last-poll-seconds-ago", "Seconds since the last poll; -1 before the first.",
		func(c *Client) float64 { return c.ago(&c.polled) }),
	one("kafka_consumer_time_between_poll_avg", gauge, "consumer-metrics:time-between-poll-avg", "Average ms between two polls.",
		func(c *Client) float64 { return c.between.Avg() }),
	one("kafka_consumer_time_between_poll_max", gauge, "consumer-metrics:time-between-poll-max", "Most ms between two polls.",
		func(c *Client) float64 { return c.between.Max() }),
	one("kafka_consumer_coordinator_assigned_partitions", gauge, "consumer-coordinator-metrics:assigned-partitions", "Partitions that the consumer has; of sink tasks.",
		func(c *Client) float64 { return float64(c.assigned.Load()) }),
	one("kafka_consumer_coordinator_commit_total", counter, "consumer-coordinator-metrics:commit-total", "Commits of offsets.",
		func(c *Client) float64 { return c.commits.value() }),
	one("kafka_consumer_coordinator_commit_latency_avg", gauge, "consumer-coordinator-metrics:commit-latency-avg", "Average ms of a commit.",
		func(c *Client) float64 { return c.commit.Avg() }),
	one("kafka_consumer_coordinator_commit_latency_max", gauge, "consumer-coordinator-metrics:commit-latency-max", "Most ms of a commit.",
		func(c *Client) float64 { return c.commit.Max() }),
}

// membershipSeries are those of a client in a group.
func membershipSeries(prefix, java string) []series[*Client] {
	java += ":"
	return []series[*Client]{
		one(prefix+"_heartbeat_total", counter, java+"heartbeat-total", "Heartbeats.",
			func(c *Client) float64 { return c.heartbeats.value() }),
		one(prefix+"_heartbeat_response_time_max", gauge, java+"heartbeat-response-time-max", "Most ms of a heartbeat.",
			func(c *Client) float64 { return c.heartbeat.Max() }),
		one(prefix+"_last_heartbeat_seconds_ago", gauge, java+"last-heartbeat-seconds-ago", "Seconds since the last heartbeat; -1 before the first.",
			func(c *Client) float64 { return c.ago(&c.beat) }),
		one(prefix+"_join_total", counter, java+"join-total", "Joins of the group.",
			func(c *Client) float64 { return c.joins.value() }),
		one(prefix+"_join_time_avg", gauge, java+"join-time-avg", "Average ms of a join.",
			func(c *Client) float64 { return c.join.Avg() }),
		one(prefix+"_join_time_max", gauge, java+"join-time-max", "Most ms of a join.",
			func(c *Client) float64 { return c.join.Max() }),
		one(prefix+"_sync_total", counter, java+"sync-total", "Syncs of the group.",
			func(c *Client) float64 { return c.syncs.value() }),
		one(prefix+"_sync_time_avg", gauge, java+"sync-time-avg", "Average ms of a sync.",
			func(c *Client) float64 { return c.sync.Avg() }),
		one(prefix+"_sync_time_max", gauge, java+"sync-time-max", "Most ms of a sync.",
			func(c *Client) float64 { return c.sync.Max() }),
		one(prefix+"_last_rebalance_seconds_ago", gauge, java+"last-rebalance-seconds-ago", "Seconds since the last sync; -1 before the first.",
			func(c *Client) float64 { return c.ago(&c.joined) }),
	}
}

var memberSeries = []series[*Client]{
	one("kafka_connect_coordinator_assigned_connectors", gauge, "connect-coordinator-metrics:assigned-connectors", "Connectors that this worker has.",
		func(c *Client) float64 { return float64(c.r.size().connectors) }),
	one("kafka_connect_coordinator_assigned_tasks", gauge, "connect-coordinator-metrics:assigned-tasks", "Tasks that this worker has.",
		func(c *Client) float64 { return float64(c.r.size().tasks) }),
	one("kafka_connect_coordinator_rebalance_latency_total", counter, "connect-coordinator-metrics:rebalance-latency-total", "Ms of all rounds.",
		func(c *Client) float64 { rounds, _ := c.r.Rebalance.read(); return rounds.total }),
}

// pluginLabels are those of the series that plugins add.
var pluginLabels = []string{"connector", "task"}

func taskLabel(task int) string { return strconv.Itoa(task) }
