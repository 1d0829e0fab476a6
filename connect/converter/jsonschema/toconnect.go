package jsonschema

import (
	"cmp"
	"slices"
	"strconv"

	"kconnect/connect"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

// reading makes the Connect schema of one JSON schema.
type reading struct {
	settings
	inside map[*schema]bool
	unions int
	count  int
}

func (c *settings) toConnect(s *schema, version int) (*data.Schema, error) {
	r := reading{settings: *c, inside: map[*schema]bool{}}
	return r.of(s, version, false)
}

func unsupported(what string) error {
	return connect.NewDataError("Unsupported schema type "+what, nil)
}

func (r *reading) of(s *schema, version int, optional bool) (*data.Schema, error) {
	if s == nil {
		return nil, nil
	}
	if r.count++; r.count > maxSchemas {
		return nil, connect.NewDataError("The JSON schema unfolds to more than "+strconv.Itoa(maxSchemas)+" schemas", nil)
	}
	if r.inside[s] {
		e := connect.NewDataError("A JSON schema contains itself: recursive schemas have no Connect schema here", nil)
		e.Remedy = "Read the topic with org.apache.kafka.connect.json.JsonConverter and schemas.enable=false, or change the schema to a limited depth."
		return nil, e
	}
	r.inside[s] = true
	defer delete(r.inside, s)

	var b *data.Builder
	var err error
	switch s.kind {
	case booleanKind:
		b = data.NewBuilder(data.Boolean)
	case integerKind, numberKind:
		b, err = numberBuilder(s)
	case stringKind:
		b = data.NewBuilder(data.String)
		if s.prop(connectType) == "bytes" {
			b = data.NewBuilder(data.Bytes)
		}
	case enumKind:
		b = r.enum(s)
	case oneOfKind:
		if only := beside(s); only != nil {
			return r.of(only, version, true)
		}
		b, optional, err = r.union(s, optional)
	case allOfKind:
		return r.allOf(s, version, optional)
	case arrayKind:
		b, err = r.array(s)
	case objectKind:
		b, err = r.object(s)
	case refKind:
		return r.of(s.target, version, optional)
	case constKind:
		err = unsupported("org.everit.json.schema.ConstSchema")
	case nullKind:
		err = unsupported("org.everit.json.schema.NullSchema")
	default:
		err = unsupported("org.everit.json.schema.EmptySchema")
	}
	if err != nil {
		return nil, err
	}
	return r.finish(b, s, version, optional)
}

// beside returns the one schema that stands beside null in two alternatives.
func beside(s *schema) *schema {
	if len(s.parts) == 2 {
		for i, p := range s.parts {
			if p.kind == nullKind && s.parts[1-i].kind != nullKind {
				return s.parts[1-i]
			}
		}
	}
	return nil
}

func numberBuilder(s *schema) (*data.Builder, error) {
	types := map[string]data.Type{
		"int8": data.Int8, "int16": data.Int16, "int32": data.Int32, "int64": data.Int64, "float32": data.Float32, "float64": data.Float64, "bytes": data.Bytes,
	}
	name := s.prop(connectType)
	if t, ok := types[name]; ok {
		return data.NewBuilder(t), nil
	}
	switch {
	case name != "":
		return nil, &connect.Error{Class: connect.ClassIllegalArgument, Kind: connect.Data, Message: "Unsupported type " + name}
	case s.kind == integerKind:
		return data.NewBuilder(data.Int64), nil
	}
	return data.NewBuilder(data.Float64), nil
}

func (r *reading) enum(s *schema) *data.Builder {
	b := data.NewBuilder(data.String)
	registry.DescribeEnum(b, r.generalized, enumParam, "", s.symbols) // a JSON enum has no name
	return b
}

func (r *reading) union(s *schema, optional bool) (*data.Builder, bool, error) {
	name := oneOfName
	b := data.NewStructBuilder()
	if r.generalized {
		name = registry.UnionPrefix + strconv.Itoa(r.unions)
		r.unions++
		b.Param(registry.UnionParam, name)
	}
	b.Named(name)
	index := 0
	for _, p := range s.parts {
		if p.kind == nullKind {
			optional = true
			continue
		}
		member, err := r.of(p, 0, true)
		if err != nil {
			return nil, false, err
		}
		field := name + ".field." + strconv.Itoa(index)
		if r.generalized {
			field = registry.UnionFieldPrefix + strconv.Itoa(index)
		}
		b.Field(field, member)
		index++
	}
	return b, optional, nil
}

func (r *reading) array(s *schema) (*data.Builder, error) {
	if s.items == nil {
		return nil, connect.NewDataError("Array schema did not specify the items type", nil)
	}
	if s.prop(connectType) == "map" && s.items.kind == objectKind {
		var key, value *schema
		for _, p := range s.items.properties {
			switch p.name {
			case "key":
				key = p.schema
			case "value":
				value = p.schema
			}
		}
		k, err := r.of(key, 0, false)
		if err != nil {
			return nil, err
		}
		v, err := r.of(value, 0, false)
		return data.NewBuilder(data.MapType).Keys(k).Items(v), err
	}
	items, err := r.of(s.items, 0, false)
	return data.NewBuilder(data.Array).Items(items), err
}

func (r *reading) object(s *schema) (*data.Builder, error) {
	if s.prop(connectType) == "map" {
		values, err := r.of(s.additional, 0, false)
		return data.NewBuilder(data.MapType).Keys(data.StringSchema).Items(values), err
	}
	type placed struct {
		property
		index int
	}
	var all []placed
	for i, p := range s.properties {
		index, ok := 0, false
		if p.schema.own != nil {
			index, ok = p.schema.number(connectIndex)
		}
		if !ok {
			index = i
		}
		all = append(all, placed{p, index})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.index, b.index) })
	b := data.NewStructBuilder()
	for _, p := range all {
		f, err := r.of(p.schema, 0, r.optional && !p.required)
		if err != nil {
			return nil, err
		}
		b.Field(p.name, f)
	}
	return b, b.Err()
}

// allOf takes the properties of all parts together, or the part that says
// most about a plain value.
func (r *reading) allOf(s *schema, version int, optional bool) (*data.Schema, error) {
	var all []property
	collect(s, &all, map[*schema]bool{})
	if len(all) > 0 {
		b := data.NewStructBuilder()
		for _, p := range all {
			f, err := r.of(p.schema, 0, r.optional && !p.required)
			if err != nil {
				return nil, err
			}
			b.Field(p.name, f)
		}
		return b.SetOptional(optional).Build()
	}
	part := func(kinds ...kind) *schema {
		var found *schema
		for _, p := range s.parts {
			if slices.Contains(kinds, p.kind) {
				found = p
			}
		}
		return found
	}
	number, text := part(integerKind, numberKind), part(stringKind)
	var chosen *schema
	switch {
	case part(oneOfKind, allOfKind) != nil:
		chosen = part(oneOfKind, allOfKind)
	case part(constKind) != nil:
		chosen = cmp.Or(text, number)
	case part(enumKind) != nil && text != nil:
		chosen = part(enumKind)
	case number != nil:
		chosen = number
	case text != nil:
		chosen = text
	default:
		chosen = part(refKind)
	}
	if chosen == nil {
		return nil, &connect.Error{Class: connect.ClassIllegalArgument, Kind: connect.Data, Message: "Unsupported criterion allOf for " + string(jsontree.Append(nil, s.own))}
	}
	return r.of(chosen, version, optional)
}

func collect(s *schema, all *[]property, seen map[*schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	switch s.kind {
	case allOfKind:
		for _, p := range s.parts {
			collect(p, all, seen)
		}
	case objectKind:
		for _, p := range s.properties {
			i := slices.IndexFunc(*all, func(q property) bool { return q.name == p.name })
			if i >= 0 {
				(*all)[i] = p
				continue
			}
			*all = append(*all, p)
		}
	case refKind:
		collect(s.target, all, seen)
	}
}

func (r *reading) finish(b *data.Builder, s *schema, version int, optional bool) (*data.Schema, error) {
	if s.title != nil && s.kind != oneOfKind {
		b.Named(*s.title)
	}
	if own, ok := s.number(connectVersion); ok {
		b.Version(int32(own))
	} else if version > 0 {
		b.Version(int32(version))
	}
	if doc, ok := s.own.Text("description"); ok {
		b.Doc(doc)
	}
	v, _ := s.own.Get(connectParameters)
	if o, ok := v.(*jsontree.Object); ok {
		for _, m := range o.Members {
			text, ok := m.Value.(string)
			if !ok {
				text = string(jsontree.Append(nil, m.Value))
			}
			b.Param(m.Name, text)
		}
	}
	built, err := b.SetOptional(optional).Build()
	if err != nil {
		return nil, err
	}
	def, ok := s.own.Get("default")
	if !ok || def == nil {
		return built, nil
	}
	value, err := r.decoderOf(built).readTree(def)
	if err != nil || value.IsNull() {
		return built, err
	}
	return b.Default(value).Build()
}
