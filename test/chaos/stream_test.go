// Package chaos kills the workers of a cluster again and again while sinks
// write what streams with a few hot keys bring, and compares the tables
// with the streams afterwards.
package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partitions is how many each topic has, and how many tasks each connector.
const partitions = 4

// stream makes the records of one topic. It belongs to one goroutine.
type stream struct {
	topic  string
	random *rand.Rand
	next   func(*stream) *kgo.Record
	made   [partitions]int // records of each partition
}

// hotKeys is how many keys change in each partition. One in three changes is of the first of them.
const hotKeys = 20

// key picks the number of a key and the partition that all its records are in.
func (s *stream) key() (key, partition int) {
	partition = s.random.IntN(partitions)
	n := 0
	if s.random.IntN(3) > 0 {
		n = s.random.IntN(hotKeys)
	}
	return n*partitions + partition, partition
}

// numbers makes changes of rows whose key is an integer, one in five a tombstone.
func numbers(s *stream) *kgo.Record {
	id, partition := s.key()
	key := fmt.Sprintf(`{"schema":{"type":"struct","optional":false,"fields":[{"field":"id","type":"int32","optional":false}]},"payload":{"id":%d}}`, id)
	return s.change(partition, key)
}

// texts is numbers with a text for a key.
func texts(s *stream) *kgo.Record {
	id, partition := s.key()
	key := fmt.Sprintf(`{"schema":{"type":"string","optional":false},"payload":"k%d"}`, id)
	return s.change(partition, key)
}

func (s *stream) change(partition int, key string) *kgo.Record {
	r := &kgo.Record{Topic: s.topic, Partition: int32(partition), Key: []byte(key)}
	// As with Java, a table that is made for a tombstone has its key columns alone: the first record is none.
	if s.made[partition] == 0 || s.random.IntN(5) > 0 {
		r.Value = s.value(partition)
	}
	s.made[partition]++
	return r
}

// events makes rows that are only ever inserted.
func events(s *stream) *kgo.Record {
	partition := s.random.IntN(partitions)
	r := &kgo.Record{Topic: s.topic, Partition: int32(partition), Value: s.value(partition)}
	s.made[partition]++
	return r
}

func (s *stream) value(partition int) []byte {
	return fmt.Appendf(nil, `{"schema":{"type":"struct","optional":false,"fields":[{"field":"part","type":"int32","optional":false},`+
		`{"field":"seq","type":"int64","optional":false}]},"payload":{"part":%d,"seq":%d}}`, partition, s.made[partition])
}

// replay applies changes one after the other and returns the rows that are left: their texts by key.
func replay(records []*kgo.Record) (map[string]string, error) {
	rows := map[string]string{}
	for _, r := range records {
		var key struct{ Payload json.RawMessage }
		if err := json.Unmarshal(r.Key, &key); err != nil {
			return nil, err
		}
		var id struct{ ID int }
		name := string(key.Payload)
		if err := json.Unmarshal(key.Payload, &id); err == nil {
			name = strconv.Itoa(id.ID)
		} else if err := json.Unmarshal(key.Payload, &name); err != nil {
			return nil, err
		}
		if r.Value == nil {
			delete(rows, name)
			continue
		}
		var value struct{ Payload struct{ Part, Seq int } }
		if err := json.Unmarshal(r.Value, &value); err != nil {
			return nil, err
		}
		rows[name] = fmt.Sprintf("part %d seq %d", value.Payload.Part, value.Payload.Seq)
	}
	return rows, nil
}

// inserted is what became of a stream of events.
type inserted struct {
	repeats, goBacks int
	faults           []string
}

// follow looks at the sequence numbers of one partition in the order in which they were inserted. A task may go back to the
// committed offset when its forerunner was killed, and repeat what comes after it; but no number follows one that comes more
// than one before it, for then a row was lost, or two tasks wrote at once.
func (f *inserted) follow(partition, made int, numbers []int) {
	last, highest := -1, -1
	for _, n := range numbers {
		if n > last+1 {
			f.faults = append(f.faults, fmt.Sprintf("partition %d: %d follows %d", partition, n, last))
		}
		if n <= last {
			f.goBacks++
		}
		if n <= highest {
			f.repeats++
		}
		last, highest = n, max(highest, n)
	}
	if highest+1 != made {
		f.faults = append(f.faults, fmt.Sprintf("partition %d: ends with row %d of %d", partition, highest+1, made))
	}
}
