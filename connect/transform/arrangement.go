package transform

import (
	"fmt"

	"kconnect/connect"
	"kconnect/connect/data"
)

// arranger is a transformation that makes a struct out of the fields of
// another and of what is known of the record, without looking at the values.
// What it does is then a matter of the schema, worked out once for each.
type arranger interface {
	// arrange works out what becomes of structs of a schema.
	arrange(s *data.Schema) (*arrangement, error)
	arranges() side
}

// arrangement is how structs of one schema are made from those of another.
type arrangement struct {
	schema *data.Schema
	fields []origin // one for each field of schema
	// dropped are fields between two joined arrangements that are no more. They
	// are looked at only because a value that does not fit is an error.
	dropped []origin
}

// origin is where a field has its value.
type origin struct {
	name    string // of the field, for messages
	schema  *data.Schema
	from    int       // index in the struct that is arranged, or -1 for what made makes
	kind    data.Kind // of values that fit without a closer look; KindNull for none
	replace bool      // the default in place of null
	unset   bool      // null is not put, so that it does not matter whether it is allowed
	made    func(r *connect.Record) (data.Value, error)
}

// copied is the origin of a field that keeps its schema. The field's value is
// at index from.
func copied(f *data.Field, from int, replace bool) origin {
	o := origin{name: f.Name, schema: f.Schema, from: from, replace: replace}
	if f.Schema.Type().Primitive() {
		o.kind = f.Schema.Kind()
	}
	return o
}

// of returns the value for a record, or why it does not fit, in Java's words:
// Java validates each field that it copies, too.
func (o *origin) of(r *connect.Record, values []data.Value) (v data.Value, err error) {
	switch {
	case o.from < 0:
		if v, err = o.made(r); err != nil {
			return v, err
		}
	case o.from < len(values):
		v = values[o.from]
	default: // a struct of another schema than the record's; Java reads by position
		return v, &connect.Error{Class: "java.lang.ArrayIndexOutOfBoundsException", Kind: connect.Data,
			Message: fmt.Sprintf("Index %d out of bounds for length %d", o.from, len(values))}
	}
	if v.IsNull() {
		if o.unset {
			return v, nil
		}
		v = withDefault(v, o.schema, o.replace)
	}
	return v, data.ValidateField(o.name, o.schema, v)
}

// plain reports whether the value is just the field's in values, as nearly all are.
func (o *origin) plain(values []data.Value) bool {
	if uint(o.from) >= uint(len(values)) {
		return false
	}
	k := values[o.from].Kind()
	return k == o.kind && k != data.KindNull
}

// apply fills to, which has a value for each field of the schema.
func (a *arrangement) apply(r *connect.Record, from, to []data.Value) (err error) {
	for i := range a.fields {
		o := &a.fields[i]
		if o.plain(from) {
			to[i] = from[o.from]
		} else if to[i], err = o.of(r, from); err != nil {
			return err
		}
	}
	for i := range a.dropped {
		if o := &a.dropped[i]; !o.plain(from) {
			if _, err = o.of(r, from); err != nil {
				return err
			}
		}
	}
	return nil
}

// then joins a with what is done to its structs next. The result gives the
// same structs, and an error whenever one of the two would, but not the same
// error.
func (a *arrangement) then(next *arrangement) *arrangement {
	joined := &arrangement{schema: next.schema, dropped: a.dropped[:len(a.dropped):len(a.dropped)]}
	used := make([]bool, len(a.fields))
	through := func(o origin) origin {
		if o.from < 0 {
			return o
		}
		used[o.from] = true
		first := &a.fields[o.from]
		o.from, o.made = first.from, first.made
		// The first would refuse a null that is not allowed before the next replaces it.
		o.replace = first.replace || o.replace && o.schema.Optional()
		return o
	}
	for _, o := range next.fields {
		joined.fields = append(joined.fields, through(o))
	}
	for _, o := range next.dropped {
		joined.dropped = append(joined.dropped, through(o))
	}
	for i, o := range a.fields {
		if !used[i] {
			joined.dropped = append(joined.dropped, o)
		}
	}
	return joined
}

// rearrange is an arranger's Apply for a struct.
func rearrange(t arranger, cache *derived[*arrangement], r *connect.Record, schema *data.Schema, from *data.Struct) error {
	a, err := cache.get(schema, t.arrange)
	if err != nil {
		return err
	}
	to := data.NewStruct(a.schema)
	if err := a.apply(r, from.Values(), to.Values()); err != nil {
		return err
	}
	t.arranges().set(r, a.schema, data.StructOf(to))
	return nil
}
