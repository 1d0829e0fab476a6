package harness

import (
	"maps"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"kconnect/test/harness/service"
)

// Standalone starts a worker in standalone mode with the connectors of the given files, and returns when it answers. It is
// stopped when t ends.
//
// Without properties it is a worker on the broker of the run with an offsets file of its own, a free port and JSON
// converters with schemas; properties replace or add single keys.
func Standalone(t testing.TB, properties Properties, connectors ...string) *Connect {
	t.Helper()
	w := newStandalone(t, properties)
	w.command = func() *exec.Cmd {
		//nolint:noctx // ended by Kill9, Term or the cleanup
		return exec.Command(Binary(t), append([]string{"standalone", w.file}, connectors...)...)
	}
	w.Start(t)
	return w
}

// JavaStandalone is Standalone for the worker of the Java distribution.
func JavaStandalone(t testing.TB, properties Properties, connectors ...string) *Connect {
	t.Helper()
	d, err := service.FindDistribution()
	installed(t, err)
	all := Properties{"plugin.path": d.Plugins, "plugin.discovery": "only_scan"}
	maps.Copy(all, properties)
	w := newStandalone(t, all)
	w.name = "connect-standalone"
	w.command = func() *exec.Cmd {
		return d.Command([]string{"-Xmx512m", "-XX:TieredStopAtLevel=1"}, "org.apache.kafka.connect.cli.ConnectStandalone", append([]string{w.file}, connectors...)...)
	}
	w.Start(t)
	return w
}

func newStandalone(t testing.TB, properties Properties) *Connect {
	t.Helper()
	port, err := service.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	all := Properties{
		"listeners":                    "HTTP://" + address,
		"key.converter":                "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":              "org.apache.kafka.connect.json.JsonConverter",
		"offset.storage.file.filename": filepath.Join(t.TempDir(), "connect.offsets"),
		"offset.flush.interval.ms":     "500",
	}
	maps.Copy(all, properties)
	if all["bootstrap.servers"] == "" {
		all["bootstrap.servers"] = Broker(t).Brokers
	}
	return newConnect(t, address, all)
}
