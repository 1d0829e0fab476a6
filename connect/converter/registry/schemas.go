package registry

import (
	"time"

	"kconnect/connect/config"
	"kconnect/connect/data"
)

// Translation is how a format turns schemas of either side into what writes
// (W) and reads (R) their values.
type Translation[W, R any] struct {
	// Draft translates a Connect schema, which may be nil.
	Draft func(s *data.Schema) (Draft[W], error)
	// Load reads a schema of the registry. place is that of Reader.
	Load func(s Schema, place []byte) (Loaded[R], error)
}

// Draft is a Connect schema in the words of a format, before it has an id.
type Draft[W any] struct {
	Text   string
	Record string // the full name of the record that it describes; empty for none
	// Compatible tells whether the values can be written with another schema.
	Compatible func(other Schema) error
	// Writer returns what writes the values, with the schema that was found.
	Writer func(found Written) (W, error)
}

// Loaded is a schema of the registry before its version is known.
type Loaded[R any] struct {
	Record string // as in Draft
	Reader func(version int) (R, error)
}

// Schemas are those that one converter has met, in caches of bounded size.
// They are used by one goroutine at a time.
type Schemas[W, R any] struct {
	*Client
	translation Translation[W, R]

	writers   Cache[written, *writer[W]]
	lastWrite *writer[W]
	readers   Cache[read, *reader[R]]
	lastRead  *reader[R]
}

type written struct {
	topic  string
	schema *data.Schema
}

type writer[W any] struct {
	written
	id     int
	until  time.Time // zero: for ever
	values W
}

func (w *writer[W]) expired() bool { return !w.until.IsZero() && time.Now().After(w.until) }

type read struct {
	topic string
	id    int
}

type reader[R any] struct {
	read
	values R
}

// Open reads the settings m of a converter by its table and returns them with
// the schemas, of which it has met none yet. It does not ask the registry.
func Open[W, R any](format Format, def *config.Def, m config.Map, isKey bool, t Translation[W, R]) (*config.Values, *Schemas[W, R], error) {
	v, err := parse(def, m, isKey)
	if err != nil {
		return nil, nil, err
	}
	client, err := newClient(v, m, format, isKey)
	if err != nil {
		return nil, nil, err
	}
	size := CacheSize(v)
	return v, &Schemas[W, R]{
		Client: client, translation: t,
		writers: NewCache[written, *writer[W]](size), readers: NewCache[read, *reader[R]](size),
	}, nil
}

// Len returns how many schemas are remembered in each direction.
func (c *Schemas[W, R]) Len() (written, read int) { return c.writers.Len(), c.readers.Len() }

// Writer appends the bytes in front of a record and returns what writes the
// values of s in a topic. The schema is registered or looked up when it is
// first seen, and again when Written.Until has passed. The error is one to
// show: it names the topic, and is Retriable when the registry cannot be
// reached; dst is then as it was.
func (c *Schemas[W, R]) Writer(dst []byte, topic string, s *data.Schema) ([]byte, W, error) {
	w := c.lastWrite
	if w == nil || w.schema != s || w.topic != topic || w.expired() {
		var err error
		if w, err = c.writer(written{topic, s}); err != nil {
			var none W
			return dst, none, c.WriteError(topic, err)
		}
		c.lastWrite = w
	}
	return AppendPrefix(dst, w.id), w.values, nil
}

func (c *Schemas[W, R]) writer(key written) (*writer[W], error) {
	if w, ok := c.writers.Get(key); ok && !w.expired() {
		return w, nil
	}
	draft, err := c.translation.Draft(key.schema)
	if err != nil {
		return nil, err
	}
	subject, err := c.Subject(key.topic, draft.Record)
	if err != nil {
		return nil, err
	}
	found, err := c.Register(subject, Schema{Text: draft.Text}, draft.Compatible)
	if err != nil {
		return nil, err
	}
	w := &writer[W]{written: key, id: found.ID, until: found.Until}
	if w.values, err = draft.Writer(found); err != nil {
		return nil, err
	}
	c.writers.Put(key, w)
	return w, nil
}

// Reader returns what reads the values of a topic that were written with the
// schema of an id, which is fetched when it is first seen. place says which
// part of the schema the first record is of, in formats that know parts. The
// error is as that of Writer.
func (c *Schemas[W, R]) Reader(topic string, id int, place []byte) (R, error) {
	r := c.lastRead
	if r == nil || r.id != id || r.topic != topic {
		var err error
		if r, err = c.reader(read{topic, id}, place); err != nil {
			var none R
			return none, c.ReadError(topic, err)
		}
		c.lastRead = r
	}
	return r.values, nil
}

func (c *Schemas[W, R]) reader(key read, place []byte) (*reader[R], error) {
	if r, ok := c.readers.Get(key); ok {
		return r, nil
	}
	subject := ""
	if !c.NamedByRecord() {
		subject, _ = c.Subject(key.topic, "") // fails by the name of a record only
	}
	s, err := c.ByID(subject, key.id)
	if err != nil {
		return nil, err
	}
	loaded, err := c.translation.Load(s, place)
	if err != nil {
		return nil, err
	}
	if c.NamedByRecord() {
		if subject, err = c.Subject(key.topic, loaded.Record); err != nil {
			return nil, err
		}
	}
	version, err := c.Version(subject, s)
	if err != nil {
		return nil, err
	}
	r := &reader[R]{read: key}
	if r.values, err = loaded.Reader(version); err != nil {
		return nil, err
	}
	c.readers.Put(key, r)
	return r, nil
}

// Resolve reads a schema of the registry, together with those that it refers
// to, by the parser of a format.
func Resolve[T any](c *Client, s Schema, parse func(text string, references []Named) (T, error)) (T, error) {
	var none T
	references, err := c.References(s)
	if err != nil {
		return none, err
	}
	parsed, err := parse(s.Text, references)
	if err != nil {
		return none, InvalidSchema(s, err)
	}
	return parsed, nil
}
