package jsonschema

import (
	"strings"

	"kconnect/connect/config"
	"kconnect/connect/converter/registry"
)

var def = registry.Def(
	config.Key{
		Name: "decimal.format", Type: config.String, Default: config.Default("BASE64"), Importance: config.Low, Group: "Schemas",
		Validate: config.OneOfFold("NUMERIC", "BASE64"),
		Doc:      "How decimals are written: NUMERIC as JSON numbers, BASE64 as the bytes of the unscaled value. Both are read.",
	},
	registry.Flag("object.additional.properties", "true", "Let objects have properties that their schema does not name."),
	registry.Flag("use.optional.for.nonrequired", "false", "Read properties that are not required as optional fields."),
	registry.Generalized,
	registry.IgnoreDefault,
	registry.Flag("ignore.modern.dialects", "false", "Accepted: schemas of every draft are read alike."),
	registry.Flag("json.fail.invalid.schema", "false", "Check what is written and read against the whole JSON schema, and refuse what does not fit it."),
)

type settings struct {
	numeric, closed, optional, generalized, ignoreDefault, validate bool
}

func settingsOf(v *config.Values) settings {
	return settings{
		numeric:       strings.EqualFold(v.String("decimal.format"), "NUMERIC"),
		closed:        !v.Bool("object.additional.properties"),
		optional:      v.Bool("use.optional.for.nonrequired"),
		generalized:   v.Bool("generalized.sum.type.support"),
		ignoreDefault: v.Bool("ignore.default.for.nullables"),
		validate:      v.Bool("json.fail.invalid.schema"),
	}
}

// Names that the Java converter gives and knows.
const (
	namespace = "io.confluent.connect.json"
	oneOfName = namespace + ".OneOf"
	enumParam = namespace + ".Enum"
	idParam   = namespace + ".Id"

	connectType       = "connect.type"
	connectVersion    = "connect.version"
	connectParameters = "connect.parameters"
	connectIndex      = "connect.index"

	nullSymbol = "<NULL>" // of an enum that holds null
)
