package config

import (
	"os"
	"path/filepath"
	"strings"
)

// allowedPaths keeps a provider to the folders and files of its allowed.paths.
// Symbolic links are not resolved, as in Java: a link below an allowed folder
// may lead anywhere (golden config-providers file-symlink-escape).
type allowedPaths struct {
	set   bool // false: everything is allowed, and no path is changed
	paths []string
}

func parseAllowedPaths(text string) (allowedPaths, error) {
	if text == "" {
		return allowedPaths{}, nil
	}
	a := allowedPaths{set: true}
	// Blanks belong to the names; empty entries at the end do not count.
	for _, p := range strings.Split(strings.TrimRight(text, ","), ",") {
		if p == "" && strings.Trim(text, ",") == "" {
			break
		}
		clean := p
		if p != "" {
			clean = filepath.Clean(p)
		}
		if !filepath.IsAbs(clean) {
			return a, &Error{Key: "allowed.paths", Value: text, Whole: true, Message: "Path " + clean + " is not absolute"}
		}
		if _, err := os.Stat(clean); err != nil {
			return a, &Error{Key: "allowed.paths", Value: text, Whole: true, Message: "Path " + clean + " does not exist", Cause: err}
		}
		a.paths = append(a.paths, clean)
	}
	return a, nil
}

// resolve returns the path to open, and false when it is not allowed.
func (a allowedPaths) resolve(path string) (string, bool) {
	if !a.set {
		return path, true
	}
	clean := filepath.Clean(path)
	for _, allowed := range a.paths {
		// Whole components count: /a does not allow /ab.
		if rest, ok := strings.CutPrefix(clean, allowed); ok &&
			(rest == "" || os.IsPathSeparator(rest[0]) || os.IsPathSeparator(allowed[len(allowed)-1])) {
			return clean, true
		}
	}
	return "", false
}
