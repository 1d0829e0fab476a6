package source

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

// The Java names under which configurations know the connector.
const (
	connectorClass = "io.confluent.connect.jdbc.JdbcSourceConnector"
	taskClass      = "io.confluent.connect.jdbc.source.JdbcSourceTask"
	version        = "10.10.0" // of the Java connector whose behaviour this is
)

// Plugins returns the connector for the registry. The connectors that it makes
// share their looks at databases' catalogues.
func Plugins() []connect.Plugin {
	shared := new(catalogs)
	return []connect.Plugin{{
		Class: connectorClass, Kind: connect.SourcePlugin, Version: version, TaskClass: taskClass, Def: definition, Own: ownDefinition,
		New:     func() any { return &Connector{catalogs: shared} },
		NewTask: func() any { return new(Task) },
		Metrics: []connect.MetricDef{connectionsMetric, queriesMetric, gapsMetric, givenUpMetric, closedMetric, lateMetric,
			rowsMetric, bytesMetric, readingMetric, rowsBehindMetric, secondsBehindMetric},
	}}
}

// Connector lists the tables and deals them out to tasks. In table mode one
// goroutine, started by Start and ended by Stop, looks at the list again and
// again and asks for new tasks when it changed.
type Connector struct {
	catalogs *catalogs

	env    *connect.ConnectorEnv
	s      *settings
	db     *dialect.Database
	cancel context.CancelFunc
	ended  chan struct{}
	listed chan struct{} // closed when there is a first list

	mu     sync.Mutex // guards what follows
	known  bool       // there was a list
	idle   bool       // a task idles because there was none
	tables []dialect.TableID
}

// Start begins to list tables. It connects to nothing itself.
func (c *Connector) Start(ctx context.Context, env *connect.ConnectorEnv) error {
	s, err := readSettings(env.Config)
	if err != nil {
		return err
	}
	if c.db, err = openDatabase(s, env.Config[keyDialectName]); err != nil {
		return err
	}
	c.env, c.s = env, s
	c.listed, c.ended = make(chan struct{}), make(chan struct{})
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	if s.query != "" {
		close(c.ended)
		return nil
	}
	go func() {
		defer close(c.ended)
		c.monitor(life)
	}()
	return nil
}

// Stop ends the monitor and waits for it.
func (c *Connector) Stop(ctx context.Context) error {
	if c.cancel == nil {
		return nil
	}
	c.cancel()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TaskConfigs deals the tables out. The first list is waited for, up to
// table.monitoring.startup.polling.limit.ms; until it is there one task idles.
func (c *Connector) TaskConfigs(ctx context.Context, maxTasks int) ([]config.Map, error) {
	if c.s.query != "" {
		return []config.Map{c.taskConfig(nil, true)}, nil
	}
	timer := time.NewTimer(c.s.listPatience)
	defer timer.Stop()
	select {
	case <-c.listed:
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.tables) == 0 {
		c.idle = !c.known
		return []config.Map{c.taskConfig(nil, c.known)}, nil
	}
	var configs []config.Map
	for _, group := range deal(c.tables, maxTasks) {
		configs = append(configs, c.taskConfig(group, true))
	}
	return configs, nil
}

func (c *Connector) taskConfig(tables []dialect.TableID, fetched bool) config.Map {
	names := make([]string, len(tables))
	for i, id := range tables {
		names[i] = id.Quoted(c.db)
	}
	m := c.env.Config.Clone()
	m[keyTables] = strings.Join(names, ",")
	m[keyTablesFetched] = "false"
	if fetched {
		m[keyTablesFetched] = "true"
	}
	return m
}

// monitor lists tables every table.poll.interval.ms. A database that cannot be
// reached is waited for like in tasks.
func (c *Connector) monitor(ctx context.Context) {
	l := link{db: c.db, s: c.s, env: &c.env.Env}
	defer func() { _ = l.close() }() // nothing was written on it
	shared := c.catalogs.join(c.s)
	defer c.catalogs.leave(shared)
	ask := func(ctx context.Context) ([]dialect.TableID, error) {
		conn, err := l.connect(ctx)
		if err != nil {
			return nil, err
		}
		return conn.Tables(ctx, conn, c.s.catalog, c.s.schema, c.s.kinds)
	}
	seen := 0
	for {
		list, mine := shared.tables(ctx, c.env.Now, seen, ask)
		if ctx.Err() != nil {
			return
		}
		seen = list.number
		// The next look counts from when this list was read, by whomever: so the
		// connectors of a database come to look together.
		pause := c.s.listInterval - c.env.Now().Sub(list.began)
		err := list.err
		if !mine {
			l.drop(true) // one connection is enough for all
			err = l.share(err)
		}
		if err == nil {
			l.works()
			err = c.take(list.tables)
		}
		if err != nil {
			if err = c.weigh(&l, err); err != nil {
				c.env.Fail(err)
				return
			}
			if wait := l.retryAt.Sub(c.env.Now()); wait > 0 {
				pause = wait
			}
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// weigh returns the error when it fails the connector.
func (c *Connector) weigh(l *link, err error) error {
	var failed *linkError
	if errors.As(err, &failed) {
		return failed.final
	}
	var own *connect.Error
	if errors.As(err, &own) {
		return err
	}
	class := c.db.Classify(err)
	if class == dialect.Permission {
		return sqlError("listing tables failed", err)
	}
	l.drop(true)
	if class.Surroundings() {
		l.wait(err)
		return nil
	}
	c.env.Logger.Warn("listing tables failed, it is tried again", zap.Duration("pause", c.s.listInterval), zap.Error(err))
	return nil
}

// take goes on with a list of all tables.
func (c *Connector) take(all []dialect.TableID) error {
	tables := selectTables(all, c.db, c.s)
	if err := checkNames(tables); err != nil {
		return err
	}
	c.mu.Lock()
	first, again := !c.known, c.idle
	again = again || !first && !slices.Equal(c.tables, tables)
	c.known, c.idle, c.tables = true, false, tables
	c.mu.Unlock()
	if first {
		close(c.listed)
	}
	if again {
		c.env.Logger.Info("the list of tables changed, tasks are dealt out again", zap.Int("tables", len(tables)))
		c.env.Reconfigure()
	}
	return nil
}
