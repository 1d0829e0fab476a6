package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kconnect/test/harness"
)

// stream is numbered lines on their way from a file through a topic of one partition into another file.
type stream struct {
	kafka   *harness.Kafka
	name    string // of the topic; the connectors are name-in and name-out
	in, out string
	lines   int // that were written so far
	file    *os.File
}

// newStream makes the topic and the file of lines. Call it before the workers start, so that the topic goes after them.
func newStream(t *testing.T, k *harness.Kafka) *stream {
	t.Helper()
	dir := t.TempDir()
	s := &stream{kafka: k, name: harness.Name("stream"), in: filepath.Join(dir, "in"), out: filepath.Join(dir, "out")}
	k.Topic(t, s.name, 1)
	file, err := os.Create(s.in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	s.file = file
	return s
}

func (s *stream) source() string { return s.name + "-in" }
func (s *stream) sink() string   { return s.name + "-out" }

func (s *stream) sourceConfig() map[string]string {
	return map[string]string{
		"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1",
		"file": s.in, "topic": s.name, "value.converter": "org.apache.kafka.connect.storage.StringConverter",
	}
}

func (s *stream) sinkConfig() map[string]string {
	return map[string]string{
		"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "tasks.max": "1",
		"file": s.out, "topics": s.name, "value.converter": "org.apache.kafka.connect.storage.StringConverter",
	}
}

// create creates the two connectors through w and waits until they run.
func (s *stream) create(t *testing.T, w *harness.Connect) {
	t.Helper()
	post(t, w, s.source(), s.sourceConfig())
	post(t, w, s.sink(), s.sinkConfig())
	s.running(t, w)
}

func (s *stream) running(t *testing.T, w *harness.Connect) {
	t.Helper()
	w.WaitStatus(t, s.source(), "RUNNING", 1)
	w.WaitStatus(t, s.sink(), "RUNNING", 1)
}

// write appends n lines to the file.
func (s *stream) write(n int) error {
	var text bytes.Buffer
	for range n {
		s.lines++
		fmt.Fprintf(&text, "line %06d of %s\n", s.lines, s.name)
	}
	_, err := s.file.Write(text.Bytes())
	return err
}

// writeSteadily appends a line every few milliseconds until stop is called, which returns after the last one.
func (s *stream) writeSteadily(t *testing.T) (stop func()) {
	t.Helper()
	end, done := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := s.write(1); err != nil {
					done <- err
					return
				}
			case <-end:
				done <- nil
				return
			case <-t.Context().Done():
				done <- nil
				return
			}
		}
	}()
	return func() {
		t.Helper()
		close(end)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// pass writes lines and waits until they are in the other file.
func (s *stream) pass(t *testing.T, lines int) {
	t.Helper()
	if err := s.write(lines); err != nil {
		t.Fatal(err)
	}
	s.arrived(t)
}

// arrived waits until the last line written is in the other file.
func (s *stream) arrived(t *testing.T) {
	t.Helper()
	last := []byte(fmt.Sprintf("line %06d of %s\n", s.lines, s.name))
	harness.Eventually(t, "the last line has arrived", func() (bool, string) {
		text := s.arrivals(t)
		return bytes.Contains(text, last), fmt.Sprintf("%d bytes, want %q", len(text), last)
	})
}

// flowing waits until lines arrive that were not there before.
func (s *stream) flowing(t *testing.T) {
	t.Helper()
	before := len(s.arrivals(t))
	harness.Eventually(t, "lines of "+s.name+" flow", func() (bool, string) {
		now := len(s.arrivals(t))
		return now > before+100, fmt.Sprintf("%d bytes before, %d now", before, now)
	})
}

func (s *stream) arrivals(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(s.out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return text
}

// check fails t when lines are missing in the topic or in the file, or came again more often than goBacks allows; see faults.
func (s *stream) check(t *testing.T, goBacks int) {
	t.Helper()
	var topic []string
	for _, r := range s.kafka.ReadAll(t, s.name) {
		topic = append(topic, string(r.Value))
	}
	file := strings.Split(strings.TrimSuffix(string(s.arrivals(t)), "\n"), "\n")
	for _, fault := range s.faults(topic, goBacks) {
		t.Errorf("topic %s: %s", s.name, fault)
	}
	// The sink reads what is in the topic, repeats included, and may repeat it in turn.
	for _, fault := range s.faults(file, 2*goBacks) {
		t.Errorf("file behind topic %s: %s", s.name, fault)
	}
}

// faults says what is wrong with lines that one task at a time wrote. All must be there. A task may go back to a stored
// offset and repeat lines from there, at most goBacks times in all, as after the end of a killed worker; but a line never
// follows one that comes more than one before it: then lines were lost, or two tasks wrote at once.
func (s *stream) faults(lines []string, goBacks int) []string {
	var faults []string
	last, highest, back := 0, 0, 0
	for i, line := range lines {
		n, err := s.number(line)
		if err != nil {
			// A worker that is killed while it writes may leave half a line; the whole one follows.
			if goBacks == 0 {
				faults = append(faults, fmt.Sprintf("line %d: %v", i, err))
			}
			continue
		}
		if n > last+1 {
			faults = append(faults, fmt.Sprintf("%d follows %d: lines are lost, or two tasks write at once", n, last))
		}
		if n <= last {
			if back++; back == goBacks+1 {
				faults = append(faults, fmt.Sprintf("goes back more than %d times, here from %d to %d", goBacks, last, n))
			}
		}
		last, highest = n, max(highest, n)
	}
	if highest != s.lines {
		faults = append(faults, fmt.Sprintf("ends with %d of %d", highest, s.lines))
	}
	return faults[:min(len(faults), 10)]
}

func (s *stream) number(line string) (int, error) {
	number, name, ok := strings.Cut(strings.TrimPrefix(line, "line "), " of ")
	if !ok || name != s.name || !strings.HasPrefix(line, "line ") {
		return 0, fmt.Errorf("%q is no line that was written", line)
	}
	return strconv.Atoi(number)
}

func TestTheCheckOfLinesSeesWhatUsersLose(t *testing.T) {
	for _, c := range []struct {
		name    string
		numbers []int
		goBacks int
		want    bool
	}{
		{"each line once", []int{1, 2, 3, 4}, 0, true},
		{"a line is lost", []int{1, 2, 4}, 1, false},
		{"the last line is lost", []int{1, 2, 3}, 1, false},
		{"a line comes twice", []int{1, 2, 2, 3, 4}, 0, false},
		{"lines come again after a kill", []int{1, 2, 3, 2, 3, 4}, 1, true},
		{"lines come again without a kill", []int{1, 2, 1, 2, 3, 2, 3, 4}, 1, false},
		{"two tasks write", []int{1, 2, 3, 1, 4, 2, 3, 4}, 2, false},
	} {
		s := &stream{name: "s", lines: 4}
		var lines []string
		for _, n := range c.numbers {
			lines = append(lines, fmt.Sprintf("line %06d of s", n))
		}
		if faults := s.faults(lines, c.goBacks); (len(faults) == 0) != c.want {
			t.Errorf("%s: %q", c.name, faults)
		}
	}
	s := &stream{name: "s", lines: 1}
	if faults := s.faults([]string{"line 0", "line 000001 of s"}, 0); len(faults) != 1 {
		t.Errorf("half a line: %q", faults)
	}
}
