package dialect

import (
	"strconv"
	"strings"
)

// numbered turns the placeholders ? of a statement, in which all statements of
// this program and its users are written, into $1, $2, ... and returns how many
// there are. What stands in quotes, dollar quotes and comments is left alone,
// and ?? stands for the operator ?, as in Java's driver. It is the only place
// where statements for PostgreSQL are rewritten.
func numbered(sql string) (string, int) {
	if strings.IndexByte(sql, '?') < 0 {
		return sql, 0
	}
	var b strings.Builder
	n, copied := 0, 0
	for i := 0; i < len(sql); {
		if sql[i] != '?' {
			i = afterToken(sql, i)
			continue
		}
		b.WriteString(sql[copied:i])
		if i++; i < len(sql) && sql[i] == '?' {
			b.WriteByte('?')
			i++
		} else {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		copied = i
	}
	b.WriteString(sql[copied:])
	return b.String(), n
}

// afterToken returns where the quoted text or comment that begins at i ends, or
// i+1 where none begins. One that has no end takes all the rest.
func afterToken(sql string, i int) int {
	rest := sql[i:]
	switch {
	case rest[0] == '\'':
		return i + afterQuote(rest, escapes(sql, i))
	case rest[0] == '"':
		return i + afterQuote(rest, false)
	case strings.HasPrefix(rest, "--"):
		if end := strings.IndexAny(rest, "\r\n"); end >= 0 {
			return i + end
		}
		return len(sql)
	case strings.HasPrefix(rest, "/*"):
		return i + afterComment(rest)
	case rest[0] == '$' && (i == 0 || !namePart(sql[i-1])):
		return i + afterDollars(rest)
	}
	return i + 1
}

// escapes reports whether the quote at i begins a text with backslash escapes: E'...'.
func escapes(sql string, i int) bool {
	return i > 0 && (sql[i-1] == 'e' || sql[i-1] == 'E') && (i == 1 || !namePart(sql[i-2]))
}

// afterQuote returns where the text in quotes at the beginning of s ends. A
// doubled quote is an end and a new beginning, which comes to the same.
func afterQuote(s string, backslash bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return i + 1
		case s[i] == '\\' && backslash:
			i++
		}
	}
	return len(s)
}

// afterComment returns where the comment at the beginning of s ends. They nest.
func afterComment(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// afterDollars returns where the text in dollar quotes at the beginning of s
// ends, and 1 when it is no such text.
func afterDollars(s string) int {
	end := 1
	for end < len(s) && namePart(s[end]) && s[end] != '$' {
		end++
	}
	if end == len(s) || s[end] != '$' || end > 1 && s[1] >= '0' && s[1] <= '9' {
		return 1
	}
	tag := s[:end+1]
	if i := strings.Index(s[len(tag):], tag); i >= 0 {
		return i + 2*len(tag)
	}
	return len(s)
}

// namePart reports whether a byte can stand within an identifier.
func namePart(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
