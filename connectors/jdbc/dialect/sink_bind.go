package dialect

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Binder adds a value that is not null to the arguments of a statement. Its
// error is of kind Data: the fault of the one record.
type Binder func(v data.Value, a *Args) error

// timestampField reports whether a field is one that timestamp.fields.list
// turns into a timestamp.
func (o *BindOptions) timestampField(name string, s *data.Schema) bool {
	return len(o.TimestampFields) > 0 && (s.Type() == data.Int64 || s.Type() == data.String) && slices.Contains(o.TimestampFields, name)
}

// Bind implements Target.
func (d *mySQL) Bind(field string, s *data.Schema, c *TableColumn, o BindOptions) Bound {
	return Bound{Name: c.Name, Bind: d.binder(field, s, o)}
}

// Bind implements Target.
func (d *sqLite) Bind(field string, s *data.Schema, c *TableColumn, o BindOptions) Bound {
	return Bound{Name: c.Name, Bind: d.binder(field, s, o)}
}

// binder lets temporal values go as the text that a clock of the
// zone shows, because the server's own types know no zone.
func (d *mySQL) binder(name string, s *data.Schema, o BindOptions) Binder {
	if temporal(name, s, &o) {
		format := temporalFormat(name, s, o)
		return func(v data.Value, a *Args) error {
			start := len(a.text)
			text, err := format(a.text, v)
			if err != nil {
				return err
			}
			a.text = text
			a.formatted(start)
			return nil
		}
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

// binder lets temporal values go as milliseconds since the
// epoch, in whatever zone (golden jdbc-sink/types-logical-sqlite).
func (d *sqLite) binder(name string, s *data.Schema, o BindOptions) Binder {
	switch {
	case o.timestampField(name, s):
		return func(v data.Value, a *Args) error {
			t, err := fieldTimestamp(v, &o)
			a.Int(t.Millis())
			return err
		}
	case temporal(name, s, &o):
		return func(v data.Value, a *Args) error {
			if v.Kind() != data.KindInstant {
				return unsupported(s)
			}
			a.Int(v.Instant())
			return nil
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
	double := func(f float64, a *Args) error {
		if !finite(f) {
			e := connect.NewDataError(fmt.Sprintf("Field '%s' holds %v, which the database cannot store as a number", name, f), nil)
			e.Remedy = "let the producer send null or a number, or leave the field out by fields.whitelist"
			return e
		}
		a.Float(f)
		return nil
	}
	return func(v data.Value, a *Args) error {
		switch v.Kind() {
		case data.KindString:
			a.Text(v.Str())
		case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
			a.Int(v.Int())
		case data.KindBool:
			if v.Bool() {
				a.Int(1)
			} else {
				a.Int(0)
			}
		case data.KindFloat32:
			f, err := widen(v.Float32())
			if err != nil {
				return err
			}
			return double(f, a)
		case data.KindFloat64:
			return double(v.Float64(), a)
		case data.KindBytes:
			a.Blob(v.Bytes())
		case data.KindDecimal:
			start := len(a.text)
			a.text = appendPlain(a.text, v.Decimal())
			a.formatted(start)
		case data.KindBigInt:
			a.Text(v.BigInt().String())
		default:
			return unsupported(s)
		}
		return nil
	}
}

// temporalFormat returns how a Date, Time, Timestamp or a field of
// timestamp.fields.list is appended as text.
func temporalFormat(name string, s *data.Schema, o BindOptions) func(dst []byte, v data.Value) ([]byte, error) {
	if o.timestampField(name, s) {
		return func(dst []byte, v data.Value) ([]byte, error) {
			t, err := fieldTimestamp(v, &o)
			if err != nil {
				return nil, err
			}
			return appendDateTime(dst, t, o.Zone, o.Proleptic)
		}
	}
	write := func(dst []byte, t Timestamp) ([]byte, error) { return appendDateTime(dst, t, o.Zone, o.Proleptic) }
	switch s.Name() {
	case data.DateName:
		write = func(dst []byte, t Timestamp) ([]byte, error) {
			return appendCheckedDate(dst, floorDiv(o.DateZone.Wall(t.Seconds), 86400), o.Proleptic)
		}
	case data.TimeName:
		write = func(dst []byte, t Timestamp) ([]byte, error) {
			return appendTime(dst, floorMod(o.Zone.Wall(t.Seconds), 86400), t.Nanos), nil
		}
	}
	return func(dst []byte, v data.Value) ([]byte, error) {
		if v.Kind() != data.KindInstant {
			return nil, unsupported(s)
		}
		return write(dst, TimestampOf(v.Instant()))
	}
}

// appendDateTime appends yyyy-MM-dd HH:mm:ss.SSS, with microseconds where there are any.
func appendDateTime(dst []byte, t Timestamp, z *Zone, proleptic bool) ([]byte, error) {
	wall := z.Wall(t.Seconds)
	day := floorDiv(wall, 86400)
	dst, err := appendCheckedDate(dst, day, proleptic)
	if err != nil {
		return nil, err
	}
	return appendTime(append(dst, ' '), wall-day*86400, t.Nanos), nil
}

// appendTime appends HH:mm:ss.SSS, with microseconds where there are any.
func appendTime(dst []byte, seconds int64, nanos int32) []byte {
	ms := int64(nanos / 1_000_000)
	dst = append(dst, digit(seconds/36000), digit(seconds/3600), ':', digit(seconds/600%6), digit(seconds/60), ':',
		digit(seconds/10%6), digit(seconds), '.', digit(ms/100), digit(ms/10), digit(ms))
	if us := int64(nanos/1000) % 1000; us != 0 {
		dst = append(dst, digit(us/100), digit(us/10), digit(us))
	}
	return dst
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
	return append(dst, digit(y/1000), digit(y/100), digit(y/10), digit(y), '-', digit(m/10), digit(m), '-', digit(d/10), digit(d)), nil
}

// digit returns the last digit of n.
func digit(n int64) byte { return '0' + byte(n%10) }

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
