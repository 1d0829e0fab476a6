package kafkaconf

import (
	"slices"
	"strings"

	"kconnect/connect/config"
)

// idle are keys of Java clients that need no effect here, and why; one that ends in an asterisk is the beginning of keys.
// Every key of a Java client is either here or in the table of its kind.
var idle = map[string]string{
	"key.serializer":     "Connect sets it, whatever the configuration says",
	"value.serializer":   "Connect sets it, whatever the configuration says",
	"key.deserializer":   "Connect sets it, whatever the configuration says",
	"value.deserializer": "Connect sets it, whatever the configuration says",

	"send.buffer.bytes":    "the system's sizes serve better than fixed ones",
	"receive.buffer.bytes": "the system's sizes serve better than fixed ones",

	"batch.size": "batches fill up while the producer lingers; max.request.size bounds them",
	"partitioner.adaptive.partitioning.enable": "a hint; records without a key change partitions by bytes alone",
	"partitioner.availability.timeout.ms":      "a hint; records without a key change partitions by bytes alone",
	"max.block.ms":                             "producing never blocks for metadata without end: a record waits for at most delivery.timeout.ms",
	"metadata.max.idle.ms":                     "metadata of topics that nobody uses any more is small",
	"retries":                                  "of an admin client: it tries again until default.api.timeout.ms is over",

	"metadata.recovery.strategy":               "the library returns to bootstrap.servers when it knows no broker any more",
	"metadata.recovery.rebootstrap.trigger.ms": "the library returns to bootstrap.servers when it knows no broker any more",
	"metadata.cluster.check.enable":            "there is one cluster behind bootstrap.servers",
	"socket.connection.setup.timeout.max.ms":   "every try has socket.connection.setup.timeout.ms",
	"bootstrap.controllers":                    "Connect reaches a cluster through its brokers",

	"exclude.internal.topics":             "Kafka's own topics are read only when they are named",
	"share.*":                             "Connect uses no share groups",
	"internal.*":                          "of the tests of Kafka",
	"group.remote.assignor":               "of group.protocol=consumer, which is refused",
	"transaction.two.phase.commit.enable": "Connect uses no transactions of two phases",

	"metric.reporters":                 "of the JVM's metrics",
	"metrics.*":                        "of the JVM's metrics",
	"auto.include.jmx.reporter":        "of the JVM's metrics",
	"ssl.keymanager.algorithm":         "of the JVM's TLS",
	"ssl.trustmanager.algorithm":       "of the JVM's TLS",
	"ssl.secure.random.implementation": "of the JVM's random numbers",
	"security.providers":               "of the JVM's TLS",

	"sasl.kerberos.*":                     "of GSSAPI, which is refused",
	"sasl.oauthbearer.jwks.*":             "of a broker, which checks tokens",
	"sasl.oauthbearer.expected.*":         "of a broker, which checks tokens",
	"sasl.oauthbearer.clock.skew.seconds": "of a broker, which checks tokens",
	"sasl.oauthbearer.scope.claim.name":   "of a broker, which checks tokens",
	"sasl.oauthbearer.assertion.*":        "of JwtBearerJwtRetriever, which is refused",

	"config.providers":   "of the worker, which has resolved them already",
	"config.providers.*": "of the worker, which has resolved them already",
}

// Unknown returns, in alphabetical order, the keys of m that have no effect on a client of this kind and that no Java
// client would know either, for one warning.
func Unknown(kind Kind, m config.Map) []string {
	return slices.DeleteFunc(definition(kind).Unknown(m), isIdle)
}

func isIdle(name string) bool {
	if _, ok := idle[name]; ok {
		return true
	}
	for known := range idle {
		if prefix, ok := strings.CutSuffix(known, "*"); ok && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
