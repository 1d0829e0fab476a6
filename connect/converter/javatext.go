package converter

import (
	"unicode/utf8"
)

// decodeUTF8 appends b with the replacement character in the place of what is
// no UTF-8, as often as Java puts it there: once for the longest start of a
// character, once for a whole surrogate, once for a character that the end
// cuts short.
func decodeUTF8(dst, b []byte) []byte {
	for len(b) > 0 {
		if r, size := utf8.DecodeRune(b); r != utf8.RuneError || size > 1 {
			dst = append(dst, b[:size]...)
			b = b[size:]
			continue
		}
		dst = utf8.AppendRune(dst, utf8.RuneError)
		b = b[malformed(b):]
	}
	return dst
}

// malformed returns how many bytes at the start of b one replacement stands for.
func malformed(b []byte) int {
	continues := func(i int) bool { return i < len(b) && b[i]&0xc0 == 0x80 }
	c := b[0]
	switch {
	case c >= 0xe0 && c <= 0xef:
		switch {
		case len(b) == 1:
			return 1
		case !continues(1) || c == 0xe0 && b[1] < 0xa0:
			return 1
		case len(b) == 2:
			return 2
		case !continues(2):
			return 2
		}
		return 3 // a surrogate
	case c >= 0xf0 && c <= 0xf4:
		switch {
		case len(b) == 1:
			return 1
		case !continues(1) || c == 0xf0 && b[1] < 0x90 || c == 0xf4 && b[1] >= 0x90:
			return 1
		case !continues(2):
			return 2
		}
		return 3
	}
	return 1
}

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
