package source

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"sync/atomic"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// resultSet is one round of a table while its rows are read. It outlives the
// poll that opened it, so it has a context of its own.
type resultSet struct {
	rows   driver.Rows
	cancel context.CancelFunc // breaks the connection, for rows that nobody will read
	fields []dialect.Field    // with the first row
	layout *layout
	row    []driver.Value // the next row; it is the driver's until next is called
	done   bool
}

// next reads the next row. The driver's buffers of the row before are lost.
func (r *resultSet) next() error {
	err := r.rows.Next(r.row)
	if errors.Is(err, io.EOF) {
		r.done = true
		return nil
	}
	return err
}

// close ends a result set that was read to its end; others are cancelled
// first, because the driver would read all of the remaining rows.
func (r *resultSet) close() error {
	if !r.done {
		r.cancel()
	}
	err := r.rows.Close()
	r.cancel()
	return err
}

// fill adds rows to b until it is full, it is late, or the round is over. On an
// error the rows that b holds by then are good, and t stands behind the last of
// them.
func (t *table) fill(d dialect.Dialect, b *connect.SourceBatch, late *atomic.Bool) error {
	r := t.result
	for !r.done && !b.Full() && (!late.Load() || len(b.Records) == 0) {
		values, err := r.layout.read(r.row, b)
		if err != nil {
			if values, err = t.widen(err, d, b); err != nil {
				return err
			}
		}
		p, err := r.layout.position(r.row, values)
		if err != nil {
			return err
		}
		if t.criteria.mode == timestamp {
			err = t.addTimestamp(b, values, p)
		} else {
			t.add(b, values, p)
			err = r.next()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add makes a record that carries position p.
func (t *table) add(b *connect.SourceBatch, values []data.Value, p position) {
	schema := t.result.layout.schema
	rec := b.Add()
	rec.Topic = t.topic
	rec.ValueSchema = schema
	rec.Value = b.Struct(schema, values)
	rec.Source = t.partition
	rec.SourceOffset = p.offset(t.criteria.mode, b)
	t.position = p
}

// addTimestamp makes a record of timestamp mode. Rows of one instant must not
// be torn apart by a crash, so while the next row has the same instant a record
// carries the position before it: a crash repeats rows and loses none.
func (t *table) addTimestamp(b *connect.SourceBatch, values []data.Value, p position) error {
	r := t.result
	before := t.position
	t.add(b, values, before)
	if err := r.next(); err != nil {
		return err
	}
	if !r.done {
		next, ok, err := r.layout.instant(r.row)
		if err != nil || ok && next == p.timestamp {
			return err
		}
	}
	b.Records[len(b.Records)-1].SourceOffset = p.offset(timestamp, b)
	t.position = p
	return nil
}

// widen makes a 32-bit column of SQLite one of 64 bits and reads the row again
// (D23). Records that were made before keep their schema.
func (t *table) widen(err error, d dialect.Dialect, b *connect.SourceBatch) ([]data.Value, error) {
	var wide *dialect.OutOfRangeError
	for errors.As(err, &wide) && !t.wide[wide.Column] {
		if t.wide == nil {
			t.wide = map[string]bool{}
		}
		t.wide[wide.Column] = true
		if err := t.layOut(d); err != nil {
			return nil, err
		}
		var values []data.Value
		if values, err = t.result.layout.read(t.result.row, b); err == nil {
			return values, nil
		}
	}
	return nil, err
}
