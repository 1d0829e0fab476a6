package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func startSource(t *testing.T, name string, offset connect.SourceOffset) *SourceTask {
	t.Helper()
	task := &SourceTask{}
	env := &connect.SourceEnv{Env: connect.Env{Config: config.Map{"file": name, "topic": "t"}, Logger: zap.NewNop()}, Offsets: stored{offset}}
	if err := task.Start(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := task.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return task
}

// lines polls until n lines came and returns them with the last offset.
func lines(t *testing.T, task *SourceTask, n int) (all []string, last connect.SourceOffset) {
	t.Helper()
	b := connect.NewSourceBatch(1, 1<<20)
	for len(all) < n {
		b.Reset(1, 1<<20)
		if err := task.Poll(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			all = append(all, strings.Clone(b.Records[i].Value.Str()))
			last = connect.SourceOffset{Names: b.Records[i].SourceOffset.Names, Values: []data.Value{b.Records[i].SourceOffset.Values[0]}}
		}
	}
	return all, last
}

func TestTheSourceResumesAtAnyLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(name, []byte("one\ntwo\r\nthree\rfour\n\nsix €\nnot whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "two", "three", "four", "", "six €"}
	for stop := range len(want) + 1 {
		t.Run(fmt.Sprint(stop), func(t *testing.T) {
			got, offset := lines(t, startSource(t, name, connect.SourceOffset{}), stop)
			rest, _ := lines(t, startSource(t, name, offset), len(want)-stop)
			if diff := cmp.Diff(want, append(got, rest...)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALineIsReadOnceItIsWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "in.txt")
	task := startSource(t, name, connect.SourceOffset{}) // the file comes later
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, part := range []string{"be", "gun", "\r", "\nnext\n"} {
		if _, err := f.WriteString(part); err != nil {
			t.Fatal(err)
		}
		if err := task.fill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := lines(t, task, 2); strings.Join(got, "|") != "begun|next" {
		t.Errorf("lines are %q", got)
	}
}

func TestTheSinkAppendsTheTextOfValues(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	for range 2 {
		task := &SinkTask{}
		if err := task.Start(t.Context(), &connect.SinkEnv{Env: connect.Env{Config: config.Map{"file": name}}}); err != nil {
			t.Fatal(err)
		}
		if err := task.Put(t.Context(), []connect.Record{{Value: data.StringOf("a")}, {Value: data.Int32Of(7)}, {}}); err != nil {
			t.Fatal(err)
		}
		if err := task.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "a\n7\nnull\na\n7\nnull\n" {
		t.Errorf("the file holds %q", got)
	}
}

func TestTheSinkNamesAFileThatItCannotMake(t *testing.T) {
	name := filepath.Join(t.TempDir(), "no", "such", "folder")
	err := (&SinkTask{}).Start(t.Context(), &connect.SinkEnv{Env: connect.Env{Config: config.Map{"file": name}}})
	if err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("the error is %v", err)
	}
}

func TestOffsetsAreCheckedBeforeTheyAreAltered(t *testing.T) {
	filename := connect.SourcePartition{Fields: []connect.Field{{Name: "filename", Value: data.StringOf("f")}}}
	position := func(v data.Value) connect.SourceOffset {
		return connect.SourceOffset{Names: []string{"position"}, Values: []data.Value{v}}
	}
	for _, c := range []struct {
		change connect.OffsetChange
		want   string
	}{
		{connect.OffsetChange{Partition: filename, Offset: position(data.Int64Of(4))}, ""},
		{connect.OffsetChange{Partition: filename}, ""},
		{connect.OffsetChange{Partition: filename, Offset: position(data.StringOf("4"))}, "The value for the 'position' key in the offset is expected to be a Long value"},
		{connect.OffsetChange{Partition: filename, Offset: position(data.Int64Of(-1))}, "The value for the 'position' key in the offset should be a non-negative value"},
		{connect.OffsetChange{Partition: connect.SourcePartition{Fields: []connect.Field{{Name: "file", Value: data.StringOf("f")}}}}, "Partition objects should contain the key 'filename'"},
		{connect.OffsetChange{}, "Partition objects cannot be null"},
	} {
		sure, err := (&SourceConnector{}).AlterOffsets(config.Map{"file": "f"}, []connect.OffsetChange{c.change})
		if got := fmt.Sprint(err); c.want != "" && got != c.want || c.want == "" && (err != nil || !sure) {
			t.Errorf("%v: got %t, %s; want %q", c.change, sure, got, c.want)
		}
	}
}
