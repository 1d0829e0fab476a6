package avro

import (
	"net/url"
	"strings"

	"kconnect/connect/data"
)

// Names that the Java converter gives and knows.
const (
	namespace    = "io.confluent.connect.avro"
	defaultName  = "ConnectDefault"
	entryName    = "MapEntry"
	unionName    = namespace + ".Union"
	enumParam    = namespace + ".Enum"
	anythingName = "Anything"

	generalUnion       = "org.apache.kafka.connect.data.Union"
	generalEnum        = "org.apache.kafka.connect.data.Enum"
	generalUnionPrefix = "connect_union_"
	generalFieldPrefix = "connect_union_field_"

	connectName       = "connect.name"
	connectDoc        = "connect.doc"
	connectRecordDoc  = "connect.record.doc"
	connectEnumDoc    = "connect.enum.doc"
	connectVersion    = "connect.version"
	connectDefault    = "connect.default"
	connectParameters = "connect.parameters"
	connectInternal   = "connect.internal.type"
	connectType       = "connect.type"
	fixedSize         = "connect.fixed.size"
	decimalPrecision  = "connect.decimal.precision"
	recordDoc         = namespace + ".record.doc"
	fieldDocPrefix    = namespace + ".field.doc."
	enumDocPrefix     = namespace + ".enum.doc."
	enumDefaultPrefix = namespace + ".enum.default."
	defaultFlag       = namespace + ".field.default" // the default was that of an Avro field

	defaultPrecision = 64
)

// scrubbed returns a name of one part that Avro allows.
func (c *settings) scrubbed(name string) string {
	if !c.scrub || name == "" || isName(name) {
		return name
	}
	b := []byte(url.QueryEscape(name))
	if b[0] >= '0' && b[0] <= '9' {
		b = append([]byte{'x'}, b...)
	}
	for i, ch := range b {
		if !isNameByte(ch) {
			b[i] = '_'
		}
	}
	return string(b)
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s[0] < '0' || s[0] > '9'
}

func isNameByte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
}

// split takes a full name apart into namespace and name.
func (c *settings) split(full string) (space, name string) {
	parts := strings.Split(strings.TrimRight(full, "."), ".")
	for i := range parts {
		parts[i] = c.scrubbed(parts[i])
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], "."), parts[last]
}

func (c *settings) fullScrubbed(name string) string {
	if !c.scrub {
		return name
	}
	space, short := c.split(name)
	if space == "" {
		return short
	}
	return space + "." + short
}

func isUnion(s *data.Schema) bool {
	if s.Type() != data.StructType {
		return false
	}
	_, general := s.Param(generalUnion)
	return general || s.Name() == unionName
}

// enumOf returns the name of the enum that a text schema stands for and the
// parameter under which it says so; both empty when it is plain text.
func (c *settings) enumOf(s *data.Schema) (name, param string) {
	if s.Type() != data.String || !c.generalized && !c.enhanced {
		return "", ""
	}
	param = enumParam
	if c.generalized {
		param = generalEnum
	}
	if name, ok := s.Param(param); ok {
		return name, param
	}
	return "", ""
}

func isFixed(s *data.Schema) bool {
	if s.Type() != data.Bytes || !s.HasName() {
		return false
	}
	_, ok := s.Param(fixedSize)
	return ok
}

// textKeys reports whether a map is written as an Avro map, which has text
// keys; others are arrays of entries.
func (c *settings) textKeys(s *data.Schema) bool {
	k := s.Key()
	return k.Type() == data.String && (!k.Optional() || c.optionalKeys)
}
