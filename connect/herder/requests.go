package herder

import (
	"context"
	"errors"
	"time"

	"kconnect/connect/config"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
)

// requestTimeout bounds every write that a user waits for (spec rest, "Timeouts").
const requestTimeout = 90 * time.Second

// ErrTimeout is the answer to a request that could not be carried out in time.
var ErrTimeout = errors.New("Request timed out. The worker is currently waiting for the group or the internal topics; check that the brokers are up") //nolint:staticcheck // Java's beginning

// errValidating is the answer to a validation that took too long.
var errValidating = errors.New("Request timed out. The worker is currently performing multi-property validation for the connector; check that what it connects to answers") //nolint:staticcheck // Java's beginning

// ask puts a request on the loop and waits for its answer.
func (h *Herder) ask(ctx context.Context, r *request) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r.done, r.gone = make(chan error, 1), ctx.Done()
	select {
	case h.events <- requested{r}:
	case <-h.stopping:
		return &UnavailableError{Message: "The worker is shutting down"}
	case <-ctx.Done():
		return ErrTimeout
	}
	select {
	case err := <-r.done:
		return err
	case <-h.stopping:
		return &UnavailableError{Message: "The worker is shutting down"}
	case <-ctx.Done():
		return ErrTimeout
	}
}

// PutConfig creates a connector (replace false: it must not exist yet) or
// changes its configuration. It is validated first; errors are a
// BadRequestError that lists them. In standalone mode it returns when the
// connector has started, and an error of that start is the answer; the
// connector is there all the same.
func (h *Herder) PutConfig(ctx context.Context, name string, cfg config.Entries, replace bool, initial *TargetState) (ConnectorInfo, bool, error) {
	if _, named := cfg.Get("name"); !named {
		cfg = cfg.Set("name", name)
	}
	if err := h.check(ctx, cfg); err != nil {
		return ConnectorInfo{}, false, err
	}
	r := &request{kind: putConnector, name: name, entries: cfg, replace: replace, awaited: h.cfg.Standalone}
	if initial != nil {
		r.target = *initial
	}
	if err := h.ask(ctx, r); err != nil {
		return ConnectorInfo{}, false, err
	}
	return h.infoOf(name, cfg.Raw()), r.created, nil
}

// PatchConfig changes some keys of a configuration; null removes one. The name
// cannot be changed (D21).
func (h *Herder) PatchConfig(ctx context.Context, name string, patch config.Entries) (ConnectorInfo, error) {
	if v := h.view.Load(); v.everReady && !v.leader {
		return ConnectorInfo{}, &ElsewhereError{URL: v.leaderURL}
	}
	c := h.configs.Snapshot().Connectors[name]
	if c == nil {
		return ConnectorInfo{}, &NotFoundError{Message: "Connector " + name + " not found"}
	}
	merged := c.Posted
	for _, e := range patch {
		switch {
		case e.Key == "name" && (e.Value == nil || *e.Value != name):
			return ConnectorInfo{}, &BadRequestError{Message: "The name of connector " + name + " cannot be changed by a patch of its configuration: leave \"name\" out, or create another connector"}
		case e.Value == nil:
			merged = merged.Without(e.Key)
		default:
			merged = merged.Set(e.Key, *e.Value)
		}
	}
	// Java merges into a HashMap, and its order is what the topic then shows.
	info, _, err := h.PutConfig(ctx, name, storage.InHashMapOrder(merged), true, nil)
	return info, err
}

// check validates a configuration as the create endpoint does.
func (h *Herder) check(ctx context.Context, cfg config.Entries) error {
	v, err := h.validate(ctx, cfg)
	if err != nil {
		return err
	}
	if v.ErrorCount > 0 {
		return &BadRequestError{Message: v.Message()}
	}
	return nil
}

// validate has an answer within the request timeout, whatever the connector does.
func (h *Herder) validate(ctx context.Context, cfg config.Entries) (*plugin.Validation, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, requestTimeout, errValidating)
	defer cancel()
	v, err := plugin.Validate(ctx, h.registry, h.validation(), cfg)
	var invalid *plugin.RequestError
	if errors.As(err, &invalid) {
		return nil, &BadRequestError{Message: invalid.Message}
	}
	return v, err
}

// Delete deletes a connector.
func (h *Herder) Delete(ctx context.Context, name string) error {
	return h.ask(ctx, &request{kind: deleteConnector, name: name})
}

// SetTarget pauses, resumes or stops a connector.
func (h *Herder) SetTarget(ctx context.Context, name string, target TargetState) error {
	return h.ask(ctx, &request{kind: putTarget, name: name, target: target})
}
