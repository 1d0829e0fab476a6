package dialect

import (
	"context"
	"database/sql/driver"
)

// Dialect is what differs between databases. It is immutable and may be used
// by several goroutines; the connections that some methods take may not.
type Dialect interface {
	// Name is the class name that users know from dialect.name, such as
	// MySqlDatabaseDialect.
	Name() string

	// Quote returns an identifier as it stands in a statement: in quotes, with
	// quotes inside it doubled (D2), or bare when quote.sql.identifiers is never.
	Quote(name string) string
	// QuoteChar is the character around quoted identifiers.
	QuoteChar() byte
	// Resolve completes a name that was parsed from text (see ParseID) by the
	// dialect's rules of identity, as in Java's createTableId and the parts the
	// connection adds: MariaDB has catalog and name, SQLite only the name.
	Resolve(id TableID) TableID

	// Tables lists tables in the order of the JDBC driver. A nil pattern is
	// one that was not configured. Kinds are JDBC's table types in upper case.
	Tables(ctx context.Context, c *Conn, catalog, schema *string, kinds []string) ([]TableID, error)
	// Table returns the definition of the table of exactly this name (D6) and
	// whether there is one. Views are found like tables.
	Table(ctx context.Context, c *Conn, id TableID) (*Table, bool, error)

	// Holders lists who may still commit rows of a table whose ids, of column, are
	// taken already (D14). c has no open result set.
	Holders(ctx context.Context, c *Conn, id TableID, column string) (Holders, error)

	// Fields describes the columns of an open result set of c, which holds all
	// columns of a table, or, when table has no name, those of any query.
	Fields(ctx context.Context, c *Conn, rows driver.Rows, table TableID) ([]Field, error)
	// Column returns how to read one column of a result set. A nil Reader
	// means that the type has no counterpart and the column is left out.
	Column(f Field, o ColumnOptions) (Column, error)

	// Clock returns the database's idea of now, as the timestamp columns of
	// this dialect would hold it.
	Clock(ctx context.Context, c *Conn, z *Zone) (Timestamp, error)
	// BindTimestamp returns the argument that compares with a timestamp column
	// which is read under the same options.
	BindTimestamp(t Timestamp, o *ColumnOptions) driver.Value
	// ReadSession returns the statements with which a reading session begins.
	// level is an isolation level in SQL's words, empty for the database's own.
	ReadSession(level string) []string

	// Classify says what kind of fault an error of this database is.
	Classify(err error) Class
	// MaxPlaceholders is how many arguments one statement may have.
	MaxPlaceholders() int
}

// Class is what an error of a database means for the one who got it.
type Class uint8

const (
	// Permanent is an error that trying again will not cure and that no table names.
	Permanent Class = iota
	// Connection means that the connection is gone or cannot be had.
	Connection
	// Transient means that the database refuses for now: a deadlock, a lock
	// that took too long, read-only mode, no more connections, a full disk.
	Transient
	// Data is a fault of the values of one row.
	Data
	// Missing means that a table, a column or the database is not there.
	Missing
	// Permission is a wrong password or a missing privilege.
	Permission
	// Syntax is a statement that the database does not understand.
	Syntax
)

// Surroundings reports whether the error is to be waited out (Promise 4, D11).
func (c Class) Surroundings() bool { return c == Connection || c == Transient }

// Table is the definition of an existing table.
type Table struct {
	ID      TableID // in the database's own spelling (D7)
	Kind    string  // TABLE, VIEW, ...: JDBC's table type
	Columns []TableColumn
}

// TableColumn is one column of an existing table.
type TableColumn struct {
	Name          string
	Type          string // as the database writes it, such as int(11) unsigned
	Nullable      bool
	AutoIncrement bool
	PrimaryKey    bool
	Collation     string // of a text column, where the database tells
	RowID         bool   // SQLite's INTEGER PRIMARY KEY: never null, though not declared so
}

// PrimaryKey returns the names of the primary key's columns, in the order of the
// table; none without one.
func (t *Table) PrimaryKey() []string {
	var names []string
	for _, c := range t.Columns {
		if c.PrimaryKey {
			names = append(names, c.Name)
		}
	}
	return names
}

// Column returns the column of a name, without regard to letter case as
// databases compare, and false when there is none. An exact match wins.
func (t *Table) Column(name string) (*TableColumn, bool) {
	var found *TableColumn
	for i := range t.Columns {
		switch c := &t.Columns[i]; {
		case c.Name == name:
			return c, true
		case found == nil && equalFold(c.Name, name):
			found = c
		}
	}
	return found, found != nil
}
