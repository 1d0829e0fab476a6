package avro

import (
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

// reading makes the Connect schema of one Avro schema.
type reading struct {
	settings
	inside map[*node]bool // records that are being read
	unions int
	count  int
}

// maxSchemas bounds the tree that a schema can unfold to: a named type may
// stand in it many times.
const maxSchemas = 100_000

// toConnect returns the Connect schema of values of n. version is that of the
// schema in its subject; it counts where the schema has none of its own. Nil
// is the schema of values without one.
func (c *settings) toConnect(n *node, version int) (*data.Schema, error) {
	if isAnything(n) {
		return nil, nil
	}
	r := reading{settings: *c, inside: map[*node]bool{}}
	return r.of(n, slot{version: version})
}

// isAnything reports whether n is the record of values without a schema.
func isAnything(n *node) bool {
	return n.kind == recordKind && n.name == anythingName && n.space == namespace && len(n.fields) == 9
}

// slot is what the place of a schema has to say about it.
type slot struct {
	optional   bool
	def        jsontree.Node // of an Avro field
	hasDefault bool
	doc        *string
	version    int // 0 is none
}

func (r *reading) of(n *node, at slot) (*data.Schema, error) {
	if r.count++; r.count > maxSchemas {
		return nil, connect.NewDataError("The Avro schema unfolds to more than "+strconv.Itoa(maxSchemas)+" schemas", nil)
	}
	b, err := r.builder(n, &at)
	if err != nil || b == nil {
		if b == nil && err == nil {
			return r.of(r.only(n), slot{optional: at.optional || n.null() >= 0, doc: at.doc})
		}
		return nil, err
	}
	r.document(b, n, &at)
	if err := r.versioned(b, n, at.version); err != nil {
		return nil, err
	}
	if err := r.parameters(b, n, &at); err != nil {
		return nil, err
	}
	if err := r.name(b, n); err != nil {
		return nil, err
	}
	b.SetOptional(at.optional || n.kind == unionKind && n.null() >= 0)
	s, err := b.Build()
	if err != nil {
		return nil, err
	}
	return r.withDefault(b, s, n, &at), nil
}

// only returns the one type of a union that is no union for Connect: that
// beside null, or the only one. Nil for a union of several.
func (r *reading) only(n *node) *node {
	switch {
	case len(n.branches) == 1 && r.flatten && n.branches[0].kind != nullKind:
		return n.branches[0]
	case len(n.branches) == 2 && n.null() >= 0 && n.branches[1-n.null()].kind != nullKind:
		return n.branches[1-n.null()]
	}
	return nil
}

// builder starts the schema of n; nil for a union of one type.
func (r *reading) builder(n *node, at *slot) (*data.Builder, error) {
	logical := strings.ToLower(n.prop("logicalType"))
	switch n.kind {
	case booleanKind:
		return data.NewBuilder(data.Boolean), nil
	case bytesKind, fixedKind:
		return bytesBuilder(n, logical)
	case doubleKind:
		return data.NewBuilder(data.Float64), nil
	case floatKind:
		return data.NewBuilder(data.Float32), nil
	case intKind:
		return intBuilder(n, logical)
	case longKind:
		if logical == "timestamp-millis" {
			return data.NewTimestampBuilder(), nil
		}
		return data.NewBuilder(data.Int64), nil
	case stringKind:
		return data.NewBuilder(data.String), nil
	case arrayKind:
		if isEntry(n.items) {
			return r.mapOfEntries(n.items)
		}
		elem, err := r.of(n.items, slot{})
		return data.NewBuilder(data.Array).Items(elem).Untyped(), err
	case mapKind:
		elem, err := r.of(n.items, slot{})
		return data.NewBuilder(data.MapType).Keys(data.StringSchema).Items(elem).Untyped(), err
	case recordKind:
		return r.record(n)
	case enumKind:
		return r.enum(n), nil
	case unionKind:
		if r.only(n) != nil {
			return nil, nil
		}
		return r.union(n, at)
	}
	return nil, connect.NewDataError("Standalone null schemas are not supported by this converter", nil)
}

func bytesBuilder(n *node, logical string) (*data.Builder, error) {
	b := data.NewBuilder(data.Bytes)
	if logical == "decimal" {
		scale, _ := intProp(n, "scale") // 0 when it is not there
		b = data.NewDecimalBuilder(int32(scale))
		if v, ok := n.props.Get("precision"); ok && v != nil {
			precision, ok := intProp(n, "precision")
			if !ok {
				return nil, connect.NewDataError("precision property must be a JSON Integer. https://avro.apache.org/docs/1.9.1/spec.html#Decimal", nil)
			}
			if precision != defaultPrecision {
				b.Param(decimalPrecision, strconv.Itoa(precision))
			}
		}
	}
	if n.kind == fixedKind {
		b.Param(fixedSize, strconv.Itoa(n.size))
	}
	return b, nil
}

// intProp returns a property that is a whole number within 32 bits.
func intProp(n *node, name string) (int, bool) {
	v, _ := n.props.Get(name)
	number, ok := v.(jsontree.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(string(number), 10, 32)
	return int(i), err == nil
}

func intBuilder(n *node, logical string) (*data.Builder, error) {
	switch logical {
	case "date":
		return data.NewDateBuilder(), nil
	case "time-millis":
		return data.NewTimeBuilder(), nil
	}
	t, ok := n.props.Text(connectType)
	switch {
	case logical != "" || !ok:
		return data.NewBuilder(data.Int32), nil
	case t == "int8":
		return data.NewBuilder(data.Int8), nil
	case t == "int16":
		return data.NewBuilder(data.Int16), nil
	}
	return nil, connect.NewDataError("Connect type annotation for Avro int field is null", nil)
}

// isEntry reports whether n is an entry of a map whose keys are no text.
func isEntry(n *node) bool {
	return n.kind == recordKind && (n.space == namespace && n.name == entryName || n.prop(connectInternal) == entryName)
}

func (r *reading) mapOfEntries(n *node) (*data.Builder, error) {
	k, v := n.field("key"), n.field("value")
	if len(n.fields) != 2 || k < 0 || v < 0 {
		return nil, connect.NewDataError("Found map encoded as array of key-value pairs, but array elements do not match the expected format.", nil)
	}
	if r.inside[n] {
		return nil, recursive(n)
	}
	r.inside[n] = true
	defer delete(r.inside, n)
	key, err := r.of(n.fields[k].node, slot{})
	if err != nil {
		return nil, err
	}
	elem, err := r.of(n.fields[v].node, slot{})
	return data.NewBuilder(data.MapType).Keys(key).Items(elem).Untyped(), err
}

// recursive is the error of a record in itself. A Connect schema here is a
// tree; in Java it can be a graph, which most connectors cannot work with.
func recursive(n *node) error {
	e := connect.NewDataError("Record "+n.fullName()+" contains itself: recursive schemas have no Connect schema here", nil)
	e.Remedy = "Read the topic with org.apache.kafka.connect.converters.ByteArrayConverter, or change the schema to lists of limited depth."
	return e
}

func (r *reading) record(n *node) (*data.Builder, error) {
	if r.inside[n] {
		return nil, recursive(n)
	}
	r.inside[n] = true
	defer delete(r.inside, n)
	b := data.NewStructBuilder()
	if r.meta && !r.discard && n.doc != nil {
		b.Param(recordDoc, *n.doc)
	}
	for i := range n.fields {
		f := &n.fields[i]
		if r.meta && !r.discard && f.doc != nil {
			b.Param(fieldDocPrefix+f.name, *f.doc)
		}
		at := slot{doc: f.doc}
		if f.hasDefault && validDefault(f.node, f.def) {
			at.def, at.hasDefault = f.def, true
		}
		s, err := r.of(f.node, at)
		if err != nil {
			return nil, err
		}
		b.Field(f.name, s)
	}
	return b, b.Err()
}

func (r *reading) enum(n *node) *data.Builder {
	b := data.NewBuilder(data.String)
	if r.meta {
		if n.doc != nil {
			key := enumDocPrefix + n.name
			if r.discard {
				key = connectEnumDoc
			}
			b.Param(key, *n.doc)
		}
		if !r.discard && n.enumDefault != nil {
			b.Param(enumDefaultPrefix+n.name, *n.enumDefault)
		}
	}
	registry.DescribeEnum(b, r.generalized, enumParam, n.fullName(), n.symbols)
	return b
}

// union is a struct of which one field is set.
func (r *reading) union(n *node, at *slot) (*data.Builder, error) {
	name := unionName
	b := data.NewStructBuilder()
	if r.generalized {
		name = registry.UnionPrefix + strconv.Itoa(r.unions)
		r.unions++
		b.Param(registry.UnionParam, name)
	}
	b.Named(name)
	for i, branch := range n.branches {
		if branch.kind == nullKind {
			continue
		}
		s, err := r.of(branch, slot{optional: true})
		if err != nil {
			return nil, err
		}
		b.Field(r.memberName(branch, i), s)
		if b.Err() != nil {
			return nil, connect.NewDataError("Multiple union schemas map to the Connect union field name", nil)
		}
	}
	return b, nil
}

// memberName is the name of the field for a type of a union.
func (r *reading) memberName(n *node, index int) string {
	switch {
	case r.generalized:
		return registry.UnionFieldPrefix + strconv.Itoa(index)
	case !n.kind.named():
		return n.kind.String()
	case r.enhanced:
		return n.fullName()
	}
	return r.scrubbed(n.name)
}

func (r *reading) document(b *data.Builder, n *node, at *slot) {
	own, hasOwn := n.props.Text(connectDoc)
	if !r.discard {
		if r.meta && hasOwn {
			b.Doc(own)
		}
		return
	}
	switch {
	case at.doc != nil:
		b.Doc(*at.doc)
	case n.doc != nil:
		b.Doc(*n.doc)
	case hasOwn:
		b.Doc(own)
	}
	if r.meta && n.doc != nil {
		b.Param(connectRecordDoc, *n.doc)
	}
}

// logicalOf returns the name that the builder of a logical type has given.
func logicalOf(n *node) string {
	switch strings.ToLower(n.prop("logicalType")) {
	case "decimal":
		if n.kind == bytesKind || n.kind == fixedKind {
			return data.DecimalName
		}
	case "date":
		if n.kind == intKind {
			return data.DateName
		}
	case "time-millis":
		if n.kind == intKind {
			return data.TimeName
		}
	case "timestamp-millis":
		if n.kind == longKind {
			return data.TimestampName
		}
	}
	return ""
}

// versioned sets the version: the schema's own, or that of the subject. The
// version of a logical type is always 1.
func (r *reading) versioned(b *data.Builder, n *node, version int) error {
	v, ok := n.props.Get(connectVersion)
	logical := logicalOf(n) != ""
	if !ok || v == nil {
		if version > 0 && !logical {
			b.Version(int32(version))
		}
		return nil
	}
	own, ok := intProp(n, connectVersion)
	if !ok {
		return connect.NewDataError("Invalid Connect version found: "+string(jsontree.Append(nil, v)), nil)
	}
	switch {
	case own < 0:
	case logical && own != 1:
		return connect.NewDataError("Mismatched versions: version already added to SchemaBuilder (1) differs from version in source schema ("+strconv.Itoa(own)+")", nil)
	default:
		b.Version(int32(own))
	}
	return nil
}

func (r *reading) parameters(b *data.Builder, n *node, at *slot) error {
	if v, ok := n.props.Get(connectParameters); ok && r.meta && v != nil {
		o, ok := v.(*jsontree.Object)
		if !ok {
			return connect.NewDataError("Expected JSON object for schema parameters but found: "+string(jsontree.Append(nil, v)), nil)
		}
		for _, m := range o.Members {
			text, ok := m.Value.(string)
			if !ok {
				return connect.NewDataError("Expected schema parameter values to be strings but found: "+string(jsontree.Append(nil, m.Value)), nil)
			}
			b.Param(m.Name, text)
		}
	}
	for _, m := range n.props.Members {
		if strings.HasPrefix(m.Name, "avro") {
			text, ok := m.Value.(string)
			if !ok {
				text = string(jsontree.Append(nil, m.Value))
			}
			b.Param(m.Name, text)
		}
	}
	if own, _ := n.props.Get(connectDefault); own == nil && at.hasDefault && !r.discard && r.meta {
		b.Param(defaultFlag, "true")
	}
	return nil
}

func (r *reading) name(b *data.Builder, n *node) error {
	name := ""
	if v, ok := n.props.Get(connectName); ok && v != nil {
		text, ok := v.(string)
		if !ok {
			return connect.NewDataError("Invalid schema name: "+string(jsontree.Append(nil, v)), nil)
		}
		name = text
	} else if n.kind.named() {
		name = n.fullName()
	}
	if name == "" || strings.HasPrefix(name, namespace+"."+defaultName) {
		return nil
	}
	given := logicalOf(n)
	if n.kind == unionKind {
		return nil
	}
	if given != "" {
		if name != given && n.kind != fixedKind { // a decimal in a fixed has the name of both
			return connect.NewDataError("Mismatched names: name already added to SchemaBuilder ("+given+") differs from name in source schema ("+name+")", nil)
		}
		return nil
	}
	b.Named(name)
	return nil
}

// withDefault adds the default to s; one that does not fit is left out, as in
// Java.
func (r *reading) withDefault(b *data.Builder, s *data.Schema, n *node, at *slot) *data.Schema {
	def, has := at.def, at.hasDefault
	if own, ok := n.props.Get(connectDefault); !has && ok && own != nil {
		def, has = own, true
	}
	if !has || def == nil {
		return s
	}
	v, err := r.defaultFrom(s, n, def)
	if err != nil || v.IsNull() {
		return s
	}
	if full, err := b.Default(v).Build(); err == nil {
		return full
	}
	return s
}
