package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// arrows says what each folder of the product, with its subfolders, may import of ours: its own, and the folders on the
// right. A folder ends with "$" where its subfolders are not meant. docs/architecture.md draws it.
var arrows = func() []arrow {
	contracts := []string{"connect$", "connect/config", "connect/data"}
	parts := []string{"connect/converter", "connect/transform", "connect/plugin", "connect/group", "connect/storage", "connect/kafkaconf", "connect/metrics", "connect/logging", "connect/jaas", "connect/ssl", "connect/oauth"}
	all := []arrow{
		{"connect/data", nil},
		{"connect/config", nil},
		{"connect$", []string{"connect/config", "connect/data"}},
		{"connect/converter", slices.Concat(contracts, []string{"connect/jaas", "connect/ssl"})},
		{"connect/kafkaconf", slices.Concat(contracts, []string{"connect/jaas", "connect/ssl", "connect/oauth"})},
		{"connect/worker", slices.Concat(contracts, parts)},
		{"connect/herder", slices.Concat(contracts, parts, []string{"connect/worker"})},
		{"rest", slices.Concat(contracts, parts, []string{"connect/worker", "connect/herder"})},
		{"connectors", contracts},
		{"cmd", []string{"connect", "connectors", "rest"}},
	}
	for _, part := range parts {
		all = append(all, arrow{part, contracts})
	}
	return all
}()

type arrow struct {
	from string
	to   []string
}

// within says whether the package path lies in the folder, which may end with "$".
func within(path, folder string) bool {
	if exact, ok := strings.CutSuffix(folder, "$"); ok {
		return path == exact
	}
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func TestImportsFollowTheArrows(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	list.Dir = ".."
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(line)
		from := strings.TrimPrefix(imports[0], "kconnect/")
		if within(from, "test") {
			continue
		}
		i := slices.IndexFunc(arrows, func(a arrow) bool { return within(from, a.from) })
		if i < 0 {
			t.Errorf("package %s has no place in the layout: give it one in this test and in docs/architecture.md", from)
			continue
		}
		allowed := append([]string{arrows[i].from}, arrows[i].to...)
		for _, path := range imports[1:] {
			to, ours := strings.CutPrefix(path, "kconnect/")
			if ours && !slices.ContainsFunc(allowed, func(folder string) bool { return within(to, folder) }) {
				t.Errorf("%s imports %s; it may import %s", from, to, strings.Join(allowed, ", "))
			}
		}
	}
}

func TestPackagesAreNamedAfterNounsOfTheField(t *testing.T) {
	banned := []string{"util", "utils", "common", "helper", "helpers", "types", "base", "impl", "misc", "shared"}
	for _, top := range []string{"cmd", "connect", "connectors", "rest", "test"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() && slices.Contains(banned, entry.Name()) {
				t.Errorf("folder %s: %q says nothing about what is in it", path, entry.Name())
			}
			if err == nil && entry.IsDir() && entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
	}
}
