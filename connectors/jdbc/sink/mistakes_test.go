package sink

import (
	"maps"
	"math"
	"strings"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// secret is a password that no message may show.
const secret = "hush-hush"

// configMistakes are mistakes that validation finds. The message names what
// is in names; remedy is a part of what it says to do. Where that is empty the
// whole text is Java's, as recorded (golden jdbc-sink/config-*).
var configMistakes = []struct {
	set    config.Map
	names  []string
	remedy string
}{
	{config.Map{"insert.mode": "Upsert"}, []string{"insert.mode", "Upsert"}, ""},
	{config.Map{"pk.mode": "records"}, []string{"pk.mode", "records"}, ""},
	{config.Map{"batch.size": "-1"}, []string{"batch.size", "-1"}, "must be at least 0"},
	{config.Map{"batch.size": "many"}, []string{"batch.size", "many"}, "Not a number"},
	{config.Map{"auto.create": "yes"}, []string{"auto.create", "yes"}, "either true or false"},
	{config.Map{"delete.enabled": "true"}, []string{"Deletes"}, "pk.mode record_key"},
	{config.Map{"insert.mode": "update"}, []string{"insert.mode=update"}, "set pk.mode to record_key"},
	{config.Map{"db.timezone": "Mars/Base"}, []string{"db.timezone", "Mars/Base"}, "See the list"},
	{config.Map{"date.calendar.system": "julian"}, []string{"date.calendar.system", "julian"}, "must be one of: LEGACY"},
	{config.Map{"kconnect.connection.failure": "ignore"}, []string{"kconnect.connection.failure", "ignore"}, "must be one of: wait"},
	{config.Map{"table.name.format": ""}, []string{"table.name.format"}, "must be non-empty"},
	{config.Map{"dialect.name": "SqliteDatabaseDialect"}, []string{"dialect.name", "SqliteDatabaseDialect"}, "leave dialect.name out"},
	{config.Map{"connection.url": "jdbc:oracle:thin:@h"}, []string{"connection.url", "jdbc:oracle"}, "it has jdbc:mariadb"},
	{config.Map{"connection.url": "jdbc:mariadb://h:99999/d"}, []string{"connection.url", "99999"}, "from 1 to 65535"},
	{config.Map{"connection.url": "jdbc:mariadb://h/d?connectTimeout=soon"}, []string{"connectTimeout", "soon"}, "number of milliseconds"},
	{config.Map{"connection.password": secret}, []string{"Access denied", "connection.password"}, "correct connection.user"},
	{config.Map{"connection.url": "jdbc:mariadb://kc:" + secret + "@127.0.0.1:1/d?password=" + secret, "connection.attempts": "1"}, []string{"connection.url", "127.0.0.1:1"}, "see that the database runs"},
	{config.Map{"connection.url": "mariadb://kc:" + secret + "@h/d"}, []string{"Not a valid JDBC URL", "h/d"}, ""},
}

func TestEveryMistakeOfAConfigurationIsNamedWithItsRemedy(t *testing.T) {
	d := mariaDB(t)
	for _, m := range configMistakes {
		all := d.config.Clone()
		all["name"] = "c"
		maps.Copy(all, m.set)
		var messages []string
		for _, r := range (&Connector{}).ValidateConfig(t.Context(), all, answers(all)) {
			messages = append(messages, r.Errors...)
		}
		named(t, m.set, strings.Join(messages, "\n"), m.names, m.remedy)
	}
}

func named(t *testing.T, of any, text string, names []string, remedy string) {
	t.Helper()
	for _, part := range append([]string{remedy}, names...) {
		if !strings.Contains(text, part) {
			t.Errorf("%v: the message lacks %q: %s", of, part, text)
		}
	}
	if text == "" || strings.Contains(text, secret) {
		t.Errorf("%v: no message, or one that shows a secret: %s", of, text)
	}
}

// withField is a record of topic t with the value {id, name}, name of a schema
// of its own.
func withField(name string, schema *data.Schema, v data.Value) connect.Record {
	s := data.NewStructBuilder().Field("id", data.Int32Schema).Field(name, schema).MustBuild()
	st := data.MakeStruct(s, []data.Value{data.Int32Of(1), v})
	return connect.Record{Topic: "t", ValueSchema: s, Value: data.StructOf(&st), Timestamp: 1, Origin: connect.Origin{Topic: "t", Offset: 7}}
}

func TestEveryMistakeOfARecordIsNamedWithItsRemedy(t *testing.T) {
	d := mariaDB(t)
	d.exec(t,
		"CREATE TABLE t(id int primary key, name varchar(5) character set latin1, small tinyint, at datetime, n int NOT NULL DEFAULT 1, CHECK (small <> 13))",
		"INSERT INTO t(id) VALUES(100)",
		"CREATE TABLE child(id int, parent int, FOREIGN KEY (parent) REFERENCES t(id))",
		"CREATE TABLE strictly(id int, must int NOT NULL)",
		"CREATE VIEW v AS SELECT id FROM t",
	)
	array := data.ArrayOf([]data.Value{data.Int32Of(1)})
	ints := data.NewBuilder(data.Array).Items(data.Int32Schema).MustBuild()
	for _, m := range []struct {
		mistake string
		set     config.Map
		record  connect.Record
		names   []string
		remedy  string
	}{
		{"too long", nil, idNameRecord(7, 1, "too long"), []string{"name='too long'"}, "make the column longer"},
		{"bad encoding", nil, idNameRecord(7, 1, "日"), []string{"name='日'"}, "utf8mb4"},
		{"out of range", nil, withField("small", data.Int32Schema, data.Int32Of(300)), []string{"'small'", "small=300"}, "make the column wider"},
		{"no date", nil, withField("at", data.StringSchema, data.StringOf("soon")), []string{"at='soon'"}, "correct the value"},
		{"CHECK", nil, withField("small", data.Int32Schema, data.Int32Of(13)), []string{"small=13"}, "CHECK constraint"},
		{"null in a required column", nil, withField("n", data.OptionalInt32Schema, data.Null), []string{"'n'", "n=null"}, "let the column be null"},
		{"a required column that the record lacks", config.Map{"table.name.format": "strictly", "fields.whitelist": "id"}, idNameRecord(7, 1, "a"), []string{"'must'", "id=1"}, "give the column a default"},
		{"duplicate key", nil, idNameRecord(7, 100, "a"), []string{"'100'", "id=100"}, "insert.mode=upsert"},
		{"foreign key", config.Map{"table.name.format": "child"}, withField("parent", data.Int32Schema, data.Int32Of(5)), []string{"parent=5"}, "refers to first"},
		{"new required field", config.Map{"auto.evolve": "true"}, withField("age", data.Int32Schema, data.Int32Of(1)), []string{"name='age'"}, "add the column by hand"},
		{"new field", nil, withField("age", data.OptionalInt32Schema, data.Int32Of(1)), []string{"name='age'"}, "set auto.evolve=true"},
		{"no table", config.Map{"table.name.format": "absent"}, idNameRecord(7, 1, "a"), []string{`"absent"`}, "auto.create=true"},
		{"view", config.Map{"table.name.format": "v", "table.types": "TABLE,VIEW"}, idNameRecord(7, 1, "a"), []string{`"v"`, "name='name'"}, "define the view with these columns"},
		{"dot in the name", config.Map{"table.name.format": "shop.${topic}"}, idNameRecord(7, 1, "a"), []string{`"shop"."t"`}, "must stand in quotes in table.name.format"},
		{"array", config.Map{"auto.create": "true", "table.name.format": "arrays"}, withField("list", ints, array), []string{"ARRAY", "'list'"}, "fields.whitelist"},
		{"not a number", config.Map{"auto.evolve": "true"}, withField("ratio", data.NewBuilder(data.Float64).Optional().MustBuild(), data.Float64Of(math.NaN())), []string{"'ratio'", "NaN"}, "send null or a number"},
		{"timestamp field without number", config.Map{"timestamp.fields.list": "at"}, withField("at", data.StringSchema, data.StringOf("soon")), []string{`"soon"`, "timestamp.fields.list"}, "a number since 1970"},
		{"key field", config.Map{"pk.mode": "record_key", "pk.fields": "nr"}, keyed(idNameRecord(7, 1, "a"), 1), []string{"[nr]", "PK fields"}, "the key, which has id"},
		{"value field as key", config.Map{"pk.mode": "record_value", "pk.fields": "nr"}, idNameRecord(7, 1, "a"), []string{"[nr]"}, "the value, which has id, name"},
		{"no key", config.Map{"pk.mode": "record_key"}, idNameRecord(7, 1, "a"), []string{"pk.mode=record_key", "null key"}, "ValueToKey"},
		{"tombstone", nil, tombstone(7, 1), []string{"delete.enabled=false", "null value"}, "set delete.enabled=true"},
		{"two names for kafka", config.Map{"pk.mode": "kafka", "pk.fields": "a,b"}, idNameRecord(7, 1, "a"), []string{"[a, b]"}, "name three columns in pk.fields"},
		{"upsert without key", config.Map{"insert.mode": "upsert"}, idNameRecord(7, 1, "a"), []string{"UPSERT"}, "set pk.mode to"},
		{"nothing to write", config.Map{"fields.whitelist": "other"}, idNameRecord(7, 1, "a"), []string{"table: t"}, "fields.whitelist"},
		{"no schema", nil, connect.Record{Topic: "t", Value: data.Int32Of(1), Origin: connect.Origin{Topic: "t", Offset: 7}}, []string{"offset=7", "null value schema"}, "schemas.enable=true"},
	} {
		set := config.Map{"max.retries": "0"}
		maps.Copy(set, m.set)
		err := startTask(t, d, nil, set).put(t, m.record)
		if err == nil {
			t.Errorf("%s: no error", m.mistake)
			continue
		}
		named(t, m.mistake, connect.Trace(err), m.names, m.remedy)
	}
}
