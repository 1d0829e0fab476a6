package transform

import (
	"slices"

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
	predicate := func(class string, def *config.Def, create func() connect.Predicate) connect.Plugin {
		return connect.Plugin{Class: prefix + "predicates." + class, Kind: connect.PredicatePlugin, Version: version, Def: def, New: func() any { return create() }}
	}
	// sides makes the Key and the Value variant of a class.
	sides := func(class string, def *config.Def, create func(side) connect.Transformation) []connect.Plugin {
		return []connect.Plugin{
			transformation(class+"$Key", def, func() connect.Transformation { return create(keySide) }),
			transformation(class+"$Value", def, func() connect.Transformation { return create(valueSide) }),
		}
	}
	return slices.Concat(
		[]connect.Plugin{
			transformation("DropHeaders", dropHeadersDef, func() connect.Transformation { return &DropHeaders{} }),
			transformation("Filter", filterDef, func() connect.Transformation { return Filter{} }),
			transformation("InsertHeader", insertHeaderDef, func() connect.Transformation { return &InsertHeader{} }),
			transformation("RegexRouter", regexRouterDef, func() connect.Transformation { return &RegexRouter{} }),
			transformation("TimestampRouter", timestampRouterDef, func() connect.Transformation { return &TimestampRouter{} }),
			transformation("ValueToKey", valueToKeyDef, func() connect.Transformation { return &ValueToKey{} }),
			predicate("HasHeaderKey", hasHeaderDef, func() connect.Predicate { return &HasHeaderKey{} }),
			predicate("RecordIsTombstone", tombstoneDef, func() connect.Predicate { return RecordIsTombstone{} }),
			predicate("TopicNameMatches", topicMatchDef, func() connect.Predicate { return &TopicNameMatches{} }),
		},
		sides("ExtractField", extractFieldDef, func(s side) connect.Transformation { return &ExtractField{side: s} }),
		sides("Cast", castDef, func(s side) connect.Transformation { return &Cast{side: s} }),
		sides("Flatten", flattenDef, func(s side) connect.Transformation { return &Flatten{side: s} }),
		sides("HeaderFrom", headerFromDef, func(s side) connect.Transformation { return &HeaderFrom{side: s} }),
		sides("InsertField", insertFieldDef, func(s side) connect.Transformation { return &InsertField{side: s} }),
		sides("MaskField", maskFieldDef, func(s side) connect.Transformation { return &MaskField{side: s} }),
		sides("ReplaceField", replaceFieldDef, func(s side) connect.Transformation { return &ReplaceField{side: s} }),
		sides("HoistField", hoistFieldDef, func(s side) connect.Transformation { return &HoistField{side: s} }),
		sides("TimestampConverter", timestampConverterDef, func(s side) connect.Transformation { return &TimestampConverter{side: s} }),
		sides("SetSchemaMetadata", setSchemaMetadataDef, func(s side) connect.Transformation { return &SetSchemaMetadata{side: s} }),
	)
}
