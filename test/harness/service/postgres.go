package service

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres is a PostgreSQL server with the superuser kc, who may connect over TCP with Password. It may be stopped and
// started again: port and data stay.
type Postgres struct {
	dir     string
	program string
	who     *account
	port    int
	process *Process
}

func postgresPrograms() (server, install string, err error) {
	return programs("PostgreSQL server", "postgres", "initdb")
}

// NewPostgres prepares a server in the empty folder dir, which must be open to other users as for NewMariaDB.
func NewPostgres(dir string) (*Postgres, error) {
	server, initdb, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	who, err := serverAccount("postgres")
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	p := &Postgres{dir: dir, program: server, who: who, port: port}
	if err := who.give(dir); err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.file("password"), []byte(Password+"\n"), 0o644); err != nil {
		return nil, err
	}
	//nolint:noctx // ended by Process
	cmd := exec.Command(initdb, "-D", p.file("data"), "-U", "kc", "--pwfile="+p.file("password"), "-A", "scram-sha-256",
		"-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	process, err := startAs(who, "initdb", cmd, p.file("install.log"))
	if err != nil {
		return nil, err
	}
	if code := process.ExitCode(); code != 0 {
		return nil, fmt.Errorf("initdb ended with status %d\n%s", code, process.Tail(20))
	}
	return p, nil
}

func (p *Postgres) file(name string) string { return filepath.Join(p.dir, name) }

// Address is the host:port of the server.
func (p *Postgres) Address() string { return loopback(p.port) }

// URL names the server, its superuser and the database postgres for the Go driver.
func (p *Postgres) URL() string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("kc", Password), Host: p.Address(), Path: "/postgres", RawQuery: "sslmode=disable"}
	return u.String()
}

// Start starts the server and returns when it answers. After Kill the helpers of the killed server may still be ending, and hold
// its shared memory until they have.
func (p *Postgres) Start(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; {
		err := p.start(ctx)
		if err == nil || !strings.Contains(p.process.Tail(2), "shared memory block") || time.Now().After(deadline) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *Postgres) start(ctx context.Context) error {
	//nolint:noctx // ended by Process, which stops it in order before it kills it
	cmd := exec.Command(p.program, "-D", p.file("data"), "-p", strconv.Itoa(p.port), "-k", p.dir, "-h", "127.0.0.1",
		"-c", "max_connections=200",
		// Commits survive a kill of the server, not a loss of power: no wait for the disk of a test machine.
		"-c", "fsync=off")
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), "TMPDIR="+p.dir)
	process, err := startAs(p.who, "PostgreSQL server", cmd, p.file("log"))
	if err != nil {
		return err
	}
	p.process = process
	return process.await(ctx, 60*time.Second, p.answers)
}

func (p *Postgres) answers(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Stop shuts the server down. Connections that clients left open are cut.
func (p *Postgres) Stop() error {
	// SIGTERM would wait for clients.
	return p.process.stop(os.Interrupt, 20*time.Second)
}

// Kill ends the server at once, as a crash would; its helpers notice and end too.
func (p *Postgres) Kill() { p.process.Kill() }

// Dir is the folder that is the server's own, with its data in a folder below.
func (p *Postgres) Dir() string { return p.dir }

// Log returns the end of the server's log.
func (p *Postgres) Log() string { return tail(p.file("log"), 100) }
