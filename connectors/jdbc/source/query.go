package source

import (
	"strings"

	"kconnect/connectors/jdbc/dialect"
)

// statement returns the SELECT of one round. The bytes are those of the Java
// connector (spec jdbc-source, "Modes and exact SQL"): one blank between words,
// columns qualified with the table in table mode and bare in query mode.
func statement(d dialect.Dialect, table dialect.TableID, s *settings, c *criteria) string {
	var b strings.Builder
	prefix := ""
	if s.query != "" {
		b.WriteString(s.query)
	} else {
		b.WriteString("SELECT * FROM ")
		b.WriteString(table.SQL(d))
		prefix = table.SQL(d) + "."
	}
	c.write(&b, d, prefix)
	if s.suffix != "" {
		b.WriteByte(' ')
		b.WriteString(s.suffix)
	}
	return b.String()
}
