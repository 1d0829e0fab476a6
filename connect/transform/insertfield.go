package transform

import (
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

const insertPurpose = "field insertion"

var insertFieldDef = config.NewDef(
	insertKey("topic.field", "the topic"),
	insertKey("partition.field", "the partition"),
	insertKey("offset.field", "the offset; of sink connectors only"),
	insertKey("timestamp.field", "the timestamp of the record"),
	insertKey("static.field", "static.value"),
	config.Key{Name: "static.value", Type: config.String, Importance: config.Medium, Doc: "The text for static.field."},
	replaceNullKey,
)

func insertKey(name, what string) config.Key {
	return config.Key{Name: name, Type: config.String, Importance: config.Medium,
		Doc: "The field for " + what + ". A ! at its end makes the field required, a ? optional, which it is without either."}
}

// insertion is one inserted field.
type insertion struct {
	name   string
	schema *data.Schema
	value  func(r *connect.Record) data.Value
	always bool // is stored also when it is null
	sink   bool // only records of sink connectors have it
}

// InsertField adds fields with what is known of the record, or with a text.
type InsertField struct {
	side    side
	inserts []insertion
	replace bool
	schemas derived[*arrangement]
}

var _ connect.Transformation = (*InsertField)(nil)

// Configure implements connect.Transformation.
func (t *InsertField) Configure(m config.Map) error {
	v, err := parse(insertFieldDef, m)
	if err != nil {
		return err
	}
	static, hasStatic := v.OptString("static.value")
	timestamp := data.NewTimestampBuilder().MustBuild()
	for _, f := range []struct {
		key    string
		schema *data.Schema
		value  func(r *connect.Record) data.Value
	}{
		{"topic.field", data.StringSchema, func(r *connect.Record) data.Value {
			if r.Topic == connect.NoTopic {
				return data.Null
			}
			return data.StringOf(r.Topic)
		}},
		{"partition.field", data.Int32Schema, func(r *connect.Record) data.Value {
			if r.Partition == connect.NoPartition {
				return data.Null
			}
			return data.Int32Of(r.Partition)
		}},
		{"offset.field", data.Int64Schema, func(r *connect.Record) data.Value { return data.Int64Of(r.Origin.Offset) }},
		{"timestamp.field", timestamp, func(r *connect.Record) data.Value {
			if r.Timestamp == connect.NoTimestamp {
				return data.Null
			}
			return data.InstantOf(r.Timestamp)
		}},
		{"static.field", data.StringSchema, func(*connect.Record) data.Value { return data.StringOf(static) }},
	} {
		text, ok := v.OptString(f.key)
		if !ok {
			continue // an empty one is a field without a name, as in Java
		}
		name, optional := strings.TrimSuffix(text, "?"), true
		if n, required := strings.CutSuffix(text, "!"); required {
			name, optional = n, false
		}
		schema := f.schema
		if optional {
			if schema, err = data.NewBuilder(schema.Type()).Like(schema).Optional().Build(); err != nil {
				return err
			}
		}
		t.inserts = append(t.inserts, insertion{name, schema, f.value, f.key == "topic.field", f.key == "offset.field"})
		if f.key == "static.field" && !hasStatic {
			return config.Invalid("static.value", nil, "No value specified for static field: org.apache.kafka.connect.transforms.InsertField$InsertionSpec@0")
		}
	}
	if len(t.inserts) == 0 {
		return &config.Error{Whole: true, Message: "No field insertion configured"}
	}
	t.replace = v.Bool("replace.null.with.default")
	return nil
}

// Apply implements connect.Transformation.
func (t *InsertField) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	if value.IsNull() {
		return true, nil
	}
	if schema == nil {
		from, err := mapOf(value, insertPurpose)
		if err != nil {
			return false, err
		}
		to := &data.Map{Entries: append(make([]data.Entry, 0, len(from.Entries)+len(t.inserts)), from.Entries...)}
		for i := range t.inserts {
			in := &t.inserts[i]
			v, err := in.of(r)
			if err != nil {
				return false, err
			}
			if v.Kind() == data.KindInstant {
				v = data.Int64Of(v.Instant())
			}
			if !v.IsNull() || in.always {
				to.Put(in.name, v)
			}
		}
		t.side.set(r, nil, data.MapOf(to))
		return true, nil
	}
	from, err := structOf(value, insertPurpose)
	if err != nil {
		return false, err
	}
	return true, rearrange(t, &t.schemas, r, from.Schema(), from)
}

// of returns what goes into the field for a record.
func (in *insertion) of(r *connect.Record) (data.Value, error) {
	if in.sink && r.Source != nil {
		return data.Null, connect.NewDataError("Only SinkRecord supported for ["+insertPurpose+"], found: org.apache.kafka.connect.source.SourceRecord", nil)
	}
	return in.value(r), nil
}

func (t *InsertField) arranges() side { return t.side }

func (t *InsertField) arrange(s *data.Schema) (*arrangement, error) {
	a := &arrangement{}
	b := data.NewStructBuilder().Like(s)
	for i, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
		a.fields = append(a.fields, copied(&f, i, t.replace))
	}
	for i := range t.inserts {
		in := &t.inserts[i]
		b.Field(in.name, in.schema)
		// Java does not put a null, even where the field is required.
		a.fields = append(a.fields, origin{name: in.name, schema: in.schema, from: -1, made: in.of, unset: !in.always})
	}
	var err error
	a.schema, err = b.Build()
	return a, err
}
