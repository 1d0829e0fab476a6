package rest

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// cleanPath brings the path of a request line into the form that routes are
// written in, still escaped: without ;parameters and without a trailing slash.
// What a Java worker refuses before any resource sees it is refused here, too
// (golden rest 05-names): a name must not come in two spellings, and an
// escaped slash or percent sign could be taken for structure by a proxy.
func cleanPath(raw string) (string, error) {
	if !strings.HasPrefix(raw, "/") {
		return "", errors.New("the path of a request has to begin with a slash")
	}
	raw, _, _ = strings.Cut(raw, "#")
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>[]^`{|}", c) >= 0 {
			return "", errors.New("the path has a character that must be written as %XX")
		}
	}
	var b strings.Builder
	segments := strings.Split(raw[1:], "/")
	depth := 0
	for i, segment := range segments {
		segment, _, _ = strings.Cut(segment, ";")
		if segment == "" {
			if i == len(segments)-1 {
				break
			}
			return "", errors.New("the path has an empty segment")
		}
		name, err := url.PathUnescape(segment)
		switch {
		case err != nil:
			return "", errors.New("the path has a % that is not followed by two hexadecimal digits")
		case !utf8.ValidString(name):
			return "", errors.New("the path is not UTF-8")
		case strings.ContainsAny(name, "/%\\"):
			return "", errors.New("the path has an escaped slash, backslash or percent sign, which cannot be told from structure")
		case strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }):
			return "", errors.New("the path has an escaped control character")
		case (name == "." || name == "..") && segment != name:
			return "", errors.New("the path has an escaped . or .. segment")
		}
		switch name {
		case ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return "", errors.New("the path leads out of the root")
		}
		b.WriteByte('/')
		b.WriteString(url.PathEscape(name))
	}
	if b.Len() == 0 {
		return "/", nil
	}
	return b.String(), nil
}
