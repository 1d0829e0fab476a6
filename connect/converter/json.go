package converter

import (
	"bytes"
	"strings"

	"github.com/go-faster/jx"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var jsonDef = config.NewDef(
	typeKeyDef,
	config.Key{
		Name: "schemas.enable", Type: config.Boolean, Default: new("true"), Importance: config.High, Group: "Schemas", Order: 0, Width: config.MediumWidth,
		Display: "Enable Schemas",
		Doc:     "Write every value with its schema around it, and expect that when reading. Without, JSON is plain and values have no schema.",
	},
	config.Key{
		Name: "schemas.cache.size", Type: config.Int, Default: new("1000"), Importance: config.High, Group: "Schemas", Order: 1, Width: config.MediumWidth,
		Display: "Schema Cache Size",
		Doc:     "How many schemas the converter remembers in each direction.",
	},
	config.Key{
		Name: "schema.content", Type: config.String, Importance: config.High, Group: "Schemas", Order: 2, Width: config.MediumWidth,
		Display: "Schema Content",
		Doc:     "The schema, as JSON, of every value that is read. When it is set, values are read as plain JSON of that schema, and schemas.enable must be true.",
	},
	config.Key{
		Name: "decimal.format", Type: config.String, Default: new("BASE64"), Importance: config.Low, Group: "Serialization", Order: 0, Width: config.MediumWidth,
		Display: "Decimal Format", Validate: config.OneOfFold("NUMERIC", "BASE64"),
		Doc: "How decimals are written: NUMERIC as JSON numbers, BASE64 as the bytes of the unscaled value. Both are read.",
	},
	config.Key{
		Name: "replace.null.with.default", Type: config.Boolean, Default: new("true"), Importance: config.Low, Group: "Serialization", Order: 1, Width: config.MediumWidth,
		Display: "Replace null with default",
		Doc:     "Put the default of a field in the place of null, in both directions.",
	},
)

// JSON converts to and from JSON, by default as envelopes of schema and
// payload. It is also a header converter.
type JSON struct {
	schemas bool // schemas.enable
	cache   int  // schemas.cache.size
	coerce  coercion
	content *envelope // schema.content

	known  map[string]*envelope // by schema text
	last   *envelope
	memory memory

	writer    jsonWriter
	encoders  map[*data.Schema]*envelopeWriter
	lastWrite *envelopeWriter
}

// envelopeWriter writes the envelopes of one schema.
type envelopeWriter struct {
	schema *data.Schema
	prefix []byte // up to the payload; empty without schemas.enable
	values *encoder
}

// Configure reads the converter's settings.
func (c *JSON) Configure(m config.Map, isKey bool) error {
	v, err := parseTyped(jsonDef, m, isKey)
	if err != nil {
		return err
	}
	java, err := JavaCoercion(m)
	if err != nil {
		return err
	}
	*c = JSON{
		schemas:  v.Bool("schemas.enable"),
		cache:    v.Int("schemas.cache.size"),
		coerce:   coercion{java: java, nullDefault: v.Bool("replace.null.with.default")},
		known:    map[string]*envelope{},
		writer:   jsonWriter{numeric: strings.EqualFold(v.String("decimal.format"), "NUMERIC"), nullDefault: v.Bool("replace.null.with.default")},
		encoders: map[*data.Schema]*envelopeWriter{},
	}
	content := v.String("schema.content")
	if content == "" {
		return nil
	}
	// The schema is read even when schemas.enable is false, as in Java.
	r := jsonReader{b: []byte(content)}
	tree, err := r.first()
	if err != nil {
		return serializationError("Failed to parse schema in converter config due to serialization error: ", err)
	}
	s, err := c.coerce.schemaOf(tree)
	if err != nil {
		return err
	}
	if s != nil && c.schemas {
		c.content = c.envelopeOf(s)
	}
	return nil
}

func (c *JSON) envelopeOf(s *data.Schema) *envelope {
	e := &envelope{schema: s}
	if s != nil {
		e.reader = readerOf(s, c.coerce.nullDefault)
	}
	return e
}

// Append writes v. The faults are those of Java's converter (golden
// json-from-connect); after one dst is as it was.
func (c *JSON) Append(dst []byte, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	if s == nil && v.IsNull() {
		return nil, nil
	}
	b, err := c.append(dst, s, v)
	if err != nil {
		return dst, err
	}
	return b, nil
}

func (c *JSON) append(dst []byte, s *data.Schema, v data.Value) ([]byte, error) {
	var err error
	switch {
	case s != nil:
		w := c.lastWrite
		if w == nil || w.schema != s {
			if w, err = c.writerOf(s); err != nil {
				return dst, err
			}
			c.lastWrite = w
		}
		dst, err = w.values.append(append(dst, w.prefix...), v)
	case c.schemas:
		dst, err = appendPlain(append(dst, `{"schema":null,"payload":`...), v)
	default:
		dst, err = appendPlain(dst, v)
	}
	if c.schemas {
		dst = append(dst, '}')
	}
	return dst, err
}

func (c *JSON) writerOf(s *data.Schema) (*envelopeWriter, error) {
	if w, ok := c.encoders[s]; ok {
		return w, nil
	}
	w := &envelopeWriter{schema: s, values: c.writer.encoderOf(s)}
	if c.schemas {
		prefix, err := c.writer.appendSchema([]byte(`{"schema":`), s, nil)
		if err != nil {
			return nil, err
		}
		w.prefix = append(prefix, `,"payload":`...)
	}
	remember(c.encoders, s, w, c.cache)
	return w, nil
}

// remember puts an entry into a map of at most size entries; which one makes
// room for it is left to chance.
func remember[K comparable, V any](m map[K]V, key K, value V, size int) {
	if size <= 0 {
		return
	}
	for k := range m {
		if len(m) < size {
			break
		}
		delete(m, k)
	}
	m[key] = value
}

// Decode reads b. Texts in the value refer to b.
func (c *JSON) Decode(_ string, b []byte) (*data.Schema, data.Value, error) {
	switch {
	case b == nil:
		return nil, data.Null, nil
	case !c.schemas:
		v, err := c.plain(b)
		return nil, v, err
	case c.content != nil:
		if v, ok := c.readPayload(b, 0, 0, c.content); ok {
			return c.content.schema, v, nil
		}
		v, err := c.exact(b, func(v data.Value) (data.Value, error) { return c.coerce.value(c.content.schema, v) })
		return c.content.schema, v, err
	}
	if e, payload := c.find(b); e != nil {
		if v, ok := c.readPayload(b, payload, 1, e); ok {
			return e.schema, v, nil
		}
	}
	return c.exactEnvelope(b)
}

// find returns what is known of the schema of b and where the payload begins;
// nil when that takes the exact reader.
func (c *JSON) find(b []byte) (*envelope, int) {
	if c.last != nil && bytes.HasPrefix(b, c.last.prefix) {
		return c.last, len(c.last.prefix)
	}
	schema, payload, ok := locate(b)
	if !ok {
		return nil, 0
	}
	e, ok := c.known[string(schema)]
	if !ok {
		return nil, 0
	}
	c.use(e, b[:payload])
	return e, payload
}

// use makes e the first to be tried.
func (c *JSON) use(e *envelope, prefix []byte) {
	if !bytes.Equal(e.prefix, prefix) {
		e.prefix = bytes.Clone(prefix)
	}
	c.last = e
}

// readPayload reads a payload that needs no coercion and the end of its
// envelope. depth is 1 inside of an envelope and 0 without.
func (c *JSON) readPayload(b []byte, pos, depth int, e *envelope) (data.Value, bool) {
	r := jsonReader{b: b, pos: pos, depth: depth}
	r.space()
	var v data.Value
	var ok bool
	if e.reader != nil {
		if v, ok = e.reader.read(&r, &c.memory); !ok {
			c.memory.stack, c.memory.entries = c.memory.stack[:0], c.memory.entries[:0]
		}
	} else {
		r.floats = true
		if v, ok = r.value(); ok {
			var err error
			v, err = c.coerce.plain(v)
			ok = err == nil
		}
	}
	if ok && depth > 0 {
		r.space()
		ok = r.peek() == '}'
	}
	return v, ok
}

// plain reads a value without a schema.
func (c *JSON) plain(b []byte) (data.Value, error) { return c.exact(b, c.coerce.plain) }

// exact reads b whatever it is and converts the tree.
func (c *JSON) exact(b []byte, convert func(data.Value) (data.Value, error)) (data.Value, error) {
	v, _, err := readTree(b, !c.schemas)
	if err != nil {
		return data.Null, err
	}
	return convert(v)
}

// readTree reads b in any encoding. schema is the text of a member "schema".
func readTree(b []byte, floats bool) (v data.Value, schema []byte, err error) {
	text, err := decodeText(b)
	if err == nil {
		r := jsonReader{b: text, floats: floats}
		v, err = r.first()
		schema = r.schema
	}
	if err != nil {
		failed := serializationError("Converting byte[] to Kafka Connect data failed due to serialization error: ", err)
		failed.Remedy = notWhole
		err = failed
	}
	return v, schema, err
}

const envelopeRule = `JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields.` +
	" If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration."

// notWhole is the remedy of a common slip: a text pasted into a console
// producer over several lines makes a record of each line.
const notWhole = "The record is not whole JSON. A text that is typed over several lines becomes several records: send it on one line."

// noEnvelope is the error of a record that is no envelope.
func noEnvelope(b []byte) error {
	err := connect.NewDataError(envelopeRule, nil)
	if !jx.Valid(b) {
		err.Remedy = notWhole
	}
	return err
}

// exactEnvelope reads any envelope and remembers its schema.
func (c *JSON) exactEnvelope(b []byte) (*data.Schema, data.Value, error) {
	tree, text, err := readTree(b, false)
	if err != nil {
		return nil, data.Null, err
	}
	if tree.Kind() != data.KindMap || len(tree.Map().Entries) != 2 {
		return nil, data.Null, noEnvelope(b)
	}
	_, hasSchema := tree.Map().Get("schema")
	payload, hasPayload := tree.Map().Get("payload")
	if !hasSchema || !hasPayload {
		return nil, data.Null, noEnvelope(b)
	}
	e, err := c.learn(text)
	if err != nil {
		return nil, data.Null, err
	}
	if usual, payload, ok := locate(b); ok && bytes.Equal(usual, text) {
		c.use(e, b[:payload])
	}
	v, err := c.coerce.value(e.schema, payload)
	return e.schema, v, err
}

// learn returns the envelope of a schema text, which the reader has accepted.
func (c *JSON) learn(text []byte) (*envelope, error) {
	if e, ok := c.known[string(text)]; ok {
		return e, nil
	}
	own := bytes.Clone(text) // the schema lives longer than the record
	r := jsonReader{b: own}
	tree, err := r.first()
	if err != nil {
		return nil, err
	}
	s, err := c.coerce.schemaOf(tree)
	if err != nil {
		return nil, err
	}
	e := c.envelopeOf(s)
	remember(c.known, data.TextOf(own).Str(), e, c.cache)
	return e, nil
}

// AppendHeader writes a header as Append writes a value.
func (c *JSON) AppendHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return c.Append(dst, topic, s, v)
}

// DecodeHeader reads a header as Decode reads a value.
func (c *JSON) DecodeHeader(topic, _ string, b []byte) (*data.Schema, data.Value, error) {
	return c.Decode(topic, b)
}
