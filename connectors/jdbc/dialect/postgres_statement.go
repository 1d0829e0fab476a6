package dialect

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Place implements Target: the catalog is the connection's database, and a
// schema that is not named is the one in which tables are made.
func (d *postgreSQL) Place(ctx context.Context, c *Conn, id TableID) (TableID, error) {
	catalog := id.Catalog
	id = d.Resolve(id)
	rows, err := c.Texts(ctx, "SELECT current_database(), current_schema()")
	if err != nil {
		return id, fmt.Errorf("asking for the connection's schema: %w", err)
	}
	if id.Catalog = catalog; catalog == "" {
		id.Catalog = rows[0][0]
	}
	if id.Schema == "" {
		id.Schema = rows[0][1]
	}
	return id, nil
}

// BeginWrite implements Target.
func (d *postgreSQL) BeginWrite() string { return "BEGIN" }

// WriteSession implements Target: a row that another transaction holds is
// waited for 10 s at a time, so that the task can say so (Promise 5).
func (d *postgreSQL) WriteSession() []string {
	if d.ownLockTimeout {
		return nil
	}
	return []string{"SET SESSION lock_timeout = '10s'"}
}

// ErrorsAbort implements Target.
func (d *postgreSQL) ErrorsAbort() bool { return true }

// MaxRows implements Target: only the bytes of a statement bound its rows.
func (d *postgreSQL) MaxRows() int { return 10_000 }

// RowsInArrays implements Target. With a placeholder for every value instead,
// each number of rows would be a statement of its own, of thousands of
// parameters, and the server would be no faster.
func (d *postgreSQL) RowsInArrays() bool { return true }

// DistinctKeys implements Target: ON CONFLICT changes a row once in a statement.
func (d *postgreSQL) DistinctKeys() bool { return true }

// Insert implements Target.
func (d *postgreSQL) Insert(id TableID, columns []Bound, _ int) string {
	return "INSERT INTO " + id.SQL(d) + " (" + quotedNames(d, columns) + ") " + selectRows(columns, nil)
}

// Upsert implements Target.
func (d *postgreSQL) Upsert(id TableID, keys, others []Bound, rows int) string {
	text := d.Insert(id, append(keys[:len(keys):len(keys)], others...), rows) + " ON CONFLICT (" + quotedNames(d, keys) + ") DO "
	if len(others) == 0 {
		return text + "NOTHING"
	}
	set := make([]string, len(others))
	for i := range others {
		name := d.Quote(others[i].Name)
		set[i] = name + "=EXCLUDED." + name
	}
	return text + "UPDATE SET " + strings.Join(set, ",")
}

// Update implements Target. As in Java json, jsonb and uuid are cast where they
// are set, and not where the row is found by them.
func (d *postgreSQL) Update(id TableID, keys, others []Bound) string {
	set := make([]string, len(others))
	for i := range others {
		set[i] = d.Quote(others[i].Name) + " = " + rowColumn(i)
	}
	if len(others) == 0 { // no statement: the server complains of what it does in Java
		return "UPDATE " + id.SQL(d) + " SET  WHERE " + equalTo(d, keys)
	}
	return "UPDATE " + id.SQL(d) + " AS target SET " + strings.Join(set, ", ") + " FROM (" + selectRows(others, keys) + ") AS r" +
		" WHERE " + d.keysEqual(keys, len(others))
}

// Delete implements Target.
func (d *postgreSQL) Delete(id TableID, keys []Bound, _ int) string {
	return "DELETE FROM " + id.SQL(d) + " AS target USING (" + selectRows(nil, keys) + ") AS r WHERE " + d.keysEqual(keys, 0)
}

// keysEqual compares the keys with the columns of r from one on.
func (d *postgreSQL) keysEqual(keys []Bound, first int) string {
	terms := make([]string, len(keys))
	for i := range keys {
		terms[i] = "target." + d.Quote(keys[i].Name) + " = " + rowColumn(first+i)
	}
	return strings.Join(terms, " AND ")
}

// selectRows returns the SELECT of the rows that arrays hold, for columns that
// are set and for those by which rows are found.
func selectRows(set, find []Bound) string {
	n := len(set) + len(find)
	values, arrays, names := make([]string, n), make([]string, n), make([]string, n)
	for i := range n {
		c, cast := &Bound{}, ""
		if i < len(set) {
			c = &set[i]
			cast = c.cast
		} else if c = &find[i-len(set)]; !c.setOnly {
			cast = c.cast
		}
		names[i] = "c" + strconv.Itoa(i+1)
		values[i] = rowColumn(i)
		if cast != "" {
			values[i] += "::" + cast
			if len(find) > 0 {
				values[i] += " AS " + names[i]
			}
		}
		arrays[i] = "?::" + elementNames[c.Element] + "[]"
	}
	return "SELECT " + strings.Join(values, ",") + " FROM unnest(" + strings.Join(arrays, ",") + ") AS r(" + strings.Join(names, ",") + ")"
}

func rowColumn(i int) string { return "r.c" + strconv.Itoa(i+1) }

// UniqueKeys implements Target. What an index has besides columns, an
// expression or a condition, stands as an empty name.
func (d *postgreSQL) UniqueKeys(ctx context.Context, c *Conn, t *Table) ([][]string, error) {
	rows, err := c.Texts(ctx, "SELECT i.indexrelid, coalesce(a.attname, '') FROM pg_catalog.pg_index i"+
		" JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace"+
		" CROSS JOIN LATERAL generate_series(CASE WHEN i.indpred IS NULL THEN 0 ELSE -1 END, i.indnkeyatts - 1) AS k"+
		" LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[k] AND a.attnum > 0"+
		" WHERE n.nspname = ? AND t.relname = ? AND (i.indisunique OR i.indisexclusion) ORDER BY i.indexrelid, k", t.ID.Schema, t.ID.Name)
	if err != nil {
		return nil, fmt.Errorf("listing the unique indexes of %s: %w", t.ID.Text(), err)
	}
	return grouped(rows), nil
}
