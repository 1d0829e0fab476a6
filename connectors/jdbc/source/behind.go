package source

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kconnect/connectors/jdbc/dialect"
)

// behind is how far a table's newest row is ahead of what was read. The newest
// row is asked for before a round, over the task's own connection, rarely and
// for a small part of the time; a scrape only loads what is known.
type behind struct {
	askAt  time.Time
	newest position

	rows  atomic.Int64 // unknown before the first answer
	ms    atomic.Int64
	known atomic.Bool
}

const (
	askNewestEvery = time.Minute
	askNewestShare = 20 // of the time that it takes, asking is a twentieth at most
)

// ask looks for the newest row. It never fails a round: what is wrong with the
// table or the connection shows in the statement that follows.
func (h *behind) ask(ctx context.Context, t *table, c *dialect.Conn, now func() time.Time) {
	began := now()
	if t.id.Name == "" || t.s.mode == bulk || began.Before(h.askAt) {
		return
	}
	newest, found, err := newestRow(ctx, t, c)
	h.askAt = now().Add(max(askNewestEvery, askNewestShare*now().Sub(began)))
	if err != nil {
		t.log.Debug("the newest row cannot be asked for", zap.String("table", t.id.String()), zap.Error(err))
		h.known.Store(false)
		return
	}
	if !found {
		newest = t.position
	}
	h.newest = newest
	h.known.Store(true)
	h.moved(t.position)
}

// moved takes in that the table was read up to p.
func (h *behind) moved(p position) {
	if !h.known.Load() {
		return
	}
	h.rows.Store(max(0, h.newest.id-max(0, p.lastID())))
	if p.hasTimestamp {
		h.ms.Store(max(0, h.newest.timestamp.Millis()-p.timestamp.Millis()))
	}
}

// newestRow returns the highest id, or in the modes with a timestamp the last one.
func newestRow(ctx context.Context, t *table, c *dialect.Conn) (p position, found bool, err error) {
	from, prefix := " FROM "+t.id.SQL(c), t.id.SQL(c)+"."
	if t.s.mode == incrementing {
		rows, err := c.Texts(ctx, "SELECT MAX("+prefix+c.Quote(t.criteria.id)+")"+from)
		if err != nil || len(rows) == 0 || rows[0][0] == "" {
			return p, false, err
		}
		p.id, err = strconv.ParseInt(rows[0][0], 10, 64)
		return p, err == nil, err
	}
	// Not MAX, whose type some databases do not tell.
	at := t.criteria.timestampExpression(c, prefix)
	rows, err := c.Query(ctx, strings.Join([]string{"SELECT ", at, " AS newest", from, " WHERE ", at, " IS NOT NULL ORDER BY ", at, " DESC LIMIT 1"}, ""))
	if err != nil {
		return p, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		if errors.Is(err, io.EOF) {
			return p, false, nil
		}
		return p, false, err
	}
	fields, err := c.Fields(ctx, c, rows, dialect.TableID{})
	if err != nil {
		return p, false, err
	}
	fields[0].First = row[0]
	column, err := c.Column(fields[0], t.s.columns)
	if err != nil || column.Instant == nil {
		return p, false, err
	}
	p.timestamp, err = column.Instant(row[0])
	return p, err == nil, err
}

// rowsBehind adds up the task's tables; not a number while none is known.
func (t *Task) rowsBehind() float64 {
	return t.furthest(func(sum float64, h *behind) float64 { return sum + float64(h.rows.Load()) })
}

// secondsBehind is of the table that is furthest behind.
func (t *Task) secondsBehind() float64 {
	return t.furthest(func(most float64, h *behind) float64 { return max(most, float64(h.ms.Load())/1000) })
}

func (t *Task) furthest(add func(float64, *behind) float64) float64 {
	result, known := 0.0, false
	for _, q := range t.tables { // which do not change after Start
		if q.behind.known.Load() {
			result, known = add(result, &q.behind), true
		}
	}
	if !known {
		return math.NaN()
	}
	return result
}
