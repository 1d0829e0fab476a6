package connect

import (
	"kconnect/connect/data"
)

// NoPartition and NoTimestamp say that a source record leaves the partition
// to the producer and the timestamp to the moment of production.
const (
	NoPartition = -1
	NoTimestamp = -1
)

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
