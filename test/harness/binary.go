package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"kconnect/test/harness/service"
)

// built is the binary under test, built once for all tests of the binary.
var built = sync.OnceValues(build)

// Binary returns the path of bin/kconnect: that of KCONNECT_TEST_BINARY, or one built from this checkout. With KCONNECT_TEST_RACE=1 it is built
// with the race detector.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func build() (string, error) {
	if path := os.Getenv("KCONNECT_TEST_BINARY"); path != "" {
		return filepath.Abs(path)
	}
	root, err := service.Root()
	if err != nil {
		return "", err
	}
	cache, err := service.Cache()
	if err != nil {
		return "", err
	}
	args, name := []string{"build"}, "kconnect"
	if os.Getenv("KCONNECT_TEST_RACE") == "1" {
		args, name = append(args, "-race"), "kconnect-race"
	}
	// Several test binaries may build at once, and a worker may be running from the last build: each writes a file of
	// its own and renames it.
	path := filepath.Join(cache, "test", name)
	own := path + "." + strconv.Itoa(os.Getpid())
	//nolint:noctx // it serves more than one test
	cmd := exec.Command("go", append(args, "-o", own, "./cmd/kconnect")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build of kconnect: %w\n%s", err, out)
	}
	return path, os.Rename(own, path)
}
