package sink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var loading = config.Map{keyLoad: "true", "max.retries": "0"}

// loadedRecord is a record of topic t with columns of many types.
func loadedRecord(offset int64, values []data.Value) connect.Record {
	s := data.MakeStruct(loadedSchema, values)
	return connect.Record{Topic: "t", ValueSchema: loadedSchema, Value: data.StructOf(&s), Timestamp: 1, Origin: connect.Origin{Topic: "t", Offset: offset}}
}

var loadedSchema = data.NewStructBuilder().Field("id", data.Int32Schema).Field("name", data.OptionalStringSchema).
	Field("big", data.Int64Schema).Field("yes", data.BooleanSchema).Field("ratio", data.Float64Schema).Field("single", data.Float32Schema).
	Field("at", data.NewTimestampBuilder().MustBuild()).MustBuild()

const loadedColumns = "(id int, name varchar(40), big bigint, yes tinyint, ratio double, single float, at datetime(3))"

func TestLoadedRowsAreThoseOfInsert(t *testing.T) {
	d := mariaDB(t)
	d.exec(t, "CREATE TABLE loaded"+loadedColumns, "CREATE TABLE inserted"+loadedColumns)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > 10 { // each takes a while of a real database
			return
		}
		var records []connect.Record
		for i := range int64(loadRows + 20) {
			name := data.Null
			if rapid.IntRange(0, 9).Draw(rt, "null") > 0 {
				name = data.StringOf(rapid.StringOfN(rapid.SampledFrom([]rune("a\\\t\n\x00\r'\"N,é日😀 \x1a")), 0, 30, -1).Draw(rt, "name"))
			}
			records = append(records, loadedRecord(i, []data.Value{
				data.Int32Of(int32(i)), name, data.Int64Of(rapid.Int64().Draw(rt, "big")), data.BoolOf(rapid.Bool().Draw(rt, "yes")),
				data.Float64Of(rapid.Float64Range(-1e300, 1e300).Draw(rt, "ratio")), data.Float32Of(rapid.Float32Range(-1e30, 1e30).Draw(rt, "single")),
				data.InstantOf(rapid.Int64Range(0, 4e12).Draw(rt, "at")),
			}))
		}
		got := map[string][][]any{}
		for table, set := range map[string]config.Map{"loaded": loading, "inserted": {"max.retries": "0"}} {
			d.exec(t, "DELETE FROM "+table)
			set := set.Clone()
			set["table.name.format"] = table
			task := startTask(t, d, nil, set)
			if err := task.put(t, records...); err != nil {
				rt.Fatal(connect.Trace(err))
			}
			if statements := task.w.counts.statements.Load(); table == "loaded" && statements != 1 {
				rt.Errorf("%d statements: the rows were not loaded", statements)
			}
			got[table] = d.query(t, "SELECT * FROM "+table+" ORDER BY id")
		}
		if diff := cmp.Diff(got["inserted"], got["loaded"]); diff != "" {
			rt.Error(diff)
		}
	})
}

// TestWhatALoadWouldSkipOrChangeIsRefusedAsByInsert has rows that the server
// takes from LOAD DATA LOCAL with a mere warning.
func TestWhatALoadWouldSkipOrChangeIsRefusedAsByInsert(t *testing.T) {
	for mistake, table := range map[string]string{
		"too long":  "CREATE TABLE t(id int primary key, name varchar(5))",
		"duplicate": "CREATE TABLE t(id int primary key, name varchar(50))",
		"check":     "CREATE TABLE t(id int primary key, name varchar(50) CHECK (name <> 'much too long'))",
		"required":  "CREATE TABLE t(id int primary key, name varchar(50) NOT NULL)",
	} {
		t.Run(mistake, func(t *testing.T) {
			d := mariaDB(t)
			d.exec(t, table)
			const bad = 77
			var records []connect.Record
			for i := range int64(500) {
				records = append(records, idNameRecord(i, int32(i), "ok"))
			}
			switch mistake {
			case "duplicate":
				records[bad] = idNameRecord(bad, 3, "ok")
			case "required":
				s := data.MakeStruct(idName, []data.Value{data.Int32Of(bad), data.Null})
				records[bad].Value = data.StructOf(&s)
			default:
				records[bad] = idNameRecord(bad, bad, "much too long")
			}
			err := startTask(t, d, nil, loading).put(t, records...)
			if err == nil || !strings.Contains(connect.Trace(err), fmt.Sprintf("offset=%d)", bad)) {
				t.Fatalf("got %v", err)
			}
			if got := d.query(t, "SELECT count(*) FROM t"); got[0][0] != "0" {
				t.Errorf("%v rows of a refused delivery", got[0][0])
			}
			dlq := &deadLetters{tolerant: true}
			if err := startTask(t, d, dlq, loading).put(t, records...); err != nil {
				t.Fatal(err)
			}
			if got := d.query(t, "SELECT count(*) FROM t"); got[0][0] != "499" || len(dlq.records) != 1 || dlq.records[0].Origin.Offset != bad {
				t.Errorf("%v rows, %d dead letters", got[0][0], len(dlq.records))
			}
		})
	}
}

func TestTablesForWhichALoadMeansSomethingElseAreInserted(t *testing.T) {
	d := mariaDB(t)
	for name, table := range map[string]string{
		"bit": "CREATE TABLE t(id int, name bit(8))", "enum": "CREATE TABLE t(id int, name enum('a','b','7'))",
		"engine": "CREATE TABLE t(id int, name varchar(9)) ENGINE=MyISAM",
	} {
		d.exec(t, "DROP TABLE IF EXISTS t", table)
		var records []connect.Record
		for i := range int64(loadRows) {
			records = append(records, withField("name", data.Int32Schema, data.Int32Of(1)))
			records[i].Origin.Offset = i
		}
		task := startTask(t, d, nil, loading)
		if err := task.put(t, records...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := map[string]string{"bit": "1", "enum": "1", "engine": "1.0"}[name]
		if got := d.query(t, "SELECT DISTINCT name + 0 FROM t"); len(got) != 1 || got[0][0] != want {
			t.Errorf("%s: %v", name, got)
		}
		if task.w.counts.statements.Load() < 2 {
			t.Errorf("%s: the rows were loaded", name)
		}
	}
}

func TestLoadDataIsForInsertsIntoMariaDB(t *testing.T) {
	for _, m := range []config.Map{{keyLoad: "perhaps"}, {keyLoad: "true", "insert.mode": "upsert", "pk.mode": "kafka"}, {keyLoad: "true"}} {
		d := sqliteDB(t)
		all := d.config.Clone()
		all["name"] = "c"
		for k, v := range m {
			all[k] = v
		}
		found := ""
		for _, r := range (&Connector{}).ValidateConfig(t.Context(), all, answers(all)) {
			found += strings.Join(r.Errors, "\n")
		}
		if !strings.Contains(found, keyLoad) {
			t.Errorf("%v: %q", m, found)
		}
	}
}
