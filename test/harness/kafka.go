package harness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/test/harness/service"
)

// Kafka is a real broker. Its methods may be called from several goroutines.
type Kafka struct {
	Brokers string // for bootstrap.servers

	broker *service.Broker // nil for the broker of the run
}

// Broker returns the broker of the run.
func Broker(t testing.TB) *Kafka {
	t.Helper()
	return &Kafka{Brokers: address(t, service.KafkaName)}
}

// PrivateBroker starts a broker for this test alone, which the test may stop and start.
func PrivateBroker(t testing.TB) *Kafka {
	t.Helper()
	return PrivateBrokerWith(t, service.BrokerOptions{QuickRestart: true})
}

// PrivateBrokerWith is PrivateBroker for one with other options, such as listeners with protection: see Listener.
func PrivateBrokerWith(t testing.TB, options service.BrokerOptions) *Kafka {
	t.Helper()
	d, err := service.FindDistribution()
	installed(t, err)
	return privateBroker(t, d, options)
}

func privateBroker(t testing.TB, d service.Distribution, options service.BrokerOptions) *Kafka {
	t.Helper()
	broker, err := service.NewBroker(d, openDir(t), options)
	if err != nil {
		t.Fatal(err)
	}
	k := &Kafka{Brokers: broker.Address(), broker: broker}
	k.Start(t)
	t.Cleanup(func() {
		broker.Kill()
		if t.Failed() {
			t.Logf("log of the broker:\n%s", broker.Log())
		}
	})
	return k
}

// Listener returns the address of a listener of PrivateBrokerWith.
func (k *Kafka) Listener(t testing.TB, name string) string {
	t.Helper()
	return k.private(t).ListenerAddress(name)
}

// openDir makes a folder that other users may enter, unlike that of t.TempDir, for servers that root runs as another user.
func openDir(t testing.TB) string {
	t.Helper()
	dir, err := service.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// private returns the broker of this test, or fails t: tests may not stop what others use.
func (k *Kafka) private(t testing.TB) *service.Broker {
	t.Helper()
	if k.broker == nil {
		t.Fatal("this is the broker of the whole run: take one from PrivateBroker to stop it")
	}
	return k.broker
}

// Start starts a private broker again, on the same port and data.
func (k *Kafka) Start(t testing.TB) {
	t.Helper()
	if err := k.private(t).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Stop shuts a private broker down in order.
func (k *Kafka) Stop(t testing.TB) {
	t.Helper()
	if err := k.private(t).Stop(); err != nil {
		t.Fatal(err)
	}
}

// Kill ends a private broker at once, as a crash would.
func (k *Kafka) Kill(t testing.TB) {
	t.Helper()
	k.private(t).Kill()
}

// Restart is Stop and Start.
func (k *Kafka) Restart(t testing.TB) {
	t.Helper()
	k.Stop(t)
	k.Start(t)
}

// Client returns a client of the broker that is closed when t ends. It learns of new topics within a quarter of a second.
func (k *Kafka) Client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	all := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(k.Brokers, ",")...),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.MetadataMaxAge(250 * time.Millisecond),
	}
	client, err := kgo.NewClient(append(all, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Admin returns an admin client of the broker that is closed when t ends.
func (k *Kafka) Admin(t testing.TB) *kadm.Client {
	t.Helper()
	return kadm.NewClient(k.Client(t))
}

// Topic creates a topic with the given number of partitions. It is deleted when t ends.
func (k *Kafka) Topic(t testing.TB, name string, partitions int) {
	t.Helper()
	admin := k.Admin(t)
	if _, err := admin.CreateTopic(t.Context(), int32(partitions), 1, nil, name); err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
	k.forget(t, admin, name)
}

// Forget has topics deleted when t ends that a worker or connector creates. Call it before the worker starts, so that they go after
// the worker.
func (k *Kafka) Forget(t testing.TB, topics ...string) {
	t.Helper()
	k.forget(t, k.Admin(t), topics...)
}

func (k *Kafka) forget(t testing.TB, admin *kadm.Client, topics ...string) {
	t.Cleanup(func() {
		if k.broker != nil {
			return // it goes as a whole, and may be down
		}
		// The test's own context has ended.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		deleted, err := admin.DeleteTopics(ctx, topics...)
		if err != nil {
			t.Errorf("delete topics %v: %v", topics, err)
			return
		}
		for _, d := range deleted {
			if d.Err != nil && !errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
				t.Errorf("delete topic %s: %v", d.Topic, d.Err)
			}
		}
	})
}

// Produce writes records to topic and returns after the broker has them. A record with a Topic of its own goes there.
func (k *Kafka) Produce(t testing.TB, topic string, records ...*kgo.Record) {
	t.Helper()
	client := k.Client(t, kgo.DefaultProduceTopic(topic), kgo.AllowAutoTopicCreation())
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatalf("produce to %s: %v", topic, err)
	}
}

// Consume returns the first n committed records of topic, those of one partition in their order. The topic need not exist
// yet. It fails t when they do not come within a minute.
func (k *Kafka) Consume(t testing.TB, topic string, n int) []*kgo.Record {
	t.Helper()
	records := make([]*kgo.Record, 0, n)
	k.read(t, topic, func() bool { return len(records) >= n }, func(r *kgo.Record) {
		if !r.Attrs.IsControl() && len(records) < n {
			records = append(records, r)
		}
	}, func() (int, int) { return len(records), n })
	return records
}

// ReadAll returns all committed records that topic, which exists, holds now, those of one partition in their order.
func (k *Kafka) ReadAll(t testing.TB, topic string) []*kgo.Record {
	t.Helper()
	admin := k.Admin(t)
	start, err := admin.ListStartOffsets(t.Context(), topic)
	if err != nil {
		t.Fatalf("start offsets of %s: %v", topic, err)
	}
	end, err := admin.ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatalf("end offsets of %s: %v", topic, err)
	}
	left := map[int32]int64{} // partition -> offset up to which to read
	end.Each(func(o kadm.ListedOffset) {
		if o.Err != nil {
			t.Fatalf("end offset of %s-%d: %v", o.Topic, o.Partition, o.Err)
		}
		if first, ok := start.Lookup(topic, o.Partition); !ok || first.Offset < o.Offset {
			left[o.Partition] = o.Offset
		}
	})
	all := len(left)
	var records []*kgo.Record
	k.read(t, topic, func() bool { return len(left) == 0 }, func(r *kgo.Record) {
		if !r.Attrs.IsControl() && r.Offset < left[r.Partition] {
			records = append(records, r)
		}
		if r.Offset+1 >= left[r.Partition] {
			delete(left, r.Partition)
		}
	}, func() (int, int) { return all - len(left), all })
	return records
}

// read hands every record of topic, transaction markers too, to take until done. progress says how far it is and what is wanted.
func (k *Kafka) read(t testing.TB, topic string, done func() bool, take func(*kgo.Record), progress func() (got, want int)) {
	t.Helper()
	client := k.Client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last error
	for !done() {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			got, want := progress()
			t.Fatalf("read topic %s: %d of %d after %v; last error: %v", topic, got, want, patience, last)
		}
		// Errors of a topic that does not exist yet, or of a broker that restarts, pass.
		fetches.EachError(func(_ string, _ int32, err error) { last = err })
		fetches.EachRecord(take)
	}
}

// ConsoleProducer types lines into the console producer of the Java distribution, which makes a record of each.
func (k *Kafka) ConsoleProducer(t testing.TB, topic string, lines ...string) {
	t.Helper()
	k.Tool(t, strings.Join(lines, "\n")+"\n", "org.apache.kafka.tools.ConsoleProducer", "--topic", topic)
}

// Tool runs a command line tool of the Java distribution by its class name, with --bootstrap-server added, and returns its
// standard output. stdin is what it reads. t fails when its status is not 0.
func (k *Kafka) Tool(t testing.TB, stdin, class string, args ...string) string {
	t.Helper()
	d, err := service.FindDistribution()
	installed(t, err)
	dir := t.TempDir()
	quiet := filepath.Join(dir, "log4j2.yaml")
	if err := os.WriteFile(quiet, []byte("Configuration: {Loggers: {Root: {level: OFF}}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := d.Command([]string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=" + quiet}, class,
		append([]string{"--bootstrap-server", k.Brokers}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", class, args, err, out, stderr.String())
	}
	return string(out)
}
