package source

import (
	"strings"

	"kconnect/connectors/jdbc/dialect"
)

// statement returns the SELECT of one round. The bytes are those of the Java
// connector (spec jdbc-source, "Modes and exact SQL"), unless again asks for the
// last instant or id too: one blank between words, columns qualified with the
// table in table mode and bare in query mode.
func statement(d dialect.Dialect, table dialect.TableID, s *settings, c *criteria, again bool) string {
	return selection(d, table, s, func(b *strings.Builder, prefix string) { c.write(b, d, prefix, again) })
}

// gapStatement returns the SELECT that looks for rows that were missing.
func gapStatement(d dialect.Dialect, table dialect.TableID, s *settings, c *criteria, spans []span) string {
	return selection(d, table, s, func(b *strings.Builder, prefix string) { c.writeGaps(b, d, prefix, spans) })
}

func selection(d dialect.Dialect, table dialect.TableID, s *settings, where func(b *strings.Builder, prefix string)) string {
	var b strings.Builder
	prefix := ""
	if s.query != "" {
		b.WriteString(s.query)
	} else {
		b.WriteString("SELECT * FROM ")
		b.WriteString(table.SQL(d))
		prefix = table.SQL(d) + "."
	}
	where(&b, prefix)
	if s.suffix != "" {
		b.WriteByte(' ')
		b.WriteString(s.suffix)
	}
	return b.String()
}
