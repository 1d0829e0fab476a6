package storage

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-faster/jx"
)

// Keys of the status topic.
const (
	statusConnectorPrefix = "status-connector-"
	statusTaskPrefix      = "status-task-"
	statusTopicPrefix     = "status-topic-"
	statusTopicInfix      = ":connector-" // a topic's name cannot hold the colon
)

// State is what a connector or task is doing.
type State string

// The states. Stopped is one of connectors only; a deleted one has no status.
const (
	StateUnassigned State = "UNASSIGNED"
	StateRunning    State = "RUNNING"
	StatePaused     State = "PAUSED"
	StateFailed     State = "FAILED"
	StateRestarting State = "RESTARTING"
	StateStopped    State = "STOPPED"
)

// Status is the status of a connector or task.
type Status struct {
	State      State
	Trace      string // empty: null
	WorkerID   string // the worker's advertised host:port
	Generation int32  // of the group, at the last completed rebalance
	Version    string // of the plugin, empty: null. Records of workers before 4.1 have none
}

// TopicStatus says that a connector has used a topic.
type TopicStatus struct {
	Topic      string
	Connector  string
	Task       int
	Discovered int64 // ms since the epoch
}

func encodeStatus(s Status) []byte {
	dst := appendString([]byte(`{"state":`), string(s.State))
	dst = appendNullable(append(dst, `,"trace":`...), s.Trace)
	dst = appendString(append(dst, `,"worker_id":`...), s.WorkerID)
	dst = fmt.Appendf(dst, `,"generation":%d,"version":`, s.Generation)
	return append(appendNullable(dst, s.Version), '}')
}

func appendNullable(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendString(dst, s)
}

func encodeTopicStatus(t TopicStatus) []byte {
	dst := appendString([]byte(`{"topic":{"name":`), t.Topic)
	dst = appendString(append(dst, `,"connector":`...), t.Connector)
	return fmt.Appendf(dst, `,"task":%d,"discoverTimestamp":%d}}`, t.Task, t.Discovered)
}

func decodeStatus(raw jx.Raw) (Status, error) {
	members, err := decodeObject(raw)
	if err != nil {
		return Status{}, err
	}
	state, ok1 := findString(members, "state")
	worker, ok2 := findString(members, "worker_id")
	generation, ok3 := findInt(members, "generation")
	if !ok1 || !ok2 || !ok3 {
		return Status{}, fmt.Errorf("it must have texts state and worker_id and a whole generation")
	}
	s := Status{State: State(state), WorkerID: worker, Generation: int32(generation)}
	switch s.State {
	case StateUnassigned, StateRunning, StatePaused, StateFailed, StateRestarting, StateStopped:
	default:
		return Status{}, fmt.Errorf("unknown state %q", state)
	}
	s.Trace, _ = findString(members, "trace")
	s.Version, _ = findString(members, "version")
	return s, nil
}

func decodeTopicStatus(raw jx.Raw) (TopicStatus, error) {
	outer, err := decodeObject(raw)
	if err != nil {
		return TopicStatus{}, err
	}
	inner := find(outer, "topic")
	if inner == nil {
		return TopicStatus{}, fmt.Errorf("it has no topic")
	}
	members, err := decodeObject(inner)
	if err != nil {
		return TopicStatus{}, err
	}
	topic, ok1 := findString(members, "name")
	connector, ok2 := findString(members, "connector")
	task, ok3 := findInt(members, "task")
	discovered, ok4 := findInt(members, "discoverTimestamp")
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return TopicStatus{}, fmt.Errorf("it must have texts name and connector, and whole task and discoverTimestamp")
	}
	return TopicStatus{Topic: topic, Connector: connector, Task: int(task), Discovered: discovered}, nil
}

func statusConnectorKey(connector string) string { return statusConnectorPrefix + connector }

func statusTaskKey(connector string, task int) string {
	return statusTaskPrefix + connector + "-" + strconv.Itoa(task)
}

func statusTopicKey(connector, topic string) string {
	return statusTopicPrefix + topic + statusTopicInfix + connector
}

// splitStatusTopicKey cuts "topic:connector-n".
func splitStatusTopicKey(rest string) (connector, topic string, ok bool) {
	topic, connector, ok = strings.Cut(rest, statusTopicInfix)
	return connector, topic, ok && topic != "" && connector != "" && !strings.Contains(topic, ":")
}
