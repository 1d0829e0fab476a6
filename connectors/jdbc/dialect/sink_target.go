package dialect

import (
	"context"
	"fmt"

	"kconnect/connect/data"
)

// Target is what a sink needs of a dialect besides.
type Target interface {
	Dialect
	// Place completes the name of a target table by the connection's database.
	// Unlike Resolve it keeps a schema that the dialect does not have, so that
	// the statement fails as it does in Java (golden
	// jdbc-sink/table-format-db-prefix-mariadb).
	Place(id TableID) TableID
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

	// Insert returns the INSERT of so many rows into columns.
	Insert(id TableID, columns []string, rows int) string
	// Upsert returns the statement that inserts rows or changes those of the
	// same keys. The keys are the first columns.
	Upsert(id TableID, keys, others []string, rows int) string
	// MaxRows is the most rows of one statement that are worth while.
	MaxRows() int

	// Binder returns how values of a column become arguments.
	Binder(name string, s *data.Schema, o BindOptions) Binder
	// Describe returns the text that the database itself gave an error, and its
	// code for those who must not see the text.
	Describe(err error) (text, code string)
	// Remedy says what can be done about an error of the database.
	Remedy(err error) string
}

var (
	_ Target = (*mySQL)(nil)
	_ Target = (*sqLite)(nil)
)

// TargetOf returns d as a target, or an error that says which are there.
func TargetOf(d Dialect) (Target, error) {
	if t, ok := d.(Target); ok {
		return t, nil
	}
	return nil, fmt.Errorf("a sink cannot write to %s: it can to MySqlDatabaseDialect and SqliteDatabaseDialect", d.Name())
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
