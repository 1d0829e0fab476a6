package config

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Filled is what config providers gave for the references of a configuration:
// the reference by its value. The values are for the plugin alone; whatever it
// or a check of them says to others has to pass Hide (Promise 8).
type Filled map[string]string

// Hide returns text with each value replaced by its reference; who has many
// texts takes Hider.
func (f Filled) Hide(text string) string { return f.Hider()(text) }

// Hider returns Hide, made ready for many texts. A value of less than four
// characters, true and false stay: they are no secret, and would take the sense
// out of every message. It may be called by several goroutines.
func (f Filled) Hider() func(text string) string {
	if len(f) == 0 {
		return func(text string) string { return text }
	}
	// A value may be part of another one.
	values := slices.SortedFunc(maps.Keys(f), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	pairs := make([]string, 0, 2*len(values))
	for _, value := range values {
		if len(value) >= 4 && value != "true" && value != "false" {
			pairs = append(pairs, value, f[value])
			if quoted := strconv.Quote(value); quoted[1:len(quoted)-1] != value { // in an error with %q
				pairs = append(pairs, quoted[1:len(quoted)-1], f[value])
			}
		}
	}
	return strings.NewReplacer(pairs...).Replace
}
