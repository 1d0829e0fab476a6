package source

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"kconnect/connectors/jdbc/dialect"
)

// criteria are the columns by which new rows of one table are found.
type criteria struct {
	mode       mode
	id         string   // the incrementing column, in modes that have one
	timestamps []string // the timestamp columns, in modes that have any
}

// write appends WHERE and ORDER BY. prefix qualifies the columns. With again
// the last instant or id is asked for once more (D15); without it the text is
// the Java connector's.
func (c *criteria) write(b *strings.Builder, d dialect.Dialect, prefix string, again bool) {
	id := prefix + d.Quote(c.id)
	ts := c.timestampExpression(d, prefix)
	after := " > ?"
	if again {
		after = " >= ?"
	}
	switch {
	case c.mode == incrementing:
		b.WriteString(" WHERE " + id + after + " ORDER BY " + id + " ASC")
	case c.mode == timestamp:
		b.WriteString(" WHERE " + ts + after + " AND " + ts + " < ? ORDER BY " + ts + " ASC")
	case c.mode == timestampIncrementing && again:
		b.WriteString(" WHERE " + ts + " < ? AND " + ts + after + " ORDER BY " + ts + "," + id + " ASC")
	case c.mode == timestampIncrementing:
		b.WriteString(" WHERE " + ts + " < ? AND ((" + ts + " = ? AND " + id + " > ?) OR " + ts + " > ?) ORDER BY " + ts + "," + id + " ASC")
	}
}

// writeGaps appends WHERE and ORDER BY for rows that were missing (D14).
func (c *criteria) writeGaps(b *strings.Builder, d dialect.Dialect, prefix string, spans []span) {
	id := prefix + d.Quote(c.id)
	var single, wide []string
	for _, s := range spans {
		if s.first == s.last {
			single = append(single, strconv.FormatInt(s.first, 10))
		} else {
			wide = append(wide, fmt.Sprintf("%s BETWEEN %d AND %d", id, s.first, s.last))
		}
	}
	if len(single) > 0 {
		wide = append(wide, id+" IN ("+strings.Join(single, ",")+")")
	}
	b.WriteString(" WHERE (" + strings.Join(wide, " OR ") + ")")
	if c.mode.timestamp() {
		ts := c.timestampExpression(d, prefix)
		b.WriteString(" AND " + ts + " > ? AND (" + ts + " < ? OR (" + ts + " = ? AND " + id + " <= ?))")
	}
	b.WriteString(" ORDER BY " + id + " ASC")
}

// gapArguments returns what the placeholders of writeGaps stand for: rows
// behind the position from are left to the table's own statement, and those at
// or before the instant since to whoever read there.
func (c *criteria) gapArguments(d dialect.Dialect, since dialect.Timestamp, from position, o *dialect.ColumnOptions) []driver.Value {
	if !c.mode.timestamp() {
		return nil
	}
	at := d.BindTimestamp(from.timestamp, o)
	return []driver.Value{d.BindTimestamp(since, o), at, at, from.lastID()}
}

func (c *criteria) timestampExpression(d dialect.Dialect, prefix string) string {
	columns := make([]string, len(c.timestamps))
	for i, name := range c.timestamps {
		columns[i] = prefix + d.Quote(name)
	}
	if len(columns) == 1 {
		return columns[0]
	}
	return "COALESCE(" + strings.Join(columns, ",") + ")"
}

// arguments returns what the placeholders of write stand for: everything after
// the position from, or also at its instant or id, and before the instant end in the
// timestamp modes.
func (c *criteria) arguments(d dialect.Dialect, from position, again bool, end dialect.Timestamp, o *dialect.ColumnOptions) []driver.Value {
	begin := d.BindTimestamp(from.timestamp, o)
	switch {
	case c.mode == incrementing:
		return []driver.Value{from.lastID()}
	case c.mode == timestamp:
		return []driver.Value{begin, d.BindTimestamp(end, o)}
	case c.mode == timestampIncrementing && again:
		return []driver.Value{d.BindTimestamp(end, o), begin}
	case c.mode == timestampIncrementing:
		return []driver.Value{d.BindTimestamp(end, o), begin, from.lastID(), begin}
	}
	return nil
}
