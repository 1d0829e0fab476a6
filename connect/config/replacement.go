package config

import (
	"fmt"
	"strings"
)

// ReplacementError is a replacement text that Java refuses when it is used.
// Error gives the text of Java's exception.
type ReplacementError struct {
	Class   string // the Java exception
	Message string
}

func (e *ReplacementError) Error() string { return e.Message }

// ReplaceFirst returns s with its first match replaced, or s when nothing
// matches. In replacement $1 and ${name} stand for groups, and a backslash
// takes the next character literally. As in Java $12 is group 12 when the
// pattern has so many, else group 1 and a 2. A group that took no part is
// empty. A faulty replacement is a *ReplacementError, and only when there is
// a match.
func (p *Pattern) ReplaceFirst(s, replacement string) (string, error) {
	loc, err := p.match(s)
	if err != nil || loc == nil {
		return s, err
	}
	var b strings.Builder
	b.WriteString(s[:loc[0]])
	group := func(n int) {
		if loc[2*n] >= 0 {
			b.WriteString(s[loc[2*n]:loc[2*n+1]])
		}
	}
	for rest := replacement; rest != ""; {
		i := strings.IndexAny(rest, `\$`)
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		escape := rest[i] == '\\'
		rest = rest[i+1:]
		switch {
		case escape && rest == "":
			return "", illegalArgument("character to be escaped is missing")
		case escape:
			r := []rune(rest)[0]
			b.WriteRune(r)
			rest = rest[len(string(r)):]
		case rest == "":
			return "", illegalArgument("Illegal group reference: group index is missing")
		case rest[0] == '{':
			n, size, err := p.namedGroup(rest[1:])
			if err != nil {
				return "", err
			}
			group(n)
			rest = rest[1+size:]
		default:
			n, size, err := p.numberedGroup(rest)
			if err != nil {
				return "", err
			}
			group(n)
			rest = rest[size:]
		}
	}
	b.WriteString(s[loc[1]:])
	return b.String(), nil
}

func illegalArgument(message string) error {
	return &ReplacementError{Class: "java.lang.IllegalArgumentException", Message: message}
}

// namedGroup reads name} and returns the group's number and the bytes read.
func (p *Pattern) namedGroup(rest string) (int, int, error) {
	end := 0
	for end < len(rest) && isLatinAlnum(rune(rest[end])) {
		end++
	}
	name := rest[:end]
	switch {
	case name == "":
		return 0, 0, illegalArgument("named capturing group has 0 length name")
	case end == len(rest) || rest[end] != '}':
		return 0, 0, illegalArgument("named capturing group is missing trailing '}'")
	case name[0] >= '0' && name[0] <= '9':
		return 0, 0, illegalArgument("capturing group name {" + name + "} starts with digit character")
	}
	n, ok := p.names[name]
	if !ok {
		return 0, 0, illegalArgument("No group with name {" + name + "}")
	}
	return n, end + 1, nil
}

// numberedGroup reads digits and returns the group's number and the bytes
// read: as many digits as make a group that exists, but at least one.
func (p *Pattern) numberedGroup(rest string) (int, int, error) {
	if rest[0] < '0' || rest[0] > '9' {
		return 0, 0, illegalArgument("Illegal group reference")
	}
	n, size := int(rest[0]-'0'), 1
	if n > p.groups {
		return 0, 0, &ReplacementError{Class: "java.lang.IndexOutOfBoundsException", Message: fmt.Sprintf("No group %d", n)}
	}
	for size < len(rest) && rest[size] >= '0' && rest[size] <= '9' {
		longer := n*10 + int(rest[size]-'0')
		if longer > p.groups {
			break
		}
		n = longer
		size++
	}
	return n, size, nil
}
