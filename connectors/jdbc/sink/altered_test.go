package sink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
)

// TestAFullFileIsWaitedForAndNothingIsReported bounds the file of the task's
// connection, as a full disk would.
func TestAFullFileIsWaitedForAndNothingIsReported(t *testing.T) {
	d := sqliteDB(t)
	d.exec(t, "CREATE TABLE t(id int, name text)")
	dlq := &deadLetters{tolerant: true}
	task := startTask(t, d, dlq, config.Map{"max.retries": "0"})
	if err := task.Put(t.Context(), []connect.Record{idNameRecord(0, 0, "a")}); err != nil {
		t.Fatal(err)
	}
	if _, err := task.w.conn.Exec(t.Context(), "PRAGMA max_page_count = 4"); err != nil {
		t.Fatal(err)
	}
	var records []connect.Record
	for i := range int64(300) {
		records = append(records, idNameRecord(i+1, int32(i+1), strings.Repeat("x", 100)))
	}
	err := task.Put(t.Context(), records)
	if connect.KindOf(err) != connect.Retriable || !strings.Contains(connect.Trace(err), "make room on the disk") {
		t.Fatalf("got %v", err)
	}
	task.w.disconnect() // another connection has no bound
	if err := task.Put(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{"301", "301"}}, d.query(t, "SELECT count(*), count(DISTINCT id) FROM t")); diff != "" {
		t.Error(diff)
	}
	if len(dlq.records) > 0 {
		t.Errorf("%d good records were reported", len(dlq.records))
	}
}

// TestARequiredColumnThatSomebodyAddsIsNamed meets a table that was altered
// behind the task's back, and goes on when that is put right.
func TestARequiredColumnThatSomebodyAddsIsNamed(t *testing.T) {
	d := mariaDB(t)
	d.exec(t, "CREATE TABLE t(id int primary key, name varchar(10))")
	tolerant, strict := &deadLetters{tolerant: true}, startTask(t, d, nil, config.Map{"max.retries": "1", "retry.backoff.ms": "0"})
	lenient := startTask(t, d, tolerant, nil)
	for i, task := range []*taskTest{strict, lenient} {
		if err := task.put(t, idNameRecord(0, int32(i), "a")); err != nil {
			t.Fatal(err)
		}
	}
	d.exec(t, "ALTER TABLE t ADD must int NOT NULL")
	const remedy = "give the column a default in the table"
	if err := lenient.put(t, idNameRecord(1, 10, "b"), idNameRecord(2, 11, "c")); err != nil {
		t.Fatal(err)
	}
	if len(tolerant.records) != 2 || !strings.Contains(tolerant.errs[0].Error(), remedy) || !strings.Contains(tolerant.errs[0].Error(), "'must'") {
		t.Errorf("%d dead letters: %v", len(tolerant.records), tolerant.errs)
	}
	records := []connect.Record{idNameRecord(1, 20, "b"), idNameRecord(2, 21, "c")}
	if err := strict.Put(t.Context(), records); connect.KindOf(err) != connect.Retriable || !strings.Contains(connect.Trace(err), remedy) {
		t.Fatalf("got %v", err)
	}
	d.exec(t, "ALTER TABLE t ALTER must SET DEFAULT 5")
	if err := strict.Put(t.Context(), records); err != nil {
		t.Fatal(connect.Trace(err))
	}
	if diff := cmp.Diff([][]any{{"20", "5"}, {"21", "5"}}, d.query(t, "SELECT id, must FROM t WHERE id > 1 ORDER BY id")); diff != "" {
		t.Error(diff)
	}
}

func TestWhatSomebodyDropsFailsAtOnceWithoutTolerance(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		for _, drop := range []string{"ALTER TABLE t DROP COLUMN name", "DROP TABLE t"} {
			d.exec(t, "DROP TABLE IF EXISTS t", "CREATE TABLE t(id int, name varchar(10))")
			dlq := &deadLetters{tolerant: true}
			strict, lenient := startTask(t, d, nil, nil), startTask(t, d, dlq, nil)
			for _, task := range []*taskTest{strict, lenient} {
				if err := task.put(t, idNameRecord(0, 1, "a")); err != nil {
					t.Fatal(err)
				}
			}
			d.exec(t, drop)
			err := strict.Put(t.Context(), []connect.Record{idNameRecord(1, 2, "b")})
			if err == nil || connect.KindOf(err) == connect.Retriable || connect.ClassOf(err) != connect.ClassTableAlterOrCreate {
				t.Errorf("%s: got %v", drop, err)
			}
			if err := lenient.put(t, idNameRecord(1, 2, "b"), idNameRecord(2, 3, "c")); err != nil || len(dlq.records) != 2 {
				t.Errorf("%s: %v, %d dead letters", drop, err, len(dlq.records))
			}
		}
	})
}

// TestATableOfOtherTypesTakesThePlaceOfTheOld has statements prepared for a
// table that is not there any more.
func TestATableOfOtherTypesTakesThePlaceOfTheOld(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int, name varchar(10))")
		task := startTask(t, d, nil, nil)
		for round, table := range []string{"", "CREATE TABLE t(name varchar(20), id bigint)", "CREATE TABLE t(id varchar(9), other int, name text)"} {
			if table != "" {
				d.exec(t, "DROP TABLE t", table)
			}
			if err := task.put(t, idNameRecord(int64(round), int32(round), "a")); err != nil {
				t.Fatal(connect.Trace(err))
			}
			if diff := cmp.Diff([][]any{{fmt.Sprint(round), "a"}}, d.query(t, "SELECT id, name FROM t")); diff != "" {
				t.Error(diff)
			}
		}
	})
}
