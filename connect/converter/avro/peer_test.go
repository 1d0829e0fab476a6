package avro

import (
	"testing"

	"kconnect/test/registrytest"
)

// TestReadsWhatPythonWrote replays what AvroSerializer of confluent-kafka for
// Python wrote; KCONNECT_RECORD=1 writes it anew.
func TestReadsWhatPythonWrote(t *testing.T) {
	s := registrytest.Start(t)
	cases := s.Recorded(t, "avro")
	if len(cases) == 0 {
		t.Fatal("nothing is recorded")
	}
	readAll(t, s, cases)
}

func TestReadsWhatPythonWritesNow(t *testing.T) {
	s := registrytest.Start(t)
	readAll(t, s, s.Written(t, "avro"))
}

func readAll(t *testing.T, s *registrytest.Server, cases []registrytest.Case) {
	for _, more := range [][]string{nil, {"enhanced.avro.schema.support", "true"}, {"generalized.sum.type.support", "true"}, {"connect.meta.data", "false"}} {
		var c Converter
		if err := c.Configure(s.Settings(more...), false); err != nil {
			t.Fatal(err)
		}
		for _, k := range cases {
			schema, v, err := c.Decode(k.Topic, k.Bytes(t))
			if err != nil {
				t.Errorf("%s: %v", k.Case, err)
				continue
			}
			registrytest.Same(t, k.Case, registrytest.Show(schema, v), k.Expect)
			if got, _ := schema.Version(); int(got) != k.Version {
				t.Errorf("%s: version %d, want %d", k.Case, got, k.Version)
			}
		}
	}
}
