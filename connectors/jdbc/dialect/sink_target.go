package dialect

import (
	"context"
	"fmt"

	"kconnect/connect/data"
)

// Target is what a sink needs of a dialect besides.
type Target interface {
	Dialect
	// Place completes the name of a target table by the connection's database
	// and schema. Unlike Resolve it keeps a part that the dialect does not have,
	// so that the statement fails as it does in Java (golden
	// jdbc-sink/table-format-db-prefix-mariadb).
	Place(ctx context.Context, c *Conn, id TableID) (TableID, error)
	// UniqueKeys returns the columns of every unique index of a table, the
	// primary key among them.
	UniqueKeys(ctx context.Context, c *Conn, t *Table) ([][]string, error)

	// ColumnType returns the type of a new column.
	ColumnType(c NewColumn, o BindOptions) (string, error)
	// AddColumns returns the statements that add columns to a table.
	AddColumns(id TableID, columns []NewColumn, o BindOptions) ([]string, error)
	// DDLCommits reports whether DDL ends an open transaction.
	DDLCommits() bool
	// WriteSession returns the statements with which a writing session begins.
	WriteSession() []string
	// BeginWrite is the statement that begins a transaction which writes.
	BeginWrite() string

	// ErrorsAbort reports whether after an error a transaction can do nothing but
	// go back, to a savepoint or altogether.
	ErrorsAbort() bool

	// Bind returns how the values of a field are written into a column.
	Bind(field string, s *data.Schema, c *TableColumn, o BindOptions) Bound
	// Insert returns the INSERT of so many rows into columns.
	Insert(id TableID, columns []Bound, rows int) string
	// Upsert returns the statement that inserts rows or changes those of the
	// same keys. The keys are the first columns.
	Upsert(id TableID, keys, others []Bound, rows int) string
	// Update returns the UPDATE of one row; its arguments are the others first.
	Update(id TableID, keys, others []Bound) string
	// Delete returns the DELETE of so many rows by their keys.
	Delete(id TableID, keys []Bound, rows int) string
	// MaxRows is the most rows of one statement that are worth while.
	MaxRows() int
	// RowsInArrays reports whether statements take an array of all rows' values
	// for each column (see Args.Column), so that one text is for any number of
	// rows, and as many placeholders.
	RowsInArrays() bool
	// DistinctKeys reports whether one upsert may not have rows of equal keys.
	DistinctKeys() bool
	// MetTwice reports whether an error says that an upsert had them.
	MetTwice(err error) bool

	// Describe returns the text that the database itself gave an error, and its
	// code for those who must not see the text.
	Describe(err error) (text, code string)
	// Remedy says what can be done about an error of the database.
	Remedy(err error) string
}

var (
	_ Target = (*mySQL)(nil)
	_ Target = (*postgreSQL)(nil)
	_ Target = (*sqLite)(nil)
)

// TargetOf returns d as a target, or an error that says which are there.
func TargetOf(d Dialect) (Target, error) {
	if t, ok := d.(Target); ok {
		return t, nil
	}
	return nil, fmt.Errorf("a sink cannot write to %s: it can to MySqlDatabaseDialect, PostgreSqlDatabaseDialect and SqliteDatabaseDialect", d.Name())
}

// Bound is a column of statements that write.
type Bound struct {
	Name string // in the table's own spelling (D7)
	Bind Binder
	// Element is the type of the column's array where rows go in arrays.
	Element ElementType
	cast    string // the type to which the statement casts values, if any
	setOnly bool   // not where rows are found by the column
}

// NewColumn is a column that records fill, for a table to be made or extended.
type NewColumn struct {
	Name     string
	Schema   *data.Schema
	Key      bool
	Optional bool
}

// BindOptions say how values become arguments and columns get their types.
type BindOptions struct {
	Zone     *Zone // of times and timestamps
	DateZone *Zone // of dates
	// Proleptic writes dates before 1582-10-15 in the Gregorian calendar
	// instead of the Julian.
	Proleptic bool
	// TimestampFields name int64 and string fields that hold micro- or
	// nanoseconds since the epoch.
	TimestampFields []string
	Nanoseconds     bool
}
