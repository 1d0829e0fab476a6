package dialect

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// secretParam finds the values of URL parameters that are secrets.
var secretParam = regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token)[a-z]*=)[^&;]*`)

// userInfo finds the password of user:password@host.
var userInfo = regexp.MustCompile(`(//[^/@:?]*:)[^/@]*@`)

// Redact returns a URL with the secrets in it hidden, for messages (Promise 8).
func Redact(u string) string {
	return userInfo.ReplaceAllString(secretParam.ReplaceAllString(u, "${1}[hidden]"), "${1}[hidden]@")
}

// parameters are the settings of a URL, by name in lower case: drivers differ
// in whether case matters, and no two names differ by case alone.
type parameters struct {
	values map[string]string
	names  map[string]string // as written
	used   map[string]bool
}

// parseParameters reads name=value pairs separated by &. Percent escapes are
// decoded where they are valid.
func parseParameters(query string, properties map[string]string) *parameters {
	p := &parameters{map[string]string{}, map[string]string{}, map[string]bool{}}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if v, err := url.PathUnescape(value); err == nil {
			value = v
		}
		p.set(name, value)
	}
	for name, value := range properties {
		p.set(name, value)
	}
	return p
}

func (p *parameters) set(name, value string) {
	key := strings.ToLower(name)
	p.values[key], p.names[key] = value, name
}

// text returns the value of the first of the names that is set.
func (p *parameters) text(names ...string) (value string, set bool) {
	for _, n := range names {
		key := strings.ToLower(n)
		p.used[key] = true
		if v, ok := p.values[key]; ok && !set {
			value, set = v, true
		}
	}
	return value, set
}

// flag returns a boolean parameter. As for Java's drivers a name without a
// value is true.
func (p *parameters) flag(fallback bool, names ...string) (bool, error) {
	v, set := p.text(names...)
	if !set {
		return fallback, nil
	}
	switch strings.ToLower(v) {
	case "", "true", "1", "yes":
		return true, nil
	case "false", "0", "no":
		return false, nil
	}
	return false, fmt.Errorf("parameter %s of connection.url must be true or false, not %q", names[0], v)
}

// unknown returns a warning for every parameter that nobody asked for and
// that is not in accepted.
func (p *parameters) unknown(accepted ...string) []string {
	var names []string
	for key, name := range p.names {
		if !p.used[key] && !slices.ContainsFunc(accepted, func(a string) bool { return strings.EqualFold(a, key) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, n := range names {
		names[i] = fmt.Sprintf("parameter %s of connection.url is not known and has no effect", n)
	}
	return names
}
