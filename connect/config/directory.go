package config

import (
	"os"
	"path/filepath"
)

// DirectoryProvider gives the contents of the files of a folder, as container
// platforms mount secrets: ${dir:/path/to/folder:file}. A content is taken as
// it is, with the line end it may have. Setting allowed.paths limits where the
// folders may lie; a path outside yields nothing.
type DirectoryProvider struct {
	allowed    allowedPaths
	configured bool
}

// Configure reads allowed.paths.
func (p *DirectoryProvider) Configure(params Map) (err error) {
	p.allowed, err = parseAllowedPaths(given(pathsDef, params))
	p.configured = err == nil
	return err
}

// Get reads the regular files of the folder at path, links followed. A folder
// that is not there has none; a file that cannot be read is an *Error. It
// returns ErrNotConfigured before Configure.
func (p *DirectoryProvider) Get(path string, keys []string) (Map, error) {
	if !p.configured {
		return nil, ErrNotConfigured
	}
	if path == "" {
		return Map{}, nil
	}
	folder, ok := p.allowed.resolve(path)
	if !ok {
		return Map{}, nil
	}
	info, err := os.Stat(folder)
	if err != nil || !info.IsDir() {
		return Map{}, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, &Error{Value: path, Whole: true, Message: "Could not list directory " + path, Cause: err}
	}
	wanted := map[string]bool{}
	for _, k := range keys {
		wanted[k] = true
	}
	data := Map{}
	for _, e := range entries {
		if keys != nil && !wanted[e.Name()] {
			continue
		}
		file := filepath.Join(folder, e.Name())
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, &Error{Value: path, Whole: true, Message: "Could not read file " + file + " for property " + e.Name(), Cause: err}
		}
		data[e.Name()] = string(b)
	}
	return data, nil
}
