package rest

import (
	"context"
	"net/http"
	"time"
)

// healthTimeout is how long the Herder may take to say how it is.
const healthTimeout = 10 * time.Second

func (s *Server) root(r *call) error {
	return r.json(http.StatusOK, struct {
		Version   string `json:"version"`
		Commit    string `json:"commit"`
		ClusterID string `json:"kafka_cluster_id"`
	}{s.cfg.Version, s.cfg.Commit, s.herder.ClusterID()})
}

// health answers GET /health (KIP-1017).
func (s *Server) health(r *call) error {
	ctx, cancel := context.WithTimeout(r.ctx, healthTimeout)
	defer cancel()
	h := s.herder.Health(ctx)
	status := http.StatusInternalServerError
	switch h.Status {
	case "healthy":
		status = http.StatusOK
	case "starting":
		status = http.StatusServiceUnavailable
	}
	return r.json(status, struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}{h.Status, h.Message})
}
