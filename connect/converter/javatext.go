package converter

import (
	"unicode/utf8"
)

// encodeUTF8 returns s as Java writes it: a lone surrogate, or whatever else
// is no UTF-8, becomes a question mark.
func encodeUTF8(dst []byte, s string) []byte {
	if utf8.ValidString(s) {
		return append(dst, s...)
	}
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r != utf8.RuneError || size > 1 {
			dst = append(dst, s[:size]...)
			s = s[size:]
			continue
		}
		dst = append(dst, '?')
		s = s[loneSurrogate(s):]
	}
	return dst
}

// loneSurrogate returns the length of the surrogate at the start of s, or 1.
func loneSurrogate(s string) int {
	if len(s) >= 3 && s[0] == 0xed && s[1]&0xe0 == 0xa0 && s[2]&0xc0 == 0x80 {
		return 3
	}
	return 1
}
