package source

import (
	"time"

	"kconnect/connect"
)

// The series of a task.
var (
	connectionsMetric = connect.MetricDef{Name: "kconnect_jdbc_source_connections_total", Counter: true,
		Help: "Connections to the database that the task made; more than one says that it was lost."}
	queriesMetric = connect.MetricDef{Name: "kconnect_jdbc_source_queries_total", Counter: true,
		Help: "Times that the task asked the database for new rows of a table, or ran its query."}
	gapsMetric = connect.MetricDef{Name: "kconnect_jdbc_source_open_gaps",
		Help: "Ranges of ids that were skipped and are asked for again, because rows may still come there."}
	givenUpMetric = connect.MetricDef{Name: "kconnect_jdbc_source_ids_given_up_total", Counter: true,
		Help: "Ids that were skipped and did not come within kconnect.gap.timeout.ms, or were too many to watch. Ids of transactions that were rolled back end here where the database does not tell that they are."}
	closedMetric = connect.MetricDef{Name: "kconnect_jdbc_source_ids_closed_total", Counter: true,
		Help: "Ids that were skipped and are no longer asked for, because every transaction that could have taken them has ended and their rows did not come."}
	lateMetric = connect.MetricDef{Name: "kconnect_jdbc_source_late_rows_total", Counter: true,
		Help: "Rows that became visible after rows with higher ids were sent, and were sent later."}
	rowsMetric = connect.MetricDef{Name: "kconnect_jdbc_source_rows_total", Counter: true,
		Help: "Rows that the task read and handed over."}
	bytesMetric = connect.MetricDef{Name: "kconnect_jdbc_source_bytes_total", Counter: true,
		Help: "Bytes of memory that these rows took, before they were converted."}
	readingMetric = connect.MetricDef{Name: "kconnect_jdbc_source_reading_seconds_total", Counter: true,
		Help: "Time that the task spent connecting, waiting for statements and reading rows."}
	rowsBehindMetric = connect.MetricDef{Name: "kconnect_jdbc_source_behind_rows",
		Help: "In mode incrementing: how far the highest ids of the tables are above the last that were read, together. Asked for once a minute at most; not a number while it is not known."}
	secondsBehindMetric = connect.MetricDef{Name: "kconnect_jdbc_source_behind_seconds",
		Help: "In the modes with a timestamp: how far the newest timestamp is above the last that was read, of the table where that is most. Asked for once a minute at most; not a number while it is not known."}
)

func (t *Task) publish() {
	t.env.Metrics.Publish(connectionsMetric, func() float64 { return float64(t.connects.Load()) })
	t.env.Metrics.Publish(queriesMetric, func() float64 { return float64(t.queries.Load()) })
	t.env.Metrics.Publish(gapsMetric, func() float64 { return float64(t.watched.gaps.Load()) })
	t.env.Metrics.Publish(givenUpMetric, func() float64 { return float64(t.watched.givenUp.Load()) })
	t.env.Metrics.Publish(closedMetric, func() float64 { return float64(t.watched.closed.Load()) })
	t.env.Metrics.Publish(lateMetric, func() float64 { return float64(t.watched.late.Load()) })
	t.env.Metrics.Publish(rowsMetric, func() float64 { return float64(t.rows.Load()) })
	t.env.Metrics.Publish(bytesMetric, func() float64 { return float64(t.bytes.Load()) })
	t.env.Metrics.Publish(readingMetric, func() float64 { return time.Duration(t.reading.Load()).Seconds() })
	switch {
	case t.s.query != "" || t.s.mode == bulk:
	case t.s.mode == incrementing:
		t.env.Metrics.Publish(rowsBehindMetric, t.rowsBehind)
	default:
		t.env.Metrics.Publish(secondsBehindMetric, t.secondsBehind)
	}
}
