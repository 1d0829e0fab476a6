package storage

import (
	"errors"
	"fmt"
	"strings"

	"kconnect/connect/config"
)

// ConfigSnapshot is the content of the config topic up to an offset. It is
// immutable: neither it nor anything it points to may be changed.
type ConfigSnapshot struct {
	// Offset is one more than the offset of the last data record, -1 while
	// there is none. Workers compare it in the group protocol, so transaction
	// markers do not count (spec internal-topics, "Config topic").
	Offset     int64
	Connectors map[string]*Connector
	SessionKey *SessionKey // nil while there is none
}

// Connector is one connector as the config topic has it.
type Connector struct {
	Name   string
	Config config.Raw
	Posted config.Entries // Config in the order of its record
	Target TargetState
	// TaskCount is the count of the last commit, also where Tasks is nil
	// because the connector is inconsistent.
	TaskCount int
	Tasks     []config.Map // by task number
	// Inconsistent: the last commit announced tasks of which records are
	// missing. Nothing runs until the owner has published them again.
	Inconsistent bool
	// Applied is the Config at the time of the last complete commit, nil
	// before it: where it differs, the tasks are out of date.
	Applied    config.Raw
	Generation int // complete commits that carried tasks, less one: -1 before the first
	// PendingFencing: a commit came after the last record of a task count.
	PendingFencing  bool
	TaskCountRecord int // of the last fencing round (exactly-once); -1: none
}

// ChangeKind says what happened to the configuration.
type ChangeKind uint8

// The kinds of changes.
const (
	NoChange           ChangeKind = iota
	ConnectorAdded                // Connector
	ConnectorChanged              // Connector: a record was written, maybe with the same content
	ConnectorRemoved              // Connector
	TasksChanged                  // Connector, Tasks
	TargetChanged                 // Connector
	SessionKeyChanged             // the snapshot has it
	RestartRequested              // Restart
	LoggerLevelChanged            // Logger, Level
)

// Change is what one record did. The kinds say which fields are filled in.
type Change struct {
	Kind      ChangeKind
	Connector string
	Tasks     int // task configurations that the commit carried: 0 when it only changed the count
	Restart   RestartRequest
	Logger    string
	Level     string
}

// ConfigState replays the config topic. It is pure: no clock, no I/O. It is
// not for concurrent use. Restart requests and logger levels are changes like
// the others here; whoever replays a log from the past drops them.
type ConfigState struct {
	offset     int64
	connectors map[string]*connectorState
	sessionKey *SessionKey
}

// connectorState outlives the connector: counts, generation and the need for
// fencing belong to the name, as in Java.
type connectorState struct {
	Connector                    // Target is empty while the topic has none
	exists    bool               // there is a configuration
	deferred  map[int]config.Map // task records since the last commit; nil before the first
	shared    *Connector         // what snapshots hold; nil after a change
}

// NewConfigState returns the state of an empty topic.
func NewConfigState() *ConfigState {
	return &ConfigState{offset: -1, connectors: map[string]*connectorState{}}
}

// Snapshot returns the state as it is now. Unchanged connectors are shared
// with earlier snapshots.
func (s *ConfigState) Snapshot() *ConfigSnapshot {
	snapshot := &ConfigSnapshot{Offset: s.offset, Connectors: make(map[string]*Connector, len(s.connectors)), SessionKey: s.sessionKey}
	for name, c := range s.connectors {
		if !c.exists {
			continue
		}
		if c.shared == nil {
			shared := c.Connector
			c.shared = &shared
		}
		snapshot.Connectors[name] = c.shared
	}
	return snapshot
}

// Apply replays the data record at offset. An error says why the record was
// ignored; the state is good in any case. value is not kept.
func (s *ConfigState) Apply(key string, value []byte, offset int64) (Change, error) {
	raw, err := decodeValue(value)
	if err != nil {
		return Change{}, err // the one case in which the offset stays
	}
	s.offset = offset + 1

	kind, name := splitConfigKey(key)
	if kind == "" {
		return Change{}, errors.New("unknown key")
	}
	var members []member
	tombstone := string(raw) == "null"
	if !tombstone {
		if members, err = decodeObject(raw); err != nil {
			return Change{}, err
		}
	}
	switch kind {
	case connectorPrefix:
		if tombstone {
			return s.removeConnector(name), nil
		}
		return s.applyConnector(name, members)
	case targetStatePrefix:
		if tombstone {
			return s.removeTarget(name), nil
		}
		return s.applyTarget(name, members)
	case commitPrefix:
		return s.applyCommit(name, members)
	}
	if tombstone {
		return Change{}, errors.New("unexpected null")
	}
	switch kind {
	case taskPrefix:
		return Change{}, s.applyTask(name, members)
	case fencingPrefix:
		return Change{}, s.applyTaskCount(name, members)
	case restartPrefix:
		tasks, _ := findBool(members, "include-tasks")
		failed, _ := findBool(members, "only-failed")
		return Change{Kind: RestartRequested, Connector: name, Restart: RestartRequest{Connector: name, IncludeTasks: tasks, OnlyFailed: failed}}, nil
	case sessionKeyKey:
		k, err := decodeSessionKey(members)
		if err != nil {
			return Change{}, err
		}
		s.sessionKey = &k
		return Change{Kind: SessionKeyChanged}, nil
	default: // loggerClusterPrefix
		level, ok := findString(members, "level")
		if !ok {
			return Change{}, errors.New("it has no level")
		}
		return Change{Kind: LoggerLevelChanged, Logger: name, Level: level}, nil
	}
}

// splitConfigKey returns the prefix of a key and what follows it.
func splitConfigKey(key string) (kind, name string) {
	if key == sessionKeyKey {
		return sessionKeyKey, ""
	}
	for _, prefix := range [...]string{targetStatePrefix, connectorPrefix, taskPrefix, commitPrefix, restartPrefix, fencingPrefix, loggerClusterPrefix} {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			return prefix, name
		}
	}
	return "", ""
}

// change returns the named connector's state for writing.
func (s *ConfigState) change(name string) *connectorState {
	c := s.connectors[name]
	if c == nil {
		c = &connectorState{Connector: Connector{Name: name, Generation: -1, TaskCountRecord: -1}}
		s.connectors[name] = c
	}
	c.shared = nil
	return c
}

func (s *ConfigState) applyConnector(name string, members []member) (Change, error) {
	entries, err := decodeProperties(members)
	if err != nil {
		return Change{}, err
	}
	c := s.change(name)
	change := Change{Kind: ConnectorChanged, Connector: name}
	if !c.exists {
		change.Kind = ConnectorAdded
	}
	c.exists, c.Posted, c.Config = true, entries, entries.Raw()
	if c.Target == "" {
		c.Target = Started
	}
	return change, nil
}

func (s *ConfigState) removeConnector(name string) Change {
	c := s.change(name)
	existed := c.exists
	c.drop()
	if !existed {
		return Change{}
	}
	return Change{Kind: ConnectorRemoved, Connector: name}
}

// drop forgets the connector; its target state has a tombstone of its own.
func (c *connectorState) drop() {
	c.exists, c.Posted, c.Config = false, nil, nil
	c.TaskCount, c.Tasks, c.Applied, c.deferred = 0, nil, nil, nil
}

func (s *ConfigState) applyTarget(name string, members []member) (Change, error) {
	text, ok := findString(members, "state.v2")
	if !ok {
		text, ok = findString(members, "state") // before 3.5
	}
	target := TargetState(text)
	if !ok || target != Started && target != Paused && target != Stopped {
		return Change{}, fmt.Errorf("unknown target state %q", text)
	}
	c := s.change(name)
	same := c.Target == target
	c.Target = target
	// The target may be written before a new connector's configuration: then
	// the connector's own record is the news.
	if same || !c.exists {
		return Change{}, nil
	}
	return Change{Kind: TargetChanged, Connector: name}, nil
}

// removeTarget is no news either: the connector's tombstone is.
func (s *ConfigState) removeTarget(name string) Change {
	c := s.change(name)
	c.Target = ""
	if c.exists {
		c.Target = Started
	}
	return Change{}
}

func (s *ConfigState) applyTask(rest string, members []member) error {
	name, task, ok := splitTaskKey(rest)
	if !ok {
		return errors.New("the key has no task number")
	}
	entries, err := decodeProperties(members)
	if err != nil {
		return err
	}
	properties := make(config.Map, len(entries))
	for _, e := range entries {
		if e.Value != nil { // a task cannot tell a null from an absent key
			properties[e.Key] = *e.Value
		}
	}
	c := s.change(name)
	if c.deferred == nil {
		c.deferred = map[int]config.Map{}
	}
	c.deferred[task] = properties
	return nil
}

func (s *ConfigState) applyCommit(name string, members []member) (Change, error) {
	c := s.change(name)
	if !c.exists {
		c.drop() // it was deleted, and compaction removed the records of that
		return Change{}, nil
	}
	n, ok := findInt(members, "tasks")
	if !ok || n < 0 {
		return Change{}, errors.New("it has no number of tasks")
	}
	change := Change{Kind: TasksChanged, Connector: name}
	if tasks, ok := completeTasks(c.deferred, int(n)); ok {
		change.Tasks = len(c.deferred)
		c.Tasks, c.Inconsistent, c.Applied = tasks, false, c.Config
		if c.deferred != nil {
			c.Generation++
		}
	} else {
		c.Tasks, c.Inconsistent = nil, true
	}
	if c.deferred != nil {
		c.deferred = map[int]config.Map{}
	}
	c.TaskCount, c.PendingFencing = int(n), true
	return change, nil
}

// completeTasks returns tasks 0 to n-1 if all of them are there. More are no
// fault: compaction may keep records of a larger, earlier set.
func completeTasks(deferred map[int]config.Map, n int) ([]config.Map, bool) {
	if n > len(deferred) {
		return nil, false
	}
	tasks := make([]config.Map, n)
	for i := range tasks {
		task, ok := deferred[i]
		if !ok {
			return nil, false
		}
		tasks[i] = task
	}
	return tasks, true
}

func (s *ConfigState) applyTaskCount(name string, members []member) error {
	n, ok := findInt(members, "task-count")
	if !ok {
		return errors.New("it has no task-count")
	}
	c := s.change(name)
	c.TaskCountRecord, c.PendingFencing = int(n), false
	return nil
}
