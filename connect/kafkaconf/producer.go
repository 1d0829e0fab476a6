package kafkaconf

import (
	"math"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect/config"
)

var producerKeys = config.NewDef(
	key("acks", config.String, "all", config.OneOf("all", "-1", "0", "1")),
	key("enable.idempotence", config.Boolean, "true", nil),
	key("max.in.flight.requests.per.connection", config.Int, "5", config.AtLeast(1)),
	key("retries", config.Int, "2147483647", config.AtLeast(0)),
	key("delivery.timeout.ms", config.Int, "120000", config.AtLeast(0)),
	key("linger.ms", config.Long, "5", config.AtLeast(0)),
	key("buffer.memory", config.Long, "33554432", config.AtLeast(0)),
	key("max.request.size", config.Int, "1048576", config.AtLeast(0)),
	key("compression.type", config.String, "none", config.OneOf("none", "gzip", "snappy", "lz4", "zstd")),
	key("compression.gzip.level", config.Int, "-1", gzipLevel),
	key("compression.lz4.level", config.Int, "9", config.Between(1, 17)),
	key("compression.zstd.level", config.Int, "3", config.Between(-131072, 22)),
	key("partitioner.class", config.Class, "", nil),
	key("partitioner.ignore.keys", config.Boolean, "false", nil),
	key("transactional.id", config.String, "", config.NonEmpty()),
	key("transaction.timeout.ms", config.Int, "60000", nil),
	key("interceptor.classes", config.List, "", nil),
)

var gzipLevel = config.Func("[1,...,9] or -1", func(name string, v any) error {
	if n, ok := v.(int32); ok && (n == -1 || n >= 1 && n <= 9) {
		return nil
	}
	return config.Invalid(name, v, "Value must be between 1 and 9 or equal to -1")
})

// Producer returns the options of a producer, those of Common included. A batch may grow to max.request.size, since the
// library fills batches while it lingers and has no second limit like batch.size: a topic that allows less
// (max.message.bytes) needs a lower max.request.size.
func Producer(m config.Map) ([]kgo.Opt, error) {
	c, err := read(ProducerClient, m)
	if err != nil {
		return nil, err
	}
	return c.opts, nil
}

func (c *client) producer(m config.Map) error {
	// Topics that do not exist are created if the broker wants that, and waited for as long as a record may wait.
	c.add(kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(-1))
	if err := c.reliability(m); err != nil {
		return err
	}
	if err := c.deliveryTimeout(m); err != nil {
		return err
	}
	c.add(kgo.ProducerLinger(c.millis("linger.ms", 0, time.Minute)))
	c.add(kgo.MaxBufferedBytes(int(c.number("buffer.memory", 1, math.MaxInt, " bytes"))))
	size := c.number("max.request.size", 512, 1<<30, " bytes")
	c.add(kgo.ProducerBatchMaxBytes(int32(size)), kgo.BrokerMaxWriteBytes(int32(max(size, 100<<20))))
	c.add(kgo.ProducerBatchCompression(c.compression()))
	if id, ok := c.OptString("transactional.id"); ok {
		c.add(kgo.TransactionalID(id), kgo.TransactionTimeout(c.millis("transaction.timeout.ms", 1, math.MaxInt32*time.Millisecond)))
	}
	if classes := c.List("interceptor.classes"); len(classes) > 0 {
		return config.Invalid("interceptor.classes", classes, "this worker runs no Java classes: leave the key out")
	}
	return c.partitioner()
}

// reliability maps acks, retries and idempotence. Idempotence is on unless another key excludes it, which is an
// error only for those who asked for it in so many words.
func (c *client) reliability(m config.Map) error {
	acks, inFlight, retries := c.String("acks"), c.Int("max.in.flight.requests.per.connection"), c.Int("retries")
	idempotent := c.Bool("enable.idempotence")
	_, asked := m["enable.idempotence"]
	_, transactions := c.OptString("transactional.id")
	asked = asked && idempotent || transactions
	for _, excluded := range []struct {
		by      bool
		key     string
		value   any
		message string
	}{
		{!idempotent && transactions, "enable.idempotence", false, "transactional.id needs an idempotent producer: leave one of the two out"},
		{acks != "all" && acks != "-1", "acks", acks, "an idempotent producer needs acks=all: set it, or enable.idempotence=false"},
		{retries == 0, "retries", retries, "an idempotent producer has to retry: leave the key out, or set enable.idempotence=false"},
		{inFlight > 5, "max.in.flight.requests.per.connection", inFlight, "an idempotent producer keeps at most 5 requests in flight: set 5 or less, or enable.idempotence=false"},
	} {
		if !excluded.by {
			continue
		}
		if asked {
			return config.Invalid(excluded.key, excluded.value, excluded.message)
		}
		idempotent = false
	}
	switch acks {
	case "0":
		c.add(kgo.RequiredAcks(kgo.NoAck()))
	case "1":
		c.add(kgo.RequiredAcks(kgo.LeaderAck()))
	default:
		c.add(kgo.RequiredAcks(kgo.AllISRAcks()))
	}
	if !idempotent { // the library chooses how many are in flight otherwise, and keeps their order
		c.add(kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(inFlight))
	}
	if retries < math.MaxInt32 {
		c.add(kgo.RecordRetries(retries))
	}
	return nil
}

func (c *client) deliveryTimeout(m config.Map) error {
	request := time.Duration(c.Int("request.timeout.ms")) * time.Millisecond
	least := request + time.Duration(c.Long("linger.ms"))*time.Millisecond
	c.add(kgo.ProduceRequestTimeout(max(request, 100*time.Millisecond)))
	timeout := c.millis("delivery.timeout.ms", time.Second, math.MaxInt32*time.Millisecond)
	if timeout < least {
		if _, asked := m["delivery.timeout.ms"]; asked {
			return config.Invalid("delivery.timeout.ms", c.Int("delivery.timeout.ms"), "should be at least linger.ms + request.timeout.ms")
		}
		timeout = least
	}
	if timeout < math.MaxInt32*time.Millisecond { // Java's way to say for ever
		c.add(kgo.RecordDeliveryTimeout(timeout))
	}
	return nil
}

// compression is the codec with its level. The libraries' levels are not those of Java: the nearest is taken.
func (c *client) compression() kgo.CompressionCodec {
	switch c.String("compression.type") {
	case "gzip":
		return kgo.GzipCompression().WithLevel(c.Int("compression.gzip.level"))
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		const fast, first = 0, 1 << 9 // levels 1 to 9 are powers of two; Java's default, 9, stands for its fast mode
		if level := c.Int("compression.lz4.level"); level != 9 {
			return kgo.Lz4Compression().WithLevel(first << (min(level, 9) - 1))
		}
		return kgo.Lz4Compression().WithLevel(fast)
	case "zstd":
		const fastest, normal, better, best = 1, 2, 3, 4
		switch level := c.Int("compression.zstd.level"); {
		case level < 3:
			return kgo.ZstdCompression().WithLevel(fastest)
		case level < 6:
			return kgo.ZstdCompression().WithLevel(normal)
		case level < 10:
			return kgo.ZstdCompression().WithLevel(better)
		}
		return kgo.ZstdCompression().WithLevel(best)
	}
	return kgo.NoCompression()
}

func (c *client) partitioner() error {
	const bytes = 64 << 10 // to one partition before records without a key go to another one
	switch class := c.String("partitioner.class"); strings.TrimPrefix(class, "org.apache.kafka.clients.producer.") {
	case "", "internals.DefaultPartitioner", "UniformStickyPartitioner":
		keys := !c.Bool("partitioner.ignore.keys") && !strings.HasSuffix(class, "UniformStickyPartitioner")
		c.add(kgo.RecordPartitioner(partitioner{kgo.UniformBytesPartitioner(bytes, true, keys, nil)})) // murmur2 of the key, as Java
	case "RoundRobinPartitioner":
		c.add(kgo.RecordPartitioner(partitioner{kgo.RoundRobinPartitioner()}))
	default:
		return config.Invalid("partitioner.class", class,
			"this worker runs no Java classes: leave the key out, or use org.apache.kafka.clients.producer.RoundRobinPartitioner")
	}
	return nil
}
