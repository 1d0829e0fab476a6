package file

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

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

// disk takes so many bytes and is full then.
type disk struct {
	free int
	held strings.Builder
}

func (d *disk) Write(p []byte) (int, error) {
	n := min(len(p), d.free)
	d.held.Write(p[:n])
	d.free -= n
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

func TestAFullDiskCutsNoLines(t *testing.T) {
	records := []connect.Record{{Value: data.StringOf("first")}, {Value: data.StringOf("second")}}
	for _, c := range []struct {
		free int
		want string
	}{
		{0, "first\nsecond\n"},
		{2, "first\nfirst\nsecond\n"},
		{6, "first\nfirst\nsecond\n"},
		{7, "first\nsecond\nfirst\nsecond\n"},
		{12, "first\nsecond\nfirst\nsecond\n"},
	} {
		d := &disk{free: c.free}
		task := &SinkTask{out: d}
		for range 2 { // still full when the delivery comes again
			if err := task.Put(t.Context(), records); connect.KindOf(err) != connect.Retriable {
				t.Fatalf("%d bytes free: %v", c.free, err)
			}
		}
		d.free = 1000
		if err := task.Put(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		if d.held.String() != c.want {
			t.Errorf("%d bytes free: the file holds %q, want %q", c.free, d.held.String(), c.want)
		}
	}
}
