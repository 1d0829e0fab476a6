package simpledate

import (
	"time"

	"kconnect/connect/data/calendar"
)

// field is a field of Java's Calendar.
type field int

const (
	era field = iota // 1 is AD
	year
	month // from 0
	weekOfYear
	weekOfMonth
	dayOfMonth
	dayOfYear
	dayOfWeek // Sunday is 1
	dayOfWeekInMonth
	amPM
	hour // of the half day
	hourOfDay
	minute
	second
	millisecond
	zoneOffset   // ms
	summerOffset // ms
	weekYear
	fieldCount
)

// fields are the fields that a text has set, any number in each. Where they
// contradict each other those win that were set last, by the rules of Java's
// GregorianCalendar.
type fields struct {
	value [fieldCount]int64
	stamp [fieldCount]int // when it was set; 0 is never
	last  int
}

func (f *fields) set(x field, v int64) {
	f.last++
	f.value[x], f.stamp[x] = v, f.last
}

func (f *fields) clear(x field) { f.value[x], f.stamp[x] = 0, 0 }

func (f *fields) isSet(x field) bool { return f.stamp[x] != 0 }

// or returns the value of a field, or another where it is not set.
func (f *fields) or(x field, other int64) int64 {
	if f.isSet(x) {
		return f.value[x]
	}
	return other
}

func (f *fields) addYears(n int64) {
	f.value[year] += n
	f.value[weekYear] += n
}

// both returns when the later of two fields was set, or 0 unless both were.
func (f *fields) both(a, b field) int {
	if !f.isSet(a) || !f.isSet(b) {
		return 0
	}
	return max(f.stamp[a], f.stamp[b])
}

// instant returns the instant in ms since the epoch.
func (f *fields) instant(zone *time.Location) int64 {
	days, clock := calendar.FloorDiv(f.timeOfDay(), msPerDay)
	if f.isSet(weekYear) && f.stamp[weekYear] > f.stamp[year] {
		days += f.weekDate(days)
	} else {
		days += f.day(days)
	}
	local := days*msPerDay + clock
	if f.isSet(zoneOffset) && f.isSet(summerOffset) {
		return local - f.value[zoneOffset] - f.value[summerOffset]
	}
	standard, summer := offsets(local, zone)
	return local - f.or(zoneOffset, standard) - f.or(summerOffset, summer)
}

// offsets returns the offset from UTC and that of summer time, in ms, when the
// clocks of a zone show local.
func offsets(local int64, zone *time.Location) (standard, summer int64) {
	wall := time.UnixMilli(local).UTC()
	if wall.Year() < 1900 { // Java knows no local mean time
		wall = time.Date(2037, time.January, 1, 0, 0, 0, 0, time.UTC)
		if wall.In(zone).IsDST() {
			wall = wall.AddDate(0, 6, 0)
		}
	}
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	_, seconds := t.Zone()
	total := int64(seconds) * 1000
	if !t.IsDST() {
		return total, 0
	}
	// Standard time is what the clocks show before or after this summer: by how
	// much summer time differs changes over the years.
	start, end := t.ZoneBounds()
	for _, other := range []time.Time{start.Add(-1), end} {
		if _, seconds := other.Zone(); !start.IsZero() && !end.IsZero() && !other.IsDST() {
			return int64(seconds) * 1000, total - int64(seconds)*1000
		}
	}
	for _, z := range zones() {
		if z.location == zone.String() {
			return total - z.saving, z.saving
		}
	}
	return total, 0
}

func (f *fields) timeOfDay() int64 {
	hours := f.value[hourOfDay]
	inHalf := f.both(hour, amPM)
	whole := f.stamp[hourOfDay]
	if inHalf > whole || inHalf == 0 && whole == 0 {
		hours = f.value[hour] + 12*f.value[amPM]
	}
	return ((hours*60+f.value[minute])*60+f.value[second])*1000 + f.value[millisecond]
}

// weekDate returns the day of a date in week years; carry is what the time of
// day adds. Its era is that of the date which the other fields give.
func (f *fields) weekDate(carry int64) int64 {
	week, day := f.or(weekOfYear, 1), f.or(dayOfWeek, 1)
	if day >= 8 { // counts on from Monday
		day--
		week += day / 7
		day = day%7 + 1
		day = calendarDay(day)
	} else if day <= 0 {
		for day <= 0 {
			day += 7
			week--
		}
		day = calendarDay(day)
	}
	year := f.value[weekYear]
	if y, _, _ := calendar.Date(f.day(carry) + carry); y <= 0 {
		year = 1 - year
	}
	return sunday(calendar.Day(int(year), 1, 1)) + 7*(week-1) + day - 1
}

// calendarDay turns a day that counts from Monday into one from Sunday.
func calendarDay(n int64) int64 {
	if n == 7 {
		return 1
	}
	return n + 1
}

// rule is a set of fields that together give the day of a year.
type rule int

const (
	byDayOfMonth rule = iota
	byWeekOfMonth
	byDayOfWeekInMonth
	byDayOfYear
	byWeekOfYear
)

// rule returns the set that was completed last.
func (f *fields) rule() rule {
	s := &f.stamp
	inMonth, inYear := s[dayOfMonth], s[dayOfYear]
	weekMonth, dayInMonth, week := f.both(weekOfMonth, dayOfWeek), f.both(dayOfWeekInMonth, dayOfWeek), f.both(weekOfYear, dayOfWeek)
	best := max(inMonth, weekMonth, dayInMonth, inYear, week)
	if best == 0 { // half a set will do
		weekMonth, dayInMonth, week = s[weekOfMonth], max(s[dayOfWeekInMonth], s[dayOfWeek]), s[weekOfYear]
		if best = max(weekMonth, dayInMonth, week); best == 0 {
			return byDayOfMonth
		}
	}
	switch {
	case best == inMonth:
		return byDayOfMonth
	case best == weekMonth && s[weekOfMonth] >= s[weekOfYear], best == dayInMonth && s[dayOfWeekInMonth] >= s[weekOfYear]:
		if weekMonth == dayInMonth && s[weekOfMonth] >= s[dayOfWeekInMonth] || weekMonth != dayInMonth && best == weekMonth {
			return byWeekOfMonth
		}
		return byDayOfWeekInMonth
	case best == inYear:
		return byDayOfYear
	default:
		return byWeekOfYear
	}
}

// day returns the day since the epoch; carry is what the time of day adds.
func (f *fields) day(carry int64) int64 {
	y := f.or(year, 1970)
	if f.or(era, 1) == 0 {
		y = 1 - y
	}
	rule := f.rule()
	m := f.value[month]
	if rule == byDayOfYear || rule == byWeekOfYear {
		m = 0
	}
	gregorian, julian := calendar.Month(y, m)
	gregorian, julian = f.within(rule, gregorian, y, m, false), f.within(rule, julian, y, m, true)
	switch {
	case y > 1582 && gregorian+carry >= calendar.GregorianStart:
		return gregorian
	case y < 1582:
		return julian
	case rule == byDayOfYear || rule == byWeekOfYear:
		return julian
	case gregorian+carry >= calendar.GregorianStart:
		return gregorian
	default:
		return julian
	}
}

// within returns the day that a rule leads to from the first of the month or,
// for rules by year, from New Year's Day.
func (f *fields) within(rule rule, first, y, m int64, julian bool) int64 {
	switch rule {
	case byDayOfMonth:
		return first + f.or(dayOfMonth, 1) - 1
	case byDayOfYear:
		return first + f.value[dayOfYear] - 1
	case byWeekOfMonth, byWeekOfYear:
		past := 7 * (f.value[weekOfYear] - 1)
		if rule == byWeekOfMonth {
			past = int64(int32(7 * (f.value[weekOfMonth] - 1))) // Java multiplies in 32 bits
		}
		day := sunday(first)
		if f.isSet(dayOfWeek) {
			day = onOrBefore(day+6, f.value[dayOfWeek])
		}
		return day + past
	default:
		weekday, n := f.or(dayOfWeek, 1), f.or(dayOfWeekInMonth, 1)
		if n >= 0 {
			return onOrBefore(first+int64(int32(7*n))-1, weekday) // Java multiplies in 32 bits
		}
		next, nextJulian := calendar.Month(y, m+1)
		if julian {
			next = nextJulian
		}
		return onOrBefore(next+7*(n+1)-1, weekday)
	}
}

// onOrBefore returns the last day up to a day that is a certain day of the week.
func onOrBefore(day, weekday int64) int64 {
	_, past := calendar.FloorDiv(day+4-(weekday-1), 7)
	return day - past
}
