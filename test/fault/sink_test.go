package fault

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/test/harness"
)

// writing is records on their way from a topic into a table, with a dead letter
// queue that would take what the database refuses for good.
type writing struct {
	db     *harness.Database
	kafka  *harness.Kafka
	worker *harness.Connect
	topic  string // and name of the connector and the table
	dead   string // the dead letter queue
	sent   int
}

// startWriting makes the table and a sink with settings besides.
func startWriting(t *testing.T, db *harness.Database, table string, settings map[string]string) *writing {
	t.Helper()
	k := harness.Broker(t)
	w := &writing{db: db, kafka: k, topic: harness.Name("writing")}
	w.dead = w.topic + "-dead"
	k.Topic(t, w.topic, 2)
	k.Forget(t, w.dead)
	db.Exec(t, fmt.Sprintf(table, w.topic))
	w.worker = harness.Worker(t, quick)
	config := map[string]string{
		"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": w.topic,
		"connection.url": db.JDBC(), "connection.user": db.User, "connection.password": db.Password,
		"errors.tolerance": "all", "errors.deadletterqueue.topic.name": w.dead, "errors.deadletterqueue.topic.replication.factor": "1",
		"max.retries": "0", "connection.backoff.ms": "1000",
	}
	maps.Copy(config, settings)
	w.worker.Create(t, w.topic, config)
	w.worker.WaitStatus(t, w.topic, "RUNNING", 1)
	return w
}

// send produces n more records {id, name}.
func (w *writing) send(t *testing.T, n int, name func(id int) string) {
	t.Helper()
	const schema = `{"type":"struct","fields":[{"field":"id","type":"int32"},{"field":"name","type":"string","optional":true}]}`
	records := make([]*kgo.Record, n)
	for i := range records {
		text := fmt.Sprintf(`{"schema":%s,"payload":{"id":%d,"name":%q}}`, schema, w.sent, name(w.sent))
		records[i] = &kgo.Record{Value: []byte(text)}
		w.sent++
	}
	w.kafka.Produce(t, w.topic, records...)
}

// refused waits until the sink was refused n more times.
func (w *writing) refused(t *testing.T, n int) {
	t.Helper()
	const notice = "Writing failed and is tried again"
	before := strings.Count(w.worker.Log(t), notice)
	harness.Eventually(t, "the sink is refused", func() (bool, string) {
		seen := strings.Count(w.worker.Log(t), notice) - before
		return seen >= n, fmt.Sprint(seen)
	})
}

// finish waits until all but lost rows are there, each once, and compares the dead letters with lost.
func (w *writing) finish(t *testing.T, lost int) {
	t.Helper()
	want := w.sent - lost
	harness.Eventually(t, "every row has arrived", func() (bool, string) {
		n := w.db.Query(t, "SELECT COUNT(DISTINCT id) FROM "+w.topic)[0][0]
		return n == fmt.Sprint(want), n + " of " + fmt.Sprint(want)
	})
	if n := w.db.Count(t, w.topic); n != want {
		t.Errorf("%d rows for %d records: some came twice", n, want)
	}
	w.worker.WaitStatus(t, w.topic, "RUNNING", 1)
	if dead := w.kafka.ReadAll(t, w.dead); len(dead) != lost {
		t.Errorf("%d dead letters, want %d", len(dead), lost)
	}
	if log := w.worker.Log(t); strings.Contains(log, "FAILED") {
		t.Error("a task failed meanwhile")
	}
}

// long is how long the soak runs keep a fault up; the short ones end it as soon as it was noticed.
const long = time.Minute

func soak(t *testing.T) time.Duration {
	t.Helper()
	if cmp.Or(os.Getenv("SOAK"), "0s") == "0s" {
		t.Skip("SOAK=5m, which make soak sets, is not set")
	}
	return long
}

// last keeps a fault up for d, or returns at once, and then looks for what the
// status of the task says of it.
func (w *writing) last(t *testing.T, d time.Duration, words ...string) {
	t.Helper()
	if d == 0 {
		return
	}
	over := time.After(d)
	harness.Eventually(t, "the status says what the task waits for", func() (bool, string) {
		status := w.worker.Status(t, w.topic)
		if len(status.Tasks) != 1 {
			return false, "no task"
		}
		for _, word := range words {
			if strings.Contains(status.Tasks[0].Trace, word) {
				return status.Tasks[0].State == "RUNNING", status.Tasks[0].State
			}
		}
		return false, status.Tasks[0].Trace
	})
	select {
	case <-over:
	case <-t.Context().Done():
	}
	if status := w.worker.WaitStatus(t, w.topic, "RUNNING", 1); status.Tasks[0].Trace == "" {
		t.Error("after a while the status no longer says what the task waits for")
	}
}

const twoColumns = "CREATE TABLE %s (id INT, name VARCHAR(2000))"

// keyed and upsert keep rows single where a server ends between COMMIT and its answer.
const keyed = "CREATE TABLE %s (id INT PRIMARY KEY, name VARCHAR(2000))"

var upsert = map[string]string{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}

func word(id int) string { return fmt.Sprintf("name of %d", id) }

func lockHeld(t *testing.T, on server, d time.Duration) {
	db := on.open(t)
	settings := map[string]string{}
	if d == 0 {
		settings["connection.url"] = db.JDBC() + "?" + on.impatient
	}
	w := startWriting(t, db, twoColumns, settings)
	w.send(t, 100, word)
	harness.Eventually(t, "rows arrive", func() (bool, string) { n := db.Count(t, w.topic); return n == 100, fmt.Sprint(n) })
	holder, err := db.Pool().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }()
	say := func(statements []string) {
		t.Helper()
		for _, s := range statements {
			if _, err := holder.ExecContext(t.Context(), strings.ReplaceAll(s, "%s", w.topic)); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(on.lock)
	w.send(t, 5000, word)
	w.refused(t, 2)
	w.last(t, d, "Lock wait timeout exceeded", "due to lock timeout", "has not ended yet")
	say(on.unlock)
	w.finish(t, 0)
}

func TestALockThatIsHeldCostsNoRecord(t *testing.T) {
	onEach(t, func(t *testing.T, on server) { lockHeld(t, on, 0) })
}

func TestSoakALockThatIsHeldCostsNoRecord(t *testing.T) {
	onEach(t, func(t *testing.T, on server) { lockHeld(t, on, soak(t)) })
}

func databaseStopped(t *testing.T, on server, d time.Duration) {
	db := on.private(t)
	w := startWriting(t, db, keyed, upsert)
	w.send(t, 100, word)
	harness.Eventually(t, "rows arrive", func() (bool, string) { n := db.Count(t, w.topic); return n == 100, fmt.Sprint(n) })
	w.send(t, 20000, word)
	db.Stop(t)
	w.send(t, 100, word)
	w.refused(t, 2)
	w.last(t, d, "cannot be written to")
	db.Start(t)
	w.finish(t, 0)
}

func TestADatabaseThatIsStoppedCostsNoRecord(t *testing.T) {
	onEach(t, func(t *testing.T, on server) { databaseStopped(t, on, 0) })
}

func TestSoakADatabaseThatIsStoppedCostsNoRecord(t *testing.T) {
	onEach(t, func(t *testing.T, on server) { databaseStopped(t, on, soak(t)) })
}

func diskFull(t *testing.T, on server, d time.Duration) {
	db := on.private(t)
	grow := db.SmallDisk(t, 4<<20)
	w := startWriting(t, db, keyed, upsert)
	text := strings.Repeat("x", 1500)
	w.send(t, 6000, func(int) string { return text }) // 9 MB
	w.refused(t, 2)
	if !on.endsItself && !strings.Contains(w.worker.Log(t), "No space left on device") {
		t.Error("the sink was refused for another reason than the disk")
	}
	w.last(t, d, "is full", "No space left", "cannot be written to")
	grow(100 << 20)
	if on.endsItself {
		// It often has by now.
		db.Kill(t)
		db.Start(t)
	}
	w.finish(t, 0)
}

func TestAFullDiskCostsNoRecord(t *testing.T) {
	onEach(t, func(t *testing.T, on server) { diskFull(t, on, 0) })
}

func TestSoakAFullDiskCostsNoRecord(t *testing.T) {
	onEach(t, func(t *testing.T, on server) { diskFull(t, on, soak(t)) })
}

func TestOneStringThatIsTooLongIsTheOnlyDeadLetter(t *testing.T) {
	onEach(t, func(t *testing.T, on server) {
		w := startWriting(t, on.open(t), "CREATE TABLE %s (id INT, name VARCHAR(30))", nil)
		const rows, bad = 100_000, 54_321
		w.send(t, rows, func(id int) string {
			if id == bad {
				return "a name of more than thirty characters"
			}
			return word(id)
		})
		w.finish(t, 1)
		if got := w.kafka.ReadAll(t, w.dead); len(got) == 1 && !strings.Contains(string(got[0].Value), fmt.Sprintf(`"id":%d,`, bad)) {
			t.Errorf("the dead letter is %s", got[0].Value)
		}
	})
}
