package converter_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/data"
)

func TestJSONLossyConversionNamesFieldValueAndType(t *testing.T) {
	const schema = `{"type":"struct","fields":[{"type":"int8","optional":true,"field":"small"},{"type":"string","optional":true,"field":"text"},` +
		`{"type":"array","optional":true,"items":{"type":"struct","fields":[{"type":"float","field":"x"}]},"field":"list"}]}`
	for _, test := range []struct{ payload, want string }{
		{`{"small":300}`, `Value 300 of field "small" does not fit type INT8`},
		{`{"small":1.5}`, `Value 1.5 of field "small" does not fit type INT8`},
		{`{"small":"5"}`, `Value "5" of field "small" does not fit type INT8`},
		{`{"text":5}`, `Value 5 of field "text" does not fit type STRING`},
		{`{"list":[{"x":1},{"x":1e99}]}`, `Value 1E+99 of field "list[1].x" does not fit type FLOAT32`},
		{`{"list":{"x":{"x":1}}}`, `Value that is a JSON object of field "list" does not fit type ARRAY`},
	} {
		c := newJSON(t, nil)
		_, _, err := c.Decode("", []byte(`{"schema":`+schema+`,"payload":`+test.payload+`}`))
		if err == nil || !strings.Contains(err.Error(), test.want) || connect.KindOf(err) != connect.Data {
			t.Errorf("%s: %v; want a data error with %s", test.payload, err, test.want)
		}
	}
}

func TestJSONLosslessConversionPasses(t *testing.T) {
	c := newJSON(t, nil)
	for payload, want := range map[string]data.Value{
		`5.0`: data.Int32Of(5), `1e3`: data.Int32Of(1000), `0.5e1`: data.Int32Of(5), `-0`: data.Int32Of(0), `007`: data.Int32Of(7),
	} {
		_, v, err := c.Decode("", []byte(`{"schema":{"type":"int32"},"payload":`+payload+`}`))
		if err != nil || !v.Equal(want) {
			t.Errorf("%s: %s, %v; want %s", payload, v, err, want)
		}
	}
}

func TestJSONEqualSchemaBytesGiveTheSameSchema(t *testing.T) {
	c := newJSON(t, nil)
	a := `{"schema":{"type":"struct","fields":[{"field":"a","type":"int32"}]},"payload":{"a":1}}`
	b := `{"schema":{"type":"int32"},"payload":1}`
	backwards := `{"payload":{"a":1},"schema":{"type":"struct","fields":[{"field":"a","type":"int32"}]}}`
	first := map[int]*data.Schema{}
	for range 3 {
		for i, text := range []string{a, b, a + " ", strings.ReplaceAll(a, `,"payload":`, ` , "payload" : `), backwards} {
			s, _, err := c.Decode("", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if i != 1 {
				i = 0
			}
			if first[i] == nil {
				first[i] = s
			}
			if s != first[i] {
				t.Errorf("%s: another schema than before", text)
			}
		}
	}
}

func TestJSONSchemaDoesNotReferToTheRecord(t *testing.T) {
	c := newJSON(t, nil)
	text := []byte(`{"schema":{"type":"struct","name":"n","doc":"d","parameters":{"p":"q"},"fields":[{"field":"a","type":"string","default":"x"}]},"payload":{}}`)
	before, _, err := c.Decode("", bytes.Clone(text))
	if err != nil {
		t.Fatal(err)
	}
	record := bytes.Clone(text)
	c = newJSON(t, nil)
	s, _, err := c.Decode("", record)
	if err != nil {
		t.Fatal(err)
	}
	for i := range record {
		record[i] = '#'
	}
	if !s.Equal(before) {
		t.Error("the schema changed with the bytes it was read from")
	}
	if again, _, err := c.Decode("", text); err != nil || again != s {
		t.Errorf("the schema is not remembered any more: %v", err)
	}
}

func TestJSONReadsWithAnyCacheSize(t *testing.T) {
	for _, size := range []string{"-1", "0", "1", "3"} {
		c := newJSON(t, config.Map{"schemas.cache.size": size})
		for i := range 20 {
			name := strconv.Itoa(i % 7)
			s := data.NewBuilder(data.Int32).Named(name).MustBuild()
			b, err := c.Append(nil, "", s, data.Int32Of(int32(i)))
			if err != nil {
				t.Fatal(err)
			}
			read, v, err := c.Decode("", b)
			if err != nil || !read.Equal(s) || v.Int() != int64(i) {
				t.Errorf("size %s: wrote %s, read %s of %s, %v", size, b, v, read, err)
			}
		}
	}
}

func TestJSONAppendKeepsWhatIsThere(t *testing.T) {
	c := newJSON(t, nil)
	s, v := users1(t)
	b, err := c.Append([]byte("before "), "", s, v)
	if err != nil || !bytes.HasPrefix(b, []byte(`before {"schema":`)) {
		t.Errorf("%s, %v", b, err)
	}
	if b, err := c.Append([]byte("before"), "", nil, data.Null); b != nil || err != nil {
		t.Errorf("a tombstone gave %q, %v", b, err)
	}
}

func TestJSONAppendsRowsWithoutAllocating(t *testing.T) {
	for _, r := range rows {
		s, v := r.row(t)
		c := newJSON(t, nil)
		dst := make([]byte, 0, 4096)
		allocations := testing.AllocsPerRun(100, func() {
			var err error
			if dst, err = c.Append(dst[:0], "", s, v); err != nil {
				t.Fatal(err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations a row", r.name, allocations)
		}
		decoded := testing.AllocsPerRun(1000, func() {
			if _, _, err := c.Decode("", dst); err != nil {
				t.Fatal(err)
			}
		})
		if decoded != 0 { // a chunk for hundreds of rows counts as none
			t.Errorf("%s: %v allocations a row when reading", r.name, decoded)
		}
	}
}

func TestJSONRefusesUnknownCoercion(t *testing.T) {
	for _, key := range []string{"kconnect.converter.coercion", "kconnect.compatibility"} {
		err := new(converter.JSON).Configure(config.Map{key: "jawa"}, false)
		if connect.ClassOf(err) != connect.ClassConfig || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// leaf draws a schema without parts and a value of it.
func leaf(t *rapid.T) (*data.Builder, data.Value) {
	switch rapid.IntRange(0, 12).Draw(t, "type") {
	case 0:
		return data.NewBuilder(data.Int8), data.Int8Of(rapid.Int8().Draw(t, "int8"))
	case 1:
		return data.NewBuilder(data.Int16), data.Int16Of(rapid.Int16().Draw(t, "int16"))
	case 2:
		return data.NewBuilder(data.Int32), data.Int32Of(rapid.Int32().Draw(t, "int32"))
	case 3:
		return data.NewBuilder(data.Int64), data.Int64Of(rapid.Int64().Draw(t, "int64"))
	case 4:
		return data.NewBuilder(data.Float32), data.Float32Of(rapid.Float32().Draw(t, "float32") + 0)
	case 5:
		return data.NewBuilder(data.Float64), data.Float64Of(rapid.Float64().Draw(t, "float64") + 0)
	case 6:
		return data.NewBuilder(data.Boolean), data.BoolOf(rapid.Bool().Draw(t, "bool"))
	case 7:
		return data.NewBuilder(data.Bytes), data.BytesOf(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	case 8:
		return data.NewDecimalBuilder(3), data.DecimalOf(data.NewDecimal(rapid.Int64().Draw(t, "unscaled"), 3))
	case 9:
		return data.NewDateBuilder(), data.InstantOf(data.InstantFromDate(rapid.Int32().Draw(t, "days")))
	case 10:
		return data.NewTimeBuilder(), data.InstantOf(rapid.Int64Range(0, 86400000).Draw(t, "time"))
	case 11:
		return data.NewTimestampBuilder(), data.InstantOf(rapid.Int64().Draw(t, "ms"))
	}
	return data.NewBuilder(data.String), data.StringOf(rapid.String().Draw(t, "string"))
}

// anything draws a schema with up to depth levels of parts and a value of it.
func anything(t *rapid.T, depth int) (*data.Schema, data.Value) {
	b, v := leaf(t)
	if depth > 0 {
		switch rapid.IntRange(0, 3).Draw(t, "parts") {
		case 0:
			s, e := anything(t, depth-1)
			b, v = data.NewBuilder(data.Array).Items(s), data.ArrayOf([]data.Value{e, e})
		case 1:
			s, e := anything(t, depth-1)
			m := &data.Map{}
			m.Put(rapid.String().Draw(t, "key"), e)
			b, v = data.NewBuilder(data.MapType).Keys(data.StringSchema).Items(s), data.MapOf(m)
		case 2:
			b = data.NewStructBuilder()
			var values []data.Value
			for i := range rapid.IntRange(0, 20).Draw(t, "fields") {
				s, e := anything(t, depth-1)
				b.Field("f"+strconv.Itoa(i), s)
				values = append(values, e)
			}
			st := data.MakeStruct(b.MustBuild(), values)
			v = data.StructOf(&st)
		}
	}
	if rapid.Bool().Draw(t, "named") && v.Kind() != data.KindStruct && v.Kind() != data.KindDecimal && v.Kind() != data.KindInstant {
		b.Named(rapid.String().Draw(t, "name")).Version(rapid.Int32().Draw(t, "version")).Doc(rapid.String().Draw(t, "doc")).Param("k", "v")
	}
	if v.Kind() != data.KindStruct && rapid.Bool().Draw(t, "default") {
		b.Default(v)
	}
	if v.Kind() != data.KindStruct && rapid.Bool().Draw(t, "optional") {
		b.Optional()
	}
	return b.MustBuild(), v
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newJSON(t, config.Map{"decimal.format": rapid.SampledFrom([]string{"BASE64", "NUMERIC"}).Draw(t, "format")})
		s, v := anything(t, 2)
		b, err := c.Append(nil, "", s, v)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time with the schema known
			read, back, err := c.Decode("", b)
			if err != nil || !read.Equal(s) || !back.Equal(v) {
				t.Fatalf("wrote %s of %s, read %s of %s, %v", v, s, back, read, err)
			}
		}
	})
}
