package sink

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

func settingsOf(tb testing.TB, m config.Map) *settings {
	tb.Helper()
	all := config.Map{"connection.url": "jdbc:sqlite:x"}
	for k, v := range m {
		all[k] = v
	}
	s, err := newSettings("c", all)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func names(fields []field) []string {
	out := []string{}
	for _, f := range fields {
		out = append(out, f.name)
	}
	return out
}

func TestColumnsOfARecord(t *testing.T) {
	value := data.NewStructBuilder().Field("b", data.Int32Schema).Field("a", data.StringSchema).Field("id", data.Int64Schema).MustBuild()
	key := data.NewStructBuilder().Field("z", data.Int32Schema).Field("id", data.Int32Schema).Field("k", data.StringSchema).MustBuild()
	for _, c := range []struct {
		name              string
		settings          config.Map
		key, value        *data.Schema
		keys, others, ddl []string
	}{
		{"no key", nil, key, value, []string{}, []string{"b", "a", "id"}, []string{"b", "a", "id"}},
		{"whitelist", config.Map{"fields.whitelist": "a,b,q"}, key, value, []string{}, []string{"b", "a"}, []string{"b", "a"}},
		{"kafka", config.Map{"pk.mode": "kafka"}, key, value, kafkaFields, []string{"b", "a", "id"}, append(append([]string{}, kafkaFields...), "b", "a", "id")},
		{"kafka with names", config.Map{"pk.mode": "kafka", "pk.fields": "t,p,o"}, nil, value,
			[]string{"t", "p", "o"}, []string{"b", "a", "id"}, []string{"b", "a", "id", "o", "p", "t"}},
		{"value fields in their order", config.Map{"pk.mode": "record_value", "pk.fields": "id,a"}, nil, value, []string{"id", "a"}, []string{"b"}, []string{"b", "a", "id"}},
		{"all value fields", config.Map{"pk.mode": "record_value"}, nil, value, []string{"b", "a", "id"}, []string{}, []string{"b", "a", "id"}},
		{"record key last, by name", config.Map{"pk.mode": "record_key"}, key, value, []string{"z", "id", "k"}, []string{"b", "a"}, []string{"b", "a", "id", "k", "z"}},
		{"key wins over whitelist", config.Map{"pk.mode": "record_key", "pk.fields": "id", "fields.whitelist": "a"}, key, value, []string{"id"}, []string{"a"}, []string{"a", "id"}},
		{"primitive key", config.Map{"pk.mode": "record_key", "pk.fields": "k"}, data.StringSchema, value, []string{"k"}, []string{"b", "a", "id"}, []string{"b", "a", "id", "k"}},
		{"the same key twice", config.Map{"pk.mode": "record_value", "pk.fields": "id,a,id"}, nil, value, []string{"id", "a"}, []string{"b"}, []string{"b", "a", "id"}},
		{"tombstone", config.Map{"pk.mode": "record_key", "delete.enabled": "true"}, key, nil, []string{"z", "id", "k"}, []string{}, []string{"id", "k", "z"}},
		{"string", config.Map{"string.output.value.column.name": "line"}, nil, data.StringSchema, []string{}, []string{"line"}, []string{"line"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := planColumns(settingsOf(t, c.settings), "t", c.key, c.value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][]string{c.keys, c.others, c.ddl}, [][]string{names(got.keys), names(got.others), names(got.ddl)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARecordKeyWinsOverTheValuesField(t *testing.T) {
	key := data.NewStructBuilder().Field("id", data.Int32Schema).MustBuild()
	value := data.NewStructBuilder().Field("id", data.StringSchema).MustBuild()
	c, err := planColumns(settingsOf(t, config.Map{"pk.mode": "record_key"}), "t", key, value)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ddl) != 1 || c.ddl[0].schema.Type() != data.Int32 || c.ddl[0].from != fromKeyField {
		t.Errorf("%+v", c.ddl)
	}
}

func TestColumnsThatCannotBe(t *testing.T) {
	value := data.NewStructBuilder().Field("a", data.StringSchema).MustBuild()
	array := data.NewBuilder(data.Array).Items(data.Int32Schema).MustBuild()
	for _, c := range []struct {
		settings   config.Map
		key, value *data.Schema
		message    string
		kind       connect.Kind
	}{
		{config.Map{"pk.mode": "kafka", "pk.fields": "a,b"}, nil, value, "PK mode for table 't' is KAFKA so there should either be no field names defined for defaults [__connect_topic, __connect_partition, __connect_offset] to be applicable, or exactly 3, defined fields are: [a, b]", connect.Fatal},
		{config.Map{"pk.mode": "record_key"}, nil, value, "PK mode for table 't' is RECORD_KEY, but record key schema is missing", connect.Data},
		{config.Map{"pk.mode": "record_key"}, array, value, "Key schema must be primitive type or Struct, but is of type: ARRAY", connect.Data},
		{config.Map{"pk.mode": "record_key", "pk.fields": "a,b"}, data.StringSchema, value, "Need exactly one PK column defined since the key schema for records is a primitive type, defined columns are: [a, b]", connect.Fatal},
		{config.Map{"pk.mode": "record_value", "pk.fields": "x"}, nil, value, "PK mode for table 't' is RECORD_VALUE with configured PK fields [x], but record value schema does not contain field: x", connect.Data},
		{config.Map{"fields.whitelist": "x"}, nil, value, "No fields found using key and value schemas for table: t", connect.Fatal},
	} {
		_, err := planColumns(settingsOf(t, c.settings), "t", c.key, c.value)
		if err == nil || err.Error() != c.message || connect.KindOf(err) != c.kind {
			t.Errorf("got %v, want %s", err, c.message)
		}
	}
}
