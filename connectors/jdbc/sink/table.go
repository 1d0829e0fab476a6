package sink

import (
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// table is one target of the task. Several topics may share it.
type table struct {
	id     dialect.TableID // as statements name it
	def    *dialect.Table  // nil when it was not looked up, or is missing
	unique [][]string      // columns of its unique indexes; read for upserts only
	shapes []*shape        // the latest used first

	// What the delivery at hand has for it.
	rows []int // indices of records, in order of arrival
	runs []run
}

// run is a stretch of a table's rows that one kind of statement writes.
type run struct {
	shape    *shape
	op       operation
	from, to int // in table.rows
}

type operation uint8

const (
	opInsert operation = iota
	opUpsert
	opUpdate
	opDelete
)

// add appends a record to what the delivery has for the table.
func (t *table) add(s *shape, op operation, record int) {
	t.rows = append(t.rows, record)
	if n := len(t.runs); n > 0 && t.runs[n-1].shape == s && t.runs[n-1].op == op {
		t.runs[n-1].to++
		return
	}
	t.runs = append(t.runs, run{s, op, len(t.rows) - 1, len(t.rows)})
}

// shape is how records of one key schema and one value schema go into one table.
type shape struct {
	key, value *data.Schema
	columns    *columns
	ready      bool // the table has the columns, and the fields below are set

	bound   []column // in the order of INSERT; the first keys of them are the key
	keys    int
	merges  bool // see merge
	single  bool // upserts have one row a statement: see dialect.Target.MetTwice
	insert  func(rows int) string
	update  string
	remove  func(rows int) string
	batched map[statement]*dialect.Stmt

	loads      loads
	loadFaults int // loads in a row that were taken back
}

// names returns the columns of INSERT in the table's spelling.
func (s *shape) names() []string {
	names := make([]string, len(s.bound))
	for i := range s.bound {
		names[i] = s.bound[i].Name
	}
	return names
}

// column is one column of statements.
type column struct {
	field
	dialect.Bound
	null data.Value // written in place of null
}

// statement names a prepared statement of a shape.
type statement struct {
	op   operation
	rows int
}

// shapeFor returns the shape of two schemas, and nil when they are new. Schemas
// are compared by pointer first, because converters give the same pointer for
// the same schema.
func (t *table) shapeFor(key, value *data.Schema) *shape {
	for i, s := range t.shapes {
		if s.key == key && s.value == value {
			if i > 0 { // streams repeat the shape of the record before
				copy(t.shapes[1:i+1], t.shapes[:i])
				t.shapes[0] = s
			}
			return s
		}
	}
	for _, s := range t.shapes {
		if s.key.Equal(key) && s.value.Equal(value) {
			s.key, s.value = key, value
			return s
		}
	}
	return nil
}

// maxShapes bounds what a table remembers when every record has a schema of
// its own.
const maxShapes = 64

// remember puts a new shape first and returns those that are forgotten for it.
func (t *table) remember(s *shape) (forgotten []*shape) {
	t.shapes = slices.Insert(t.shapes, 0, s)
	if len(t.shapes) > maxShapes {
		forgotten = slices.Clone(t.shapes[maxShapes:])
		t.shapes = t.shapes[:maxShapes]
	}
	return forgotten
}

// tableName returns the table of a topic as table.name.format makes it.
func (s *settings) tableName(topic string) (string, error) {
	name := strings.ReplaceAll(s.tableFormat, "${topic}", topic)
	if strings.TrimSpace(name) == "" {
		return "", settingError("Destination table name for topic '"+topic+"' is empty using the format string '"+s.tableFormat+"'",
			"set table.name.format to a name, such as ${topic}")
	}
	return name, nil
}

// prepare sets how records of the shape become statements, once its table
// exists with all columns.
func (s *shape) prepare(set *settings, target dialect.Target, t *table) error {
	if set.mode == modeUpsert && len(s.columns.keys) == 0 {
		return settingError("Write to table '"+t.id.Text()+"' in UPSERT mode requires key field names to be known, check the primary key configuration",
			"set pk.mode to record_key, record_value or kafka")
	}
	s.bound = nil
	for _, f := range s.columns.bound() {
		existing, ok := t.def.Column(f.name)
		if !ok {
			existing = &dialect.TableColumn{Name: f.name}
		}
		c := column{field: f, Bound: target.Bind(f.name, f.schema, existing, set.bind)}
		if v, ok := f.schema.Default(); ok && (f.key || set.replaceNull) {
			c.null = v
		}
		s.bound = append(s.bound, c)
	}
	s.keys = len(s.columns.keys)
	bound := make([]dialect.Bound, len(s.bound))
	for i := range s.bound {
		bound[i] = s.bound[i].Bound
	}
	keys, others := bound[:s.keys:s.keys], bound[s.keys:]
	s.insert = func(rows int) string { return target.Insert(t.id, bound, rows) }
	if set.mode == modeUpsert {
		s.insert = func(rows int) string { return target.Upsert(t.id, keys, others, rows) }
	}
	s.update = target.Update(t.id, keys, others)
	s.remove = func(rows int) string { return target.Delete(t.id, keys, rows) }
	s.merges = set.mode == modeUpsert && mergeable(s, t)
	s.ready = true
	return nil
}

// text returns the statement of an operation on so many rows.
func (s *shape) text(k statement) string {
	switch k.op {
	case opUpdate:
		return s.update
	case opDelete:
		return s.remove(k.rows)
	case opInsert, opUpsert:
	}
	return s.insert(k.rows)
}

// arguments returns the columns whose values a statement takes, in order.
func (s *shape) arguments(op operation) (first, second []column) {
	switch op {
	case opUpdate:
		return s.bound[s.keys:], s.bound[:s.keys]
	case opDelete:
		return s.bound[:s.keys], nil
	case opInsert, opUpsert:
	}
	return s.bound, nil
}

// values returns how many values a statement takes for a row.
func (s *shape) values(op operation) int {
	first, second := s.arguments(op)
	return len(first) + len(second)
}

// value returns what a record has for a column.
func (c *column) value(r *connect.Record) data.Value {
	var v data.Value
	switch c.from {
	case fromValueField:
		v = r.Value.Struct().At(c.index)
	case fromKeyField:
		v = r.Key.Struct().At(c.index)
	case fromKey:
		v = r.Key
	case fromValue:
		v = r.Value
	case fromTopic:
		return data.StringOf(r.Topic)
	case fromPartition:
		return data.Int32Of(r.Partition)
	case fromOffset:
		return data.Int64Of(r.Origin.Offset)
	}
	if v.IsNull() {
		return c.null
	}
	return v
}
