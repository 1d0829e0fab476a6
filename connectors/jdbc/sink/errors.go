package sink

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// sqlError is an error of the database with what it was about.
type sqlError struct {
	err     error
	table   string          // as messages name it; empty when no table was concerned
	record  *connect.Record // nil when no single record is to blame
	shape   *shape          // of the record
	connect bool            // the connection could not be opened
}

func (e *sqlError) Error() string { return e.err.Error() }
func (e *sqlError) Unwrap() error { return e.err }

// fail wraps an error of the database.
func (w *writer) fail(err error, t *table, s *shape) error {
	return &sqlError{err: err, table: t.id.Text(), shape: s}
}

// class returns the class of an error; one that is not of the database is Permanent.
func (w *writer) class(err error) dialect.Class {
	if e, ok := errors.AsType[*sqlError](err); ok {
		return w.target.Classify(e.err)
	}
	return dialect.Permanent
}

// chain returns the error as Java's users know it: an SQLException that lists
// the messages of the database. What it was about and what to do follow.
func (w *writer) chain(e *sqlError) *connect.Error {
	text, code := w.target.Describe(e.err)
	if w.s.hideValues {
		text = code
	}
	var b strings.Builder
	b.WriteString("Exception chain:\njava.sql.SQLException: ")
	b.WriteString(text)
	b.WriteByte('\n')
	if e.table != "" {
		b.WriteString("Table " + e.table)
		if e.record != nil {
			b.WriteString(", " + place(e.record))
			if e.shape != nil && !w.s.hideValues {
				b.WriteString(", row (" + row(e.shape, e.record) + ")")
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString("Remedy: " + w.target.Remedy(e.err) + "\n")
	return &connect.Error{Class: connect.ClassSQL, Kind: connect.Data, Message: b.String()}
}

// fatal returns the error that fails the task for an error of the database.
func (w *writer) fatal(e *sqlError) error {
	chain := w.chain(e)
	return connect.NewError(connect.ClassSQL+": "+chain.Message, chain)
}

// place names a record by where it was consumed.
func place(r *connect.Record) string {
	return "record at (topic='" + r.Origin.Topic + "',partition=" + strconv.Itoa(int(r.Origin.Partition)) + ",offset=" + strconv.FormatInt(r.Origin.Offset, 10) + ")"
}

// row shows what a record has for the columns of its table, long values cut.
func row(s *shape, r *connect.Record) string {
	var b strings.Builder
	columns := s.bound
	if r.Value.IsNull() { // a delete has its keys alone
		columns = columns[:s.keys]
	}
	for i := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > 1000 {
			b.WriteString("...")
			break
		}
		c := &columns[i]
		b.WriteString(c.Name + "=" + valueText(c.value(r)))
	}
	return b.String()
}

func valueText(v data.Value) string {
	const longest = 60 // bytes of one value
	switch v.Kind() {
	case data.KindNull:
		return "null"
	case data.KindBool:
		if v.Bool() {
			return "true"
		}
		return "false"
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return strconv.FormatInt(v.Int(), 10)
	case data.KindInstant:
		return time.UnixMilli(v.Instant()).UTC().Format(time.RFC3339Nano)
	case data.KindDecimal:
		return v.Decimal().String()
	case data.KindString:
		s := v.Str()
		if len(s) > longest {
			s = strings.ToValidUTF8(s[:longest], "") + "..."
		}
		return "'" + s + "'"
	default:
		return "<" + className(v) + ">"
	}
}
