package kafkaconf

import (
	"os"
	"strings"
	"testing"
)

// TestEveryKeyOfTheJavaClientsIsHonouredRefusedOrKnownToBeIdle goes through the keys of Kafka 4.2: each is in the table of
// its kind, where it has an effect or is refused, or among those that need none.
func TestEveryKeyOfTheJavaClientsIsHonouredRefusedOrKnownToBeIdle(t *testing.T) {
	b, err := os.ReadFile("../plugin/clients.tsv")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(b)) {
		field := strings.Split(line, "\t")
		name := field[1]
		for kindName, kind := range map[string]Kind{"producer": ProducerClient, "consumer": ConsumerClient, "admin": CommonClient} {
			if !strings.Contains(field[0], kindName) {
				continue
			}
			_, effect := definition(kind).Lookup(name)
			if !effect && !isIdle(name) {
				t.Errorf("%s of a %s is neither in its table nor idle", name, kindName)
			}
			seen[name] = true
		}
	}
	for name := range idle {
		if _, effect := definition(CommonClient).Lookup(name); effect {
			t.Errorf("%s is idle and has an effect", name)
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d keys were looked at", len(seen))
	}
}
