package config

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type propertiesLine struct {
	Charset string
	Base64  []byte
	Pairs   Map
	Error   string
}

func readRecorded(c propertiesLine) (Map, []string, error) {
	if c.Charset == "UTF-8" {
		return ReadPropertiesUTF8(bytes.NewReader(c.Base64))
	}
	return ReadProperties(bytes.NewReader(c.Base64))
}

func TestPropertiesAreReadAsInJava(t *testing.T) {
	for _, c := range recorded[propertiesLine](t, "properties.jsonl") {
		got, order, err := readRecorded(c)
		if c.Error != "" {
			if err == nil {
				t.Errorf("%s %q: %v, want the error %s", c.Charset, c.Base64, got, c.Error)
			}
			var malformed *PropertiesError
			if strings.HasPrefix(c.Error, "java.lang.IllegalArgument") && (!errors.As(err, &malformed) || !strings.HasSuffix(c.Error, malformed.Message)) {
				t.Errorf("%s %q: error %v, want %s", c.Charset, c.Base64, err, c.Error)
			}
			continue
		}
		if diff := cmp.Diff(c.Pairs, got); diff != "" || err != nil {
			t.Errorf("%s %q: error %v (-java +ours):\n%s", c.Charset, c.Base64, err, diff)
		}
		if slices.Sort(order); !slices.Equal(order, got.Keys()) {
			t.Errorf("%s %q: order has %q", c.Charset, c.Base64, order)
		}
	}
}

func TestPropertiesKeepTheOrderOfFirstOccurrence(t *testing.T) {
	m, order, err := ReadProperties(strings.NewReader("b=1\na=2\nc=3\na=4\n"))
	if err != nil || !slices.Equal(order, []string{"b", "a", "c"}) || m["a"] != "4" {
		t.Errorf("%v %q %v", m, order, err)
	}
}

func TestMalformedEscapeNamesItsLine(t *testing.T) {
	_, _, err := ReadProperties(strings.NewReader("# c\r\na=1\r\n\r\nb=x\\\r\n  \\u12g4\r\n"))
	var e *PropertiesError
	if !errors.As(err, &e) || e.Line != 4 || e.Near != `\u12g4` {
		t.Errorf("%+v", err)
	}
}

func TestTextThatIsNotUTF8NamesItsLine(t *testing.T) {
	_, _, err := ReadPropertiesUTF8(strings.NewReader("a=1\nb=\xe9\n"))
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
}

func TestLoneSurrogateBecomesTheReplacementCharacter(t *testing.T) {
	m, _, err := ReadProperties(strings.NewReader(`a=\uD83Dx\uDE00`))
	if err != nil || m["a"] != "\ufffdx\ufffd" {
		t.Errorf("%q %v", m["a"], err)
	}
}

func FuzzReadProperties(f *testing.F) {
	for _, s := range []string{"a=b", "a\\\r\n =1", "\\u0041 : \\uD83D\\uDE00", "# c\n!\\\nk\tv", "=\\", "a\\=b\\:c==d"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, order, err := ReadProperties(bytes.NewReader(b))
		if err != nil {
			return
		}
		if len(order) != len(m) {
			t.Fatalf("%d keys, %d in order", len(m), len(order))
		}
		// What was read and is written in the simplest way reads the same.
		var text strings.Builder
		for _, k := range order {
			text.WriteString(escapeAll(k) + "=" + escapeAll(m[k]) + "\n")
		}
		again, _, err := ReadPropertiesUTF8(strings.NewReader(text.String()))
		if diff := cmp.Diff(m, again); err != nil || diff != "" {
			t.Fatalf("%v %s", err, diff)
		}
	})
}

func escapeAll(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\f':
			b.WriteString(`\f`)
		case strings.ContainsRune(` =:#!\`, r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
