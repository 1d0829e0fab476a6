package main

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/worker"
)

const referencePage = "../../docs/configuration.md"

// TestTheReferenceIsWhatTheTablesSay compares docs/configuration.md with the
// definitions; `make docs` writes it.
func TestTheReferenceIsWhatTheTablesSay(t *testing.T) {
	isWritten(t, referencePage, reference(t))
}

func isWritten(t *testing.T, path string, page []byte) {
	t.Helper()
	if os.Getenv("KCONNECT_WRITE_DOCS") != "" {
		if err := os.WriteFile(path, page, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	there, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(there, page) {
		t.Errorf("%s is not what the definitions say: run `make docs`", path)
	}
}

func reference(t *testing.T) []byte {
	t.Helper()
	registry, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("# Configuration reference\n\nMade from the definitions in the code by `make docs`; do not edit.\n" +
		"Converters, transformations, predicates and config providers are in [plugins.md](plugins.md).\n")
	section := func(title string, def *config.Def) {
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		if len(def.Keys()) == 0 {
			b.WriteString("No settings.\n")
			return
		}
		if err := def.Markdown(&b); err != nil {
			t.Fatal(err)
		}
	}
	section("Worker", worker.Def)
	section("Worker in standalone mode", worker.StandaloneDef)
	section("Every source connector", config.ConnectorDef(config.Source))
	section("Every sink connector", config.ConnectorDef(config.Sink))
	for _, p := range registry.All() {
		if p.Kind != connect.SourcePlugin && p.Kind != connect.SinkPlugin {
			continue // docs/plugins.md has them
		}
		section(p.Class, p.Def)
		if p.Own != nil {
			b.WriteString("\nBeyond the Java connector (a validate answer shows those that are set):\n\n")
			if err := p.Own.Markdown(&b); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.Bytes()
}
