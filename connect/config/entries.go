package config

import (
	"maps"
	"slices"
)

// Entry is one posted setting; a nil Value is a posted null.
type Entry struct {
	Key   string
	Value *string
}

// Entries is a configuration in the order in which it was posted. The order
// is kept because the config topic shows it (golden internal/configs.jsonl).
type Entries []Entry

// Raw returns the entries without their order.
func (e Entries) Raw() Raw {
	r := make(Raw, len(e))
	for _, x := range e {
		r[x.Key] = x.Value
	}
	return r
}

// Get returns the value of a key and whether the key is there; a posted null
// reads as the empty string.
func (e Entries) Get(key string) (string, bool) {
	for _, x := range e {
		if x.Key == key {
			if x.Value == nil {
				return "", true
			}
			return *x.Value, true
		}
	}
	return "", false
}

// Set returns the entries with a key set; a new key goes last, as in a Java
// LinkedHashMap.
func (e Entries) Set(key, value string) Entries {
	for i := range e {
		if e[i].Key == key {
			c := append(Entries(nil), e...)
			c[i].Value = &value
			return c
		}
	}
	return append(e[:len(e):len(e)], Entry{key, &value})
}

// Without returns the entries less one key.
func (e Entries) Without(key string) Entries {
	c := make(Entries, 0, len(e))
	for _, x := range e {
		if x.Key != key {
			c = append(c, x)
		}
	}
	return c
}

// Entries returns a configuration of unknown order as entries, by key.
func (r Raw) Entries() Entries {
	e := make(Entries, 0, len(r))
	for _, k := range slices.Sorted(maps.Keys(r)) {
		e = append(e, Entry{k, r[k]})
	}
	return e
}
