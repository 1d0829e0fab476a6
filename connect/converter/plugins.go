package converter

import (
	"kconnect/connect"
	"kconnect/connect/config"
)

// version is that of the Kafka release whose converters these are.
const version = "4.2.0"

// Plugins returns the converters and header converters of this package.
func Plugins() []connect.Plugin {
	const converters = "org.apache.kafka.connect.converters."
	both := []struct {
		class string
		def   *config.Def
		make  func() any
	}{
		{converters + "BooleanConverter", typeOnlyDef, func() any { return &Boolean{} }},
		{converters + "ByteArrayConverter", typeOnlyDef, func() any { return &ByteArray{} }},
		{converters + "DoubleConverter", typeOnlyDef, func() any { return NewDouble() }},
		{converters + "FloatConverter", typeOnlyDef, func() any { return NewFloat() }},
		{converters + "IntegerConverter", typeOnlyDef, func() any { return NewInteger() }},
		{converters + "LongConverter", typeOnlyDef, func() any { return NewLong() }},
		{converters + "ShortConverter", typeOnlyDef, func() any { return NewShort() }},
		{"org.apache.kafka.connect.json.JsonConverter", jsonDef, func() any { return &JSON{} }},
		{"org.apache.kafka.connect.storage.StringConverter", stringDef, func() any { return &String{} }},
	}
	plugins := []connect.Plugin{{
		Class: "org.apache.kafka.connect.storage.SimpleHeaderConverter", Kind: connect.HeaderConverterPlugin,
		Version: version, Def: noDef, New: func() any { return &SimpleHeader{} },
	}}
	for _, b := range both {
		for _, kind := range []connect.PluginKind{connect.ConverterPlugin, connect.HeaderConverterPlugin} {
			plugins = append(plugins, connect.Plugin{Class: b.class, Kind: kind, Version: version, Def: b.def, New: b.make})
		}
	}
	return plugins
}
