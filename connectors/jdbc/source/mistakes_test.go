package source

import (
	"strings"
	"testing"

	"kconnect/connect/config"
)

// What users get wrong is told at the key that is wrong, with what it is and
// what to do; where Java has a sentence for it, in Java's.
func TestMistakesInConfigurationsAreToldWhereTheyAre(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INTEGER PRIMARY KEY, ts DATETIME)")
	good := config.Map{"connection.url": db.url, "connection.password": "hunter2", "mode": "bulk", "table.whitelist": "t", "topic.prefix": "p_"}
	query := good.Clone()
	delete(query, "table.whitelist")
	for _, c := range []struct {
		name  string
		base  config.Map
		pairs []string
		key   string
		want  []string
	}{
		{"no driver prefix", good, []string{"connection.url", "mysql://h/d?password=hunter2"}, "connection.url", []string{"Not a valid JDBC URL", "mysql://h/d"}},
		{"another database", good, []string{"connection.url", "jdbc:oracle:thin:@h:1521/x"}, "connection.url", []string{"jdbc:oracle", "jdbc:mariadb"}},
		{"no such folder", good, []string{"connection.url", "jdbc:sqlite:/nowhere/at/all.db"}, "connection.url", []string{"Could not connect to database", "/nowhere/at/all.db"}},
		{"dialect of another database", good, []string{"dialect.name", "MySqlDatabaseDialect"}, "connection.url", []string{"dialect.name is MySqlDatabaseDialect", "leave dialect.name out"}},
		{"unknown dialect", good, []string{"dialect.name", "MariaDb"}, "dialect.name", []string{"MariaDb", "Invalid enumerator"}},
		{"credentials provider", good, []string{"jdbc.credentials.provider.class", "org.example.Vault"}, "jdbc.credentials.provider.class", []string{"org.example.Vault", "${provider:path:key}"}},
		{"no attempts", good, []string{"connection.attempts", "0"}, "connection.attempts", []string{"0", "at least 1"}},
		{"no number", good, []string{"poll.interval.ms", "5s"}, "poll.interval.ms", []string{"5s", "Not a number of type INT"}},
		{"unknown mode", good, []string{"mode", "increment"}, "mode", []string{"increment", "timestamp+incrementing"}},
		{"no tables", query, nil, "table.whitelist", []string{"At least one table filtering configuration", "table.whitelist"}},
		{"lists of both kinds", good, []string{"table.include.list", "t"}, "table.include.list", []string{"either by exact names", "remove the keys of one"}},
		{"exclude alone", query, []string{"table.exclude.list", "t"}, "table.exclude.list", []string{"table.include.list"}},
		{"broken regex", query, []string{"table.include.list", "t("}, "table.include.list", []string{"t(", "missing closing )"}},
		{"mapping without column", query, []string{"table.include.list", "t", "mode", "incrementing", "incrementing.column.mapping", "t"}, "incrementing.column.mapping", []string{"regex:columnName"}},
		{"mapping missing", query, []string{"table.include.list", "t", "mode", "timestamp"}, "mode", []string{"timestamp.columns.mapping"}},
		{"query and tables", good, []string{"query", "SELECT 1"}, "table.whitelist", []string{"table.whitelist", "'query'"}},
		{"query twice", query, []string{"query", "SELECT 1", "query.masked", "SELECT 'hunter2'"}, "query", []string{"query.masked", "only one"}},
		{"no SELECT", query, []string{"query", "DELETE FROM t"}, "query", []string{"starts with SELECT"}},
		{"no word SELECT", query, []string{"query", "SELECTED FROM t"}, "query", []string{"starts with SELECT"}},
		{"no blank behind SELECT", query, []string{"query", "select*FRO t"}, "query", []string{"Invalid query", "syntax error"}},
		{"broken query", query, []string{"query", "SELECT id FRO t"}, "query", []string{"Invalid query", "syntax error"}},
		{"query without column", query, []string{"query", "SELECT * FROM t", "mode", "incrementing"}, "incrementing.column.name", []string{"must be provided"}},
		{"prefix with blanks", good, []string{"topic.prefix", "my topic"}, "topic.prefix", []string{"my topic", "'.', '_' and '-'"}},
		{"unknown zone", good, []string{"db.timezone", "Berlin"}, "db.timezone", []string{"Berlin", "valid time zones"}},
		{"snapshot isolation", good, []string{"transaction.isolation.mode", "sql_server_snapshot"}, "transaction.isolation.mode", []string{"Sql Server"}},
		{"no schedule", good, []string{keyPollSchedule, "every day"}, keyPollSchedule, []string{"every day", "write minute, hour"}},
		{"zone of no schedule", good, []string{keyPollScheduleZone, "Europe/Berlin"}, keyPollScheduleZone, []string{"without " + keyPollSchedule}},
		{"schedule in an unknown zone", good, []string{keyPollSchedule, "@daily", keyPollScheduleZone, "Berlin"}, keyPollScheduleZone, []string{"Berlin", "Europe/Berlin"}},
		{"key of a query", query, []string{"query", "SELECT * FROM t", keyKeyMode, "primary_key"}, keyKeyMode, []string{"a query has no primary key", "ValueToKey"}},
		{"runs that are none", good, []string{"mode", "incrementing", keyBulkRunHeaders, "true"}, keyBulkRunHeaders, []string{"only bulk"}},
	} {
		m := with(c.base, c.pairs...)
		told := ""
		for _, r := range new(Connector).ValidateConfig(t.Context(), m, answers(m)) {
			errs := strings.Join(r.Errors, "; ")
			if strings.Contains(errs, "hunter2") {
				t.Errorf("%s: a secret shows at %s: %s", c.name, r.Key.Name, errs)
			}
			if r.Key.Name == c.key {
				told = errs
			}
		}
		for _, want := range c.want {
			if !strings.Contains(told, want) {
				t.Errorf("%s: at %s %q, want %q in it", c.name, c.key, told, want)
			}
		}
	}
}
