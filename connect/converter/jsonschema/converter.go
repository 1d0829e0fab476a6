package jsonschema

import (
	"bytes"
	"errors"

	"github.com/go-faster/jx"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/sr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

var format = registry.Format{Type: sr.TypeJSON, Name: "JSON", Texts: registry.Texts{
	Writing: "Converting Kafka Connect data to byte[] failed due to serialization error of topic ", WritingEnd: ": ",
	Reading: "Converting byte[] to Kafka Connect data failed due to serialization error of topic ", ReadingEnd: ": ",
	Access: "Failed to access JSON Schema data from topic ",
}}

// Plugins returns the converter, under the name that users of the Java
// converter know.
func Plugins() []connect.Plugin {
	return []connect.Plugin{{
		Class: "io.confluent.connect.json.JsonSchemaConverter", Kind: connect.ConverterPlugin, Version: registry.PluginVersion,
		Def: def, New: func() any { return &Converter{} }, Unrecommended: true,
	}}
}

// Converter writes and reads JSON with the schemas of a registry.
type Converter struct {
	settings settings
	schemas  *registry.Schemas[*writer, *reader]
	memory   memory
	json     jx.Decoder
}

type writer struct {
	*encoder
	check *jsonschema.Schema // nil without json.fail.invalid.schema
}

type reader struct {
	*decoder
	check *jsonschema.Schema
}

// Configure reads the settings. It does not ask the registry.
func (c *Converter) Configure(m config.Map, isKey bool) error {
	v, schemas, err := registry.Open(format, def, m, isKey, registry.Translation[*writer, *reader]{Draft: c.draft, Load: c.load})
	if err != nil {
		return err
	}
	*c = Converter{settings: settingsOf(v), schemas: schemas}
	if c.memory.coerce, err = converter.JavaCoercion(m); err != nil {
		return err
	}
	return nil
}

// Close ends what the registry is asked; see connect.Converter.
func (c *Converter) Close() error { return c.schemas.Close() }

// Append writes v behind the id of its schema, which is registered or looked
// up when it is first seen. Null is a tombstone, unless the schema has a
// default. The error is Retriable when the registry cannot be reached.
func (c *Converter) Append(dst []byte, topic string, s *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		if s == nil || c.settings.ignoreDefault {
			return nil, nil
		}
		if v, _ = s.Default(); v.IsNull() {
			return nil, nil
		}
	}
	out, w, err := c.schemas.Writer(dst, topic, s)
	if err != nil {
		return dst, err
	}
	payload := len(out)
	if out, err = w.append(out, v); err != nil {
		return dst, err
	}
	if err := valid(w.check, out[payload:]); err != nil {
		return dst, c.schemas.WriteError(topic, registry.SerializationError("Error serializing JSON message", err))
	}
	return out, nil
}

// valid checks a text against a whole schema.
func valid(check *jsonschema.Schema, text []byte) error {
	if check == nil {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = check.Validate(v)
	}
	return err
}

func (c *Converter) draft(s *data.Schema) (registry.Draft[*writer], error) {
	none := registry.Draft[*writer]{}
	e, err := c.settings.encoderOf(s)
	if err != nil {
		return none, err
	}
	tree, err := c.settings.fromConnect(s, -1, false)
	if err != nil {
		return none, err
	}
	own := registry.Schema{Text: string(jsontree.Append(nil, tree))}
	title, _ := tree.Text("title")
	return registry.Draft[*writer]{
		Text: own.Text, Record: title,
		Compatible: func(other registry.Schema) error { return c.compatible(s, other) },
		Writer: func(found registry.Written) (*writer, error) {
			if found.Other != nil {
				own = *found.Other
			}
			check, err := c.check(own)
			return &writer{encoder: e, check: check}, err
		},
	}, nil
}

// check returns what checks texts against a schema; nil when none are checked.
func (c *Converter) check(s registry.Schema) (*jsonschema.Schema, error) {
	if !c.settings.validate {
		return nil, nil
	}
	references, err := c.schemas.References(s)
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	compiler.UseLoader(nowhere{})
	const base = "registry:///"
	for _, r := range append(references, registry.Named{Name: "schema", Schema: s}) {
		tree, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(r.Text)))
		if err == nil {
			err = compiler.AddResource(base+r.Name, tree)
		}
		if err != nil {
			return nil, registry.InvalidSchema(r.Schema, err)
		}
	}
	check, err := compiler.Compile(base + "schema")
	if err != nil {
		return nil, registry.InvalidSchema(s, err)
	}
	return check, nil
}

// nowhere loads nothing: a schema brings its references along.
type nowhere struct{}

var errNowhere = errors.New("schemas are read from the registry only: register it as a reference")

func (nowhere) Load(string) (any, error) { return nil, errNowhere }

// compatible tells whether what is written by s has, for another schema, the
// types that it expects.
func (c *Converter) compatible(s *data.Schema, other registry.Schema) error {
	loaded, err := registry.Resolve(c.schemas.Client, other, load)
	if err != nil {
		return err
	}
	r := reading{settings: c.settings, inside: map[*schema]bool{}}
	theirs, err := r.of(loaded, 0, false)
	if err != nil {
		return err
	}
	return fits(s, theirs, "value")
}

// fits compares the types of what is on both sides.
func fits(own, theirs *data.Schema, where string) error {
	number := func(s *data.Schema) bool { return s.Type() >= data.Int8 && s.Type() <= data.Float64 }
	whole := func(s *data.Schema) bool { return s.Type() >= data.Int8 && s.Type() <= data.Int64 }
	switch {
	case isUnion(own) || isUnion(theirs):
		return nil
	case number(own) && number(theirs) && (whole(own) || !whole(theirs)):
		return nil
	case own.Type() != theirs.Type():
		return errors.New(where + " is " + own.Type().String() + " in the data, and " + theirs.Type().String() + " in the schema")
	}
	switch own.Type() {
	case data.Array, data.MapType:
		return fits(own.Elem(), theirs.Elem(), "an element of "+where)
	case data.StructType:
		for _, f := range own.Fields() {
			if i := theirs.Field(f.Name); i >= 0 {
				if err := fits(f.Schema, theirs.Fields()[i].Schema, "field "+f.Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Decode reads a record by the schema whose id stands in front of it. Texts
// in the value refer to b.
func (c *Converter) Decode(topic string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return nil, data.Null, nil
	}
	id, payload, err := registry.Split(b)
	if err != nil {
		return nil, data.Null, c.schemas.ReadError(topic, err)
	}
	r, err := c.schemas.Reader(topic, id, nil)
	if err != nil {
		return nil, data.Null, err
	}
	if len(payload) == 0 {
		return r.schema, data.Null, nil
	}
	if err := valid(r.check, payload); err != nil {
		return nil, data.Null, c.schemas.ReadError(topic, c.schemas.Malformed(id, err))
	}
	c.json.ResetBytes(payload)
	v, err := r.read(&c.json)
	if err == nil {
		return r.schema, v, nil
	}
	var own *connect.Error
	var ours *data.Error
	if errors.As(err, &own) || errors.As(err, &ours) {
		return nil, data.Null, connect.NewDataError(err.Error(), nil)
	}
	return nil, data.Null, c.schemas.ReadError(topic, c.schemas.Malformed(id, err))
}

func (c *Converter) load(s registry.Schema, _ []byte) (registry.Loaded[*reader], error) {
	loaded, err := registry.Resolve(c.schemas.Client, s, load)
	if err != nil {
		return registry.Loaded[*reader]{}, err
	}
	title := ""
	if loaded.title != nil {
		title = *loaded.title
	}
	return registry.Loaded[*reader]{Record: title, Reader: func(version int) (*reader, error) {
		schema, err := c.settings.toConnect(loaded, version)
		if err != nil {
			return nil, err
		}
		check, err := c.check(s)
		return &reader{decoder: decoderOf(schema, &c.memory), check: check}, err
	}}, nil
}
