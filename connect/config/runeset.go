package config

import (
	"slices"
	"sort"
	"strings"
	"unicode"
)

// runeSet is a set of characters: pairs of first and last, ascending, neither
// overlapping nor adjacent.
type runeSet []rune

func runes(pairs ...rune) runeSet { return runeSet(pairs).normal() }

// normal sorts pairs and joins those that touch.
func (s runeSet) normal() runeSet {
	pairs := make([][2]rune, 0, len(s)/2)
	for i := 0; i < len(s); i += 2 {
		pairs = append(pairs, [2]rune{s[i], s[i+1]})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	var out runeSet
	for _, p := range pairs {
		if n := len(out); n > 0 && p[0] <= out[n-1]+1 {
			out[n-1] = max(out[n-1], p[1])
			continue
		}
		out = append(out, p[0], p[1])
	}
	return out
}

func (s runeSet) union(t runeSet) runeSet { return append(slices.Clone(s), t...).normal() }

func (s runeSet) negate() runeSet {
	var out runeSet
	next := rune(0)
	for i := 0; i < len(s); i += 2 {
		if s[i] > next {
			out = append(out, next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}

func (s runeSet) intersect(t runeSet) runeSet {
	return s.negate().union(t.negate()).negate()
}

// foldLatin adds the other cases of ASCII letters.
func (s runeSet) foldLatin() runeSet {
	out := slices.Clone(s)
	for i := 0; i < len(s); i += 2 {
		for r := s[i]; r <= min(s[i+1], 'z'); r++ {
			if isLatin(r) {
				out = append(out, r^0x20, r^0x20)
			}
		}
	}
	return out.normal()
}

// lowered is the form in which Java compares characters whose case does not
// count. Java has its own idea there: i, I, İ and ı have one form.
func lowered(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// foldOne is the set of the characters that differ from r in case only.
func foldOne(r rune) runeSet {
	if unicode.ToUpper(r) == lowered(r) {
		return runes(r, r) // Java looks no further; ß is one
	}
	s := runeSet{r, r, lowered(r), lowered(r)}
	eachCased(func(c rune) {
		if lowered(c) == lowered(r) {
			s = append(s, c, c)
		}
	})
	return s.normal()
}

// foldRange adds the characters of which an other case is in s.
func (s runeSet) foldRange() runeSet {
	out := slices.Clone(s)
	eachCased(func(c rune) {
		if s.contains(unicode.ToUpper(c)) || s.contains(lowered(c)) {
			out = append(out, c, c)
		}
	})
	return out.normal()
}

// eachCased calls f with every character that has cases.
func eachCased(f func(r rune)) {
	for _, cased := range unicode.CaseRanges {
		for r := rune(cased.Lo); r <= rune(cased.Hi); r++ {
			f(r)
		}
	}
}

func (s runeSet) contains(r rune) bool {
	for i := 0; i < len(s); i += 2 {
		if s[i] <= r && r <= s[i+1] {
			return true
		}
	}
	return false
}

// expression writes the set as a bracket expression that both engines read alike.
func (s runeSet) expression() string {
	var b strings.Builder
	if len(s) == 0 {
		return "[^\x00-" + string(unicode.MaxRune) + "]"
	}
	b.WriteByte('[')
	for i := 0; i < len(s); i += 2 {
		writeClassRune(&b, s[i])
		if s[i] != s[i+1] {
			b.WriteByte('-')
			writeClassRune(&b, s[i+1])
		}
	}
	b.WriteByte(']')
	return b.String()
}

func writeClassRune(b *strings.Builder, r rune) {
	// A half of a surrogate pair cannot be written; no input has one either.
	if r >= 0xd800 && r <= 0xdfff {
		r = 0xd7ff
	}
	switch {
	case r == '-': // regexp2 reads \- at the end of a range as something else
		b.WriteString(`\x2d`)
		return
	case r < 0x80 && strings.ContainsRune(`\[]^&`, r):
		b.WriteByte('\\')
	}
	b.WriteRune(r)
}

func ofTable(t *unicode.RangeTable) runeSet {
	var s runeSet
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			s = append(s, lo, hi)
			return
		}
		for r := lo; r <= hi; r += stride {
			s = append(s, r, r)
		}
	}
	for _, r := range t.R16 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return s.normal()
}

// The predefined classes, which are ASCII in Java unless the pattern asks for
// more, and those of blanks and line ends.
var (
	digitRunes      = runes('0', '9')
	spaceRunes      = runes('\t', '\r', ' ', ' ')
	wordRunes       = runes('0', '9', 'A', 'Z', '_', '_', 'a', 'z')
	horizontalRunes = runes('\t', '\t', ' ', ' ', 0xa0, 0xa0, 0x1680, 0x1680, 0x180e, 0x180e, 0x2000, 0x200a, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000)
	verticalRunes   = runes('\n', '\r', 0x85, 0x85, 0x2028, 0x2029)
	lineEndRunes    = runes('\n', '\n', '\r', '\r', 0x85, 0x85, 0x2028, 0x2029)
)

// propertyRunes returns the set of \p{name}, as far as it is known.
func propertyRunes(name string) (runeSet, bool) {
	if s, ok := asciiProperty(name); ok {
		return s, true
	}
	if key, value, ok := strings.Cut(name, "="); ok {
		switch strings.ToLower(key) {
		case "sc", "script":
			return scriptRunes(value)
		case "gc", "general_category":
			return categoryRunes(value)
		}
		return nil, false
	}
	if rest, ok := strings.CutPrefix(name, "java"); ok {
		return javaProperty(rest)
	}
	rest, is := strings.CutPrefix(name, "Is")
	if is {
		if s, ok := binaryProperty(rest); ok {
			return s, true
		}
	}
	if s, ok := categoryRunes(rest); ok {
		return s, true
	}
	if is {
		return scriptRunes(rest)
	}
	return nil, false
}

// withOtherCases widens a property of one letter case where case is ignored.
func withOtherCases(name string, set runeSet) runeSet {
	switch name {
	case "Lower", "Upper":
		return runes('A', 'Z', 'a', 'z')
	case "Lu", "Ll", "Lt", "IsLu", "IsLl", "IsLt":
		set, _ = categoryRunes("LC")
		return set
	case "javaLowerCase", "javaUpperCase", "javaTitleCase":
		set, _ = categoryRunes("LC")
		return set.union(ofTable(unicode.Other_Lowercase)).union(ofTable(unicode.Other_Uppercase))
	}
	if rest, ok := strings.CutPrefix(name, "Is"); ok {
		switch strings.ToUpper(rest) {
		case "LOWERCASE", "UPPERCASE", "TITLECASE":
			return withOtherCases("javaLowerCase", nil)
		}
	}
	return set
}

func asciiProperty(name string) (runeSet, bool) {
	switch name {
	case "Lower":
		return runes('a', 'z'), true
	case "Upper":
		return runes('A', 'Z'), true
	case "ASCII":
		return runes(0, 0x7f), true
	case "Alpha":
		return runes('A', 'Z', 'a', 'z'), true
	case "Digit":
		return digitRunes, true
	case "Alnum":
		return runes('0', '9', 'A', 'Z', 'a', 'z'), true
	case "Punct":
		return runes('!', '/', ':', '@', '[', '`', '{', '~'), true
	case "Graph":
		return runes('!', '~'), true
	case "Print":
		return runes(' ', '~'), true
	case "Blank":
		return runes(' ', ' ', '\t', '\t'), true
	case "Cntrl":
		return runes(0, 0x1f, 0x7f, 0x7f), true
	case "XDigit":
		return runes('0', '9', 'A', 'F', 'a', 'f'), true
	case "Space":
		return spaceRunes, true
	case "L1":
		return runes(0, 0xff), true
	case "all":
		return runes(0, unicode.MaxRune), true
	}
	return nil, false
}

func categoryRunes(name string) (runeSet, bool) {
	if name == "LC" {
		return ofTable(unicode.Lu).union(ofTable(unicode.Ll)).union(ofTable(unicode.Lt)), true
	}
	if len(name) > 2 {
		return nil, false
	}
	t, ok := unicode.Categories[name]
	if !ok {
		return nil, false
	}
	return ofTable(t), true
}

func scriptRunes(name string) (runeSet, bool) {
	for script, t := range unicode.Scripts {
		if strings.EqualFold(script, name) {
			return ofTable(t), true
		}
	}
	return nil, false
}

func javaProperty(name string) (runeSet, bool) {
	switch name {
	case "LowerCase":
		return binaryProperty("Lowercase")
	case "UpperCase":
		return binaryProperty("Uppercase")
	case "TitleCase":
		return ofTable(unicode.Lt), true
	case "Alphabetic":
		return binaryProperty("Alphabetic")
	case "Ideographic":
		return binaryProperty("Ideographic")
	case "Digit":
		return ofTable(unicode.Nd), true
	case "Letter":
		return ofTable(unicode.L), true
	case "LetterOrDigit":
		return ofTable(unicode.L).union(ofTable(unicode.Nd)), true
	case "SpaceChar":
		return ofTable(unicode.Z), true
	case "Whitespace":
		noBreak := runes(0xa0, 0xa0, 0x2007, 0x2007, 0x202f, 0x202f)
		return ofTable(unicode.Z).intersect(noBreak.negate()).union(runes('\t', '\r', 0x1c, 0x1f)), true
	case "ISOControl":
		return runes(0, 0x1f, 0x7f, 0x9f), true
	}
	return nil, false
}

func binaryProperty(name string) (runeSet, bool) {
	switch strings.ToUpper(name) {
	case "ALPHABETIC":
		return ofTable(unicode.L).union(ofTable(unicode.Nl)).union(ofTable(unicode.Other_Alphabetic)), true
	case "LOWERCASE":
		return ofTable(unicode.Ll).union(ofTable(unicode.Other_Lowercase)), true
	case "UPPERCASE":
		return ofTable(unicode.Lu).union(ofTable(unicode.Other_Uppercase)), true
	case "TITLECASE":
		return ofTable(unicode.Lt), true
	case "LETTER":
		return ofTable(unicode.L), true
	case "DIGIT":
		return ofTable(unicode.Nd), true
	case "PUNCTUATION":
		return ofTable(unicode.P), true
	case "CONTROL":
		return ofTable(unicode.Cc), true
	case "IDEOGRAPHIC":
		return ofTable(unicode.Ideographic), true
	case "WHITE_SPACE", "WHITESPACE":
		return ofTable(unicode.White_Space), true
	}
	return nil, false
}
