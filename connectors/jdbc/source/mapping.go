package source

import (
	"errors"
	"regexp"
	"strings"
)

// mapping gives columns to the tables whose dotted name a pattern matches.
type mapping struct {
	text    string
	pattern *regexp.Regexp // anchored at both ends
	columns []string
}

// parseMapping reads regex:column, or regex:[column|column] where several are
// meant. The first colon divides.
func parseMapping(item string, several bool) (mapping, error) {
	format := incrementingFormat
	if several {
		format = timestampFormat
	}
	pattern, columns, ok := strings.Cut(item, ":")
	if !ok {
		return mapping{}, errors.New(format)
	}
	re, err := wholeName(pattern)
	if err != nil {
		return mapping{}, err
	}
	m := mapping{text: item, pattern: re, columns: []string{strings.TrimSpace(columns)}}
	if several {
		inner, ok1 := strings.CutPrefix(columns, "[")
		inner, ok2 := strings.CutSuffix(inner, "]")
		if !ok1 || !ok2 {
			return mapping{}, errors.New(format)
		}
		m.columns = strings.Split(inner, "|")
	}
	for i, c := range m.columns {
		if m.columns[i] = strings.TrimSpace(c); m.columns[i] == "" {
			return mapping{}, errors.New(format)
		}
	}
	return m, nil
}

// wholeName compiles a pattern that has to match a whole name.
func wholeName(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err // worded about what the user wrote
	}
	return regexp.Compile(`^(?:` + pattern + `)$`)
}

// columnsFor returns the columns of the first mapping that matches a table and
// how many mappings do.
func columnsFor(mappings []mapping, table string) (columns []string, matches int) {
	for _, m := range mappings {
		if m.pattern.MatchString(table) {
			if matches == 0 {
				columns = m.columns
			}
			matches++
		}
	}
	return columns, matches
}
