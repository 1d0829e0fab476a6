package dialect

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"kconnect/connect/data"
)

// Loader inserts rows into MariaDB or MySQL by LOAD DATA LOCAL INFILE, which
// takes less of the server's time than INSERT. It belongs to one goroutine.
//
// With LOCAL the server skips or changes rows that INSERT refuses and only
// warns. So a load counts when every row came in without a warning, and is
// taken back otherwise: the caller then inserts the rows, which gives the
// right result or the right error.
type Loader struct {
	name string // under which the driver finds the rows
	text []byte // of the rows
	left []byte // to be sent
	rows int
}

// NewLoader returns a loader for connections to t. Close it when done.
func NewLoader(t Target) (*Loader, error) {
	if t.Name() != MySQLName {
		return nil, fmt.Errorf("LOAD DATA is for MariaDB and MySQL, not for %s", t.Name())
	}
	l := &Loader{name: "kconnect-" + rand.Text()}
	mysql.RegisterReaderHandler(l.name, func() io.Reader { return l })
	return l, nil
}

// Close gives the driver's name back.
func (l *Loader) Close() { mysql.DeregisterReaderHandler(l.name) }

// Read hands the rows to the driver.
func (l *Loader) Read(p []byte) (int, error) {
	if len(l.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.left)
	l.left = l.left[n:]
	return n, nil
}

// Reset empties the loader for the next rows.
func (l *Loader) Reset() { l.text, l.rows = l.text[:0], 0 }

// Bytes returns how many bytes the rows take.
func (l *Loader) Bytes() int { return len(l.text) }

// Add appends a row of arguments.
func (l *Loader) Add(values []driver.NamedValue) error {
	for i := range values {
		if i > 0 {
			l.text = append(l.text, '\t')
		}
		switch v := values[i].Value.(type) {
		case nil:
			l.text = append(l.text, `\N`...)
		case int64:
			l.text = strconv.AppendInt(l.text, v, 10)
		case float64:
			l.text = strconv.AppendFloat(l.text, v, 'g', -1, 64)
		case string:
			l.text = appendEscaped(l.text, v)
		default:
			return fmt.Errorf("LOAD DATA has no form for a %T", v)
		}
	}
	l.text = append(l.text, '\n')
	l.rows++
	return nil
}

// appendEscaped appends a text of which no byte ends a field or a line.
func appendEscaped(dst []byte, s string) []byte {
	for {
		i := strings.IndexAny(s, "\\\t\n\x00")
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(append(dst, s[:i]...), '\\')
		switch s[i] {
		case '\t':
			dst = append(dst, 't')
		case '\n':
			dst = append(dst, 'n')
		case 0:
			dst = append(dst, '0')
		default:
			dst = append(dst, s[i])
		}
		s = s[i+1:]
	}
}

// Load sends the rows into columns of a table, within the open transaction. It
// reports false, and nothing of them is in the table, when the server has
// something to say against one of them.
func (l *Loader) Load(ctx context.Context, c *Conn, id TableID, columns []string) (bool, error) {
	const place = "rows_of_load"
	if _, err := c.Exec(ctx, "SAVEPOINT "+place); err != nil {
		return false, err
	}
	l.left = l.text
	// Hexadecimal characters mean the same in every sql_mode.
	n, err := c.Exec(ctx, "LOAD DATA LOCAL INFILE 'Reader::"+l.name+"' INTO TABLE "+id.SQL(c)+
		" CHARACTER SET utf8mb4 FIELDS TERMINATED BY 0x09 ESCAPED BY 0x5c LINES TERMINATED BY 0x0a ("+quoted(c, columns)+")")
	if err != nil {
		return false, err
	}
	warnings, err := c.Texts(ctx, "SELECT @@warning_count")
	if err != nil {
		return false, err
	}
	if n == int64(l.rows) && len(warnings) == 1 && warnings[0][0] == "0" {
		return true, nil
	}
	_, err = c.Exec(ctx, "ROLLBACK TO SAVEPOINT "+place)
	return false, err
}

// loaded are the column types for which text means what an argument of INSERT
// means. BIT, for one, takes the character code of a 1.
var loaded = map[string]bool{
	"tinyint": true, "smallint": true, "mediumint": true, "int": true, "bigint": true, "decimal": true, "float": true, "double": true,
	"char": true, "varchar": true, "tinytext": true, "text": true, "mediumtext": true, "longtext": true,
	"date": true, "time": true, "datetime": true, "timestamp": true,
}

// Loads reports whether values of a schema can be loaded into a column with
// the same result as INSERT's.
func Loads(c *TableColumn, s *data.Schema) bool {
	typ := c.Type
	if i := strings.IndexAny(typ, "( "); i >= 0 {
		typ = typ[:i]
	}
	if !loaded[typ] {
		return false
	}
	switch s.Type() {
	case data.Float32, data.Float64: // as text or decimal the server writes its own digits
		return typ == "float" || typ == "double"
	case data.Bytes:
		return s.Name() == data.DecimalName
	case data.Int8, data.Int16, data.Int32, data.Int64, data.Boolean, data.String:
		return true
	case data.Array, data.MapType, data.StructType:
	}
	return false
}

// TakesBack reports whether rows of a table can be taken back, which a load
// needs: those of MyISAM, Aria and the like cannot.
func (l *Loader) TakesBack(ctx context.Context, c *Conn, t *Table) (bool, error) {
	rows, err := c.Texts(ctx, "SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?", t.ID.Catalog, t.ID.Name)
	if err != nil {
		return false, errors.Join(errors.New("asking for the engine of table "+t.ID.Text()), err)
	}
	return len(rows) == 1 && strings.EqualFold(rows[0][0], "InnoDB"), nil
}
