package config

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// PropertiesError is text that Java's reader of .properties files refuses.
type PropertiesError struct {
	Line    int    // of the file, from 1
	Message string // Java's words
	Near    string // the text at fault
}

func (e *PropertiesError) Error() string {
	return fmt.Sprintf("line %d: %s (at %q; write \\\\ for a backslash)", e.Line, e.Message, e.Near)
}

// ReadProperties reads a .properties file as java.util.Properties does from a
// stream: every byte is an ISO-8859-1 character, others are written \uXXXX. A
// worker's file is read like this. It returns the entries, the last of a
// repeated key, and the keys in the order in which they first occur.
//
// The whole of r is read into memory. A malformed \uXXXX is a
// *PropertiesError; other errors are r's.
func ReadProperties(r io.Reader) (Map, []string, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, err
	}
	text := make([]rune, len(b))
	for i, c := range b {
		text[i] = rune(c)
	}
	return parseProperties(text)
}

// ReadPropertiesUTF8 is ReadProperties for UTF-8 text, as config providers
// read it. Text that is not UTF-8 is an error.
func ReadPropertiesUTF8(r io.Reader) (Map, []string, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, err
	}
	for rest, line := b, 1; len(rest) > 0; line++ {
		text, after, _ := bytes.Cut(rest, []byte{'\n'})
		if !utf8.Valid(text) {
			return nil, nil, fmt.Errorf("line %d is not UTF-8: save the file in UTF-8 or write the character as \\uXXXX", line)
		}
		rest = after
	}
	return parseProperties([]rune(string(b)))
}

func parseProperties(text []rune) (Map, []string, error) {
	m := Map{}
	order := []string{}
	s := propertiesScanner{text: text, line: 1}
	for s.next() {
		key, value, err := splitProperty(s.logical, s.start)
		if err != nil {
			return nil, nil, err
		}
		if _, again := m[key]; !again {
			order = append(order, key)
		}
		m[key] = value
	}
	return m, order, nil
}

// propertiesScanner cuts a text into logical lines: comments and blank lines
// are gone, continued lines joined.
type propertiesScanner struct {
	text    []rune
	pos     int
	line    int    // number of the line at pos
	logical []rune // result of next, overwritten by the following next
	start   int    // number of the line where logical starts
}

func isPropertyBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\f' }
func isLineEnd(r rune) bool       { return r == '\n' || r == '\r' }

// next advances to the next logical line.
func (s *propertiesScanner) next() bool {
	s.logical = s.logical[:0]
	for s.pos < len(s.text) {
		s.skipBlanks()
		// While nothing is collected yet, this line starts the logical line,
		// even when an earlier one ended in a lone backslash: only then can
		// it be a comment.
		if len(s.logical) == 0 {
			s.start = s.line
			if s.pos < len(s.text) && (s.text[s.pos] == '#' || s.text[s.pos] == '!') {
				s.skipComment()
				continue
			}
		}
		continued := s.takeLine()
		switch {
		case !continued && len(s.logical) > 0:
			return true
		case continued && s.pos == len(s.text) && !s.endsInCRLF():
			return true // even when empty: Java has an entry without key and value then
		}
	}
	return len(s.logical) > 0
}

func (s *propertiesScanner) endsInCRLF() bool {
	n := len(s.text)
	return n >= 2 && s.text[n-2] == '\r' && s.text[n-1] == '\n'
}

func (s *propertiesScanner) skipBlanks() {
	for s.pos < len(s.text) && isPropertyBlank(s.text[s.pos]) {
		s.pos++
	}
}

func (s *propertiesScanner) skipComment() {
	for s.pos < len(s.text) && !isLineEnd(s.text[s.pos]) {
		s.pos++
	}
	s.endLine()
}

// takeLine appends the rest of the natural line to logical. It reports whether
// the line ends in a continuation, whose backslash it drops.
func (s *propertiesScanner) takeLine() bool {
	escaped := false
	for s.pos < len(s.text) && !isLineEnd(s.text[s.pos]) {
		r := s.text[s.pos]
		s.logical = append(s.logical, r)
		escaped = r == '\\' && !escaped
		s.pos++
	}
	if escaped {
		s.logical = s.logical[:len(s.logical)-1]
	}
	s.endLine()
	return escaped
}

// endLine steps over one line end; CR LF is one.
func (s *propertiesScanner) endLine() {
	if s.pos >= len(s.text) {
		return
	}
	cr := s.text[s.pos] == '\r'
	s.pos++
	if cr && s.pos < len(s.text) && s.text[s.pos] == '\n' {
		s.pos++
	}
	s.line++
}

// splitProperty cuts a logical line at the first separator that is not
// escaped: '=', ':' or blanks, with blanks around it.
func splitProperty(line []rune, number int) (key, value string, err error) {
	end, escaped := 0, false
	for end < len(line) {
		r := line[end]
		if !escaped && (r == '=' || r == ':' || isPropertyBlank(r)) {
			break
		}
		escaped = r == '\\' && !escaped
		end++
	}
	rest := trimPropertyBlanks(line[end:])
	if len(rest) > 0 && (rest[0] == '=' || rest[0] == ':') {
		rest = trimPropertyBlanks(rest[1:])
	}
	if key, err = unescapeProperty(line[:end], number); err != nil {
		return "", "", err
	}
	if value, err = unescapeProperty(rest, number); err != nil {
		return "", "", err
	}
	return key, value, nil
}

func trimPropertyBlanks(text []rune) []rune {
	i := slices.IndexFunc(text, func(r rune) bool { return !isPropertyBlank(r) })
	if i < 0 {
		return nil
	}
	return text[i:]
}

func unescapeProperty(text []rune, line int) (string, error) {
	if !slices.Contains(text, '\\') {
		return string(text), nil
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size, err := unescapeRune(text[i:], line)
		if err != nil {
			return "", err
		}
		i += size
		// Two escapes make one character beyond U+FFFF; a half of a pair that
		// stands alone is no text and becomes U+FFFD.
		if utf16.IsSurrogate(r) && i < len(text) && text[i] == '\\' {
			low, lowSize, err := unescapeRune(text[i:], line)
			if err != nil {
				return "", err
			}
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				r = pair
				i += lowSize
			}
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

// unescapeRune returns the character that text starts with and how many runes
// of text it takes. A backslash before a character without meaning is dropped.
func unescapeRune(text []rune, line int) (rune, int, error) {
	if text[0] != '\\' || len(text) == 1 {
		return text[0], 1, nil
	}
	switch r := text[1]; r {
	case 't':
		return '\t', 2, nil
	case 'n':
		return '\n', 2, nil
	case 'r':
		return '\r', 2, nil
	case 'f':
		return '\f', 2, nil
	case 'u':
		var unit rune
		for i := 2; i < 6; i++ {
			digit := rune(-1)
			if i < len(text) {
				digit = hexDigit(text[i])
			}
			if digit < 0 {
				return 0, 0, &PropertiesError{Line: line, Message: `Malformed \uxxxx encoding.`, Near: string(text[:min(len(text), 6)])}
			}
			unit = unit<<4 | digit
		}
		return unit, 6, nil
	default:
		return r, 2, nil
	}
}

func hexDigit(r rune) rune {
	switch {
	case r >= '0' && r <= '9':
		return r - '0'
	case r >= 'a' && r <= 'f':
		return r - 'a' + 10
	case r >= 'A' && r <= 'F':
		return r - 'A' + 10
	}
	return -1
}
