package plugin

import (
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
)

// overrides returns the settings that a connector has for its own Kafka
// clients, with what the worker's policy says of each. Clients that the
// connector will not have are not looked at, as in Java. The error is an
// override that is not of its key's type: then the Java worker has no answer,
// either (rest.md, Validate).
func overrides(p *connect.Plugin, w WorkerDefaults, raw config.Raw) ([]config.Result, error) {
	dlq := raw["errors.deadletterqueue.topic.name"]
	reports := p.Kind == connect.SinkPlugin && dlq != nil && strings.TrimSpace(*dlq) != ""
	createsTopics := false
	for key := range raw {
		createsTopics = createsTopics || p.Kind == connect.SourcePlugin && strings.HasPrefix(key, "topic.creation.")
	}
	var all []config.Result
	for _, client := range []struct {
		kind string
		used bool
	}{
		{"producer", p.Kind == connect.SourcePlugin || reports},
		{"admin", createsTopics || reports},
		{"consumer", p.Kind == connect.SinkPlugin},
	} {
		if !client.used {
			continue
		}
		prefix := client.kind + ".override."
		own := withPrefix(raw, prefix)
		if len(own) == 0 {
			continue
		}
		def := clientDef(client.kind)
		for _, name := range namesWithPrefix(raw, prefix) {
			k, known := def.Lookup(name)
			if !known {
				k = undefined(name)
			}
			one := config.NewDef(*k) // the other keys are not at issue
			res := one.ValidateRaw(own)[0]
			if len(res.Errors) > 0 {
				return nil, &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: res.Errors[0]}
			}
			if !known && res.Value != nil && strings.Contains(name, "password") {
				hidden := config.Hidden // Promise 8: it looks like a secret with a slip in its name
				res.Value = &hidden
			}
			if !Overridable(w.Properties, w.OverridePolicy, name) {
				res.Errors = append(res.Errors, "The '"+policyName(w.OverridePolicy)+"' policy does not allow '"+name+"' to be overridden in the connector configuration.")
			}
			res.Undefined = !known
			res.Key, _ = one.Prefixed(prefix).Lookup(prefix + name)
			all = append(all, res)
		}
	}
	return all, nil
}

// policyName is the short name of a policy that may be given by its class.
func policyName(policy string) string {
	policy = strings.TrimPrefix(policy, "org.apache.kafka.connect.connector.policy.")
	return strings.TrimSuffix(policy, "ConnectorClientConfigOverridePolicy")
}

// OverridePolicy accepts the policies that there are, by name or by class.
func OverridePolicy() config.Validator {
	return config.Func("All, None, Principal or Allowlist", func(name string, v any) error {
		text, _ := v.(string)
		switch policyName(text) {
		case "All", "None", "Principal", "Allowlist":
			return nil
		}
		return config.Invalid(name, v, "this worker has the policies All, None, Principal and Allowlist, and loads no Java classes")
	})
}

// Overridable reports whether the policy of a worker with these properties lets connectors set a client setting, which
// is named without its prefix.
func Overridable(properties config.Map, policy, name string) bool {
	switch policyName(policy) {
	case "All", "":
		return true
	case "Principal":
		return slices.Contains([]string{"sasl.jaas.config", "sasl.mechanism", "security.protocol"}, name)
	case "Allowlist":
		return slices.Contains(list(properties["connector.client.config.override.allowlist"]), name)
	}
	return false
}
