package data

const upperHex = "0123456789ABCDEF"

// AppendJSONEscape appends an ASCII character in the escaped form that the
// Java worker's JSON writer uses: the shortest one there is.
func AppendJSONEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		c = 'b'
	case '\t':
		c = 't'
	case '\n':
		c = 'n'
	case '\f':
		c = 'f'
	case '\r':
		c = 'r'
	default:
		return AppendJSONUnit(dst, rune(c))
	}
	return append(dst, '\\', c)
}

// AppendJSONUnit appends a UTF-16 unit as \u and four digits.
func AppendJSONUnit(dst []byte, unit rune) []byte {
	return append(dst, '\\', 'u', upperHex[unit>>12&15], upperHex[unit>>8&15], upperHex[unit>>4&15], upperHex[unit&15])
}

// AppendJSONFloat appends the text that Java has for a number of 32 or 64
// bits. What JSON has no number for is a text in quotes.
func AppendJSONFloat(dst []byte, f float64, bits int) []byte {
	if f-f != 0 { // infinity or no number
		return append(appendFloat(append(dst, '"'), f, bits), '"')
	}
	return appendFloat(dst, f, bits)
}
