package protobuf

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"kconnect/connect"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

// reading makes the Connect schema of one message.
type reading struct {
	settings
	inside map[protoreflect.FullName]bool
	count  int
}

// maxSchemas bounds the tree that a message can unfold to.
const maxSchemas = 100_000

func (c *settings) toConnect(m protoreflect.MessageDescriptor, version int) (*data.Schema, error) {
	r := reading{settings: *c, inside: map[protoreflect.FullName]bool{}}
	if c.rawWrapper {
		if t, ok := wrapped(string(m.FullName())); ok {
			b := data.NewBuilder(t)
			if version > 0 {
				b.Version(int32(version))
			}
			return b.Build()
		}
	}
	b, err := r.message(m)
	if err != nil {
		return nil, err
	}
	if version > 0 {
		b.Version(int32(version))
	}
	return b.Build()
}

func (r *reading) name(d protoreflect.Descriptor) string {
	if r.enhanced {
		return string(d.FullName())
	}
	return string(d.Name())
}

func (r *reading) message(m protoreflect.MessageDescriptor) (*data.Builder, error) {
	if r.inside[m.FullName()] {
		e := connect.NewDataError("Message "+string(m.FullName())+" contains itself: recursive schemas have no Connect schema here", nil)
		e.Remedy = "Read the topic with org.apache.kafka.connect.converters.ByteArrayConverter, or change the schema to lists of limited depth."
		return nil, e
	}
	r.inside[m.FullName()] = true
	defer delete(r.inside, m.FullName())
	b := data.NewStructBuilder().Named(r.name(m))
	oneofs := m.Oneofs()
	for i := range oneofs.Len() {
		o := oneofs.Get(i)
		if o.IsSynthetic() {
			continue
		}
		if err := r.oneof(b, o); err != nil {
			return nil, err
		}
	}
	fields := m.Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if realOneof(fd) != nil {
			continue
		}
		s, err := r.field(fd)
		if err != nil {
			return nil, err
		}
		b.Field(string(fd.Name()), s)
	}
	return b, b.Err()
}

// unionName is the name of the field for a oneof.
func (c *settings) unionName(o protoreflect.OneofDescriptor) string {
	if c.index {
		return string(o.Name()) + "_" + strconv.Itoa(o.Index())
	}
	return string(o.Name())
}

func (r *reading) oneof(b *data.Builder, o protoreflect.OneofDescriptor) error {
	u := data.NewStructBuilder().Optional()
	if r.generalized {
		u.Named(string(o.Name())).Param(registry.UnionParam, string(o.Name()))
	} else {
		u.Named(unionPrefix + r.name(o))
	}
	fields := o.Fields()
	for i := range fields.Len() {
		s, err := r.field(fields.Get(i))
		if err != nil {
			return err
		}
		if r.flatten {
			b.Field(string(fields.Get(i).Name()), s)
			continue
		}
		u.Field(string(fields.Get(i).Name()), s)
	}
	if r.flatten {
		return b.Err()
	}
	s, err := u.Build()
	if err != nil {
		return err
	}
	b.Field(r.unionName(o), s)
	return b.Err()
}

func (r *reading) field(fd protoreflect.FieldDescriptor) (*data.Schema, error) {
	if r.count++; r.count > maxSchemas {
		return nil, connect.NewDataError("The Protobuf schema unfolds to more than "+strconv.Itoa(maxSchemas)+" schemas", nil)
	}
	b, optional, err := r.typed(fd)
	if err != nil {
		return nil, err
	}
	if fd.Cardinality() == protoreflect.Repeated && !isMap(fd) {
		s, err := b.Optional().Build()
		if err != nil {
			return nil, err
		}
		b, optional = data.NewBuilder(data.Array).Items(s), true
	}
	if r.optional {
		optional = optional || fd.HasOptionalKeyword()
	} else if !r.wrapper {
		optional = true
	}
	optional = optional || r.flatten && realOneof(fd) != nil
	return b.SetOptional(optional).Param(tagParam, strconv.Itoa(int(fd.Number()))).Build()
}

func (r *reading) typed(fd protoreflect.FieldDescriptor) (b *data.Builder, optional bool, err error) {
	switch k := fd.Kind(); k {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		switch params(fd)[connectType] {
		case "int8":
			return data.NewBuilder(data.Int8), false, nil
		case "int16":
			return data.NewBuilder(data.Int16), false, nil
		}
		b := data.NewBuilder(data.Int32)
		if k != protoreflect.Int32Kind {
			b.Param(typeParam, k.String())
		}
		return b, false, nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Int64Kind, protoreflect.Uint64Kind, protoreflect.Sint64Kind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		b := data.NewBuilder(data.Int64)
		if k != protoreflect.Int64Kind {
			b.Param(typeParam, k.String())
		}
		return b, false, nil
	case protoreflect.FloatKind:
		return data.NewBuilder(data.Float32), false, nil
	case protoreflect.DoubleKind:
		return data.NewBuilder(data.Float64), false, nil
	case protoreflect.BoolKind:
		return data.NewBuilder(data.Boolean), false, nil
	case protoreflect.StringKind:
		return data.NewBuilder(data.String), false, nil
	case protoreflect.BytesKind:
		return data.NewBuilder(data.Bytes), false, nil
	case protoreflect.EnumKind:
		return r.enum(fd.Enum()), true, nil
	case protoreflect.MessageKind:
		b, err := r.messageField(fd)
		return b, true, err
	}
	return nil, false, connect.NewDataError("Unknown Connect schema type: "+strings.ToUpper(fd.Kind().String()), nil)
}

func (r *reading) enum(e protoreflect.EnumDescriptor) *data.Builder {
	b := data.NewBuilder(data.String)
	if r.intEnums {
		b = data.NewBuilder(data.Int32)
	}
	param := enumParam
	if r.generalized {
		param = registry.EnumParam
	}
	b.Named(r.name(e)).Param(param, string(e.Name()))
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		b.Param(param+"."+string(v.Name()), strconv.Itoa(int(v.Number())))
	}
	return b
}

func (r *reading) messageField(fd protoreflect.FieldDescriptor) (*data.Builder, error) {
	m := fd.Message()
	switch m.FullName() {
	case decimalMessage:
		p := params(fd)
		scale, _ := strconv.ParseInt(p["scale"], 10, 32) // 0 for none and for what is no number, as in Java
		b := data.NewDecimalBuilder(int32(scale))
		if precision, err := strconv.ParseInt(p["precision"], 10, 32); err == nil {
			b.Param(decimalPrecision, strconv.Itoa(int(precision)))
		}
		return b, nil
	case dateMessage:
		return data.NewDateBuilder(), nil
	case timeMessage:
		return data.NewTimeBuilder(), nil
	case timestampMessage:
		return data.NewTimestampBuilder(), nil
	}
	if r.wrapper {
		if t, ok := wrapped(string(m.FullName())); ok {
			return data.NewBuilder(t), nil
		}
	}
	if !isMap(fd) {
		return r.message(m)
	}
	key, err := r.field(m.Fields().Get(0))
	if err != nil {
		return nil, err
	}
	value, err := r.field(m.Fields().Get(1))
	if err != nil {
		return nil, err
	}
	name := r.name(m)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return data.NewBuilder(data.MapType).Keys(key).Items(value).Named(name[:i+1] + lowerUnderscore(strings.TrimSuffix(name[i+1:], entrySuffix))), nil
	}
	return data.NewBuilder(data.MapType).Keys(key).Items(value).Named(lowerUnderscore(strings.TrimSuffix(name, entrySuffix))), nil
}
