package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Fields describes a result set. A column may be null unless the table that it
// comes from, also through views and subqueries, has one of its label that may
// not: the Java driver looks for the label there, so that a column which a
// query renames may be null.
func (d *sqLite) Fields(ctx context.Context, c *Conn, rows driver.Rows, _ TableID) ([]Field, error) {
	s, ok := rows.(*stmtRows)
	if !ok {
		return nil, fmt.Errorf("a %T has no fields: use Conn.Query", rows)
	}
	describer, ok := c.dc.(interface {
		ColumnInfo(query string) ([]sqlite.ColumnInfo, error)
	})
	if !ok {
		return nil, errors.New("the linked SQLite driver does not describe its columns")
	}
	columns, err := describer.ColumnInfo(s.query)
	if err != nil {
		return nil, fmt.Errorf("describing the columns of a result set: %w", err)
	}
	if len(columns) != len(rows.Columns()) {
		return nil, fmt.Errorf("the result set has %d columns, and its statement %d: the table was changed meanwhile", len(rows.Columns()), len(columns))
	}
	tables := map[string]*Table{"": {}} // an expression comes from none
	fields := make([]Field, len(columns))
	for i, column := range columns {
		origin := tables[column.TableName]
		if origin == nil {
			if origin, _, err = d.Table(ctx, c, TableID{Name: column.TableName}); err != nil {
				return nil, err
			}
			if origin == nil {
				origin = &Table{}
			}
			tables[column.TableName] = origin
		}
		f := Field{Name: column.Name, Table: column.TableName, Nullable: true}
		if of, ok := origin.Column(column.Name); ok {
			f.Nullable = of.Nullable
		}
		declared, args, has := strings.Cut(strings.ToUpper(column.DeclType), "(")
		f.Type = strings.TrimSpace(declared)
		if has {
			args, _, _ = strings.Cut(args, ")")
			p, s, _ := strings.Cut(args, ",")
			f.Precision, _ = strconv.Atoi(strings.TrimSpace(p))
			f.Scale, _ = strconv.Atoi(strings.TrimSpace(s))
		}
		fields[i] = f
	}
	return fields, nil
}

// Column returns the reader of a column (spec jdbc-source-types, "SQLite").
// Columns may hold values of any storage class; such a value is converted as
// SQLite itself would, which is told to Changed when it is not the same value.
func (d *sqLite) Column(f Field, o ColumnOptions) (Column, error) {
	s := sqliteReader{f: f, changed: o.Changed}
	switch f.Type {
	case "INTEGER":
		return s.integer(o), nil
	case "BOOLEAN":
		return Column{Schema: primitive(data.Boolean, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			return data.BoolOf(s.int64(v) != 0), nil
		}}, nil
	case "TINYINT":
		return Column{Schema: primitive(data.Int16, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			i := s.int64(v)
			s.check(int64(int16(i)) != i, v)
			return data.Int16Of(int16(i)), nil
		}}, nil
	case "SMALLINT", "INT2":
		return Column{Schema: primitive(data.Int32, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			i := s.int64(v)
			s.check(int64(int32(i)) != i, v)
			return data.Int32Of(int32(i)), nil
		}}, nil
	case "INT", "MEDIUMINT", "BIGINT", "INT8", "UNSIGNED BIG INT":
		return Column{Schema: primitive(data.Int64, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			return data.Int64Of(s.int64(v)), nil
		}}, nil
	case "REAL":
		return Column{Schema: primitive(data.Float32, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			x := s.float64(v)
			s.check(math.IsInf(float64(float32(x)), 0) && !math.IsInf(x, 0), v)
			return data.Float32Of(float32(x)), nil
		}}, nil
	case "DOUBLE", "DOUBLE PRECISION", "FLOAT":
		return s.double(), nil
	case "DECIMAL", "NUMERIC":
		return s.number(o)
	case "BLOB", "BINARY":
		return bytes(f), nil // D24
	case "TEXT", "VARCHAR", "VARYING CHARACTER", "NVARCHAR", "CHAR", "CHARACTER", "NCHAR", "NATIVE CHARACTER", "CLOB":
		return s.text(), nil
	case "DATE", "DATETIME":
		return dateColumn(f, func(v driver.Value) (int64, bool, error) {
			t, err := sqliteInstant(&f, v, UTC, o.Proleptic, true)
			return t.Millis(), true, err
		}), nil
	case "TIMESTAMP":
		return timestampColumn(f, o, func(v driver.Value) (Timestamp, bool, error) {
			t, err := sqliteInstant(&f, v, o.Zone, o.Proleptic, false)
			return t, true, err
		}), nil
	}
	switch f.First.(type) { // no type that is known: the first row decides
	case int64:
		return s.integer(o), nil
	case float64:
		return s.double(), nil
	case string:
		return s.text(), nil
	case []byte:
		return bytes(f), nil
	}
	return Column{}, connect.NewDataError(fmt.Sprintf("column %s has no declared type and is null in the first row, so its type is not known: declare a type, or CAST the column in a query", f.Name), nil)
}

// sqliteReader reads values of any storage class.
type sqliteReader struct {
	f       Field
	changed func(column, how string)
	told    bool
}

// check tells, once for the column, of a value that was changed.
func (s *sqliteReader) check(differs bool, v driver.Value) {
	if differs && !s.told && s.changed != nil {
		s.told = true
		s.changed(s.f.Name, fmt.Sprintf("%v does not fit the declared type %s", v, s.f.Type))
	}
}

// integer reads INTEGER as 32 bits, until a value needs 64 (D23).
func (s *sqliteReader) integer(o ColumnOptions) Column {
	f := s.f
	if o.wide(f.Name) {
		return Column{Schema: primitive(data.Int64, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			return data.Int64Of(s.int64(v)), nil
		}}
	}
	return Column{Schema: primitive(data.Int32, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		i := s.int64(v)
		if int64(int32(i)) != i {
			return data.Null, &OutOfRangeError{f.Name}
		}
		return data.Int32Of(int32(i)), nil
	}}
}

func (s *sqliteReader) double() Column {
	return Column{Schema: primitive(data.Float64, s.f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		return data.Float64Of(s.float64(v)), nil
	}}
}

func (s *sqliteReader) text() Column {
	return Column{Schema: primitive(data.String, s.f.Nullable), Read: func(v driver.Value, b *connect.SourceBatch) (data.Value, error) {
		var buf [32]byte
		switch v := v.(type) {
		case string:
			b.Grew(len(v))
			return data.StringOf(v), nil
		case []byte:
			return data.TextOf(b.Copy(v)), nil
		case int64:
			return data.TextOf(b.Copy(strconv.AppendInt(buf[:0], v, 10))), nil
		case float64:
			return data.TextOf(b.Copy(appendSQLiteFloat(buf[:0], v))), nil
		}
		return data.Null, readError(&s.f, v)
	}}
}

// number reads DECIMAL and NUMERIC (D24): with precision and scale as a
// Decimal, or as numeric.mapping asks; without them by the value of the first
// row, and then an inexact value is an error.
func (s *sqliteReader) number(o ColumnOptions) (Column, error) {
	f := s.f
	if f.Precision == 0 {
		switch f.First.(type) {
		case float64:
			return s.exact(data.Float64), nil
		case int64, nil:
			if o.wide(f.Name) {
				return s.exact(data.Int64), nil
			}
			return s.exact(data.Int32), nil
		}
		return Column{}, connect.NewDataError(fmt.Sprintf("column %s of type %s holds %v, for which no number type is exact: declare it with precision and scale", f.Name, f.Type, f.First), nil)
	}
	if f.Type == "NUMERIC" && f.Precision < 19 {
		switch integers := f.Scale == 0; {
		case integers && o.Numeric != NumericNone:
			return s.exact(integerOf(f.Precision)), nil
		case o.Numeric == NumericBestFit, o.Numeric == NumericBestFitEagerDouble:
			return s.double(), nil
		}
	}
	return Column{Schema: decimalSchema(f), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		switch v := v.(type) {
		case int64:
			return decimalOf(&f, strconv.FormatInt(v, 10))
		case float64:
			return decimalOf(&f, strconv.FormatFloat(v, 'g', -1, 64))
		case string:
			return decimalOf(&f, v)
		}
		return data.Null, readError(&f, v)
	}}, nil
}

// integerOf returns the integer type that numeric.mapping gives a precision.
func integerOf(precision int) data.Type {
	switch {
	case precision > 9:
		return data.Int64
	case precision > 4:
		return data.Int32
	case precision > 2:
		return data.Int16
	}
	return data.Int8
}

// exact reads numbers of one type and refuses all others.
func (s *sqliteReader) exact(t data.Type) Column {
	f := s.f
	if t != data.Float64 {
		c := integer(f, t)
		read := c.Read
		c.Read = func(v driver.Value, b *connect.SourceBatch) (data.Value, error) {
			if x, ok := v.(float64); ok && x == math.Trunc(x) && math.Abs(x) < 1<<63 {
				v = int64(x)
			}
			if i, ok := v.(int64); ok && t == data.Int32 && int64(int32(i)) != i {
				return data.Null, &OutOfRangeError{f.Name}
			}
			return read(v, b)
		}
		return c
	}
	return Column{Schema: primitive(data.Float64, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		switch v := v.(type) {
		case float64:
			return data.Float64Of(v), nil
		case int64:
			if x := float64(v); math.Abs(x) <= 1<<53 {
				return data.Float64Of(x), nil
			}
		}
		return data.Null, readError(&f, v)
	}}
}

// int64 converts as sqlite3_column_int64 does.
func (s *sqliteReader) int64(v driver.Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		s.check(v != math.Trunc(v) || math.Abs(v) >= 1<<63, v)
		switch {
		case v <= math.MinInt64:
			return math.MinInt64
		case v >= math.MaxInt64:
			return math.MaxInt64
		case v != v:
			return 0
		}
		return int64(v)
	case string:
		t := strings.TrimLeft(v, " \t\n\v\f\r")
		end := 0
		for end < len(t) && (t[end] >= '0' && t[end] <= '9' || end == 0 && (t[0] == '-' || t[0] == '+')) {
			end++
		}
		i, err := strconv.ParseInt(t[:end], 10, 64)
		if errors.Is(err, strconv.ErrSyntax) {
			i = 0
		}
		s.check(err != nil || end != len(t), v)
		return i
	case time.Time:
		s.check(true, v)
		return int64(v.Year())
	}
	s.check(true, v)
	return 0
}

// float64 converts as sqlite3_column_double does.
func (s *sqliteReader) float64(v driver.Value) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case string:
		t := strings.Trim(v, " \t\n\v\f\r")
		for end := len(t); end > 0; end-- { // the longest prefix that is a number
			if c := t[end-1]; c < '0' || c > '9' {
				if c != '.' {
					continue
				}
			}
			if x, err := strconv.ParseFloat(t[:end], 64); err == nil {
				s.check(end != len(t), v)
				return x
			}
		}
	}
	s.check(true, v)
	return 0
}

// appendSQLiteFloat writes a number as SQLite casts it to text: at most 15
// digits and always a point.
func appendSQLiteFloat(dst []byte, x float64) []byte {
	switch {
	case math.IsInf(x, 1):
		return append(dst, "Inf"...)
	case math.IsInf(x, -1):
		return append(dst, "-Inf"...)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, x, 'g', 15, 64)
	mantissa, exponent, scientific := strings.Cut(string(dst[start:]), "e")
	if strings.ContainsRune(mantissa, '.') {
		mantissa = strings.TrimRight(mantissa, "0")
	} else {
		mantissa += "."
	}
	if strings.HasSuffix(mantissa, ".") {
		mantissa += "0"
	}
	dst = append(dst[:start], mantissa...)
	if scientific {
		dst = append(append(dst, 'e'), exponent...)
	}
	return dst
}

// sqliteInstant reads a date or timestamp: a number is milliseconds since the
// epoch, a fraction a Julian day, a text the wall clock of zone z. The driver
// has parsed texts of columns declared as dates; it gives what the text shows
// as if it were UTC.
func sqliteInstant(f *Field, v driver.Value, z *Zone, proleptic, dateOnly bool) (Timestamp, error) {
	switch v := v.(type) {
	case int64:
		return TimestampOf(v), nil
	case float64:
		return TimestampOf(int64(math.Round((v - 2440587.5) * 86_400_000))), nil
	case time.Time:
		v = v.UTC()
		m := moment{int64(v.Year()), int64(v.Month()), int64(v.Day()), int64(v.Hour()*3600 + v.Minute()*60 + v.Second()), int32(v.Nanosecond())}
		return m.timestamp(z, proleptic), nil
	case string:
		if m, ok := parseMoment([]byte(v)); ok && (len(v) > 10 || !dateOnly) {
			return m.timestamp(z, proleptic), nil
		}
		return Timestamp{}, connect.NewDataError(fmt.Sprintf("column %s: Error parsing time stamp: %q is not of the form yyyy-MM-dd HH:mm:ss.SSS", f.Name, v), nil)
	}
	return Timestamp{}, readError(f, v)
}
