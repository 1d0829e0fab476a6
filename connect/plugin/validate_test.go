package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
	"kconnect/connectors/file"
	jdbcsink "kconnect/connectors/jdbc/sink"
	jdbcsource "kconnect/connectors/jdbc/source"
)

func registry(t *testing.T) *plugin.Registry {
	t.Helper()
	r, err := plugin.New(slices.Concat(converter.Plugins(), transform.Plugins(), file.Plugins(), jdbcsource.Plugins(), jdbcsink.Plugins())...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var worker = plugin.WorkerDefaults{OverridePolicy: "All", Properties: config.Map{
	"group.id":                   "workers",
	"key.converter":              "org.apache.kafka.connect.json.JsonConverter",
	"value.converter":            "org.apache.kafka.connect.json.JsonConverter",
	"config.providers":           "env",
	"config.providers.env.class": config.EnvProviderClass,
}}

// source and sink are configurations without a fault.
var (
	source = config.Map{"name": "v", "connector.class": "FileStreamSource", "topic": "t", "file": "f"}
	sink   = config.Map{"name": "v", "connector.class": "FileStreamSink", "topics": "t", "file": "f"}
)

// with returns a configuration with some settings more.
func with(m config.Map, settings ...string) config.Entries {
	m = m.Clone()
	for i := 0; i < len(settings); i += 2 {
		m[settings[i]] = settings[i+1]
	}
	return config.FromMap(m).Entries()
}

// faults are the errors of an answer by key.
func faults(v *plugin.Validation) map[string][]string {
	all := map[string][]string{}
	for _, r := range v.Results {
		if len(r.Errors) > 0 {
			all[r.Key.Name] = append(all[r.Key.Name], r.Errors...)
		}
	}
	return all
}

func validate(t *testing.T, w plugin.WorkerDefaults, cfg config.Entries) *plugin.Validation {
	t.Helper()
	v, err := plugin.Validate(t.Context(), registry(t), w, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func text(s string) *string { return &s }

// stubborn is a connector whose validation ends when it is let go.
type stubborn struct {
	connect.Connector
	letGo chan struct{}
}

func (s stubborn) ValidateConfig(_ context.Context, _ config.Map, results []config.Result) []config.Result {
	<-s.letGo
	panic("no such host")
}

func TestAValidationThatHangsIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letGo := make(chan struct{})
		r, err := plugin.New(connect.Plugin{Class: "Stubborn", Kind: connect.SourcePlugin, Def: config.NewDef(), New: func() any { return stubborn{letGo: letGo} }})
		if err != nil {
			t.Fatal(err)
		}
		cfg := config.FromMap(config.Map{"name": "v", "connector.class": "Stubborn"}).Entries()
		gone := errors.New("nobody waits any more")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, gone)
		defer cancel()
		if _, err := plugin.Validate(ctx, r, worker, cfg); !errors.Is(err, gone) {
			t.Errorf("the answer is %v", err)
		}
		close(letGo)
		if _, err := plugin.Validate(t.Context(), r, worker, cfg); err == nil || !strings.Contains(err.Error(), "no such host") {
			t.Errorf("the answer of one that panics is %v", err)
		}
	})
}

func TestWhatThisVersionCannotHonourIsRefused(t *testing.T) {
	for _, c := range []struct{ key, value, message string }{
		{"exactly.once.support", "Required", "This worker does not have exactly-once source support enabled."},
		{"transaction.boundary", "connector", "does not support connector-defined transaction boundaries"},
		{"transaction.boundary", "INTERVAL", "no transactions"},
		{"kconnect.compatibility", "jvm", "String must be one of: safe, java"},
		{"kconnect.converter.coercion", "", "String must be one of: safe, java"},
		{"connector.plugin.version", "3", "not found that matches the version range [3,3], available versions: [4.2.0]"},
		{"key.converter", " JsonConverter", "Failed to load class  JsonConverter"},
	} {
		v := validate(t, worker, with(source, c.key, c.value))
		if got := faults(v)[c.key]; len(got) != 1 || !strings.Contains(got[0], c.message) {
			t.Errorf("%s=%s: errors %q, want %q", c.key, c.value, got, c.message)
		}
		if v.ErrorCount == 0 {
			t.Errorf("%s=%s: no errors are counted", c.key, c.value)
		}
	}
	if v := validate(t, worker, with(source, "transaction.boundary", " Poll ", "exactly.once.support", "requested")); v.ErrorCount > 0 {
		t.Errorf("the defaults, written out, are refused: %q", faults(v))
	}
}

func TestKeysOfOurOwnAreListedWhenSet(t *testing.T) {
	count := func(class string) int {
		v := validate(t, worker, with(source, "connector.class", class, "kconnect.compatibility", "java"))
		n := 0
		for _, r := range v.Results {
			if strings.HasPrefix(r.Key.Name, "kconnect.") {
				n++
			}
		}
		return n
	}
	for _, class := range []string{"FileStreamSource", "JdbcSource"} {
		if n := count(class); n != 1 {
			t.Errorf("%s lists the key %d times", class, n)
		}
	}
	for _, r := range validate(t, worker, with(source)).Results {
		if strings.HasPrefix(r.Key.Name, "kconnect.") {
			t.Errorf("%s is listed", r.Key.Name)
		}
	}
}

func TestADeadLetterQueueIsNoInput(t *testing.T) { // golden jdbc-sink config-dlq-is-input-topic
	v := validate(t, worker, with(sink, "topics", "a, t", "errors.deadletterqueue.topic.name", "t"))
	want := "The DLQ topic 't' may not be included in the list of topics ('topics=[a, t]') consumed by the connector"
	if got := faults(v)["topics"]; !slices.Equal(got, []string{want}) {
		t.Errorf("got %q", got)
	}
}

func TestASinkDoesNotJoinTheGroupOfTheWorkers(t *testing.T) {
	w := worker
	w.Properties = worker.Properties.Clone()
	w.Properties["group.id"] = "connect-v"
	for _, c := range []struct {
		cfg     config.Entries
		key     string
		message string
	}{
		{with(sink), "name", "Consumer group for sink connector named v conflicts with Connect worker group connect-v"},
		{with(sink, "consumer.override.group.id", "connect-v"), "consumer.override.group.id", "Consumer group connect-v conflicts with Connect worker group connect-v"},
		{with(sink, "consumer.override.group.id", "other"), "", ""},
		{with(source), "", ""},
	} {
		v := validate(t, w, c.cfg)
		if got := faults(v); c.key == "" && v.ErrorCount > 0 || c.key != "" && (v.ErrorCount != 1 || got[c.key][0] != c.message) {
			t.Errorf("%d errors, %q, want %q", v.ErrorCount, got, c.message)
		}
	}
}

func TestThePolicyDecidesOnOverrides(t *testing.T) {
	const prefix = "producer.override."
	for _, c := range []struct {
		policy  string
		refused []string
	}{
		{"All", nil},
		{"None", []string{"acks", "linger.ms", "sasl.jaas.config"}},
		{"org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy", []string{"acks", "linger.ms", "sasl.jaas.config"}},
		{"Principal", []string{"acks", "linger.ms"}},
		{"Allowlist", []string{"acks", "sasl.jaas.config"}},
		{"com.example.Policy", []string{"acks", "linger.ms", "sasl.jaas.config"}},
	} {
		w := plugin.WorkerDefaults{OverridePolicy: c.policy, Properties: config.Map{"connector.client.config.override.allowlist": "batch.size, linger.ms"}}
		v := validate(t, w, with(source, prefix+"acks", "1", prefix+"linger.ms", "1", prefix+"sasl.jaas.config", "s3cret"))
		got := faults(v)
		if len(got) != len(c.refused) || v.ErrorCount != len(c.refused) {
			t.Errorf("%s refuses %q, want %q", c.policy, got, c.refused)
		}
		short := strings.TrimSuffix(c.policy[strings.LastIndexByte(c.policy, '.')+1:], "ConnectorClientConfigOverridePolicy")
		for _, name := range c.refused {
			want := fmt.Sprintf("The '%s' policy does not allow '%s' to be overridden in the connector configuration.", short, name)
			if c.policy != "com.example.Policy" && (len(got[prefix+name]) != 1 || got[prefix+name][0] != want) {
				t.Errorf("%s: %q, want %q", name, got[prefix+name], want)
			}
		}
		if strings.Contains(fmt.Sprint(v.Message(), values(v)), "s3cret") {
			t.Errorf("%s: the secret is shown", c.policy)
		}
	}
}

func values(v *plugin.Validation) []string {
	var all []string
	for _, r := range v.Results {
		if r.Value != nil {
			all = append(all, *r.Value)
		}
	}
	return all
}

func TestAnOverrideOfAnotherTypeHasNoAnswer(t *testing.T) {
	_, err := plugin.Validate(t.Context(), registry(t), worker, with(sink, "consumer.override.max.poll.records", "x"))
	if want := "Invalid value x for configuration max.poll.records: Not a number of type INT"; err == nil || err.Error() != want || connect.ClassOf(err) != connect.ClassConfig {
		t.Errorf("got %v, want %s", err, want)
	}
	// Without a dead letter queue a sink has no producer.
	if v := validate(t, worker, with(sink, "producer.override.linger.ms", "x")); v.ErrorCount > 0 {
		t.Errorf("%q", faults(v))
	}
}

func TestAKeyThatNobodyDefinesMayNotBeNull(t *testing.T) {
	cfg := append(with(source), config.Entry{Key: "unknown"}, config.Entry{Key: "batch.size"})
	v := validate(t, worker, cfg)
	if got := faults(v); v.ErrorCount != 1 || len(got["unknown"]) != 1 {
		t.Errorf("errors %q", got)
	}
}

func TestReferencesAreReplacedBeforeTheCheck(t *testing.T) {
	t.Setenv("KC_TOPIC", "s3cret")
	t.Setenv("KC_TASKS", "s3cret too")
	v := validate(t, worker, with(source, "topic", "${env:KC_TOPIC}", "tasks.max", "${env:KC_NOT_THERE}"))
	if !slices.Contains(values(v), "${env:KC_TOPIC}") {
		t.Error("the reference is not seen")
	}
	if got := faults(v); len(got) != 1 || len(got["tasks.max"]) != 2 {
		t.Errorf("errors %q", got)
	}
	// What a provider gave shows nowhere, not in an error about it either.
	v = validate(t, worker, with(source, "topic", "${env:KC_TOPIC}", "tasks.max", "${env:KC_TASKS}", "producer.override.acks", "${env:KC_TASKS}",
		"transforms", "t", "transforms.t.type", "${env:KC_TASKS}", "value.converter", "${env:KC_TASKS}", "errors.tolerance", "x${env:KC_TASKS}"))
	if text := fmt.Sprint(v.Message(), values(v), faults(v)); strings.Contains(text, "s3cret") || !strings.Contains(text, "Invalid value ${env:KC_TASKS} for configuration tasks.max") {
		t.Error(text)
	}
	for _, key := range []string{"connector.class", "consumer.override.max.poll.records"} {
		_, err := plugin.Validate(t.Context(), registry(t), worker, with(sink, key, "${env:KC_TASKS}"))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", key, err)
		}
	}
	// A configuration without a class is shown as it was sent.
	_, err := plugin.Validate(t.Context(), registry(t), worker, config.Entries{{Key: "topic", Value: text("${env:KC_TOPIC}")}})
	if want := "Connector config {topic=${env:KC_TOPIC}} contains no connector type"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTheMessageNamesEveryError(t *testing.T) {
	v := validate(t, worker, with(source, "tasks.max", "many"))
	want := "Connector configuration is invalid and contains the following 2 error(s):\n" +
		"Invalid value many for configuration tasks.max: Not a number of type INT\n" +
		"Invalid value null for configuration tasks.max: Value must be non-null\n" +
		"You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"
	if got := v.Message(); got != want { // golden rest 03-create-errors
		t.Errorf("got %s", got)
	}
}

func TestWithoutAClassThereIsNoValidation(t *testing.T) {
	for _, c := range []struct {
		cfg  config.Entries
		want string
	}{
		{config.Entries{{Key: "name", Value: text("v")}, {Key: "x", Value: nil}}, "Connector config {name=v, x=null} contains no connector type"},
		// In the order of the map that Java makes when it replaces references.
		{config.Entries{{Key: "z", Value: text("1")}, {Key: "a", Value: text("2")}, {Key: "m", Value: text("3")}, {Key: "name", Value: text("r7-g-a")}},
			"Connector config {name=r7-g-a, a=2, z=1, m=3} contains no connector type"},
		{with(source, "connector.class", "com.example.Nope"), "Failed to find any class that implements Connector and which name matches com.example.Nope, available connectors are: "},
		{with(source, "connector.class", ""), "Failed to find any class that implements Connector and which name matches , available connectors are: "},
		{with(source, "connector.class", "JsonConverter"), "Failed to find any class that implements Connector and which name matches JsonConverter"},
		{with(source, "connector.plugin.version", "[["), "Unbounded range: [["},
	} {
		_, err := plugin.Validate(t.Context(), registry(t), worker, c.cfg)
		var request *plugin.RequestError
		if !errors.As(err, &request) || !strings.HasPrefix(request.Message, c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// As a Java worker 4.2.0 answered.
func TestANegatedTransformationNeedsAPredicate(t *testing.T) {
	const want = "Config 'transforms.a.negate' was provided but there is no config 'transforms.a.predicate' defining a predicate to be negated."
	for _, class := range []string{"Filter", "Nope"} {
		for _, negate := range []*string{text("true"), text("false"), text(""), nil} {
			raw := with(source, "transforms", "a", "transforms.a.type", class).Raw()
			raw["transforms.a.negate"] = negate
			got := faults(validate(t, worker, raw.Entries()))["transforms.a.type"]
			if len(got) == 0 || got[len(got)-1] != want {
				t.Errorf("%s: errors %q", class, got)
			}
		}
	}
	if got := faults(validate(t, worker, with(source, "transforms", "a", "transforms.a.type", "Filter", "transforms.a.negate", "true", "transforms.a.predicate", "p")))["transforms.a.type"]; len(got) > 0 {
		t.Errorf("with a predicate: errors %q", got)
	}
}

// As a Java worker 4.2.0 answered.
func TestTheGroupOfASinkIsNamedFirst(t *testing.T) {
	for group, want := range map[string][]string{
		"other": {}, " workers ": {"Consumer group  workers  conflicts with Connect worker group workers"},
	} {
		first := validate(t, worker, with(sink, "consumer.override.group.id", group)).Results[0]
		if first.Key.Name != "consumer.override.group.id" || !first.Undefined || *first.Value != group || !slices.Equal(first.Errors, want) {
			t.Errorf("%s: first is %s, %q, undefined %t", group, first.Key.Name, first.Errors, first.Undefined)
		}
	}
}

func TestKeysWithoutADefinitionAreMarked(t *testing.T) {
	raw := with(source, "producer.override.foo", "x", "producer.override.acks", "1").Raw()
	raw["unheard.of"] = nil
	marked := []string{}
	for _, res := range validate(t, worker, raw.Entries()).Results {
		if res.Undefined {
			marked = append(marked, res.Key.Name)
		}
	}
	if want := []string{"unheard.of", "producer.override.foo"}; !slices.Equal(marked, want) {
		t.Errorf("marked are %q, want %q", marked, want)
	}
}

// Whatever is sent, there is an answer, its count is that of its errors, and no
// key is in it twice unless it is an override that has no definition.
func TestEveryConfigurationHasAnAnswer(t *testing.T) {
	r := registry(t)
	rapid.Check(t, func(t *rapid.T) {
		classes := []string{"FileStreamSource", "FileStreamSink", "StringConverter", "JsonConverter", "SimpleHeaderConverter", "RegexRouter", "org.apache.kafka.connect.transforms.Cast", "TopicNameMatches"}
		others := []string{"", " ", "a", "a,b", "a,a", ",", "1", "-1", "true", "(", "[", "[1,2]", "4.2.0", "latest", "${env:x}", "${", "t", "required", "interval"}
		keys := []string{
			"name", "tasks.max", "topics", "topics.regex", "topic", "key.converter", "key.converter.plugin.version", "value.converter", "value.converter.schemas.enable", "header.converter",
			"header.converter.converter.type", "transforms", "transforms.a.type", "transforms.a.plugin.version", "transforms.a.regex", "transforms.b.type", "transforms..type", "predicates",
			"predicates.a.type", "predicates.a.pattern", "connector.plugin.version", "errors.deadletterqueue.topic.name", "producer.override.acks", "consumer.override.group.id",
			"admin.override.x", "exactly.once.support", "transaction.boundary", "offsets.storage.topic", "kconnect.compatibility", "topic.creation.groups", "x",
		}
		raw := config.Raw{"connector.class": rapid.SampledFrom([]*string{text(classes[0]), text(classes[1])}).Draw(t, "class")}
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 0, 12, rapid.ID).Draw(t, "keys") {
			if raw[key] = nil; rapid.IntRange(0, 9).Draw(t, "null") > 0 {
				raw[key] = text(rapid.SampledFrom(slices.Concat(classes, others)).Draw(t, key))
			}
		}
		v, err := plugin.Validate(t.Context(), r, worker, raw.Entries())
		var request *plugin.RequestError
		if errors.As(err, &request) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		seen, lines := map[string]int{}, 0
		for _, res := range v.Results {
			lines += len(res.Errors)
			seen[res.Key.Name]++
			if n := seen[res.Key.Name]; n > 1 && (raw[res.Key.Name] != nil && res.Key.Name != "consumer.override.group.id" || n > 2) {
				t.Errorf("%s is there %d times", res.Key.Name, n)
			}
		}
		if v.ErrorCount > lines || (v.ErrorCount == 0) != (lines == 0) {
			t.Errorf("%d errors are counted, %d are there", v.ErrorCount, lines)
		}
	})
}
