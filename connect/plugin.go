package connect

import "kconnect/connect/config"

// PluginKind is the kind of a plugin, in the words of GET /connector-plugins.
type PluginKind string

// The kinds of plugins.
const (
	SinkPlugin            PluginKind = "sink"
	SourcePlugin          PluginKind = "source"
	TransformationPlugin  PluginKind = "transformation"
	PredicatePlugin       PluginKind = "predicate"
	ConverterPlugin       PluginKind = "converter"
	HeaderConverterPlugin PluginKind = "header_converter"
)

// Plugin describes one class that configurations can name. A connector
// package exports its plugins as Plugins() []connect.Plugin, and the program
// hands them to the registry; there is no registration by side effect.
type Plugin struct {
	Class     string // the Java class name that users' configurations have
	Kind      PluginKind
	Version   string
	TaskClass string // of connectors: the Java class name stored in task configs
	Def       *config.Def
	// Own has keys of a connector that the Java class of its name lacks; nil for
	// none. Validate shows those that a configuration has (D26), and
	// ConfigValidator finds their results behind those of Def.
	Own *config.Def
	// Unrecommended keeps the class out of the values that validate recommends,
	// which are those of the Java distribution (golden rest
	// 16-validate-filestream). It is listed like any other (D26).
	Unrecommended bool
	// New returns a fresh instance: a Connector, Converter, HeaderConverter,
	// Transformation or Predicate by Kind.
	New func() any
	// NewTask returns a SourceTask or SinkTask; connectors only.
	NewTask func() any
	// Metrics are the series that tasks and connectors of this class publish.
	Metrics []MetricDef
}

// CommonDef returns the keys that every connector of p's kind has.
func (p *Plugin) CommonDef() *config.Def {
	if p.Kind == SinkPlugin {
		return config.ConnectorDef(config.Sink)
	}
	return config.ConnectorDef(config.Source)
}
