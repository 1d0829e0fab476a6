package worker

import (
	"context"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connect/storage"
)

// offsetReader reads a connector's stored positions for its tasks.
type offsetReader struct{ store *storage.ConnectorOffsets }

var _ connect.OffsetReader = (*offsetReader)(nil)

// Offset implements connect.OffsetReader.
func (r *offsetReader) Offset(ctx context.Context, p *connect.SourcePartition) (connect.SourceOffset, error) {
	found, err := r.store.Get(ctx, []storage.Fields{partitionFields(p)})
	if err != nil {
		return connect.SourceOffset{}, connect.NewRetriable("The stored offset cannot be read", err)
	}
	var o connect.SourceOffset
	for _, f := range found[0] {
		o.Names = append(o.Names, f.Name)
		o.Values = append(o.Values, fromPlain(f.Value))
	}
	return o, nil
}

// storeOffsets writes the offsets of one connector and waits until Kafka has
// them. What is aside is there before the rest is written (Promise 1).
func storeOffsets(ctx context.Context, store *storage.ConnectorOffsets, connector string, offsets map[*connect.SourcePartition]connect.SourceOffset) error {
	var aside, rest []storage.SourceOffset
	for p, o := range offsets {
		entry := storage.SourceOffset{Connector: connector, Partition: partitionFields(p), Offset: offsetFields(o).HashMapOrder()}
		if _, is := entry.Partition.Aside(); is {
			aside = append(aside, entry)
		} else {
			rest = append(rest, entry)
		}
	}
	for _, entries := range [][]storage.SourceOffset{aside, rest} {
		if len(entries) == 0 {
			continue
		}
		if err := store.Set(ctx, entries); err != nil {
			return err
		}
	}
	return nil
}

func partitionFields(p *connect.SourcePartition) storage.Fields {
	f := make(storage.Fields, len(p.Fields))
	for i, x := range p.Fields {
		f[i] = storage.Field{Name: x.Name, Value: toPlain(x.Value)}
	}
	return f
}

func offsetFields(o connect.SourceOffset) storage.Fields {
	f := make(storage.Fields, len(o.Names))
	for i, n := range o.Names {
		f[i] = storage.Field{Name: n, Value: toPlain(o.Values[i])}
	}
	return f
}

// toPlain turns a value of an offset into what the offsets topic stores. A
// value of another kind stays as its Go type, which the store refuses by name.
func toPlain(v data.Value) any {
	switch v.Kind() {
	case data.KindNull:
		return nil
	case data.KindBool:
		return v.Bool()
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64:
		return v.Int()
	case data.KindFloat32:
		return float64(v.Float32())
	case data.KindFloat64:
		return v.Float64()
	case data.KindString:
		return v.Str()
	case data.KindBytes, data.KindDecimal, data.KindBigInt, data.KindInstant, data.KindArray, data.KindMap, data.KindStruct, data.KindObject:
	}
	return v
}

func fromPlain(v any) data.Value {
	switch x := v.(type) {
	case bool:
		return data.BoolOf(x)
	case int64:
		return data.Int64Of(x)
	case float64:
		return data.Float64Of(x)
	case string:
		return data.StringOf(x)
	}
	return data.Null
}
