package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"kconnect/connect/data"
)

// appendString appends s as Jackson writes a JSON string: only quotes,
// backslashes and control characters are escaped, and characters beyond U+FFFF
// become a pair of escapes.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = data.AppendJSONEscape(dst, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r > 0xFFFF:
			dst = append(dst, s[start:i]...)
			r -= 0x10000
			dst = data.AppendJSONUnit(dst, 0xD800+r>>10)
			dst = data.AppendJSONUnit(dst, 0xDC00+r&0x3FF)
			start = i + size
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[start:i]...)
			dst = utf8.AppendRune(dst, utf8.RuneError)
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// errNotJSON marks a value that is no JSON text at all.
var errNotJSON = errors.New("not JSON")

// member is one name and raw value of a JSON object.
type member struct {
	name  string
	value jx.Raw
}

// decodeValue returns the text of the first JSON value in b, checked. As in Java an empty text is a null, and what follows the value is ignored.
func decodeValue(b []byte) (jx.Raw, error) {
	if len(bytes.Trim(b, " \t\r\n")) == 0 {
		return jx.Raw("null"), nil
	}
	raw, err := rawValue(jx.DecodeBytes(b))
	if err == nil && !utf8.Valid(raw) {
		err = errors.New("it is not UTF-8") // jx lets it pass; written again it would be another text
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotJSON, err)
	}
	return raw, nil
}

// rawValue returns the text of the next value, without the blanks before it.
func rawValue(d *jx.Decoder) (jx.Raw, error) {
	d.Next()
	return d.Raw()
}

// decodeObject returns the members of a JSON object in order. Of a name that
// appears twice the last value counts, at the first place.
func decodeObject(raw jx.Raw) ([]member, error) {
	if raw.Type() != jx.Object {
		return nil, fmt.Errorf("a JSON object is expected, not %s", raw.Type())
	}
	var members []member
	err := jx.DecodeBytes(raw).Obj(func(d *jx.Decoder, name string) error {
		value, err := rawValue(d)
		if err != nil {
			return err
		}
		for i := range members {
			if members[i].name == name {
				members[i].value = value
				return nil
			}
		}
		members = append(members, member{name, value})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotJSON, err)
	}
	return members, nil
}

// find returns the raw value of a name; nil when it is absent or null.
func find(members []member, name string) jx.Raw {
	for _, m := range members {
		if m.name == name && m.value.Type() != jx.Null {
			return m.value
		}
	}
	return nil
}

func findString(members []member, name string) (string, bool) {
	raw := find(members, name)
	if raw == nil || raw.Type() != jx.String {
		return "", false
	}
	s, err := jx.DecodeBytes(raw).Str()
	return s, err == nil
}

func findInt(members []member, name string) (int64, bool) {
	raw := find(members, name)
	if raw == nil || raw.Type() != jx.Number {
		return 0, false
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil
}

func findBool(members []member, name string) (value, ok bool) {
	raw := find(members, name)
	if raw == nil || raw.Type() != jx.Bool {
		return false, false
	}
	return raw[0] == 't', true
}

// decodeScalar returns nil, bool, int64, float64 or string. Numbers follow the
// Java converter: whole ones are longs, the low 64 bits of what does not fit,
// and all with a fraction or an exponent are doubles.
func decodeScalar(raw jx.Raw) (any, error) {
	switch raw.Type() {
	case jx.Null:
		return nil, nil
	case jx.Bool:
		return raw[0] == 't', nil
	case jx.String:
		return jx.DecodeBytes(raw).Str()
	case jx.Number:
		text := string(raw)
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
		if n, ok := new(big.Int).SetString(text, 10); ok {
			return int64(n.And(n, new(big.Int).SetUint64(math.MaxUint64)).Uint64()), nil
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("number %s: %w", text, err)
		}
		return f, nil
	default:
		return nil, fmt.Errorf("a text, number, boolean or null is expected, not %s", raw.Type())
	}
}
