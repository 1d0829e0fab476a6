package rest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/herder"
	"kconnect/connect/logging"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeHerder keeps connectors in memory and runs nothing: whatever is asked of
// it has happened at once. Only what the recordings and tests here look at is
// as in the real one. It is used by one request at a time.
type fakeHerder struct {
	starting   bool
	elsewhere  string // not empty: writes belong to the worker at this URL
	hang       bool   // writes wait for the end of their context
	connectors map[string]*fakeConnector
	levels     *logging.Levels

	changes []herder.OffsetEntry // of the last AlterOffsets
	entries config.Entries       // of the last PutConfig or PatchConfig
	sig     herder.Signature     // of the last signed call
	tasks   []config.Map         // of the last PutTaskConfigs
	offsets []herder.OffsetEntry // what Offsets answers
}

type fakeConnector struct {
	cfg   config.Raw
	state herder.TargetState
	tasks int
}

func newFake() *fakeHerder {
	clock := func() time.Time { return time.Unix(1700000000, 0) }
	return &fakeHerder{connectors: map[string]*fakeConnector{}, levels: logging.NewLevels(clock)}
}

func (h *fakeHerder) Ready() bool       { return !h.starting }
func (h *fakeHerder) ClusterID() string { return "cluster" }

func (h *fakeHerder) Health(context.Context) herder.Health {
	if h.starting {
		return herder.Health{Status: "starting", Message: "Worker is still starting up."}
	}
	return herder.Health{Status: "healthy", Message: "Worker has completed startup and is ready to handle requests."}
}

func (h *fakeHerder) Connectors() []string { return slices.Sorted(maps.Keys(h.connectors)) }

func (h *fakeHerder) find(name, format string) (*fakeConnector, error) {
	if c := h.connectors[name]; c != nil {
		return c, nil
	}
	return nil, &herder.NotFoundError{Message: fmt.Sprintf(format, name)}
}

// write is what every change goes through.
func (h *fakeHerder) write(ctx context.Context) error {
	if h.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if h.elsewhere != "" {
		return &herder.ElsewhereError{URL: strings.TrimPrefix(h.elsewhere, "nobody")}
	}
	return nil
}

func (h *fakeHerder) Info(name string) (herder.ConnectorInfo, error) {
	c, err := h.find(name, "Connector %s not found")
	if err != nil {
		return herder.ConnectorInfo{}, err
	}
	info := herder.ConnectorInfo{Name: name, Config: c.cfg, Type: "source"}
	for i := range c.tasks {
		info.Tasks = append(info.Tasks, herder.TaskID{Connector: name, Task: i})
	}
	return info, nil
}

func (h *fakeHerder) Config(name string) (config.Raw, error) {
	c, err := h.find(name, "Connector %s not found")
	if err != nil {
		return nil, err
	}
	return c.cfg, nil
}

func (h *fakeHerder) Status(name string) (herder.ConnectorStatus, error) {
	c, err := h.find(name, "No status found for connector %s")
	if err != nil {
		return herder.ConnectorStatus{}, err
	}
	version := "1"
	state := strings.Replace(string(c.state), "STARTED", "RUNNING", 1)
	s := herder.ConnectorStatus{Name: name, Type: "source",
		Connector: herder.ConnectorState{State: state, WorkerID: "here:1", Version: &version}}
	for i := range c.tasks {
		s.Tasks = append(s.Tasks, herder.TaskState{ID: i, State: state, WorkerID: "here:1", Version: &version})
	}
	return s, nil
}

func (h *fakeHerder) TaskStatus(name string, task int) (herder.TaskState, error) {
	s, err := h.Status(name)
	if err != nil || task < 0 || task >= len(s.Tasks) {
		return herder.TaskState{}, &herder.NotFoundError{Message: fmt.Sprintf("No status found for task %s-%d", name, task)}
	}
	return s.Tasks[task], nil
}

func (h *fakeHerder) Tasks(name string) ([]herder.TaskInfo, error) {
	c, err := h.find(name, "Connector %s not found")
	if err != nil {
		return nil, err
	}
	var list []herder.TaskInfo
	for i := range c.tasks {
		cfg, err := c.cfg.Map()
		if err != nil {
			return nil, err
		}
		cfg["task.class"] = "org.apache.kafka.connect.file.FileStreamSourceTask"
		list = append(list, herder.TaskInfo{ID: herder.TaskID{Connector: name, Task: i}, Config: cfg})
	}
	return list, nil
}

func (h *fakeHerder) Topics(name string) ([]string, error) {
	if c := h.connectors[name]; c != nil && c.tasks > 0 {
		return []string{*c.cfg["topic"]}, nil
	}
	return nil, nil
}

func (h *fakeHerder) ResetTopics(ctx context.Context, _ string) error { return h.write(ctx) }

func (h *fakeHerder) PutConfig(ctx context.Context, name string, cfg config.Entries, replace bool, initial *herder.TargetState) (herder.ConnectorInfo, bool, error) {
	h.entries = cfg
	class, _ := cfg.Get("connector.class")
	switch {
	case class == "":
		return herder.ConnectorInfo{}, false, &herder.BadRequestError{Message: fmt.Sprintf("Connector config {name=%s} contains no connector type", name)}
	case !strings.Contains(class, "FileStream"):
		return herder.ConnectorInfo{}, false, &herder.BadRequestError{Message: "Failed to find any class that implements Connector and which name matches " +
			class + ", available connectors are: org.apache.kafka.connect.file.FileStreamSourceConnector"}
	}
	if err := h.write(ctx); err != nil {
		return herder.ConnectorInfo{}, false, err
	}
	c, there := h.connectors[name], h.connectors[name] != nil
	switch {
	case there && !replace:
		return herder.ConnectorInfo{}, false, &herder.ConflictError{Message: "Connector " + name + " already exists"}
	case !there:
		c = &fakeConnector{state: herder.Started}
		if initial != nil {
			c.state = *initial
		}
		h.connectors[name] = c
	}
	c.cfg = cfg.Raw()
	info, err := h.Info(name)
	if c.state == herder.Started {
		c.tasks = 1 // after the answer, which is older
	}
	return info, !there, err
}

func (h *fakeHerder) PatchConfig(ctx context.Context, name string, patch config.Entries) (herder.ConnectorInfo, error) {
	h.entries = patch
	if err := h.write(ctx); err != nil {
		return herder.ConnectorInfo{}, err
	}
	return h.Info(name)
}

func (h *fakeHerder) Delete(ctx context.Context, name string) error {
	if err := h.write(ctx); err != nil {
		return err
	}
	_, err := h.find(name, "Connector %s not found")
	delete(h.connectors, name)
	return err
}

func (h *fakeHerder) Restart(ctx context.Context, name string, includeTasks, onlyFailed bool) (*herder.ConnectorStatus, error) {
	if err := h.write(ctx); err != nil {
		return nil, err
	}
	if _, err := h.find(name, "Unknown connector: %s"); err != nil || !includeTasks && !onlyFailed {
		return nil, err
	}
	plan, err := h.Status(name)
	return &plan, err
}

func (h *fakeHerder) RestartTask(ctx context.Context, name string, _ int) error {
	if err := h.write(ctx); err != nil {
		return err
	}
	_, err := h.find(name, "Unknown connector: %s")
	return err
}

func (h *fakeHerder) SetTarget(ctx context.Context, name string, target herder.TargetState) error {
	if err := h.write(ctx); err != nil {
		return err
	}
	c, err := h.find(name, "Unknown connector %s")
	if err != nil {
		return err
	}
	if c.state = target; target == herder.Stopped {
		c.tasks = 0
	} else if target == herder.Started {
		c.tasks = 1
	}
	return nil
}

func (h *fakeHerder) Offsets(context.Context, string) ([]herder.OffsetEntry, error) {
	return h.offsets, nil
}

func (h *fakeHerder) AlterOffsets(_ context.Context, _ string, changes []herder.OffsetEntry) (string, error) {
	h.changes = changes
	return "altered", nil
}

func (h *fakeHerder) ResetOffsets(context.Context, string) (string, error) { return "reset", nil }

func (h *fakeHerder) PutTaskConfigs(ctx context.Context, _ string, tasks []config.Map, sig herder.Signature) error {
	h.tasks = tasks
	return h.signed(ctx, sig)
}

func (h *fakeHerder) Fence(ctx context.Context, _ string, sig herder.Signature) error {
	return h.signed(ctx, sig)
}

func (h *fakeHerder) signed(ctx context.Context, sig herder.Signature) error {
	h.sig = sig
	if sig.Algorithm == "" {
		return &herder.BadRequestError{Message: "Internal request missing required signature"}
	}
	return h.write(ctx)
}

func (h *fakeHerder) Plugins(connectorsOnly bool) []herder.Plugin {
	list := []herder.Plugin{{Class: "a.FileStreamSourceConnector", Kind: connect.SourcePlugin, Version: "1"}}
	if !connectorsOnly {
		list = append(list, herder.Plugin{Class: "a.JsonConverter", Kind: connect.ConverterPlugin, Version: "1"})
	}
	return list
}

func (h *fakeHerder) PluginConfig(name string) ([]config.Key, error) {
	if name != "FileStreamSource" {
		return nil, &herder.NotFoundError{Message: "Unknown plugin " + name + "."}
	}
	return fakeDef.Keys(), nil
}

var fakeDef = config.NewDef(
	config.Key{Name: "topic", Required: true, Importance: config.High, Doc: "where to"},
	config.Key{Name: "batch.size", Type: config.Int, Default: config.Default("2000"), Group: "Common", Order: 2, Width: config.ShortWidth, Display: "Batch size", Dependents: []string{"topic"}},
)

func (h *fakeHerder) Validate(_ context.Context, cfg config.Entries) (herder.Validation, error) {
	raw := cfg.Raw()
	if raw["connector.class"] == nil {
		return herder.Validation{}, &herder.BadRequestError{Message: "Connector config {} contains no connector type"}
	}
	v := herder.Validation{Name: *raw["connector.class"], Results: fakeDef.ValidateRaw(raw)}
	for _, r := range v.Results {
		v.ErrorCount += len(r.Errors)
	}
	return v, nil
}

func (h *fakeHerder) Loggers() map[string]herder.LoggerLevel {
	all := map[string]herder.LoggerLevel{}
	for name, l := range h.levels.All() {
		all[name] = herder.LoggerLevel{Level: l.Name, LastModified: l.LastModified}
	}
	return all
}

func (h *fakeHerder) Logger(name string) (herder.LoggerLevel, error) {
	l, ok := h.levels.Get(name)
	if !ok {
		return herder.LoggerLevel{}, &herder.NotFoundError{Message: "Logger " + name + " not found."}
	}
	return herder.LoggerLevel{Level: l.Name, LastModified: l.LastModified}, nil
}

func (h *fakeHerder) SetLogger(_ context.Context, name, level string, _ bool) ([]string, error) {
	if !logging.Known(level) {
		return nil, &herder.NotFoundError{Message: "invalid log level " + strings.ReplaceAll(strconv.Quote(level), `"`, "'") + "."}
	}
	return h.levels.Set(name, level)
}
