package storage

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
)

// writeTimeout bounds a write and the reads that go with it, as the Java
// worker's READ_WRITE_TOTAL_TIMEOUT.
const writeTimeout = 30 * time.Second

// Configs is the config topic. All methods but Run and Close may be called
// concurrently; the sequences of records that belong together (PutTaskConfigs,
// StopConnector) are for the leader alone.
type Configs struct {
	log      Log
	logger   *zap.Logger
	state    *ConfigState // the goroutine that polls
	running  bool         // likewise: the topic was read to its end once
	snapshot atomic.Pointer[ConfigSnapshot]
	listen   func(Change)
}

// OpenConfigs creates the topic if it is absent (with one partition, whatever
// cfg says) and replays it to the end.
//
// listen is called from Run, in the order of the records, with each change
// since; what was replayed before is in the snapshot only. When listen is
// called, Snapshot is as new as the change or newer. listen must neither wait
// for this store nor for anybody who does.
func OpenConfigs(ctx context.Context, cfg LogConfig, listen func(Change)) (*Configs, error) {
	cfg.Topic.Partitions = 1
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	c := &Configs{logger: cfg.Logger, state: NewConfigState(), listen: listen}
	c.snapshot.Store(c.state.Snapshot())
	log, err := OpenTopicLog(ctx, cfg, c.handle)
	if err != nil {
		return nil, err
	}
	if n := log.Partitions(); n != 1 {
		log.Close()
		return nil, &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: fmt.Sprintf(
			"topic '%s' of '%s' is required to have a single partition, since the order of its records counts, but has %d: name another topic", cfg.Topic.Name, cfg.Topic.Property, n)}
	}
	c.log, c.running = log, true
	return c, nil
}

// MemoryConfigs returns the configurations of a worker by itself, which are
// lost with it. listen is as for [OpenConfigs].
func MemoryConfigs(logger *zap.Logger, listen func(Change)) *Configs {
	c := &Configs{logger: logger, state: NewConfigState(), running: true, listen: listen}
	c.snapshot.Store(c.state.Snapshot())
	c.log = NewMemoryLog(c.handle)
	return c
}

// Run tails the topic until ctx ends.
func (c *Configs) Run(ctx context.Context) error { return c.log.Run(ctx) }

// Close closes the connections. Call it after Run has returned.
func (c *Configs) Close() { c.log.Close() }

// Snapshot returns the newest state. It never waits.
func (c *Configs) Snapshot() *ConfigSnapshot { return c.snapshot.Load() }

// Refresh waits until Snapshot has everything that was written before the call.
func (c *Configs) Refresh(ctx context.Context) error { return c.log.ReadToEnd(ctx) }

func (c *Configs) handle(records []*kgo.Record) {
	var changes []Change
	for _, r := range records {
		change, err := c.state.Apply(string(r.Key), r.Value, r.Offset)
		if err != nil {
			c.logger.Error("ignoring a record of the config topic", zap.ByteString("key", r.Key), zap.Int64("offset", r.Offset), zap.Error(err))
		}
		// A restart or a log level of the past must not be carried out again,
		// so nothing is told while the past is replayed.
		if change.Kind != NoChange && c.running {
			changes = append(changes, change)
		}
	}
	c.snapshot.Store(c.state.Snapshot())
	for _, change := range changes {
		c.listen(change)
	}
}

// PutConnector writes a connector's configuration in the order of entries,
// after its target state when initial is not empty, and waits until it is read
// back. A missing "name" is appended, as the Java worker does.
func (c *Configs) PutConnector(ctx context.Context, name string, entries config.Entries, initial TargetState) error {
	named := false
	for _, e := range entries {
		named = named || e.Key == "name"
	}
	if !named {
		entries = entries.Set("name", name)
	}
	var records []*kgo.Record
	if initial != "" {
		records = append(records, record(targetStatePrefix+name, encodeTargetState(initial)))
	}
	records = append(records, record(connectorPrefix+name, encodeProperties(entries)))
	return c.put(ctx, "configuration of connector "+name, records...)
}

// RemoveConnector deletes a connector's configuration and target state and
// waits until that is read back.
func (c *Configs) RemoveConnector(ctx context.Context, name string) error {
	return c.put(ctx, "removal of connector "+name, record(connectorPrefix+name, nil), record(targetStatePrefix+name, nil))
}

// PutTaskConfigs writes the configurations of all tasks of a connector, then
// the commit that makes them count, and waits until that is read back.
func (c *Configs) PutTaskConfigs(ctx context.Context, name string, tasks []config.Map) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	what := "task configurations of connector " + name
	// Nothing of another writer may lie between the tasks and their commit
	// unseen.
	if err := c.log.ReadToEnd(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if len(tasks) > 0 {
		var posted config.Entries
		if connector := c.Snapshot().Connectors[name]; connector != nil {
			posted = connector.Posted
		}
		records := make([]*kgo.Record, len(tasks))
		for i, task := range tasks {
			records[i] = record(taskKey(name, i), encodeTaskConfig(task, posted))
		}
		if err := c.put(ctx, what, records...); err != nil {
			return err
		}
	}
	return c.put(ctx, what, record(commitPrefix+name, encodeCommit(len(tasks))))
}

// PutTargetState writes what a connector is to do. Any worker may; it is not
// waited for to be read back.
func (c *Configs) PutTargetState(ctx context.Context, name string, target TargetState) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := c.log.Append(ctx, record(targetStatePrefix+name, encodeTargetState(target))); err != nil {
		return fmt.Errorf("target state of connector %s: %w", name, err)
	}
	return nil
}

// StopConnector takes a connector's tasks away and writes that it is to be stopped.
func (c *Configs) StopConnector(ctx context.Context, name string) error {
	if err := c.PutTaskConfigs(ctx, name, nil); err != nil {
		return err
	}
	return c.PutTargetState(ctx, name, Stopped)
}

// PutSessionKey writes the key that signs requests between workers and waits
// until it is read back.
func (c *Configs) PutSessionKey(ctx context.Context, key SessionKey) error {
	return c.put(ctx, "session key", record(sessionKeyKey, encodeSessionKey(key)))
}

// PutRestartRequest writes the request to all workers and waits until it is read back.
func (c *Configs) PutRestartRequest(ctx context.Context, r RestartRequest) error {
	return c.put(ctx, "restart of connector "+r.Connector, record(restartPrefix+r.Connector, encodeRestart(r)))
}

// PutLoggerLevel tells all workers to change a logger's level and waits until
// it is read back.
func (c *Configs) PutLoggerLevel(ctx context.Context, logger, level string) error {
	return c.put(ctx, "level of logger "+logger, record(loggerClusterPrefix+logger, encodeLoggerLevel(level)))
}

// put appends records and waits until they are read back.
func (c *Configs) put(ctx context.Context, what string, records ...*kgo.Record) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := c.log.Append(ctx, records...)
	if err == nil {
		err = c.log.ReadToEnd(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func record(key string, value []byte) *kgo.Record {
	return &kgo.Record{Key: []byte(key), Value: value}
}
