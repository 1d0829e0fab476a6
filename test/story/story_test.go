// Package story replaces connect-distributed for the story that the README
// tells: rows of a table go through a topic into a table, on a real Kafka
// broker and a real MariaDB, with a worker that is a process of its own.
package story

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/test/harness"
)

const (
	createUsers = `CREATE TABLE users1 (id int auto_increment primary key, user_id varchar(20), pwd varchar(20),
		name varchar(20), created_at datetime default NOW())`
	createOrders = `CREATE TABLE orders (id int auto_increment primary key, product_id varchar(20) not null, qty int default 0,
		unit_price int default 0, total_price int default 0, user_id varchar(50) not null, order_id varchar(50) not null,
		created_at datetime default NOW())`
	usersSchema = `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"field":"user_id"},` +
		`{"type":"string","optional":true,"field":"pwd"},{"type":"string","optional":true,"field":"name"},` +
		`{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"created_at"}],"optional":false,"name":"users1"}`
	ordersSchema = `{"type":"struct","fields":[{"type":"string","optional":true,"field":"order_id"},{"type":"string","optional":true,"field":"user_id"},` +
		`{"type":"string","optional":true,"field":"product_id"},{"type":"int32","optional":true,"field":"qty"},` +
		`{"type":"int32","optional":true,"field":"unit_price"},{"type":"int32","optional":true,"field":"total_price"}],"optional":false,"name":"orders"}`
)

// story is what the chapters share.
type story struct {
	kafka  *harness.Kafka
	db     *harness.Database
	worker *harness.Connect
	prefix string // of topics and connectors, so that two runs can use one broker
}

func TestStory(t *testing.T) {
	s := &story{kafka: harness.Broker(t), db: harness.MariaDB(t).Database(t, harness.Name("mydb")), prefix: harness.Name("story") + "_"}
	s.kafka.Forget(t, s.topic("users1"), s.topic("orders-dead"))
	s.kafka.Topic(t, s.topic("orders"), 3)
	s.kafka.Topic(t, s.topic("catalog"), 1)
	s.db.Exec(t, createUsers)
	s.db.Exec(t, createOrders)
	s.db.Exec(t, `INSERT INTO users1(user_id, pwd, name, created_at) VALUES ('user1','pwd1','User1 name','2023-04-04 21:00:00'), ('user2',NULL,'Nutzer "2" €','2023-04-04 21:00:01')`)
	s.worker = harness.Worker(t, harness.Properties{
		"plugin.path": "/usr/local/share/java", "some.unknown.key": "1", // as users' files have them
		// So that a killed worker is not waited for longer than need be.
		"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000", "consumer.session.timeout.ms": "6000", "consumer.heartbeat.interval.ms": "1000",
	})

	for _, chapter := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"the properties file of the Java distribution starts a worker", s.starts},
		{"a source connector puts the rows into the topic, byte for byte", s.source},
		{"a comment in the JSON is refused and nothing is created", s.comment},
		{"a sink connector creates its table and fills it", s.sink},
		{"rows inserted later follow within a poll interval", s.more},
		{"a record typed by hand lands in the table", s.typed},
		{"two producers at once fill an existing table", s.orders},
		{"one misspelt envelope fails the task", s.misspelt},
		{"with tolerance it goes to the dead letter topic and the others land", s.deadLetter},
		{"a record pasted over several lines is several dead letters that say so", s.pasted},
		{"a plain consumer group reads its own topic undisturbed", s.catalog},
		{"the metrics are those that the documentation lists", s.metrics},
		{"kill -9 while rows flow loses nothing", s.killed},
		{"SIGTERM stops cleanly", s.terminated},
	} {
		if !t.Run(strings.ReplaceAll(chapter.name, " ", "_"), chapter.run) {
			t.FailNow() // the next chapter would only repeat the failure
		}
	}
}

func (s *story) topic(table string) string { return s.prefix + table }

func (s *story) starts(t *testing.T) {
	log := s.worker.Log(t)
	if !strings.Contains(log, "some.unknown.key") {
		t.Error("the unknown key is not named in the log")
	}
	if n := strings.Count(log, "plugin.path is ignored"); n != 1 {
		t.Errorf("the log says %d times that plugin.path is ignored, want once", n)
	}
	if status, _, body := s.worker.Do(t, http.MethodGet, "/connectors", ""); status != 200 || body != "[]" {
		t.Errorf("GET /connectors answered %d %s", status, body)
	}
}

func (s *story) database(more map[string]string) map[string]string {
	cfg := map[string]string{"connection.url": s.db.JDBC(), "connection.user": s.db.User, "connection.password": s.db.Password, "tasks.max": "1"}
	maps.Copy(cfg, more)
	return cfg
}

func (s *story) sourceConfig() map[string]string {
	return s.database(map[string]string{
		"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "mode": "incrementing", "incrementing.column.name": "id",
		"table.whitelist": "users1", "topic.prefix": s.prefix, "poll.interval.ms": "500",
	})
}

func (s *story) source(t *testing.T) {
	s.worker.Create(t, s.prefix+"source", s.sourceConfig())
	want := []string{
		`{"schema":` + usersSchema + `,"payload":{"id":1,"user_id":"user1","pwd":"pwd1","name":"User1 name","created_at":1680642000000}}`,
		`{"schema":` + usersSchema + `,"payload":{"id":2,"user_id":"user2","pwd":null,"name":"Nutzer \"2\" €","created_at":1680642001000}}`,
	}
	for i, r := range s.kafka.Consume(t, s.topic("users1"), 2) {
		if string(r.Value) != want[i] {
			t.Errorf("record %d is\n%s\nwant\n%s", i, r.Value, want[i])
		}
		if r.Key != nil || len(r.Headers) != 0 {
			t.Errorf("record %d has key %q and headers %v", i, r.Key, r.Headers)
		}
	}
	s.worker.WaitStatus(t, s.prefix+"source", "RUNNING", 1)
	_, _, body := s.worker.Do(t, http.MethodGet, "/connectors", "")
	if body != `["`+s.prefix+`source"]` {
		t.Errorf("GET /connectors answered %s", body)
	}
	var status struct {
		Name      string
		Connector struct {
			State    string
			WorkerID string `json:"worker_id"`
		}
		Tasks []struct {
			ID       int
			State    string
			WorkerID string `json:"worker_id"`
		}
		Type string
	}
	_, _, body = s.worker.Do(t, http.MethodGet, "/connectors/"+s.prefix+"source/status", "")
	if err := json.Unmarshal([]byte(body), &status); err != nil {
		t.Fatal(err)
	}
	worker := strings.TrimPrefix(s.worker.URL, "http://")
	if status.Name != s.prefix+"source" || status.Type != "source" || status.Connector.State != "RUNNING" || status.Connector.WorkerID != worker ||
		len(status.Tasks) != 1 || status.Tasks[0].ID != 0 || status.Tasks[0].State != "RUNNING" || status.Tasks[0].WorkerID != worker {
		t.Errorf("the status is %s", body)
	}
}

func (s *story) comment(t *testing.T) {
	body := "{ \"name\":\"" + s.prefix + "commented\", \"config\":{\n# the driver\n\"connector.class\":\"io.confluent.connect.jdbc.JdbcSourceConnector\" } }"
	status, _, answer := s.worker.Do(t, http.MethodPost, "/connectors", body)
	if status != 500 || !strings.Contains(answer, "comment") {
		t.Errorf("answered %d %s, want a clear error", status, answer)
	}
	if status, _, _ := s.worker.Do(t, http.MethodGet, "/connectors/"+s.prefix+"commented", ""); status != 404 {
		t.Errorf("the connector is there: %d", status)
	}
}

func (s *story) sinkConfig() map[string]string {
	return s.database(map[string]string{
		"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "auto.create": "true", "auto.evolve": "true",
		"delete.enabled": "false", "topics": s.topic("users1"),
	})
}

func (s *story) sink(t *testing.T) {
	s.worker.Create(t, s.prefix+"sink", s.sinkConfig())
	s.awaitRows(t, s.topic("users1"), 2)
	rows := s.db.Query(t, "SELECT id, user_id, pwd, name, created_at FROM `"+s.topic("users1")+"` ORDER BY id")
	want := "[[1 user1 pwd1 User1 name 2023-04-04 21:00:00.000] [2 user2 NULL Nutzer \"2\" € 2023-04-04 21:00:01.000]]"
	if got := fmt.Sprint(rows); got != want {
		t.Errorf("the table holds %s, want %s", got, want)
	}
}

func (s *story) awaitRows(t *testing.T, table string, n int) {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("%s has %d rows", table, n), func() (bool, string) {
		got := s.db.Count(t, table)
		return got >= n, fmt.Sprint(got)
	})
	if got := s.db.Count(t, table); got != n {
		t.Errorf("%s has %d rows, want %d", table, got, n)
	}
}

func (s *story) more(t *testing.T) {
	for i := 3; i <= 6; i++ {
		s.db.Exec(t, "INSERT INTO users1(user_id, pwd, name) VALUES (?, ?, ?)", fmt.Sprintf("user%d", i), "p", "more")
		s.awaitRows(t, s.topic("users1"), i)
	}
}

func (s *story) typed(t *testing.T) {
	s.kafka.ConsoleProducer(t, s.topic("users1"),
		`{"schema":`+usersSchema+`,"payload":{"id":7,"user_id":"user4","pwd":"user4444","name":"User4 name","created_at":1680643371000}}`)
	s.awaitRows(t, s.topic("users1"), 7)
	row := s.db.Query(t, "SELECT user_id, created_at FROM `"+s.topic("users1")+"` WHERE id = 7")
	if got := fmt.Sprint(row); got != "[[user4 2023-04-04 21:22:51.000]]" {
		t.Errorf("the row is %s", got)
	}
}

func order(id string) string {
	return `{"schema":` + ordersSchema + `,"payload":{"order_id":"` + id + `","user_id":"u","product_id":"CATALOG-001","qty":2,"unit_price":10,"total_price":20}}`
}

func (s *story) orders(t *testing.T) {
	const each = 500
	cfg := s.database(map[string]string{
		"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": s.topic("orders"), "table.name.format": "orders",
		"auto.create": "true", "auto.evolve": "true", "delete.enabled": "false",
	})
	s.worker.Create(t, s.prefix+"orders", cfg)
	var producers sync.WaitGroup
	for p := range 2 {
		producers.Add(1)
		go func() {
			defer producers.Done()
			records := make([]*kgo.Record, each)
			for i := range records {
				records[i] = &kgo.Record{Value: []byte(order(fmt.Sprintf("%d-%d", p, i)))}
			}
			s.kafka.Produce(t, s.topic("orders"), records...)
		}()
	}
	producers.Wait()
	s.awaitRows(t, "orders", 2*each)
	if n := s.db.Query(t, "SELECT COUNT(DISTINCT order_id), MIN(total_price), COUNT(created_at) FROM orders")[0]; fmt.Sprint(n) != fmt.Sprintf("[%d 20 %d]", 2*each, 2*each) {
		t.Errorf("distinct orders, price and defaults are %v", n)
	}
}

func (s *story) misspelt(t *testing.T) {
	bad := strings.Replace(order("bad"), `{"type":"string"`, `{"type":"stirng"`, 1)
	s.kafka.Produce(t, s.topic("orders"), &kgo.Record{Value: []byte(bad), Headers: []kgo.RecordHeader{{Key: "own", Value: []byte("1")}}})
	harness.Eventually(t, "the task fails", func() (bool, string) {
		_, _, body := s.worker.Do(t, http.MethodGet, "/connectors/"+s.prefix+"orders/tasks/0/status", "")
		return strings.Contains(body, `"FAILED"`) && strings.Contains(body, "Unknown schema type: stirng"), body
	})
}

func (s *story) deadLetter(t *testing.T) {
	cfg := s.database(map[string]string{
		"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": s.topic("orders"), "table.name.format": "orders",
		"auto.create": "true", "auto.evolve": "true", "delete.enabled": "false", "errors.tolerance": "all",
		"errors.deadletterqueue.topic.name": s.topic("orders-dead"), "errors.deadletterqueue.topic.replication.factor": "1",
		"errors.deadletterqueue.context.headers.enable": "true",
	})
	body, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := s.worker.Do(t, http.MethodPut, "/connectors/"+s.prefix+"orders/config", string(body)); status != 200 {
		t.Fatalf("PUT config answered %d %s", status, answer)
	}
	s.kafka.Produce(t, s.topic("orders"), &kgo.Record{Value: []byte(order("after"))})
	dead := s.kafka.Consume(t, s.topic("orders-dead"), 1)[0]
	if !strings.Contains(string(dead.Value), "stirng") {
		t.Errorf("the dead letter is %s", dead.Value)
	}
	headers := make(map[string]string)
	var order []string
	for _, h := range dead.Headers {
		headers[h.Key] = string(h.Value)
		order = append(order, strings.TrimPrefix(h.Key, "__connect.errors."))
	}
	if got := strings.Join(order, " "); got != "own topic partition offset connector.name task.id stage class.name exception.class.name exception.message exception.stacktrace" {
		t.Errorf("the headers are %s", got)
	}
	for key, want := range map[string]string{
		"topic": s.topic("orders"), "connector.name": s.prefix + "orders", "task.id": "0", "stage": "VALUE_CONVERTER",
		"class.name": "org.apache.kafka.connect.json.JsonConverter", "exception.class.name": "org.apache.kafka.connect.errors.DataException",
		"exception.message": "Unknown schema type: stirng",
	} {
		if got := headers["__connect.errors."+key]; got != want {
			t.Errorf("header %s is %q, want %q", key, got, want)
		}
	}
	harness.Eventually(t, "the order behind the bad one lands", func() (bool, string) {
		n := s.db.Query(t, "SELECT COUNT(*) FROM orders WHERE order_id = 'after'")[0][0]
		return n == "1", n
	})
}

func (s *story) pasted(t *testing.T) {
	whole := order("pasted")
	cut := strings.Index(whole, `"fields"`)
	s.kafka.ConsoleProducer(t, s.topic("orders"), whole[:cut], whole[cut:])
	for _, dead := range s.kafka.Consume(t, s.topic("orders-dead"), 3)[1:] {
		says := false
		for _, h := range dead.Headers {
			says = says || h.Key == "__connect.errors.exception.stacktrace" && strings.Contains(string(h.Value), "not whole JSON")
		}
		if !says {
			t.Errorf("the dead letter %q does not say that it is not whole JSON: %v", dead.Value, dead.Headers)
		}
	}
}

func (s *story) catalog(t *testing.T) {
	topic := s.topic("catalog")
	consumer := s.kafka.Client(t, kgo.ConsumerGroup(s.prefix+"consumer"), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	s.kafka.Produce(t, topic, &kgo.Record{Value: []byte(`{"productId":"CATALOG-001","qty":3}`)})
	for got := 0; got == 0; {
		fetches := consumer.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			got++
			if string(r.Value) != `{"productId":"CATALOG-001","qty":3}` {
				t.Errorf("the record is %s", r.Value)
			}
		})
	}
}

// metrics compares the names that GET /metrics answers with, of a worker that
// has done a little of everything, with the tables of docs/metrics.md.
func (s *story) metrics(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "| `k"); ok && !strings.HasPrefix(rest, `afka\.`) {
			name, _, _ := strings.Cut("k"+rest, "`")
			listed[name] = true
		}
	}
	status, _, body := s.worker.Do(t, http.MethodGet, "/metrics", "")
	if status != 200 {
		t.Fatalf("GET /metrics answered %d %s", status, body)
	}
	found := make(map[string]bool)
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "kafka_") && !strings.HasPrefix(line, "kconnect_") {
			continue
		}
		name := line[:strings.IndexAny(line, "{ ")]
		found[name] = true
		if !listed[name] {
			t.Errorf("%s is not in docs/metrics.md", name)
		}
	}
	// The source of the story has no timestamp column.
	found["kconnect_jdbc_source_behind_seconds"] = true
	for name := range listed {
		if !found[name] {
			t.Errorf("%s is in docs/metrics.md only", name)
		}
	}
	if strings.Contains(body, s.db.Password) { // Promise 8
		t.Error("the answer shows the password of the database")
	}
	running := `kafka_connect_connector_task_status{connector="` + s.prefix + `source",status="running",task="0"} 1`
	if !strings.Contains(body, running+"\n") {
		t.Errorf("%s is not in the answer", running)
	}
}

func (s *story) killed(t *testing.T) {
	const steps, step, ahead, kills = 60, 500, 4, 3
	copied := s.topic("users1")
	before := s.db.Count(t, "users1")
	inserted := make(chan error, 1)
	go func() {
		inserted <- func() error {
			// A few steps ahead of the table, so that rows flow for many polls.
			for i := range steps {
				for n := 0; n < before+(i-ahead)*step; {
					if err := s.db.Pool().QueryRowContext(t.Context(), "SELECT COUNT(DISTINCT id) FROM `"+copied+"`").Scan(&n); err != nil {
						return err
					}
				}
				if _, err := s.db.Pool().ExecContext(t.Context(), fmt.Sprintf("INSERT INTO users1(user_id, pwd, name) SELECT CONCAT('k', seq), 'p', 'killed' FROM seq_1_to_%d", step)); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	for i := range kills {
		harness.Eventually(t, "rows flow", func() (bool, string) {
			got := s.db.Count(t, copied)
			return got > before+1+(i+1)*steps*step/(kills+2), fmt.Sprint(got)
		})
		s.worker.Kill9(t)
		s.worker.Start(t)
	}
	if err := <-inserted; err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "every row is in the table", func() (bool, string) {
		n := s.db.Query(t, "SELECT COUNT(*) FROM users1 u WHERE NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT id FROM `"+copied+"`) c WHERE c.id = u.id)")[0][0]
		return n == "0", n + " are missing"
	})
	times := make(map[int]int)
	for _, r := range s.kafka.ReadAll(t, copied) {
		var envelope struct{ Payload struct{ ID int } }
		if err := json.Unmarshal(r.Value, &envelope); err != nil {
			t.Fatal(err)
		}
		times[envelope.Payload.ID]++
	}
	if want := before + steps*step; len(times) != want {
		t.Errorf("the topic has %d different rows, want %d", len(times), want)
	}
	// The offsets of the first rows were stored long before: a start from the
	// beginning would have repeated them.
	if times[1] != 1 {
		t.Errorf("row 1 is %d times in the topic: the source did not go on from its stored offset", times[1])
	}
	if n := s.db.Query(t, "SELECT COUNT(*) FROM `"+copied+"` WHERE id = 1")[0][0]; n != "1" {
		t.Errorf("row 1 is %s times in the table: the sink did not go on from its committed offset", n)
	}
}

func (s *story) terminated(t *testing.T) {
	begin := time.Now()
	if code := s.worker.Term(t); code != 0 {
		t.Errorf("the worker ended with status %d", code)
	}
	t.Logf("stopped in %v", time.Since(begin))
	s.worker.Start(t)
	s.worker.WaitStatus(t, s.prefix+"source", "RUNNING", 1)
	s.worker.WaitStatus(t, s.prefix+"sink", "RUNNING", 1)
}
