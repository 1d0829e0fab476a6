package jsonschema

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"

	"github.com/go-faster/jx"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/slab"
	"kconnect/connect/data"
)

// memory is where decoded values live, and what all decoders of a converter
// have in common.
type memory struct {
	coerce  bool // values of another type become one, as in Java (D1)
	values  slab.Slab[data.Value]
	structs slab.Slab[data.Struct]
}

// decoder reads the values of one Connect schema.
type decoder struct {
	schema  *data.Schema
	logical data.Logical
	typ     data.Type
	def     data.Value // in the place of null
	union   bool
	object  bool
	key     *decoder
	elem    *decoder
	fields  []*decoder
	names   [][]byte
	memory  *memory
}

func (c *settings) decoderOf(s *data.Schema) *decoder { return decoderOf(s, &memory{}) }

func decoderOf(s *data.Schema, m *memory) *decoder {
	if s == nil {
		return nil
	}
	d := &decoder{schema: s, logical: s.Logical(), typ: s.Type(), union: isUnion(s), memory: m}
	d.def, _ = s.Default()
	switch d.typ {
	case data.Array:
		d.elem = decoderOf(s.Elem(), m)
	case data.MapType:
		d.key, d.elem, d.object = decoderOf(s.Key(), m), decoderOf(s.Elem(), m), textKeys(s)
	case data.StructType:
		for _, f := range s.Fields() {
			d.fields, d.names = append(d.fields, decoderOf(f.Schema, m)), append(d.names, []byte(f.Name))
		}
	}
	return d
}

func (d *decoder) readTree(n jsontree.Node) (data.Value, error) {
	return d.readBytes(jsontree.Append(nil, n))
}

func (d *decoder) readBytes(b []byte) (data.Value, error) { return d.read(jx.DecodeBytes(b)) }

// remedy is that of values which Java would change and say nothing.
const remedy = ": correct the record or its schema, or set kconnect.converter.coercion=java to read it as the Java converter does"

// wrong is the answer to a JSON value of another type: an error, unless zero,
// false, null or an empty list was asked for, which Java makes of most of them.
func (d *decoder) wrong(j *jx.Decoder, t jx.Type) (data.Value, error) {
	as := data.Null
	switch d.typ {
	case data.Boolean:
		as = data.BoolOf(false)
	case data.Int8, data.Int16, data.Int32, data.Int64:
		as = data.IntegerOf(d.typ, 0)
	case data.Float32:
		as = data.Float32Of(0)
	case data.Float64:
		as = data.Float64Of(0)
	case data.Array:
		as = data.ArrayOf(nil)
	}
	switch {
	case !d.memory.coerce && d.typ != data.Bytes:
		return data.Null, connect.NewDataError("Invalid type for "+d.typ.String()+": a JSON "+t.String()+remedy, nil)
	case as.IsNull() && (d.typ != data.String || !d.schema.Optional()):
		return data.Null, connect.NewDataError("Invalid type for "+d.typ.String()+": a JSON "+t.String(), nil)
	case d.typ == data.Array && t == jx.Object:
		return d.members(j)
	}
	return as, j.Skip()
}

// members reads the values of an object as a list.
func (d *decoder) members(j *jx.Decoder) (data.Value, error) {
	var list []data.Value
	err := j.ObjBytes(func(j *jx.Decoder, _ []byte) error {
		v, err := d.elem.read(j)
		list = append(list, v)
		return err
	})
	return data.ArrayOf(list), err
}

func (d *decoder) read(j *jx.Decoder) (data.Value, error) {
	t := j.Next()
	if t == jx.Null {
		if err := j.Null(); err != nil {
			return data.Null, err
		}
		if d.def.IsNull() && !d.schema.Optional() {
			return data.Null, connect.NewDataError("Invalid null value for required "+d.typ.String()+" field", nil)
		}
		return d.def, nil
	}
	if d.logical != data.NotLogical {
		return d.readLogical(j, t)
	}
	switch d.typ {
	case data.Boolean:
		if t == jx.Bool {
			b, err := j.Bool()
			return data.BoolOf(b), err
		}
	case data.Int8, data.Int16, data.Int32, data.Int64:
		if t == jx.Number {
			return d.integer(j)
		}
	case data.Float32, data.Float64:
		return d.float(j, t)
	case data.String:
		if t == jx.String {
			b, err := j.StrBytes()
			return data.TextOf(b), err
		}
	case data.Bytes:
		if t == jx.String {
			b, err := readBase64(j)
			return data.BytesOf(b), err
		}
	case data.Array:
		if t == jx.Array {
			return d.array(j)
		}
	case data.MapType:
		return d.mapOf(j, t)
	case data.StructType:
		switch {
		case d.union:
			return d.unionOf(j)
		case t == jx.Object:
			return d.structOf(j)
		}
		return data.Null, connect.NewDataError("Structs should be encoded as JSON objects, but found "+t.String(), nil)
	}
	return d.wrong(j, t)
}

// whole reads a number that is a whole one, whatever its form.
func (d *decoder) whole(j *jx.Decoder) (int64, error) {
	raw, err := j.Raw()
	if err != nil {
		return 0, err
	}
	if n, err := strconv.ParseInt(data.TextOf(raw).Str(), 10, 64); err == nil {
		return n, nil
	}
	if decimal, ok := data.ParseDecimal([]byte(raw)); ok {
		// What does not fit is cut off: the fraction, and bits above the 64th.
		if n, exact := decimal.Int64(); exact || d.memory.coerce && d.logical == data.NotLogical {
			return n, nil
		}
	}
	return 0, connect.NewDataError("Number "+short(raw)+" does not fit "+d.typ.String()+remedy, nil)
}

func short(raw []byte) string {
	if len(raw) > 40 {
		return string(raw[:40]) + "..."
	}
	return string(raw)
}

func (d *decoder) integer(j *jx.Decoder) (data.Value, error) {
	n, err := d.whole(j)
	if err != nil {
		return data.Null, err
	}
	if v := data.IntegerOf(d.typ, n); v.Int() == n || d.memory.coerce {
		return v, nil
	}
	return data.Null, connect.NewDataError("Number "+strconv.FormatInt(n, 10)+" does not fit "+d.typ.String()+remedy, nil)
}

func (d *decoder) float(j *jx.Decoder, t jx.Type) (data.Value, error) {
	var f float64
	switch t {
	case jx.Number:
		raw, err := j.Raw()
		if err != nil {
			return data.Null, err
		}
		if d.typ == data.Float32 { // one rounding, not two
			f, _ = strconv.ParseFloat(data.TextOf(raw).Str(), 32) // a range error comes with the right infinity or zero
			return data.Float32Of(float32(f)), nil
		}
		f, _ = strconv.ParseFloat(data.TextOf(raw).Str(), 64) // a range error comes with the right infinity or zero
	case jx.String:
		raw, err := j.Raw()
		if err != nil {
			return data.Null, err
		}
		switch string(raw) {
		case `"NaN"`:
			f = math.NaN()
		case `"Infinity"`:
			f = math.Inf(1)
		case `"-Infinity"`:
			f = math.Inf(-1)
		default:
			return d.wrong(jx.DecodeBytes(raw), t)
		}
		if d.memory.coerce {
			f = 0
		}
	default:
		return d.wrong(j, t)
	}
	if d.typ == data.Float32 {
		return data.Float32Of(float32(f)), nil
	}
	return data.Float64Of(f), nil
}

func readBase64(j *jx.Decoder) ([]byte, error) {
	text, err := j.StrBytes()
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, connect.NewDataError("Invalid bytes field", err)
	}
	return b, nil
}

func (d *decoder) readLogical(j *jx.Decoder, t jx.Type) (data.Value, error) {
	if d.logical == data.LogicalDecimal {
		switch t {
		case jx.Number:
			raw, err := j.Raw()
			if err != nil {
				return data.Null, err
			}
			decimal, ok := data.ParseDecimal([]byte(raw))
			if !ok {
				return data.Null, connect.NewDataError("Number "+short(raw)+" is no Decimal", nil)
			}
			return data.DecimalOf(decimal), nil
		case jx.String:
			b, err := readBase64(j)
			if err != nil {
				return data.Null, err
			}
			v, err := data.ReadDecimalBytes(d.schema, b)
			if err != nil {
				return data.Null, connect.NewDataError("Invalid bytes for Decimal field", err)
			}
			return data.DecimalOf(v), nil
		}
		return data.Null, connect.NewDataError("Invalid type for Decimal, underlying representation should be numeric or bytes but was "+t.String(), nil)
	}
	names := map[data.Logical]string{data.LogicalDate: "Date", data.LogicalTime: "Time", data.LogicalTimestamp: "Timestamp"}
	if t != jx.Number {
		return data.Null, connect.NewDataError("Invalid type for "+names[d.logical]+", underlying representation should be integer but was "+t.String(), nil)
	}
	n, err := d.whole(j)
	if err != nil || d.logical == data.LogicalTimestamp {
		return data.InstantOf(n), err
	}
	if n != int64(int32(n)) {
		return data.Null, connect.NewDataError("Number "+strconv.FormatInt(n, 10)+" does not fit "+names[d.logical], nil)
	}
	if d.logical == data.LogicalDate {
		return data.InstantOf(data.InstantFromDate(int32(n))), nil
	}
	ms, err := data.InstantFromTime(int32(n))
	return data.InstantOf(ms), err
}

func (d *decoder) array(j *jx.Decoder) (data.Value, error) {
	var list []data.Value
	err := j.Arr(func(j *jx.Decoder) error {
		v, err := d.elem.read(j)
		list = append(list, v)
		return err
	})
	return data.ArrayOf(list), err
}

func (d *decoder) mapOf(j *jx.Decoder, t jx.Type) (data.Value, error) {
	m := &data.Map{}
	if d.object {
		if t != jx.Object {
			return data.Null, connect.NewDataError("Maps with string fields should be encoded as JSON objects, but found "+t.String(), nil)
		}
		places := map[string]int{}
		err := j.Obj(func(j *jx.Decoder, name string) error {
			v, err := d.elem.read(j)
			if i, twice := places[name]; twice {
				m.Entries[i].Value = v
				return err
			}
			places[name] = len(m.Entries)
			m.Entries = append(m.Entries, data.Entry{Key: data.StringOf(name), Value: v})
			return err
		})
		return data.MapOf(m), err
	}
	if t != jx.Array {
		return data.Null, connect.NewDataError("Maps with non-string fields should be encoded as JSON array of objects, but found "+t.String(), nil)
	}
	err := j.Arr(func(j *jx.Decoder) error {
		if t := j.Next(); t != jx.Object {
			return connect.NewDataError("Found invalid map entry instead of object: "+t.String(), nil)
		}
		var e data.Entry
		members := 0
		err := j.Obj(func(j *jx.Decoder, name string) (err error) {
			members++
			switch name {
			case "key":
				e.Key, err = d.key.read(j)
			case "value":
				e.Value, err = d.elem.read(j)
			default:
				err = j.Skip()
			}
			return err
		})
		if err == nil && members != 2 {
			err = connect.NewDataError("Found invalid map entry, expected length 2 but found :"+strconv.Itoa(members), nil)
		}
		m.Entries = append(m.Entries, e)
		return err
	})
	return data.MapOf(m), err
}

// structOf reads the properties that the schema names; what is missing is the
// default, or null.
func (d *decoder) structOf(j *jx.Decoder) (data.Value, error) {
	values := d.memory.values.Take(len(d.fields))
	for i, f := range d.fields {
		values[i] = f.def
	}
	next := 0
	err := j.ObjBytes(func(j *jx.Decoder, name []byte) error {
		i := next
		if i >= len(d.names) || !bytes.Equal(d.names[i], name) { // the order of the schema is the usual one
			if i = d.field(name); i < 0 {
				return j.Skip()
			}
		}
		next = i + 1
		var err error
		if values[i], err = d.fields[i].read(j); err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return data.Null, err
	}
	return d.made(values), nil
}

func (d *decoder) field(name []byte) int { return d.schema.Field(data.TextOf(name).Str()) }

func (d *decoder) made(values []data.Value) data.Value {
	st := d.memory.structs.Take(1)
	st[0] = data.MakeStruct(d.schema, values)
	return data.StructOf(&st[0])
}

// unionOf reads the first member whose type is that of the value; of structs
// the one with most of its properties.
func (d *decoder) unionOf(j *jx.Decoder) (data.Value, error) {
	raw, err := j.Raw()
	if err != nil {
		return data.Null, err
	}
	chosen, most := -1, -1
	for i, f := range d.fields {
		if f.takes(raw) {
			chosen = i
			break
		}
		if n := f.matching(raw); n > most {
			chosen, most = i, n
		}
	}
	if chosen < 0 {
		return data.Null, connect.NewDataError("Did not find matching oneof field for data", nil)
	}
	values := d.memory.values.Take(len(d.fields))
	if values[chosen], err = d.fields[chosen].read(jx.DecodeBytes(raw)); err != nil {
		return data.Null, err
	}
	return d.made(values), nil
}

func (d *decoder) takes(raw jx.Raw) bool {
	switch t := raw.Type(); d.typ {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		return t == jx.Number && !bytes.ContainsAny(raw, ".eE")
	case data.Float32, data.Float64:
		return t == jx.Number
	case data.Boolean:
		return t == jx.Bool
	case data.String:
		return t == jx.String
	case data.Bytes:
		return t == jx.String || t == jx.Number && d.logical == data.LogicalDecimal
	case data.Array:
		return t == jx.Array
	case data.MapType:
		return t == jx.Object && d.object || t == jx.Array && !d.object
	case data.StructType:
		return false
	}
	return false
}

// matching counts the properties of an object that the struct has; -1 when
// one of the two is neither.
func (d *decoder) matching(raw jx.Raw) int {
	if d.typ != data.StructType || raw.Type() != jx.Object {
		return -1
	}
	n := 0
	err := jx.DecodeBytes(raw).ObjBytes(func(j *jx.Decoder, name []byte) error {
		if d.field(name) >= 0 {
			n++
		}
		return j.Skip()
	})
	if err != nil {
		return -1
	}
	return n
}
