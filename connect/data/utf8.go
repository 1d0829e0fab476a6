package data

import "unicode/utf8"

// AppendUTF8 appends what Java reads from bytes that should be UTF-8 and
// returns the longer slice: the replacement character stands in the place of
// what is none, once for the longest start of a character, once for a
// surrogate, once for a character that the end cuts short.
func AppendUTF8(dst, b []byte) []byte {
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
	if b[0] == 0xed && len(b) > 1 && b[1]&0xe0 == 0xa0 {
		if len(b) > 2 && b[2]&0xc0 == 0x80 {
			return 3
		}
		return 2
	}
	n := 1
	for n < len(b) && !utf8.FullRune(b[:n+1]) {
		n++
	}
	return n
}
