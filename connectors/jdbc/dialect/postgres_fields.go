package dialect

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// pgType is a type of the server.
type pgType struct {
	name    string
	binary  bool   // read in binary form, which is exact and cheaper than a text; otherwise as a text
	element uint32 // of an array
}

// pgTypes are the built-in types that have a counterpart in records.
var pgTypes = map[uint32]pgType{
	pgtype.BoolOID: {name: "BOOL", binary: true}, pgtype.Int2OID: {name: "INT2", binary: true}, pgtype.Int4OID: {name: "INT4", binary: true}, pgtype.Int8OID: {name: "INT8", binary: true},
	pgtype.OIDOID: {name: "OID", binary: true}, pgtype.Float4OID: {name: "FLOAT4", binary: true}, pgtype.Float8OID: {name: "FLOAT8", binary: true},
	pgtype.NumericOID: {name: "NUMERIC"}, 790: {name: "MONEY"}, pgtype.BitOID: {name: "BIT"},
	pgtype.ByteaOID: {name: "BYTEA", binary: true}, pgtype.UUIDOID: {name: "UUID", binary: true},
	pgtype.TextOID: {name: "TEXT"}, pgtype.VarcharOID: {name: "VARCHAR"}, pgtype.BPCharOID: {name: "BPCHAR"},
	pgtype.NameOID: {name: "NAME"}, pgtype.QCharOID: {name: "CHAR"},
	pgtype.JSONOID: {name: "JSON"}, pgtype.JSONBOID: {name: "JSONB"}, pgtype.XMLOID: {name: "XML"},
	pgtype.DateOID: {name: "DATE", binary: true}, pgtype.TimeOID: {name: "TIME", binary: true}, pgtype.TimetzOID: {name: "TIMETZ", binary: true},
	pgtype.TimestampOID: {name: "TIMESTAMP", binary: true}, pgtype.TimestamptzOID: {name: "TIMESTAMPTZ", binary: true},
}

// The names of all enumerations and of all arrays here.
const (
	enumType  = "ENUM"
	arrayType = "ARRAY"
)

// columnsQuery asks for the tables' columns that a result set has.
const columnsQuery = "SELECT a.attrelid, a.attnum, c.relname, a.attnotnull OR t.typtype = 'd' AND t.typnotnull" +
	" FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_type t ON t.oid = a.atttypid" +
	" WHERE a.attrelid = ANY ($1) AND a.attnum > 0"

// describe fills in fields and formats of a result set that is not open yet.
func (c *pgConn) describe(ctx context.Context, r *pgRows) error {
	origin, err := c.origins(ctx, r.stmt.Fields)
	if err != nil {
		return fmt.Errorf("describing the columns of a result set: %w", err)
	}
	if err := c.learnTypes(ctx, r.stmt.Fields); err != nil {
		return fmt.Errorf("describing the types of a result set: %w", err)
	}
	r.fields, r.formats = make([]Field, len(r.stmt.Fields)), make([]int16, len(r.stmt.Fields))
	for i := range r.stmt.Fields {
		fd := &r.stmt.Fields[i]
		f := c.fieldOf(fd.DataTypeOID, int(fd.TypeModifier))
		if f.Name = fd.Name; c.typeOf(fd.DataTypeOID).binary {
			r.formats[i] = pgtype.BinaryFormatCode
		}
		if o, ok := origin[pgColumn{fd.TableOID, fd.TableAttributeNumber}]; ok {
			f.Table, f.Nullable = o.table, !o.notNull
		}
		r.fields[i] = f
	}
	return nil
}

// fieldOf describes a type with its modifier, -1 for none.
func (c *pgConn) fieldOf(oid uint32, modifier int) Field {
	t := c.typeOf(oid)
	f := Field{Type: t.name, Nullable: true}
	if t.element != 0 {
		element := c.fieldOf(t.element, modifier)
		f.Element = &element
		return f
	}
	if modifier < 0 {
		return f
	}
	switch t.name {
	case "NUMERIC": // a scale below 0 wraps, as in Java's driver (spec jdbc-source-types, "Negative scale")
		f.Precision, f.Scale = (modifier-4)>>16&0xffff, (modifier-4)&0x7ff
	case "BIT":
		f.Length = modifier
	case "VARCHAR", "BPCHAR":
		f.Length = modifier - 4
	}
	return f
}

// pgColumn is a column of a table.
type pgColumn struct {
	table  uint32
	number uint16
}

type pgOrigin struct {
	table   string
	notNull bool
}

// origins returns what the tables say about the columns that come from one.
func (c *pgConn) origins(ctx context.Context, fields []pgconn.FieldDescription) (map[pgColumn]pgOrigin, error) {
	tables := map[uint32]bool{}
	for i := range fields {
		if oid := fields[i].TableOID; oid != 0 {
			tables[oid] = true
		}
	}
	if len(tables) == 0 {
		return nil, nil
	}
	if c.columns == nil {
		// It has a name, because the statement without one waits to be executed.
		stmt, err := c.pc.Prepare(ctx, "kconnect_columns", columnsQuery, []uint32{pgtype.OIDArrayOID})
		if err != nil {
			return nil, err
		}
		c.columns = stmt
	}
	found := map[pgColumn]pgOrigin{}
	err := c.lookUp(ctx, c.columns.Name, tables, func(row [][]byte) {
		number, _ := strconv.ParseUint(string(row[1]), 10, 16)
		found[pgColumn{parseOID(row[0]), uint16(number)}] = pgOrigin{string(row[2]), row[3][0] == 't'}
	})
	return found, err
}

const typesQuery = "SELECT oid, typtype, upper(typname), CASE WHEN typcategory = 'A' THEN typelem ELSE 0 END FROM pg_catalog.pg_type WHERE oid = ANY ($1)"

// learnTypes asks for types that are not built in, and for the elements of
// arrays. They are remembered: a type that is dropped takes its number with it.
func (c *pgConn) learnTypes(ctx context.Context, fields []pgconn.FieldDescription) error {
	unknown := map[uint32]bool{}
	for i := range fields {
		if oid := fields[i].DataTypeOID; c.typeOf(oid).name == "" {
			unknown[oid] = true
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	stmt, err := c.pc.Prepare(ctx, "kconnect_types", typesQuery, []uint32{pgtype.OIDArrayOID})
	if err != nil {
		return err
	}
	if c.types == nil {
		c.types = map[uint32]pgType{}
	}
	for _, arrays := range []bool{true, false} {
		var learned []uint32
		if err := c.lookUp(ctx, stmt.Name, unknown, func(row [][]byte) {
			oid := parseOID(row[0])
			t := pgType{name: "other " + string(row[2]), element: parseOID(row[3])} // never a name that Column knows
			switch {
			case row[1][0] == 'e':
				t.name = enumType
			case t.element != 0 && arrays:
				t.name = arrayType
			default:
				t.element = 0
			}
			c.types[oid] = t
			learned = append(learned, oid)
		}); err != nil {
			return err
		}
		clear(unknown)
		for _, oid := range learned {
			if e := c.types[oid].element; e != 0 && c.typeOf(e).name == "" {
				unknown[e] = true
			}
		}
		if len(unknown) == 0 {
			break
		}
	}
	for oid, t := range c.types { // an array has the form of its elements
		t.binary = t.element != 0 && c.typeOf(t.element).binary
		c.types[oid] = t
	}
	return c.pc.Deallocate(ctx, stmt.Name)
}

func (c *pgConn) typeOf(oid uint32) pgType {
	if t, ok := pgTypes[oid]; ok {
		return t
	}
	return c.types[oid]
}

// lookUp runs a prepared statement whose one argument is a list of oids.
func (c *pgConn) lookUp(ctx context.Context, name string, oids map[uint32]bool, each func(row [][]byte)) error {
	list := make([]string, 0, len(oids))
	for oid := range oids {
		list = append(list, strconv.FormatUint(uint64(oid), 10))
	}
	r := c.pc.ExecPrepared(ctx, name, [][]byte{[]byte("{" + strings.Join(list, ",") + "}")}, nil, nil)
	for r.NextRow() {
		each(r.Values())
	}
	_, err := r.Close()
	return pgError(err)
}

func parseOID(text []byte) uint32 {
	n, _ := strconv.ParseUint(string(text), 10, 32) // the server's own digits
	return uint32(n)
}

// Fields returns what was asked about a result set of Conn.Query before its
// rows came.
func (d *postgreSQL) Fields(_ context.Context, _ *Conn, rows driver.Rows, _ TableID) ([]Field, error) {
	r, ok := rows.(*pgRows)
	if !ok || r.fields == nil {
		return nil, fmt.Errorf("a %T of texts has no fields: use Conn.Query", rows)
	}
	return r.fields, nil
}
