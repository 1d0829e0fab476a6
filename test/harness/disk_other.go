//go:build !linux

package harness

import "testing"

// SmallDisk skips the test: only Linux has disks that a test can mount.
func (d *Database) SmallDisk(t testing.TB, _ int64) func(bytes int64) {
	t.Helper()
	t.Skip("skipped: a small disk can be mounted on Linux alone")
	return nil
}
