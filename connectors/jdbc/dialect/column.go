package dialect

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Field is one column of a result set as the driver describes it.
type Field struct {
	Name      string // the label
	Table     string // the table's alias, empty for expressions and where the driver does not say
	Type      string // the driver's type name, in upper case
	Length    int    // of the type as declared, in the type's own unit
	Precision int    // of decimals
	Scale     int    // of decimals; of times the digits of the fraction
	Unsigned  bool
	Nullable  bool // also when the driver does not know
	// Element is what a PostgreSQL array holds, nil for all else.
	Element *Field
	// First is the column's value in the first row, which decides the type of
	// SQLite columns that were declared without one.
	First driver.Value
}

// Reader turns a driver's value, which is not null, into a value of the
// column's schema. What it keeps of v it copies into b. The result may be null
// for what the database shows as a zero date.
type Reader func(v driver.Value, b *connect.SourceBatch) (data.Value, error)

// Column is how one column of a result set is read.
type Column struct {
	Schema *data.Schema
	Read   Reader // nil when the column's type has no counterpart
	// Instant reads the column as a timestamp in full resolution, for columns
	// that may be timestamp columns of an incremental mode; nil for others.
	Instant func(v driver.Value) (Timestamp, error)
}

// ColumnOptions are the settings of a connector that change how columns are read.
type ColumnOptions struct {
	Zone        *Zone // db.timezone
	Proleptic   bool  // date.calendar.system=PROLEPTIC_GREGORIAN
	Granularity Granularity
	Numeric     NumericMapping
	// Native reads columns of PostgreSQL that Java leaves out: arrays as arrays,
	// all others as the texts that the server shows.
	Native bool
	// Wide is asked whether a column was found to need 64 bits (D23). nil: none was.
	Wide func(column string) bool
	// Changed is told, once for each column of a result set, that a value was
	// changed in the way that recorded Java behaviour demands. nil ignores it.
	Changed func(column, how string)
}

func (o *ColumnOptions) wide(column string) bool { return o.Wide != nil && o.Wide(column) }

// NumericMapping is what numeric.mapping makes of NUMERIC columns.
type NumericMapping uint8

// The values of numeric.mapping.
const (
	NumericNone NumericMapping = iota
	NumericPrecisionOnly
	NumericBestFit
	NumericBestFitEagerDouble
)

// OutOfRangeError says that a value needs a wider type than its column has so
// far; the column has to be described again with ColumnOptions.Wide.
type OutOfRangeError struct{ Column string }

func (e *OutOfRangeError) Error() string {
	return fmt.Sprintf("value of column %s needs 64 bits", e.Column)
}

// primitive returns the shared schema of a type without attributes.
func primitive(t data.Type, optional bool) *data.Schema {
	switch t {
	case data.Int8:
		return pick(optional, data.OptionalInt8Schema, data.Int8Schema)
	case data.Int16:
		return pick(optional, data.OptionalInt16Schema, data.Int16Schema)
	case data.Int32:
		return pick(optional, data.OptionalInt32Schema, data.Int32Schema)
	case data.Int64:
		return pick(optional, data.OptionalInt64Schema, data.Int64Schema)
	case data.Float32:
		return pick(optional, data.OptionalFloat32Schema, data.Float32Schema)
	case data.Float64:
		return pick(optional, data.OptionalFloat64Schema, data.Float64Schema)
	case data.Boolean:
		return pick(optional, data.OptionalBooleanSchema, data.BooleanSchema)
	case data.String:
		return pick(optional, data.OptionalStringSchema, data.StringSchema)
	case data.Bytes:
		return pick(optional, data.OptionalBytesSchema, data.BytesSchema)
	}
	panic(fmt.Sprintf("dialect: type %s is not primitive", t))
}

func pick(optional bool, opt, req *data.Schema) *data.Schema {
	if optional {
		return opt
	}
	return req
}

// readError is the error of a value that a column cannot hold.
func readError(f *Field, v driver.Value) error {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	return connect.NewDataError(fmt.Sprintf("column %s of type %s cannot be read: %v is not a value of this type", f.Name, f.Type, v), nil)
}

// integer returns a column of an integer type. Values outside it are errors.
func integer(f Field, t data.Type) Column {
	var of func(int64) data.Value
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch t {
	case data.Int8:
		of, low, high = func(i int64) data.Value { return data.Int8Of(int8(i)) }, math.MinInt8, math.MaxInt8
	case data.Int16:
		of, low, high = func(i int64) data.Value { return data.Int16Of(int16(i)) }, math.MinInt16, math.MaxInt16
	case data.Int32:
		of, low, high = func(i int64) data.Value { return data.Int32Of(int32(i)) }, math.MinInt32, math.MaxInt32
	default:
		of = data.Int64Of
	}
	read := func(v driver.Value, _ *connect.SourceBatch) (data.Value, error) {
		i, ok := v.(int64)
		if !ok || i < low || i > high {
			return data.Null, readError(&f, v)
		}
		return of(i), nil
	}
	return Column{Schema: primitive(t, f.Nullable), Read: read}
}

// text returns a column of strings. Bytes are the driver's buffer and are copied.
func text(f Field) Column {
	return Column{Schema: primitive(data.String, f.Nullable), Read: func(v driver.Value, b *connect.SourceBatch) (data.Value, error) {
		switch v := v.(type) {
		case []byte:
			return data.TextOf(b.Copy(v)), nil
		case string:
			b.Grew(len(v))
			return data.StringOf(v), nil
		}
		return data.Null, readError(&f, v)
	}}
}

// bytes returns a column of bytes.
func bytes(f Field) Column {
	return Column{Schema: primitive(data.Bytes, f.Nullable), Read: func(v driver.Value, b *connect.SourceBatch) (data.Value, error) {
		switch v := v.(type) {
		case []byte:
			return data.BytesOf(b.Copy(v)), nil
		case string:
			b.Grew(len(v))
			return data.BytesOf([]byte(v)), nil
		}
		return data.Null, readError(&f, v)
	}}
}

// precisionParam is the schema parameter that holds a decimal column's precision.
const precisionParam = "connect.decimal.precision"

func decimalSchema(f Field) *data.Schema {
	return data.NewDecimalBuilder(int32(f.Scale)).Param(precisionParam, strconv.Itoa(f.Precision)).
		SetOptional(f.Nullable).MustBuild()
}

// decimalOf brings a number to the scale of its column. More digits than the
// column has are an error, not a rounding (Promise 3).
func decimalOf[T string | []byte](f *Field, s T) (data.Value, error) {
	d, ok := data.ParseDecimal(s)
	if !ok {
		return data.Null, readError(f, string(s))
	}
	d, ok = rescale(d, int32(f.Scale))
	if !ok {
		return data.Null, connect.NewDataError(fmt.Sprintf("column %s: %s has more than the %d decimal places of its type %s",
			f.Name, string(s), f.Scale, f.Type), nil)
	}
	return data.DecimalOf(d), nil
}
