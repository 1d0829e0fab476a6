package converter

import (
	"encoding/binary"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeText returns b as UTF-8 without a byte order mark: the Java worker's
// parser detects UTF-16 and UTF-32 by a mark or by the zeros among the first
// bytes (golden json-to-connect/env-utf16). b itself comes back when there is
// nothing to do.
func decodeText(b []byte) ([]byte, error) {
	if len(b) >= 4 {
		switch q := binary.BigEndian.Uint32(b); {
		case q == 0x0000feff:
			return fromUTF32(b[4:], binary.BigEndian)
		case q == 0xfffe0000:
			return fromUTF32(b[4:], binary.LittleEndian)
		case q == 0x0000fffe || q == 0xfeff0000:
			return nil, unusualUCS4()
		case q>>16 == 0xfeff:
			return fromUTF16(b[2:], binary.BigEndian), nil
		case q>>16 == 0xfffe:
			return fromUTF16(b[2:], binary.LittleEndian), nil
		case q>>8 == 0xefbbbf:
			return b[3:], nil
		case q>>8 == 0:
			return fromUTF32(b, binary.BigEndian)
		case q&0x00ffffff == 0:
			return fromUTF32(b, binary.LittleEndian)
		case q&^0x00ff0000 == 0 || q&^0x0000ff00 == 0:
			return nil, unusualUCS4()
		}
	}
	if len(b) >= 2 {
		switch {
		case b[0] == 0:
			return fromUTF16(b, binary.BigEndian), nil
		case b[1] == 0:
			return fromUTF16(b, binary.LittleEndian), nil
		}
	}
	return b, nil
}

func unusualUCS4() error {
	return &syntaxError{class: classCharConversion, message: "Unsupported byte order of 32-bit characters"}
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, 0, len(b)/2+1)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	if len(b) == 1 {
		units = append(units, utf8.RuneError)
	}
	return []byte(string(utf16.Decode(units)))
}

func fromUTF32(b []byte, order binary.ByteOrder) ([]byte, error) {
	out := make([]byte, 0, len(b)/4)
	for i := 0; i < len(b); i += 4 {
		if len(b)-i < 4 {
			return nil, &syntaxError{class: classCharConversion, message: "Unexpected end of the text in a 32-bit character", offset: i}
		}
		c := order.Uint32(b[i:])
		if c > unicode.MaxRune {
			return nil, &syntaxError{class: classCharConversion, message: "Invalid 32-bit character", offset: i}
		}
		if c >= 0xd800 && c <= 0xdfff {
			out = appendUnit(out, rune(c))
		} else {
			out = utf8.AppendRune(out, rune(c))
		}
	}
	return out, nil
}

// identifierPart tells whether a character continues a word, as far as the
// Java worker's parser asks after true, false and null: it takes no character
// before 0 for one.
func identifierPart(c rune) bool {
	if c < 0x80 {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == 0x7f
	}
	return unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Mc, c) ||
		unicode.Is(unicode.Sc, c) || unicode.Is(unicode.Pc, c) || unicode.Is(unicode.Nl, c) || c < 0xa0
}
