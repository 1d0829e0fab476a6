package service

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Password is the password of the users root and kc of a MariaDB and of the user kc of a PostgreSQL server.
const Password = "password"

// MariaDB is a MariaDB server. Users root and kc may do everything, over TCP, with Password. It may be stopped and started
// again: port and data stay.
type MariaDB struct {
	dir     string
	program string
	who     *account
	port    int
	process *Process
}

func mariadbPrograms() (server, install string, err error) {
	return programs("MariaDB server", "mariadbd", "mariadb-install-db")
}

// NewMariaDB prepares a server in the empty folder dir. The folder and those above it must be open to other users (mode
// 0711), because root starts the server as the user mysql.
func NewMariaDB(dir string) (*MariaDB, error) {
	server, install, err := mariadbPrograms()
	if err != nil {
		return nil, err
	}
	who, err := serverAccount("mysql")
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	m := &MariaDB{dir: dir, program: server, who: who, port: port}
	if err := who.give(dir); err != nil {
		return nil, err
	}
	if err := os.WriteFile(m.file("users.sql"), []byte(mariadbUsers()), 0o644); err != nil {
		return nil, err
	}
	//nolint:noctx // ended by Process
	cmd := exec.Command(install, "--no-defaults", "--datadir="+m.file("data"), "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve")
	// The caller's folder for temporary files may be closed to the user mysql.
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	process, err := startAs(who, "mariadb-install-db", cmd, m.file("install.log"))
	if err != nil {
		return nil, err
	}
	if code := process.ExitCode(); code != 0 {
		return nil, fmt.Errorf("mariadb-install-db ended with status %d\n%s", code, process.Tail(20))
	}
	return m, nil
}

// mariadbUsers is run at every start of the server; a statement must stand on one line.
func mariadbUsers() string {
	var b strings.Builder
	// The installation makes users without a password for this machine, and they come before 'root'@'%'.
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		fmt.Fprintf(&b, "DROP USER IF EXISTS 'root'@'%s', ''@'%s';\n", host, host)
	}
	for _, user := range []string{"root", "kc"} {
		fmt.Fprintf(&b, "CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s';\n", user, Password)
		fmt.Fprintf(&b, "GRANT ALL ON *.* TO '%s'@'%%' WITH GRANT OPTION;\n", user)
	}
	return b.String()
}

func (m *MariaDB) file(name string) string { return filepath.Join(m.dir, name) }

// Address is the host:port of the server.
func (m *MariaDB) Address() string { return loopback(m.port) }

// DSN names the server and its user root for the Go driver, without a database.
func (m *MariaDB) DSN() string {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr = "root", Password, "tcp", m.Address()
	return c.FormatDSN()
}

// Start starts the server and returns when it answers.
func (m *MariaDB) Start(ctx context.Context) error {
	//nolint:noctx // ended by Process, which stops it in order before it kills it
	cmd := exec.Command(m.program, "--no-defaults",
		"--datadir="+m.file("data"),
		"--socket="+m.file("sock"),
		"--pid-file="+m.file("pid"),
		"--bind-address=127.0.0.1",
		"--port="+strconv.Itoa(m.port),
		"--init-file="+m.file("users.sql"),
		"--skip-name-resolve",
		// As Debian configures its server: the recorded cases come from one like it.
		"--character-set-server=utf8mb4",
		"--collation-server=utf8mb4_general_ci",
		"--max-connections=300",
		"--innodb-buffer-pool-size=128M",
		// Commits survive a kill of the server, not a loss of power: no wait for the disk of a test machine.
		"--innodb-flush-log-at-trx-commit=2",
	)
	cmd.Env = append(os.Environ(), "TMPDIR="+m.dir)
	process, err := startAs(m.who, "MariaDB server", cmd, m.file("log"))
	if err != nil {
		return err
	}
	m.process = process
	db, err := sql.Open("mysql", m.DSN())
	if err != nil {
		process.Kill()
		return err
	}
	defer db.Close()
	return process.await(ctx, 60*time.Second, db.PingContext)
}

// Stop shuts the server down in order.
func (m *MariaDB) Stop() error { return m.process.Stop(20 * time.Second) }

// Kill ends the server at once, as a crash would.
func (m *MariaDB) Kill() { m.process.Kill() }

// Data is the folder of the server's data, in which each database has a folder of its name.
func (m *MariaDB) Data() string { return m.file("data") }

// Log returns the end of the server's log.
func (m *MariaDB) Log() string { return tail(m.file("log"), 100) }
