package config

import (
	"regexp"
	"strings"
	"unicode"
)

// patternParser reads Java's syntax and writes one that Go's regexp and
// regexp2 understand alike: no flags, no named groups (regexp2 numbers them
// differently), every class a plain bracket expression. Its position moves as
// Java's does, since that gives the index in messages.
type patternParser struct {
	text      []rune
	pos       int
	out       string
	flags     patternFlags
	groups    int
	names     map[string]int
	backtrack bool // the linear engine cannot do it
	behind    int  // how many look-behinds are open

	ends, words bool // see Pattern
}

type patternFlags struct {
	ignoreCase, unicodeCase, dotAll, multiline, unixLines, comments bool
}

// unquote replaces \Q...\E by escapes of its own, as Java does first of all:
// positions in messages count in what it returns.
func unquote(text []rune) []rune {
	var out []rune
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			continue
		}
		i++
		if text[i] != 'Q' {
			out = append(out, '\\', text[i])
			continue
		}
		first := true
		for i++; i < len(text); i++ {
			r := text[i]
			if r == '\\' && i+1 < len(text) && text[i+1] == 'E' {
				i++
				break
			}
			switch {
			case first && isDigit(r): // it must not become part of an escape before the quotation
				out = append(out, '\\', 'x', '3', r)
			case r >= 0x80 || isLatinAlnum(r):
				out = append(out, r)
			default:
				out = append(out, '\\', r)
			}
			first = false
		}
	}
	return out
}

// endOfPattern is what peek and read give after the last character.
const endOfPattern = rune(-1)

func (p *patternParser) at(i int) rune {
	if i < len(p.text) {
		return p.text[i]
	}
	return endOfPattern
}

func (p *patternParser) peek() rune {
	if p.flags.comments {
		p.pos = p.pastComments(p.pos)
	}
	return p.at(p.pos)
}

func (p *patternParser) read() rune {
	r := p.peek()
	p.pos++
	return r
}

// pastComments returns where the pattern goes on behind blanks and comments
// from i on, which the flag x makes of no account.
func (p *patternParser) pastComments(i int) int {
	for {
		switch r := p.at(i); {
		case spaceRunes.contains(r):
			i++
		case r == '#':
			for r = p.at(i); r != endOfPattern && !p.lineEnds().contains(r); r = p.at(i) {
				i++
			}
		default:
			return i
		}
	}
}

// fail makes an error at the character that was read last.
func (p *patternParser) fail(description string) *PatternError {
	return &PatternError{Description: description, Index: p.pos - 1}
}

func (p *patternParser) parse() *PatternError {
	if err := p.alternatives(); err != nil {
		return err
	}
	switch {
	case p.pos < len(p.text):
		return p.fail("Unmatched closing ')'")
	case p.pos > len(p.text): // a backslash was last
		return p.fail("Unexpected internal error")
	}
	return nil
}

// alternatives reads up to a closing parenthesis or the end.
func (p *patternParser) alternatives() *PatternError {
	for {
		if err := p.sequence(); err != nil {
			return err
		}
		if p.peek() != '|' {
			return nil
		}
		p.pos++
		p.out += "|"
	}
}

func (p *patternParser) sequence() *PatternError {
	for {
		item, err := p.item()
		if err != nil {
			return err
		}
		if item == nil {
			return nil
		}
		if *item == "" {
			continue
		}
		if err := p.quantified(*item); err != nil {
			return err
		}
	}
}

// item reads one thing that a quantifier may follow and returns its
// translation: nil at the end of the sequence, empty for nothing to match.
func (p *patternParser) item() (*string, *PatternError) {
	text := ""
	switch r := p.peek(); r {
	case endOfPattern, '|', ')':
		return nil, nil
	case '(':
		return p.group()
	case '[':
		p.pos++
		set, err := p.class(true, true)
		if err != nil {
			return nil, err
		}
		text = set.expression()
	case '\\':
		return p.escape()
	case '^':
		p.pos++
		text = `\A`
		if p.flags.multiline {
			text = p.lineStart()
		}
	case '$':
		p.pos++
		text = p.end()
		if p.flags.multiline {
			text = p.lineEnd()
		}
	case '.':
		p.pos++
		text = p.dot()
	case '?', '*', '+':
		p.pos++
		return nil, p.fail("Dangling meta character '" + string(r) + "'")
	case '{':
		text = "(?:)" // Java: a repetition of nothing
	default:
		p.pos++
		text = p.literal(r)
	}
	return &text, nil
}

func (p *patternParser) dot() string {
	if p.flags.dotAll {
		return runes(0, unicode.MaxRune).expression()
	}
	return p.lineEnds().negate().expression()
}

func (p *patternParser) lineEnds() runeSet {
	if p.flags.unixLines {
		return runes('\n', '\n')
	}
	return lineEndRunes
}

// notInCRLF keeps an anchor out of the middle of a line end.
const notInCRLF = `(?<!\r(?=\n))`

// end matches at the end of the input and before a line end that is last.
func (p *patternParser) end() string {
	p.ends = true
	switch {
	case !p.backtrack:
		return `\z` // Pattern.linear sees to inputs that end in a line end
	case p.flags.unixLines:
		return `(?=\n?\z)`
	}
	return `(?:(?=(?:\r\n|` + lineEndRunes.expression() + `)?\z)` + notInCRLF + `)`
}

// lineStart matches after a line end, but not at the end of the input.
func (p *patternParser) lineStart() string {
	p.backtrack = true
	return `(?:(?<=\A|` + p.lineEnds().expression() + `)` + notInCRLF + `(?!\z))`
}

// lineEnd matches before a line end and at the end of the input.
func (p *patternParser) lineEnd() string {
	p.backtrack = true
	if p.flags.unixLines { // a carriage return is no part of a line end
		return `(?=\n|\z)`
	}
	return `(?:(?=` + p.lineEnds().expression() + `|\z)` + notInCRLF + `)`
}

func (p *patternParser) literal(r rune) string {
	if set := p.folded(r, r); len(set) > 2 || set[0] != set[1] {
		return set.expression()
	}
	return regexp.QuoteMeta(string(r))
}

// folded is the set of a character or a range under the flags.
func (p *patternParser) folded(first, last rune) runeSet {
	s := runes(first, last)
	switch {
	case !p.flags.ignoreCase:
		return s
	case !p.flags.unicodeCase:
		return s.foldLatin()
	case first == last:
		return foldOne(first)
	}
	return s.foldRange()
}

// quantified writes item with the quantifier that follows.
func (p *patternParser) quantified(item string) *PatternError {
	quantifier := ""
	switch r := p.peek(); r {
	case '?', '*', '+':
		p.pos++
		quantifier = string(r)
	case '{':
		var err *PatternError
		if quantifier, err = p.counted(); err != nil {
			return err
		}
	default:
		p.out += item
		return nil
	}
	if strings.HasPrefix(item, "(") && quantifier != "?" && canBeEmpty(item) {
		p.backtrack = true // the linear engine goes on after an empty turn
	}
	switch p.peek() {
	case '?':
		p.pos++
		quantifier += "?"
	case '+':
		p.pos++
		if p.behind > 0 {
			return p.failBehind()
		}
		p.backtrack = true
		p.out += atomic(atomic(item) + quantifier) // each turn keeps what it took, too
		return nil
	}
	p.out += "(?:" + item + ")" + quantifier
	return nil
}

// atomic is a group that keeps what it took. The alternative that never
// matches keeps regexp2 from making one loop of it and of one around it:
// (?:(?>a+)){2} would match "aa".
func atomic(item string) string { return "(?>" + item + "|" + runeSet(nil).expression() + ")" }

// canBeEmpty reports whether item takes the empty text, as far as the linear
// engine can tell.
func canBeEmpty(item string) bool {
	r, err := regexp.Compile(`\A(?:` + item + `)\z`)
	return err == nil && r.MatchString("")
}

// failBehind refuses what keeps what it took, inside of a look-behind: regexp2
// reads that from right to left and keeps something else.
func (p *patternParser) failBehind() *PatternError {
	return p.fail("A possessive quantifier or an atomic group is not supported in a look-behind")
}

// counted reads {n}, {n,} or {n,m}.
func (p *patternParser) counted() (string, *PatternError) {
	start := p.pos
	p.pos += 2 // as Java does, whatever the second character is
	if !isDigit(p.at(start + 1)) {
		return "", p.fail("Illegal repetition")
	}
	low, next, err := p.count(start + 1)
	if err != nil {
		return "", err
	}
	high, bounded := low, true
	if next == ',' {
		if bounded = p.peek() != '}'; !bounded {
			next = p.read()
		} else if next = p.read(); isDigit(next) {
			if high, next, err = p.count(p.pos - 1); err != nil {
				return "", err
			}
		} else {
			high = 0
		}
	}
	if next != '}' {
		return "", p.fail("Unclosed counted closure")
	}
	if bounded && high < low {
		return "", p.fail("Illegal repetition range")
	}
	return string(p.text[start:p.pos]), nil
}

// count reads the digits from index i on, and the character after them.
func (p *patternParser) count(i int) (int, rune, *PatternError) {
	n := 0
	for p.pos = i; isDigit(p.peek()); {
		n = n*10 + int(p.read()-'0')
		if n > 1<<31-1 {
			return 0, 0, p.fail("Illegal repetition range")
		}
	}
	return n, p.read(), nil
}

func isDigit(r rune) bool      { return r >= '0' && r <= '9' }
func isLatin(r rune) bool      { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
func isLatinAlnum(r rune) bool { return isLatin(r) || isDigit(r) }
func isHex(r rune) bool        { return hexDigit(r) >= 0 }
func isOctal(r rune) bool      { return r >= '0' && r <= '7' }

// group reads from a parenthesis to its partner.
func (p *patternParser) group() (*string, *PatternError) {
	p.pos++
	open := "("
	outer := p.flags
	if p.peek() != '?' {
		p.groups++
	} else {
		p.pos++
		var err *PatternError
		if open, err = p.special(); err != nil {
			return nil, err
		}
		if open == "" { // flags for the rest of the enclosing group
			return &open, nil
		}
	}
	// The group is written into a text of its own, because a quantifier may follow.
	enclosing := p.out
	p.out = ""
	behind := strings.HasPrefix(open, "(?<")
	if behind {
		p.behind++
	}
	err := p.alternatives()
	if behind {
		p.behind--
	}
	text := open + p.out + ")"
	if open == "(?>" {
		text = atomic(p.out)
	}
	p.out = enclosing
	if err != nil {
		return nil, err
	}
	if p.read() != ')' {
		return nil, p.fail("Unclosed group")
	}
	p.flags = outer
	return &text, nil
}

// special reads what follows "(?" and returns the opening to write; empty for
// flags without a group.
func (p *patternParser) special() (string, *PatternError) {
	switch r := p.read(); r {
	case ':':
		return "(?:", nil
	case '=', '!', '>':
		if r == '>' && p.behind > 0 {
			return "", p.failBehind()
		}
		p.backtrack = true
		return "(?" + string(r), nil
	case '<':
		if r := p.read(); r == '=' || r == '!' {
			p.backtrack = true
			return "(?<" + string(r), nil
		}
		name, err := p.groupName()
		if err != nil {
			return "", err
		}
		if _, twice := p.names[name]; twice {
			return "", p.fail("Named capturing group <" + name + "> is already defined")
		}
		p.groups++
		p.names[name] = p.groups
		return "(", nil
	case '$', '@':
		return "", p.fail("Unknown group type")
	default:
		p.pos--
		return p.inlineFlags()
	}
}

// groupName reads a name up to '>'; its first character was read.
func (p *patternParser) groupName() (string, *PatternError) {
	start := p.pos - 1
	if !isLatin(p.at(start)) {
		return "", p.fail("capturing group name does not start with a Latin letter")
	}
	for isLatinAlnum(p.peek()) {
		p.pos++
	}
	end := p.pos
	if p.read() != '>' {
		return "", p.fail("named capturing group is missing trailing '>'")
	}
	return string(p.text[start:end]), nil
}

func (p *patternParser) inlineFlags() (string, *PatternError) {
	on := true
	for {
		switch p.peek() {
		case 'i':
			p.flags.ignoreCase = on
		case 'u':
			p.flags.unicodeCase = on
		case 's':
			p.flags.dotAll = on
		case 'm':
			p.flags.multiline = on
		case 'd':
			p.flags.unixLines = on
		case 'x':
			p.flags.comments = on
		case 'U', 'c':
			p.pos++
			return "", p.fail("The flag " + string(p.at(p.pos-1)) + " is not supported")
		case '-':
			if !on {
				p.pos++
				return "", p.fail("Unknown inline modifier")
			}
			on = false
		default:
			switch p.read() {
			case ')':
				return "", nil
			case ':':
				return "(?:", nil
			}
			return "", p.fail("Unknown inline modifier")
		}
		p.pos++
	}
}
