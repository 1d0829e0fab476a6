package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
)

// broker is the embedded broker of the demonstration. It is no broker for data
// that people keep: its library calls itself a fake for tests.
type broker struct {
	cluster *kfake.Cluster
	lock    *os.File
}

// startBroker starts a broker on a free port of the loopback address with its
// data under dir. A lock file keeps two processes from one folder, which the
// library does not.
func startBroker(dir string) (_ *broker, err error) {
	data := filepath.Join(dir, "broker")
	if err := os.MkdirAll(data, 0o750); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	if err := lockFile(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("another kconnect demo uses the folder %s: stop it, or name another with --dir", dir), lock.Close())
	}
	// With these caps the command line tools of the Java distribution get in.
	caps := kversion.Stable()
	caps.SetMaxKeyVersion(19, 4)  // CreateTopics: newer answers lack a source of settings that Java insists on
	caps.SetMaxKeyVersion(75, -1) // DescribeTopicPartitions: its answers have nulls that Java does not read
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DefaultNumPartitions(1), kfake.AllowAutoTopicCreation(),
		kfake.ClusterID("kconnect-demo"), kfake.DataDir(data), kfake.MaxVersions(caps))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the embedded broker cannot start with the data in %s: %w", data, err), lock.Close())
	}
	return &broker{cluster, lock}, nil
}

func (b *broker) address() string { return b.cluster.ListenAddrs()[0] }

func (b *broker) close() {
	b.cluster.Close()
	_ = b.lock.Close() // and with it the lock
}
