package plugin

import (
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
)

// chainDefs returns the keys of the transformations, then of the predicates,
// that a configuration lists. An alias may be empty, as between two commas:
// then its class is missing, like that of any other.
func (r *Registry) chainDefs(raw config.Raw) []*config.Def {
	return append(
		r.aliasDefs(raw, "transforms", connect.TransformationPlugin, config.TransformDef),
		r.aliasDefs(raw, "predicates", connect.PredicatePlugin, config.PredicateDef)...,
	)
}

func (r *Registry) aliasDefs(raw config.Raw, key string, kind connect.PluginKind, def func(alias, version string, own *config.Def) *config.Def) []*config.Def {
	if raw[key] == nil {
		return nil
	}
	var defs []*config.Def
	var seen []string
	for _, alias := range list(*raw[key]) {
		if slices.Contains(seen, alias) {
			continue
		}
		seen = append(seen, alias)
		prefix := key + "." + alias + "."
		typeKey, versionKey := prefix+"type", prefix+"plugin.version"
		var p *connect.Plugin
		if class := raw[typeKey]; class != nil {
			p = r.findKind(strings.TrimSpace(*class), kind)
		}
		var own *config.Def
		version := raw[versionKey]
		if p != nil && (version == nil || r.checkVersion(p, versionKey, *version) == nil) {
			own = p.Def
		}
		defs = append(defs, def(alias, "", own).Edit(func(k *config.Key) {
			switch k.Name {
			case typeKey:
				r.classKey(k, kind)
				r.withVersion(k, p, version)
				if kind == connect.TransformationPlugin {
					k.Validate = withPredicate(raw, prefix, k.Validate)
				}
			case versionKey:
				r.versionKey(k, p)
			default:
				k.Validate = withoutPrefix(prefix, k.Validate)
			}
		}))
	}
	return defs
}

// withPredicate refuses a negate with no predicate beside it, in the place of
// the class, as Java has it; the value does not matter, nor that it is null.
func withPredicate(raw config.Raw, prefix string, class config.Validator) config.Validator {
	_, negated := raw[prefix+"negate"]
	_, named := raw[prefix+"predicate"]
	if !negated || named {
		return class
	}
	return config.Func(class.String(), func(key string, v any) error {
		return &config.Error{Key: key, Whole: true, Message: "Config '" + prefix + "negate' was provided but there is no config '" + prefix +
			"predicate' defining a predicate to be negated."}
	})
}

// withoutPrefix lets a validator name its key without the prefix, as it does
// where the class is configured (and as Java has it).
func withoutPrefix(prefix string, v config.Validator) config.Validator {
	if v == nil {
		return nil
	}
	return config.Func(v.String(), func(name string, value any) error {
		return v.Check(strings.TrimPrefix(name, prefix), value)
	})
}

// list returns the items of a List key's text.
func list(text string) []string {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}
