package converter

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"kconnect/connect"
	"kconnect/connect/data"
)

// coercion turns the tree of a jsonReader into a value of a schema.
type coercion struct {
	java        bool // convert what does not fit as Java does, instead of refusing it (D1)
	nullDefault bool // replace.null.with.default
	path        []string
}

// missingNode stands for the value of an empty text.
var missingNode = data.ObjectOf("MISSING")

// nodeType returns the name that messages of the Java worker have for a JSON value.
func nodeType(v data.Value) string {
	switch v.Kind() {
	case data.KindNull:
		return "NULL"
	case data.KindBool:
		return "BOOLEAN"
	case data.KindString:
		return "STRING"
	case data.KindArray:
		return "ARRAY"
	case data.KindMap:
		return "OBJECT"
	case data.KindObject:
		return "MISSING"
	}
	return "NUMBER"
}

// value converts v. A nil schema gives the schemaless form.
func (c *coercion) value(s *data.Schema, v data.Value) (data.Value, error) {
	if s == nil {
		return c.plain(v)
	}
	if v.IsNull() {
		if d, ok := s.Default(); ok && c.nullDefault {
			return d, nil
		}
		if s.Optional() {
			return data.Null, nil
		}
		return data.Null, connect.NewDataError("Invalid null value for required "+s.Type().String()+" field", nil)
	}
	switch s.Logical() {
	case data.LogicalDecimal:
		return toDecimal(s, v)
	case data.LogicalDate:
		n, err := dayNumber("Date", v)
		return data.InstantOf(data.InstantFromDate(n)), err
	case data.LogicalTime:
		n, err := dayNumber("Time", v)
		if err != nil {
			return data.Null, err
		}
		ms, err := data.InstantFromTime(n)
		return data.InstantOf(ms), err
	case data.LogicalTimestamp:
		return c.timestamp(s, v)
	}
	switch s.Type() {
	case data.Boolean:
		b := v.Kind() == data.KindBool && v.Bool()
		return c.unless(v.Kind() == data.KindBool, s, v, data.BoolOf(b))
	case data.Int8, data.Int16, data.Int32, data.Int64:
		return c.integer(s, v)
	case data.Float32, data.Float64:
		return c.float(s, v)
	case data.String:
		if v.Kind() != data.KindString {
			return c.unless(false, s, v, data.Null)
		}
		return v, nil
	case data.Bytes:
		if v.Kind() != data.KindString {
			return c.unless(false, s, v, data.Null)
		}
		b, err := decodeBase64([]byte{}, v.Bytes())
		if err != nil {
			return data.Null, connect.NewDataError("Invalid bytes field", err)
		}
		return data.BytesOf(b), nil
	case data.Array:
		return c.array(s, v)
	case data.MapType:
		return c.mapping(s, v)
	}
	return c.structure(s, v)
}

// unless returns as when the conversion keeps the value whole, or when Java's
// coercion was asked for. Promise 3: otherwise it is an error.
func (c *coercion) unless(whole bool, s *data.Schema, v, as data.Value) (data.Value, error) {
	if whole || c.java {
		return as, nil
	}
	of := ""
	if len(c.path) > 0 {
		of = ` of field "` + strings.Join(c.path, "") + `"`
	}
	fit := "64 bits"
	if s != nil {
		fit = "type " + s.Type().String()
	}
	return data.Null, connect.NewDataError("Value "+shortText(v)+of+" does not fit "+fit+" and would be read as "+cut(as.String())+
		": correct the record or its schema, or set "+coercionKey+"=java to read it as the Java worker does", nil)
}

// shortText shows a JSON value in a message.
func shortText(v data.Value) string {
	switch v.Kind() {
	case data.KindObject:
		return "that is missing"
	case data.KindMap:
		return "that is a JSON object"
	case data.KindArray:
		return "that is a JSON array"
	case data.KindString:
		return strconv.Quote(cut(v.Str()))
	}
	return cut(v.String())
}

// cut shortens a text for a message.
func cut(s string) string {
	const limit = 60
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "..."
}

// at runs f with one more step in the path that errors name.
func (c *coercion) at(step string, f func() (data.Value, error)) (data.Value, error) {
	c.path = append(c.path, step)
	v, err := f()
	c.path = c.path[:len(c.path)-1]
	return v, err
}

func (c *coercion) integer(s *data.Schema, v data.Value) (data.Value, error) {
	n, whole := wholeNumber(v)
	var as data.Value
	var fits bool
	switch s.Type() {
	case data.Int8:
		as, fits = data.Int8Of(int8(n)), int64(int8(n)) == n
	case data.Int16:
		as, fits = data.Int16Of(int16(n)), int64(int16(n)) == n
	case data.Int32:
		as, fits = data.Int32Of(int32(n)), int64(int32(n)) == n
	default:
		as, fits = data.Int64Of(n), true
	}
	return c.unless(whole && fits, s, v, as)
}

// wholeNumber returns the low 64 bits of the whole part of a number, 0 for
// anything else, and whether that is all of v.
func wholeNumber(v data.Value) (n int64, whole bool) {
	switch v.Kind() {
	case data.KindInt64:
		return v.Int(), true
	case data.KindBigInt:
		return data.LowInt64(v.BigInt()), false
	case data.KindDecimal:
		return v.Decimal().Int64()
	}
	return 0, false
}

// float rounds to the nearest number, which is no loss that anyone would call
// one; out of range, cut to zero, or no number at all is.
func (c *coercion) float(s *data.Schema, v data.Value) (data.Value, error) {
	var d data.Decimal
	switch v.Kind() {
	case data.KindInt64:
		d = data.NewDecimal(v.Int(), 0)
	case data.KindBigInt:
		d = data.NewBigDecimal(v.BigInt(), 0)
	case data.KindDecimal:
		d = v.Decimal()
	default:
		if s.Type() == data.Float32 {
			return c.unless(false, s, v, data.Float32Of(0))
		}
		return c.unless(false, s, v, data.Float64Of(0))
	}
	if s.Type() == data.Float32 {
		f := d.Float32()
		return c.unless(representable(d, float64(f)), s, v, data.Float32Of(f))
	}
	f := d.Float64()
	return c.unless(representable(d, f), s, v, data.Float64Of(f))
}

func representable(d data.Decimal, f float64) bool {
	return f-f == 0 && (f != 0 || d.Sign() == 0) // infinity minus itself is no number
}

// plain converts to the schemaless form: integers to int64, other numbers to
// float64, the rest as it is.
func (c *coercion) plain(v data.Value) (data.Value, error) {
	switch v.Kind() {
	case data.KindBigInt:
		n, _ := wholeNumber(v)
		return c.unless(false, nil, v, data.Int64Of(n))
	case data.KindDecimal:
		f := v.Decimal().Float64()
		return c.unless(representable(v.Decimal(), f), data.Float64Schema, v, data.Float64Of(f))
	case data.KindArray:
		for i := range v.Array() {
			e, err := c.at("["+strconv.Itoa(i)+"]", func() (data.Value, error) { return c.plain(v.Array()[i]) })
			if err != nil {
				return data.Null, err
			}
			v.Array()[i] = e
		}
	case data.KindMap:
		entries := v.Map().Entries
		for i := range entries {
			e, err := c.at(c.dot(entries[i].Key.Str()), func() (data.Value, error) { return c.plain(entries[i].Value) })
			if err != nil {
				return data.Null, err
			}
			entries[i].Value = e
		}
	case data.KindObject:
		return data.Null, nil
	}
	return v, nil
}

func (c *coercion) dot(name string) string {
	if len(c.path) == 0 {
		return name
	}
	return "." + name
}

// array takes the elements of an array. Java also takes the values of an
// object, and no elements from anything else.
func (c *coercion) array(s *data.Schema, v data.Value) (data.Value, error) {
	var from []data.Value
	switch v.Kind() {
	case data.KindArray:
		from = v.Array()
	case data.KindMap:
		for _, e := range v.Map().Entries {
			from = append(from, e.Value)
		}
	}
	elements := make([]data.Value, len(from))
	for i := range from {
		e, err := c.at("["+strconv.Itoa(i)+"]", func() (data.Value, error) { return c.value(s.Elem(), from[i]) })
		if err != nil {
			return data.Null, err
		}
		elements[i] = e
	}
	return c.unless(v.Kind() == data.KindArray, s, v, data.ArrayOf(elements))
}

func (c *coercion) mapping(s *data.Schema, v data.Value) (data.Value, error) {
	if s.Key().Type() == data.String {
		if v.Kind() != data.KindMap {
			return data.Null, connect.NewDataError("Maps with string fields should be encoded as JSON objects, but found "+nodeType(v), nil)
		}
		m := &data.Map{Entries: make([]data.Entry, len(v.Map().Entries))}
		for i, e := range v.Map().Entries {
			value, err := c.at(c.dot(e.Key.Str()), func() (data.Value, error) { return c.value(s.Elem(), e.Value) })
			if err != nil {
				return data.Null, err
			}
			m.Entries[i] = data.Entry{Key: e.Key, Value: value}
		}
		return data.MapOf(m), nil
	}
	if v.Kind() != data.KindArray {
		return data.Null, connect.NewDataError("Maps with non-string fields should be encoded as JSON array of tuples, but found "+nodeType(v), nil)
	}
	m := &data.Map{}
	place := map[string][]int{} // entries by the text of their key
	for i, pair := range v.Array() {
		if pair.Kind() != data.KindArray {
			return data.Null, connect.NewDataError("Found invalid map entry instead of array tuple: "+nodeType(pair), nil)
		}
		if n := len(pair.Array()); n != 2 {
			return data.Null, connect.NewDataError("Found invalid map entry, expected length 2 but found :"+strconv.Itoa(n), nil)
		}
		step := "[" + strconv.Itoa(i) + "]"
		key, err := c.at(step, func() (data.Value, error) { return c.value(s.Key(), pair.Array()[0]) })
		if err != nil {
			return data.Null, err
		}
		value, err := c.at(step, func() (data.Value, error) { return c.value(s.Elem(), pair.Array()[1]) })
		if err != nil {
			return data.Null, err
		}
		if at := sameKey(m.Entries, place[key.String()], key); at >= 0 {
			m.Entries[at].Value = value
			continue
		}
		place[key.String()] = append(place[key.String()], len(m.Entries))
		m.Entries = append(m.Entries, data.Entry{Key: key, Value: value})
	}
	return data.MapOf(m), nil
}

// sameKey returns which of the candidates has the key, or -1: the last of
// equal keys wins. Bytes are never equal in Java.
func sameKey(entries []data.Entry, candidates []int, key data.Value) int {
	for _, i := range candidates {
		if key.Kind() != data.KindBytes && entries[i].Key.Equal(key) {
			return i
		}
	}
	return -1
}

func (c *coercion) structure(s *data.Schema, v data.Value) (data.Value, error) {
	if v.Kind() != data.KindMap {
		return data.Null, connect.NewDataError("Structs should be encoded as JSON objects, but found "+nodeType(v), nil)
	}
	st := data.NewStruct(s)
	for i := range s.Fields() {
		f := &s.Fields()[i]
		value, err := c.at(c.dot(f.Name), func() (data.Value, error) {
			member, _ := v.Map().Get(f.Name)
			return c.value(f.Schema, member)
		})
		if err != nil {
			return data.Null, err
		}
		if err := data.ValidateField(f.Name, f.Schema, value); err != nil {
			return data.Null, err
		}
		st.Values()[i] = value
	}
	return data.StructOf(st), nil
}

func toDecimal(s *data.Schema, v data.Value) (data.Value, error) {
	switch v.Kind() {
	case data.KindInt64:
		return data.DecimalOf(data.NewDecimal(v.Int(), 0)), nil
	case data.KindBigInt:
		return data.DecimalOf(data.NewBigDecimal(v.BigInt(), 0)), nil
	case data.KindDecimal:
		return v, nil
	case data.KindString:
		d, err := decimalFromBase64(s, v.Bytes())
		if err != nil {
			return data.Null, connect.NewDataError("Invalid bytes for Decimal field", err)
		}
		return data.DecimalOf(d), nil
	}
	return data.Null, connect.NewDataError("Invalid type for Decimal, underlying representation should be numeric or bytes but was "+nodeType(v), nil)
}

func decimalFromBase64(s *data.Schema, text []byte) (data.Decimal, error) {
	var small [32]byte
	b, err := decodeBase64(small[:0], text)
	if err != nil {
		return data.Decimal{}, err
	}
	return data.ReadDecimalBytes(s, b)
}

// dayNumber reads a Date or a Time, which must be a literal of 32 bits.
func dayNumber(logical string, v data.Value) (int32, error) {
	if v.Kind() != data.KindInt64 || int64(int32(v.Int())) != v.Int() {
		return 0, connect.NewDataError("Invalid type for "+logical+", underlying representation should be integer but was "+nodeType(v), nil)
	}
	return int32(v.Int()), nil
}

func (c *coercion) timestamp(s *data.Schema, v data.Value) (data.Value, error) {
	if v.Kind() != data.KindInt64 && v.Kind() != data.KindBigInt {
		return data.Null, connect.NewDataError("Invalid type for Timestamp, underlying representation should be integral but was "+nodeType(v), nil)
	}
	n, whole := wholeNumber(v)
	return c.unless(whole, s, v, data.InstantOf(n))
}
