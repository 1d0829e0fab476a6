package sink

import (
	"cmp"
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/data"
)

// mergedKeys is the most key columns that merge looks at.
const mergedKeys = 4

// mergeable reports whether the order of a delivery's rows cannot be seen in
// the table afterwards, so that only the last record of each key has to be
// written, sorted by key, which keeps parallel tasks from dead-locking and
// lets the server insert in order. That needs integer keys, because databases
// have their own ideas of equal texts, and the key as the only unique index,
// because otherwise rows of different keys touch each other (golden
// jdbc-sink/upsert-mariadb-other-unique-key, upsert-mariadb-table-lacks-key).
func mergeable(s *shape, t *table, keys []string) bool {
	if len(keys) == 0 || len(keys) > mergedKeys || len(t.unique) != 1 || len(t.unique[0]) != len(keys) {
		return false
	}
	for i, name := range keys {
		if !slices.ContainsFunc(t.unique[0], func(u string) bool { return strings.EqualFold(u, name) }) {
			return false
		}
		if c, ok := t.def.Column(name); !ok || c.AutoIncrement { // a zero there asks for a new id
			return false
		}
		if schema := s.bound[i].schema; schema.HasName() || schema.Type() > data.Int64 {
			return false
		}
	}
	return true
}

// entry is one record in merge.
type entry struct {
	key    [mergedKeys]int64
	record int
	remove bool
}

func (e *entry) compare(o *entry) int {
	for i := range e.key {
		if c := cmp.Compare(e.key[i], o.key[i]); c != 0 {
			return c
		}
	}
	return 0
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
// that executing every record in order gives. It reports false when a key is
// null, and then nothing can be said about the order.
func (m *merger) merge(t *table, runs []run, records []connect.Record) bool {
	m.entries, m.deletes, m.writes = m.entries[:0], m.deletes[:0], m.writes[:0]
	ascending := true
	for i := range runs {
		r := &runs[i]
		for _, record := range t.rows[r.from:r.to] {
			e := entry{record: record, remove: r.op == opDelete}
			for k := range r.shape.keys {
				v := r.shape.bound[k].value(&records[record])
				if v.IsNull() {
					return false
				}
				e.key[k] = v.Int()
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
