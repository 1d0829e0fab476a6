package harness

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Called as a worker, the test binary stands in for kconnect, so that the harness can be tested by itself.
	if len(os.Args) == 3 && os.Args[1] == "distributed" {
		standInWorker(os.Args[2])
		return
	}
	goleak.VerifyTestMain(m)
}

// standInWorker answers GET /connectors on the listener of the properties file, and ends with status 7 on SIGTERM.
func standInWorker(file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	_, after, _ := strings.Cut(string(b), "listeners=HTTP://")
	address, _, _ := strings.Cut(after, "\n")
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	http.HandleFunc("GET /connectors", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") })
	http.HandleFunc("GET /connectors/c/status", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"name":"c","connector":{"state":"RUNNING","worker_id":"w"},"tasks":[{"id":0,"state":"FAILED","worker_id":"w","trace":"why"}],"type":"sink"}`)
	})
	go http.ListenAndServe(address, nil)
	fmt.Println("stand-in on", address)
	<-terminated
	os.Exit(7)
}

func values(records []*kgo.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, string(r.Value))
	}
	return all
}

func TestBrokerTakesRecordsFromGoAndFromTheJavaConsole(t *testing.T) {
	k, topic := Broker(t), Name("harness")
	k.Topic(t, topic, 1)
	k.Produce(t, topic, kgo.StringRecord("one"), kgo.StringRecord("two"))
	k.ConsoleProducer(t, topic, `{"three":3}`, "four")
	want := []string{"one", "two", `{"three":3}`, "four"}
	if diff := cmp.Diff(want, values(k.Consume(t, topic, 4))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, values(k.ReadAll(t, topic))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[:3], values(k.Consume(t, topic, 3))); diff != "" {
		t.Error(diff)
	}
}

func TestConsumeWaitsForATopicThatComesLater(t *testing.T) {
	k, topic := Broker(t), Name("harness")
	k.Forget(t, topic)
	var wait sync.WaitGroup
	wait.Go(func() {
		if got := values(k.Consume(t, topic, 1)); len(got) != 1 || got[0] != "late" {
			t.Errorf("got %v", got)
		}
	})
	k.Produce(t, topic, kgo.StringRecord("late"))
	wait.Wait()
}

func TestReadAllSkipsAbortedRecords(t *testing.T) {
	k, topic := Broker(t), Name("harness")
	k.Topic(t, topic, 2)
	client := k.Client(t, kgo.TransactionalID(topic), kgo.DefaultProduceTopic(topic))
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"0"}, values(k.ReadAll(t, topic))); diff != "" {
		t.Error(diff)
	}
}

func TestPrivateBrokerKeepsRecordsOverKillAndRestart(t *testing.T) {
	k := PrivateBroker(t)
	k.Topic(t, "kept", 1)
	k.Produce(t, "kept", kgo.StringRecord("a"))
	k.Kill(t)
	k.Start(t)
	k.Produce(t, "kept", kgo.StringRecord("b"))
	k.Restart(t)
	if diff := cmp.Diff([]string{"a", "b"}, values(k.Consume(t, "kept", 2))); diff != "" {
		t.Error(diff)
	}
}

func TestDatabasesAreEmptyAndApart(t *testing.T) {
	one, two := MariaDB(t), MariaDB(t)
	for _, db := range []*Database{one, two} {
		if n := db.Count(t, "x"); n != -1 {
			t.Errorf("a new database has a table of %d rows", n)
		}
		db.Exec(t, "CREATE TABLE x (id INT PRIMARY KEY, name VARCHAR(20), at DATETIME(3)); INSERT INTO x VALUES (1, NULL, '2023-04-04 21:22:51')")
		db.Exec(t, "INSERT INTO x VALUES (?, ?, NOW())", 2, "Žofie")
	}
	want := [][]string{{"1", "NULL", "2023-04-04 21:22:51.000"}}
	if diff := cmp.Diff(want, one.Query(t, "SELECT * FROM x WHERE id = ?", 1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"Žofie"}}, two.Query(t, "SELECT name FROM x WHERE name LIKE ?", "Ž%")); diff != "" {
		t.Error(diff)
	}
	named := one.Database(t, Name("named"))
	if n := named.Count(t, "x"); n != -1 {
		t.Errorf("database %s is not its own", named.Name)
	}
	// Text that is too long must fail here as it fails on a server with the usual settings.
	if mode := one.Query(t, "SELECT @@sql_mode")[0][0]; !strings.Contains(mode, "STRICT_TRANS_TABLES") {
		t.Errorf("sql_mode is %s", mode)
	}
}

func TestPrivateMariaDBKeepsRowsOverKillAndStop(t *testing.T) {
	db := PrivateMariaDB(t)
	db.Exec(t, "CREATE TABLE x (id INT PRIMARY KEY); INSERT INTO x VALUES (1)")
	db.Kill(t)
	db.Start(t)
	db.Exec(t, "INSERT INTO x VALUES (2)")
	db.Stop(t)
	db.Start(t)
	if n := db.Count(t, "x"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

func TestPostgresDatabasesAreEmptyAndApart(t *testing.T) {
	one, two := Postgres(t), Postgres(t)
	for _, db := range []*Database{one, two} {
		if n := db.Count(t, "x"); n != -1 {
			t.Errorf("a new database has a table of %d rows", n)
		}
		db.Exec(t, "CREATE TABLE x (id INT PRIMARY KEY, name VARCHAR(20), at TIMESTAMP(3)); INSERT INTO x VALUES (1, NULL, '2023-04-04 21:22:51')")
		db.Exec(t, "INSERT INTO x VALUES ($1, $2, NOW())", 2, "Žofie")
	}
	want := [][]string{{"1", "NULL", "2023-04-04 21:22:51"}}
	if diff := cmp.Diff(want, one.Query(t, "SELECT * FROM x WHERE id = $1", 1)); diff != "" {
		t.Error(diff)
	}
	if n := two.Count(t, "x"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	if !strings.HasPrefix(one.JDBC(), "jdbc:postgresql://127.0.0.1:") {
		t.Errorf("JDBC URL %s", one.JDBC())
	}
	named := one.Database(t, Name("named"))
	if n := named.Count(t, "x"); n != -1 {
		t.Errorf("database %s is not its own", named.Name)
	}
}

func TestPrivatePostgresKeepsRowsOverKillAndStop(t *testing.T) {
	db := PrivatePostgres(t)
	db.Exec(t, "CREATE TABLE x (id INT PRIMARY KEY); INSERT INTO x VALUES (1)")
	db.Kill(t)
	db.Start(t)
	Eventually(t, "the pool to leave its cut connections", func() (bool, string) {
		_, err := db.Pool().ExecContext(t.Context(), "INSERT INTO x VALUES (2)")
		return err == nil, fmt.Sprint(err)
	})
	db.Stop(t)
	db.Start(t)
	Eventually(t, "both rows", func() (bool, string) {
		var n int
		err := db.Pool().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM x").Scan(&n)
		return n == 2, fmt.Sprint(n, err)
	})
}

func TestWorkerIsKilledStartedAndTerminated(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KCONNECT_TEST_BINARY", self)
	w := Worker(t, Properties{"bootstrap.servers": "127.0.0.1:1"})
	w.Kill9(t)
	w.Start(t)
	if status, _, body := w.Do(t, "GET", "/connectors", ""); status != 200 || body != "[]" {
		t.Errorf("GET /connectors: %d %s", status, body)
	}
	if trace := w.WaitStatus(t, "c", "FAILED", 1).Tasks[0].Trace; trace != "why" {
		t.Errorf("trace %q", trace)
	}
	if code := w.Term(t); code != 7 {
		t.Errorf("exit status %d, want 7", code)
	}
	if n := strings.Count(w.Log(t), "stand-in on"); n != 2 {
		t.Errorf("the log shows %d starts, want 2:\n%s", n, w.Log(t))
	}
	if p := Join(w); p["group.id"] != w.Properties["group.id"] || p["listeners"] != "" {
		t.Errorf("properties of a second worker: %v", p)
	}
}
