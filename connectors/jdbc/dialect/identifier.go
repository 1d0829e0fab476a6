package dialect

import (
	"strings"

	"kconnect/connect"
)

// TableID names a table. Parts that the database does not have are empty.
type TableID struct{ Catalog, Schema, Name string }

// String returns the dotted name without quotes, which source partitions and
// regular expressions see.
func (id TableID) String() string {
	var b strings.Builder
	for _, p := range [...]string{id.Catalog, id.Schema} {
		if p != "" {
			b.WriteString(p)
			b.WriteByte('.')
		}
	}
	b.WriteString(id.Name)
	return b.String()
}

// Text returns the dotted name with every part in double quotes, the form of
// messages in every dialect.
func (id TableID) Text() string {
	return id.join(func(p string) string { return `"` + p + `"` })
}

// SQL returns the table as statements of d name it.
func (id TableID) SQL(d Dialect) string { return id.join(d.Quote) }

// Quoted returns the table in d's quotes even where statements have none: the
// form in which connectors hand tables to their tasks.
func (id TableID) Quoted(d Dialect) string {
	q := d.QuoteChar()
	return id.join(func(p string) string { return quote(p, q) })
}

func (id TableID) join(part func(string) string) string {
	var b strings.Builder
	for _, p := range [...]string{id.Catalog, id.Schema} {
		if p != "" {
			b.WriteString(part(p))
			b.WriteByte('.')
		}
	}
	b.WriteString(part(id.Name))
	return b.String()
}

// ParseID reads a table name as Java does: parts separated by dots, a part
// that begins with the quote runs to the closing one (a doubled quote inside
// stands for one, which Java lacks). One part is a name, two are schema and
// name, three add the catalog; of more than three the first two count. A dot
// at the end and a quote that is not closed are errors, because the rest is the
// name of another table.
func ParseID(text string, quote byte) (TableID, error) {
	parts, fault := splitID(text, quote)
	switch {
	case fault != "":
		return TableID{}, &connect.Error{Class: connect.ClassIllegalArgument, Message: "Failure parsing fully qualified identifier; " + fault + " " + text,
			Remedy: "put a name with dots or quotes into quotes, each " + string(quote) + " in it doubled"}
	case len(parts) == 0:
		return TableID{}, nil
	case len(parts) == 1:
		return TableID{Name: parts[0]}, nil
	case len(parts) == 3:
		return TableID{parts[0], parts[1], parts[2]}, nil
	}
	return TableID{Schema: parts[0], Name: parts[1]}, nil
}

func splitID(s string, quote byte) (parts []string, fault string) {
	for s != "" {
		var part string
		var dot bool
		if s[0] == quote {
			var closed bool
			if part, s, closed = cutQuoted(s[1:], quote); !closed {
				return nil, "missing trailing quote in"
			}
			s, dot = strings.CutPrefix(s, ".")
		} else {
			part, s, dot = strings.Cut(s, ".")
		}
		if dot && s == "" {
			return nil, "ends in delimiter"
		}
		parts = append(parts, part)
	}
	return parts, ""
}

// cutQuoted returns what stands before the closing quote and what follows it.
func cutQuoted(s string, quote byte) (part, rest string, closed bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, quote)
		if i < 0 {
			return "", "", false
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if s == "" || s[0] != quote {
			return b.String(), s, true
		}
		b.WriteByte(quote)
		s = s[1:]
	}
}

// quote puts an identifier into quotes and doubles those inside it (D2).
func quote(name string, q byte) string {
	c := string(q)
	return c + strings.ReplaceAll(name, c, c+c) + c
}

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }
