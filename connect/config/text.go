package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// parseText reads the text of a key, as Java's ConfigDef does: surrounding
// blanks are dropped whatever the type. resolve says whether a class name is
// looked up; defaults are not, they may name classes that live elsewhere.
func parseText(k *Key, text string, resolve bool) (any, error) {
	s := trim(text)
	switch k.Type {
	case String:
		return s, nil
	case Password:
		return Secret(s), nil
	case Class:
		if !resolve || k.Resolve == nil {
			return s, nil
		}
		full, err := k.Resolve(s)
		if err != nil {
			return nil, err
		}
		return full, nil
	case Boolean:
		switch {
		case strings.EqualFold(s, "true"):
			return true, nil
		case strings.EqualFold(s, "false"):
			return false, nil
		}
		return nil, Invalid(k.Name, text, "Expected value to be either true or false")
	case List:
		return splitList(s), nil
	}
	if n, ok := parseNumber(k.Type, s); ok {
		return n, nil
	}
	return nil, Invalid(k.Name, text, "Not a number of type "+k.Type.String())
}

func parseNumber(t Type, s string) (any, bool) {
	if t != Double {
		s = asciiDigits(s)
	}
	switch t {
	case Int:
		n, err := strconv.ParseInt(s, 10, 32)
		return int32(n), err == nil
	case Short:
		n, err := strconv.ParseInt(s, 10, 16)
		return int16(n), err == nil
	case Long:
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil
	case Double:
		return parseDouble(s)
	}
	panic(fmt.Sprintf("config: type %d is unknown", t))
}

// asciiDigits turns the decimal digits of other scripts into ASCII ones: Java
// reads them in whole numbers.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !unicode.IsDigit(r) || r > 0xffff {
			return r
		}
		for _, block := range unicode.Nd.R16 {
			if r <= rune(block.Hi) {
				return '0' + (r-rune(block.Lo))%10
			}
		}
		return r
	}, s)
}

// parseDouble accepts what Java's Double.parseDouble does: a type suffix and
// out-of-range values (which become infinite or zero), but neither "inf" nor
// digit separators, which strconv takes.
func parseDouble(s string) (any, bool) {
	unsigned := strings.TrimLeft(s, "+-")
	if len(s)-len(unsigned) > 1 || strings.ContainsRune(s, '_') {
		return nil, false
	}
	switch unsigned {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1 - 2*strings.Count(s, "-")), true
	}
	if unsigned == "" || unsigned[0] != '.' && (unsigned[0] < '0' || unsigned[0] > '9') {
		return nil, false
	}
	// In a hexadecimal number d and f are digits until the exponent, which it must have.
	if !strings.ContainsAny(s, "xX") || strings.ContainsAny(s, "pP") {
		if last := s[len(s)-1]; strings.IndexByte("dDfF", last) >= 0 {
			s = s[:len(s)-1]
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, false
	}
	return f, true
}

// trim drops what Java's String.trim drops: every character up to U+0020.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// splitList splits at commas, with the blanks around them. Items may be empty,
// a text without anything is an empty list.
func splitList(s string) []string {
	if s == "" {
		return []string{}
	}
	items := strings.Split(s, ",")
	for i := range items {
		// Unlike trim, a list drops only white space around its commas; the
		// outer ends were trimmed before.
		items[i] = strings.Trim(items[i], " \t\n\v\f\r")
	}
	return items
}

// valueText returns a parsed value as the REST API shows it; nil for null.
// Promise 8: a secret is [hidden].
func valueText(v any) *string {
	var s string
	switch v := v.(type) {
	case nil:
		return nil
	case []string:
		s = strings.Join(v, ",")
	default:
		s = javaText(v)
	}
	return &s
}

// javaText returns v as Java's string concatenation shows it in a message.
func javaText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case float64:
		return doubleText(v)
	}
	return fmt.Sprint(v)
}

// doubleText is Java's Double.toString (the shortest text, as since Java 19).
func doubleText(f float64) string {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.ContainsRune(s, '.') {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	if !strings.ContainsRune(mantissa, '.') {
		// Java writes two digits at least, the nearest ones: 4.9E-324, not 5.0E-324.
		mantissa, exponent, _ = strings.Cut(strconv.FormatFloat(f, 'e', 1, 64), "e")
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}
