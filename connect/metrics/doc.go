// Package metrics counts what a worker does and answers GET /metrics.
//
// Names are those that the usual rules of the Prometheus JMX exporter give the
// MBeans of a Java worker, so that dashboards and alerts go on working; series
// that Java has no MBean for begin with kconnect_. docs/metrics.md lists all.
//
// # Rules
//
// Owners of work count by batch or by request, never by record: an atomic
// addition or a window's short lock. Nobody waits for a scrape: it reads
// atomics, and holds a lock only as long as copying a few numbers takes.
//
// Averages, maxima, rates and shares of success are taken over the time of
// metrics.sample.window.ms and metrics.num.samples, by the rules of Java
// clients (type Sampled).
//
// The series of a connector, task or client go when its owner closes it.
// Methods of a nil *Errors, *State, *Task or *Client count nothing.
package metrics
