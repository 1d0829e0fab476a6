package converter_test

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/data/golden"
)

// seeds returns the bytes of every recorded call that reads JSON.
func seeds(f *testing.F) [][]byte {
	f.Helper()
	var all [][]byte
	for _, name := range []string{"json-to-connect", "json-schemaless"} {
		cases, err := golden.Read(filepath.Join("../../test/testdata/golden/converters", name+".jsonl"))
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range cases {
			b, err := golden.Bytes(c.Data)
			if err != nil {
				f.Fatal(err)
			}
			all = append(all, b)
		}
	}
	return all
}

// javaOnly matches what the Java worker's parser accepts and encoding/json
// does not: leading zeros.
var javaOnly = regexp.MustCompile(`(^|[^0-9.])0[0-9]`)

// FuzzJSONAgainstEncodingJSON reads plain JSON with the converter and with
// encoding/json. They accept the same texts and read the same values, apart
// from what the recordings say of the Java worker's parser.
func FuzzJSONAgainstEncodingJSON(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	c := newJSON(f, config.Map{"schemas.enable": "false", "kconnect.converter.coercion": "java"})
	f.Fuzz(func(t *testing.T, b []byte) {
		if !utf8.Valid(b) || bytes.ContainsRune(b, 0) || bytes.HasPrefix(b, []byte("\ufeff")) || len(b) > 900 || javaOnly.Match(b) {
			return // leading zeros, other encodings, invalid UTF-8 and the limits on depth and digits
		}
		_, got, err := c.Decode("", b)
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var want any
		if twin := d.Decode(&want); twin != nil {
			if err == nil && len(bytes.TrimSpace(b)) > 0 {
				t.Fatalf("read %q as %s, encoding/json says %v", b, got, twin)
			}
			return
		}
		if err != nil {
			if strings.Contains(connect.Trace(err), "after the number") || strings.Contains(connect.Trace(err), "Unrecognized token") ||
				strings.Contains(connect.Trace(err), "NumberFormatException") {
				return // 1x, truex and an exponent beyond 32 bits
			}
			t.Fatalf("refused %q: %s", b, connect.Trace(err))
		}
		if !sameJSON(got, want) {
			t.Fatalf("read %q as %s, encoding/json as %v", b, got, want)
		}
	})
}

func sameJSON(v data.Value, want any) bool {
	switch want := want.(type) {
	case nil:
		return v.IsNull()
	case bool:
		return v.Kind() == data.KindBool && v.Bool() == want
	case string:
		// encoding/json puts U+FFFD in the place of a lone surrogate.
		return v.Kind() == data.KindString && (v.Str() == want || strings.ContainsRune(want, utf8.RuneError))
	case json.Number:
		if v.Kind() == data.KindInt64 {
			d, ok := data.ParseDecimal(want)
			n, _ := d.Int64()
			return ok && n == v.Int()
		}
		f, err := want.Float64()
		return v.Kind() == data.KindFloat64 && (f == v.Float64() || err != nil && math.IsInf(v.Float64(), 0) == math.IsInf(f, 0))
	case []any:
		if v.Kind() != data.KindArray || len(v.Array()) != len(want) {
			return false
		}
		for i, e := range v.Array() {
			if !sameJSON(e, want[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		if v.Kind() != data.KindMap {
			return false
		}
		names := map[string]bool{}
		for _, e := range v.Map().Entries {
			name := strings.ToValidUTF8(e.Key.Str(), "\ufffd")
			if name != e.Key.Str() {
				return true // names that differ for us may be one for encoding/json
			}
			names[name] = true
			member, ok := want[name]
			if !ok || !sameJSON(e.Value, member) {
				return false
			}
		}
		return len(names) == len(want)
	}
	return false
}

// FuzzJSONKnownSchema holds the reader that knows the schema to the exact
// reader, which meets every schema for the first time.
func FuzzJSONKnownSchema(f *testing.F) {
	schemas := []string{
		`{"type":"struct","fields":[{"type":"int32","field":"id"},{"type":"string","optional":true,"field":"s"},{"type":"double","default":1.5,"field":"d"},` +
			`{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","field":"t"},{"type":"boolean","optional":true,"field":"b"}]}`,
		`{"type":"array","items":{"type":"int8","optional":true}}`,
		`{"type":"map","keys":{"type":"string"},"values":{"type":"struct","fields":[{"type":"bytes","optional":true,"field":"x"}]}}`,
		`{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}}`,
		`{"type":"int32","name":"org.apache.kafka.connect.data.Time"}`,
		`{"type":"float"}`, `{"type":"int16"}`, `null`,
	}
	for i := range schemas {
		for _, payload := range []string{
			`{"id":7,"s":"x","d":2,"t":5,"b":true}`, `{"s":"\u00e9","id":1}`, `{"id":1,"id":2}`, ` { "id" : 1 , "z":[]} `, `[1,null]`, `{"k":{"x":"AQ=="},"k":{}}`,
			`1.25`, `"AQ=="`, `-0.0`, `1e400`, `0E7000000000`, `007`, `null`, `{}`, `[[]]`, `"\ud800"`, `1 ,"payload":2`,
		} {
			f.Add(uint8(i), []byte(payload), true)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, payload []byte, java bool) {
		m := config.Map{"kconnect.converter.coercion": "safe"}
		if java {
			m["kconnect.converter.coercion"] = "java"
		}
		prefix := `{"schema":` + schemas[int(i)%len(schemas)] + `,"payload":`
		c := newJSON(t, m)
		_, _, _ = c.Decode("", []byte(prefix+`1}`)) // only to make the schema known
		text := append(append([]byte(prefix), payload...), '}')
		s1, v1, err1 := c.Decode("", text)
		s2, v2, err2 := newJSON(t, m).Decode("", text)
		if (err1 == nil) != (err2 == nil) || err1 != nil && connect.Trace(err1) != connect.Trace(err2) {
			t.Fatalf("%q: %v with the schema known, %v without", text, err1, err2)
		}
		if err1 == nil && (!s1.Equal(s2) || !v1.Equal(v2)) {
			t.Fatalf("%q: %s with the schema known, %s without", text, v1, v2)
		}
	})
}

// FuzzJSONRoundTrip writes a record and reads it back, with the converter and
// with encoding/json.
func FuzzJSONRoundTrip(f *testing.F) {
	f.Add("text", []byte{1, 2}, int64(-1), 1.5, true)
	f.Add("a\"\\\b\f\n\r\t\x00\x1f\x7f\u2028é😀</", []byte{}, int64(math.MinInt64), 1e23, false)
	f.Add("", []byte(nil), int64(0), math.MaxFloat64, true)
	s := data.NewStructBuilder().
		Field("a\"é😀", data.OptionalStringSchema).Field("b", data.BytesSchema).Field("i", data.Int64Schema).
		Field("d", data.Float64Schema).Field("f", data.BooleanSchema).MustBuild()
	c := newJSON(f, nil)
	f.Fuzz(func(t *testing.T, text string, b []byte, i int64, d float64, flag bool) {
		v := structOf(t, s, data.StringOf(text), data.BytesOf(b), data.Int64Of(i), data.Float64Of(d), data.BoolOf(flag))
		written, err := c.Append(nil, "", s, v)
		if !utf8.ValidString(text) {
			if err == nil {
				t.Fatalf("wrote %q, which is no UTF-8", text)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(written) {
			t.Fatalf("wrote %s", written)
		}
		_, back, err := c.Decode("", written)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return // a text in JSON, which is refused when it is read (D1)
		}
		if d == 0 {
			v.Struct().Values()[3] = data.Float64Of(0) // the sign of zero is lost, as in Java
		}
		if err != nil || !back.Equal(v) {
			t.Fatalf("wrote %s of %s and read %s, %v", written, v, back, err)
		}
	})
}
