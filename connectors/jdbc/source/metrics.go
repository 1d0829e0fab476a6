package source

import "kconnect/connect"

// The series of a task.
var (
	connectionsMetric = connect.MetricDef{Name: "kconnect_jdbc_source_connections_total", Counter: true,
		Help: "Connections to the database that the task made; more than one says that it was lost."}
	queriesMetric = connect.MetricDef{Name: "kconnect_jdbc_source_queries_total", Counter: true,
		Help: "Times that the task asked the database for new rows of a table, or ran its query."}
	gapsMetric = connect.MetricDef{Name: "kconnect_jdbc_source_open_gaps",
		Help: "Ranges of ids that were skipped and are asked for again, because rows may still come there."}
	givenUpMetric = connect.MetricDef{Name: "kconnect_jdbc_source_ids_given_up_total", Counter: true,
		Help: "Ids that were skipped and did not come within kconnect.gap.timeout.ms, or were too many to watch. Ids of transactions that were rolled back end here."}
	lateMetric = connect.MetricDef{Name: "kconnect_jdbc_source_late_rows_total", Counter: true,
		Help: "Rows that became visible after rows with higher ids were sent, and were sent later."}
)

func (t *Task) publish() {
	t.env.Metrics.Publish(connectionsMetric, func() float64 { return float64(t.connects.Load()) })
	t.env.Metrics.Publish(queriesMetric, func() float64 { return float64(t.queries.Load()) })
	t.env.Metrics.Publish(gapsMetric, func() float64 { return float64(t.watched.gaps.Load()) })
	t.env.Metrics.Publish(givenUpMetric, func() float64 { return float64(t.watched.givenUp.Load()) })
	t.env.Metrics.Publish(lateMetric, func() float64 { return float64(t.watched.late.Load()) })
}
