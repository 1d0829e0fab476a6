package fault

import (
	"testing"

	"kconnect/test/harness"
)

// server is what differs between the databases.
type server struct {
	open, private func(testing.TB) *harness.Database

	columns string // id, which counts rows, and ts, the time of a row
	random  string // asks for a connection of the database, but for the one that asks
	kill    string // with a connection

	impatient    string   // parameter of the URL: a lock on a table is waited for one second
	lock, unlock []string // a table, by one connection

	endsItself bool // when its disk is full
}

var servers = map[string]server{
	"MariaDB": {
		open: harness.MariaDB, private: harness.PrivateMariaDB,
		columns:   "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, ts DATETIME(6) NOT NULL DEFAULT NOW(6)",
		random:    "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID() ORDER BY RAND() LIMIT 1",
		kill:      "KILL %d",
		impatient: "sessionVariables=lock_wait_timeout=1",
		lock:      []string{"LOCK TABLES %s WRITE"}, unlock: []string{"UNLOCK TABLES"},
		endsItself: true, // it cannot even take rows back without room
	},
	"PostgreSQL": { // whose NOW() is the start of the transaction
		open: harness.Postgres, private: harness.PrivatePostgres,
		columns:   "id SERIAL PRIMARY KEY, ts TIMESTAMP(6) NOT NULL DEFAULT (NOW() AT TIME ZONE 'UTC')",
		random:    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1",
		kill:      "SELECT pg_terminate_backend(%d)",
		impatient: "options=-c%20lock_timeout=1s",
		lock:      []string{"BEGIN", "LOCK TABLE %s"}, unlock: []string{"COMMIT"},
	},
}

func onEach(t *testing.T, run func(t *testing.T, on server)) {
	t.Helper()
	for name, on := range servers {
		t.Run(name, func(t *testing.T) { run(t, on) })
	}
}
