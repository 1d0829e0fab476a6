package sink

import "kconnect/connect"

// The series of a task.
var (
	connectionsMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_connections_total", Counter: true,
		Help: "Connections to the database that the task made; more than one says that it was lost."}
	transactionsMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_transactions_total", Counter: true,
		Help: "Transactions that the task committed."}
)

func publish(m *connect.Metrics, w *writer) {
	m.Publish(connectionsMetric, func() float64 { return float64(w.connects.Load()) })
	m.Publish(transactionsMetric, func() float64 { return float64(w.commits.Load()) })
}
