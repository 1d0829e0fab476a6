package worker

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kconnect/connect"
)

// consumerRequests collects what a sink task asks of its consumer; the worker
// carries it out after Put.
type consumerRequests struct {
	mu            sync.Mutex
	seek          map[connect.TopicPartition]int64
	pause, resume []connect.TopicPartition
	commit        bool
}

var _ connect.Consumer = (*consumerRequests)(nil)

// Seek implements connect.Consumer.
func (c *consumerRequests) Seek(offsets map[connect.TopicPartition]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seek == nil {
		c.seek = make(map[connect.TopicPartition]int64)
	}
	for tp, o := range offsets {
		c.seek[tp] = o
	}
}

// Pause implements connect.Consumer.
func (c *consumerRequests) Pause(partitions ...connect.TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pause = append(c.pause, partitions...)
}

// Resume implements connect.Consumer.
func (c *consumerRequests) Resume(partitions ...connect.TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resume = append(c.resume, partitions...)
}

// RequestCommit implements connect.Consumer.
func (c *consumerRequests) RequestCommit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commit = true
}

// asked is one round of requests.
type asked struct {
	seek          map[connect.TopicPartition]int64
	pause, resume []connect.TopicPartition
	commit        bool
}

func (c *consumerRequests) take() asked {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := asked{c.seek, c.pause, c.resume, c.commit}
	c.seek, c.pause, c.resume, c.commit = nil, nil, nil, false
	return a
}

func partitions(m map[string][]int32) []connect.TopicPartition {
	var tps []connect.TopicPartition
	for t, ps := range m {
		for _, p := range ps {
			tps = append(tps, connect.TopicPartition{Topic: t, Partition: p})
		}
	}
	return tps
}

func byTopic(tps []connect.TopicPartition) map[string][]int32 {
	m := make(map[string][]int32)
	for _, tp := range tps {
		m[tp.Topic] = append(m[tp.Topic], tp.Partition)
	}
	return m
}

// commitOffsets commits and returns the first refusal.
func commitOffsets(ctx context.Context, cl *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) error {
	var refused error
	cl.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			refused = err
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil && refused == nil {
					refused = fmt.Errorf("partition %s-%d: %w", t.Topic, p.Partition, err)
				}
			}
		}
	})
	return refused
}
