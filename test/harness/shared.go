package harness

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"kconnect/test/harness/service"
)

// variables names, for each service, the environment variable that says where it is.
var variables = map[string]string{
	service.KafkaName:    service.EnvBrokers,
	service.MariaDBName:  service.EnvMariaDB,
	service.PostgresName: service.EnvPostgres,
}

// forms are what these variables look like.
var forms = map[string]string{
	service.KafkaName:    "host:port",
	service.MariaDBName:  "user:password@tcp(host:port)/",
	service.PostgresName: "postgres://user:password@host:port/postgres",
}

// shared are the services that this test binary started for itself. A package variable, because they are shared by all tests of
// the binary and no test is the last one.
var shared struct {
	sync.Mutex
	address map[string]string
	hold    []*os.File // our ends of the pipes: the services end when these close, which is when the binary ends
}

// Server returns where the named service of the run is, for tests that make their own databases there and are left out where there
// is none: unlike MariaDB and Postgres it starts nothing. What it returns has the form of the service's environment variable.
func Server(t testing.TB, name string) string {
	t.Helper()
	found := os.Getenv(variables[name])
	if found != "" {
		return found
	}
	missing := variables[name] + " (" + forms[name] + ") names no " + name + " server; make test starts one"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip("skipped: " + missing)
	return ""
}

// address returns where the named service is, starting it for this test binary if the run has none.
func address(t testing.TB, name string) string {
	t.Helper()
	if found := os.Getenv(variables[name]); found != "" {
		return found
	}
	shared.Lock()
	defer shared.Unlock()
	if found := shared.address[name]; found != "" {
		return found
	}
	installed(t, service.Check(name))
	env, err := startShared(name)
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	if shared.address == nil {
		shared.address = map[string]string{}
	}
	shared.address[name] = env[variables[name]]
	return shared.address[name]
}

// installed ends the test when err is not nil: with a skip if a program is missing, unless CI=true.
func installed(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if missing := (*service.MissingError)(nil); errors.As(err, &missing) && os.Getenv("CI") != "true" {
		t.Skip("skipped: ", missing)
	}
	t.Fatal(err)
}

// startShared runs the command services for one service. It is not waited for: it outlives this test, and ends by itself when the
// pipe closes.
func startShared(name string) (map[string]string, error) {
	root, err := service.Root()
	if err != nil {
		return nil, err
	}
	in, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	defer out.Close()
	log, err := os.CreateTemp("", "kconnect-services-log-")
	if err != nil {
		return nil, errors.Join(err, hold.Close(), write.Close())
	}
	defer log.Close()
	defer os.Remove(log.Name())
	//nolint:noctx // it outlives every test's context
	cmd := exec.Command("go", "run", "./test/harness/cmd/services", "-only", name)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = root, in, write, log
	if err := errors.Join(cmd.Start(), write.Close()); err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	env := map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "" {
			shared.hold = append(shared.hold, hold)
			return env, nil
		}
		key, value, _ := strings.Cut(lines.Text(), "=")
		env[key] = value
	}
	// It ended before it was ready.
	err = errors.Join(cmd.Wait(), hold.Close())
	if _, seekErr := log.Seek(0, io.SeekStart); seekErr != nil {
		return nil, errors.Join(err, seekErr)
	}
	said, readErr := io.ReadAll(log)
	return nil, errors.Join(err, readErr, errors.New(string(said)))
}

// Name makes a name for a topic, group, connector or database that no other test uses: word, an underscore and eight characters.
func Name(word string) string {
	return fmt.Sprintf("%s_%s", word, strings.ToLower(rand.Text()[:8]))
}
