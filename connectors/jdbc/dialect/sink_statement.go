package dialect

import (
	"context"
	"strings"
)

// Place implements Target: MariaDB's catalog is its database.
func (d *mySQL) Place(id TableID) TableID {
	if id.Catalog == "" {
		id.Catalog = d.database
	}
	return id
}

// Place implements Target: SQLite has neither catalog nor schema to add.
func (d *sqLite) Place(id TableID) TableID { return id }

// BeginWrite implements Target.
func (d *mySQL) BeginWrite() string { return "START TRANSACTION" }

// BeginWrite implements Target. A transaction that begins by reading cannot
// wait for another writer later, so it asks for the lock at once.
func (d *sqLite) BeginWrite() string { return "BEGIN IMMEDIATE" }

// MaxRows implements Target: more rows a statement were no faster.
func (d *mySQL) MaxRows() int { return 512 }

// MaxRows implements Target.
func (d *sqLite) MaxRows() int { return 128 }

// Insert implements Target.
func (d *mySQL) Insert(id TableID, columns []string, rows int) string {
	return "INSERT INTO " + id.SQL(d) + "(" + quoted(d, columns) + ") VALUES" + tuples(len(columns), rows)
}

// Insert implements Target.
func (d *sqLite) Insert(id TableID, columns []string, rows int) string {
	return "INSERT INTO " + id.SQL(d) + "(" + quoted(d, columns) + ") VALUES" + tuples(len(columns), rows)
}

// Upsert implements Target. With nothing but keys they are set to themselves.
func (d *mySQL) Upsert(id TableID, keys, others []string, rows int) string {
	set := others
	if len(set) == 0 {
		set = keys
	}
	updates := make([]string, len(set))
	for i, c := range set {
		q := d.Quote(c)
		updates[i] = q + "=values(" + q + ")"
	}
	columns := append(keys[:len(keys):len(keys)], others...)
	return "insert into " + id.SQL(d) + "(" + quoted(d, columns) + ") values" + tuples(len(columns), rows) +
		" on duplicate key update " + strings.Join(updates, ",")
}

// Upsert implements Target. As in Java a replaced row loses the columns that
// the record does not have (golden jdbc-sink/upsert-sqlite-loses-other-columns).
func (d *sqLite) Upsert(id TableID, keys, others []string, rows int) string {
	columns := append(keys[:len(keys):len(keys)], others...)
	return "INSERT OR REPLACE INTO " + id.SQL(d) + "(" + quoted(d, columns) + ") VALUES" + tuples(len(columns), rows)
}

// Update returns the UPDATE of one row; its arguments are the others first.
func Update(d Dialect, id TableID, keys, others []string) string {
	set := make([]string, len(others))
	for i, c := range others {
		set[i] = d.Quote(c) + " = ?"
	}
	return "UPDATE " + id.SQL(d) + " SET " + strings.Join(set, ", ") + " WHERE " + equalTo(d, keys)
}

// Delete returns the DELETE of so many rows by their keys.
func Delete(d Dialect, id TableID, keys []string, rows int) string {
	text := "DELETE FROM " + id.SQL(d) + " WHERE "
	switch {
	case rows == 1:
		return text + equalTo(d, keys)
	case len(keys) == 1:
		return text + d.Quote(keys[0]) + " IN " + tuples(rows, 1)
	}
	one := "(" + equalTo(d, keys) + ")"
	return text + one + strings.Repeat(" OR "+one, rows-1)
}

func equalTo(d Dialect, columns []string) string {
	terms := make([]string, len(columns))
	for i, c := range columns {
		terms[i] = d.Quote(c) + " = ?"
	}
	return strings.Join(terms, " AND ")
}

// tuples returns rows of placeholders: (?,?),(?,?).
func tuples(columns, rows int) string {
	one := "(" + strings.Repeat("?,", columns-1) + "?)"
	return one + strings.Repeat(","+one, rows-1)
}

// UniqueKeys implements Target. An index on the beginning of a column is none
// on the column, and its part gets a name that no column has.
func (d *mySQL) UniqueKeys(ctx context.Context, c *Conn, t *Table) ([][]string, error) {
	rows, err := c.Texts(ctx, "SELECT INDEX_NAME, IF(SUB_PART IS NULL, COLUMN_NAME, CONCAT(COLUMN_NAME, '(', SUB_PART, ')')) FROM information_schema.STATISTICS"+
		" WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX", t.ID.Catalog, t.ID.Name)
	if err != nil {
		return nil, err
	}
	var keys [][]string
	for i, r := range rows {
		if i == 0 || r[0] != rows[i-1][0] {
			keys = append(keys, nil)
		}
		keys[len(keys)-1] = append(keys[len(keys)-1], r[1])
	}
	return keys, nil
}

// UniqueKeys implements Target. An INTEGER PRIMARY KEY has no index, so the
// primary key comes from the table's columns.
func (d *sqLite) UniqueKeys(ctx context.Context, c *Conn, t *Table) ([][]string, error) {
	var keys [][]string
	var primary []string
	for _, col := range t.Columns {
		if col.PrimaryKey {
			primary = append(primary, col.Name)
		}
	}
	if len(primary) > 0 {
		keys = append(keys, primary)
	}
	rows, err := c.Texts(ctx, "SELECT l.name, i.name FROM pragma_index_list(?) l, pragma_index_info(l.name) i"+
		` WHERE l."unique" AND l.origin <> 'pk' ORDER BY l.seq, i.seqno`, t.ID.Name)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		if i == 0 || r[0] != rows[i-1][0] {
			keys = append(keys, nil)
		}
		keys[len(keys)-1] = append(keys[len(keys)-1], r[1])
	}
	return keys, nil
}
