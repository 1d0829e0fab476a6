package dialect

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// serverError is an error as the driver of MariaDB gives it.
func serverError(number uint16, state, message string) error {
	e := &mysql.MySQLError{Number: number, Message: message}
	copy(e.SQLState[:], state)
	return e
}

func TestMySQLErrorsAreClassified(t *testing.T) {
	for _, c := range []struct {
		err    error
		want   Class
		remedy string // part of it
	}{
		// Down, cut off.
		{driver.ErrBadConn, Connection, "connection.url"},
		{mysql.ErrInvalidConn, Connection, "connection.url"},
		{io.ErrUnexpectedEOF, Connection, "connection.url"},
		{fmt.Errorf("dial: %w", syscall.ECONNREFUSED), Connection, "connection.url"},
		{&net.DNSError{Err: "no such host"}, Connection, "connection.url"},
		{serverError(1927, "70100", "Connection was killed"), Connection, "ended the connection"},
		{serverError(1053, "08S01", "Server shutdown in progress"), Connection, "connection.url"},
		{serverError(1129, "HY000", "Host 'h' is blocked"), Connection, "FLUSH HOSTS"},
		{serverError(1047, "08S01", "WSREP has not yet prepared node for application use"), Connection, "connection.url"},
		{serverError(9999, "08001", "m"), Connection, "connection.url"},
		// Refuses for now.
		{serverError(1205, "HY000", "Lock wait timeout exceeded"), Transient, "PROCESSLIST"},
		{serverError(1213, "40001", "Deadlock found"), Transient, "PROCESSLIST"},
		{serverError(1290, "HY000", "running with the --read-only option"), Transient, "takes writes again"},
		{serverError(1836, "HY000", "Running in read-only mode"), Transient, "takes writes again"},
		{serverError(1792, "25006", "Cannot execute statement in a READ ONLY transaction"), Transient, "takes writes again"},
		{serverError(1040, "08004", "Too many connections"), Transient, "max_connections"},
		{serverError(1203, "42000", "User kc already has more than 'max_user_connections'"), Transient, "max_user_connections"},
		{serverError(1461, "42000", "Can't create more than max_prepared_stmt_count"), Transient, "max_prepared_stmt_count"},
		{serverError(1021, "HY000", "Disk full"), Transient, "room on the disk"},
		{serverError(1114, "HY000", "The table 't' is full"), Transient, "room on the disk"},
		{serverError(1030, "HY000", `Got error 28 "No space left on device" from storage engine InnoDB`), Transient, "room on the disk"},
		{serverError(1030, "HY000", `Got error 139 "Too big row" from storage engine InnoDB`), Data, "TEXT or BLOB"},
		{serverError(1005, "HY000", "Can't create table `a`.`t` (errno: 28 \"No space left on device\")"), Transient, "room on the disk"},
		{serverError(1005, "HY000", "Can't create table `a`.`t` (errno: 150 \"Foreign key constraint is incorrectly formed\")"), Permanent, "by hand"},
		{serverError(1016, "HY000", `Can't open file: 't' (errno: 24 "Too many open files")`), Transient, "open files"},
		{serverError(1317, "70100", "Query execution was interrupted"), Transient, "tries again"},
		{serverError(1969, "70100", "Query execution was interrupted (max_statement_time exceeded)"), Transient, "tries again"},
		{serverError(9999, "70100", "m"), Transient, "goes on"},
		{serverError(9999, "40001", "m"), Transient, "goes on"},
		// Not there.
		{serverError(1146, "42S02", "Table 'a.t' doesn't exist"), Missing, "auto.create=true"},
		{serverError(1054, "42S22", "Unknown column 'c'"), Missing, "auto.evolve=true"},
		{serverError(1049, "42000", "Unknown database 'a'"), Missing, "create the database"},
		// Not allowed.
		{serverError(1045, "28000", "Access denied"), Permission, "connection.password"},
		{serverError(1142, "42000", "INSERT command denied"), Permission, "privilege on this table"},
		{serverError(1227, "42000", "Access denied; you need SUPER"), Permission, "privilege"},
		{serverError(1290, "HY000", "running with the --secure-file-priv option"), Permission, "privilege"},
		{serverError(4166, "HY000", "The used command is not allowed"), Permission, "local_infile"},
		{mysql.ErrNoTLS, Permission, "sslMode"},
		// Of one row.
		{serverError(1062, "23000", "Duplicate entry"), Data, "insert.mode=upsert"},
		{serverError(1048, "23000", "Column 'c' cannot be null"), Data, "replace.null.with.default"},
		{serverError(1364, "HY000", "Field 'c' doesn't have a default value"), Data, "default in the table"},
		{serverError(1406, "22001", "Data too long"), Data, "column longer"},
		{serverError(1264, "22003", "Out of range"), Data, "column wider"},
		{serverError(1265, "01000", "Data truncated"), Data, "column hold"},
		{serverError(1292, "22007", "Incorrect datetime value"), Data, "column a type"},
		{serverError(1366, "22007", "Incorrect string value"), Data, "utf8mb4"},
		{serverError(1365, "22012", "Division by 0"), Data, "divides by zero"},
		{serverError(1452, "23000", "a foreign key constraint fails"), Data, "refers to first"},
		{serverError(1451, "23000", "a foreign key constraint fails"), Data, "delete there first"},
		{serverError(4025, "23000", "CONSTRAINT failed"), Data, "CHECK"},
		{serverError(1526, "HY000", "Table has no partition for value 5"), Data, "partition"},
		{serverError(1644, "45000", "no"), Data, "trigger"},
		{serverError(9999, "45000", "no"), Data, "record"},
		{serverError(9999, "22003", "m"), Data, "record"},
		{serverError(1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes"), Data, "max_allowed_packet"},
		{serverError(1105, "HY000", "Parameter of prepared statement which is set through mysql_send_long_data() is longer than 'max_allowed_packet' bytes"), Data, "max_allowed_packet"},
		{serverError(1105, "HY000", "Unknown error"), Permanent, "log of the database"},
		{mysql.ErrPktTooLarge, Data, "max_allowed_packet"},
		// For what the statement is.
		{serverError(1064, "42000", "You have an error in your SQL syntax"), Syntax, "table.name.format"},
		{serverError(1101, "42000", "can't have a default value"), Permanent, "by hand"},
		{serverError(1471, "HY000", "not insertable-into"), Permanent, "view of one table"},
		{serverError(9999, "HY000", "m"), Permanent, "log of the database"},
		{errors.New("something else"), Permanent, "log of the database"},
	} {
		d := &mySQL{}
		wrapped := fmt.Errorf("wrapped: %w", c.err)
		if got := d.Classify(wrapped); got != c.want {
			t.Errorf("%v: class %d, want %d", c.err, got, c.want)
		}
		if got := d.Remedy(wrapped); !strings.Contains(got, c.remedy) {
			t.Errorf("%v: remedy %q, want %q in it", c.err, got, c.remedy)
		}
	}
}

// TestEveryCodeHasAClassAndARemedy holds the tables together: a code without a
// remedy of its own has that of its class.
func TestEveryCodeHasAClassAndARemedy(t *testing.T) {
	for number := range mysqlFaults {
		if (&mySQL{}).Remedy(serverError(number, "HY000", "m")) == "" {
			t.Errorf("code %d has no remedy", number)
		}
	}
	for class := Permanent; class <= Syntax; class++ {
		if classRemedies[class] == "" {
			t.Errorf("class %d has no remedy", class)
		}
	}
}

func TestSQLiteErrorsAreClassified(t *testing.T) {
	_, c := openSQLiteFile(t)
	for _, s := range []string{
		"CREATE TABLE strict (n INTEGER) STRICT", "CREATE TABLE guarded (n INTEGER)",
		"CREATE TRIGGER guard BEFORE INSERT ON guarded BEGIN SELECT RAISE(ABORT, 'not today'); END",
	} {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for statement, want := range map[string]Class{
		"SELECT * FROM nowhere":           Missing,
		"SELECT absent FROM t":            Missing,
		"INSERT INTO t (zz) VALUES (1)":   Missing,
		"SELEKT 1":                        Syntax,
		"SELECT (":                        Syntax,
		"INSERT INTO t (id) VALUES (1)":   Data,
		"INSERT INTO t (id) VALUES ('x')": Data,
		"INSERT INTO a.t (id) VALUES (7)": Missing,
		"INSERT INTO v (id) VALUES (7)":   Permanent,
		"INSERT INTO strict VALUES ('x')": Data,
		"INSERT INTO guarded VALUES (1)":  Data,
		"CREATE TABLE t (a)":              Permanent,
	} {
		_, err := c.Exec(t.Context(), statement)
		if err == nil {
			t.Errorf("%s: no error", statement)
			continue
		}
		if got := c.Classify(err); got != want {
			t.Errorf("%s: %v is of class %d, want %d", statement, err, got, want)
		}
		if remedy := c.Dialect.(Target).Remedy(err); remedy == "" {
			t.Errorf("%s: %v has no remedy", statement, err)
		}
	}
}
