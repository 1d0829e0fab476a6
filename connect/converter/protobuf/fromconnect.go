package protobuf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kconnect/connect"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

// text writes the .proto file of one Connect schema.
type text struct {
	settings
	imports []string
	unnamed int
}

// message is a message that is being written.
type message struct {
	name   string
	fields []line
	oneofs []oneof
	nested []string // messages and enums, with their indent
	known  map[string]bool
}

type line struct{ label, typ, name, number, options string }

type oneof struct {
	name   string
	fields []line
}

func illegal(format string, args ...any) error {
	return &connect.Error{Class: connect.ClassIllegalArgument, Kind: connect.Data, Message: fmt.Sprintf(format, args...)}
}

// fromConnect returns the text of the schema as which values of s are
// written, and the full name of the message.
func (c *settings) fromConnect(s *data.Schema) (file, name string, err error) {
	if s == nil {
		return "", "", connect.NewDataError("ProtobufConverter cannot write values that have no schema", nil)
	}
	if s.Type() != data.StructType {
		wrapper := wrapperOf(s)
		if wrapper == "" || s.Logical() != data.NotLogical {
			return "", "", illegal("Unsupported root schema of type %s", s.Type())
		}
		b, err := known.ReadFile("known/wrappers.proto")
		return string(b), wrapper, err
	}
	t := text{settings: *c}
	pkg, short := t.split(t.nameOf(s))
	body, err := t.message(short, s, "")
	if err != nil {
		return "", "", err
	}
	var b strings.Builder
	b.WriteString("syntax = \"proto3\";\n")
	name = short
	if pkg != "" {
		b.WriteString("package " + pkg + ";\n")
		name = pkg + "." + short
	}
	for _, path := range t.imports {
		b.WriteString("\nimport \"" + path + "\";")
	}
	if len(t.imports) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString("\n" + body)
	return b.String(), name, nil
}

// wrapperOf returns the wrapper message of a plain type.
func wrapperOf(s *data.Schema) string {
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32:
		return wrapperPackage + "Int32Value"
	case data.Int64:
		switch t, _ := s.Param(typeParam); t {
		case "uint32", "fixed32":
			return wrapperPackage + "UInt32Value"
		case "uint64", "fixed64":
			return wrapperPackage + "UInt64Value"
		}
		return wrapperPackage + "Int64Value"
	case data.Float32:
		return wrapperPackage + "FloatValue"
	case data.Float64:
		return wrapperPackage + "DoubleValue"
	case data.Boolean:
		return wrapperPackage + "BoolValue"
	case data.String:
		return wrapperPackage + "StringValue"
	case data.Bytes:
		return wrapperPackage + "BytesValue"
	}
	return ""
}

func (t *text) nameOf(s *data.Schema) string {
	if s.Name() != "" {
		return s.Name()
	}
	t.unnamed++
	return defaultName + strconv.Itoa(t.unnamed)
}

func (t *text) shortName(s *data.Schema) string {
	_, short := t.split(t.nameOf(s))
	return short
}

func (t *text) need(path string) {
	if !slices.Contains(t.imports, path) {
		t.imports = append(t.imports, path)
	}
}

func (t *text) message(name string, s *data.Schema, indent string) (string, error) {
	m := &message{name: name, known: map[string]bool{}}
	taken := map[string]bool{}
	for _, f := range s.Fields() {
		if tag, ok := f.Schema.Param(tagParam); ok {
			taken[tag] = true
		}
		if isUnion(f.Schema) {
			for _, member := range f.Schema.Fields() {
				if tag, ok := member.Schema.Param(tagParam); ok {
					taken[tag] = true
				}
			}
		}
	}
	next := 0
	number := func(s *data.Schema) string {
		if tag, ok := s.Param(tagParam); ok {
			return tag
		}
		for {
			next++
			if n := strconv.Itoa(next); !taken[n] {
				return n
			}
		}
	}
	for _, f := range s.Fields() {
		if isUnion(f.Schema) {
			if err := t.oneof(m, f.Schema, number, indent+"  "); err != nil {
				return "", err
			}
			continue
		}
		l, err := t.field(m, f.Schema, t.scrubbed(f.Name), number(f.Schema), indent+"  ")
		if err != nil {
			return "", err
		}
		m.fields = append(m.fields, l)
	}
	return m.String(indent), nil
}

func (t *text) oneof(m *message, s *data.Schema, number func(*data.Schema) string, indent string) error {
	name, ok := s.Param(registry.UnionParam)
	if !ok || !t.generalized {
		name = strings.TrimPrefix(s.Name(), unionPrefix)
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	o := oneof{name: t.scrubbed(name)}
	for _, f := range s.Fields() {
		l, err := t.field(m, f.Schema, t.scrubbed(f.Name), number(f.Schema), indent)
		if err != nil {
			return err
		}
		if l.label == "repeated " {
			return illegal("Field %s of oneof %s cannot be a list or a map", f.Name, name)
		}
		l.label = ""
		o.fields = append(o.fields, l)
	}
	m.oneofs = append(m.oneofs, o)
	return nil
}

func (t *text) field(m *message, s *data.Schema, name, number, indent string) (line, error) {
	l := line{name: name, number: number}
	switch {
	case s.Type() == data.Array:
		l.label = "repeated "
		s = s.Elem()
		if s == nil || s.Type() == data.Array || s.Type() == data.MapType {
			return l, illegal("Array cannot be nested: field %s of message %s", name, m.name)
		}
	case s.Type() == data.MapType:
		l.label = "repeated "
	case t.optional && s.Optional() && !isUnion(s):
		l.label = "optional "
	}
	err := t.typed(&l, m, s, indent)
	return l, err
}

// typed finds the type of a field, and defines it where it is not known yet.
func (t *text) typed(l *line, m *message, s *data.Schema, indent string) error {
	switch s.Logical() {
	case data.LogicalDecimal:
		t.need("confluent/type/decimal.proto")
		l.typ = decimalMessage
		var pairs []string
		if p, ok := s.Param(decimalPrecision); ok {
			pairs = append(pairs, "precision", p)
		}
		if p, ok := s.Param(data.DecimalScale); ok {
			pairs = append(pairs, "scale", p)
		}
		t.meta(l, pairs)
		return nil
	case data.LogicalDate:
		t.need("google/type/date.proto")
		l.typ = dateMessage
		return nil
	case data.LogicalTime:
		t.need("google/type/timeofday.proto")
		l.typ = timeMessage
		return nil
	case data.LogicalTimestamp:
		t.need("google/protobuf/timestamp.proto")
		l.typ = timestampMessage
		return nil
	}
	if enum, param := t.enumOf(s); param != "" && (s.Type() == data.String || s.Type() == data.Int32) {
		return t.enum(l, m, s, enum, param, indent)
	}
	switch s.Type() {
	case data.Int8:
		t.meta(l, []string{connectType, "int8"})
	case data.Int16:
		t.meta(l, []string{connectType, "int16"})
	case data.MapType:
		return t.mapEntry(l, m, s, indent)
	case data.StructType:
		if isUnion(s) {
			return illegal("A union can only be a field of a struct: field %s of message %s", l.name, m.name)
		}
		name := t.shortName(s)
		if name == l.name {
			name += "Message" // a message and a field cannot share a name
		}
		l.typ = name
		if m.name == name || m.known[name] {
			return nil
		}
		m.known[name] = true
		body, err := t.message(name, s, indent)
		m.nested = append(m.nested, body)
		return err
	}
	if t.wrapper && s.Optional() {
		t.need("google/protobuf/wrappers.proto")
		l.typ, l.label = wrapperOf(s), strings.TrimPrefix(l.label, "optional ")
		return nil
	}
	l.typ = scalars[s.Type()]
	if own, ok := s.Param(typeParam); ok && (s.Type() == data.Int32 || s.Type() == data.Int64) {
		l.typ = own
	}
	return nil
}

var scalars = map[data.Type]string{
	data.Int8: "int32", data.Int16: "int32", data.Int32: "int32", data.Int64: "int64", data.Float32: "float", data.Float64: "double",
	data.Boolean: "bool", data.String: "string", data.Bytes: "bytes",
}

// meta puts what Protobuf has no word for into the options of a field.
func (t *text) meta(l *line, pairs []string) {
	if len(pairs) == 0 {
		return
	}
	t.need("confluent/meta.proto")
	var list []string
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, "{ key: "+strconv.Quote(pairs[i])+", value: "+strconv.Quote(pairs[i+1])+" }")
	}
	l.options = " [(confluent.field_meta) = { params: [" + strings.Join(list, ", ") + "] }]"
}

func (t *text) enum(l *line, m *message, s *data.Schema, enum, param, indent string) error {
	name := enum
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	name = t.scrubbed(name)
	l.typ = name
	if name == "" {
		return illegal("The enum of field %s has no name", l.name)
	}
	if m.known[name] {
		return nil
	}
	m.known[name] = true
	var b strings.Builder
	b.WriteString(indent + "enum " + name + " {\n")
	type value struct {
		name   string
		number int
	}
	var values []value
	for _, p := range s.Params() {
		if symbol, ok := strings.CutPrefix(p.Key, param+"."); ok {
			n, err := strconv.ParseInt(p.Value, 10, 32)
			if err != nil {
				return &connect.Error{Class: "java.lang.NumberFormatException", Kind: connect.Data, Message: `For input string: "` + p.Value + `"`}
			}
			values = append(values, value{symbol, int(n)})
		}
	}
	for _, v := range values {
		b.WriteString(indent + "  " + v.name + " = " + strconv.Itoa(v.number) + ";\n")
	}
	b.WriteString(indent + "}\n")
	m.nested = append(m.nested, b.String())
	return nil
}

func (t *text) mapEntry(l *line, m *message, s *data.Schema, indent string) error {
	name := upperCamel(t.shortName(s)) + entrySuffix
	l.typ = name
	if m.known[name] {
		return illegal("Two maps of message %s are both named %s", m.name, name)
	}
	m.known[name] = true
	entry := &message{name: name, known: map[string]bool{}}
	for i, part := range []struct {
		name   string
		schema *data.Schema
	}{{"key", s.Key()}, {"value", s.Elem()}} {
		f, err := t.field(entry, part.schema, part.name, strconv.Itoa(i+1), indent+"  ")
		if err != nil {
			return err
		}
		if f.label == "repeated " {
			return illegal("The values of a map cannot be lists or maps: field %s of message %s", l.name, m.name)
		}
		entry.fields = append(entry.fields, f)
	}
	m.nested = append(m.nested, entry.String(indent))
	return nil
}

// upperCamel writes a name with underscores without them, as message names
// are.
func upperCamel(s string) string {
	if !strings.Contains(s, "_") {
		return s
	}
	var b strings.Builder
	for word := range strings.SplitSeq(s, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + strings.ToLower(word[1:]))
		}
	}
	return b.String()
}

// lowerUnderscore is the inverse, for the names of map fields.
func lowerUnderscore(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (m *message) String(indent string) string {
	var b strings.Builder
	b.WriteString(indent + "message " + m.name + " {\n")
	for _, l := range m.fields {
		b.WriteString(indent + "  " + l.String() + "\n")
	}
	for _, o := range m.oneofs {
		b.WriteString("\n" + indent + "  oneof " + o.name + " {\n")
		for _, l := range o.fields {
			b.WriteString(indent + "    " + l.String() + "\n")
		}
		b.WriteString(indent + "  }\n")
	}
	for _, n := range m.nested {
		b.WriteString("\n" + n)
	}
	b.WriteString(indent + "}\n")
	return b.String()
}

func (l *line) String() string {
	return l.label + l.typ + " " + l.name + " = " + l.number + l.options + ";"
}
