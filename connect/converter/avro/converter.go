package avro

import (
	"errors"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

var messages = registry.Texts{
	Writing: "Failed to serialize Avro data from topic ", WritingEnd: ":",
	Reading: "Failed to deserialize data for topic ", ReadingEnd: " to Avro:",
	Access: "Failed to access Avro data from topic ",
}

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
	client   *registry.Client
	memory   memory

	writers   registry.Cache[written, *writer]
	lastWrite *writer
	readers   registry.Cache[read, *recordReader]
	lastRead  *recordReader
}

// written is what a writer depends on.
type written struct {
	topic  string
	schema *data.Schema
}

type writer struct {
	written
	encoder *encoder
	id      int
	raw     bool      // bytes at the top have no length
	until   time.Time // zero: for ever
}

type read struct {
	topic string
	id    int
}

type recordReader struct {
	read
	decoder *decoder
	schema  *data.Schema
	raw     bool
}

// Configure reads the settings. It does not ask the registry.
func (c *Converter) Configure(m config.Map, isKey bool) error {
	v, err := registry.Parse(def, m, isKey)
	if err != nil {
		return err
	}
	client, err := registry.New(v, m, registry.Format{Type: sr.TypeAvro, Name: "Avro"}, isKey)
	if err != nil {
		return err
	}
	size := registry.CacheSize(v)
	*c = Converter{
		settings: settingsOf(v), client: client,
		writers: registry.NewCache[written, *writer](size), readers: registry.NewCache[read, *recordReader](size),
	}
	return nil
}

// Append writes v behind the id of its schema, which is registered or looked
// up when it is first seen. The error is Retriable when the registry cannot
// be reached.
func (c *Converter) Append(dst []byte, topic string, s *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() && (s == nil || s.Optional()) {
		return nil, nil
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
	if w.raw && !v.IsNull() {
		out, err := w.encoder.appendRaw(out, v)
		if err != nil {
			return dst, err
		}
		return out, nil
	}
	out, err := w.encoder.append(out, v)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// appendRaw writes bytes without their length, which is that of the record.
func (e *encoder) appendRaw(dst []byte, v data.Value) ([]byte, error) {
	switch {
	case v.Kind() != e.kind:
		return dst, e.wrongKind(v)
	case e.step == stepDecimal:
		return data.AppendDecimalBytes(dst, e.schema, v.Decimal())
	}
	return append(dst, v.Bytes()...), nil
}

func (c *Converter) writer(topic string, s *data.Schema) (*writer, error) {
	key := written{topic, s}
	if w, ok := c.writers.Get(key); ok && (w.until.IsZero() || !time.Now().After(w.until)) {
		return w, nil
	}
	n, err := c.settings.fromConnect(s)
	if err != nil {
		return nil, err
	}
	own := registry.Schema{Text: string(appendSchema(nil, n))}
	record := ""
	if n.kind == recordKind {
		record = n.fullName()
	}
	subject, err := c.client.Subject(topic, record)
	if err != nil {
		return nil, err
	}
	found, err := c.client.Register(subject, own, func(other registry.Schema) error { return c.compatible(own, other) })
	if err != nil {
		return nil, err
	}
	if found.Other != nil {
		if n, err = c.parse(*found.Other); err != nil {
			return nil, err
		}
	}
	e, err := c.settings.encoderOf(s, n)
	if err != nil {
		return nil, err
	}
	w := &writer{written: key, encoder: e, id: found.ID, raw: n.kind == bytesKind, until: found.Until}
	c.writers.Put(key, w)
	return w, nil
}

// parse reads a schema of the registry with those it refers to.
func (c *Converter) parse(s registry.Schema) (*node, error) {
	references, err := c.client.References(s)
	if err != nil {
		return nil, err
	}
	n, err := parseSchema(s.Text, references)
	if err != nil {
		return nil, registry.InvalidSchema(s, err)
	}
	return n, nil
}

// compatible tells whether a reader with schema other reads what is written
// with own, by the rules of Avro.
func (c *Converter) compatible(own, other registry.Schema) error {
	references, err := c.client.References(other)
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
	source, err := avro.Parse(own.Text, lax)
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
		return nil, data.Null, messages.ReadError(topic, err)
	}
	rr := c.lastRead
	if rr == nil || rr.id != id || rr.topic != topic {
		if rr, err = c.reader(topic, id); err != nil {
			return nil, data.Null, messages.ReadError(topic, err)
		}
		c.lastRead = rr
	}
	r := reader{b: payload, memory: &c.memory}
	var v data.Value
	if rr.raw {
		v, err = rr.decoder.bytesValue(payload)
	} else {
		v, err = rr.decoder.read(&r)
	}
	if err != nil {
		return nil, data.Null, messages.ReadError(topic, faulty(id, err))
	}
	return rr.schema, v, nil
}

// faulty is the error of bytes that are not what their schema says. Faults
// of values by the rules of Connect are shown as they are.
func faulty(id int, err error) error {
	var own *data.Error
	if errors.As(err, &own) {
		return own
	}
	return registry.Malformed("Avro", id, err)
}

func (c *Converter) reader(topic string, id int) (*recordReader, error) {
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
	n, err := c.parse(s)
	if err != nil {
		return nil, err
	}
	if c.client.NamedByRecord() {
		record := ""
		if n.kind == recordKind {
			record = n.fullName()
		}
		if subject, err = c.client.Subject(topic, record); err != nil {
			return nil, err
		}
	}
	version, err := c.client.Version(subject, s)
	if err != nil {
		return nil, err
	}
	r := &recordReader{read: key, raw: n.kind == bytesKind}
	if r.schema, err = c.settings.toConnect(n, version); err != nil {
		return nil, err
	}
	if r.decoder, err = c.settings.decoderOf(r.schema, n); err != nil {
		return nil, err
	}
	c.readers.Put(key, r)
	return r, nil
}
