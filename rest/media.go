package rest

import (
	"net/http"
	"strconv"
	"strings"
)

// mediaRange is one item of an Accept header, or a Content-Type.
type mediaRange struct {
	kind, sub string // in lower case; * for any
	params    string // as in an answer: ";name=value" one after the other, without the weight
	weight    float64
	text      string // the whole item in that form, with the weight where it was given
}

func (m *mediaRange) covers(kind, sub string) bool {
	return (m.kind == "*" || m.kind == kind) && (m.sub == "*" || m.sub == sub)
}

// specific orders ranges of the same weight.
func (m *mediaRange) specific() int {
	switch {
	case m.kind == "*":
		return 0
	case m.sub == "*":
		return 1
	}
	return 2
}

// accepted returns the ranges of an Accept header, and false for one that is
// no list of media ranges, which is a 400 in Java workers and not a 406. No
// item at all takes everything; the list is never empty.
func accepted(h http.Header) ([]mediaRange, bool) {
	text := strings.Join(h.Values("Accept"), ",")
	var list []mediaRange
	for _, item := range cutQuoted(text, ',') {
		if strings.TrimSpace(item) == "" {
			continue // as between two commas
		}
		m, ok := parseMedia(item)
		if !ok {
			return nil, false
		}
		list = append(list, m)
	}
	if len(list) == 0 {
		list = []mediaRange{{kind: "*", sub: "*", weight: 1, text: "*/*"}}
	}
	return list, true
}

// best returns the range that counts for an answer of a type: the one of most
// weight, then the most specific, then the first. A weight of 0 counts as any
// other, as in Java workers.
func best(list []mediaRange, kind, sub string) *mediaRange {
	var found *mediaRange
	for i := range list {
		m := &list[i]
		if m.covers(kind, sub) && (found == nil || m.weight > found.weight || m.weight == found.weight && m.specific() > found.specific()) {
			found = m
		}
	}
	return found
}

// parseMedia reads "kind/sub;name=value;...". In an Accept header a kind alone
// stands for all of its kind, with sub *.
func parseMedia(text string) (mediaRange, bool) {
	parts := cutQuoted(text, ';')
	m := mediaRange{weight: 1}
	kind, sub, both := strings.Cut(strings.ToLower(parts[0]), "/")
	if !both {
		sub = "*"
	}
	m.kind, m.sub = strings.TrimSpace(kind), strings.TrimRight(sub, " \t")
	if !headerName.MatchString(m.kind) || !headerName.MatchString(m.sub) {
		return m, false
	}
	m.text = m.kind + "/" + m.sub
	for _, p := range parts[1:] {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		name, value, given := strings.Cut(p, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		value, ok := unquoted(strings.TrimSpace(value))
		if !given || !ok || !headerName.MatchString(name) {
			return m, false
		}
		if name == "q" {
			w, err := strconv.ParseFloat(value, 64)
			if err != nil || !(w >= 0 && w <= 1) {
				return m, false
			}
			m.weight = w
		} else {
			m.params += ";" + name + "=" + value
		}
		m.text += ";" + name + "=" + value
	}
	return m, true
}

// unquoted takes the quotes off a parameter's value.
func unquoted(value string) (string, bool) {
	if !strings.HasPrefix(value, `"`) {
		return value, headerName.MatchString(value)
	}
	inner, closed := strings.CutSuffix(value[1:], `"`)
	return inner, closed && !strings.Contains(inner, `"`)
}

// cutQuoted splits at separators outside double quotes.
func cutQuoted(text string, sep byte) []string {
	var parts []string
	from, quoted := 0, false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == sep && !quoted:
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	return append(parts, text[from:])
}
