package storage

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// statusView is what the status topic says, and what this worker has written
// since. It is pure and not for concurrent use.
type statusView struct {
	connectors map[string]*statusEntry
	tasks      map[string]map[int]*statusEntry
	topics     map[string]map[string]TopicStatus // by connector, then topic
}

// statusEntry is the status of one connector or task.
type statusEntry struct {
	value    Status
	known    bool // a record was read; before, only written
	deleted  bool // a tombstone was read: the entry is in no view any more
	sequence int  // writes of this worker
}

func newStatusView() *statusView {
	return &statusView{
		connectors: map[string]*statusEntry{},
		tasks:      map[string]map[int]*statusEntry{},
		topics:     map[string]map[string]TopicStatus{},
	}
}

// mayOverwrite is the rule of safe writes: a worker that lost a connector or
// task must not overwrite what its new owner said since.
func (e *statusEntry) mayOverwrite(s Status) bool {
	return !e.known || e.value.WorkerID == s.WorkerID || e.value.Generation <= s.Generation
}

func (v *statusView) connectorEntry(name string) *statusEntry {
	e := v.connectors[name]
	if e == nil {
		e = &statusEntry{}
		v.connectors[name] = e
	}
	return e
}

func (v *statusView) taskEntry(name string, task int) *statusEntry {
	tasks := v.tasks[name]
	if tasks == nil {
		tasks = map[int]*statusEntry{}
		v.tasks[name] = tasks
	}
	e := tasks[task]
	if e == nil {
		e = &statusEntry{}
		tasks[task] = e
	}
	return e
}

// apply reads one record. An error says why it was ignored.
func (v *statusView) apply(key string, value []byte) error {
	raw, err := decodeValue(value)
	if err != nil {
		return err
	}
	tombstone := string(raw) == "null"
	if name, ok := strings.CutPrefix(key, statusConnectorPrefix); ok && name != "" {
		if tombstone {
			v.removeConnector(name)
			return nil
		}
		s, err := decodeStatus(raw)
		if err != nil {
			return err
		}
		e := v.connectorEntry(name)
		e.value, e.known = s, true
		return nil
	}
	if rest, ok := strings.CutPrefix(key, statusTaskPrefix); ok {
		name, task, ok := splitTaskKey(rest)
		if !ok || name == "" {
			return errors.New("the key has no connector or task number")
		}
		if tombstone {
			v.removeTask(name, task)
			return nil
		}
		s, err := decodeStatus(raw)
		if err != nil {
			return err
		}
		e := v.taskEntry(name, task)
		// The old owner's last word may come after the new one's first.
		if e.known && s.State == StateUnassigned && e.value.State == StateRunning && s.Generation <= e.value.Generation {
			return nil
		}
		e.value, e.known = s, true
		return nil
	}
	if rest, ok := strings.CutPrefix(key, statusTopicPrefix); ok {
		connector, topic, ok := splitStatusTopicKey(rest)
		if !ok {
			return errors.New("the key has no topic or connector")
		}
		if tombstone {
			v.removeTopic(connector, topic)
			return nil
		}
		t, err := decodeTopicStatus(raw)
		if err != nil {
			return err
		}
		if v.topics[connector] == nil {
			v.topics[connector] = map[string]TopicStatus{}
		}
		v.topics[connector][topic] = t
		return nil
	}
	return errors.New("unknown key")
}

// removeConnector removes a connector's status and its tasks'.
func (v *statusView) removeConnector(name string) {
	if e := v.connectors[name]; e != nil {
		e.deleted = true
		delete(v.connectors, name)
	}
	for _, e := range v.tasks[name] {
		e.deleted = true
	}
	delete(v.tasks, name)
}

func (v *statusView) removeTask(name string, task int) {
	if e := v.tasks[name][task]; e != nil {
		e.deleted = true
		delete(v.tasks[name], task)
	}
	if len(v.tasks[name]) == 0 {
		delete(v.tasks, name)
	}
}

func (v *statusView) removeTopic(connector, topic string) {
	delete(v.topics[connector], topic)
	if len(v.topics[connector]) == 0 {
		delete(v.topics, connector)
	}
}

// names returns the connectors that have a status, or a task that has one.
func (v *statusView) names() []string {
	known := map[string]bool{}
	for name, e := range v.connectors {
		if e.known {
			known[name] = true
		}
	}
	for name, tasks := range v.tasks {
		for _, e := range tasks {
			if e.known {
				known[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(known))
}
