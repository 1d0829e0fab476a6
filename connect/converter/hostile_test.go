package converter_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
)

const (
	manyLevels = 1_000_000
	manyDigits = 50 << 20
)

// envelopeOf is an envelope with a payload of one type.
func envelopeOf(schema, payload string) string {
	return `{"schema":` + schema + `,"payload":` + payload + `}`
}

// TestJSONHostileTextIsAnErrorOfBoundedCost: whoever may produce to a topic
// can send these. Reading costs no more memory than a few times the text, and
// what is said about it is short.
func TestJSONHostileTextIsAnErrorOfBoundedCost(t *testing.T) {
	deep := strings.Repeat("[", manyLevels)
	deepObject := strings.Repeat(`{"a":`, manyLevels)
	deepSchema := strings.Repeat(`{"type":"array","items":`, manyLevels)
	digits := strings.Repeat("7", manyDigits)
	decimal := `{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}`
	for _, c := range []struct{ name, text, says string }{
		{"lists", envelopeOf("null", deep), "deeper than 1000"},
		{"objects", envelopeOf("null", deepObject), "deeper than 1000"},
		{"payload before schema", `{"payload":` + deep, "deeper than 1000"},
		{"schemas", envelopeOf(deepSchema, "1"), "deeper than 1000"},
		{"known type", envelopeOf(`{"type":"int32"}`, deep), "deeper than 1000"},
		{"number", envelopeOf("null", digits), "longer than 1000 digits"},
		{"int64", envelopeOf(`{"type":"int64"}`, digits), "longer than 1000 digits"},
		{"decimal", envelopeOf(decimal, "0."+digits), "longer than 1000 digits"},
		{"version", envelopeOf(`{"type":"int32","version":`+digits+`}`, "1"), "longer than 1000 digits"},
		{"exponent", envelopeOf("null", "1e"+digits), "longer than 1000 digits"},
		{"int64 with a large exponent", envelopeOf(`{"type":"int64"}`, "1e999999999"), ""},
		{"text where a number belongs", envelopeOf(`{"type":"int32"}`, `"`+digits+`"`), ""},
		{"word", strings.Repeat("x", 1<<20), ""},
		{"invalid UTF-8", envelopeOf(`{"type":"string"}`, "\"a\xff\xfe\""), "Invalid UTF-8"},
		{"invalid UTF-8 in a name", "{\"sch\xffema\":null}", ""},
		{"half a character", envelopeOf(`{"type":"string"}`, "\"\xe2\x82\""), "Invalid UTF-8"},
		{"no end", `{"schema":null,"payload":"` + strings.Repeat("a", 1<<20), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := []byte(c.text)
			j := newJSON(t, nil)
			var err error
			allocated := allocatedBytes(func() { _, _, err = j.Decode("t", b) })
			if err == nil {
				t.Fatal("it was read")
			}
			if k := connect.KindOf(err); k == connect.Retriable {
				t.Errorf("it would be tried again: %v", k)
			}
			trace := connect.Trace(err)
			if len(trace) > 4096 || !strings.Contains(trace, c.says) {
				t.Errorf("%d characters of error: %.300s", len(trace), trace)
			}
			if limit := uint64(8*len(b) + 1<<20); allocated > limit {
				t.Errorf("%d bytes were allocated for %d bytes", allocated, len(b))
			}
		})
	}
}

// TestJSONDecimalsOfHugeExponentsCostNothing: Java reads them, and so they are
// read; nowhere may they become their thousand million digits.
func TestJSONDecimalsOfHugeExponentsCostNothing(t *testing.T) {
	const decimal = `{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}`
	for _, number := range []string{"1e999999999", "1e-999999999", "-7E2147483647"} {
		for _, format := range []string{"BASE64", "NUMERIC"} {
			j := newJSON(t, config.Map{"decimal.format": format})
			allocated := allocatedBytes(func() {
				s, v, err := j.Decode("t", []byte(envelopeOf(decimal, number)))
				if err == nil {
					_, err = j.Append(nil, "t", s, v)
				}
				if err != nil && len(connect.Trace(err)) > 4096 {
					t.Errorf("%d characters of error", len(connect.Trace(err)))
				}
			})
			if allocated > 1<<20 {
				t.Errorf("%s as %s: %d bytes were allocated", number, format, allocated)
			}
		}
	}
}

func TestJSONReadsAndWritesAThousandLevels(t *testing.T) {
	text := strings.Repeat("[", 998) + strings.Repeat("]", 998)
	j := newJSON(t, nil)
	s, v, err := j.Decode("t", []byte(envelopeOf("null", text)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := j.Append(nil, "t", s, v)
	if err != nil || string(b) != envelopeOf("null", text) {
		t.Errorf("%v: %.100s", err, b)
	}
}

func TestHostileHeadersCostBoundedMemory(t *testing.T) {
	for _, text := range []string{strings.Repeat("[", manyLevels), strings.Repeat(`{"a":`, manyLevels), strings.Repeat("7", 1<<20), "1e999999999", "\xff\xfe[1,"} {
		h := &converter.SimpleHeader{}
		if err := h.Configure(nil, false); err != nil {
			t.Fatal(err)
		}
		b := []byte(text)
		var err error
		allocated := allocatedBytes(func() { _, _, err = h.DecodeHeader("t", "h", b) })
		if limit := uint64(64*len(b) + 1<<20); allocated > limit {
			t.Errorf("%.10s: %d bytes were allocated for %d bytes", text, allocated, len(b))
		}
		if err != nil && len(connect.Trace(err)) > 4096 {
			t.Errorf("%.10s: %d characters of error", text, len(connect.Trace(err)))
		}
	}
}

// TestJSONForgetsSchemas: records of ever new schemas leave no more memory in
// use than schemas.cache.size of them, in both directions (Promise 6). With SOAK
// set they are a million.
func TestJSONForgetsSchemas(t *testing.T) {
	distinct := 200_000
	if cmp.Or(os.Getenv("SOAK"), "0s") != "0s" {
		distinct = 1_000_000
	}
	j := newJSON(t, nil)
	one := func(i int) {
		// As a topic would have them: the schema's version counts up.
		b := fmt.Appendf(nil, `{"schema":{"type":"int32","version":%d},"payload":1}`, i)
		s, v, err := j.Decode("t", b)
		if err != nil {
			t.Fatal(err)
		}
		if version, _ := s.Version(); version != int32(i) {
			t.Fatalf("version %d was read as %d", i, version)
		}
		if i%16 == 0 {
			out, err := j.Append(nil, "t", s, v)
			if err != nil || !bytes.Contains(out, fmt.Appendf(nil, `"version":%d}`, i)) {
				t.Fatalf("%v: %s", err, out)
			}
		}
	}
	for i := range 20_000 { // both memories are full
		one(i)
	}
	before := liveBytes()
	for i := range distinct {
		one(20_000 + i)
	}
	if grown := int64(liveBytes()) - int64(before); grown > 4<<20 {
		t.Errorf("%d bytes more are in use after %d schemas", grown, distinct)
	}
	runtime.KeepAlive(j)
}

// allocatedBytes counts what f allocates; tests of this package run one by one.
func allocatedBytes(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func liveBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
