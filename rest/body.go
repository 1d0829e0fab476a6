package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"kconnect/connect/config"
)

const (
	// maxBody bounds a request's body, in bytes. Task configurations of a
	// connector with many tasks come signed from other workers and may be larger.
	maxBody      = 4 << 20
	maxTasksBody = 64 << 20
	// bodyTimeout is how long a client may take to send a body.
	bodyTimeout = 30 * time.Second
)

// readBody reads a request's body, of limit bytes at most, within the time
// that limitBody set.
func readBody(c echo.Context, limit int64) ([]byte, error) {
	if c.Request().Body == http.NoBody {
		return nil, nil
	}
	var b bytes.Buffer
	_, err := b.ReadFrom(http.MaxBytesReader(c.Response().Writer, c.Request().Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &statusError{status: http.StatusRequestEntityTooLarge,
			message: fmt.Sprintf("The body of the request is larger than %d bytes.", limit)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.Response().Header().Set("Connection", "close") // what may still come is no request
		return nil, &statusError{status: http.StatusRequestTimeout,
			message: fmt.Sprintf("The body of the request did not arrive within %s.", bodyTimeout)}
	case err != nil:
		return nil, fmt.Errorf("cannot read the body of the request: %w", err)
	}
	// The deadline must not outlast the body: net/http goes on reading to see
	// whether the client is still there.
	_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(time.Time{})
	return b.Bytes(), nil
}

// limitBody sets the time in which a body must have arrived. It holds for
// requests that no resource takes, too, because net/http reads what is left of
// a body before it takes the next request. A recorder in a test has no deadlines.
func limitBody(c echo.Context) {
	if c.Request().Body != http.NoBody {
		_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(time.Now().Add(bodyTimeout))
	}
}

// document is a JSON body that was found to be well-formed. Its members are
// read token by token, because their order and the text of their numbers count.
type document struct {
	text []byte
	dec  *json.Decoder
}

// parse checks that text is exactly one JSON document in UTF-8 and returns its
// first token, nil for null and for an empty body. Errors say what is wrong
// and in which line and column, with the words that people search for
// (golden rest 03-create-errors); they become a 500, as in Java.
func parse(text []byte) (*document, json.Token, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	d := &document{text: text, dec: json.NewDecoder(bytes.NewReader(text))}
	d.dec.UseNumber()
	if len(bytes.TrimSpace(text)) == 0 {
		return d, nil, nil
	}
	if at := invalidUTF8(text); at >= 0 {
		return nil, nil, d.fault(at, "Invalid UTF-8 byte 0x%02x", text[at])
	}
	var all json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, nil, d.syntaxError(err)
	}
	if at := unpairedSurrogate(text); at >= 0 {
		return nil, nil, d.fault(at, "Unpaired surrogate %s: it is one half of a character", text[at:at+6])
	}
	tok, err := d.dec.Token()
	return d, tok, err
}

// syntaxError words an error of encoding/json. Only its offset is relied on;
// its text decides how much help is given.
func (d *document) syntaxError(err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	if syntax.Offset <= 0 || strings.Contains(err.Error(), "unexpected end") {
		return d.fault(len(d.text), "Unexpected end-of-input: the document ends before it is complete")
	}
	// The offset counts the bytes read, and those of the character may be several.
	at := int(syntax.Offset) - 1
	for at > 0 && !utf8.RuneStart(d.text[at]) {
		at--
	}
	c, size := utf8.DecodeRune(d.text[at:])
	_, why, _ := strings.Cut(err.Error(), "invalid character "+strconv.QuoteRune(c)+" ")

	if word, from := d.word(at); word != "" && (strings.HasPrefix(why, "looking for beginning of value") ||
		strings.HasPrefix(why, "after top-level") || strings.HasPrefix(why, "in literal")) {
		return d.fault(from, "Unrecognized token '%s': expected a text in double quotes, a number, an array, an object, true, false or null", word)
	}
	what := fmt.Sprintf("Unexpected character ('%c' (code %d))", c, c)
	if c < ' ' {
		what = fmt.Sprintf("Unexpected character ((CTRL-CHAR, code %d))", c)
	}
	inString := strings.HasPrefix(why, "in string")
	switch next := d.text[at+size:]; {
	case !inString && (c == '#' || c == '/' && len(next) > 0 && (next[0] == '/' || next[0] == '*')):
		return d.fault(at, "%s: JSON has no comments, remove the one that begins here", what)
	case why == "":
		return d.fault(at, "%s", what)
	}
	return d.fault(at, "%s %s", what, why)
}

// word returns the letters and digits around a position, when they begin with
// a letter, and where they begin.
func (d *document) word(at int) (string, int) {
	part := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	from, to := at, at
	for from > 0 && part(d.text[from-1]) {
		from--
	}
	for to < len(d.text) && part(d.text[to]) {
		to++
	}
	if from == to || d.text[from] <= '9' {
		return "", from
	}
	return string(d.text[from:to]), from
}

// fault returns an error with a place, in the form of Java's parser.
func (d *document) fault(at int, format string, args ...any) error {
	before := d.text[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("%s\n at [line: %d, column: %d]", fmt.Sprintf(format, args...), line, column)
}

// next returns the next token and where it begins.
func (d *document) next() (json.Token, int, error) {
	at := int(d.dec.InputOffset())
	for at < len(d.text) && strings.IndexByte(" \t\r\n,:", d.text[at]) >= 0 {
		at++
	}
	tok, err := d.dec.Token()
	return tok, at, err
}

// object reads the members of an object whose first token, at a place, is tok.
// what names the value in errors.
func (d *document) object(what string, tok json.Token, at int, member func(key string, val json.Token, at int) error) error {
	if tok != json.Delim('{') {
		return d.fault(at, "Cannot read %s: expected an object, not %s", what, nameOf(tok))
	}
	for d.dec.More() {
		key, _, err := d.next()
		if err != nil {
			return err
		}
		val, at, err := d.next()
		if err != nil {
			return err
		}
		if err := member(key.(string), val, at); err != nil {
			return err
		}
	}
	_, err := d.dec.Token()
	return err
}

// array reads the items of an array, as object does members.
func (d *document) array(what string, tok json.Token, at int, item func(val json.Token, at int) error) error {
	if tok != json.Delim('[') {
		return d.fault(at, "Cannot read %s: expected an array, not %s", what, nameOf(tok))
	}
	for d.dec.More() {
		val, at, err := d.next()
		if err != nil {
			return err
		}
		if err := item(val, at); err != nil {
			return err
		}
	}
	_, err := d.dec.Token()
	return err
}

// scalar returns a value as Java reads it into a String: numbers and booleans
// keep the spelling of the document, null is nil.
func (d *document) scalar(what string, tok json.Token, at int) (*string, error) {
	var s string
	switch v := tok.(type) {
	case nil:
		return nil, nil
	case string:
		s = v
	case json.Number:
		s = v.String()
	case bool:
		s = strconv.FormatBool(v)
	default:
		return nil, d.fault(at, "Cannot read %s: expected a text, a number, true, false or null, not %s", what, nameOf(tok))
	}
	return &s, nil
}

// entries reads a flat configuration in its order. Of a key that is there
// twice the first place and the last value count, as in a Java LinkedHashMap.
// A null instead of the object gives nil.
func (d *document) entries(what string, tok json.Token, at int) (config.Entries, error) {
	if tok == nil {
		return nil, nil
	}
	all := config.Entries{}
	places := map[string]int{}
	err := d.object(what, tok, at, func(key string, val json.Token, at int) error {
		v, err := d.scalar(strconv.Quote(key), val, at)
		if err != nil {
			return err
		}
		if i, twice := places[key]; twice {
			all[i].Value = v
			return nil
		}
		places[key] = len(all)
		all = append(all, config.Entry{Key: key, Value: v})
		return nil
	})
	return all, err
}

// value reads any value: nil, bool, string, int64, float64, map[string]any or
// []any. Whole numbers beyond 64 bits stay a json.Number, which no offset may
// be, rather than being rounded.
func (d *document) value(what string, tok json.Token, at int) (any, error) {
	switch v := tok.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			if n, err := v.Int64(); err == nil {
				return n, nil
			}
			return v, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, d.fault(at, "Cannot read %s: the number %s does not fit a double", what, v)
		}
		return f, nil
	case json.Delim:
		if v == '{' {
			return d.values(what, tok, at)
		}
		items := []any{}
		err := d.array(what, tok, at, func(val json.Token, at int) error {
			x, err := d.value(what, val, at)
			items = append(items, x)
			return err
		})
		return items, err
	}
	return tok, nil
}

// values reads an object of any values; a null gives a nil map.
func (d *document) values(what string, tok json.Token, at int) (map[string]any, error) {
	if tok == nil {
		return nil, nil
	}
	m := map[string]any{}
	err := d.object(what, tok, at, func(key string, val json.Token, at int) error {
		v, err := d.value(strconv.Quote(key), val, at)
		m[key] = v
		return err
	})
	return m, err
}

func nameOf(tok json.Token) string {
	switch tok := tok.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	case json.Delim:
		if tok == '[' {
			return "an array"
		}
		return "an object"
	}
	return "a number"
}

func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		if c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// unpairedSurrogate returns where well-formed JSON escapes half a character,
// which UTF-8 cannot hold and encoding/json would silently replace (Promise 3).
func unpairedSurrogate(text []byte) int {
	unit := func(i int) uint64 {
		if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
			return 0
		}
		n, _ := strconv.ParseUint(string(text[i+2:i+6]), 16, 32)
		return n
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		switch n := unit(i); {
		case n >= 0xd800 && n < 0xdc00:
			if low := unit(i + 6); low < 0xdc00 || low > 0xdfff {
				return i
			}
			i += 11
		case n >= 0xdc00 && n <= 0xdfff:
			return i
		default:
			i++ // the escaped character
		}
	}
	return -1
}
