package dialect

import (
	"errors"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteClasses has the primary result codes of SQLite.
var sqliteClasses = map[int]Class{
	sqlite3.SQLITE_BUSY: Transient, sqlite3.SQLITE_LOCKED: Transient, sqlite3.SQLITE_PROTOCOL: Transient,
	sqlite3.SQLITE_FULL: Transient, sqlite3.SQLITE_IOERR: Transient, sqlite3.SQLITE_NOMEM: Transient,
	sqlite3.SQLITE_READONLY: Transient, sqlite3.SQLITE_SCHEMA: Transient, sqlite3.SQLITE_INTERRUPT: Transient,
	sqlite3.SQLITE_CANTOPEN:   Connection,
	sqlite3.SQLITE_CONSTRAINT: Data, sqlite3.SQLITE_MISMATCH: Data, sqlite3.SQLITE_TOOBIG: Data,
	sqlite3.SQLITE_AUTH: Permission, sqlite3.SQLITE_PERM: Permission,
}

// Classify says what kind of fault an error is. SQLite has one code for all
// that is wrong with a statement, so its words decide there.
func (d *sqLite) Classify(err error) Class {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return classOfNetwork(err)
	}
	primary := e.Code() & 0xff // extended codes hold the primary one in their low byte
	if c, ok := sqliteClasses[primary]; ok {
		return c
	}
	if primary == sqlite3.SQLITE_ERROR {
		switch m := e.Error(); {
		case strings.Contains(m, "no such table"), strings.Contains(m, "no such column"), strings.Contains(m, "has no column named"):
			return Missing
		case strings.Contains(m, "syntax error"), strings.Contains(m, "incomplete input"), strings.Contains(m, "unrecognized token"):
			return Syntax
		}
	}
	return Permanent
}
