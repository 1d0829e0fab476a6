package storage

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ownConfig is the configuration of a connector's own topic.
func (b testBroker) ownConfig(t *testing.T) LogConfig {
	cfg := b.config(t, "own", 3)
	cfg.Producer, cfg.Admin, cfg.ReadCommitted = cfg.Client, cfg.Client, true
	return cfg
}

func openOwn(t *testing.T, b testBroker, worker *Offsets) *ConnectorOffsets {
	t.Helper()
	o, err := OpenConnectorOffsets(within(t), "a", worker, b.ownConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

func sameOffsets(t *testing.T, o interface {
	Get(context.Context, []Fields) ([]Fields, error)
}, want ...Fields) {
	t.Helper()
	got, err := o.Get(within(t), []Fields{items, orders})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("offsets (-want +got):\n%s", diff)
	}
}

// inWorkerTopic waits for the copies and returns what the worker's topic has.
func inWorkerTopic(t *testing.T, o *ConnectorOffsets) *ConnectorOffsets {
	t.Helper()
	if err := o.awaitCopies(within(t)); err != nil {
		t.Fatal(err)
	}
	return InWorkerTopic("a", o.worker)
}

func TestAConnectorMovesToATopicOfItsOwnAndBack(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		worker := openOffsets(t, b)
		ctx := within(t)
		before := InWorkerTopic("a", worker)
		if err := before.Set(ctx, []SourceOffset{{"a", itemsSwapped, at(1)}, {"a", orders, at(2)}}); err != nil {
			t.Fatal(err)
		}
		own := openOwn(t, b, worker)
		sameOffsets(t, own, at(1), at(2)) // the worker's topic counts until there is something newer
		if err := own.Set(ctx, []SourceOffset{{"a", items, at(5)}}); err != nil {
			t.Fatal(err)
		}
		sameOffsets(t, own, at(5), at(2))
		sameOffsets(t, inWorkerTopic(t, own), at(5), at(2))
		// What another worker wrote to the own topic counts, whether copied or not.
		if err := own.own.Set(ctx, []SourceOffset{{"a", items, at(6)}}); err != nil {
			t.Fatal(err)
		}
		sameOffsets(t, openOwn(t, b, worker), at(6), at(2))
		all, err := own.Partitions(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]SourceOffset{{"a", items, at(6)}, {"a", orders.HashMapOrder(), at(2)}}, all); diff != "" {
			t.Errorf("partitions (-want +got):\n%s", diff)
		}
		// A removed offset comes back from neither topic.
		if err := own.Set(ctx, []SourceOffset{{"a", items, nil}, {"a", orders, at(3)}}); err != nil {
			t.Fatal(err)
		}
		sameOffsets(t, own, nil, at(3))
		sameOffsets(t, inWorkerTopic(t, own), nil, at(3))
	})
}

// refuseWrites answers produce requests to a topic with an error.
func refuseWrites(cluster *kfake.Cluster, topic string, fault *kerr.Error) {
	info := cluster.TopicInfo(topic)
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		if t := produce.Topics[0]; t.Topic != topic && t.TopicID != info.TopicID {
			return nil, nil, false
		}
		resp := produce.ResponseKind().(*kmsg.ProduceResponse)
		resp.Default()
		for _, t := range produce.Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, fault.Code
				answer.Partitions = append(answer.Partitions, part)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
}

// TestWhatIsRemovedIsRemovedFromTheWorkersTopicFirst: if that fails, nothing is
// removed at all, since the worker's copy would come to life again.
func TestWhatIsRemovedIsRemovedFromTheWorkersTopicFirst(t *testing.T) {
	cluster, b := fakeBroker(t)
	worker := openOffsets(t, b)
	own := openOwn(t, b, worker)
	ctx := within(t)
	if err := own.Set(ctx, []SourceOffset{{"a", items, at(1)}, {"a", orders, at(1)}}); err != nil {
		t.Fatal(err)
	}
	sameOffsets(t, inWorkerTopic(t, own), at(1), at(1))
	refuseWrites(cluster, b.prefix+"offset", kerr.TopicAuthorizationFailed)
	if err := own.Set(ctx, []SourceOffset{{"a", items, nil}}); err == nil {
		t.Error("the worker's topic refuses, and nobody says so")
	}
	sameOffsets(t, own, at(1), at(1))
	// A copy that fails is nobody's concern: the own topic counts.
	if err := own.Set(ctx, []SourceOffset{{"a", orders, at(2)}}); err != nil {
		t.Error(err)
	}
	sameOffsets(t, inWorkerTopic(t, own), at(1), at(1))
	sameOffsets(t, own, at(1), at(2))
}

// TestClosingDoesNotWaitForAKafkaThatIsGone: a task has seconds to stop.
func TestClosingDoesNotWaitForAKafkaThatIsGone(t *testing.T) {
	cluster, b := fakeBroker(t)
	worker := openOffsets(t, b)
	own, err := OpenConnectorOffsets(within(t), "a", worker, b.ownConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	refuseWrites(cluster, b.prefix+"offset", kerr.NotLeaderForPartition) // the copy is tried again and again
	if err := own.Set(within(t), []SourceOffset{{"a", items, at(1)}}); err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() { own.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(25 * time.Second):
		t.Fatal("it waits for the copy")
	}
}

func TestOffsetsOfAbortedTransactionsAreNotRead(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		worker := openOffsets(t, b)
		own := openOwn(t, b, worker)
		ctx := within(t)
		key, err := offsetKey("a", items)
		if err != nil {
			t.Fatal(err)
		}
		tx := b.client(t, kgo.TransactionalID(b.prefix+"tx"), kgo.DefaultProduceTopic(b.prefix+"own"))
		for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			if err := tx.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			value, _ := appendFields(nil, at(int64(i+1)))
			if err := tx.ProduceSync(ctx, &kgo.Record{Key: key, Value: value}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := tx.EndTransaction(ctx, end); err != nil {
				t.Fatal(err)
			}
		}
		sameOffsets(t, own, at(1), nil)                   // by tailing
		sameOffsets(t, openOwn(t, b, worker), at(1), nil) // by reading from the beginning
	})
}

func TestATopicOfItsOwnThatMayNotBeCreatedIsAClearError(t *testing.T) {
	cluster, b := fakeBroker(t)
	worker := openOffsets(t, b)
	cluster.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		resp.Default()
		answer := kmsg.NewCreateTopicsResponseTopic()
		answer.Topic, answer.ErrorCode = req.(*kmsg.CreateTopicsRequest).Topics[0].Topic, kerr.TopicAuthorizationFailed.Code
		resp.Topics = append(resp.Topics, answer)
		return resp, nil, true
	})
	_, err := OpenConnectorOffsets(within(t), "a", worker, b.ownConfig(t))
	want := "the offset topic of connector a: topic " + b.prefix + "own (own.storage.topic) does not exist and this worker may not create it: create it with cleanup.policy=compact, or allow it"
	if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("the error is %v", err)
	}
}
