package sink

import (
	"sync/atomic"
	"time"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// The series of a task. What every sink task has (records, deliveries, dead
// letters, lag) comes from the worker.
var (
	connectionsMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_connections_total", Counter: true,
		Help: "Connections to the database that the task made; more than one says that it was lost."}
	transactionsMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_transactions_total", Counter: true,
		Help: "Transactions that the task committed."}
	rowsMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_rows_total", Counter: true,
		Help: "Rows that statements of committed transactions were for: inserts, upserts, updates and deletes. Fewer than records where several of one key came together."}
	statementsMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_statements_total", Counter: true,
		Help: "Statements that wrote rows, those that failed among them; each is for a batch of rows."}
	statementSecondsMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_statement_seconds_total", Counter: true,
		Help: "Time in which the database executed these statements and committed."}
	connectionRetriesMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_connection_retries_total", Counter: true,
		Help: "Deliveries that the task will try again because the database could not be reached."}
	transientRetriesMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_transient_retries_total", Counter: true,
		Help: "Deliveries that the task will try again because the database refused for the time being: locks, a deadlock, a full disk, read-only."}
	refusedRetriesMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_refused_retries_total", Counter: true,
		Help: "Deliveries that the task will try again because the database refused their records; max.retries bounds them."}
	oldestMetric = connect.MetricDef{Name: "kconnect_jdbc_sink_oldest_unwritten_seconds",
		Help: "Age of the oldest record, by its timestamp, of the delivery that the task is writing or waits to write; 0 between deliveries."}
)

func metricDefs() []connect.MetricDef {
	return []connect.MetricDef{
		connectionsMetric, transactionsMetric, rowsMetric, statementsMetric, statementSecondsMetric,
		connectionRetriesMetric, transientRetriesMetric, refusedRetriesMetric, oldestMetric,
	}
}

// counts are what the series show. The task adds, scrapes load.
type counts struct {
	connects, commits, rows, statements atomic.Int64
	statementTime                       atomic.Int64 // nanoseconds
	connectionRetries, transientRetries atomic.Int64
	refusedRetries                      atomic.Int64
	oldest                              atomic.Int64 // ms since 1970 of a record's timestamp; 0: none
}

// took adds the time since a statement was sent.
func (c *counts) took(since time.Time) { c.statementTime.Add(int64(time.Since(since))) }

// retry counts a delivery that will be tried again for an error of a class.
func (c *counts) retry(class dialect.Class) {
	switch class {
	case dialect.Connection:
		c.connectionRetries.Add(1)
	case dialect.Transient:
		c.transientRetries.Add(1)
	case dialect.Permanent, dialect.Data, dialect.Missing, dialect.Permission, dialect.Syntax:
		c.refusedRetries.Add(1)
	}
}

// delivering notes the oldest record of a delivery.
func (c *counts) delivering(records []connect.Record) {
	var oldest int64
	for i := range records {
		if ts := records[i].Timestamp; ts > 0 && (oldest == 0 || ts < oldest) {
			oldest = ts
		}
	}
	c.oldest.Store(oldest)
}

// delivered says that nothing is waiting to be written.
func (c *counts) delivered() { c.oldest.Store(0) }

func (c *counts) publish(m *connect.Metrics, now func() time.Time) {
	for def, n := range map[*connect.MetricDef]*atomic.Int64{
		&connectionsMetric: &c.connects, &transactionsMetric: &c.commits, &rowsMetric: &c.rows, &statementsMetric: &c.statements,
		&connectionRetriesMetric: &c.connectionRetries, &transientRetriesMetric: &c.transientRetries, &refusedRetriesMetric: &c.refusedRetries,
	} {
		m.Publish(*def, func() float64 { return float64(n.Load()) })
	}
	m.Publish(statementSecondsMetric, func() float64 { return time.Duration(c.statementTime.Load()).Seconds() })
	m.Publish(oldestMetric, func() float64 {
		ms := c.oldest.Load()
		if ms == 0 {
			return 0
		}
		return max(now().Sub(time.UnixMilli(ms)).Seconds(), 0)
	})
}
