package metrics

import "slices"

// Family describes the series of one name, for docs/metrics.md.
type Family struct {
	Section string
	Name    string
	Counter bool
	Labels  []string
	Java    string // MBean type:attribute, several by commas; empty: Java has none
	Help    string
}

// clientTable is series of some kinds of clients.
type clientTable struct {
	name   string // of the section of docs/metrics.md
	role   Role
	series []series[*Client]
}

// of reports whether the client has these series. What went over the network
// is shown once for a client that produces and consumes: as a consumer's.
func (t *clientTable) of(c *Client) bool {
	if t.name == "Producers, network" && c.role&Consumer != 0 {
		return false
	}
	return c.role&t.role != 0
}

var clientTables = []clientTable{
	{"Producers", Producer, producerSeries},
	{"Producers, network", Producer, slices.Concat(networkSeries("kafka_producer", "producer-metrics"), nodeSeries("kafka_producer", "producer-node-metrics"))},
	{"Consumers", Consumer, consumerSeries},
	{"Consumers, group", Consumer, membershipSeries("kafka_consumer_coordinator", "consumer-coordinator-metrics")},
	{"Consumers, network", Consumer, slices.Concat(networkSeries("kafka_consumer", "consumer-metrics"), nodeSeries("kafka_consumer", "consumer-node-metrics"))},
	{"Admin clients", Admin, slices.Concat(networkSeries("kafka_admin_client", "admin-client-metrics"), nodeSeries("kafka_admin_client", "admin-client-node-metrics"))},
	{"Membership of the worker group", Member, slices.Concat(memberSeries, membershipSeries("kafka_connect_coordinator", "connect-coordinator-metrics"),
		networkSeries("kafka_connect", "connect-metrics"), nodeSeries("kafka_connect", "connect-node-metrics"))},
}

// Families returns every series that a Registry may answer with, but for those
// of plugins, the Go runtime and the process, in the order of docs/metrics.md.
func Families() []Family {
	var all []Family
	all = append(all, families("Worker", workerSeries)...)
	all = append(all, families("Rebalances of the worker group", rebalanceSeries)...)
	all = append(all, families("Connectors", connectorSeries, "connector")...)
	all = append(all, families("Tasks by connector", perConnectorSeries, "connector")...)
	all = append(all, families("Tasks", taskSeries, "connector", "task")...)
	all = append(all, families("Source tasks", sourceSeries, "connector", "task")...)
	all = append(all, families("Sink tasks", sinkSeries, "connector", "task")...)
	for _, t := range clientTables {
		all = append(all, families(t.name, t.series, "clientid")...)
	}
	return all
}

func families[T any](section string, table []series[T], labels ...string) []Family {
	all := make([]Family, len(table))
	for i, s := range table {
		all[i] = Family{section, s.name, s.kind == counter, slices.Concat(labels, s.labels), s.java, s.help}
	}
	return all
}

// PluginLabels are the labels of the series that plugins publish.
func PluginLabels() []string { return slices.Clone(pluginLabels) }
