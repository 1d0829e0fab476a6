package harness

import (
	"maps"
	"os/exec"
	"path/filepath"
	"testing"

	"kconnect/test/harness/service"
)

// Standalone starts a worker in standalone mode with the connectors of the given files, and returns when it answers. It is
// stopped when t ends.
//
// Its properties are those of Worker and an offsets file of its own. The keys about the cluster have no effect, as in a file that
// somebody made from that of a distributed worker.
func Standalone(t testing.TB, properties Properties, connectors ...string) *Connect {
	t.Helper()
	w := newConnect(t, "kconnect", standalone(t, properties))
	w.command = func() *exec.Cmd {
		//nolint:noctx // ended by Kill9, Term or the cleanup
		return exec.Command(Binary(t), append([]string{"standalone", w.file}, connectors...)...)
	}
	w.Start(t)
	return w
}

// JavaStandalone is Standalone for the worker of the Java distribution, whose connectors are the file connectors alone.
func JavaStandalone(t testing.TB, properties Properties, connectors ...string) *Connect {
	t.Helper()
	d, err := service.FindDistribution()
	installed(t, err)
	all := standalone(t, properties)
	all["plugin.path"] = d.Plugins
	all["plugin.discovery"] = "service_load" // without a search through all classes
	w := newConnect(t, "Java worker", all)
	w.command = func() *exec.Cmd {
		return d.Command(smallJVM(), "org.apache.kafka.connect.cli.ConnectStandalone",
			append([]string{w.file}, connectors...)...)
	}
	w.Start(t)
	return w
}

func standalone(t testing.TB, properties Properties) Properties {
	t.Helper()
	all := Properties{"offset.storage.file.filename": filepath.Join(t.TempDir(), "connect.offsets")}
	maps.Copy(all, properties)
	return all
}
