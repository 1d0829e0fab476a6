package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func TestAConverterOfTheWorkerThatIsNotThereEndsTheStart(t *testing.T) {
	registry, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	for class, want := range map[string]string{
		"org.apache.kafka.connect.json.JsonConverter": "<nil>",
		"com.example.Own": "Invalid value com.example.Own for configuration value.converter: it is not part of this program",
	} {
		values, err := worker.StandaloneDef.Parse(config.Map{"bootstrap.servers": "b:1", "offset.storage.file.filename": "f",
			"key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": class})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(checkConverters(registry, values)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", class, got, want)
		}
	}
}
