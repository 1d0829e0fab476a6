package plugin

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"kconnect/connect/config"
)

// hashOrder sorts names in the order in which a Java HashMap gives them that
// they were put into one by one. Some parts of a validate answer come in it,
// and clients may show them so.
func hashOrder(names []string) []string { return hashOrderOf(names, 16) }

// hashOrderOf is hashOrder for a map that was made for capacity names.
func hashOrderOf(names []string, capacity int) []string {
	size := uint32(1)
	for int(size) < capacity || len(names) > int(size)*3/4 {
		size *= 2
	}
	bucket := func(name string) uint32 {
		var h uint32
		for _, unit := range utf16.Encode([]rune(name)) {
			h = 31*h + uint32(unit)
		}
		return (h ^ h>>16) & (size - 1)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(bucket(a), bucket(b)) })
	return names
}

// copyOrder sorts names in the order of a HashMap that is a copy of another
// map, which has the names as they come. That is what Java's replacement of
// references makes of a configuration.
func copyOrder(names []string) []string {
	return hashOrderOf(names, int(float32(len(names))/0.75+1))
}

// names returns the keys of a configuration in that order.
func names(raw config.Raw) []string {
	return copyOrder(slices.Sorted(maps.Keys(raw)))
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
	return hashOrder(own)
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
