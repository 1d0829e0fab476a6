package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"kconnect/connect/metrics"
)

const metricsPage = "../../docs/metrics.md"

// TestTheReferenceOfMetricsIsWhatTheTablesSay compares docs/metrics.md with the
// tables of series; `make docs` writes it.
func TestTheReferenceOfMetricsIsWhatTheTablesSay(t *testing.T) {
	isWritten(t, metricsPage, metricsReference(t))
}

const metricsIntroduction = `# Metrics

Made from the tables in the code by ` + "`make docs`" + `; do not edit.

` + "`GET /metrics`" + ` answers in the format of Prometheus, on every address of ` + "`listeners`" + ` and ` + "`admin.listeners`" + `, also while the worker starts. Where the REST API has
users, scrapers of ` + "`listeners`" + ` need one, too; ` + "`admin.listeners`" + ` has none.

    scrape_configs:
      - job_name: kconnect
        static_configs:
          - targets: ["worker-1:8083", "worker-2:8083"]

Names and labels are those that the usual rules of the Prometheus JMX exporter (those that come with Strimzi) give the MBeans of a Java worker, so that
dashboards and alerts go on working; the last column names the MBean. What Java has no MBean for begins with ` + "`kconnect_`" + `.

- A state is one series for each state, 1 for the one that it is and 0 for the others: count with ` + "`sum`" + `, not with ` + "`count`" + `. The JMX exporter has
  only the series with 1.
- Series of connectors and tasks are those of the worker that runs them, from start to stop; a failed one keeps its series until it is restarted or moved.
- Averages (` + "`_avg`" + `), maxima (` + "`_max`" + `), rates and percentages cover the last ` + "`metrics.num.samples`" + ` windows of ` + "`metrics.sample.window.ms`" + `, a minute by default, as in Java;
  without an event in them an average or a maximum is NaN. A percentage is a share from 0 to 1.
- A standalone worker has no series of the worker group and of internal topics.
- Times are ms where the name says ` + "`_ms`" + ` or the help does; ` + "`_seconds`" + ` are seconds.

Some things to alert on:

    sum by (connector, task) (kafka_connect_connector_task_status{status="failed"}) > 0
    kconnect_task_waiting == 1 and time() - kconnect_task_waiting_since_seconds > 300
    sum by (clientid) (kafka_consumer_fetch_manager_records_lag) > 100000
    rate(kafka_connect_task_error_total_record_errors[5m]) > 0
`

func metricsReference(t *testing.T) []byte {
	t.Helper()
	registry, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString(metricsIntroduction)
	section := ""
	heading := func(name string) {
		fmt.Fprintf(&b, "\n## %s\n\n| Series | Type | Labels | Meaning | MBean of Java |\n|---|---|---|---|---|\n", name)
	}
	row := func(f metrics.Family) {
		kind := "gauge"
		if f.Counter {
			kind = "counter"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Name, kind, strings.Join(f.Labels, ", "), f.Help, strings.Join(strings.FieldsFunc(f.Java, func(r rune) bool { return r == ',' }), ", "))
	}
	for _, f := range metrics.Families() {
		if f.Section != section {
			section = f.Section
			heading(section)
		}
		row(f)
	}
	for _, p := range registry.List(true) {
		if len(p.Metrics) == 0 {
			continue
		}
		heading(p.Class)
		for _, m := range p.Metrics {
			row(metrics.Family{Name: m.Name, Help: m.Help, Counter: m.Counter, Labels: metrics.PluginLabels()})
		}
	}
	b.WriteString("\n## Program\n\n`go_*` and `process_*`, as every Go program has them: goroutines, heap, collections, resident memory, CPU, open files.\n")
	b.WriteString("\n## What Java has and this worker does not\n\n| Attributes (domain type \\[keys\\]:attribute, as a regular expression) | Why not |\n|---|---|\n")
	for _, a := range metrics.Absences() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(a.Attributes.String(), "|", "\\|"), a.Reason)
	}
	return b.Bytes()
}
