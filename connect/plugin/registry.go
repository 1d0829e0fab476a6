// Package plugin knows the classes that configurations can name and checks
// whole connector configurations against the definitions of everything that
// they name.
package plugin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
)

// Registry finds plugins by class name. It is immutable.
type Registry struct{ plugins []connect.Plugin }

// New returns a registry. One class may be there once for each kind.
func New(plugins ...connect.Plugin) (*Registry, error) {
	r := &Registry{plugins: slices.Clone(plugins)}
	slices.SortStableFunc(r.plugins, func(a, b connect.Plugin) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.Class, b.Class))
	})
	for i := 1; i < len(r.plugins); i++ {
		if a, b := r.plugins[i-1], r.plugins[i]; a.Class == b.Class && a.Kind == b.Kind {
			return nil, fmt.Errorf("plugin %s (%s) is there twice", a.Class, a.Kind)
		}
	}
	return r, nil
}

// rank orders kinds as GET /connector-plugins does.
func rank(k connect.PluginKind) int {
	return slices.Index([]connect.PluginKind{connect.SinkPlugin, connect.SourcePlugin, connect.TransformationPlugin,
		connect.PredicatePlugin, connect.ConverterPlugin, connect.HeaderConverterPlugin}, k)
}

// All returns every plugin: sinks, sources, then the other kinds, each by
// class.
func (r *Registry) All() []connect.Plugin { return slices.Clone(r.plugins) }

// List returns the plugins that GET /connector-plugins shows, in the order of
// All.
func (r *Registry) List(connectorsOnly bool) []connect.Plugin {
	return slices.DeleteFunc(r.All(), func(p connect.Plugin) bool { return connectorsOnly && !isConnector(p.Kind) })
}

func isConnector(k connect.PluginKind) bool {
	return k == connect.SinkPlugin || k == connect.SourcePlugin
}

// Connector finds a connector by full class name, simple name, or simple name
// without "Connector".
func (r *Registry) Connector(name string) (*connect.Plugin, error) {
	if p := r.find(name, isConnector); p != nil {
		return p, nil
	}
	var available []string
	for _, p := range r.List(true) {
		available = append(available, fmt.Sprintf("PluginDesc{klass=class %s, name='%s', version='%s', encodedVersion=%s, type=%s, typeName='%s', location='classpath'}", p.Class, p.Class, p.Version, p.Version, p.Kind, p.Kind))
	}
	return nil, &connect.Error{Kind: connect.Config, Message: "Failed to find any class that implements Connector and which name matches " + name +
		", available connectors are: " + strings.Join(available, ", ")}
}

// Converter finds a converter by full class name, simple name, or simple name
// without "Converter".
func (r *Registry) Converter(name string) (*connect.Plugin, error) {
	return r.need(name, "Converter", connect.ConverterPlugin)
}

// HeaderConverter finds a header converter as Converter does, one that is no
// converter without "HeaderConverter".
func (r *Registry) HeaderConverter(name string) (*connect.Plugin, error) {
	return r.need(name, "HeaderConverter", connect.HeaderConverterPlugin)
}

// Transformation finds a transformation by full class name, or by its simple
// name unless it is a nested class.
func (r *Registry) Transformation(name string) (*connect.Plugin, error) {
	return r.need(name, "Transformation", connect.TransformationPlugin)
}

// Predicate finds a predicate by full class name or simple name.
func (r *Registry) Predicate(name string) (*connect.Plugin, error) {
	return r.need(name, "Predicate", connect.PredicatePlugin)
}

func (r *Registry) need(name, what string, kind connect.PluginKind) (*connect.Plugin, error) {
	if p := r.find(name, func(k connect.PluginKind) bool { return k == kind }); p != nil {
		return p, nil
	}
	var available []string
	for _, p := range r.plugins {
		if p.Kind == kind {
			available = append(available, p.Class)
		}
	}
	return nil, &connect.Error{Kind: connect.Config, Message: "Failed to find any class that implements " + what + " and which name matches " + name +
		"; this worker has " + strings.Join(available, ", ")}
}

// Find finds a plugin of any kind, for GET /connector-plugins/{name}/config.
func (r *Registry) Find(name string) *connect.Plugin {
	return r.find(name, func(connect.PluginKind) bool { return true })
}

// UnknownError is the error for a plugin that is not there.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return "Unknown plugin " + e.Name + "." }

// Keys returns the definition of a plugin, named as for Find: for a connector
// its own keys, then the common ones (golden rest 15-plugins). The error is an
// *UnknownError, or says that the class has no definition but those within it do.
func (r *Registry) Keys(name string) ([]config.Key, error) {
	p := r.Find(name)
	if p == nil {
		for _, kind := range []connect.PluginKind{connect.TransformationPlugin, connect.PredicatePlugin} {
			if nested := r.nested(name, kind); len(nested) > 0 {
				return nil, connect.NewError("Instantiation error: "+name+" is abstract. Did you mean "+strings.Join(nested, ", ")+"?", nil)
			}
		}
		return nil, &UnknownError{Name: name}
	}
	if isConnector(p.Kind) {
		common := p.CommonDef().Edit(func(k *config.Key) {
			if k.Name == "connector.plugin.version" {
				k.Default = config.Default(p.Version)
			}
		})
		return p.Def.Merge(common).Keys(), nil
	}
	return p.Def.Keys(), nil
}

func (r *Registry) find(name string, wanted func(connect.PluginKind) bool) *connect.Plugin {
	if name == "" {
		return nil
	}
	for i := range r.plugins {
		if p := &r.plugins[i]; wanted(p.Kind) && p.Class == name {
			return p
		}
	}
	for i := range r.plugins {
		p := &r.plugins[i]
		if !wanted(p.Kind) {
			continue
		}
		if simple, short := shortNames(p); simple == name || short == name {
			return p
		}
	}
	return nil
}

// Names returns every name by which configurations can name a plugin, sorted.
func (r *Registry) Names() []string {
	names := []string{}
	for i := range r.plugins {
		names = append(names, r.plugins[i].Class)
		if simple, short := shortNames(&r.plugins[i]); simple != "" {
			names = append(names, simple, short)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Needs returns the classes that a connector's configuration names: of the
// connector, its converters, transformations and predicates. Names that are
// absent, null or hidden behind a config provider are left out.
func Needs(cfg config.Raw) []string {
	var names []string
	need := func(key string) {
		if v := cfg[key]; v != nil && *v != "" && !strings.Contains(*v, "${") {
			names = append(names, *v)
		}
	}
	for _, key := range [...]string{"connector.class", "key.converter", "value.converter", "header.converter"} {
		need(key)
	}
	for _, list := range [...]string{"transforms", "predicates"} {
		if all := cfg[list]; all != nil {
			for alias := range strings.SplitSeq(*all, ",") {
				need(list + "." + strings.TrimSpace(alias) + ".type")
			}
		}
	}
	return names
}

// shortNames returns the simple name of a class and that without the suffix
// of its kind. A nested class has none.
func shortNames(p *connect.Plugin) (simple, short string) {
	if strings.Contains(p.Class, "$") {
		return "", ""
	}
	simple = p.Class[strings.LastIndexByte(p.Class, '.')+1:]
	return simple, shortName(simple, p.Kind)
}

// shortName returns a simple class name without the end that configurations
// may leave out. A header converter that is a converter, too, is found as such.
func shortName(simple string, k connect.PluginKind) string {
	switch k {
	case connect.SinkPlugin, connect.SourcePlugin:
		return strings.TrimSuffix(simple, "Connector")
	case connect.TransformationPlugin:
		return strings.TrimSuffix(simple, "Transformation")
	case connect.PredicatePlugin:
		return strings.TrimSuffix(simple, "Predicate")
	case connect.HeaderConverterPlugin:
		if short, ok := strings.CutSuffix(simple, "HeaderConverter"); ok {
			return short
		}
		return strings.TrimSuffix(simple, "Converter")
	case connect.ConverterPlugin:
		return strings.TrimSuffix(simple, "Converter")
	}
	return simple
}
