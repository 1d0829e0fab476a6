package sink

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

// Plugins returns the sink connector.
func Plugins() []connect.Plugin {
	return []connect.Plugin{{
		Class:     "io.confluent.connect.jdbc.JdbcSinkConnector",
		Kind:      connect.SinkPlugin,
		Version:   "10.10.0",
		TaskClass: "io.confluent.connect.jdbc.sink.JdbcSinkTask",
		Def:       Definition(),
		Own:       ownDefinition,
		New:       func() any { return &Connector{} },
		NewTask:   func() any { return &Task{} },
		Metrics:   metricDefs(),
	}}
}

// Connector plans the tasks of a sink: as many as are allowed, all alike,
// because Kafka's consumer group shares the partitions among them.
type Connector struct{ config config.Map }

var (
	_ connect.Connector       = (*Connector)(nil)
	_ connect.ConfigValidator = (*Connector)(nil)
)

// Start implements connect.Connector.
func (c *Connector) Start(_ context.Context, env *connect.ConnectorEnv) error {
	if _, err := taskSettings(env.Connector, env.Config); err != nil {
		return connect.NewError("Couldn't start JdbcSinkConnector due to configuration error", err)
	}
	c.config = env.Config
	return nil
}

// TaskConfigs implements connect.Connector.
func (c *Connector) TaskConfigs(_ context.Context, maxTasks int) ([]config.Map, error) {
	configs := make([]config.Map, maxTasks)
	for i := range configs {
		configs[i] = c.config.Clone()
	}
	return configs, nil
}

// Stop implements connect.Connector.
func (c *Connector) Stop(context.Context) error { return nil }

// ValidateConfig implements connect.ConfigValidator. Each step runs only when
// the ones before it found nothing: keys alone, keys together, a connection.
func (c *Connector) ValidateConfig(ctx context.Context, m config.Map, results []config.Result) []config.Result {
	if faulty(results) {
		return results
	}
	s, err := newSettings(m["name"], m)
	if err != nil {
		return note(results, couldNotConnect(err), keyURL)
	}
	for _, c := range s.conflicts() {
		results = note(results, c.message, c.keys...)
	}
	if faulty(results) {
		return results
	}
	if err := try(ctx, s); err != nil {
		results = note(results, couldNotConnect(err), keyURL)
	}
	return results
}

func couldNotConnect(err error) string { return "Could not connect to database. " + err.Error() }

func faulty(results []config.Result) bool {
	for i := range results {
		if len(results[i].Errors) > 0 {
			return true
		}
	}
	return false
}

// note adds an error to keys.
func note(results []config.Result, message string, keys ...string) []config.Result {
	for _, key := range keys {
		for i := range results {
			if results[i].Key.Name == key {
				results[i].Errors = append(results[i].Errors, message)
			}
		}
	}
	return results
}

// try opens one connection and closes it, in connection.attempts attempts as
// long as the database is merely away.
func try(ctx context.Context, s *settings) error {
	db, target, err := open(s)
	if err != nil {
		return err
	}
	if s.load {
		l, err := dialect.NewLoader(target)
		if err != nil {
			return fmt.Errorf("%s: %w", keyLoad, err)
		}
		l.Close()
	}
	for left := s.connectAttempts; ; left-- {
		conn, err := db.Connect(ctx)
		if err == nil {
			return conn.Close()
		}
		if left <= 1 || !db.Classify(err).Surroundings() {
			return fmt.Errorf("%w: %s", err, target.Remedy(err))
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(s.connectBackoff):
		}
	}
}

// open prepares the way to the database and refuses what is not there yet (Promise 9).
func open(s *settings) (*dialect.Database, dialect.Target, error) {
	db, err := dialect.Open(s.database)
	if err != nil {
		return nil, nil, err
	}
	if s.dialect != "" && !strings.EqualFold(s.dialect, db.Name()) {
		return nil, nil, fmt.Errorf("dialect.name is %s, but connection.url leads to %s: leave dialect.name out", s.dialect, db.Name())
	}
	t, err := dialect.TargetOf(db.Dialect)
	if err != nil {
		return nil, nil, err
	}
	return db, t, nil
}
