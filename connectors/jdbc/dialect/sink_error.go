package dialect

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
)

// Remedies that several databases share.
const (
	remedyDuplicate  = "the row is there already: use insert.mode=upsert, or send the record once"
	remedyNull       = "let the column be null, or give the field a default and replace.null.with.default=true"
	remedyCheck      = "correct the value, or drop the CHECK constraint"
	remedyReferred   = "the row is referred to by another table: delete there first, or drop the foreign key"
	remedyForeignKey = "write the row that the foreign key refers to first, or drop the foreign key"
)

// fault is what an error code of a database means and what to do about it; an
// empty remedy is that of the class.
type fault struct {
	class  Class
	remedy string
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

// Describe implements Target.
func (d *mySQL) Describe(err error) (text, code string) {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Message, fmt.Sprintf("error %d, SQLSTATE %s", e.Number, e.SQLState[:])
	}
	return err.Error(), err.Error()
}

// Describe implements Target.
func (d *sqLite) Describe(err error) (text, code string) {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return strings.TrimPrefix(e.Error(), "constraint failed: "), "error " + strconv.Itoa(e.Code())
	}
	return err.Error(), err.Error()
}
