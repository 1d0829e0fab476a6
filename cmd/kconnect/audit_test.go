package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kconnect/connect/config"
	"kconnect/connect/kafkaconf"
	"kconnect/connect/worker"
)

// harmless are keys of a worker that nothing here reads, and why that is right.
var harmless = map[string]string{
	"plugin.discovery":                "plugins are part of the program and need no discovery",
	"header.converter.plugin.version": "there is one version of each plugin; connectors' own are validated",
	"key.converter.plugin.version":    "there is one version of each plugin; connectors' own are validated",
	"value.converter.plugin.version":  "there is one version of each plugin; connectors' own are validated",
	"metrics.recording.level":         "counting costs nothing that it could save: all is counted",
}

// TestEveryKeyOfAWorkerIsHonouredRefusedOrKnownToBeHarmless goes through the definition: a key is one of the worker's own
// Kafka clients, or stands in the code, or is in the table above.
func TestEveryKeyOfAWorkerIsHonouredRefusedOrKnownToBeHarmless(t *testing.T) {
	literal := regexp.MustCompile(`"([a-z][a-z0-9]*(?:\.[a-z0-9]+)*)"`)
	read := make(map[string]bool)
	for _, top := range []string{"../../cmd", "../../connect", "../../rest"} {
		err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			name := entry.Name()
			if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "def") || filepath.Base(filepath.Dir(path)) == "kafkaconf" {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range literal.FindAllSubmatch(text, -1) {
				read[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range worker.Def.Keys() {
		ofClient := len(kafkaconf.Unknown(kafkaconf.CommonClient, config.Map{k.Name: "x"})) == 0
		if _, ok := harmless[k.Name]; !ok && !ofClient && !read[k.Name] {
			t.Errorf("%s: nothing reads it, and nothing says why", k.Name)
		}
		if k.Doc == "" {
			t.Errorf("%s has no description", k.Name)
		}
	}
	for name := range harmless {
		if _, known := worker.Def.Lookup(name); !known {
			t.Errorf("%s is no key of a worker", name)
		}
	}
}

func TestUnknownKeysAreNamedInOneLineForEachKind(t *testing.T) {
	m, v := settings(t, "zebra", "1", "giraffe", "2", "producer.zebra", "s3cr3t", "producer.acks", "1", "producer.bach.size", "3", "consumer.fetch.min.byte", "1",
		"admin.retries", "3", "ssl.keymanager.algorithm", "x", "config.storage.min.insync.replicas", "1", "producer.linger.ms", "99999999", "value.converter.x", "y")
	core, logs := observer.New(zap.DebugLevel)
	warn(distributed, m, v, zap.New(core))
	var lines []string
	for _, e := range logs.All() {
		if e.Level == zap.WarnLevel {
			lines = append(lines, fmt.Sprint(e.Message, " ", e.ContextMap()["keys"]))
		}
	}
	want := []string{
		"The worker's configuration has keys that are not known and have no effect [giraffe zebra]",
		"The worker's configuration has settings of its producer. clients that are not known and have no effect [bach.size zebra]",
		"The worker's configuration: producer.linger.ms=99999999 is beyond the limits of this client: it works with 60000 ms <nil>",
		"The worker's configuration has settings of its consumer. clients that are not known and have no effect [fetch.min.byte]",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}
