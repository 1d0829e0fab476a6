package converter_test

import (
	"encoding/json"
	"testing"

	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/data"
)

// users1 is the five-column envelope of the story: about 60 bytes of row.
func users1(t testing.TB) (*data.Schema, data.Value) {
	s := data.NewStructBuilder().Named("users1").
		Field("id", data.Int32Schema).
		Field("user_id", data.OptionalStringSchema).
		Field("pwd", data.OptionalStringSchema).
		Field("name", data.OptionalStringSchema).
		Field("created_at", data.NewTimestampBuilder().Optional().MustBuild()).
		MustBuild()
	return s, structOf(t, s, data.Int32Of(7), data.StringOf("user4"), data.StringOf("user4444"), data.StringOf("User4 name"), data.InstantOf(1680643371000))
}

// wide is an envelope of ten columns of many types, about 900 bytes.
func wide(t testing.TB) (*data.Schema, data.Value) {
	price := data.NewDecimalBuilder(2).Optional().MustBuild()
	s := data.NewStructBuilder().Named("orders").
		Field("order_id", data.Int64Schema).
		Field("customer", data.OptionalInt32Schema).
		Field("status", data.OptionalStringSchema).
		Field("address", data.OptionalStringSchema).
		Field("weight", data.OptionalFloat64Schema).
		Field("gift", data.BooleanSchema).
		Field("created_at", data.NewTimestampBuilder().MustBuild()).
		Field("price", price).
		Field("coupon", data.OptionalStringSchema).
		Field("comment", data.OptionalStringSchema).
		MustBuild()
	return s, structOf(t, s, data.Int64Of(9007199254740993), data.Int32Of(4711), data.StringOf("SHIPPED"), data.StringOf("12 Some Street"),
		data.Float64Of(12.375), data.BoolOf(true), data.InstantOf(1700000000123), data.DecimalOf(data.NewDecimal(1234567, 2)), data.Null, data.StringOf("ring twice"))
}

func structOf(t testing.TB, s *data.Schema, values ...data.Value) data.Value {
	t.Helper()
	st := data.MakeStruct(s, values)
	if err := st.Validate(); err != nil {
		t.Fatal(err)
	}
	return data.StructOf(&st)
}

// fatal is a test, benchmark, fuzz target or property.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

func newJSON(t fatal, m config.Map) *converter.JSON {
	t.Helper()
	c := &converter.JSON{}
	if err := c.Configure(m, false); err != nil {
		t.Fatal(err)
	}
	return c
}

// plainSchema and plainEnvelope are how a program without this package would
// write an envelope: the tree that encoding/json takes.
type plainSchema struct {
	Type       string            `json:"type"`
	Fields     []plainSchema     `json:"fields,omitempty"`
	Optional   bool              `json:"optional"`
	Name       string            `json:"name,omitempty"`
	Version    int               `json:"version,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Field      string            `json:"field,omitempty"`
}

type plainEnvelope struct {
	Schema  plainSchema    `json:"schema"`
	Payload map[string]any `json:"payload"`
}

func plainOf(t testing.TB, b []byte) plainEnvelope {
	t.Helper()
	var e plainEnvelope
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

var rows = []struct {
	name string
	row  func(testing.TB) (*data.Schema, data.Value)
}{{"users1", users1}, {"wide", wide}}

func BenchmarkJSONAppend(b *testing.B) {
	for _, r := range rows {
		s, v := r.row(b)
		c := newJSON(b, nil)
		text, err := c.Append(nil, "", s, v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(r.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if text, err = c.Append(text[:0], "", s, v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(r.name+"/encoding-json", func(b *testing.B) {
			e := plainOf(b, text)
			names, values := s.Fields(), make([]any, len(s.Fields()))
			for i, f := range names {
				values[i] = e.Payload[f.Name]
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				e.Payload = make(map[string]any, len(names)) // a row becomes a tree before it becomes text
				for i, f := range names {
					e.Payload[f.Name] = values[i]
				}
				if _, err := json.Marshal(e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkJSONDecode(b *testing.B) {
	for _, r := range rows {
		s, v := r.row(b)
		c := newJSON(b, nil)
		text, err := c.Append(nil, "", s, v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(r.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.Decode("", text); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(r.name+"/two-schemas-by-turns", func(b *testing.B) {
			other, err := c.Append(nil, "", data.Int32Schema, data.Int32Of(1))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.Decode("", text); err != nil {
					b.Fatal(err)
				}
				if _, _, err := c.Decode("", other); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(r.name+"/without-schema", func(b *testing.B) {
			c := newJSON(b, config.Map{"schemas.enable": "false"})
			payload, err := c.Append(nil, "", s, v)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.Decode("", payload); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(r.name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var e plainEnvelope
				if err := json.Unmarshal(text, &e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
