package data

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseText guesses schema and value of a text, as Java's Values.parseString:
// numbers take the smallest type that holds them, dates, times and timestamps
// are known by their form, lists and maps look like JSON, and everything else
// is a string. The schema of a list or map of mixed types has no element
// schema. isNull is set for the text null, which stands for no value at all.
func ParseText(s string) (schema *Schema, v Value, isNull bool) {
	if s == "" {
		return StringSchema, StringOf(s), false
	}
	p := textParser{text: s}
	r, err := p.value(false)
	if err != nil { // Java throws from nowhere but inside of lists and maps
		return StringSchema, StringOf(s), false
	}
	return r.schema, r.value, r.isNull
}

// parsed is one value of a text with its schema.
type parsed struct {
	schema *Schema
	value  Value
	isNull bool
}

// textParser cuts a text at the delimiters : , { } [ ] " unless a backslash
// stands before them. A token is a delimiter or what lies between two.
type textParser struct {
	text  string
	pos   int
	depth int // of lists and maps around pos
	// peeked is a token that was looked at, which ends at pos.
	peeked  string
	hasPeek bool
}

// maxTextDepth bounds the nesting of lists and maps, as that of JSON is: a
// deeper text is a string, and not the end of the stack.
const maxTextDepth = 1000

// maxTextNumber bounds the length of a number: the time to read one grows with
// its square. A longer one is a string.
const maxTextNumber = 10_000

// errEmbedded makes a list or a map a string again.
var errEmbedded = dataError("the text is not a list or map")

func (p *textParser) hasNext() bool { return p.hasPeek || p.pos < len(p.text) }

func (p *textParser) mark() int {
	if p.hasPeek {
		return p.pos - len(p.peeked)
	}
	return p.pos
}

func (p *textParser) rewind(mark int) { p.pos, p.hasPeek = mark, false }

func (p *textParser) next() string {
	if p.hasPeek {
		p.hasPeek = false
		return p.peeked
	}
	return p.token()
}

func (p *textParser) token() string {
	start, escaped := p.pos, false
	for ; p.pos < len(p.text); p.pos++ {
		switch p.text[p.pos] {
		case '\\':
			escaped = !escaped
			continue
		case ':', ',', '{', '}', '[', ']', '"':
			if escaped {
				break
			}
			if start == p.pos {
				p.pos++
			}
			return p.text[start:p.pos]
		}
		escaped = false
	}
	return p.text[start:]
}

// consume takes the next token that is not blank when it is word, blanks around it aside.
func (p *textParser) consume(word string) bool {
	if !p.hasPeek {
		if !p.hasNext() {
			return false
		}
		p.peeked, p.hasPeek = p.token(), true
	}
	for blank(p.peeked) && p.pos < len(p.text) {
		p.peeked = p.token()
	}
	if trim(p.peeked) != word {
		return false
	}
	p.hasPeek = false
	return true
}

// literal takes a word that is a value; at the top it must be all there is.
func (p *textParser) literal(word string, embedded bool) bool {
	start := p.mark()
	if p.consume(word) && (embedded || !p.hasNext()) {
		return true
	}
	p.rewind(start)
	return false
}

func (p *textParser) value(embedded bool) (parsed, error) {
	if !p.hasNext() {
		return parsed{isNull: true}, nil
	}
	if embedded && p.consume(`"`) {
		return p.quoted(), nil
	}
	switch {
	case p.literal("null", embedded):
		return parsed{isNull: true}, nil
	case p.literal("true", embedded):
		return parsed{schema: BooleanSchema, value: BoolOf(true)}, nil
	case p.literal("false", embedded):
		return parsed{schema: BooleanSchema, value: BoolOf(false)}, nil
	}
	start := p.mark()
	if p.consume("[") {
		if r, err := p.list(); err == nil {
			return r, nil
		}
		p.rewind(start)
	} else if p.consume("{") {
		if r, err := p.mapping(); err == nil {
			return r, nil
		}
		p.rewind(start)
	}
	token := p.next()
	if blank(token) {
		return parsed{schema: StringSchema, value: StringOf(token)}, nil
	}
	return p.scalar(trim(token), embedded)
}

// scalar reads a date, time, timestamp or number that begins with token.
// Anything else is a string: all of the text at the top, a fault inside of a
// list or map.
func (p *textParser) scalar(token string, embedded bool) (parsed, error) {
	first, _ := utf8.DecodeRuneInString(token)
	_, isDigit := decimalDigit(first)
	if isDigit {
		if r, ok := p.temporal(token); ok {
			return r, nil
		}
	}
	if (isDigit || first == '+' || first == '-') && len(token) <= maxTextNumber {
		if d, err := ParseBigDecimal(token); err == nil {
			return number(d), nil
		}
	}
	if embedded {
		return parsed{}, errEmbedded
	}
	return parsed{schema: StringSchema, value: StringOf(p.text)}, nil
}

// temporal tries the token with the four after it, for unescaped colons cut a
// time and a timestamp into five, and then the token alone.
func (p *textParser) temporal(token string) (parsed, bool) {
	start := p.mark()
	n := 0
	for ; n < 4 && p.hasNext(); n++ {
		p.next()
	}
	if n == 4 {
		if schema, v, ok := parseTemporal(unescapeColons(token + p.text[start:p.pos])); ok {
			return parsed{schema: schema, value: v}, true
		}
	}
	p.rewind(start)
	schema, v, ok := parseTemporal(unescapeColons(token))
	return parsed{schema: schema, value: v}, ok
}

func unescapeColons(s string) string { return strings.ReplaceAll(s, `\:`, ":") }

// number gives a decimal the smallest type: a whole number within 64 bits the
// smallest integer, any other one that is not written as a whole number
// float32 or float64 by its range, the rest Decimal.
func number(d Decimal) parsed {
	if n, ok := wholeInt64(d); ok {
		switch {
		case int64(int8(n)) == n:
			return parsed{schema: Int8Schema, value: Int8Of(int8(n))}
		case int64(int16(n)) == n:
			return parsed{schema: Int16Schema, value: Int16Of(int16(n))}
		case int64(int32(n)) == n:
			return parsed{schema: Int32Schema, value: Int32Of(int32(n))}
		}
		return parsed{schema: Int64Schema, value: Int64Of(n)}
	}
	if d.scale != 0 {
		if f := d.Float32(); !math.IsInf(float64(f), 0) {
			return parsed{schema: Float32Schema, value: Float32Of(f)}
		}
		if f := d.Float64(); !math.IsInf(f, 0) {
			return parsed{schema: Float64Schema, value: Float64Of(f)}
		}
	}
	return parsed{schema: NewDecimalBuilder(d.scale).MustBuild(), value: DecimalOf(d)}
}

func wholeInt64(d Decimal) (int64, bool) {
	if d.Sign() != 0 && d.scale < -19 {
		return 0, false // at least 20 digits
	}
	return d.Int64()
}

// enter begins a list or a map; leave ends it.
func (p *textParser) enter() error {
	if p.depth++; p.depth > maxTextDepth {
		return errEmbedded
	}
	return nil
}

func (p *textParser) leave() { p.depth-- }

func (p *textParser) list() (parsed, error) {
	defer p.leave()
	if err := p.enter(); err != nil {
		return parsed{}, err
	}
	var elements []Value
	var elem commonType
	for p.hasNext() {
		if p.consume("]") {
			return makeList(elem.schema, elements)
		}
		if p.consume(",") {
			break
		}
		e, err := p.value(true)
		if err != nil {
			return parsed{}, err
		}
		elem.add(e)
		elements = append(elements, e.value)
		end := p.mark()
		if p.consume("]") {
			p.rewind(end)
		} else if !p.consume(",") {
			break
		}
	}
	return parsed{}, errEmbedded
}

func makeList(elem *Schema, elements []Value) (parsed, error) {
	schema := NewBuilder(Array).Items(elem).Untyped().MustBuild()
	if err := align(elem, elements); err != nil {
		return parsed{}, err
	}
	return parsed{schema: schema, value: ArrayOf(elements)}, nil
}

// align converts elements to their common type; null is none.
func align(elem *Schema, elements []Value) error {
	if elem == nil {
		return nil
	}
	for i, e := range elements {
		v, err := Convert(elem, nil, e)
		if err != nil {
			return err
		}
		elements[i] = v
	}
	return nil
}

func (p *textParser) mapping() (parsed, error) {
	defer p.leave()
	if err := p.enter(); err != nil {
		return parsed{}, err
	}
	var keys, values []Value
	var key, value commonType
	place := map[string]int{}
	for p.hasNext() {
		if p.consume("}") {
			return makeMap(key.schema, value.schema, keys, values)
		}
		if p.consume(",") {
			break
		}
		k, err := p.value(true)
		if err != nil {
			return parsed{}, err
		}
		if k.isNull || !p.consume(":") {
			break
		}
		v, err := p.value(true)
		if err != nil {
			return parsed{}, err
		}
		if i, ok := place[identity(k.value)]; ok {
			values[i] = v.value
		} else {
			place[identity(k.value)] = len(keys)
			keys, values = append(keys, k.value), append(values, v.value)
		}
		p.consume(",")
		key.add(k)
		value.add(v)
	}
	return parsed{}, errEmbedded
}

func makeMap(key, value *Schema, keys, values []Value) (parsed, error) {
	if key == nil {
		value = nil
	}
	if err := align(key, keys); err != nil {
		return parsed{}, err
	}
	if err := align(value, values); err != nil {
		return parsed{}, err
	}
	m := &Map{Entries: make([]Entry, len(keys))}
	for i := range keys {
		m.Entries[i] = Entry{keys[i], values[i]}
	}
	return parsed{schema: NewBuilder(MapType).Keys(key).Items(value).Untyped().MustBuild(), value: MapOf(m)}, nil
}

// identity returns a text that is the same for keys that are equal in Java.
func identity(v Value) string {
	if v.kind == KindInstant {
		return strconv.FormatInt(v.Instant(), 10) + "ms"
	}
	b, _ := AppendQuoted([]byte{byte(v.kind)}, v, true) // fails for objects only, which no text makes
	return string(b)
}

// commonType is the type of the elements so far: the widest of numbers, none
// for several types.
type commonType struct {
	schema *Schema
	mixed  bool
}

func (c *commonType) add(e parsed) {
	switch {
	case c.mixed || e.isNull || e.schema == nil:
	case c.schema == nil || c.schema.typ == e.schema.typ:
		c.schema = e.schema
	case c.schema.typ > Float64 || e.schema.typ > Float64:
		c.schema, c.mixed = nil, true
	case c.schema.typ < e.schema.typ:
		c.schema = e.schema
	}
}

func (p *textParser) quoted() parsed {
	var content strings.Builder
	for p.hasNext() && !p.consume(`"`) {
		content.WriteString(p.next())
	}
	s := content.String()
	if schema, v, ok := parseTemporal(unescapeColons(s)); ok {
		return parsed{schema: schema, value: v}
	}
	return parsed{schema: StringSchema, value: StringOf(s)}
}

func blank(s string) bool { return trim(s) == "" }

// trim cuts what Java's String.trim cuts.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}
