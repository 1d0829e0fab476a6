package service

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
)

// MissingError says which program or file a service needs and does not find. Tests skip on it, unless CI=true.
type MissingError struct {
	Service string // "Kafka broker"
	What    string // "java is not on the PATH"
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: %s; test/harness/setup.sh (or `make setup`) installs it", e.Service, e.What)
}

// Root returns the folder of the checkout: the nearest one above the working folder with a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the working folder: run this inside the checkout")
		}
		dir = up
	}
}

// Cache returns the folder of fetched parts: KCONNECT_CACHE, else build in the checkout.
func Cache() (string, error) {
	if dir := os.Getenv("KCONNECT_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "build"), nil
}

// Distribution is the Java distribution of Kafka: broker, command line tools, Connect worker.
type Distribution struct {
	Java    string // the java program
	Lib     string // folder of the jars
	Plugins string // folder for plugin.path of the Java worker: the file connectors
}

// FindDistribution looks for java and for the jars in KCONNECT_TEST_KAFKA_LIB or the cache folder.
func FindDistribution() (Distribution, error) {
	const name = "Kafka distribution"
	java, err := exec.LookPath("java")
	if err != nil {
		return Distribution{}, &MissingError{name, "java is not on the PATH"}
	}
	lib := os.Getenv("KCONNECT_TEST_KAFKA_LIB")
	if lib == "" {
		cache, err := Cache()
		if err != nil {
			return Distribution{}, err
		}
		lib = filepath.Join(cache, "kafka", "lib")
	}
	return distribution(name, java, lib)
}

// FindOldDistribution looks for the jars of Kafka 3.9 in the cache folder, where `setup.sh kafka-3.9` puts them.
func FindOldDistribution() (Distribution, error) {
	const name = "Kafka 3.9 distribution"
	java, err := exec.LookPath("java")
	if err != nil {
		return Distribution{}, &MissingError{name, "java is not on the PATH"}
	}
	cache, err := Cache()
	if err != nil {
		return Distribution{}, err
	}
	return distribution(name, java, filepath.Join(cache, "kafka-3.9", "lib"))
}

func distribution(name, java, lib string) (Distribution, error) {
	jars, err := filepath.Glob(filepath.Join(lib, "kafka_*.jar"))
	if err != nil {
		return Distribution{}, err
	}
	if len(jars) == 0 {
		return Distribution{}, &MissingError{name, "its jars are not in " + lib}
	}
	return Distribution{Java: java, Lib: lib, Plugins: filepath.Join(filepath.Dir(lib), "plugins")}, nil
}

// Command returns a command that runs a class of the distribution with the given JVM options.
func (d Distribution) Command(jvm []string, class string, args ...string) *exec.Cmd {
	all := append([]string{}, jvm...)
	all = append(all, "-cp", filepath.Join(d.Lib, "*"), class)
	//nolint:noctx // ended by Process, which stops it in order before it kills it
	return exec.Command(d.Java, append(all, args...)...)
}

// program looks a server program up on the PATH, in the folders for system programs, and in the versioned folders that
// Debian uses for PostgreSQL, newest version first.
func program(name string) (string, bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	if runtime.GOOS == "windows" {
		return "", false
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", false
	}
	sort.Sort(sort.Reverse(sort.StringSlice(found)))
	for _, path := range append([]string{"/usr/sbin/" + name, "/usr/local/sbin/" + name}, found...) {
		if path, err := exec.LookPath(path); err == nil {
			return path, true
		}
	}
	return "", false
}

// programs looks up a database server and the program that makes its data folder.
func programs(service, server, install string) (serverPath, installPath string, err error) {
	serverPath, ok := program(server)
	if !ok {
		return "", "", &MissingError{service, server + " is not installed"}
	}
	installPath, ok = program(install)
	if !ok {
		return "", "", &MissingError{service, install + " is not installed"}
	}
	return serverPath, installPath, nil
}
