package simpledate_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"kconnect/connect/transform/simpledate"
)

// now is the time at which testdata/java.tsv was recorded, which two-digit
// years depend on.
var now = time.Date(2026, time.November, 24, 10, 30, 0, 0, time.UTC)

// TestAnswersOfJava replays what SimpleDateFormat of Java 17 did with random
// patterns. A line has F (format) or P (parse), the pattern, the ms or text to
// work on, and the answer: = and the text or ms, or ! and the error. A
// backslash escapes itself and, as \t, a tab.
func TestAnswersOfJava(t *testing.T) {
	file, err := os.Open("testdata/java.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unescape := strings.NewReplacer(`\\`, `\`, `\t`, "\t")
	lines := 0
	for s := bufio.NewScanner(file); s.Scan(); lines++ {
		f := strings.Split(s.Text(), "\t")
		if len(f) != 4 {
			t.Fatalf("line %d has %d columns", lines+1, len(f))
		}
		if got := answer(t, f[0], unescape.Replace(f[1]), unescape.Replace(f[2])); got != f[3] {
			t.Errorf("%s %q of %q: got %s, Java says %s", f[0], f[1], f[2], got, f[3])
		}
	}
	if lines < 1000 {
		t.Errorf("only %d lines", lines)
	}
}

func answer(t *testing.T, what, pattern, arg string) string {
	t.Helper()
	f, err := simpledate.Compile(pattern, now)
	if err != nil {
		return "!" + err.Error()
	}
	if what == "F" {
		ms, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return "=" + string(f.Append(nil, ms))
	}
	if ms, ok := f.Parse(arg); ok {
		return "=" + strconv.FormatInt(ms, 10)
	}
	return "!parse"
}

func TestParsedZoneIsTheZoneOfTheNextText(t *testing.T) {
	f, err := simpledate.Compile("yyyy-MM-dd HH:mm z", now)
	if err != nil {
		t.Fatal(err)
	}
	const text = "2020-07-01 03:04 PDT"
	ms, ok := f.Parse(text)
	if got := string(f.Append(nil, ms)); !ok || got != text {
		t.Errorf("%q came back as %q", text, got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2020-01-02T03:04:05.678Z")
	f.Add("EEE, d MMM yy hh:mm a z", "Fri, 2 Jan 20 03:04 PM PST")
	f.Fuzz(func(_ *testing.T, pattern, text string) {
		if format, err := simpledate.Compile(pattern, now); err == nil {
			format.Parse(text) // must not panic
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	f, err := simpledate.Compile("yyyy-MM-dd'T'HH:mm:ss.SSS", now)
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = f.Append(dst[:0], 1577934245678)
	}
}

func BenchmarkParse(b *testing.B) {
	f, err := simpledate.Compile("yyyy-MM-dd'T'HH:mm:ss.SSS", now)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f.Parse("2020-01-02T03:04:05.678")
	}
}
