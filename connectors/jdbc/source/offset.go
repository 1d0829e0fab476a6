package source

import (
	"context"
	"fmt"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// The names in offsets, each slice in the order in which Java stores them.
var (
	incrementingNames          = []string{"incrementing"}
	timestampNames             = []string{"timestamp_nanos", "timestamp"}
	timestampIncrementingNames = []string{"timestamp_nanos", "incrementing", "timestamp"}
)

// position is how far a table was read.
type position struct {
	hasID, hasTimestamp bool
	id                  int64
	timestamp           dialect.Timestamp // 1970 when there is none, where first reads begin
}

// lastID returns the id to read after. Ids below 0 are never read at a first
// start, as in Java.
func (p position) lastID() int64 {
	if !p.hasID {
		return -1
	}
	return p.id
}

// before reports whether reading from o on would pass p by.
func (p position) before(o position) bool {
	switch {
	case p.timestamp.Seconds != o.timestamp.Seconds:
		return p.timestamp.Seconds < o.timestamp.Seconds
	case p.timestamp.Nanos != o.timestamp.Nanos:
		return p.timestamp.Nanos < o.timestamp.Nanos
	}
	return p.id < o.id
}

// offset returns the position as it is stored; without names when there is
// nothing to store.
func (p position) offset(m mode, b *connect.SourceBatch) connect.SourceOffset {
	switch {
	case m == incrementing && p.hasID:
		v := b.Values(1)
		v[0] = data.Int64Of(p.id)
		return connect.SourceOffset{Names: incrementingNames, Values: v}
	case m == timestamp && p.hasTimestamp:
		v := b.Values(2)
		v[0], v[1] = data.Int64Of(int64(p.timestamp.Nanos)), data.Int64Of(p.timestamp.Millis())
		return connect.SourceOffset{Names: timestampNames, Values: v}
	case m == timestampIncrementing && p.hasTimestamp && p.hasID:
		v := b.Values(3)
		v[0], v[1], v[2] = data.Int64Of(int64(p.timestamp.Nanos)), data.Int64Of(p.id), data.Int64Of(p.timestamp.Millis())
		return connect.SourceOffset{Names: timestampIncrementingNames, Values: v}
	}
	return connect.SourceOffset{}
}

// parsePosition reads a stored offset. timestamp_nanos is the whole fraction of
// the second; without it the milliseconds of timestamp are all there is.
func parsePosition(o connect.SourceOffset) (position, error) {
	var p position
	id, hasID, err := integer(o, "incrementing")
	if err != nil {
		return p, err
	}
	ms, hasTimestamp, err := integer(o, "timestamp")
	if err != nil {
		return p, err
	}
	nanos, hasNanos, err := integer(o, "timestamp_nanos")
	if err != nil {
		return p, err
	}
	p.id, p.hasID = id, hasID
	if hasTimestamp {
		p.timestamp, p.hasTimestamp = dialect.TimestampOf(ms), true
		if hasNanos {
			if nanos < 0 || nanos > 999_999_999 {
				return p, configError(fmt.Sprintf("the stored offset has timestamp_nanos %d: it must be from 0 to 999999999", nanos), nil)
			}
			p.timestamp.Nanos = int32(nanos)
		}
	}
	return p, nil
}

func integer(o connect.SourceOffset, name string) (int64, bool, error) {
	switch v := o.Get(name); v.Kind() {
	case data.KindNull:
		return 0, false, nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return v.Int(), true, nil
	}
	return 0, false, configError(fmt.Sprintf("the stored offset has a %s that is no whole number: reset or alter the connector's offsets", name), nil)
}

// tablePartition names a table in offsets: in the form of protocol 1 with its
// dotted name, which new offsets have.
func tablePartition(id dialect.TableID) *connect.SourcePartition {
	return &connect.SourcePartition{Fields: []connect.Field{
		{Name: "protocol", Value: data.StringOf("1")}, {Name: "table", Value: data.StringOf(id.String())},
	}}
}

// barePartition names a table by its bare name: in the older form of offsets,
// which is read but never written, and in bulk mode, which stores none.
func barePartition(id dialect.TableID) *connect.SourcePartition {
	return &connect.SourcePartition{Fields: []connect.Field{{Name: "table", Value: data.StringOf(id.Name)}}}
}

func queryPartition() *connect.SourcePartition {
	return &connect.SourcePartition{Fields: []connect.Field{{Name: "query", Value: data.StringOf("query")}}}
}

// notesName names what a table remembers about its gaps among the offsets.
const notesName = "gaps"

// storedPosition returns where to go on, by the first of the partitions that
// has an offset.
func storedPosition(ctx context.Context, offsets connect.OffsetReader, partitions ...*connect.SourcePartition) (position, error) {
	for _, p := range partitions {
		o, err := offsets.Offset(ctx, p)
		if err != nil {
			return position{}, err
		}
		if len(o.Names) > 0 {
			return parsePosition(o)
		}
	}
	return position{}, nil
}
