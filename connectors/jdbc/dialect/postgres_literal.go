package dialect

import (
	"math"

	"github.com/jackc/pgx/v5/pgtype"
)

// Literals of temporal values as Java's driver writes them: the wall clock of a
// zone and the zone's offset, of which a column takes what it has. A column of
// text shows them as they are.

// appendPgTimestamp appends yyyy-MM-dd HH:mm:ss[.SSSSSS]+hh[:mm[:ss]][ BC].
func appendPgTimestamp(dst []byte, t Timestamp, z *Zone, proleptic bool) []byte {
	switch t {
	case pgInfinity:
		return append(dst, "infinity"...)
	case pgMinusInfinity:
		return append(dst, "-infinity"...)
	}
	if t.Nanos >= 999_999_500 {
		t = Timestamp{t.Seconds + 1, 0}
	}
	offset := z.Offset(t.Seconds)
	day := floorDiv(t.Seconds+offset, 86400)
	dst, era := appendPgDay(dst, day, proleptic)
	dst = appendClock(append(dst, ' '), t.Seconds+offset-day*86400)
	dst = appendFraction(dst, (t.Nanos+500)/1000*1000)
	return append(appendOffset(dst, offset), era...)
}

// appendPgDate appends yyyy-MM-dd[ BC] +hh[:mm[:ss]].
func appendPgDate(dst []byte, t Timestamp, z *Zone, proleptic bool) []byte {
	switch t {
	case pgInfinity:
		return append(dst, "infinity"...)
	case pgMinusInfinity:
		return append(dst, "-infinity"...)
	}
	offset := z.Offset(t.Seconds)
	dst, era := appendPgDay(dst, floorDiv(t.Seconds+offset, 86400), proleptic)
	return appendOffset(append(append(dst, era...), ' '), offset)
}

// appendPgTime appends HH:mm:ss[.SSSSSS]+hh[:mm[:ss]].
func appendPgTime(dst []byte, t Timestamp, z *Zone, _ bool) []byte {
	offset := z.Offset(t.Seconds)
	dst = appendClock(dst, floorMod(t.Seconds+offset, 86400))
	return appendOffset(appendFraction(dst, t.Nanos), offset)
}

// appendPgDay appends a date, whose era goes behind all else.
func appendPgDay(dst []byte, day int64, proleptic bool) (_ []byte, era string) {
	y, m, d := hybridDate(day)
	if proleptic {
		y, m, d = gregorianDate(day)
	}
	if y < 1 {
		y, era = 1-y, " BC"
	}
	return appendDate(dst, y, m, d), era
}

func appendOffset(dst []byte, offset int64) []byte {
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = appendPadded(append(dst, sign), offset/3600, 2)
	if offset%3600 == 0 {
		return dst
	}
	dst = appendPadded(append(dst, ':'), offset/60%60, 2)
	if offset%60 == 0 {
		return dst
	}
	return appendPadded(append(dst, ':'), offset%60, 2)
}

// pgMicros returns a wall clock as the server counts: microseconds from 2000 in
// the Gregorian calendar. Nanoseconds are rounded, as by Java's driver.
func pgMicros(wall int64, nanos int32, proleptic bool) int64 {
	day := floorDiv(wall, 86400)
	seconds := wall - day*86400
	return ((pgDay(day, proleptic)-pgEpochDay)*86400+seconds)*1_000_000 + int64(nanos+500)/1000
}

// pgDay returns the day which has in the Gregorian calendar, the server's only
// one, the date that a day has in Java's: what a literal comes to.
func pgDay(day int64, proleptic bool) int64 {
	if day < cutover && !proleptic {
		return gregorianDay(hybridDate(day))
	}
	return day
}

// infinite returns the number that stands for infinity in a type.
func infinite(t ElementType, sign int64) int64 {
	far, near := int64(math.MaxInt64), int64(math.MinInt64)
	if t == pgtype.DateOID {
		far, near = math.MaxInt32, math.MinInt32
	}
	if sign < 0 {
		return near
	}
	return far
}
