package config

import (
	"errors"
	"os"
)

// FileProvider gives the entries of .properties files in UTF-8:
// ${file:/path/to/secrets.properties:key}. Setting allowed.paths limits where
// they may lie; a path outside yields nothing.
type FileProvider struct {
	allowed allowedPaths
}

// Configure reads allowed.paths.
func (p *FileProvider) Configure(params Map) (err error) {
	p.allowed, err = parseAllowedPaths(given(pathsDef, params))
	return err
}

// Get reads the file at path. A file that is missing, not readable or not
// UTF-8 is an *Error, a malformed \uXXXX in it a *PropertiesError.
func (p *FileProvider) Get(path string, keys []string) (Map, error) {
	if path == "" {
		return Map{}, nil
	}
	name, ok := p.allowed.resolve(path)
	if !ok {
		return Map{}, nil
	}
	unreadable := func(err error) error {
		return &Error{Value: path, Whole: true, Message: "Could not read properties from file " + path, Cause: err}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(err)
	}
	defer f.Close()
	data, _, err := ReadPropertiesUTF8(f)
	if err != nil {
		if malformed := (*PropertiesError)(nil); errors.As(err, &malformed) {
			return nil, err
		}
		return nil, unreadable(err)
	}
	return pick(data, keys), nil
}
