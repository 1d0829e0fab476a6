package source

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

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
// first, because the driver would read all of the remaining rows. Then the
// driver's error says no more than that.
func (r *resultSet) close() error {
	if !r.done {
		r.cancel()
		_ = r.rows.Close()
		return nil
	}
	err := r.rows.Close()
	r.cancel()
	return err
}

// fill adds rows to b until it is full, it is late, or the round is over. On an
// error the rows that b holds by then are good, and t stands behind the last of
// them.
func (t *table) fill(d dialect.Dialect, b *connect.SourceBatch, late *atomic.Bool) error {
	defer t.note(b)
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
		switch {
		case len(t.pass.spans) > 0:
			t.addLate(b, values, p)
			err = r.next()
		case t.watch.again != nil && t.watch.sent(p, t.rowKey(p)):
			err = r.next()
		case t.criteria.mode == timestamp:
			err = t.addTimestamp(b, values, p)
		default:
			t.add(b, values, p)
			err = r.next()
			if t.bulk != nil {
				t.bulk.mark(&b.Records[len(b.Records)-1], r.done)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add makes a record that carries position p, unless it is a late row of the
// last instant: the position does not go back, or a Java worker that takes over
// would send again what follows it.
func (t *table) add(b *connect.SourceBatch, values []data.Value, p position) {
	t.observe(p)
	rec := t.record(b, values)
	if !t.again || !p.before(t.position) {
		t.position = p
	}
	if t.withholds() {
		t.withheld = true
		return
	}
	rec.SourceOffset = t.position.offset(t.criteria.mode, b)
}

func (t *table) record(b *connect.SourceBatch, values []data.Value) *connect.Record {
	schema := t.result.layout.schema
	t.count++
	rec := b.Add()
	rec.Topic = t.topic
	rec.ValueSchema = schema
	rec.Value = b.Struct(schema, values)
	rec.Source = t.partition
	t.result.layout.key.set(rec, values, b)
	return rec
}

// withholds reports whether a position needs notes beside it, and so must not
// be stored with its record alone (Promise 1): when there are gaps that no note
// in Kafka has. With a timestamp the notes say up to where ids were watched.
func (t *table) withholds() bool {
	return t.watch.on() && (t.criteria.mode == timestampIncrementing || t.criteria.mode == incrementing && t.watch.changed)
}

// observe notes a row that is sent by the table's own statement.
func (t *table) observe(p position) {
	w := &t.watch
	if !w.on() {
		return
	}
	if t.criteria.mode.incrementing() {
		w.see(p.id, t.ours.UnixMilli())
	}
	t.remember(p, false)
}

// remember notes a row of what may be the last instant or id.
func (t *table) remember(p position, late bool) {
	w := &t.watch
	if t.criteria.mode == incrementing {
		if w.unique {
			return
		}
	} else if !w.recent(p.timestamp, t.clock) {
		return
	}
	w.remember(p, t.rowKey(p), t.clock, late)
}

// rowKey tells rows of one instant or id apart.
func (t *table) rowKey(p position) uint64 {
	if t.criteria.mode == timestampIncrementing {
		return uint64(p.id)
	}
	return hashRow(t.result.row)
}

// addLate makes a record of a row that was missing (D14). The table's position
// stays; that the row is no longer missing is stored with the notes.
func (t *table) addLate(b *connect.SourceBatch, values []data.Value, p position) {
	w := &t.watch
	if !w.gaps.has(p.id) && (t.pass.sent == 0 || p.id != t.lastLate) {
		return // a row between two gaps
	}
	w.fill(p.id)
	t.remember(p, true)
	t.record(b, values)
	t.lastLate, t.pass.sent = p.id, t.pass.sent+1
	w.counts.late.Add(1)
}

// note ends a batch with what the table has to remember beside positions.
func (t *table) note(b *connect.SourceBatch) {
	w := &t.watch
	if w.on() && (w.changed || t.withheld) {
		b.Store(t.notes, w.notes(t.position, b))
		if t.withheld {
			b.Store(t.partition, t.position.offset(t.criteria.mode, b))
		}
	}
	w.changed, t.withheld = false, false
	w.report()
}

// addTimestamp makes a record of timestamp mode. Rows of one instant must not
// be torn apart by a crash, so while the next row has the same instant a record
// carries the position before it: a crash repeats rows and loses none.
func (t *table) addTimestamp(b *connect.SourceBatch, values []data.Value, p position) error {
	r := t.result
	before := t.position
	t.observe(p)
	t.record(b, values).SourceOffset = before.offset(timestamp, b)
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

// nothing ends a statement that gave no row.
func (t *table) nothing() {
	t.watch.empty = t.watch.empty || len(t.pass.spans) == 0 && !t.position.hasID && !t.position.hasTimestamp
}

// over ends a statement that was read to its end. It reports whether the round
// goes on with another one, which looks for what is missing.
func (t *table) over(now time.Time) bool {
	w := &t.watch
	if !w.on() {
		return false
	}
	if len(t.pass.spans) == 0 {
		t.barren = !t.again && t.count == 0
		if t.again && w.repeated() {
			t.log.Warn("the rows of the last instant or id read differently each time; it is no longer asked for again, and rows that come to it late are lost", zap.String("table", t.id.String()))
		}
		if len(w.gaps.ranges) == 0 || now.Before(t.askAt) {
			return false
		}
		t.pass = pass{began: now, spans: w.gaps.asked()}
		return true
	}
	if t.pass.sent > 0 && t.s.suffix != "" {
		t.pass.open = true // a LIMIT may have hidden more
	}
	t.pass.spans, t.pass.sent = t.pass.spans[t.pass.size:], 0
	if len(t.pass.spans) > 0 {
		return true
	}
	if !t.pass.open {
		t.closeGaps()
		t.tell("ids that were skipped did not come within kconnect.gap.timeout.ms and are no longer asked for", w.expire(t.pass.began.UnixMilli()))
	}
	t.tell("more ids are missing than can be watched; rows that get the oldest of them now are lost", w.lost)
	w.lost = givenUp{}
	// Looking for gaps takes a twentieth of the time at most.
	t.askAt = now.Add(max(askEvery(t.s.gapTimeout), 19*now.Sub(t.pass.began)))
	return false
}

// tell counts and logs ids that were given up.
func (t *table) tell(what string, g givenUp) {
	if g.ids == 0 {
		return
	}
	t.watch.counts.givenUp.Add(int64(g.ids))
	t.log.Info(what, zap.String("table", t.id.String()), zap.Uint64("ids", g.ids), zap.Int64("first", g.first), zap.Int64("last", g.last))
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
