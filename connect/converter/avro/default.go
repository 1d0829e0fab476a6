package avro

import (
	"errors"
	"strconv"
	"strings"

	"kconnect/connect/converter/jsontree"
	"kconnect/connect/data"
)

var errDefault = errors.New("the default does not fit its schema")

// defaultFrom reads the JSON of a default of schema s, which is that of n.
func (r *reading) defaultFrom(s *data.Schema, n *node, d jsontree.Node) (data.Value, error) {
	if d == nil {
		return data.Null, nil
	}
	if n.kind == unionKind {
		return r.unionDefault(s, n, d)
	}
	switch d := d.(type) {
	case bool:
		if s.Type() == data.Boolean {
			return data.BoolOf(d), nil
		}
	case jsontree.Number:
		return numberDefault(s, string(d))
	case string:
		switch {
		case s.Type() == data.String:
			return data.StringOf(d), nil
		case s.Type() == data.Bytes:
			b := make([]byte, 0, len(d))
			for _, c := range d {
				if c > 0xff {
					c = '?' // as Java's ISO-8859-1
				}
				b = append(b, byte(c))
			}
			if s.Logical() == data.LogicalDecimal {
				v, err := data.ReadDecimalBytes(s, b)
				return data.DecimalOf(v), err
			}
			return data.BytesOf(b), nil
		}
	case []jsontree.Node:
		if s.Type() == data.Array {
			list := make([]data.Value, len(d))
			for i, e := range d {
				var err error
				if list[i], err = r.defaultFrom(s.Elem(), n.items, e); err != nil {
					return data.Null, err
				}
			}
			return data.ArrayOf(list), nil
		}
	case *jsontree.Object:
		return r.objectDefault(s, n, d)
	}
	return data.Null, errDefault
}

// unionDefault is that of the first type. A union of one type and null has no
// default of its own place in Java; as an element it has.
func (r *reading) unionDefault(s *data.Schema, n *node, d jsontree.Node) (data.Value, error) {
	if only := r.only(n); only != nil {
		return r.defaultFrom(s, only, d)
	}
	if len(n.branches) == 0 || n.branches[0].kind == nullKind || s.Type() != data.StructType || len(s.Fields()) == 0 {
		return data.Null, errDefault
	}
	v, err := r.defaultFrom(s.Fields()[0].Schema, n.branches[0], d)
	if err != nil {
		return data.Null, err
	}
	st := data.NewStruct(s)
	st.Values()[0] = v
	return data.StructOf(st), nil
}

func (r *reading) objectDefault(s *data.Schema, n *node, o *jsontree.Object) (data.Value, error) {
	switch {
	case n.kind == mapKind && s.Type() == data.MapType:
		m := &data.Map{}
		for _, e := range o.Members {
			v, err := r.defaultFrom(s.Elem(), n.items, e.Value)
			if err != nil {
				return data.Null, err
			}
			m.Put(e.Name, v)
		}
		return data.MapOf(m), nil
	case n.kind == recordKind && s.Type() == data.StructType:
		st := data.NewStruct(s)
		for i, f := range s.Fields() {
			own := &n.fields[i]
			d, there := o.Get(own.name)
			if !there {
				if v, ok := f.Schema.Default(); ok {
					st.Values()[i] = v
					continue
				}
			}
			v, err := r.defaultFrom(f.Schema, own.node, d)
			if err != nil {
				return data.Null, err
			}
			st.Values()[i] = v
		}
		return data.StructOf(st), nil
	}
	return data.Null, errDefault
}

func numberDefault(s *data.Schema, text string) (data.Value, error) {
	switch s.Type() {
	case data.Float32, data.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && !strings.ContainsAny(text, "eE") {
			return data.Null, err
		}
		if s.Type() == data.Float32 {
			return data.Float32Of(float32(f)), nil
		}
		return data.Float64Of(f), nil
	case data.Int8, data.Int16, data.Int32, data.Int64:
	default:
		return data.Null, errDefault
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return data.Null, err
	}
	switch s.Logical() {
	case data.LogicalDate:
		return data.InstantOf(data.InstantFromDate(int32(i))), nil
	case data.LogicalTime:
		ms, err := data.InstantFromTime(int32(i))
		return data.InstantOf(ms), err
	case data.LogicalTimestamp:
		return data.InstantOf(i), nil
	}
	switch s.Type() {
	case data.Int8:
		return data.Int8Of(int8(i)), nil
	case data.Int16:
		return data.Int16Of(int16(i)), nil
	case data.Int32:
		return data.Int32Of(int32(i)), nil
	}
	return data.Int64Of(i), nil
}
