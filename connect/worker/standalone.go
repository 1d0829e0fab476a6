package worker

import (
	"slices"
	"strings"

	"kconnect/connect/config"
)

// StandaloneDef is the configuration of a worker in standalone mode: Def with
// the offsets file instead of what belongs to a cluster of workers. As in Java
// such keys are not known there, so that a file that has them still starts.
var StandaloneDef = standaloneDef()

// StandalonePrefixes are the Prefixes of a worker in standalone mode.
var StandalonePrefixes = slices.DeleteFunc(slices.Clone(Prefixes), ofClusters)

func standaloneDef() *config.Def {
	keys := slices.DeleteFunc(Def.Keys(), func(k config.Key) bool { return ofClusters(k.Name) })
	after := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name > offsetFile })
	return config.NewDef(slices.Insert(keys, after, config.Key{
		Name: offsetFile, Type: config.String, Required: true, Importance: config.High,
		Doc: "File that holds the offsets of source connectors, in the format of the Java worker. It is written anew with every commit; its folder must be writable.",
	})...)
}

const offsetFile = "offset.storage.file.filename"

// ofClusters reports whether a key is about the group of workers or its topics.
func ofClusters(key string) bool {
	for _, prefix := range []string{"config.storage.", "offset.storage.", "status.storage.", "inter.worker.", "worker."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	switch key {
	case "group.id", "connect.protocol", "exactly.once.source.support", "heartbeat.interval.ms", "rebalance.timeout.ms",
		"scheduled.rebalance.max.delay.ms", "session.timeout.ms":
		return true
	}
	return false
}
