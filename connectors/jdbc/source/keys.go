package source

import (
	"slices"

	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

// The names of the keys.
const (
	keyConnectionURL                        = "connection.url"
	keyConnectionUser                       = "connection.user"
	keyConnectionPassword                   = "connection.password"
	keyJDBCCredentialsProviderClass         = "jdbc.credentials.provider.class"
	keyConnectionAttempts                   = "connection.attempts"
	keyConnectionBackoffMS                  = "connection.backoff.ms"
	keyTableWhitelist                       = "table.whitelist"
	keyTableBlacklist                       = "table.blacklist"
	keyTableIncludeList                     = "table.include.list"
	keyTableExcludeList                     = "table.exclude.list"
	keyCatalogPattern                       = "catalog.pattern"
	keySchemaPattern                        = "schema.pattern"
	keyNumericPrecisionMapping              = "numeric.precision.mapping"
	keyNumericMapping                       = "numeric.mapping"
	keyDialectName                          = "dialect.name"
	keyDateCalendarSystem                   = "date.calendar.system"
	keyMode                                 = "mode"
	keyIncrementingColumnName               = "incrementing.column.name"
	keyTimestampColumnName                  = "timestamp.column.name"
	keyTimestampColumnsMapping              = "timestamp.columns.mapping"
	keyIncrementingColumnMapping            = "incrementing.column.mapping"
	keyTimestampInitial                     = "timestamp.initial"
	keyValidateNonNull                      = "validate.non.null"
	keyQuery                                = "query"
	keyQueryMasked                          = "query.masked"
	keyQuoteSQLIdentifiers                  = "quote.sql.identifiers"
	keyQuerySuffix                          = "query.suffix"
	keyTransactionIsolationMode             = "transaction.isolation.mode"
	keyQueryRetryAttempts                   = "query.retry.attempts"
	keyTableTypes                           = "table.types"
	keyPollIntervalMS                       = "poll.interval.ms"
	keyBatchMaxRows                         = "batch.max.rows"
	keyMaxBufferSize                        = "max.buffer.size"
	keyPollLingerMS                         = "poll.linger.ms"
	keyTableMonitoringStartupPollingLimitMS = "table.monitoring.startup.polling.limit.ms"
	keyTablePollIntervalMS                  = "table.poll.interval.ms"
	keyTopicPrefix                          = "topic.prefix"
	keyTimestampDelayIntervalMS             = "timestamp.delay.interval.ms"
	keyDBTimezone                           = "db.timezone"
	keyTimestampGranularity                 = "timestamp.granularity"
)

// The keys that only task configurations have.
const (
	keyTables        = "tables"
	keyTablesFetched = "tables.fetched"
)

// The keys of our own (D26: shown only where they are set).
const (
	keyConnectionFailure = "kconnect.connection.failure"
	keyCompatibility     = "kconnect.compatibility"
	keyNativeTypes       = "kconnect.postgres.native.types"
	keyGapTimeoutMS      = "kconnect.gap.timeout.ms"
	keyGapEarly          = "kconnect.gap.close.early"
	keyPollSchedule      = "kconnect.poll.schedule"
	keyPollScheduleZone  = "kconnect.poll.schedule.zone"
	keyPollMissed        = "kconnect.poll.schedule.missed"
	keyBulkRunHeaders    = "kconnect.bulk.run.headers"
	keyKeyMode           = "kconnect.key.mode"
)

const (
	groupDatabase  = "Database"
	groupMode      = "Mode"
	groupConnector = "Connector"
)

var (
	numericMappings = []string{"none", "precision_only", "best_fit", "best_fit_eager_double"}
	quoteMethods    = []string{"always", "never"}
	isolationModes  = []string{"default", "read_uncommitted", "read_committed", "repeatable_read", "serializable", "sql_server_snapshot"}
	granularities   = slices.Clone(dialect.GranularityNames[:])
	// dialects are the names that Java knows, in its order; dialect.Open says
	// which of them are there.
	dialects = []string{
		"", "Db2DatabaseDialect", "MySqlDatabaseDialect", "SybaseDatabaseDialect", "GenericDatabaseDialect", "OracleDatabaseDialect",
		"SqlServerDatabaseDialect", "PostgreSqlDatabaseDialect", "SqliteDatabaseDialect", "DerbyDatabaseDialect",
		"SapHanaDatabaseDialect", "VerticaDatabaseDialect",
	}
)

// definition is the table of the 40 keys of the Java connector (spec
// jdbc-source-config; golden rest 17-validate-jdbc).
var definition = config.NewDef(
	config.Key{Name: keyConnectionURL, Type: config.String, Importance: config.High, Default: config.Default(""), Group: groupDatabase, Order: 1, Width: config.LongWidth,
		Doc:     "Where the database is, as the URL of a Java driver: jdbc:mariadb://host:port/database, jdbc:mysql://host:port/database or jdbc:sqlite:file.",
		Display: "JDBC URL", Dependents: []string{keyTableWhitelist, keyTableBlacklist}},
	config.Key{Name: keyConnectionUser, Type: config.String, Importance: config.High, Group: groupDatabase, Order: 2, Width: config.LongWidth,
		Doc:     "User name for the database. It wins over one in the URL.",
		Display: "JDBC User"},
	config.Key{Name: keyConnectionPassword, Type: config.Password, Importance: config.High, Group: groupDatabase, Order: 3, Width: config.ShortWidth,
		Doc:     "Password for the database. It wins over one in the URL and never shows in logs, errors or answers.",
		Display: "JDBC Password"},
	config.Key{Name: keyJDBCCredentialsProviderClass, Type: config.Class, Importance: config.Low, Default: config.Default("io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider"), Group: groupDatabase, Order: 4, Width: config.LongWidth,
		Doc:     "Java class that hands out user and password. Only the default is there; use ${provider:path:key} references for credentials that are kept elsewhere.",
		Display: "JDBC Credentials Provider Class", Validate: defaultCredentials},
	config.Key{Name: keyConnectionAttempts, Type: config.Int, Importance: config.Low, Default: config.Default("3"), Group: groupDatabase, Order: 5, Width: config.ShortWidth,
		Doc:     "How many times a connection is tried before the task gives up, where kconnect.connection.failure is fail. Otherwise a database that cannot be reached is waited for.",
		Display: "JDBC connection attempts", Validate: config.AtLeast(1)},
	config.Key{Name: keyConnectionBackoffMS, Type: config.Long, Importance: config.Low, Default: config.Default("10000"), Group: groupDatabase, Order: 6, Width: config.ShortWidth,
		Doc:     "Longest pause between two attempts to connect, in ms.",
		Display: "JDBC connection backoff in milliseconds"},
	config.Key{Name: keyTableWhitelist, Type: config.List, Importance: config.Medium, Default: config.Default(""), Group: groupDatabase, Order: 7, Width: config.LongWidth,
		Doc:     "Names of the tables to read, separated by commas: bare, with their database or schema, or quoted.",
		Display: "Table Whitelist"},
	config.Key{Name: keyTableBlacklist, Type: config.List, Importance: config.Medium, Default: config.Default(""), Group: groupDatabase, Order: 8, Width: config.LongWidth,
		Doc:     "Names of the tables not to read. It counts only when there is no whitelist.",
		Display: "Table Blacklist"},
	config.Key{Name: keyTableIncludeList, Type: config.List, Importance: config.Medium, Default: config.Default(""), Group: groupDatabase, Order: 9, Width: config.LongWidth,
		Doc:     "Regular expressions; tables whose whole dotted name one of them matches are read. Columns come from the mapping keys then.",
		Display: "Tables Included (Regex)", Validate: regexList},
	config.Key{Name: keyTableExcludeList, Type: config.List, Importance: config.Medium, Default: config.Default(""), Group: groupDatabase, Order: 10, Width: config.LongWidth,
		Doc:     "Regular expressions; tables whose whole dotted name one of them matches are left out of what the include list selects.",
		Display: "Tables Excluded (Regex)", Validate: regexList},
	config.Key{Name: keyCatalogPattern, Type: config.String, Importance: config.Medium, Group: groupDatabase, Order: 11, Width: config.ShortWidth,
		Doc:     "Catalog (in MariaDB and MySQL the exact name of a database) whose tables are listed. Without it that of the URL.",
		Display: "Schema pattern"},
	config.Key{Name: keySchemaPattern, Type: config.String, Importance: config.High, Group: groupDatabase, Order: 12, Width: config.ShortWidth,
		Doc:     "Pattern of the schemas whose tables are listed, for databases with schemas.",
		Display: "Schema pattern"},
	config.Key{Name: keyNumericPrecisionMapping, Type: config.Boolean, Importance: config.Low, Default: config.Default("false"), Group: groupDatabase, Order: 13, Width: config.ShortWidth,
		Doc:     "Older form of numeric.mapping=precision_only; it counts only while that key is not set.",
		Display: "Map Numeric Values By Precision (deprecated)"},
	config.Key{Name: keyNumericMapping, Type: config.String, Importance: config.Low, Group: groupDatabase, Order: 14, Width: config.ShortWidth,
		Doc:     "How NUMERIC columns are read: none as decimals, precision_only as integers where there are no decimal places, best_fit also as doubles where there are, best_fit_eager_double as doubles wherever there are decimal places. DECIMAL columns of MariaDB and MySQL are always decimals.",
		Display: "Map Numeric Values, Integral or Decimal, By Precision and Scale", Recommend: recommend(numericMappings), Validate: enumerator(numericMappings)},
	config.Key{Name: keyDialectName, Type: config.String, Importance: config.Low, Default: config.Default(""), Group: groupDatabase, Order: 15, Width: config.LongWidth,
		Doc:     "Dialect to use in place of the one that the URL names. It must fit the URL.",
		Display: "Database Dialect", Recommend: recommend(dialects), Validate: enumerator(dialects)},
	config.Key{Name: keyDateCalendarSystem, Type: config.String, Importance: config.Low, Default: config.Default("LEGACY"), Group: groupDatabase, Order: 16, Width: config.MediumWidth,
		Doc:     "Calendar of dates before 15 October 1582: LEGACY counts them as Java's default calendar does (Julian), PROLEPTIC_GREGORIAN as ISO 8601 does.",
		Display: "Date Calendar System", Validate: config.OneOf("LEGACY", "PROLEPTIC_GREGORIAN")},
	config.Key{Name: keyMode, Type: config.String, Importance: config.High, Default: config.Default(""), Group: groupMode, Order: 1, Width: config.MediumWidth,
		Doc:     "How new rows are found: bulk reads everything each time; incrementing rows with a greater id; timestamp rows with a later time; timestamp+incrementing both, which also finds changed rows.",
		Display: "Table Loading Mode", Dependents: []string{keyIncrementingColumnName, keyTimestampColumnName, keyIncrementingColumnMapping, keyTimestampColumnsMapping, keyValidateNonNull}, Validate: config.OneOf("", "bulk", "timestamp", "incrementing", "timestamp+incrementing")},
	config.Key{Name: keyIncrementingColumnName, Type: config.String, Importance: config.Medium, Default: config.Default(""), Group: groupMode, Order: 2, Width: config.MediumWidth,
		Doc:     "Column whose values only grow. Empty: the table's auto-increment column.",
		Display: "Incrementing Column Name", Visible: visibleIn("incrementing", "timestamp+incrementing")},
	config.Key{Name: keyTimestampColumnName, Type: config.List, Importance: config.Medium, Default: config.Default(""), Group: groupMode, Order: 3, Width: config.MediumWidth,
		Doc:     "Columns with the time of a row's last change; of several the first that is not null counts.",
		Display: "Timestamp Column Name", Visible: visibleIn("timestamp", "timestamp+incrementing")},
	config.Key{Name: keyTimestampColumnsMapping, Type: config.List, Importance: config.Medium, Default: config.Default(""), Group: groupMode, Order: 4, Width: config.LongWidth,
		Doc:     "Timestamp columns by table, as a list of regex:[column|column], for tables that the include list selects.",
		Display: "Table to timestamp columns mappings", Validate: timestampMapping, Visible: visibleIn("timestamp", "timestamp+incrementing")},
	config.Key{Name: keyIncrementingColumnMapping, Type: config.List, Importance: config.Medium, Default: config.Default(""), Group: groupMode, Order: 5, Width: config.LongWidth,
		Doc:     "Incrementing columns by table, as a list of regex:column, for tables that the include list selects.",
		Display: "Table to incrementing column mappings", Validate: incrementingMapping, Visible: visibleIn("incrementing", "timestamp+incrementing")},
	config.Key{Name: keyTimestampInitial, Type: config.Long, Importance: config.Low, Group: groupMode, Order: 6, Width: config.MediumWidth,
		Doc:     "Where to begin when nothing is stored yet, in ms since 1970. -1 is the present time of the database. Not set: the beginning.",
		Display: "Unix time value of initial timestamp", Visible: visibleIn()},
	config.Key{Name: keyValidateNonNull, Type: config.Boolean, Importance: config.Low, Default: config.Default("true"), Group: groupMode, Order: 7, Width: config.ShortWidth,
		Doc:     "Refuse tables whose incrementing column, or all of whose timestamp columns, may be null: rows with null there are never read.",
		Display: "Validate Non Null", Visible: visibleIn("incrementing", "timestamp", "timestamp+incrementing")},
	config.Key{Name: keyQuery, Type: config.String, Importance: config.Medium, Default: config.Default(""), Group: groupMode, Order: 8, Width: config.ShortWidth,
		Doc:     "SELECT statement to read instead of tables. In the incremental modes a WHERE and an ORDER BY are put behind it, so wrap a statement that has its own: SELECT * FROM (...) x.",
		Display: "Query"},
	config.Key{Name: keyQueryMasked, Type: config.Password, Importance: config.Medium, Default: config.Default(""), Group: groupMode, Order: 9, Width: config.ShortWidth,
		Doc:     "The same as query, but kept out of logs, errors and answers.",
		Display: "Query (Masked)", Visible: visibleIn()},
	config.Key{Name: keyQuoteSQLIdentifiers, Type: config.String, Importance: config.Medium, Default: config.Default("ALWAYS"), Group: groupMode, Order: 10, Width: config.MediumWidth,
		Doc:     "Whether names of tables and columns are written in quotes: ALWAYS or NEVER.",
		Display: "Quote Identifiers", Recommend: recommend(quoteMethods)},
	config.Key{Name: keyQuerySuffix, Type: config.String, Importance: config.Low, Default: config.Default(""), Group: groupMode, Order: 11, Width: config.MediumWidth,
		Doc:     "Text put at the end of every statement, such as LIMIT 1000.",
		Display: "Query suffix"},
	config.Key{Name: keyTransactionIsolationMode, Type: config.String, Importance: config.Low, Default: config.Default("DEFAULT"), Group: groupMode, Order: 12, Width: config.MediumWidth,
		Doc:     "Isolation level of the connection; DEFAULT leaves the database's.",
		Display: "Transaction Isolation Mode", Recommend: recommend(isolationModes)},
	config.Key{Name: keyQueryRetryAttempts, Type: config.Int, Importance: config.Low, Default: config.Default("-1"), Group: groupMode, Order: 13, Width: config.MediumWidth,
		Doc:     "How many failures in a row of one table's statement, of a kind that no other key covers, fail the task. -1 or 0: none does.",
		Display: "Query Retry Attempts"},
	config.Key{Name: keyTableTypes, Type: config.List, Importance: config.Low, Default: config.Default("TABLE"), Group: groupConnector, Order: 1, Width: config.MediumWidth,
		Doc:     "Kinds of table to list, such as TABLE and VIEW.",
		Display: "Table Types"},
	config.Key{Name: keyPollIntervalMS, Type: config.Int, Importance: config.High, Default: config.Default("5000"), Group: groupConnector, Order: 2, Width: config.ShortWidth,
		Doc:     "Pause between the end of one round of a table and the start of its next, in ms.",
		Display: "Poll Interval (ms)"},
	config.Key{Name: keyBatchMaxRows, Type: config.Int, Importance: config.Low, Default: config.Default("1000"), Group: groupConnector, Order: 3, Width: config.ShortWidth,
		Doc:     "Most rows handed over at once.",
		Display: "Max Rows Per Batch"},
	config.Key{Name: keyMaxBufferSize, Type: config.Int, Importance: config.Low, Default: config.Default("0"), Group: groupConnector, Order: 4, Width: config.ShortWidth,
		Doc:     "Rows buffered between reading and handing over; here rows are read as they are handed over, so nothing is buffered and the key has no effect.",
		Display: "Maximum Buffer Size"},
	config.Key{Name: keyPollLingerMS, Type: config.Long, Importance: config.Low, Default: config.Default("5000"), Group: groupConnector, Order: 5, Width: config.ShortWidth,
		Doc:     "Longest time to wait for a full batch, in ms. Rows are sent as soon as they are read, so there is no waiting.",
		Display: "Poll Linger Milliseconds"},
	config.Key{Name: keyTableMonitoringStartupPollingLimitMS, Type: config.Long, Importance: config.Low, Default: config.Default("10000"), Internal: true,
		Doc: "How long the first list of tables may take before one task is started without tables, in ms."},
	config.Key{Name: keyTablePollIntervalMS, Type: config.Long, Importance: config.Low, Default: config.Default("60000"), Group: groupConnector, Order: 6, Width: config.ShortWidth,
		Doc:     "Pause between two looks at the list of tables, in ms. A changed list restarts the tasks.",
		Display: "Metadata Change Monitoring Interval (ms)"},
	config.Key{Name: keyTopicPrefix, Type: config.String, Importance: config.High, Default: config.Default(""), Group: groupConnector, Order: 7, Width: config.MediumWidth,
		Doc:     "What stands before the table's name in the topic's name; with a query the whole name of the topic.",
		Display: "Topic Prefix", Validate: topicPrefix},
	config.Key{Name: keyTimestampDelayIntervalMS, Type: config.Long, Importance: config.High, Default: config.Default("0"), Group: groupConnector, Order: 8, Width: config.MediumWidth,
		Doc:     "How far behind the database's clock rows are read, in ms: leave it longer than transactions take between writing a timestamp and their commit.",
		Display: "Delay Interval (ms)"},
	config.Key{Name: keyDBTimezone, Type: config.String, Importance: config.Medium, Default: config.Default("UTC"), Group: groupConnector, Order: 9, Width: config.MediumWidth,
		Doc:     "Time zone in which the database's times without zone are to be read.",
		Display: "DB time zone", Validate: timeZone},
	config.Key{Name: keyTimestampGranularity, Type: config.String, Importance: config.Low, Default: config.Default("connect_logical"), Group: groupConnector, Order: 10, Width: config.MediumWidth,
		Doc:     "Form of timestamps: connect_logical in ms, or a count since 1970 or an ISO text in micro- or nanoseconds.",
		Display: "Timestamp granularity for timestamp columns", Recommend: recommend(granularities), Validate: enumerator(granularities)},
)

// ownDefinition has the keys of our own, which validate answers show only when
// a configuration has them (D26).
var ownDefinition = config.NewDef(
	config.Key{Name: keyConnectionFailure, Type: config.String, Importance: config.Low, Default: config.Default("wait"), Group: groupDatabase, Order: 17, Width: config.ShortWidth,
		Doc:     "What a task does while the database cannot be reached: wait for it, however long, or fail after connection.attempts as the Java connector does.",
		Display: "Connection Failure", Validate: config.OneOf("wait", "fail")},
	config.Key{Name: keyCompatibility, Type: config.String, Importance: config.Low, Default: config.Default("safe"), Group: groupConnector, Order: 11, Width: config.ShortWidth,
		Doc:     "safe, or java for the Java connector's behaviour wherever there is a switch: here kconnect.connection.failure=fail and kconnect.gap.timeout.ms=0.",
		Display: "Compatibility", Validate: config.OneOf("safe", "java")},
	config.Key{Name: keyNativeTypes, Type: config.Boolean, Importance: config.Low, Default: config.Default("false"), Group: groupConnector, Order: 12, Width: config.ShortWidth,
		Doc:     "Whether columns of PostgreSQL that the Java connector leaves out are read: arrays as arrays whose elements may be null, and inet, interval, ranges, bit varying and all other types as the text that the server shows.",
		Display: "PostgreSQL's Own Types"},
	config.Key{Name: keyGapTimeoutMS, Type: config.Long, Importance: config.Medium, Default: config.Default("60000"), Group: groupMode, Order: 14, Width: config.MediumWidth,
		Doc: "For how long rows that become visible late are watched for, in ms: ids that were skipped and the last instant or id are asked for again until then. " +
			"Leave it at twice the longest transaction that writes to the tables. 0 is the Java connector's behaviour, which loses such rows.",
		Display: "Gap Timeout (ms)", Validate: config.AtLeast(0)},
	config.Key{Name: keyGapEarly, Type: config.Boolean, Importance: config.Low, Default: config.Default("true"), Group: groupMode, Order: 15, Width: config.ShortWidth,
		Doc: "Whether ids that were skipped are given up before kconnect.gap.timeout.ms once the database shows that every transaction has ended which could have taken them. " +
			"Set it to false where applications insert ids that they took in another transaction, and where a proxy spreads statements over a primary and its replicas.",
		Display: "Close Gaps Early"},
	config.Key{Name: keyPollSchedule, Type: config.String, Importance: config.Medium, Default: config.Default(""), Group: groupConnector, Order: 12, Width: config.LongWidth,
		Doc: "When tables are read, as a cron expression: minute, hour, day of the month, month and day of the week, with the second in front if need be, or @hourly, @daily, @every 90s. " +
			"It takes the place of poll.interval.ms, which is left as the pause after a failure that is tried again. CRON_TZ=Europe/Berlin in front names the time zone. A new connector waits for the first time of the schedule.",
		Display: "Poll Schedule", Validate: cronExpression},
	config.Key{Name: keyPollScheduleZone, Type: config.String, Importance: config.Low, Default: config.Default("UTC"), Group: groupConnector, Order: 13, Width: config.MediumWidth,
		Doc:     "Time zone of kconnect.poll.schedule, where the expression does not name one.",
		Display: "Poll Schedule Zone", Validate: cronZone},
	config.Key{Name: keyPollMissed, Type: config.String, Importance: config.Low, Default: config.Default("skip"), Group: groupConnector, Order: 14, Width: config.ShortWidth,
		Doc: "What becomes of runs whose time came while the task was down or a run was still under way: skip waits for the next time, once makes up for all of them by one run at once. " +
			"The last run is kept beside the connector's offsets and goes when they are reset.",
		Display: "Missed Runs", Validate: config.OneOf("skip", "once")},
	config.Key{Name: keyBulkRunHeaders, Type: config.Boolean, Importance: config.Low, Default: config.Default("false"), Group: groupConnector, Order: 15, Width: config.ShortWidth,
		Doc: "In mode bulk, put the header kconnect.bulk.run.id to every record of one reading of a table, and kconnect.bulk.run.rows, how many records it has, to the last one: " +
			"consumers then see whole runs, and which broke off.",
		Display: "Bulk Run Headers"},
	config.Key{Name: keyKeyMode, Type: config.String, Importance: config.Medium, Default: config.Default("none"), Group: groupConnector, Order: 16, Width: config.ShortWidth,
		Doc: "primary_key gives records a key: a struct of the columns of the table's primary key, in the order of the table. Its schema has the name of the table with .Key behind it. " +
			"none leaves records without a key, as the Java connector does.",
		Display: "Key Mode", Validate: config.OneOf("none", "primary_key")},
)
