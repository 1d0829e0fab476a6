package dialect

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"kconnect/connect"
	"kconnect/connect/data"
)

var testPostgres = &postgreSQL{}

func arrayOf(t *testing.T, element *data.Schema) *data.Schema {
	t.Helper()
	s, err := data.NewBuilder(data.Array).Items(element).Build()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPostgresColumnTypes(t *testing.T) {
	o := BindOptions{Zone: UTC, DateZone: UTC, TimestampFields: []string{"ts"}}
	for _, c := range []struct {
		name   string
		schema *data.Schema
		want   string
	}{
		{"c", data.Int8Schema, "SMALLINT"},
		{"c", data.Int16Schema, "SMALLINT"},
		{"c", data.Int32Schema, "INT"},
		{"c", data.Int64Schema, "BIGINT"},
		{"c", data.Float32Schema, "REAL"},
		{"c", data.Float64Schema, "DOUBLE PRECISION"},
		{"c", data.BooleanSchema, "BOOLEAN"},
		{"c", data.StringSchema, "TEXT"},
		{"c", data.BytesSchema, "BYTEA"},
		{"c", schemaOf(data.NewDecimalBuilder(2)), "DECIMAL"},
		{"c", schemaOf(data.NewDateBuilder()), "DATE"},
		{"c", schemaOf(data.NewTimeBuilder()), "TIME"},
		{"c", schemaOf(data.NewTimestampBuilder()), "TIMESTAMP"},
		{"ts", data.Int64Schema, "TIMESTAMP"},
		{"ts", data.StringSchema, "TIMESTAMP"},
		{"c", arrayOf(t, data.Int32Schema), "INT[]"},
		{"c", arrayOf(t, arrayOf(t, data.StringSchema)), "TEXT[][]"},
	} {
		got, err := testPostgres.ColumnType(NewColumn{Name: c.name, Schema: c.schema}, o)
		if got != c.want || err != nil {
			t.Errorf("%s %v: %s (%v), want %s", c.name, c.schema.Type(), got, err, c.want)
		}
	}
	_, err := testPostgres.ColumnType(NewColumn{Name: "c", Schema: data.NewStructBuilder().MustBuild()}, o)
	if want := "null (STRUCT) type doesn't have a mapping to the SQL database column type"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

func TestPostgresStatements(t *testing.T) {
	id := TableID{Catalog: "db", Schema: "public", Name: "t"}
	key := Bound{Name: "id", Element: pgtype.Int4OID}
	doc := Bound{Name: "doc", Element: pgtype.VarcharOID, cast: "jsonb", setOnly: true}
	uid := Bound{Name: "u", Element: pgtype.VarcharOID, cast: "uuid", setOnly: true}
	at := Bound{Name: "at", Element: pgtype.VarcharOID, cast: "date"}
	for _, c := range []struct{ got, want string }{
		{testPostgres.Insert(id, []Bound{key, doc}, 0),
			`INSERT INTO "db"."public"."t" ("id","doc") SELECT r.c1,r.c2::jsonb FROM unnest(?::int4[],?::varchar[]) AS r(c1,c2)`},
		{testPostgres.Upsert(id, []Bound{key}, []Bound{doc}, 0),
			`INSERT INTO "db"."public"."t" ("id","doc") SELECT r.c1,r.c2::jsonb FROM unnest(?::int4[],?::varchar[]) AS r(c1,c2) ON CONFLICT ("id") DO UPDATE SET "doc"=EXCLUDED."doc"`},
		{testPostgres.Upsert(id, []Bound{key}, nil, 0),
			`INSERT INTO "db"."public"."t" ("id") SELECT r.c1 FROM unnest(?::int4[]) AS r(c1) ON CONFLICT ("id") DO NOTHING`},
		{testPostgres.Update(id, []Bound{uid, at}, []Bound{doc}),
			`UPDATE "db"."public"."t" AS target SET "doc" = r.c1 FROM (SELECT r.c1::jsonb AS c1,r.c2,r.c3::date AS c3 FROM unnest(?::varchar[],?::varchar[],?::varchar[]) AS r(c1,c2,c3)) AS r` +
				` WHERE target."u" = r.c2 AND target."at" = r.c3`},
		{testPostgres.Delete(id, []Bound{key}, 0),
			`DELETE FROM "db"."public"."t" AS target USING (SELECT r.c1 FROM unnest(?::int4[]) AS r(c1)) AS r WHERE target."id" = r.c1`},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
	add, err := testPostgres.AddColumns(id, []NewColumn{
		{Name: "a", Schema: data.OptionalStringSchema, Optional: true},
		{Name: "b", Schema: schemaOf(data.NewBuilder(data.Bytes).Default(data.BytesOf([]byte{1, 2}))), Optional: true},
		{Name: "c", Schema: schemaOf(data.NewBuilder(data.Boolean).Default(data.BoolOf(true))), Optional: true},
	}, BindOptions{Zone: UTC, DateZone: UTC})
	want := []string{`ALTER TABLE "db"."public"."t" ` + "\nADD \"a\" TEXT NULL,\nADD \"b\" BYTEA DEFAULT '\\x0102'::bytea,\nADD \"c\" BOOLEAN DEFAULT TRUE"}
	if diff := cmp.Diff(want, add); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestArraysAreInTheBinaryFormOfTheServer(t *testing.T) {
	var a Args
	for _, round := range []int{1, 2} { // the second with the memory of the first
		a.Reset()
		a.Column(pgtype.Int2OID)
		a.Column(pgtype.VarcharOID)
		a.Column(pgtype.Float4OID)
		a.Int(-2)
		a.Text("ö")
		a.Float(1.5)
		a.Int(300)
		a.Null()
		a.Float(math.Inf(1))
		values := a.Values(6)
		if len(values) != 3 || values[2].Ordinal != 3 {
			t.Fatalf("round %d: %d arguments", round, len(values))
		}
		want := [][][]byte{{{0xff, 0xfe}, {1, 44}}, {[]byte("ö"), nil}, {{0x3f, 0xc0, 0, 0}, {0x7f, 0x80, 0, 0}}}
		for i, v := range values {
			got, err := splitBinaryArray(nil, v.Value.(pgBinary))
			if diff := cmp.Diff(want[i], got); diff != "" || err != nil {
				t.Errorf("round %d, column %d: %s %v", round, i, diff, err)
			}
		}
		a.Release()
	}
}

func TestPostgresErrorsAreDescribedAsByJavasDriver(t *testing.T) {
	err := &pgconn.PgError{Severity: "ERROR", Code: "42804", Message: "m", Detail: "d", Hint: "h", Position: 74, Where: "w"}
	text, code := testPostgres.Describe(err)
	if want := "ERROR: m\n  Detail: d\n  Hint: h\n  Position: 74\n  Where: w"; text != want || code != "SQLSTATE 42804" {
		t.Errorf("%s (%s)", text, code)
	}
	text, _ = testPostgres.Describe(&pgconn.PgError{Severity: "ERROR", Message: "m"})
	if text != "ERROR: m" {
		t.Error(text)
	}
}

func TestPostgresErrorsHaveRemedies(t *testing.T) {
	for code, f := range postgresFaults {
		err := &pgconn.PgError{Code: code}
		if testPostgres.Classify(err) != f.class || testPostgres.Remedy(err) == "" {
			t.Errorf("%s: class %d, remedy %q", code, testPostgres.Classify(err), testPostgres.Remedy(err))
		}
	}
}

func TestPostgresRefusesValuesOfAnotherKind(t *testing.T) {
	o := BindOptions{Zone: UTC, DateZone: UTC}
	for _, c := range []struct {
		schema *data.Schema
		column string
		v      data.Value
	}{
		{data.Int32Schema, "integer", data.StringOf("x")},
		{data.StringSchema, "text", data.Int32Of(1)},
		{schemaOf(data.NewTimestampBuilder()), "timestamp without time zone", data.StringOf("x")},
		{schemaOf(data.NewTimestampBuilder()), "timestamp without time zone", data.InstantOf(math.MaxInt64)},
		{arrayOf(t, data.BytesSchema), "bytea[]", data.ArrayOf(nil)},
		{data.NewStructBuilder().MustBuild(), "text", data.StringOf("x")},
	} {
		b := testPostgres.Bind("c", c.schema, &TableColumn{Name: "c", Type: c.column}, o)
		var a Args
		a.Column(b.Element)
		if err := b.Bind(c.v, &a); err == nil || connect.KindOf(err) != connect.Data {
			t.Errorf("%s into %s: %v", c.v, c.column, err)
		}
	}
}
