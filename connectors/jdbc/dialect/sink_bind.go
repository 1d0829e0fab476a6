package dialect

import (
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"strconv"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Binder turns a value that is not null into an argument. Its error is of kind
// Data: the fault of the one record.
type Binder func(v data.Value) (driver.Value, error)

// timestampField reports whether a field is one that timestamp.fields.list
// turns into a timestamp.
func (o *BindOptions) timestampField(name string, s *data.Schema) bool {
	return len(o.TimestampFields) > 0 && (s.Type() == data.Int64 || s.Type() == data.String) && slices.Contains(o.TimestampFields, name)
}

// Binder implements Target: temporal values go as the text that a clock of the
// zone shows, because the server's own types know no zone.
func (d *mySQL) Binder(name string, s *data.Schema, o BindOptions) Binder {
	if temporal(name, s, &o) {
		return temporalText(name, s, o)
	}
	return scalar(name, s, func(f float32) (float64, error) {
		// The shortest text of a float32 read as a double: a DOUBLE column then
		// shows 1.1 for 1.1, as with Java's text, and a FLOAT column has the same
		// float32 either way.
		if w := float64(f); w == math.Trunc(w) {
			return w, nil
		}
		return strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	}, func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) })
}

// Binder implements Target: temporal values go as milliseconds since the
// epoch, in whatever zone (golden jdbc-sink/types-logical-sqlite).
func (d *sqLite) Binder(name string, s *data.Schema, o BindOptions) Binder {
	switch {
	case o.timestampField(name, s):
		return func(v data.Value) (driver.Value, error) {
			t, err := fieldTimestamp(v, &o)
			return t.Millis(), err
		}
	case temporal(name, s, &o):
		return func(v data.Value) (driver.Value, error) {
			if v.Kind() != data.KindInstant {
				return nil, unsupported(s)
			}
			return v.Instant(), nil
		}
	}
	// SQLite would store a NaN as NULL.
	return scalar(name, s, func(f float32) (float64, error) { return float64(f), nil }, func(f float64) bool { return !math.IsNaN(f) })
}

func temporal(name string, s *data.Schema, o *BindOptions) bool {
	switch s.Name() {
	case data.DateName, data.TimeName, data.TimestampName:
		return true
	}
	return o.timestampField(name, s)
}

// scalar binds what is the same for every database. finite says which doubles
// the database can hold.
func scalar(name string, s *data.Schema, widen func(float32) (float64, error), finite func(float64) bool) Binder {
	double := func(f float64) (driver.Value, error) {
		if !finite(f) {
			return nil, connect.NewDataError(fmt.Sprintf("Field '%s' holds %v, which the database cannot store as a number", name, f), nil)
		}
		return f, nil
	}
	return func(v data.Value) (driver.Value, error) {
		switch v.Kind() {
		case data.KindString:
			return v.Str(), nil
		case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
			return v.Int(), nil
		case data.KindBool:
			if v.Bool() {
				return int64(1), nil
			}
			return int64(0), nil
		case data.KindFloat32:
			f, err := widen(v.Float32())
			if err != nil {
				return nil, err
			}
			return double(f)
		case data.KindFloat64:
			return double(v.Float64())
		case data.KindBytes:
			return v.Bytes(), nil
		case data.KindDecimal:
			return string(appendPlain(nil, v.Decimal())), nil
		case data.KindBigInt:
			return v.BigInt().String(), nil
		default:
			return nil, unsupported(s)
		}
	}
}

// temporalText binds a Date, Time, Timestamp or a field of
// timestamp.fields.list as text.
func temporalText(name string, s *data.Schema, o BindOptions) Binder {
	write := func(dst []byte, t Timestamp) ([]byte, error) { return appendDateTime(dst, t, o.Zone, o.Proleptic) }
	if o.timestampField(name, s) {
		return func(v data.Value) (driver.Value, error) {
			t, err := fieldTimestamp(v, &o)
			if err != nil {
				return nil, err
			}
			t.Nanos -= t.Nanos % 1000 // the column has microseconds
			return boundText(write(nil, t))
		}
	}
	switch s.Name() {
	case data.DateName:
		write = func(dst []byte, t Timestamp) ([]byte, error) {
			return appendCheckedDate(dst, floorDiv(o.DateZone.Wall(t.Seconds), 86400), o.Proleptic)
		}
	case data.TimeName:
		write = func(dst []byte, t Timestamp) ([]byte, error) {
			return appendMillis(appendClock(dst, floorMod(o.Zone.Wall(t.Seconds), 86400)), t.Nanos), nil
		}
	}
	return func(v data.Value) (driver.Value, error) {
		if v.Kind() != data.KindInstant {
			return nil, unsupported(s)
		}
		var buf [32]byte
		return boundText(write(buf[:0], TimestampOf(v.Instant())))
	}
}

func boundText(b []byte, err error) (driver.Value, error) {
	if err != nil {
		return nil, err
	}
	return string(b), nil
}

// appendDateTime appends yyyy-MM-dd HH:mm:ss.SSS, with microseconds where there are any.
func appendDateTime(dst []byte, t Timestamp, z *Zone, proleptic bool) ([]byte, error) {
	wall := z.Wall(t.Seconds)
	day := floorDiv(wall, 86400)
	dst, err := appendCheckedDate(dst, day, proleptic)
	if err != nil {
		return nil, err
	}
	dst = append(dst, ' ')
	return appendMillis(appendClock(dst, wall-day*86400), t.Nanos), nil
}

// appendMillis appends a fraction of three digits, or of all where there are more.
func appendMillis(dst []byte, nanos int32) []byte {
	if nanos%1_000_000 != 0 {
		return appendFraction(dst, nanos)
	}
	dst = append(dst, '.')
	return appendPadded(dst, int64(nanos/1_000_000), 3)
}

func appendCheckedDate(dst []byte, day int64, proleptic bool) ([]byte, error) {
	y, m, d := hybridDate(day)
	if proleptic {
		y, m, d = gregorianDate(day)
	}
	if y < 1 || y > 9999 {
		// Java writes the year of a date before Christ without saying so.
		return nil, connect.NewDataError("A date in the year "+strconv.FormatInt(y, 10)+" cannot be stored: the database has the years 1 to 9999", nil)
	}
	return appendDate(dst, y, m, d), nil
}

// fieldTimestamp reads a value of a field in timestamp.fields.list (golden
// jdbc-sink/timestamp-fields-bad-text).
func fieldTimestamp(v data.Value, o *BindOptions) (Timestamp, error) {
	var n int64
	switch v.Kind() {
	case data.KindInt64:
		n = v.Int()
	case data.KindString:
		var err error
		if n, err = strconv.ParseInt(v.Str(), 10, 64); err != nil {
			return Timestamp{}, &connect.Error{Class: "java.lang.NumberFormatException", Kind: connect.Data, Message: `For input string: "` + v.Str() + `"`,
				Cause: connect.NewError("a field in timestamp.fields.list must hold a number since 1970 in the unit of timestamp.precision.mode", nil)}
		}
	default:
		return Timestamp{}, &connect.Error{Kind: connect.Data, Message: "A field in timestamp.fields.list must be an int64 or a string"}
	}
	perSecond := int64(1_000_000)
	if o.Nanoseconds {
		perSecond = 1_000_000_000
	}
	s := floorDiv(n, perSecond)
	return Timestamp{s, int32((n - s*perSecond) * (1_000_000_000 / perSecond))}, nil
}

// appendPlain appends a decimal without an exponent.
func appendPlain(dst []byte, d data.Decimal) []byte {
	const widest = 10_000 // digits; beyond it the exponent stays, which no column can hold anyway
	scale := int(d.Scale())
	if scale < -widest || scale > widest {
		return d.AppendText(dst)
	}
	var digits []byte
	if u, ok := d.Small(); ok {
		digits = strconv.AppendInt(nil, u, 10)
	} else {
		digits = d.Unscaled().Append(nil, 10)
	}
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	if scale <= 0 {
		dst = append(dst, digits...)
		if d.Sign() == 0 {
			return dst
		}
		for ; scale < 0; scale++ {
			dst = append(dst, '0')
		}
		return dst
	}
	point := len(digits) - scale
	if point <= 0 {
		dst = append(dst, '0', '.')
		for ; point < 0; point++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:point]...)
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}
