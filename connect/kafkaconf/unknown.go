package kafkaconf

import (
	"slices"
	"strings"

	"kconnect/connect/config"
)

// idle are keys of Java clients that need no effect here; one that ends in an asterisk is the beginning of keys.
var idle = []string{
	// Connect sets these itself, whatever the configuration says.
	"key.serializer", "value.serializer", "key.deserializer", "value.deserializer",
	// The system's sizes serve better than fixed ones.
	"send.buffer.bytes", "receive.buffer.bytes",
	// Batches fill up while the producer lingers; max.request.size bounds them.
	"batch.size", "partitioner.adaptive.partitioning.enable", "partitioner.availability.timeout.ms",
	// Producing never blocks for metadata without end: a record waits for at most delivery.timeout.ms.
	"max.block.ms",
	"metadata.max.idle.ms",
	// Of an admin client: it tries again until default.api.timeout.ms is over.
	"retries",
	// The library returns to bootstrap.servers when it knows no broker any more.
	"metadata.recovery.strategy", "metadata.recovery.rebootstrap.trigger.ms", "metadata.cluster.check.enable",
	"socket.connection.setup.timeout.max.ms",
	// Kafka's own topics are read only when they are named.
	"exclude.internal.topics",
	// Of the JVM: its metrics, its random numbers, the parts of its TLS.
	"metric.reporters", "metrics.*", "auto.include.jmx.reporter", "ssl.keymanager.algorithm", "ssl.trustmanager.algorithm",
	"ssl.secure.random.implementation", "security.providers",
	// Of GSSAPI, which sasl.mechanism refuses.
	"sasl.kerberos.*",
	// Of a broker, which checks the tokens of OAUTHBEARER, and of a way to get them that is refused.
	"sasl.oauthbearer.jwks.*", "sasl.oauthbearer.expected.*", "sasl.oauthbearer.clock.skew.seconds", "sasl.oauthbearer.scope.claim.name",
	"sasl.oauthbearer.assertion.*",
	// Of the worker, which has resolved them already.
	"config.providers", "config.providers.*",
}

// Unknown returns, in alphabetical order, the keys of m that have no effect on a client of this kind and that no Java
// client would know either, for one warning.
func Unknown(kind Kind, m config.Map) []string {
	return slices.DeleteFunc(definition(kind).Unknown(m), func(name string) bool {
		return slices.ContainsFunc(idle, func(known string) bool {
			if prefix, ok := strings.CutSuffix(known, "*"); ok {
				return strings.HasPrefix(name, prefix)
			}
			return name == known
		})
	})
}
