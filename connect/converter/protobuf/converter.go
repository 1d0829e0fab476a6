package protobuf

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

var messages = registry.Texts{
	Writing: "Failed to serialize Protobuf data from topic ", WritingEnd: " :",
	Reading: "Failed to deserialize data for topic ", ReadingEnd: " to Protobuf: ",
	Access: "Failed to access Protobuf data from topic ",
}

// Plugins returns the converter, under the name that users of the Java
// converter know.
func Plugins() []connect.Plugin {
	return []connect.Plugin{{
		Class: "io.confluent.connect.protobuf.ProtobufConverter", Kind: connect.ConverterPlugin, Version: registry.PluginVersion,
		Def: def, New: func() any { return &Converter{} }, Unrecommended: true,
	}}
}

// Converter writes and reads Protobuf with the schemas of a registry.
type Converter struct {
	settings settings
	client   *registry.Client
	memory   memory

	writers   registry.Cache[written, *writer]
	lastWrite *writer
	files     registry.Cache[read, *file]
	readers   registry.Cache[place, *reader]
	lastRead  *reader
}

type written struct {
	topic  string
	schema *data.Schema
}

type writer struct {
	written
	encoder *messageEncoder
	top     *fieldEncoder // of a value that is no struct: the field of its wrapper
	prefix  []byte
	until   time.Time
}

type read struct {
	topic string
	id    int
}

// file is a schema of the registry.
type file struct {
	descriptor protoreflect.FileDescriptor
	version    int
}

// place is a message of a schema.
type place struct {
	read
	index string // the bytes of its place
}

type reader struct {
	place
	schema  *data.Schema
	decoder *messageDecoder
	top     bool // the value is that of a wrapper
}

// Configure reads the settings. It does not ask the registry.
func (c *Converter) Configure(m config.Map, isKey bool) error {
	v, err := registry.Parse(def, m, isKey)
	if err != nil {
		return err
	}
	client, err := registry.New(v, m, registry.Format{Type: sr.TypeProtobuf, Name: "Protobuf"}, isKey)
	if err != nil {
		return err
	}
	size := registry.CacheSize(v)
	*c = Converter{
		settings: settingsOf(v), client: client,
		writers: registry.NewCache[written, *writer](size), files: registry.NewCache[read, *file](size), readers: registry.NewCache[place, *reader](size),
	}
	return nil
}

// Append writes v behind the id of its schema, which is registered or looked
// up when it is first seen. Null is a tombstone. The error is Retriable when
// the registry cannot be reached.
func (c *Converter) Append(dst []byte, topic string, s *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
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
	out := append(dst, w.prefix...)
	var err error
	if w.top != nil {
		out, err = w.top.append(out, v)
	} else {
		out, err = w.encoder.append(out, v)
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (c *Converter) writer(topic string, s *data.Schema) (*writer, error) {
	key := written{topic, s}
	if w, ok := c.writers.Get(key); ok && (w.until.IsZero() || !time.Now().After(w.until)) {
		return w, nil
	}
	text, name, err := c.settings.fromConnect(s)
	if err != nil {
		return nil, err
	}
	descriptor, err := compile(text, nil)
	if err != nil {
		return nil, connect.NewDataError("The Protobuf schema for "+s.String()+" is not valid. Set scrub.invalid.names=true if names have characters that Protobuf does not allow", err)
	}
	subject, err := c.client.Subject(topic, name)
	if err != nil {
		return nil, err
	}
	own := messageNamed(descriptor.Messages(), protoreflect.FullName(name))
	found, err := c.client.Register(subject, registry.Schema{Text: text}, func(other registry.Schema) error { return c.compatible(own, other) })
	if err != nil {
		return nil, err
	}
	if found.Other != nil {
		if descriptor, err = c.compile(*found.Other); err != nil {
			return nil, err
		}
		if own = messageNamed(descriptor.Messages(), own.FullName()); own == nil {
			return nil, connect.NewDataError("Schema "+fmt.Sprint(found.ID)+" of the registry has no message "+name, nil)
		}
	}
	w := &writer{written: key, until: found.Until}
	if s.Type() == data.StructType {
		w.encoder, err = c.settings.encoderOf(s, own)
	} else {
		top, e := c.settings.fieldEncoder(s, own.Fields().Get(0))
		w.top, err = &top, e
	}
	if err != nil {
		return nil, err
	}
	w.prefix = appendIndex(registry.AppendPrefix(nil, found.ID), own)
	c.writers.Put(key, w)
	return w, nil
}

// messageNamed finds a message at any depth; nil when there is none.
func messageNamed(list protoreflect.MessageDescriptors, name protoreflect.FullName) protoreflect.MessageDescriptor {
	for i := range list.Len() {
		m := list.Get(i)
		if m.FullName() == name {
			return m
		}
		if inner := messageNamed(m.Messages(), name); inner != nil {
			return inner
		}
	}
	return nil
}

// appendIndex writes the place of a message: how many steps, then each. The
// first message of a file is a zero.
func appendIndex(dst []byte, m protoreflect.MessageDescriptor) []byte {
	var path []int
	for d := protoreflect.Descriptor(m); ; d = d.Parent() {
		if _, ok := d.(protoreflect.FileDescriptor); ok {
			break
		}
		path = append([]int{d.Index()}, path...)
	}
	if len(path) == 1 && path[0] == 0 {
		return append(dst, 0)
	}
	dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(len(path))))
	for _, step := range path {
		dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(step)))
	}
	return dst
}

// maxNesting bounds the steps to a message.
const maxNesting = 100

var errIndex = errors.New("the place of the message in its schema cannot be read")

// splitIndex returns the place of the message and what follows it.
func splitIndex(b []byte) (index, payload []byte, err error) {
	n, size := protowire.ConsumeVarint(b)
	if size < 0 {
		return nil, nil, errIndex
	}
	steps := protowire.DecodeZigZag(n)
	if steps < 0 || steps > maxNesting {
		return nil, nil, errIndex
	}
	pos := size
	for range steps {
		_, size := protowire.ConsumeVarint(b[pos:])
		if size < 0 {
			return nil, nil, errIndex
		}
		pos += size
	}
	return b[:pos], b[pos:], nil
}

// at follows the steps to a message.
func at(file protoreflect.FileDescriptor, index []byte) (protoreflect.MessageDescriptor, error) {
	n, size := protowire.ConsumeVarint(index)
	steps := int(protowire.DecodeZigZag(n))
	index = index[size:]
	path := make([]int64, steps)
	for i := range path {
		n, size := protowire.ConsumeVarint(index)
		path[i] = protowire.DecodeZigZag(n)
		index = index[size:]
	}
	if steps == 0 {
		path = []int64{0}
	}
	list := file.Messages()
	var m protoreflect.MessageDescriptor
	for _, step := range path {
		if step < 0 || step >= int64(list.Len()) {
			return nil, fmt.Errorf("the schema has no message at place %v", path)
		}
		m = list.Get(int(step))
		list = m.Messages()
	}
	return m, nil
}

func (c *Converter) compile(s registry.Schema) (protoreflect.FileDescriptor, error) {
	references, err := c.client.References(s)
	if err != nil {
		return nil, err
	}
	descriptor, err := compile(s.Text, references)
	if err != nil {
		return nil, registry.InvalidSchema(s, err)
	}
	return descriptor, nil
}

// compatible tells whether the fields of m can be read by the message of that
// name in another schema.
func (c *Converter) compatible(m protoreflect.MessageDescriptor, other registry.Schema) error {
	descriptor, err := c.compile(other)
	if err != nil {
		return err
	}
	theirs := messageNamed(descriptor.Messages(), m.FullName())
	if theirs == nil {
		return errors.New("it has no message " + string(m.FullName()))
	}
	return fits(m, theirs)
}

func fits(own, theirs protoreflect.MessageDescriptor) error {
	fields := own.Fields()
	for i := range fields.Len() {
		a := fields.Get(i)
		b := theirs.Fields().ByNumber(a.Number())
		switch {
		case b == nil:
		case family(a) != family(b):
			return fmt.Errorf("field %s is %s in the data, and %s in the schema", a.FullName(), a.Kind(), b.Kind())
		case a.Kind() == protoreflect.MessageKind && a.Message().FullName() != b.Message().FullName() && !isMap(a):
			return fmt.Errorf("field %s is %s in the data, and %s in the schema", a.FullName(), a.Message().FullName(), b.Message().FullName())
		}
	}
	return nil
}

// family is the group of kinds whose bytes are read by each other.
func family(fd protoreflect.FieldDescriptor) protoreflect.Kind {
	switch k := fd.Kind(); k {
	case protoreflect.Uint32Kind, protoreflect.Int64Kind, protoreflect.Uint64Kind, protoreflect.BoolKind, protoreflect.EnumKind:
		return protoreflect.Int32Kind
	case protoreflect.Sint64Kind:
		return protoreflect.Sint32Kind
	case protoreflect.Sfixed32Kind:
		return protoreflect.Fixed32Kind
	case protoreflect.Sfixed64Kind:
		return protoreflect.Fixed64Kind
	case protoreflect.BytesKind:
		return protoreflect.StringKind
	default:
		return k
	}
}

// Decode reads a record by the schema whose id stands in front of it. Texts
// and bytes in the value refer to b.
func (c *Converter) Decode(topic string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return nil, data.Null, nil
	}
	id, rest, err := registry.Split(b)
	if err != nil {
		return nil, data.Null, messages.ReadError(topic, err)
	}
	index, payload, err := splitIndex(rest)
	if err != nil {
		return nil, data.Null, messages.ReadError(topic, registry.Malformed("Protobuf", id, err))
	}
	r := c.lastRead
	if r == nil || r.id != id || r.topic != topic || r.index != string(index) {
		if r, err = c.reader(topic, id, index); err != nil {
			return nil, data.Null, messages.ReadError(topic, err)
		}
		c.lastRead = r
	}
	c.memory.count = 0
	v, err := r.decoder.read(payload, &c.memory)
	if err != nil {
		var own *data.Error
		if errors.As(err, &own) {
			return nil, data.Null, own
		}
		return nil, data.Null, messages.ReadError(topic, registry.Malformed("Protobuf", id, err))
	}
	if r.top {
		v = v.Struct().At(0)
	}
	return r.schema, v, nil
}

func (c *Converter) reader(topic string, id int, index []byte) (*reader, error) {
	key := place{read{topic, id}, string(index)}
	if r, ok := c.readers.Get(key); ok {
		return r, nil
	}
	f, m, err := c.message(topic, id, index)
	if err != nil {
		return nil, err
	}
	r := &reader{place: key}
	if r.schema, err = c.settings.toConnect(m, f.version); err != nil {
		return nil, err
	}
	if r.decoder, err = c.settings.decoderOf(r.schema, m); err != nil {
		return nil, err
	}
	r.top = r.schema.Type() != data.StructType
	c.readers.Put(key, r)
	return r, nil
}

// message finds a message of a schema; the schema is asked for once.
func (c *Converter) message(topic string, id int, index []byte) (*file, protoreflect.MessageDescriptor, error) {
	key := read{topic, id}
	f, known := c.files.Get(key)
	if known {
		m, err := at(f.descriptor, index)
		if err != nil {
			err = registry.Malformed("Protobuf", id, err)
		}
		return f, m, err
	}
	subject := ""
	if !c.client.NamedByRecord() {
		subject, _ = c.client.Subject(topic, "") // fails by the name of a record only
	}
	s, err := c.client.ByID(subject, id)
	if err != nil {
		return nil, nil, err
	}
	f = &file{}
	if f.descriptor, err = c.compile(s); err != nil {
		return nil, nil, err
	}
	m, err := at(f.descriptor, index)
	if err != nil {
		return nil, nil, registry.Malformed("Protobuf", id, err)
	}
	if c.client.NamedByRecord() {
		if subject, err = c.client.Subject(topic, string(m.FullName())); err != nil {
			return nil, nil, err
		}
	}
	if f.version, err = c.client.Version(subject, s); err != nil {
		return nil, nil, err
	}
	c.files.Put(key, f)
	return f, m, nil
}
