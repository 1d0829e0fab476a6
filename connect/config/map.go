package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Map is a configuration without nulls: what a plugin, a task or a worker is
// configured with. It holds secrets in clear text: see Def.Masked for logs.
type Map map[string]string

// Raw is a configuration as it was posted, where a JSON null is kept: a null
// is neither an absent key nor an empty text, and a connector that has one is
// stored but cannot be started.
type Raw map[string]*string

// Map returns r without pointers. A null value is an error that names every
// null key, in alphabetical order.
func (r Raw) Map() (Map, error) {
	m := make(Map, len(r))
	var nulls []string
	for k, v := range r {
		if v == nil {
			nulls = append(nulls, k)
			continue
		}
		m[k] = *v
	}
	if len(nulls) > 0 {
		slices.Sort(nulls)
		return nil, fmt.Errorf("null value for configuration %s: give each a text or leave the key out", strings.Join(nulls, ", "))
	}
	return m, nil
}

// FromMap returns m as a Raw. The values are copied, so later changes of m do
// not show.
func FromMap(m Map) Raw {
	r := make(Raw, len(m))
	for k, v := range m {
		r[k] = &v
	}
	return r
}

// Clone returns a copy. The clone of nil is an empty, writable Map.
func (m Map) Clone() Map {
	if m == nil {
		return Map{}
	}
	return maps.Clone(m)
}

// WithPrefix returns the entries whose key starts with prefix, the prefix cut
// off. A key that is the prefix itself is left out: nothing would remain of it.
func (m Map) WithPrefix(prefix string) Map {
	out := Map{}
	for k, v := range m {
		if rest, ok := strings.CutPrefix(k, prefix); ok && rest != "" {
			out[rest] = v
		}
	}
	return out
}

// Keys returns the keys in alphabetical order.
func (m Map) Keys() []string {
	return slices.Sorted(maps.Keys(m))
}
