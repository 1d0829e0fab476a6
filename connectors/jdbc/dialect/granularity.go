package dialect

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"
	"time"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Granularity is the form in which timestamp columns are written.
type Granularity uint8

// The values of timestamp.granularity.
const (
	ConnectLogical Granularity = iota
	MicrosLong
	MicrosString
	MicrosISO
	NanosLong
	NanosString
	NanosISO
)

// GranularityNames are the values as configurations write them, by Granularity.
var GranularityNames = [...]string{
	"connect_logical", "micros_long", "micros_string", "micros_iso_datetime_string",
	"nanos_long", "nanos_string", "nanos_iso_datetime_string",
}

// timestampColumn returns a column of timestamps. parse reads the driver's
// value; its second result is false for a zero date, which is null.
func timestampColumn(f Field, o ColumnOptions, parse func(driver.Value) (Timestamp, bool, error)) Column {
	write := timestampWriter(f, o)
	return Column{
		Schema: timestampSchema(o.Granularity, f.Nullable),
		Read: func(v driver.Value, b *connect.SourceBatch) (data.Value, error) {
			t, ok, err := parse(v)
			if err != nil || !ok {
				return data.Null, err
			}
			return write(t, b)
		},
		Instant: func(v driver.Value) (Timestamp, error) {
			t, ok, err := parse(v)
			if err == nil && !ok {
				err = connect.NewDataError(fmt.Sprintf("timestamp column %s holds a zero date", f.Name), nil)
			}
			return t, err
		},
	}
}

var (
	timestampRequired = data.NewTimestampBuilder().MustBuild()
	timestampOptional = data.NewTimestampBuilder().Optional().MustBuild()
	dateRequired      = data.NewDateBuilder().MustBuild()
	dateOptional      = data.NewDateBuilder().Optional().MustBuild()
	timeRequired      = data.NewTimeBuilder().MustBuild()
	timeOptional      = data.NewTimeBuilder().Optional().MustBuild()
)

func timestampSchema(g Granularity, optional bool) *data.Schema {
	switch g {
	case MicrosLong, NanosLong:
		return primitive(data.Int64, optional)
	case ConnectLogical:
		return pick(optional, timestampOptional, timestampRequired)
	}
	return primitive(data.String, optional)
}

// timestampWriter returns how an instant becomes a value. Times before 1970
// with a fraction are right and nanoseconds beyond 64 bits an error, unlike in
// Java (D16).
func timestampWriter(f Field, o ColumnOptions) func(Timestamp, *connect.SourceBatch) (data.Value, error) {
	count := func(t Timestamp, perSecond int64) (int64, error) {
		n, ok := t.count(perSecond)
		if !ok {
			return 0, connect.NewDataError(fmt.Sprintf("timestamp column %s: %s is outside what timestamp.granularity=%s can hold in 64 bits; choose a granularity in microseconds",
				f.Name, AppendMoment(nil, t, UTC), GranularityNames[o.Granularity]), nil)
		}
		return n, nil
	}
	switch o.Granularity {
	case MicrosLong, NanosLong:
		perSecond := int64(1_000_000)
		if o.Granularity == NanosLong {
			perSecond = 1_000_000_000
		}
		return func(t Timestamp, _ *connect.SourceBatch) (data.Value, error) {
			n, err := count(t, perSecond)
			return data.Int64Of(n), err
		}
	case MicrosString, NanosString:
		perSecond := int64(1_000_000)
		if o.Granularity == NanosString {
			perSecond = 1_000_000_000
		}
		return func(t Timestamp, b *connect.SourceBatch) (data.Value, error) {
			n, err := count(t, perSecond)
			if err != nil {
				return data.Null, err
			}
			var buf [24]byte
			return data.TextOf(b.Copy(strconv.AppendInt(buf[:0], n, 10))), nil
		}
	case MicrosISO, NanosISO:
		digits := 6
		if o.Granularity == NanosISO {
			digits = 9
		}
		return func(t Timestamp, b *connect.SourceBatch) (data.Value, error) {
			var buf [40]byte
			return data.TextOf(b.Copy(appendISO(buf[:0], t, o.Zone, digits))), nil
		}
	}
	return func(t Timestamp, _ *connect.SourceBatch) (data.Value, error) { return data.InstantOf(t.Millis()), nil }
}

// count returns the instant in units since the epoch, and false when 64 bits
// do not hold it.
func (t Timestamp) count(perSecond int64) (int64, bool) {
	part := int64(t.Nanos) / (1_000_000_000 / perSecond)
	if t.Seconds > (math.MaxInt64-part)/perSecond || t.Seconds < math.MinInt64/perSecond {
		return 0, false
	}
	return t.Seconds*perSecond + part, true
}

// appendISO appends yyyy-MM-ddTHH:mm:ss.fraction as java.time shows an instant
// in a zone: always Gregorian, local mean time in old days, the years before 1
// counted from 1 without a sign (golden md_granularity_iso_tokyo), and a plus
// before years of more than four digits.
func appendISO(dst []byte, t Timestamp, z *Zone, digits int) []byte {
	_, offset := time.Unix(t.Seconds, 0).In(z.loc).Zone()
	wall := t.Seconds + int64(offset)
	day := floorDiv(wall, 86400)
	y, m, d := gregorianDate(day)
	if y <= 0 {
		y = 1 - y
	}
	if y > 9999 {
		dst = append(dst, '+')
	}
	dst = appendDate(dst, y, m, d)
	dst = append(dst, 'T')
	dst = appendClock(dst, wall-day*86400)
	dst = append(dst, '.')
	frac := int64(t.Nanos)
	if digits == 6 {
		frac /= 1000
	}
	return appendPadded(dst, frac, digits)
}

// dateColumn returns a column of dates. parse returns milliseconds since the
// epoch and false for a zero date.
func dateColumn(f Field, parse func(driver.Value) (int64, bool, error)) Column {
	return Column{
		Schema: pick(f.Nullable, dateOptional, dateRequired),
		Read: func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
			ms, ok, err := parse(v)
			if err != nil || !ok {
				return data.Null, err
			}
			return data.InstantOf(ms), nil
		},
	}
}
