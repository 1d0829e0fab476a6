package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kconnect/test/harness/service"
)

// SmallDisk gives the tables that are made in this database from now on a disk of so many bytes. grow makes it larger. Only a
// private server on Linux and the user root can have one: without them the test is skipped.
func (d *Database) SmallDisk(t testing.TB, bytes int64) (grow func(bytes int64)) {
	t.Helper()
	server, ok := d.private(t).(*service.MariaDB)
	if !ok {
		t.Fatal("only a database of MariaDB has a folder of its own")
	}
	dir := filepath.Join(server.Data(), d.Name)
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("%s has no owner", dir)
	}
	mount := func(flags uintptr, bytes int64) error {
		return syscall.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprintf("size=%d,mode=0700,uid=%d,gid=%d", bytes, owner.Uid, owner.Gid))
	}
	switch err := mount(0, bytes); {
	case errors.Is(err, syscall.EPERM):
		t.Skip("skipped: only root may mount the small disk that this test fills")
	case err != nil:
		t.Skipf("skipped: a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		server.Kill() // it holds files there
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return func(bytes int64) {
		t.Helper()
		if err := mount(syscall.MS_REMOUNT, bytes); err != nil {
			t.Fatal(err)
		}
	}
}
