package jaas

import "strings"

// token is a word, a quoted text, or one of the signs =, ;, { and }.
type token struct {
	text   string
	quoted bool
}

func (t token) sign() bool { return !t.quoted && len(t.text) == 1 && strings.Contains("=;{}", t.text) }

// tokenize splits a text; false when a quoted text or a comment does not end.
func tokenize(s string) ([]token, bool) {
	var tokens []token
	for s != "" {
		switch c := s[0]; {
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
			s = s[1:]
		case strings.IndexByte("=;{}", c) >= 0:
			tokens = append(tokens, token{text: s[:1]})
			s = s[1:]
		case c == '"' || c == '\'':
			text, rest, ok := quoted(s)
			if !ok {
				return nil, false
			}
			tokens = append(tokens, token{text, true})
			s = rest
		case strings.HasPrefix(s, "/*"):
			_, rest, ok := strings.Cut(s[2:], "*/")
			if !ok {
				return nil, false
			}
			s = rest
		case c == '/': // Java takes a single slash for the start of a comment too
			_, s, _ = strings.Cut(s, "\n")
		default:
			end := strings.IndexAny(s, " \t\r\n\f=;{}\"'/")
			if end < 0 {
				end = len(s)
			}
			tokens = append(tokens, token{text: s[:end]})
			s = s[end:]
		}
	}
	return tokens, true
}

// quoted reads a quoted text with the escapes of Java's tokenizer.
func quoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case s[0]:
			return b.String(), s[i+1:], true
		case '\n', '\r':
			return "", "", false
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
			if octal := octalDigits(s[i:]); octal > 0 {
				code := 0
				for _, d := range s[i : i+octal] {
					code = code*8 + int(d-'0')
				}
				b.WriteRune(rune(code))
				i += octal - 1
				continue
			}
			if at := strings.IndexByte("abfnrtv", s[i]); at >= 0 {
				b.WriteByte("\a\b\f\n\r\t\v"[at])
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// octalDigits counts the digits of an octal escape: up to three, the first of three at most 3.
func octalDigits(s string) int {
	most := 2
	if s[0] <= '3' {
		most = 3
	}
	n := 0
	for n < most && n < len(s) && s[n] >= '0' && s[n] <= '7' {
		n++
	}
	return n
}
