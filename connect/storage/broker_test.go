package storage

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what must happen, far above what it takes.
const patience = 30 * time.Second

// testBroker is a broker and the prefix of a test's own topics on it.
type testBroker struct {
	seeds  []string
	prefix string
}

func fakeBroker(t *testing.T) (*kfake.Cluster, testBroker) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, testBroker{cluster.ListenAddrs(), "storage-"}
}

// onBrokers runs a test on the embedded broker and, where
// KCONNECT_TEST_BROKERS names one, on a real one.
func onBrokers(t *testing.T, test func(t *testing.T, b testBroker)) {
	t.Run("kfake", func(t *testing.T) {
		_, b := fakeBroker(t)
		test(t, b)
	})
	t.Run("real", func(t *testing.T) {
		seeds := os.Getenv("KCONNECT_TEST_BROKERS")
		if seeds == "" {
			if os.Getenv("CI") == "true" {
				t.Fatal("KCONNECT_TEST_BROKERS names no broker")
			}
			t.Skip("KCONNECT_TEST_BROKERS names no broker")
		}
		b := testBroker{strings.Split(seeds, ","), fmt.Sprintf("storage-%d-", time.Now().UnixNano())}
		client := b.client(t)
		t.Cleanup(func() {
			admin := kadm.NewClient(client)
			topics, err := admin.ListTopics(context.Background())
			if err != nil {
				t.Error(err)
			}
			for _, name := range topics.Names() {
				if strings.HasPrefix(name, b.prefix) {
					if _, err := admin.DeleteTopic(context.Background(), name); err != nil {
						t.Error(err)
					}
				}
			}
		})
		test(t, b)
	})
}

// client returns a client of the broker that closes last, after the test's own.
func (b testBroker) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.seeds...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func (b testBroker) config(t *testing.T, name string, partitions int32) LogConfig {
	return LogConfig{
		Topic:    Topic{Name: b.prefix + name, Partitions: partitions, Replication: 1, Property: name + ".storage.topic"},
		ClientID: "storage-test-" + name,
		Client:   []kgo.Opt{kgo.SeedBrokers(b.seeds...)},
		Logger:   zaptest.NewLogger(t),
	}
}

func (b testBroker) createTopic(t *testing.T, name string, partitions int32, policy string) {
	t.Helper()
	admin := kadm.NewClient(b.client(t))
	if _, err := admin.CreateTopic(t.Context(), partitions, 1, map[string]*string{cleanupPolicy: &policy}, b.prefix+name); err != nil {
		t.Fatal(err)
	}
}

// start runs a store until the test ends.
func start(t *testing.T, run func(context.Context) error, closeStore func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		closeStore()
	})
}

// within returns a context that ends the test's patience.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
