// Package fault takes brokers, databases and workers away while rows flow from
// a table through a topic into a table, and counts rows afterwards.
package fault

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kconnect/test/harness"
)

// flow is rows on their way from users1 into copied.
type flow struct {
	db     *harness.Database
	worker *harness.Connect
	name   string
	copied string
	stop   chan struct{}
	done   chan error
}

// quick makes a worker notice the loss of others soon.
var quick = harness.Properties{
	"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000",
	"consumer.session.timeout.ms": "6000", "consumer.heartbeat.interval.ms": "1000",
	"scheduled.rebalance.max.delay.ms": "1000",
}

// start creates the connectors and inserts rows until finish is called. The
// sink upserts, so that repeats after a fault leave one row for each.
func start(t *testing.T, on server, db *harness.Database, worker *harness.Connect) *flow {
	t.Helper()
	f := &flow{db: db, worker: worker, name: harness.Name("fault"), stop: make(chan struct{}), done: make(chan error, 1)}
	f.copied = f.name + "_users1"
	db.Exec(t, "CREATE TABLE users1 ("+on.columns+", name VARCHAR(20))")
	connection := func(more map[string]string) map[string]string {
		cfg := map[string]string{"connection.url": db.JDBC(), "connection.user": db.User, "connection.password": db.Password}
		for k, v := range more {
			cfg[k] = v
		}
		return cfg
	}
	worker.Create(t, f.name+"-source", connection(map[string]string{
		"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "mode": "incrementing", "incrementing.column.name": "id",
		"table.whitelist": "users1", "topic.prefix": f.name + "_", "poll.interval.ms": "50",
	}))
	worker.Create(t, f.name+"-sink", connection(map[string]string{
		"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": f.copied, "auto.create": "true",
		"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "consumer.override.metadata.max.age.ms": "1000",
	}))
	go func() { f.done <- f.insert(t) }()
	f.flowing(t)
	return f
}

// insert goes on through faults of the database.
func (f *flow) insert(t *testing.T) error {
	for i := 0; ; i++ {
		select {
		case <-f.stop:
			return nil
		case <-t.Context().Done():
			return t.Context().Err()
		default:
		}
		_, err := f.db.Pool().ExecContext(t.Context(), fmt.Sprintf("INSERT INTO users1(name) VALUES ('a'),('b'),('%d')", i))
		if err != nil {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-t.Context().Done():
			}
		}
	}
}

// flowing waits until rows have moved that were not there before.
func (f *flow) flowing(t *testing.T) {
	t.Helper()
	before := -1
	harness.Eventually(t, "rows flow", func() (bool, string) {
		n := f.db.Count(t, f.copied)
		if before < 0 {
			before = n
		}
		return n > before+30, fmt.Sprint(n)
	})
}

// finish ends the inserts and waits until every row has arrived.
func (f *flow) finish(t *testing.T) {
	t.Helper()
	close(f.stop)
	if err := <-f.done; err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "every row has arrived", func() (bool, string) {
		n := f.db.Query(t, "SELECT COUNT(*) FROM users1 u LEFT JOIN "+f.copied+" c ON c.id = u.id WHERE c.id IS NULL")[0][0]
		return n == "0", n + " rows are missing"
	})
	if want, got := f.db.Count(t, "users1"), f.db.Count(t, f.copied); want != got {
		t.Errorf("%d rows became %d", want, got)
	}
}

func (f *flow) running(t *testing.T) {
	t.Helper()
	f.worker.WaitStatus(t, f.name+"-source", "RUNNING", 1)
	f.worker.WaitStatus(t, f.name+"-sink", "RUNNING", 1)
}

func TestADatabaseThatIsKilledFailsNoTaskAndLosesNoRow(t *testing.T) {
	onEach(t, func(t *testing.T, on server) {
		db := on.private(t)
		f := start(t, on, db, harness.Worker(t, quick))
		for range 2 {
			const noticed = "waiting for the database"
			before := strings.Count(f.worker.Log(t), noticed)
			db.Kill(t)
			// The source meets it with its next poll, the sink only when it has rows to write.
			harness.Eventually(t, "the source has noticed three times", func() (bool, string) {
				return strings.Count(f.worker.Log(t), noticed) >= before+3, "not yet"
			})
			db.Start(t)
			f.flowing(t)
		}
		f.running(t)
		f.finish(t)
	})
}

func TestABrokerThatIsKilledFailsNoTaskAndLosesNoRow(t *testing.T) {
	broker := harness.PrivateBroker(t)
	properties := harness.Properties{"bootstrap.servers": broker.Brokers}
	for k, v := range quick {
		properties[k] = v
	}
	f := start(t, servers["MariaDB"], harness.MariaDB(t), harness.Worker(t, properties))
	for range 2 {
		broker.Kill(t)
		broker.Start(t)
		f.flowing(t)
	}
	f.running(t)
	f.finish(t)
}

func TestAWorkerThatIsKilledHandsItsWorkToTheOther(t *testing.T) {
	onEach(t, func(t *testing.T, on server) {
		first := harness.Worker(t, quick)
		second := harness.Worker(t, harness.Join(first))
		f := start(t, on, on.open(t), first)
		for _, w := range []*harness.Connect{first, second} {
			w.Kill9(t)
			f.flowing(t)
			w.Start(t)
		}
		f.running(t)
		f.finish(t)
	})
}
