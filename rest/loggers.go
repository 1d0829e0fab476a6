package rest

import (
	"net/http"
	"strings"

	"kconnect/connect/herder"
)

type loggerInfo struct {
	Level        string `json:"level"`
	LastModified *int64 `json:"last_modified"` // ms since the epoch
}

func newLoggerInfo(l herder.LoggerLevel) loggerInfo {
	info := loggerInfo{Level: l.Level}
	if !l.LastModified.IsZero() {
		ms := l.LastModified.UnixMilli()
		info.LastModified = &ms
	}
	return info
}

func (s *Server) loggers(r *call) error {
	all := map[string]loggerInfo{}
	for name, l := range s.herder.Loggers() {
		all[name] = newLoggerInfo(l)
	}
	return r.json(http.StatusOK, all)
}

func (s *Server) logger(r *call) error {
	l, err := s.herder.Logger(r.name())
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, newLoggerInfo(l))
}

// setLogger answers PUT /admin/loggers/{name} (KIP-495, KIP-976).
func (s *Server) setLogger(r *call) error {
	body, err := r.entries()
	if err != nil {
		return err
	}
	if body == nil {
		return missing("an object with \"level\"")
	}
	wanted := body.Raw()["level"]
	if wanted == nil {
		return &herder.BadRequestError{Message: "Desired 'level' parameter was not specified in request."}
	}
	// Any other scope counts as this worker's, as in Java.
	cluster := strings.EqualFold(r.query().Get("scope"), "cluster")
	changed, err := s.herder.SetLogger(r.ctx, r.name(), *wanted, cluster)
	if err != nil {
		return err
	}
	if cluster {
		return r.empty(http.StatusNoContent)
	}
	return r.json(http.StatusOK, filled(changed))
}
