package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// Pattern is a Java regular expression (java.util.regex), as users write them
// in topics.regex, in filters of tables and in transformations. It runs in
// linear time unless it uses look-around, back references, possessive or
// atomic groups or multi-line anchors, which need backtracking. It may be used by several
// goroutines at once.
//
// What is not supported (\X, \N, the flag U, blocks and other rare \p
// properties, possessive quantifiers in a look-behind) is refused by
// CompilePattern, never given another meaning. \b knows ASCII words, as since
// Java 19.
type Pattern struct {
	text   string
	groups int            // number of capturing groups
	names  map[string]int // named groups
	full   *regexp.Regexp // matches a whole input; nil: backtracking is needed
	find   *regexp.Regexp
	back   *regexp2.Regexp // finds; nil when full is there and takes every input
	backed *regexp2.Regexp // matches a whole input

	// What full does not see as Java does, so that back has to, in inputs that
	// have it: a '$' before a last line end, a word that ends in a mark.
	ends, words bool
}

// backtrackLimit ends a match that backtracking makes explode. Java has no
// such limit: there the thread would spin.
const backtrackLimit = 5 * time.Second

// PatternError is a pattern that does not compile. Error gives the text of
// java.util.regex.PatternSyntaxException.
type PatternError struct {
	Description string
	Index       int // in characters, from 0; -1 for none
	Pattern     string
}

func (e *PatternError) Error() string {
	var b strings.Builder
	b.WriteString(e.Description)
	if e.Index >= 0 {
		b.WriteString(" near index " + strconv.Itoa(e.Index))
	}
	b.WriteString("\n" + e.Pattern)
	if e.Index >= 0 && e.Index < utf16Len(e.Pattern) {
		b.WriteString("\n" + strings.Repeat(" ", e.Index) + "^")
	}
	return b.String()
}

// utf16Len is the length that Java compares Index with.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// CompilePattern compiles a Java regular expression. The error is a
// *PatternError with Java's words, also for what is not supported here.
func CompilePattern(text string) (*Pattern, error) {
	source := unquote([]rune(text))
	linear := patternParser{text: source, names: map[string]int{}}
	err := linear.parse()
	exact := linear
	if err == nil && (linear.backtrack || linear.ends || linear.words) {
		// Once more, for the other engine from the first character on.
		exact = patternParser{text: source, names: map[string]int{}, backtrack: true}
		err = exact.parse()
	}
	if err != nil {
		err.Pattern = text
		return nil, err
	}
	p, compileErr := compile(text, &linear, &exact)
	if compileErr != nil {
		return nil, &PatternError{Description: "This regular expression is not supported (" + compileErr.Error() + ")", Index: -1, Pattern: text}
	}
	return p, nil
}

// compile hands the translations of text to the engines that it needs: that
// of the linear one, unless only backtracking can do it, and the exact one
// where there are inputs that the linear one does not see as Java does.
func compile(text string, linear, exact *patternParser) (*Pattern, error) {
	p := &Pattern{text: text, groups: linear.groups, names: linear.names, ends: linear.ends, words: linear.words}
	whole := func(translated string) string { return `\A(?:` + translated + `)\z` }
	if !linear.backtrack {
		full, err := regexp.Compile(whole(linear.out))
		if err == nil {
			p.full = full
			p.find, err = regexp.Compile(linear.out)
		}
		if err != nil {
			p.full = nil // too many repetitions for the linear engine
		}
	}
	if p.full != nil && !p.ends && !p.words {
		return p, nil
	}
	var err error
	if p.back, err = regexp2.Compile(exact.out); err != nil {
		return nil, err
	}
	if p.backed, err = regexp2.Compile(whole(exact.out)); err != nil {
		return nil, err
	}
	p.back.MatchTimeout = backtrackLimit
	p.backed.MatchTimeout = backtrackLimit
	return p, nil
}

// linear reports whether the linear engine sees s as Java does.
func (p *Pattern) linear(s string) bool {
	if p.full == nil {
		return false
	}
	if p.ends {
		if last, _ := utf8.DecodeLastRuneInString(s); lineEndRunes.contains(last) {
			return false
		}
	}
	return !p.words || !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x300 && unicode.Is(unicode.Mn, r) })
}

// String returns the pattern as it was given.
func (p *Pattern) String() string { return p.text }

// Matches reports whether the whole of s matches, as Java's matches does. An
// error says that backtracking took too long.
func (p *Pattern) Matches(s string) (bool, error) {
	if p.linear(s) {
		return p.full.MatchString(s), nil
	}
	return p.backed.MatchString(s)
}

// match is one match: the byte offsets of all groups in pairs, -1 for a group
// that took no part; nil for no match.
func (p *Pattern) match(s string) ([]int, error) {
	if p.linear(s) {
		return p.find.FindStringSubmatchIndex(s), nil
	}
	m, err := p.back.FindStringMatch(s)
	if err != nil || m == nil {
		return nil, err
	}
	loc := make([]int, 0, 2*(p.groups+1))
	for i := range p.groups + 1 {
		g := m.GroupByNumber(i)
		if g == nil || len(g.Captures) == 0 {
			loc = append(loc, -1, -1)
			continue
		}
		start, length := g.ByteRange()
		loc = append(loc, start, start+length)
	}
	return loc, nil
}
