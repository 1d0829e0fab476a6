package jsonschema

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/registry"
)

// kind is what a schema is after its keywords were looked at.
type kind uint8

const (
	anyKind kind = iota // no keyword that says a type
	booleanKind
	integerKind
	numberKind
	stringKind
	nullKind
	enumKind
	constKind
	arrayKind
	objectKind
	oneOfKind // also anyOf
	allOfKind
	refKind
)

// schema is a JSON schema, one node for each place of a document.
type schema struct {
	kind       kind
	own        *jsontree.Object // the members as they stand there
	title      *string
	properties []property
	additional *schema // of an object that is a map
	items      *schema
	parts      []*schema
	symbols    []string
	target     *schema // of a reference
}

type property struct {
	name     string
	schema   *schema
	required bool
}

// prop returns a member that is a string; empty when there is none.
func (s *schema) prop(name string) string {
	v, _ := s.own.Text(name)
	return v
}

func (s *schema) number(name string) (int, bool) {
	v, _ := s.own.Get(name)
	n, ok := v.(jsontree.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(string(n))
	return i, err == nil
}

// document is a schema of the registry under the name by which it is referred
// to.
type document struct {
	name string
	tree jsontree.Node
	made map[string]*schema // by JSON pointer
	ids  map[string]string  // pointers by $id and $anchor
}

type loader struct {
	documents map[string]*document
	count     int
}

// maxSchemas bounds what a schema can unfold to.
const maxSchemas = 100_000

func load(text string, references []registry.Named) (*schema, error) {
	l := &loader{documents: map[string]*document{}}
	for _, r := range references {
		if err := l.add(r.Name, r.Text); err != nil {
			return nil, fmt.Errorf("schema %s, which is referred to: %w", r.Name, err)
		}
	}
	if err := l.add("", text); err != nil {
		return nil, err
	}
	root := l.documents[""]
	return l.at(root, "", root.tree)
}

func (l *loader) add(name, text string) error {
	tree, err := jsontree.Parse([]byte(text))
	if err != nil {
		return err
	}
	d := &document{name: name, tree: tree, made: map[string]*schema{}, ids: map[string]string{}}
	d.index("", tree)
	l.documents[name] = d
	if o, ok := tree.(*jsontree.Object); ok {
		for _, member := range []string{"$id", "id"} {
			if id, ok := o.Text(member); ok && l.documents[id] == nil {
				l.documents[id] = d
			}
		}
	}
	return nil
}

// index finds the names that parts of the document give themselves.
func (d *document) index(pointer string, tree jsontree.Node) {
	switch t := tree.(type) {
	case *jsontree.Object:
		for _, member := range []string{"$id", "id"} {
			if id, ok := t.Text(member); ok {
				d.ids[id] = pointer
			}
		}
		if anchor, ok := t.Text("$anchor"); ok {
			d.ids["#"+anchor] = pointer
		}
		for _, m := range t.Members {
			d.index(pointer+"/"+escape(m.Name), m.Value)
		}
	case []jsontree.Node:
		for i, e := range t {
			d.index(pointer+"/"+strconv.Itoa(i), e)
		}
	}
}

func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// at returns the schema at a place; a place that leads to itself is one node.
func (l *loader) at(d *document, pointer string, tree jsontree.Node) (*schema, error) {
	if s, ok := d.made[pointer]; ok {
		return s, nil
	}
	if l.count++; l.count > maxSchemas {
		return nil, fmt.Errorf("the schema unfolds to more than %d schemas", maxSchemas)
	}
	s := &schema{}
	d.made[pointer] = s
	o, ok := tree.(*jsontree.Object)
	if !ok {
		if _, ok := tree.(bool); ok {
			return s, nil
		}
		return nil, fmt.Errorf("a schema must be an object, at #%s", pointer)
	}
	s.own = o
	if title, ok := o.Text("title"); ok {
		s.title = &title
	}
	if ref, ok := o.Text("$ref"); ok {
		s.kind = refKind
		var err error
		s.target, err = l.resolve(d, ref)
		return s, err
	}
	return s, l.keywords(s, d, pointer)
}

// resolve follows a reference.
func (l *loader) resolve(d *document, ref string) (*schema, error) {
	name, fragment, _ := strings.Cut(ref, "#")
	if pointer, ok := d.ids[ref]; ok {
		fragment = pointer
	} else if pointer, ok := d.ids["#"+fragment]; ok && name == "" && fragment != "" {
		fragment = pointer
	} else if name != "" {
		other, ok := l.documents[name]
		if !ok {
			return nil, fmt.Errorf("reference %s leads nowhere: register the schema with it as a reference", strconv.Quote(ref))
		}
		d = other
	}
	if unescaped, err := url.PathUnescape(fragment); err == nil {
		fragment = unescaped
	}
	tree := d.tree
	for _, step := range strings.Split(fragment, "/")[1:] {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch t := tree.(type) {
		case *jsontree.Object:
			tree, _ = t.Get(step)
		case []jsontree.Node:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(t) {
				return nil, fmt.Errorf("reference %s leads nowhere", strconv.Quote(ref))
			}
			tree = t[i]
		default:
			tree = nil
		}
	}
	if tree == nil {
		return nil, fmt.Errorf("reference %s leads nowhere", strconv.Quote(ref))
	}
	return l.at(d, fragment, tree)
}

// hints are keywords by which a schema without a type is taken for one.
var hints = []struct {
	kind     kind
	keywords []string
}{
	{objectKind, []string{"properties", "required", "additionalProperties", "minProperties", "maxProperties", "patternProperties", "dependencies", "propertyNames"}},
	{arrayKind, []string{"items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"}},
	{numberKind, []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
	{stringKind, []string{"minLength", "maxLength", "pattern", "format"}},
}

var typeKinds = map[string]kind{
	"boolean": booleanKind, "integer": integerKind, "number": numberKind, "string": stringKind, "null": nullKind, "array": arrayKind, "object": objectKind,
}

// keywords makes s what its members say. Several keywords that each say
// something, such as an enum beside a type, are the parts of an allOf.
func (l *loader) keywords(s *schema, d *document, pointer string) error {
	var parts []*schema
	if v, ok := s.own.Get("enum"); ok {
		list, _ := v.([]jsontree.Node)
		e := &schema{kind: enumKind, own: s.own}
		for _, symbol := range list {
			switch x := symbol.(type) {
			case nil:
				e.symbols = append(e.symbols, nullSymbol)
			case string:
				e.symbols = append(e.symbols, x)
			default:
				e.symbols = append(e.symbols, string(jsontree.Append(nil, x)))
			}
		}
		parts = append(parts, e)
	}
	if _, ok := s.own.Get("const"); ok {
		parts = append(parts, &schema{kind: constKind, own: s.own})
	}
	for _, word := range []string{"oneOf", "anyOf", "allOf"} {
		v, ok := s.own.Get(word)
		if !ok {
			continue
		}
		list, _ := v.([]jsontree.Node)
		c := &schema{kind: oneOfKind, own: s.own}
		if word == "allOf" {
			c.kind = allOfKind
		}
		for i, e := range list {
			p, err := l.at(d, pointer+"/"+word+"/"+strconv.Itoa(i), e)
			if err != nil {
				return err
			}
			c.parts = append(c.parts, p)
		}
		parts = append(parts, c)
	}
	typed, err := l.typed(s, d, pointer)
	if err != nil {
		return err
	}
	if typed != nil {
		parts = append(parts, typed)
	}
	switch len(parts) {
	case 0:
	case 1:
		title := s.title
		*s = *parts[0]
		s.title = title
	default:
		s.kind, s.parts = allOfKind, parts
	}
	return nil
}

// typed is what the type says, or keywords that go with one type only.
func (l *loader) typed(s *schema, d *document, pointer string) (*schema, error) {
	v, _ := s.own.Get("type")
	switch t := v.(type) {
	case string:
		return l.ofKind(s, typeKinds[t], d, pointer)
	case []jsontree.Node:
		var parts []*schema
		for _, e := range t {
			name, _ := e.(string)
			p, err := l.ofKind(s, typeKinds[name], d, pointer)
			if err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
		if len(parts) == 1 {
			return parts[0], nil
		}
		return &schema{kind: oneOfKind, own: s.own, parts: parts}, nil
	}
	for _, h := range hints {
		for _, word := range h.keywords {
			if _, ok := s.own.Get(word); ok {
				return l.ofKind(s, h.kind, d, pointer)
			}
		}
	}
	return nil, nil
}

func (l *loader) ofKind(s *schema, k kind, d *document, pointer string) (*schema, error) {
	if k == anyKind {
		return nil, fmt.Errorf("a schema has an unknown type, at #%s", pointer)
	}
	t := &schema{kind: k, own: s.own}
	var err error
	switch k {
	case arrayKind:
		if items, ok := s.own.Get("items"); ok {
			if _, tuple := items.([]jsontree.Node); !tuple {
				t.items, err = l.at(d, pointer+"/items", items)
			}
		}
	case objectKind:
		err = l.object(t, d, pointer)
	}
	return t, err
}

func (l *loader) object(t *schema, d *document, pointer string) error {
	required := map[string]bool{}
	v, _ := t.own.Get("required")
	list, _ := v.([]jsontree.Node)
	for _, e := range list {
		if name, ok := e.(string); ok {
			required[name] = true
		}
	}
	v, _ = t.own.Get("properties")
	if properties, ok := v.(*jsontree.Object); ok {
		members := append([]jsontree.Member(nil), properties.Members...)
		javaOrder(members)
		for _, m := range members {
			p, err := l.at(d, pointer+"/properties/"+escape(m.Name), m.Value)
			if err != nil {
				return err
			}
			t.properties = append(t.properties, property{m.Name, p, required[m.Name]})
		}
	}
	if v, ok := t.own.Get("additionalProperties"); ok {
		if _, ok := v.(*jsontree.Object); ok {
			var err error
			t.additional, err = l.at(d, pointer+"/additionalProperties", v)
			return err
		}
	}
	return nil
}
