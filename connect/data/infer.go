package data

// InferSchema returns the schema that fits a value without one, as Java's
// Values.inferSchema: nil when there is none, for an empty list or map, and
// for elements of several types. Elements that are arrays, maps or structs
// are known by their type alone. A list of nothing but nulls is an error.
func InferSchema(v Value) (*Schema, error) {
	switch v.kind {
	case KindArray:
		if len(v.Array()) == 0 {
			return nil, nil
		}
		var elements detector
		for _, e := range v.Array() {
			if ok, err := elements.see(e); !ok {
				return nil, err
			}
		}
		elem, err := elements.schema()
		if err != nil {
			return nil, err
		}
		return NewBuilder(Array).Items(elem).Build()
	case KindMap:
		if len(v.Map().Entries) == 0 {
			return nil, nil
		}
		var keys, values detector
		for _, e := range v.Map().Entries {
			if ok, err := keys.see(e.Key); !ok {
				return nil, err
			}
			if ok, err := values.see(e.Value); !ok {
				return nil, err
			}
		}
		key, err := keys.schema()
		if err != nil {
			return nil, err
		}
		value, err := values.schema()
		if err != nil {
			return nil, err
		}
		return NewBuilder(MapType).Keys(key).Items(value).Build()
	case KindStruct:
		return v.Struct().schema, nil
	case KindDecimal, KindBigInt, KindInstant, KindObject, KindNull:
		return nil, nil
	}
	for t, k := range typeKinds {
		if k == v.kind {
			return &Schema{typ: Type(t)}, nil
		}
	}
	return nil, nil
}

// detector finds the one type of several values.
type detector struct {
	typ      Type
	optional bool
}

func (d *detector) see(v Value) (bool, error) {
	if v.IsNull() {
		d.optional = true
		return true, nil
	}
	s, err := InferSchema(v)
	if s == nil || d.typ != 0 && d.typ != s.typ {
		return false, err
	}
	d.typ = s.typ
	return true, nil
}

func (d *detector) schema() (*Schema, error) {
	if d.typ == 0 {
		return nil, builderError("type cannot be null", nil)
	}
	return NewBuilder(d.typ).SetOptional(d.optional).Untyped().Build()
}
