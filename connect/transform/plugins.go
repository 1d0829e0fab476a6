package transform

import (
	"kconnect/connect"
	"kconnect/connect/config"
)

// version is that of the Apache Kafka classes which these stand for.
const version = "4.2.0"

const prefix = "org.apache.kafka.connect.transforms."

// Plugins returns the transformations and predicates.
func Plugins() []connect.Plugin {
	transformation := func(class string, def *config.Def, create func() connect.Transformation) connect.Plugin {
		return connect.Plugin{Class: prefix + class, Kind: connect.TransformationPlugin, Version: version, Def: def, New: func() any { return create() }}
	}
	return []connect.Plugin{
		transformation("ExtractField$Key", extractFieldDef, func() connect.Transformation { return &ExtractField{side: keySide} }),
		transformation("ExtractField$Value", extractFieldDef, func() connect.Transformation { return &ExtractField{side: valueSide} }),
		transformation("ValueToKey", valueToKeyDef, func() connect.Transformation { return &ValueToKey{} }),
	}
}
