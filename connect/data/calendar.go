package data

import (
	"time"

	"kconnect/connect/data/calendar"
)

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

func civilOf(ms int64) civil {
	offset, zone := zoneAt(ms)
	local := ms + offset
	days, rest := calendar.FloorDiv(local, millisPerDay)
	c := civil{
		hour: int(rest / 3_600_000), minute: int(rest / 60_000 % 60),
		second: int(rest / 1000 % 60), milli: int(rest % 1000), zone: zone,
	}
	_, weekday := calendar.FloorDiv(days+4, 7) // 1970-01-01 was a Thursday
	c.weekday = time.Weekday(weekday)
	c.year, c.month, c.day = calendar.Date(days)
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
