package registrytest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Configured returns c, which uses s and has more settings.
func Configured[C connect.Converter](t rapid.TB, s *Server, c C, more ...string) C {
	if err := c.Configure(s.Settings(more...), false); err != nil {
		t.Fatal(err)
	}
	return c
}

// Seeded starts a registry in which a schema has id 7, for values of topic t.
func Seeded(t testing.TB, typ sr.SchemaType, schema string) *Server {
	s := Start(t)
	s.SeedSchema("t-value", 1, 7, sr.Schema{Schema: schema, Type: typ})
	return s
}

// Reads tests what c makes of a record of the schema of Seeded: the value that
// want shows, or a fault of the data.
func Reads(t *testing.T, c connect.Converter, record, want, fault string) {
	t.Helper()
	schema, v, err := c.Decode("t", append([]byte{0, 0, 0, 0, 7}, record...))
	switch {
	case fault != "":
		if err == nil || !strings.Contains(connect.Trace(err), fault) || connect.KindOf(err) != connect.Data {
			t.Error(err)
		}
	case err != nil:
		t.Error(err)
	default:
		Same(t, "value", Show(schema, v), []byte(want))
	}
}

// ReadsPeer tests that a converter reads what the Python side wrote, as it is
// recorded, and as it writes now where it is there. KCONNECT_RECORD=1 records
// it anew. Each of settings is tried; see, if not nil, turns what is shown with
// them into the form of the Python side.
func ReadsPeer(t *testing.T, format string, create func() connect.Converter, settings [][]string, see func(more []string, shown []byte) []byte) {
	read := func(t *testing.T, s *Server, cases []Case) {
		if len(cases) == 0 {
			t.Fatal("nothing was written")
		}
		for _, more := range settings {
			c := Configured(t, s, create(), more...)
			for _, k := range cases {
				schema, v, err := c.Decode(k.Topic, k.Bytes(t))
				if err != nil {
					t.Errorf("%s: %v", k.Case, err)
					continue
				}
				shown, err := json.Marshal(Show(schema, v))
				if err != nil {
					t.Fatal(err)
				}
				if see != nil {
					shown = see(more, shown)
				}
				Same(t, k.Case, json.RawMessage(shown), k.Expect)
				if got, _ := schema.Version(); int(got) != k.Version {
					t.Errorf("%s: version %d, want %d", k.Case, got, k.Version)
				}
			}
		}
	}
	t.Run("recorded", func(t *testing.T) {
		s := Start(t)
		read(t, s, s.Recorded(t, format))
	})
	t.Run("now", func(t *testing.T) {
		s := Start(t)
		read(t, s, s.Written(t, format))
	})
}

// BenchmarkAppend writes v again and again.
func BenchmarkAppend(b *testing.B, c connect.Converter, s *data.Schema, v data.Value) {
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = c.Append(dst[:0], "t", s, v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode reads again and again what is written of v.
func BenchmarkDecode(b *testing.B, c connect.Converter, s *data.Schema, v data.Value) {
	record, err := c.Append(nil, "t", s, v)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Decode("t", record); err != nil {
			b.Fatal(err)
		}
	}
}
