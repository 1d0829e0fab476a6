//go:build unix

package harness

import (
	"syscall"
	"testing"
)

// Freeze halts the worker where it is (SIGSTOP), as a machine that is suspended would: its connections stay open and nobody
// answers. It is to be thawed, or killed, before t ends.
func (w *Connect) Freeze(t testing.TB) {
	t.Helper()
	if err := w.process.SignalGroup(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

// Thaw lets a frozen worker go on.
func (w *Connect) Thaw(t testing.TB) {
	t.Helper()
	if err := w.process.SignalGroup(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}
