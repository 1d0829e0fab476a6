package avro

import (
	"math"
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/data"
)

// translation makes the Avro schema of one Connect schema.
type translation struct {
	settings
	made   []made           // required schemas that were translated already
	named  map[string]*node // records by the name of their Connect schema
	unamed int              // how many schemas without a name there were
}

type made struct {
	schema *data.Schema
	node   *node
}

// fromConnect returns the Avro schema as which values of s are written. A nil
// s is any value without a schema.
func (c *settings) fromConnect(s *data.Schema) (*node, error) {
	if s == nil {
		return anything(), nil
	}
	t := translation{settings: *c, named: map[string]*node{}}
	return t.of(s, false)
}

// anything is the record of which exactly one field says what a value without
// a schema is. It refers to itself.
func anything() *node {
	n := &node{kind: recordKind, name: anythingName, space: namespace}
	optional := func(inner *node) *node { return &node{kind: unionKind, branches: []*node{{kind: nullKind}, inner}} }
	add := func(name string, inner *node) {
		n.fields = append(n.fields, field{name: name, node: optional(inner), hasDefault: true})
	}
	for _, k := range []kind{booleanKind, bytesKind, doubleKind, floatKind, intKind, longKind, stringKind} {
		add(k.String(), &node{kind: k})
	}
	add("array", &node{kind: arrayKind, items: n})
	add("map", &node{kind: arrayKind, items: &node{kind: recordKind, name: entryName, space: namespace, fields: []field{
		{name: "key", node: n}, {name: "value", node: n},
	}}})
	return n
}

func (t *translation) of(s *data.Schema, ignoreOptional bool) (*node, error) {
	if s == nil {
		return anything(), nil
	}
	if !s.Optional() && !isUnion(s) {
		for i := range t.made {
			if t.made[i].schema.Equal(s) {
				return t.made[i].node, nil
			}
		}
	}
	n, err := t.base(s)
	if err != nil {
		return nil, err
	}
	if n.kind != unionKind {
		if err := t.describe(n, s); err != nil {
			return nil, err
		}
		if !ignoreOptional {
			n = optionalOf(n, s)
		}
	}
	if !s.Optional() {
		t.made = append(t.made, made{s, n})
	}
	return n, nil
}

// cyclic is of for places where a record may stand in itself.
func (t *translation) cyclic(s *data.Schema, ignoreOptional bool) (*node, error) {
	if s != nil && s.HasName() {
		if n, ok := t.named[s.Name()]; ok {
			if !ignoreOptional {
				n = optionalOf(n, s)
			}
			return n, nil
		}
	}
	return t.of(s, ignoreOptional)
}

// optionalOf lets null stand beside n. The type of the default goes first.
func optionalOf(n *node, s *data.Schema) *node {
	if !s.Optional() {
		return n
	}
	null := &node{kind: nullKind}
	if d, ok := s.Default(); ok && !d.IsNull() {
		return &node{kind: unionKind, branches: []*node{n, null}}
	}
	return &node{kind: unionKind, branches: []*node{null, n}}
}

func (t *translation) nameOf(s *data.Schema) (space, name string) {
	if s.HasName() {
		return t.split(s.Name())
	}
	t.unamed++
	if t.unamed > 1 {
		return namespace, defaultName + strconv.Itoa(t.unamed)
	}
	return namespace, defaultName
}

func (t *translation) base(s *data.Schema) (*node, error) {
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32:
		return &node{kind: intKind}, nil
	case data.Int64:
		return &node{kind: longKind}, nil
	case data.Float32:
		return &node{kind: floatKind}, nil
	case data.Float64:
		return &node{kind: doubleKind}, nil
	case data.Boolean:
		return &node{kind: booleanKind}, nil
	case data.String:
		if name, param := t.enumOf(s); param != "" {
			return t.enum(s, name, param), nil
		}
		return &node{kind: stringKind}, nil
	case data.Bytes:
		return t.bytes(s)
	case data.Array:
		items, err := t.cyclic(s.Elem(), false)
		return &node{kind: arrayKind, items: items}, err
	case data.MapType:
		if t.textKeys(s) {
			values, err := t.cyclic(s.Elem(), false)
			return &node{kind: mapKind, items: values}, err
		}
		return t.entries(s)
	case data.StructType:
		switch {
		case isUnion(s):
			return t.union(s)
		case s.Optional():
			n, err := t.cyclic(required(s), false)
			return &node{kind: unionKind, branches: []*node{{kind: nullKind}, n}}, err
		}
		return t.record(s)
	}
	return nil, connect.NewDataError("Unknown schema type: "+s.Type().String(), nil)
}

// required is s without the permission of null.
func required(s *data.Schema) *data.Schema {
	b := data.NewBuilder(s.Type()).Like(s).Keys(s.Key()).Items(s.Elem()).Untyped()
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	r := b.MustBuild() // its parts are those of a schema
	d, ok := s.Default()
	if !ok || d.IsNull() {
		return r
	}
	if d.Kind() == data.KindStruct { // it lies on s
		own := data.MakeStruct(r, d.Struct().Values())
		d = data.StructOf(&own)
	}
	return b.Default(d).MustBuild()
}

func (t *translation) enum(s *data.Schema, name, param string) *node {
	n := &node{kind: enumKind}
	_, short := t.nameOf(s)
	n.space, n.name = "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		n.space, n.name = name[:i], name[i+1:]
	}
	for _, p := range s.Params() {
		if symbol, ok := strings.CutPrefix(p.Key, param+"."); ok {
			n.symbols = append(n.symbols, symbol)
		}
	}
	docKey := enumDocPrefix + short
	if t.discard {
		docKey = connectEnumDoc
	}
	if doc, ok := s.Param(docKey); ok {
		n.doc = &doc
	}
	if def, ok := s.Param(enumDefaultPrefix + short); ok && !t.discard {
		n.enumDefault = &def
	}
	return n
}

func (t *translation) bytes(s *data.Schema) (*node, error) {
	n := &node{kind: bytesKind}
	if isFixed(s) {
		text, _ := s.Param(fixedSize)
		size, err := strconv.ParseInt(text, 10, 32)
		if err != nil || size < 0 {
			return nil, numberError(text)
		}
		n.kind, n.size = fixedKind, int(size)
		n.space, n.name = t.nameOf(s)
	}
	if s.Logical() == data.LogicalDecimal {
		scale, precision, err := decimalOf(s)
		if err != nil {
			return nil, err
		}
		n.props.Put("scale", integer(scale))
		n.props.Put("precision", integer(precision))
	}
	return n, nil
}

func integer(i int) jsontree.Node { return jsontree.Number(strconv.Itoa(i)) }

func numberError(text string) error {
	return &connect.Error{Class: "java.lang.NumberFormatException", Kind: connect.Data, Message: `For input string: "` + text + `"`}
}

func decimalOf(s *data.Schema) (scale, precision int, err error) {
	sc, err := s.Scale()
	if err != nil {
		return 0, 0, err
	}
	precision = defaultPrecision
	if text, ok := s.Param(decimalPrecision); ok {
		p, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return 0, 0, numberError(text)
		}
		precision = int(p)
	}
	return int(sc), precision, nil
}

// entries is a map whose keys are no text: an array of entries.
func (t *translation) entries(s *data.Schema) (*node, error) {
	entry := &node{kind: recordKind, name: entryName, space: namespace}
	if s.HasName() {
		entry.space, entry.name = t.nameOf(s)
		entry.props.Put(connectInternal, entryName)
	}
	for _, f := range []struct {
		name   string
		schema *data.Schema
	}{{"key", s.Key()}, {"value", s.Elem()}} {
		if err := t.addField(entry, f.name, f.schema, nil); err != nil {
			return nil, err
		}
	}
	return &node{kind: arrayKind, items: entry}, nil
}

func (t *translation) union(s *data.Schema) (*node, error) {
	n := &node{kind: unionKind}
	if s.Optional() {
		n.branches = append(n.branches, &node{kind: nullKind})
	}
	for _, f := range s.Fields() {
		b, err := t.cyclic(required(f.Schema), true)
		if err != nil {
			return nil, err
		}
		n.branches = append(n.branches, b)
	}
	return n, nil
}

func (t *translation) record(s *data.Schema) (*node, error) {
	n := &node{kind: recordKind}
	n.space, n.name = t.nameOf(s)
	docKey := recordDoc
	if t.discard {
		docKey = connectRecordDoc
	}
	if doc, ok := s.Param(docKey); ok {
		n.doc = &doc
	}
	if s.HasName() {
		t.named[s.Name()] = n
	}
	for _, f := range s.Fields() {
		var doc *string
		if text, ok := s.Param(fieldDocPrefix + f.Name); ok && !t.discard {
			doc = &text
		}
		if err := t.addField(n, t.scrubbed(f.Name), f.Schema, doc); err != nil {
			return nil, err
		}
	}
	if s.HasName() && len(s.Fields()) == 0 {
		n.fields = []field{}
	}
	return n, nil
}

func (t *translation) addField(n *node, name string, s *data.Schema, doc *string) error {
	f := field{name: name, doc: doc}
	var err error
	if f.node, err = t.of(s, false); err != nil {
		return err
	}
	if t.discard && s != nil {
		if text, ok := s.Doc(); ok {
			f.doc = &text
		}
	}
	if s != nil {
		if d, ok := s.Default(); ok && !d.IsNull() {
			if f.def, err = t.defaultOf(s, d, true); err != nil {
				return err
			}
			f.hasDefault = validDefault(f.node, f.def) // Java drops others with a warning
		} else if s.Optional() {
			f.def, f.hasDefault = nil, validDefault(f.node, nil)
		}
	}
	n.fields = append(n.fields, f)
	return nil
}

// describe adds the properties that tell what only Connect knows, in the
// order of the Java converter.
func (t *translation) describe(n *node, s *data.Schema) error {
	if t.meta {
		if doc, ok := s.Doc(); ok {
			n.props.Put(connectDoc, doc)
		}
		if v, ok := s.Version(); ok {
			n.props.Put(connectVersion, integer(int(v)))
		}
		params := &jsontree.Object{}
		for _, p := range s.Params() {
			if t.discard || p.Key != defaultFlag {
				params.Members = append(params.Members, jsontree.Member{Name: p.Key, Value: p.Value})
			}
		}
		if len(params.Members) > 0 {
			n.props.Put(connectParameters, params)
		}
		_, ofField := s.Param(defaultFlag)
		if d, ok := s.Default(); ok && !d.IsNull() && (t.discard || !ofField) {
			v, err := t.defaultOf(s, d, false)
			if err != nil {
				return err
			}
			n.props.Put(connectDefault, v)
		}
		if s.HasName() {
			n.props.Put(connectName, s.Name())
		}
		switch s.Type() {
		case data.Int8:
			n.props.Put(connectType, "int8")
		case data.Int16:
			n.props.Put(connectType, "int16")
		}
	}
	switch s.Logical() {
	case data.LogicalDecimal:
		if _, _, err := decimalOf(s); err != nil {
			return err
		}
		n.props.Put("logicalType", "decimal")
	case data.LogicalDate:
		n.props.Put("logicalType", "date")
	case data.LogicalTime:
		n.props.Put("logicalType", "time-millis")
	case data.LogicalTimestamp:
		n.props.Put("logicalType", "timestamp-millis")
	}
	for _, p := range s.Params() {
		if strings.HasPrefix(p.Key, "avro") {
			n.props.Put(p.Key, p.Value)
		}
	}
	return nil
}

// defaultOf returns the JSON of a default. ofField is the default of an Avro
// field, where Java widens a float before it writes it.
func (t *translation) defaultOf(s *data.Schema, v data.Value, ofField bool) (jsontree.Node, error) {
	if v.IsNull() {
		return nil, nil
	}
	switch k := v.Kind(); k {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return jsontree.Number(strconv.FormatInt(v.Int(), 10)), nil
	case data.KindFloat32:
		if ofField {
			return jsontree.Number(data.AppendFloat64(nil, float64(v.Float32()))), nil
		}
		return jsontree.Number(data.AppendFloat32(nil, v.Float32())), nil
	case data.KindFloat64:
		return jsontree.Number(data.AppendFloat64(nil, v.Float64())), nil
	case data.KindBool:
		return v.Bool(), nil
	case data.KindString:
		return v.Str(), nil
	case data.KindBytes:
		return latin1(v.Bytes()), nil
	case data.KindDecimal:
		b, err := data.AppendDecimalBytes(nil, s, v.Decimal())
		return latin1(b), err
	case data.KindInstant:
		n, err := data.StoredInstant(s.Logical(), v.Instant())
		return jsontree.Number(strconv.FormatInt(n, 10)), err
	case data.KindArray:
		list := []jsontree.Node{}
		for _, e := range v.Array() {
			d, err := t.defaultOf(s.Elem(), e, ofField)
			if err != nil {
				return nil, err
			}
			list = append(list, d)
		}
		return list, nil
	case data.KindMap:
		return t.mapDefault(s, v.Map(), ofField)
	case data.KindStruct:
		return t.structDefault(s, v.Struct(), ofField)
	}
	return nil, connect.NewDataError("Invalid type used for default value of "+s.Type().String()+" field: class "+v.JavaClass(), nil)
}

func (t *translation) mapDefault(s *data.Schema, m *data.Map, ofField bool) (jsontree.Node, error) {
	object, list := &jsontree.Object{}, []jsontree.Node{}
	text := t.textKeys(s)
	for _, e := range m.Entries {
		value, err := t.defaultOf(s.Elem(), e.Value, ofField)
		if err != nil {
			return nil, err
		}
		if text {
			object.Put(e.Key.Str(), value)
			continue
		}
		key, err := t.defaultOf(s.Key(), e.Key, ofField)
		if err != nil {
			return nil, err
		}
		list = append(list, []jsontree.Node{key, value})
	}
	if text {
		return object, nil
	}
	return list, nil
}

func (t *translation) structDefault(s *data.Schema, st *data.Struct, ofField bool) (jsontree.Node, error) {
	object := &jsontree.Object{}
	for i, f := range s.Fields() {
		v := st.At(i)
		if d, ok := f.Schema.Default(); ok && v.IsNull() {
			v = d
		}
		n, err := t.defaultOf(f.Schema, v, ofField)
		if err != nil {
			return nil, err
		}
		if isUnion(s) {
			if v.IsNull() {
				continue
			}
			return n, nil
		}
		object.Put(t.scrubbed(f.Name), n)
	}
	return object, nil
}

// latin1 is the JSON form of bytes: a character for each.
func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// validDefault reports whether Avro allows a default for a schema.
func validDefault(n *node, d jsontree.Node) bool {
	switch n.kind {
	case nullKind:
		return d == nil
	case booleanKind:
		_, ok := d.(bool)
		return ok
	case intKind, longKind:
		number, ok := d.(jsontree.Number)
		if !ok {
			return false
		}
		i, err := strconv.ParseInt(string(number), 10, 64)
		return err == nil && (n.kind == longKind || i >= math.MinInt32 && i <= math.MaxInt32)
	case floatKind, doubleKind:
		number, ok := d.(jsontree.Number)
		return ok && number != "NaN" && !strings.HasSuffix(string(number), "Infinity") // these are no JSON
	case bytesKind, fixedKind, stringKind, enumKind:
		_, ok := d.(string)
		return ok
	case arrayKind:
		list, ok := d.([]jsontree.Node)
		for _, e := range list {
			ok = ok && validDefault(n.items, e)
		}
		return ok
	case mapKind:
		o, ok := d.(*jsontree.Object)
		if ok {
			for _, m := range o.Members {
				ok = ok && validDefault(n.items, m.Value)
			}
		}
		return ok
	case recordKind:
		o, ok := d.(*jsontree.Object)
		if !ok {
			return false
		}
		for i := range n.fields {
			f := &n.fields[i]
			v, there := o.Get(f.name)
			if !there && f.hasDefault {
				continue // looked at in its own place; a record's default may lead to itself
			}
			if !validDefault(f.node, v) {
				return false
			}
		}
		return true
	case unionKind:
		return len(n.branches) > 0 && validDefault(n.branches[0], d)
	}
	return false
}
