package sink

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// change is one record of a generated stream: the value of a key, or its delete.
type change struct {
	id     int32
	name   string
	delete bool
}

func changes() *rapid.Generator[[]change] {
	one := rapid.Custom(func(t *rapid.T) change {
		return change{rapid.Int32Range(-3, 3).Draw(t, "id"), rapid.StringMatching("[a-z]{0,3}").Draw(t, "name"), rapid.Bool().Draw(t, "delete")}
	})
	return rapid.SliceOfN(one, 1, 40)
}

func (c change) record(offset int64) connect.Record {
	if c.delete {
		return tombstone(offset, c.id)
	}
	return keyed(idNameRecord(offset, c.id, c.name), c.id)
}

// apply is the slow twin of merge: every record in its turn.
func apply(all []change) map[int32]string {
	rows := map[int32]string{}
	for _, c := range all {
		if c.delete {
			delete(rows, c.id)
		} else {
			rows[c.id] = c.name
		}
	}
	return rows
}

func TestMergedRowsAreThoseOfEveryRecordInItsTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := changes().Draw(t, "changes")
		write, remove := &shape{keys: 1, merges: true}, &shape{keys: 1, merges: true}
		write.bound = []column{{field: field{name: "id", from: fromKeyField}, Bound: dialect.Bound{Name: "id"}}}
		remove.bound = write.bound
		records := make([]connect.Record, len(all))
		tab := &table{}
		for i, c := range all {
			records[i] = c.record(int64(i))
			if c.delete {
				tab.add(remove, opDelete, i)
			} else {
				tab.add(write, opUpsert, i)
			}
		}
		n, _ := mergeableRuns(tab.runs)
		if n != len(tab.runs) {
			t.Fatalf("%d of %d runs merge", n, len(tab.runs))
		}
		m := &merger{}
		if !m.merge(tab, tab.runs, records) {
			t.Fatal("not merged")
		}
		// What was there before must not matter: start with every key present.
		rows := map[int32]string{}
		for id := int32(-3); id <= 3; id++ {
			rows[id] = "before"
		}
		want := maps.Clone(rows)
		for _, c := range all {
			if c.delete {
				delete(want, c.id)
			} else {
				want[c.id] = c.name
			}
		}
		for _, i := range m.deletes {
			delete(rows, all[i].id)
		}
		last := int32(-100)
		for _, i := range m.writes {
			if all[i].id <= last {
				t.Fatal("keys are not in order, or one comes twice")
			}
			last = all[i].id
			rows[last] = all[i].name
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTablesEqualARowByRowReplay(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE keyed(id int primary key, name varchar(10))", "CREATE TABLE other(id int primary key, name varchar(10), extra int unique)")
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			if n++; n > 40 { // each takes a few milliseconds of a real database
				return
			}
			all := changes().Draw(rt, "changes")
			target := rapid.SampledFrom([]string{"keyed", "other"}).Draw(rt, "table")
			batch := rapid.IntRange(1, 10).Draw(rt, "batch.size")
			cut := rapid.IntRange(0, len(all)).Draw(rt, "delivery ends")
			d.exec(t, "DELETE FROM "+target)
			task := startTask(t, d, nil, config.Map{
				"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "table.name.format": target, "batch.size": fmt.Sprint(batch),
			})
			records := make([]connect.Record, len(all))
			for i, c := range all {
				records[i] = c.record(int64(i))
			}
			for _, part := range [][]connect.Record{records[:cut], records[cut:]} {
				if err := task.put(t, part...); err != nil {
					rt.Fatal(err)
				}
			}
			task.w.disconnect()
			got := map[string]any{}
			for _, r := range d.query(t, "SELECT id, name FROM "+target) {
				got[r[0].(string)] = r[1]
			}
			want := map[string]any{}
			for id, name := range apply(all) {
				want[fmt.Sprint(id)] = name
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatal(diff)
			}
		})
	})
}

func TestOnlyWhereOrderCannotBeSeenIsItGivenUp(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		auto := "" // elsewhere counters begin with a null, not with a zero
		if d.kind == "mariadb" {
			auto = "auto_increment"
		}
		for _, c := range []struct {
			table string
			want  bool
		}{
			{"id int primary key, name varchar(10)", true},
			{"id int, name varchar(10)", false},
			{"id int primary key, name varchar(10) unique", false},
			{"id int " + auto + ", name varchar(10), primary key(id)", auto == ""},
			{"id int, name varchar(10), unique(id)", true},
			{"id int, name varchar(10), primary key(id, name)", false},
		} {
			d.exec(t, "DROP TABLE IF EXISTS t", "CREATE TABLE t("+c.table+")")
			task := startTask(t, d, nil, config.Map{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"})
			if err := task.w.ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := task.w.plan(t.Context(), []connect.Record{idNameRecord(0, 1, "a")}, false); err != nil {
				t.Fatal(err)
			}
			if got := task.w.topics["t"].shapes[0].merges; got != c.want {
				t.Errorf("%s: merges is %v", c.table, got)
			}
			task.w.disconnect()
		}
	})
}

func TestTextKeysKeepTheirOrder(t *testing.T) {
	d := mariaDB(t)
	d.exec(t, "CREATE TABLE t(k varchar(10) primary key, name varchar(10))") // its collation takes A for a
	value := data.NewStructBuilder().Field("k", data.StringSchema).Field("name", data.StringSchema).MustBuild()
	var records []connect.Record
	for i, k := range []string{"b", "A", "a", "B"} {
		s := data.MakeStruct(value, []data.Value{data.StringOf(k), data.StringOf(fmt.Sprint(i))})
		records = append(records, connect.Record{Topic: "t", ValueSchema: value, Value: data.StructOf(&s)})
	}
	task := startTask(t, d, nil, config.Map{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "k"})
	if err := task.put(t, records...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{"A", "2"}, {"b", "3"}}, d.query(t, "SELECT k, name FROM t ORDER BY k")); diff != "" {
		t.Error(diff)
	}
}

func TestKeysOfAnotherSchemaAreReadByTheirOwn(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		d.exec(t, "CREATE TABLE t(id int primary key, name varchar(10))", "INSERT INTO t VALUES(5,'five'),(9,'nine')")
		task := startTask(t, d, nil, config.Map{"insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true"})
		wide := data.NewStructBuilder().Field("region", data.Int32Schema).Field("id", data.Int32Schema).MustBuild()
		s := data.MakeStruct(wide, []data.Value{data.Int32Of(9), data.Int32Of(5)})
		gone := connect.Record{Topic: "t", KeySchema: wide, Key: data.StructOf(&s)}
		if err := task.put(t, keyed(idNameRecord(0, 1, "a"), 1), gone, keyed(idNameRecord(2, 2, "b"), 2)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]any{{"1"}, {"2"}, {"9"}}, d.query(t, "SELECT id FROM t ORDER BY id")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTextsMergeWhereTheirColumnHasNoRulesOfALanguage(t *testing.T) {
	d := mariaDB(t)
	for _, c := range []struct {
		table string
		want  bool
	}{
		{"k varchar(20) primary key", true},
		{"k varchar(20) collate utf8mb4_unicode_ci primary key", true},
		{"k varchar(20) collate utf8mb4_bin primary key", true},
		{"k varchar(20) character set latin1 primary key", true},
		{"k varchar(20) collate utf8mb4_uca1400_ai_ci primary key", true},
		{"k varchar(20) collate utf8mb4_hungarian_ci primary key", false},
		{"k int primary key", false},
		{"k varchar(20), primary key(k(3))", false},
	} {
		d.exec(t, "DROP TABLE IF EXISTS t", "CREATE TABLE t("+c.table+", name varchar(10))")
		task := startTask(t, d, nil, config.Map{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "k"})
		if err := task.put(t, textRecord("7", "a")); err != nil {
			t.Fatal(err)
		}
		if got := task.w.topics["t"].shapes[0].merges; got != c.want {
			t.Errorf("%s: merges is %v", c.table, got)
		}
		task.w.disconnect()
	}
}

var textKey = data.NewStructBuilder().Field("k", data.StringSchema).MustBuild()

// textRecord is a record of topic t with the key {k} and the value {k, name}.
func textRecord(k, name string) connect.Record {
	value := data.NewStructBuilder().Field("k", data.StringSchema).Field("name", data.StringSchema).MustBuild()
	s := data.MakeStruct(value, []data.Value{data.StringOf(k), data.StringOf(name)})
	key := data.MakeStruct(textKey, []data.Value{data.StringOf(k)})
	return connect.Record{Topic: "t", KeySchema: textKey, Key: data.StructOf(&key), ValueSchema: value, Value: data.StructOf(&s)}
}

// TestTablesOfTextKeysEqualARowByRowReplay has keys that the database takes
// for each other and keys that it does not.
func TestTablesOfTextKeysEqualARowByRowReplay(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		if d.kind == "postgres" {
			d.exec(t, "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
		}
		var tables []string
		for i, collation := range []string{"utf8mb4_general_ci", "utf8mb4_bin", "utf8mb4_hungarian_ci", "utf8mb4_unicode_ci"} {
			switch d.kind {
			case "sqlite":
				collation = []string{"BINARY", "NOCASE", "RTRIM", "NOCASE"}[i]
			case "postgres":
				collation = []string{`"C"`, "nocase", `"default"`, "nocase"}[i]
			}
			for _, copies := range []string{"merged", "single"} {
				table := fmt.Sprintf("%s%d", copies, i)
				tables = append(tables, table)
				d.exec(t, "CREATE TABLE "+table+"(k varchar(20) COLLATE "+collation+" primary key, name varchar(10))")
			}
		}
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			if n++; n > 30 { // each takes a few milliseconds of a real database
				return
			}
			letters := rapid.SampledFrom([]string{"ab-1", "AB-1", "aAb", "a é", "cs", "a \x01"}).Draw(rt, "letters")
			keys := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune(letters)), 1, 4, -1), 1, 25).Draw(rt, "keys")
			var records []connect.Record
			for i, k := range keys {
				r := textRecord(k, fmt.Sprint(i))
				if rapid.IntRange(0, 3).Draw(rt, "delete") == 0 {
					r.ValueSchema, r.Value = nil, data.Null
				}
				records = append(records, r)
			}
			at := rapid.IntRange(0, 3).Draw(rt, "table") * 2
			rows := map[string][][]any{}
			for _, table := range tables[at : at+2] {
				d.exec(t, "DELETE FROM "+table)
				task := startTask(t, d, nil, config.Map{"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "table.name.format": table})
				parts := [][]connect.Record{records}
				if table[0] == 's' {
					parts = nil
					for i := range records {
						parts = append(parts, records[i:i+1])
					}
				}
				for _, part := range parts {
					if err := task.put(t, part...); err != nil {
						rt.Fatal(err)
					}
				}
				task.w.disconnect()
				rows[table[:1]] = d.query(t, "SELECT k, name FROM "+table+" ORDER BY k")
			}
			if diff := cmp.Diff(rows["s"], rows["m"]); diff != "" {
				rt.Errorf("%s: %s", tables[at], diff)
			}
		})
	})
}
