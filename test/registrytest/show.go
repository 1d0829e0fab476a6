package registrytest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"kconnect/connect/data"
)

// Show returns v in the form of the Python side: as JSON, bytes as 0x...,
// decimals as text, dates and times in ISO form. A union is its value.
func Show(s *data.Schema, v data.Value) any {
	switch v.Kind() {
	case data.KindBool:
		return v.Bool()
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return json.Number(fmt.Sprint(v.Int()))
	case data.KindFloat32:
		return number(float64(v.Float32()))
	case data.KindFloat64:
		return number(v.Float64())
	case data.KindString:
		return v.Str()
	case data.KindBytes:
		return "0x" + hex.EncodeToString(v.Bytes())
	case data.KindDecimal:
		return v.Decimal().String()
	case data.KindInstant:
		at := time.UnixMilli(v.Instant()).UTC()
		switch s.Logical() {
		case data.LogicalDate:
			return at.Format("2006-01-02")
		case data.LogicalTime:
			return at.Format("15:04:05.000")
		}
		return at.Format("2006-01-02T15:04:05.000Z")
	case data.KindArray:
		list := []any{}
		for _, e := range v.Array() {
			list = append(list, Show(elemOf(s), e))
		}
		return list
	case data.KindMap:
		m := map[string]any{}
		for _, e := range v.Map().Entries {
			m[fmt.Sprint(Show(nil, e.Key))] = Show(elemOf(s), e.Value)
		}
		return m
	case data.KindStruct:
		return showStruct(v.Struct())
	}
	return nil
}

func elemOf(s *data.Schema) *data.Schema {
	if s == nil {
		return nil
	}
	return s.Elem()
}

func showStruct(st *data.Struct) any {
	s := st.Schema()
	_, general := s.Param("org.apache.kafka.connect.data.Union")
	m := map[string]any{}
	for i, f := range s.Fields() {
		v := Show(f.Schema, st.At(i))
		if v != nil && (general || s.Name() == "io.confluent.connect.avro.Union" || s.Name() == "io.confluent.connect.json.OneOf") {
			return v
		}
		m[f.Name] = v
	}
	return m
}

func number(f float64) any {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	b, _ := json.Marshal(f) // a finite number
	return json.Number(b)
}

// Same fails the test when two values in JSON differ. Numbers are compared
// as numbers.
func Same(t testing.TB, what string, got any, want []byte) {
	t.Helper()
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var a, c any
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &c); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, c) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, b, want)
	}
}
