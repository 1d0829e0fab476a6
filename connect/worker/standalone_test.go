package worker

import (
	"slices"
	"testing"

	"kconnect/connect/config"
)

func TestAStandaloneWorkerKnowsNoKeysOfClusters(t *testing.T) {
	own := config.Map{"offset.storage.file.filename": "f"}
	ofCluster := config.Map{
		"group.id": "g", "config.storage.topic": "c", "offset.storage.topic": "o", "offset.storage.partitions": "1", "status.storage.replication.factor": "1",
		"inter.worker.key.size": "1", "worker.sync.timeout.ms": "1", "session.timeout.ms": "1", "exactly.once.source.support": "enabled",
	}
	common := config.Map{"bootstrap.servers": "b", "key.converter": "k", "value.converter": "v", "offset.flush.interval.ms": "1", "listeners": "l", "security.protocol": "SSL"}
	if unknown := StandaloneDef.Unknown(common); len(unknown) > 0 {
		t.Errorf("%v are not known", unknown)
	}
	if unknown := StandaloneDef.Unknown(own); len(unknown) > 0 {
		t.Errorf("%v is not known", unknown)
	}
	if unknown := StandaloneDef.Unknown(ofCluster); len(unknown) != len(ofCluster) {
		t.Errorf("of keys of clusters only %v are not known", unknown)
	}
	if slices.Contains(StandalonePrefixes, "config.storage.") || !slices.Contains(StandalonePrefixes, "producer.") {
		t.Errorf("the prefixes are %v", StandalonePrefixes)
	}
	names := make([]string, 0)
	for _, k := range StandaloneDef.Keys() {
		names = append(names, k.Name)
	}
	if at := slices.Index(names, "offset.storage.file.filename"); at < 1 || names[at-1] != "offset.flush.timeout.ms" {
		t.Errorf("the offsets file comes after %s", names[at-1])
	}
}
