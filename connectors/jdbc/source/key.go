package source

import (
	"fmt"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// recordKey is how a row's record gets its key (kconnect.key.mode=primary_key):
// a struct of the primary key's columns, in the order of the table, with the
// fields that they have in the value. Its schema is named after the table with
// .Key behind it, so that it is not mistaken for the value's.
type recordKey struct {
	schema *data.Schema
	fields []int // indexes in the value
}

// keyColumns returns the columns of a table's primary key.
func keyColumns(d dialect.Dialect, t *table, definition *dialect.Table) ([]string, error) {
	names := definition.PrimaryKey()
	if len(names) == 0 {
		return nil, configError(fmt.Sprintf("%s is primary_key, and table %s has no primary key: leave the table out, or set %s=none", keyKeyMode, t.label(d), keyKeyMode), nil)
	}
	return names, nil
}

// newRecordKey makes the key of records whose value is of schema value. before
// is the key schema so far, which is kept where it is the same.
func newRecordKey(table string, columns []string, value, before *data.Schema) (recordKey, error) {
	var k recordKey
	b := data.NewStructBuilder().Named(table + ".Key")
	for _, name := range columns {
		i := value.Field(name)
		if i < 0 {
			return k, connect.NewDataError(fmt.Sprintf("column %s of the primary key of table %s is not in its records: its type has no counterpart there, or it was dropped since the task started (restart the task)", name, table), nil)
		}
		b.Field(name, value.Fields()[i].Schema)
		k.fields = append(k.fields, i)
	}
	var err error
	if k.schema, err = b.Build(); err != nil {
		return k, err
	}
	if k.schema.Equal(before) {
		k.schema = before
	}
	return k, nil
}

// set puts the key of a row to its record.
func (k *recordKey) set(rec *connect.Record, values []data.Value, b *connect.SourceBatch) {
	if k.schema == nil {
		return
	}
	key := b.Values(len(k.fields))
	for i, f := range k.fields {
		key[i] = values[f]
	}
	rec.KeySchema, rec.Key = k.schema, b.Struct(k.schema, key)
}
