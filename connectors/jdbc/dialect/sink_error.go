package dialect

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Remedies that several databases share.
const (
	remedyDuplicate  = "the row is there already: use insert.mode=upsert, or send the record once"
	remedyNull       = "let the column be null, or give the field a default and replace.null.with.default=true"
	remedyCheck      = "correct the value, or drop the CHECK constraint"
	remedyForeignKey = "write the row that the foreign key refers to first, or drop the foreign key"
)

// mysqlRemedies say what to do about errors that users of a sink meet.
var mysqlRemedies = map[uint16]string{
	1040: "raise max_connections of the server or run fewer tasks",
	1044: "give the user the privilege on this database",
	1045: "correct connection.user and connection.password",
	1048: remedyNull,
	1054: "add the column, or set auto.evolve=true, or leave the field out by fields.whitelist",
	1060: "another task or a person adds the same column; the task looks again",
	1062: remedyDuplicate,
	1064: "look at the text after near: a name with a dot must stand in quotes in table.name.format, and quote.sql.identifiers=always protects reserved words",
	1075: "make the column of the table's auto_increment part of its key",
	1101: "the server allows no default for TEXT: take the default out of the schema, or create the table by hand",
	1114: "make room on the disk of the server",
	1118: "use fewer or shorter columns; create the table by hand with TEXT or BLOB columns",
	1142: "give the user the privilege on this table",
	1146: "create the table, or set auto.create=true",
	1153: "raise max_allowed_packet of the server, or send smaller values",
	1170: "create the table by hand with a key column of a fixed length, such as VARCHAR(255)",
	1205: "find the transaction that holds the lock in SHOW ENGINE INNODB STATUS",
	1227: "give the user the privilege that is named",
	1264: "make the column wider, or correct the value",
	1265: "make the column hold such values, or correct the value",
	1292: "correct the value, or make the column a type that holds it",
	1364: "give the column a default in the table, or let the record have the field",
	1366: "correct the value; for letters that the column does not know make its character set utf8mb4",
	1406: "make the column longer, such as VARCHAR(n) or MEDIUMTEXT, or shorten the value",
	1451: "the row is referred to by another table: delete there first, or drop the foreign key",
	1452: remedyForeignKey,
	1690: "make the column wider, or correct the value",
	4025: remedyCheck,
}

// classRemedies are what to do where no code has a remedy of its own.
var classRemedies = map[Class]string{
	Connection: "see that the database runs and that connection.url reaches it",
	Transient:  "the task goes on as soon as the database lets it",
	Data:       "correct the record, or change the column",
	Missing:    "create what is missing, or set auto.create=true and auto.evolve=true",
	Permission: "give the user of connection.user the privilege",
	Syntax:     "correct table.name.format, pk.fields or the names in the record; quote.sql.identifiers=always protects reserved words",
	Permanent:  "see the log of the database",
}

// Remedy implements Target.
func (d *mySQL) Remedy(err error) string {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		if r, ok := mysqlRemedies[e.Number]; ok {
			return r
		}
	}
	return classRemedies[d.Classify(err)]
}

// Describe implements Target.
func (d *mySQL) Describe(err error) (text, code string) {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Message, fmt.Sprintf("error %d, SQLSTATE %s", e.Number, e.SQLState[:])
	}
	return err.Error(), err.Error()
}

// Remedy implements Target.
func (d *sqLite) Remedy(err error) string {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_ROWID:
			return remedyDuplicate
		case sqlite3.SQLITE_CONSTRAINT_NOTNULL:
			return remedyNull
		case sqlite3.SQLITE_CONSTRAINT_CHECK:
			return remedyCheck
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return remedyForeignKey
		case sqlite3.SQLITE_FULL:
			return "make room on the disk of the database file"
		}
	}
	return classRemedies[d.Classify(err)]
}

// Describe implements Target.
func (d *sqLite) Describe(err error) (text, code string) {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return strings.TrimPrefix(e.Error(), "constraint failed: "), "error " + strconv.Itoa(e.Code())
	}
	return err.Error(), err.Error()
}
