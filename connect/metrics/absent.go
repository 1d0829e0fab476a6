package metrics

import "regexp"

// Absence is attributes of Java MBeans that no series carries, and why.
type Absence struct {
	Attributes *regexp.Regexp // of domain type [keys]:attribute
	Reason     string
}

func absent(pattern, reason string) Absence {
	return Absence{regexp.MustCompile("^(?:" + pattern + ")$"), reason}
}

// Absences are all attributes of the MBeans of a Java worker that no series
// carries.
func Absences() []Absence {
	const clients = `kafka\.(?:admin\.client|connect|consumer|producer) (?:admin-client|connect|consumer|producer)`
	return []Absence{
		absent(`.* kafka-metrics-count .*`, "counts the MBeans of a JVM"),
		absent(`kafka\.(?:admin\.client|consumer|producer) app-info .*`, "the clients are part of this program, whose version kafka_connect_version_info has"),
		absent(clients+`(?:-node|-coordinator|-topic|-fetch-manager)?-metrics .*-(?:rate|rate-per-hour)`, "rate() over the series that ends with _total is more exact; task series have their rates"),
		absent(clients+`-metrics .*:(?:io|io-wait|select|bufferpool-wait)-.*`, "measures the selector thread and the buffer pool of the Java client, which have no counterpart"),
		absent(clients+`-metrics .*:select-total`, "counts turns of the selector thread of the Java client"),
		absent(clients+`-metrics .*:(?:successful-authentication|successful-reauthentication|failed-authentication|failed-reauthentication|reauthentication-latency)-.*`, "the Kafka library does not tell authentications from connections; one that fails is in the log and in kconnect_task_waiting"),
		absent(`kafka\.producer producer-metrics .*:(?:txn-.*|flush-time-ns-total|metadata-.*)`, "measures calls of the Java producer; transactions are not used"),
		absent(`kafka\.producer producer-metrics .*:(?:record-queue-time|batch-split|record-retry|buffer-exhausted)-.*`, "the Kafka library does not tell"),
		absent(`kafka\.producer producer-metrics .*:(?:waiting-threads|requests-in-flight|records-per-request-avg|record-size-max)`, "the Kafka library does not tell; kafka_producer_batch_records_avg has the records of a batch"),
		absent(`kafka\.producer producer-topic-metrics .*:(?:record-error-total|record-retry-total)`, "not counted by topic: the log names the topic of a record that Kafka does not take"),
		absent(`kafka\.consumer consumer-metrics .*:(?:commit-sync-time-ns-total|committed-time-ns-total|poll-idle-ratio-avg)`, "measures calls of the Java consumer; commits are in kafka_consumer_coordinator_commit_latency_avg"),
		absent(`kafka\.consumer consumer-fetch-manager-metrics \[client-id,topic\]:.*`, "the usual rules of the JMX exporter give them no name of their own"),
		absent(`kafka\.consumer consumer-fetch-manager-metrics .*:(?:preferred-read-replica|records-per-request-avg)`, "the Kafka library does not tell; records by request are records_consumed_total by fetch_total"),
		absent(`kafka\.consumer consumer-fetch-manager-metrics \[client-id,topic,partition\]:records-(?:lag-max|lead-min)`, "would share its name with the series of the whole client; max_over_time() over records_lag tells"),
		absent(`kafka\.consumer consumer-coordinator-metrics .*:(?:partition-(?:assigned|lost|revoked)-latency-.*|rebalance-latency-.*|rebalance-total|failed-rebalance-total)`, "of the Java consumer's listeners; joins and syncs are counted"),
		absent(`kafka\.connect connect-coordinator-metrics .*:failed-rebalance-total`, "a round that fails is tried again as part of the same one, and is in the log"),
		absent(`kafka\.connect connector-(?:transform|predicate)-metrics .*`, "classes of transformations and predicates, which the connector's configuration has"),
		absent(`kafka\.connect sink-task-metrics .*:offset-commit-skip-(?:rate|total)`, "counts answers to commits that came too late; commits are waited for here"),
	}
}
