package config

import (
	"os"
	"strings"
)

// EnvProvider gives environment variables: ${env:NAME}. The setting
// allowlist.pattern is a Java regular expression that must match the whole
// name of a variable; others are not given.
type EnvProvider struct {
	// Env is the environment; nil stands for the process's own at the time of
	// Configure.
	Env Map

	allowed Map
}

// Configure reads allowlist.pattern. A pattern that Java would refuse is a
// *PatternError.
func (p *EnvProvider) Configure(params Map) error {
	pattern, err := CompilePattern(trim(given(envDef, params)))
	if err != nil {
		return err
	}
	env := p.Env
	if env == nil {
		env = Map{}
		for _, kv := range os.Environ() {
			k, v, _ := strings.Cut(kv, "=")
			env[k] = v
		}
	}
	p.allowed = Map{}
	for k, v := range env {
		match, err := pattern.Matches(k)
		if err != nil {
			return err
		}
		if match {
			p.allowed[k] = v
		}
	}
	return nil
}

// Get returns variables; a path is an *Error. It returns ErrNotConfigured
// before Configure.
func (p *EnvProvider) Get(path string, keys []string) (Map, error) {
	if p.allowed == nil {
		return nil, ErrNotConfigured
	}
	if path != "" {
		return nil, &Error{Value: path, Whole: true, Message: "Path is not supported for EnvVarConfigProvider, invalid value '" + path + "'"}
	}
	return pick(p.allowed, keys).Clone(), nil
}
