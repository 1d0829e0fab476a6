package protobuf

import (
	"strings"

	"kconnect/connect/config"
	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
)

var def = registry.Def(
	registry.Flag("enhanced.protobuf.schema.support", "false", "Keep packages in the names of schemas."),
	registry.Flag("scrub.invalid.names", "false", "Replace what Protobuf does not allow in names, such as blanks and dashes, by underscores when writing."),
	registry.Generalized,
	registry.IgnoreDefault,
	registry.Flag("int.for.enums", "false", "Read enums as their numbers."),
	registry.Flag("optional.for.nullables", "false", "Write optional fields with the keyword optional, and read as optional only those that have it."),
	registry.Flag("optional.for.proto2", "true", "Let the keyword optional of proto2 tell null from the default, too."),
	registry.Flag("wrapper.for.nullables", "false", "Write optional fields as the wrappers of google/protobuf/wrappers.proto, and read those as optional fields."),
	registry.Flag("wrapper.for.raw.primitives", "true", "Read a wrapper at the top as the value in it."),
	registry.Flag("generate.index.for.unions", "true", "Put the place of a oneof behind its name in the name of its field."),
	registry.Flag("flatten.unions", "false", "Read the members of a oneof as fields of the message."),
)

type settings struct {
	enhanced, scrub, generalized, ignoreDefault, intEnums bool
	optional, optionalProto2, wrapper, rawWrapper         bool
	index, flatten                                        bool
}

func settingsOf(v *config.Values) settings {
	return settings{
		enhanced: v.Bool("enhanced.protobuf.schema.support"), scrub: v.Bool("scrub.invalid.names"),
		generalized: v.Bool("generalized.sum.type.support"), ignoreDefault: v.Bool("ignore.default.for.nullables"), intEnums: v.Bool("int.for.enums"),
		optional: v.Bool("optional.for.nullables"), optionalProto2: v.Bool("optional.for.proto2"),
		wrapper: v.Bool("wrapper.for.nullables"), rawWrapper: v.Bool("wrapper.for.raw.primitives"),
		index: v.Bool("generate.index.for.unions"), flatten: v.Bool("flatten.unions"),
	}
}

// Names that the Java converter gives and knows.
const (
	namespace   = "io.confluent.connect.protobuf"
	defaultName = "ConnectDefault"
	entrySuffix = "Entry"
	enumParam   = namespace + ".Enum"
	unionPrefix = namespace + ".Union."
	tagParam    = namespace + ".Tag"
	typeParam   = namespace + ".Type"

	connectType      = "connect.type"
	decimalPrecision = "connect.decimal.precision"

	decimalMessage   = "confluent.type.Decimal"
	dateMessage      = "google.type.Date"
	timeMessage      = "google.type.TimeOfDay"
	timestampMessage = "google.protobuf.Timestamp"
	wrapperPackage   = "google.protobuf."
)

// wrappers are the messages that stand for one value, with its Connect type.
var wrappers = map[string]data.Type{
	"DoubleValue": data.Float64, "FloatValue": data.Float32, "Int64Value": data.Int64, "UInt64Value": data.Int64,
	"Int32Value": data.Int32, "UInt32Value": data.Int64, "BoolValue": data.Boolean, "StringValue": data.String, "BytesValue": data.Bytes,
}

// wrapped returns the Connect type of a wrapper by its full name.
func wrapped(message string) (data.Type, bool) {
	name, ok := strings.CutPrefix(message, wrapperPackage)
	if !ok {
		return 0, false
	}
	t, ok := wrappers[name]
	return t, ok
}

func isUnion(s *data.Schema) bool {
	if s.Type() != data.StructType {
		return false
	}
	_, general := s.Param(registry.UnionParam)
	return general || strings.HasPrefix(s.Name(), namespace+".Union")
}

// enumOf returns the name of the enum that a text or number stands for and
// the parameter under which it says so; both empty otherwise.
func (c *settings) enumOf(s *data.Schema) (name, param string) {
	_, general := s.Param(registry.EnumParam)
	_, own := s.Param(enumParam)
	if !general && !own {
		return "", ""
	}
	param = enumParam
	if c.generalized && general || !own {
		param = registry.EnumParam
	}
	name, _ = s.Param(param)
	return name, param
}

// scrubbed returns a name of one part that Protobuf allows.
func (c *settings) scrubbed(name string) string {
	if !c.scrub {
		return name
	}
	return registry.Identifier(name, "0123456789_")
}

// split takes a full name apart into package and name.
func (c *settings) split(full string) (pkg, name string) {
	if i := strings.LastIndexByte(full, '.'); i >= 0 {
		pkg, full = full[:i], full[i+1:]
	}
	return pkg, c.scrubbed(full)
}
