package main

import (
	"time"

	"go.uber.org/zap"

	"kconnect/connect/config"
	"kconnect/connect/metrics"
)

// newMetrics returns the registry of a worker, whose configuration was parsed by
// worker.Def or worker.StandaloneDef. clientID is that of its membership, or names a worker by itself.
func newMetrics(values *config.Values, clientID string, log *zap.Logger) *metrics.Registry {
	return metrics.New(metrics.Config{
		Window:   time.Duration(values.Long("metrics.sample.window.ms")) * time.Millisecond,
		Samples:  values.Int("metrics.num.samples"),
		ClientID: clientID, Version: version, Commit: commit,
		Logger: log.Named("metrics"),
	})
}
