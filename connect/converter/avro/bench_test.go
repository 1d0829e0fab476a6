package avro

import (
	"testing"

	"github.com/twmb/avro"

	"kconnect/connect/data"
	"kconnect/test/registrytest"
)

// tenFields is a record of the size of those in docs/performance.md.
func tenFields() (*data.Schema, data.Value) {
	s := data.NewStructBuilder().Named("users").
		Field("id", data.Int64Schema).Field("name", data.OptionalStringSchema).Field("mail", data.OptionalStringSchema).
		Field("age", data.OptionalInt32Schema).Field("active", data.BooleanSchema).Field("score", data.OptionalFloat64Schema).
		Field("balance", data.NewDecimalBuilder(2).Optional().MustBuild()).Field("born", data.NewDateBuilder().Optional().MustBuild()).
		Field("created", data.NewTimestampBuilder().MustBuild()).Field("note", data.OptionalStringSchema).MustBuild()
	st := data.MakeStruct(s, []data.Value{
		data.Int64Of(123456), data.StringOf("Ada Lovelace"), data.StringOf("ada@example.com"), data.Int32Of(36), data.BoolOf(true), data.Float64Of(98.6),
		data.DecimalOf(data.NewDecimal(1234567, 2)), data.InstantOf(12345 * 86400000), data.InstantOf(1700000000000), data.Null,
	})
	return s, data.StructOf(&st)
}

func BenchmarkAppend(b *testing.B) {
	s, v := tenFields()
	registrytest.BenchmarkAppend(b, configured(b, registrytest.Start(b)), s, v)
}

func BenchmarkDecode(b *testing.B) {
	s, v := tenFields()
	registrytest.BenchmarkDecode(b, configured(b, registrytest.Start(b)), s, v)
}

// BenchmarkGeneralLibrary is the yardstick: the same record through a library
// that reads into maps.
func BenchmarkGeneralLibrary(b *testing.B) {
	s, v := tenFields()
	c := configured(b, registrytest.Start(b))
	record, err := c.Append(nil, "t", s, v)
	if err != nil {
		b.Fatal(err)
	}
	n, err := c.settings.fromConnect(s)
	if err != nil {
		b.Fatal(err)
	}
	general := avro.MustParse(string(appendSchema(nil, n)))
	b.ReportAllocs()
	for b.Loop() {
		var out any
		if _, err := general.Decode(record[5:], &out); err != nil {
			b.Fatal(err)
		}
	}
}
