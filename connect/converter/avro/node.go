package avro

import (
	"fmt"
	"strconv"
	"strings"

	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/registry"
)

// kind is a type of Avro.
type kind uint8

const (
	nullKind kind = iota
	booleanKind
	intKind
	longKind
	floatKind
	doubleKind
	bytesKind
	stringKind
	recordKind
	enumKind
	arrayKind
	mapKind
	unionKind
	fixedKind
)

var kindNames = [...]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map", "union", "fixed"}

func (k kind) String() string { return kindNames[k] }

func (k kind) named() bool { return k == recordKind || k == enumKind || k == fixedKind }

// node is an Avro schema. A named type is one node wherever it is referred
// to, so the graph may have cycles.
type node struct {
	kind        kind
	name, space string // of a named type; an empty space is none
	doc         *string
	fields      []field // of a record
	symbols     []string
	enumDefault *string
	size        int     // of a fixed
	items       *node   // of an array, or the values of a map
	branches    []*node // of a union
	aliases     []string
	props       jsontree.Object // all else, in the order of the text
}

type field struct {
	name       string
	node       *node
	doc        *string
	def        jsontree.Node
	hasDefault bool
	aliases    []string
}

// fullName is the name of a named type, or that of the kind.
func (n *node) fullName() string {
	switch {
	case !n.kind.named():
		return n.kind.String()
	case n.space == "":
		return n.name
	}
	return n.space + "." + n.name
}

// prop returns a property that is a string; empty when there is none.
func (n *node) prop(name string) string {
	s, _ := n.props.Text(name)
	return s
}

// null returns the place of null in a union, or -1.
func (n *node) null() int {
	for i, b := range n.branches {
		if b.kind == nullKind {
			return i
		}
	}
	return -1
}

func (n *node) field(name string) int {
	for i := range n.fields {
		if n.fields[i].name == name {
			return i
		}
	}
	return -1
}

// parser reads schemas. It is as lenient as a registry has been in its years:
// names and defaults are not checked.
type parser struct{ types map[string]*node }

// parseSchema reads the text of a schema. references are those it builds on,
// in an order in which each finds what it needs.
func parseSchema(text string, references []registry.Named) (*node, error) {
	p := parser{map[string]*node{}}
	for _, r := range references {
		if _, err := p.parse(r.Text); err != nil {
			return nil, fmt.Errorf("schema %s, which is referred to: %w", r.Name, err)
		}
	}
	return p.parse(text)
}

func (p *parser) parse(text string) (*node, error) {
	tree, err := jsontree.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return p.node(tree, "")
}

func (p *parser) node(tree jsontree.Node, space string) (*node, error) {
	switch t := tree.(type) {
	case string:
		return p.byName(t, space)
	case []jsontree.Node:
		n := &node{kind: unionKind}
		for _, b := range t {
			branch, err := p.node(b, space)
			if err != nil {
				return nil, err
			}
			if branch.kind == unionKind {
				return nil, fmt.Errorf("a union stands in a union")
			}
			n.branches = append(n.branches, branch)
		}
		return n, nil
	case *jsontree.Object:
		return p.object(t, space)
	}
	return nil, fmt.Errorf("a schema must be a name, an object or an array")
}

var primitives = map[string]kind{
	"null": nullKind, "boolean": booleanKind, "int": intKind, "long": longKind, "float": floatKind, "double": doubleKind,
	"bytes": bytesKind, "string": stringKind,
}

func (p *parser) byName(name, space string) (*node, error) {
	if k, ok := primitives[name]; ok {
		return &node{kind: k}, nil
	}
	if !strings.Contains(name, ".") && space != "" {
		if n, ok := p.types[space+"."+name]; ok {
			return n, nil
		}
	}
	if n, ok := p.types[name]; ok {
		return n, nil
	}
	return nil, fmt.Errorf("type %s is not defined", strconv.Quote(name))
}

func (p *parser) object(o *jsontree.Object, space string) (*node, error) {
	typ, _ := o.Get("type")
	name, ok := typ.(string)
	if !ok {
		if typ == nil {
			return nil, fmt.Errorf(`a schema has no "type"`)
		}
		return p.node(typ, space) // a type in a type, which some generators write
	}
	n := &node{}
	var own []string // members that are no properties
	var err error
	switch name {
	case "record", "error":
		n.kind = recordKind
		own = []string{"fields"}
		err = p.record(n, o, space)
	case "enum":
		n.kind = enumKind
		own = []string{"symbols", "default"}
		err = p.enum(n, o, space)
	case "fixed":
		n.kind = fixedKind
		own = []string{"size"}
		err = p.fixed(n, o, space)
	case "array", "map":
		n.kind = arrayKind
		member := "items"
		if name == "map" {
			n.kind, member = mapKind, "values"
		}
		own = []string{member}
		items, ok := o.Get(member)
		if !ok {
			return nil, fmt.Errorf("%s has no %q", name, member)
		}
		n.items, err = p.node(items, space)
	default:
		k, primitive := primitives[name]
		if !primitive {
			return p.byName(name, space)
		}
		n.kind = k
	}
	if err != nil {
		return nil, err
	}
	if n.kind.named() {
		own = append(own, "name", "namespace", "doc", "aliases")
	}
	n.takeProps(o, own)
	return n, nil
}

func (n *node) takeProps(o *jsontree.Object, own []string) {
	for _, m := range o.Members {
		known := m.Name == "type"
		for _, name := range own {
			known = known || m.Name == name
		}
		if !known {
			n.props.Members = append(n.props.Members, m)
		}
	}
}

// define gives n its name and makes it known under it, before its fields are
// read, which may refer to it.
func (p *parser) define(n *node, o *jsontree.Object, space string) error {
	name, ok := o.Text("name")
	if !ok || name == "" {
		return fmt.Errorf("%s has no name", n.kind)
	}
	if own, ok := o.Text("namespace"); ok {
		space = own
	}
	n.name, n.space = name, space
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		n.name, n.space = name[i+1:], name[:i]
	}
	if doc, ok := o.Text("doc"); ok {
		n.doc = &doc
	}
	n.aliases = texts(o, "aliases")
	if _, twice := p.types[n.fullName()]; twice {
		return fmt.Errorf("type %s is defined twice", n.fullName())
	}
	p.types[n.fullName()] = n
	return nil
}

func texts(o *jsontree.Object, name string) []string {
	v, _ := o.Get(name)
	list, _ := v.([]jsontree.Node)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (p *parser) record(n *node, o *jsontree.Object, space string) error {
	if err := p.define(n, o, space); err != nil {
		return err
	}
	v, _ := o.Get("fields")
	list, ok := v.([]jsontree.Node)
	if !ok {
		return fmt.Errorf("record %s has no fields", n.fullName())
	}
	seen := map[string]bool{}
	for _, e := range list {
		fo, _ := e.(*jsontree.Object)
		name, ok := fo.Text("name")
		typ, typed := fo.Get("type")
		if !ok || !typed {
			return fmt.Errorf("a field of record %s has no name or no type", n.fullName())
		}
		if seen[name] {
			return fmt.Errorf("record %s has two fields %s", n.fullName(), name)
		}
		seen[name] = true
		f := field{name: name, aliases: texts(fo, "aliases")}
		var err error
		if f.node, err = p.node(typ, n.space); err != nil {
			return fmt.Errorf("field %s of record %s: %w", name, n.fullName(), err)
		}
		if doc, ok := fo.Text("doc"); ok {
			f.doc = &doc
		}
		f.def, f.hasDefault = fo.Get("default")
		n.fields = append(n.fields, f)
	}
	return nil
}

func (p *parser) enum(n *node, o *jsontree.Object, space string) error {
	if err := p.define(n, o, space); err != nil {
		return err
	}
	if n.symbols = texts(o, "symbols"); n.symbols == nil {
		return fmt.Errorf("enum %s has no symbols", n.fullName())
	}
	if def, ok := o.Text("default"); ok {
		n.enumDefault = &def
	}
	return nil
}

func (p *parser) fixed(n *node, o *jsontree.Object, space string) error {
	if err := p.define(n, o, space); err != nil {
		return err
	}
	v, _ := o.Get("size")
	number, _ := v.(jsontree.Number)
	size, err := strconv.ParseInt(string(number), 10, 32)
	if err != nil || size < 0 {
		return fmt.Errorf("fixed %s has no size", n.fullName())
	}
	n.size = int(size)
	return nil
}
