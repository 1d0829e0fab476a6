package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kconnect/connect/config"
	"kconnect/connect/worker"
)

func TestACallWithoutTheWorkersFileSaysWhatIsMissing(t *testing.T) {
	for call, want := range map[string]string{
		"distributed":     "the .properties file of the worker is missing: kconnect distributed FILE",
		"standalone":      "the .properties file of the worker is missing: kconnect standalone FILE [CONNECTOR...]",
		"distributed a b": "b is one argument too many: kconnect distributed FILE",
	} {
		cmd := newCommand()
		cmd.SetArgs(strings.Fields(call))
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", call, err, want)
		}
	}
}

func TestAReferenceThatCannotBeResolvedNamesTheWorkersFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worker.properties")
	text := "config.providers=file\nconfig.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider\nclient.id=${file:" + path + ".absent:key}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readProperties(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("got %v", err)
	}
}

func TestAConverterOfTheWorkerThatIsNotThereIsToldAtTheStart(t *testing.T) {
	registry, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	values, err := worker.StandaloneDef.Parse(config.Map{"bootstrap.servers": "b:1", "offset.storage.file.filename": "f",
		"key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": "com.example.Own"})
	if err != nil {
		t.Fatal(err)
	}
	core, told := observer.New(zap.WarnLevel)
	warnOfConverters(registry, values, zap.New(core))
	var lines []string
	for _, entry := range told.All() {
		lines = append(lines, entry.Message+" "+entry.ContextMap()["class"].(string)) //nolint:errcheck,forcetypeassert // a test
	}
	if diff := cmp.Diff([]string{"The worker's value.converter is not part of this program: connectors fail that do not set one of their own com.example.Own"}, lines); diff != "" {
		t.Error("warnings (-want +got):\n" + diff)
	}
}
