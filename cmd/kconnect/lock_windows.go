package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes the lock of an open file, or fails at once when another
// process has it. Closing the file gives it back, and so does a kill.
func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
}
