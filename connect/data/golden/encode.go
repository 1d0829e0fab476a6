package golden

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/data"
)

// EncodeSchema returns the notation of a schema, as encoding/json would read it.
func EncodeSchema(s *data.Schema) any {
	if s == nil {
		return nil
	}
	n := map[string]any{"type": strings.ToLower(s.Type().String())}
	if s.Optional() {
		n["optional"] = true
	}
	if s.HasName() {
		n["name"] = s.Name()
	}
	if v, ok := s.Version(); ok {
		n["version"] = json.Number(strconv.Itoa(int(v)))
	}
	if d, ok := s.Doc(); ok {
		n["doc"] = d
	}
	if len(s.Params()) > 0 {
		params := []any{}
		for _, p := range s.Params() {
			params = append(params, []any{p.Key, p.Value})
		}
		n["parameters"] = params
	}
	switch s.Type() {
	case data.MapType:
		n["keySchema"] = EncodeSchema(s.Key())
		n["valueSchema"] = EncodeSchema(s.Elem())
	case data.Array:
		n["valueSchema"] = EncodeSchema(s.Elem())
	case data.StructType:
		fields := []any{}
		for _, f := range s.Fields() {
			fields = append(fields, map[string]any{"name": f.Name, "schema": EncodeSchema(f.Schema)})
		}
		n["fields"] = fields
	}
	if d, ok := s.Default(); ok {
		v := EncodeValue(d, s)
		if m, ok := v.(map[string]any); ok && d.Kind() == data.KindStruct {
			delete(m, "schema") // a default struct is written without
		}
		n["default"] = v
	}
	return n
}

// EncodeValue returns the notation of a value whose context has schema s (nil
// for none).
func EncodeValue(v data.Value, s *data.Schema) any {
	one := func(kind string, content any) any { return map[string]any{kind: content} }
	number := func(kind string) any { return one(kind, json.Number(strconv.FormatInt(v.Int(), 10))) }
	switch v.Kind() {
	case data.KindNull:
		return nil
	case data.KindBool:
		return one("boolean", v.Bool())
	case data.KindInt8:
		return number("int8")
	case data.KindInt16:
		return number("int16")
	case data.KindInt32:
		return number("int32")
	case data.KindInt64:
		return one("int64", strconv.FormatInt(v.Int(), 10))
	case data.KindFloat32:
		return one("float32", floatText(float64(v.Float32()), 32))
	case data.KindFloat64:
		return one("float64", floatText(v.Float64(), 64))
	case data.KindString:
		return one("string", v.Str())
	case data.KindBytes:
		return one("bytes", base64.StdEncoding.EncodeToString(v.Bytes()))
	case data.KindDecimal:
		return one("decimal", v.Decimal().String())
	case data.KindBigInt:
		return one("bigint", v.BigInt().String())
	case data.KindInstant:
		return one("instant", strconv.FormatInt(v.Instant(), 10))
	case data.KindObject:
		return one("java", v.JavaClass())
	case data.KindArray:
		elements := []any{}
		for _, e := range v.Array() {
			elements = append(elements, EncodeValue(e, elem(s)))
		}
		return one("array", elements)
	case data.KindMap:
		entries := []any{}
		for _, e := range v.Map().Entries {
			var keySchema *data.Schema
			if s != nil {
				keySchema = s.Key()
			}
			entries = append(entries, []any{EncodeValue(e.Key, keySchema), EncodeValue(e.Value, elem(s))})
		}
		return one("map", entries)
	case data.KindStruct:
		own := v.Struct().Schema()
		fields := []any{}
		for i, f := range own.Fields() {
			fields = append(fields, []any{f.Name, EncodeValue(v.Struct().At(i), f.Schema)})
		}
		n := map[string]any{"struct": fields}
		if !own.Equal(s) {
			n["schema"] = EncodeSchema(own)
		}
		return n
	}
	return fmt.Sprintf("unknown kind %d", v.Kind())
}

// Diff compares the notation of what a test got with what was recorded and
// returns how they differ, or "". Maps compare as sets, numbers by value,
// bytes and byte buffers are the same.
func Diff(got any, want json.RawMessage) string {
	var w any
	if len(want) > 0 {
		d := json.NewDecoder(bytes.NewReader(want))
		d.UseNumber()
		if err := d.Decode(&w); err != nil {
			return err.Error()
		}
	}
	return cmp.Diff(normal(w), normal(got))
}

// normal rewrites what may be written in several ways.
func normal(n any) any {
	switch n := n.(type) {
	case string:
		return loseSurrogates(n)
	case []any:
		out := make([]any, len(n))
		for i := range n {
			out[i] = normal(n[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(n))
		for k, v := range n {
			switch text, isText := v.(string); {
			case k == "bytebuffer":
				k = "bytes"
			case k == "float32" && isText:
				v = reparse(text, 32)
			case k == "float64" && isText:
				v = reparse(text, 64)
			}
			v = normal(v)
			if entries, ok := v.([]any); ok && k == "map" {
				slices.SortFunc(entries, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
			out[k] = v
		}
		return out
	}
	return n
}

// loseSurrogates does to lone surrogates what encoding/json did to those of
// the recording.
func loseSurrogates(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && len(s) >= 3 && s[0] == 0xed {
			size = 3
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

func reparse(s string, bits int) string {
	f, err := strconv.ParseFloat(s, bits)
	if err != nil {
		return s
	}
	return floatText(f, bits)
}

func floatText(f float64, bits int) string {
	if math.IsNaN(f) {
		return "NaN"
	}
	return strconv.FormatFloat(f, 'e', -1, bits)
}
