package plugin

import (
	"fmt"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
)

// interfaces are the Java names of what the classes of a kind implement.
var interfaces = map[connect.PluginKind]string{
	connect.TransformationPlugin:  "Transformation",
	connect.PredicatePlugin:       "Predicate",
	connect.ConverterPlugin:       "Converter",
	connect.HeaderConverterPlugin: "HeaderConverter",
}

// classKey completes a key that names a class of a kind: short names become
// full ones, and the classes there are recommended.
func (r *Registry) classKey(k *config.Key, kind connect.PluginKind) {
	k.Resolve = func(name string) (string, error) {
		if p := r.findKind(name, kind); p != nil {
			return p.Class, nil
		}
		// The class of another kind has its value shown, and is refused below.
		if p := r.Find(name); p != nil {
			return p.Class, nil
		}
		if len(r.nested(name, kind)) > 0 {
			return name, nil
		}
		return "", config.Invalid(k.Name, name, "Class "+name+" could not be found.")
	}
	k.Validate = config.Func("a "+interfaces[kind]+" class", func(key string, v any) error {
		class, _ := v.(string)
		if class == "" || r.findKind(class, kind) != nil {
			return nil
		}
		refuse := func(message string) error {
			return &config.Error{Key: key, Value: class, Whole: true, Message: message}
		}
		if nested := r.nested(class, kind); len(nested) > 0 {
			return refuse("This class is abstract and cannot be created. Did you mean " + strings.Join(nested, ", ") + "?")
		}
		return refuse("Class class " + class + " does not implement the " + interfaces[kind] + " interface")
	})
	k.Recommend = func(config.Map) []string { return r.recommended(kind) }
}

func (r *Registry) findKind(name string, kind connect.PluginKind) *connect.Plugin {
	return r.find(name, func(k connect.PluginKind) bool { return k == kind })
}

// classes returns the classes of a kind that keep chooses, in alphabetical order.
func (r *Registry) classes(kind connect.PluginKind, keep func(p *connect.Plugin) bool) []string {
	var some []string
	for i := range r.plugins {
		if p := &r.plugins[i]; p.Kind == kind && keep(p) {
			some = append(some, p.Class)
		}
	}
	return some
}

// recommended returns the classes that validate recommends.
func (r *Registry) recommended(kind connect.PluginKind) []string {
	return r.classes(kind, func(p *connect.Plugin) bool { return !p.Unrecommended })
}

// nested returns the classes within a class, which itself is none that one can name.
func (r *Registry) nested(class string, kind connect.PluginKind) []string {
	return r.classes(kind, func(p *connect.Plugin) bool { return strings.HasPrefix(p.Class, class+"$") })
}

// versionKey completes the *.plugin.version key of class p; with nil there is
// no class that a version could be of.
func (r *Registry) versionKey(k *config.Key, p *connect.Plugin) {
	k.Default = nil
	if p == nil {
		return
	}
	k.Default = config.Default(p.Version)
	k.Recommend = func(config.Map) []string { return []string{p.Version} }
	k.Validate = config.Func("a version or a range of versions", func(key string, v any) error {
		if text, ok := v.(string); ok {
			return r.checkVersion(p, key, text)
		}
		return nil
	})
}

// checkVersion refuses a *.plugin.version that the class here does not have
// (Promise 9): there is one version of each class in a program.
func (r *Registry) checkVersion(p *connect.Plugin, key, text string) error {
	refuse := func(message string, cause error) error {
		return &config.Error{Key: key, Value: text, Whole: true, Message: message, Cause: cause}
	}
	wanted, err := parseRange(text)
	if err != nil {
		return refuse(err.Error(), err)
	}
	if wanted == nil || wanted.contains(p.Version) {
		return nil
	}
	var available []string
	for _, other := range r.plugins {
		if other.Class == p.Class {
			available = append(available, other.Version)
		}
	}
	return refuse(fmt.Sprintf("Plugin %s not found that matches the version range %s, available versions: [%s]", p.Class, wanted, strings.Join(available, ", ")), nil)
}

// withVersion lets the key that names class p be refused, too, when the
// version asked for is not here. The key must have no default: a table refuses
// defaults that are refused.
func (r *Registry) withVersion(k *config.Key, p *connect.Plugin, version *string) {
	if p == nil || version == nil {
		return
	}
	class := k.Validate
	k.Validate = config.Func("", func(key string, v any) error {
		if class != nil {
			if err := class.Check(key, v); err != nil {
				return err
			}
		}
		return r.checkVersion(p, key, *version)
	})
}
