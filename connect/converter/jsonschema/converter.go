package jsonschema

import (
	"bytes"
	"errors"
	"time"

	"github.com/go-faster/jx"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/sr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter/jsontree"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

var messages = registry.Texts{
	Writing: "Converting Kafka Connect data to byte[] failed due to serialization error of topic ", WritingEnd: ": ",
	Reading: "Converting byte[] to Kafka Connect data failed due to serialization error of topic ", ReadingEnd: ": ",
	Access: "Failed to access JSON Schema data from topic ",
}

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
	client   *registry.Client
	memory   memory
	json     jx.Decoder

	writers   registry.Cache[written, *writer]
	lastWrite *writer
	readers   registry.Cache[read, *reader]
	lastRead  *reader
}

type written struct {
	topic  string
	schema *data.Schema
}

type writer struct {
	written
	encoder *encoder
	id      int
	check   *jsonschema.Schema // nil without json.fail.invalid.schema
	until   time.Time
}

type read struct {
	topic string
	id    int
}

type reader struct {
	read
	decoder *decoder
	check   *jsonschema.Schema
}

// Configure reads the settings. It does not ask the registry.
func (c *Converter) Configure(m config.Map, isKey bool) error {
	v, err := registry.Parse(def, m, isKey)
	if err != nil {
		return err
	}
	client, err := registry.New(v, m, registry.Format{Type: sr.TypeJSON, Name: "JSON"}, isKey)
	if err != nil {
		return err
	}
	size := registry.CacheSize(v)
	*c = Converter{
		settings: settingsOf(v), client: client,
		writers: registry.NewCache[written, *writer](size), readers: registry.NewCache[read, *reader](size),
	}
	return nil
}

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
	w := c.lastWrite
	if w == nil || w.schema != s || w.topic != topic || !w.until.IsZero() && time.Now().After(w.until) {
		var err error
		if w, err = c.writer(topic, s); err != nil {
			return dst, messages.WriteError(topic, err)
		}
		c.lastWrite = w
	}
	out := registry.AppendPrefix(dst, w.id)
	payload := len(out)
	out, err := w.encoder.append(out, v)
	if err != nil {
		return dst, err
	}
	if err := valid(w.check, out[payload:]); err != nil {
		return dst, messages.WriteError(topic, registry.SerializationError("Error serializing JSON message", err))
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

func (c *Converter) writer(topic string, s *data.Schema) (*writer, error) {
	key := written{topic, s}
	if w, ok := c.writers.Get(key); ok && (w.until.IsZero() || !time.Now().After(w.until)) {
		return w, nil
	}
	e, err := c.settings.encoderOf(s)
	if err != nil {
		return nil, err
	}
	tree, err := c.settings.fromConnect(s, -1, false)
	if err != nil {
		return nil, err
	}
	schema := registry.Schema{Text: string(jsontree.Append(nil, tree))}
	title, _ := tree.Text("title")
	subject, err := c.client.Subject(topic, title)
	if err != nil {
		return nil, err
	}
	found, err := c.client.Register(subject, schema, func(other registry.Schema) error { return c.compatible(s, other) })
	if err != nil {
		return nil, err
	}
	if found.Other != nil {
		schema = *found.Other
	}
	w := &writer{written: key, encoder: e, id: found.ID, until: found.Until}
	if c.settings.validate {
		if w.check, err = c.compiled(schema); err != nil {
			return nil, err
		}
	}
	c.writers.Put(key, w)
	return w, nil
}

// compiled returns the check of a schema.
func (c *Converter) compiled(s registry.Schema) (*jsonschema.Schema, error) {
	references, err := c.client.References(s)
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
	loaded, err := c.load(other)
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

func (c *Converter) load(s registry.Schema) (*schema, error) {
	references, err := c.client.References(s)
	if err != nil {
		return nil, err
	}
	loaded, err := load(s.Text, references)
	if err != nil {
		return nil, registry.InvalidSchema(s, err)
	}
	return loaded, nil
}

// Decode reads a record by the schema whose id stands in front of it. Texts
// in the value refer to b.
func (c *Converter) Decode(topic string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return nil, data.Null, nil
	}
	id, payload, err := registry.Split(b)
	if err != nil {
		return nil, data.Null, messages.ReadError(topic, err)
	}
	r := c.lastRead
	if r == nil || r.id != id || r.topic != topic {
		if r, err = c.reader(topic, id); err != nil {
			return nil, data.Null, messages.ReadError(topic, err)
		}
		c.lastRead = r
	}
	if len(payload) == 0 {
		return r.decoder.schema, data.Null, nil
	}
	if err := valid(r.check, payload); err != nil {
		return nil, data.Null, messages.ReadError(topic, registry.Malformed("JSON", id, err))
	}
	c.json.ResetBytes(payload)
	v, err := r.decoder.read(&c.json)
	if err != nil {
		var own *connect.Error
		var ours *data.Error
		if errors.As(err, &own) || errors.As(err, &ours) {
			return nil, data.Null, connect.NewDataError(err.Error(), nil)
		}
		return nil, data.Null, messages.ReadError(topic, registry.Malformed("JSON", id, err))
	}
	return r.decoder.schema, v, nil
}

func (c *Converter) reader(topic string, id int) (*reader, error) {
	key := read{topic, id}
	if r, ok := c.readers.Get(key); ok {
		return r, nil
	}
	subject := ""
	if !c.client.NamedByRecord() {
		subject, _ = c.client.Subject(topic, "") // fails by the name of a record only
	}
	s, err := c.client.ByID(subject, id)
	if err != nil {
		return nil, err
	}
	loaded, err := c.load(s)
	if err != nil {
		return nil, err
	}
	if c.client.NamedByRecord() {
		title := ""
		if loaded.title != nil {
			title = *loaded.title
		}
		if subject, err = c.client.Subject(topic, title); err != nil {
			return nil, err
		}
	}
	version, err := c.client.Version(subject, s)
	if err != nil {
		return nil, err
	}
	schema, err := c.settings.toConnect(loaded, version)
	if err != nil {
		return nil, err
	}
	r := &reader{read: key, decoder: decoderOf(schema, &c.memory)}
	if c.settings.validate {
		if r.check, err = c.compiled(s); err != nil {
			return nil, err
		}
	}
	c.readers.Put(key, r)
	return r, nil
}
