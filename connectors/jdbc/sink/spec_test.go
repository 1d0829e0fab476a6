package sink

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// Each row of the table of section 5 of spec jdbc-sink.md: what an existing
// table is not fit for, with class and message.
func TestTablesThatDoNotFitAreRefusedInJavasWords(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		name := func(table string) string {
			switch d.kind {
			case "sqlite":
				return `"` + table + `"`
			case "postgres":
				return `"` + d.name + `"."public"."` + table + `"`
			}
			return `"` + d.name + `"."` + table + `"`
		}
		d.exec(t, "CREATE TABLE narrow(id int)", "CREATE VIEW v AS SELECT id FROM narrow")
		const field = "SinkRecordField{schema=Schema{STRING}, name='name', isPrimaryKey=false}"
		required := data.NewStructBuilder().Field("id", data.Int32Schema).Field("must", data.Int32Schema).MustBuild()
		s := data.MakeStruct(required, []data.Value{data.Int32Of(1), data.Int32Of(2)})
		strict := connect.Record{Topic: "t", ValueSchema: required, Value: data.StructOf(&s), Timestamp: 1, Origin: connect.Origin{Topic: "t"}}
		const must = "SinkRecordField{schema=Schema{INT32}, name='must', isPrimaryKey=false}"
		for _, c := range []struct {
			set     config.Map
			record  connect.Record
			message string
		}{
			{config.Map{"table.name.format": "absent"}, idNameRecord(0, 1, "a"), "Table " + name("absent") + " is missing and auto-creation is disabled"},
			{config.Map{"table.name.format": "narrow"}, idNameRecord(0, 1, "a"), "Table " + name("narrow") + " is missing fields ([" + field + "]) and auto-evolution is disabled"},
			{config.Map{"table.name.format": "narrow"}, strict, "Cannot ALTER TABLE " + name("narrow") + " to add missing field " + must + ", as the field is not optional and does not have a default value"},
			{config.Map{"table.name.format": "narrow", "auto.evolve": "true"}, strict, "Cannot ALTER TABLE " + name("narrow") + " to add missing field " + must + ", as the field is not optional and does not have a default value"},
			{config.Map{"table.name.format": "v", "table.types": "TABLE,VIEW"}, idNameRecord(0, 1, "a"), "View " + name("v") + " is missing fields ([" + field + "]) and ALTER VIEW is unsupported"},
		} {
			class := connect.ClassTableAlterOrCreate + ": "
			// Neither without a reporter nor with one is it tried again; tolerated it is the record's fault.
			for _, dlq := range []*deadLetters{nil, {}, {tolerant: true}} {
				task := startTask(t, d, dlq, c.set)
				err := task.put(t, c.record)
				if task.health.waited > 0 {
					t.Errorf("%s: it was tried again", c.message)
				}
				if dlq != nil {
					if len(dlq.records) != 1 {
						t.Errorf("%s: %d dead letters", c.message, len(dlq.records))
						continue
					}
					if trace := connect.Trace(dlq.errs[0]); !strings.HasPrefix(trace, class+c.message+"\n") {
						t.Errorf("want %s, reported was %s", c.message, trace)
					}
				}
				if tolerant := dlq != nil && dlq.tolerant; tolerant != (err == nil) {
					t.Errorf("%s: %v", c.message, err)
				} else if err != nil && !strings.Contains(connect.Trace(err), class+c.message) {
					t.Errorf("want %s, got %s", c.message, connect.Trace(err))
				}
			}
		}
	})
}

// Each row of the table of section 7 that is a task's, with what D10 to D12
// make of it. Of three records the middle one is bad.
func TestErrorsAreRetriedReportedAndFatalAsTheirRowSays(t *testing.T) {
	const retries = 2
	records := func(bad connect.Record) []connect.Record {
		bad.Origin.Offset = 1
		return []connect.Record{keyed(idNameRecord(0, 1, "a"), 1), bad, keyed(idNameRecord(2, 3, "c"), 3)}
	}
	null := connect.Record{Topic: "t", KeySchema: keyID, ValueSchema: idName, Value: idNameRecord(1, 2, "b").Value, Origin: connect.Origin{Topic: "t"}}
	schemaless := keyed(connect.Record{Topic: "t", Value: data.StringOf("x"), Origin: connect.Origin{Topic: "t"}}, 2)
	primitive := keyed(connect.Record{Topic: "t", ValueSchema: data.Int32Schema, Value: data.Int32Of(1), Origin: connect.Origin{Topic: "t"}}, 2)
	for _, c := range []struct {
		row   string
		set   config.Map
		bad   connect.Record
		class string
		// tolerable errors are the record's under errors.tolerance=all with a
		// reporter; early ones are reported under none as well, after the records
		// before them are written.
		tolerable, early, retried bool
	}{
		{row: "2 tombstone", bad: tombstone(1, 2), class: connect.ClassConnect, tolerable: true},
		{row: "2 no schema", bad: schemaless, class: connect.ClassConnect, tolerable: true},
		{row: "2 primitive value", bad: primitive, class: connect.ClassConnect, tolerable: true},
		{row: "2 null key", set: config.Map{"pk.mode": "record_key"}, bad: null, class: connect.ClassConnect, tolerable: true},
		{row: "2 upsert without key", set: config.Map{"insert.mode": "upsert"}, bad: idNameRecord(1, 2, "b"), class: connect.ClassConnect},
		{row: "2 number of kafka keys", set: config.Map{"pk.mode": "kafka", "pk.fields": "a"}, bad: idNameRecord(1, 2, "b"), class: connect.ClassConnect},
		{row: "3 column missing", bad: withField("more", data.OptionalInt32Schema, data.Int32Of(2)), class: connect.ClassTableAlterOrCreate, tolerable: true, early: true},
		{row: "4 value", bad: keyed(idNameRecord(1, 2, "much too long"), 2), class: connect.ClassSQL, tolerable: true, early: true, retried: true},
		{row: "4 duplicate", bad: keyed(idNameRecord(1, 1, "b"), 1), class: connect.ClassSQL, tolerable: true, early: true, retried: true},
	} {
		for _, reporter := range []*deadLetters{nil, {}, {tolerant: true}} {
			tolerant := reporter != nil && reporter.tolerant
			t.Run(fmt.Sprintf("%s, reporter %t, tolerance all %t", c.row, reporter != nil, tolerant), func(t *testing.T) {
				onEachDatabase(t, func(t *testing.T, d *testDatabase) {
					d.exec(t, "CREATE TABLE t(id int primary key, name varchar(10) CHECK (length(name) <= 10))")
					var dlq *deadLetters
					if reporter != nil {
						dlq = &deadLetters{tolerant: tolerant}
					}
					set := config.Map{"max.retries": fmt.Sprint(retries), "retry.backoff.ms": "0"}
					maps.Copy(set, c.set)
					task := startTask(t, d, dlq, set)
					err := task.put(t, records(c.bad)...)

					if fails := !tolerant || !c.tolerable; fails != (err != nil) {
						t.Fatalf("got %v", err)
					}
					if err != nil && !strings.Contains(connect.Trace(err), c.class+": ") {
						t.Errorf("class %s is not in %s", c.class, connect.Trace(err))
					}
					waits := 0
					if c.retried && !tolerant { // D12: what is tolerated is reported at once
						waits = retries
					}
					if task.health.waited != waits {
						t.Errorf("tried again %d times, want %d", task.health.waited, waits)
					}
					rows, dead := 0, 0
					switch {
					case tolerant && c.tolerable:
						rows, dead = 2, 1
					case dlq != nil && c.early:
						rows, dead = 1, 1
					}
					if got := d.query(t, "SELECT count(*) FROM t"); got[0][0] != fmt.Sprint(rows) {
						t.Errorf("%v rows, want %d", got[0][0], rows)
					}
					if dlq != nil && len(dlq.records) != dead {
						t.Errorf("%d dead letters, want %d", len(dlq.records), dead)
					}
					if dlq != nil && len(dlq.records) == 1 && (dlq.records[0].Origin.Offset != 1 || connect.ClassOf(dlq.errs[0]) != c.class) {
						t.Errorf("record %d was reported as %s", dlq.records[0].Origin.Offset, connect.ClassOf(dlq.errs[0]))
					}
				})
			})
		}
	}
}
