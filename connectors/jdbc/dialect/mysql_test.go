package dialect

import (
	"context"
	"database/sql/driver"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
	"kconnect/test/harness"
	"kconnect/test/harness/service"
)

// openMariaDB connects to the server of KCONNECT_TEST_MARIADB, a data source
// name of the Go driver, and makes an empty database.
func openMariaDB(t *testing.T, database string) *Conn {
	t.Helper()
	server, err := mysql.ParseDSN(harness.Server(t, service.MariaDBName))
	if err != nil {
		t.Fatalf("%s: %v", service.EnvMariaDB, err)
	}
	open := func(name string) *Conn {
		db, err := Open(Config{URL: "jdbc:mysql://" + server.Addr + "/" + name, User: server.User, Password: config.Secret(server.Passwd)})
		if err != nil {
			t.Fatal(err)
		}
		c, err := db.Connect(t.Context(), db.ReadSession("READ COMMITTED")...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	admin := open("")
	execAll(t, admin, "DROP DATABASE IF EXISTS "+database, "CREATE DATABASE "+database)
	c := open(database)
	t.Cleanup(func() {
		_ = c.Close()
		if _, err := admin.Exec(context.Background(), "DROP DATABASE "+database); err != nil {
			t.Error(err)
		}
		_ = admin.Close()
	})
	return c
}

func execAll(t *testing.T, c *Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// The driver keeps length and sign of a type to itself; reading them must not
// break silently when the driver changes.
func TestMySQLDriverTellsLengthAndSign(t *testing.T) {
	c := openMariaDB(t, "kcdialect_fields")
	execAll(t, c, "CREATE TABLE t (a TINYINT(1) UNSIGNED NOT NULL, b BIT(1), c BIT(9), d DECIMAL(7,2) UNSIGNED, e DECIMAL(20,4), f DECIMAL(5,0), g VARCHAR(20), h INT UNSIGNED, i FLOAT, j DOUBLE(10,4), k DATETIME(3))",
		"INSERT INTO t (a) VALUES (1)")
	for _, query := range []string{"SELECT * FROM t", "SELECT * FROM (SELECT * FROM t) x"} {
		rows, err := c.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := c.Fields(t.Context(), c, rows, TableID{})
		if err != nil {
			t.Fatal(err)
		}
		table := map[string]string{"SELECT * FROM t": "t"}[query]
		if table == "" {
			table = "x"
		}
		got := map[string]string{}
		for _, f := range fields {
			s := f.Type + " " + strconv.Itoa(f.Length)
			if f.Type == "DECIMAL" {
				s = "DECIMAL " + strconv.Itoa(f.Precision) + "," + strconv.Itoa(f.Scale)
			}
			if f.Unsigned {
				s += " unsigned"
			}
			if f.Nullable {
				s += " null"
			}
			if f.Table != table {
				t.Errorf("%s: column %s comes from %q", query, f.Name, f.Table)
			}
			got[f.Name] = s
		}
		want := map[string]string{
			"a": "TINYINT 1 unsigned", "b": "BIT 1 unsigned null", "c": "BIT 9 unsigned null", "d": "DECIMAL 7,2 unsigned null", "e": "DECIMAL 20,4 null",
			"f": "DECIMAL 5,0 null", "g": "VARCHAR 80 null", "h": "INT 10 unsigned null", "i": "FLOAT 12 null", "j": "DOUBLE 10 null", "k": "DATETIME 23 null",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", query, d)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMySQLTablesAreListedAndDescribed(t *testing.T) {
	c := openMariaDB(t, "kcdialect_tables")
	execAll(t, c, "CREATE TABLE b (id INT AUTO_INCREMENT PRIMARY KEY, n VARCHAR(5) NOT NULL)", "CREATE TABLE a_b (x INT)", "CREATE TABLE axb (y INT)", "CREATE VIEW v AS SELECT id FROM b")
	other, none := "mysql", ""
	for _, c2 := range []struct {
		catalog *string
		kinds   []string
		want    []string
	}{
		{nil, []string{"TABLE"}, []string{"axb", "a_b", "b"}},
		{nil, []string{"TABLE", "VIEW"}, []string{"axb", "a_b", "b", "v"}},
		{nil, []string{"SYNONYM"}, []string{"axb", "a_b", "b", "v"}}, // no kind that is known is all kinds
		{nil, []string{"SYNONYM", "VIEW"}, []string{"v"}},
		{&none, []string{"TABLE"}, []string{"axb", "a_b", "b"}}, // an empty catalog is that of the URL
		{&other, []string{"SYSTEM VIEW"}, nil},
	} {
		ids, err := c.Tables(t.Context(), c, c2.catalog, nil, c2.kinds)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range ids {
			got = append(got, id.Name)
		}
		if d := cmp.Diff(c2.want, got); d != "" {
			t.Errorf("%v (-want +got):\n%s", c2.kinds, d)
		}
	}
	table, found, err := c.Table(t.Context(), c, TableID{Name: "a_b"})
	if err != nil || !found || len(table.Columns) != 1 || table.Columns[0].Name != "x" {
		t.Errorf("a_b is %+v %v %v", table, found, err)
	}
	table, found, err = c.Table(t.Context(), c, TableID{Schema: "kcdialect_tables", Name: "b"})
	want := &Table{ID: TableID{Catalog: "kcdialect_tables", Name: "b"}, Kind: "TABLE", Columns: []TableColumn{
		{Name: "id", Type: "int(11)", AutoIncrement: true, PrimaryKey: true}, {Name: "n", Type: "varchar(5)", Collation: "utf8mb4_general_ci"},
	}}
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if d := cmp.Diff(want, table); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, found, err = c.Table(t.Context(), c, TableID{Name: "B"}); found || err != nil {
		t.Errorf("B was found: %v", err)
	}
}

func TestMySQLSessionsAreStrict(t *testing.T) {
	c := openMariaDB(t, "kcdialect_strict")
	execAll(t, c, "CREATE TABLE t (a VARCHAR(2))")
	_, err := c.Exec(t.Context(), "INSERT INTO t VALUES ('abc')")
	if err == nil || c.Classify(err) != Data {
		t.Errorf("a text that does not fit gives %v", err)
	}
	rows, err := c.Texts(t.Context(), "SELECT @@net_write_timeout, @@tx_isolation")
	if err != nil || rows[0][0] != "600" || rows[0][1] != "READ-COMMITTED" {
		t.Errorf("session is %v %v", rows, err)
	}
}

func TestMySQLTimestampsAreBoundAsTheColumnsShowThem(t *testing.T) {
	tokyo := mustZone(t, "Asia/Tokyo")
	for _, c := range []struct {
		ts   Timestamp
		o    ColumnOptions
		want driver.Value
	}{
		{Timestamp{}, ColumnOptions{Zone: tokyo}, "1970-01-01 09:00:00"},
		{Timestamp{1704067200, 123_456_000}, ColumnOptions{Zone: UTC}, "2024-01-01 00:00:00.123456"},
		{Timestamp{1704067200, 500_000_000}, ColumnOptions{Zone: UTC}, "2024-01-01 00:00:00.5"},
		{Timestamp{-14830128000, 0}, ColumnOptions{Zone: UTC}, "1500-01-11 00:00:00"},
		{Timestamp{-14830128000, 0}, ColumnOptions{Zone: UTC, Proleptic: true}, "1500-01-20 00:00:00"},
	} {
		if got := (&mySQL{}).BindTimestamp(c.ts, &c.o); got != c.want {
			t.Errorf("%+v: %v, want %v", c.ts, got, c.want)
		}
	}
}
