package harness

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"kconnect/test/harness/service"
)

// JavaWorker is Worker for the worker of the Java distribution, whose connectors are the file connectors alone. It serves to be
// replaced by a worker of ours, or to be in one group with it: give either the Join of the other.
func JavaWorker(t testing.TB, properties Properties) *Connect {
	t.Helper()
	d, err := service.FindDistribution()
	installed(t, err)
	return javaWorker(t, d, properties)
}

// OldJavaWorker is a JavaWorker of Kafka 3.9, the last before 4.0. Its jars are fetched when the first test asks for them.
func OldJavaWorker(t testing.TB, properties Properties) *Connect {
	t.Helper()
	return javaWorker(t, oldDistribution(t), properties)
}

// OldBroker is a PrivateBroker of Kafka 3.9.
func OldBroker(t testing.TB) *Kafka {
	t.Helper()
	return privateBroker(t, oldDistribution(t), service.BrokerOptions{QuickRestart: true})
}

// oldDistribution returns the distribution of Kafka 3.9.
func oldDistribution(t testing.TB) service.Distribution {
	t.Helper()
	// Where the newer one is missing, there is no Java, or no Maven to fetch the older one either.
	_, err := service.FindDistribution()
	installed(t, err)
	if err := fetchedOld(); err != nil {
		t.Log(err)
	}
	d, err := service.FindOldDistribution()
	installed(t, err)
	return d
}

// fetchedOld has the setup script fetch the jars of Kafka 3.9, which takes seconds; it does nothing when they are there.
var fetchedOld = sync.OnceValue(func() error {
	root, err := service.Root()
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(root, "test", "harness", "setup.sh"), "kafka-3.9")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("setup.sh kafka-3.9: %w\n%s", err, out)
	}
	return nil
})

// javaLog shows what the worker itself does, and of its clients the warnings.
const javaLog = `Configuration:
  Appenders:
    Console:
      name: out
      PatternLayout: {pattern: "%d{HH:mm:ss.SSS} %p %m (%c{1})%n%ex{short}"}
  Loggers:
    Logger:
      name: org.apache.kafka.connect.runtime
      level: INFO
    Root:
      level: WARN
      AppenderRef: {ref: out}
`

func javaWorker(t testing.TB, d service.Distribution, properties Properties) *Connect {
	t.Helper()
	all := maps.Clone(properties)
	if all == nil {
		all = Properties{}
	}
	all["plugin.path"] = d.Plugins
	all["plugin.discovery"] = "service_load" // without a search through all classes
	w := newConnect(t, "Java worker", all)
	log := filepath.Join(filepath.Dir(w.file), "log4j2.yaml")
	if err := os.WriteFile(log, []byte(javaLog), 0o644); err != nil {
		t.Fatal(err)
	}
	w.command = func() *exec.Cmd {
		return d.Command(append(smallJVM(), "-Dlog4j2.configurationFile="+log), "org.apache.kafka.connect.cli.ConnectDistributed", w.file)
	}
	w.Start(t)
	return w
}

// smallJVM are the options of a JVM that starts quickly and leaves the memory of a test machine free.
func smallJVM() []string {
	return []string{"-Xms64m", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"}
}
