package rest

import (
	"context"

	"kconnect/connect/config"
	"kconnect/connect/herder"
)

// Herder is what the API needs of the worker. All methods may be called by
// several goroutines at once; those without a context answer from a snapshot
// and do not wait.
//
// Errors choose the status code by their type (package herder): NotFoundError
// 404, BadRequestError 400, ForbiddenError 403, ConflictError 409,
// UnavailableError 503, any other 500 with its text. ElsewhereError has the
// request forwarded to another worker. The interface is a seam for tests.
type Herder interface {
	// Ready tells whether start-up has come so far that requests make sense.
	// Until then every path but /health and /metrics is a bare 404.
	Ready() bool
	Health(ctx context.Context) herder.Health
	ClusterID() string

	Connectors() []string
	Info(name string) (herder.ConnectorInfo, error)
	Config(name string) (config.Raw, error)
	Status(name string) (herder.ConnectorStatus, error)
	TaskStatus(name string, task int) (herder.TaskState, error)
	Tasks(name string) ([]herder.TaskInfo, error)

	// Topics answers for connectors that do not exist, too, with none.
	Topics(name string) ([]string, error)
	ResetTopics(ctx context.Context, name string) error

	// PutConfig creates the connector, or with replace writes its configuration
	// anew. cfg has the entry name, equal to name, and keeps posted nulls.
	// initial is nil when the request does not say.
	PutConfig(ctx context.Context, name string, cfg config.Entries, replace bool, initial *herder.TargetState) (info herder.ConnectorInfo, created bool, err error)
	// PatchConfig sets the keys of patch and removes those with a null.
	PatchConfig(ctx context.Context, name string, patch config.Entries) (herder.ConnectorInfo, error)
	Delete(ctx context.Context, name string) error

	// Restart returns the plan of a restart of several parts, and nil for a
	// plain restart of the connector alone, which is over when it returns.
	Restart(ctx context.Context, name string, includeTasks, onlyFailed bool) (*herder.ConnectorStatus, error)
	RestartTask(ctx context.Context, name string, task int) error
	SetTarget(ctx context.Context, name string, target herder.TargetState) error

	Offsets(ctx context.Context, name string) ([]herder.OffsetEntry, error)
	// AlterOffsets gets at least one change; its values are as OffsetEntry says,
	// and in addition map[string]any, []any and json.Number for whole numbers
	// beyond 64 bits, which no offset may have. The message is for the user.
	AlterOffsets(ctx context.Context, name string, changes []herder.OffsetEntry) (message string, err error)
	ResetOffsets(ctx context.Context, name string) (message string, err error)

	// PutTaskConfigs and Fence are calls of other workers. The Herder checks
	// the signature, since the keys are there.
	PutTaskConfigs(ctx context.Context, name string, tasks []config.Map, sig herder.Signature) error
	Fence(ctx context.Context, name string, sig herder.Signature) error

	// Plugins come in the order of the answer.
	Plugins(connectorsOnly bool) []herder.Plugin
	PluginConfig(name string) ([]config.Key, error)
	// Validate refuses a configuration without a connector's class with a
	// BadRequestError; all else is in the Validation.
	Validate(ctx context.Context, cfg config.Entries) (herder.Validation, error)

	Loggers() map[string]herder.LoggerLevel
	Logger(name string) (herder.LoggerLevel, error)
	// SetLogger takes a level in any case, blanks around it too, and refuses one that does not exist
	// with a NotFoundError. Without cluster it returns the names of the loggers
	// whose level changed.
	SetLogger(ctx context.Context, name, level string, cluster bool) ([]string, error)
}
