package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
)

// WorkerDefaults is the worker's part in the validation of a connector.
type WorkerDefaults struct {
	Properties     config.Map // the worker's whole configuration
	OverridePolicy string     // connector.client.config.override.policy
}

// Validation is the answer of a validation.
type Validation struct {
	Name       string          // connector.class as it was sent
	Groups     []string        // in order of first appearance
	Results    []config.Result // in the order of the answer
	ErrorCount int             // of error texts
}

// Message is the text with which creating such a connector is refused, one
// line an error (golden rest 03-create-errors).
func (v *Validation) Message() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Connector configuration is invalid and contains the following %d error(s):\n", v.ErrorCount)
	for _, r := range v.Results {
		for _, e := range r.Errors {
			b.WriteString(e)
			b.WriteByte('\n')
		}
	}
	b.WriteString("You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`")
	return b.String()
}

// RequestError is a configuration that cannot be validated at all: it names no
// connector class, or one that is not here.
type RequestError struct{ Message string }

func (e *RequestError) Error() string { return e.Message }

// Validate checks a connector's whole configuration: the common keys, the keys
// of every transformation, predicate and converter that it names, its client
// overrides, the connector's own keys, and what the connector itself objects
// to. It may connect to the outside through the connector and heeds ctx.
func Validate(ctx context.Context, r *Registry, w WorkerDefaults, cfg config.Entries) (*Validation, error) {
	class, _ := cfg.Get("connector.class")
	if class == "" {
		return nil, &RequestError{Message: "Connector config " + mapText(cfg) + " contains no connector type"}
	}
	p, err := r.Connector(class)
	if err != nil {
		return nil, &RequestError{Message: err.Error()}
	}
	raw := cfg.Raw()
	text := make(config.Map, len(raw)) // a null counts as absent for what follows
	for k, v := range raw {
		if v != nil {
			text[k] = *v
		}
	}
	parts := []*config.Def{r.commonDef(p, w)}
	parts = append(parts, r.chainDefs(text)...)
	parts = append(parts, r.converterDefs(text)...)
	parts = append(parts, p.Def)
	def := config.NewDef().Merge(parts...)
	results := def.ValidateRaw(raw)
	if p.Kind == connect.SinkPlugin {
		config.CheckSinkTopics(text, results)
	} else {
		refuseExactlyOnce(text, results)
	}
	if c, ok := p.New().(connect.ConfigValidator); ok {
		results = c.ValidateConfig(ctx, text, results)
	}
	results = append(results, overrideResults(p.Kind, w, text)...)
	v := &Validation{Name: class, Groups: groups(def), Results: results}
	for _, res := range results {
		v.ErrorCount += len(res.Errors)
	}
	return v, nil
}

// mapText is the text form of a Java map.
func mapText(cfg config.Entries) string {
	var all []string
	for _, e := range cfg {
		value := "null"
		if e.Value != nil {
			value = *e.Value
		}
		all = append(all, e.Key+"="+value)
	}
	return "{" + strings.Join(all, ", ") + "}"
}

func groups(def *config.Def) []string {
	var all []string
	for _, g := range def.Groups() {
		if !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}

// commonDef is the common keys with what this worker knows: the converters
// that it falls back to, and those that there are.
func (r *Registry) commonDef(p *connect.Plugin, w WorkerDefaults) *config.Def {
	return p.CommonDef().Edit(func(k *config.Key) {
		switch k.Name {
		case "key.converter", "value.converter":
			r.classKey(k, connect.ConverterPlugin, w.Properties[k.Name], "")
		case "header.converter":
			r.classKey(k, connect.HeaderConverterPlugin, w.Properties[k.Name], "org.apache.kafka.connect.storage.SimpleHeaderConverter")
		}
	})
}

// classKey completes a key that names a class of a kind.
func (r *Registry) classKey(k *config.Key, kind connect.PluginKind, worker, otherwise string) {
	is := func(other connect.PluginKind) bool { return other == kind }
	k.Resolve = func(name string) (string, error) {
		if p := r.find(name, is); p != nil {
			return p.Class, nil
		}
		return "", config.Invalid(k.Name, name, "Class "+name+" could not be found.")
	}
	var classes []string
	for _, p := range r.plugins {
		if p.Kind == kind {
			classes = append(classes, p.Class)
		}
	}
	k.Recommend = func(config.Map) []string { return classes }
	if worker == "" {
		worker = otherwise
	}
	if p := r.find(worker, is); p != nil {
		k.Default = config.Default(p.Class)
	}
}

// chainDefs is the keys of the transformations and predicates that are named.
func (r *Registry) chainDefs(m config.Map) []*config.Def {
	var defs []*config.Def
	for _, part := range []struct {
		key, prefix string
		kind        connect.PluginKind
		def         func(alias, version string, own *config.Def) *config.Def
	}{
		{"transforms", "transforms.", connect.TransformationPlugin, config.TransformDef},
		{"predicates", "predicates.", connect.PredicatePlugin, config.PredicateDef},
	} {
		for alias := range strings.SplitSeq(m[part.key], ",") {
			if alias = strings.TrimSpace(alias); alias == "" {
				continue
			}
			typeKey := part.prefix + alias + ".type"
			var own *config.Def
			version := ""
			if p := r.find(m[typeKey], func(k connect.PluginKind) bool { return k == part.kind }); p != nil {
				own, version = p.Def, p.Version
			}
			defs = append(defs, part.def(alias, version, own).Edit(func(k *config.Key) {
				if k.Name == typeKey {
					r.classKey(k, part.kind, "", "")
				}
			}))
		}
	}
	return defs
}

// converterDefs is the keys of the converters that the request itself names;
// those of the worker are checked when it starts.
func (r *Registry) converterDefs(m config.Map) []*config.Def {
	var defs []*config.Def
	for _, role := range []struct {
		key  string
		kind connect.PluginKind
		is   string // the converter.type that the worker sets
	}{
		{"key.converter", connect.ConverterPlugin, "key"},
		{"value.converter", connect.ConverterPlugin, "value"},
		{"header.converter", connect.HeaderConverterPlugin, "header"},
	} {
		p := r.find(m[role.key], func(k connect.PluginKind) bool { return k == role.kind })
		if p == nil || p.Def == nil {
			continue
		}
		defs = append(defs, p.Def.Prefixed(role.key+".").Edit(func(k *config.Key) {
			if k.Name == role.key+".converter.type" {
				k.Required, k.Default = false, config.Default(role.is)
			}
		}))
	}
	return defs
}

// refuseExactlyOnce refuses what this version cannot honour in a source
// connector (Promise 9), in Java's words where Java has them for a worker
// without exactly-once support.
func refuseExactlyOnce(m config.Map, results []config.Result) {
	add := func(key, message string) {
		for i := range results {
			if results[i].Key.Name == key {
				results[i].Errors = append(results[i].Errors, message)
			}
		}
	}
	if strings.EqualFold(strings.TrimSpace(m["exactly.once.support"]), "required") {
		add("exactly.once.support", "This worker does not have exactly-once source support enabled.")
	}
	if topic, set := m["offsets.storage.topic"]; set {
		add("offsets.storage.topic", "Invalid value "+topic+" for configuration offsets.storage.topic: this version keeps the offsets of all connectors in the worker's topic; leave the key out")
	}
}

// overrideResults is the client overrides with what the policy says of each.
func overrideResults(kind connect.PluginKind, w WorkerDefaults, m config.Map) []config.Result {
	prefixes := []string{"producer.override.", "admin.override."}
	if kind == connect.SinkPlugin {
		prefixes = []string{"producer.override.", "consumer.override.", "admin.override."}
	}
	var results []config.Result
	for _, prefix := range prefixes {
		own := m.WithPrefix(prefix)
		for _, name := range own.Keys() {
			value := own[name]
			res := config.Result{
				Key:   &config.Key{Name: prefix + name, Type: config.String, Importance: config.Low, Doc: "A setting of the connector's own Kafka client."},
				Value: &value, Recommended: []string{}, Errors: []string{}, Visible: true,
			}
			if strings.Contains(name, "password") || name == "sasl.jaas.config" {
				hidden := config.Hidden
				res.Value = &hidden
			}
			if !overridable(w, name) {
				res.Errors = append(res.Errors, fmt.Sprintf("Invalid value %s for configuration %s%s: The '%s' policy does not allow '%s' to be overridden in the connector configuration.", *res.Value, prefix, name, w.OverridePolicy, name))
			}
			results = append(results, res)
		}
	}
	return results
}

// overridable reports whether the worker's policy lets connectors set a client
// setting.
func overridable(w WorkerDefaults, name string) bool {
	switch w.OverridePolicy {
	case "None":
		return false
	case "Principal":
		return name == "sasl.jaas.config" || name == "sasl.mechanism" || name == "security.protocol"
	case "Allowlist":
		for allowed := range strings.SplitSeq(w.Properties["connector.client.config.override.allowlist"], ",") {
			if strings.TrimSpace(allowed) == name {
				return true
			}
		}
		return false
	}
	return true
}
