package service

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Broker is a Kafka broker and controller in one process (KRaft, one node). Topics are created on first use with one partition, and
// every replication factor is one. It may be stopped and started again: port and data stay.
type Broker struct {
	Distribution Distribution

	dir     string
	jvm     []string
	port    int
	process *Process
	ports   map[string]int // of the listeners by name
}

// quickJVM starts in half the time and keeps the memory of a test machine free; fullJVM is for figures that are published.
var (
	quickJVM = []string{"-Xms96m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"}
	fullJVM  = []string{"-Xms1g", "-Xmx1g"}
)

// BrokerOptions are ways in which brokers differ; the zero value is right for most tests.
type BrokerOptions struct {
	Fast         bool // a JVM for measuring in place of one that starts quickly
	QuickRestart bool // up again seconds after a kill; on a busy machine such a broker may lose its own heartbeats

	Listeners  []Listener        // beside the one without protection that every broker has
	Properties map[string]string // of server.properties, such as those of the key store
	JVM        []string          // more options, such as system properties
}

// Listener is a port of a broker with a security protocol.
type Listener struct {
	Name       string            // in capitals
	Protocol   string            // SSL, SASL_SSL, ...
	Properties map[string]string // for this listener, without their prefix listener.name.NAME.
}

// NewBroker prepares a broker in the empty folder dir: configuration and formatted storage.
func NewBroker(d Distribution, dir string, options BrokerOptions) (*Broker, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	controller, err := FreePort()
	if err != nil {
		return nil, err
	}
	b := &Broker{Distribution: d, dir: dir, port: port, jvm: quickJVM, ports: make(map[string]int)}
	if options.Fast {
		b.jvm = fullJVM
	}
	b.jvm = slices.Concat([]string{"-Dlog4j2.configurationFile=" + b.file("log4j2.yaml")}, options.JVM, b.jvm)
	if err := os.WriteFile(b.file("log4j2.yaml"), []byte(brokerLog), 0o644); err != nil {
		return nil, err
	}
	for _, l := range options.Listeners {
		if b.ports[l.Name], err = FreePort(); err != nil {
			return nil, err
		}
	}
	properties := brokerProperties(port, controller, b.file("data")) + b.secured(options, controller)
	if options.QuickRestart {
		// A broker that was killed must wait until the controller has given up its former self, 9 s by default.
		properties += "broker.session.timeout.ms=2000\nbroker.heartbeat.interval.ms=500\n"
	}
	if err := os.WriteFile(b.file("server.properties"), []byte(properties), 0o644); err != nil {
		return nil, err
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	id[0] &= 0x7f // a text that begins with - would be taken for an option
	format, err := StartProcess("format of the broker's storage", d.Command(b.jvm, "kafka.tools.StorageTool", "format",
		"-t", base64.RawURLEncoding.EncodeToString(id[:]), "-c", b.file("server.properties")), b.file("format.log"))
	if err != nil {
		return nil, err
	}
	if code := format.ExitCode(); code != 0 {
		return nil, fmt.Errorf("format of the broker's storage ended with status %d\n%s", code, format.Tail(20))
	}
	return b, nil
}

const brokerLog = `Configuration:
  Appenders:
    Console:
      name: out
      PatternLayout: {pattern: "%d{HH:mm:ss.SSS} %p %m (%c{1})%n"}
  Loggers:
    Root:
      level: WARN
      AppenderRef: {ref: out}
`

func brokerProperties(port, controller int, data string) string {
	return strings.Join([]string{
		"process.roles=broker,controller",
		"node.id=1",
		"controller.quorum.voters=1@" + loopback(controller),
		"listeners=PLAINTEXT://" + loopback(port) + ",CONTROLLER://" + loopback(controller),
		"advertised.listeners=PLAINTEXT://" + loopback(port),
		"controller.listener.names=CONTROLLER",
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
		"log.dirs=" + data,
		"num.partitions=1",
		"auto.create.topics.enable=true",
		"offsets.topic.replication.factor=1",
		"offsets.topic.num.partitions=5",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"transaction.state.log.num.partitions=5",
		"group.initial.rebalance.delay.ms=0",
		// Tests that kill a group member do not want to wait the usual 6 s at least.
		"group.min.session.timeout.ms=1000",
		// The default reserves 128 MB of heap.
		"log.cleaner.dedupe.buffer.size=16777216",
	}, "\n") + "\n"
}

// secured are the properties of the listeners with protection. Of a key that is there twice the last counts.
func (b *Broker) secured(options BrokerOptions, controller int) string {
	if len(options.Listeners) == 0 {
		return ""
	}
	listeners, protocols := "PLAINTEXT://"+loopback(b.port), "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"
	var own strings.Builder
	write := func(prefix string, properties map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			fmt.Fprintf(&own, "%s%s=%s\n", prefix, key, properties[key])
		}
	}
	write("", options.Properties)
	for _, l := range options.Listeners {
		listeners += "," + l.Name + "://" + loopback(b.ports[l.Name])
		protocols += "," + l.Name + ":" + l.Protocol
		write("listener.name."+strings.ToLower(l.Name)+".", l.Properties)
	}
	return "listeners=" + listeners + ",CONTROLLER://" + loopback(controller) + "\nadvertised.listeners=" + listeners +
		"\nlistener.security.protocol.map=" + protocols + "\ninter.broker.listener.name=PLAINTEXT\n" + own.String()
}

func (b *Broker) file(name string) string { return filepath.Join(b.dir, name) }

// Address is the host:port for bootstrap.servers.
func (b *Broker) Address() string { return loopback(b.port) }

// ListenerAddress is the host:port of one of the listeners of its options.
func (b *Broker) ListenerAddress(name string) string { return loopback(b.ports[name]) }

// Start starts the broker and returns when it answers.
func (b *Broker) Start(ctx context.Context) error {
	process, err := StartProcess("Kafka broker", b.Distribution.Command(b.jvm, "kafka.Kafka", b.file("server.properties")), b.file("log"))
	if err != nil {
		return err
	}
	b.process = process
	return process.await(ctx, 60*time.Second, b.answers)
}

func (b *Broker) answers(ctx context.Context) error {
	// A plain connection first: the client would wait between its own tries.
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", b.Address())
	if err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Address()))
	if err != nil {
		return err
	}
	defer client.Close()
	metadata, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if len(metadata.Brokers) == 0 {
		return fmt.Errorf("the broker on port %s is not registered yet", strconv.Itoa(b.port))
	}
	return nil
}

// Stop shuts the broker down in order.
func (b *Broker) Stop() error { return b.process.Stop(20 * time.Second) }

// Kill ends the broker at once, as a crash would.
func (b *Broker) Kill() { b.process.Kill() }

// Log returns the end of the broker's log.
func (b *Broker) Log() string { return tail(b.file("log"), 100) }
