package avro

import (
	"encoding/binary"
	"math"
	"strconv"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/data"
)

// encoderOf compiles how values of s are written as n: the schema that was
// made for s, or another one of the registry.
func (c *settings) encoderOf(s *data.Schema, n *node) (*encoder, error) {
	e := &encoder{schema: s, node: n, branch: -1, null: -1}
	if s == nil {
		if !isAnything(n) {
			return nil, connect.NewDataError("Values without a schema cannot be written as Avro type "+n.fullName(), nil)
		}
		e.step, e.nullable = stepAnything, true
		return e, nil
	}
	e.nullable = s.Optional()
	if n.kind == unionKind {
		e.null = int64(n.null())
	}
	if isUnion(s) {
		return e, c.compileUnion(e)
	}
	if n.kind == unionKind {
		i := c.member(n, s)
		if i < 0 {
			return nil, noPlace(s, n)
		}
		e.branch, e.node = int64(i), n.branches[i]
	}
	return e, c.compile(e)
}

func noPlace(s *data.Schema, n *node) error {
	return connect.NewDataError("Values of "+s.String()+" cannot be written as Avro type "+n.fullName()+" of the registry", nil)
}

// withDefault gives an encoder of a field the default of the Connect schema.
func (c *settings) withDefault(e *encoder) *encoder {
	if e.schema == nil || c.ignoreDefault {
		return e
	}
	if d, ok := e.schema.Default(); ok {
		e.def = d
	}
	return e
}

// member returns the place of the type of a union that takes values of s: the
// type made for s if it is there, or one that values can be widened to.
func (c *settings) member(n *node, s *data.Schema) int {
	for _, wide := range []bool{false, true} {
		for i, b := range n.branches {
			if c.takes(b, s, wide) {
				return i
			}
		}
	}
	return -1
}

func (c *settings) takes(n *node, s *data.Schema, wide bool) bool {
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32:
		return n.kind == intKind || wide && s.Logical() == data.NotLogical && (n.kind == longKind || n.kind == floatKind || n.kind == doubleKind)
	case data.Int64:
		return n.kind == longKind || wide && s.Logical() == data.NotLogical && (n.kind == floatKind || n.kind == doubleKind)
	case data.Float32:
		return n.kind == floatKind || wide && n.kind == doubleKind
	case data.Float64:
		return n.kind == doubleKind
	case data.Boolean:
		return n.kind == booleanKind
	case data.String:
		if name, param := c.enumOf(s); param != "" {
			return n.kind == enumKind && (wide || n.fullName() == name)
		}
		return n.kind == stringKind || wide && n.kind == enumKind
	case data.Bytes:
		if isFixed(s) {
			return n.kind == fixedKind && (wide || n.fullName() == c.fullScrubbed(s.Name()))
		}
		return n.kind == bytesKind || wide && n.kind == fixedKind
	case data.Array:
		return n.kind == arrayKind && !isEntry(n.items)
	case data.MapType:
		entries := n.kind == arrayKind && isEntry(n.items)
		if c.textKeys(s) {
			return n.kind == mapKind || wide && entries
		}
		return entries
	case data.StructType:
		return n.kind == recordKind && (wide || s.HasName() && n.fullName() == c.fullScrubbed(s.Name()))
	}
	return false
}

// compile fills an encoder whose node is no union.
func (c *settings) compile(e *encoder) error {
	s, n := e.schema, e.node
	if !c.takes(n, s, true) {
		return noPlace(s, n)
	}
	if !sameLogical(s, n) {
		return noPlace(s, n)
	}
	e.kind = s.Kind()
	switch s.Logical() {
	case data.LogicalDecimal:
		e.step, e.size = stepDecimal, n.size
		if n.kind == fixedKind {
			e.step = stepDecimalFixed
		}
		return nil
	case data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		e.step = stepInstant
		return nil
	}
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		e.step = stepInt
		switch n.kind {
		case floatKind:
			e.step = stepIntToFloat
		case doubleKind:
			e.step = stepIntToDouble
		}
	case data.Float32:
		e.step = stepFloat
		if n.kind == doubleKind {
			e.step = stepFloatToDouble
		}
	case data.Float64:
		e.step = stepDouble
	case data.Boolean:
		e.step = stepBool
	case data.String:
		e.step = stepText
		if n.kind == enumKind {
			e.step, e.symbols = stepEnum, map[string]int64{}
			for i, symbol := range n.symbols {
				e.symbols[symbol] = int64(i)
			}
		}
	case data.Bytes:
		e.step, e.size = stepBytes, n.size
		if n.kind == fixedKind {
			e.step = stepFixed
		}
	case data.Array:
		e.step = stepArray
		var err error
		e.elem, err = c.encoderOf(s.Elem(), n.items)
		return err
	case data.MapType:
		return c.compileMap(e)
	case data.StructType:
		return c.compileRecord(e)
	}
	return nil
}

// sameLogical reports whether a logical type of the registry's schema, if it
// has one, gives numbers the meaning that they have here: a timestamp in
// microseconds does not take milliseconds (Promise 3).
func sameLogical(s *data.Schema, n *node) bool {
	logical := n.prop("logicalType")
	switch s.Logical() {
	case data.LogicalDecimal:
		scale, err := s.Scale()
		theirs, _ := intProp(n, "scale") // 0 when it is not there
		return logical != "decimal" || err == nil && int(scale) == theirs
	case data.LogicalDate:
		return logical == "" || logical == "date"
	case data.LogicalTime:
		return logical == "" || logical == "time-millis"
	case data.LogicalTimestamp:
		return logical == "" || logical == "timestamp-millis" || logical == "local-timestamp-millis"
	}
	return true
}

func (c *settings) compileMap(e *encoder) (err error) {
	s, n := e.schema, e.node
	e.step = stepMap
	if n.kind == mapKind {
		e.elem, err = c.encoderOf(s.Elem(), n.items)
		return err
	}
	e.step = stepEntries
	entry := n.items
	k, v := entry.field("key"), entry.field("value")
	if k < 0 || v < 0 || len(entry.fields) != 2 {
		return noPlace(s, n)
	}
	e.swapped = k > v
	if e.key, err = c.encoderOf(s.Key(), entry.fields[k].node); err != nil {
		return err
	}
	e.elem, err = c.encoderOf(s.Elem(), entry.fields[v].node)
	return err
}

// compileRecord finds for each field of the record the field of the struct. A
// field that the struct lacks has its default.
func (c *settings) compileRecord(e *encoder) error {
	s, n := e.schema, e.node
	e.step = stepRecord
	from := map[string]int{}
	for i, f := range s.Fields() {
		from[c.scrubbed(f.Name)] = i
	}
	for i := range n.fields {
		f := &n.fields[i]
		at, ok := from[f.name]
		for _, alias := range f.aliases {
			if !ok {
				at, ok = from[alias]
			}
		}
		if !ok {
			if !f.hasDefault {
				return connect.NewDataError("Field "+f.name+" of Avro record "+n.fullName()+" of the registry is not in the data and has no default", nil)
			}
			constant, err := appendDefault(nil, f.node, f.def, 0)
			if err != nil {
				return err
			}
			e.fields = append(e.fields, fieldEncoder{from: -1, constant: constant})
			continue
		}
		fe, err := c.encoderOf(s.Fields()[at].Schema, f.node)
		if err != nil {
			return err
		}
		e.fields = append(e.fields, fieldEncoder{from: at, encoder: c.withDefault(fe)})
	}
	return nil
}

// compileUnion finds the type for each field of a union struct.
func (c *settings) compileUnion(e *encoder) error {
	e.kind, e.step = data.KindStruct, stepUnion
	for _, f := range e.schema.Fields() {
		fe, err := c.encoderOf(f.Schema, e.node)
		if err != nil {
			return err
		}
		e.fields = append(e.fields, fieldEncoder{encoder: c.withDefault(fe)})
	}
	return nil
}

// maxDefaultDepth stops a record whose default leads to itself.
const maxDefaultDepth = 100

// appendDefault writes the default of an Avro field.
func appendDefault(dst []byte, n *node, d jsontree.Node, depth int) ([]byte, error) {
	if depth > maxDefaultDepth || !validDefault(n, d) {
		return dst, connect.NewDataError("A default of Avro type "+n.fullName()+" does not fit it", nil)
	}
	var err error
	switch n.kind {
	case booleanKind:
		if d.(bool) { //nolint:errcheck,forcetypeassert // validDefault has looked
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case intKind, longKind:
		i, err := strconv.ParseInt(string(d.(jsontree.Number)), 10, 64) //nolint:errcheck,forcetypeassert // validDefault has looked
		return binary.AppendVarint(dst, i), err
	case floatKind, doubleKind:
		f, err := strconv.ParseFloat(string(d.(jsontree.Number)), 64) //nolint:errcheck,forcetypeassert // validDefault has looked
		if n.kind == floatKind {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), err
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), err
	case stringKind:
		return appendText(dst, d.(string)), nil //nolint:errcheck,forcetypeassert // validDefault has looked
	case bytesKind, fixedKind:
		var b []byte
		for _, r := range d.(string) { //nolint:errcheck,forcetypeassert // validDefault has looked
			b = append(b, byte(r))
		}
		if n.kind == bytesKind {
			dst = binary.AppendVarint(dst, int64(len(b)))
		} else if len(b) != n.size {
			return dst, connect.NewDataError("A default of Avro type "+n.fullName()+" does not fit it", nil)
		}
		return append(dst, b...), nil
	case enumKind:
		for i, symbol := range n.symbols {
			if symbol == d {
				return binary.AppendVarint(dst, int64(i)), nil
			}
		}
		return dst, connect.NewDataError("A default of Avro type "+n.fullName()+" does not fit it", nil)
	case arrayKind:
		list := d.([]jsontree.Node) //nolint:errcheck,forcetypeassert // validDefault has looked
		if len(list) > 0 {
			dst = binary.AppendVarint(dst, int64(len(list)))
		}
		for _, e := range list {
			if dst, err = appendDefault(dst, n.items, e, depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, 0), nil
	case mapKind:
		o := d.(*jsontree.Object) //nolint:errcheck,forcetypeassert // validDefault has looked
		if len(o.Members) > 0 {
			dst = binary.AppendVarint(dst, int64(len(o.Members)))
		}
		for _, m := range o.Members {
			if dst, err = appendDefault(appendText(dst, m.Name), n.items, m.Value, depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, 0), nil
	case recordKind:
		o := d.(*jsontree.Object) //nolint:errcheck,forcetypeassert // validDefault has looked
		for i := range n.fields {
			f := &n.fields[i]
			v, there := o.Get(f.name)
			if !there {
				v = f.def
			}
			if dst, err = appendDefault(dst, f.node, v, depth+1); err != nil {
				return dst, err
			}
		}
		return dst, nil
	case unionKind:
		return appendDefault(append(dst, 0), n.branches[0], d, depth+1)
	}
	return dst, nil // null has no bytes
}
