package converter

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"kconnect/connect/data"
)

// The limits of the Java worker's parser.
const (
	maxDepth  = 1000
	maxDigits = 1000
	maxString = 20_000_000
	maxName   = 50_000
)

// jsonReader reads one JSON value with the acceptance of the Java worker's
// parser: RFC 8259 plus leading zeros, lone surrogates and whatever follows
// the first value; minus nesting, numbers and texts beyond the limits (golden
// json-to-connect/env-*).
//
// The tree it makes is a data.Value: an object is a map with string keys, in
// the order of their first appearance and with the last of several values,
// an integer is int64 or bigint, any other number a decimal with the scale of
// the literal. Texts without escapes refer to the input.
type jsonReader struct {
	b     []byte
	pos   int
	depth int
	err   *syntaxError

	// floats makes float64 of numbers that are no integers and that have a
	// float64, for values without a schema.
	floats bool
	// schema is the text of the member "schema" at the top.
	schema []byte
}

// first returns the first value; missingNode when there is none, which the
// Java worker's parser does not mind.
func (r *jsonReader) first() (data.Value, error) {
	r.space()
	if r.pos == len(r.b) {
		return missingNode, nil
	}
	v, ok := r.value()
	if !ok {
		return data.Null, r.err
	}
	return v, nil
}

func (r *jsonReader) fail(class, message string) bool {
	r.err = &syntaxError{class, message, r.pos}
	return false
}

func (r *jsonReader) eof(where string) bool {
	return r.fail(classJSONEOF, "Unexpected end of the text "+where)
}

func (r *jsonReader) unexpected(want string) bool {
	if r.pos >= len(r.b) {
		return r.eof("where " + want + " belongs")
	}
	c, _ := utf8.DecodeRune(r.b[r.pos:])
	return r.fail(classJSONParse, "Unexpected character '"+string(c)+"' where "+want+" belongs")
}

// space skips white space.
func (r *jsonReader) space() {
	for r.pos < len(r.b) {
		switch r.b[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end.
func (r *jsonReader) peek() byte {
	if r.pos < len(r.b) {
		return r.b[r.pos]
	}
	return 0
}

func (r *jsonReader) value() (data.Value, bool) {
	switch c := r.peek(); {
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '"':
		r.pos++
		s, ok := r.text(maxString)
		return data.TextOf(s), ok
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 't':
		return data.BoolOf(true), r.literal("true")
	case c == 'f':
		return data.BoolOf(false), r.literal("false")
	case c == 'n':
		return data.Null, r.literal("null")
	case c == '+' && r.pos == len(r.b)-1:
		r.pos++
		return data.Null, r.eof("in a number")
	}
	return data.Null, r.unexpected("a value")
}

func (r *jsonReader) literal(word string) bool {
	if !bytes.HasPrefix(r.b[r.pos:], []byte(word)) {
		return r.fail(classJSONParse, "Unrecognized token: '"+word+"' was begun but not finished")
	}
	if next, _ := utf8.DecodeRune(r.b[r.pos+len(word):]); r.pos+len(word) < len(r.b) && identifierPart(next) {
		return r.fail(classJSONParse, "Unrecognized token that begins with '"+word+"'")
	}
	r.pos += len(word)
	return true
}

func (r *jsonReader) enter() bool {
	r.pos++
	if r.depth++; r.depth > maxDepth {
		return r.fail(classJSONConstraints, "Nesting is deeper than 1000")
	}
	return true
}

func (r *jsonReader) object() (data.Value, bool) {
	if !r.enter() {
		return data.Null, false
	}
	m := &data.Map{}
	for first := true; ; first = false {
		r.space()
		c := r.peek()
		if c == '}' {
			break
		}
		if !first {
			if c != ',' {
				return data.Null, r.unexpected("a comma or }")
			}
			if !r.comma() {
				return data.Null, false
			}
		}
		name, v, ok := r.member()
		if !ok {
			return data.Null, false
		}
		m.Entries = append(m.Entries, data.Entry{Key: name, Value: v})
	}
	r.pos++
	r.depth--
	m.Entries = lastWins(m.Entries)
	return data.MapOf(m), true
}

// comma skips a comma and the space after it.
func (r *jsonReader) comma() bool {
	r.pos++
	if r.space(); r.pos == len(r.b) {
		// The Java worker's parser has another class for the end here than elsewhere.
		return r.fail(classJSONParse, "Unexpected end of the text after a comma")
	}
	return true
}

func (r *jsonReader) member() (name, v data.Value, ok bool) {
	if r.peek() != '"' {
		return name, v, r.unexpected("a field name in double quotes")
	}
	r.pos++
	text, ok := r.text(maxName)
	if !ok {
		return name, v, false
	}
	r.space()
	if r.peek() != ':' {
		return name, v, r.unexpected("a colon")
	}
	r.pos++
	r.space()
	start := r.pos
	v, ok = r.value()
	if r.depth == 1 && string(text) == "schema" {
		r.schema = r.b[start:r.pos]
	}
	return data.TextOf(text), v, ok
}

func (r *jsonReader) array() (data.Value, bool) {
	if !r.enter() {
		return data.Null, false
	}
	var elements []data.Value
	for first := true; ; first = false {
		r.space()
		c := r.peek()
		if c == ']' {
			break
		}
		if !first {
			if c != ',' {
				return data.Null, r.unexpected("a comma or ]")
			}
			if !r.comma() {
				return data.Null, false
			}
		}
		v, ok := r.value()
		if !ok {
			return data.Null, false
		}
		elements = append(elements, v)
	}
	r.pos++
	r.depth--
	return data.ArrayOf(elements), true
}

// number reads a number with any leading zeros, which do not count.
func (r *jsonReader) number() (data.Value, bool) {
	literal, integer, ok := r.numberText()
	if !ok {
		return data.Null, false
	}
	if !integer && r.floats {
		if f, ok := parseFloat(literal, 64); ok {
			return data.Float64Of(f), true
		}
	}
	if !integer {
		d, ok := data.ParseDecimal(literal)
		if !ok {
			_, err := data.ParseBigDecimal(string(literal))
			return data.Null, r.fail(classNumberFormat, "Value \""+string(literal)+"\" can not be deserialized as `java.math.BigDecimal`, reason:  "+err.Error())
		}
		return data.DecimalOf(d), true
	}
	if n, ok := parseInt(literal); ok {
		return data.Int64Of(n), true
	}
	i, _ := new(big.Int).SetString(string(literal), 10)
	return data.BigIntOf(i), true
}

// numberText reads a number and returns its text without leading zeros.
func (r *jsonReader) numberText() (literal []byte, integer, ok bool) {
	start := r.pos
	negative := r.b[r.pos] == '-'
	if negative {
		if r.pos++; r.pos == len(r.b) {
			return nil, false, r.eof("in a number")
		}
	}
	zeros := 0
	for r.peek() == '0' && r.pos+1 < len(r.b) && digit(r.b[r.pos+1]) {
		r.pos++
		zeros++
	}
	digits := r.digits()
	if digits == 0 {
		return nil, false, r.unexpected("a digit")
	}
	integer = true
	if r.peek() == '.' {
		integer = false
		r.pos++
		n := r.digits()
		if n == 0 {
			return nil, false, r.fail(classJSONParse, "Decimal point not followed by a digit")
		}
		digits += n
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		integer = false
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		n := r.digits()
		if n == 0 {
			return nil, false, r.unexpected("a digit of the exponent")
		}
		digits += n
	}
	if digits > maxDigits {
		return nil, false, r.fail(classJSONConstraints, "Number is longer than 1000 digits")
	}
	if r.depth == 0 && r.pos < len(r.b) { // nothing may stick to a number that is the whole text
		switch r.b[r.pos] {
		case ' ', '\t', '\n', '\r':
		default:
			return nil, false, r.fail(classJSONParse, "Expected space after the number")
		}
	}
	literal = r.b[start:r.pos]
	if zeros > 0 {
		short := make([]byte, 0, len(literal))
		if negative {
			short = append(short, '-')
			literal = literal[1:]
		}
		literal = append(short, literal[zeros:]...)
	}
	return literal, integer, true
}

func (r *jsonReader) digits() int {
	start := r.pos
	for r.pos < len(r.b) && digit(r.b[r.pos]) {
		r.pos++
	}
	return r.pos - start
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// parseInt reads an integer literal; false when it does not fit 64 bits.
func parseInt(literal []byte) (int64, bool) {
	negative := literal[0] == '-'
	if negative {
		literal = literal[1:]
	}
	if len(literal) > 19 {
		return 0, false
	}
	var u uint64
	for _, c := range literal {
		u = u*10 + uint64(c-'0')
	}
	switch {
	case negative && u <= 1<<63:
		return -int64(u), true // 1<<63 negates to itself
	case !negative && u < 1<<63:
		return int64(u), true
	}
	return 0, false
}

// parseFloat reads a literal as the nearest float of so many bits; false when
// it is out of range, or not zero and yet too small, or a zero with an
// exponent, which may be out of range too. Java reads -0.0 as 0.0.
func parseFloat(literal []byte, bits int) (float64, bool) {
	f, err := strconv.ParseFloat(data.TextOf(literal).Str(), bits)
	if err != nil {
		return 0, false
	}
	if f == 0 {
		for _, c := range literal {
			if c >= '1' && c <= '9' || c == 'e' || c == 'E' {
				return 0, false
			}
		}
		return 0, true
	}
	return f, true
}

// plainText returns how many of the first bytes of b stand for themselves in a
// JSON text: no quote, backslash, control character or byte beyond ASCII.
func plainText(b []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote := w ^ ones*'"'
		slash := w ^ ones*'\\'
		// The lowest marked byte is right: false marks only come above a true one.
		if m := ((quote-ones)&^quote | (slash-ones)&^slash | (w - ones*0x20) | w) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(b) && plainBytes[b[i]]; i++ {
	}
	return i
}

// plainBytes are the bytes that plainText counts.
var plainBytes = func() (plain [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// text reads the rest of a text after its opening quote.
func (r *jsonReader) text(limit int) ([]byte, bool) {
	start := r.pos
	r.pos += plainText(r.b[r.pos:])
	if r.pos < len(r.b) && r.b[r.pos] == '"' && r.pos-start <= limit {
		r.pos++
		return r.b[start : r.pos-1 : r.pos-1], true
	}
	return r.unusualText(start, limit)
}

// unusualText reads a text that is not plain ASCII; r.pos is at the first
// byte that stopped plainText.
func (r *jsonReader) unusualText(start, limit int) ([]byte, bool) {
	var own []byte // a copy, once the text differs from the input
	from := start  // first byte of the input that is not in the copy
	units := 0     // UTF-16 units saved by characters of several bytes
	for {
		r.pos += plainText(r.b[r.pos:])
		if r.pos >= len(r.b) {
			return nil, r.eof("in a text")
		}
		if len(own)+r.pos-from-units > limit {
			return nil, r.fail(classJSONConstraints, "Text or name is too long")
		}
		switch c := r.b[r.pos]; {
		case c == '"':
			r.pos++
			if own == nil {
				return r.b[start : r.pos-1 : r.pos-1], true
			}
			return append(own, r.b[from:r.pos-1]...), true
		case c < 0x20:
			return nil, r.fail(classJSONParse, "Unquoted control character in a text")
		case c == '\\':
			own = append(own, r.b[from:r.pos]...)
			if own == nil {
				own = []byte{}
			}
			var ok bool
			if own, ok = r.escape(own); !ok {
				return nil, false
			}
			from = r.pos
		default:
			char, size := utf8.DecodeRune(r.b[r.pos:])
			if char != utf8.RuneError || size > 1 {
				r.pos += size
				units += size - 1 - size/4
				continue
			}
			own = append(own, r.b[from:r.pos]...)
			var ok bool
			if own, ok = r.looseUTF8(own); !ok {
				if limit == maxName {
					return nil, r.badName()
				}
				return nil, false
			}
			from = r.pos
		}
	}
}

// looseUTF8 reads what Go calls invalid UTF-8 and the Java worker's parser
// accepts: overlong forms, surrogates, and characters beyond U+10FFFF, of
// which it makes two units whatever they are.
func (r *jsonReader) looseUTF8(dst []byte) ([]byte, bool) {
	c := r.b[r.pos]
	var char rune
	var size int
	switch {
	case c&0xe0 == 0xc0:
		char, size = rune(c&0x1f), 2
	case c&0xf0 == 0xe0:
		char, size = rune(c&0x0f), 3
	case c&0xf8 == 0xf0:
		char, size = rune(c&0x07), 4
	default:
		return dst, r.fail(classJSONParse, "Invalid UTF-8")
	}
	for i := 1; i < size; i++ {
		if r.pos+i >= len(r.b) {
			return dst, r.eof("in a character")
		}
		if r.b[r.pos+i]&0xc0 != 0x80 {
			return dst, r.fail(classJSONParse, "Invalid UTF-8")
		}
		char = char<<6 | rune(r.b[r.pos+i]&0x3f)
	}
	r.pos += size
	if size < 4 {
		return appendUnit(dst, char), true
	}
	char -= 0x10000
	dst = appendUnit(dst, (0xd800|char>>10)&0xffff)
	return appendUnit(dst, 0xdc00|char&0x3ff), true
}

// badName chooses the error of a name with invalid UTF-8 at r.pos. The Java
// worker's parser decodes a name when it is complete, so that an end of the
// text, and an end of the name within a character, come first.
func (r *jsonReader) badName() bool {
	size := 1
	switch c := r.b[r.pos]; {
	case c&0xe0 == 0xc0:
		size = 2
	case c&0xf0 == 0xe0:
		size = 3
	case c&0xf8 == 0xf0:
		size = 4
	}
	for i := r.pos; i < len(r.b); i++ {
		switch r.b[i] {
		case '"':
			if i-r.pos < size {
				return r.eof("in a name")
			}
			return false
		case '\\':
			i++
		}
	}
	return r.eof("in a name")
}

// escape reads one escape at r.pos and appends what it stands for.
func (r *jsonReader) escape(dst []byte) ([]byte, bool) {
	if r.pos+1 >= len(r.b) {
		return dst, r.eof("in an escape")
	}
	c := r.b[r.pos+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		var unit rune
		for i := 2; i < 6; i++ {
			if r.pos+i >= len(r.b) {
				return dst, r.eof("in an escape")
			}
			h := hexDigit(r.b[r.pos+i])
			if h < 0 {
				return dst, r.fail(classJSONParse, `\u is not followed by four hexadecimal digits`)
			}
			unit = unit<<4 | h
		}
		r.pos += 6
		return appendUnit(dst, unit), true
	default:
		return dst, r.fail(classJSONParse, "Unrecognized escape")
	}
	r.pos += 2
	return append(dst, c), true
}

func hexDigit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

// appendUnit appends one UTF-16 unit. A low surrogate joins a high one before
// it; a lone one is kept as data.Value.Str describes.
func appendUnit(dst []byte, unit rune) []byte {
	if unit < 0xd800 || unit > 0xdfff {
		return utf8.AppendRune(dst, unit)
	}
	if n := len(dst); unit >= 0xdc00 && n >= 3 && dst[n-3] == 0xed && dst[n-2]&0xf0 == 0xa0 {
		high := rune(dst[n-2]&0x0f)<<6 | rune(dst[n-1]&0x3f)
		return utf8.AppendRune(dst[:n-3], 0x10000+high<<10+(unit-0xdc00))
	}
	return append(dst, 0xe0|byte(unit>>12), 0x80|byte(unit>>6)&0xbf, 0x80|byte(unit)&0xbf)
}

// lastWins drops entries whose name occurs again; the place of the first one
// and the value of the last one stay.
func lastWins(entries []data.Entry) []data.Entry {
	if len(entries) <= 16 {
		for i := 1; i < len(entries); i++ {
			for j := range i {
				if entries[i].Key.Str() == entries[j].Key.Str() {
					return dropRepeated(entries)
				}
			}
		}
		return entries
	}
	return dropRepeated(entries)
}

func dropRepeated(entries []data.Entry) []data.Entry {
	place := make(map[string]int, len(entries))
	kept := entries[:0]
	for _, e := range entries {
		if i, ok := place[e.Key.Str()]; ok {
			kept[i].Value = e.Value
			continue
		}
		place[e.Key.Str()] = len(kept)
		kept = append(kept, e)
	}
	return kept
}
