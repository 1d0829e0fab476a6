package dialect

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a static binary finds no zones on a bare machine
)

// Zone is a time zone with the rules of java.util.TimeZone, which differ from
// Go's in three places: before 1900 it keeps the zone's present standard time,
// the hour that is skipped in spring is read as standard time, and of the hour
// that comes twice in autumn the later one counts (golden
// md_types_temporal_newyork). It is immutable.
type Zone struct {
	loc      *time.Location
	standard int64 // seconds east of UTC, today's
	fixed    bool
}

// UTC is the zone without offset.
var UTC = &Zone{loc: time.UTC, fixed: true}

// javaZones are the three-letter names that Java resolves.
var javaZones = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo",
	"AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns",
	"CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris",
	"IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan",
	"NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
	"PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
	"EST": "-05:00", "MST": "-07:00", "HST": "-10:00",
}

// LoadZone returns the zone of a name that Java knows: a region, a three-letter
// name, or an offset such as +09:00 or GMT-3.
func LoadZone(name string) (*Zone, error) {
	id := name
	if long, ok := javaZones[id]; ok {
		id = long
	}
	switch id {
	case "UTC", "GMT", "Z", "UT":
		return UTC, nil
	case "", "Local":
		return nil, fmt.Errorf("%q is no time zone", name)
	}
	for _, prefix := range []string{"UTC", "GMT", "UT", ""} {
		rest, ok := strings.CutPrefix(id, prefix)
		if !ok || rest == "" || rest[0] != '+' && rest[0] != '-' {
			continue
		}
		seconds, ok := parseOffset(rest)
		if !ok {
			return nil, fmt.Errorf("%q is no time zone", name)
		}
		return &Zone{loc: time.FixedZone(name, int(seconds)), standard: seconds, fixed: true}, nil
	}
	loc, err := time.LoadLocation(id)
	if err != nil {
		return nil, fmt.Errorf("%q is no time zone: %w", name, err)
	}
	z := &Zone{loc: loc}
	for _, m := range []time.Month{time.January, time.July} {
		t := time.Date(2037, m, 1, 0, 0, 0, 0, loc)
		if _, offset := t.Zone(); !t.IsDST() {
			z.standard = int64(offset)
			break
		}
	}
	return z, nil
}

// parseOffset reads +h, +hh, +hhmm, +hh:mm and these with seconds.
func parseOffset(s string) (int64, bool) {
	digits := strings.ReplaceAll(s[1:], ":", "")
	if len(digits) == 1 || len(digits) == 3 {
		digits = "0" + digits
	}
	digits += "000000"[min(len(digits), 6):]
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || len(digits) != 6 {
		return 0, false
	}
	h, m, sec := n/10000, n/100%100, n%100
	if h > 18 || m > 59 || sec > 59 {
		return 0, false
	}
	seconds := int64(h*3600 + m*60 + sec)
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// year1900 is the second in which java.util's transitions begin.
const year1900 = -2208988800

// Offset returns how many seconds east of UTC the zone is at an instant in
// seconds since the epoch.
func (z *Zone) Offset(unix int64) int64 {
	if z.fixed || unix < year1900 {
		return z.standard
	}
	_, offset := time.Unix(unix, 0).In(z.loc).Zone()
	return int64(offset)
}

// Instant returns the instant, in seconds since the epoch, at which clocks of
// the zone show a wall-clock time, given as if it were UTC.
func (z *Zone) Instant(wall int64) int64 {
	if z.fixed {
		return wall - z.standard
	}
	const day = 86400 // no zone changes its offset by as much, nor twice within two days
	before, after := z.Offset(wall-day), z.Offset(wall+day)
	early, late := wall-before, wall-after
	if before == after {
		return early
	}
	early, late = min(early, late), max(early, late)
	if z.Offset(late) == wall-late { // the later of two, or the only one
		return late
	}
	if z.Offset(early) == wall-early {
		return early
	}
	return wall - before // skipped: the clock as it went until then
}

// Wall is the inverse of Instant.
func (z *Zone) Wall(unix int64) int64 { return unix + z.Offset(unix) }
