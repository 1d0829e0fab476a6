package jsonschema

import (
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

// object builds an object member by member.
func object(pairs ...any) *jsontree.Object {
	o := &jsontree.Object{}
	for i := 0; i < len(pairs); i += 2 {
		o.Members = append(o.Members, jsontree.Member{Name: pairs[i].(string), Value: pairs[i+1]}) //nolint:errcheck,forcetypeassert // names come first
	}
	return o
}

func nullSchema() *jsontree.Object { return object("type", "null") }

// fromConnect returns the JSON schema as which values of s are written, with
// its members in the order of the Java converter. index is the place of a
// field, -1 elsewhere.
func (c *settings) fromConnect(s *data.Schema, index int, ignoreOptional bool) (*jsontree.Object, error) {
	body, extra, combined, err := c.body(s)
	if err != nil {
		return nil, err
	}
	if combined {
		if index >= 0 {
			extra = append(extra, jsontree.Member{Name: connectIndex, Value: integer(index)})
		}
		return finish(nil, body, extra), nil
	}
	var head []jsontree.Member
	if s.HasName() {
		head = append(head, jsontree.Member{Name: "title", Value: s.Name()})
	}
	if doc, ok := s.Doc(); ok {
		head = append(head, jsontree.Member{Name: "description", Value: doc})
	}
	if v, ok := s.Version(); ok {
		extra = append(extra, jsontree.Member{Name: connectVersion, Value: integer(int(v))})
	}
	params := &jsontree.Object{}
	for _, p := range s.Params() {
		if !strings.HasPrefix(p.Key, namespace) {
			params.Members = append(params.Members, jsontree.Member{Name: p.Key, Value: p.Value})
		}
	}
	if len(params.Members) > 0 {
		javaOrder(params.Members)
		extra = append(extra, jsontree.Member{Name: connectParameters, Value: params})
	}
	if d, ok := s.Default(); ok && !d.IsNull() {
		e, err := c.encoderOf(s)
		if err != nil {
			return nil, err
		}
		text, err := e.append(nil, d)
		if err != nil {
			return nil, err
		}
		tree, err := jsontree.Parse(text)
		if err != nil {
			return nil, err
		}
		head = append(head, jsontree.Member{Name: "default", Value: tree})
	}
	if s.Optional() && !ignoreOptional {
		inner := finish(head, body, extra)
		var outer []jsontree.Member
		if index >= 0 {
			outer = []jsontree.Member{{Name: connectIndex, Value: integer(index)}}
		}
		return finish(nil, oneOf([]*jsontree.Object{nullSchema(), inner}), outer), nil
	}
	if index >= 0 {
		extra = append(extra, jsontree.Member{Name: connectIndex, Value: integer(index)})
	}
	return finish(head, body, extra), nil
}

func finish(head, body, extra []jsontree.Member) *jsontree.Object {
	javaOrder(extra)
	o := &jsontree.Object{}
	o.Members = append(append(append(o.Members, head...), body...), extra...)
	return o
}

// oneOf puts alternatives together, those that are such themselves first.
func oneOf(parts []*jsontree.Object) []jsontree.Member {
	var list []jsontree.Node
	for _, combined := range []bool{true, false} {
		for _, p := range parts {
			if _, is := p.Get("oneOf"); is == combined {
				list = append(list, p)
			}
		}
	}
	return []jsontree.Member{{Name: "oneOf", Value: list}}
}

func integer(i int) jsontree.Node { return jsontree.Number(strconv.Itoa(i)) }

// body returns the members that say the type, and what only Connect knows of
// it. combined is a schema of alternatives, which carries no more than that.
func (c *settings) body(s *data.Schema) (body, extra []jsontree.Member, combined bool, err error) {
	typed := func(name, connect string) ([]jsontree.Member, []jsontree.Member, bool, error) {
		body := []jsontree.Member{{Name: "type", Value: name}}
		if connect == "" {
			return body, nil, false, nil
		}
		return body, []jsontree.Member{{Name: connectType, Value: connect}}, false, nil
	}
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		return typed("integer", strings.ToLower(s.Type().String()))
	case data.Float32, data.Float64:
		return typed("number", strings.ToLower(s.Type().String()))
	case data.Boolean:
		return typed("boolean", "")
	case data.String:
		if symbols := c.symbols(s); symbols != nil {
			return []jsontree.Member{{Name: "enum", Value: symbols}}, nil, false, nil
		}
		return typed("string", "")
	case data.Bytes:
		if s.Name() == data.DecimalName {
			return typed("number", "bytes")
		}
		return typed("string", "bytes")
	case data.Array:
		items, err := c.fromConnect(s.Elem(), -1, false)
		if err != nil {
			return nil, nil, false, err
		}
		return []jsontree.Member{{Name: "type", Value: "array"}, {Name: "items", Value: items}}, nil, false, nil
	case data.MapType:
		return c.mapBody(s)
	case data.StructType:
		return c.structBody(s)
	}
	return nil, nil, false, &connect.Error{Class: connect.ClassIllegalArgument, Kind: connect.Data, Message: "Unsupported type " + s.Type().String()}
}

// symbols returns the values of a text that is an enum; nil otherwise.
func (c *settings) symbols(s *data.Schema) []jsontree.Node {
	_, general := s.Param(registry.EnumParam)
	_, own := s.Param(enumParam)
	if !general && !own {
		return nil
	}
	param := enumParam
	if c.generalized {
		param = registry.EnumParam
	}
	list := []jsontree.Node{}
	for _, p := range s.Params() {
		if symbol, ok := strings.CutPrefix(p.Key, param+"."); ok {
			if symbol == nullSymbol {
				list = append(list, nil)
				continue
			}
			list = append(list, symbol)
		}
	}
	return list
}

func textKeys(s *data.Schema) bool { return s.Key().Type() == data.String && !s.Key().Optional() }

func (c *settings) mapBody(s *data.Schema) (body, extra []jsontree.Member, combined bool, err error) {
	extra = []jsontree.Member{{Name: connectType, Value: "map"}}
	if textKeys(s) {
		values, err := c.fromConnect(s.Elem(), -1, false)
		if err != nil {
			return nil, nil, false, err
		}
		return []jsontree.Member{{Name: "type", Value: "object"}, {Name: "additionalProperties", Value: values}}, extra, false, nil
	}
	key, err := c.fromConnect(s.Key(), 0, false)
	if err != nil {
		return nil, nil, false, err
	}
	value, err := c.fromConnect(s.Elem(), 1, false)
	if err != nil {
		return nil, nil, false, err
	}
	properties := object("key", key, "value", value)
	javaOrder(properties.Members)
	entry := object("type", "object", "properties", properties)
	return []jsontree.Member{{Name: "type", Value: "array"}, {Name: "items", Value: entry}}, extra, false, nil
}

func isUnion(s *data.Schema) bool {
	if s.Type() != data.StructType {
		return false
	}
	_, general := s.Param(registry.UnionParam)
	return general || s.Name() == oneOfName
}

func (c *settings) structBody(s *data.Schema) (body, extra []jsontree.Member, combined bool, err error) {
	var parts []*jsontree.Object
	if s.Optional() {
		parts = append(parts, nullSchema())
	}
	if isUnion(s) {
		for _, f := range s.Fields() {
			p, err := c.fromConnect(required(f.Schema), f.Index, true)
			if err != nil {
				return nil, nil, false, err
			}
			parts = append(parts, p)
		}
		return oneOf(parts), nil, true, nil
	}
	if s.Optional() {
		p, err := c.fromConnect(required(s), -1, false)
		if err != nil {
			return nil, nil, false, err
		}
		return oneOf(append(parts, p)), nil, true, nil
	}
	properties := &jsontree.Object{}
	for _, f := range s.Fields() {
		p, err := c.fromConnect(f.Schema, f.Index, false)
		if err != nil {
			return nil, nil, false, err
		}
		properties.Members = append(properties.Members, jsontree.Member{Name: f.Name, Value: p})
	}
	body = []jsontree.Member{{Name: "type", Value: "object"}}
	if len(properties.Members) > 0 {
		javaOrder(properties.Members)
		body = append(body, jsontree.Member{Name: "properties", Value: properties})
	}
	if c.closed {
		body = append(body, jsontree.Member{Name: "additionalProperties", Value: false})
	}
	return body, nil, false, nil
}

// required is s without the permission of null, and without a default struct,
// which would lie on s.
func required(s *data.Schema) *data.Schema {
	b := data.NewBuilder(s.Type()).Like(s).Keys(s.Key()).Items(s.Elem()).Untyped()
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if d, ok := s.Default(); ok && !d.IsNull() && d.Kind() != data.KindStruct {
		b.Default(d)
	}
	return b.MustBuild() // its parts are those of a schema
}
