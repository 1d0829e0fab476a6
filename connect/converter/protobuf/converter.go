package protobuf

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

var format = registry.Format{Type: sr.TypeProtobuf, Name: "Protobuf", Texts: registry.Texts{
	Writing: "Failed to serialize Protobuf data from topic ", WritingEnd: " :",
	Reading: "Failed to deserialize data for topic ", ReadingEnd: " to Protobuf: ",
	Access: "Failed to access Protobuf data from topic ",
}}

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
	schemas  *registry.Schemas[*writer, *file]
	memory   memory

	readers  registry.Cache[place, *reader]
	lastRead *reader
}

type writer struct {
	index   []byte // the place of the message
	message *messageEncoder
	top     *fieldEncoder // of a value that is no struct: the field of its wrapper
}

// file is a schema of the registry.
type file struct {
	descriptor protoreflect.FileDescriptor
	version    int
}

// place is a message of a schema.
type place struct {
	*file
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
	v, schemas, err := registry.Open(format, def, m, isKey, registry.Translation[*writer, *file]{Draft: c.draft, Load: c.load})
	if err != nil {
		return err
	}
	*c = Converter{settings: settingsOf(v), schemas: schemas, readers: registry.NewCache[place, *reader](registry.CacheSize(v))}
	return nil
}

// Close ends what the registry is asked; see connect.Converter.
func (c *Converter) Close() error { return c.schemas.Close() }

// Append writes v behind the id of its schema, which is registered or looked
// up when it is first seen. Null is a tombstone. The error is Retriable when
// the registry cannot be reached.
func (c *Converter) Append(dst []byte, topic string, s *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	out, w, err := c.schemas.Writer(dst, topic, s)
	if err != nil {
		return dst, err
	}
	out = append(out, w.index...)
	if w.top != nil {
		out, err = w.top.append(out, v)
	} else {
		out, err = w.message.append(out, v)
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (c *Converter) draft(s *data.Schema) (registry.Draft[*writer], error) {
	none := registry.Draft[*writer]{}
	text, name, err := c.settings.fromConnect(s)
	if err != nil {
		return none, err
	}
	descriptor, err := compile(text, nil)
	if err != nil {
		return none, connect.NewDataError("The Protobuf schema for "+s.String()+" is not valid. Set scrub.invalid.names=true if names have characters that Protobuf does not allow", err)
	}
	own := messageNamed(descriptor.Messages(), protoreflect.FullName(name))
	return registry.Draft[*writer]{
		Text: text, Record: name,
		Compatible: func(other registry.Schema) error { return c.compatible(own, other) },
		Writer: func(found registry.Written) (*writer, error) {
			if found.Other != nil {
				if descriptor, err = registry.Resolve(c.schemas.Client, *found.Other, compile); err != nil {
					return nil, err
				}
				if own = messageNamed(descriptor.Messages(), own.FullName()); own == nil {
					return nil, connect.NewDataError("Schema "+strconv.Itoa(found.ID)+" of the registry has no message "+name, nil)
				}
			}
			return c.settings.writerOf(s, own)
		},
	}, nil
}

func (c *settings) writerOf(s *data.Schema, m protoreflect.MessageDescriptor) (*writer, error) {
	w := &writer{index: appendIndex(nil, m)}
	if s.Type() == data.StructType {
		var err error
		w.message, err = c.encoderOf(s, m)
		return w, err
	}
	top, err := c.fieldEncoder(s, m.Fields().Get(0))
	w.top = &top
	return w, err
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

// compatible tells whether the fields of m can be read by the message of that
// name in another schema.
func (c *Converter) compatible(m protoreflect.MessageDescriptor, other registry.Schema) error {
	descriptor, err := registry.Resolve(c.schemas.Client, other, compile)
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
		return nil, data.Null, c.schemas.ReadError(topic, err)
	}
	index, payload, err := splitIndex(rest)
	if err != nil {
		return nil, data.Null, c.schemas.ReadError(topic, c.schemas.Malformed(id, err))
	}
	f, err := c.schemas.Reader(topic, id, index)
	if err != nil {
		return nil, data.Null, err
	}
	r := c.lastRead
	if r == nil || r.file != f || r.index != string(index) {
		if r, err = c.reader(f, id, index); err != nil {
			return nil, data.Null, c.schemas.ReadError(topic, err)
		}
		c.lastRead = r
	}
	c.memory.count = 0
	v, err := r.decoder.read(payload, &c.memory)
	if err != nil {
		var own *data.Error // faults by the rules of Connect are shown as they are
		if errors.As(err, &own) {
			return nil, data.Null, own
		}
		return nil, data.Null, c.schemas.ReadError(topic, c.schemas.Malformed(id, err))
	}
	if r.top {
		v = v.Struct().At(0)
	}
	return r.schema, v, nil
}

// load reads a file of messages. The first one that is seen gives the subject
// in which its version is looked for.
func (c *Converter) load(s registry.Schema, index []byte) (registry.Loaded[*file], error) {
	none := registry.Loaded[*file]{}
	descriptor, err := registry.Resolve(c.schemas.Client, s, compile)
	if err != nil {
		return none, err
	}
	m, err := at(descriptor, index)
	if err != nil {
		return none, c.schemas.Malformed(s.ID, err)
	}
	return registry.Loaded[*file]{Record: string(m.FullName()), Reader: func(version int) (*file, error) {
		return &file{descriptor, version}, nil
	}}, nil
}

// reader returns what reads a message of a file.
func (c *Converter) reader(f *file, id int, index []byte) (*reader, error) {
	key := place{f, string(index)}
	if r, ok := c.readers.Get(key); ok {
		return r, nil
	}
	m, err := at(f.descriptor, index)
	if err != nil {
		return nil, c.schemas.Malformed(id, err)
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
