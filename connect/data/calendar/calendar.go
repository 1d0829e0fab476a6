// Package calendar converts days to dates and back in the calendar of Java's
// Date and GregorianCalendar, which is Julian before 1582-10-15.
package calendar

import "time"

// GregorianStart is 1582-10-15, the first Gregorian day, in days since the epoch.
const GregorianStart = -141427

// Date returns the date of a day since the epoch. The year 0 is 1 BC.
func Date(days int64) (year int, month time.Month, day int) {
	if days < GregorianStart {
		return julian(days)
	}
	return gregorian(days)
}

// gregorian counts days by the 400-year cycle, in years that begin in March.
func gregorian(days int64) (int, time.Month, int) {
	cycle, d := FloorDiv(days+719468, 146097)
	y := (d - d/1460 + d/36524 - d/146096) / 365
	return marchDate(cycle*400+y, d-(365*y+y/4-y/100))
}

func julian(days int64) (int, time.Month, int) {
	cycle, d := FloorDiv(days+719470, 1461) // days since 0000-03-01 of the Julian calendar
	y := (d - d/1460) / 365
	return marchDate(cycle*4+y, d-365*y)
}

// marchDate splits a day of a year that began with March.
func marchDate(year, day int64) (int, time.Month, int) {
	m := (5*day + 2) / 153
	d := int(day - (153*m+2)/5 + 1)
	if m < 10 {
		return int(year), time.Month(m + 3), d
	}
	return int(year) + 1, time.Month(m - 9), d
}

// Month returns the first day of a month in days since the epoch, once as the
// Gregorian and once as the Julian calendar counts. The month counts from 0
// and may be any number: 12 is January of the next year.
func Month(year, month int64) (gregorian, julian int64) {
	carry, m := FloorDiv(month-2, 12) // months since March
	y := year + carry
	days := 365*y + (153*m+2)/5
	leap, _ := FloorDiv(y, 4)
	century, _ := FloorDiv(y, 100)
	cycle, _ := FloorDiv(y, 400)
	return days + leap - century + cycle - 719468, days + leap - 719470
}

// Day returns the day since the epoch of a date whose month, counted from 1,
// and day may be out of range.
func Day(year, month, day int) int64 {
	gregorian, julian := Month(int64(year), int64(month)-1)
	if days := gregorian + int64(day) - 1; days >= GregorianStart {
		return days
	}
	return julian + int64(day) - 1
}

// FloorDiv divides towards negative infinity; the rest is never negative.
func FloorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		quotient, rest = quotient-1, rest+b
	}
	return quotient, rest
}
