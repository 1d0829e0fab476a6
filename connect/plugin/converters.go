package plugin

import (
	"errors"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// simpleHeaderConverter is what a worker uses that names no other.
const simpleHeaderConverter = "org.apache.kafka.connect.storage.SimpleHeaderConverter"

// role is one of the converters that a connector may name; the order is that
// of a validate answer.
type role struct {
	name string // header, key or value: the converter.type that the worker sets
	kind connect.PluginKind
}

var roles = []role{
	{"header", connect.HeaderConverterPlugin}, {"key", connect.ConverterPlugin}, {"value", connect.ConverterPlugin},
}

func (r role) key() string { return r.name + ".converter" }

// commonDef returns the common keys with what this worker knows: the converters
// that it falls back to, those that there are, and versions.
func (r *Registry) commonDef(p *connect.Plugin, w WorkerDefaults, raw config.Raw) *config.Def {
	return p.CommonDef().Edit(func(k *config.Key) {
		switch k.Name {
		case "connector.class":
			r.withVersion(k, p, raw["connector.plugin.version"])
		case "connector.plugin.version":
			r.versionKey(k, p)
		}
		for _, role := range roles {
			switch k.Name {
			case role.key():
				r.converterKey(k, role, w)
			case role.key() + ".plugin.version":
				r.converterVersionKey(k, role, w, raw)
			}
		}
	})
}

func (r *Registry) converterKey(k *config.Key, role role, w WorkerDefaults) {
	r.classKey(k, role.kind)
	if p := r.workerConverter(role, w); p != nil {
		k.Default = config.Default(p.Class)
	}
}

func (r *Registry) converterVersionKey(k *config.Key, role role, w WorkerDefaults, raw config.Raw) {
	p := r.workerConverter(role, w)
	class, set := raw[role.key()]
	if class != nil {
		p = r.findKind(*class, role.kind)
	}
	r.versionKey(k, p)
	if set && class == nil {
		k.Recommend = nil
	}
	if class == nil {
		k.Validate = nil // it is not used without the class beside it
	}
	k.Visible = func(cfg config.Map) bool { return cfg[role.key()] != "" }
}

// workerConverter returns the converter of a connector that names none.
func (r *Registry) workerConverter(role role, w WorkerDefaults) *connect.Plugin {
	class := w.Properties[role.key()]
	if class == "" && role.kind == connect.HeaderConverterPlugin {
		class = simpleHeaderConverter
	}
	return r.findKind(strings.TrimSpace(class), role.kind)
}

// converters returns the settings of the converters that a configuration
// names, and their groups; those of the worker's converters are checked when
// it starts. results are those of the common keys: a converter with a fault
// there is left out, and one that cannot be made gets its error there.
func (r *Registry) converters(raw config.Raw, results []config.Result) (settings []config.Result, groups []string) {
	for _, role := range roles {
		class := raw[role.key()]
		res := resultOf(results, role.key())
		if class == nil || res == nil || len(res.Errors) > 0 {
			continue
		}
		if strings.TrimSpace(*class) != *class {
			// Those who make converters later do not drop blanks, here as in Java.
			res.Errors = append(res.Errors, "Failed to load class "+*class+": "+*class)
			continue
		}
		p := r.findKind(*class, role.kind)
		if p == nil || p.Def == nil {
			continue
		}
		prefix := role.key() + "."
		own := withPrefix(raw, prefix)
		if version, set := own["plugin.version"]; set && !r.hasVersion(p, res, version) {
			continue
		}
		if own["converter.type"] == nil {
			own["converter.type"] = &role.name
		}
		byName := map[string]config.Result{}
		var order []string
		for _, res := range p.Def.ValidateRaw(own) {
			byName[res.Key.Name] = res
			order = append(order, res.Key.Name)
		}
		def := p.Def.Prefixed(prefix)
		for _, name := range data.HashMapOrder(order) {
			res := byName[name]
			res.Key, _ = def.Lookup(prefix + name)
			res.Visible = true
			settings = append(settings, res)
			if group, ok := res.Key.GroupName(); ok {
				groups = append(groups, group)
			}
		}
	}
	return settings, groups
}

// hasVersion reports whether the version asked for of a converter is here. If
// another one is, the key of its class has that error, too; a null or a range
// that cannot be read has its own.
func (r *Registry) hasVersion(p *connect.Plugin, class *config.Result, version *string) bool {
	if version == nil {
		return false
	}
	err := r.checkVersion(p, class.Key.Name, *version)
	var unreadable *rangeError
	if err != nil && !errors.As(err, &unreadable) {
		class.Errors = append(class.Errors, err.Error())
	}
	return err == nil
}
