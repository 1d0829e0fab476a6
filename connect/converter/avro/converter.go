package avro

import (
	"errors"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

var format = registry.Format{Type: sr.TypeAvro, Name: "Avro", Texts: registry.Texts{
	Writing: "Failed to serialize Avro data from topic ", WritingEnd: ":",
	Reading: "Failed to deserialize data for topic ", ReadingEnd: " to Avro:",
	Access: "Failed to access Avro data from topic ",
}}

// Plugins returns the converter, under the name that users of the Java
// converter know.
func Plugins() []connect.Plugin {
	return []connect.Plugin{{
		Class: "io.confluent.connect.avro.AvroConverter", Kind: connect.ConverterPlugin, Version: registry.PluginVersion,
		Def: def, New: func() any { return &Converter{} }, Unrecommended: true,
	}}
}

// Converter writes and reads Avro with the schemas of a registry.
type Converter struct {
	settings settings
	schemas  *registry.Schemas[*writer, *recordReader]
	memory   memory
}

type writer struct {
	*encoder
	raw bool // bytes at the top have no length
}

type recordReader struct {
	decoder *decoder
	schema  *data.Schema
	raw     bool
}

// Configure reads the settings. It does not ask the registry.
func (c *Converter) Configure(m config.Map, isKey bool) error {
	v, schemas, err := registry.Open(format, def, m, isKey, registry.Translation[*writer, *recordReader]{Draft: c.draft, Load: c.load})
	if err != nil {
		return err
	}
	*c = Converter{settings: settingsOf(v), schemas: schemas}
	return nil
}

// Close ends what the registry is asked; see connect.Converter.
func (c *Converter) Close() error { return c.schemas.Close() }

// Append writes v behind the id of its schema, which is registered or looked
// up when it is first seen. The error is Retriable when the registry cannot
// be reached.
func (c *Converter) Append(dst []byte, topic string, s *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() && (s == nil || s.Optional()) {
		return nil, nil
	}
	out, w, err := c.schemas.Writer(dst, topic, s)
	if err != nil {
		return dst, err
	}
	if w.raw && !v.IsNull() {
		out, err = w.appendRaw(out, v)
	} else {
		out, err = w.append(out, v)
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// appendRaw writes bytes without their length, which is that of the record.
func (e *encoder) appendRaw(dst []byte, v data.Value) ([]byte, error) {
	switch {
	case v.Kind() != e.kind:
		return dst, registry.WrongKind(e.schema, v)
	case e.step == stepDecimal:
		return data.AppendDecimalBytes(dst, e.schema, v.Decimal())
	}
	return append(dst, v.Bytes()...), nil
}

func (c *Converter) draft(s *data.Schema) (registry.Draft[*writer], error) {
	n, err := c.settings.fromConnect(s)
	if err != nil {
		return registry.Draft[*writer]{}, err
	}
	text := string(appendSchema(nil, n))
	return registry.Draft[*writer]{
		Text: text, Record: n.recordName(),
		Compatible: func(other registry.Schema) error { return c.compatible(text, other) },
		Writer: func(found registry.Written) (*writer, error) {
			if found.Other != nil {
				if n, err = registry.Resolve(c.schemas.Client, *found.Other, parseSchema); err != nil {
					return nil, err
				}
			}
			e, err := c.settings.encoderOf(s, n)
			return &writer{encoder: e, raw: n.kind == bytesKind}, err
		},
	}, nil
}

// recordName is the name of a record, by which subjects may be named.
func (n *node) recordName() string {
	if n.kind == recordKind {
		return n.fullName()
	}
	return ""
}

// compatible tells whether a reader with schema other reads what is written
// with own, by the rules of Avro.
func (c *Converter) compatible(own string, other registry.Schema) error {
	references, err := c.schemas.References(other)
	if err != nil {
		return err
	}
	var cache avro.SchemaCache
	lax := avro.WithLaxNames(nil)
	for _, r := range references {
		if _, err := cache.Parse(r.Text, lax); err != nil {
			return registry.InvalidSchema(r.Schema, err)
		}
	}
	reader, err := cache.Parse(other.Text, lax)
	if err != nil {
		return registry.InvalidSchema(other, err)
	}
	source, err := avro.Parse(own, lax)
	if err != nil {
		return err
	}
	return avro.CheckCompatibility(source, reader)
}

// Decode reads a record by the schema whose id stands in front of it. Texts
// and bytes in the value refer to b.
func (c *Converter) Decode(topic string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return nil, data.Null, nil
	}
	id, payload, err := registry.Split(b)
	if err != nil {
		return nil, data.Null, c.schemas.ReadError(topic, err)
	}
	rr, err := c.schemas.Reader(topic, id, nil)
	if err != nil {
		return nil, data.Null, err
	}
	var v data.Value
	if rr.raw {
		v, err = rr.decoder.bytesValue(payload)
	} else {
		v, err = rr.decoder.read(&reader{b: payload, memory: &c.memory})
	}
	if err == nil {
		return rr.schema, v, nil
	}
	var own *data.Error // faults by the rules of Connect are shown as they are
	if errors.As(err, &own) {
		return nil, data.Null, own
	}
	return nil, data.Null, c.schemas.ReadError(topic, c.schemas.Malformed(id, err))
}

func (c *Converter) load(s registry.Schema, _ []byte) (registry.Loaded[*recordReader], error) {
	n, err := registry.Resolve(c.schemas.Client, s, parseSchema)
	if err != nil {
		return registry.Loaded[*recordReader]{}, err
	}
	return registry.Loaded[*recordReader]{Record: n.recordName(), Reader: func(version int) (*recordReader, error) {
		schema, err := c.settings.toConnect(n, version)
		if err != nil {
			return nil, err
		}
		d, err := c.settings.decoderOf(schema, n)
		return &recordReader{decoder: d, schema: schema, raw: n.kind == bytesKind}, err
	}}, nil
}
