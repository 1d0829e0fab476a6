package source

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

// ValidateConfig goes on where the definition's own checks end, in the steps of
// the Java connector: the first that finds a fault is the last (spec
// jdbc-source, "Validation").
func (c *Connector) ValidateConfig(ctx context.Context, m config.Map, results []config.Result) []config.Result {
	v := &validation{m: m, results: results}
	if v.mode(); v.failed() {
		return v.results
	}
	for _, step := range []func(){v.isolation, v.tables, v.queries, v.queryColumn, v.own, func() { v.connection(ctx) }, v.mappings} {
		if step(); v.failed() {
			break
		}
	}
	return v.results
}

// validation is one call of ValidateConfig.
type validation struct {
	m       config.Map
	results []config.Result
}

// failed reports whether a key of the connector or of the worker has an error.
func (v *validation) failed() bool {
	for i := range v.results {
		if len(v.results[i].Errors) > 0 {
			return true
		}
	}
	return false
}

func (v *validation) fault(message string, keys ...string) {
	for _, key := range keys {
		for i := range v.results {
			if v.results[i].Key.Name == key {
				v.results[i].Errors = append(v.results[i].Errors, message)
			}
		}
	}
}

// mode puts the fault of a missing or unknown mode to every key that depends on it.
func (v *validation) mode() {
	name := v.text(keyMode)
	if _, ok := modes[name]; ok {
		return
	}
	message := "Query mode must be specified"
	if name != "" {
		message = "Invalid mode: " + name
	}
	v.fault(message, keyIncrementingColumnName, keyTimestampColumnName, keyTimestampColumnsMapping,
		keyIncrementingColumnMapping, keyTimestampInitial, keyValidateNonNull)
}

func (v *validation) text(key string) string { return strings.TrimSpace(v.m[key]) }
func (v *validation) set(key string) bool    { return v.text(key) != "" }

func (v *validation) any(keys ...string) bool {
	for _, k := range keys {
		if v.set(k) {
			return true
		}
	}
	return false
}

func (v *validation) isolation() {
	if strings.EqualFold(v.text(keyTransactionIsolationMode), "SQL_SERVER_SNAPSHOT") {
		v.fault("Isolation mode of `SQL_SERVER_SNAPSHOT` can only be configured with a Sql Server Dialect", keyTransactionIsolationMode)
	}
}

var (
	legacyKeys = []string{keyTableWhitelist, keyTableBlacklist, keyTimestampColumnName, keyIncrementingColumnName}
	regexKeys  = []string{keyTableIncludeList, keyTableExcludeList, keyTimestampColumnsMapping, keyIncrementingColumnMapping}
	listKeys   = []string{keyTableWhitelist, keyTableBlacklist, keyTableIncludeList, keyTableExcludeList}
)

func (v *validation) hasQuery() bool { return v.any(keyQuery, keyQueryMasked) }

func (v *validation) tables() {
	legacy, regex := v.any(legacyKeys...), v.any(regexKeys...)
	switch {
	case legacy && regex:
		v.fault(fmt.Sprintf("Tables are selected either by exact names (%s) or by regular expressions (%s): remove the keys of one of the two",
			strings.Join(legacyKeys, ", "), strings.Join(regexKeys, ", ")), v.given(append(legacyKeys[:4:4], regexKeys...)...)...)
	case !legacy && !regex && !v.hasQuery():
		v.fault("At least one table filtering configuration is required. Provide one of: table.whitelist, table.blacklist, table.include.list, or table.exclude.list.", listKeys...)
	}
}

func (v *validation) given(keys ...string) []string {
	var given []string
	for _, k := range keys {
		if v.set(k) {
			given = append(given, k)
		}
	}
	return given
}

// selectStatement is a text whose first word is SELECT, also where a star or a
// parenthesis follows without a blank.
var selectStatement = regexp.MustCompile(`(?i)^SELECT\b`)

func (v *validation) queries() {
	if !v.hasQuery() {
		return
	}
	if v.set(keyQuery) && v.set(keyQueryMasked) {
		v.fault("Both 'query' and 'query.masked' configs cannot be set at the same time. Please use only one of them.", keyQuery, keyQueryMasked)
		return
	}
	if lists := v.given(listKeys...); len(lists) > 0 {
		v.fault("Do not specify table filtering configs with 'query'. Remove table.whitelist / table.blacklist / table.include.list / table.exclude.list"+
			" when using query mode or 'query' when using table filtering mode.", append(lists, keyQuery, keyQueryMasked)...)
		return
	}
	for _, key := range v.given(keyQuery, keyQueryMasked) {
		if !selectStatement.MatchString(v.text(key)) {
			v.fault(fmt.Sprintf("Only SELECT statements are supported for '%s'. Please provide a statement that starts with SELECT.", key), key)
		}
	}
}

func (v *validation) queryColumn() {
	if v.hasQuery() && modes[v.text(keyMode)].incrementing() && !v.set(keyIncrementingColumnName) {
		v.fault("'incrementing.column.name' must be provided when using mode 'incrementing' or 'timestamp+incrementing' with a custom query."+
			" The incrementing column cannot be auto-discovered in query mode because there is no table to inspect."+
			" Note that 'incrementing.column.mapping' is not applied in query mode (it maps columns by table-name regex, and a custom query has no underlying table to match),"+
			" so 'incrementing.column.name' must be set explicitly.", keyIncrementingColumnName)
	}
}

// own looks at what keys of our own ask for together with others.
func (v *validation) own() {
	own, err := ownDefinition.Parse(v.m)
	if err != nil {
		return // the worker tells of it
	}
	s := settings{mode: modes[v.text(keyMode)], query: v.text(keyQuery) + v.text(keyQueryMasked)}
	if err := s.readSchedule(v.m, own); err != nil {
		v.fault(err.Error(), keyPollSchedule)
		return
	}
	s.readOwn(own)
	if key, message := s.ownFault(); key != "" {
		v.fault(message, key)
	}
}

// validationTimeout bounds the look at a database, so that a request is
// answered even when nothing else is.
const validationTimeout = 20 * time.Second

// connection tries to connect, and has SQLite look at the query. MariaDB is not
// asked, because Java's driver does not ask it either: there a faulty query is
// accepted and fails its task.
func (v *validation) connection(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, validationTimeout)
	defer cancel()
	s, err := readSettings(v.m)
	if err != nil {
		v.fault("Could not connect to database. "+err.Error(), keyConnectionURL)
		return
	}
	db, err := openDatabase(s, v.m[keyDialectName])
	if err != nil {
		v.fault("Could not connect to database. "+err.Error(), keyConnectionURL)
		return
	}
	c, err := db.Connect(ctx)
	if err != nil {
		v.fault("Could not connect to database. "+err.Error(), keyConnectionURL)
		return
	}
	defer func() { _ = c.Close() }() // nothing was written on it
	if s.query == "" || db.Name() == dialect.MySQLName {
		return
	}
	if err := prepareQuery(ctx, c, s); err != nil {
		key := keyQuery
		if s.masked {
			key, err = keyQueryMasked, errors.New("the database refuses it (why is hidden, as the query is)")
		}
		v.fault("Invalid query: "+err.Error(), key)
	}
}

// prepareQuery lets the database read the statement of the first round. What is
// wrong for now is no fault of the configuration.
func prepareQuery(ctx context.Context, c *dialect.Conn, s *settings) error {
	stmt, err := c.Prepare(ctx, s.query)
	if err != nil {
		if c.Classify(err).Surroundings() {
			return nil
		}
		return err
	}
	return stmt.Close()
}

func (v *validation) mappings() {
	if v.set(keyTableExcludeList) && !v.set(keyTableIncludeList) {
		v.fault("table.exclude.list cannot be used without table.include.list. Exclude list only applies to tables that match the include list.", keyTableExcludeList)
		return
	}
	if !v.any(regexKeys...) {
		return
	}
	m := modes[v.text(keyMode)]
	for _, side := range []struct {
		what, mode, key string
		needed          bool
	}{
		{"Timestamp", "timestamp", keyTimestampColumnsMapping, m.timestamp()},
		{"Incrementing", "incrementing", keyIncrementingColumnMapping, m.incrementing()},
	} {
		modeNames := fmt.Sprintf("'%s' or 'timestamp+incrementing'", side.mode)
		switch {
		case side.needed && !v.set(side.key):
			v.fault(fmt.Sprintf("%s column configuration must be provided when using mode %s. Provide '%s'.", side.what, modeNames, side.key), keyMode)
		case !side.needed && v.set(side.key):
			v.fault(fmt.Sprintf("%s column configurations should not be provided if mode is not %s. Remove '%s'.", side.what, modeNames, side.key), keyMode)
		}
	}
}
