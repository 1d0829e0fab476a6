package test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The recordings of the real worker are data that nobody edits: where we differ, a file of our own beside them says so.
func TestGoldenFilesAreTheRecordings(t *testing.T) {
	recordings := filepath.Join("..", "..", "shared", "golden")
	if _, err := os.Stat(recordings); errors.Is(err, os.ErrNotExist) {
		t.Skip("skipped: the recordings do not lie beside this checkout (../shared/golden), so there is nothing to compare with")
	}
	want, got := files(t, recordings), files(t, filepath.Join("testdata", "golden"))
	for name, b := range want {
		if copied, ok := got[name]; !ok {
			t.Errorf("%s is missing in testdata/golden", name)
		} else if !bytes.Equal(copied, b) {
			t.Errorf("%s was changed in testdata/golden", name)
		}
	}
	for name := range got {
		// The one file of our own: the cases in which we differ on purpose.
		if _, ok := want[name]; !ok && name != "differences.json" {
			t.Errorf("%s in testdata/golden is no recording", name)
		}
	}
}

// files reads all files below dir by their path in it.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
