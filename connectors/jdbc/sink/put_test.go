package sink

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
)

func onEachDatabase(t *testing.T, test func(t *testing.T, d *testDatabase)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteDB(t)) })
	onEachServer(t, test)
}

func onEachServer(t *testing.T, test func(t *testing.T, d *testDatabase)) {
	t.Run("mariadb", func(t *testing.T) { test(t, mariaDB(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresDB(t)) })
}

func TestPutCreatesTheTableAndInserts(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		task := startTask(t, d, nil, config.Map{"auto.create": "true"})
		if err := task.put(t, idNameRecord(0, 1, "a"), idNameRecord(1, 2, "b")); err != nil {
			t.Fatal(err)
		}
		got := d.query(t, "SELECT id, name FROM t ORDER BY id")
		if diff := cmp.Diff([][]any{{"1", "a"}, {"2", "b"}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOneBadRowAmongManyIsTheOnlyDeadLetter(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int, name varchar(10) CHECK (length(name) <= 10))")
		dlq := &deadLetters{tolerant: true}
		task := startTask(t, d, dlq, nil)
		var records []connect.Record
		for i := range 3000 {
			name := "short"
			if i == 1234 {
				name = "much too long for it"
			}
			records = append(records, idNameRecord(int64(i), int32(i), name))
		}
		if err := task.put(t, records...); err != nil {
			t.Fatal(err)
		}
		if len(dlq.records) != 1 || dlq.records[0].Origin.Offset != 1234 {
			t.Fatalf("reported %d records", len(dlq.records))
		}
		if !strings.Contains(dlq.errs[0].Error(), "id=1234") {
			t.Errorf("the error does not show the row: %v", dlq.errs[0])
		}
		if got := d.query(t, "SELECT count(*) FROM t"); got[0][0] != "2999" {
			t.Errorf("%v rows", got)
		}
		if task.health.waited > 0 {
			t.Error("bad data counted as a wait")
		}
	})
}
