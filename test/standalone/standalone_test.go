// Package standalone runs workers in standalone mode, ours and Java's, as
// processes of their own on a real broker.
package standalone

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kconnect/test/harness"
)

// lines is a file that grows, and the two connectors that carry it on.
type lines struct {
	kafka    *harness.Kafka
	in, out  string
	topic    string
	source   string // files of the connectors
	sink     string
	from, to string // names of the connectors
	appended int
}

func newLines(t *testing.T) *lines {
	t.Helper()
	dir := t.TempDir()
	l := &lines{
		kafka: harness.Broker(t), in: filepath.Join(dir, "in.txt"), out: filepath.Join(dir, "out.txt"), topic: harness.Name("lines"),
		source: filepath.Join(dir, "source.json"), sink: filepath.Join(dir, "sink.properties"), from: harness.Name("source"), to: harness.Name("sink"),
	}
	l.kafka.Topic(t, l.topic, 1)
	source, err := json.Marshal(map[string]any{"name": l.from, "config": map[string]any{
		"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": 1, "file": l.in, "topic": l.topic,
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, l.source, string(source))
	write(t, l.sink, "name="+l.to+"\nconnector.class=org.apache.kafka.connect.file.FileStreamSinkConnector\ntasks.max=1\nfile="+l.out+"\ntopics="+l.topic+"\n")
	return l
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// add appends lines that are numbered from 1.
func (l *lines) add(t *testing.T, n int) {
	t.Helper()
	f, err := os.OpenFile(l.in, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		l.appended++
		if _, err := fmt.Fprintf(f, "line %d\n", l.appended); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// arrived waits until all lines are in the sink's file, each once and in order,
// and checks that the topic holds no more.
func (l *lines) arrived(t *testing.T) {
	t.Helper()
	var want strings.Builder
	for i := range l.appended {
		fmt.Fprintf(&want, "line %d\n", i+1)
	}
	harness.Eventually(t, "all lines are in the sink's file", func() (bool, string) {
		got, err := os.ReadFile(l.out)
		if err != nil {
			return false, err.Error()
		}
		return len(got) >= want.Len(), fmt.Sprintf("%d bytes of %d", len(got), want.Len())
	})
	if got, err := os.ReadFile(l.out); err != nil || string(got) != want.String() {
		t.Errorf("the sink's file is %q, %v; want %q", got, err, want.String())
	}
	if n := len(l.kafka.ReadAll(t, l.topic)); n != l.appended {
		t.Errorf("the topic holds %d records, want %d", n, l.appended)
	}
}

// stored waits until the positions behind all lines are in the worker's offsets
// file and in the sink's consumer group.
func (l *lines) stored(t *testing.T, w *harness.Connect) {
	t.Helper()
	info, err := os.Stat(l.in)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{l.from: fmt.Sprintf(`"position":%d}`, info.Size()), l.to: fmt.Sprintf(`"kafka_offset":%d}`, l.appended)} {
		harness.Eventually(t, "the offsets of "+name+" are stored", func() (bool, string) {
			_, _, body := w.Do(t, http.MethodGet, "/connectors/"+name+"/offsets", "")
			return strings.Contains(body, want), body
		})
	}
}

// TestJavaAndWeTakeOverFromOneAnother hands one offsets file from a Java
// worker to ours and back: no line is lost or repeated.
func TestJavaAndWeTakeOverFromOneAnother(t *testing.T) {
	l := newLines(t)
	offsets := harness.Properties{"offset.storage.file.filename": filepath.Join(t.TempDir(), "connect.offsets")}
	start := map[string]func() *harness.Connect{
		"java": func() *harness.Connect { return harness.JavaStandalone(t, offsets, l.source, l.sink) },
		"ours": func() *harness.Connect { return harness.Standalone(t, offsets, l.source, l.sink) },
	}
	for i, worker := range []string{"java", "ours", "java"} {
		l.add(t, 3+i)
		w := start[worker]()
		l.arrived(t)
		l.add(t, 2) // while it runs
		l.arrived(t)
		l.stored(t, w)
		w.Term(t)
	}
}

func TestAKilledWorkerGoesOnWhereItsOffsetsFileIs(t *testing.T) {
	l := newLines(t)
	l.add(t, 1000)
	// So that the consumer that was killed is not waited for longer than need be.
	w := harness.Standalone(t, harness.Properties{"consumer.session.timeout.ms": "6000", "consumer.heartbeat.interval.ms": "1000"}, l.source, l.sink)
	l.arrived(t)
	l.stored(t, w)
	w.Kill9(t)
	l.add(t, 1000)
	w.Start(t)
	l.arrived(t)
	if code := w.Term(t); code != 0 {
		t.Errorf("it ended with status %d after SIGTERM", code)
	}
}

func TestConnectorsOfTheAPILiveAsLongAsTheProcess(t *testing.T) {
	l := newLines(t)
	l.add(t, 1)
	w := harness.Standalone(t, nil, l.sink)
	status, _, body := w.Do(t, http.MethodPost, "/connectors", read(t, l.source))
	if status != http.StatusCreated || !strings.Contains(body, `"tasks":[{"connector":"`+l.from+`","task":0}]`) {
		t.Errorf("POST answered %d %s, want the task in it", status, body)
	}
	l.arrived(t)
	l.stored(t, w)
	if status, _, body := w.Do(t, http.MethodPut, "/connectors/"+l.from+"/stop", ""); status != http.StatusNoContent {
		t.Fatalf("stop answered %d %s", status, body)
	}
	harness.Eventually(t, "the offsets can be reset", func() (bool, string) {
		status, _, body := w.Do(t, http.MethodDelete, "/connectors/"+l.from+"/offsets", "")
		return status == http.StatusOK, fmt.Sprint(status, body)
	})
	for path, message := range map[string]string{
		"/tasks": "does not support externally setting task configurations", "/fence": "does not support exactly-once source connectors",
	} {
		method := map[string]string{"/tasks": http.MethodPost, "/fence": http.MethodPut}[path]
		if status, _, body := w.Do(t, method, "/connectors/"+l.from+path, map[string]string{"/tasks": "[]"}[path]); status != http.StatusInternalServerError || !strings.Contains(body, message) {
			t.Errorf("%s %s answered %d %s", method, path, status, body)
		}
	}
	file := filepath.Join(t.TempDir(), "connect-standalone.properties")
	write(t, file, "listeners="+w.Properties["listeners"]+"\n")
	if out, err := exec.CommandContext(t.Context(), harness.Binary(t), "health", file).CombinedOutput(); err != nil {
		t.Errorf("health says %v %s", err, out)
	}
	w.Term(t)
	if out, err := exec.CommandContext(t.Context(), harness.Binary(t), "health", file).CombinedOutput(); err == nil {
		t.Errorf("health of a stopped worker says %s", out)
	}
	w.Start(t)
	if _, _, body := w.Do(t, http.MethodGet, "/connectors", ""); strings.Contains(body, l.from) {
		t.Errorf("after a restart there are the connectors %s", body)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAConnectorFileThatFailsEndsTheProcess gives files with an error each; what
// it is has to be on standard error, with the name of the file.
func TestAConnectorFileThatFailsEndsTheProcess(t *testing.T) {
	kafka := harness.Broker(t)
	dir := t.TempDir()
	properties := filepath.Join(dir, "connect-standalone.properties")
	write(t, properties, "bootstrap.servers="+kafka.Brokers+"\nlisteners=HTTP://127.0.0.1:0\nrest.advertised.port=1\nkey.converter=org.apache.kafka.connect.json.JsonConverter\n"+
		"value.converter=org.apache.kafka.connect.json.JsonConverter\noffset.storage.file.filename="+filepath.Join(dir, "connect.offsets")+"\n")
	good := filepath.Join(dir, "good.properties")
	write(t, good, "name=good\nconnector.class=FileStreamSource\nfile="+filepath.Join(dir, "in.txt")+"\ntopic="+harness.Name("t")+"\n")
	for name, c := range map[string]struct{ file, text, want string }{
		"a class that is not there":       {"a.json", `{"name":"a","config":{"connector.class":"no.such.Class"}}`, "no.such.Class"},
		"a setting that is missing":       {"b.properties", "name=b\nconnector.class=FileStreamSource\n", `Missing required configuration "topic"`},
		"a name that is there already":    {"c.json", `{"name":"good","connector.class":"FileStreamSource","topic":"t"}`, "already exists"},
		"a name that is missing":          {"d.properties", "connector.class=FileStreamSource\n", "lacks the name"},
		"a connector that does not start": {"f.json", `{"name":"f","config":{"connector.class":"FileStreamSource","topic":"t","batch.size":null}}`, "batch.size"},
		"JSON that is none":               {"e.json", "{\"name\":\"e\",\n", "Unexpected end-of-input"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			path := filepath.Join(dir, c.file)
			write(t, path, c.text)
			var stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), harness.Binary(t), "standalone", properties, good, path)
			cmd.Stderr = &stderr
			err := cmd.Run()
			if _, failed := err.(*exec.ExitError); !failed { //nolint:errorlint // Run does not wrap it
				t.Errorf("it ended with %v", err)
			}
			said := strings.Split(strings.TrimSpace(stderr.String()), "\nkconnect: ")
			last := said[len(said)-1]
			if !strings.Contains(last, path) || !strings.Contains(last, c.want) {
				t.Errorf("standard error does not say %q of %s:\n%s", c.want, path, stderr.String())
			}
		})
	}
}
