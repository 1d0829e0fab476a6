package kafkaconf

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect/config"
)

var consumerKeys = config.NewDef(
	key("group.id", config.String, "", nil),
	key("group.instance.id", config.String, "", config.NonEmpty()),
	key("group.protocol", config.String, "classic", config.OneOfFold("classic", "consumer")),
	key("partition.assignment.strategy", config.List,
		"org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor", nil),
	key("session.timeout.ms", config.Int, "45000", nil),
	key("heartbeat.interval.ms", config.Int, "3000", nil),
	key("max.poll.interval.ms", config.Int, "300000", config.AtLeast(1)),
	key("max.poll.records", config.Int, "500", config.AtLeast(1)),
	key("enable.auto.commit", config.Boolean, "true", nil),
	key("auto.commit.interval.ms", config.Int, "5000", config.AtLeast(0)),
	key("auto.offset.reset", config.String, "latest", nil),
	key("isolation.level", config.String, "read_uncommitted", config.OneOf("read_committed", "read_uncommitted")),
	key("fetch.min.bytes", config.Int, "1", config.AtLeast(0)),
	key("fetch.max.bytes", config.Int, "52428800", config.AtLeast(0)),
	key("fetch.max.wait.ms", config.Int, "500", config.AtLeast(0)),
	key("max.partition.fetch.bytes", config.Int, "1048576", config.AtLeast(0)),
	key("check.crcs", config.Boolean, "true", nil),
	key("allow.auto.create.topics", config.Boolean, "true", nil),
	key("client.rack", config.String, "", nil),
	key("interceptor.classes", config.List, "", nil),
)

// ConsumerSettings are a consumer's options, and what the one who polls has to know.
type ConsumerSettings struct {
	Opts            []kgo.Opt     // those of Common included; which topics to read is not among them
	GroupID         string        // group.id; empty: no group
	MaxPollRecords  int           // for kgo.Client.PollRecords
	MaxPollInterval time.Duration // max.poll.interval.ms: the most time between two polls, and between a rebalance and the next poll
}

// Consumer returns the settings of a consumer.
func Consumer(m config.Map) (ConsumerSettings, error) {
	c, err := read(ConsumerClient, m)
	if err != nil {
		return ConsumerSettings{}, err
	}
	return ConsumerSettings{
		Opts:            c.opts,
		GroupID:         c.String("group.id"),
		MaxPollRecords:  c.Int("max.poll.records"),
		MaxPollInterval: time.Duration(c.Int("max.poll.interval.ms")) * time.Millisecond,
	}, nil
}

func (c *client) consumer() error {
	if classes := c.List("interceptor.classes"); len(classes) > 0 {
		return config.Invalid("interceptor.classes", classes, "this worker runs no Java classes: leave the key out")
	}
	if c.Bool("allow.auto.create.topics") {
		c.add(kgo.AllowAutoTopicCreation())
	}
	if c.String("isolation.level") == "read_committed" {
		c.add(kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if !c.Bool("check.crcs") {
		c.add(kgo.DisableFetchCRCValidation())
	}
	if rack := c.String("client.rack"); rack != "" {
		c.add(kgo.Rack(rack))
	}
	const most = 1 << 30
	fetch := c.number("fetch.max.bytes", 0, most, " bytes")
	c.add(
		kgo.FetchMinBytes(int32(c.Int("fetch.min.bytes"))),
		kgo.FetchMaxBytes(int32(fetch)),
		kgo.FetchMaxPartitionBytes(int32(c.Int("max.partition.fetch.bytes"))),
		kgo.FetchMaxWait(c.millis("fetch.max.wait.ms", 10*time.Millisecond, math.MaxInt32*time.Millisecond)),
		// A single batch may be larger than what was asked for.
		kgo.BrokerMaxReadBytes(int32(min(max(2*fetch, 100<<20), most))),
	)
	if err := c.start(); err != nil {
		return err
	}
	return c.group()
}

// start says where reading begins without a committed offset.
func (c *client) start() error {
	reset := c.String("auto.offset.reset")
	start, again := kgo.NewOffset(), kgo.NewOffset()
	switch by, period, _ := strings.Cut(strings.ToLower(reset), ":"); {
	case reset == "earliest":
		start, again = start.AtStart(), again.AtStart()
	case reset == "latest":
		start, again = start.AtEnd(), again.AtEnd()
	case reset == "none":
		start, again = start.AtCommitted(), kgo.NoResetOffset()
	case by == "by_duration":
		d, ok := isoDuration(period)
		if !ok {
			return config.Invalid("auto.offset.reset", reset, "write the time as in by_duration:P1DT12H")
		}
		start, again = kgo.LookbackOffset(d), kgo.LookbackOffset(d)
	default:
		return config.Invalid("auto.offset.reset", reset, "use earliest, latest, none or by_duration:<ISO 8601 duration>")
	}
	c.add(kgo.ConsumeStartOffset(start), kgo.ConsumeResetOffset(again))
	return nil
}

var isoPattern = regexp.MustCompile(`^p(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d{1,9})?)s)?)?$`)

// isoDuration reads the non-negative part of what java.time.Duration reads; s is in lower case.
func isoDuration(s string) (time.Duration, bool) {
	m := isoPattern.FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "p") || strings.HasSuffix(s, "t") {
		return 0, false
	}
	var sum float64
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if n, err := strconv.ParseFloat(m[i+1], 64); err == nil {
			sum += n * float64(unit)
		}
	}
	return time.Duration(sum), sum < math.MaxInt64
}

func (c *client) group() error {
	group := c.String("group.id")
	if group == "" {
		return nil
	}
	if protocol := c.String("group.protocol"); !strings.EqualFold(protocol, "classic") {
		return config.Invalid("group.protocol", protocol, "this worker can do classic: leave the key out")
	}
	session, heartbeat := c.Int("session.timeout.ms"), c.Int("heartbeat.interval.ms")
	switch {
	case session < 100:
		return config.Invalid("session.timeout.ms", session, "Value must be at least 100")
	case heartbeat < 1 || heartbeat >= session:
		return config.Invalid("heartbeat.interval.ms", heartbeat, "must be above 0 and below session.timeout.ms")
	}
	var balancers []kgo.GroupBalancer
	for _, class := range c.List("partition.assignment.strategy") {
		switch strings.TrimPrefix(class, "org.apache.kafka.clients.consumer.") {
		case "RangeAssignor":
			balancers = append(balancers, kgo.RangeBalancer())
		case "RoundRobinAssignor":
			balancers = append(balancers, kgo.RoundRobinBalancer())
		case "StickyAssignor":
			balancers = append(balancers, kgo.StickyBalancer())
		case "CooperativeStickyAssignor":
			balancers = append(balancers, kgo.CooperativeStickyBalancer())
		default:
			return config.Invalid("partition.assignment.strategy", class, "this worker can do RangeAssignor, RoundRobinAssignor, "+
				"StickyAssignor and CooperativeStickyAssignor (of org.apache.kafka.clients.consumer)")
		}
	}
	if len(balancers) == 0 {
		return config.Invalid("partition.assignment.strategy", "", "no strategy is left: leave the key out")
	}
	c.add(
		kgo.ConsumerGroup(group),
		kgo.Balancers(balancers...),
		kgo.SessionTimeout(time.Duration(session)*time.Millisecond),
		kgo.HeartbeatInterval(time.Duration(heartbeat)*time.Millisecond),
		kgo.RebalanceTimeout(c.millis("max.poll.interval.ms", 100*time.Millisecond, math.MaxInt32*time.Millisecond)),
	)
	if id, ok := c.OptString("group.instance.id"); ok {
		c.add(kgo.InstanceID(id))
	}
	if c.Bool("enable.auto.commit") {
		c.add(kgo.AutoCommitInterval(c.millis("auto.commit.interval.ms", 100*time.Millisecond, math.MaxInt32*time.Millisecond)))
	} else {
		c.add(kgo.DisableAutoCommit())
	}
	return nil
}
