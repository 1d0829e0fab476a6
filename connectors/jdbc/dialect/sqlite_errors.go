package dialect

import (
	"errors"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteFaults has the result codes of SQLite. An extended code that is not
// here goes by its primary one.
var sqliteFaults = map[int]fault{
	sqlite3.SQLITE_BUSY:      {Transient, "another process writes to the file; the task tries again, and busy_timeout in connection.url says how long a statement waits"},
	sqlite3.SQLITE_LOCKED:    {Transient, "another connection holds the table; the task tries again"},
	sqlite3.SQLITE_PROTOCOL:  {Transient, "too many processes open the file at once; the task tries again"},
	sqlite3.SQLITE_FULL:      {Transient, "make room on the disk of the database file, or raise max_page_count; the task goes on by itself"},
	sqlite3.SQLITE_IOERR:     {Transient, "see that the disk of the database file works; the task goes on by itself"},
	sqlite3.SQLITE_NOMEM:     {Transient, "give the worker more memory; the task goes on by itself"},
	sqlite3.SQLITE_READONLY:  {Transient, "let the worker write to the database file and its folder; the task goes on by itself"},
	sqlite3.SQLITE_SCHEMA:    {Transient, "the table changed meanwhile; the task tries again"},
	sqlite3.SQLITE_INTERRUPT: {Transient, ""},
	sqlite3.SQLITE_ABORT:     {Transient, "the statement was rolled back by another; the task tries again"},
	sqlite3.SQLITE_CANTOPEN:  {Connection, "create the folder of the database file and let the worker write there, or correct connection.url"},

	sqlite3.SQLITE_CONSTRAINT:            {Data, ""},
	sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: {Data, remedyDuplicate},
	sqlite3.SQLITE_CONSTRAINT_UNIQUE:     {Data, remedyDuplicate},
	sqlite3.SQLITE_CONSTRAINT_ROWID:      {Data, remedyDuplicate},
	sqlite3.SQLITE_CONSTRAINT_NOTNULL:    {Data, remedyNull},
	sqlite3.SQLITE_CONSTRAINT_CHECK:      {Data, remedyCheck},
	sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: {Data, remedyForeignKey},
	sqlite3.SQLITE_CONSTRAINT_TRIGGER:    {Data, "correct the record, or the trigger that refuses it"},
	sqlite3.SQLITE_CONSTRAINT_DATATYPE:   {Data, "correct the value, or give the column of the STRICT table another type"},
	sqlite3.SQLITE_MISMATCH:              {Data, "an INTEGER PRIMARY KEY holds integers alone: correct the value"},
	sqlite3.SQLITE_TOOBIG:                {Data, "a value may have a thousand million bytes at most: send smaller values"},

	sqlite3.SQLITE_AUTH: {Permission, ""},
	sqlite3.SQLITE_PERM: {Permission, "let the worker read and write the database file"},

	sqlite3.SQLITE_CORRUPT: {Permanent, "the database file is damaged: restore it, or save what there is by .recover of the sqlite3 shell"},
	sqlite3.SQLITE_NOTADB:  {Permanent, "the file is no SQLite database: correct connection.url"},
	sqlite3.SQLITE_NOLFS:   {Permanent, "the file system cannot hold a file of this size"},
}

// sqliteWords tell apart what is wrong with a statement, for which SQLite has
// one code.
var sqliteWords = []struct {
	words string
	fault fault
}{
	{"no such table", fault{Missing, "create the table, or set auto.create=true"}},
	{"no such column", fault{Missing, remedyColumn}},
	{"has no column named", fault{Missing, remedyColumn}},
	{"unknown database", fault{Missing, "the part before the dot must be an attached database: put a table name with dots in quotes in table.name.format"}},
	{"syntax error", fault{Syntax, ""}},
	{"incomplete input", fault{Syntax, ""}},
	{"unrecognized token", fault{Syntax, ""}},
	{"because it is a view", fault{Permanent, "write to a table, or give the view an INSTEAD OF trigger"}},
	{"duplicate column name", fault{Permanent, "another task or a person adds the same column; the task looks again"}},
	{"already exists", fault{Permanent, "another task or a person makes the same table; the task looks again"}},
	{"cannot INSERT into generated column", fault{Data, remedyGenerated}},
	{"cannot UPDATE generated column", fault{Data, remedyGenerated}},
	{"too many columns", fault{Permanent, "leave fields out by fields.whitelist"}},
}

func sqliteFault(e *sqlite.Error) (fault, bool) {
	primary := e.Code() & 0xff // extended codes hold the primary one in their low byte
	if primary == sqlite3.SQLITE_ERROR {
		for i := range sqliteWords {
			if strings.Contains(e.Error(), sqliteWords[i].words) {
				return sqliteWords[i].fault, true
			}
		}
		return fault{}, false
	}
	f, ok := sqliteFaults[e.Code()]
	if !ok {
		f, ok = sqliteFaults[primary]
	}
	return f, ok
}

// Classify says what kind of fault an error is.
func (d *sqLite) Classify(err error) Class {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return classOfNetwork(err)
	}
	f, _ := sqliteFault(e) // what is not known is Permanent, the zero class
	return f.class
}

// Remedy implements Target.
func (d *sqLite) Remedy(err error) string {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		if f, ok := sqliteFault(e); ok && f.remedy != "" {
			return f.remedy
		}
	}
	return classRemedies[d.Classify(err)]
}
