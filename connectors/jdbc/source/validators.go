package source

import (
	"regexp"
	"slices"
	"strings"

	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

func recommend(values []string) func(config.Map) []string {
	return func(config.Map) []string { return values }
}

// visibleIn shows a key in some modes. While the mode is not a valid one there
// is no telling, and the key stays visible.
func visibleIn(modes ...string) func(config.Map) bool {
	return func(m config.Map) bool {
		switch m[keyMode] {
		case "bulk", "incrementing", "timestamp", "timestamp+incrementing":
			return slices.Contains(modes, m[keyMode])
		}
		return true
	}
}

// enumerator accepts texts that are all in lower or all in upper case, as the
// Java connector does, and null.
func enumerator(values []string) config.Validator {
	return config.Func("["+strings.Join(values, ", ")+"]", func(name string, v any) error {
		s, ok := v.(string)
		if !ok || slices.ContainsFunc(values, func(x string) bool { return s == x || s == strings.ToUpper(x) }) {
			return nil
		}
		return config.Invalid(name, v, "Invalid enumerator")
	})
}

const defaultCredentialsClass = "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider"

var defaultCredentials = config.Func("the default class", func(name string, v any) error {
	switch class, _ := v.(string); {
	case v == nil || class == defaultCredentialsClass:
		return nil
	case strings.HasPrefix(class, "java."):
		return config.Invalid(name, "class "+class, "Class must extend: interface io.confluent.connect.jdbc.util.JdbcCredentialsProvider")
	default:
		return config.Invalid(name, v, "Class "+class+" could not be found: use ${provider:path:key} references for credentials that are kept elsewhere")
	}
})

// regexList accepts lists of regular expressions in RE2's syntax.
var regexList = config.Func("regular expressions", func(name string, v any) error {
	items, _ := v.([]string)
	for _, item := range items {
		if _, err := regexp.Compile(item); err != nil {
			return config.Invalid(name, item, err.Error())
		}
	}
	return nil
})

const (
	timestampFormat    = "Invalid format. Expected 'regex:[col1|col2|...]'"
	incrementingFormat = "Invalid format. Expected 'regex:columnName'"
)

var timestampMapping = config.Func("list of regex:[column|column]", func(name string, v any) error {
	items, _ := v.([]string)
	for _, item := range items {
		if _, err := parseMapping(item, true); err != nil {
			return config.Invalid(name, item, err.Error())
		}
	}
	return nil
})

var incrementingMapping = config.Func("list of regex:column", func(name string, v any) error {
	items, _ := v.([]string)
	for _, item := range items {
		if _, err := parseMapping(item, false); err != nil {
			return config.Invalid(name, item, err.Error())
		}
	}
	return nil
})

var topicCharacters = regexp.MustCompile(`^[a-zA-Z0-9._-]*$`)

var topicPrefix = config.Func("the beginning of a topic's name", func(name string, v any) error {
	s, ok := v.(string)
	switch s = strings.TrimSpace(s); {
	case !ok:
		return nil
	case len(s) > 249:
		return config.Invalid(name, v, "Topic prefix length must not exceed max topic name length, 249 chars")
	case !topicCharacters.MatchString(s):
		return config.Invalid(name, v, "Topic prefix must not contain any character other than ASCII alphanumerics, '.', '_' and '-'.")
	}
	return nil
})

var timeZone = config.Func("a time zone", func(name string, v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if _, err := dialect.LoadZone(s); err != nil {
		return config.Invalid(name, v, "Invalid time zone. See the list of valid time zones at https://docs.oracle.com/javase/8/docs/api/java/time/ZoneId.html#shortIds")
	}
	return nil
})
