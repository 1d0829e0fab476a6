package connect

import (
	"fmt"
	"math"
	"strings"

	"kconnect/connect/data"
)

// NoPartition and NoTimestamp say that a source record leaves the partition
// to the producer and the timestamp to the moment of production. The ms before
// the epoch, -1, is a timestamp.
const (
	NoPartition = -1
	NoTimestamp = math.MinInt64
)

// NoTopic is the topic of a record that a plugin made without one, Java's null:
// transformations can tell it from an empty name. Kafka takes neither.
const NoTopic = "\x00"

// Header is one header of a record, before conversion.
type Header struct {
	Key    string
	Schema *data.Schema
	Value  data.Value
}

// Record is one record on its way through a task: source records from Poll to
// the producer, sink records from the consumer to Put. Transformations see
// both. Slices and values that it refers to are shared and must not be changed
// in place; set a field of the Record instead.
type Record struct {
	Topic       string
	Partition   int32 // NoPartition when the producer shall choose
	Timestamp   int64 // ms since the epoch, or NoTimestamp
	KeySchema   *data.Schema
	Key         data.Value
	ValueSchema *data.Schema
	Value       data.Value
	Headers     []Header

	// Source is where a source record comes from; nil on sink records.
	Source *SourcePartition
	// SourceOffset is the position to go on from once this record is in Kafka.
	SourceOffset SourceOffset

	// Origin is where a sink record was consumed; transformations may change
	// Topic and Partition but not this.
	Origin Origin
}

// String returns the record as Java prints it, for messages.
func (r *Record) String() string {
	var b strings.Builder
	topic := r.Topic
	if topic == NoTopic {
		topic = "null"
	}
	number := func(n, none int64) string {
		if n == none {
			return "null"
		}
		return fmt.Sprint(n)
	}
	if r.Source != nil {
		fmt.Fprintf(&b, "SourceRecord{sourcePartition=%s, sourceOffset=%s}", r.Source, r.SourceOffset)
	} else {
		fmt.Fprintf(&b, "SinkRecord{kafkaOffset=%d, timestampType=%s, originalTopic=%s, originalKafkaPartition=%d, originalKafkaOffset=%d}",
			r.Origin.Offset, r.Origin.TimestampType, r.Origin.Topic, r.Origin.Partition, r.Origin.Offset)
	}
	fmt.Fprintf(&b, " ConnectRecord{topic='%s', kafkaPartition=%s, key=%s, keySchema=%s, value=%s, valueSchema=%s, timestamp=%s, headers=ConnectHeaders(headers=",
		topic, number(int64(r.Partition), NoPartition), r.Key, r.KeySchema, r.Value, r.ValueSchema, number(r.Timestamp, NoTimestamp))
	for i, h := range r.Headers {
		if i == 0 {
			b.WriteString("[")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "ConnectHeader(key=%s, value=%s, schema=%s)", h.Key, h.Value, h.Schema)
	}
	if len(r.Headers) > 0 {
		b.WriteString("]")
	}
	b.WriteString(")}")
	return b.String()
}

// Origin is the place of a consumed record in Kafka.
type Origin struct {
	Topic         string
	Partition     int32
	Offset        int64
	TimestampType string // CreateTime, LogAppendTime or NoTimestampType
	// Index is the record's number in its delivery. It belongs to the worker,
	// which finds the consumed bytes by it.
	Index int
}

// Field is one entry of a source partition or offset. Its value is null, a
// boolean, a string, an int64 or a float64.
type Field struct {
	Name  string
	Value data.Value
}

// SourcePartition names one partition of a source, such as one table. A task
// makes it once and sets the same pointer on every record of the partition.
type SourcePartition struct{ Fields []Field }

// AsidePrefix begins the name of a field that makes a source partition one of a
// task's own notes about the partition that the other fields name. What is
// aside is stored before all other offsets of a commit, so that a position is
// never there without the notes that it needs. Users do not see it among the
// offsets of a connector, and it goes when they change or remove the offset of
// the partition that it is about.
const AsidePrefix = "kconnect."

// Aside returns the partition of notes about p under a name of the task's choice.
func (p *SourcePartition) Aside(name string) *SourcePartition {
	fields := append([]Field{}, p.Fields...)
	return &SourcePartition{Fields: append(fields, Field{Name: AsidePrefix + name, Value: data.StringOf("1")})}
}

// String returns the partition as Java prints a map.
func (p *SourcePartition) String() string {
	text := make([]string, len(p.Fields))
	for i, f := range p.Fields {
		text[i] = f.Name + "=" + f.Value.String()
	}
	return "{" + strings.Join(text, ", ") + "}"
}

// SourceOffset is a position within a source partition. Names is shared by
// all records of one shape, Values has one value for each name. An offset
// without names stores nothing (bulk reads).
type SourceOffset struct {
	Names  []string
	Values []data.Value
}

// Get returns the value under a name, or null.
func (o SourceOffset) Get(name string) data.Value {
	for i, n := range o.Names {
		if n == name {
			return o.Values[i]
		}
	}
	return data.Null
}

// String returns the offset as Java prints a map.
func (o SourceOffset) String() string {
	text := make([]string, len(o.Names))
	for i, n := range o.Names {
		text[i] = n + "=" + o.Values[i].String()
	}
	return "{" + strings.Join(text, ", ") + "}"
}
