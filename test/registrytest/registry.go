// Package registrytest is the surroundings of the converters' tests: a
// registry, and the serializers and deserializers of confluent-kafka for
// Python at its other side.
package registrytest

import (
	"bufio"
	"bytes"
	"context"
	_ "embed" // the program of the other side
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"kconnect/connect/config"
)

// Server is a registry that counts requests and can fail.
type Server struct {
	*srfake.Registry
	URL string

	mu       sync.Mutex
	requests []string
	fail     func(w http.ResponseWriter, r *http.Request) bool

	// Serialize makes a file descriptor in Base64 of the text of a .proto file,
	// for clients that ask for that form; nil leaves texts as they are.
	Serialize func(text string) (string, error)
}

// Start starts a registry that ends with the test.
func Start(t testing.TB) *Server {
	s := &Server{Registry: srfake.New()}
	front := httptest.NewServer(s)
	s.URL = front.URL
	t.Cleanup(func() {
		front.Close()
		s.Close()
	})
	return s
}

// ServeHTTP hands requests on, unless Fail said otherwise.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	fail := s.fail
	s.mu.Unlock()
	if fail != nil && fail(w, r) {
		return
	}
	if s.Serialize == nil || r.URL.Query().Get("format") != "serialized" {
		s.Handler().ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	s.Handler().ServeHTTP(answer, r)
	var body map[string]any
	if json.Unmarshal(answer.Body.Bytes(), &body) == nil {
		if text, ok := body["schema"].(string); ok {
			serialized, err := s.Serialize(text)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			body["schema"] = serialized
		}
	}
	w.WriteHeader(answer.Code)
	_ = json.NewEncoder(w).Encode(body)
}

// Fail sets what answers first; nil for nothing.
func (s *Server) Fail(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// Answer makes Fail answer every request with a status, a code and a message.
func (s *Server) Answer(status, code int, message string) {
	s.Fail(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error_code": code, "message": message})
		return true
	})
}

// Requests returns what was asked since the last call.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.requests
	s.requests = nil
	return out
}

// Settings are those of a converter that uses s, and more.
func (s *Server) Settings(more ...string) config.Map {
	m := config.Map{"schema.registry.url": s.URL}
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// Case is a record that the other side wrote.
type Case struct {
	Case    string          `json:"case"`
	Topic   string          `json:"topic"`
	Hex     string          `json:"hex"`
	Expect  json.RawMessage `json:"expect"`
	Version int             `json:"version,omitempty"`
	Schemas []Seed          `json:"schemas,omitempty"`
}

// Seed is a schema as it was registered.
type Seed struct {
	Subject    string               `json:"subject"`
	Version    int                  `json:"version"`
	ID         int                  `json:"id"`
	Type       string               `json:"type"`
	Schema     string               `json:"schema"`
	References []sr.SchemaReference `json:"references,omitempty"`
}

// Bytes are those of the record.
func (c *Case) Bytes(t testing.TB) []byte {
	b, err := hex.DecodeString(c.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

//go:embed peer.py
var peer []byte

//go:embed peer_protobuf.py
var peerProtobuf []byte

// python returns the Python of the other side: KCONNECT_TEST_PYTHON, the one
// that setup.sh made, or that of the system.
func python() string {
	if p := os.Getenv("KCONNECT_TEST_PYTHON"); p != "" {
		return p
	}
	_, here, _, _ := runtime.Caller(0)
	cache := os.Getenv("KCONNECT_CACHE")
	if cache == "" {
		cache = filepath.Join(filepath.Dir(here), "..", "..", "build")
	}
	if p := filepath.Join(cache, "python", "bin", "python3"); exec.Command(p, "--version").Run() == nil { //nolint:noctx // it answers at once
		return p
	}
	return "python3"
}

// Peer starts the other side. The test is skipped where there is no Python
// with confluent-kafka.
func Peer(t *testing.T, mode, url, format string, input []byte) [][]byte {
	python := python()
	if err := exec.CommandContext(t.Context(), python, "-c", "import confluent_kafka.schema_registry.avro, confluent_kafka.schema_registry.json_schema, confluent_kafka.schema_registry.protobuf").Run(); err != nil {
		t.Skip("no Python with confluent-kafka: run test/harness/setup.sh, or set KCONNECT_TEST_PYTHON to a python3 that has it")
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"peer.py": peer, "peer_protobuf.py": peerProtobuf} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), python, filepath.Join(dir, "peer.py"), mode, url, format)
	c.Stdin = bytes.NewReader(input)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("the Python side: %v\n%s", err, stderr.String())
	}
	var lines [][]byte
	for line := range bytes.Lines(out) {
		lines = append(lines, bytes.TrimSpace(line))
	}
	return lines
}

// Recorded returns what the Python side wrote: now, where it is there and
// KCONNECT_RECORD is set, which also stores it in testdata; otherwise as it
// is stored, with the schemas registered in s.
func (s *Server) Recorded(t *testing.T, format string) []Case {
	path := filepath.Join("testdata", "confluent-kafka-python.jsonl")
	if os.Getenv("KCONNECT_RECORD") != "" {
		cases := s.Written(t, format)
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		for _, c := range cases {
			if err := e.Encode(c); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return cases
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []Case
	seeded := map[int]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		for _, seed := range c.Schemas {
			if seeded[seed.ID] {
				continue
			}
			seeded[seed.ID] = true
			var typ sr.SchemaType
			if err := typ.UnmarshalText([]byte(seed.Type)); err != nil {
				t.Fatal(err)
			}
			s.SeedSchema(seed.Subject, seed.Version, seed.ID, sr.Schema{Schema: seed.Schema, Type: typ, References: seed.References})
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// Written returns what the Python side writes now.
func (s *Server) Written(t *testing.T, format string) []Case {
	client, err := sr.NewClient(sr.URLs(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var cases []Case
	for _, line := range Peer(t, "write", s.URL, format, nil) {
		var c Case
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		b := c.Bytes(t)
		id := int(b[1])<<24 | int(b[2])<<16 | int(b[3])<<8 | int(b[4])
		usages, err := client.SchemaUsagesByID(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		c.Version = usages[0].Version
		s.seeds(t, client, &c, usages[0])
		cases = append(cases, c)
	}
	return cases
}

func (s *Server) seeds(t *testing.T, client *sr.Client, c *Case, schema sr.SubjectSchema) {
	for _, r := range schema.References {
		referred, err := client.SchemaByVersion(context.Background(), r.Subject, r.Version)
		if err != nil {
			t.Fatal(err)
		}
		s.seeds(t, client, c, referred)
	}
	c.Schemas = append(c.Schemas, Seed{schema.Subject, schema.Version, schema.ID, schema.Type.String(), schema.Schema.Schema, schema.References})
}

// Record is a record that the other side is to read.
type Record struct {
	Topic string
	Bytes []byte
}

// Read returns what the Python side reads.
func (s *Server) Read(t *testing.T, format string, records []Record) []json.RawMessage {
	var input bytes.Buffer
	e := json.NewEncoder(&input)
	for _, r := range records {
		if err := e.Encode(map[string]string{"topic": r.Topic, "hex": hex.EncodeToString(r.Bytes)}); err != nil {
			t.Fatal(err)
		}
	}
	var values []json.RawMessage
	for _, line := range Peer(t, "read", s.URL, format, input.Bytes()) {
		var out struct{ Value json.RawMessage }
		if err := json.Unmarshal(line, &out); err != nil {
			t.Fatal(err)
		}
		values = append(values, out.Value)
	}
	if len(values) != len(records) {
		t.Fatalf("%d records were read, not %d", len(values), len(records))
	}
	return values
}
