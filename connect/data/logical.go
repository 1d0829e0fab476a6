package data

import (
	"math"
	"math/big"
	"strconv"
)

// Logical is one of the logical types, which are recognised by the name of
// the schema alone: neither base type nor version matters.
type Logical uint8

// The logical types; NotLogical is any other schema.
const (
	NotLogical Logical = iota
	LogicalDecimal
	LogicalDate
	LogicalTime
	LogicalTimestamp
)

const millisPerDay = 24 * 60 * 60 * 1000

// Logical returns the logical type of the schema.
func (s *Schema) Logical() Logical {
	const prefix = len("org.apache.kafka.connect.data.")
	if len(s.name) <= prefix || s.name[0] != 'o' { // most names end here
		return NotLogical
	}
	switch s.name {
	case DecimalName:
		return LogicalDecimal
	case DateName:
		return LogicalDate
	case TimeName:
		return LogicalTime
	case TimestampName:
		return LogicalTimestamp
	}
	return NotLogical
}

// Scale returns the scale of a Decimal schema. The errors are Java's for a
// schema whose parameters lack it or hold something else (golden
// json-from-connect/decimal-no-scale and its neighbours).
func (s *Schema) Scale() (int32, error) {
	if len(s.params) == 0 {
		return 0, &Error{Class: "java.lang.NullPointerException", Message: `Cannot invoke "java.util.Map.get(Object)" because the return value of "org.apache.kafka.connect.data.Schema.parameters()" is null`}
	}
	text, ok := s.Param(DecimalScale)
	if !ok {
		return 0, dataError("Invalid Decimal schema: scale parameter not found.")
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, &Error{
			Message: "Invalid scale parameter found in Decimal schema: ",
			Cause:   &Error{Class: "java.lang.NumberFormatException", Message: `For input string: "` + text + `"`},
		}
	}
	return int32(n), nil
}

// AppendDecimalBytes appends d as a Decimal of schema s is stored: the scale
// of the value must be that of the schema.
func AppendDecimalBytes(dst []byte, s *Schema, d Decimal) ([]byte, error) {
	scale, err := s.Scale()
	if err != nil {
		return dst, err
	}
	if scale != d.scale {
		return dst, dataError("Decimal value has mismatching scale for given Decimal schema. Schema has scale " +
			strconv.Itoa(int(scale)) + ", value has scale " + strconv.Itoa(int(d.scale)) + ".")
	}
	return d.AppendBytes(dst), nil
}

// ReadDecimalBytes reads the stored form of a Decimal of schema s.
func ReadDecimalBytes(s *Schema, b []byte) (Decimal, error) {
	if len(b) == 0 {
		return Decimal{}, &Error{Class: "java.lang.NumberFormatException", Message: "Zero length BigInteger"}
	}
	scale, err := s.Scale()
	if err != nil {
		return Decimal{}, err
	}
	return DecimalFromBytes(b, scale), nil
}

// DateFromInstant returns the days since the epoch under which a Date is
// stored. A time of day in it is an error.
func DateFromInstant(ms int64) (int32, error) {
	if ms%millisPerDay != 0 {
		return 0, dataError("Kafka Connect Date type should not have any time fields set to non-zero values.")
	}
	return int32(ms / millisPerDay), nil
}

// StoredInstant returns the number under which an instant of a Date, Time or
// Timestamp is stored.
func StoredInstant(l Logical, ms int64) (int64, error) {
	switch l {
	case LogicalDate:
		n, err := DateFromInstant(ms)
		return int64(n), err
	case LogicalTime:
		n, err := TimeFromInstant(ms)
		return int64(n), err
	}
	return ms, nil
}

// InstantFromDate returns the midnight at which a Date begins, in ms.
func InstantFromDate(days int32) int64 { return int64(days) * millisPerDay }

// TimeFromInstant returns the milliseconds of the day under which a Time is
// stored: 0 to 86400000, both included as in Java.
func TimeFromInstant(ms int64) (int32, error) {
	if ms < 0 || ms > millisPerDay {
		return 0, dataError("Kafka Connect Time type should not have any date fields set to non-zero values.")
	}
	return int32(ms), nil
}

// InstantFromTime returns the instant on 1970-01-01 of a stored Time.
func InstantFromTime(ms int32) (int64, error) {
	if ms < 0 || ms > millisPerDay {
		return 0, dataError("Time values must use number of milliseconds greater than 0 and less than 86400000")
	}
	return int64(ms), nil
}

// Float64 returns the number of d as a double; too large becomes infinite.
func (d Decimal) Float64() float64 {
	f, _ := strconv.ParseFloat(d.String(), 64) // a range error comes with the right infinity or zero
	return f
}

// Float32 returns the number of d as a float; too large becomes infinite.
func (d Decimal) Float32() float32 {
	f, _ := strconv.ParseFloat(d.String(), 32) // a range error comes with the right infinity or zero
	return float32(f)
}

// Integer returns the whole part of d, cut off towards zero, and whether that
// is all of it. It reports false as its third result when the whole part has
// more than a million digits, which no caller wants to hold in memory.
func (d Decimal) Integer() (i *big.Int, exact, ok bool) {
	const limit = 1_000_000
	switch {
	case d.Sign() == 0 || d.scale == 0:
		return d.Unscaled(), true, true
	case d.scale < 0:
		if d.scale < -limit {
			return nil, true, false
		}
		return new(big.Int).Mul(d.Unscaled(), pow10(-int64(d.scale))), true, true
	}
	if int64(d.scale) > int64(d.Unscaled().BitLen()) { // fewer decimal digits than bits: the whole part is zero
		return new(big.Int), false, true
	}
	q, r := new(big.Int).QuoRem(d.Unscaled(), pow10(int64(d.scale)), new(big.Int))
	return q, r.Sign() == 0, true
}

// Int64 returns the low 64 bits of the whole part of d, as Java's longValue,
// and whether nothing of the number was lost.
func (d Decimal) Int64() (n int64, exact bool) {
	if small, ok := d.Small(); ok && d.scale == 0 {
		return small, true
	}
	if d.scale < -400 { // a multiple of 2^64
		return 0, d.Sign() == 0
	}
	i, exact, ok := d.Integer()
	if !ok {
		return 0, false
	}
	return LowInt64(i), exact && i.IsInt64()
}

// LowInt64 returns the low 64 bits of i in two's complement, as Java's
// BigInteger.longValue.
func LowInt64(i *big.Int) int64 {
	if i.IsInt64() {
		return i.Int64()
	}
	low := new(big.Int).And(i, new(big.Int).SetUint64(math.MaxUint64)) // And treats i as two's complement
	return int64(low.Uint64())
}

func pow10(n int64) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil)
}
