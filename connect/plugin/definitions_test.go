package plugin_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
	"kconnect/connect/plugin"
)

func definitionOf(k config.Key) recordedDefinition {
	d := recordedDefinition{
		Name: k.Name, Type: k.Type.String(), Required: k.Required, Default: k.DefaultText(), Importance: k.Importance.String(),
		Order: k.OrderInGroup(), Width: k.Width.String(), Display: k.DisplayName(), Dependents: append([]string{}, k.Dependents...),
	}
	if group, ok := k.GroupName(); ok {
		d.Group = &group
	}
	return d
}

// testdata/definitions.jsonl is what a Java worker 4.2.0 answered to
// GET /connector-plugins/{class}/config for each of its classes, without the
// documentation.
func TestEveryClassHasTheKeysOfItsJavaTwin(t *testing.T) {
	b, err := os.ReadFile("testdata/definitions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	r := registry(t)
	classes := 0
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for ; lines.Scan(); classes++ {
		var want struct {
			Class string
			Keys  []recordedDefinition
		}
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		keys, err := r.Keys(want.Class)
		if err != nil {
			t.Errorf("%s: %v", want.Class, err)
			continue
		}
		got := []recordedDefinition{}
		for _, k := range keys {
			got = append(got, definitionOf(k))
		}
		if diff := cmp.Diff(want.Keys, got); diff != "" {
			t.Errorf("%s (-java +ours):\n%s", want.Class, diff)
		}
	}
	if classes != 41 {
		t.Errorf("%d classes are recorded, want 41", classes)
	}
}

func TestClassesThatHaveNoKeysAreTold(t *testing.T) {
	r := registry(t)
	var unknown *plugin.UnknownError
	for _, name := range []string{"Nope", "", "Cast$Value", "SimpleHeader", "org.apache.kafka.connect.transforms"} {
		if _, err := r.Keys(name); !errors.As(err, &unknown) || err.Error() != "Unknown plugin "+name+"." {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := r.Keys("org.apache.kafka.connect.transforms.Cast")
	if err == nil || errors.As(err, &unknown) || !strings.HasPrefix(err.Error(), "Instantiation error") || !strings.Contains(err.Error(), "Cast$Value") {
		t.Errorf("a class around others: %v", err)
	}
}
