package dialect

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPlaceholdersAreNumberedOutsideOfTexts(t *testing.T) {
	for _, c := range []struct {
		sql, want string
		n         int
	}{
		{"SELECT 1", "SELECT 1", 0},
		{"SELECT * FROM t WHERE a > ? AND b < ?", "SELECT * FROM t WHERE a > $1 AND b < $2", 2},
		{"INSERT INTO t VALUES(?,?),(?,?)", "INSERT INTO t VALUES($1,$2),($3,$4)", 4},
		{"SELECT j ?? 'a', j ??| x FROM t WHERE id > ?", "SELECT j ? 'a', j ?| x FROM t WHERE id > $1", 1},
		{"SELECT '?', \"a?\", ? FROM t", "SELECT '?', \"a?\", $1 FROM t", 1},
		{"SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1", 1},
		{`SELECT E'\'?', ?`, `SELECT E'\'?', $1`, 1},
		{`SELECT '\', ?`, `SELECT '\', $1`, 1},
		{`SELECT name'\', ?`, `SELECT name'\', $1`, 1},
		{"SELECT 1 -- why?\n, ?", "SELECT 1 -- why?\n, $1", 1},
		{"SELECT /* a? /* b? */ c? */ ?", "SELECT /* a? /* b? */ c? */ $1", 1},
		{"SELECT $$ ? $$, $tag$ $$ ? $tag$, ?", "SELECT $$ ? $$, $tag$ $$ ? $tag$, $1", 1},
		{"SELECT a$b$?", "SELECT a$b$$1", 1},
		{"SELECT $1?", "SELECT $1$1", 1},
		{"SELECT 'open ?", "SELECT 'open ?", 0},
		{"SELECT /* open ?", "SELECT /* open ?", 0},
		{"SELECT $x$ open ?", "SELECT $x$ open ?", 0},
		{"-- only ?", "-- only ?", 0},
	} {
		if got, n := numbered(c.sql); got != c.want || n != c.n {
			t.Errorf("%s:\n got %s with %d\nwant %s with %d", c.sql, got, n, c.want, c.n)
		}
	}
}

// Whatever a name holds, in quotes it neither becomes a placeholder nor hides one.
func TestQuotedNamesDoNotDisturbPlaceholders(t *testing.T) {
	d := &postgreSQL{}
	rapid.Check(t, func(t *rapid.T) {
		name := d.Quote(rapid.StringMatching(`[a?"'$/*\- ]{0,12}`).Draw(t, "name"))
		got, n := numbered("SELECT " + name + " FROM t WHERE " + name + " > ?")
		if want := "SELECT " + name + " FROM t WHERE " + name + " > $1"; got != want || n != 1 {
			t.Fatalf("got %s with %d placeholders, want %s", got, n, want)
		}
	})
}

func BenchmarkNumbered(b *testing.B) {
	sql := "INSERT INTO t VALUES" + tuples(5, 500)
	b.SetBytes(int64(len(sql)))
	b.ReportAllocs()
	for b.Loop() {
		if _, n := numbered(sql); n != 2500 {
			b.Fatal(n)
		}
	}
}
