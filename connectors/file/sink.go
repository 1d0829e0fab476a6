package file

import (
	"context"
	"os"

	"kconnect/connect"
	"kconnect/connect/data"
)

// SinkTask appends records to a file, or to the standard output, each as the
// text of its value and a line end.
type SinkTask struct {
	name   string
	file   *os.File
	buffer []byte
}

var _ connect.SinkTask = (*SinkTask)(nil)

// Start implements connect.SinkTask.
func (t *SinkTask) Start(_ context.Context, env *connect.SinkEnv) error {
	if t.name = env.Config["file"]; t.name == "" {
		t.file = os.Stdout
		return nil
	}
	f, err := os.OpenFile(t.name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644) //nolint:gosec // what the user's other tools read
	if err != nil {
		return connect.NewError("Couldn't find or create file '"+t.name+"' for FileStreamSinkTask", err)
	}
	t.file = f
	return nil
}

// Put implements connect.SinkTask. When it returns the lines are with the
// operating system.
func (t *SinkTask) Put(_ context.Context, records []connect.Record) error {
	t.buffer = t.buffer[:0]
	for i := range records {
		t.buffer = append(data.AppendText(t.buffer, records[i].Value), '\n')
	}
	if _, err := t.file.Write(t.buffer); err != nil {
		return connect.NewRetriable("The file "+t.name+" cannot be written", err)
	}
	return nil
}

// Stop implements connect.SinkTask.
func (t *SinkTask) Stop(context.Context) error {
	if t.file == nil || t.name == "" {
		return nil
	}
	return t.file.Close()
}
