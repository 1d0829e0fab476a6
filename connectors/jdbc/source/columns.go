package source

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// layout is how the rows of one result set become records. It is made anew for
// every result set, since a table may have changed between two; the schema of
// the last one is kept where nothing did, because converters look it up by its
// pointer.
type layout struct {
	schema  *data.Schema
	key     recordKey
	columns []column
	same    []sameColumn
	id      int   // index in columns of the incrementing column, or -1
	times   []int // indexes in columns of the timestamp columns
}

// column is one column that goes into records, in the order of the schema.
type column struct {
	dialect.Column
	name   string
	source int // index in the result set
}

// sameColumn is a column that a query selects a second time. It goes into the
// record once, so its values must be those of the first (D17).
type sameColumn struct {
	name          string
	first, second int // indexes in the result set
}

// newLayout describes a result set with its first row in fields. name is that
// of the record schema, empty in query mode.
func newLayout(d dialect.Dialect, fields []dialect.Field, name string, c *criteria, o dialect.ColumnOptions, warn func(string)) (*layout, error) {
	l := &layout{id: -1}
	b := data.NewStructBuilder()
	if name != "" {
		b.Named(name)
	}
	for i, f := range fields {
		if first := slices.IndexFunc(fields[:i], func(g dialect.Field) bool { return g.Name == f.Name }); first >= 0 {
			if g := fields[first]; g.Table != f.Table {
				return nil, connect.NewError(fmt.Sprintf("Cannot create field because of field name duplication %s: %s.%s and %s.%s are both selected, give one of them an alias",
					f.Name, g.Table, g.Name, f.Table, f.Name), nil)
			}
			l.same = append(l.same, sameColumn{f.Name, first, i})
			continue
		}
		read, err := d.Column(f, o)
		if err != nil {
			return nil, err
		}
		if read.Read == nil {
			warn(fmt.Sprintf("column %s of type %s is left out: the type has no counterpart in records", f.Name, f.Type))
			continue
		}
		b.Field(f.Name, read.Schema)
		l.columns = append(l.columns, column{read, f.Name, i})
	}
	var err error
	if l.schema, err = b.Build(); err != nil {
		return nil, err
	}
	return l, l.findPositionColumns(c)
}

// findPositionColumns looks for the columns of the mode. The incrementing
// column is found by its exact name, timestamp columns also by a name that
// differs in case, as in Java.
func (l *layout) findPositionColumns(c *criteria) error {
	if c.mode.incrementing() {
		if l.id = l.schema.Field(c.id); l.id < 0 {
			return connect.NewDataError(fmt.Sprintf("%s is not a valid field name: incrementing.column.name must be spelled as the column is, which is one of %s", c.id, l.names()), nil)
		}
		if err := checkIDType(l.columns[l.id].Schema); err != nil {
			return err
		}
	}
	if !c.mode.timestamp() {
		return nil
	}
	for _, name := range c.timestamps {
		i := l.schema.Field(name)
		for j := range l.columns {
			if i < 0 && strings.EqualFold(l.columns[j].name, name) {
				i = j
			} else if i != j && l.schema.Field(name) < 0 && strings.EqualFold(l.columns[j].name, name) {
				return connect.NewDataError(fmt.Sprintf("timestamp column %s is one of several columns that differ in case only: %s", name, l.names()), nil)
			}
		}
		if i < 0 {
			return connect.NewDataError(fmt.Sprintf("%s is not a valid field name: the columns are %s", name, l.names()), nil)
		}
		if l.columns[i].Instant == nil {
			return connect.NewError(fmt.Sprintf("Invalid type for timestamp column: %s is read as %s, which is no timestamp", name, l.columns[i].Schema), nil)
		}
		l.times = append(l.times, i)
	}
	return nil
}

func (l *layout) names() string {
	names := make([]string, len(l.columns))
	for i, c := range l.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// checkIDType refuses incrementing columns that are no whole numbers.
func checkIDType(s *data.Schema) error {
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		if s.Name() == "" {
			return nil
		}
	case data.Bytes:
		if s.Name() == data.DecimalName {
			if scale, _ := s.Param(data.DecimalScale); scale != "0" {
				return connect.NewError("Scale of Decimal value for incrementing column must be 0", nil)
			}
			return nil
		}
	}
	return connect.NewError("Invalid type for incrementing column: "+s.Type().String(), nil)
}

// read makes the values of one record. What they refer to is in b. A value
// that does not fit a 32-bit column is a *dialect.OutOfRangeError.
func (l *layout) read(row []driver.Value, b *connect.SourceBatch) ([]data.Value, error) {
	values := b.Values(len(l.columns))
	for i := range l.columns {
		c := &l.columns[i]
		if v := row[c.source]; v != nil {
			var err error
			if values[i], err = c.Read(v, b); err != nil {
				return nil, err
			}
		}
		if values[i].IsNull() && !c.Schema.Optional() {
			return nil, connect.NewDataError(fmt.Sprintf("Invalid value: null used for required field: %q, schema type: %s", c.name, c.Schema.Type()), nil)
		}
	}
	for _, s := range l.same {
		if !equalValues(row[s.first], row[s.second]) {
			return nil, connect.NewError(fmt.Sprintf("Cannot create field because of field name duplication %s: two columns of this name hold different values, give one of them an alias", s.name), nil)
		}
	}
	return values, nil
}

// position returns the position of a row whose values are already read.
func (l *layout) position(row []driver.Value, values []data.Value) (p position, err error) {
	if l.id >= 0 {
		if p.id, err = idOf(values[l.id], l.columns[l.id].Schema); err != nil {
			return p, err
		}
		p.hasID = true
	}
	if len(l.times) > 0 {
		p.timestamp, p.hasTimestamp, err = l.instant(row)
	}
	return p, err
}

// instant returns a row's timestamp: that of the first column that is not null.
func (l *layout) instant(row []driver.Value) (dialect.Timestamp, bool, error) {
	for _, i := range l.times {
		if v := row[l.columns[i].source]; v != nil {
			t, err := l.columns[i].Instant(v)
			return t, err == nil, err
		}
	}
	return dialect.Timestamp{}, false, nil
}

func idOf(v data.Value, s *data.Schema) (int64, error) {
	switch v.Kind() {
	case data.KindNull:
		return 0, connect.NewError("Null value for incrementing column of type: "+s.Type().String(), nil)
	case data.KindDecimal:
		id, ok := v.Decimal().Small()
		if !ok {
			return 0, connect.NewError("Decimal value for incrementing column exceeded Long.MAX_VALUE", nil)
		}
		return id, nil
	}
	return v.Int(), nil
}

func equalValues(a, b driver.Value) bool {
	x, ok1 := a.([]byte)
	y, ok2 := b.([]byte)
	if ok1 && ok2 {
		return string(x) == string(y)
	}
	return ok1 == ok2 && a == b
}
