package source

import (
	"context"
	"strings"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
)

func TestTheConnectorIsKnownByItsJavaNames(t *testing.T) {
	p := Plugins()[0]
	if p.Class != "io.confluent.connect.jdbc.JdbcSourceConnector" || p.TaskClass != "io.confluent.connect.jdbc.source.JdbcSourceTask" ||
		p.Version != "10.10.0" || p.Kind != connect.SourcePlugin || len(p.Def.Keys()) != 40 {
		t.Errorf("got %+v", p)
	}
	if _, ok := p.New().(connect.Connector); !ok {
		t.Error("New makes no connector")
	}
	if _, ok := p.New().(connect.ConfigValidator); !ok {
		t.Error("the connector does not validate")
	}
	if _, ok := p.NewTask().(connect.SourceTask); !ok {
		t.Error("NewTask makes no source task")
	}
}

// A connector whose database is away hands out an idle task, and real ones
// when the first list is there.
func TestTasksAreDealtOutWhenTheDatabaseComes(t *testing.T) {
	db, p := usersDatabase(t, "mariadb", "kcsource_late", 500)
	p.down()
	r := newRun(t, config.Map{
		"connection.url": db.url, "connection.user": db.user, "connection.password": db.password, "tasks.max": "1", "connection.backoff.ms": "100",
		"mode": "incrementing", "table.whitelist": "t", "topic.prefix": "p_", "table.monitoring.startup.polling.limit.ms": "50",
	})
	r.start()
	defer r.stop()
	r.pollFor(0)
	if cfg := r.tasks[0].env.Config; cfg[keyTablesFetched] != "false" || cfg[keyTables] != "" {
		t.Errorf("the first task has %s=%s", keyTables, cfg[keyTables])
	}
	p.up(t, p.addr)
	r.until("500 records", func() bool { return len(r.records["p_t"]) >= 500 })
}

func TestAQueryIsOneTask(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	r := newRun(t, config.Map{"connection.url": db.url, "tasks.max": "8", "mode": "bulk", "query": "SELECT * FROM t", "topic.prefix": "q"})
	r.start()
	defer r.stop()
	r.until("1 records", func() bool { return len(r.records["q"]) == 1 })
	if len(r.tasks) != 1 || r.tasks[0].env.Config[keyTables] != "" || r.tasks[0].env.Config[keyTablesFetched] != "true" {
		t.Errorf("%d tasks", len(r.tasks))
	}
}

func TestAMissingPrivilegeFailsTheConnector(t *testing.T) {
	db := newDatabase(t, "mariadb", "kcsource_denied")
	r := newRun(t, config.Map{"connection.url": db.url, "connection.user": db.user, "connection.password": "hunter2", "tasks.max": "1",
		"mode": "bulk", "table.whitelist": "t", "table.monitoring.startup.polling.limit.ms": "10"})
	r.start()
	defer r.stop()
	r.until("the connector to fail", func() bool { return r.trace() != "" })
	if trace := r.trace(); !strings.Contains(trace, "Access denied") || strings.Contains(trace, "hunter2") {
		t.Errorf("trace: %s", trace)
	}
}

func TestUnsupportedDatabasesAreRefusedWithWhatThereIs(t *testing.T) {
	for url, dialectName := range map[string]string{"jdbc:db2://h/d": "", "jdbc:sqlite:x.db": "PostgreSqlDatabaseDialect"} {
		cfg := config.Map{"connection.url": url, "mode": "bulk", "table.whitelist": "t", "dialect.name": dialectName}
		err := new(Connector).Start(context.Background(), &connect.ConnectorEnv{Env: connect.Env{Config: cfg}})
		if connect.KindOf(err) != connect.Config || !strings.Contains(err.Error(), "jdbc:sqlite") && !strings.Contains(err.Error(), "dialect.name") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
