package dialect

// Days are counted from 1970-01-01 and years astronomically (year 0 is 1 BC).
// The default calendar is Java's: Julian before 1582-10-15, Gregorian from
// then on, so that a date is written and read with the digits that the
// database shows (spec jdbc-source-types, "Date and time").

// cutover is 1582-10-15, the first Gregorian day.
const cutover = -141427

// gregorianDay returns the day of a date in the Gregorian calendar, also
// before its invention. Months and days outside their range count on, as Java's
// lenient calendars do.
func gregorianDay(y, m, d int64) int64 {
	y, m = monthInYear(y, m)
	era := floorDiv(y, 400)
	return era*146097 + dayOfCycle(y-era*400, m, d, true) - 719468
}

// julianDay returns the day of a date in the Julian calendar.
func julianDay(y, m, d int64) int64 {
	y, m = monthInYear(y, m)
	era := floorDiv(y, 4)
	return era*1461 + dayOfCycle(y-era*4, m, d, false) - 719470
}

// hybridDay returns the day of a date in Java's default calendar.
func hybridDay(y, m, d int64) int64 {
	if day := gregorianDay(y, m, d); day >= cutover {
		return day
	}
	return julianDay(y, m, d)
}

// monthInYear brings a month into 1..12 and lets the year begin in March, so
// that the leap day is a year's last.
func monthInYear(y, m int64) (year, month int64) {
	y += floorDiv(m-1, 12)
	m = floorMod(m-1, 12) + 1
	if m <= 2 {
		y--
	}
	return y, m
}

func dayOfCycle(y, m, d int64, centuries bool) int64 {
	day := y*365 + y/4 + (153*((m+9)%12)+2)/5 + d - 1
	if centuries {
		day -= y / 100
	}
	return day
}

// gregorianDate is the inverse of gregorianDay.
func gregorianDate(day int64) (y, m, d int64) {
	day += 719468
	era := floorDiv(day, 146097)
	doe := day - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	return dateOfYear(yoe+era*400, doe-(365*yoe+yoe/4-yoe/100))
}

// hybridDate is the inverse of hybridDay.
func hybridDate(day int64) (y, m, d int64) {
	if day >= cutover {
		return gregorianDate(day)
	}
	day += 719470
	era := floorDiv(day, 1461)
	doe := day - era*1461
	yoe := (doe - doe/1460) / 365
	return dateOfYear(yoe+era*4, doe-365*yoe)
}

// dateOfYear turns the day of a year that begins in March into a date.
func dateOfYear(y, doy int64) (int64, int64, int64) {
	mp := (5*doy + 2) / 153
	d := doy - (153*mp+2)/5 + 1
	m := mp + 3
	if m > 12 {
		m -= 12
		y++
	}
	return y, m, d
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
