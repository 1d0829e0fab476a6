package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts all services, or skips where one is not installed.
func start(t *testing.T) *Set {
	t.Helper()
	s, err := StartSet(t.Context(), Names(), BrokerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, missing := range s.Missing {
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return s
}

// processes lists what runs with text in its command line.
func processes(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(b), text) {
			found = append(found, strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	return found
}

func TestTwoSetsServeSideBySideAndLeaveNothing(t *testing.T) {
	for i := range 2 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := start(t)
			if err := s.kafka.answers(t.Context()); err != nil {
				t.Error("broker:", err)
			}
			if err := s.postgres.answers(t.Context()); err != nil {
				t.Error("PostgreSQL:", err)
			}
			if got := len(s.Environ()); got != 4 {
				t.Errorf("environment of %d variables: %v", got, s.Environ())
			}
			if got := processes(t, s.dir); len(got) < 3 {
				t.Errorf("fewer processes than services: %v", got)
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			if got := processes(t, s.dir); len(got) > 0 {
				t.Errorf("still running: %v", got)
			}
			if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("folder %s is still there: %v", s.dir, err)
			}
		})
	}
}

func TestUnknownServiceIsNamed(t *testing.T) {
	_, err := StartSet(t.Context(), []string{"oracle"}, BrokerOptions{})
	if err == nil || !strings.Contains(err.Error(), `unknown service "oracle"`) {
		t.Fatal(err)
	}
}

func TestMissingProgramIsNamedWithTheRemedy(t *testing.T) {
	t.Setenv("KCONNECT_TEST_KAFKA_LIB", t.TempDir())
	err := Check(KafkaName)
	if missing := (*MissingError)(nil); !errors.As(err, &missing) || !strings.Contains(err.Error(), "setup.sh") {
		t.Fatal(err)
	}
}

func TestProcessThatEndsEarlyIsReportedWithItsLog(t *testing.T) {
	p, err := StartProcess("sh", exec.Command("sh", "-c", "echo no room; exit 3"), filepath.Join(t.TempDir(), "log")) //nolint:noctx // ends by itself
	if err != nil {
		t.Fatal(err)
	}
	err = p.await(t.Context(), time.Minute, func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no room") {
		t.Fatal(err)
	}
}

func TestProcessThatIgnoresTheSignalIsKilled(t *testing.T) {
	dir := t.TempDir()
	p, err := StartProcess("sh", exec.Command("sh", "-c", "trap '' TERM; : > "+dir+"/ready; while :; do sleep 1; done"), filepath.Join(dir, "log")) //nolint:noctx // killed below
	if err != nil {
		t.Fatal(err)
	}
	err = p.await(t.Context(), time.Minute, func(context.Context) error {
		_, err := os.Stat(filepath.Join(dir, "ready"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(50 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Fatal(err)
	}
	if code := p.ExitCode(); code != -1 {
		t.Errorf("exit code %d, want -1 for a signal", code)
	}
	if err := p.SignalGroup(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}
