package dialect

// Timestamp is an instant with the resolution of java.sql.Timestamp.
type Timestamp struct {
	Seconds int64 // since the epoch, rounded down
	Nanos   int32 // of the second, 0 to 999,999,999
}

// TimestampOf returns the instant of milliseconds since the epoch.
func TimestampOf(ms int64) Timestamp {
	s := floorDiv(ms, 1000)
	return Timestamp{s, int32(ms-s*1000) * 1_000_000}
}

// Millis returns milliseconds since the epoch, rounded down.
func (t Timestamp) Millis() int64 { return t.Seconds*1000 + int64(t.Nanos)/1_000_000 }

// Minus returns t less a number of milliseconds.
func (t Timestamp) Minus(ms int64) Timestamp {
	r := TimestampOf(t.Millis() - ms)
	r.Nanos += t.Nanos % 1_000_000
	return r
}

// moment is a date and a time as a text shows them, before any calendar or
// zone has its say.
type moment struct {
	year, month, day int64
	seconds          int64 // of the day
	nanos            int32
}

// zero reports whether the date is MariaDB's 0000-00-00.
func (m moment) zero() bool { return m.year == 0 && m.month == 0 && m.day == 0 }

// days returns the moment's day since the epoch.
func (m moment) days(proleptic bool) int64 {
	if proleptic {
		return gregorianDay(m.year, m.month, m.day)
	}
	return hybridDay(m.year, m.month, m.day)
}

// timestamp returns the instant of the moment on a clock of zone z.
func (m moment) timestamp(z *Zone, proleptic bool) Timestamp {
	return Timestamp{z.Instant(m.days(proleptic)*86400 + m.seconds), m.nanos}
}

// parseMoment reads yyyy-MM-dd[ HH:mm:ss[.fraction]]. Digits of the fraction
// beyond nanoseconds are cut.
func parseMoment(s []byte) (m moment, ok bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return m, false
	}
	year, ok1 := digits(s[:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 {
		return m, false
	}
	m.year, m.month, m.day = year, month, day
	if len(s) == 10 {
		return m, true
	}
	if s[10] != ' ' && s[10] != 'T' {
		return m, false
	}
	m.seconds, m.nanos, ok = parseClock(s[11:])
	return m, ok
}

// parseClock reads H..HH:mm:ss[.fraction].
func parseClock(s []byte) (seconds int64, nanos int32, ok bool) {
	colon := 0
	for colon < len(s) && s[colon] != ':' {
		colon++
	}
	if len(s) < colon+6 || colon == 0 || s[colon+3] != ':' {
		return 0, 0, false
	}
	h, ok1 := digits(s[:colon])
	m, ok2 := digits(s[colon+1 : colon+3])
	sec, ok3 := digits(s[colon+4 : colon+6])
	if !ok1 || !ok2 || !ok3 {
		return 0, 0, false
	}
	rest := s[colon+6:]
	if len(rest) > 0 {
		if rest[0] != '.' {
			return 0, 0, false
		}
		unit := int32(100_000_000)
		for _, c := range rest[1:] {
			if c < '0' || c > '9' {
				return 0, 0, false
			}
			nanos += int32(c-'0') * unit
			unit /= 10
		}
	}
	return h*3600 + m*60 + sec, nanos, true
}

func digits(s []byte) (int64, bool) {
	var n int64
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// AppendMoment appends an instant as a clock of zone z shows it in Java's
// default calendar, yyyy-MM-dd HH:mm:ss[.fraction] with the fraction's trailing
// zeros cut: the literal of a timestamp in SQL.
func AppendMoment(dst []byte, t Timestamp, z *Zone) []byte {
	return appendMoment(dst, t, z, false)
}

func appendMoment(dst []byte, t Timestamp, z *Zone, proleptic bool) []byte {
	wall := z.Wall(t.Seconds)
	day := floorDiv(wall, 86400)
	y, m, d := hybridDate(day)
	if proleptic {
		y, m, d = gregorianDate(day)
	}
	dst = appendDate(dst, y, m, d)
	dst = append(dst, ' ')
	dst = appendClock(dst, wall-day*86400)
	return appendFraction(dst, t.Nanos)
}

func appendDate(dst []byte, y, m, d int64) []byte {
	dst = appendPadded(dst, y, 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, m, 2)
	dst = append(dst, '-')
	return appendPadded(dst, d, 2)
}

func appendClock(dst []byte, seconds int64) []byte {
	dst = appendPadded(dst, seconds/3600, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, seconds/60%60, 2)
	dst = append(dst, ':')
	return appendPadded(dst, seconds%60, 2)
}

func appendFraction(dst []byte, nanos int32) []byte {
	if nanos == 0 {
		return dst
	}
	dst = append(dst, '.')
	dst = appendPadded(dst, int64(nanos), 9)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendPadded(dst []byte, n int64, width int) []byte {
	var buf [20]byte
	i := len(buf)
	for ; n > 0 || width > 0; width-- {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, buf[i:]...)
}
