package plugin

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// WorkerDefaults is the worker's part in the validation of a connector.
type WorkerDefaults struct {
	Properties     config.Map // the worker's whole configuration
	OverridePolicy string     // connector.client.config.override.policy
}

// Validation is the answer of a validation.
type Validation struct {
	Name    string          // connector.class as it was sent
	Groups  []string        // in order of first appearance
	Results []config.Result // in the order of the answer
	// ErrorCount counts error texts, but for the settings of converters and
	// clients it counts keys, as the Java worker does.
	ErrorCount int
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

// Validate checks a connector's whole configuration, after references to
// config providers were replaced: the common keys, the keys of every
// transformation and predicate that it names, the connector's own, what the
// connector itself objects to, overrides of client settings, and the settings
// of the converters that it names. It may connect to the outside through the
// connector and returns when ctx ends, even if the connector does not. An error
// is a *RequestError, a reference that cannot be replaced, an override that is
// not of its key's type, or the cause of ctx.
func Validate(ctx context.Context, r *Registry, w WorkerDefaults, cfg config.Entries) (*Validation, error) {
	raw, filled, err := resolved(w, cfg)
	if err != nil {
		return nil, err
	}
	v, err := validate(ctx, r, w, cfg, raw)
	if err != nil {
		return nil, Hidden(err, filled)
	}
	// Promise 8: the values of config providers are for the connector alone.
	posted, hide := cfg.Raw(), filled.Hider()
	for i := range v.Results {
		res := &v.Results[i]
		if ref, set := posted[res.Key.Name]; set && res.Value != nil && ref != nil && raw[res.Key.Name] != nil && *ref != *raw[res.Key.Name] && *res.Value != config.Hidden {
			res.Value = ref
		}
		for j, text := range res.Errors {
			res.Errors[j] = hide(text)
		}
	}
	return v, nil
}

// Hidden returns err without the values that config providers filled in, for
// those outside of the worker. An error that has none of them stays as it is.
func Hidden(err error, filled config.Filled) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if shown := filled.Hide(text); shown != text {
		var request *RequestError
		if errors.As(err, &request) {
			return &RequestError{Message: shown}
		}
		return &connect.Error{Class: connect.ClassOf(err), Kind: connect.KindOf(err), Message: shown}
	}
	return err
}

func validate(ctx context.Context, r *Registry, w WorkerDefaults, cfg config.Entries, raw config.Raw) (*Validation, error) {
	class := raw["connector.class"]
	if class == nil {
		return nil, &RequestError{Message: "Connector config " + mapText(cfg) + " contains no connector type"}
	}
	p, err := r.Connector(*class)
	if err != nil {
		return nil, &RequestError{Message: err.Error()}
	}
	if version := raw["connector.plugin.version"]; version != nil {
		if _, err := parseRange(*version); err != nil {
			return nil, &RequestError{Message: err.Error()}
		}
	}
	text := make(config.Map, len(raw)) // without nulls, which count as absent for those who read it
	for k, v := range raw {
		if v != nil {
			text[k] = *v
		}
	}

	common := r.commonDef(p, w, raw).Merge(r.chainDefs(raw)...)
	results := common.ValidateRaw(raw)
	var undefinedKeys []config.Result
	if p.Kind == connect.SinkPlugin {
		config.CheckSinkTopics(text, results)
		undefinedKeys = refuseWorkerGroup(w, text, results)
	} else {
		refuseTransactions(text, results)
	}
	undefinedKeys = append(undefinedKeys, refuseNulls(p, raw, results)...)
	own := p.Def.ValidateRaw(raw)
	if p.Own != nil {
		own = append(own, resultsOfSet(p.Own, text, own)...)
	}
	if c, ok := p.New().(connect.ConfigValidator); ok {
		if own, err = validateOwn(ctx, c, text, own); err != nil {
			return nil, err
		}
	}
	own = append(own, resultsOfSet(productKeys, text, own)...)
	settings, converterGroups := r.converters(raw, results)
	clients, err := overrides(p, w, raw)
	if err != nil {
		return nil, err
	}

	v := &Validation{Name: *class, Results: slices.Concat(undefinedKeys, joined(results, own))}
	for _, res := range v.Results {
		v.ErrorCount += len(res.Errors)
	}
	for _, res := range slices.Concat(clients, settings) {
		v.Results = append(v.Results, res)
		v.ErrorCount += min(len(res.Errors), 1)
	}
	for _, group := range slices.Concat(common.Groups(), p.Def.Groups(), converterGroups) {
		if !slices.Contains(v.Groups, group) {
			v.Groups = append(v.Groups, group)
		}
	}
	return v, nil
}

// validateOwn asks the connector. One that hangs is left behind when ctx ends,
// so that it blocks nothing but itself.
func validateOwn(ctx context.Context, c connect.ConfigValidator, m config.Map, own []config.Result) ([]config.Result, error) {
	type answer struct {
		results []config.Result
		err     error
	}
	done := make(chan answer, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- answer{err: connect.NewError(fmt.Sprintf("the connector panicked while it validated its configuration: %v\n%s", p, debug.Stack()), nil)}
			}
		}()
		done <- answer{results: c.ValidateConfig(ctx, m, own)}
	}()
	select {
	case a := <-done:
		return a.results, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// resolved returns the configuration with its references to the worker's config
// providers replaced, since that is what the connector would start with.
func resolved(w WorkerDefaults, cfg config.Entries) (config.Raw, config.Filled, error) {
	providers, err := config.NewProviders(w.Properties)
	if err != nil {
		return nil, nil, err
	}
	return providers.Fill(cfg.Raw())
}

// mapText is the text form of a configuration's Java map, in the order that
// the map has once its references are replaced. It shows the references, not
// what they stand for (Promise 8).
func mapText(cfg config.Entries) string {
	keys := make([]string, len(cfg))
	for i, e := range cfg {
		keys[i] = e.Key
	}
	raw := cfg.Raw()
	all := make([]string, len(cfg))
	for i, key := range data.HashMapCopyOrder(keys) {
		value := "null"
		if raw[key] != nil {
			value = *raw[key]
		}
		all[i] = key + "=" + value
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// joined returns the results of the common keys followed by the connector's
// own. An own key that is also a common one takes its place.
func joined(common, own []config.Result) []config.Result {
	all := slices.Clone(common)
	for _, res := range own {
		if same := resultOf(all, res.Key.Name); same != nil {
			*same = res
			continue
		}
		all = append(all, res)
	}
	return all
}

// resultOf returns the result of a key in its place, or nil.
func resultOf(results []config.Result, key string) *config.Result {
	for i := range results {
		if results[i].Key.Name == key {
			return &results[i]
		}
	}
	return nil
}

// productKeys are the keys of this product that work for every connector.
var productKeys = config.NewDef(
	config.Key{Name: "kconnect.compatibility", Type: config.String, Default: config.Default("safe"), Importance: config.Low, Validate: config.OneOf("safe", "java"),
		Doc: "safe, or java for the Java worker's behaviour wherever there is a switch between the two."},
	config.Key{Name: "kconnect.converter.coercion", Type: config.String, Default: config.Default("safe"), Importance: config.Low, Validate: config.OneOf("safe", "java"),
		Doc: "What JsonConverter does with a value that its schema cannot hold: safe refuses it, java changes it as the Java worker does."},
	config.Key{Name: "kconnect.connection.failure", Type: config.String, Default: config.Default("wait"), Importance: config.Low, Validate: config.OneOf("wait", "retry", "fail"),
		Doc: "What a task does while a database or a schema registry cannot be reached: wait for it, however long (retry is the same), or fail as the Java worker does."},
)

// resultsOfSet returns the results of the keys that a configuration has (D26)
// and that have no result yet.
func resultsOfSet(def *config.Def, m config.Map, already []config.Result) []config.Result {
	return slices.DeleteFunc(def.Validate(m), func(res config.Result) bool {
		_, set := m[res.Key.Name]
		return !set || resultOf(already, res.Key.Name) != nil
	})
}
