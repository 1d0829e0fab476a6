package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const fetchBytes = 8 << 20 // a partition's in one answer; a larger batch comes whole

// fetch reads once, without waiting, from the given positions by partition. It
// returns the data records found, in order within a partition, and the
// position behind all that was passed: also behind markers and empty batches,
// which the client's own consumer does not tell. On an error the other
// brokers' part is returned with it.
func (l *TopicLog) fetch(ctx context.Context, positions map[int32]int64) ([]*kgo.Record, map[int32]int64, error) {
	detail, err := l.topic.awaitLeaders(ctx, l.admin)
	if err != nil {
		return nil, nil, err
	}
	requests := make(map[int32]*kmsg.FetchRequest) // by leader
	for p, position := range positions {
		leader := detail.Partitions[p].Leader
		req := requests[leader]
		if req == nil {
			topic := kmsg.NewFetchRequestTopic()
			topic.Topic, topic.TopicID = l.topic.Name, detail.ID
			req = kmsg.NewPtrFetchRequest()
			req.MaxBytes, req.MinBytes, req.MaxWaitMillis = 2*fetchBytes, 1, 0
			if l.isolation == kgo.ReadCommitted() {
				req.IsolationLevel = 1
			}
			req.Topics = append(req.Topics, topic)
			requests[leader] = req
		}
		part := kmsg.NewFetchRequestTopicPartition()
		part.Partition, part.FetchOffset, part.PartitionMaxBytes = p, position, fetchBytes
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, part)
	}
	var (
		records []*kgo.Record
		next    = make(map[int32]int64)
		faults  []error
	)
	for leader, req := range requests {
		resp, err := req.RequestWith(ctx, l.client.Broker(int(leader)))
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("read topic %s from broker %d: %w", l.topic.Name, leader, err))
			continue
		}
		for t := range resp.Topics {
			for i := range resp.Topics[t].Partitions {
				part := &resp.Topics[t].Partitions[i]
				fetched, behind := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
					Offset:         positions[part.Partition],
					IsolationLevel: l.isolation,
					Topic:          l.topic.Name,
					Partition:      part.Partition,
				}, part, kgo.DefaultDecompressor(), nil)
				if fetched.Err != nil {
					faults = append(faults, fmt.Errorf("read topic %s, partition %d: %w", l.topic.Name, part.Partition, fetched.Err))
					continue
				}
				records = append(records, fetched.Records...)
				next[part.Partition] = behind
			}
		}
	}
	return records, next, errors.Join(faults...)
}
