package transform

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

const castPurpose = "cast types"

var castDef = config.NewDef(
	config.Key{Name: "spec", Type: config.List, Required: true, Importance: config.High,
		Validate: config.Func("list of colon-delimited pairs, e.g. foo:bar,abc:xyz", func(_ string, v any) error {
			list, _ := v.([]string)
			_, _, err := parseCasts(list)
			return err
		}),
		Doc: "Types for fields, as field:type, or one type for the whole key or value: int8, int16, int32, int64, float32, float64, boolean or string."},
	replaceNullKey,
)

const (
	castTargets = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]"
	castSources = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"
)

// fieldCast is the new type of one field.
type fieldCast struct {
	name string
	to   data.Type
}

// Cast changes the types of fields, or of a whole key or value, with Java's
// rules for numbers.
type Cast struct {
	side    side
	whole   data.Type // 0: fields
	fields  []fieldCast
	replace bool
	schemas schemaCache
}

var _ connect.Transformation = (*Cast)(nil)

// Configure implements connect.Transformation.
func (t *Cast) Configure(m config.Map) error {
	v, err := parse(castDef, m)
	if err != nil {
		return err
	}
	t.replace = v.Bool("replace.null.with.default")
	t.whole, t.fields, err = parseCasts(v.List("spec"))
	return err
}

// parseCasts reads a spec: the new types of fields, or the one of the whole.
func parseCasts(spec []string) (whole data.Type, fields []fieldCast, err error) {
	if len(spec) == 0 {
		return 0, nil, &config.Error{Key: "spec", Whole: true, Message: "Must specify at least one field to cast."}
	}
	for _, s := range spec {
		parts := strings.Split(strings.TrimRight(s, ":"), ":")
		if len(parts) > 2 {
			return 0, nil, config.Invalid("renames", spec, "Invalid rename mapping: "+s) // Java names the key of another class
		}
		to, err := castType(strings.TrimSpace(parts[len(parts)-1]))
		if err != nil {
			return 0, nil, err
		}
		if len(parts) == 1 {
			whole = to
			continue
		}
		name := strings.TrimSpace(parts[0])
		if i := slices.IndexFunc(fields, func(f fieldCast) bool { return f.name == name }); i >= 0 {
			fields[i].to = to
			continue
		}
		fields = append(fields, fieldCast{name, to})
	}
	if whole != 0 && len(spec) > 1 {
		return 0, nil, &config.Error{Whole: true, Message: "Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec"}
	}
	return whole, fields, nil
}

func castType(text string) (data.Type, error) {
	name := strings.ToUpper(text)
	for to := data.Int8; to <= data.StructType; to++ {
		if to.String() != name {
			continue
		}
		if to.Primitive() && to != data.Bytes {
			return to, nil
		}
		return 0, &config.Error{Whole: true, Message: "Cast transformation does not support casting to " + name + "; supported types are " + castTargets}
	}
	return 0, config.Invalid("Invalid type found in casting spec: "+text, "java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type."+name, "")
}

// Apply implements connect.Transformation.
func (t *Cast) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	if value.IsNull() {
		return true, nil
	}
	if schema == nil {
		return true, t.applySchemaless(r, value)
	}
	updated, err := t.schemas.get(schema, t.updated)
	if err != nil {
		return false, err
	}
	if t.whole != 0 {
		v, err := cast(schema, value, t.whole)
		if err != nil {
			return false, err
		}
		t.side.set(r, updated, v)
		return true, nil
	}
	from, err := structOf(value, castPurpose)
	if err != nil {
		return false, err
	}
	to := data.NewStruct(updated)
	for i, f := range from.Schema().Fields() {
		v := withDefault(from.At(i), f.Schema, t.replace)
		if newType := t.typeOf(f.Name); newType != 0 {
			if v, err = cast(f.Schema, v, newType); err != nil {
				return false, err
			}
		}
		at := i
		if fields := updated.Fields(); i >= len(fields) || fields[i].Name != f.Name { // a struct of another schema than the record's
			if at = updated.Field(f.Name); at < 0 {
				return false, connect.NewDataError("field cannot be null.", nil)
			}
		}
		if err := store(to, at, v); err != nil {
			return false, err
		}
	}
	t.side.set(r, updated, data.StructOf(to))
	return true, nil
}

func (t *Cast) applySchemaless(r *connect.Record, value data.Value) error {
	if t.whole != 0 {
		v, err := cast(nil, value, t.whole)
		if err != nil {
			return err
		}
		t.side.set(r, nil, v)
		return nil
	}
	from, err := mapOf(value, castPurpose)
	if err != nil {
		return err
	}
	to := &data.Map{Entries: append([]data.Entry(nil), from.Entries...)}
	for _, f := range t.fields {
		v, _ := from.Get(f.name)
		if v, err = cast(nil, v, f.to); err != nil {
			return err
		}
		to.Put(f.name, v)
	}
	t.side.set(r, nil, data.MapOf(to))
	return nil
}

func (t *Cast) typeOf(field string) data.Type {
	for _, f := range t.fields {
		if f.name == field {
			return f.to
		}
	}
	return 0
}

func (t *Cast) updated(s *data.Schema) (*data.Schema, error) {
	if t.whole != 0 {
		return castSchema(s, data.NewBuilder(t.whole).Like(s), t.whole)
	}
	if s.Type() != data.StructType {
		return nil, connect.NewDataError("Cannot list fields on non-struct type", nil)
	}
	b := data.NewStructBuilder().Like(s).SetOptional(s.Optional())
	for _, f := range s.Fields() {
		field := f.Schema
		if to := t.typeOf(f.Name); to != 0 {
			var err error
			if field, err = castSchema(f.Schema, data.NewBuilder(to), to); err != nil {
				return nil, err
			}
		}
		b.Field(f.Name, field)
	}
	if d, ok := s.Default(); ok && !d.IsNull() {
		return nil, castable(s, d) // Java casts the default struct, too, which fails
	}
	return b.Build()
}

func castSchema(s *data.Schema, b *data.Builder, to data.Type) (*data.Schema, error) {
	b.SetOptional(s.Optional())
	if d, ok := s.Default(); ok {
		v, err := cast(s, d, to)
		if err != nil {
			return nil, err
		}
		b.Default(v)
	}
	return b.Build()
}

// cast converts one value. schema is nil for schemaless data.
func cast(schema *data.Schema, v data.Value, to data.Type) (data.Value, error) {
	if v.IsNull() {
		return v, nil
	}
	if err := castable(schema, v); err != nil {
		return v, err
	}
	if to == data.String {
		return castToString(v)
	}
	if schema != nil {
		var err error
		if v, err = instantBase(schema, v); err != nil {
			return v, err
		}
	}
	switch to { //exhaustive:enforce
	case data.Boolean:
		switch v.Kind() {
		case data.KindBool:
			return v, nil
		case data.KindString:
			return data.BoolOf(strings.EqualFold(v.Str(), "true")), nil
		}
		n, err := castToInt(v, 64)
		return data.BoolOf(n != 0), err
	case data.Int8:
		n, err := castToInt(v, 8)
		return data.Int8Of(int8(n)), err
	case data.Int16:
		n, err := castToInt(v, 16)
		return data.Int16Of(int16(n)), err
	case data.Int32:
		n, err := castToInt(v, 32)
		return data.Int32Of(int32(n)), err
	case data.Int64:
		n, err := castToInt(v, 64)
		return data.Int64Of(n), err
	case data.Float32:
		f, err := castToFloat(v, 32)
		return data.Float32Of(float32(f)), err
	case data.Float64:
		f, err := castToFloat(v, 64)
		return data.Float64Of(f), err
	case data.String, data.Bytes, data.Array, data.MapType, data.StructType:
	}
	return v, connect.NewDataError(to.String()+" is not supported in the Cast transformation.", nil)
}

// castable checks the type that is cast from.
func castable(schema *data.Schema, v data.Value) error {
	var from data.Type
	switch {
	case schema != nil:
		from = schema.Type()
	case v.Kind() == data.KindArray:
		from = data.Array
	case v.Kind() == data.KindMap:
		from = data.MapType
	case v.Kind() == data.KindStruct:
		from = data.StructType
	case v.Kind() == data.KindDecimal, v.Kind() == data.KindBigInt, v.Kind() == data.KindInstant, v.Kind() == data.KindObject:
		return connect.NewDataError("Cast transformation was passed a value of type class "+v.JavaClass()+" which is not supported by Connect's data API", nil)
	default:
		return nil
	}
	if !from.Primitive() {
		return connect.NewDataError("Cast transformation does not support casting from "+from.String()+"; supported types are "+castSources, nil)
	}
	return nil
}

// instantBase returns the number by which a logical type stores an instant,
// and values of other types as they are.
func instantBase(s *data.Schema, v data.Value) (data.Value, error) {
	logical := s.Logical()
	if logical == data.NotLogical || logical == data.LogicalDecimal {
		return v, nil
	}
	if v.Kind() != data.KindInstant {
		return v, wrongClass(v, dateClass)
	}
	switch logical {
	case data.LogicalDate:
		days, err := data.DateFromInstant(v.Instant())
		return data.Int32Of(days), err
	case data.LogicalTime:
		ms, err := data.TimeFromInstant(v.Instant())
		return data.Int32Of(ms), err
	default:
		return data.Int64Of(v.Instant()), nil
	}
}

func castToString(v data.Value) (data.Value, error) {
	switch v.Kind() {
	case data.KindBytes:
		return data.StringOf(base64.StdEncoding.EncodeToString(v.Bytes())), nil
	case data.KindInstant:
		text, err := data.AppendQuoted(nil, v, false)
		return data.TextOf(text), err
	}
	return data.TextOf(data.AppendText(nil, v)), nil
}

func unexpected(v data.Value) error {
	return connect.NewDataError("Unexpected type in Cast transformation: class "+v.JavaClass(), nil)
}

func outOfRange(v data.Value, why string) error {
	return connect.NewDataError("Value ("+v.Str()+") was out of range for requested data type",
		&connect.Error{Class: "java.lang.NumberFormatException", Kind: connect.Data, Message: why})
}

// castToInt converts to an integer of so many bits, as Java casts numbers: the
// low bits of integers, floats cut off and saturating at 32 or 64 bits.
func castToInt(v data.Value, bits int) (int64, error) {
	switch v.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return v.Int(), nil
	case data.KindBool:
		if v.Bool() {
			return 1, nil
		}
		return 0, nil
	case data.KindFloat32:
		return saturate(float64(v.Float32()), bits), nil
	case data.KindFloat64:
		return saturate(v.Float64(), bits), nil
	case data.KindDecimal:
		n, _ := v.Decimal().Int64()
		return n, nil
	case data.KindString:
		n, ok := parseInt(v.Str())
		switch {
		case !ok:
			return 0, outOfRange(v, `For input string: "`+v.Str()+`"`)
		case bits < 32 && n == int64(int32(n)) && (n < -1<<(bits-1) || n >= 1<<(bits-1)):
			return 0, outOfRange(v, `Value out of range. Value:"`+v.Str()+`" Radix:10`)
		case bits < 64 && n != int64(int32(n)):
			return 0, outOfRange(v, `For input string: "`+v.Str()+`"`)
		}
		return n, nil
	}
	return 0, unexpected(v)
}

// parseInt reads what Java's Long.parseLong reads: digits of other scripts, too.
func parseInt(text string) (n int64, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return n, true
	}
	d, ok := parseWhole(text)
	if !ok {
		return 0, false
	}
	return d.Int64()
}

// parseWhole reads a sign and digits, of any script and number.
func parseWhole(text string) (data.Decimal, bool) {
	for i, r := range text {
		if !unicode.IsDigit(r) && (i > 0 || r != '+' && r != '-') {
			return data.Decimal{}, false
		}
	}
	d, err := data.ParseBigDecimal(text)
	return d, err == nil
}

// saturate converts as Java's d2i (up to 32 bits) and d2l do.
func saturate(f float64, bits int) int64 {
	least, most := float64(math.MinInt32), float64(math.MaxInt32)
	if bits == 64 {
		least, most = math.MinInt64, math.MaxInt64
	}
	switch {
	case f != f:
		return 0
	case f <= least:
		return int64(least)
	case f >= most:
		if bits == 64 {
			return math.MaxInt64
		}
		return math.MaxInt32
	}
	return int64(f)
}

func castToFloat(v data.Value, bits int) (float64, error) {
	switch v.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		if bits == 32 {
			return float64(float32(v.Int())), nil
		}
		return float64(v.Int()), nil
	case data.KindBool:
		if v.Bool() {
			return 1, nil
		}
		return 0, nil
	case data.KindFloat32:
		return float64(v.Float32()), nil
	case data.KindFloat64:
		return v.Float64(), nil
	case data.KindDecimal:
		if bits == 32 {
			return float64(v.Decimal().Float32()), nil
		}
		return v.Decimal().Float64(), nil
	case data.KindString:
		return parseFloat(v, bits)
	}
	return 0, unexpected(v)
}

// parseFloat reads what Java's Double.parseDouble reads: blanks around, a
// suffix d or f, hexadecimal with an exponent.
func parseFloat(v data.Value, bits int) (float64, error) {
	text := strings.TrimFunc(v.Str(), func(r rune) bool { return r <= ' ' })
	if text == "" {
		return 0, outOfRange(v, "empty String")
	}
	number := text
	if last := text[len(text)-1]; strings.IndexByte("dDfF", last) >= 0 && len(text) > 1 {
		number = text[:len(text)-1]
	}
	unsigned := strings.TrimLeft(number, "+-")
	bad := strings.ContainsAny(number, "_ ") || len(number)-len(unsigned) > 1
	if c := strings.ToLower(unsigned); strings.HasPrefix(c, "inf") || strings.HasPrefix(c, "nan") {
		bad = unsigned != "Infinity" && unsigned != "NaN" || number != text
	}
	f, err := strconv.ParseFloat(number, bits)
	if bad || err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, outOfRange(v, `For input string: "`+text+`"`)
	}
	return f, nil
}
