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
	var dir, tablespace string
	var end func() error // of the server, which holds files there
	switch server := d.private(t).(type) {
	case *service.MariaDB:
		dir = filepath.Join(server.Data(), d.Name)
		end = func() error { server.Kill(); return nil } // in order it would wait for room
	case *service.Postgres:
		dir, tablespace = filepath.Join(server.Dir(), d.Name), d.Name
		end = server.Stop
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Dir(dir))
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
		if err := errors.Join(end(), syscall.Unmount(dir, syscall.MNT_DETACH)); err != nil {
			t.Error(err)
		}
	})
	if tablespace != "" {
		d.Exec(t, fmt.Sprintf("CREATE TABLESPACE %q LOCATION '%s'", tablespace, dir))
		d.Exec(t, fmt.Sprintf("ALTER DATABASE %q SET default_tablespace = %q", d.Name, tablespace))
		// Only new connections know of it.
		d.pool.SetMaxIdleConns(0)
		d.pool.SetMaxIdleConns(2)
	}
	return func(bytes int64) {
		t.Helper()
		if err := mount(syscall.MS_REMOUNT, bytes); err != nil {
			t.Fatal(err)
		}
	}
}
