package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"kconnect/connect/config"
	"kconnect/connect/herder"
)

// list answers GET /connectors; with ?expand= it is a map of what is asked.
func (s *Server) list(r *call) error {
	expand, asked := r.query()["expand"]
	if !asked {
		return r.json(http.StatusOK, filled(s.herder.Connectors()))
	}
	all := map[string]map[string]any{}
	for _, name := range s.herder.Connectors() {
		one, err := s.expanded(name, expand)
		var gone *herder.NotFoundError
		switch {
		case errors.As(err, &gone): // deleted while we look
		case err != nil:
			return err
		default:
			all[name] = one
		}
	}
	return r.json(http.StatusOK, all)
}

func (s *Server) expanded(name string, expand []string) (map[string]any, error) {
	one := map[string]any{}
	for _, what := range expand {
		switch what {
		case "status":
			status, err := s.herder.Status(name)
			if err != nil {
				return nil, err
			}
			one[what] = filledStatus(status)
		case "info":
			info, err := s.herder.Info(name)
			if err != nil {
				return nil, err
			}
			one[what] = filledInfo(info)
		}
	}
	return one, nil
}

// create answers POST /connectors.
func (s *Server) create(r *call) error {
	doc, tok, err := r.document()
	if err != nil {
		return err
	}
	if tok == nil {
		return missing("an object with \"name\" and \"config\"")
	}
	request, err := doc.connector(tok, false)
	if err != nil {
		return err
	}
	// Java's String.trim, which also cuts control characters.
	name := strings.TrimFunc(request.Name, func(c rune) bool { return c <= ' ' })
	cfg, err := named(request.Config, name)
	if err != nil {
		return err
	}
	r.location = name
	info, _, err := s.herder.PutConfig(r.ctx, name, cfg, false, request.InitialState)
	if err != nil {
		return err
	}
	return r.json(http.StatusCreated, filledInfo(info))
}

// state reads initial_state (KIP-980).
func (d *document) state(tok json.Token, at int) (*herder.TargetState, error) {
	text, err := d.scalar(`"initial_state"`, tok, at)
	if text == nil || err != nil {
		return nil, err
	}
	var state herder.TargetState
	switch strings.ToUpper(*text) {
	case "RUNNING":
		state = herder.Started
	case "PAUSED":
		state = herder.Paused
	case "STOPPED":
		state = herder.Stopped
	default:
		return nil, d.fault(at, "Cannot read \"initial_state\": %s is not one of RUNNING, PAUSED, STOPPED", strings.ToUpper(*text))
	}
	return &state, nil
}

func (d *document) unknown(key string, at int, known string) error {
	return d.fault(at, "Unrecognized field %q (known fields: %s)", key, known)
}

// named returns a posted configuration with the connector's name in it. A name
// in the configuration has to be the same; one that is null counts as none.
func named(cfg config.Entries, name string) (config.Entries, error) {
	if cfg == nil {
		return nil, missing("an object of settings")
	}
	for _, e := range cfg {
		if e.Key == "name" && e.Value != nil && *e.Value != name {
			return nil, otherName(*e.Value, name)
		}
	}
	return cfg.Set("name", name), nil
}

func otherName(inConfig, name string) error {
	return &herder.BadRequestError{Message: fmt.Sprintf(
		"Connector name configuration (%s) doesn't match connector name in the URL (%s)", inConfig, name)}
}

func (s *Server) info(r *call) error {
	info, err := s.herder.Info(r.name())
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, filledInfo(info))
}

func (s *Server) config(r *call) error {
	cfg, err := s.herder.Config(r.name())
	if err != nil {
		return err
	}
	if cfg == nil {
		cfg = config.Raw{}
	}
	return r.json(http.StatusOK, cfg)
}

func (s *Server) putConfig(r *call) error {
	name := r.name()
	cfg, err := r.entries()
	if err != nil {
		return err
	}
	if cfg, err = named(cfg, name); err != nil {
		return err
	}
	r.location = name
	info, created, err := s.herder.PutConfig(r.ctx, name, cfg, true, nil)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return r.json(status, filledInfo(info))
}

// patchConfig answers PATCH /connectors/{name}/config (KIP-477). Unlike in
// Java a connector cannot be given another name by it.
func (s *Server) patchConfig(r *call) error {
	name := r.name()
	patch, err := r.entries()
	if err != nil {
		return err
	}
	var refused error
	if patch == nil {
		refused = missing("an object of settings")
	}
	for _, e := range patch {
		if e.Key == "name" && e.Value != nil && *e.Value != name {
			refused = otherName(*e.Value, name)
		}
	}
	if refused != nil {
		if _, err := s.herder.Config(name); err != nil {
			return err // Java looks for the connector first
		}
		return refused
	}
	info, err := s.herder.PatchConfig(r.ctx, name, patch)
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, filledInfo(info))
}

// entries reads a body that is a flat configuration; nil for null and nothing.
func (r *call) entries() (config.Entries, error) {
	doc, tok, err := r.document()
	if err != nil {
		return nil, err
	}
	return doc.entries("the configuration", tok, 0)
}

func (s *Server) status(r *call) error {
	status, err := s.herder.Status(r.name())
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, filledStatus(status))
}

func (s *Server) delete(r *call) error {
	if err := s.herder.Delete(r.ctx, r.name()); err != nil {
		return err
	}
	return r.empty(http.StatusNoContent)
}

func (s *Server) restart(r *call) error {
	plan, err := s.herder.Restart(r.ctx, r.name(), r.flag("includeTasks", false), r.flag("onlyFailed", false))
	if err != nil {
		return err
	}
	if plan == nil {
		return r.empty(http.StatusNoContent)
	}
	return r.json(http.StatusAccepted, filledStatus(*plan))
}

// target returns the resource that moves a connector to a state.
func (s *Server) target(state herder.TargetState, status int) resource {
	return func(r *call) error {
		if err := s.herder.SetTarget(r.ctx, r.name(), state); err != nil {
			return err
		}
		return r.empty(status)
	}
}

func (s *Server) topics(r *call) error {
	name := r.name()
	topics, err := s.herder.Topics(name)
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, map[string]any{name: map[string]any{"topics": filled(topics)}})
}

func (s *Server) resetTopics(r *call) error {
	if err := s.herder.ResetTopics(r.ctx, r.name()); err != nil {
		return err
	}
	return r.empty(http.StatusAccepted)
}

// filled makes the JSON of no items [] where it would be null.
func filled[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

func filledInfo(i herder.ConnectorInfo) herder.ConnectorInfo {
	i.Tasks = filled(i.Tasks)
	if i.Config == nil {
		i.Config = config.Raw{}
	}
	return i
}

func filledStatus(s herder.ConnectorStatus) herder.ConnectorStatus {
	s.Tasks = filled(s.Tasks)
	return s
}
