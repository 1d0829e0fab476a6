package source

import "kconnect/connect"

// The series of a task.
var (
	connectionsMetric = connect.MetricDef{Name: "kconnect_jdbc_source_connections_total", Counter: true,
		Help: "Connections to the database that the task made; more than one says that it was lost."}
	queriesMetric = connect.MetricDef{Name: "kconnect_jdbc_source_queries_total", Counter: true,
		Help: "Times that the task asked the database for new rows of a table, or ran its query."}
)

func (t *Task) publish() {
	t.env.Metrics.Publish(connectionsMetric, func() float64 { return float64(t.connects.Load()) })
	t.env.Metrics.Publish(queriesMetric, func() float64 { return float64(t.queries.Load()) })
}
