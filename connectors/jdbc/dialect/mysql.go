package dialect

import (
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// mySQL is the dialect of MariaDB and MySQL.
type mySQL struct {
	database      string // of the URL
	noQuotes      bool
	tinyAsBit     bool     // tinyInt1isBit
	yearAsDate    bool     // yearIsDateType
	nullIsCurrent bool     // nullCatalogMeansCurrent
	lockWaits     []string // those of lockWaits that the user leaves to us
}

// lockWaits are the session variables that say how many seconds a statement
// waits for a lock.
var lockWaits = []string{"innodb_lock_wait_timeout", "lock_wait_timeout"}

// MySQLName is the class name of the dialect of MariaDB and MySQL.
const MySQLName = "MySqlDatabaseDialect"

// Name returns MySQLName.
func (d *mySQL) Name() string { return MySQLName }

// QuoteChar returns the back-tick.
func (d *mySQL) QuoteChar() byte { return '`' }

// Quote returns an identifier for a statement.
func (d *mySQL) Quote(name string) string {
	if d.noQuotes {
		return name
	}
	return quote(name, '`')
}

// Resolve moves the database into Catalog: this database has no schemas
// within it. Java leaves it in Schema and so looks for columns in the URL's
// database; statements and offsets are the same either way.
func (d *mySQL) Resolve(id TableID) TableID {
	if id.Catalog == "" {
		id.Catalog, id.Schema = id.Schema, ""
	}
	if id.Catalog == "" {
		id.Catalog = d.database
	}
	return id
}

// MaxPlaceholders returns the limit of the binary protocol.
func (d *mySQL) MaxPlaceholders() int { return 65535 }

// mysqlKinds are JDBC's table types by the server's.
var mysqlKinds = map[string]string{
	"BASE TABLE": "TABLE", "SYSTEM VERSIONED": "TABLE", "VIEW": "VIEW",
	"SYSTEM VIEW": "SYSTEM VIEW", "TEMPORARY": "LOCAL TEMPORARY",
}

// Tables lists the tables of one database: the catalog's, which is a name and
// no pattern, or, where that is empty too, the URL's. Schema patterns mean
// nothing here. Where no kind is known, the Java driver lists all.
func (d *mySQL) Tables(ctx context.Context, c *Conn, catalog, _ *string, kinds []string) ([]TableID, error) {
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES"
	var args []driver.Value
	switch {
	case catalog != nil && *catalog != "":
		query += " WHERE TABLE_SCHEMA = ?"
		args = append(args, *catalog)
	case (d.nullIsCurrent || catalog != nil) && d.database != "":
		query += " WHERE TABLE_SCHEMA = DATABASE()"
	}
	rows, err := c.Texts(ctx, query+" ORDER BY TABLE_SCHEMA, TABLE_NAME", args...)
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	if known := slices.Collect(maps.Values(mysqlKinds)); slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(known, k) }) {
		rows = slices.DeleteFunc(rows, func(r []string) bool { return !slices.Contains(kinds, mysqlKinds[r[2]]) })
	}
	slices.SortStableFunc(rows, func(a, b []string) int { return strings.Compare(mysqlKinds[a[2]], mysqlKinds[b[2]]) })
	ids := make([]TableID, len(rows))
	for i, r := range rows {
		ids[i] = TableID{Catalog: r[0], Name: r[1]}
	}
	return ids, nil
}

// Table returns the definition of a table. Where the server does not tell
// names apart by case, neither does this.
func (d *mySQL) Table(ctx context.Context, c *Conn, id TableID) (*Table, bool, error) {
	id = d.Resolve(id)
	rows, err := c.Texts(ctx, "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE, c.EXTRA, c.COLUMN_KEY,"+
		" @@lower_case_table_names, c.COLLATION_NAME FROM information_schema.TABLES t JOIN information_schema.COLUMNS c"+
		" ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME"+
		" WHERE t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ? ORDER BY c.ORDINAL_POSITION", id.Catalog, id.Name)
	if err != nil {
		return nil, false, fmt.Errorf("describing table %s: %w", id.Text(), err)
	}
	rows = slices.DeleteFunc(rows, func(r []string) bool { return r[1] != id.Name && r[8] == "0" })
	if len(rows) == 0 {
		return nil, false, nil
	}
	t := &Table{ID: TableID{Catalog: rows[0][0], Name: rows[0][1]}, Kind: mysqlKinds[rows[0][2]]}
	for _, r := range rows {
		if r[1] != t.ID.Name {
			continue
		}
		t.Columns = append(t.Columns, TableColumn{
			Name: r[3], Type: r[4], Nullable: r[5] == "YES",
			AutoIncrement: strings.Contains(r[6], "auto_increment"), PrimaryKey: r[7] == "PRI", Collation: r[9],
		})
	}
	return t, true, nil
}

// Clock asks the server, whose answer has whole seconds and is the wall clock
// of its session.
func (d *mySQL) Clock(ctx context.Context, c *Conn, z *Zone) (Timestamp, error) {
	rows, err := c.Texts(ctx, "SELECT CURRENT_TIMESTAMP")
	if err != nil {
		return Timestamp{}, fmt.Errorf("asking for the database's clock: %w", err)
	}
	if len(rows) == 1 {
		if m, ok := parseMoment([]byte(rows[0][0])); ok {
			return m.timestamp(z, false), nil
		}
	}
	return Timestamp{}, fmt.Errorf("the database answered SELECT CURRENT_TIMESTAMP with %v, which is no time", rows)
}

// BindTimestamp returns the literal that a wall clock of db.timezone shows.
func (d *mySQL) BindTimestamp(t Timestamp, o *ColumnOptions) driver.Value {
	return string(appendMoment(nil, t, o.Zone, o.Proleptic))
}

// ReadSession sets the level, and lets the server wait ten minutes for a reader
// that is held up by a slow or paused pipeline, as Java's driver for streamed
// results does; its default is one minute.
func (d *mySQL) ReadSession(level string) []string {
	session := []string{"SET SESSION net_write_timeout = 600"}
	if level != "" {
		session = append(session, "SET SESSION TRANSACTION ISOLATION LEVEL "+level)
	}
	return session
}

// WriteSession implements Target. The server waits 50 s for the lock of a row
// and a day for one of a table, and says nothing meanwhile; a task that gets an
// error can say what it waits for (Promise 5), and tries again. sessionVariables
// of connection.url win.
func (d *mySQL) WriteSession() []string {
	if len(d.lockWaits) == 0 {
		return nil
	}
	const seconds = 10
	return []string{fmt.Sprintf("SET SESSION %s = %d", strings.Join(d.lockWaits, fmt.Sprintf(" = %d, ", seconds)), seconds)}
}
