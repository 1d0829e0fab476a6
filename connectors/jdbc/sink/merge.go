package sink

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// mergedKeys is the most key columns that merge looks at.
const mergedKeys = 4

// mergeable reports whether the order of a delivery's rows cannot be seen in
// the table afterwards, so that only the last record of each key has to be
// written, sorted by key, which keeps parallel tasks from dead-locking and
// lets the server insert in order. That needs keys of integers, one text among
// them at most, because databases have their own ideas of equal texts (see
// plainText), and the key as the only unique index, because otherwise rows of different keys touch each other (golden
// jdbc-sink/upsert-mariadb-other-unique-key, upsert-mariadb-table-lacks-key).
func mergeable(s *shape, t *table) bool {
	if s.keys == 0 || s.keys > mergedKeys || len(t.unique) != 1 || len(t.unique[0]) != s.keys {
		return false
	}
	texts := 0
	for i := range s.keys {
		name := s.bound[i].Name
		if !slices.ContainsFunc(t.unique[0], func(u string) bool { return strings.EqualFold(u, name) }) {
			return false
		}
		c, ok := t.def.Column(name)
		if !ok || c.AutoIncrement { // a zero there asks for a new id
			return false
		}
		switch schema := s.bound[i].schema; {
		case schema.HasName():
			return false
		case schema.Type() <= data.Int64:
		case schema.Type() == data.String && plainColumn(c):
			texts++
		default:
			return false
		}
	}
	return texts <= 1
}

// plainColumn reports whether a column holds texts of which two are equal only
// if they are the same or differ in letter case, as far as plainText goes. Some
// languages have others: in Hungarian, ccs is as good as cscs.
func plainColumn(c *dialect.TableColumn) bool {
	typ := strings.ToLower(c.Type)
	if !strings.HasPrefix(typ, "char") && !strings.HasPrefix(typ, "varchar") && !strings.HasPrefix(typ, "text") {
		return false
	}
	_, rules, ok := strings.Cut(c.Collation, "_") // behind the character set
	if !ok {
		return true
	}
	return slices.ContainsFunc([]string{"general_", "bin", "unicode_", "0900_", "nopad_bin", "swedish_ci"}, func(p string) bool { return strings.HasPrefix(rules, p) }) ||
		strings.HasPrefix(rules, "uca1400_") && len(strings.Split(rules, "_")) <= 3 // of no language
}

// plainText reports whether a text is made of visible ASCII characters alone,
// which no database leaves out or takes for others but for their case, and
// which cases its letters have.
func plainText(s string) (plain, upper, lower bool) {
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f:
			return false, false, false
		case 'A' <= c && c <= 'Z':
			upper = true
		case 'a' <= c && c <= 'z':
			lower = true
		}
	}
	return true, upper, lower
}

// entry is one record in merge.
type entry struct {
	key    [mergedKeys]int64
	text   string // the one part of the key that is a text
	record int
	remove bool
}

func (e *entry) compare(o *entry) int {
	for i := range e.key {
		if c := cmp.Compare(e.key[i], o.key[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(e.text, o.text)
}

// merger reduces a stretch of writes and deletes to what has to be done. Its
// slices are used again.
type merger struct {
	entries         []entry
	deletes, writes []int
}

// mergeableRuns returns how many of the first runs of a table one merge
// covers, and the shape of their writes, which is nil when there are only
// deletes.
func mergeableRuns(runs []run) (n int, writes *shape) {
	for i := range runs {
		r := &runs[i]
		if !r.shape.merges || !r.shape.key.Equal(runs[0].shape.key) {
			return i, writes
		}
		if r.op == opDelete {
			continue
		}
		if writes != nil && writes != r.shape {
			return i, writes
		}
		writes = r.shape
	}
	return len(runs), writes
}

// merge reads the runs' records and leaves in m.deletes one record of every
// key that is deleted at some time, and in m.writes the last record of every
// key that remains. Executing all deletes and then all writes gives the table
// that executing every record in order gives. It reports false when nothing can
// be said about the order: a key is null or no plain text, or texts have letters
// of both cases, so that two may be equal to the database.
func (m *merger) merge(t *table, runs []run, records []connect.Record) bool {
	m.entries, m.deletes, m.writes = m.entries[:0], m.deletes[:0], m.writes[:0]
	ascending, upper, lower := true, false, false
	for i := range runs {
		r := &runs[i]
		for _, record := range t.rows[r.from:r.to] {
			e := entry{record: record, remove: r.op == opDelete}
			for k := range r.shape.keys {
				v := r.shape.bound[k].value(&records[record])
				if v.IsNull() {
					return false
				}
				if v.Kind() != data.KindString {
					e.key[k] = v.Int()
					continue
				}
				plain, up, low := plainText(v.Str())
				upper, lower = upper || up, lower || low
				if !plain || upper && lower {
					return false
				}
				e.text = v.Str()
			}
			if n := len(m.entries); n > 0 && m.entries[n-1].compare(&e) >= 0 {
				ascending = false
			}
			m.entries = append(m.entries, e)
		}
	}
	if !ascending {
		slices.SortStableFunc(m.entries, func(a, b entry) int { return a.compare(&b) })
	}
	for i := 0; i < len(m.entries); {
		last := i
		removed := m.entries[i].remove
		for last+1 < len(m.entries) && m.entries[last+1].compare(&m.entries[i]) == 0 {
			last++
			removed = removed || m.entries[last].remove
		}
		if removed {
			m.deletes = append(m.deletes, m.entries[last].record)
		}
		if !m.entries[last].remove {
			m.writes = append(m.writes, m.entries[last].record)
		}
		i = last + 1
	}
	return true
}

// metKeys are the keys of a statement's rows. Its memory is used again.
type metKeys struct {
	keys map[string]struct{}
	text []byte
}

func (m *metKeys) reset() {
	if m.keys == nil {
		m.keys = map[string]struct{}{}
	}
	clear(m.keys)
}

// add reports whether the key of a record is not among them yet, and adds it.
func (m *metKeys) add(s *shape, r *connect.Record) bool {
	m.text = m.text[:0]
	for i := range s.keys {
		m.text = appendKey(m.text, s.bound[i].value(r))
	}
	if _, met := m.keys[string(m.text)]; met {
		return false
	}
	m.keys[string(m.text)] = struct{}{}
	return true
}

// appendKey appends a value so that no other value of its kind, with whatever
// follows, comes to the same bytes.
func appendKey(dst []byte, v data.Value) []byte {
	switch v.Kind() {
	case data.KindString, data.KindBytes:
		text := v.Str()
		return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	case data.KindBool, data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64, data.KindFloat32, data.KindFloat64, data.KindInstant:
		return binary.AppendVarint(dst, v.Int())
	default:
		text := v.String()
		return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
}
