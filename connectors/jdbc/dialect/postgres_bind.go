package dialect

import (
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Bind implements Target. Values travel in the types that Java's driver
// declares them as, so that the server takes and refuses the same ones (golden
// jdbc-sink/evolve-type-change-not-followed). Temporal values, to which that
// driver gives no type, travel in the column's or as a text cast to it.
func (d *postgreSQL) Bind(field string, s *data.Schema, c *TableColumn, o BindOptions) Bound {
	b := Bound{Name: c.Name, Element: pgtype.VarcharOID}
	column := baseType(c.Type)
	switch {
	case temporal(field, s, &o):
		d.bindTemporal(&b, field, s, column, &o)
		return b
	case s.Type() == data.Array:
		b.Bind, b.cast = bindArray(s)
		return b
	case s.Name() == data.DecimalName:
		b.Bind, b.cast = bindKind(data.KindDecimal, s, func(v data.Value, a *Args) {
			start := len(a.text)
			a.text = appendPlain(a.text, v.Decimal())
			a.formatted(start)
		}), "numeric"
	default:
		b.Bind, b.Element = postgresScalar(s)
	}
	switch {
	case c.Type == "json" || c.Type == "jsonb" || c.Type == "uuid":
		b.cast, b.setOnly = c.Type, !d.untypedStrings
	case d.untypedStrings && s.Type() == data.String && !textType(column):
		b.cast = column
	}
	return b
}

// baseType returns a type as the server writes it without its length or
// precision, to which a cast would silently cut; the column still checks them.
func baseType(t string) string {
	if open := strings.IndexByte(t, '('); open >= 0 {
		if closing := strings.IndexByte(t[open:], ')'); closing > 0 {
			t = t[:open] + t[open+closing+1:]
		}
	}
	switch t {
	case "bit":
		return "bit varying"
	case "character":
		return "bpchar"
	}
	return t
}

// textType reports whether a column takes texts without a cast.
func textType(column string) bool {
	switch column {
	case "text", "character varying", "bpchar", "":
		return true
	}
	return false
}

// bindKind binds values of one kind.
func bindKind(k data.Kind, s *data.Schema, bind func(data.Value, *Args)) Binder {
	return func(v data.Value, a *Args) error {
		if v.Kind() != k {
			return unsupported(s)
		}
		bind(v, a)
		return nil
	}
}

func bindInt(v data.Value, a *Args) { a.Int(v.Int()) }

func postgresScalar(s *data.Schema) (Binder, ElementType) {
	switch s.Type() {
	case data.Int8:
		return bindKind(data.KindInt8, s, bindInt), pgtype.Int2OID
	case data.Int16:
		return bindKind(data.KindInt16, s, bindInt), pgtype.Int2OID
	case data.Int32:
		return bindKind(data.KindInt32, s, bindInt), pgtype.Int4OID
	case data.Int64:
		return bindKind(data.KindInt64, s, bindInt), pgtype.Int8OID
	case data.Float32:
		return bindKind(data.KindFloat32, s, func(v data.Value, a *Args) { a.Float(float64(v.Float32())) }), pgtype.Float4OID
	case data.Float64:
		return bindKind(data.KindFloat64, s, func(v data.Value, a *Args) { a.Float(v.Float64()) }), pgtype.Float8OID
	case data.Boolean:
		return bindKind(data.KindBool, s, func(v data.Value, a *Args) {
			if v.Bool() {
				a.Int(1)
			} else {
				a.Int(0)
			}
		}), pgtype.BoolOID
	case data.String:
		return bindKind(data.KindString, s, func(v data.Value, a *Args) { a.Text(v.Str()) }), pgtype.VarcharOID
	case data.Bytes:
		return bindKind(data.KindBytes, s, func(v data.Value, a *Args) { a.Blob(v.Bytes()) }), pgtype.ByteaOID
	case data.Array, data.MapType, data.StructType:
	}
	return func(data.Value, *Args) error { return unsupported(s) }, pgtype.VarcharOID
}

// bindArray binds arrays as literals, cast to the type in which Java's driver
// sends them.
func bindArray(s *data.Schema) (Binder, string) {
	element := s.Elem()
	var cast string
	switch element.Type() {
	case data.Int8, data.Int16:
		cast = "int2[]"
	case data.Int32:
		cast = "int4[]"
	case data.Int64:
		cast = "int8[]"
	case data.Float32:
		cast = "float4[]"
	case data.Float64:
		cast = "float8[]"
	case data.Boolean:
		cast = "bool[]"
	case data.String:
		cast = "varchar[]"
	case data.Bytes, data.Array, data.MapType, data.StructType:
		return func(data.Value, *Args) error { return unsupported(s) }, ""
	}
	return func(v data.Value, a *Args) error {
		if v.Kind() != data.KindArray {
			return unsupported(s)
		}
		start := len(a.text)
		a.text = append(a.text, '{')
		for i, e := range v.Array() {
			if i > 0 {
				a.text = append(a.text, ',')
			}
			var ok bool
			if a.text, ok = appendElement(a.text, e); !ok {
				return unsupported(element)
			}
		}
		a.text = append(a.text, '}')
		a.formatted(start)
		return nil
	}, cast
}

// appendElement appends an element of an array literal.
func appendElement(dst []byte, v data.Value) ([]byte, bool) {
	switch v.Kind() {
	case data.KindNull:
		return append(dst, "NULL"...), true
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return strconv.AppendInt(dst, v.Int(), 10), true
	case data.KindFloat32:
		f := v.Float32()
		if f64 := float64(f); math.IsInf(f64, 0) || math.IsNaN(f64) {
			return appendPgFloat(dst, f64), true
		}
		return strconv.AppendFloat(dst, float64(f), 'g', -1, 32), true
	case data.KindFloat64:
		return appendPgFloat(dst, v.Float64()), true
	case data.KindBool:
		return strconv.AppendBool(dst, v.Bool()), true
	case data.KindString:
		dst = append(dst, '"')
		for _, c := range []byte(v.Str()) {
			if c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		}
		return append(dst, '"'), true
	default:
		return dst, false
	}
}

// bindTemporal binds a Date, Time, Timestamp or field of timestamp.fields.list.
func (d *postgreSQL) bindTemporal(b *Bound, field string, s *data.Schema, column string, o *BindOptions) {
	read := func(v data.Value) (Timestamp, error) {
		if v.Kind() != data.KindInstant {
			return Timestamp{}, unsupported(s)
		}
		return TimestampOf(v.Instant()), nil
	}
	if o.timestampField(field, s) {
		read = func(v data.Value) (Timestamp, error) { return fieldTimestamp(v, o) }
	}
	zone, literal := o.Zone, appendPgTimestamp
	number := map[string]func(Timestamp) int64{
		"timestamp without time zone": func(t Timestamp) int64 { return pgMicros(zone.Wall(t.Seconds), t.Nanos, o.Proleptic) },
		"timestamp with time zone": func(t Timestamp) int64 {
			offset := zone.Offset(t.Seconds)
			return pgMicros(t.Seconds+offset, t.Nanos, o.Proleptic) - offset*1_000_000
		},
	}[column]
	b.Element = map[string]ElementType{
		"timestamp without time zone": pgtype.TimestampOID, "timestamp with time zone": pgtype.TimestamptzOID,
		"date": pgtype.DateOID, "time without time zone": pgtype.TimeOID,
	}[column]
	switch {
	case o.timestampField(field, s) || s.Name() == data.TimestampName:
	case s.Name() == data.DateName:
		zone, literal, number = o.DateZone, appendPgDate, nil
		if column == "date" {
			number = func(t Timestamp) int64 { return pgDay(floorDiv(zone.Wall(t.Seconds), 86400), o.Proleptic) - pgEpochDay }
		}
	case s.Name() == data.TimeName:
		literal, number = appendPgTime, nil
		if column == "time without time zone" {
			number = func(t Timestamp) int64 { return floorMod(zone.Wall(t.Seconds), 86400)*1_000_000 + int64(t.Nanos/1000) }
		}
	}
	if number == nil {
		b.Element = pgtype.VarcharOID
		if !textType(column) {
			b.cast = column
		}
		b.Bind = func(v data.Value, a *Args) error {
			t, err := read(v)
			if err != nil {
				return err
			}
			start := len(a.text)
			a.text = literal(a.text, t, zone, o.Proleptic)
			a.formatted(start)
			return nil
		}
		return
	}
	b.Bind = func(v data.Value, a *Args) error {
		t, err := read(v)
		if err != nil {
			return err
		}
		const farthest = 9e12 // seconds, beyond which microseconds overflow and the server has no years
		switch {
		case t == pgInfinity && b.Element != pgtype.TimeOID:
			a.Int(infinite(b.Element, 1))
		case t == pgMinusInfinity && b.Element != pgtype.TimeOID:
			a.Int(infinite(b.Element, -1))
		case t.Seconds > farthest || t.Seconds < -farthest:
			return connect.NewDataError("A time "+strconv.FormatInt(t.Seconds, 10)+" s from 1970 cannot be stored: the database has the years 4713 BC to 294276", nil)
		default:
			a.Int(number(t))
		}
		return nil
	}
}
