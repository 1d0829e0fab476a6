package storage

import (
	"context"
	"errors"
	"hash/crc32"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kconnect/connect"
)

// seen collects the records that a log handles.
type seen struct {
	mu     sync.Mutex
	values []string
}

func (s *seen) handle(records []*kgo.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		s.values = append(s.values, string(r.Value))
	}
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.values)
}

func TestLogIsReadFromTheBeginningAndTailed(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		cfg := b.config(t, "log", 3)
		var first seen
		writer, err := OpenTopicLog(within(t), cfg, first.handle)
		if err != nil {
			t.Fatal(err)
		}
		start(t, writer.Run, writer.Close)
		if got := writer.Partitions(); got != 3 {
			t.Errorf("%d partitions, want 3", got)
		}
		if err := writer.Append(within(t), record("a", []byte("1")), record("a", []byte("2")), record("a", []byte("3"))); err != nil {
			t.Fatal(err)
		}
		if err := writer.ReadToEnd(within(t)); err != nil {
			t.Fatal(err)
		}
		want := []string{"1", "2", "3"}
		if diff := cmp.Diff(want, first.all()); diff != "" {
			t.Errorf("tailed (-want +got):\n%s", diff)
		}

		var second seen
		reader, err := OpenTopicLog(within(t), cfg, second.handle)
		if err != nil {
			t.Fatal(err)
		}
		start(t, reader.Run, reader.Close)
		if diff := cmp.Diff(want, second.all()); diff != "" {
			t.Errorf("read when opened (-want +got):\n%s", diff)
		}
	})
}

func TestTopicIsCreatedAsJavaCreatesIt(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		cfg := b.config(t, "created", 5)
		cfg.Topic.Settings = map[string]string{"max.message.bytes": "2000000", "cleanup.policy": "delete"}
		log, err := OpenTopicLog(within(t), cfg, func([]*kgo.Record) {})
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		admin := kadm.NewClient(b.client(t))
		configs, err := admin.DescribeTopicConfigs(t.Context(), cfg.Topic.Name)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range configs[0].Configs {
			if c.Key == "cleanup.policy" || c.Key == "max.message.bytes" {
				got[c.Key] = c.MaybeValue()
			}
		}
		if diff := cmp.Diff(map[string]string{"cleanup.policy": "compact", "max.message.bytes": "2000000"}, got); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
		if got := log.Partitions(); got != 5 {
			t.Errorf("%d partitions, want 5", got)
		}
	})
}

func TestTopicThatIsNotCompactedIsRefused(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		b.createTopic(t, "deleting", 1, "delete")
		_, err := OpenTopicLog(within(t), b.config(t, "deleting", 1), func([]*kgo.Record) {})
		var e *connect.Error
		if !errors.As(err, &e) || e.Class != connect.ClassConfig {
			t.Errorf("error %v, want a ConfigException", err)
		}
	})
}

func TestTopicThatCannotBeCreatedIsAnError(t *testing.T) {
	_, b := fakeBroker(t)
	cfg := b.config(t, "replicated", 1)
	cfg.Topic.Replication = 3
	if _, err := OpenTopicLog(within(t), cfg, func([]*kgo.Record) {}); err == nil {
		t.Error("no error for 3 replicas on 1 broker")
	}
}

func TestEndBehindTransactionMarkersIsReached(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		cfg := b.config(t, "transactional", 1)
		var got seen
		log, err := OpenTopicLog(within(t), cfg, got.handle)
		if err != nil {
			t.Fatal(err)
		}
		start(t, log.Run, log.Close)

		producer := b.client(t, kgo.TransactionalID(cfg.Topic.Name))
		for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			if err := producer.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			r := record("k", []byte(map[kgo.TransactionEndTry]string{kgo.TryCommit: "committed", kgo.TryAbort: "aborted"}[commit]))
			r.Topic = cfg.Topic.Name
			if err := producer.ProduceSync(within(t), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := producer.EndTransaction(within(t), commit); err != nil {
				t.Fatal(err)
			}
			if err := log.ReadToEnd(within(t)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{"committed", "aborted"}, got.all()); diff != "" {
			t.Errorf("read uncommitted, without markers (-want +got):\n%s", diff)
		}

		cold, err := OpenTopicLog(within(t), cfg, func([]*kgo.Record) {})
		if err != nil {
			t.Fatal(err)
		}
		cold.Close()
	})
}

func TestEndBehindACompactedBatchIsReached(t *testing.T) {
	cluster, b := fakeBroker(t)
	cfg := b.config(t, "compacted", 1)
	cfg.Client = append(cfg.Client, kgo.FetchMaxWait(100*time.Millisecond)) // the probe queues behind the tail's fetch
	log, err := OpenTopicLog(within(t), cfg, func([]*kgo.Record) {})
	if err != nil {
		t.Fatal(err)
	}
	start(t, log.Run, log.Close)
	if err := log.Append(within(t), record("k", nil)); err != nil {
		t.Fatal(err)
	}
	pretendCompacted(t, cluster, log, 1, 5)
	if err := log.ReadToEnd(within(t)); err != nil {
		t.Error(err)
	}
	cold, err := OpenTopicLog(within(t), cfg, func([]*kgo.Record) {})
	if err != nil {
		t.Fatal(err)
	}
	cold.Close()
}

// pretendCompacted makes the broker say that an empty batch lies between
// offset and end: a real one leaves it when compaction removed all records of
// a producer's last batch, but kfake never compacts the last.
func pretendCompacted(t *testing.T, cluster *kfake.Cluster, log *TopicLog, offset, end int64) {
	t.Helper()
	detail, err := log.topic.describe(t.Context(), log.admin)
	if err != nil {
		t.Fatal(err)
	}
	cluster.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked := req.(*kmsg.ListOffsetsRequest).Topics[0]
		part := kmsg.NewListOffsetsResponseTopicPartition()
		part.Offset = end
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic, topic.Partitions = asked.Topic, append(topic.Partitions, part)
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if fetch := req.(*kmsg.FetchRequest); fetch.MaxWaitMillis != 0 || len(fetch.Topics) == 0 {
			return nil, nil, false // the client's own fetch
		}
		part := kmsg.NewFetchResponseTopicPartition()
		part.HighWatermark, part.RecordBatches = end, emptyBatch(offset, end)
		topic := kmsg.NewFetchResponseTopic()
		topic.TopicID, topic.Partitions = detail.ID, append(topic.Partitions, part)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
}

func emptyBatch(offset, end int64) []byte {
	const header, crcEnd = 12, 21
	batch := kmsg.RecordBatch{
		FirstOffset: offset, LastOffsetDelta: int32(end - offset - 1), Magic: 2,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
	}
	batch.Length = int32(len(batch.AppendTo(nil)) - header)
	batch.CRC = int32(crc32.Checksum(batch.AppendTo(nil)[crcEnd:], crc32.MakeTable(crc32.Castagnoli)))
	return batch.AppendTo(nil)
}

func TestReadToEndEndsWithItsContext(t *testing.T) {
	_, b := fakeBroker(t)
	log, err := OpenTopicLog(within(t), b.config(t, "stuck", 1), func([]*kgo.Record) {})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if err := log.Append(within(t), record("k", []byte("v"))); err != nil {
		t.Fatal(err)
	}
	// Nobody runs the log, so nothing is read.
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("gave up")
	done := make(chan error, 1)
	go func() { done <- log.ReadToEnd(ctx) }()
	cancel(reason)
	if err := <-done; !errors.Is(err, reason) {
		t.Errorf("error %v, want the cause", err)
	}
}
