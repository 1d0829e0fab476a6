package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stored is the offset that a restarted task finds.
type stored struct{ offset connect.SourceOffset }

func (s stored) Offset(context.Context, *connect.SourcePartition) (connect.SourceOffset, error) {
	return s.offset, nil
}

// health keeps what the task says that it waits for; nil while it moves.
type health struct {
	mu   sync.Mutex
	wait error
}

func (h *health) Waiting(err error) { h.mu.Lock(); defer h.mu.Unlock(); h.wait = err }
func (h *health) Moving()           { h.mu.Lock(); defer h.mu.Unlock(); h.wait = nil }

func at(position data.Value) connect.SourceOffset {
	return connect.SourceOffset{Names: []string{"position"}, Values: []data.Value{position}}
}

// start starts a task that reads a file from an offset on.
func start(t *testing.T, task *SourceTask, m config.Map, offset connect.SourceOffset) *health {
	t.Helper()
	h := &health{}
	env := &connect.SourceEnv{
		Env:     connect.Env{Config: m, Logger: zap.NewNop(), Health: h, Now: func() time.Time { return time.UnixMilli(1700000000123) }},
		Offsets: stored{offset},
	}
	if err := task.Start(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := task.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func startFile(t *testing.T, name string, offset connect.SourceOffset) (*SourceTask, *health) {
	t.Helper()
	task := &SourceTask{}
	return task, start(t, task, config.Map{"file": name, "topic": "t"}, offset)
}

// poll polls until n lines came, at most limit a batch, and returns them with
// the last offset.
func poll(t *testing.T, task *SourceTask, n, limit int) (all []string, last connect.SourceOffset) {
	t.Helper()
	b := connect.NewSourceBatch(limit, 1<<20)
	for len(all) < n {
		b.Reset(limit, 1<<20)
		if err := task.Poll(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			all = append(all, strings.Clone(b.Records[i].Value.Str()))
			last = at(b.Records[i].SourceOffset.Values[0])
		}
	}
	return all, last
}

func write(t *testing.T, text string) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTheSourceResumesAtAnyLine(t *testing.T) {
	name := write(t, "one\ntwo\r\nthree\rfour\n\nsix €\nse\xffven\n😀\nnot whole")
	want := []string{"one", "two", "three", "four", "", "six €", "se\ufffdven", "😀"}
	for stop := range len(want) + 1 {
		t.Run(fmt.Sprint(stop), func(t *testing.T) {
			task, _ := startFile(t, name, connect.SourceOffset{})
			got, offset := poll(t, task, stop, 1)
			task, _ = startFile(t, name, offset)
			rest, _ := poll(t, task, len(want)-stop, 1000)
			if diff := cmp.Diff(want, append(got, rest...)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARecordIsALineWithItsPosition(t *testing.T) {
	name := write(t, "first\nsecond\n")
	task, _ := startFile(t, name, connect.SourceOffset{})
	b := connect.NewSourceBatch(10, 1<<20)
	if err := task.Poll(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"SourceRecord{sourcePartition={filename=" + name + "}, sourceOffset={position=6}} ConnectRecord{topic='t', kafkaPartition=null, key=null, " +
			"keySchema=null, value=first, valueSchema=Schema{STRING}, timestamp=1700000000123, headers=ConnectHeaders(headers=)}",
		"SourceRecord{sourcePartition={filename=" + name + "}, sourceOffset={position=13}} ConnectRecord{topic='t', kafkaPartition=null, key=null, " +
			"keySchema=null, value=second, valueSchema=Schema{STRING}, timestamp=1700000000123, headers=ConnectHeaders(headers=)}",
	}
	var got []string
	for i := range b.Records {
		got = append(got, b.Records[i].String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestALineIsReadOnceItIsWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "in.txt")
	task, _ := startFile(t, name, connect.SourceOffset{}) // the file comes later
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, part := range []string{"be", "gun", "\r", "\nnext\n"} {
		if _, err := f.WriteString(part); err != nil {
			t.Fatal(err)
		}
		if _, err := task.fill(); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := poll(t, task, 2, 10); strings.Join(got, "|") != "begun|next" {
		t.Errorf("lines are %q", got)
	}
}

func TestSmallBatchesDoNotGatherTheFileInMemory(t *testing.T) {
	name := write(t, strings.Repeat("a short line\n", 5*chunk/13))
	task := &SourceTask{}
	start(t, task, config.Map{"file": name, "topic": "t", "batch.size": "3"}, connect.SourceOffset{})
	b := connect.NewSourceBatch(1000, 1<<20)
	for task.position < 4*chunk {
		b.Reset(1000, 1<<20)
		if err := task.Poll(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if len(b.Records) != 3 {
			t.Fatalf("a batch of %d", len(b.Records))
		}
		if task.lines.pending() > chunk+13 || cap(task.lines.text) > 4*chunk {
			t.Fatalf("%d bytes wait in a buffer of %d at byte %d", task.lines.pending(), cap(task.lines.text), task.position)
		}
	}
}

func TestTheSourceSaysWhatItWaitsFor(t *testing.T) {
	name := filepath.Join(t.TempDir(), "in.txt")
	task, h := startFile(t, name, at(data.Int64Of(4)))
	look := func(want string) {
		t.Helper()
		if _, err := task.fill(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(h.wait); !strings.Contains(got, want) {
			t.Errorf("it waits for %q, want %q", got, want)
		}
	}
	look(name + " is not there yet")
	if err := os.WriteFile(name, []byte("ab"), 0o600); err != nil {
		t.Fatal(err)
	}
	look("has 2 bytes, and the source goes on from byte 4")
	if err := os.WriteFile(name, []byte("abc\ndef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	look("<nil>")
	if got, _ := poll(t, task, 1, 10); got[0] != "def" {
		t.Errorf("lines are %q", got)
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	task, _ := startFile(t, t.TempDir(), connect.SourceOffset{})
	if _, err := task.fill(); err == nil || connect.KindOf(err) != connect.Fatal || !strings.Contains(err.Error(), task.name) {
		t.Errorf("a folder: %v", err)
	}
	if os.Geteuid() > 0 {
		name := write(t, "secret\n")
		if err := os.Chmod(name, 0); err != nil {
			t.Fatal(err)
		}
		task, _ = startFile(t, name, connect.SourceOffset{})
		if _, err := task.fill(); err == nil || connect.KindOf(err) != connect.Fatal || !errors.Is(err, os.ErrPermission) {
			t.Errorf("a file without rights: %v", err)
		}
	}
	err := (&SourceTask{}).Start(t.Context(), &connect.SourceEnv{Env: connect.Env{Config: config.Map{"file": "f", "topic": "t"}}, Offsets: stored{at(data.StringOf("4"))}})
	if err == nil || err.Error() != "Offset position is the incorrect type" {
		t.Errorf("a stored offset that is no number: %v", err)
	}
}

func TestALineWithoutEndIsRefused(t *testing.T) {
	name := write(t, "short\n")
	if err := os.Truncate(name, maxLine+2*chunk); err != nil {
		t.Fatal(err)
	}
	task, _ := startFile(t, name, connect.SourceOffset{})
	b := connect.NewSourceBatch(10, 1<<20)
	err := task.Poll(t.Context(), b)
	if err == nil || !strings.Contains(err.Error(), "The line at byte 6 of file "+name+" is longer") {
		t.Errorf("the error is %v", err)
	}
	if len(b.Records) != 1 {
		t.Errorf("%d records come before it", len(b.Records))
	}
}

func TestTasksShareTheStandardInput(t *testing.T) {
	r, w := io.Pipe()
	in := newInput(r)
	for _, text := range []string{"one\n", "two\nthree\n"} {
		task := &SourceTask{stdin: in}
		start(t, task, config.Map{"topic": "t"}, connect.SourceOffset{})
		done := make(chan error)
		go func() {
			_, err := io.Copy(w, bytes.NewBufferString(text))
			done <- err
		}()
		got, offset := poll(t, task, strings.Count(text, "\n"), 10)
		if strings.Join(got, "\n")+"\n" != text {
			t.Errorf("lines are %q, want %q", got, text)
		}
		if s := offset.String() + task.partition.String(); s != "{position=null}{filename=null}" {
			t.Errorf("offset and partition are %s", s)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for range in.pieces() {
		t.Error("more came after the end")
	}
}
