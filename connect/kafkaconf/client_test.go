package kafkaconf

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect/config"
)

// with is a minimal configuration with keys added.
func with(pairs ...string) config.Map {
	m := config.Map{"bootstrap.servers": "127.0.0.1:9092"}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func newClient(t *testing.T, opts []kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// options shows what the library works with.
func options(t *testing.T, cl *kgo.Client, names ...any) map[string]string {
	t.Helper()
	got := make(map[string]string)
	for i := 0; i < len(names); i += 2 {
		got[names[i].(string)] = fmt.Sprint(cl.OptValue(names[i+1]))
	}
	return got
}

func TestDefaultsAreJavas(t *testing.T) {
	common, err := Common(with())
	if err != nil {
		t.Fatal(err)
	}
	cl := newClient(t, common)
	got := options(t, cl, "seeds", kgo.SeedBrokers, "request", kgo.RequestTimeoutOverhead, "dial", kgo.DialTimeout, "idle", kgo.ConnIdleTimeout,
		"age", kgo.MetadataMaxAge, "retry", kgo.RetryTimeout, "id", kgo.ClientID)
	want := map[string]string{"seeds": "[127.0.0.1:9092]", "request": "30s", "dial": "10s", "idle": "9m0s", "age": "5m0s", "retry": "1m0s", "id": "kgo"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("common:\n%s", diff)
	}

	producer, err := Producer(with())
	if err != nil {
		t.Fatal(err)
	}
	cl = newClient(t, producer)
	got = options(t, cl, "acks", kgo.RequiredAcks, "not idempotent", kgo.DisableIdempotentWrite, "linger", kgo.ProducerLinger, "batch", kgo.ProducerBatchMaxBytes,
		"buffer", kgo.MaxBufferedBytes, "compression", kgo.ProducerBatchCompression, "delivery", kgo.RecordDeliveryTimeout, "topics", kgo.AllowAutoTopicCreation,
		"request", kgo.ProduceRequestTimeout)
	want = map[string]string{"acks": "{-1}", "not idempotent": "false", "linger": "5ms", "batch": "1048576", "buffer": "33554432",
		"compression": "[{0 0}]", "delivery": "2m0s", "topics": "true", "request": "30s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("producer:\n%s", diff)
	}

	consumer, err := Consumer(with("group.id", "g"))
	if err != nil {
		t.Fatal(err)
	}
	if consumer.GroupID != "g" || consumer.MaxPollRecords != 500 || consumer.MaxPollInterval != 5*time.Minute {
		t.Errorf("consumer: %+v", consumer)
	}
	cl = newClient(t, consumer.Opts)
	got = options(t, cl, "min", kgo.FetchMinBytes, "max", kgo.FetchMaxBytes, "partition", kgo.FetchMaxPartitionBytes, "wait", kgo.FetchMaxWait,
		"group", kgo.ConsumerGroup, "session", kgo.SessionTimeout, "heartbeat", kgo.HeartbeatInterval, "rebalance", kgo.RebalanceTimeout,
		"commit", kgo.AutoCommitInterval, "no commit", kgo.DisableAutoCommit, "isolation", kgo.FetchIsolationLevel)
	want = map[string]string{"min": "1", "max": "52428800", "partition": "1048576", "wait": "500ms", "group": "g", "session": "45s", "heartbeat": "3s",
		"rebalance": "5m0s", "commit": "5s", "no commit": "false", "isolation": "0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("consumer:\n%s", diff)
	}
	if start := cl.OptValue(kgo.ConsumeStartOffset); start != kgo.NewOffset().AtEnd() {
		t.Errorf("a consumer starts at %v, want the end", start)
	}
}

func TestValuesReachTheLibrary(t *testing.T) {
	producer, err := Producer(with("client.id", "me", "bootstrap.servers", " PLAINTEXT://a:1, [::1]:2 ,", "acks", "1", "linger.ms", "0", "max.request.size", "2000000",
		"buffer.memory", "5000000", "compression.type", "zstd", "compression.zstd.level", "9", "delivery.timeout.ms", "2147483647", "retries", "3",
		"max.in.flight.requests.per.connection", "1", "request.timeout.ms", "7000", "connections.max.idle.ms", "-1", "metadata.max.age.ms", "2000",
		"socket.connection.setup.timeout.ms", "1500", "default.api.timeout.ms", "9000"))
	if err != nil {
		t.Fatal(err)
	}
	got := options(t, newClient(t, producer), "id", kgo.ClientID, "seeds", kgo.SeedBrokers, "acks", kgo.RequiredAcks, "not idempotent", kgo.DisableIdempotentWrite,
		"linger", kgo.ProducerLinger, "batch", kgo.ProducerBatchMaxBytes, "buffer", kgo.MaxBufferedBytes, "compression", kgo.ProducerBatchCompression,
		"delivery", kgo.RecordDeliveryTimeout, "retries", kgo.RecordRetries, "in flight", kgo.MaxProduceRequestsInflightPerBroker,
		"request", kgo.RequestTimeoutOverhead, "idle", kgo.ConnIdleTimeout, "age", kgo.MetadataMaxAge, "dial", kgo.DialTimeout, "retry", kgo.RetryTimeout)
	want := map[string]string{"id": "me", "seeds": "[a:1 [::1]:2]", "acks": "{1}", "not idempotent": "true", "linger": "0s", "batch": "2000000", "buffer": "5000000",
		"compression": "[{4 3}]", "delivery": "0s", "retries": "3", "in flight": "1", "request": "7s", "idle": "15m0s", "age": "2s", "dial": "1.5s", "retry": "9s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("producer:\n%s", diff)
	}

	consumer, err := Consumer(with("group.id", "g", "fetch.min.bytes", "7", "fetch.max.bytes", "200000000", "max.partition.fetch.bytes", "8", "fetch.max.wait.ms", "90",
		"session.timeout.ms", "6000", "heartbeat.interval.ms", "100", "max.poll.interval.ms", "1234", "max.poll.records", "9", "isolation.level", "read_committed",
		"enable.auto.commit", "false", "group.instance.id", "i", "client.rack", "r", "partition.assignment.strategy", "org.apache.kafka.clients.consumer.StickyAssignor"))
	if err != nil {
		t.Fatal(err)
	}
	if consumer.MaxPollRecords != 9 || consumer.MaxPollInterval != 1234*time.Millisecond {
		t.Errorf("consumer: %+v", consumer)
	}
	cl := newClient(t, consumer.Opts)
	got = options(t, cl, "min", kgo.FetchMinBytes, "max", kgo.FetchMaxBytes, "partition", kgo.FetchMaxPartitionBytes, "wait", kgo.FetchMaxWait,
		"session", kgo.SessionTimeout, "heartbeat", kgo.HeartbeatInterval, "rebalance", kgo.RebalanceTimeout, "no commit", kgo.DisableAutoCommit,
		"isolation", kgo.FetchIsolationLevel, "rack", kgo.Rack)
	want = map[string]string{"min": "7", "max": "200000000", "partition": "8", "wait": "90ms", "session": "6s", "heartbeat": "100ms", "rebalance": "1.234s",
		"no commit": "true", "isolation": "1", "rack": "r"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("consumer:\n%s", diff)
	}
	if b := cl.OptValue(kgo.Balancers).([]kgo.GroupBalancer); len(b) != 1 || b[0].ProtocolName() != "sticky" {
		t.Errorf("balancers %v", b)
	}
}

func TestOffsetResetIsJavas(t *testing.T) {
	for reset, want := range map[string][2]kgo.Offset{
		"earliest":              {kgo.NewOffset().AtStart(), kgo.NewOffset().AtStart()},
		"latest":                {kgo.NewOffset().AtEnd(), kgo.NewOffset().AtEnd()},
		"none":                  {kgo.NewOffset().AtCommitted(), kgo.NoResetOffset()},
		"by_duration:P1DT2H":    {kgo.LookbackOffset(26 * time.Hour), kgo.LookbackOffset(26 * time.Hour)},
		"by_duration:PT3M0.25S": {kgo.LookbackOffset(180250 * time.Millisecond), kgo.LookbackOffset(180250 * time.Millisecond)},
	} {
		consumer, err := Consumer(with("auto.offset.reset", reset))
		if err != nil {
			t.Errorf("%s: %v", reset, err)
			continue
		}
		cl := newClient(t, consumer.Opts)
		if got := [2]kgo.Offset{cl.OptValue(kgo.ConsumeStartOffset).(kgo.Offset), cl.OptValue(kgo.ConsumeResetOffset).(kgo.Offset)}; got != want {
			t.Errorf("%s: %v, want %v", reset, got, want)
		}
	}
}

func TestIdempotenceGivesWayUnlessAskedFor(t *testing.T) {
	for _, test := range []struct {
		pairs      []string
		idempotent bool
		refused    string
	}{
		{nil, true, ""},
		{[]string{"acks", "-1"}, true, ""},
		{[]string{"acks", "1"}, false, ""},
		{[]string{"retries", "0"}, false, ""},
		{[]string{"max.in.flight.requests.per.connection", "6"}, false, ""},
		{[]string{"enable.idempotence", "false"}, false, ""},
		{[]string{"enable.idempotence", "true", "acks", "1"}, false, "acks"},
		{[]string{"enable.idempotence", "true", "retries", "0"}, false, "retries"},
		{[]string{"enable.idempotence", "true", "max.in.flight.requests.per.connection", "6"}, false, "max.in.flight"},
		{[]string{"transactional.id", "t", "acks", "0"}, false, "acks"},
		{[]string{"transactional.id", "t", "enable.idempotence", "false"}, false, "enable.idempotence"},
		{[]string{"transactional.id", "t"}, true, ""},
	} {
		opts, err := Producer(with(test.pairs...))
		if test.refused != "" {
			if err == nil || !strings.Contains(err.Error(), "for configuration "+test.refused) {
				t.Errorf("%v: %v", test.pairs, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", test.pairs, err)
			continue
		}
		if got := !newClient(t, opts).OptValue(kgo.DisableIdempotentWrite).(bool); got != test.idempotent {
			t.Errorf("%v: idempotent is %v", test.pairs, got)
		}
	}
}

const secret = "s3cr3t-text"

func TestRefusalsNameKeyValueAndRemedy(t *testing.T) {
	jaas := func(s string) []string {
		return []string{"security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "PLAIN", "sasl.jaas.config", s}
	}
	bearer := func(more ...string) []string {
		return append([]string{"security.protocol", "SASL_SSL", "sasl.mechanism", "OAUTHBEARER"}, more...)
	}
	login := func(options string) string {
		return "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required " + options + ";"
	}
	for _, test := range []struct {
		kind  Kind
		pairs []string
		parts []string
	}{
		{CommonClient, []string{"bootstrap.servers", "nowhere"}, []string{"bootstrap.servers", "nowhere", "host:port"}},
		{CommonClient, []string{"bootstrap.servers", " , "}, []string{"bootstrap.servers", "host:port"}},
		{CommonClient, []string{"request.timeout.ms", "soon"}, []string{"request.timeout.ms", "soon", "INT"}},
		{CommonClient, []string{"security.protocol", "TLS"}, []string{"security.protocol", "TLS", "SASL_SSL"}},
		{CommonClient, []string{"client.dns.lookup", "resolve_canonical_bootstrap_servers_only"}, []string{"client.dns.lookup", "leave the key out"}},
		{CommonClient, []string{"security.protocol", "SASL_PLAINTEXT"}, []string{"sasl.mechanism", "GSSAPI", "not set", "SCRAM-SHA-512"}},
		{CommonClient, []string{"security.protocol", "sasl_ssl", "sasl.mechanism", "GSSAPI", "sasl.kerberos.service.name", "kafka"}, []string{"sasl.mechanism", "GSSAPI", "OAUTHBEARER"}},
		{CommonClient, bearer(), []string{"sasl.oauthbearer.token.endpoint.url", "token endpoint"}},
		{CommonClient, bearer("sasl.oauthbearer.token.endpoint.url", "https://a/t", AllowedURLs, "https://a/"), []string{"https://a/t", AllowedURLs, "KAFKA_OPTS"}},
		{CommonClient, bearer("sasl.oauthbearer.token.endpoint.url", "ftp://a/t", AllowedURLs, "ftp://a/t"), []string{"ftp://a/t", "file:"}},
		{CommonClient, bearer("sasl.oauthbearer.token.endpoint.url", "https://a/t", AllowedURLs, "https://a/t"), []string{"sasl.oauthbearer.client.credentials.client.id", "clientId"}},
		{CommonClient, bearer("sasl.oauthbearer.token.endpoint.url", "https://a/t", AllowedURLs, "https://a/t", "sasl.jaas.config", login("clientId=x")),
			[]string{"sasl.oauthbearer.client.credentials.client.secret", "clientSecret"}},
		{CommonClient, bearer("sasl.oauthbearer.token.endpoint.url", "https://a/t", AllowedURLs, "https://a/t", "sasl.oauthbearer.jwt.retriever.class", "org.apache.kafka.common.security.oauthbearer.FileJwtRetriever"),
			[]string{"sasl.oauthbearer.token.endpoint.url", "FileJwtRetriever"}},
		{CommonClient, bearer("sasl.oauthbearer.jwt.retriever.class", "org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever"), []string{"JwtBearerJwtRetriever", "ClientCredentialsJwtRetriever"}},
		{CommonClient, bearer("sasl.oauthbearer.jwt.validator.class", "a.B"), []string{"sasl.oauthbearer.jwt.validator.class", "a.B"}},
		{CommonClient, bearer("sasl.login.callback.handler.class", "io.strimzi.kafka.oauth.client.JaasClientOauthLoginCallbackHandler"), []string{"sasl.login.callback.handler.class", "io.strimzi"}},
		{CommonClient, bearer("sasl.jaas.config", `a.ScramLoginModule required username="u" password="`+secret+`";`), []string{"sasl.jaas.config", "OAuthBearerLoginModule"}},
		{CommonClient, bearer("sasl.jaas.config", login(`clientId=x clientSecret="`+secret+`" extension_a1=b`)), []string{"sasl.jaas.config", "extension_NAME"}},
		{CommonClient, bearer("sasl.oauthbearer.token.endpoint.url", "https://a/t", AllowedURLs, "https://a/t", "sasl.jaas.config", login(`clientId=x clientSecret="`+secret+`" ssl.truststore.location="/no/such"`)),
			[]string{"sasl.jaas.config", "token endpoint", "/no/such"}},
		{CommonClient, []string{"security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "SCRAM-SHA-256"}, []string{"sasl.jaas.config", "ScramLoginModule required"}},
		{CommonClient, []string{"security.protocol", "SASL_SSL", "sasl.mechanism", "PLAIN", "sasl.login.class", "a.B"}, []string{"sasl.login.class", "a.B", "leave"}},
		{CommonClient, jaas(secret), []string{"sasl.jaas.config", "[hidden]", "PlainLoginModule required"}},
		{CommonClient, jaas(`a.PlainLoginModule required username="u" password="` + secret + `"`), []string{"sasl.jaas.config", "[hidden]"}},
		{CommonClient, jaas(`a.PlainLoginModule required username="u" password="` + secret), []string{"sasl.jaas.config", "[hidden]"}},
		{CommonClient, jaas(`a.ScramLoginModule required username="u" password="` + secret + `";`), []string{"sasl.jaas.config", "not that of PLAIN"}},
		{CommonClient, jaas(`a.PlainLoginModule required user="u" password="` + secret + `";`), []string{"sasl.jaas.config", "username or password"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.truststore.location", "/x.jks", "ssl.truststore.password", secret}, []string{"ssl.truststore.location", "/x.jks", "permissions"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.keystore.location", "/x.p12", "ssl.keystore.type", "BCFKS"}, []string{"ssl.keystore.type", "BCFKS", "PEM", "keytool"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.truststore.type", "PEM", "ssl.truststore.location", "/no/such.pem"}, []string{"ssl.truststore.location", "/no/such.pem"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.truststore.type", "PEM", "ssl.truststore.certificates", secret}, []string{"ssl.truststore.certificates", "no trusted certificate"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.keystore.type", "PEM", "ssl.keystore.key", secret}, []string{"ssl.keystore", "private key"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.keystore.type", "PEM", "ssl.keystore.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----"},
			[]string{"ssl.key.password", "encrypted", "set it"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.keystore.type", "PEM", "ssl.keystore.key", "-----BEGIN PRIVATE KEY-----\n" + secret + "!\n-----END PRIVATE KEY-----"},
			[]string{"ssl.keystore"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.enabled.protocols", "SSLv3"}, []string{"ssl.enabled.protocols", "SSLv3", "TLSv1.3"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.cipher.suites", "TLS_X"}, []string{"ssl.cipher.suites", "TLS_X"}},
		{CommonClient, []string{"security.protocol", "SSL", "ssl.engine.factory.class", "a.B"}, []string{"ssl.engine.factory.class", "a.B", "leave"}},
		{ProducerClient, []string{"acks", "2"}, []string{"acks", "2", "all"}},
		{ProducerClient, []string{"compression.type", "brotli"}, []string{"compression.type", "brotli", "zstd"}},
		{ProducerClient, []string{"compression.gzip.level", "0"}, []string{"compression.gzip.level", "0", "-1"}},
		{ProducerClient, []string{"delivery.timeout.ms", "1000"}, []string{"delivery.timeout.ms", "1000", "request.timeout.ms"}},
		{ProducerClient, []string{"partitioner.class", "a.B"}, []string{"partitioner.class", "a.B", "leave"}},
		{ProducerClient, []string{"interceptor.classes", "a.B"}, []string{"interceptor.classes", "a.B", "leave"}},
		{ConsumerClient, []string{"interceptor.classes", "a.B"}, []string{"interceptor.classes", "a.B", "leave"}},
		{ConsumerClient, []string{"auto.offset.reset", "oldest"}, []string{"auto.offset.reset", "oldest", "earliest"}},
		{ConsumerClient, []string{"auto.offset.reset", "by_duration:PT"}, []string{"auto.offset.reset", "by_duration:PT", "P1DT12H"}},
		{ConsumerClient, []string{"group.id", "g", "group.protocol", "consumer"}, []string{"group.protocol", "consumer", "classic"}},
		{ConsumerClient, []string{"group.id", "g", "heartbeat.interval.ms", "45000"}, []string{"heartbeat.interval.ms", "45000", "session.timeout.ms"}},
		{ConsumerClient, []string{"group.id", "g", "partition.assignment.strategy", "a.B"}, []string{"partition.assignment.strategy", "a.B", "RangeAssignor"}},
	} {
		_, err := read(test.kind, with(test.pairs...))
		if err == nil {
			t.Errorf("%v is accepted", test.pairs)
			continue
		}
		for _, part := range test.parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%v: %v: does not say %q", test.pairs, err, part)
			}
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			t.Errorf("%v: %v: shows the secret", test.pairs, err)
		}
	}
}

func TestLimitsOfTheLibraryAreTold(t *testing.T) {
	m := with("request.timeout.ms", "2147483647", "connections.max.idle.ms", "3600000", "linger.ms", "120000", "max.request.size", "2147483647",
		"delivery.timeout.ms", "2147483647", "enable.idempotence", "false")
	if _, err := Producer(m); err == nil || !strings.Contains(err.Error(), "delivery.timeout.ms") {
		t.Errorf("a delivery.timeout.ms below the sum: %v", err)
	}
	m["request.timeout.ms"] = "1000000"
	opts, err := Producer(m)
	if err != nil {
		t.Fatal(err)
	}
	newClient(t, opts)
	var keys []string
	for _, s := range Capped(ProducerClient, m) {
		key, _, _ := strings.Cut(s, "=")
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"connections.max.idle.ms", "linger.ms", "max.request.size", "request.timeout.ms"}, keys); diff != "" {
		t.Error(diff)
	}
	consumer := with("fetch.max.bytes", "2147483647", "fetch.max.wait.ms", "0", "metadata.max.age.ms", "86400000", "group.id", "g", "max.poll.interval.ms", "2147483647")
	settings, err := Consumer(consumer)
	if err != nil {
		t.Fatal(err)
	}
	newClient(t, settings.Opts)
	if n := len(Capped(ConsumerClient, consumer)); n != 3 {
		t.Errorf("%d values capped, want 3: %v", n, Capped(ConsumerClient, consumer))
	}
}

func TestBackoffGrowsToItsLimit(t *testing.T) {
	next := backoff(100*time.Millisecond, time.Second)
	for failures, about := range map[int]time.Duration{0: 100, 1: 100, 2: 200, 3: 400, 4: 800, 5: 1000, 60: 1000, 5000: 1000} {
		got, about := next(failures), about*time.Millisecond
		if got < about*8/10 || got > min(about*12/10, time.Second) {
			t.Errorf("after %d failures %v, want about %v", failures, got, about)
		}
	}
}

func TestOnlyStrangeKeysAreUnknown(t *testing.T) {
	m := with("batch.size", "1", "key.serializer", "a.B", "metrics.num.samples", "2", "sasl.kerberos.kinit.cmd", "x", "acks", "1", "fetch.min.bytes", "1",
		"zebra", "1", "batch.sise", "1", "ssl.keystore.type", "PEM", "config.providers.file.class", "x")
	for kind, want := range map[Kind][]string{
		CommonClient:   {"acks", "batch.sise", "fetch.min.bytes", "zebra"},
		ProducerClient: {"batch.sise", "fetch.min.bytes", "zebra"},
		ConsumerClient: {"acks", "batch.sise", "zebra"},
	} {
		if diff := cmp.Diff(want, Unknown(kind, m)); diff != "" {
			t.Errorf("kind %d:\n%s", kind, diff)
		}
	}
}

func TestAReaderMayNotChangeTheConfiguration(t *testing.T) {
	m := with("group.id", "g", "acks", "all")
	before := maps.Clone(m)
	for _, kind := range []Kind{CommonClient, ProducerClient, ConsumerClient} {
		if _, err := read(kind, m); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, m); diff != "" {
		t.Error(diff)
	}
}

func fake(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

func TestATopicThatIsCreatedLateGetsItsRecord(t *testing.T) {
	addr := fake(t, kfake.AllowAutoTopicCreation())
	opts, err := Producer(with("bootstrap.servers", addr))
	if err != nil {
		t.Fatal(err)
	}
	cl := newClient(t, opts)
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "late", Value: []byte("v")}).FirstErr(); err != nil {
		t.Error(err)
	}
}
