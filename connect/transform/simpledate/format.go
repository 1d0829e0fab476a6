// Package simpledate formats and parses timestamps by the patterns of Java's
// SimpleDateFormat, in English and in UTC, as lenient as it: fields roll over,
// text after the last field is ignored, numbers may have more or fewer digits
// than the pattern has letters.
package simpledate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"kconnect/connect/data/calendar"
)

const letters = "GyMdkHmsSEDFwWahKzZYuXL"

const (
	msPerMinute = 60_000
	msPerDay    = 86_400_000
)

// A PatternError says what is wrong with a pattern, in Java's words.
type PatternError string

func (e PatternError) Error() string { return string(e) }

// item is one field or one run of literal text of a pattern.
type item struct {
	letter byte // 0 for text
	count  int
	text   []rune
}

// Format is a compiled pattern. It is not for concurrent use: as in Java,
// parsing a named time zone makes it the zone of what is formatted next.
type Format struct {
	items   []item
	zone    *time.Location
	century int64 // two-digit years lie in the 100 years from here, ms
}

// Compile compiles a pattern. Years of two digits mean the time from 80 years
// before now to 20 after it. The error is a PatternError.
func Compile(pattern string, now time.Time) (*Format, error) {
	f := &Format{zone: time.UTC, century: now.UTC().AddDate(-80, 0, 0).UnixMilli()}
	quoted := false
	var open []rune // text in quotes
	p := []rune(pattern)
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case c == '\'' && i+1 < len(p) && p[i+1] == '\'':
			i++
			if quoted {
				open = append(open, '\'')
			} else {
				f.add(item{text: []rune{'\''}})
			}
		case c == '\'' && quoted:
			f.add(item{text: open})
			quoted, open = false, nil
		case c == '\'':
			quoted = true
		case quoted:
			open = append(open, c)
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			if !strings.ContainsRune(letters, c) {
				return nil, PatternError("Illegal pattern character '" + string(c) + "'")
			}
			// A quote between them ends a field, as any other text does.
			if n := len(f.items); n > 0 && f.items[n-1].letter == byte(c) && p[i-1] == c {
				f.items[n-1].count++
				continue
			}
			f.add(item{letter: byte(c), count: 1})
		default:
			f.add(item{text: []rune{c}})
		}
	}
	for _, it := range f.items {
		if it.letter == 'X' && it.count > 3 {
			return nil, PatternError(fmt.Sprintf("invalid ISO 8601 format: length=%d", it.count))
		}
	}
	if quoted {
		return nil, PatternError("Unterminated quote")
	}
	return f, nil
}

func (f *Format) add(it item) { f.items = append(f.items, it) }

// Append appends the text of an instant, in ms since the epoch.
func (f *Format) Append(dst []byte, ms int64) []byte {
	zone, seconds := time.UnixMilli(ms).In(f.zone).Zone()
	local := ms + int64(seconds)*1000
	days, clock := calendar.FloorDiv(local, msPerDay)
	year, month, day := calendar.Date(days)
	newYear := calendar.Day(year, 1, 1)
	_, weekday := calendar.FloorDiv(days+4, 7) // 1970-01-01 was a Thursday; 0 is Sunday
	hour := int(clock / 3_600_000)
	for _, it := range f.items {
		switch it.letter {
		case 0:
			dst = append(dst, string(it.text)...)
		case 'G':
			if year > 0 {
				dst = append(dst, "AD"...)
			} else {
				dst = append(dst, "BC"...)
			}
		case 'y':
			if year <= 0 {
				dst = appendYear(dst, 1-year, it.count)
			} else {
				dst = appendYear(dst, year, it.count)
			}
		case 'Y':
			dst = appendYear(dst, weekYearOf(days, year, newYear), it.count)
		case 'M', 'L':
			switch {
			case it.count > 3:
				dst = append(dst, month.String()...)
			case it.count == 3:
				dst = append(dst, month.String()[:3]...)
			default:
				dst = appendNumber(dst, int(month), it.count)
			}
		case 'E':
			name := time.Weekday(weekday).String()
			if it.count < 4 {
				name = name[:3]
			}
			dst = append(dst, name...)
		case 'a':
			if hour < 12 {
				dst = append(dst, "AM"...)
			} else {
				dst = append(dst, "PM"...)
			}
		case 'z':
			dst = append(dst, zoneName(f.zone, ms, zone, it.count > 3)...)
		case 'Z':
			dst = appendOffset(dst, seconds/60, "", false)
		case 'X':
			switch {
			case seconds/60 == 0:
				dst = append(dst, 'Z')
			case it.count == 3:
				dst = appendOffset(dst, seconds/60, ":", false)
			default:
				dst = appendOffset(dst, seconds/60, "", it.count == 1)
			}
		default:
			dst = appendNumber(dst, number(it.letter, days, newYear, year, day, int(weekday), int(clock)), it.count)
		}
	}
	return dst
}

// number returns the value of a field that is always written in digits.
func number(letter byte, days, newYear int64, year, day, weekday, clock int) int {
	hour := clock / 3_600_000
	switch letter {
	case 'd':
		return day
	case 'k':
		return (hour+23)%24 + 1
	case 'H':
		return hour
	case 'K':
		return hour % 12
	case 'h':
		return (hour+11)%12 + 1
	case 'm':
		return clock / msPerMinute % 60
	case 's':
		return clock / 1000 % 60
	case 'S':
		return clock % 1000
	case 'D':
		return int(days-newYear) + 1
	case 'F':
		return (inMonth(days, day)-1)/7 + 1
	case 'u':
		return (weekday+6)%7 + 1
	case 'W':
		n := inMonth(days, day)
		_, first := calendar.FloorDiv(days-int64(n)+1+4, 7) // weekday of the 1st
		return (n-1+int(first))/7 + 1
	default: // w
		_, n := week(days, year, newYear)
		return n
	}
}

// inMonth returns how many days of its month there were up to a day: October
// 1582 had none from the 5th to the 14th.
func inMonth(days int64, day int) int {
	if days >= calendar.GregorianStart && days < calendar.GregorianStart+17 { // from the 15th to the 31st
		return day - 10
	}
	return day
}

// weekYearOf returns the year that the week of a day belongs to. For the last
// week before our era Java looks at the year after another one: of the year -51
// at the year 51.
func weekYearOf(days int64, year int, newYear int64) int {
	if year > 0 {
		weekYear, _ := week(days, year, newYear)
		return weekYear
	}
	left := calendar.Day(year+1, 1, 1) - days // days of the year, this one too
	other := calendar.Day(-year, 1, 1)
	past := other - sunday(other) // of the week in which it begins
	if days >= sunday(newYear)+7 && left < 7 && left <= past {
		return year + 1
	}
	return year
}

// week returns the week of a day and the year that it belongs to. A week
// begins on Sunday, the first one has the first of January in it.
func week(days int64, year int, newYear int64) (weekYear, number int) {
	if next := calendar.Day(year+1, 1, 1); days >= sunday(next) {
		return year + 1, 1
	}
	return year, int(days-sunday(newYear))/7 + 1
}

// sunday returns the last Sunday up to a day.
func sunday(days int64) int64 {
	_, weekday := calendar.FloorDiv(days+4, 7)
	return days - weekday
}

func appendYear(dst []byte, year, count int) []byte {
	if count == 2 {
		if year < 0 {
			dst, year = append(dst, '-'), -year
		}
		year %= 100
	}
	return appendNumber(dst, year, count)
}

func appendNumber(dst []byte, n, digits int) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	var b [20]byte
	text := strconv.AppendInt(b[:0], int64(n), 10)
	for range digits - len(text) {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}

func appendOffset(dst []byte, minutes int, colon string, hoursOnly bool) []byte {
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	dst = appendNumber(append(dst, sign), minutes/60, 2)
	if hoursOnly {
		return dst
	}
	return appendNumber(append(dst, colon...), minutes%60, 2)
}
