package test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
	"kconnect/connect/worker"
	"kconnect/connectors/file"
	jdbcsink "kconnect/connectors/jdbc/sink"
	jdbcsource "kconnect/connectors/jdbc/source"
)

// keyTable is a table of the Java worker's keys, one a line, by column name.
func keyTable(t *testing.T, name string) []map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "shared", "spec", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("skipped: the tables of keys do not lie beside this checkout (../shared/spec), so there is nothing to compare with")
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	header := strings.Split(lines[0], "\t")
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			row[header[i]] = cell
		}
		// Families of keys, classes without any, and keys that come with others are not in a table of ours.
		if key := row["key"] + row["name"]; !strings.ContainsAny(key, "*<(") && !strings.HasPrefix(row["class"], "(") && !strings.HasPrefix(row["default"], "(required once") {
			rows = append(rows, row)
		}
	}
	return rows
}

// sameKey compares a key with its row: type, default, importance.
func sameKey(t *testing.T, k *config.Key, row map[string]string) {
	t.Helper()
	if got := k.Type.String(); !strings.EqualFold(got, row["type"]) {
		t.Errorf("%s: type %s, want %s", k.Name, got, row["type"])
	}
	if got := k.Importance.String(); !strings.EqualFold(got, row["importance"]) {
		t.Errorf("%s: importance %s, want %s", k.Name, got, row["importance"])
	}
	want := row["default"]
	if k.Required != (want == "(required)") {
		t.Errorf("%s: required %t, want %s", k.Name, k.Required, want)
	}
	got := "null"
	if k.Default != nil {
		got = *k.Default
	}
	if text, err := strconv.Unquote(want); err == nil {
		want = text
	}
	switch want {
	case "(required)":
		want = "null"
	case "(empty)", "(empty list)", "[]", `"" (password)`:
		want = ""
	case "(platform kinit)":
		return
	}
	if got != want {
		t.Errorf("%s: default %q, want %q", k.Name, got, want)
	}
}

func lookup(keys []config.Key, name string) *config.Key {
	if i := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name == name }); i >= 0 {
		return &keys[i]
	}
	return nil
}

// sameTable compares keys with all rows; keys of this product alone are extra.
func sameTable(t *testing.T, keys []config.Key, rows []map[string]string, ordered bool) {
	t.Helper()
	var names, wanted []string
	for _, row := range rows {
		name := row["key"] + row["name"]
		wanted = append(wanted, name)
		if k := lookup(keys, name); k == nil {
			t.Errorf("%s is missing", name)
		} else {
			sameKey(t, k, row)
		}
	}
	for _, k := range keys {
		switch {
		case slices.Contains(wanted, k.Name):
			names = append(names, k.Name)
		case !strings.HasPrefix(k.Name, "kconnect."):
			t.Errorf("%s is in no table", k.Name)
		}
	}
	if ordered && !slices.Equal(names, wanted) {
		t.Errorf("the order is\n%q, want\n%q", names, wanted)
	}
}

func allPlugins(t *testing.T) *plugin.Registry {
	t.Helper()
	r, err := plugin.New(slices.Concat(converter.Plugins(), transform.Plugins(), file.Plugins(), jdbcsource.Plugins(), jdbcsink.Plugins())...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKeysOfTheWorkerAreJavas(t *testing.T) {
	// The first is read by a policy and in no table of Java's, the second is of
	// the standalone worker.
	elsewhere := []string{"connector.client.config.override.allowlist", "offset.storage.file.filename"}
	keys := slices.DeleteFunc(worker.Def.Keys(), func(k config.Key) bool { return slices.Contains(elsewhere, k.Name) })
	rows := slices.DeleteFunc(keyTable(t, "worker-config.tsv"), func(row map[string]string) bool { return slices.Contains(elsewhere, row["name"]) })
	sameTable(t, keys, rows, false)
}

func TestKeysOfEveryConnectorAreJavas(t *testing.T) {
	for kind, keys := range map[string][]config.Key{"source": config.ConnectorDef(config.Source).Keys(), "sink": config.ConnectorDef(config.Sink).Keys()} {
		rows := slices.DeleteFunc(keyTable(t, "connector-config.tsv"), func(row map[string]string) bool {
			return row["applies"] != "both" && row["applies"] != kind
		})
		sameTable(t, keys, rows, false)
	}
}

func TestKeysOfTheJDBCSinkAreJavas(t *testing.T) {
	keys, err := allPlugins(t).Keys("JdbcSinkConnector")
	if err != nil {
		t.Fatal(err)
	}
	rows := keyTable(t, "jdbc-sink-config.tsv")
	sameTable(t, keys, rows, true)
	for _, row := range rows {
		if k := lookup(keys, row["key"]); k != nil {
			if group, _ := k.GroupName(); group != strings.TrimPrefix(row["group"], "-") {
				t.Errorf("%s: group %q, want %q", k.Name, group, row["group"])
			}
		}
	}
}

func TestKeysOfTheJDBCSourceAreJavas(t *testing.T) {
	keys := allPlugins(t).Find("JdbcSourceConnector").Def.Keys()
	rows := keyTable(t, "jdbc-source-config.tsv")
	sameTable(t, keys, rows, true)
	for _, row := range rows {
		k := lookup(keys, row["key"])
		if k == nil {
			continue
		}
		group, _ := k.GroupName()
		got := []string{group, strconv.Itoa(k.OrderInGroup()), k.Width.String(), k.DisplayName(), strings.Join(k.Dependents, ",")}
		if want := []string{row["group"], row["order_in_group"], row["width"], row["display_name"], row["dependents"]}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", k.Name, got, want)
		}
	}
}

func TestKeysOfConvertersAndTransformationsAreJavas(t *testing.T) {
	kinds := map[string]func(string) (*connect.Plugin, error){
		"converter": allPlugins(t).Converter, "header_converter": allPlugins(t).HeaderConverter,
		"transformation": allPlugins(t).Transformation, "predicate": allPlugins(t).Predicate,
	}
	for _, name := range []string{"converters.tsv", "transforms.tsv"} {
		byClass := map[[2]string][]map[string]string{}
		for _, row := range keyTable(t, name) {
			if kinds[row["kind"]] != nil { // providers have no definitions
				class := [2]string{row["kind"], row["class"]}
				byClass[class] = append(byClass[class], row)
			}
		}
		if len(byClass) == 0 {
			t.Errorf("%s has no classes", name)
		}
		for class, rows := range byClass {
			p, err := kinds[class[0]](class[1])
			if err != nil {
				t.Error(err)
				continue
			}
			sameTable(t, p.Def.Keys(), rows, true)
		}
	}
}
