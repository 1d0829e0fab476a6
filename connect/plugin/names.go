package plugin

import (
	"maps"
	"slices"
	"strings"

	"kconnect/connect/config"
	"kconnect/connect/data"
)

// names returns the keys of a configuration in the order of a HashMap that is
// a copy of another map, which has them as they come. That is what Java's
// replacement of references makes of a configuration. Some parts of a validate
// answer come in it, and clients may show them so.
func names(raw config.Raw) []string {
	return data.HashMapCopyOrder(slices.Sorted(maps.Keys(raw)))
}

// namesWithPrefix returns the names of the entries that begin with prefix,
// without it, as Java has them in a map of their own: those that share a place
// there come as the whole configuration has them.
func namesWithPrefix(raw config.Raw, prefix string) []string {
	var own []string
	for _, key := range names(raw) {
		if name, ok := strings.CutPrefix(key, prefix); ok && name != "" {
			own = append(own, name)
		}
	}
	return data.HashMapOrder(own)
}

// withPrefix returns the entries whose key begins with prefix, without it.
func withPrefix(raw config.Raw, prefix string) config.Raw {
	own := config.Raw{}
	for key, v := range raw {
		if name, ok := strings.CutPrefix(key, prefix); ok && name != "" {
			own[name] = v
		}
	}
	return own
}
