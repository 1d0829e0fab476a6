package data

import (
	"unicode"
	"unicode/utf8"

	"kconnect/connect/data/calendar"
)

// The one form each of date, time and timestamp in texts without a schema.
// The letter Z is only a letter: the clock is that of the process zone, as in Java.
const (
	dateForm      = "y-M-d"
	timeForm      = "h:m:s.iZ"
	timestampForm = "y-M-dTh:m:s.iZ"

	dateLength      = len("2006-01-02")
	timeLength      = len("15:04:05.000Z")
	timestampLength = len("2006-01-02T15:04:05.000Z")
)

// appendTemporal appends an instant without a schema: a time before the end
// of 1970-01-01 (also any earlier day), a date at whole days, otherwise a
// timestamp (golden simple-header/from-date-neg and its neighbours).
func appendTemporal(dst []byte, ms int64) []byte {
	c := civilOf(ms)
	if ms >= millisPerDay {
		dst = append(appendPadded(dst, c.eraYear(), 4), '-')
		dst = append(appendPadded(dst, int(c.month), 2), '-')
		dst = appendPadded(dst, c.day, 2)
		if ms%millisPerDay == 0 {
			return dst
		}
		dst = append(dst, 'T')
	}
	dst = append(appendClock(dst, c), '.')
	return append(appendPadded(dst, c.milli, 3), 'Z')
}

// parseTemporal reads a date, time or timestamp by its length in UTF-16
// units. It is as lenient as Java: fields may have fewer digits, roll over,
// and what follows the last field is not looked at.
func parseTemporal(s string) (*Schema, Value, bool) {
	form, schema := "", (*Schema)(nil)
	switch utf16Length(s) {
	case dateLength:
		form, schema = dateForm, dateSchema
	case timeLength:
		form, schema = timeForm, timeSchema
	case timestampLength:
		form, schema = timestampForm, timestampSchema
	default:
		return nil, Null, false
	}
	ms, ok := parseLenient(form, s)
	return schema, InstantOf(ms), ok
}

var (
	dateSchema      = NewDateBuilder().MustBuild()
	timeSchema      = NewTimeBuilder().MustBuild()
	timestampSchema = NewTimestampBuilder().MustBuild()
)

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

func parseLenient(form, s string) (int64, bool) {
	year, month, day := 1970, 1, 1
	var hour, minute, second, milli int
	for _, f := range form {
		field := map[rune]*int{'y': &year, 'M': &month, 'd': &day, 'h': &hour, 'm': &minute, 's': &second, 'i': &milli}[f]
		if field == nil {
			r, size := utf8.DecodeRuneInString(s)
			if r != f {
				return 0, false
			}
			s = s[size:]
			continue
		}
		for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
			s = s[1:]
		}
		n, rest, ok := leadingNumber(s)
		if !ok {
			return 0, false
		}
		*field, s = n, rest
	}
	millis := ((int64(hour)*60+int64(minute))*60+int64(second))*1000 + int64(milli)
	return instantOf(calendar.Day(year, month, day)*millisPerDay + millis), true
}

// leadingNumber reads the digits, of any script, at the start of s.
func leadingNumber(s string) (n int, rest string, ok bool) {
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		d, isDigit := decimalDigit(r)
		if !isDigit {
			break
		}
		n, s, ok = n*10+d, s[size:], true
	}
	return n, s, ok
}

// decimalDigit returns the value of a decimal digit of the basic plane.
func decimalDigit(r rune) (int, bool) {
	if r < 0x80 {
		return int(r - '0'), r >= '0' && r <= '9'
	}
	if r > 0xffff || !unicode.IsDigit(r) {
		return 0, false
	}
	for _, block := range unicode.Nd.R16 {
		if r <= rune(block.Hi) {
			return int(r-rune(block.Lo)) % 10, true
		}
	}
	return 0, false
}

// instantOf returns the instant at which the clocks of the process zone show
// local ms. Where they show it twice it is the later one, where they skip it
// the clock before the skip counts, as in Java.
func instantOf(local int64) int64 {
	offset := func(ms int64) int64 {
		o, _ := zoneAt(ms)
		return o
	}
	before, after := offset(local-millisPerDay), offset(local+millisPerDay)
	if u := local - after; before >= after && offset(u) == after {
		return u
	}
	if u := local - before; offset(u) == before {
		return u
	}
	if u := local - after; offset(u) == after {
		return u
	}
	return local - before
}
