package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Def is an ordered, immutable table of keys. The zero Def is not usable: see
// NewDef.
type Def struct {
	keys     []Key
	index    map[string]int
	defaults []any // parsed, in the order of keys
}

// NewDef makes a table of keys in definition order, which is the order of
// validate answers and of the reference. It panics when the table itself is
// wrong: a key twice, a default that does not parse or that the key's own
// validator refuses, a dependent that is no key.
func NewDef(keys ...Key) *Def {
	d := &Def{keys: slices.Clone(keys), index: make(map[string]int, len(keys)), defaults: make([]any, len(keys))}
	for i := range d.keys {
		k := &d.keys[i]
		if _, twice := d.index[k.Name]; twice || k.Name == "" {
			panic(fmt.Sprintf("config: key %q is defined twice or has no name", k.Name))
		}
		d.index[k.Name] = i
		if k.Required && k.Default != nil {
			panic(fmt.Sprintf("config: required key %q has a default", k.Name))
		}
		if k.Default == nil {
			continue
		}
		v, err := parseText(k, *k.Default, false)
		if err == nil && k.Validate != nil {
			err = k.Validate.Check(k.Name, v)
		}
		if err != nil {
			panic(fmt.Sprintf("config: default of key %q: %v", k.Name, err))
		}
		d.defaults[i] = v
	}
	for _, k := range d.keys {
		for _, dep := range k.Dependents {
			if _, ok := d.index[dep]; !ok {
				panic(fmt.Sprintf("config: %q, a dependent of %q, is not defined", dep, k.Name))
			}
		}
	}
	return d
}

// Merge returns a table with the keys of d followed by those of others. A key
// that is there already keeps its place and takes the later definition, as a
// connector's own key does beside the common ones.
func (d *Def) Merge(others ...*Def) *Def {
	keys := slices.Clone(d.keys)
	index := make(map[string]int, len(keys))
	for i, k := range keys {
		index[k.Name] = i
	}
	for _, o := range others {
		for _, k := range o.keys {
			if i, ok := index[k.Name]; ok {
				keys[i] = k
				continue
			}
			index[k.Name] = len(keys)
			keys = append(keys, k)
		}
	}
	return NewDef(keys...)
}

// Prefixed returns the table with prefix before the name of every key and
// dependent: the settings of a converter (prefix "key.converter.") or of a
// client (prefix "producer.override.") in a connector's configuration.
// Recommend and Visible go on to see the names without the prefix.
func (d *Def) Prefixed(prefix string) *Def {
	keys := d.Keys()
	for i := range keys {
		keys[i].addPrefix(prefix)
	}
	return NewDef(keys...)
}

// Embedded is Prefixed for the settings of a transformation or predicate:
// group goes before every group, Order counts from order on, and the keys come
// sorted by group, Order, required ones first, importance, name.
func (d *Def) Embedded(prefix, group string, order int) *Def {
	keys := d.sorted()
	for i := range keys {
		k := &keys[i]
		if g, ok := k.GroupName(); ok {
			k.Group = group + ": " + g
		} else {
			k.Group = group
		}
		k.Order = order + i
		k.addPrefix(prefix)
	}
	return NewDef(keys...)
}

func (k *Key) addPrefix(prefix string) {
	k.Display = k.DisplayName() // stays without the prefix
	k.Name = prefix + k.Name
	dependents := make([]string, len(k.Dependents))
	for i, name := range k.Dependents {
		dependents[i] = prefix + name
	}
	k.Dependents = dependents
	if f := k.Recommend; f != nil {
		k.Recommend = func(cfg Map) []string { return f(cfg.WithPrefix(prefix)) }
	}
	if f := k.Visible; f != nil {
		k.Visible = func(cfg Map) bool { return f(cfg.WithPrefix(prefix)) }
	}
}

// sorted returns the keys in the order of Kafka's references.
func (d *Def) sorted() []Key {
	groups := d.Groups()
	rank := func(k *Key) int {
		g, ok := k.GroupName()
		if !ok {
			return -1
		}
		return slices.Index(groups, g)
	}
	keys := d.Keys()
	slices.SortStableFunc(keys, func(a, b Key) int {
		return cmp.Or(
			cmp.Compare(rank(&a), rank(&b)),
			cmp.Compare(a.OrderInGroup(), b.OrderInGroup()),
			-compareBool(a.Required, b.Required),
			-cmp.Compare(a.Importance, b.Importance),
			strings.Compare(a.Name, b.Name),
		)
	})
	return keys
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Edit returns a table whose keys went through edit, one after the other: for
// what only a running worker knows, such as the class that a key falls back
// to. edit must not change Name.
func (d *Def) Edit(edit func(*Key)) *Def {
	keys := d.Keys()
	for i := range keys {
		edit(&keys[i])
	}
	return NewDef(keys...)
}

// Keys returns the keys in definition order. The slice is the caller's.
func (d *Def) Keys() []Key { return slices.Clone(d.keys) }

// Lookup returns the definition of a key. It must not be changed.
func (d *Def) Lookup(name string) (*Key, bool) {
	i, ok := d.index[name]
	if !ok {
		return nil, false
	}
	return &d.keys[i], true
}

// Groups returns the groups in the order in which they first occur. Internal
// keys are in the group with the empty name, as in Java; keys without a group
// add none.
func (d *Def) Groups() []string {
	groups := []string{}
	for i := range d.keys {
		if g, ok := d.keys[i].GroupName(); ok && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// Unknown returns the keys of m that d does not define, in alphabetical order.
func (d *Def) Unknown(m Map) []string {
	var names []string
	for _, name := range m.Keys() {
		if _, ok := d.index[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

// Masked returns m for logs. Promise 8: the values of Password keys are
// [hidden], and so are those of keys that d does not define, since nobody
// knows what is in them.
func (d *Def) Masked(m Map) Map {
	out := make(Map, len(m))
	for name, v := range m {
		if k, ok := d.Lookup(name); !ok || k.Type == Password {
			v = Hidden
		}
		out[name] = v
	}
	return out
}

// Parse reads m. Keys that d does not define are ignored. The error joins, in
// definition order, the first fault of every key that has one; errors.As finds
// the first of them as an *Error, which is the one that Java would report.
func (d *Def) Parse(m Map) (*Values, error) {
	vals := &Values{def: d, vals: make([]any, len(d.keys))}
	var errs []error
	for i := range d.keys {
		k := &d.keys[i]
		text, set := m[k.Name]
		v, err := d.value(i, &text, set)
		// Java drops repeated items of such a list before it looks at them;
		// only a validate answer complains.
		if list, ok := v.([]string); ok && isUnique(k.Validate) {
			v = distinct(list)
		}
		if err == nil && k.Validate != nil {
			err = k.Validate.Check(k.Name, v)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		vals.vals[i] = v
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return vals, nil
}

// value returns the value of key i, before validation. A nil text is a null
// that was given as such.
func (d *Def) value(i int, text *string, set bool) (any, error) {
	k := &d.keys[i]
	switch {
	case set && text == nil:
		return nil, nil
	case set:
		return parseText(k, *text, true)
	case k.Required:
		return nil, Missing(k.Name)
	}
	return d.defaults[i], nil
}
