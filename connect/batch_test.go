package connect

import (
	"fmt"
	"testing"

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

func TestFillingAUsedBatchAllocatesNothing(t *testing.T) {
	b := NewSourceBatch(1<<20, 1<<30)
	name := []byte("a name")
	fill(b, 1000, name)
	if n := testing.AllocsPerRun(20, func() { b.Reset(1<<20, 1<<30); fill(b, 1000, name) }); n > 0 {
		t.Errorf("%v allocations for 1000 rows", n)
	}
}

func TestATraceShowsClassesMessagesAndCauses(t *testing.T) {
	cause := &data.Error{Message: "Unknown schema type: stirng"}
	err := NewError("Tolerance exceeded in error handler", fmt.Errorf("wrapped on the way: %w", &Error{Class: ClassData, Message: "bad", Cause: cause, Remedy: "Spell it right."}))
	const want = "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n" +
		"Caused by: org.apache.kafka.connect.errors.DataException: bad\n\tSpell it right.\n" +
		"Caused by: org.apache.kafka.connect.errors.DataException: Unknown schema type: stirng\n"
	if got := Trace(err); got != want {
		t.Errorf("the trace is\n%s\nwant\n%s", got, want)
	}
	if KindOf(err) != Fatal || KindOf(fmt.Errorf("x: %w", NewRetriable("r", nil))) != Retriable || KindOf(cause) != Fatal {
		t.Error("a kind is wrong")
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
