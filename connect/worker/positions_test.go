package worker

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/storage"
)

// noting is a counter that stores its position with each batch, and a note
// about it, instead of positions of records.
type noting struct {
	counter
	after int // notes that come without records once all numbers are read
	notes *connect.SourcePartition
}

func (c *noting) Start(ctx context.Context, env *connect.SourceEnv) error {
	err := c.counter.Start(ctx, env)
	c.notes = c.partition.Aside("note")
	c.shape = func(_ int, r *connect.Record) { r.SourceOffset = connect.SourceOffset{} }
	return err
}

func (c *noting) Poll(ctx context.Context, b *connect.SourceBatch) error {
	if err := c.counter.Poll(ctx, b); err != nil {
		return err
	}
	at := b.Values(1)
	switch {
	case len(b.Records) > 0:
		at[0] = data.Int64Of(int64(c.next - 1))
		b.Store(c.partition, connect.SourceOffset{Names: c.names, Values: at})
	case c.after > 0:
		c.after--
		c.next++
		c.to++
		at[0] = data.Int64Of(int64(c.next - 1))
	default:
		return nil
	}
	b.Store(c.notes, connect.SourceOffset{Names: c.names, Values: at})
	return nil
}

// noted is the note that is stored.
func (b *bed) noted() int {
	p := (&connect.SourcePartition{Fields: []connect.Field{{Name: "p", Value: data.StringOf("numbers")}}}).Aside("note")
	o, err := (&offsetReader{storage.InWorkerTopic("c", b.offsets)}).Offset(b.t.Context(), p)
	if err != nil {
		b.t.Fatal(err)
	}
	if n := o.Get("n"); !n.IsNull() {
		return int(n.Int())
	}
	return 0
}

func notingBed(t *testing.T, task *noting, cfg config.Map) *bed {
	return newBed(t, parts{source: func() connect.SourceTask { return task }, config: cfg})
}

func TestPositionsOfABatchAreStoredWhenItsRecordsAreInKafka(t *testing.T) {
	b := notingBed(t, &noting{counter: counter{to: 100, batch: 10}}, nil)
	heal := b.refuse("numbers", 19) // NOT_ENOUGH_REPLICAS
	b.start()
	b.untilState(Running)
	for range 20 {
		if n, noted := b.stored(), b.noted(); n != 0 || noted != 0 {
			t.Fatalf("position %d and note %d are stored while nothing was acknowledged", n, noted)
		}
	}
	heal()
	b.untilStored(100)
	b.stop()
	if n := b.noted(); n != 100 {
		t.Errorf("note %d is stored with position 100", n)
	}
	sameNumbers(t, b.topic(), numbers(1, 100))
}

func TestPositionsOfABatchWithoutRecordsAreStored(t *testing.T) {
	b := notingBed(t, &noting{counter: counter{to: 10, batch: 10}, after: 3}, nil)
	b.start()
	b.until("the last note is stored", func() bool { return b.noted() == 13 })
	b.stop()
	if n := b.stored(); n != 10 {
		t.Errorf("position %d is stored, want 10", n)
	}
}

// A batch that is sent in part has no positions but those of its records.
func TestPositionsOfABatchThatFailsAreNotStored(t *testing.T) {
	b := notingBed(t, &noting{counter: counter{to: 30, batch: 10, values: map[int]string{25: "bad"}}}, nil)
	b.start()
	b.untilState(Failed)
	b.stop()
	if n, noted := b.stored(), b.noted(); n != 20 || noted != 20 {
		t.Errorf("position %d and note %d are stored, want 20", n, noted)
	}
	if got := len(b.topic()); got != 24 {
		t.Errorf("%d records, want those before the bad one", got)
	}
}

// What is aside is in Kafka before the position that relies on it (Promise 1).
func TestNotesAreStoredBeforePositions(t *testing.T) {
	var limit atomic.Int64
	limit.Store(1000)
	b := notingBed(t, &noting{counter: counter{batch: 3, limit: func() int { return int(limit.Load()) }}}, nil)
	b.start()
	b.untilStored(1000)
	limit.Store(2000)
	b.untilStored(2000)
	b.stop()
	client := b.client(kgo.ConsumeTopics("offsets"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	note, positions, last := "", 0, ""
	for last != `{"n":2000}` {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if strings.Contains(string(r.Key), connect.AsidePrefix) {
				note = string(r.Value)
				return
			}
			positions++
			if last = string(r.Value); last != note {
				t.Errorf("position %s follows note %s", last, note)
			}
		})
	}
	if positions < 2 {
		t.Errorf("%d commits", positions)
	}
}
