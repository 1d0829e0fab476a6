package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kconnect/test/harness/service"
)

// Properties are the keys and values of a worker's properties file.
type Properties map[string]string

// Connect is a worker, ours or Java's, as a process of its own. One goroutine at a time may stop and start it; Do and what
// is built on it may be called from several.
type Connect struct {
	URL        string        // of its REST API, without a slash at the end
	Properties Properties    // what its properties file holds
	StartTime  time.Duration // from the start of the process to its first 200 for GET /connectors, last time

	program string           // for messages
	command func() *exec.Cmd // that runs it
	file    string
	log     string
	client  *http.Client
	process *service.Process
}

// Worker starts a distributed worker and returns when it answers GET /connectors with 200. It is stopped when t ends, and
// its log is shown if t fails.
//
// Without properties it is a worker on the broker of the run with a group and internal topics of its own, a free port
// and JSON converters with schemas; properties replace or add single keys. Workers of one cluster are given the Properties of
// the first but for "listeners":
//
//	second := harness.Worker(t, harness.Join(first))
func Worker(t testing.TB, properties Properties) *Connect {
	t.Helper()
	return WorkerThrough(t, properties, nil)
}

// WorkerThrough is Worker for one whose REST API needs more than a plain connection: requests go through transport, which
// should not keep connections. nil is a plain one.
func WorkerThrough(t testing.TB, properties Properties, transport http.RoundTripper) *Connect {
	t.Helper()
	w := newConnect(t, "kconnect", properties)
	if transport != nil {
		w.client.Transport = transport
	}
	w.command = func() *exec.Cmd {
		//nolint:noctx // ended by Kill9, Term or the cleanup
		return exec.Command(Binary(t), "distributed", w.file)
	}
	w.Start(t)
	return w
}

// newConnect writes the properties file and has the worker stopped when t ends; the caller says what runs it.
func newConnect(t testing.TB, program string, properties Properties) *Connect {
	t.Helper()
	port, err := service.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cluster := Name("cluster")
	all := Properties{
		"group.id":                          cluster,
		"listeners":                         "HTTP://" + address,
		"key.converter":                     "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":                   "org.apache.kafka.connect.json.JsonConverter",
		"offset.storage.topic":              cluster + "-offsets",
		"offset.storage.replication.factor": "1",
		"offset.storage.partitions":         "5",
		"config.storage.topic":              cluster + "-configs",
		"config.storage.replication.factor": "1",
		"status.storage.topic":              cluster + "-status",
		"status.storage.replication.factor": "1",
		"status.storage.partitions":         "2",
		"offset.flush.interval.ms":          "500",
	}
	maps.Copy(all, properties)
	if all["bootstrap.servers"] == "" {
		k := Broker(t)
		all["bootstrap.servers"] = k.Brokers
		k.Forget(t, all["offset.storage.topic"], all["config.storage.topic"], all["status.storage.topic"])
	}
	dir := t.TempDir()
	w := &Connect{
		URL:        "http://" + address,
		Properties: all,
		program:    program,
		file:       filepath.Join(dir, "connect-distributed.properties"),
		log:        filepath.Join(dir, "log"),
		// Connections that are kept open would outlive the test.
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience},
	}
	if given := properties["listeners"]; given != "" {
		scheme, address, _ := strings.Cut(given, "://")
		if strings.HasPrefix(address, ":") {
			address = "127.0.0.1" + address
		}
		w.URL = strings.ToLower(scheme) + "://" + address
	}
	if err := os.WriteFile(w.file, []byte(all.text()), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.process != nil {
			if err := w.process.Stop(20 * time.Second); err != nil {
				t.Error(err)
			}
		}
		// What the race detector of the worker finds is in the worker's log alone.
		if text, err := os.ReadFile(w.log); err == nil && strings.Contains(string(text), "WARNING: DATA RACE") {
			t.Errorf("the worker at %s has a data race:\n%s", w.URL, text)
		}
		if t.Failed() {
			t.Logf("end of the log of %s at %s:\n%s", w.program, w.URL, w.tail(200))
		}
	})
	return w
}

// FailedStart starts a worker that ends by itself and returns its log and exit status. t fails when it runs for long.
func FailedStart(t testing.TB, properties Properties) (log string, code int) {
	t.Helper()
	port, err := service.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	all := Properties{
		"group.id": Name("cluster"), "listeners": "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		"key.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
		"offset.storage.topic": "offsets", "config.storage.topic": "configs", "status.storage.topic": "status",
	}
	maps.Copy(all, properties)
	file, logFile := filepath.Join(t.TempDir(), "connect-distributed.properties"), filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(all.text()), 0o644); err != nil {
		t.Fatal(err)
	}
	//nolint:noctx // ended below
	process, err := service.StartProcess("kconnect", exec.Command(Binary(t), "distributed", file), logFile)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-process.Exited():
	case <-time.After(patience / 2):
		process.Kill()
		t.Fatalf("the worker has not ended by itself:\n%s", process.Tail(50))
	}
	return process.Tail(200), process.ExitCode()
}

// Join returns the properties of another worker for the cluster of w.
func Join(w *Connect) Properties {
	joined := maps.Clone(w.Properties)
	delete(joined, "listeners")
	return joined
}

// text writes the keys in order; the values are written so that the reader of .properties files gives them back.
func (p Properties) text() string {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s=%s\n", key, escape.Replace(p[key]))
	}
	return b.String()
}

// Start starts the worker, at first or again after Kill9 or Term, and returns when it answers.
func (w *Connect) Start(t testing.TB) {
	t.Helper()
	begin := time.Now()
	process, err := service.StartProcess(w.program, w.command(), w.log)
	if err != nil {
		t.Fatal(err)
	}
	w.process = process
	Eventually(t, "the worker answers GET /connectors", func() (bool, string) {
		select {
		case <-process.Exited():
			t.Fatalf("%s ended with status %d while it was starting", w.program, process.ExitCode())
		default:
		}
		status, _, body, err := w.do(t, http.MethodGet, "/connectors", "")
		if err != nil {
			return false, err.Error()
		}
		return status == http.StatusOK, fmt.Sprintf("%d %s", status, body)
	})
	w.StartTime = time.Since(begin)
}

// Kill9 ends the worker at once, as a crash would.
func (w *Connect) Kill9(t testing.TB) {
	t.Helper()
	w.process.Kill()
}

// Term asks the worker to stop (SIGTERM) and returns its exit status. t fails when it takes longer than 20 s.
func (w *Connect) Term(t testing.TB) int {
	t.Helper()
	if err := w.process.Stop(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	return w.process.ExitCode()
}

// Process is the running process: for its id, and after its end for the processor time that it used.
func (w *Connect) Process() *service.Process { return w.process }

// Log returns all that the worker has logged since Worker, over all starts.
func (w *Connect) Log(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(w.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (w *Connect) tail(lines int) string {
	if w.process == nil {
		return "(not started)"
	}
	return w.process.Tail(lines)
}

// Do sends a request and returns the answer. path begins with a slash; a body that is not empty is sent as JSON.
func (w *Connect) Do(t testing.TB, method, path, body string) (status int, header http.Header, answer string) {
	t.Helper()
	status, header, answer, err := w.do(t, method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return status, header, answer
}

func (w *Connect) do(t testing.TB, method, path, body string) (status int, header http.Header, answer string, err error) {
	request, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, "", err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := w.client.Do(request)
	if err != nil {
		return 0, nil, "", err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, "", fmt.Errorf("%s %s: %w", method, path, err)
	}
	return response.StatusCode, response.Header, string(b), nil
}

// Create makes a connector from its name and configuration; t fails when the answer is not 201.
func (w *Connect) Create(t testing.TB, name string, config map[string]string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "config": config})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := w.Do(t, http.MethodPost, "/connectors", string(body)); status != http.StatusCreated {
		t.Fatalf("POST /connectors of %s: %d %s", name, status, answer)
	}
}
