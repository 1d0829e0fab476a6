package metrics

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"kconnect/connect"
)

var _ prometheus.Collector = (*Registry)(nil)

// Describe implements prometheus.Collector. It describes nothing, because
// plugins add series while the worker runs.
func (r *Registry) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector. It copies who is there, then reads
// each: work goes on meanwhile.
func (r *Registry) Collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	connectors := slices.Collect(maps.Values(r.connectors))
	tasks := slices.Collect(maps.Values(r.tasks))
	clients := slices.Collect(maps.Keys(r.clients))
	r.mu.Unlock()

	s := scrape{r: r, ch: ch, plugins: make(map[string]pluginDesc), clients: make(map[clientKey]bool)}
	collect(&s, workerSeries, r)
	if rounds, member := r.Rebalance.read(); member {
		collect(&s, rebalanceSeries, rebalanceNow{rounds, r.Rebalance.times})
	}
	by := make(map[string]connectorTasks)
	for _, c := range connectors {
		collect(&s, connectorSeries, c, c.name)
		s.published(c.Plugin, c.name, "")
		by[c.name] = connectorTasks{by: make(map[string]int)}
	}
	for _, t := range tasks {
		own := []string{t.id.connector, taskLabel(t.id.task)}
		collect(&s, taskSeries, t, own...)
		if a := t.about.Load(); a != nil && a.Sink {
			collect(&s, sinkSeries, t, own...)
		} else if a != nil {
			collect(&s, sourceSeries, t, own...)
		}
		s.published(t.Plugin, own...)
		count := by[t.id.connector]
		if count.by == nil {
			count.by = make(map[string]int)
		}
		count.total++
		count.by[t.State.current()]++
		by[t.id.connector] = count
		clients = append(clients, t.allClients()...)
	}
	for name, count := range by {
		collect(&s, perConnectorSeries, count, name)
	}
	for _, c := range clients {
		s.client(c)
	}
}

// scrape is one answer in the making.
type scrape struct {
	r       *Registry
	ch      chan<- prometheus.Metric
	plugins map[string]pluginDesc
	clients map[clientKey]bool
}

// pluginDesc is what the first plugin that published a name said of it.
type pluginDesc struct {
	desc    *prometheus.Desc
	counter bool
}

type clientKey struct {
	table string
	id    string
}

func collect[T any](s *scrape, table []series[T], of T, own ...string) {
	for _, f := range table {
		desc, kind := s.r.descs[f.name], prometheus.GaugeValue
		if f.kind == counter {
			kind = prometheus.CounterValue
		}
		f.read(of, func(value float64, labels ...string) {
			s.send(desc, kind, value, append(slices.Clone(own), labels...))
		})
	}
}

func (s *scrape) send(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels []string) {
	for i, l := range labels {
		labels[i] = strings.ToValidUTF8(l, "\uFFFD")
	}
	m, err := prometheus.NewConstMetric(desc, kind, value, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(desc, err)
	}
	s.ch <- m
}

// published sends what a plugin has published. One name has one help and type
// in an answer: the first seen.
func (s *scrape) published(m *connect.Metrics, own ...string) {
	for _, p := range m.Published() {
		d, ok := s.plugins[p.Name]
		if !ok {
			d = pluginDesc{prometheus.NewDesc(p.Name, p.Help, pluginLabels, nil), p.Counter}
			s.plugins[p.Name] = d
		}
		kind := prometheus.GaugeValue
		if d.counter {
			kind = prometheus.CounterValue
		}
		s.send(d.desc, kind, p.Read(), slices.Clone(own))
	}
}

// client sends the series of a client. Two of one kind that users gave the same
// client.id cannot be told apart: the first counts, as among MBeans.
func (s *scrape) client(c *Client) {
	for _, t := range clientTables {
		key := clientKey{t.name, c.id}
		if !t.of(c) || s.clients[key] {
			continue
		}
		s.clients[key] = true
		collect(s, t.series, c, c.id)
	}
}
