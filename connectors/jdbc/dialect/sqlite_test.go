package dialect

import (
	"database/sql/driver"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func openSQLiteFile(t *testing.T) (*Database, *Conn) {
	t.Helper()
	db, err := Open(Config{URL: "jdbc:sqlite:" + filepath.Join(t.TempDir(), "a b.db") + "?journal_mode=WAL"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for _, s := range []string{
		"CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL DEFAULT '', ts TIMESTAMP)",
		"INSERT INTO t (id, name, ts) VALUES (1, 'a', 5)",
		"CREATE VIEW v AS SELECT id FROM t",
		"CREATE TABLE sqliteish (k TEXT PRIMARY KEY)",
	} {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return db, c
}

func TestSQLiteTablesAreListedByKind(t *testing.T) {
	_, c := openSQLiteFile(t)
	for kinds, want := range map[string][]TableID{
		"TABLE": {{Name: "sqliteish"}, {Name: "t"}},
		"VIEW":  {{Name: "v"}},
		"NONE":  {{Name: "sqliteish"}, {Name: "t"}, {Name: "v"}}, // no kind that is known is all kinds

		"SYSTEM TABLE": nil,
	} {
		got, err := c.Tables(t.Context(), c, nil, nil, []string{kinds})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", kinds, d)
		}
	}
}

// Whether a column may be null comes from the table that it is of, also through
// views and queries, under the label that it has in the result (tried with the
// Java driver).
func TestSQLiteColumnsOfQueriesAndViewsMayBeNullWhereTheirTablesSaySo(t *testing.T) {
	_, c := openSQLiteFile(t)
	for _, s := range []string{
		"CREATE TABLE n (id INTEGER NOT NULL, o TEXT)",
		"INSERT INTO n VALUES (1, 'x')",
		"CREATE VIEW w AS SELECT name, name AS other, upper(name) AS up FROM t",
	} {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string][]Field{
		"SELECT * FROM t": {{Name: "id", Table: "t", Nullable: true}, {Name: "name", Table: "t"}, {Name: "ts", Table: "t", Nullable: true}},
		"SELECT * FROM w": {{Name: "name", Table: "t"}, {Name: "other", Table: "t", Nullable: true}, {Name: "up", Nullable: true}},
		"SELECT name AS x, ts AS name, count(*) AS id FROM t": {{Name: "x", Table: "t", Nullable: true}, {Name: "name", Table: "t"}, {Name: "id", Nullable: true}},
		"SELECT * FROM (SELECT name FROM t) z":                {{Name: "name", Table: "t"}},
		"SELECT t.id, n.id FROM t JOIN n USING (id)":          {{Name: "id", Table: "t", Nullable: true}, {Name: "id", Table: "n"}},
	} {
		rows, err := c.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Fields(t.Context(), c, rows, TableID{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Field{}, "Type")); d != "" {
			t.Errorf("%s (-want +got):\n%s", query, d)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSQLiteTablesAreDescribed(t *testing.T) {
	_, c := openSQLiteFile(t)
	got, found, err := c.Table(t.Context(), c, TableID{Name: "T"})
	if err != nil || !found {
		t.Fatal(found, err)
	}
	want := &Table{ID: TableID{Name: "t"}, Kind: "TABLE", Columns: []TableColumn{
		{Name: "id", Type: "INTEGER", Nullable: true, AutoIncrement: true, PrimaryKey: true, RowID: true},
		{Name: "name", Type: "TEXT"},
		{Name: "ts", Type: "TIMESTAMP", Nullable: true},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if column, ok := got.Column("NAME"); !ok || column.Name != "name" {
		t.Errorf("column NAME is %+v", column)
	}
	if _, found, err := c.Table(t.Context(), c, TableID{Name: "t_"}); found || err != nil {
		t.Errorf("a name that is no pattern was found as one: %v %v", found, err)
	}
}

// Reals are cast as by the SQLite of the recordings (3.46); the linked one
// gives up to 17 digits.
func TestSQLiteNumbersAreCastAsRecorded(t *testing.T) {
	for x, want := range map[float64]string{
		8.5: "8.5", 7: "7.0", 1e21: "1.0e+21", 1.0 / 3: "0.333333333333333", -2.5e-7: "-2.5e-07", 123456789.125: "123456789.125",
		1e14: "100000000000000.0", 1e15: "1.0e+15", math.Inf(-1): "-Inf",
	} {
		if got := string(appendSQLiteFloat(nil, x)); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
	_, c := openSQLiteFile(t)
	for _, text := range []string{"abc", "12abc", " 7 ", "-3.9", "", "1e3", "+4", "0x10", ".5x"} {
		want, err := c.Query(t.Context(), "SELECT CAST(? AS INTEGER), CAST(? AS REAL)", text, text)
		if err != nil {
			t.Fatal(err)
		}
		row := make([]driver.Value, 2)
		if err := errors.Join(want.Next(row), want.Close()); err != nil {
			t.Fatal(err)
		}
		s := sqliteReader{f: Field{Name: "c"}}
		if i, x := s.int64(text), s.float64(text); i != row[0] || x != row[1] {
			t.Errorf("%q: %v and %v, want %v", text, i, x, row)
		}
	}
}

func TestSQLiteTellsOfChangedValuesOnce(t *testing.T) {
	var told []string
	d := &sqLite{}
	c, err := d.Column(Field{Name: "n", Type: "TINYINT", Nullable: true}, ColumnOptions{Changed: func(column, how string) { told = append(told, column+": "+how) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []int64{5, 70000, 80000} {
		if _, err := c.Read(v, nil); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"n: 70000 does not fit the declared type TINYINT"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestSQLiteDecimalsAreExactOrRefused(t *testing.T) {
	d := &sqLite{}
	c, err := d.Column(Field{Name: "n", Type: "DECIMAL", Precision: 10, Scale: 2}, ColumnOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for v, want := range map[driver.Value]string{1.5: "1.50", int64(3): "3.00", "2.125": "", "7.10": "7.10", "x": "", 0.1: "0.10"} {
		got, err := c.Read(v, nil)
		if want == "" {
			if err == nil {
				t.Errorf("%v is read as %s", v, got.Decimal())
			}
			continue
		}
		if err != nil || got.Decimal().String() != want {
			t.Errorf("%v: %s %v, want %s", v, got.Decimal(), err, want)
		}
	}
}
