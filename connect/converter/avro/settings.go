package avro

import (
	"kconnect/connect/config"
	"kconnect/connect/converter/registry"
)

var def = registry.Def(
	registry.Flag("enhanced.avro.schema.support", "false", "Keep enums as enums and namespaces in the names of union members, in both directions."),
	registry.Flag("connect.meta.data", "true", "Keep in Avro schemas what only Connect schemas have: names, versions, documentation, defaults and parameters, as connect. properties."),
	registry.Flag("scrub.invalid.names", "false", "Replace what Avro does not allow in names, such as blanks and dashes, by underscores when writing."),
	registry.Flag("discard.type.doc.default", "false", "Keep documentation and defaults of fields alone, not those of types."),
	registry.Generalized,
	registry.IgnoreDefault,
	registry.Flag("allow.optional.map.keys", "false", "Write maps with optional text keys as Avro maps."),
	registry.Flag("flatten.singleton.unions", "true", "Read a union of one type as that type."),
)

// settings are the switches of the translation.
type settings struct {
	enhanced, meta, scrub, discard, generalized, ignoreDefault, optionalKeys, flatten bool
}

func settingsOf(v *config.Values) settings {
	return settings{
		enhanced:      v.Bool("enhanced.avro.schema.support"),
		meta:          v.Bool("connect.meta.data"),
		scrub:         v.Bool("scrub.invalid.names"),
		discard:       v.Bool("discard.type.doc.default"),
		generalized:   v.Bool("generalized.sum.type.support"),
		ignoreDefault: v.Bool("ignore.default.for.nullables"),
		optionalKeys:  v.Bool("allow.optional.map.keys"),
		flatten:       v.Bool("flatten.singleton.unions"),
	}
}
