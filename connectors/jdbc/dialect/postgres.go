package dialect

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// postgreSQL is the dialect of PostgreSQL 10 and newer.
type postgreSQL struct {
	noQuotes       bool
	untypedStrings bool // stringtype=unspecified
	ownTimeout     bool // the URL's options set a statement_timeout
	ownLockTimeout bool // and a lock_timeout
}

// PostgresName is the class name of the dialect of PostgreSQL.
const PostgresName = "PostgreSqlDatabaseDialect"

// Name returns PostgresName.
func (d *postgreSQL) Name() string { return PostgresName }

// QuoteChar returns the double quote.
func (d *postgreSQL) QuoteChar() byte { return '"' }

// Quote returns an identifier for a statement.
func (d *postgreSQL) Quote(name string) string {
	if d.noQuotes {
		return name
	}
	return quote(name, '"')
}

// Resolve drops the catalog, since a connection has one database. Without
// quotes names are in lower case, as the server reads them.
func (d *postgreSQL) Resolve(id TableID) TableID {
	id.Catalog = ""
	if d.noQuotes {
		id.Schema, id.Name = strings.ToLower(id.Schema), strings.ToLower(id.Name)
	}
	id.Schema, id.Name = shortened(id.Schema), shortened(id.Name)
	return id
}

// shortened cuts an identifier where the server does.
func shortened(name string) string {
	const longest = 63 // bytes
	if len(name) <= longest {
		return name
	}
	end := longest
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

// MaxPlaceholders returns the limit of the protocol.
func (d *postgreSQL) MaxPlaceholders() int { return 65535 }

// postgresKind is an SQL expression with JDBC's table type of pg_class c in
// pg_namespace n.
const postgresKind = `CASE WHEN n.nspname IN ('pg_catalog', 'information_schema')` +
	` THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TABLE' WHEN 'v' THEN 'SYSTEM VIEW' WHEN 'i' THEN 'SYSTEM INDEX' END` +
	` WHEN n.nspname = 'pg_toast' THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TOAST TABLE' WHEN 'i' THEN 'SYSTEM TOAST INDEX' END` +
	` WHEN n.nspname LIKE 'pg\_%' THEN CASE c.relkind WHEN 'r' THEN 'TEMPORARY TABLE' WHEN 'p' THEN 'TEMPORARY TABLE'` +
	` WHEN 'i' THEN 'TEMPORARY INDEX' WHEN 'S' THEN 'TEMPORARY SEQUENCE' WHEN 'v' THEN 'TEMPORARY VIEW' END` +
	` ELSE CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'` +
	` WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'PARTITIONED INDEX' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' END END`

// Tables lists what schema.pattern, a LIKE pattern, and the kinds select. An
// empty pattern selects nothing, as with newer drivers of Java. A
// catalog other than the connection's database has nothing.
func (d *postgreSQL) Tables(ctx context.Context, c *Conn, catalog, schema *string, kinds []string) ([]TableID, error) {
	query := "SELECT n.nspname, c.relname, " + postgresKind + " AS kind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE true"
	var args []driver.Value
	if catalog != nil {
		query += " AND current_database() = ?"
		args = append(args, *catalog)
	}
	if schema != nil {
		query += " AND n.nspname LIKE ?"
		args = append(args, *schema)
	}
	rows, err := c.Texts(ctx, query+" ORDER BY kind, n.nspname, c.relname", args...)
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	var ids []TableID
	for _, r := range rows {
		if r[2] != "" && slices.Contains(kinds, r[2]) {
			ids = append(ids, TableID{Schema: r[0], Name: r[1]})
		}
	}
	return ids, nil
}

// Table returns the definition of a table, of the search path when id names no
// schema.
func (d *postgreSQL) Table(ctx context.Context, c *Conn, id TableID) (*Table, bool, error) {
	id = d.Resolve(id)
	where, args := " AND pg_catalog.pg_table_is_visible(c.oid)", []driver.Value{id.Name}
	if id.Schema != "" {
		where, args = " AND n.nspname = ?", append(args, id.Schema)
	}
	rows, err := c.Texts(ctx, "SELECT n.nspname, c.relname, "+postgresKind+", a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),"+
		" a.attnotnull OR t.typtype = 'd' AND t.typnotnull,"+
		" a.attidentity <> '' OR coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%', false),"+
		" a.attnum = ANY (i.indkey)"+
		" FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"+
		" JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"+
		" JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"+
		" LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"+
		" LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary"+
		" WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ?"+where+" ORDER BY a.attnum", args...)
	if err != nil {
		return nil, false, fmt.Errorf("describing table %s: %w", id.Text(), err)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	t := &Table{ID: TableID{Schema: rows[0][0], Name: rows[0][1]}, Kind: rows[0][2]}
	for _, r := range rows {
		t.Columns = append(t.Columns, TableColumn{
			Name: r[3], Type: r[4], Nullable: r[5] == "f", AutoIncrement: r[6] == "t", PrimaryKey: r[7] == "t",
		})
	}
	return t, true, nil
}

// Clock asks the server, whose answer is an instant with microseconds.
func (d *postgreSQL) Clock(ctx context.Context, c *Conn, _ *Zone) (Timestamp, error) {
	rows, err := c.Texts(ctx, "SELECT CURRENT_TIMESTAMP")
	if err != nil {
		return Timestamp{}, fmt.Errorf("asking for the database's clock: %w", err)
	}
	if len(rows) == 1 { // the session is in UTC
		if text, utc := strings.CutSuffix(rows[0][0], "+00"); utc {
			if m, ok := parseMoment([]byte(text)); ok {
				return m.timestamp(UTC, false), nil
			}
		}
	}
	return Timestamp{}, fmt.Errorf("the database answered SELECT CURRENT_TIMESTAMP with %v, which is no time in UTC", rows)
}

// BindTimestamp returns a literal with the offset of db.timezone: columns with
// time zone take the instant, those without the wall clock.
func (d *postgreSQL) BindTimestamp(t Timestamp, o *ColumnOptions) driver.Value {
	return string(appendPgTimestamp(nil, t, o.Zone, o.Proleptic))
}

// ReadSession sets the level, and takes the limit off how long a statement may
// last, since it lasts as long as a slow or paused pipeline takes to read its
// rows; but not where the URL's options set a limit.
func (d *postgreSQL) ReadSession(level string) []string {
	var session []string
	if !d.ownTimeout {
		session = append(session, "SET SESSION statement_timeout = 0")
	}
	if level != "" {
		session = append(session, "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL "+level)
	}
	return session
}
