package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/data"
)

// idle is how long a poll waits for new lines, and how often it looks.
const (
	idle  = time.Second
	looks = 50 * time.Millisecond
)

// SourceTask reads the lines of one file, or of the standard input.
type SourceTask struct {
	env   *connect.SourceEnv
	name  string // empty: standard input
	topic string
	batch int

	file      *os.File
	partition *connect.SourcePartition
	names     []string // of offsets; nil for standard input, which cannot be read again
	position  int64    // behind the last line that was handed over
	buffer    []byte   // read and not yet handed over
	missing   bool     // the log says that the file is not there
	input     chan []byte
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
		t.input = make(chan []byte)
		go readInput(os.Stdin, t.input)
		return nil
	}
	t.partition = &connect.SourcePartition{Fields: []connect.Field{{Name: filenameField, Value: data.StringOf(t.name)}}}
	t.names = []string{positionField}
	stored, err := env.Offsets.Offset(ctx, t.partition)
	if err != nil {
		return err
	}
	if p := stored.Get(positionField); p.Kind() == data.KindInt64 {
		t.position = p.Int()
	} else if !p.IsNull() {
		return connect.NewError(fmt.Sprintf("The stored offset of file %s has no whole number under %s: alter or reset the connector's offsets", t.name, positionField), nil)
	}
	return nil
}

// readInput reads the standard input for as long as the process lives: a read
// of it cannot be given up.
func readInput(in io.Reader, out chan<- []byte) {
	defer close(out)
	for {
		chunk := make([]byte, 1<<16)
		n, err := in.Read(chunk)
		if n > 0 {
			out <- chunk[:n]
		}
		if err != nil {
			return
		}
	}
}

// Poll implements connect.SourceTask.
func (t *SourceTask) Poll(ctx context.Context, b *connect.SourceBatch) error {
	b.Limit(t.batch)
	deadline := time.NewTimer(idle)
	defer deadline.Stop()
	look := time.NewTicker(looks)
	defer look.Stop()
	for {
		if err := t.fill(ctx); err != nil {
			return err
		}
		if t.take(b); len(b.Records) > 0 {
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

// fill reads what is there, up to a bound unless a line is longer.
func (t *SourceTask) fill(ctx context.Context) error {
	if t.name == "" {
		select {
		case chunk := <-t.input:
			t.buffer = append(t.buffer, chunk...)
		case <-ctx.Done():
		default:
		}
		return nil
	}
	if t.file == nil {
		f, err := os.Open(t.name)
		if errors.Is(err, os.ErrNotExist) {
			if !t.missing {
				t.missing = true
				t.env.Logger.Warn("The file is not there yet; waiting for it", zap.String("file", t.name))
			}
			return nil
		}
		if err != nil {
			return connect.NewRetriable("The file "+t.name+" cannot be opened", err)
		}
		t.file, t.missing = f, false
	}
	const chunk = 1 << 16
	at := len(t.buffer)
	t.buffer = append(t.buffer, make([]byte, chunk)...)
	n, err := t.file.ReadAt(t.buffer[at:], t.position+int64(at))
	t.buffer = t.buffer[:at+n]
	if err != nil && !errors.Is(err, io.EOF) {
		return connect.NewRetriable("The file "+t.name+" cannot be read", err)
	}
	return nil
}

// take hands over whole lines until the batch is full.
func (t *SourceTask) take(b *connect.SourceBatch) {
	used := 0
	for !b.Full() {
		line, n := nextLine(t.buffer[used:])
		if n == 0 {
			break
		}
		used += n
		t.position += int64(n)
		r := b.Add()
		r.Topic, r.ValueSchema, r.Value = t.topic, data.StringSchema, data.TextOf(b.Copy(line))
		r.Source = t.partition
		if t.names != nil {
			position := b.Values(1)
			position[0] = data.Int64Of(t.position)
			r.SourceOffset = connect.SourceOffset{Names: t.names, Values: position}
		}
	}
	t.buffer = append(t.buffer[:0], t.buffer[used:]...)
}

// nextLine returns the first whole line without its end, and the bytes with
// it; 0 when there is none. A line ends with \n, \r\n or \r; a \r that is the
// last byte may be half an end, so it has to wait.
func nextLine(p []byte) (line []byte, n int) {
	i := bytes.IndexAny(p, "\r\n")
	switch {
	case i < 0, p[i] == '\r' && i+1 == len(p):
		return nil, 0
	case p[i] == '\r' && p[i+1] == '\n':
		return p[:i], i + 2
	}
	return p[:i], i + 1
}

// Stop implements connect.SourceTask.
func (t *SourceTask) Stop(context.Context) error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
