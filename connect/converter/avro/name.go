package avro

import (
	"strings"

	"kconnect/connect/converter/registry"
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
	if !c.scrub {
		return name
	}
	return registry.Identifier(name, "0123456789")
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
	_, general := s.Param(registry.UnionParam)
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
		param = registry.EnumParam
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
