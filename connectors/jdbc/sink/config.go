package sink

import (
	"errors"
	"slices"
	"strings"
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

// Names of the keys that code refers to.
const (
	keyURL          = "connection.url"
	keyUser         = "connection.user"
	keyPassword     = "connection.password"
	keyCredentials  = "jdbc.credentials.provider.class"
	keyDialect      = "dialect.name"
	keyAttempts     = "connection.attempts"
	keyConnBackoff  = "connection.backoff.ms"
	keyInsertMode   = "insert.mode"
	keyBatchSize    = "batch.size"
	keyDeletes      = "delete.enabled"
	keyTableTypes   = "table.types"
	keyReplaceNull  = "replace.null.with.default"
	keyTableFormat  = "table.name.format"
	keyPKMode       = "pk.mode"
	keyPKFields     = "pk.fields"
	keyWhitelist    = "fields.whitelist"
	keyZone         = "db.timezone"
	keyDateZone     = "date.timezone"
	keyTimestamps   = "timestamp.fields.list"
	keyPrecision    = "timestamp.precision.mode"
	keyCalendar     = "date.calendar.system"
	keyStringColumn = "string.output.value.column.name"
	keyAutoCreate   = "auto.create"
	keyAutoEvolve   = "auto.evolve"
	keyQuote        = "quote.sql.identifiers"
	keyMaxRetries   = "max.retries"
	keyRetryBackoff = "retry.backoff.ms"
	keyLoad         = "kconnect.mariadb.load.data"

	defaultCredentials = "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider"
)

// Definition returns the connector's own keys, in Java's order (golden
// rest/17-validate-jdbc, step "valid sink, complete answer").
func Definition() *config.Def {
	return config.NewDef(slices.Concat(connectionKeys(), writeKeys(), mappingKeys(), ddlKeys(), retryKeys())...)
}

func connectionKeys() []config.Key {
	const group = "Connection"
	return []config.Key{
		{Name: keyURL, Type: config.String, Required: true, Importance: config.High, Group: group, Order: 1, Width: config.LongWidth, Display: "JDBC URL",
			Doc: "Address of the database, such as jdbc:mariadb://host:3306/shop or jdbc:sqlite:shop.db. The word after jdbc: chooses driver and dialect."},
		{Name: keyUser, Type: config.String, Importance: config.High, Group: group, Order: 2, Width: config.MediumWidth, Display: "JDBC User",
			Doc: "Name to log in with; it wins over a user in the address."},
		{Name: keyPassword, Type: config.Password, Importance: config.High, Group: group, Order: 3, Width: config.MediumWidth, Display: "JDBC Password",
			Doc: "Password to log in with; it wins over a password in the address and is never shown."},
		{Name: keyCredentials, Type: config.Class, Default: config.Default(defaultCredentials), Importance: config.Low, Group: group, Order: 4,
			Width: config.LongWidth, Display: "JDBC Credentials Provider Class", Validate: credentialsClass(),
			Doc: "Where user and password come from. Only the default is there: it takes the two keys above."},
		{Name: keyDialect, Type: config.String, Default: config.Default(""), Importance: config.Low, Group: group, Order: 5, Width: config.LongWidth,
			Display: "Database Dialect", Validate: enum(dialects...), Recommend: recommend(dialects...),
			Doc: "Dialect by its class name. Empty, the usual case, means the one that the address asks for."},
		{Name: keyAttempts, Type: config.Int, Default: config.Default("3"), Validate: config.AtLeast(1), Importance: config.Low, Group: group, Order: 6,
			Width: config.ShortWidth, Display: "JDBC connection attempts",
			Doc: "How often opening a connection is tried when a configuration is checked; a running task goes on trying for as long as the database is away."},
		{Name: keyConnBackoff, Type: config.Long, Default: config.Default("10000"), Importance: config.Low, Group: group, Order: 7, Width: config.ShortWidth,
			Display: "JDBC connection backoff in milliseconds",
			Doc:     "Longest pause between two attempts to connect, in milliseconds."},
	}
}

func writeKeys() []config.Key {
	const group = "Writes"
	return []config.Key{
		{Name: keyInsertMode, Type: config.String, Default: config.Default("insert"), Validate: enum("insert", "upsert", "update"), Importance: config.High,
			Group: group, Order: 1, Width: config.MediumWidth, Display: "Insert Mode",
			Doc: "How a record is written: insert adds a row, upsert adds it or changes the row of the same key, update changes a row that exists."},
		{Name: keyBatchSize, Type: config.Int, Default: config.Default("3000"), Validate: config.AtLeast(0), Importance: config.Medium, Group: group, Order: 2,
			Width: config.ShortWidth, Display: "Batch Size",
			Doc: "Most records of one table in one statement; 0 acts as 1. All that is delivered at once is one transaction, whatever this says."},
		{Name: keyDeletes, Type: config.Boolean, Default: config.Default("false"), Importance: config.Medium, Group: group, Order: 3, Width: config.ShortWidth,
			Display: "Enable deletes", Recommend: recommendDeletes, Visible: keyedByRecord,
			Doc: "Whether a record with a null value deletes the row of its key. Needs pk.mode=record_key."},
		{Name: keyTableTypes, Type: config.List, Default: config.Default("TABLE"), Validate: enum("table", "partitioned table", "view"), Importance: config.Low,
			Group: group, Order: 4, Width: config.MediumWidth, Display: "Table Types",
			Doc: "Kinds of relations that count as an existing target."},
		{Name: keyReplaceNull, Type: config.Boolean, Default: config.Default("true"), Importance: config.Low, Group: group, Order: 5, Width: config.MediumWidth,
			Display: "Replace null value with default value",
			Doc:     "Whether a null in a field with a default is written as that default. Key columns always are."},
	}
}

func mappingKeys() []config.Key {
	const group = "Data Mapping"
	return []config.Key{
		{Name: keyTableFormat, Type: config.String, Default: config.Default("${topic}"), Validate: config.NonEmpty(), Importance: config.Medium, Group: group,
			Order: 1, Width: config.LongWidth, Display: "Table Name Format",
			Doc: "Name of the table, in which ${topic} stands for the topic. Dots separate schema and table unless the name is in quotes."},
		{Name: keyPKMode, Type: config.String, Default: config.Default("none"), Validate: enum("none", "kafka", "record_key", "record_value"),
			Importance: config.High, Group: group, Order: 2, Width: config.MediumWidth, Display: "Primary Key Mode", Recommend: recommendPKModes,
			Doc: "Where the key columns come from: none, kafka (topic, partition and offset), record_key or record_value."},
		{Name: keyPKFields, Type: config.List, Default: config.Default(""), Importance: config.Medium, Group: group, Order: 3, Width: config.LongWidth,
			Display: "Primary Key Fields",
			Doc:     "Names of the key columns. With kafka none or three, with a primitive record key one, otherwise fields of the key or value; empty means all of them."},
		{Name: keyWhitelist, Type: config.List, Default: config.Default(""), Importance: config.Medium, Group: group, Order: 4, Width: config.LongWidth,
			Display: "Fields Whitelist",
			Doc:     "Fields of the value that become columns; empty means all. Key columns are written in any case."},
		{Name: keyZone, Type: config.String, Default: config.Default("UTC"), Validate: timeZone(), Importance: config.Medium, Group: group, Order: 5,
			Width: config.MediumWidth, Display: "DB Time Zone",
			Doc: "Time zone in which times and timestamps are written; a time zone of the session does not matter."},
		{Name: keyDateZone, Type: config.String, Default: config.Default("DB_TIMEZONE"), Validate: enum("db_timezone", "utc"), Importance: config.Low, Group: group,
			Order: 6, Width: config.MediumWidth, Display: "Time Zone used for Date", Recommend: recommend("db_timezone", "utc"),
			Doc: "Time zone in which dates are written. With db_timezone a zone west of Greenwich gets the day before; utc keeps the day."},
		{Name: keyTimestamps, Type: config.List, Default: config.Default(""), Importance: config.Medium, Group: group, Order: 7, Width: config.MediumWidth,
			Display: "Timestamp Fields Whitelist",
			Doc:     "Fields of type int64 or string that hold a time since 1970 and become timestamp columns, in the unit of timestamp.precision.mode."},
		{Name: keyPrecision, Type: config.String, Default: config.Default("MICROSECONDS"), Validate: enum("microseconds", "nanoseconds"), Importance: config.Low,
			Group: group, Order: 8, Width: config.MediumWidth, Display: "Sink Timestamp Precision mode", Recommend: recommend("microseconds", "nanoseconds"),
			Doc: "Unit of the fields in timestamp.fields.list."},
		{Name: keyCalendar, Type: config.String, Default: config.Default("LEGACY"), Validate: config.OneOf("LEGACY", "PROLEPTIC_GREGORIAN"), Importance: config.Low,
			Group: group, Order: 9, Width: config.MediumWidth, Display: "Date Calendar System",
			Doc: "Calendar of days before 15 October 1582: LEGACY writes Julian dates, PROLEPTIC_GREGORIAN those of today's calendar."},
		{Name: keyStringColumn, Type: config.String, Default: config.Default("record_value"), Validate: config.NonEmpty(), Importance: config.Low, Group: group,
			Order: 10, Width: config.MediumWidth, Display: "String Value Column Name",
			Doc: "Column that takes the whole value when it is a string."},
	}
}

func ddlKeys() []config.Key {
	const group = "DDL Support"
	return []config.Key{
		{Name: keyAutoCreate, Type: config.Boolean, Default: config.Default("false"), Importance: config.Medium, Group: group, Order: 1, Width: config.ShortWidth,
			Display: "Auto-Create", Doc: "Whether a missing table is created from the schema of the first record for it."},
		{Name: keyAutoEvolve, Type: config.Boolean, Default: config.Default("false"), Importance: config.Medium, Group: group, Order: 2, Width: config.ShortWidth,
			Display: "Auto-Evolve", Doc: "Whether columns that a record has and the table lacks are added. None is ever dropped or changed."},
		{Name: keyQuote, Type: config.String, Default: config.Default("ALWAYS"), Importance: config.Medium, Group: group, Order: 3, Width: config.MediumWidth,
			Display: "Quote Identifiers", Recommend: recommend("always", "never"),
			Doc: "Whether names of tables and columns stand in quotes in statements: always or never."},
		{Name: "mssql.use.merge.holdlock", Type: config.Boolean, Default: config.Default("true"), Importance: config.Low, Group: "DML Support", Order: 1,
			Width: config.MediumWidth, Display: "SQL Server - Use HOLDLOCK in MERGE", Doc: "Concerns SQL Server alone; without effect on other databases."},
	}
}

func retryKeys() []config.Key {
	const group = "Retries"
	return []config.Key{
		{Name: keyMaxRetries, Type: config.Int, Default: config.Default("10"), Validate: config.AtLeast(0), Importance: config.Medium, Group: group, Order: 1,
			Width: config.ShortWidth, Display: "Maximum Retries",
			Doc: "How often a delivery that the database refuses is tried again before the task fails. Waiting for a database that is away does not count."},
		{Name: keyRetryBackoff, Type: config.Int, Default: config.Default("3000"), Validate: config.AtLeast(0), Importance: config.Medium, Group: group, Order: 2,
			Width: config.ShortWidth, Display: "Retry Backoff (millis)", Doc: "Pause before a delivery is tried again, in milliseconds."},
		{Name: "trim.sensitive.log", Type: config.Boolean, Default: config.Default("false"), Importance: config.Low, Internal: true,
			Doc: "Whether values of rows are left out of error texts."},
	}
}

// ownDefinition has the keys of our own, which validate answers show only when
// a configuration has them (D26).
var ownDefinition = config.NewDef(
	config.Key{Name: keyLoad, Type: config.Boolean, Default: config.Default("false"), Importance: config.Low, Group: "Writes", Order: 6, Width: config.ShortWidth,
		Display: "Load Data",
		Doc: "Whether rows of insert.mode=insert go into MariaDB or MySQL by LOAD DATA LOCAL INFILE, which takes less of the server's time. Needs local_infile=ON there. " +
			"Rows that the server does not take as they are, and tables that are not of InnoDB, are written by INSERT."},
)

// dialects are the class names that dialect.name takes, in the order in which
// Java recommends them.
var dialects = []string{
	"", "Db2DatabaseDialect", "MySqlDatabaseDialect", "SybaseDatabaseDialect", "GenericDatabaseDialect", "OracleDatabaseDialect",
	"SqlServerDatabaseDialect", "PostgreSqlDatabaseDialect", "SqliteDatabaseDialect", "DerbyDatabaseDialect", "SapHanaDatabaseDialect",
	"VerticaDatabaseDialect",
}

// enum accepts words in all lower or all upper case, and class names as they
// are (golden jdbc-sink/config-mixed-case-enum).
func enum(words ...string) config.Validator {
	accepts := func(v string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return v == w || v == strings.ToUpper(w) || v == strings.ToLower(w) })
	}
	return config.Func("["+strings.Join(words, ", ")+"]", func(name string, v any) error {
		items, isList := v.([]string)
		if s, ok := v.(string); ok {
			items = []string{s}
		} else if !isList {
			return nil
		}
		for _, s := range items {
			if !accepts(s) {
				return config.Invalid(name, s, "Invalid enumerator")
			}
		}
		return nil
	})
}

func credentialsClass() config.Validator {
	const iface = "interface io.confluent.connect.jdbc.util.JdbcCredentialsProvider"
	return config.Func("Any class implementing: "+iface, func(name string, v any) error {
		if s, ok := v.(string); ok && s != defaultCredentials {
			return config.Invalid(name, "class "+s, "Class must extend: "+iface)
		}
		return nil
	})
}

func recommend(words ...string) func(config.Map) []string {
	return func(config.Map) []string { return words }
}

func recommendDeletes(m config.Map) []string {
	if keyedByRecord(m) {
		return []string{"true", "false"}
	}
	return []string{"false"}
}

func keyedByRecord(m config.Map) bool { return strings.EqualFold(m[keyPKMode], "record_key") }

func recommendPKModes(m config.Map) []string {
	if m[keyDeletes] == "true" {
		return []string{"record_key"}
	}
	return []string{"none", "kafka", "record_key", "record_value"}
}

type insertMode string

const (
	modeInsert insertMode = "insert"
	modeUpsert insertMode = "upsert"
	modeUpdate insertMode = "update"
)

type pkMode string

const (
	pkNone        pkMode = "none"
	pkKafka       pkMode = "kafka"
	pkRecordKey   pkMode = "record_key"
	pkRecordValue pkMode = "record_value"
)

// settings is a task's configuration, parsed once.
type settings struct {
	connector string
	database  dialect.Config
	dialect   string // wanted by name; empty for the URL's
	failFast  bool   // kconnect.connection.failure=fail
	load      bool   // kconnect.mariadb.load.data

	connectAttempts int           // when a configuration is checked
	connectBackoff  time.Duration // longest
	mode            insertMode
	pkMode          pkMode
	pkFields        []string
	whitelist       []string
	tableFormat     string
	tableTypes      []string // upper case
	batch           int      // records of one statement at most
	deletes         bool
	replaceNull     bool
	stringColumn    string
	autoCreate      bool
	autoEvolve      bool
	maxRetries      int
	retryBackoff    time.Duration
	hideValues      bool // trim.sensitive.log
	bind            dialect.BindOptions

	needsKey, needsValue bool
	structOptions        []string // options that are set and say something about struct values alone
}

// newSettings reads a connector's configuration, whose texts Definition has
// accepted.
func newSettings(connector string, m config.Map) (*settings, error) {
	v, err := Definition().Parse(m)
	if err != nil {
		return nil, err
	}
	s := &settings{
		connector:       connector,
		dialect:         v.String(keyDialect),
		connectAttempts: v.Int(keyAttempts),
		connectBackoff:  time.Duration(v.Long(keyConnBackoff)) * time.Millisecond,
		mode:            insertMode(strings.ToLower(v.String(keyInsertMode))),
		pkMode:          pkMode(strings.ToLower(v.String(keyPKMode))),
		pkFields:        v.List(keyPKFields),
		whitelist:       v.List(keyWhitelist),
		tableFormat:     v.String(keyTableFormat),
		batch:           max(v.Int(keyBatchSize), 1),
		deletes:         v.Bool(keyDeletes),
		replaceNull:     v.Bool(keyReplaceNull),
		stringColumn:    v.String(keyStringColumn),
		autoCreate:      v.Bool(keyAutoCreate),
		autoEvolve:      v.Bool(keyAutoEvolve),
		maxRetries:      v.Int(keyMaxRetries),
		retryBackoff:    time.Duration(v.Int(keyRetryBackoff)) * time.Millisecond,
		hideValues:      v.Bool("trim.sensitive.log"),
	}
	for _, t := range v.List(keyTableTypes) {
		s.tableTypes = append(s.tableTypes, strings.ToUpper(t))
	}
	if s.database, err = databaseConfig(v, m); err != nil {
		return nil, err
	}
	if err := s.readZones(v); err != nil {
		return nil, err
	}
	if s.failFast, err = failFast(m); err != nil {
		return nil, err
	}
	own, err := ownDefinition.Parse(m)
	if err != nil {
		return nil, err
	}
	s.load = own.Bool(keyLoad)
	s.needsKey = s.pkMode == pkRecordKey || s.deletes
	s.needsValue = !s.deletes
	for _, o := range []struct {
		name string
		set  bool
	}{{keyWhitelist, len(s.whitelist) > 0}, {keyTimestamps, len(s.bind.TimestampFields) > 0}} {
		if o.set {
			s.structOptions = append(s.structOptions, o.name)
		}
	}
	return s, nil
}

func databaseConfig(v *config.Values, m config.Map) (dialect.Config, error) {
	c := dialect.Config{URL: v.String(keyURL), User: v.String(keyUser), Password: v.Password(keyPassword), Properties: driverProperties(m)}
	var err error
	c.NoQuotes, err = noQuotes(v.String(keyQuote))
	return c, err
}

// noQuotes reads quote.sql.identifiers, which is not checked before a
// connection is made (golden jdbc-source/val_bad_quote).
func noQuotes(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "always":
		return false, nil
	case "never":
		return true, nil
	}
	return false, errors.New("No matching QuoteMethod found for '" + text + "'")
}

// driverProperties returns the connection.* keys that are not the connector's
// own: the driver gets them without the prefix.
func driverProperties(m config.Map) map[string]string {
	p := m.WithPrefix("connection.")
	for _, own := range []string{keyURL, keyUser, keyPassword, keyAttempts, keyConnBackoff} {
		delete(p, strings.TrimPrefix(own, "connection."))
	}
	return p
}

func (s *settings) readZones(v *config.Values) error {
	zone, err := dialect.LoadZone(v.String(keyZone))
	if err != nil {
		return err
	}
	s.bind = dialect.BindOptions{
		Zone: zone, DateZone: zone,
		Proleptic:       v.String(keyCalendar) == "PROLEPTIC_GREGORIAN",
		TimestampFields: v.List(keyTimestamps),
		Nanoseconds:     strings.EqualFold(v.String(keyPrecision), "nanoseconds"),
	}
	if strings.EqualFold(v.String(keyDateZone), "utc") {
		s.bind.DateZone = dialect.UTC
	}
	return nil
}

func timeZone() config.Validator {
	return config.Func("Any valid JDK time zone", func(name string, v any) error {
		if s, ok := v.(string); ok {
			if _, err := dialect.LoadZone(s); err != nil {
				return config.Invalid(name, s, "Invalid time zone. See the list of valid time zones at "+
					"https://docs.oracle.com/javase/8/docs/api/java/time/ZoneId.html#shortIds")
			}
		}
		return nil
	})
}

// failFast reads the switches of D11. They are not in the definition, which
// lists what Java has.
func failFast(m config.Map) (bool, error) {
	const key = "kconnect.connection.failure"
	switch v := m[key]; v {
	case "":
		return m["kconnect.compatibility"] == "java", nil
	case "wait", "retry", "fail":
		return v == "fail", nil
	default:
		return false, config.Invalid(key, v, "String must be one of: wait, retry, fail")
	}
}

// conflict is a contradiction between keys that are fine alone.
type conflict struct {
	message string
	keys    []string
}

func (s *settings) conflicts() []conflict {
	var all []conflict
	if s.deletes && s.pkMode != pkRecordKey {
		all = append(all, conflict{"Deletes are only supported for pk.mode record_key", []string{keyDeletes, keyPKMode}})
	}
	if s.mode == modeUpdate && s.pkMode == pkNone {
		// D3: Java's UPDATE would have no WHERE and change every row.
		all = append(all, conflict{"insert.mode=update needs a key to find the row by: set pk.mode to record_key, record_value or kafka",
			[]string{keyInsertMode, keyPKMode}})
	}
	if s.load && s.mode != modeInsert {
		all = append(all, conflict{keyLoad + "=true is for insert.mode=insert alone: LOAD DATA cannot change rows", []string{keyLoad, keyInsertMode}})
	}
	return all
}

// taskSettings is newSettings for a configuration that was stored: a start
// refuses what validation refuses (Promise 9).
func taskSettings(connector string, m config.Map) (*settings, error) {
	s, err := newSettings(connector, m)
	if err == nil {
		for _, c := range s.conflicts() {
			err = errors.Join(err, &config.Error{Key: c.keys[0], Message: c.message, Whole: true})
		}
	}
	if err != nil {
		return nil, &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: err.Error()}
	}
	return s, nil
}
