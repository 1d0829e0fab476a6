package converter

import "fmt"

// base64Digits has the value of each character of the standard alphabet, and
// 0xff for others.
var base64Digits = func() (digits [256]byte) {
	for i := range digits {
		digits[i] = 0xff
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range len(alphabet) {
		digits[alphabet[i]] = byte(i)
	}
	return digits
}()

// base64Error is what the Java worker's parser says about text that is not base64.
type base64Error struct{ reason string }

func (e *base64Error) Error() string {
	return "Cannot access contents of TextNode as binary due to broken Base64 encoding: " + e.reason
}

// JavaClass returns the class name for traces and headers.
func (e *base64Error) JavaClass() string { return classInvalidFormat }

// decodeBase64 appends to out what text in the standard alphabet with padding
// stands for, as the Java worker reads it: blanks may stand before a group of four but not within, bits beyond
// the last byte are not looked at, and text may go on after padding.
func decodeBase64(out, text []byte) ([]byte, error) {
	for i := 0; ; {
		for i < len(text) && text[i] <= ' ' {
			i++
		}
		if i == len(text) {
			return out, nil
		}
		var group uint32
		n := 0 // digits of the group
		for ; n < 4; n++ {
			if i == len(text) {
				return nil, &base64Error{"Unexpected end of base64-encoded String: it must be padded with '='"}
			}
			c := text[i]
			i++
			d := base64Digits[c]
			if d != 0xff {
				group = group<<6 | uint32(d)
				continue
			}
			if c != '=' || n < 2 {
				return nil, &base64Error{fmt.Sprintf("Illegal character '%c' (code 0x%x) in base64 content", c, c)}
			}
			break
		}
		switch n {
		case 4:
			out = append(out, byte(group>>16), byte(group>>8), byte(group))
		case 3:
			out = append(out, byte(group>>10), byte(group>>2))
		case 2:
			if i == len(text) || text[i] != '=' {
				return nil, &base64Error{"Expected a second padding character '='"}
			}
			i++
			out = append(out, byte(group>>4))
		}
	}
}
