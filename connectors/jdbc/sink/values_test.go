package sink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

func TestLargeRowsTakeStatementsOfTheirOwn(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		longText := "longtext"
		if d.kind == "postgres" {
			longText = "text"
		}
		d.exec(t, "CREATE TABLE t(id int, name "+longText+")")
		task := startTask(t, d, nil, nil)
		var records []connect.Record
		for i := range 40 {
			records = append(records, idNameRecord(int64(i), int32(i), strings.Repeat(string(rune('a'+i%26)), 700_000)))
		}
		if err := task.put(t, records...); err != nil {
			t.Fatal(err)
		}
		got := d.query(t, "SELECT count(*), min(length(name)), max(length(name)) FROM t")
		if diff := cmp.Diff([][]any{{"40", "700000", "700000"}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEveryRowLandsWhateverTheNumber(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int, name varchar(20))")
		total := 0
		task := startTask(t, d, nil, config.Map{"batch.size": "300"})
		for _, n := range []int{1, 2, 3, 255, 256, 257, 299, 300, 301, 999} {
			var records []connect.Record
			for i := range n {
				records = append(records, idNameRecord(int64(i), int32(total+i), fmt.Sprint(i)))
			}
			total += n
			if err := task.put(t, records...); err != nil {
				t.Fatal(err)
			}
		}
		got := d.query(t, "SELECT count(*), count(DISTINCT id), max(id) FROM t")
		if diff := cmp.Diff([][]any{{fmt.Sprint(total), fmt.Sprint(total), fmt.Sprint(total - 1)}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStatementsOfManyShapesAreFreed(t *testing.T) {
	d := mariaDB(t)
	task := startTask(t, d, nil, config.Map{"auto.create": "true", "auto.evolve": "true"})
	for i := range 150 {
		schema := data.NewStructBuilder().Field("id", data.Int32Schema).Field(fmt.Sprintf("c%d", i%5), data.OptionalInt32Schema).
			Doc(fmt.Sprint(i)).MustBuild()
		var records []connect.Record
		for j := range 7 { // statements of 4, 2 and 1 rows
			s := data.MakeStruct(schema, []data.Value{data.Int32Of(int32(j)), data.Int32Of(int32(i))})
			records = append(records, connect.Record{Topic: "t", ValueSchema: schema, Value: data.StructOf(&s)})
		}
		if err := task.put(t, records...); err != nil {
			t.Fatal(err)
		}
		if task.w.prepared > maxPrepared+1 {
			t.Fatalf("%d statements are prepared", task.w.prepared)
		}
	}
	open := d.query(t, "SELECT count(*) FROM t")
	if open[0][0] != fmt.Sprint(150*7) {
		t.Errorf("%v rows", open)
	}
	if n := len(task.w.topics["t"].shapes); n > maxShapes {
		t.Errorf("%d shapes are remembered", n)
	}
}

func TestAValueThatCannotBeBoundIsItsRecordsFault(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int, ts text)")
		schema := data.NewStructBuilder().Field("id", data.Int32Schema).Field("ts", data.StringSchema).MustBuild()
		var records []connect.Record
		for i, text := range []string{"1680643371123456", "yesterday", "0"} {
			s := data.MakeStruct(schema, []data.Value{data.Int32Of(int32(i)), data.StringOf(text)})
			records = append(records, connect.Record{Topic: "t", ValueSchema: schema, Value: data.StructOf(&s), Origin: connect.Origin{Topic: "t", Offset: int64(i)}})
		}
		settings := config.Map{"timestamp.fields.list": "ts"}
		err := startTask(t, d, nil, settings).put(t, records...)
		if err == nil || connect.ClassOf(err) != "java.lang.NumberFormatException" || !strings.Contains(connect.Trace(err), "offset=1") {
			t.Errorf("got %v", err)
		}
		dlq := &deadLetters{tolerant: true}
		if err := startTask(t, d, dlq, settings).put(t, records...); err != nil {
			t.Fatal(err)
		}
		if len(dlq.records) != 1 || dlq.records[0].Origin.Offset != 1 {
			t.Errorf("reported %d", len(dlq.records))
		}
		if got := d.query(t, "SELECT id FROM t ORDER BY id"); !cmp.Equal(got, [][]any{{"0"}, {"2"}}) {
			t.Errorf("%v", got)
		}
	})
}

func TestAValueWithoutASchemaIsNotWrittenAsItsKeyAlone(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int primary key, name varchar(10))")
		schemaless := keyed(connect.Record{Topic: "t", Value: data.StringOf("lost"), Timestamp: 5, Origin: connect.Origin{Topic: "t", Offset: 1}}, 2)
		records := []connect.Record{keyed(idNameRecord(0, 1, "a"), 1), schemaless, tombstone(2, 1), keyed(idNameRecord(3, 3, "c"), 3)}
		set := config.Map{"pk.mode": "record_key", "delete.enabled": "true"}
		err := startTask(t, d, nil, set).put(t, records...)
		const want = "(topic='t',partition=0,offset=1,timestamp=5) with a String value and null value schema."
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v", err)
		}
		dlq := &deadLetters{tolerant: true}
		if err := startTask(t, d, dlq, set).put(t, records...); err != nil {
			t.Fatal(err)
		}
		if len(dlq.records) != 1 || dlq.records[0].Origin.Offset != 1 {
			t.Errorf("%d dead letters", len(dlq.records))
		}
		if got := d.query(t, "SELECT * FROM t"); !cmp.Equal(got, [][]any{{"3", "c"}}) {
			t.Errorf("%v", got)
		}
	})
}

func TestATableNameThatBreaksOffIsNotAnotherTable(t *testing.T) {
	d := sqliteDB(t)
	for _, format := range []string{"${topic}.", `"${topic}`} {
		err := startTask(t, d, nil, config.Map{"auto.create": "true", "table.name.format": format}).put(t, idNameRecord(0, 1, "a"))
		if connect.ClassOf(err) != connect.ClassIllegalArgument {
			t.Errorf("%s: got %v", format, err)
		}
	}
	if got := d.query(t, "SELECT name FROM sqlite_master"); len(got) > 0 {
		t.Errorf("tables %v", got)
	}
}

func TestAnUpdateOfNothingButKeysIsTheServersSyntaxError(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int, name varchar(10))")
		err := startTask(t, d, nil, config.Map{"insert.mode": "update", "pk.mode": "record_value", "max.retries": "0"}).put(t, idNameRecord(0, 1, "a"))
		if err == nil || !strings.Contains(err.Error(), "WHERE") {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheTablesOwnSpellingIsUsed(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		create := "CREATE TABLE t(ID int primary key, Name text)"
		if d.kind == "postgres" { // which has bare names in lower case
			create = `CREATE TABLE t("ID" int primary key, "Name" text)`
		}
		d.exec(t, create)
		task := startTask(t, d, nil, config.Map{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"})
		if err := task.put(t, idNameRecord(0, 1, "a"), idNameRecord(1, 1, "b")); err != nil {
			t.Fatal(err)
		}
		if got := task.w.topics["t"].shapes[0].bound[1].Name; got != "Name" {
			t.Errorf("statements name %s", got)
		}
		if got := d.query(t, "SELECT * FROM t"); !cmp.Equal(got, [][]any{{"1", "b"}}) {
			t.Errorf("%v", got)
		}
	})
}
