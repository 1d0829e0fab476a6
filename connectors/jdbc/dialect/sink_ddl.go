package dialect

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
)

// CreateTable returns the statement that makes a table, with the line breaks
// of Java's (spec jdbc-sink.md, section 5).
func CreateTable(t Target, id TableID, columns []NewColumn, o BindOptions) (string, error) {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + id.SQL(t) + " (\n")
	var keys []string
	for i, c := range columns {
		if i > 0 {
			b.WriteString(",\n")
		}
		spec, err := columnSpec(t, c, o)
		if err != nil {
			return "", err
		}
		b.WriteString(spec)
		if c.Key {
			keys = append(keys, c.Name)
		}
	}
	if len(keys) > 0 {
		b.WriteString(",\nPRIMARY KEY(" + quoted(t, keys) + ")")
	}
	b.WriteString(")")
	return b.String(), nil
}

func columnSpec(t Target, c NewColumn, o BindOptions) (string, error) {
	typ, err := t.ColumnType(c, o)
	if err != nil {
		return "", ofField(err, c.Name)
	}
	spec := t.Quote(c.Name) + " " + typ
	if v, ok := c.Schema.Default(); ok && !v.IsNull() {
		text, err := literal(t, c, v, o)
		if err != nil {
			return "", err
		}
		return spec + " DEFAULT " + text, nil
	}
	if c.Optional {
		return spec + " NULL", nil
	}
	return spec + " NOT NULL", nil
}

// literal returns a default value as SQL.
func literal(t Target, c NewColumn, v data.Value, o BindOptions) (string, error) {
	switch v.Kind() {
	case data.KindBool:
		if _, postgres := t.(*postgreSQL); postgres {
			return strings.ToUpper(strconv.FormatBool(v.Bool())), nil
		}
		if v.Bool() {
			return "1", nil
		}
		return "0", nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		if o.timestampField(c.Name, c.Schema) {
			break
		}
		return strconv.FormatInt(v.Int(), 10), nil
	case data.KindFloat32:
		return floatLiteral(c, float64(v.Float32()), 32)
	case data.KindFloat64:
		return floatLiteral(c, v.Float64(), 64)
	case data.KindBytes:
		if _, postgres := t.(*postgreSQL); postgres { // D9: Java's x'0102' is a bit string there
			return `'\x` + hex.EncodeToString(v.Bytes()) + `'::bytea`, nil
		}
		return "x'" + hex.EncodeToString(v.Bytes()) + "'", nil
	case data.KindDecimal:
		return string(appendPlain(nil, v.Decimal())), nil
	case data.KindString:
		if o.timestampField(c.Name, c.Schema) {
			break
		}
		return stringLiteral(t, v.Str()), nil
	case data.KindInstant:
	default:
		return "", unsupported(c.Schema)
	}
	text, err := temporalFormat(c.Name, c.Schema, o)(nil, v)
	if err != nil {
		return "", err
	}
	return "'" + string(text) + "'", nil
}

func floatLiteral(c NewColumn, f float64, bits int) (string, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", connect.NewError(fmt.Sprintf("The default %v of field '%s' cannot stand in a CREATE TABLE or ALTER TABLE", f, c.Name), nil)
	}
	// Java's text, because databases show the default of a column as it was given.
	if bits == 32 {
		return string(data.AppendFloat32(nil, float32(f))), nil
	}
	return string(data.AppendFloat64(nil, f)), nil
}

// stringLiteral escapes what Java pastes as it is (D2).
func stringLiteral(t Target, s string) string {
	if _, mysql := t.(*mySQL); mysql {
		s = strings.ReplaceAll(s, `\`, `\\`) // the server's escape character
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// noType is the error of a schema without a column type in this dialect. Where
// arrays have one, it is about their elements.
func noType(t Target, s *data.Schema) error {
	if _, postgres := t.(*postgreSQL); postgres {
		for s.Type() == data.Array {
			s = s.Elem()
		}
	}
	name := "null"
	if s.HasName() {
		name = s.Name()
	}
	return connect.NewError(name+" ("+s.Type().String()+") type doesn't have a mapping to the SQL database column type",
		connect.NewError("leave the field out by fields.whitelist, or turn it into columns or text by a transformation such as Flatten", nil))
}

// unsupported is the error of a value that no argument can hold.
func unsupported(s *data.Schema) error {
	return &connect.Error{Kind: connect.Data, Message: "Unsupported source data type: " + s.Type().String(),
		Cause: connect.NewError("leave the field out by fields.whitelist, or turn it into columns or text by a transformation such as Flatten", nil)}
}

// ColumnType implements Target (spec jdbc-sink.md, section 5).
func (d *mySQL) ColumnType(c NewColumn, o BindOptions) (string, error) {
	if o.timestampField(c.Name, c.Schema) {
		return "DATETIME(6)", nil
	}
	switch c.Schema.Name() {
	case data.DecimalName:
		scale, err := decimalScale(c)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("DECIMAL(65,%d)", scale), nil
	case data.DateName:
		return "DATE", nil
	case data.TimeName:
		return "TIME(3)", nil
	case data.TimestampName:
		return "DATETIME(3)", nil
	}
	switch c.Schema.Type() {
	case data.Int8, data.Boolean:
		return "TINYINT", nil
	case data.Int16:
		return "SMALLINT", nil
	case data.Int32:
		return "INT", nil
	case data.Int64:
		return "BIGINT", nil
	case data.Float32:
		return "FLOAT", nil
	case data.Float64:
		return "DOUBLE", nil
	case data.String:
		if c.Key { // D8: the server refuses TEXT in a key
			return "VARCHAR(255)", nil
		}
		return "TEXT", nil
	case data.Bytes:
		return "VARBINARY(1024)", nil
	case data.Array, data.MapType, data.StructType:
	}
	return "", noType(d, c.Schema)
}

// ofField names the field in the remedy of an error whose message is Java's,
// which does not.
func ofField(err error, name string) error {
	e, ok := errors.AsType[*connect.Error](err)
	if !ok || e.Remedy != "" {
		return err
	}
	named := *e
	named.Remedy = "the field is '" + name + "'"
	return &named
}

// decimalScale returns the scale of a Decimal column. Without the parameter
// Java ends in a null pointer (D9).
func decimalScale(c NewColumn) (int, error) {
	text, ok := c.Schema.Param(data.DecimalScale)
	scale, err := strconv.Atoi(text)
	if !ok || err != nil {
		return 0, connect.NewError("Field '"+c.Name+"' is a Decimal whose schema has no integer parameter scale",
			connect.NewError("make the producer set the parameter, or create the column by hand", nil))
	}
	return scale, nil
}

// ColumnType implements Target (spec jdbc-sink.md, section 5).
func (d *sqLite) ColumnType(c NewColumn, o BindOptions) (string, error) {
	if o.timestampField(c.Name, c.Schema) {
		return "NUMERIC", nil
	}
	switch c.Schema.Name() {
	case data.DecimalName, data.DateName, data.TimeName, data.TimestampName:
		return "NUMERIC", nil
	}
	switch c.Schema.Type() {
	case data.Boolean, data.Int8, data.Int16, data.Int32, data.Int64:
		return "INTEGER", nil
	case data.Float32, data.Float64:
		return "REAL", nil
	case data.String:
		return "TEXT", nil
	case data.Bytes:
		return "BLOB", nil
	case data.Array, data.MapType, data.StructType:
	}
	return "", noType(d, c.Schema)
}

// AddColumns implements Target.
func (d *mySQL) AddColumns(id TableID, columns []NewColumn, o BindOptions) ([]string, error) {
	return addTogether(d, id, columns, o)
}

// addTogether returns one statement, with the columns in the order given (D13).
func addTogether(d Target, id TableID, columns []NewColumn, o BindOptions) ([]string, error) {
	specs, err := columnSpecs(d, columns, o)
	if err != nil {
		return nil, err
	}
	if len(specs) == 1 {
		return []string{"ALTER TABLE " + id.SQL(d) + " ADD " + specs[0]}, nil
	}
	return []string{"ALTER TABLE " + id.SQL(d) + " \nADD " + strings.Join(specs, ",\nADD ")}, nil
}

// AddColumns implements Target: SQLite adds one column a statement.
func (d *sqLite) AddColumns(id TableID, columns []NewColumn, o BindOptions) ([]string, error) {
	specs, err := columnSpecs(d, columns, o)
	if err != nil {
		return nil, err
	}
	for i, s := range specs {
		specs[i] = "ALTER TABLE " + id.SQL(d) + " ADD " + s
	}
	return specs, nil
}

func columnSpecs(t Target, columns []NewColumn, o BindOptions) ([]string, error) {
	specs := make([]string, len(columns))
	for i, c := range columns {
		var err error
		if specs[i], err = columnSpec(t, c, o); err != nil {
			return nil, err
		}
	}
	return specs, nil
}

// DDLCommits implements Target.
func (d *mySQL) DDLCommits() bool { return true }

// DDLCommits implements Target.
func (d *sqLite) DDLCommits() bool { return false }

func quoted(d Dialect, names []string) string {
	q := slices.Clone(names)
	for i := range q {
		q[i] = d.Quote(q[i])
	}
	return strings.Join(q, ",")
}
