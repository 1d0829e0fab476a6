//go:build !windows

package storage

import (
	"errors"
	"os"
)

// syncFolder writes a folder's entries to the disk, so that a file that was
// renamed into it has its name after a crash, too.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
