package source

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

// mode is how new rows are found.
type mode uint8

const (
	bulk mode = iota + 1
	incrementing
	timestamp
	timestampIncrementing
)

var modes = map[string]mode{
	"bulk": bulk, "incrementing": incrementing, "timestamp": timestamp, "timestamp+incrementing": timestampIncrementing,
}

func (m mode) incrementing() bool { return m == incrementing || m == timestampIncrementing }
func (m mode) timestamp() bool    { return m == timestamp || m == timestampIncrementing }

// settings is a configuration of the connector or of a task, read once.
type settings struct {
	database  dialect.Config
	isolation string // SQL; empty leaves the database's
	wait      bool   // for a database that cannot be reached (D11)
	attempts  int
	backoff   time.Duration

	mode             mode
	incrementingName string
	timestampNames   []string
	incrementingMap  []mapping
	timestampMap     []mapping
	initial          *int64 // ms; -1 is the database's clock
	nonNull          bool
	delay            int64         // ms
	gapTimeout       time.Duration // 0: late rows are not watched for
	gapEarly         bool          // gaps are closed when nobody is left who could fill them

	query  string // empty in table mode
	masked bool   // the query is a secret (Promise 8)
	suffix string

	filter       filter
	catalog      *string
	schema       *string
	kinds        []string // table.types in upper case
	listInterval time.Duration
	listPatience time.Duration

	prefix       string
	batchRows    int
	pollInterval time.Duration
	schedule     *schedule // wins over pollInterval
	lone         string    // a key about schedules that is set without one
	runHeaders   bool
	primaryKey   bool // makes the records' keys
	retries      int  // failures in a row of a table that fail the task; 0: never
	columns      dialect.ColumnOptions

	tables  string // of a task: quoted names, separated by commas
	fetched bool
}

// readSettings reads a configuration that may be a task's. The errors are
// connect.Error of Kind Config.
func readSettings(m config.Map) (*settings, error) {
	v, err := definition.Parse(m)
	if err != nil {
		return nil, configError(err.Error(), err)
	}
	own, err := ownDefinition.Parse(m)
	if err != nil {
		return nil, configError(err.Error(), err)
	}
	s := &settings{
		database: dialect.Config{
			URL: v.String(keyConnectionURL), User: v.String(keyConnectionUser), Password: v.Password(keyConnectionPassword),
			Properties: driverProperties(m), NoQuotes: strings.EqualFold(v.String(keyQuoteSQLIdentifiers), "never"),
		},
		wait:     own.String(keyConnectionFailure) == "wait" && own.String(keyCompatibility) == "safe",
		attempts: v.Int(keyConnectionAttempts), backoff: ms(v.Long(keyConnectionBackoffMS)),
		mode: modes[v.String(keyMode)], incrementingName: v.String(keyIncrementingColumnName),
		timestampNames: v.List(keyTimestampColumnName), nonNull: v.Bool(keyValidateNonNull), delay: v.Long(keyTimestampDelayIntervalMS),
		query: strings.TrimSpace(v.String(keyQuery)), suffix: strings.TrimSpace(v.String(keyQuerySuffix)),
		kinds: upper(v.List(keyTableTypes)), listInterval: ms(v.Long(keyTablePollIntervalMS)),
		listPatience: ms(v.Long(keyTableMonitoringStartupPollingLimitMS)),
		prefix:       strings.TrimSpace(v.String(keyTopicPrefix)), batchRows: v.Int(keyBatchMaxRows),
		pollInterval: ms(int64(v.Int(keyPollIntervalMS))), retries: max(v.Int(keyQueryRetryAttempts), 0),
	}
	if own.String(keyCompatibility) == "safe" {
		s.gapTimeout = ms(own.Long(keyGapTimeoutMS))
		s.gapEarly = own.Bool(keyGapEarly)
	}
	if masked := strings.TrimSpace(v.Password(keyQueryMasked).Reveal()); masked != "" {
		s.query, s.masked = masked, true
	}
	if i, ok := v.OptLong(keyTimestampInitial); ok {
		s.initial = &i
	}
	if c, ok := v.OptString(keyCatalogPattern); ok {
		s.catalog = &c
	}
	if c, ok := v.OptString(keySchemaPattern); ok {
		s.schema = &c
	}
	if q := v.String(keyQuoteSQLIdentifiers); !equalToOne(q, quoteMethods) {
		return nil, configError("No matching QuoteMethod found for '"+q+"'", nil)
	}
	if s.mode == 0 {
		return nil, configError("Query mode must be specified", nil)
	}
	if s.batchRows < 1 {
		return nil, configError(fmt.Sprintf("batch.max.rows is %d: a batch needs at least 1 row", s.batchRows), nil)
	}
	if err := s.readLists(v); err != nil {
		return nil, err
	}
	if err := s.readSchedule(m, own); err != nil {
		return nil, err
	}
	s.readOwn(own)
	if key, fault := s.ownFault(); key != "" {
		return nil, configError(fault, nil)
	}
	s.isolation = isolationLevel(v.String(keyTransactionIsolationMode))
	s.columns = columnOptions(v)
	s.columns.Native = own.Bool(keyNativeTypes)
	s.tables = m[keyTables]
	s.fetched = strings.EqualFold(m[keyTablesFetched], "true")
	return s, nil
}

func (s *settings) readSchedule(m config.Map, own *config.Values) error {
	expression := strings.TrimSpace(own.String(keyPollSchedule))
	if expression == "" {
		for _, key := range []string{keyPollScheduleZone, keyPollMissed} {
			if _, set := m[key]; set {
				s.lone = key
			}
		}
		return nil
	}
	at, err := parseSchedule(expression, own.String(keyPollScheduleZone))
	if err != nil {
		return configError(fmt.Sprintf("%s is %q: %s", keyPollSchedule, expression, err), err)
	}
	s.schedule = &schedule{cron: at, once: own.String(keyPollMissed) == "once"}
	return nil
}

func (s *settings) readOwn(own *config.Values) {
	s.runHeaders, s.primaryKey = own.Bool(keyBulkRunHeaders), own.String(keyKeyMode) == "primary_key"
}

// readLists reads what selects tables and gives them columns.
func (s *settings) readLists(v *config.Values) error {
	s.filter = filter{whitelist: v.List(keyTableWhitelist), blacklist: v.List(keyTableBlacklist)}
	for _, l := range []struct {
		items []string
		to    *[]*regexp.Regexp
	}{{v.List(keyTableIncludeList), &s.filter.include}, {v.List(keyTableExcludeList), &s.filter.exclude}} {
		for _, item := range l.items {
			re, err := wholeName(item)
			if err != nil {
				return configError(err.Error(), err)
			}
			*l.to = append(*l.to, re)
		}
	}
	for _, l := range []struct {
		items   []string
		several bool
		to      *[]mapping
	}{{v.List(keyIncrementingColumnMapping), false, &s.incrementingMap}, {v.List(keyTimestampColumnsMapping), true, &s.timestampMap}} {
		for _, item := range l.items {
			m, err := parseMapping(item, l.several)
			if err != nil {
				return configError(err.Error(), err)
			}
			*l.to = append(*l.to, m)
		}
	}
	return nil
}

// mapped reports whether columns come from the mapping keys alone.
func (s *settings) mapped() bool { return s.query == "" && len(s.filter.include) > 0 }

// driverProperties are the connection.* keys that this connector does not
// define: they are for the driver, as if they stood in the URL.
func driverProperties(m config.Map) map[string]string {
	p := map[string]string{}
	for name, value := range m.WithPrefix("connection.") {
		if _, known := definition.Lookup("connection." + name); !known {
			p[name] = value
		}
	}
	return p
}

func columnOptions(v *config.Values) dialect.ColumnOptions {
	o := dialect.ColumnOptions{Proleptic: v.String(keyDateCalendarSystem) == "PROLEPTIC_GREGORIAN"}
	o.Zone, _ = dialect.LoadZone(v.String(keyDBTimezone)) // checked by the definition
	for i, name := range granularities {
		if strings.EqualFold(name, v.String(keyTimestampGranularity)) {
			o.Granularity = dialect.Granularity(i)
		}
	}
	for i, name := range numericMappings {
		if strings.EqualFold(name, v.String(keyNumericMapping)) {
			o.Numeric = dialect.NumericMapping(i)
		}
	}
	if _, set := v.OptString(keyNumericMapping); !set && v.Bool(keyNumericPrecisionMapping) {
		o.Numeric = dialect.NumericPrecisionOnly
	}
	return o
}

// isolationLevel returns the SQL of a level. A level that is not known counts
// as the default, as in Java.
func isolationLevel(name string) string {
	for _, level := range isolationModes[1:5] {
		if strings.EqualFold(level, name) {
			return strings.ToUpper(strings.ReplaceAll(level, "_", " "))
		}
	}
	return ""
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func upper(list []string) []string {
	u := make([]string, len(list))
	for i, s := range list {
		u[i] = strings.ToUpper(s)
	}
	return u
}

func equalToOne(s string, values []string) bool {
	for _, v := range values {
		if strings.EqualFold(s, v) {
			return true
		}
	}
	return false
}

func configError(message string, cause error) error {
	if cause != nil && cause.Error() == message {
		cause = nil
	}
	return &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: message, Cause: cause}
}
