package source

import (
	"database/sql/driver"
	"strings"

	"kconnect/connectors/jdbc/dialect"
)

// criteria are the columns by which new rows of one table are found.
type criteria struct {
	mode       mode
	id         string   // the incrementing column, in modes that have one
	timestamps []string // the timestamp columns, in modes that have any
}

// write appends WHERE and ORDER BY. prefix qualifies the columns.
func (c *criteria) write(b *strings.Builder, d dialect.Dialect, prefix string) {
	id := prefix + d.Quote(c.id)
	ts := c.timestampExpression(d, prefix)
	switch c.mode {
	case incrementing:
		b.WriteString(" WHERE " + id + " > ? ORDER BY " + id + " ASC")
	case timestamp:
		b.WriteString(" WHERE " + ts + " > ? AND " + ts + " < ? ORDER BY " + ts + " ASC")
	case timestampIncrementing:
		b.WriteString(" WHERE " + ts + " < ? AND ((" + ts + " = ? AND " + id + " > ?) OR " + ts + " > ?) ORDER BY " + ts + "," + id + " ASC")
	}
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
// the position from, and before the instant end in the timestamp modes.
func (c *criteria) arguments(d dialect.Dialect, from position, end dialect.Timestamp, o *dialect.ColumnOptions) []driver.Value {
	begin := d.BindTimestamp(from.timestamp, o)
	switch c.mode {
	case incrementing:
		return []driver.Value{from.lastID()}
	case timestamp:
		return []driver.Value{begin, d.BindTimestamp(end, o)}
	case timestampIncrementing:
		return []driver.Value{d.BindTimestamp(end, o), begin, from.lastID(), begin}
	}
	return nil
}
