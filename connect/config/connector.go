package config

import "slices"

// ConnectorKind says which of the two kinds of connectors a table is for.
type ConnectorKind uint8

// The kinds of connectors.
const (
	Source ConnectorKind = iota
	Sink
)

// Groups of the keys that all connectors share.
const (
	groupCommon        = "Common"
	groupTransforms    = "Transforms"
	groupPredicates    = "Predicates"
	groupErrors        = "Error Handling"
	groupTopicCreation = "Topic Creation"
	groupExactlyOnce   = "Exactly Once Support"
	groupOffsetsTopic  = "offsets.topic"
)

// ConnectorDef returns the keys that every connector of a kind has, before its
// own, in the order of a validate answer (golden rest 16-validate-filestream).
// What depends on the worker, the plugins to choose from and the converters
// that are used when the connector names none, is added with Edit.
func ConnectorDef(kind ConnectorKind) *Def {
	if kind == Source {
		return NewDef(slices.Concat(commonKeys(), sourceKeys())...)
	}
	return NewDef(slices.Concat(commonKeys(), sinkKeys())...)
}

func commonKeys() []Key {
	return []Key{
		{Name: "name", Type: String, Required: true, Importance: High, Validate: NonEmptyNoControl(),
			Group: groupCommon, Order: 1, Width: MediumWidth, Display: "Connector name",
			Doc: "The connector's name, unique in its cluster. A sink reads as the consumer group connect-<name>."},
		{Name: "connector.class", Type: String, Required: true, Importance: High,
			Group: groupCommon, Order: 2, Width: LongWidth, Display: "Connector class",
			Doc: "Which connector to run: the full class name, or its last part, with or without the ending Connector."},
		{Name: "connector.plugin.version", Type: String, Importance: Medium,
			Group: groupCommon, Order: 3, Width: MediumWidth, Display: "Connector version",
			Doc: "The version of the connector to run, where several are installed."},
		{Name: "tasks.max", Type: Int, Default: Default("1"), Importance: High, Validate: AtLeast(1),
			Group: groupCommon, Order: 4, Width: ShortWidth, Display: "Tasks max",
			Doc: "The most tasks that share the connector's work. A connector may make fewer."},
		{Name: "tasks.max.enforce", Type: Boolean, Default: Default("true"), Importance: Low,
			Group: groupCommon, Order: 5, Width: ShortWidth, Display: "Enforce tasks max",
			Doc: "Whether a connector that makes more tasks than tasks.max fails. With false it gets a warning."},
		{Name: "key.converter", Type: Class, Importance: Low,
			Group: groupCommon, Order: 6, Width: ShortWidth, Display: "Key converter class",
			Doc: "Turns record keys into bytes and back. Its settings follow as key.converter.*. Without it the worker's converter is used, with the worker's settings."},
		{Name: "key.converter.plugin.version", Type: String, Importance: Low,
			Group: groupCommon, Order: 7, Width: ShortWidth, Display: "Key converter version",
			Doc: "The version of the key converter, where several are installed."},
		{Name: "value.converter", Type: Class, Importance: Low,
			Group: groupCommon, Order: 8, Width: ShortWidth, Display: "Value converter class",
			Doc: "Turns record values into bytes and back. Its settings follow as value.converter.*. Without it the worker's converter is used, with the worker's settings."},
		{Name: "value.converter.plugin.version", Type: String, Importance: Low,
			Group: groupCommon, Order: 9, Width: ShortWidth, Display: "Value converter version",
			Doc: "The version of the value converter, where several are installed."},
		{Name: "header.converter", Type: Class, Importance: Low,
			Group: groupCommon, Order: 10, Width: ShortWidth, Display: "Header converter class",
			Doc: "Turns header values into bytes and back. Its settings follow as header.converter.*. Without it the worker's converter is used."},
		{Name: "header.converter.plugin.version", Type: String, Importance: Low,
			Group: groupCommon, Order: 11, Width: ShortWidth, Display: "Header converter version",
			Doc: "The version of the header converter, where several are installed."},
		{Name: "transforms", Type: List, Default: Default(""), Importance: Low, Validate: NoDuplicates("transformation aliases"),
			Group: groupTransforms, Order: 12, Width: LongWidth, Display: "Transforms",
			Doc: "Names for the transformations that every record goes through, in this order. transforms.<name>.type and further keys set up each one."},
		{Name: "predicates", Type: List, Default: Default(""), Importance: Low, Validate: NoDuplicates("predicate aliases"),
			Group: groupPredicates, Order: 13, Width: LongWidth, Display: "Predicates",
			Doc: "Names for conditions that transformations can depend on. predicates.<name>.type and further keys set up each one."},
		{Name: "config.action.reload", Type: String, Default: Default("restart"), Importance: Low, Validate: OneOf("none", "restart"),
			Group: groupCommon, Order: 14, Width: MediumWidth, Display: "Reload Action",
			Doc: "What to do when a config provider says that a value it gave has run out: restart the connector, or none."},
		{Name: "errors.retry.timeout", Type: Long, Default: Default("0"), Importance: Medium,
			Group: groupErrors, Order: 1, Width: MediumWidth, Display: "Retry Timeout for Errors",
			Doc: "How many milliseconds a failed conversion or transformation may be repeated, when its error allows that. 0 is never, -1 without end."},
		{Name: "errors.retry.delay.max.ms", Type: Long, Default: Default("60000"), Importance: Medium,
			Group: groupErrors, Order: 2, Width: MediumWidth, Display: "Maximum Delay Between Retries for Errors",
			Doc: "The longest pause between such repetitions, in milliseconds. Pauses double up to here, with some chance in them."},
		{Name: "errors.tolerance", Type: String, Default: Default("none"), Importance: Medium, Validate: OneOf("none", "all"),
			Group: groupErrors, Order: 3, Width: ShortWidth, Display: "Error Tolerance",
			Doc: "What a record does that cannot be converted, transformed or written: none, it fails the task; all, it is skipped, and reported if there is a dead letter queue or a log for it."},
		{Name: "errors.log.enable", Type: Boolean, Default: Default("false"), Importance: Medium,
			Group: groupErrors, Order: 4, Width: ShortWidth, Display: "Log Errors",
			Doc: "Whether each such record is logged, the skipped ones too."},
		{Name: "errors.log.include.messages", Type: Boolean, Default: Default("false"), Importance: Medium,
			Group: groupErrors, Order: 5, Width: ShortWidth, Display: "Log Error Details",
			Doc: "Whether that log line says which record it was: topic, partition, offset and timestamp, not its content."},
	}
}

func sourceKeys() []Key {
	return []Key{
		{Name: "topic.creation.groups", Type: List, Default: Default(""), Importance: Low, Validate: NoDuplicates("topic creation groups"),
			Group: groupTopicCreation, Order: 1, Width: LongWidth, Display: "Topic Creation Groups",
			Doc: "Names for rules by which the worker creates the topics written to. topic.creation.<name>.* sets up each one, topic.creation.default.* the rest."},
		{Name: "exactly.once.support", Type: String, Default: Default("requested"), Importance: Medium, Validate: OneOfFold("REQUIRED", "REQUESTED"),
			Group: groupExactlyOnce, Order: 2, Width: ShortWidth, Display: "Exactly once support",
			Doc: "Whether the connector must run exactly once: required refuses it unless the worker supports that and the connector confirms it."},
		{Name: "transaction.boundary", Type: String, Default: Default("poll"), Importance: Medium, Validate: OneOfFold("INTERVAL", "POLL", "CONNECTOR"),
			Group: groupExactlyOnce, Order: 3, Width: ShortWidth, Display: "Transaction Boundary",
			Doc: "When transactions end with exactly-once support: at each batch (poll), after a time (interval), or where the connector says."},
		{Name: "transaction.boundary.interval.ms", Type: Long, Importance: Low, Validate: orNull(AtLeast(0)),
			Group: groupExactlyOnce, Order: 4, Width: ShortWidth, Display: "Transaction boundary interval",
			Doc: "The time between transactions for transaction.boundary=interval, in milliseconds. Without it, the worker's offset.flush.interval.ms."},
		{Name: "offsets.storage.topic", Type: String, Importance: Low, Validate: NonEmpty(),
			Group: groupOffsetsTopic, Order: 1, Width: LongWidth, Display: "Offsets topic",
			Doc: "A topic of its own for this connector's offsets, beside the worker's."},
	}
}

func sinkKeys() []Key {
	return []Key{
		{Name: "topics", Type: List, Default: Default(""), Importance: High, Validate: UniqueList(),
			Group: groupCommon, Order: 4, Width: LongWidth, Display: "Topics",
			Doc: "The topics to read. Exactly one of topics and topics.regex must be given."},
		{Name: "topics.regex", Type: String, Default: Default(""), Importance: High, Validate: Regex(),
			Group: groupCommon, Order: 4, Width: LongWidth, Display: "Topics regex",
			Doc: "A regular expression in Java's syntax. Topics whose whole name matches are read, also those created later."},
		{Name: "errors.deadletterqueue.topic.name", Type: String, Default: Default(""), Importance: Medium,
			Group: groupErrors, Order: 6, Width: MediumWidth, Display: "Dead Letter Queue Topic Name",
			Doc: "The topic to which skipped records go as they were read. Empty: there is none. It is created when it does not exist, and must not be one of the topics read."},
		{Name: "errors.deadletterqueue.topic.replication.factor", Type: Short, Default: Default("3"), Importance: Medium,
			Group: groupErrors, Order: 7, Width: MediumWidth, Display: "Dead Letter Queue Topic Replication Factor",
			Doc: "The number of copies of that topic when it has to be created. A cluster of one broker needs 1 here."},
		{Name: "errors.deadletterqueue.context.headers.enable", Type: Boolean, Default: Default("false"), Importance: Medium,
			Group: groupErrors, Order: 8, Width: MediumWidth, Display: "Enable Error Context Headers",
			Doc: "Whether records there carry headers, named __connect.errors.*, that say where they came from and what went wrong."},
	}
}

// CheckSinkTopics adds the errors about which topics a sink reads to the
// results of the keys topics and topics.regex, in the words of Java (golden
// rest 16-validate-filestream). m is the configuration that results are for.
func CheckSinkTopics(m Map, results []Result) {
	add := func(key, message string) {
		for i := range results {
			if results[i].Key.Name == key {
				results[i].Errors = append(results[i].Errors, message)
			}
		}
	}
	topics, regex := trim(m["topics"]), trim(m["topics.regex"])
	both := func(message string) {
		add("topics", message)
		add("topics.regex", message)
	}
	switch {
	case topics != "" && regex != "":
		both("topics and topics.regex are mutually exclusive options, but both are set.")
	case topics == "" && regex == "":
		both("Must configure one of topics or topics.regex")
	}
	dlq := trim(m["errors.deadletterqueue.topic.name"])
	if dlq == "" {
		return
	}
	if list := splitList(topics); slices.Contains(list, dlq) {
		add("topics", "The DLQ topic '"+dlq+"' may not be included in the list of topics ('topics="+javaText(list)+"') consumed by the connector")
	}
	if regex == "" {
		return
	}
	// A pattern that does not compile has its own error already.
	if pattern, err := CompilePattern(regex); err == nil {
		if match, err := pattern.Matches(dlq); err == nil && match {
			add("topics.regex", "The DLQ topic '"+dlq+"' may not be matched by the regex for the topics ('topics.regex="+regex+"') consumed by the connector")
		}
	}
}

// orNull lets null pass: the key has no default.
func orNull(v Validator) Validator {
	return Func(v.String(), func(name string, value any) error {
		if value == nil {
			return nil
		}
		return v.Check(name, value)
	})
}

// ReplicationFactor accepts a Short that may be the number of a topic's
// copies: positive, or -1 for the broker's default. It refuses null.
func ReplicationFactor() Validator {
	const noMore = "not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default"
	return Func("Positive number "+noMore, func(name string, v any) error {
		if n, ok := v.(int16); !ok || n < 1 && n != -1 {
			return Invalid(name, v, "Replication factor must be positive and "+noMore)
		}
		return nil
	})
}

// Partitions accepts an Int that may be the number of a topic's partitions:
// positive, or -1 for the broker's default. It refuses null.
func Partitions() Validator {
	return Func("Positive number, or -1 to use the broker's default", func(name string, v any) error {
		if n, ok := v.(int32); !ok || n < 1 && n != -1 {
			return Invalid(name, v, "Number of partitions must be positive, or -1 to use the broker's default")
		}
		return nil
	})
}
