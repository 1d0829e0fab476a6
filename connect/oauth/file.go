package oauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// File retrieves a token from a file.
type File struct{ Path string }

// Retrieve reads the file anew.
func (f File) Retrieve(context.Context) (string, error) {
	b, err := os.ReadFile(f.Path)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return "", fmt.Errorf("the token's file %s cannot be read: %w", f.Path, err)
	}
	return string(b), nil
}
