package data

import "time"

// civil is an instant on the wall clock of the process zone, in the calendar
// of Java's Date and GregorianCalendar: Julian before 1582-10-15.
type civil struct {
	year                 int // 0 is 1 BC
	month                time.Month
	day                  int
	weekday              time.Weekday
	hour, minute, second int
	milli                int
	zone                 string // abbreviation
}

// gregorianStart is 1582-10-15 in days since the epoch.
const gregorianStart = -141427

func civilOf(ms int64) civil {
	offset, zone := zoneAt(ms)
	local := ms + offset
	days, rest := floorDiv(local, millisPerDay)
	c := civil{
		hour: int(rest / 3_600_000), minute: int(rest / 60_000 % 60),
		second: int(rest / 1000 % 60), milli: int(rest % 1000), zone: zone,
	}
	_, weekday := floorDiv(days+4, 7) // 1970-01-01 was a Thursday
	c.weekday = time.Weekday(weekday)
	if days >= gregorianStart {
		c.year, c.month, c.day = gregorian(days)
	} else {
		c.year, c.month, c.day = julian(days)
	}
	return c
}

// zoneAt returns the offset in ms and the abbreviation of the process zone.
// Java knows no local mean time before 1900, it takes today's standard time.
func zoneAt(ms int64) (offset int64, abbreviation string) {
	const year1900 = -2208988800000
	t := time.UnixMilli(ms).Local()
	if ms < year1900 {
		t = standardTime()
	}
	name, seconds := t.Zone()
	if name == "LMT" {
		name, _ = standardTime().Zone()
	}
	return int64(seconds) * 1000, name
}

// standardTime returns an instant at which the process zone has standard time.
func standardTime() time.Time {
	t := time.Date(2037, time.January, 1, 0, 0, 0, 0, time.Local)
	if t.IsDST() {
		t = t.AddDate(0, 6, 0)
	}
	return t
}

// gregorian counts days by the 400-year cycle, in years that begin in March.
func gregorian(days int64) (int, time.Month, int) {
	cycle, d := floorDiv(days+719468, 146097)
	y := (d - d/1460 + d/36524 - d/146096) / 365
	return marchDate(cycle*400+y, d-(365*y+y/4-y/100))
}

func julian(days int64) (int, time.Month, int) {
	cycle, d := floorDiv(days+719470, 1461) // days since 0000-03-01 of the Julian calendar
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

func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

// eraYear returns the year as Java prints it, which counts from 1 in both eras.
func (c civil) eraYear() int {
	if c.year > 0 {
		return c.year
	}
	return 1 - c.year
}

func appendPadded(dst []byte, n, width int) []byte {
	var b [20]byte
	i := len(b)
	for ; n > 0 || width > 0; width-- {
		i--
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, b[i:]...)
}
