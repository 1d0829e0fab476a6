package data

import (
	"math"
	"strconv"
)

// AppendFloat64 appends the text of Java's Double.toString in Java 19 and
// later: the shortest digits that read back as f, at least two, plain for
// 1e-3 <= |f| < 1e7 and otherwise with E and an exponent (D25 of
// docs/differences.md). NaN and infinities are written out.
func AppendFloat64(dst []byte, f float64) []byte { return appendFloat(dst, f, 64) }

// AppendFloat32 is AppendFloat64 for Float.toString.
func AppendFloat32(dst []byte, f float32) []byte { return appendFloat(dst, float64(f), 32) }

func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 0):
		if f < 0 {
			dst = append(dst, '-')
		}
		return append(dst, "Infinity"...)
	case f == 0:
		if math.Signbit(f) {
			dst = append(dst, '-')
		}
		return append(dst, "0.0"...)
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], f, 'e', -1, bits)
	if text[0] == '-' {
		dst = append(dst, '-')
		text = text[1:]
	}
	if text[1] != '.' { // one digit: Java gives the nearest of two, so 4.9E-324 and not 5.0E-324
		text = strconv.AppendFloat(buf[:0], math.Abs(f), 'e', 1, bits)
	}
	// text is d.ddde±xx
	var digits [20]byte
	n, e := 0, 0
	for i := 0; i < len(text); i++ {
		if text[i] == 'e' {
			e, _ = strconv.Atoi(string(text[i+1:])) // written by AppendFloat
			break
		}
		if text[i] != '.' {
			digits[n] = text[i]
			n++
		}
	}
	for n > 1 && digits[n-1] == '0' {
		n--
	}
	switch {
	case e < -3 || e >= 7:
		dst = append(dst, digits[0], '.')
		dst = appendDigits(dst, digits[1:n])
		dst = append(dst, 'E')
		return strconv.AppendInt(dst, int64(e), 10)
	case e < 0:
		dst = append(dst, "0.00"[:1-e]...)
		return append(dst, digits[:n]...)
	case n <= e+1:
		dst = append(dst, digits[:n]...)
		for ; n <= e; n++ {
			dst = append(dst, '0')
		}
		return append(dst, ".0"...)
	}
	dst = append(dst, digits[:e+1]...)
	dst = append(dst, '.')
	return append(dst, digits[e+1:n]...)
}

// appendDigits appends the digits after a point, of which there is at least one.
func appendDigits(dst, digits []byte) []byte {
	if len(digits) == 0 {
		return append(dst, '0')
	}
	return append(dst, digits...)
}
