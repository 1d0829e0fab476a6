package simpledate

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Parse returns the instant that a text begins with, in ms since the epoch.
// It is false where the text does not match the pattern.
func (f *Format) Parse(text string) (int64, bool) {
	p := parser{format: f, text: []rune(text), zone: f.zone}
	for i := range f.items {
		it := &f.items[i]
		if it.letter == 0 {
			if !p.literal(it.text) {
				return 0, false
			}
			continue
		}
		// Before another number, a number ends where its letters do.
		joined := i+1 < len(f.items) && f.items[i+1].isNumber()
		if !p.field(it, joined) {
			return 0, false
		}
	}
	if p.at == 0 {
		return 0, false
	}
	f.zone = p.zone
	ms := p.fields.instant(f.zone)
	if p.ambiguousYear && ms < f.century {
		p.fields.addYears(100)
		ms = p.fields.instant(f.zone)
	}
	return ms, true
}

func (it *item) isNumber() bool {
	return numeric[it.letter] != 0 && (it.letter != 'M' && it.letter != 'L' || it.count < 3)
}

type parser struct {
	format        *Format
	text          []rune
	at            int
	fields        fields
	zone          *time.Location
	ambiguousYear bool
}

func (p *parser) literal(want []rune) bool {
	for _, c := range want {
		if p.at >= len(p.text) || p.text[p.at] != c {
			return false
		}
		p.at++
	}
	return true
}

// numeric names the field of each letter that is always a number.
var numeric = map[byte]field{
	'y': year, 'Y': weekYear, 'M': month, 'L': month, 'd': dayOfMonth, 'k': hourOfDay, 'H': hourOfDay, 'm': minute, 's': second,
	'S': millisecond, 'D': dayOfYear, 'F': dayOfWeekInMonth, 'w': weekOfYear, 'W': weekOfMonth, 'K': hour, 'h': hour, 'u': dayOfWeek,
}

func (p *parser) field(it *item, joined bool) bool {
	blanks := p.at
	for blanks < len(p.text) && (p.text[blanks] == ' ' || p.text[blanks] == '\t') {
		blanks++
	}
	if blanks == len(p.text) {
		return false
	}
	switch it.letter {
	case 'G':
		return p.name(era, eras)
	case 'a':
		return p.name(amPM, halves)
	case 'E':
		return p.name(dayOfWeek, weekdays)
	case 'z', 'Z':
		return p.zoneText(blanks)
	case 'X':
		return p.isoZone(blanks, it.count)
	case 'M', 'L':
		if it.count > 2 {
			return p.name(month, months)
		}
	}
	end := len(p.text)
	if joined {
		if end = p.at + it.count; end > len(p.text) || end <= blanks {
			return false
		}
	}
	n, after, ok := integer(p.text[:end], blanks)
	if !ok {
		return false
	}
	if (it.letter == 'y' || it.letter == 'Y') && it.count <= 2 && after == blanks+2 && unicode.IsDigit(p.text[blanks]) {
		n = p.fullYear(n)
	}
	switch {
	case it.letter == 'M' || it.letter == 'L':
		n--
	case it.letter == 'k' && n == 24, it.letter == 'h' && n == 12:
		n = 0
	case it.letter == 'u' && n == 7: // Sunday, which is 1 in the calendar
		n = 1
	case it.letter == 'u' && n >= 1 && n < 7:
		n++
	}
	p.fields.set(numeric[it.letter], n)
	p.at = after
	return true
}

// fullYear puts a year of two digits into the century of the format.
func (p *parser) fullYear(n int64) int64 {
	start := int64(time.UnixMilli(p.format.century).UTC().Year())
	p.ambiguousYear = n == start%100
	full := start - start%100 + n
	if n < start%100 {
		full += 100
	}
	return full
}

// name sets a field by the longest of its names that the text goes on with.
// Blanks before it do not count, unlike those before numbers.
func (p *parser) name(f field, names []name) bool {
	best := name{}
	for _, n := range names {
		if len(n.text) > len(best.text) && hasPrefixFold(p.text[p.at:], n.text) {
			best = n
		}
	}
	if best.text == "" {
		return false
	}
	p.fields.set(f, best.value)
	p.at += len(best.text)
	return true
}

type name struct {
	text  string
	value int64
}

var (
	eras   = []name{{"BC", 0}, {"AD", 1}, {"Before Christ", 0}, {"Anno Domini", 1}}
	halves = []name{{"AM", 0}, {"PM", 1}}
	months = names(12, 0, func(i int) string { return time.Month(i + 1).String() })
	// Sunday is 1 in Java's calendar.
	weekdays = names(7, 1, func(i int) string { return time.Weekday(i).String() })
)

func names(n, base int, long func(int) string) []name {
	var all []name
	for i := range n {
		all = append(all, name{long(i), int64(base + i)}, name{long(i)[:3], int64(base + i)})
	}
	return all
}

func hasPrefixFold(text []rune, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(string(text[:len(prefix)]), prefix)
}

// zoneText reads a name, GMT, GMT+h:mm or +hhmm.
func (p *parser) zoneText(at int) bool {
	if sign := signOf(p.text, at); sign != 0 {
		return p.offset(at+1, sign, 0, false)
	}
	if hasPrefixFold(p.text[p.at:], "GMT") && (p.text[at] == 'G' || p.text[at] == 'g') {
		at = p.at + len("GMT")
		if sign := signOf(p.text, at); sign != 0 {
			return p.offset(at+1, sign, 0, true)
		}
		p.fields.set(zoneOffset, 0)
		p.fields.set(summerOffset, 0)
		p.at = at
		return true
	}
	z, location, ok := findZone(p.text[at:], p.zone)
	if !ok {
		return false
	}
	p.zone = location
	switch {
	case z.season == standardTime:
		p.fields.clear(zoneOffset)
		p.fields.set(summerOffset, 0)
	case z.season == summerTime && z.saving != 0:
		p.fields.clear(zoneOffset)
		p.fields.set(summerOffset, z.saving)
	}
	p.at = at + len([]rune(z.name))
	return true
}

func (p *parser) isoZone(at, count int) bool {
	if p.text[at] == 'Z' {
		p.fields.set(zoneOffset, 0)
		p.fields.set(summerOffset, 0)
		p.at = at + 1
		return true
	}
	sign := signOf(p.text, at)
	return sign != 0 && p.offset(at+1, sign, count, count == 3)
}

func signOf(text []rune, at int) int64 {
	switch {
	case at >= len(text):
		return 0
	case text[at] == '+':
		return 1
	case text[at] == '-':
		return -1
	}
	return 0
}

// offset reads hours and minutes: hhmm, or hh:mm with a colon, where h will do
// unless the pattern counts letters; a count of 1 means hours alone.
func (p *parser) offset(at int, sign int64, count int, colon bool) bool {
	digit := func() (int64, bool) {
		if at < len(p.text) && p.text[at] >= '0' && p.text[at] <= '9' {
			at++
			return int64(p.text[at-1] - '0'), true
		}
		return 0, false
	}
	hours, ok := digit()
	if !ok {
		return false
	}
	if second, ok := digit(); ok {
		hours = hours*10 + second
	} else if count > 0 || !colon || at >= len(p.text) {
		return false
	}
	if hours > 23 {
		return false
	}
	var minutes int64
	if count != 1 {
		if colon {
			if at >= len(p.text) || p.text[at] != ':' {
				return false
			}
			at++
		}
		tens, ok := digit()
		if !ok {
			return false
		}
		ones, ok := digit()
		if !ok || tens > 5 {
			return false
		}
		minutes = tens*10 + ones
	}
	p.fields.set(zoneOffset, sign*(hours*60+minutes)*msPerMinute)
	p.fields.set(summerOffset, 0)
	p.at = at
	return true
}

// integer reads a number as Java's integer format does: digits of any script
// after a minus, a power of ten after an E. What does not fit into 32 bits is
// cut off as Java's casts do.
func integer(text []rune, at int) (n int64, after int, ok bool) {
	var digits []byte
	if text := text[at:]; len(text) > 0 && text[0] == '-' {
		digits, at = append(digits, '-'), at+1
	}
	start := at
	for ; at < len(text); at++ {
		d, ok := digitOf(text[at])
		if !ok {
			break
		}
		digits = append(digits, '0'+d)
	}
	if at == start {
		return 0, 0, false
	}
	if at < len(text) && text[at] == 'E' {
		if exponent, end, ok := integer(text, at+1); ok {
			digits, at = strconv.AppendInt(append(digits, 'E'), exponent, 10), end
		}
	}
	if v, err := strconv.ParseInt(string(digits), 10, 64); err == nil {
		return int64(int32(v)), at, true
	}
	v, _ := strconv.ParseFloat(string(digits), 64) // out of range is infinite
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1<<63:
		return int64(int32(int64(v))), at, true
	default:
		return int64(max(math.MinInt32, min(math.MaxInt32, v))), at, true
	}
}

func digitOf(r rune) (byte, bool) {
	if r < 0x80 {
		return byte(r - '0'), r >= '0' && r <= '9'
	}
	for _, block := range unicode.Nd.R16 {
		if r >= rune(block.Lo) && r <= rune(block.Hi) {
			return byte((r - rune(block.Lo)) % 10), true
		}
	}
	return 0, false
}
