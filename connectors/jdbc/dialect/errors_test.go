package dialect

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestMySQLErrorsAreClassified(t *testing.T) {
	vendor := func(number uint16, state string) error {
		e := &mysql.MySQLError{Number: number, Message: "m"}
		copy(e.SQLState[:], state)
		return e
	}
	for _, c := range []struct {
		err  error
		want Class
	}{
		{vendor(1205, "HY000"), Transient},
		{vendor(1213, "40001"), Transient},
		{vendor(1290, "HY000"), Transient},
		{vendor(1040, "08004"), Transient},
		{vendor(1021, "HY000"), Transient},
		{vendor(1927, "70100"), Connection},
		{vendor(1053, "08S01"), Connection},
		{vendor(1045, "28000"), Permission},
		{vendor(1142, "42000"), Permission},
		{vendor(1146, "42S02"), Missing},
		{vendor(1054, "42S22"), Missing},
		{vendor(1049, "42000"), Missing},
		{vendor(1064, "42000"), Syntax},
		{vendor(1062, "23000"), Data},
		{vendor(1406, "22001"), Data},
		{vendor(9999, "22003"), Data},
		{vendor(9999, "08001"), Connection},
		{vendor(9999, "HY000"), Permanent},
		{driver.ErrBadConn, Connection},
		{mysql.ErrInvalidConn, Connection},
		{io.ErrUnexpectedEOF, Connection},
		{fmt.Errorf("dial: %w", syscall.ECONNREFUSED), Connection},
		{&net.DNSError{Err: "no such host"}, Connection},
		{errors.New("something else"), Permanent},
		{mysql.ErrPktTooLarge, Data},
	} {
		if got := (&mySQL{}).Classify(fmt.Errorf("wrapped: %w", c.err)); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

func TestSQLiteErrorsAreClassified(t *testing.T) {
	_, c := openSQLiteFile(t)
	for statement, want := range map[string]Class{
		"SELECT * FROM nowhere":           Missing,
		"SELECT absent FROM t":            Missing,
		"INSERT INTO t (zz) VALUES (1)":   Missing,
		"SELEKT 1":                        Syntax,
		"SELECT (":                        Syntax,
		"INSERT INTO t (id) VALUES (1)":   Data,
		"INSERT INTO t (id) VALUES ('x')": Data,
	} {
		_, err := c.Exec(t.Context(), statement)
		if err == nil {
			t.Errorf("%s: no error", statement)
			continue
		}
		if got := c.Classify(err); got != want {
			t.Errorf("%s: %v is of class %d, want %d", statement, err, got, want)
		}
	}
}
