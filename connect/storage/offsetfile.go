package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// OpenOffsetFile opens the offsets of a worker by itself, which are in a file
// (offset.storage.file.filename) in the format of the Java worker. It is read
// now, and written as a whole with every Set; a file that is absent or empty
// holds no offset. One that is something else, or cut off, is an error and stays
// as it is; so does a folder that cannot be written to.
func OpenOffsetFile(path string, logger *zap.Logger) (*Offsets, error) {
	if logger == nil {
		logger = zap.NewNop()
	}
	f, err := openOffsetFile(path)
	if err != nil {
		return nil, err
	}
	o := &Offsets{logger: logger, index: offsetIndex{}}
	records := make([]*kgo.Record, 0, len(f.entries))
	for key, value := range f.entries {
		records = append(records, &kgo.Record{Key: []byte(key), Value: value})
	}
	o.handle(records)
	f.MemoryLog = NewMemoryLog(o.handle)
	o.log = f
	return o, nil
}

// offsetFile is a [MemoryLog] whose records are in the file before they count.
type offsetFile struct {
	*MemoryLog
	path string // with links resolved: the file is replaced, not the link

	mu      sync.Mutex // held while the file is written: one version after the other
	entries map[string][]byte
}

func openOffsetFile(path string) (*offsetFile, error) {
	explain := func(err error) error {
		return fmt.Errorf("the offsets file %s (offset.storage.file.filename) cannot be used: %w", path, err)
	}
	if path == "" {
		return nil, explain(errors.New("the name is empty"))
	}
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		resolved, err = path, nil
	}
	if err != nil {
		return nil, explain(err)
	}
	f := &offsetFile{path: resolved, entries: map[string][]byte{}}
	b, err := os.ReadFile(resolved)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, explain(err)
	}
	if len(b) > 0 {
		if f.entries, err = decodeJavaMap(b); err != nil {
			return nil, explain(fmt.Errorf("it is not a whole file of source offsets as Connect workers write them: %w; "+
				"name another file, or move this one away to begin without offsets", err))
		}
	}
	// Found out now, not with the first offsets. What is read is not touched.
	probe, err := f.create(nil)
	if err != nil {
		return nil, explain(err)
	}
	if err := os.Remove(probe); err != nil {
		return nil, explain(err)
	}
	return f, nil
}

// Append implements [Log]. After an error the file is as it was, and nothing
// was appended.
func (f *offsetFile) Append(ctx context.Context, records ...*kgo.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := maps.Clone(f.entries)
	for _, r := range records {
		if r.Value == nil {
			delete(next, string(r.Key))
			continue
		}
		next[string(r.Key)] = r.Value
	}
	if err := f.write(encodeJavaMap(next)); err != nil {
		return fmt.Errorf("write the offsets file %s: %w", f.path, err)
	}
	f.entries = next
	return f.MemoryLog.Append(ctx, records...)
}

// AppendEach implements [Log].
func (f *offsetFile) AppendEach(ctx context.Context, records []*kgo.Record) []error {
	errs := make([]error, len(records))
	if err := f.Append(ctx, records...); err != nil {
		for i := range errs {
			errs[i] = err
		}
	}
	return errs
}

// write replaces the file: after a crash it is the old one or the new one.
func (f *offsetFile) write(b []byte) error {
	written, err := f.create(b)
	if err != nil {
		return err
	}
	if err := os.Rename(written, f.path); err != nil {
		return errors.Join(err, os.Remove(written))
	}
	return syncFolder(filepath.Dir(f.path))
}

// create writes a new file beside the real one, to the disk, and returns its name.
func (f *offsetFile) create(b []byte) (_ string, err error) {
	mode := fs.FileMode(0o644) // what Java's would mostly be
	if info, err := os.Stat(f.path); err == nil {
		if !info.Mode().IsRegular() {
			return "", errors.New("it is not a regular file")
		}
		mode = info.Mode().Perm()
	}
	file, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+"-")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := file.Chmod(mode); err != nil {
		return "", err
	}
	if _, err := file.Write(b); err != nil {
		return "", err
	}
	return file.Name(), file.Sync()
}
