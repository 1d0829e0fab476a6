package data

import (
	"math"
	"math/big"
	"unsafe"
)

// Decimal is an unscaled integer and a scale: its number is
// unscaled x 10^-scale. The scale is kept as written (1.50 is 150 with scale
// 2) and may be negative. Unscaled values within 64 bits need no allocation.
type Decimal struct {
	big   *big.Int // nil when small holds the unscaled value
	small int64
	scale int32
}

// NewDecimal returns unscaled x 10^-scale.
func NewDecimal(unscaled int64, scale int32) Decimal { return Decimal{small: unscaled, scale: scale} }

// NewBigDecimal returns unscaled x 10^-scale and shares unscaled.
func NewBigDecimal(unscaled *big.Int, scale int32) Decimal {
	if unscaled.IsInt64() {
		return Decimal{small: unscaled.Int64(), scale: scale}
	}
	return Decimal{big: unscaled, scale: scale}
}

// DecimalOf returns a decimal value.
func DecimalOf(d Decimal) Value {
	return Value{kind: KindDecimal, ptr: unsafe.Pointer(d.big), num: uint64(d.small), scale: d.scale}
}

// Scale returns the number of digits right of the point; it may be negative.
func (d Decimal) Scale() int32 { return d.scale }

// Small returns the unscaled value and true when it fits 64 bits.
func (d Decimal) Small() (int64, bool) { return d.small, d.big == nil }

// Unscaled returns the unscaled value; the caller must not change it.
func (d Decimal) Unscaled() *big.Int {
	if d.big != nil {
		return d.big
	}
	return big.NewInt(d.small)
}

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.big != nil:
		return d.big.Sign()
	case d.small < 0:
		return -1
	case d.small > 0:
		return 1
	}
	return 0
}

// AppendBytes appends the unscaled value as the shortest big-endian two's
// complement, the form in which a Decimal is stored as bytes.
func (d Decimal) AppendBytes(dst []byte) []byte {
	if d.big == nil {
		n := 8
		for n > 1 {
			top, next := byte(d.small>>(8*(n-1))), byte(d.small>>(8*(n-2)))
			if (top == 0 && next < 0x80) || (top == 0xff && next >= 0x80) {
				n--
				continue
			}
			break
		}
		for i := n - 1; i >= 0; i-- {
			dst = append(dst, byte(d.small>>(8*i)))
		}
		return dst
	}
	if d.big.Sign() >= 0 {
		if d.big.BitLen()%8 == 0 {
			dst = append(dst, 0)
		}
		return append(dst, d.big.Bytes()...)
	}
	// -x in n bytes is 2^(8n) - x, with n the fewest bytes that keep the sign bit set.
	x := new(big.Int).Neg(d.big)
	bits := new(big.Int).Sub(x, big.NewInt(1)).BitLen()
	n := uint(bits/8 + 1)
	two := new(big.Int).Lsh(big.NewInt(1), 8*n)
	return append(dst, two.Sub(two, x).Bytes()...)
}

// DecimalFromBytes reads the big-endian two's complement b as an unscaled
// value; empty bytes are zero.
func DecimalFromBytes(b []byte, scale int32) Decimal {
	if len(b) <= 8 {
		var u int64
		if len(b) > 0 && b[0] >= 0x80 {
			u = -1
		}
		for _, c := range b {
			u = u<<8 | int64(c)
		}
		return NewDecimal(u, scale)
	}
	u := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		u.Sub(u, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return NewBigDecimal(u, scale)
}

// AppendText appends the number in the form of Java's BigDecimal.toString:
// plain when the scale is not negative and the exponent is at least -6,
// otherwise scientific (1E+3, 1.5E-7). The scale shows in the digits.
func (d Decimal) AppendText(dst []byte) []byte {
	var buf [24]byte
	var digits []byte
	neg := d.Sign() < 0
	if d.big == nil {
		u := uint64(d.small)
		if neg {
			u = -u
		}
		digits = appendUint(buf[:0], u)
	} else {
		digits = new(big.Int).Abs(d.big).Append(nil, 10)
	}
	if neg {
		dst = append(dst, '-')
	}
	if d.scale == 0 {
		return append(dst, digits...)
	}
	exponent := int64(len(digits)) - 1 - int64(d.scale)
	if d.scale > 0 && exponent >= -6 {
		point := len(digits) - int(d.scale)
		if point <= 0 {
			dst = append(dst, '0', '.')
			for ; point < 0; point++ {
				dst = append(dst, '0')
			}
			return append(dst, digits...)
		}
		dst = append(dst, digits[:point]...)
		dst = append(dst, '.')
		return append(dst, digits[point:]...)
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	if exponent == 0 {
		return dst
	}
	dst = append(dst, 'E')
	if exponent > 0 {
		dst = append(dst, '+')
		return appendUint(dst, uint64(exponent))
	}
	dst = append(dst, '-')
	return appendUint(dst, uint64(-exponent))
}

// String returns the text of AppendText.
func (d Decimal) String() string { return string(d.AppendText(nil)) }

func appendUint(dst []byte, u uint64) []byte {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + u%10)
		if u /= 10; u == 0 {
			return append(dst, b[i:]...)
		}
	}
}

// ParseDecimal reads the text of a decimal number: an optional sign, digits
// with an optional point, an optional exponent. The scale is that of the
// literal (1.50 has scale 2, 1E+3 has scale -3). It reports false for other
// text and for a scale beyond 32 bits.
func ParseDecimal[T ~string | ~[]byte](s T) (Decimal, bool) {
	i, neg := 0, false
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		neg = s[0] == '-'
		i++
	}
	var (
		small    uint64
		overflow bool
		digits   []byte // kept only once the number has outgrown small
		n        int    // digits read
		scale    int64
		point    bool
	)
	start := i
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		n++
		if point {
			scale++
		}
		if !overflow {
			if small > (math.MaxInt64-9)/10 {
				overflow = true
			} else {
				small = small*10 + uint64(c-'0')
			}
		}
	}
	if n == 0 {
		return Decimal{}, false
	}
	end := i
	if i < len(s) {
		if s[i] != 'e' && s[i] != 'E' {
			return Decimal{}, false
		}
		i++
		var eneg bool
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			eneg = s[i] == '-'
			i++
		}
		if i == len(s) {
			return Decimal{}, false
		}
		var e int64
		for ; i < len(s); i++ {
			if s[i] < '0' || s[i] > '9' || e > math.MaxInt32 {
				return Decimal{}, false
			}
			e = e*10 + int64(s[i]-'0')
		}
		if eneg {
			e = -e
		}
		if e > math.MaxInt32 || e < math.MinInt32 {
			return Decimal{}, false
		}
		scale -= e
	}
	if scale > math.MaxInt32 || scale < math.MinInt32 {
		return Decimal{}, false
	}
	if !overflow {
		u := int64(small)
		if neg {
			u = -u
		}
		return NewDecimal(u, int32(scale)), true
	}
	digits = make([]byte, 0, n+1)
	if neg {
		digits = append(digits, '-')
	}
	for j := start; j < end; j++ {
		if s[j] != '.' {
			digits = append(digits, s[j])
		}
	}
	u, ok := new(big.Int).SetString(string(digits), 10)
	if !ok {
		return Decimal{}, false
	}
	return NewBigDecimal(u, int32(scale)), true
}
