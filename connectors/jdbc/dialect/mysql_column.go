package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Fields describes a result set. Length and sign of a type are not in the
// driver's public description, but TINYINT(1) and BIT(1) are read unlike their
// longer kin, in queries as in tables; so they are taken from the driver's own
// record of the columns. A test holds the driver to this layout.
func (d *mySQL) Fields(_ context.Context, _ *Conn, rows driver.Rows, _ TableID) ([]Field, error) {
	if s, ok := rows.(*stmtRows); ok {
		rows = s.Rows
	}
	types, ok := rows.(interface {
		driver.RowsColumnTypeDatabaseTypeName
		driver.RowsColumnTypeNullable
	})
	own := reflect.Indirect(reflect.ValueOf(rows))
	if !ok || own.Kind() != reflect.Struct || !own.FieldByName("rs").IsValid() {
		return nil, errors.New("the linked MySQL driver describes its columns in an unknown way")
	}
	columns := own.FieldByName("rs").FieldByName("columns")
	fields := make([]Field, len(rows.Columns()))
	for i := range fields {
		c := columns.Index(i)
		nullable, _ := types.ColumnTypeNullable(i)
		f := Field{
			Name: c.FieldByName("name").String(), Table: c.FieldByName("tableName").String(),
			Type: types.ColumnTypeDatabaseTypeName(i), Length: int(c.FieldByName("length").Uint()),
			Scale: int(c.FieldByName("decimals").Uint()), Nullable: nullable,
			Unsigned: c.FieldByName("flags").Uint()&unsignedFlag != 0,
		}
		f.Type = strings.TrimPrefix(f.Type, "UNSIGNED ")
		f.Precision = f.Length // with room for the sign and the point
		if !f.Unsigned {
			f.Precision--
		}
		if f.Scale > 0 {
			f.Precision--
		}
		fields[i] = f
	}
	return fields, nil
}

const unsignedFlag = 1 << 5 // of the protocol's column definition

// Column returns the reader of a column (spec jdbc-source-types, "MariaDB /
// MySQL"). Values come over the binary protocol, so a FLOAT is the stored one
// (D27).
func (d *mySQL) Column(f Field, o ColumnOptions) (Column, error) {
	wider := func(signed, unsigned data.Type) Column {
		if f.Unsigned {
			return integer(f, unsigned)
		}
		return integer(f, signed)
	}
	switch f.Type {
	case "TINYINT":
		if f.Length == 1 && d.tinyAsBit {
			return integer(f, data.Int8), nil
		}
		return wider(data.Int8, data.Int16), nil
	case "SMALLINT":
		return wider(data.Int16, data.Int32), nil
	case "MEDIUMINT", "INT":
		return wider(data.Int32, data.Int64), nil
	case "BIGINT":
		return integer(f, data.Int64), nil
	case "YEAR":
		if !d.yearAsDate {
			return integer(f, data.Int32), nil
		}
		return yearColumn(f, o), nil
	case "FLOAT":
		return Column{Schema: primitive(data.Float32, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			x, ok := v.(float32)
			if !ok {
				return data.Null, readError(&f, v)
			}
			return data.Float32Of(x), nil
		}}, nil
	case "DOUBLE":
		return doubleColumn(f), nil
	case "DECIMAL":
		return Column{Schema: decimalSchema(f), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			s, ok := v.([]byte)
			if !ok {
				return data.Null, readError(&f, v)
			}
			return decimalOf(&f, s)
		}}, nil
	case "BIT":
		if f.Length == 1 {
			return bitColumn(f), nil
		}
		return bytes(f), nil
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "GEOMETRY", "VECTOR":
		return bytes(f), nil
	case "CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "ENUM", "SET", "JSON":
		return text(f), nil
	case "DATE":
		return dateColumn(f, func(v driver.Value) (int64, bool, error) {
			m, err := mysqlMoment(&f, v)
			return m.days(o.Proleptic) * 86_400_000, !m.zero(), err
		}), nil
	case "DATETIME", "TIMESTAMP":
		return timestampColumn(f, o, func(v driver.Value) (Timestamp, bool, error) {
			m, err := mysqlMoment(&f, v)
			if err != nil || m.zero() {
				return Timestamp{}, false, err
			}
			return m.timestamp(o.Zone, o.Proleptic), true, nil
		}), nil
	case "TIME":
		return mysqlTime(f, o), nil
	}
	return Column{}, nil // NULL, the type of a bare null in a query
}

// anyScale is the scale of floating point columns that were declared without one.
const anyScale = 31

// doubleColumn reads DOUBLE. DOUBLE(M,D) is what the server shows of it, the
// number rounded to D places, since -0.0001 is stored there as -9.999999999998899E-5
// (golden md_types_float).
func doubleColumn(f Field) Column {
	return Column{Schema: primitive(data.Float64, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		x, ok := v.(float64)
		if !ok {
			return data.Null, readError(&f, v)
		}
		if f.Scale < anyScale {
			var buf [400]byte
			shown := strconv.AppendFloat(buf[:0], x, 'f', f.Scale, 64)
			if r, err := strconv.ParseFloat(string(shown), 64); err == nil {
				x = r
			}
		}
		return data.Float64Of(x), nil
	}}
}

// bitColumn reads BIT(1), a byte that is 0 or 1.
func bitColumn(f Field) Column {
	return Column{Schema: primitive(data.Int8, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		b, ok := v.([]byte)
		if !ok || len(b) != 1 {
			return data.Null, readError(&f, v)
		}
		return data.Int8Of(int8(b[0])), nil
	}}
}

// yearColumn reads YEAR as the first of January, also the year 0.
func yearColumn(f Field, o ColumnOptions) Column {
	return dateColumn(f, func(v driver.Value) (int64, bool, error) {
		y, ok := v.(int64)
		if !ok {
			return 0, false, readError(&f, v)
		}
		return moment{year: y, month: 1, day: 1}.days(o.Proleptic) * 86_400_000, true, nil
	})
}

// mysqlTime reads TIME as the instant at which clocks of db.timezone show it on
// 1970-01-01. What is not within that day in UTC is refused by converters.
func mysqlTime(f Field, o ColumnOptions) Column {
	return Column{Schema: pick(f.Nullable, timeOptional, timeRequired), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		s, ok := v.([]byte)
		if !ok || len(s) == 0 {
			return data.Null, readError(&f, v)
		}
		negative := s[0] == '-'
		clock := s
		if negative {
			clock = s[1:]
		}
		seconds, nanos, ok := parseClock(clock)
		if !ok {
			return data.Null, readError(&f, v)
		}
		if negative {
			seconds = -seconds
			if nanos > 0 {
				seconds, nanos = seconds-1, 1_000_000_000-nanos
			}
		}
		return data.InstantOf(Timestamp{o.Zone.Instant(seconds), nanos}.Millis()), nil
	}}
}

func mysqlMoment(f *Field, v driver.Value) (moment, error) {
	s, ok := v.([]byte)
	if !ok {
		return moment{}, readError(f, v)
	}
	m, ok := parseMoment(s)
	if !ok {
		return moment{}, connect.NewDataError(fmt.Sprintf("column %s: %s is no date", f.Name, s), nil)
	}
	return m, nil
}
