package dialect

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTextArraysAreSplit(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string // "<null>" for a null
		err  error
	}{
		{"{}", nil, nil},
		{"{1,2}", []string{"1", "2"}, nil},
		{`{NULL,"NULL",null}`, []string{"<null>", "NULL", "null"}, nil},
		{`{"a,b","c\"d","e\\f",""}`, []string{"a,b", `c"d`, `e\f`, ""}, nil},
		{"[0:1]={7,8}", []string{"7", "8"}, nil},
		{"{{1,2},{3,4}}", nil, errDimensions},
		{`{"open`, nil, errArray},
		{`{"a"b}`, nil, errArray},
		{`{"a\`, nil, errArray},
		{"1,2", nil, errArray},
		{"", nil, errArray},
	} {
		parts, err := splitTextArray(nil, []byte(c.text))
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", c.text, err, c.err)
		}
		if d := cmp.Diff(c.want, texts(parts)); d != "" && c.err == nil {
			t.Errorf("%s (-want +got):\n%s", c.text, d)
		}
	}
}

func texts(parts [][]byte) []string {
	var all []string
	for _, p := range parts {
		if p == nil {
			all = append(all, "<null>")
			continue
		}
		all = append(all, string(p))
	}
	return all
}

func TestTextArraysOfAnyTextsAreSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.StringMatching(`[a"\\,{} ]{0,5}`), 1, 5).Draw(t, "elements")
		quoted := make([]string, len(want))
		for i, w := range want {
			quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
		}
		parts, err := splitTextArray(nil, []byte("{"+strings.Join(quoted, ",")+"}"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, texts(parts)); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
	})
}

func TestBinaryArraysAreSplit(t *testing.T) {
	words := func(n ...uint32) []byte {
		var b []byte
		for _, w := range n {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	const null = 0xffffffff
	for name, c := range map[string]struct {
		b    []byte
		want []string
		err  error
	}{
		"empty":          {words(0, 0, 23), nil, nil},
		"two and a null": {words(1, 1, 23, 3, 1, 4, 0x61626364, null, 4, 0x65666768), []string{"abcd", "<null>", "efgh"}, nil},
		"two dimensions": {words(2, 0, 23, 1, 1, 1, 1, 4, 7), nil, errDimensions},
		"cut header":     {words(1, 0), nil, errArray},
		"cut bounds":     {words(1, 0, 23, 3), nil, errArray},
		"cut element":    {words(1, 0, 23, 1, 1, 8, 7), nil, errArray},
		"cut length":     {words(1, 0, 23, 2, 1, 4, 7), nil, errArray},
	} {
		parts, err := splitBinaryArray(nil, c.b)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", name, err, c.err)
		}
		if d := cmp.Diff(c.want, texts(parts)); d != "" && c.err == nil {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
