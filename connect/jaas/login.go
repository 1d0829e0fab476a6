package jaas

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Login is one login module with its options.
type Login struct {
	Module  string // the class
	Flag    string // required, requisite, sufficient or optional, as it was written
	Options map[string]string
}

// SimpleModule returns the class name of the module without its package.
func (l Login) SimpleModule() string { return l.Module[strings.LastIndexByte(l.Module, '.')+1:] }

// String returns the login as Parse reads it. It shows the secrets among the options.
func (l Login) String() string {
	var b strings.Builder
	b.WriteString(l.Module + " " + l.Flag)
	for _, name := range slices.Sorted(maps.Keys(l.Options)) {
		b.WriteString(" " + name + `="` + escape.Replace(l.Options[name]) + `"`)
	}
	b.WriteByte(';')
	return b.String()
}

// escape has what a quoted text cannot hold as it is.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`)

// Parse reads the value of sasl.jaas.config: "module flag option=value ... ;".
func Parse(text string) (Login, bool) {
	tokens, ok := tokenize(text)
	if !ok {
		return Login{}, false
	}
	l, rest, ok := parseLogin(tokens)
	return l, ok && len(rest) == 0
}

// ParseFile reads a file of sections, "name { module flag option=value ... ; ... };", and returns the logins of each
// section in their order. The error says in which section the file cannot be read.
func ParseFile(text string) (map[string][]Login, error) {
	tokens, ok := tokenize(text)
	if !ok {
		return nil, errors.New("a quoted text or a comment does not end")
	}
	sections := make(map[string][]Login)
	for last := "the first section"; len(tokens) > 0; {
		if len(tokens) < 2 || tokens[0].sign() || tokens[1] != (token{text: "{"}) {
			return nil, fmt.Errorf("after %s: a section begins with its name and {", last)
		}
		name := tokens[0].text
		if _, twice := sections[name]; twice {
			return nil, fmt.Errorf("section %s is there twice", name)
		}
		sections[name] = nil
		for tokens = tokens[2:]; len(tokens) > 0 && tokens[0] != (token{text: "}"}); {
			var l Login
			if l, tokens, ok = parseLogin(tokens); !ok {
				return nil, fmt.Errorf("section %s: login %d is not of the form: module required option=\"value\";", name, len(sections[name])+1)
			}
			sections[name] = append(sections[name], l)
		}
		if len(tokens) < 2 || tokens[1] != (token{text: ";"}) {
			return nil, fmt.Errorf("section %s does not end with };", name)
		}
		tokens, last = tokens[2:], "section "+name
	}
	return sections, nil
}

// parseLogin reads one login off the front of tokens and returns the others.
func parseLogin(tokens []token) (Login, []token, bool) {
	if len(tokens) < 3 || tokens[0].sign() || tokens[1].sign() {
		return Login{}, nil, false
	}
	l := Login{Module: tokens[0].text, Flag: tokens[1].text, Options: make(map[string]string)}
	switch strings.ToLower(l.Flag) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return Login{}, nil, false
	}
	for rest := tokens[2:]; len(rest) > 0; rest = rest[3:] {
		if rest[0] == (token{text: ";"}) {
			return l, rest[1:], true
		}
		if len(rest) < 3 || rest[0].sign() || rest[1] != (token{text: "="}) || rest[2].sign() {
			break
		}
		l.Options[rest[0].text] = rest[2].text
	}
	return Login{}, nil, false
}
