package data_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/data"
)

func TestHashMapOrderIsJavas(t *testing.T) {
	// Recorded from a JDK 17: the keys as put, and the orders of new HashMap<>(),
	// of new HashMap<>(a LinkedHashMap) and of new HashMap<>(3).
	text, err := os.ReadFile("testdata/hashmap_order.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		keys := strings.Fields(columns[0])
		for i, got := range [][]string{data.HashMapOrder(keys), data.HashMapCopyOrder(keys), data.HashMapOrderCapacity(keys, 3)} {
			if diff := cmp.Diff(strings.Fields(columns[i+1]), append([]string{}, got...)); diff != "" {
				t.Errorf("%v, column %d (-java +ours):\n%s", keys, i+1, diff)
			}
		}
	}
}
