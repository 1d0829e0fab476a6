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

// valueRecord is a record {id, c}.
func valueRecord(offset int64, id int32, schema *data.Schema, v data.Value) connect.Record {
	value := data.NewStructBuilder().Field("id", data.Int32Schema).Field("c", schema).MustBuild()
	s := data.MakeStruct(value, []data.Value{data.Int32Of(id), v})
	return connect.Record{Topic: "t", ValueSchema: value, Value: data.StructOf(&s), Timestamp: 1, Origin: connect.Origin{Topic: "t", Offset: offset}}
}

// placedText is a record {k, name}.
func placedText(offset int64, k, name string) connect.Record {
	value := data.NewStructBuilder().Field("k", data.StringSchema).Field("name", data.StringSchema).MustBuild()
	s := data.MakeStruct(value, []data.Value{data.StringOf(k), data.StringOf(name)})
	return connect.Record{Topic: "t", ValueSchema: value, Value: data.StructOf(&s), Timestamp: 1, Origin: connect.Origin{Topic: "t", Offset: offset}}
}

func TestPostgresColumnsTakeAndRefuseWhatJavasDriverSends(t *testing.T) {
	d := postgresDB(t)
	d.exec(t, "CREATE TYPE mood AS ENUM ('ok', 'sad')")
	date, clock, ts := data.NewDateBuilder().MustBuild(), data.NewTimeBuilder().MustBuild(), data.NewTimestampBuilder().MustBuild()
	dec := data.NewDecimalBuilder(2).MustBuild()
	texts := data.NewBuilder(data.Array).Items(data.OptionalStringSchema).MustBuild()
	doubles := data.NewBuilder(data.Array).Items(data.Float64Schema).MustBuild()
	kolkata := config.Map{"db.timezone": "Asia/Kolkata"}
	unspecified := config.Map{"connection.url": d.config["connection.url"] + "?stringtype=unspecified"}
	micros := config.Map{"timestamp.fields.list": "c"}
	nanos := config.Map{"timestamp.fields.list": "c", "timestamp.precision.mode": "nanoseconds"}
	const at = 1680643371123 // 2023-04-04 21:22:51.123
	for i, c := range []struct {
		column   string
		schema   *data.Schema
		v        data.Value
		settings config.Map
		want     string // what the column shows, or part of the error
		fails    bool
	}{
		{"bigint", data.Int32Schema, data.Int32Of(-7), nil, "-7", false},
		{"smallint", data.Int32Schema, data.Int32Of(70000), nil, "ERROR: smallint out of range", true},
		{"text", data.Int32Schema, data.Int32Of(5), nil, "5", false},
		{"integer", data.StringSchema, data.StringOf("5"), nil, `column "c" is of type integer but expression is of type character varying`, true},
		{"integer", data.StringSchema, data.StringOf("5"), unspecified, "5", false},
		{"mood", data.StringSchema, data.StringOf("ok"), nil, `column "c" is of type mood but expression is of type character varying`, true},
		{"mood", data.StringSchema, data.StringOf("ok"), unspecified, "ok", false},
		{"boolean", data.Int32Schema, data.Int32Of(1), nil, `is of type boolean but expression is of type integer`, true},
		{"boolean", data.BooleanSchema, data.BoolOf(true), nil, "true", false},
		{"varchar(3)", data.StringSchema, data.StringOf("long"), nil, "ERROR: value too long for type character varying(3)", true},
		{"varchar(3)", data.StringSchema, data.StringOf("long"), unspecified, "ERROR: value too long for type character varying(3)", true},
		{"char(5)", data.StringSchema, data.StringOf("ab"), nil, "ab", false},
		{"text", data.StringSchema, data.StringOf("a\x00b"), nil, `ERROR: invalid byte sequence for encoding "UTF8": 0x00`, true},
		{"text", data.StringSchema, data.StringOf(`{"x", \'ö\'}`), nil, `{"x", \'ö\'}`, false},
		{"json", data.StringSchema, data.StringOf(`{"a": 1}`), nil, `{"a": 1}`, false},
		{"json", data.StringSchema, data.StringOf(`{`), nil, "ERROR: invalid input syntax for type json", true},
		{"json", data.Int32Schema, data.Int32Of(1), nil, "ERROR: cannot cast type integer to json", true},
		{"uuid", data.StringSchema, data.StringOf("0D9F7A2E-6A55-4A53-9A4B-111111111111"), nil, "0d9f7a2e-6a55-4a53-9a4b-111111111111", false},
		{"double precision", data.Float32Schema, data.Float32Of(1.1), nil, "1.100000023841858", false},
		{"real", data.Float32Schema, data.Float32Of(1.1), nil, "1.1", false},
		{"double precision", data.Float64Schema, data.Float64Of(-2.25e300), nil, "-2.25e+300", false},
		{"numeric", dec, data.DecimalOf(data.NewDecimal(-394, 2)), nil, "-3.94", false},
		{"numeric(5,1)", dec, data.DecimalOf(data.NewDecimal(123456, 2)), nil, "1234.6", false},
		{"numeric(4,1)", dec, data.DecimalOf(data.NewDecimal(123456, 2)), nil, "ERROR: numeric field overflow", true},
		{"double precision", dec, data.DecimalOf(data.NewDecimal(150, 2)), nil, "1.5", false},
		{"bytea", data.BytesSchema, data.BytesOf([]byte{0, 255}), nil, `\x00ff`, false},
		{"bytea", data.BytesSchema, data.BytesOf([]byte{}), nil, `\x`, false},
		{"text", data.StringSchema, data.StringOf(""), nil, "", false},
		{"text[]", texts, data.ArrayOf([]data.Value{data.StringOf(`a"b\c,{}`), data.Null, data.StringOf(""), data.StringOf("NULL")}), nil, `{"a\"b\\c,{}",NULL,"","NULL"}`, false},
		{"integer[]", texts, data.ArrayOf([]data.Value{data.StringOf("1")}), nil, "is of type integer[] but expression is of type character varying[]", true},
		{"float8[]", doubles, data.ArrayOf([]data.Value{data.Float64Of(1.5), data.Float64Of(1e300)}), nil, "{1.5,1e+300}", false},
		{"date", date, data.InstantOf(19452 * 86400000), nil, "2023-04-05", false},
		{"timestamp", date, data.InstantOf(19452 * 86400000), nil, "2023-04-05 00:00:00", false},
		{"timestamptz", date, data.InstantOf(19452 * 86400000), kolkata, "2023-04-04 18:30:00+00", false},
		{"date", date, data.InstantOf(-150000 * 86400000), nil, "1559-04-16", false},
		{"date", date, data.InstantOf(-800000 * 86400000), nil, "0222-09-08 BC", false},
		{"time", clock, data.InstantOf(45296789), nil, "12:34:56.789", false},
		{"time", clock, data.InstantOf(0), kolkata, "05:30:00", false},
		{"timetz", clock, data.InstantOf(45296789), kolkata, "18:04:56.789+05:30", false},
		{"timestamp", ts, data.InstantOf(at), nil, "2023-04-04 21:22:51.123", false},
		{"timestamp(1)", ts, data.InstantOf(at), nil, "2023-04-04 21:22:51.1", false},
		{"timestamp", ts, data.InstantOf(at), kolkata, "2023-04-05 02:52:51.123", false},
		{"timestamptz", ts, data.InstantOf(at), kolkata, "2023-04-04 21:22:51.123+00", false},
		{"timestamp", ts, data.InstantOf(-12960000000 * 1000), nil, "1559-04-16 00:00:00", false},
		{"timestamp", ts, data.InstantOf(-12960000000 * 1000), config.Map{"date.calendar.system": "PROLEPTIC_GREGORIAN"}, "1559-04-26 00:00:00", false},
		{"timestamp", ts, data.InstantOf(9223372036825200000), nil, "infinity", false},
		{"text", ts, data.InstantOf(at), kolkata, "2023-04-05 02:52:51.123+05:30", false},
		{"date", ts, data.InstantOf(at), kolkata, "2023-04-05", false},
		{"timestamp", data.Int64Schema, data.Int64Of(at*1000 + 456), micros, "2023-04-04 21:22:51.123456", false},
		{"timestamp", data.StringSchema, data.StringOf(fmt.Sprint(int64(at)*1000000 + 456500)), nanos, "2023-04-04 21:22:51.123457", false},
	} {
		t.Run(fmt.Sprintf("%d %s", i, c.column), func(t *testing.T) {
			d.exec(t, "DROP TABLE IF EXISTS t", "CREATE TABLE t(id int primary key, c "+c.column+")")
			for _, mode := range []string{"insert", "upsert", "update"} {
				d.exec(t, "TRUNCATE t")
				if mode == "update" {
					d.exec(t, "INSERT INTO t VALUES (1, null)")
				}
				settings := config.Map{"max.retries": "0", "insert.mode": mode, "pk.mode": "record_value", "pk.fields": "id"}
				for k, v := range c.settings {
					settings[k] = v
				}
				task := startTask(t, d, nil, settings)
				err := task.put(t, valueRecord(0, 1, c.schema, c.v))
				task.w.disconnect()
				if c.fails {
					if err == nil || !strings.Contains(connect.Trace(err), c.want) {
						t.Errorf("%s: %v", mode, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %s", mode, connect.Trace(err))
					continue
				}
				if diff := cmp.Diff([][]any{{"1", c.want}}, d.query(t, "SELECT id, c::text FROM t")); diff != "" {
					t.Errorf("%s: %s", mode, diff)
				}
			}
		})
	}
}

func TestPostgresFindsRowsByKeysOfItsOwnTypes(t *testing.T) {
	d := postgresDB(t)
	ts := data.NewTimestampBuilder().MustBuild()
	key := data.NewStructBuilder().Field("a", ts).Field("b", data.StringSchema).MustBuild()
	d.exec(t, "CREATE TABLE t(a timestamptz, b varchar(10), n int, primary key(a, b))", "INSERT INTO t VALUES('2023-04-04 21:22:51.123Z', 'x', 1), ('2023-04-04 21:22:51.123Z', 'y', 2)")
	task := startTask(t, d, nil, config.Map{"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "max.retries": "0"})
	k := data.MakeStruct(key, []data.Value{data.InstantOf(1680643371123), data.StringOf("x")})
	if err := task.put(t, connect.Record{Topic: "t", KeySchema: key, Key: data.StructOf(&k)}); err != nil {
		t.Fatal(connect.Trace(err))
	}
	if diff := cmp.Diff([][]any{{"y", "2"}}, d.query(t, "SELECT b, n FROM t")); diff != "" {
		t.Error(diff)
	}
}

// As in Java there is no cast where rows are found.
func TestPostgresUUIDsAreNoKeysForTexts(t *testing.T) {
	d := postgresDB(t)
	d.exec(t, "CREATE TABLE t(k uuid primary key, name text)")
	settings := config.Map{"insert.mode": "update", "pk.mode": "record_value", "pk.fields": "k", "max.retries": "0"}
	err := startTask(t, d, nil, settings).put(t, placedText(0, "0d9f7a2e-6a55-4a53-9a4b-111111111111", "a"))
	if err == nil || !strings.Contains(connect.Trace(err), "operator does not exist: uuid = character varying") || !strings.Contains(connect.Trace(err), "stringtype=unspecified") {
		t.Errorf("%v", err)
	}
	settings["connection.url"] = d.config["connection.url"] + "?stringtype=unspecified"
	if err := startTask(t, d, nil, settings).put(t, placedText(0, "0d9f7a2e-6a55-4a53-9a4b-111111111111", "a")); err != nil {
		t.Error(err)
	}
}

// TestRepeatedKeysAreWrittenInTheirOrder has keys that are no integers and so
// are not merged: the same ones, and different ones that are equal to the server.
func TestRepeatedKeysAreWrittenInTheirOrder(t *testing.T) {
	d := postgresDB(t)
	for column, equal := range map[string]string{"text": "a", "char(5)": "a  "} {
		for _, dlq := range []*deadLetters{nil, {tolerant: true}} {
			d.exec(t, "DROP TABLE IF EXISTS t", "CREATE TABLE t(k "+column+" primary key, name varchar(3))")
			task := startTask(t, d, dlq, config.Map{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "k", "max.retries": "0"})
			records := []connect.Record{placedText(0, "a", "1"), placedText(1, "b", "2"), placedText(2, equal, "3"), placedText(3, "c", "4"), placedText(4, "b", "5")}
			want := [][]any{{"a", "3"}, {"b", "5"}, {"c", "4"}}
			if dlq != nil {
				records = append(records, placedText(5, "a", "too long"))
			}
			if err := task.put(t, records...); err != nil {
				t.Fatal(connect.Trace(err))
			}
			if diff := cmp.Diff(want, d.query(t, "SELECT trim(k), name FROM t ORDER BY k")); diff != "" {
				t.Errorf("%s: %s", column, diff)
			}
			if dlq != nil && (len(dlq.records) != 1 || dlq.records[0].Origin.Offset != 5) {
				t.Errorf("%s: reported %d", column, len(dlq.records))
			}
		}
	}
}

// TestRowsBeforeTheFirstBadOneStayWithAQueueAndNoTolerance holds as in Java also
// where an error aborts the transaction.
func TestRowsBeforeTheFirstBadOneStayWithAQueueAndNoTolerance(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, d *testDatabase) {
		dlq := &deadLetters{}
		d.exec(t, "CREATE TABLE t(id int primary key, name varchar(3) CHECK (length(name) <= 3))")
		task := startTask(t, d, dlq, config.Map{"max.retries": "0", "auto.evolve": "true"})
		wide := data.NewStructBuilder().Field("id", data.Int32Schema).Field("name", data.OptionalStringSchema).Field("more", data.OptionalInt32Schema).MustBuild()
		s := data.MakeStruct(wide, []data.Value{data.Int32Of(2), data.StringOf("b"), data.Int32Of(5)})
		second := connect.Record{Topic: "t", ValueSchema: wide, Value: data.StructOf(&s), Origin: connect.Origin{Topic: "t", Offset: 1}}
		err := task.put(t, idNameRecord(0, 1, "a"), second, idNameRecord(2, 3, "too long"), idNameRecord(3, 4, "d"))
		if err == nil || len(dlq.records) != 1 || dlq.records[0].Origin.Offset != 2 {
			t.Fatalf("%v, reported %d", err, len(dlq.records))
		}
		if diff := cmp.Diff([][]any{{"1", "a", nil}, {"2", "b", "5"}}, d.query(t, "SELECT id, name, more FROM t ORDER BY id")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACommitThatTheServerRollsBackIsAnError(t *testing.T) {
	d := postgresDB(t)
	task := startTask(t, d, nil, nil)
	if err := task.w.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := task.w.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := task.w.conn.Exec(t.Context(), "SELECT 1/0"); err == nil {
		t.Fatal("no error")
	}
	if err := task.w.commit(t.Context()); err == nil || !task.w.class(err).Surroundings() {
		t.Errorf("%v", err)
	}
}

// TestAPostgresColumnThatIsOfAnotherTypeNowIsLookedAtAgain changes a table while
// its statement is prepared.
func TestAPostgresColumnThatIsOfAnotherTypeNowIsLookedAtAgain(t *testing.T) {
	d := postgresDB(t)
	d.exec(t, "CREATE TABLE t(k text, name text)")
	dlq := &deadLetters{tolerant: true}
	task := startTask(t, d, dlq, config.Map{"max.retries": "0"})
	if err := task.put(t, placedText(0, "1", `{"a": 1}`)); err != nil {
		t.Fatal(err)
	}
	d.exec(t, "ALTER TABLE t ALTER name TYPE jsonb USING name::jsonb")
	if err := task.put(t, placedText(1, "2", `{"a": 2}`)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{"1", `{"a": 1}`}, {"2", `{"a": 2}`}}, d.query(t, "SELECT k, name::text FROM t ORDER BY k")); diff != "" || len(dlq.records) > 0 {
		t.Error(diff, len(dlq.records))
	}
}
