package sink

import (
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
)

// The key columns of pk.mode=kafka when pk.fields names none.
var kafkaFields = []string{"__connect_topic", "__connect_partition", "__connect_offset"}

// Remedies for records without what the configuration needs of them.
const (
	remedyKeySchema = "use a key converter that gives a schema, such as JsonConverter with key.converter.schemas.enable=true, " +
		"or take the key from the value by pk.mode=record_value or the transformation ValueToKey"
	remedyValueSchema = "use a value converter that gives a schema, such as JsonConverter with value.converter.schemas.enable=true and an envelope of schema and payload, " +
		"or let errors.tolerance=all with errors.deadletterqueue.topic.name take such records"
	remedyTombstone = "set delete.enabled=true with pk.mode=record_key, drop tombstones by the transformation Filter with the predicate RecordIsTombstone, " +
		"or let errors.tolerance=all with errors.deadletterqueue.topic.name take them"
)

// origin says where the value of a column comes from.
type origin uint8

const (
	fromValueField origin = iota // a field of the record's value
	fromKeyField                 // a field of the record's key
	fromKey                      // the whole key
	fromValue                    // the whole value, a string
	fromTopic
	fromPartition
	fromOffset
)

// field is one column that records of one shape fill.
type field struct {
	name   string
	schema *data.Schema
	key    bool
	from   origin
	index  int // of the field in its struct
}

// optional reports whether the column may hold null: a key column never may,
// whatever its schema says.
func (f *field) optional() bool { return !f.key && f.schema.Optional() }

// String returns the form in which messages show a field (golden
// jdbc-sink/missing-column-no-evolve).
func (f *field) String() string {
	key := "false"
	if f.key {
		key = "true"
	}
	return "SinkRecordField{schema=" + f.schema.String() + ", name='" + f.name + "', isPrimaryKey=" + key + "}"
}

// columns is what records of one key schema and one value schema fill, in the
// two orders that matter.
type columns struct {
	keys   []field // in the order of pk.fields
	others []field // in the order of the value schema
	ddl    []field // in the order of CREATE TABLE
}

// bound returns the columns in the order of INSERT and upsert statements.
func (c *columns) bound() []field { return slices.Concat(c.keys, c.others) }

// planColumns chooses the columns for records of two schemas (spec
// jdbc-sink.md, section 3). A nil value schema is that of a tombstone.
func planColumns(s *settings, table string, key, value *data.Schema) (*columns, error) {
	c := &columns{}
	var err error
	switch s.pkMode {
	case pkNone:
	case pkKafka:
		err = c.addKafkaKeys(s, table)
	case pkRecordKey:
		err = c.addRecordKeys(s, table, key)
	case pkRecordValue:
		err = c.addValueKeys(s, table, value)
	}
	if err != nil {
		return nil, err
	}
	if err := c.addOthers(s, value); err != nil {
		return nil, err
	}
	if len(c.keys)+len(c.others) == 0 {
		return nil, settingError("No fields found using key and value schemas for table: "+table,
			"let fields.whitelist name fields that the records have, or leave it out")
	}
	c.order(value)
	return c, nil
}

func (c *columns) addKafkaKeys(s *settings, table string) error {
	names := s.pkFields
	if len(names) == 0 {
		names = kafkaFields
	}
	if len(names) != len(kafkaFields) {
		return settingError("PK mode for table '"+table+"' is KAFKA so there should either be no field names defined for defaults "+
			javaList(kafkaFields)+" to be applicable, or exactly 3, defined fields are: "+javaList(names),
			"name three columns in pk.fields, for topic, partition and offset, or leave it out")
	}
	c.keys = []field{
		{name: names[0], schema: data.StringSchema, key: true, from: fromTopic},
		{name: names[1], schema: data.Int32Schema, key: true, from: fromPartition},
		{name: names[2], schema: data.Int64Schema, key: true, from: fromOffset},
	}
	return nil
}

func (c *columns) addRecordKeys(s *settings, table string, key *data.Schema) error {
	switch {
	case key == nil:
		return recordError("PK mode for table '"+table+"' is RECORD_KEY, but record key schema is missing", remedyKeySchema)
	case key.Type().Primitive():
		if len(s.pkFields) != 1 {
			return settingError("Need exactly one PK column defined since the key schema for records is a primitive type, defined columns are: "+
				javaList(s.pkFields), "set pk.fields to the name of the one column that takes the key")
		}
		c.keys = []field{{name: s.pkFields[0], schema: key, key: true, from: fromKey}}
		return nil
	case key.Type() == data.StructType:
		return c.addStructKeys(s, table, "RECORD_KEY", "key", key, fromKeyField)
	}
	return recordError("Key schema must be primitive type or Struct, but is of type: "+key.Type().String(),
		"take the key from the value by the transformation ValueToKey, or set pk.mode=record_value")
}

func (c *columns) addValueKeys(s *settings, table string, value *data.Schema) error {
	switch {
	case value == nil:
		return recordError("PK mode for table '"+table+"' is RECORD_VALUE, but record value schema is missing", remedyValueSchema)
	case value.Type() == data.String:
		return settingError("pk.mode record_value is not supported with String value schemas",
			"set pk.mode to none, kafka or record_key, or use a value converter that gives structs")
	case value.Type() != data.StructType:
		return recordError("Value schema must be of type Struct", remedyValueSchema)
	}
	return c.addStructKeys(s, table, "RECORD_VALUE", "value", value, fromValueField)
}

func (c *columns) addStructKeys(s *settings, table, mode, part string, schema *data.Schema, from origin) error {
	names := s.pkFields
	if len(names) == 0 {
		for _, f := range schema.Fields() {
			names = append(names, f.Name)
		}
	}
	for _, name := range names {
		i := schema.Field(name)
		if i < 0 {
			return recordError("PK mode for table '"+table+"' is "+mode+" with configured PK fields "+javaList(s.pkFields)+
				", but record "+part+" schema does not contain field: "+name, "let pk.fields name fields of the "+part+", which has "+fieldNames(schema))
		}
		if c.isKey(name) {
			continue // named twice
		}
		c.keys = append(c.keys, field{name: name, schema: schema.Fields()[i].Schema, key: true, from: from, index: i})
	}
	return nil
}

func (c *columns) addOthers(s *settings, value *data.Schema) error {
	if value == nil {
		return nil
	}
	switch value.Type() {
	case data.StructType:
	case data.String:
		c.others = []field{{name: s.stringColumn, schema: data.OptionalStringSchema, from: fromValue}}
		return nil
	default:
		return recordError("Value schema must be of type Struct or String", remedyValueSchema)
	}
	for i, f := range value.Fields() {
		if c.isKey(f.Name) || len(s.whitelist) > 0 && !slices.Contains(s.whitelist, f.Name) {
			continue
		}
		c.others = append(c.others, field{name: f.Name, schema: f.Schema, from: fromValueField, index: i})
	}
	return nil
}

func (c *columns) isKey(name string) bool {
	return slices.ContainsFunc(c.keys, func(f field) bool { return f.name == name })
}

// order sorts the columns as CREATE TABLE lists them: the default names of
// pk.mode=kafka, then in the order of the value schema, then the rest by name.
func (c *columns) order(value *data.Schema) {
	place := func(f *field) int {
		if i := slices.Index(kafkaFields, f.name); i >= 0 {
			return i
		}
		if value != nil && value.Type() == data.StructType {
			if i := value.Field(f.name); i >= 0 {
				return len(kafkaFields) + i
			}
		}
		return 1 << 30
	}
	c.ddl = c.bound()
	slices.SortStableFunc(c.ddl, func(a, b field) int {
		if p, q := place(&a), place(&b); p != q {
			return p - q
		}
		return strings.Compare(a.name, b.name)
	})
}

// recordError is a fault of the record, because others may be different (D10).
// Its message is Java's, so that the remedy stands apart.
func recordError(message, remedy string) error {
	return &connect.Error{Kind: connect.Data, Message: message, Remedy: remedy}
}

// settingError is a fault of a setting that shows with the first record.
func settingError(message, remedy string) error {
	return &connect.Error{Message: message, Remedy: remedy}
}

// fieldNames lists the fields of a struct, for remedies.
func fieldNames(s *data.Schema) string {
	names := make([]string, 0, len(s.Fields()))
	for _, f := range s.Fields() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// javaList returns the text of a Java list of strings.
func javaList(items []string) string { return "[" + strings.Join(items, ", ") + "]" }
