package dialect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/data"
)

var (
	testMySQL  = &mySQL{database: "db"}
	testSQLite = &sqLite{}
	testTable  = TableID{Catalog: "db", Name: "t"}
)

func schemaOf(b *data.Builder) *data.Schema { return b.MustBuild() }

func TestCreateTable(t *testing.T) {
	columns := []NewColumn{
		{Name: "id", Schema: data.Int32Schema, Key: true},
		{Name: "name", Schema: data.OptionalStringSchema, Optional: true},
	}
	for _, c := range []struct {
		target  Target
		id      TableID
		columns []NewColumn
		want    string
	}{
		{testMySQL, testTable, columns, "CREATE TABLE `db`.`t` (\n`id` INT NOT NULL,\n`name` TEXT NULL,\nPRIMARY KEY(`id`))"},
		{testSQLite, TableID{Name: "t"}, columns, "CREATE TABLE \"t\" (\n\"id\" INTEGER NOT NULL,\n\"name\" TEXT NULL,\nPRIMARY KEY(\"id\"))"},
		{&mySQL{noQuotes: true}, TableID{Name: "t"}, columns[1:], "CREATE TABLE t (\nname TEXT NULL)"},
	} {
		got, err := CreateTable(c.target, c.id, c.columns, BindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// SQLite shows a default as it was written, so its text is part of the table.
func TestDefaultsOfFloatsHaveJavasText(t *testing.T) {
	for want, schema := range map[string]*data.Schema{
		"2.0":    schemaOf(data.NewBuilder(data.Float64).Default(data.Float64Of(2))),
		"1.0E10": schemaOf(data.NewBuilder(data.Float64).Default(data.Float64Of(1e10))),
		"-0.1":   schemaOf(data.NewBuilder(data.Float32).Default(data.Float32Of(-0.1))),
		"3.0":    schemaOf(data.NewBuilder(data.Float32).Default(data.Float32Of(3))),
	} {
		got, err := CreateTable(testSQLite, TableID{Name: "t"}, []NewColumn{{Name: "f", Schema: schema}}, BindOptions{})
		if full := "CREATE TABLE \"t\" (\n\"f\" REAL DEFAULT " + want + ")"; err != nil || got != full {
			t.Errorf("got %s and %v, want %s", got, err, full)
		}
	}
}

func TestAnArrayWithoutATypeIsRefusedForWhatItHolds(t *testing.T) {
	structs := schemaOf(data.NewBuilder(data.Array).Items(schemaOf(data.NewBuilder(data.Array).Items(schemaOf(data.NewStructBuilder().Named("line"))))))
	for want, target := range map[string]Target{
		"line (STRUCT) type doesn't have a mapping to the SQL database column type": &postgreSQL{},
		"null (ARRAY) type doesn't have a mapping to the SQL database column type":  testMySQL,
	} {
		_, err := CreateTable(target, testTable, []NewColumn{{Name: "a", Schema: structs}}, BindOptions{})
		if err == nil || !strings.HasPrefix(err.Error(), want+": ") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestAddColumns(t *testing.T) {
	one := []NewColumn{{Name: "a", Schema: data.OptionalInt64Schema, Optional: true}}
	two := append(one[:1:1], NewColumn{Name: "b", Schema: schemaOf(data.NewBuilder(data.Float64).Default(data.Float64Of(1.5)))})
	for _, c := range []struct {
		target  Target
		columns []NewColumn
		want    []string
	}{
		{testMySQL, one, []string{"ALTER TABLE `db`.`t` ADD `a` BIGINT NULL"}},
		{testMySQL, two, []string{"ALTER TABLE `db`.`t` \nADD `a` BIGINT NULL,\nADD `b` DOUBLE DEFAULT 1.5"}},
		{testSQLite, two, []string{`ALTER TABLE "db"."t" ADD "a" INTEGER NULL`, `ALTER TABLE "db"."t" ADD "b" REAL DEFAULT 1.5`}},
	} {
		got, err := c.target.AddColumns(testTable, c.columns, BindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestColumnTypes(t *testing.T) {
	array := schemaOf(data.NewBuilder(data.Array).Items(data.Int32Schema))
	for _, c := range []struct {
		column        NewColumn
		mysql, sqlite string // empty: refused
	}{
		{NewColumn{Schema: data.Int8Schema}, "TINYINT", "INTEGER"},
		{NewColumn{Schema: data.Int16Schema}, "SMALLINT", "INTEGER"},
		{NewColumn{Schema: data.Int32Schema}, "INT", "INTEGER"},
		{NewColumn{Schema: data.Int64Schema}, "BIGINT", "INTEGER"},
		{NewColumn{Schema: data.Float32Schema}, "FLOAT", "REAL"},
		{NewColumn{Schema: data.Float64Schema}, "DOUBLE", "REAL"},
		{NewColumn{Schema: data.BooleanSchema}, "TINYINT", "INTEGER"},
		{NewColumn{Schema: data.StringSchema}, "TEXT", "TEXT"},
		{NewColumn{Schema: data.StringSchema, Key: true}, "VARCHAR(255)", "TEXT"},
		{NewColumn{Schema: data.BytesSchema}, "VARBINARY(1024)", "BLOB"},
		{NewColumn{Schema: schemaOf(data.NewDecimalBuilder(3))}, "DECIMAL(65,3)", "NUMERIC"},
		{NewColumn{Schema: schemaOf(data.NewDateBuilder())}, "DATE", "NUMERIC"},
		{NewColumn{Schema: schemaOf(data.NewTimeBuilder())}, "TIME(3)", "NUMERIC"},
		{NewColumn{Schema: schemaOf(data.NewTimestampBuilder())}, "DATETIME(3)", "NUMERIC"},
		{NewColumn{Name: "ts", Schema: data.Int64Schema}, "DATETIME(6)", "NUMERIC"},
		{NewColumn{Name: "ts", Schema: data.StringSchema}, "DATETIME(6)", "NUMERIC"},
		{NewColumn{Name: "ts", Schema: data.Int32Schema}, "INT", "INTEGER"},
		{NewColumn{Schema: schemaOf(data.NewBuilder(data.Bytes).Named(data.DecimalName))}, "", "NUMERIC"},
		{NewColumn{Schema: array}, "", ""},
	} {
		for _, d := range []struct {
			target Target
			want   string
		}{{testMySQL, c.mysql}, {testSQLite, c.sqlite}} {
			got, err := d.target.ColumnType(c.column, BindOptions{TimestampFields: []string{"ts"}})
			if got != d.want || (err == nil) != (d.want != "") {
				t.Errorf("%s %s: %q, %v, want %q", d.target.Name(), c.column.Schema, got, err, d.want)
			}
		}
	}
}

func TestDefaultsAreEscaped(t *testing.T) {
	for _, c := range []struct {
		target Target
		text   string
		want   string
	}{
		{testMySQL, `it's`, `'it''s'`},
		{testMySQL, `a\`, `'a\\'`},
		{testSQLite, `a\'`, `'a\'''`},
	} {
		column := NewColumn{Name: "c", Schema: schemaOf(data.NewBuilder(data.String).Default(data.StringOf(c.text)))}
		got, err := columnSpec(c.target, column, BindOptions{})
		if err != nil || !strings.HasSuffix(got, "TEXT DEFAULT "+c.want) {
			t.Errorf("%s: %q, %v", c.text, got, err)
		}
	}
}

func named(names ...string) []Bound {
	columns := make([]Bound, len(names))
	for i, name := range names {
		columns[i].Name = name
	}
	return columns
}

func TestStatements(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{testMySQL.Insert(testTable, named("a", "b"), 2), "INSERT INTO `db`.`t`(`a`,`b`) VALUES(?,?),(?,?)"},
		{testMySQL.Upsert(testTable, named("a"), named("b", "c"), 1), "insert into `db`.`t`(`a`,`b`,`c`) values(?,?,?) on duplicate key update `b`=values(`b`),`c`=values(`c`)"},
		{testMySQL.Upsert(testTable, named("a"), nil, 1), "insert into `db`.`t`(`a`) values(?) on duplicate key update `a`=values(`a`)"},
		{testSQLite.Upsert(TableID{Name: "t"}, named("a"), named("b"), 2), `INSERT OR REPLACE INTO "t"("a","b") VALUES(?,?),(?,?)`},
		{testMySQL.Update(testTable, named("a", "k"), named("b", "c")), "UPDATE `db`.`t` SET `b` = ?, `c` = ? WHERE `a` = ? AND `k` = ?"},
		{testMySQL.Delete(testTable, named("a", "k"), 1), "DELETE FROM `db`.`t` WHERE `a` = ? AND `k` = ?"},
		{testMySQL.Delete(testTable, named("a"), 3), "DELETE FROM `db`.`t` WHERE `a` IN (?,?,?)"},
		{testMySQL.Delete(testTable, named("a", "k"), 2), "DELETE FROM `db`.`t` WHERE (`a` = ? AND `k` = ?) OR (`a` = ? AND `k` = ?)"},
		{testMySQL.Insert(TableID{Name: "a`b"}, named("c`"), 1), "INSERT INTO `a``b`(`c```) VALUES(?)"},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPlaceKeepsWhatTheDialectDoesNotHave(t *testing.T) {
	for text, want := range map[string]string{
		"t": "`db`.`t`", "x.t": "`db`.`x`.`t`", "a.b.c": "`a`.`b`.`c`", "`a.b`": "`db`.`a.b`", "a.b.c.d": "`db`.`a`.`b`",
	} {
		parsed, err := ParseID(text, '`')
		if err != nil {
			t.Fatal(err)
		}
		id, err := testMySQL.Place(t.Context(), nil, parsed)
		if got := id.SQL(testMySQL); got != want || err != nil {
			t.Errorf("%s: %s (%v), want %s", text, got, err, want)
		}
	}
}
