package avro

import (
	"bytes"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect/converter/registry"
	"kconnect/connect/data"
	"kconnect/test/registrytest"
)

// fuzzSchemas are those whose bytes FuzzDecode makes up.
var fuzzSchemas = []string{
	`"string"`,
	`{"type":"array","items":{"type":"array","items":{"type":"fixed","name":"Z","size":0}}}`,
	`{"type":"map","values":["null","string",{"type":"record","name":"R","fields":[]},{"type":"array","items":"R"}]}`,
	`{"type":"record","name":"A","fields":[{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}},{"name":"t","type":{"type":"int","logicalType":"time-millis"}},{"name":"e","type":{"type":"enum","name":"E","symbols":["X"]}},{"name":"l","type":{"type":"array","items":"double"}}]}`,
	`{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"value","type":"long"},{"name":"key","type":"string"}]}}`,
	string(appendSchema(nil, anything())),
}

// FuzzDecode holds Promise 6: bytes never make the reader panic, nor take
// more memory than a multiple of their number. What it accepts is written and
// read again as the same value.
func FuzzDecode(f *testing.F) {
	for i := range fuzzSchemas {
		f.Add(i, []byte{2, 'x', 0})
		f.Add(i, []byte{0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3})
		f.Add(i, []byte{1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	}
	c := settings{meta: true, flatten: true}
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		n, err := parseSchema(fuzzSchemas[uint(which)%uint(len(fuzzSchemas))], nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.toConnect(n, 1)
		if err != nil {
			t.Fatal(err)
		}
		d, err := c.decoderOf(s, n)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := reader{b: b, memory: &memory{}}
		v, err := d.read(&r)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(len(b))*400+200*maxEmpty+1<<20 {
			t.Fatalf("%d bytes took %d bytes of memory", len(b), used)
		}
		if err != nil {
			return
		}
		e, err := c.encoderOf(s, n)
		if err != nil {
			t.Fatal(err)
		}
		again, err := e.append(nil, v)
		if err != nil {
			return // a null in a list that its Connect schema does not allow, say
		}
		w, err := d.read(&reader{b: again, memory: &memory{}})
		if err != nil || !w.Equal(v) {
			t.Fatalf("% x became % x: %v", b, again, err)
		}
	})
}

// FuzzSchema reads any text as a schema, and what is one, as a Connect schema.
func FuzzSchema(f *testing.F) {
	for _, s := range fuzzSchemas {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"type":"record","name":"A","fields":[{"name":"a","type":"A","default":{}}]}`))
	f.Add([]byte(`{"type":"record","name":"A","fields":[{"name":"a","type":[{"type":"map","values":"A"},"null"],"default":{"x":{}}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := parseSchema(string(text), nil)
		if err != nil {
			return
		}
		for _, c := range []settings{{meta: true, flatten: true}, {generalized: true}, {enhanced: true, discard: true, meta: true}} {
			s, err := c.toConnect(n, 3)
			if err != nil {
				continue
			}
			if _, err := c.decoderOf(s, n); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			back, err := c.fromConnect(s)
			if err != nil {
				continue
			}
			if e, err := c.encoderOf(s, back); err == nil {
				_, _ = e.append(nil, data.Null) // any answer but a panic
			}
		}
		again, err := parseSchema(string(appendSchema(nil, n)), nil)
		if err != nil || !bytes.Equal(appendSchema(nil, again), appendSchema(nil, n)) {
			t.Fatalf("%s became %s: %v", text, appendSchema(nil, n), err)
		}
	})
}

// FuzzRoundTrip draws schemas and values from the fuzzer's bytes.
func FuzzRoundTrip(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		c := settings{meta: true, flatten: true}
		g := registrytest.Generator{Metadata: true}
		s := g.Schema(t)
		v := g.Value(t, s)
		n, err := c.fromConnect(s)
		if err != nil {
			t.Fatal(err)
		}
		e, err := c.encoderOf(s, n)
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.append(registry.AppendPrefix(nil, 1), v)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parseSchema(string(appendSchema(nil, n)), nil)
		if err != nil {
			t.Fatal(err)
		}
		read, err := c.toConnect(parsed, 1)
		if err != nil || !read.Equal(s) {
			t.Fatalf("%s: %v", appendSchema(nil, n), err)
		}
		d, err := c.decoderOf(read, parsed)
		if err != nil {
			t.Fatal(err)
		}
		r := reader{b: b[registry.PrefixLength:], memory: &memory{}}
		if w, err := d.read(&r); err != nil || !w.Equal(expected(s, v)) || r.pos != len(r.b) {
			t.Fatalf("%s: %v", appendSchema(nil, n), err)
		}
	}))
}
