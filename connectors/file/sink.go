package file

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"kconnect/connect"
	"kconnect/connect/data"
)

// SinkTask appends records to a file, or to the standard output, each as the
// text of its value and a line end.
type SinkTask struct {
	name string
	out  io.Writer
	file *os.File // nil: standard output
	text []byte
	ends []int  // of the records in text
	torn []byte // the rest of a record that a failed write cut
}

var _ connect.SinkTask = (*SinkTask)(nil)

// Start implements connect.SinkTask.
func (t *SinkTask) Start(_ context.Context, env *connect.SinkEnv) error {
	if t.name = env.Config["file"]; t.name == "" {
		t.name, t.out = "standard output", os.Stdout
		return nil
	}
	f, err := os.OpenFile(t.name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return connect.NewError("Couldn't find or create file '"+t.name+"' for FileStreamSinkTask", err)
	}
	t.file, t.out = f, f
	return nil
}

// Put implements connect.SinkTask. When it returns, the lines are with the
// operating system, as in Java: an end of the process loses none of them
// (Promise 1), an end of the machine may.
func (t *SinkTask) Put(_ context.Context, records []connect.Record) error {
	// A delivery that failed comes again as a whole, so lines are repeated; but
	// the one that was cut is ended first, so that all lines stay whole.
	t.text = append(t.text[:0], t.torn...)
	t.ends = append(t.ends[:0], len(t.text))
	for i := range records {
		t.text = append(data.AppendText(t.text, records[i].Value), '\n')
		t.ends = append(t.ends, len(t.text))
	}
	n, err := t.out.Write(t.text)
	if err != nil {
		i, _ := slices.BinarySearch(t.ends, n)
		t.torn = slices.Clone(t.text[n:t.ends[i]])
		return connect.NewRetriable("The file "+t.name+" cannot be written", err)
	}
	t.torn = nil
	return nil
}

// Stop implements connect.SinkTask.
func (t *SinkTask) Stop(context.Context) error {
	if t.file == nil {
		return nil
	}
	_, err := t.file.Write(t.torn)
	return errors.Join(err, t.file.Close())
}
