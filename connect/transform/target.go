package transform

import (
	"errors"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// side is the part of a record that a transformation works on; the Key and
// Value variants of a class differ in it alone.
type side uint8

const (
	keySide side = iota
	valueSide
)

func (s side) get(r *connect.Record) (*data.Schema, data.Value) {
	if s == keySide {
		return r.KeySchema, r.Key
	}
	return r.ValueSchema, r.Value
}

func (s side) set(r *connect.Record, schema *data.Schema, v data.Value) {
	if s == keySide {
		r.KeySchema, r.Key = schema, v
		return
	}
	r.ValueSchema, r.Value = schema, v
}

// structOf returns the struct that a transformation needs; purpose goes into
// the error, in Java's words.
func structOf(v data.Value, purpose string) (*data.Struct, error) {
	if v.Kind() != data.KindStruct {
		return nil, connect.NewDataError("Only Struct objects supported for ["+purpose+"], found: "+foundClass(v), nil)
	}
	return v.Struct(), nil
}

// mapOf is structOf for values without a schema.
func mapOf(v data.Value, purpose string) (*data.Map, error) {
	if v.Kind() != data.KindMap {
		return nil, connect.NewDataError("Only Map objects supported in absence of schema for ["+purpose+"], found: "+foundClass(v), nil)
	}
	return v.Map(), nil
}

func foundClass(v data.Value) string {
	if v.IsNull() {
		return "null"
	}
	return v.JavaClass()
}

// The classes that Java casts what it finds to.
const (
	stringClass = "java.lang.String"
	dateClass   = "java.util.Date"
	structClass = "org.apache.kafka.connect.data.Struct"
)

// wrongClass is the error of a value (or map key) that is not of the class
// that Java casts it to, in the words of the JVM.
func wrongClass(v data.Value, class string) error {
	module := func(class string) string {
		if strings.HasPrefix(class, "org.apache.kafka.") {
			return "in unnamed module of loader 'app'"
		}
		return "in module java.base of loader 'bootstrap'"
	}
	found := v.JavaClass()
	where := found + " is " + module(found) + "; " + class + " is " + module(class)
	if module(found) == module(class) {
		where = found + " and " + class + " are " + module(class)
	}
	return &connect.Error{Class: "java.lang.ClassCastException", Kind: connect.Data,
		Message: "class " + found + " cannot be cast to class " + class + " (" + where + ")"}
}

// derived remembers what was worked out for a schema. It holds a bounded
// number: records of ever new schemas cost a derivation each.
type derived[T any] struct {
	last *data.Schema
	what T // of last
	all  map[*data.Schema]T
}

type schemaCache = derived[*data.Schema]

const schemaCacheSize = 16 // as the Java classes keep

func (c *derived[T]) get(from *data.Schema, derive func(*data.Schema) (T, error)) (T, error) {
	if from == c.last && c.all != nil {
		return c.what, nil
	}
	to, ok := c.all[from]
	if !ok {
		var err error
		if to, err = derive(from); err != nil {
			return to, err
		}
		if c.all == nil || len(c.all) >= schemaCacheSize {
			c.all = make(map[*data.Schema]T, schemaCacheSize)
		}
		c.all[from] = to
	}
	c.last, c.what = from, to
	return to, nil
}

// parse parses the settings of a class. The error is that of the first key
// that is wrong, as Java's constructors report it.
func parse(def *config.Def, m config.Map) (*config.Values, error) {
	v, err := def.Parse(m)
	var first *config.Error
	if errors.As(err, &first) {
		return nil, first
	}
	return v, err
}
