package dialect

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
)

// sqLite is the dialect of SQLite.
type sqLite struct{ noQuotes bool }

// Name returns the dialect's class name.
func (d *sqLite) Name() string { return "SqliteDatabaseDialect" }

// QuoteChar returns the double quote, as the Java driver's metadata does.
func (d *sqLite) QuoteChar() byte { return '"' }

// Quote returns an identifier for a statement.
func (d *sqLite) Quote(name string) string {
	if d.noQuotes {
		return name
	}
	return quote(name, '"')
}

// Resolve keeps the name alone.
func (d *sqLite) Resolve(id TableID) TableID { return TableID{Name: id.Name} }

// MaxPlaceholders returns SQLITE_MAX_VARIABLE_NUMBER of the linked library.
func (d *sqLite) MaxPlaceholders() int { return 32766 }

// sqliteKinds are the kinds of table that the Java driver knows.
var sqliteKinds = []string{"GLOBAL TEMPORARY", "SYSTEM TABLE", "TABLE", "VIEW"}

// Tables lists the tables of the main database, in the order of their names.
// Where no kind is known, the Java driver lists all.
func (d *sqLite) Tables(ctx context.Context, c *Conn, _, _ *string, kinds []string) ([]TableID, error) {
	rows, err := c.Texts(ctx, "SELECT name, upper(type) FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name")
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	known := slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(sqliteKinds, k) })
	var ids []TableID
	for _, r := range rows {
		if !known || slices.Contains(kinds, r[1]) {
			ids = append(ids, TableID{Name: r[0]})
		}
	}
	return ids, nil
}

// Table returns the definition of a table. Names differ by more than case.
func (d *sqLite) Table(ctx context.Context, c *Conn, id TableID) (*Table, bool, error) {
	rows, err := c.Texts(ctx, "SELECT name, upper(type), coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'view') AND lower(name) = lower(?)", id.Name)
	if err != nil {
		return nil, false, fmt.Errorf("describing table %s: %w", id.Text(), err)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	t := &Table{ID: TableID{Name: rows[0][0]}, Kind: rows[0][1]}
	counts := strings.Contains(strings.ToUpper(rows[0][2]), "AUTOINCREMENT")
	columns, err := c.Texts(ctx, "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1", t.ID.Name)
	if err != nil {
		return nil, false, fmt.Errorf("describing table %s: %w", id.Text(), err)
	}
	keys := 0
	for _, r := range columns {
		if r[3] != "0" {
			keys++
		}
	}
	for _, r := range columns {
		key := r[3] != "0"
		rowID := key && keys == 1 && strings.EqualFold(r[1], "INTEGER")
		t.Columns = append(t.Columns, TableColumn{
			Name: r[0], Type: r[1], Nullable: r[2] == "0", PrimaryKey: key,
			RowID: rowID, AutoIncrement: rowID && counts,
		})
	}
	return t, true, nil
}

// Clock returns the machine's clock in milliseconds, as SQLite reads it.
func (d *sqLite) Clock(ctx context.Context, c *Conn, _ *Zone) (Timestamp, error) {
	rows, err := c.Texts(ctx, "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")
	if err != nil {
		return Timestamp{}, fmt.Errorf("asking for the database's clock: %w", err)
	}
	if len(rows) == 1 {
		if m, ok := parseMoment([]byte(rows[0][0])); ok {
			return m.timestamp(UTC, false), nil
		}
	}
	return Timestamp{}, fmt.Errorf("the database answered strftime with %v, which is no time", rows)
}

// BindTimestamp returns milliseconds since the epoch, in which the Java driver
// stores timestamps. Timestamps that are stored as text never compare with it.
func (d *sqLite) BindTimestamp(t Timestamp, _ *ColumnOptions) driver.Value { return t.Millis() }

// ReadSession returns the pragma for dirty reads of a shared cache; all other
// transactions are serializable.
func (d *sqLite) ReadSession(level string) []string {
	if level == "READ UNCOMMITTED" {
		return []string{"PRAGMA read_uncommitted = 1"}
	}
	return nil
}

// WriteSession implements Target: busy_timeout of connection.url says how long
// a statement waits.
func (d *sqLite) WriteSession() []string { return nil }
