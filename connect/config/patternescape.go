package config

import (
	"strconv"
	"unicode"
)

// escape reads a backslash and what belongs to it, outside of classes.
func (p *patternParser) escape() (*string, *PatternError) {
	text := ""
	switch r := p.at(p.pos + 1); r {
	case 'A', 'z':
		p.pos += 2
		text = `\` + string(r)
	case 'b', 'B':
		p.pos += 2
		text = p.wordBoundary(r == 'B')
	case 'Z':
		p.pos += 2
		text = p.end()
	case 'R':
		p.pos += 2
		if p.behind > 0 {
			return nil, p.fail(`The escape \R is not supported in a look-behind`)
		}
		p.backtrack = true // Java takes the two characters of a line end or none
		text = `(?:\r\n|\r(?!\n)|` + verticalRunes.intersect(runes('\r', '\r').negate()).expression() + ")"
	case 'G': // the end of the match before; there is none
		p.pos += 2
		text = `\A`
	case 'X', 'N':
		p.pos += 2
		return nil, p.fail(`The escape \` + string(r) + " is not supported")
	case 'k':
		p.pos += 2
		if p.read() != '<' {
			return nil, p.fail(`\k is not followed by '<' for named capturing group`)
		}
		p.pos++
		name, err := p.groupName()
		if err != nil {
			return nil, err
		}
		n, ok := p.names[name]
		if !ok {
			return nil, p.fail("named capturing group <" + name + "> does not exist")
		}
		text = p.backReference(n)
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		p.pos += 2
		n := int(r - '0')
		// More digits belong to it while such a group exists.
		for isDigit(p.peek()) && n*10+int(p.peek()-'0') <= p.groups {
			n = n*10 + int(p.read()-'0')
		}
		text = p.backReference(n)
	default:
		set, r, err := p.classEscape()
		if err != nil {
			return nil, err
		}
		if set != nil {
			text = set.expression()
		} else {
			text = p.literal(r)
		}
	}
	return &text, nil
}

// wordBoundary is between ASCII letters, digits, '_' and others, as since Java
// 19. Marks on a letter or digit count as such, which Pattern.linear sees to
// where there are any.
func (p *patternParser) wordBoundary(negated bool) string {
	p.words = true
	switch {
	case !p.backtrack && negated:
		return `\B`
	case !p.backtrack:
		return `\b`
	}
	word, marked := wordRunes.expression(), `[\p{L}\p{Nd}]\p{Mn}+`
	before, after := word+"|"+marked, word+`|\p{Mn}(?<=`+marked+")"
	if negated {
		return "(?:(?<=" + before + ")(?=" + after + ")|(?<!" + before + ")(?!" + after + "))"
	}
	return "(?:(?<=" + before + ")(?!" + after + ")|(?<!" + before + ")(?=" + after + "))"
}

func (p *patternParser) backReference(n int) string {
	p.backtrack = true
	text := `\` + strconv.Itoa(n)
	switch {
	case n > p.groups:
		text = "(?!)" // a group that is not there never matches
	case p.flags.ignoreCase:
		text = "(?i:" + text + ")"
	}
	return "(?:" + text + ")"
}

// classEscape reads an escape that is a set or one character, inside or
// outside of a class. The set is nil for a character.
func (p *patternParser) classEscape() (runeSet, rune, *PatternError) {
	p.pos++
	r := p.at(p.pos) // with its blanks, whatever the flags
	p.pos++
	switch r {
	case endOfPattern:
		return nil, 0, nil // the caller finds that the position is past the end
	case 'p', 'P':
		set, err := p.property(r == 'P')
		return set, 0, err
	case 'd':
		return digitRunes, 0, nil
	case 'D':
		return digitRunes.negate(), 0, nil
	case 's':
		return spaceRunes, 0, nil
	case 'S':
		return spaceRunes.negate(), 0, nil
	case 'w':
		return wordRunes, 0, nil
	case 'W':
		return wordRunes.negate(), 0, nil
	case 'h':
		return horizontalRunes, 0, nil
	case 'H':
		return horizontalRunes.negate(), 0, nil
	case 'v':
		return verticalRunes, 0, nil
	case 'V':
		return verticalRunes.negate(), 0, nil
	case '0':
		r, err := p.octal()
		return nil, r, err
	case 'a':
		return nil, 7, nil
	case 'e':
		return nil, 27, nil
	case 'f':
		return nil, '\f', nil
	case 'n':
		return nil, '\n', nil
	case 'r':
		return nil, '\r', nil
	case 't':
		return nil, '\t', nil
	case 'c':
		if p.peek() == endOfPattern {
			return nil, 0, p.fail("Illegal control escape sequence")
		}
		return nil, p.read() ^ 64, nil
	case 'x':
		r, err := p.hex()
		return nil, r, err
	case 'u':
		r, err := p.unicodeEscape()
		return nil, r, err
	}
	if isLatinAlnum(r) {
		return nil, 0, p.fail("Illegal/unsupported escape sequence")
	}
	return nil, r, nil
}

func (p *patternParser) property(negated bool) (runeSet, *PatternError) {
	name := ""
	if r := p.read(); r == '{' {
		start := p.pos
		for p.peek() != '}' && p.peek() != endOfPattern {
			p.pos++
		}
		name = string(p.text[start:min(p.pos, len(p.text))])
		if p.read() != '}' {
			return nil, p.fail("Unclosed character family")
		}
		if name == "" {
			return nil, p.fail("Empty character family")
		}
	} else {
		name = string(max(r, 0))
	}
	set, ok := propertyRunes(name)
	if !ok {
		return nil, p.fail("Unknown character property name {" + name + "}")
	}
	if p.flags.ignoreCase {
		set = withOtherCases(name, set)
	}
	if negated {
		set = set.negate()
	}
	return set, nil
}

func (p *patternParser) octal() (rune, *PatternError) {
	n := p.read()
	if !isOctal(n) {
		return 0, p.fail("Illegal octal escape sequence")
	}
	value := n - '0'
	digits := 2
	if n > '3' {
		digits = 1
	}
	for ; digits > 0 && isOctal(p.peek()); digits-- {
		value = value*8 + p.read() - '0'
	}
	return value, nil
}

func (p *patternParser) hex() (rune, *PatternError) {
	first := p.read()
	if isHex(first) {
		if second := p.read(); isHex(second) {
			return hexDigit(first)<<4 | hexDigit(second), nil
		}
		return 0, p.fail("Illegal hexadecimal escape sequence")
	}
	if first != '{' || !isHex(p.peek()) {
		return 0, p.fail("Illegal hexadecimal escape sequence")
	}
	value := rune(0)
	for isHex(p.peek()) {
		value = value<<4 | hexDigit(p.read())
		if value > unicode.MaxRune {
			return 0, p.fail("Hexadecimal codepoint is too big")
		}
	}
	if p.read() != '}' {
		return 0, p.fail("Unclosed hexadecimal escape sequence")
	}
	return value, nil
}

// unicodeEscape reads the digits of \uXXXX, and a second escape that makes a
// pair with it.
func (p *patternParser) unicodeEscape() (rune, *PatternError) {
	unit, err := p.fourDigits()
	if err != nil || unit < 0xd800 || unit > 0xdbff || p.peek() != '\\' || p.at(p.pos+1) != 'u' {
		return unit, err
	}
	start := p.pos
	p.pos += 2
	low, err := p.fourDigits()
	if err != nil {
		return 0, err
	}
	if low < 0xdc00 || low > 0xdfff {
		p.pos = start
		return unit, nil
	}
	return (unit-0xd800)<<10 + (low - 0xdc00) + 0x10000, nil
}

func (p *patternParser) fourDigits() (rune, *PatternError) {
	value := rune(0)
	for range 4 {
		r := p.read()
		if !isHex(r) {
			return 0, p.fail("Illegal Unicode escape sequence")
		}
		value = value<<4 | hexDigit(r)
	}
	return value, nil
}
