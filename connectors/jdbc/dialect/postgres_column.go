package dialect

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Column returns the reader of a column (spec jdbc-source-types, "PostgreSQL").
// Types that Java's driver knows as OTHER, ARRAY or STRUCT are left out, except
// json, jsonb and uuid, unless o.Native.
func (d *postgreSQL) Column(f Field, o ColumnOptions) (Column, error) {
	switch f.Type {
	case "BOOL":
		return fixed(f, data.Boolean, 1, func(b []byte) data.Value { return data.BoolOf(b[0] != 0) }), nil
	case "INT2":
		return fixed(f, data.Int16, 2, func(b []byte) data.Value { return data.Int16Of(int16(binary.BigEndian.Uint16(b))) }), nil
	case "INT4":
		return fixed(f, data.Int32, 4, func(b []byte) data.Value { return data.Int32Of(int32(binary.BigEndian.Uint32(b))) }), nil
	case "INT8":
		return fixed(f, data.Int64, 8, func(b []byte) data.Value { return data.Int64Of(int64(binary.BigEndian.Uint64(b))) }), nil
	case "OID":
		return fixed(f, data.Int64, 4, func(b []byte) data.Value { return data.Int64Of(int64(binary.BigEndian.Uint32(b))) }), nil
	case "FLOAT4":
		return fixed(f, data.Float32, 4, func(b []byte) data.Value {
			return data.Float32Of(math.Float32frombits(binary.BigEndian.Uint32(b)))
		}), nil
	case "FLOAT8":
		return fixed(f, data.Float64, 8, func(b []byte) data.Value {
			return data.Float64Of(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}), nil
	case "NUMERIC":
		return postgresNumeric(f, o), nil
	case "MONEY":
		return postgresMoney(f), nil
	case "BIT":
		return postgresBit(f, o), nil
	case "BYTEA":
		return bytes(f), nil
	case "UUID":
		return postgresUUID(f), nil
	case "TEXT", "VARCHAR", "BPCHAR", "NAME", "CHAR", "JSON", "JSONB", "XML", enumType:
		return text(f), nil
	case "DATE":
		return dateColumn(f, func(v driver.Value) (int64, bool, error) {
			b, err := sized(&f, v, 4)
			if err != nil {
				return 0, false, err
			}
			return pgDate(int32(binary.BigEndian.Uint32(b)), o.Proleptic), true, nil
		}), nil
	case "TIMESTAMP":
		return timestampColumn(f, o, pgTimestampParser(f, o.Zone, o.Proleptic)), nil
	case "TIMESTAMPTZ": // an instant, whatever db.timezone is
		return timestampColumn(f, o, pgTimestampParser(f, UTC, o.Proleptic)), nil
	case "TIME":
		return postgresTime(f, 8, func(b []byte) Timestamp {
			us := int64(binary.BigEndian.Uint64(b))
			s := floorDiv(us, 1_000_000)
			return Timestamp{o.Zone.Instant(s), int32(us-s*1_000_000) * 1000}
		}), nil
	case "TIMETZ":
		return postgresTime(f, 12, func(b []byte) Timestamp {
			us := int64(binary.BigEndian.Uint64(b))
			s := floorDiv(us, 1_000_000)
			west := int64(int32(binary.BigEndian.Uint32(b[8:])))
			return Timestamp{s + west, int32(us-s*1_000_000) * 1000}
		}), nil
	}
	switch {
	case !o.Native:
		return Column{}, nil
	case f.Element != nil:
		return d.arrayColumn(f, o)
	}
	return text(f), nil
}

// sized returns a value in binary form, of so many bytes.
func sized(f *Field, v driver.Value, size int) ([]byte, error) {
	b, ok := v.([]byte)
	if !ok || len(b) != size {
		return nil, readError(f, v)
	}
	return b, nil
}

// fixed returns a column of a type whose binary form has a fixed size.
func fixed(f Field, t data.Type, size int, of func([]byte) data.Value) Column {
	return Column{Schema: primitive(t, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		b, err := sized(&f, v, size)
		if err != nil {
			return data.Null, err
		}
		return of(b), nil
	}}
}

func postgresTime(f Field, size int, of func([]byte) Timestamp) Column {
	return Column{Schema: pick(f.Nullable, timeOptional, timeRequired), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		b, err := sized(&f, v, size)
		if err != nil {
			return data.Null, err
		}
		return data.InstantOf(of(b).Millis()), nil
	}}
}

// The server counts from 2000-01-01; these are that day and its first second.
const (
	pgEpochDay    = 10957
	pgEpochSecond = pgEpochDay * 86400
)

// What Java's driver makes of infinity.
var (
	pgInfinity      = TimestampOf(9223372036825200000)
	pgMinusInfinity = TimestampOf(-9223372036832400000)
)

// pgTimestampParser returns how a count of microseconds is read as the time that
// clocks of z show.
func pgTimestampParser(f Field, z *Zone, proleptic bool) func(driver.Value) (Timestamp, bool, error) {
	return func(v driver.Value) (Timestamp, bool, error) {
		b, err := sized(&f, v, 8)
		if err != nil {
			return Timestamp{}, false, err
		}
		us := int64(binary.BigEndian.Uint64(b))
		switch us {
		case math.MaxInt64:
			return pgInfinity, true, nil
		case math.MinInt64:
			return pgMinusInfinity, true, nil
		}
		s := floorDiv(us, 1_000_000)
		nanos := int32(us-s*1_000_000) * 1000
		s += pgEpochSecond
		if day := floorDiv(s, 86400); day < cutover && !proleptic {
			s += (hybridDay(gregorianDate(day)) - day) * 86400
		}
		return Timestamp{z.Instant(s), nanos}, true, nil
	}
}

// pgDate returns milliseconds since the epoch. Infinity is not a whole day,
// which converters refuse, as in Java.
func pgDate(day int32, proleptic bool) int64 {
	switch day {
	case math.MaxInt32:
		return pgInfinity.Millis()
	case math.MinInt32:
		return pgMinusInfinity.Millis()
	}
	d := int64(day) + pgEpochDay
	if d < cutover && !proleptic {
		d = hybridDay(gregorianDate(d))
	}
	return d * 86_400_000
}

func postgresUUID(f Field) Column {
	return Column{Schema: primitive(data.String, f.Nullable), Read: func(v driver.Value, b *connect.SourceBatch) (data.Value, error) {
		id, err := sized(&f, v, 16)
		if err != nil {
			return data.Null, err
		}
		var text [36]byte
		return data.TextOf(b.Copy(appendUUID(text[:0], id))), nil
	}}
}

func appendUUID(dst, id []byte) []byte {
	dst = hex.AppendEncode(dst, id[:4])
	for i, end := range [...]int{6, 8, 10, 16} {
		start := 4 + 2*i
		dst = hex.AppendEncode(append(dst, '-'), id[start:end])
	}
	return dst
}

// unlimitedScale is that of a numeric without precision and scale.
const unlimitedScale = 127

// postgresNumeric reads numeric as numeric.mapping asks (spec jdbc-source-types,
// "numeric.mapping"). One without precision and scale counts as having 0 of
// both there, which makes it an INT8.
func postgresNumeric(f Field, o ColumnOptions) Column {
	switch {
	case o.Numeric != NumericNone && f.Scale == 0 && f.Precision < 19:
		return postgresInteger(f, integerOf(f.Precision), o)
	case o.Numeric == NumericBestFit && f.Scale > 0 && f.Precision < 19,
		o.Numeric == NumericBestFitEagerDouble && f.Scale > 0:
		return postgresDouble(f)
	}
	if f.Precision == 0 && f.Scale == 0 {
		f.Scale = unlimitedScale
	}
	return Column{Schema: decimalSchema(f), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		s, ok := v.([]byte)
		if !ok {
			return data.Null, readError(&f, v)
		}
		if len(s) > 0 && s[len(s)-1] > '9' { // NaN, Infinity
			return data.Null, badValue(&f, "BigDecimal", s)
		}
		return decimalOf(&f, s)
	}}
}

// badValue is the error of Java's driver, in its words.
func badValue(f *Field, kind string, s []byte) error {
	return connect.NewDataError(fmt.Sprintf("Bad value for type %s : %s (column %s of type %s)", kind, s, f.Name, f.Type), nil)
}

// javaNames are Java's names of the integer types.
var javaNames = map[data.Type]string{data.Int8: "byte", data.Int16: "short", data.Int32: "int", data.Int64: "long"}

// postgresInteger reads texts of numbers as an integer type. A fraction is cut,
// as in Java, and told.
func postgresInteger(f Field, t data.Type, o ColumnOptions) Column {
	c := integer(f, t)
	low := map[data.Type]int64{data.Int8: math.MinInt8, data.Int16: math.MinInt16, data.Int32: math.MinInt32, data.Int64: math.MinInt64}[t]
	told := false
	c.Read = func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		s, ok := v.([]byte)
		if !ok {
			return data.Null, readError(&f, v)
		}
		whole, fraction, _ := strings.Cut(string(s), ".")
		i, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || i < low || i > -(low+1) {
			return data.Null, badValue(&f, javaNames[t], s)
		}
		if strings.Trim(fraction, "0") != "" && !told && o.Changed != nil {
			told = true
			o.Changed(f.Name, fmt.Sprintf("the fraction of %s is cut, because numeric.mapping makes an integer of a numeric without scale", s))
		}
		switch t {
		case data.Int8:
			return data.Int8Of(int8(i)), nil
		case data.Int16:
			return data.Int16Of(int16(i)), nil
		case data.Int32:
			return data.Int32Of(int32(i)), nil
		}
		return data.Int64Of(i), nil
	}
	return c
}

func postgresDouble(f Field) Column {
	return Column{Schema: primitive(data.Float64, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		s, ok := v.([]byte)
		if !ok {
			return data.Null, readError(&f, v)
		}
		x, err := strconv.ParseFloat(string(s), 64)
		if err != nil {
			return data.Null, badValue(&f, "double", s)
		}
		return data.Float64Of(x), nil
	}}
}

// postgresMoney reads what the server's locale shows, without the sign of the
// currency. A separator of thousands is an error, as in Java: CAST to numeric in
// a query reads such columns.
func postgresMoney(f Field) Column {
	double := postgresDouble(f)
	read := double.Read
	double.Read = func(v driver.Value, b *connect.SourceBatch) (data.Value, error) {
		s, ok := v.([]byte)
		if !ok {
			return data.Null, readError(&f, v)
		}
		amount := make([]byte, 0, 24)
		for _, c := range s {
			switch c {
			case '$', ')':
			case '(':
				amount = append(amount, '-')
			default:
				amount = append(amount, c)
			}
		}
		return read(amount, b)
	}
	return double
}

// postgresBit reads BIT(n): one bit as a boolean, up to eight as a number of
// those decimal digits, and more as their ASCII, as Java does.
func postgresBit(f Field, o ColumnOptions) Column {
	switch {
	case f.Length == 1:
		return Column{Schema: primitive(data.Boolean, f.Nullable), Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			b, err := sized(&f, v, 1)
			if err != nil {
				return data.Null, err
			}
			return data.BoolOf(b[0] == '1'), nil
		}}
	case f.Length > 1 && f.Length <= 8:
		return postgresInteger(f, data.Int8, o)
	}
	return bytes(f)
}
