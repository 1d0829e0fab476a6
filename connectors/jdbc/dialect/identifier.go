package dialect

import "strings"

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
// name, three add the catalog; of more than three the first two count.
func ParseID(text string, quote byte) TableID {
	parts := splitID(text, quote)
	switch len(parts) {
	case 0:
		return TableID{}
	case 1:
		return TableID{Name: parts[0]}
	case 3:
		return TableID{parts[0], parts[1], parts[2]}
	}
	return TableID{Schema: parts[0], Name: parts[1]}
}

func splitID(s string, quote byte) []string {
	var parts []string
	for s != "" {
		var part string
		if s[0] == quote {
			part, s = cutQuoted(s[1:], quote)
			s = strings.TrimPrefix(s, ".")
		} else {
			part, s, _ = strings.Cut(s, ".")
		}
		parts = append(parts, part)
	}
	return parts
}

// cutQuoted returns what stands before the closing quote and what follows it.
func cutQuoted(s string, quote byte) (part, rest string) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, quote)
		if i < 0 {
			b.WriteString(s)
			return b.String(), ""
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if s == "" || s[0] != quote {
			return b.String(), s
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
