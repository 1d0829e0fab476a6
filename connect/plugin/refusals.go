package plugin

import (
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// refuseNulls refuses every null but those of the connector's own keys, which
// are its affair (golden rest 11-failed-states). It returns the results of keys
// that nobody defines.
func refuseNulls(p *connect.Plugin, raw config.Raw, results []config.Result) []config.Result {
	const message = "Null value can not be supplied as the configuration value."
	var order, unknown []string
	for _, res := range results {
		order = append(order, res.Key.Name)
	}
	for _, key := range names(raw) {
		if raw[key] != nil {
			continue
		}
		if res := resultOf(results, key); res != nil {
			res.Errors = append(res.Errors, message)
		} else if _, own := p.Def.Lookup(key); !own {
			unknown = append(unknown, key)
		}
	}
	var all []config.Result
	for _, key := range data.HashMapOrder(append(order, unknown...)) {
		if slices.Contains(unknown, key) {
			all = append(all, config.Result{Key: undefined(key), Recommended: []string{}, Errors: []string{message}, Visible: true, Undefined: true})
		}
	}
	return all
}

// refuseWorkerGroup refuses a sink whose consumers would join the group of the
// workers, which would never come to rest again. It returns the result of the
// override that names a group, at fault or not: that key is none of the common
// ones, and what is said of it comes first, as in Java.
func refuseWorkerGroup(w WorkerDefaults, m config.Map, results []config.Result) []config.Result {
	const override = "consumer.override.group.id"
	worker := w.Properties["group.id"]
	if group, set := m[override]; set {
		res := config.Result{Key: undefined(override), Value: &group, Recommended: []string{}, Errors: []string{}, Visible: true, Undefined: true}
		if worker != "" && strings.TrimSpace(group) == worker { // the client drops blanks, too
			res.Errors = append(res.Errors, "Consumer group "+group+" conflicts with Connect worker group "+worker)
		}
		return []config.Result{res}
	}
	if name := resultOf(results, "name"); name != nil && name.Value != nil && worker != "" && "connect-"+*name.Value == worker {
		name.Errors = append(name.Errors, "Consumer group for sink connector named "+*name.Value+" conflicts with Connect worker group "+worker)
	}
	return nil
}

// undefined stands for the definition of a key that has none.
func undefined(name string) *config.Key {
	return &config.Key{Name: name, Type: config.String, Importance: config.Low, Doc: "No setting of this name is known here."}
}

// refuseTransactions refuses what this version cannot honour in a source
// connector (Promise 9), in Java's words where Java has them for a worker
// without exactly-once support.
func refuseTransactions(m config.Map, results []config.Result) {
	add := func(key, message string) {
		if res := resultOf(results, key); res != nil {
			res.Errors = append(res.Errors, message)
		}
	}
	if strings.EqualFold(strings.TrimSpace(m["exactly.once.support"]), "required") {
		add("exactly.once.support", "This worker does not have exactly-once source support enabled.")
	}
	switch boundary := strings.TrimSpace(m["transaction.boundary"]); strings.ToLower(boundary) {
	case "connector":
		add("transaction.boundary", "The connector does not support connector-defined transaction boundaries with the given configuration. Please reconfigure it to use a different transaction boundary definition.")
	case "interval":
		add("transaction.boundary", config.Invalid("transaction.boundary", boundary, "this version has no transactions that it could end at intervals; leave the key out").Error())
	}
}
