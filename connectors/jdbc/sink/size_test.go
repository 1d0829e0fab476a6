package sink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/data"
)

// blobRecord is a record of topic t with the value {id, body}, whose body has
// so many bytes.
func blobRecord(offset int64, id int32, bytes int) connect.Record {
	schema := data.NewStructBuilder().Field("id", data.Int32Schema).Field("body", data.OptionalBytesSchema).MustBuild()
	s := data.MakeStruct(schema, []data.Value{data.Int32Of(id), data.BytesOf([]byte(strings.Repeat("x", bytes)))})
	return connect.Record{Topic: "t", ValueSchema: schema, Value: data.StructOf(&s), Timestamp: 1, Origin: connect.Origin{Topic: "t", Offset: offset}}
}

func TestStatementsOfLargeRowsAreBoundedByBytes(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		blob := "longblob"
		if d.kind == "postgres" {
			blob = "bytea"
		}
		d.exec(t, "CREATE TABLE t(id int primary key, body "+blob+")")
		task := startTask(t, d, nil, nil)
		sizes := []int{10, 5_000_000, 10} // one alone is above the bound
		for range 50 {
			sizes = append(sizes, 100_000)
		}
		var records []connect.Record
		want := [][]any{}
		for i, size := range sizes {
			records = append(records, blobRecord(int64(i), int32(i), size))
			want = append(want, []any{fmt.Sprint(i), fmt.Sprint(size)})
		}
		if err := task.put(t, records...); err != nil {
			t.Fatal(connect.Trace(err))
		}
		if diff := cmp.Diff(want, d.query(t, "SELECT id, length(body) FROM t ORDER BY id")); diff != "" {
			t.Error(diff)
		}
		if n := task.w.counts.statements.Load(); n < 5_000_000/statementBytes+1 {
			t.Errorf("only %d statements for 10 MB", n)
		}
	})
}

// TestARowThatNoPacketHoldsIsTheOnlyDeadLetter sends a row above the server's
// max_allowed_packet among others.
func TestARowThatNoPacketHoldsIsTheOnlyDeadLetter(t *testing.T) {
	d := mariaDB(t)
	d.exec(t, "CREATE TABLE t(id int primary key, body longblob)")
	var limit int
	if err := d.db.QueryRowContext(t.Context(), "SELECT @@max_allowed_packet").Scan(&limit); err != nil {
		t.Fatal(err)
	}
	dlq := &deadLetters{tolerant: true}
	task := startTask(t, d, dlq, nil)
	var records []connect.Record
	for i := range int64(20) {
		size := 10
		if i == 7 {
			size = limit + 1000
		}
		records = append(records, blobRecord(i, int32(i), size))
	}
	if err := task.put(t, records...); err != nil {
		t.Fatal(connect.Trace(err))
	}
	if len(dlq.records) != 1 || dlq.records[0].Origin.Offset != 7 {
		for i, r := range dlq.records {
			t.Logf("record %d: %.300v", r.Origin.Offset, dlq.errs[i])
		}
		t.Fatalf("reported %d records", len(dlq.records))
	}
	if text := dlq.errs[0].Error(); !strings.Contains(text, "Remedy: raise max_allowed_packet") {
		t.Error(text)
	}
	if diff := cmp.Diff([][]any{{"19"}}, d.query(t, "SELECT count(*) FROM t")); diff != "" {
		t.Error(diff)
	}
	if task.health.waited > 0 {
		t.Error("a large value counted as a fault of the surroundings")
	}
}
