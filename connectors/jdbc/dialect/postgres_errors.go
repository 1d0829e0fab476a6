package dialect

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresClasses has the SQLSTATEs of PostgreSQL whose class does not tell, or
// tells wrong. Other states go by their first two characters.
var postgresClasses = map[string]Class{
	// Cut off, or not let in for now.
	"57P01": Connection, "57P02": Connection, "57P03": Connection, "57P05": Connection, // shutdown, crash, starting up, idle
	"25P03": Connection, "25P04": Connection, // idle in a transaction, transaction too long
	// Refuses for now.
	"25006": Transient,                                         // read-only: a fail-over is under way
	"55000": Transient, "55006": Transient, "55P03": Transient, // not in that state yet, in use, locked
	"58000": Transient, "58030": Transient, // the server's disk
	"25P02": Transient, // a statement before this one failed
	// Not there.
	"3D000": Missing, "3F000": Missing, "42P01": Missing, "42703": Missing, "57P04": Missing,
	// Not allowed.
	"42501": Permission,
	// Of one row.
	"P0001": Data, // RAISE in a trigger
	// Of the database rather than of the statement's text.
	"42P06": Permanent, "42P07": Permanent, "42P16": Permanent, "42701": Permanent, "42710": Permanent, // there already
	"42804": Permanent, // a value of another type than the column's
}

// errOtherServer is a server that is not of the kind that targetServerType asks for.
var errOtherServer = errors.New("the server is not of the kind that targetServerType of connection.url asks for")

// Classify says what kind of fault an error is.
func (d *postgreSQL) Classify(err error) Class {
	var e *pgconn.PgError
	var placeholders *placeholderError
	switch {
	case errors.As(err, &placeholders):
		return Syntax
	case errors.Is(err, errOtherServer):
		return Connection
	case !errors.As(err, &e):
		return classOfNetwork(err)
	case e.Code == "0A000" && e.Message == "cached plan must not change result type":
		return Transient // the table changed between reading its columns and its rows
	}
	if c, ok := postgresClasses[e.Code]; ok {
		return c
	}
	return classOfState(e.Code)
}
