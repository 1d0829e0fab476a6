// Package jsontree reads and writes JSON as a tree that keeps what matters in
// the text of schemas: the order of members and the digits of numbers.
package jsontree

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"kconnect/connect/data"
)

// maxDepth is how deep a text may be nested.
const maxDepth = 500

// A Node is nil, bool, Number, string, []Node or *Object.
type Node any

// Number is a number as it was written.
type Number string

// Object is an object in the order of its text.
type Object struct{ Members []Member }

// Member is one member of an object.
type Member struct {
	Name  string
	Value Node
}

// Get returns the value of a member and whether there is one. It works on nil.
func (o *Object) Get(name string) (Node, bool) {
	if o != nil {
		for i := range o.Members {
			if o.Members[i].Name == name {
				return o.Members[i].Value, true
			}
		}
	}
	return nil, false
}

// Text returns the value of a member that is a string, and whether it is one.
func (o *Object) Text(name string) (string, bool) {
	v, _ := o.Get(name)
	s, ok := v.(string)
	return s, ok
}

// Put adds a member; one of that name takes the value in its place.
func (o *Object) Put(name string, v Node) {
	for i := range o.Members {
		if o.Members[i].Name == name {
			o.Members[i].Value = v
			return
		}
	}
	o.Members = append(o.Members, Member{name, v})
}

// Parse reads one JSON text, which must be all of text. A repeated member
// counts as the last one says.
func Parse(text []byte) (Node, error) {
	d := jx.DecodeBytes(text)
	n, err := parse(d, 0)
	if err != nil {
		return nil, err
	}
	if d.Next() != jx.Invalid {
		return nil, errors.New("something follows the JSON text")
	}
	return n, nil
}

func parse(d *jx.Decoder, depth int) (Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the text is nested more than %d deep", maxDepth)
	}
	switch d.Next() {
	case jx.Null:
		return nil, d.Null()
	case jx.Bool:
		return d.Bool()
	case jx.Number:
		n, err := d.Num()
		return Number(n), err
	case jx.String:
		return d.Str()
	case jx.Array:
		list := []Node{}
		err := d.Arr(func(d *jx.Decoder) error {
			n, err := parse(d, depth+1)
			list = append(list, n)
			return err
		})
		return list, err
	case jx.Object:
		o := &Object{}
		places := map[string]int{}
		err := d.Obj(func(d *jx.Decoder, name string) error {
			n, err := parse(d, depth+1)
			if i, twice := places[name]; twice {
				o.Members[i].Value = n
				return err
			}
			places[name] = len(o.Members)
			o.Members = append(o.Members, Member{name, n})
			return err
		})
		return o, err
	}
	return nil, errors.New("it is not JSON")
}

// Append appends the text of a node, without blanks.
func Append(dst []byte, n Node) []byte {
	switch n := n.(type) {
	case bool:
		if n {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case Number:
		return append(dst, n...)
	case string:
		return AppendString(dst, n)
	case []Node:
		dst = append(dst, '[')
		for i, e := range n {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Append(dst, e)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		for i, m := range n.Members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, m.Name), ':')
			dst = Append(dst, m.Value)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// AppendString appends a string with the escapes that Java's JSON writer uses.
// What is no UTF-8 becomes U+FFFD.
func AppendString[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := decodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = data.AppendJSONEscape(dst, c)
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func decodeRune[T ~string | ~[]byte](s T) (rune, int) {
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}
