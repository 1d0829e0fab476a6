package connect

import (
	"context"
	"time"

	"go.uber.org/zap"

	"kconnect/connect/config"
	"kconnect/connect/data"
)

// Env is what every connector and task receives at its start.
type Env struct {
	Connector string     // the connector's name
	Task      int        // the task's number; -1 for the connector itself
	Config    config.Map // with ${provider:...} resolved; the plugin must not change it
	Logger    *zap.Logger
	Now       func() time.Time
	Health    Health
	Metrics   *Metrics // takes series of the plugin's own for GET /metrics; may be nil, which takes none
}

// Health tells users what a task is doing (Promise 5). Its methods may be
// called from any goroutine and are cheap.
type Health interface {
	// Waiting says that the task cannot move because of err and goes on trying.
	// After 10 s of it the task's status shows since when and why.
	Waiting(err error)
	// Moving takes that back.
	Moving()
}

// SourceEnv is the surroundings of a source task.
type SourceEnv struct {
	Env
	Offsets OffsetReader
}

// OffsetReader reads the stored positions of a source connector.
type OffsetReader interface {
	// Offset returns the last stored offset of a partition; an offset without
	// names when there is none. Integers come back as int64, fractions as
	// float64. It reads the offsets topic to its end, so use it at Start only.
	Offset(ctx context.Context, partition *SourcePartition) (SourceOffset, error)
}

// SourceTask reads from a source.
type SourceTask interface {
	// Start prepares the task. An error that is Retriable is tried again by the
	// worker, any other fails the task.
	Start(ctx context.Context, env *SourceEnv) error
	// Poll adds records to the empty batch b until b.Full or nothing is there
	// now. It waits for data itself, but returns within a second or so with an
	// empty batch, so that the worker can commit and pause. It returns at once
	// when ctx ends.
	Poll(ctx context.Context, b *SourceBatch) error
	// Stop releases what the task holds. It is called once, also after a Start
	// that failed, but not without a Start.
	Stop(ctx context.Context) error
}

// Committer is a SourceTask that wants to know which offsets were stored.
type Committer interface {
	// Committed is called after offsets of this task's records were stored.
	Committed(ctx context.Context) error
}

// SinkEnv is the surroundings of a sink task.
type SinkEnv struct {
	Env
	// Reporter takes records that cannot be written; nil when the connector has
	// neither a dead letter queue nor error logging, and then errors must be
	// returned from Put.
	Reporter Reporter
	// Consumer moves the task's position.
	Consumer Consumer
}

// Reporter is the way of a bad record to the dead letter queue.
type Reporter interface {
	// Report hands over a record that Put could not write and why. With
	// errors.tolerance=none it reports the record and returns an error, which
	// Put must return in its turn. The worker waits for outstanding reports
	// before it commits offsets.
	Report(ctx context.Context, r *Record, err error) error
	// Tolerant reports whether errors.tolerance is all.
	Tolerant() bool
}

// TopicPartition is one partition of a Kafka topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Consumer is what a sink task may ask of its consumer. Calls take effect
// after Put returned.
type Consumer interface {
	Seek(offsets map[TopicPartition]int64)
	Pause(partitions ...TopicPartition)
	Resume(partitions ...TopicPartition)
	RequestCommit()
}

// SinkTask writes to a sink.
type SinkTask interface {
	Start(ctx context.Context, env *SinkEnv) error
	// Put writes one delivery: every record of one poll that survived
	// conversion and transformation, in order for each partition. When it
	// returns nil the rows are durable (Promise 1). After a Retriable error the
	// same records are delivered again, later. The slice is the worker's.
	Put(ctx context.Context, records []Record) error
	Stop(ctx context.Context) error
}

// PartitionListener is a SinkTask that wants to know its partitions.
type PartitionListener interface {
	Open(ctx context.Context, partitions []TopicPartition) error
	Close(ctx context.Context, partitions []TopicPartition) error
}

// PreCommitter is a SinkTask whose rows become durable after Put returned.
type PreCommitter interface {
	// PreCommit makes durable what was put and returns the offsets that may be
	// committed, at most those given (the next offset of each partition).
	PreCommit(ctx context.Context, offsets map[TopicPartition]int64) (map[TopicPartition]int64, error)
}

// Connector plans the tasks of one connector.
type Connector interface {
	Start(ctx context.Context, env *ConnectorEnv) error
	// TaskConfigs returns at most maxTasks task configurations; no task is a
	// valid answer. The worker adds task.class.
	TaskConfigs(ctx context.Context, maxTasks int) ([]config.Map, error)
	Stop(ctx context.Context) error
}

// ConnectorEnv is the surroundings of a connector.
type ConnectorEnv struct {
	Env
	// Reconfigure asks the worker to call TaskConfigs again. Any goroutine.
	Reconfigure func()
	// Fail puts the connector into FAILED. Any goroutine.
	Fail func(err error)
}

// ConfigValidator is a Connector that checks more than its ConfigDef can: it
// receives the answer of the table and may add errors and recommended values.
// It may connect to the outside and must watch ctx.
type ConfigValidator interface {
	ValidateConfig(ctx context.Context, m config.Map, results []config.Result) []config.Result
}

// OffsetAlterer is a Connector that has a say in PATCH and DELETE offsets.
type OffsetAlterer interface {
	// AlterOffsets checks the change before it is made; an offset whose Names
	// are nil resets the partition, and a partition whose Fields are nil is
	// null. An error vetoes. It returns whether the connector confirms that
	// nothing else has to be moved by hand.
	AlterOffsets(m config.Map, changes []OffsetChange) (bool, error)
}

// OffsetChange is one change of AlterOffsets. Nil Fields and nil Names are a
// null, empty ones an object without entries. For a sink connector the
// partition has kafka_topic and kafka_partition, the offset kafka_offset.
type OffsetChange struct {
	Partition SourcePartition
	Offset    SourceOffset
}

// Converter turns values into bytes and back. A task has instances of its own
// and calls each from one goroutine at a time. One that asks others, such as a
// schema registry, should be an io.Closer: Close is called once, from another
// goroutine, when the task is to stop. It ends what is waited for, with an error
// that is Retriable; what needs no waiting has to go on, since the task finishes
// what it began (Promise 7).
type Converter interface {
	Configure(m config.Map, isKey bool) error
	// Append appends the bytes of v to dst and returns the longer slice. It
	// returns nil for a null record (a tombstone), and then dst is untouched.
	Append(dst []byte, topic string, s *data.Schema, v data.Value) ([]byte, error)
	// Decode reads b, where nil is a tombstone. The value may refer to b, which
	// must not change while the value is in use. Equal schema bytes give the
	// same *data.Schema as long as the converter remembers them.
	Decode(topic string, b []byte) (*data.Schema, data.Value, error)
}

// HeaderConverter turns header values into bytes and back, under the rules of
// Converter, Close among them.
type HeaderConverter interface {
	Configure(m config.Map, isKey bool) error
	AppendHeader(dst []byte, topic, key string, s *data.Schema, v data.Value) ([]byte, error)
	DecodeHeader(topic, key string, b []byte) (*data.Schema, data.Value, error)
}

// Transformation changes records one by one, as a batch.
type Transformation interface {
	Configure(m config.Map) error
	// Apply changes one record in place. It returns false to drop the record.
	// The error is that of this record alone.
	Apply(r *Record) (keep bool, err error)
}

// Predicate decides whether a transformation applies to a record.
type Predicate interface {
	Configure(m config.Map) error
	Test(r *Record) (bool, error)
}
