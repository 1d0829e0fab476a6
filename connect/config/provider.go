package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Provider gives the values that configurations refer to as
// ${name:[path:]key}, so that secrets need not stand in them.
type Provider interface {
	// Configure takes the settings of config.providers.<name>.param.*; it is
	// called once, before anything else.
	Configure(params Map) error
	// Get returns the values of keys at path, or all there are when keys is
	// nil. A key that is not there is left out. The path is empty when the
	// reference has none.
	Get(path string, keys []string) (Map, error)
}

// ErrNotConfigured is returned by a provider that was not configured.
var ErrNotConfigured error = &Error{Whole: true, Message: "The provider has not been configured yet."}

// The class names under which configurations name the providers.
const (
	FileProviderClass      = "org.apache.kafka.common.config.provider.FileConfigProvider"
	DirectoryProviderClass = "org.apache.kafka.common.config.provider.DirectoryConfigProvider"
	EnvProviderClass       = "org.apache.kafka.common.config.provider.EnvVarConfigProvider"
)

// The settings of the providers, behind config.providers.<name>.param.
var (
	pathsDef = NewDef(Key{Name: "allowed.paths", Type: String, Importance: High,
		Doc: "Absolute paths, separated by commas, of the folders and files that may be read. Unset: all. What lies outside yields nothing."})
	envDef = NewDef(Key{Name: "allowlist.pattern", Type: String, Default: Default(".*"), Importance: High, Validate: Regex(),
		Doc: "Regular expression that must match the whole name of a variable; others are not given."})
)

// ProviderDefs returns the settings of each provider, by class: what stands
// behind config.providers.<name>.param.
func ProviderDefs() map[string]*Def {
	return map[string]*Def{FileProviderClass: pathsDef, DirectoryProviderClass: pathsDef, EnvProviderClass: envDef}
}

// given returns the text of the one key of d in params, or its default. It is
// the text as it was given, for as Java reads them, blanks count in paths, and
// a pattern that does not compile is told in its own words.
func given(d *Def, params Map) string {
	k := &d.keys[0]
	if text, ok := params[k.Name]; ok {
		return text
	}
	if k.Default == nil {
		return ""
	}
	return *k.Default
}

// Providers are a worker's configured providers by the name that references
// use. They may be used by several goroutines at once.
type Providers map[string]Provider

// NewProviders makes the providers that a worker's configuration lists in
// config.providers. A class may be given by its simple name.
func NewProviders(worker Map) (Providers, error) {
	p := Providers{}
	for _, name := range splitList(trim(worker["config.providers"])) {
		prefix := "config.providers." + name + "."
		class, ok := worker[prefix+"class"]
		if !ok {
			return nil, Missing(prefix + "class")
		}
		provider := newProvider(trim(class))
		if provider == nil {
			return nil, Invalid(prefix+"class", class, "Class "+class+" could not be found. The config providers here are "+
				strings.Join([]string{FileProviderClass, DirectoryProviderClass, EnvProviderClass}, ", "))
		}
		if err := provider.Configure(worker.WithPrefix(prefix + "param.")); err != nil {
			return nil, err
		}
		p[name] = provider
	}
	return p, nil
}

func newProvider(class string) Provider {
	is := func(full string) bool {
		return class == full || class == full[strings.LastIndexByte(full, '.')+1:]
	}
	switch {
	case is(FileProviderClass):
		return &FileProvider{}
	case is(DirectoryProviderClass):
		return &DirectoryProvider{}
	case is(EnvProviderClass):
		return &EnvProvider{}
	}
	return nil
}

// reference matches ${name:key} and ${name:path:key}. The path ends at the
// first colon, so a key may hold colons and a path may not.
var reference = regexp.MustCompile(`\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}`)

// Resolve returns r with its references replaced. What cannot be resolved, the
// provider or the key being unknown, stays as it is written, and what a
// provider returns is not looked at again (golden config-providers
// transform-*). Each provider is asked once for a path. r is left as it is.
func (p Providers) Resolve(r Raw) (Raw, error) {
	out, _, err := p.Fill(r)
	return out, err
}

// Fill is Resolve, and tells what was filled in.
func (p Providers) Fill(r Raw) (Raw, Filled, error) {
	type place struct{ provider, path string }
	var places []place // in the order of the keys, so that always the same error comes first
	wanted := map[place][]string{}
	for _, k := range slices.Sorted(maps.Keys(r)) {
		if r[k] == nil {
			continue
		}
		for _, m := range reference.FindAllStringSubmatch(*r[k], -1) {
			at := place{m[1], m[2]}
			if wanted[at] == nil {
				places = append(places, at)
			}
			wanted[at] = append(wanted[at], m[3])
		}
	}
	found := map[place]Map{}
	for _, at := range places {
		provider := p[at.provider]
		if provider == nil {
			continue
		}
		data, err := provider.Get(at.path, wanted[at])
		if err != nil {
			return nil, nil, err
		}
		found[at] = data
	}
	out, filled := make(Raw, len(r)), Filled{}
	for k, v := range r {
		if v == nil {
			out[k] = nil
			continue
		}
		resolved := reference.ReplaceAllStringFunc(*v, func(ref string) string {
			m := reference.FindStringSubmatch(ref)
			if text, ok := found[place{m[1], m[2]}][m[3]]; ok {
				filled[text] = ref
				return text
			}
			return ref
		})
		out[k] = &resolved
	}
	return out, filled, nil
}

// ResolveMap is Resolve for a configuration without nulls.
func (p Providers) ResolveMap(m Map) (Map, error) {
	r, err := p.Resolve(FromMap(m))
	if err != nil {
		return nil, err
	}
	return r.Map()
}

// pick returns the entries of data with the given keys; all when keys is nil.
func pick(data Map, keys []string) Map {
	if keys == nil {
		return data
	}
	out := Map{}
	for _, k := range keys {
		if v, ok := data[k]; ok {
			out[k] = v
		}
	}
	return out
}
