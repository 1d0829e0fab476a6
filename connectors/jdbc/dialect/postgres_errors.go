package dialect

import (
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Remedies of PostgreSQL.
const (
	remedyPgLock     = "the task tries again; find who holds the lock in pg_stat_activity and pg_locks"
	remedyPgTooMany  = "raise max_connections of the server, or the CONNECTION LIMIT of the user or database, or run fewer tasks"
	remedyPgTooLong  = "make the column longer, or text, or shorten the value"
	remedyPgConflict = "ON CONFLICT needs a PRIMARY KEY or UNIQUE index on exactly the columns of pk.fields: add one, or correct pk.fields"
	remedyPgType     = "make the column the type of the field (or json, jsonb, uuid for text), turn the field into the column's type by the transformation Cast, or set stringtype=unspecified in connection.url"
)

// postgresFaults has the SQLSTATEs of PostgreSQL that a source or sink can meet
// and that have a remedy of their own, or whose first two characters do not
// tell, or tell wrong, what they are. Other states go by those.
var postgresFaults = map[string]fault{
	// Cut off, or not let in for now.
	"57P01": {Connection, remedyServer}, "57P02": {Connection, remedyServer}, "57P03": {Connection, remedyServer}, // shutdown, crash, starting up
	"57P05": {Connection, "raise idle_session_timeout of the server; the task connects again by itself"},
	"25P03": {Connection, "raise idle_in_transaction_session_timeout of the server; the task connects again by itself"},
	"25P04": {Connection, "raise transaction_timeout of the server; the task connects again by itself"},
	// Refuses for now.
	"25006": {Transient, remedyReadOnly}, "25P02": {Transient, ""}, // the latter after a statement that failed
	"40001": {Transient, remedyPgLock}, "40P01": {Transient, remedyPgLock}, "55P03": {Transient, remedyPgLock}, "55006": {Transient, remedyPgLock},
	"55000": {Transient, ""}, // not in that state yet
	"53100": {Transient, remedyRoom}, "58030": {Transient, remedyRoom}, "58000": {Transient, remedyRoom},
	"53200": {Transient, remedyMemory}, "53300": {Transient, remedyPgTooMany}, "53400": {Transient, remedyMemory},
	"57014": {Transient, "the task tries again; raise statement_timeout of the server when the statement needs longer"},
	// Not there.
	"3D000": {Missing, remedyDatabase}, "3F000": {Missing, "create the schema, or correct table.name.format and currentSchema of connection.url"},
	"42P01": {Missing, ""}, "42703": {Missing, remedyColumn}, "57P04": {Missing, remedyDatabase},
	// Not allowed.
	"28000": {Permission, "allow the user and this host in pg_hba.conf of the server, or correct connection.user and sslmode of connection.url"},
	"28P01": {Permission, remedyPassword}, "42501": {Permission, remedyGrant},
	// Of one row.
	"22001": {Data, remedyPgTooLong}, "22003": {Data, remedyRange}, "22008": {Data, remedyRange},
	"22007": {Data, remedyValue}, "22P02": {Data, remedyValue}, "22P03": {Data, remedyValue}, "22030": {Data, remedyValue}, "22032": {Data, remedyValue},
	"22021": {Data, "correct the value: no text of the server holds the byte 0x00, nor what is not UTF-8"},
	"22P05": {Data, "correct the value, or give the database the encoding UTF8: its own has not all letters"},
	"23502": {Data, remedyNull}, "23503": {Data, remedyForeignKey}, "23505": {Data, remedyDuplicate}, "23514": {Data, remedyCheck},
	"23P01": {Data, "another row excludes this one: correct the value, or drop the EXCLUDE constraint"},
	"44000": {Data, "correct the value, or the view's WITH CHECK OPTION"},
	"54000": {Data, "the row is too large for a page or an index: shorten the value, or drop the index"},
	"P0001": {Data, remedyTrigger},
	// Of the statement, whatever the row.
	"42804": {Syntax, remedyPgType}, "42846": {Syntax, remedyPgType}, "42883": {Syntax, remedyPgType},
	"42P10": {Syntax, remedyPgConflict},
	"428C9": {Syntax, remedyGenerated},
	"42809": {Syntax, remedyView},
	// Of the database rather than of the statement's text.
	"42P06": {Permanent, ""}, "42P07": {Permanent, ""}, "42701": {Permanent, ""}, "42710": {Permanent, ""}, // there already
	"42P16": {Permanent, remedyByHand},
	"21000": {Permanent, ""}, // see MetTwice
}

// errOtherServer is a server that is not of the kind that targetServerType asks for.
var errOtherServer = errors.New("the server is not of the kind that targetServerType of connection.url asks for")

// errRolledBack is the server's answer to the COMMIT of a transaction in which a
// statement failed: it says ROLLBACK, and that is no error to it.
var errRolledBack = errors.New("the server rolled back the transaction that was to be committed")

// Classify says what kind of fault an error is.
func (d *postgreSQL) Classify(err error) Class {
	if _, ok := errors.AsType[*placeholderError](err); ok {
		return Syntax
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case errors.Is(err, errOtherServer):
		return Connection
	case errors.Is(err, errRolledBack):
		return Transient
	case !ok && pgconn.SafeToRetry(err): // "conn closed" has no type of its own
		return Connection
	case !ok:
		return classOfNetwork(err)
	case e.Code == "0A000" && e.Message == "cached plan must not change result type":
		return Transient // the table changed between reading its columns and its rows
	}
	if f, ok := postgresFaults[e.Code]; ok {
		return f.class
	}
	return classOfState(e.Code)
}

// Remedy implements Target.
func (d *postgreSQL) Remedy(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if f, ok := postgresFaults[e.Code]; ok && f.remedy != "" {
			return f.remedy
		}
	}
	return classRemedies[d.Classify(err)]
}

// MetTwice implements Target. Texts, for example, can be equal to a server that
// are not the same.
func (d *postgreSQL) MetTwice(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "21000"
}

// Describe implements Target: the text that Java's driver makes of an error.
func (d *postgreSQL) Describe(err error) (text, code string) {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err.Error(), err.Error()
	}
	var b strings.Builder
	b.WriteString(e.Severity + ": " + e.Message)
	for _, line := range [...][2]string{{"Detail", e.Detail}, {"Hint", e.Hint}, {"Position", position(e.Position)}, {"Where", e.Where}} {
		if line[1] != "" {
			b.WriteString("\n  " + line[0] + ": " + line[1])
		}
	}
	return b.String(), "SQLSTATE " + e.Code
}

func position(n int32) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}
