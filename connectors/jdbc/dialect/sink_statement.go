package dialect

import (
	"context"
	"strings"
)

// Place implements Target: MariaDB's catalog is its database.
func (d *mySQL) Place(_ context.Context, _ *Conn, id TableID) (TableID, error) {
	if id.Catalog == "" {
		id.Catalog = d.database
	}
	return id, nil
}

// Place implements Target: SQLite has neither catalog nor schema to add.
func (d *sqLite) Place(_ context.Context, _ *Conn, id TableID) (TableID, error) { return id, nil }

// BeginWrite implements Target.
func (d *mySQL) BeginWrite() string { return "START TRANSACTION" }

// BeginWrite implements Target. A transaction that begins by reading cannot
// wait for another writer later, so it asks for the lock at once.
func (d *sqLite) BeginWrite() string { return "BEGIN IMMEDIATE" }

// ErrorsAbort implements Target.
func (d *mySQL) ErrorsAbort() bool { return false }

// ErrorsAbort implements Target.
func (d *sqLite) ErrorsAbort() bool { return false }

// RowsInArrays implements Target.
func (d *mySQL) RowsInArrays() bool { return false }

// RowsInArrays implements Target.
func (d *sqLite) RowsInArrays() bool { return false }

// DistinctKeys implements Target.
func (d *mySQL) DistinctKeys() bool { return false }

// DistinctKeys implements Target.
func (d *sqLite) DistinctKeys() bool { return false }

// MetTwice implements Target.
func (d *mySQL) MetTwice(error) bool { return false }

// MetTwice implements Target.
func (d *sqLite) MetTwice(error) bool { return false }

// MaxRows implements Target: more rows a statement were no faster.
func (d *mySQL) MaxRows() int { return 512 }

// MaxRows implements Target.
func (d *sqLite) MaxRows() int { return 128 }

// Insert implements Target.
func (d *mySQL) Insert(id TableID, columns []Bound, rows int) string {
	return "INSERT INTO " + id.SQL(d) + "(" + quotedNames(d, columns) + ") VALUES" + tuples(len(columns), rows)
}

// Insert implements Target.
func (d *sqLite) Insert(id TableID, columns []Bound, rows int) string {
	return "INSERT INTO " + id.SQL(d) + "(" + quotedNames(d, columns) + ") VALUES" + tuples(len(columns), rows)
}

// Upsert implements Target. With nothing but keys they are set to themselves.
func (d *mySQL) Upsert(id TableID, keys, others []Bound, rows int) string {
	set := others
	if len(set) == 0 {
		set = keys
	}
	updates := make([]string, len(set))
	for i, c := range set {
		q := d.Quote(c.Name)
		updates[i] = q + "=values(" + q + ")"
	}
	columns := append(keys[:len(keys):len(keys)], others...)
	return "insert into " + id.SQL(d) + "(" + quotedNames(d, columns) + ") values" + tuples(len(columns), rows) +
		" on duplicate key update " + strings.Join(updates, ",")
}

// Upsert implements Target. As in Java a replaced row loses the columns that
// the record does not have (golden jdbc-sink/upsert-sqlite-loses-other-columns).
func (d *sqLite) Upsert(id TableID, keys, others []Bound, rows int) string {
	columns := append(keys[:len(keys):len(keys)], others...)
	return "INSERT OR REPLACE INTO " + id.SQL(d) + "(" + quotedNames(d, columns) + ") VALUES" + tuples(len(columns), rows)
}

// Update implements Target.
func (d *mySQL) Update(id TableID, keys, others []Bound) string { return update(d, id, keys, others) }

// Update implements Target.
func (d *sqLite) Update(id TableID, keys, others []Bound) string { return update(d, id, keys, others) }

func update(d Dialect, id TableID, keys, others []Bound) string {
	set := make([]string, len(others))
	for i, c := range others {
		set[i] = d.Quote(c.Name) + " = ?"
	}
	return "UPDATE " + id.SQL(d) + " SET " + strings.Join(set, ", ") + " WHERE " + equalTo(d, keys)
}

// Delete implements Target.
func (d *mySQL) Delete(id TableID, keys []Bound, rows int) string { return remove(d, id, keys, rows) }

// Delete implements Target.
func (d *sqLite) Delete(id TableID, keys []Bound, rows int) string { return remove(d, id, keys, rows) }

func remove(d Dialect, id TableID, keys []Bound, rows int) string {
	text := "DELETE FROM " + id.SQL(d) + " WHERE "
	switch {
	case rows == 1:
		return text + equalTo(d, keys)
	case len(keys) == 1:
		return text + d.Quote(keys[0].Name) + " IN " + tuples(rows, 1)
	}
	one := "(" + equalTo(d, keys) + ")"
	return text + one + strings.Repeat(" OR "+one, rows-1)
}

func equalTo(d Dialect, columns []Bound) string {
	terms := make([]string, len(columns))
	for i, c := range columns {
		terms[i] = d.Quote(c.Name) + " = ?"
	}
	return strings.Join(terms, " AND ")
}

func quotedNames(d Dialect, columns []Bound) string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	return quoted(d, names)
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
	return grouped(rows), nil
}

// grouped returns the second columns of rows that follow each other and have
// the same first one.
func grouped(rows [][]string) [][]string {
	var groups [][]string
	for i, r := range rows {
		if i == 0 || r[0] != rows[i-1][0] {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], r[1])
	}
	return groups
}

// UniqueKeys implements Target. An INTEGER PRIMARY KEY has no index, so the
// primary key comes from the table's columns.
func (d *sqLite) UniqueKeys(ctx context.Context, c *Conn, t *Table) ([][]string, error) {
	var keys [][]string
	if primary := t.PrimaryKey(); len(primary) > 0 {
		keys = append(keys, primary)
	}
	rows, err := c.Texts(ctx, "SELECT l.name, i.name FROM pragma_index_list(?) l, pragma_index_info(l.name) i"+
		` WHERE l."unique" AND l.origin <> 'pk' ORDER BY l.seq, i.seqno`, t.ID.Name)
	if err != nil {
		return nil, err
	}
	return append(keys, grouped(rows)...), nil
}
