package plugin

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"
)

// versionRange is what a *.plugin.version key asks for, in the notation of
// Maven: one version, or intervals such as [1.0,2.0) with commas between them.
// A version alone stands for itself only. See KIP-891.
type versionRange struct{ intervals []interval }

// interval is a part of a range. A nil bound is none.
type interval struct {
	lower, upper         *string
	withLower, withUpper bool
}

// rangeError is a range that cannot be read, in the words of Java.
type rangeError struct{ why, spec string }

func (e *rangeError) Error() string { return e.why + ": " + e.spec }

// parseRange reads the value of a *.plugin.version key; nil accepts every
// version.
func parseRange(text string) (*versionRange, error) {
	text = strings.TrimSpace(text)
	if text == "latest" {
		return nil, nil
	}
	if !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "(") {
		text = "[" + text + "]"
	}
	r := &versionRange{}
	rest := text
	for strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "(") {
		end := strings.IndexAny(rest, ")]")
		if end < 0 {
			return nil, &rangeError{"Unbounded range", text}
		}
		i, err := parseInterval(rest[:end+1])
		if err != nil {
			return nil, err
		}
		if n := len(r.intervals); n > 0 && (r.intervals[n-1].upper == nil || i.lower == nil || compareVersions(*i.lower, *r.intervals[n-1].upper) < 0) {
			return nil, &rangeError{"Ranges overlap", text}
		}
		r.intervals = append(r.intervals, i)
		rest = strings.TrimSpace(rest[end+1:])
		rest = strings.TrimSpace(strings.TrimPrefix(rest, ","))
	}
	if rest != "" {
		return nil, &rangeError{"Only fully-qualified sets allowed in multiple set scenario", text}
	}
	return r, nil
}

func parseInterval(spec string) (interval, error) {
	i := interval{withLower: spec[0] == '[', withUpper: spec[len(spec)-1] == ']'}
	lower, upper, two := strings.Cut(strings.TrimSpace(spec[1:len(spec)-1]), ",")
	if !two {
		if !i.withLower || !i.withUpper {
			return i, &rangeError{"Single version must be surrounded by []", spec}
		}
		i.lower, i.upper = &lower, &lower
		return i, nil
	}
	if lower = strings.TrimSpace(lower); lower != "" {
		i.lower = &lower
	}
	if upper = strings.TrimSpace(upper); upper != "" {
		i.upper = &upper
	}
	if i.lower != nil && i.upper != nil {
		if c := compareVersions(upper, lower); c < 0 || c == 0 && (!i.withLower || !i.withUpper) {
			return i, &rangeError{"Range defies version ordering", spec}
		}
	}
	return i, nil
}

func (r *versionRange) contains(version string) bool {
	for _, i := range r.intervals {
		above, below := true, true
		if i.lower != nil {
			c := compareVersions(version, *i.lower)
			above = c > 0 || c == 0 && i.withLower
		}
		if i.upper != nil {
			c := compareVersions(version, *i.upper)
			below = c < 0 || c == 0 && i.withUpper
		}
		if above && below {
			return true
		}
	}
	return false
}

// String returns the range as messages of the Java worker show it.
func (r *versionRange) String() string {
	all := make([]string, len(r.intervals))
	for n, i := range r.intervals {
		open, closing := "(", ")"
		if i.withLower {
			open = "["
		}
		if i.withUpper {
			closing = "]"
		}
		var lower, upper string
		if i.lower != nil {
			lower = *i.lower
		}
		if i.upper != nil {
			upper = *i.upper
		}
		all[n] = open + lower + "," + upper + closing
	}
	return strings.Join(all, ",")
}

// part is one item of a version: a number, or a word.
type part struct {
	number int
	word   string // empty for a number
}

// compareVersions orders versions as Maven does, as far as versions of plugins
// go: numbers by value, absent ones as 0, and words such as alpha before the
// version without them.
func compareVersions(a, b string) int {
	as, bs := versionParts(a), versionParts(b)
	for i := range max(len(as), len(bs)) {
		// An absent part is the number 0 beside a number and no word beside a word.
		var x, y part
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		c := cmp.Compare(x.number, y.number)
		if x.word != "" || y.word != "" {
			switch {
			case i < len(as) && x.word == "": // a number is after every word
				c = 1
			case i < len(bs) && y.word == "":
				c = -1
			default:
				if c = cmp.Compare(wordRank(x.word), wordRank(y.word)); wordRank(x.word) == unknownWord {
					c = cmp.Or(c, cmp.Compare(x.word, y.word))
				}
			}
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func versionParts(version string) []part {
	var parts []part
	trim := func() { // 1.0 and 1.0-rc1 are 1 and 1-rc1
		for len(parts) > 0 && parts[len(parts)-1] == (part{}) {
			parts = parts[:len(parts)-1]
		}
	}
	add := func(s string) {
		if s == "" {
			return
		}
		if n, err := strconv.Atoi(s); err == nil {
			parts = append(parts, part{number: n})
			return
		}
		trim()
		if wordRank(s) != 0 {
			parts = append(parts, part{word: s})
		}
	}
	start, digits := 0, false
	version = strings.ToLower(version)
	for i, r := range version {
		separator := r == '.' || r == '-' || r == '_'
		if separator || i > start && unicode.IsDigit(r) != digits {
			add(version[start:i])
			start = i
			if separator {
				start = i + 1
			}
		}
		digits = unicode.IsDigit(r)
	}
	add(version[start:])
	trim()
	return parts
}

// unknownWord is the rank of words that say nothing of a release.
const unknownWord = 2

// wordRank is the place of a word among those that releases are marked with; a
// version without a word has rank 0, unknown words come last.
func wordRank(word string) int {
	switch word {
	case "", "ga", "final", "release":
		return 0
	case "alpha", "a":
		return -5
	case "beta", "b":
		return -4
	case "milestone", "m":
		return -3
	case "rc", "cr":
		return -2
	case "snapshot":
		return -1
	case "sp":
		return 1
	}
	return unknownWord
}
