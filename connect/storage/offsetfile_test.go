package storage

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"
)

func openFile(t *testing.T, path string) *Offsets {
	t.Helper()
	o, err := OpenOffsetFile(path, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	start(t, o.Run, o.Close)
	return o
}

// recorded copies the file of the Java worker to where the test may change it.
func recorded(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(recordedFile)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "connect.offsets")
	if err := os.WriteFile(path, b, 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func inFile(name string) Fields { return Fields{{"filename", "rec/" + name + ".txt"}} }

func get(t *testing.T, o *Offsets, connector string, partition Fields) Fields {
	t.Helper()
	found, err := o.Get(within(t), connector, []Fields{partition})
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

func entriesOf(t *testing.T, path string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := decodeJavaMap(b)
	if err != nil {
		t.Fatal(err)
	}
	entries := make(map[string]string)
	for k, v := range m {
		entries[k] = string(v)
	}
	return entries
}

func TestTheOffsetsFileOfAJavaWorkerGoesOn(t *testing.T) {
	path := recorded(t)
	o := openFile(t, path)
	for name, want := range map[string]Fields{"a": {{"position", int64(8)}}, "b": nil, "c": {{"position", int64(8)}}} {
		if diff := cmp.Diff(want, get(t, o, "rec-"+name, inFile(name))); diff != "" {
			t.Errorf("rec-%s (-want +got):\n%s", name, diff)
		}
	}
	if err := o.Set(within(t), []SourceOffset{{"rec-b", inFile("b"), Fields{{"position", int64(4)}}}, {"rec-c", inFile("c"), nil}}); err != nil {
		t.Fatal(err)
	}
	if got := get(t, o, "rec-b", inFile("b")); cmp.Diff(Fields{{"position", int64(4)}}, got) != "" {
		t.Errorf("rec-b is at %v", got)
	}
	want := map[string]string{
		`["rec-a",{"filename":"rec/a.txt"}]`: `{"position":8}`,
		`["rec-b",{"filename":"rec/b.txt"}]`: `{"position":4}`,
	}
	if diff := cmp.Diff(want, entriesOf(t, path)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	again := openFile(t, path)
	if diff := cmp.Diff(Fields{{"position", int64(4)}}, get(t, again, "rec-b", inFile("b"))); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
}

func TestTheFileIsMadeWithTheFirstOffsets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "connect.offsets")
	o := openFile(t, path)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("there is a file before anything was stored: %v", err)
	}
	if err := o.Set(within(t), []SourceOffset{{"a", items, at(1)}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{javaKey: `{"incrementing":1}`}, entriesOf(t, path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEmptyFileHoldsNoOffsets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "connect.offsets")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err := openFile(t, path).Partitions(within(t), "a"); err != nil || len(all) != 0 {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestAFileOfSomethingElseIsRefusedAndKept(t *testing.T) {
	whole, err := os.ReadFile(recordedFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"cut off": whole[:len(whole)-9], "foreign": []byte("name=orders\n"), "longer": append(bytes.Clone(whole), 'x'),
	} {
		path := filepath.Join(t.TempDir(), "connect.offsets")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenOffsetFile(path, nil)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, part := range []string{path, "offset.storage.file.filename", "move this one away"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error does not say %q: %v", name, part, err)
			}
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
}

func TestAPlaceThatCannotBeWrittenIsFoundOutAtOnce(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"", dir, filepath.Join(dir, "no", "such", "folder", "connect.offsets")} {
		if _, err := OpenOffsetFile(path, nil); err == nil {
			t.Errorf("%q: accepted", path)
		}
	}
}

func TestTheFileIsReplacedWhereItIs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links and modes are those of Unix")
	}
	path := recorded(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := openFile(t, link).Set(within(t), []SourceOffset{{"a", items, at(1)}}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if n := len(entriesOf(t, path)); n != 4 {
		t.Errorf("the file has %d entries, want 4", n)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 1 {
		t.Errorf("the folder holds %v, %v", all, err)
	}
}

func TestOffsetsThatCannotBeWrittenDoNotCount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "offsets")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "connect.offsets")
	o := openFile(t, path)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := o.Set(within(t), []SourceOffset{{"a", items, at(1)}}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("without a folder: %v", err)
	}
	if got := get(t, o, "a", items); got != nil {
		t.Errorf("it counts: %v", got)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := o.Set(within(t), []SourceOffset{{"a", orders, at(2)}}); err != nil {
		t.Fatal(err)
	}
	if n := len(entriesOf(t, path)); n != 1 {
		t.Errorf("the file has %d entries, want the last one alone", n)
	}
}
