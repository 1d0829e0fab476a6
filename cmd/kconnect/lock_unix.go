//go:build unix

package main

import (
	"os"
	"syscall"
)

// lockFile takes the lock of an open file, or fails at once when another
// process has it. Closing the file gives it back, and so does a kill.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
