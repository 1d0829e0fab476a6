package connect

import (
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect/data"
)

var rowSchema = data.NewStructBuilder().Field("id", data.Int32Schema).Field("name", data.StringSchema).MustBuild()

func fill(b *SourceBatch, rows int, name []byte) {
	for i := range rows {
		values := b.Values(2)
		values[0], values[1] = data.Int32Of(int32(i)), data.TextOf(b.Copy(name))
		r := b.Add()
		r.ValueSchema, r.Value = rowSchema, b.Struct(rowSchema, values)
	}
}

func TestValuesOfABatchLiveUntilItIsReset(t *testing.T) {
	b := NewSourceBatch(1<<20, 1<<30)
	name := []byte("name")
	const rows = 3 * slabChunk
	fill(b, rows, name)
	copy(name, "XXXX") // as a driver's buffer changes with its next row
	for i := range b.Records {
		s := b.Records[i].Value.Struct()
		if s.At(0).Int() != int64(i) || s.At(1).Str() != "name" {
			t.Fatalf("row %d is %v", i, s)
		}
	}
	b.Reset(10, 1<<20)
	if len(b.Records) != 0 || b.Size() != 0 {
		t.Errorf("after a reset the batch has %d records and %d bytes", len(b.Records), b.Size())
	}
	for _, v := range b.Values(10) {
		if !v.IsNull() {
			t.Error("a value of the last batch came back")
		}
	}
}

func TestABatchIsFullByRecordsOrBytes(t *testing.T) {
	b := NewSourceBatch(100, 1<<20)
	for n := 0; !b.Full(); n++ {
		if b.Add(); n > 100 {
			t.Fatal("it is never full")
		}
	}
	if len(b.Records) != 100 {
		t.Errorf("full with %d records", len(b.Records))
	}
	b.Reset(100, 1<<20)
	b.Limit(3)
	fill(b, 3, []byte("x"))
	if !b.Full() {
		t.Error("the task's own limit does not hold")
	}
	b.Reset(100, 1<<20)
	fill(b, 1, make([]byte, 2<<20))
	if !b.Full() {
		t.Error("two megabytes do not fill a batch of one")
	}
	b.Reset(100, 1<<20)
	if b.Grew(2 << 20); !b.Full() {
		t.Error("bytes that the task allocated itself do not count")
	}
}

func TestAHugeValueDoesNotStay(t *testing.T) {
	b := NewSourceBatch(100, 1<<30)
	fill(b, 1, make([]byte, 10<<20))
	b.Reset(100, 1<<30)
	for _, c := range b.text.chunks {
		if len(c) > slabChunk {
			t.Errorf("a chunk of %d bytes is kept", len(c))
		}
	}
}

// TestLongValuesDoNotMakeABatchGrow fills the same batch again and again with
// rows that mix short values with such as are longer than a chunk: what it
// keeps is what one filling needs (Promise 6).
func TestLongValuesDoNotMakeABatchGrow(t *testing.T) {
	b := NewSourceBatch(1<<20, 1<<30)
	kept := func() (bytes int) {
		for _, c := range b.text.chunks {
			bytes += len(c)
		}
		return bytes
	}
	short, long := []byte("short"), make([]byte, slabChunk+1)
	filling := func() {
		for range 50 {
			b.Copy(short)
			b.Copy(long)
		}
		b.Reset(1<<20, 1<<30)
	}
	filling()
	first := kept()
	for range 50 {
		filling()
	}
	if last := kept(); last > 2*first+slabChunk {
		t.Errorf("the batch keeps %d bytes after its first use and %d after 50 more of the same", first, last)
	}
}

// TestWhatIsTakenFromABatchIsOnesOwn takes memory of all sizes, writes to all
// of it and looks at it again at the end.
func TestWhatIsTakenFromABatchIsOnesOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewSourceBatch(1<<20, 1<<30)
		for range rapid.IntRange(1, 4).Draw(t, "fillings") {
			var texts [][]byte
			var values [][]data.Value
			var structs []data.Value
			bytes := 0
			for i, n := range rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 2, 3, 100, slabChunk - 1, slabChunk, slabChunk + 1, 3 * slabChunk}), 0, 30).Draw(t, "sizes") {
				before := b.Size()
				c := b.Copy(make([]byte, n))
				v := b.Values(n)
				for j := range c {
					c[j] = byte(i)
				}
				for j := range v {
					if !v[j].IsNull() {
						t.Fatal("a value is not null at first")
					}
					v[j] = data.Int64Of(int64(i))
				}
				texts, values = append(texts, c), append(values, v)
				two := b.Values(2)
				two[0], two[1] = data.Int32Of(int32(i)), data.StringOf("x")
				structs = append(structs, b.Struct(rowSchema, two))
				bytes += n
				if b.Size() < before+n {
					t.Fatalf("the size grew by %d with %d bytes of text", b.Size()-before, n)
				}
				// Appending to one slice must not run into the next.
				_ = append(c, 0xff)
				_ = append(v, data.Null)
			}
			for i := range texts {
				for _, x := range texts[i] {
					if x != byte(i) {
						t.Fatalf("text %d was overwritten", i)
					}
				}
				for _, x := range values[i] {
					if x.Int() != int64(i) {
						t.Fatalf("values %d were overwritten", i)
					}
				}
				if structs[i].Struct().At(0).Int() != int64(i) {
					t.Fatalf("struct %d was overwritten", i)
				}
			}
			b.Reset(1<<20, 1<<30)
			if b.Size() != 0 {
				t.Fatalf("an empty batch has %d bytes", b.Size())
			}
		}
	})
}

func TestALimitHoldsForOneFilling(t *testing.T) {
	b := NewSourceBatch(100, 1<<20)
	b.Limit(0) // no limit of the task's own
	b.Limit(1000)
	fill(b, 99, []byte("x"))
	if b.Full() {
		t.Error("it is full with 99 of 100 records")
	}
	b.Reset(100, 1<<20)
	b.Limit(1)
	b.Reset(100, 1<<20)
	fill(b, 99, []byte("x"))
	if b.Full() {
		t.Error("the limit outlives a reset")
	}
}

func TestARecordBeginsEmpty(t *testing.T) {
	b := NewSourceBatch(100, 1<<20)
	r := b.Add()
	r.Topic, r.Partition, r.Timestamp, r.Headers = "t", 3, 5, []Header{{Key: "h"}}
	b.Reset(100, 1<<20)
	if r := b.Add(); r.Topic != "" || r.Partition != NoPartition || r.Timestamp != NoTimestamp || r.Headers != nil || !r.Value.IsNull() {
		t.Errorf("a new record is %+v", r)
	}
}

func TestFillingAUsedBatchAllocatesNothing(t *testing.T) {
	b := NewSourceBatch(1<<20, 1<<30)
	name := []byte("a name")
	fill(b, 1000, name)
	if n := testing.AllocsPerRun(20, func() { b.Reset(1<<20, 1<<30); fill(b, 1000, name) }); n > 0 {
		t.Errorf("%v allocations for 1000 rows", n)
	}
}

func BenchmarkFillBatch(b *testing.B) {
	batch := NewSourceBatch(1<<20, 1<<30)
	name := []byte("a name")
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset(1<<20, 1<<30)
		fill(batch, 1000, name)
	}
}
