package plugin

import (
	"testing"

	"pgregory.net/rapid"
)

// The ranges and what the Java worker, whose classes have version 4.2.0, made
// of them: the empty text for one that it found, or its words.
func TestRangesAreReadAsInJava(t *testing.T) {
	const none = "no version"
	for _, c := range []struct{ spec, want, text string }{
		{"4.2.0", "", "[4.2.0,4.2.0]"},
		{"4.2", "", "[4.2,4.2]"},
		{"[4.2.0.0]", "", "[4.2.0.0,4.2.0.0]"},
		{"[4.2.0-0]", "", "[4.2.0-0,4.2.0-0]"},
		{" 4.2.0 ", "", "[4.2.0,4.2.0]"},
		{"(,4.2.0)", none, "(,4.2.0)"},
		{"(,4.2.0]", "", "(,4.2.0]"},
		{"[4.2,4.3)", "", "[4.2,4.3)"},
		{"[1,2],[4,5]", "", "[1,2],[4,5]"},
		{"[1,2], [4,5]", "", "[1,2],[4,5]"},
		{"[1,2)(3,5)", "", "[1,2),(3,5)"},
		{"[1,2],[3,4]", none, "[1,2],[3,4]"},
		{"4.2.0,5", "", "[4.2.0,5]"},
		{",", "", "[,]"},
		{"(,)", "", "(,)"},
		{"", none, "[,]"},
		{"[]", none, "[,]"},
		{"[ 4.2.0 , 5 ]", "", "[4.2.0,5]"},
		{"[4.2-SNAPSHOT,4.2.0]", "", "[4.2-SNAPSHOT,4.2.0]"},
		{"[4.2.0-alpha,5)", "", "[4.2.0-alpha,5)"},
		{"[4.2.0-rc1]", none, "[4.2.0-rc1,4.2.0-rc1]"},
		{"[4.2.0-1,5]", none, "[4.2.0-1,5]"},
		{"[4.2.0.x,5]", none, "[4.2.0.x,5]"},
		{"[4.2.0-a,4.2.0-b]", none, "[4.2.0-a,4.2.0-b]"},
		{"[a,b]", none, "[a,b]"},
		{"undefined", none, "[undefined,undefined]"},
		{"junk[", none, "[junk[,junk[]"},
		{"[4.2.0", "Unbounded range: [4.2.0", ""},
		{"[", "Unbounded range: [", ""},
		{"[4,", "Unbounded range: [4,", ""},
		{"[5,4]", "Range defies version ordering: [5,4]", ""},
		{"5,[4,5)", "Range defies version ordering: [5,[4,5)", ""},
		{"[4.2.0,4.2.0)", "Range defies version ordering: [4.2.0,4.2.0)", ""},
		{"(4.2.0)", "Single version must be surrounded by []: (4.2.0)", ""},
		{"[4.2.0]x", "Only fully-qualified sets allowed in multiple set scenario: [4.2.0]x", ""},
		{"[1,3],[2,5]", "Ranges overlap: [1,3],[2,5]", ""},
	} {
		r, err := parseRange(c.spec)
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case !r.contains("4.2.0"):
			got = none
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.spec, got, c.want)
		}
		if err == nil && r.String() != c.text {
			t.Errorf("%q is shown as %s, want %s", c.spec, r, c.text)
		}
	}
	if r, err := parseRange("latest"); r != nil || err != nil {
		t.Errorf("latest: %v, %v", r, err)
	}
}

func TestVersionsAreInOrder(t *testing.T) {
	order := []string{"1-alpha", "1-beta-2", "1-m3", "1-rc1", "1-rc2", "1-SNAPSHOT", "1.0", "1-sp", "1-x", "1.1", "1.10", "2"}
	for i, a := range order {
		for j, b := range order {
			if c := compareVersions(a, b); c < 0 != (i < j) || c > 0 != (i > j) {
				t.Errorf("%s and %s compare as %d", a, b, c)
			}
		}
	}
	for _, same := range [][2]string{{"1", "1.0.0"}, {"1.0-final", "1"}, {"1.RC1", "1-cr-1"}, {"10.10.0", "10.10"}} {
		if compareVersions(same[0], same[1]) != 0 {
			t.Errorf("%s is not %s", same[0], same[1])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.StringMatching(`[0-9a-c]{0,2}([.\-][0-9a-c]{0,2}){0,3}`)
		a, b := version.Draw(t, "a"), version.Draw(t, "b")
		if compareVersions(a, b) != -compareVersions(b, a) {
			t.Errorf("%q and %q have no order", a, b)
		}
		if compareVersions(a, a) != 0 {
			t.Errorf("%q is not itself", a)
		}
	})
}
