package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kconnect/test/harness/service"
)

func TestMain(m *testing.M) {
	// Called so, the test binary is the command itself.
	if os.Getenv("SERVICES_TEST_MAIN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command is this command with the given arguments, on MariaDB alone, which is up in two seconds.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if err := service.Check(service.MariaDBName); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-only", "mariadb"}, args...)...)
	cmd.Env = append(os.Environ(), "SERVICES_TEST_MAIN=1", "TMPDIR="+openDir(t))
	return cmd
}

// openDir is a folder for services: t.TempDir is closed to the user that MariaDB runs as.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := service.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestCommandSeesTheServiceAndPassesItsStatusOn(t *testing.T) {
	out, err := command(t, "sh", "-c", "echo $KCONNECT_TEST_MARIADB; exit 3").Output()
	if failed := (*exec.ExitError)(nil); !errors.As(err, &failed) || failed.ExitCode() != 3 {
		t.Fatalf("%v, want exit status 3", err)
	}
	if !strings.HasPrefix(string(out), "root:password@tcp(127.0.0.1:") {
		t.Errorf("the command saw %q", out)
	}
}

func TestInterruptEndsCommandAndItsChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "started")
	cmd := command(t, "sh", "-c", "sleep 600 & echo $! > "+file+".new; mv "+file+".new "+file+"; wait")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := wait(t, file, &log)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if failed := (*exec.ExitError)(nil); !errors.As(err, &failed) || failed.ExitCode() != 130 {
		t.Errorf("%v, want exit status 130\n%s", err, log.String())
	}
	if b, err := os.ReadFile("/proc/" + child + "/cmdline"); err == nil && strings.Contains(string(b), "sleep") {
		t.Errorf("process %s that the command started is still there", child)
	}
}

// wait returns the content of file once it is there.
func wait(t *testing.T, file string, log *bytes.Buffer) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile(file); err == nil {
			return strings.TrimSpace(string(b))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the command did not start\n%s", log.String())
		}
	}
}

func TestWithoutCommandServicesEndWithStandardInput(t *testing.T) {
	cmd := command(t)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 30)
	if n, err := out.Read(line); err != nil || !strings.HasPrefix(string(line[:n]), "KCONNECT_TEST_MARIADB=root:") {
		t.Errorf("first line %q: %v", line[:n], err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
