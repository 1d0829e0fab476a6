package kafkaconf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect/config"
	"kconnect/connect/ssl"
)

// Kind says which Java client a configuration is for.
type Kind uint8

// The kinds. CommonClient is an admin client, or one of the worker's own.
const (
	CommonClient Kind = iota
	ProducerClient
	ConsumerClient
)

// key defines a key of this package's tables. A default of "" means null.
func key(name string, t config.Type, def string, validate config.Validator) config.Key {
	k := config.Key{Name: name, Type: t, Validate: validate}
	if def != "" {
		k.Default = config.Default(def)
	}
	return k
}

var connectionKeys = config.NewDef(
	config.Key{Name: "bootstrap.servers", Type: config.List, Required: true},
	key("client.id", config.String, "", nil),
	key("client.dns.lookup", config.String, "use_all_dns_ips", config.OneOf("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only")),
	key("request.timeout.ms", config.Int, "30000", config.AtLeast(0)),
	key("default.api.timeout.ms", config.Int, "60000", config.AtLeast(0)),
	key("retry.backoff.ms", config.Long, "100", config.AtLeast(0)),
	key("retry.backoff.max.ms", config.Long, "1000", config.AtLeast(0)),
	key("reconnect.backoff.ms", config.Long, "50", config.AtLeast(0)),
	key("reconnect.backoff.max.ms", config.Long, "1000", config.AtLeast(0)),
	key("metadata.max.age.ms", config.Long, "300000", config.AtLeast(0)),
	key("connections.max.idle.ms", config.Long, "540000", nil),
	key("socket.connection.setup.timeout.ms", config.Long, "10000", nil),
	key("enable.metrics.push", config.Boolean, "true", nil),
	key("security.protocol", config.String, "PLAINTEXT", config.OneOfFold("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")),
).Merge(ssl.Keys, saslKeys)

// client is a configuration on its way to options.
type client struct {
	*config.Values
	raw    config.Map
	kind   Kind
	opts   []kgo.Opt
	capped []string
}

// Common returns the options of an admin client or one of the worker's own: how to reach the brokers. Unprefixed keys
// of a worker's configuration are fit for it.
func Common(m config.Map) ([]kgo.Opt, error) {
	c, err := read(CommonClient, m)
	if err != nil {
		return nil, err
	}
	return c.opts, nil
}

// Capped says, in a sentence for each, which values of m are beyond what the client library can do and were cut to its
// limits. They are meant for the log. Promise 3: nothing is changed silently. An m that is not accepted has none.
func Capped(kind Kind, m config.Map) []string {
	c, err := read(kind, m)
	if err != nil {
		return nil
	}
	return c.capped
}

// read makes the options of a client.
func read(kind Kind, m config.Map) (*client, error) {
	v, err := definition(kind).Parse(m)
	if err != nil {
		return nil, err
	}
	c := &client{Values: v, raw: m, kind: kind}
	for _, part := range map[Kind][]func() error{
		CommonClient:   {c.connection},
		ProducerClient: {c.connection, func() error { return c.producer(m) }},
		ConsumerClient: {c.connection, c.consumer},
	}[kind] {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func definition(kind Kind) *config.Def {
	switch kind {
	case ProducerClient:
		return connectionKeys.Merge(producerKeys)
	case ConsumerClient:
		return connectionKeys.Merge(consumerKeys)
	}
	return connectionKeys
}

func (c *client) add(opts ...kgo.Opt) { c.opts = append(c.opts, opts...) }

// number is the value of an Int or Long key, cut to the limits of the library.
func (c *client) number(key string, least, most int64, unit string) int64 {
	text, _ := c.Text(key)
	n, _ := strconv.ParseInt(text, 10, 64) // both are sure: the key is a number with a default
	cut := min(max(n, least), most)
	if cut != n {
		c.capped = append(c.capped, fmt.Sprintf("%s=%d is beyond the limits of this client: it works with %d%s", key, n, cut, unit))
	}
	return cut
}

// millis is the value of a key in milliseconds, cut to the limits of the library.
func (c *client) millis(key string, least, most time.Duration) time.Duration {
	return time.Duration(c.number(key, least.Milliseconds(), most.Milliseconds(), " ms")) * time.Millisecond
}

// unlimited is the longest time that a key in milliseconds can stand for.
const unlimited = math.MaxInt64 / int64(time.Millisecond) * int64(time.Millisecond)

func (c *client) connection() error {
	seeds, err := servers(c.List("bootstrap.servers"))
	if err != nil {
		return err
	}
	c.add(kgo.SeedBrokers(seeds...))
	if id := c.String("client.id"); id != "" {
		c.add(kgo.ClientID(id))
	}
	if lookup := c.String("client.dns.lookup"); lookup != "use_all_dns_ips" {
		return config.Invalid("client.dns.lookup", lookup, "this client only tries all addresses of a name: leave the key out")
	}

	// The library adds the broker's own share (a fetch's wait, a rebalance) to this.
	c.add(kgo.RequestTimeoutOverhead(c.millis("request.timeout.ms", 100*time.Millisecond, 15*time.Minute)))
	// Java retries without a count, for as long as a call may take.
	c.add(kgo.RequestRetries(math.MaxInt32), kgo.RetryTimeoutFn(c.retryTimeout()))
	first := c.millis("retry.backoff.ms", 0, time.Duration(unlimited))
	// The library waits in one way before it asks again and before it connects again: Java's first step of the one,
	// and the longer end of the two.
	c.add(kgo.RetryBackoffFn(backoff(first, max(
		c.millis("retry.backoff.max.ms", 0, time.Duration(unlimited)), c.millis("reconnect.backoff.max.ms", 0, time.Duration(unlimited))))))

	// A change of leaders is looked up as soon as Java would, instead of at most every 5 s.
	soon := min(max(first, 10*time.Millisecond), time.Hour)
	c.add(kgo.MetadataMinAge(soon), kgo.MetadataMaxAge(max(soon, c.millis("metadata.max.age.ms", 10*time.Millisecond, time.Hour))))
	idle := 15 * time.Minute
	if c.Long("connections.max.idle.ms") >= 0 { // negative: never; brokers close after 10 minutes
		idle = c.millis("connections.max.idle.ms", 100*time.Millisecond, idle)
	}
	c.add(kgo.ConnIdleTimeout(idle))
	c.add(kgo.DialTimeout(c.millis("socket.connection.setup.timeout.ms", time.Millisecond, time.Duration(unlimited))))
	if !c.Bool("enable.metrics.push") {
		c.add(kgo.DisableClientMetrics())
	}
	return c.security()
}

// security adds TLS and SASL as security.protocol wants it. Java ignores the keys of what is not switched on; so do we.
func (c *client) security() error {
	protocol := strings.ToUpper(c.String("security.protocol"))
	if strings.HasSuffix(protocol, "SSL") {
		t, err := ssl.Client(c.raw)
		if err != nil {
			return err
		}
		c.add(kgo.DialTLSConfig(t))
	}
	if strings.HasPrefix(protocol, "SASL_") {
		return c.sasl()
	}
	return nil
}

// backoff doubles from first to limit, a fifth up or down by chance.
func backoff(first, limit time.Duration) func(int) time.Duration {
	return func(failures int) time.Duration {
		wait := float64(first) * math.Pow(2, float64(max(failures-1, 0))) * (0.8 + 0.4*rand.Float64())
		return time.Duration(min(wait, float64(max(limit, first))))
	}
}

// retryTimeout limits how long a request is tried again. What keeps a membership alive must not outlive the session.
func (c *client) retryTimeout() func(int16) time.Duration {
	const joinGroup, heartbeat, syncGroup, consumerGroupHeartbeat = 11, 12, 14, 68
	limit := c.millis("default.api.timeout.ms", 0, time.Duration(unlimited))
	session := limit
	if c.kind == ConsumerClient {
		session = min(limit, time.Duration(c.Int("session.timeout.ms"))*time.Millisecond)
	}
	return func(request int16) time.Duration {
		switch request {
		case joinGroup, heartbeat, syncGroup, consumerGroupHeartbeat:
			return session
		}
		return limit
	}
}

// An address may carry a protocol in front, which counts for nothing, as in Java.
var address = regexp.MustCompile(`^(?:[0-9a-zA-Z\-._%]*://)?\[?([0-9a-zA-Z\-._%:]+)\]?:([0-9]+)$`)

// servers are the brokers of bootstrap.servers.
func servers(list []string) ([]string, error) {
	var seeds []string
	for _, s := range list {
		if s == "" {
			continue
		}
		m := address.FindStringSubmatch(s)
		if m == nil {
			return nil, config.Invalid("bootstrap.servers", s, "not of the form host:port")
		}
		seeds = append(seeds, net.JoinHostPort(m[1], m[2]))
	}
	if len(seeds) == 0 {
		return nil, config.Invalid("bootstrap.servers", list, "no broker is named: give at least one as host:port")
	}
	return seeds, nil
}
