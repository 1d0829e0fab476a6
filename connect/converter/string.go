package converter

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var stringDef = config.NewDef(
	typeKeyDef,
	config.Key{
		Name: "converter.encoding", Type: config.String, Default: new("UTF-8"), Importance: config.High, Width: config.MediumWidth, Display: "Encoding",
		Doc: "The character encoding, by its IANA name.",
	},
)

// String reads bytes as text and writes any value as its text form. The
// schema of what it reads is an optional string. It is also a header
// converter.
type String struct {
	charset encoding.Encoding // nil for UTF-8
}

// Configure reads the encoding.
func (c *String) Configure(m config.Map, isKey bool) error {
	v, err := parseTyped(stringDef, m, isKey)
	if err != nil {
		return err
	}
	c.charset, err = charsetOf(v.String("converter.encoding"))
	return err
}

// javaCharsets are names that Java knows and the IANA does not.
var javaCharsets = map[string]string{"utf8": "UTF-8", "iso8859_1": "ISO-8859-1", "iso8859-1": "ISO-8859-1", "cp1252": "windows-1252"}

func charsetOf(name string) (encoding.Encoding, error) {
	iana, ok := javaCharsets[strings.ToLower(name)]
	if !ok {
		iana = name
	}
	charset, err := ianaindex.IANA.Encoding(iana)
	if err != nil || charset == nil {
		class := "java.nio.charset.UnsupportedCharsetException"
		if !legalCharset(name) {
			class = "java.nio.charset.IllegalCharsetNameException"
		}
		return nil, &connect.Error{
			Class: connect.ClassSerialization, Kind: connect.Config, Message: "Unsupported encoding " + name,
			Cause: &connect.Error{Class: class, Kind: connect.Config, Message: name},
		}
	}
	if canonical, err := ianaindex.IANA.Name(charset); err == nil && canonical == "UTF-8" {
		return nil, nil
	}
	return charset, nil
}

func legalCharset(name string) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || digit(c):
		case i > 0 && (c == '-' || c == '+' || c == '.' || c == ':' || c == '_'):
		default:
			return false
		}
	}
	return name != ""
}

// Append writes the text form of v; the schema does not matter.
func (c *String) Append(dst []byte, _ string, _ *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if dst == nil {
		dst = []byte{} // an empty text is not a tombstone
	}
	if c.charset == nil {
		if v.Kind() == data.KindString {
			return encodeUTF8(dst, v.Str()), nil
		}
		start := len(dst)
		dst = data.AppendText(dst, v)
		if utf8.Valid(dst[start:]) {
			return dst, nil
		}
		return encodeUTF8(dst[:start], string(dst[start:])), nil
	}
	return c.encode(dst, string(encodeUTF8(nil, v.String())))
}

// encode writes a question mark for what the encoding lacks.
func (c *String) encode(dst []byte, s string) ([]byte, error) {
	if s == "" {
		return dst, nil // not even a byte order mark
	}
	if b, err := c.charset.NewEncoder().String(s); err == nil {
		return append(dst, b...), nil
	}
	out := c.charset.NewEncoder()
	for _, r := range s {
		b, err := out.String(string(r))
		if err != nil {
			out.Reset()
			b = "?"
		}
		dst = append(dst, b...)
	}
	return dst, nil
}

// Decode reads b as text. It refers to b when that is UTF-8.
func (c *String) Decode(_ string, b []byte) (*data.Schema, data.Value, error) {
	switch {
	case b == nil:
		return data.OptionalStringSchema, data.Null, nil
	case c.charset != nil:
		s, err := c.charset.NewDecoder().Bytes(b)
		return data.OptionalStringSchema, data.TextOf(s), err
	case utf8.Valid(b):
		return data.OptionalStringSchema, data.TextOf(b), nil
	}
	return data.OptionalStringSchema, data.TextOf(data.AppendUTF8(nil, b)), nil
}

// AppendHeader writes a header as Append writes a value.
func (c *String) AppendHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return c.Append(dst, topic, s, v)
}

// DecodeHeader reads a header as Decode reads a value.
func (c *String) DecodeHeader(topic, _ string, b []byte) (*data.Schema, data.Value, error) {
	return c.Decode(topic, b)
}
