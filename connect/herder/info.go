package herder

import (
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
)

// TargetState is what users ask a connector to be.
type TargetState = storage.TargetState

// The target states.
const (
	Started = storage.Started
	Paused  = storage.Paused
	Stopped = storage.Stopped
)

// TaskID names one task in REST answers.
type TaskID struct {
	Connector string `json:"connector"`
	Task      int    `json:"task"`
}

// ConnectorInfo is the answer about one connector.
type ConnectorInfo struct {
	Name   string     `json:"name"`
	Config config.Raw `json:"config"`
	Tasks  []TaskID   `json:"tasks"`
	Type   string     `json:"type"` // source, sink or unknown
}

// ConnectorState is the connector's part of a status.
type ConnectorState struct {
	State    string  `json:"state"`
	WorkerID string  `json:"worker_id"`
	Version  *string `json:"version"`
	Trace    string  `json:"trace,omitempty"`
}

// TaskState is one task's part of a status.
type TaskState struct {
	ID       int     `json:"id"`
	State    string  `json:"state"`
	WorkerID string  `json:"worker_id"`
	Version  *string `json:"version"`
	Trace    string  `json:"trace,omitempty"`
}

// ConnectorStatus is the status of a connector and its tasks; also the plan
// that a restart answers with.
type ConnectorStatus struct {
	Name      string         `json:"name"`
	Connector ConnectorState `json:"connector"`
	Tasks     []TaskState    `json:"tasks"`
	Type      string         `json:"type"`
}

// TaskInfo is one task with its configuration.
type TaskInfo struct {
	ID     TaskID     `json:"id"`
	Config config.Map `json:"config"`
}

// OffsetEntry is one entry of GET and PATCH offsets. Values are null (nil),
// bool, string, int64 or float64; a nil Offset resets the partition.
type OffsetEntry struct {
	Partition map[string]any `json:"partition"`
	Offset    map[string]any `json:"offset"`
}

// Validation is the answer of PUT /connector-plugins/{p}/config/validate.
type Validation = plugin.Validation

// LoggerLevel is the level of one logger.
type LoggerLevel struct {
	Level        string
	LastModified time.Time // zero: never
}

// Health is what GET /health answers with.
type Health struct {
	Status  string // healthy, starting or unhealthy
	Message string
}

// Plugin is what GET /connector-plugins lists.
type Plugin = connect.Plugin
