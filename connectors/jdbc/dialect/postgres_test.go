package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"kconnect/connect/config"
	"kconnect/test/harness"
	"kconnect/test/harness/service"
)

// postgresServer returns how to reach the PostgreSQL server of the run; the name
// of a database is to follow the URL.
func postgresServer(t testing.TB) Config {
	t.Helper()
	server, err := pgconn.ParseConfig(harness.Server(t, service.PostgresName))
	if err != nil {
		t.Fatalf("%s: %v", service.EnvPostgres, err)
	}
	return Config{URL: fmt.Sprintf("jdbc:postgresql://%s:%d/", server.Host, server.Port), User: server.User, Password: config.Secret(server.Password)}
}

// openPostgresDatabase connects to an empty database with a name of its own.
func openPostgresDatabase(t testing.TB, name string) (*Database, *Conn) {
	t.Helper()
	own := postgresServer(t)
	open := func(database string) (*Database, *Conn) {
		db, err := Open(Config{URL: own.URL + database, User: own.User, Password: own.Password})
		if err != nil {
			t.Fatal(err)
		}
		c, err := db.Connect(t.Context(), db.ReadSession("READ COMMITTED")...)
		if err != nil {
			t.Fatal(err)
		}
		return db, c
	}
	_, admin := open("postgres")
	for _, s := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)", "CREATE DATABASE " + name} {
		if _, err := admin.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	db, c := open(name)
	t.Cleanup(func() {
		_ = c.Close()
		if _, err := admin.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close()
	})
	return db, c
}

func TestPostgresTablesAreListedAndDescribed(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_tables")
	execAll(t, c, "CREATE SCHEMA s2", "CREATE DOMAIN id AS int NOT NULL",
		"CREATE TABLE b (id SERIAL, n VARCHAR(5) NOT NULL, i id, PRIMARY KEY (n, id))", "CREATE TABLE a_b (x INT GENERATED ALWAYS AS IDENTITY, y numeric(5,2) DEFAULT 1)",
		`CREATE TABLE axb (y INT); CREATE TABLE "B" (z INT); CREATE TABLE s2.b (other INT)`,
		"CREATE VIEW v AS SELECT id FROM b", "CREATE MATERIALIZED VIEW m AS SELECT id FROM b", "CREATE TABLE p (k INT NOT NULL) PARTITION BY RANGE (k)",
		"CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)", "CREATE SEQUENCE q")
	other, s2, like, wild := "elsewhere", "s2", "s_", "%"
	for _, c2 := range []struct {
		catalog, schema *string
		kinds           []string
		want            string
	}{
		{nil, nil, []string{"TABLE"}, "public.B public.a_b public.axb public.b public.p1 s2.b"},
		{nil, &s2, []string{"TABLE"}, "s2.b"},
		{nil, &like, []string{"TABLE"}, "s2.b"},
		{nil, &wild, []string{"VIEW", "MATERIALIZED VIEW"}, "public.m public.v"},
		{nil, nil, []string{"VIEW", "PARTITIONED TABLE"}, "public.p public.v"},
		{&other, nil, []string{"TABLE"}, ""},
		{nil, new(string), []string{"TABLE"}, ""},
		{nil, nil, []string{"SYNONYM"}, ""},
		{nil, nil, nil, ""},
	} {
		ids, err := c.Tables(t.Context(), c, c2.catalog, c2.schema, c2.kinds)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range ids {
			if id.Schema != "information_schema" {
				got = append(got, id.String())
			}
		}
		if strings.Join(got, " ") != c2.want {
			t.Errorf("%v: %v, want %s", c2.kinds, got, c2.want)
		}
	}
	table, found, err := c.Table(t.Context(), c, TableID{Catalog: "gone", Schema: "public", Name: "b"})
	want := &Table{ID: TableID{Schema: "public", Name: "b"}, Kind: "TABLE", Columns: []TableColumn{
		{Name: "id", Type: "integer", AutoIncrement: true, PrimaryKey: true}, {Name: "n", Type: "character varying(5)", PrimaryKey: true}, {Name: "i", Type: "id"},
	}}
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if d := cmp.Diff(want, table); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	table, found, err = c.Table(t.Context(), c, TableID{Name: "a_b"}) // of the search path, and no pattern (D6)
	want = &Table{ID: TableID{Schema: "public", Name: "a_b"}, Kind: "TABLE", Columns: []TableColumn{
		{Name: "x", Type: "integer", AutoIncrement: true}, {Name: "y", Type: "numeric(5,2)", Nullable: true},
	}}
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if d := cmp.Diff(want, table); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if table, found, err = c.Table(t.Context(), c, TableID{Name: "v"}); err != nil || !found || table.Kind != "VIEW" || !table.Columns[0].Nullable {
		t.Errorf("v is %+v %v %v", table, found, err)
	}
	if _, found, err = c.Table(t.Context(), c, TableID{Name: "A_B"}); found || err != nil {
		t.Errorf("A_B was found: %v", err)
	}
}

func TestPostgresNamesAreResolved(t *testing.T) {
	long := strings.Repeat("ab", 31) + "é" // 64 bytes, of which the last is half a letter
	for _, c := range []struct {
		d    postgreSQL
		id   TableID
		want string
	}{
		{postgreSQL{}, TableID{"c", "S", "T"}, "S.T"},
		{postgreSQL{noQuotes: true}, TableID{"c", "S", "T"}, "s.t"},
		{postgreSQL{}, TableID{Name: long}, long[:62]},
	} {
		if got := c.d.Resolve(c.id).String(); got != c.want {
			t.Errorf("%v: %s, want %s", c.id, got, c.want)
		}
	}
	if got := (TableID{Schema: "s", Name: `a"b`}).SQL(&postgreSQL{}); got != `"s"."a""b"` {
		t.Errorf("quoted: %s", got)
	}
}

func TestPostgresResultSetsAreDescribed(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_fields")
	execAll(t, c, "CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN must AS int NOT NULL",
		"CREATE TABLE t (a INT NOT NULL, b NUMERIC(7,2), c NUMERIC, d NUMERIC(5,-2), e BIT(8), f VARCHAR(20), g mood, h must, i INET)", "INSERT INTO t (a, h) VALUES (1, 2)")
	rows, err := c.Query(t.Context(), "SELECT t.*, a + 1 AS sum FROM t")
	if err != nil {
		t.Fatal(err)
	}
	fields, err := c.Fields(t.Context(), c, rows, TableID{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Field{
		{Name: "a", Table: "t", Type: "INT4"},
		{Name: "b", Table: "t", Type: "NUMERIC", Precision: 7, Scale: 2, Nullable: true},
		{Name: "c", Table: "t", Type: "NUMERIC", Nullable: true},
		{Name: "d", Table: "t", Type: "NUMERIC", Precision: 5, Scale: 2046, Nullable: true},
		{Name: "e", Table: "t", Type: "BIT", Length: 8, Nullable: true},
		{Name: "f", Table: "t", Type: "VARCHAR", Length: 20, Nullable: true},
		{Name: "g", Table: "t", Type: "ENUM", Nullable: true},
		{Name: "h", Table: "t", Type: "INT4"},
		{Name: "i", Table: "t", Type: "other INET", Nullable: true},
		{Name: "sum", Type: "INT4", Nullable: true},
	}
	if d := cmp.Diff(want, fields); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err = c.query(t.Context(), "SELECT 1", nil, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Fields(t.Context(), c, rows, TableID{}); err == nil {
		t.Error("a result set of texts has fields")
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPostgresArgumentsArrive(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_args")
	execAll(t, c, "CREATE TABLE t (i BIGINT, f FLOAT8, b BOOL, s TEXT, y BYTEA, n NUMERIC, ts TIMESTAMP, e TEXT)")
	stmt, err := c.Prepare(t.Context(), "INSERT INTO t VALUES (?,?,?,?,?,?,?,?)")
	if err != nil {
		t.Fatal(err)
	}
	args := []driver.Value{int64(-7), 1e300, true, "it's ?", []byte{0, 255}, "1.50", "2024-01-01 00:00:00.5+09:00", ""}
	res, err := stmt.Exec(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if _, err := stmt.Exec(t.Context(), nil, nil, nil, nil, nil, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := stmt.Exec(t.Context(), int64(1)); err == nil || !strings.Contains(err.Error(), "8 placeholders for 1 values") {
		t.Errorf("too few values give %v", err)
	}
	if err := stmt.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Exec(t.Context(), "UPDATE t SET i = ? WHERE i = ?", int64(8), int64(-7)); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	rows, err := c.Texts(t.Context(), "SELECT t.*, e IS NULL FROM t WHERE i > ? OR i IS NULL ORDER BY i", int64(-1)<<40)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"8", "1e+300", "t", "it's ?", `\x00ff`, "1.50", "2024-01-01 00:00:00.5", "", "f"},
		{"", "", "", "", "", "", "", "", "t"},
	}
	if d := cmp.Diff(want, rows); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A position above what the column holds finds nothing; it is no error.
func TestIntegersCompareAsBigint(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_bigint")
	execAll(t, c, "CREATE TABLE t (i INT)", "INSERT INTO t VALUES (1)")
	rows, err := c.Texts(t.Context(), "SELECT * FROM t WHERE i > ?", int64(1)<<40)
	if err != nil || len(rows) != 0 {
		t.Errorf("%v %v", rows, err)
	}
}

func TestValuesAreSeenInTheDriversBuffer(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_rows")
	rows, err := c.Query(t.Context(), "SELECT i::text, NULLIF(i, 2)::text FROM generate_series(1, 3) i")
	if err != nil {
		t.Fatal(err)
	}
	row := make([]driver.Value, 2)
	var got []string
	for {
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %v", row[0], row[1] == nil))
	}
	if d := cmp.Diff([]string{"1 false", "2 true", "3 false"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
}

// Promise 6: rows are read as they are taken, so that much more than memory
// allows may follow; and what is behind the first rows is not waited for.
func TestPostgresRowsAreStreamed(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_stream")
	ctx, cancel := context.WithCancel(t.Context())
	rows, err := c.Query(ctx, "SELECT i, repeat('x', 1000000) FROM generate_series(1, 1000000) i") // 1 TB
	if err != nil {
		t.Fatal(err)
	}
	row := make([]driver.Value, 2)
	for range 3 {
		if err := rows.Next(row); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := rows.Close(); err == nil || c.Classify(err) != Transient {
		t.Errorf("a cancelled result set ends with %v", err)
	}
	if err := c.Ping(t.Context()); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("a connection whose statement was cancelled is still used: %v", err)
	}
}

func TestACancelledStatementEndsOnTheServer(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_cancel")
	_, watcher := openPostgresDatabase(t, "kcdialect_cancel2")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := c.Exec(ctx, "SELECT pg_sleep(600) /* cancelled */")
		done <- err
	}()
	running := func() bool {
		rows, err := watcher.Texts(t.Context(), "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%/* cancelled */' AND state = 'active' AND pid <> pg_backend_pid()")
		return err == nil && len(rows) == 1
	}
	for deadline := time.Now().Add(20 * time.Second); !running(); {
		if time.Now().After(deadline) {
			t.Fatal("the statement does not run")
		}
	}
	cancel()
	if err := <-done; err == nil || c.Classify(err) != Transient {
		t.Errorf("the statement ended with %v", err)
	}
	if running() {
		t.Error("the server goes on with it")
	}
}

func TestPostgresErrorsAreClassified(t *testing.T) {
	state := func(code string) error { return &pgconn.PgError{Code: code, Message: "m"} }
	for _, c := range []struct {
		err  error
		want Class
	}{
		{state("57P01"), Connection},
		{state("57P03"), Connection},
		{state("08006"), Connection},
		{state("53300"), Transient},
		{state("53100"), Transient},
		{state("40001"), Transient},
		{state("40P01"), Transient},
		{state("55P03"), Transient},
		{state("25006"), Transient},
		{state("57014"), Transient},
		{state("42P01"), Missing},
		{state("42703"), Missing},
		{state("3D000"), Missing},
		{state("42501"), Permission},
		{state("28P01"), Permission},
		{state("28000"), Permission},
		{state("42601"), Syntax},
		{state("42883"), Syntax},
		{state("23505"), Data},
		{state("22001"), Data},
		{state("22P02"), Data},
		{state("42804"), Syntax},
		{state("XX000"), Permanent},
		{&pgconn.PgError{Code: "0A000", Message: "cached plan must not change result type"}, Transient},
		{state("0A000"), Permanent},
		{driver.ErrBadConn, Connection},
		{io.ErrUnexpectedEOF, Connection},
		{errOtherServer, Connection},
		{&placeholderError{1, 0}, Syntax},
		{fmt.Errorf("dial: %w", syscall.ECONNREFUSED), Connection},
		{&net.DNSError{Err: "no such host"}, Connection},
		{errors.New("something else"), Permanent},
	} {
		if got := (&postgreSQL{}).Classify(fmt.Errorf("wrapped: %w", c.err)); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

func TestPostgresErrorsOfARealServerAreClassified(t *testing.T) {
	db, c := openPostgresDatabase(t, "kcdialect_errors")
	execAll(t, c, "CREATE TABLE t (i INT UNIQUE NOT NULL)")
	for statement, want := range map[string]Class{
		"SELECT * FROM nowhere":         Missing,
		"SELECT absent FROM t":          Missing,
		"SELEKT 1":                      Syntax,
		"INSERT INTO t VALUES (NULL)":   Data,
		"INSERT INTO t VALUES (1), (1)": Data,
		"INSERT INTO t VALUES ('x')":    Data,
		"SELECT 1/0":                    Data,
		"CREATE TABLE t (i INT)":        Permanent,
	} {
		_, err := c.Exec(t.Context(), statement)
		if err == nil || c.Classify(err) != want {
			t.Errorf("%s: %v is of class %d, want %d", statement, err, c.Classify(err), want)
		}
		if rows, err := c.Query(t.Context(), statement); err == nil {
			err = rows.Next(make([]driver.Value, len(rows.Columns())))
			if c.Classify(err) != want {
				t.Errorf("querying %s: %v is of class %d, want %d", statement, err, c.Classify(err), want)
			}
		} else if c.Classify(err) != want {
			t.Errorf("querying %s: %v is of class %d, want %d", statement, err, c.Classify(err), want)
		}
	}
	if _, err := c.Exec(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())"); err == nil || c.Classify(err) != Connection {
		t.Errorf("a terminated connection gives %v", err)
	}
	if err := c.Ping(t.Context()); err == nil || c.Classify(err) != Connection {
		t.Errorf("pinging it gives %v", err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody listens there now
	nobody, err := Open(Config{URL: "jdbc:postgresql://" + l.Addr().String() + "/d", User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nobody.Connect(t.Context()); err == nil || db.Classify(err) != Connection {
		t.Errorf("nobody there gives %v", err)
	}
}

func TestPostgresServersOfTheWrongKindAreWaitedFor(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_kind")
	own := postgresServer(t)
	for kind, welcome := range map[string]bool{"primary": true, "secondary": false, "preferSecondary": true} {
		db, err := Open(Config{URL: own.URL + "kcdialect_kind?targetServerType=" + kind, User: own.User, Password: own.Password})
		if err != nil {
			t.Fatal(err)
		}
		other, err := db.Connect(t.Context())
		switch {
		case welcome && err != nil:
			t.Errorf("%s: %v", kind, err)
		case welcome:
			if err := other.Close(); err != nil {
				t.Error(err)
			}
		case err == nil || c.Classify(err) != Connection || !strings.Contains(err.Error(), "targetServerType"):
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestASilentPostgresServerIsGivenUpAfterSocketTimeout(t *testing.T) {
	_, c := openPostgresDatabase(t, "kcdialect_silent")
	own := postgresServer(t)
	db, err := Open(Config{URL: own.URL + "kcdialect_silent?socketTimeout=1", User: own.User, Password: own.Password})
	if err != nil {
		t.Fatal(err)
	}
	slow, err := db.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }() // it is broken
	if _, err := slow.Exec(t.Context(), "SELECT pg_sleep(60)"); err == nil || c.Classify(err) != Connection {
		t.Errorf("a silent server gives %v", err)
	}
}

func TestPostgresSessionsReadInUTC(t *testing.T) {
	db, c := openPostgresDatabase(t, "kcdialect_session")
	rows, err := c.Texts(t.Context(), "SELECT current_setting('TimeZone'), current_setting('statement_timeout'), current_setting('default_transaction_isolation'), current_setting('application_name')")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{{"UTC", "0", "read committed", "kconnect"}}, rows); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	now, err := db.Clock(t.Context(), c, mustZone(t, "Asia/Tokyo"))
	if err != nil {
		t.Fatal(err)
	}
	if off := time.Since(time.Unix(now.Seconds, int64(now.Nanos))); off.Abs() > time.Minute {
		t.Errorf("the database's clock is %v off", off)
	}
}

func TestPostgresTimestampsAreBoundWithTheirOffset(t *testing.T) {
	tokyo, newYork := mustZone(t, "Asia/Tokyo"), mustZone(t, "America/New_York")
	for _, c := range []struct {
		ts   Timestamp
		o    ColumnOptions
		want driver.Value
	}{
		{Timestamp{}, ColumnOptions{Zone: tokyo}, "1970-01-01 09:00:00+09"},
		{Timestamp{}, ColumnOptions{Zone: newYork}, "1969-12-31 19:00:00-05"},
		{Timestamp{1704067200, 123_456_000}, ColumnOptions{Zone: UTC}, "2024-01-01 00:00:00.123456+00"},
		{Timestamp{-14830128000, 0}, ColumnOptions{Zone: UTC}, "1500-01-11 00:00:00+00"},
		{Timestamp{-14830128000, 0}, ColumnOptions{Zone: UTC, Proleptic: true}, "1500-01-20 00:00:00+00"},
		{TimestampOf(-63517953600000), ColumnOptions{Zone: UTC}, "0044-03-15 12:00:00+00 BC"},
		{pgInfinity, ColumnOptions{Zone: UTC}, "infinity"},
		{pgMinusInfinity, ColumnOptions{Zone: UTC}, "-infinity"},
	} {
		if got := (&postgreSQL{}).BindTimestamp(c.ts, &c.o); got != c.want {
			t.Errorf("%+v: %v, want %v", c.ts, got, c.want)
		}
	}
}

func TestClosedConnectionsLeaveNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	db, c := openPostgresDatabase(t, "kcdialect_leak")
	again := goleak.IgnoreCurrent()
	second, err := db.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'kcdialect_leak'"); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the connection was not cut")
	}
	_ = second.Close() // it is cut already
	goleak.VerifyNone(t, before, again)
}
