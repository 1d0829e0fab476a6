package converter

import (
	"unicode/utf8"

	"kconnect/connect/config"
	"kconnect/connect/data"
)

// SimpleHeader writes headers as text and guesses the type of what it reads
// (data.ParseText). It is the header converter of a worker that names none.
type SimpleHeader struct{}

var noDef = config.NewDef()

// Configure accepts everything: there are no settings.
func (SimpleHeader) Configure(config.Map, bool) error { return nil }

// AppendHeader writes the text of v, whatever its schema.
func (SimpleHeader) AppendHeader(dst []byte, _, _ string, _ *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if dst == nil {
		dst = []byte{}
	}
	b, err := data.AppendQuoted(dst, v, false)
	if err != nil || utf8.Valid(b[len(dst):]) {
		return b, err
	}
	return encodeUTF8(dst, string(b[len(dst):])), nil
}

// DecodeHeader never fails: what it does not understand is a string.
func (SimpleHeader) DecodeHeader(_, _ string, b []byte) (*data.Schema, data.Value, error) {
	if b == nil {
		return nil, data.Null, nil
	}
	if !utf8.Valid(b) {
		b = data.AppendUTF8(nil, b)
	}
	s, v, _ := data.ParseText(data.TextOf(b).Str())
	return s, v, nil
}
