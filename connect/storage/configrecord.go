package storage

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-faster/jx"

	"kconnect/connect/config"
	"kconnect/connect/data"
)

// Keys of the config topic: a prefix and a name, but for the session key.
const (
	targetStatePrefix   = "target-state-"
	connectorPrefix     = "connector-"
	taskPrefix          = "task-"
	commitPrefix        = "commit-"
	restartPrefix       = "restart-connector-"
	fencingPrefix       = "tasks-fencing-"
	sessionKeyKey       = "session-key"
	loggerClusterPrefix = "logger-cluster-"
)

// InHashMapOrder returns a copy of entries in the order of a Java HashMap into
// which they were put in theirs: how the Java worker stores a configuration
// that it merged itself (PATCH), and shows one that it has read back (GET).
func InHashMapOrder(entries config.Entries) config.Entries {
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.Key
	}
	raw := entries.Raw()
	ordered := make(config.Entries, len(entries))
	for i, k := range data.HashMapOrder(keys) {
		ordered[i] = config.Entry{Key: k, Value: raw[k]}
	}
	return ordered
}

// TargetState is what the user wants a connector to do.
type TargetState string

// The target states.
const (
	Started TargetState = "STARTED"
	Paused  TargetState = "PAUSED"
	Stopped TargetState = "STOPPED"
)

// SessionKey signs requests between workers. It is a secret: its text form
// shows none of the key (Promise 8).
type SessionKey struct {
	Key       []byte
	Algorithm string // "HmacSHA256"
	CreatedAt int64  // ms since the epoch
}

// String names the key without showing it.
func (k SessionKey) String() string {
	return fmt.Sprintf("%s key of %d", k.Algorithm, k.CreatedAt)
}

// GoString is String: %#v must not show the key either.
func (k SessionKey) GoString() string { return k.String() }

// RestartRequest asks the workers to restart a connector, its tasks, or those that failed.
type RestartRequest struct {
	Connector    string
	IncludeTasks bool
	OnlyFailed   bool
}

// Impact ranks requests: of several for one connector the highest is carried out.
func (r RestartRequest) Impact() int {
	impact := 0
	if r.IncludeTasks {
		impact++
	}
	if !r.OnlyFailed {
		impact += 2
	}
	return impact
}

func encodeProperties(entries config.Entries) []byte {
	dst := []byte(`{"properties":{`)
	for i, e := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, e.Key), ':')
		if e.Value == nil {
			dst = append(dst, "null"...)
		} else {
			dst = appendString(dst, *e.Value)
		}
	}
	return append(dst, "}}"...)
}

// encodeTaskConfig writes a task's configuration in the order of the HashMap
// that a Java worker has there: filled with the connector's configuration as
// posted, then with what the connector adds, then with the task's class. Keys
// of one bucket keep that order.
func encodeTaskConfig(task config.Map, posted config.Entries) []byte {
	const taskClass = "task.class"
	put := make([]string, 0, len(task))
	connector := make(map[string]bool, len(posted))
	for _, e := range posted {
		if _, ok := task[e.Key]; ok && e.Key != taskClass {
			put = append(put, e.Key)
			connector[e.Key] = true
		}
	}
	for _, k := range task.Keys() {
		if !connector[k] && k != taskClass {
			put = append(put, k)
		}
	}
	if _, ok := task[taskClass]; ok {
		put = append(put, taskClass)
	}
	entries := make(config.Entries, 0, len(task))
	for _, k := range data.HashMapCopyOrder(put) {
		v := task[k]
		entries = append(entries, config.Entry{Key: k, Value: &v})
	}
	return encodeProperties(entries)
}

func encodeTargetState(s TargetState) []byte {
	v1 := s
	if s == Stopped {
		v1 = Paused // workers before 3.5 know no STOPPED
	}
	return fmt.Appendf(nil, `{"state":"%s","state.v2":"%s"}`, v1, s)
}

func encodeCommit(tasks int) []byte {
	return fmt.Appendf(nil, `{"tasks":%d}`, tasks)
}

func encodeSessionKey(k SessionKey) []byte {
	dst := appendString([]byte(`{"key":`), base64.StdEncoding.EncodeToString(k.Key))
	dst = append(dst, `,"algorithm":`...)
	dst = appendString(dst, k.Algorithm)
	return fmt.Appendf(dst, `,"creation-timestamp":%d}`, k.CreatedAt)
}

func encodeRestart(r RestartRequest) []byte {
	return fmt.Appendf(nil, `{"include-tasks":%t,"only-failed":%t}`, r.IncludeTasks, r.OnlyFailed)
}

func encodeLoggerLevel(level string) []byte {
	return append(appendString([]byte(`{"level":`), level), '}')
}

// decodeProperties reads the entries of a connector or task record.
func decodeProperties(members []member) (config.Entries, error) {
	raw := find(members, "properties")
	if raw == nil {
		return nil, fmt.Errorf(`it has no "properties"`)
	}
	properties, err := decodeObject(raw)
	if err != nil {
		return nil, fmt.Errorf("properties: %w", err)
	}
	entries := make(config.Entries, 0, len(properties))
	for _, p := range properties {
		e := config.Entry{Key: p.name}
		switch p.value.Type() {
		case jx.Null:
		case jx.String:
			s, err := jx.DecodeBytes(p.value).Str()
			if err != nil {
				return nil, fmt.Errorf("property %s: %w", p.name, err)
			}
			e.Value = &s
		case jx.Number, jx.Bool:
			s := string(p.value) // no worker writes it, but its text is plain
			e.Value = &s
		default:
			return nil, fmt.Errorf("property %s is an %s, not a text", p.name, p.value.Type())
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func decodeSessionKey(members []member) (SessionKey, error) {
	text, ok1 := findString(members, "key")
	algorithm, ok2 := findString(members, "algorithm")
	created, ok3 := findInt(members, "creation-timestamp")
	if !ok1 || !ok2 || !ok3 {
		return SessionKey{}, fmt.Errorf("it must have texts key and algorithm and a whole creation-timestamp")
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return SessionKey{}, fmt.Errorf("its key is not base64")
	}
	return SessionKey{Key: key, Algorithm: algorithm, CreatedAt: created}, nil
}

// splitTaskKey cuts "n-3" into connector n and task 3; names may hold dashes.
func splitTaskKey(rest string) (connector string, task int, ok bool) {
	dash := strings.LastIndexByte(rest, '-')
	if dash < 0 {
		return "", 0, false
	}
	task, err := strconv.Atoi(rest[dash+1:])
	if err != nil || task < 0 {
		return "", 0, false
	}
	return rest[:dash], task, true
}

func taskKey(connector string, task int) string {
	return taskPrefix + connector + "-" + strconv.Itoa(task)
}
