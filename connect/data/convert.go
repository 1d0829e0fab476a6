package data

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"kconnect/connect/data/calendar"
)

// Convert turns a value of schema from (nil when it has none) into one of
// schema to, as Java's Values.convertTo: numbers and texts into each other,
// instants by their logical types, lists and maps out of texts. Numbers are
// cut off and wrap as Java's casts do, so this is for transformations that
// promise just that; the errors are DataExceptions with Java's text.
func Convert(to, from *Schema, v Value) (Value, error) {
	if v.IsNull() {
		if to.optional {
			return Null, nil
		}
		return Null, dataError("Unable to convert a null value to a schema that requires a value")
	}
	switch to.typ {
	case Bytes:
		if to.Logical() == LogicalDecimal {
			return convertToDecimal(to, v)
		}
		return convertToBytes(to, v)
	case String:
		return convertToString(v)
	case Boolean:
		return convertToBoolean(from, v)
	case Int8, Int16, Int32, Int64:
		return convertToInteger(to, from, v)
	case Float32, Float64:
		return convertToFloat(to, from, v)
	case Array:
		return convertToCollection(to, v, KindArray)
	case MapType:
		return convertToCollection(to, v, KindMap)
	}
	return convertToCollection(to, v, KindStruct)
}

func unable(v Value, to string, cause error) error {
	return &Error{Message: "Unable to convert " + v.String() + " (class " + v.JavaClass() + ") to " + to, Cause: cause}
}

func convertToDecimal(to *Schema, v Value) (Value, error) {
	switch v.kind {
	case KindBytes:
		d, err := ReadDecimalBytes(to, v.Bytes())
		return DecimalOf(d), err
	case KindDecimal:
		return v, nil
	case KindString:
		d, err := ParseBigDecimal(v.Str())
		return DecimalOf(d), err
	}
	f, ok := asFloat64(v)
	if !ok {
		return Null, unable(v, to.String(), nil)
	}
	// A number takes the digits that a double is written with.
	d, err := ParseBigDecimal(string(AppendFloat64(nil, f)))
	return DecimalOf(d), err
}

func convertToBytes(to *Schema, v Value) (Value, error) {
	switch v.kind {
	case KindBytes:
		return v, nil
	case KindDecimal:
		b, err := AppendDecimalBytes(nil, to, v.Decimal())
		return BytesOf(b), err
	}
	return Null, unable(v, to.String(), nil)
}

func convertToString(v Value) (Value, error) {
	if v.kind == KindString {
		return v, nil
	}
	s, err := AppendQuoted(nil, v, false)
	return TextOf(s), err
}

func convertToBoolean(from *Schema, v Value) (Value, error) {
	if v.kind == KindString {
		if _, p, _ := ParseText(v.Str()); p.kind == KindBool {
			return p, nil
		}
	}
	if v.kind == KindBool {
		return v, nil
	}
	n, err := asInt64(from, v, nil)
	return BoolOf(n != 0), err
}

func convertToInteger(to, from *Schema, v Value) (Value, error) {
	switch to.Logical() {
	case LogicalDate, LogicalTime, LogicalTimestamp:
		return convertToInstant(to.Logical(), from, v)
	}
	n, err := asInt64(from, v, nil)
	switch to.typ {
	case Int8:
		return Int8Of(int8(n)), err
	case Int16:
		return Int16Of(int16(n)), err
	case Int32:
		return Int32Of(int32(n)), err
	}
	return Int64Of(n), err
}

func convertToFloat(to, from *Schema, v Value) (Value, error) {
	if to.typ == Float32 && v.kind == KindFloat32 {
		return v, nil
	}
	f, ok := asFloat64(v)
	var cause error
	if v.kind == KindString {
		d, err := ParseBigDecimal(v.Str())
		f, ok, cause = d.Float64(), err == nil, err
	}
	if !ok {
		n, err := asInt64(from, v, cause)
		if err != nil {
			return Null, err
		}
		f = float64(n)
	}
	if to.typ == Float32 {
		return Float32Of(float32(f)), nil
	}
	return Float64Of(f), nil
}

// convertToInstant reads a Date, Time or Timestamp out of another, of a text
// or of a number.
func convertToInstant(to Logical, from *Schema, v Value) (Value, error) {
	if v.kind == KindString {
		_, v, _ = ParseText(v.Str())
	}
	if v.kind == KindInstant {
		if from == nil || from.Logical() == to {
			return v, nil
		}
		ms := v.Instant()
		switch {
		case to == LogicalDate && from.Logical() == LogicalTimestamp:
			return InstantOf(ms / millisPerDay * millisPerDay), nil
		case to == LogicalTime && from.Logical() == LogicalTimestamp:
			_, rest := calendar.FloorDiv(ms, millisPerDay)
			return InstantOf(rest), nil
		case to == LogicalTimestamp && from.Logical() == LogicalDate:
			days, err := DateFromInstant(ms)
			return InstantOf(InstantFromDate(days)), err
		case to == LogicalTimestamp && from.Logical() == LogicalTime:
			n, err := TimeFromInstant(ms)
			return InstantOf(int64(n)), err
		}
	}
	n, err := asInt64(from, v, nil)
	if err != nil {
		return Null, err
	}
	switch to {
	case LogicalDate:
		return InstantOf(InstantFromDate(int32(n))), nil
	case LogicalTime:
		ms, err := InstantFromTime(int32(n))
		return InstantOf(ms), err
	}
	return InstantOf(n), nil
}

// convertToCollection takes a list, a map or a struct, or parses a text.
func convertToCollection(to *Schema, v Value, kind Kind) (Value, error) {
	if v.kind == KindString && kind != KindStruct {
		_, v, _ = ParseText(v.Str())
	}
	if v.kind != kind {
		return Null, unable(v, to.String(), nil)
	}
	return v, nil
}

// asInt64 returns a number as Java's longValue: cut off towards zero, the low
// 64 bits. An instant has one by its schema. cause explains why a text has none.
func asInt64(from *Schema, v Value, cause error) (int64, error) {
	switch v.kind {
	case KindInt8, KindInt16, KindInt32, KindInt64:
		return v.Int(), nil
	case KindFloat32:
		return saturate(float64(v.Float32())), nil
	case KindFloat64:
		return saturate(v.Float64()), nil
	case KindDecimal:
		n, _ := v.Decimal().Int64()
		return n, nil
	case KindBigInt:
		return LowInt64(v.BigInt()), nil
	case KindString:
		if cause == nil {
			d, err := ParseBigDecimal(v.Str())
			if err == nil {
				n, _ := d.Int64()
				return n, nil
			}
			cause = err
		}
	case KindInstant:
		if from == nil {
			break
		}
		if l := from.Logical(); l == LogicalDate || l == LogicalTime || l == LogicalTimestamp {
			return StoredInstant(l, v.Instant())
		}
	}
	if from != nil {
		return 0, unable(v, from.String(), cause)
	}
	return 0, unable(v, "a number", cause)
}

// saturate cuts a float to 64 bits as a Java cast does.
func saturate(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= 1<<63:
		return math.MaxInt64
	case f <= -1<<63:
		return math.MinInt64
	}
	return int64(f)
}

func asFloat64(v Value) (float64, bool) {
	switch v.kind {
	case KindInt8, KindInt16, KindInt32, KindInt64:
		return float64(v.Int()), true
	case KindFloat32:
		return float64(v.Float32()), true
	case KindFloat64:
		return v.Float64(), true
	case KindDecimal:
		return v.Decimal().Float64(), true
	case KindBigInt:
		return NewBigDecimal(v.BigInt(), 0).Float64(), true
	}
	return 0, false
}

// AppendQuoted appends a value in the form that ParseText reads: lists, maps
// and structs look like JSON, in them texts and bytes (as base64) are quoted,
// instants are written as dates, times or timestamps of the process zone.
// embedded quotes a text by itself as well.
func AppendQuoted(dst []byte, v Value, embedded bool) ([]byte, error) {
	var err error
	switch v.kind {
	case KindString:
		if !embedded {
			return append(dst, v.Str()...), nil
		}
		return append(append(append(dst, '"'), quoteEscapes.Replace(v.Str())...), '"'), nil
	case KindBytes:
		text := base64.StdEncoding.EncodeToString(v.Bytes())
		return AppendQuoted(dst, StringOf(text), embedded)
	case KindInstant:
		return appendTemporal(dst, v.Instant()), nil
	case KindArray:
		dst = append(dst, '[')
		for i, e := range v.Array() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = AppendQuoted(dst, e, true); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case KindMap:
		dst = append(dst, '{')
		for i, e := range v.Map().Entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendQuotedEntry(dst, e.Key, e.Value); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	case KindStruct:
		dst = append(dst, '{')
		for i, f := range v.Struct().schema.fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			value := v.Struct().values[i]
			if d, ok := f.Schema.Default(); ok && value.IsNull() {
				value = d
			}
			if dst, err = appendQuotedEntry(dst, StringOf(f.Name), value); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	case KindObject:
		return dst, dataError("Failed to serialize unexpected value type " + v.JavaClass() + ": " + v.String())
	}
	return AppendText(dst, v), nil
}

var quoteEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func appendQuotedEntry(dst []byte, key, value Value) ([]byte, error) {
	dst, err := AppendQuoted(dst, key, true)
	if err != nil {
		return dst, err
	}
	return AppendQuoted(append(dst, ':'), value, true)
}

func numberFormat(message string) error {
	return &Error{Class: "java.lang.NumberFormatException", Message: message}
}

// ParseBigDecimal is ParseDecimal with an error for what is no number: Java's
// NumberFormatException, with Java's text. It reads digits of other scripts too.
func ParseBigDecimal(s string) (Decimal, error) {
	if d, ok := ParseDecimal(s); ok {
		return d, nil
	}
	ascii := strings.Map(func(r rune) rune {
		if d, ok := decimalDigit(r); ok {
			return rune('0' + d)
		}
		return r
	}, s)
	if d, ok := ParseDecimal(ascii); ok {
		return d, nil
	}
	return Decimal{}, decimalFault(ascii)
}

// decimalFault says why s is no decimal number, in the words of the JDK. It
// has other words for the same when more than 18 characters follow the sign.
func decimalFault(s string) error {
	rest := strings.TrimPrefix(s, "-")
	if rest == s {
		rest = strings.TrimPrefix(s, "+")
	}
	if s == "" {
		return pastTheEnd(s)
	}
	point, digits := false, 0
	for i, r := range rest {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '.':
			if point {
				return numberFormat("Character array contains more than one decimal point.")
			}
			point = true
		case r == 'e' || r == 'E':
			return exponentFault(s, rest[i+1:], digits)
		case utf16Length(rest) > 18:
			return numberFormat(`Character array is missing "e" notation exponential mark.`)
		default:
			if r > 0xffff {
				r = utf8.RuneError // the JDK shows half of it
			}
			return numberFormat("Character " + string(r) + ` is neither a decimal digit number, decimal point, nor "e" notation exponential mark.`)
		}
	}
	return numberFormat("No digits found.")
}

func exponentFault(s, exponent string, digits int) error {
	if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
		exponent = exponent[1:]
	}
	if exponent == "" {
		return pastTheEnd(s)
	}
	exponent = strings.TrimLeft(exponent, "0")
	n, err := strconv.ParseInt("0"+exponent, 10, 64)
	switch {
	case len(exponent) > 10:
		return numberFormat("Too many nonzero exponent digits.")
	case err != nil:
		return numberFormat("Not a digit.")
	case n > math.MaxInt32:
		return numberFormat("Exponent overflow.")
	case digits == 0:
		return numberFormat("No digits found.")
	}
	return numberFormat("Scale out of range.")
}

// pastTheEnd is what the JDK makes of a text that ends too early.
func pastTheEnd(s string) error {
	n := strconv.Itoa(utf16Length(s))
	return &Error{Class: "java.lang.NumberFormatException", Cause: &Error{
		Class: "java.lang.ArrayIndexOutOfBoundsException", Message: "Index " + n + " out of bounds for length " + n,
	}}
}
