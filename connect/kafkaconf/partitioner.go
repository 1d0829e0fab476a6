package kafkaconf

import "github.com/twmb/franz-go/pkg/kgo"

// partitioner keeps the partition of records that name one, as Java's producer
// does whatever its partitioner.class, and leaves the others to the partitioner
// below. A record that names none has the partition -1.
type partitioner struct{ kgo.Partitioner }

// ForTopic implements kgo.Partitioner.
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	below := p.Partitioner.ForTopic(topic)
	if b, ok := below.(kgo.TopicBackupPartitioner); ok {
		return backupPartitioner{topicPartitioner{below}, b}
	}
	return topicPartitioner{below}
}

type topicPartitioner struct{ kgo.TopicPartitioner }

// RequiresConsistency implements kgo.TopicPartitioner.
func (p topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.TopicPartitioner.RequiresConsistency(r)
}

// Partition implements kgo.TopicPartitioner.
func (p topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.TopicPartitioner.Partition(r, n)
}

// OnNewBatch implements kgo.TopicPartitionerOnNewBatch.
func (p topicPartitioner) OnNewBatch() {
	if n, ok := p.TopicPartitioner.(kgo.TopicPartitionerOnNewBatch); ok {
		n.OnNewBatch()
	}
}

// backupPartitioner is for partitioners that look at what waits for each partition.
type backupPartitioner struct {
	topicPartitioner
	below kgo.TopicBackupPartitioner
}

// PartitionByBackup implements kgo.TopicBackupPartitioner.
func (p backupPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.below.PartitionByBackup(r, n, backup)
}
