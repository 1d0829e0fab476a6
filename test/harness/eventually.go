package harness

import (
	"testing"
	"time"
)

// patience is how long a condition may take on a loaded test machine. No test asserts on a time: this only ends a test
// that would wait for ever.
const patience = 60 * time.Second

// Eventually asks condition every 20 ms until it is true, and fails t after a minute. condition returns with false what it saw
// instead; what and the last sight go into the failure.
func Eventually(t testing.TB, what string, condition func() (bool, string)) {
	t.Helper()
	within(t, patience, what, condition)
}

func within(t testing.TB, limit time.Duration, what string, condition func() (bool, string)) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		ok, seen := condition()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-timer.C:
			t.Fatalf("%s: not within %v; last seen: %s", what, limit, seen)
		}
	}
}
