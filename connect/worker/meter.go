package worker

import (
	"strconv"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/metrics"
)

// about says what a task is made of, for its metrics.
func (w *Worker) about(p *connect.Plugin, a *assembly, h *health) metrics.About {
	version := func(p *connect.Plugin, err error) string {
		if err != nil {
			return ""
		}
		return p.Version
	}
	return metrics.About{
		Sink:            p.Kind == connect.SinkPlugin,
		Connector:       metrics.Class{Class: p.Class, Version: p.Version, Type: string(p.Kind)},
		Task:            metrics.Class{Class: p.TaskClass, Version: p.Version},
		KeyConverter:    metrics.Class{Class: a.classes.key, Version: version(w.registry.Converter(a.classes.key))},
		ValueConverter:  metrics.Class{Class: a.classes.value, Version: version(w.registry.Converter(a.classes.value))},
		HeaderConverter: metrics.Class{Class: a.classes.header, Version: version(w.registry.HeaderConverter(a.classes.header))},
		Waits:           h.waits,
	}
}

// bufferMemory returns buffer.memory of a producer's settings, in bytes.
func bufferMemory(m config.Map) int64 {
	const byDefault = 32 << 20
	if n, err := strconv.ParseInt(m["buffer.memory"], 10, 64); err == nil {
		return n
	}
	return byDefault
}

// covered returns how many records are committed with all positions, and keeps
// what a task holds back in PreCommit for the next time.
func (s *sink) covered(all bool) int {
	if !all {
		return 0
	}
	held := 0
	for tp, next := range s.position {
		held += int(max(next-s.committed[tp], 0))
	}
	n := max(s.delivered-held, 0)
	s.delivered -= n
	return n
}

// count shows how many partitions the task has.
func (s *sink) count() {
	s.mu.Lock()
	n := len(s.owned)
	s.mu.Unlock()
	s.meter.Assigned(n)
	s.read.Assigned(n)
}
