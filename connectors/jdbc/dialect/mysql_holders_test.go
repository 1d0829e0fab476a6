package dialect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhoMayHoldAnIDOnMariaDB(t *testing.T) {
	own := []string{"7", "2024-01-01 00:00:00", "RUNNING", "1", "1"}
	other := []string{"8", "2024-01-01 00:00:01", "RUNNING", "0", "0"}
	waits := make([][]string, 0, 102)
	for range 101 {
		waits = append(waits, []string{"9", "2024-01-01 00:00:02", "LOCK WAIT", "0", "0"})
	}
	for name, c := range map[string]struct {
		running, open [][]string
		want          Holders
	}{
		"nobody":                      {nil, [][]string{own}, Holders{}},
		"a transaction":               {nil, [][]string{other, own}, Holders{Transactions: []string{"transaction 8 2024-01-01 00:00:01"}}},
		"its statement counts once":   {[][]string{{"8", "55", "Query"}}, [][]string{other, own}, Holders{Transactions: []string{"transaction 8 2024-01-01 00:00:01"}}},
		"a statement before it":       {[][]string{{"9", "56", "Execute"}}, [][]string{own}, Holders{Statements: []string{"statement 9 56"}}},
		"a list from before the call": {nil, [][]string{other, {"7", "2024-01-01 00:00:00", "RUNNING", "1", "0"}}, notNow("the list of transactions is an old one")},
		"a list without the caller":   {nil, [][]string{other}, notNow("the list of transactions is an old one")},
		"prepared by XA":              {nil, [][]string{{"0", "2024-01-01 00:00:00", "RUNNING", "0", "0"}, own}, notNow("there are transactions without a session")},
		"a list that may be cut":      {nil, append(waits, own), notNow("there are too many transactions")},
		"a replica":                   {[][]string{{"3", "0", "Slave_SQL"}}, [][]string{own}, not("the server is a replica")},
	} {
		if d := cmp.Diff(c.want, mySQLHolders(c.running, c.open)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
