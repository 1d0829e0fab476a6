package connect

import (
	"slices"
	"sync"
)

// MetricDef describes a series that a plugin adds to GET /metrics.
// Plugin.Metrics lists them, for docs/metrics.md.
type MetricDef struct {
	// Name is the whole name: lower case, words joined by _, beginning with
	// kconnect_ and the name of the plugin, ending with the unit (_seconds,
	// _bytes) or with _total for a counter.
	Name    string
	Help    string
	Counter bool // it only grows, within one task
}

// Metrics takes the series of one connector or task. They have the labels
// connector and task, and end with it. A nil *Metrics takes none.
type Metrics struct {
	mu     sync.Mutex
	series []Metric
}

// Metric is one published series.
type Metric struct {
	MetricDef
	Read func() float64
}

// Publish adds a series. read is called by each scrape, from another goroutine:
// let it load an atomic, and never wait. Publishing a name again, as a Start
// that is tried again does, replaces the series.
func (m *Metrics) Publish(def MetricDef, read func() float64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.series, func(s Metric) bool { return s.Name == def.Name }); i >= 0 {
		m.series[i] = Metric{def, read}
		return
	}
	m.series = append(m.series, Metric{def, read})
}

// Published returns the series.
func (m *Metrics) Published() []Metric {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.series)
}
