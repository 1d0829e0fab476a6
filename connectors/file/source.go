package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/data"
)

const (
	// idle is how long a poll waits for new lines, and looks how often it looks.
	idle  = time.Second
	looks = 50 * time.Millisecond
	// maxLine bounds the memory that a file without line ends takes (Promise 6).
	maxLine = 64 << 20
)

// positionNames are the names of every offset.
var positionNames = []string{positionField}

// SourceTask reads the lines of one file, or of the standard input.
type SourceTask struct {
	stdin *input

	env   *connect.SourceEnv
	name  string // empty: standard input
	topic string
	batch int

	file      *os.File
	partition *connect.SourcePartition
	position  int64 // in bytes, behind the last line that was handed over
	lines     lines
	text      []byte // of a line whose bytes had to be replaced
	replaced  bool   // the log says that there was such a line
	waits     bool   // the log and the status say what for
}

var _ connect.SourceTask = (*SourceTask)(nil)

// Start implements connect.SourceTask. A file that is not there is waited for.
func (t *SourceTask) Start(ctx context.Context, env *connect.SourceEnv) error {
	v, err := sourceDef.Parse(env.Config)
	if err != nil {
		return err
	}
	t.env, t.name, t.topic, t.batch = env, v.String("file"), v.String("topic"), max(1, v.Int("batch.size"))
	if t.name == "" {
		t.partition = &connect.SourcePartition{Fields: []connect.Field{{Name: filenameField}}}
		return nil
	}
	t.partition = &connect.SourcePartition{Fields: []connect.Field{{Name: filenameField, Value: data.StringOf(t.name)}}}
	stored, err := env.Offsets.Offset(ctx, t.partition)
	if err != nil {
		return err
	}
	if p := stored.Get(positionField); p.Kind() == data.KindInt64 {
		t.position = p.Int()
	} else if !p.IsNull() {
		return &connect.Error{
			Message: "Offset position is the incorrect type",
			Remedy:  fmt.Sprintf("The stored offset of file %s has no whole number under %s: stop the connector and alter or reset its offsets.", t.name, positionField),
		}
	}
	return nil
}

// Poll implements connect.SourceTask.
func (t *SourceTask) Poll(ctx context.Context, b *connect.SourceBatch) error {
	b.Limit(t.batch)
	deadline := time.NewTimer(idle)
	defer deadline.Stop()
	look := time.NewTicker(looks)
	defer look.Stop()
	for {
		// What was read is taken before more is, so that memory stays bounded.
		if t.take(b); b.Full() || ctx.Err() != nil {
			return nil
		}
		n, err := t.fill()
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if len(b.Records) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-deadline.C:
			return nil
		case <-look.C:
		}
	}
}

// take hands over whole lines until the batch is full.
func (t *SourceTask) take(b *connect.SourceBatch) {
	now := t.env.Now().UnixMilli()
	for !b.Full() {
		line, size := t.lines.next()
		if size == 0 {
			return
		}
		t.position += int64(size)
		r := b.Add()
		r.Topic, r.Timestamp, r.Source = t.topic, now, t.partition
		r.ValueSchema, r.Value = data.StringSchema, data.TextOf(b.Copy(t.valid(line)))
		// The standard input has an offset, too, in Java: one that is null.
		offset := b.Values(1)
		if t.name != "" {
			offset[0] = data.Int64Of(t.position)
		}
		r.SourceOffset = connect.SourceOffset{Names: positionNames, Values: offset}
	}
}

// valid returns a line as UTF-8.
func (t *SourceTask) valid(line []byte) []byte {
	if utf8.Valid(line) {
		return line
	}
	if !t.replaced {
		t.replaced = true
		t.env.Logger.Warn("A line has bytes that are no UTF-8; they become U+FFFD, here and in later lines",
			zap.String("file", t.name), zap.Int64("position behind the line", t.position))
	}
	t.text = data.AppendUTF8(t.text[:0], line)
	return t.text
}

// fill reads what is there, up to a bound, and returns how much came.
func (t *SourceTask) fill() (int, error) {
	if t.lines.pending() > maxLine {
		return 0, &connect.Error{
			Message: fmt.Sprintf("The line at byte %d of %s is longer than %d bytes", t.position, t.label(), maxLine),
			Remedy:  "The source reads text whose lines end. If this is one, alter the connector's offset to a position behind the line.",
		}
	}
	if t.name == "" {
		select {
		case p := <-t.stdin.pieces():
			copy(t.lines.room(len(p)), p)
			t.lines.add(len(p))
			return len(p), nil
		default:
			return 0, nil
		}
	}
	if t.file == nil {
		if err := t.open(); err != nil || t.file == nil {
			return 0, err
		}
	}
	p := t.lines.room(chunk)
	n, err := t.file.ReadAt(p, t.position+int64(t.lines.pending()))
	t.lines.add(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, connect.NewRetriable("The file "+t.name+" cannot be read", err)
	}
	if n == 0 {
		return 0, t.checkEnd()
	}
	t.moves()
	return n, nil
}

// open opens the file; it leaves t.file nil when it is not there yet.
func (t *SourceTask) open() error {
	info, err := os.Stat(t.name)
	if err == nil && info.Mode()&(os.ModeDir|os.ModeNamedPipe|os.ModeSocket) != 0 {
		return &connect.Error{
			Message: fmt.Sprintf("%s is no file with positions but %s", t.name, info.Mode()),
			Remedy:  "Set file to a file of lines; a pipe is read as the standard input, without file.",
		}
	}
	if err == nil {
		t.file, err = os.Open(t.name)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist):
		t.waitsFor("The file " + t.name + " is not there yet")
		return nil
	case errors.Is(err, os.ErrPermission):
		return &connect.Error{Message: "The file " + t.name + " may not be read", Cause: err,
			Remedy: "Give the worker's user the right to read it, then restart the task."}
	}
	return connect.NewRetriable("The file "+t.name+" cannot be opened", err)
}

// checkEnd is called at the end of the file, and tells users when the source
// waits behind it: lines that are written now would be left out.
func (t *SourceTask) checkEnd() error {
	info, err := t.file.Stat()
	if err != nil {
		return connect.NewRetriable("The size of file "+t.name+" cannot be read", err)
	}
	if end := t.position + int64(t.lines.pending()); info.Mode().IsRegular() && info.Size() < end {
		t.waitsFor(fmt.Sprintf("The file %s has %d bytes, and the source goes on from byte %d. If it was written anew, stop the connector and reset its offsets", t.name, info.Size(), end))
		return nil
	}
	t.moves()
	return nil
}

// waitsFor tells users what the task waits for (Promise 5).
func (t *SourceTask) waitsFor(what string) {
	t.env.Health.Waiting(connect.NewRetriable(what, nil))
	if !t.waits {
		t.waits = true
		t.env.Logger.Warn(what+"; waiting", zap.String("file", t.name))
	}
}

// moves takes that back.
func (t *SourceTask) moves() {
	if t.waits {
		t.waits = false
		t.env.Health.Moving()
		t.env.Logger.Info("The file is there", zap.String("file", t.name))
	}
}

// label names the source in messages.
func (t *SourceTask) label() string {
	if t.name == "" {
		return "the standard input"
	}
	return "file " + t.name
}

// Stop implements connect.SourceTask.
func (t *SourceTask) Stop(context.Context) error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
