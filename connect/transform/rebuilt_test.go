package transform_test

import (
	"strings"
	"testing"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
)

// TestRebuiltValuesAreValidated has records that break their own schema. The
// answers are those of the Java classes of 4.2.0: the text of the value, or
// the error's class and message.
func TestRebuiltValuesAreValidated(t *testing.T) {
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		t.Fatal(err)
	}
	one, five, x := data.Int32Of(1), data.Int64Of(5), data.StringOf("x")
	structOf := func(s *data.Schema, v ...data.Value) data.Value {
		made := data.MakeStruct(s, v)
		return data.StructOf(&made)
	}
	keyed := func(key data.Value) data.Value {
		return data.MapOf(&data.Map{Entries: []data.Entry{{Key: key, Value: x}, {Key: data.StringOf("k"), Value: x}}})
	}
	a := data.NewStructBuilder().Field("a", data.Int32Schema).MustBuild()
	ab := data.NewStructBuilder().Field("a", data.Int32Schema).Field("b", data.StringSchema).MustBuild()
	at := data.NewStructBuilder().Field("a", data.Int32Schema).Field("t", data.Int64Schema).MustBuild()
	byDefault := data.NewStructBuilder().Field("a", data.NewBuilder(data.Int32).Default(data.Int32Of(7)).MustBuild()).Field("t", data.Int64Schema).MustBuild()
	text := data.NewBuilder(data.String).Optional().MustBuild()

	const (
		dataError = connect.ClassData + ": "
		nullA     = dataError + `Invalid value: null used for required field: "a", schema type: INT32`
		nullB     = dataError + `Invalid value: null used for required field: "b", schema type: STRING`
		nullT     = dataError + `Invalid value: null used for required field: "t", schema type: INT64`
	)
	replace := config.Map{"exclude": "k"}
	rename := config.Map{"schema.name": "n"}
	convert := config.Map{"field": "t", "target.type": "Timestamp"}
	asIs := func(m config.Map) config.Map {
		n := config.Map{"replace.null.with.default": "false"}
		for k, v := range m {
			n[k] = v
		}
		return n
	}
	for _, c := range []struct {
		name, class string
		settings    config.Map
		schema      *data.Schema
		value       data.Value
		want        string
	}{
		{"null in a required field", "ReplaceField", replace, ab, structOf(ab, one, data.Null), nullB},
		{"null that stays null", "ReplaceField", asIs(replace), byDefault, structOf(byDefault, data.Null, five), nullA},
		{"value of another type", "ReplaceField", replace, ab, structOf(ab, five, x),
			dataError + `Invalid Java object for schema with type INT32: class java.lang.Long for field: "a"`},
		{"key that is a number", "ReplaceField", replace, nil, keyed(one),
			"java.lang.ClassCastException: class java.lang.Integer cannot be cast to class java.lang.String " +
				"(java.lang.Integer and java.lang.String are in module java.base of loader 'bootstrap')"},
		{"key that is null", "ReplaceField", replace, nil, keyed(data.Null), "{null=x}"},
		{"null in a required field", "SetSchemaMetadata", rename, ab, structOf(ab, one, data.Null), nullB},
		{"null that stays null", "SetSchemaMetadata", asIs(rename), byDefault, structOf(byDefault, data.Null, five), nullA},
		{"struct of fewer fields", "SetSchemaMetadata", rename, ab, structOf(a, one),
			"java.lang.ArrayIndexOutOfBoundsException: Index 1 out of bounds for length 1"},
		{"struct of more fields", "SetSchemaMetadata", rename, a, structOf(ab, one, x), "Struct{a=1}"},
		{"null in a required field", "TimestampConverter", convert, at, structOf(at, data.Null, five), nullA},
		{"null to convert", "TimestampConverter", convert, at, structOf(at, one, data.Null), nullT},
		{"null that stays null", "TimestampConverter", asIs(convert), byDefault, structOf(byDefault, data.Null, five), nullA},
		{"struct of fewer fields", "TimestampConverter", convert, at, structOf(a, one), "Struct{a=1}"},
		{"struct of more fields", "TimestampConverter", convert, a, structOf(at, one, five), dataError + "t is not a valid field name"},
		{"null of no struct", "TimestampConverter", convert, text, data.Null, dataError + "Cannot list fields on non-struct type"},
	} {
		t.Run(c.class+"/"+c.name, func(t *testing.T) {
			instance := registry.Find("org.apache.kafka.connect.transforms." + c.class + "$Value").New()
			if err := configure(instance, c.settings); err != nil {
				t.Fatal(err)
			}
			r := &connect.Record{Topic: "topic", ValueSchema: c.schema, Value: c.value}
			_, err := instance.(connect.Transformation).Apply(r)
			got := ""
			if err != nil {
				got = strings.TrimSuffix(connect.Trace(err), "\n")
			} else {
				got = r.Value.String()
			}
			if got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}
