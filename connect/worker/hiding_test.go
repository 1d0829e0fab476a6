package worker

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kconnect/connect/config"
)

// TestWhatAProviderGaveShowsNowhere is Promise 8 for plugins that write their
// settings into whatever they say.
func TestWhatAProviderGaveShowsNowhere(t *testing.T) {
	cfg := planned(config.Map{"password": "${vault:db:password}", "url": "db://me:${vault:db:password}@host"})
	for name, made := range map[string]func(p *planner, talk func() error){
		"a start":  func(p *planner, talk func() error) { p.start = talk },
		"planning": func(p *planner, talk func() error) { p.plan = func() ([]config.Map, error) { return nil, talk() } },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, func(p *planner) {
				made(p, func() error {
					e := p.env
					e.Logger.With(zap.String("with", e.Config["url"])).Warn("no way to "+e.Config["url"], zap.Any("settings", map[string]any{"all": []any{e.Config["password"]}}),
						zap.Strings("list", []string{e.Config["password"]}), zap.Error(errors.New(e.Config["password"])))
					return fmt.Errorf("cannot log in: %q, %w", e.Config["url"], errors.New(e.Config["password"]))
				})
			})
			core, logs := observer.New(zap.DebugLevel)
			o.log = zap.New(core)
			said := fmt.Sprint(o.run(cfg, TargetRunning))
			if name == "planning" {
				_, err := o.TaskConfigs(t.Context(), "c", cfg)
				said = fmt.Sprint(err)
			}
			o.stop(OnRevoke)
			for _, e := range logs.All() {
				said += fmt.Sprint("\n", e.Message, e.ContextMap())
			}
			if len(logs.All()) < 2 {
				t.Errorf("log lines: %d", len(logs.All()))
			}
			o.heard.mu.Lock()
			said += fmt.Sprint("\n", o.heard.statuses)
			o.heard.mu.Unlock()
			if strings.Contains(said, "hunter2") || strings.Count(said, "${vault:db:password}") < 9 {
				t.Error(said)
			}
		})
	}
}
