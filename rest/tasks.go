package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"kconnect/connect/config"
	"kconnect/connect/herder"
)

// The headers of a signed request between workers (KIP-507).
const (
	headerMAC       = "X-Connect-Authorization"
	headerAlgorithm = "X-Connect-Request-Signature-Algorithm"
)

func (s *Server) tasks(r *call) error {
	tasks, err := s.herder.Tasks(r.name())
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, filled(tasks))
}

func (s *Server) taskStatus(r *call) error {
	task, err := r.task()
	if err != nil {
		return err
	}
	state, err := s.herder.TaskStatus(r.name(), task)
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, state)
}

func (s *Server) restartTask(r *call) error {
	task, err := r.task()
	if err != nil {
		return err
	}
	if err := s.herder.RestartTask(r.ctx, r.name(), task); err != nil {
		return err
	}
	return r.empty(http.StatusNoContent)
}

// putTasks takes the task configurations of a connector from its owner.
func (s *Server) putTasks(r *call) error {
	doc, tok, err := parse(r.body)
	if err != nil {
		return err
	}
	if tok == nil {
		return missing("an array of task configurations")
	}
	var tasks []config.Map
	err = doc.array("the task configurations", tok, 0, func(val json.Token, at int) error {
		what := fmt.Sprintf("the configuration of task %d", len(tasks))
		entries, err := doc.entries(what, val, at)
		if err != nil {
			return err
		}
		if entries == nil {
			return doc.fault(at, "Cannot read %s: expected an object, not null", what)
		}
		m, err := entries.Raw().Map()
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", what, err)
		}
		tasks = append(tasks, m)
		return nil
	})
	if err != nil {
		return err
	}
	sig, err := signature(r)
	if err != nil {
		return err
	}
	if err := s.herder.PutTaskConfigs(r.ctx, r.name(), tasks, sig); err != nil {
		return err
	}
	return r.empty(http.StatusNoContent)
}

// fence asks for a round of fencing before the tasks of a source start (KIP-618).
func (s *Server) fence(r *call) error {
	sig, err := signature(r)
	if err != nil {
		return err
	}
	if err := s.herder.Fence(r.ctx, r.name(), sig); err != nil {
		return err
	}
	return r.empty(http.StatusNoContent)
}

func signature(r *call) (herder.Signature, error) {
	h := r.Request().Header
	sig := herder.Signature{Body: r.body}
	if h.Get(headerMAC) == "" || h.Get(headerAlgorithm) == "" {
		return sig, nil
	}
	mac, err := base64.StdEncoding.DecodeString(h.Get(headerMAC))
	if err != nil {
		return sig, &herder.BadRequestError{Message: "The header " + headerMAC + " is not base64: " + err.Error()}
	}
	sig.Algorithm, sig.MAC = h.Get(headerAlgorithm), mac
	return sig, nil
}
