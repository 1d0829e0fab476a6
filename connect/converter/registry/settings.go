package registry

import (
	"errors"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
)

const typeKey = "converter.type"

// The headings of the reference.
const (
	groupRegistry = "Schema registry"
	groupSecurity = "Security"
)

func key(name string, t config.Type, def, doc string) config.Key {
	return config.Key{Name: name, Type: t, Default: &def, Importance: config.Low, Group: groupRegistry, Doc: doc}
}

// Flag is a key of a format: true or false, under the heading "Schemas".
func Flag(name, def, doc string) config.Key {
	k := key(name, config.Boolean, def, doc)
	k.Group = "Schemas"
	return k
}

// Keys that several formats have.
var (
	Generalized   = Flag("generalized.sum.type.support", "false", "Represent unions and enums in the way that the converters of all formats share.")
	IgnoreDefault = Flag("ignore.default.for.nullables", "false", "Write null, not the default, where a value is null.")
)

func secured(k config.Key) config.Key { //nolint:gocritic // a table of definitions
	k.Group = groupSecurity
	return k
}

func checked(k config.Key, v config.Validator) config.Key { //nolint:gocritic // a table of definitions
	k.Validate = v
	return k
}

const subjects = "io.confluent.kafka.serializers.subject."

var strategyNames = []string{subjects + "TopicNameStrategy", subjects + "RecordNameStrategy", subjects + "TopicRecordNameStrategy"}

// Def returns the table of a converter: the keys of all formats, then its own.
func Def(own ...config.Key) *config.Def {
	keys := []config.Key{
		{
			Name: typeKey, Type: config.String, Required: true, Importance: config.Low, Validate: config.OneOf("key", "value", "header"),
			Doc: "What the converter is used for: key or value. The worker sets it.",
		},
		{
			Name: "schema.registry.url", Type: config.List, Required: true, Importance: config.High, Group: groupRegistry,
			Doc: "Addresses of the schema registry, as a comma list of http:// or https:// URLs. The next one is tried when one cannot be reached.",
		},
		key("auto.register.schemas", config.Boolean, "true", "Register the schemas of what is written. Otherwise they must be there."),
		key("use.schema.id", config.Int, "-1", "Write with the schema of this id, without auto.register.schemas. -1 is none."),
		key("id.compatibility.strict", config.Boolean, "true", "Refuse to write with the schema of use.schema.id when a reader with it could not read the data's own schema."),
		key("use.latest.version", config.Boolean, "false", "Write with the newest schema of the subject, without auto.register.schemas."),
		key("latest.compatibility.strict", config.Boolean, "true", "Refuse to write with the newest schema when a reader with it could not read the data's own schema."),
		key("latest.cache.size", config.Int, "1000", "Accepted: newest schemas are remembered with the others."),
		key("latest.cache.ttl.sec", config.Int, "-1", "How long the converter takes a schema for the newest before it asks again, in seconds. -1 is until the task restarts."),
		key("normalize.schemas", config.Boolean, "false", "Let the registry disregard differences without meaning, such as the order of attributes, when it registers and looks up."),
		key("schemas.cache.config", config.Int, "1000", "How many schemas the converter remembers in each direction."),
		key("schemas.cache.size", config.Int, "1000", "Another name of schemas.cache.config; the smallest one counts."),
		key("max.schemas.per.subject", config.Int, "1000", "Another name of schemas.cache.config; the smallest one counts."),
		checked(key("key.subject.name.strategy", config.String, strategyNames[0], "How the subject of a key's schema is named: after the topic (topic-key), the record's schema, or both (topic-name)."), config.OneOf(strategyNames...)),
		checked(key("value.subject.name.strategy", config.String, strategyNames[0], "How the subject of a value's schema is named: after the topic (topic-value), the record's schema, or both (topic-name)."), config.OneOf(strategyNames...)),
		key("http.connect.timeout.ms", config.Int, "60000", "Time, in ms, that a connection to the registry may take."),
		key("http.read.timeout.ms", config.Int, "60000", "Time, in ms, that an answer of the registry may take."),
		key("proxy.host", config.String, "", "Host of the HTTP proxy between the worker and the registry."),
		key("proxy.port", config.Int, "-1", "Port of that proxy."),

		secured(checked(key("basic.auth.credentials.source", config.String, "URL", "Where user and password come from: URL (user:password@ in schema.registry.url), USER_INFO (basic.auth.user.info) or SASL_INHERIT (sasl.jaas.config beside it)."), config.OneOf("URL", "USER_INFO", "SASL_INHERIT"))),
		secured(key("basic.auth.user.info", config.Password, "", "User and password, as user:password, with USER_INFO.")),
		secured(key("schema.registry.basic.auth.user.info", config.Password, "", "The older name of basic.auth.user.info.")),
		secured(key("sasl.jaas.config", config.Password, "", "Login of a Java client, whose username and password count with SASL_INHERIT.")),
		secured(checked(key("bearer.auth.credentials.source", config.String, "STATIC_TOKEN", "Where the bearer token comes from: STATIC_TOKEN (bearer.auth.token)."), config.OneOf("STATIC_TOKEN"))),
		secured(key("bearer.auth.token", config.Password, "", "Bearer token that is sent with every request.")),
	}
	return config.NewDef(append(append(keys, tlsKeys()...), own...)...)
}

// refused are keys of the Java converters that ask for something that is not
// here; each with the values under which it asks for nothing (Promise 9).
var refused = []struct{ key, harmless, why string }{
	{"rule.executors", ",", "rules of data contracts are not run here"},
	{"rule.actions", ",", "rules of data contracts are not run here"},
	{"use.latest.with.metadata", ",", "schemas cannot be chosen by metadata here: use use.latest.version or use.schema.id"},
	{"schema.format", ",", "the registry is always asked for the schema as it was registered"},
	{"context.name.strategy", ",io.confluent.kafka.serializers.context.NullContextNameStrategy,", "name the context in the URL: https://host/contexts/:.name:"},
	{"reference.subject.name.strategy", ",io.confluent.kafka.serializers.subject.DefaultReferenceSubjectNameStrategy,DefaultReferenceSubjectNameStrategy,", "imported schemas have the name of their file as subject here"},
	{"schema.reflection", ",false,", "there are no classes to reflect on"},
	{"specific.avro.reader", ",false,", "there are no generated classes"},
	{"bearer.auth.issuer.endpoint.url", ",", "tokens are not fetched here: use STATIC_TOKEN and bearer.auth.token"},
	{"bearer.auth.custom.provider.class", ",", "Java classes cannot be loaded: use STATIC_TOKEN and bearer.auth.token"},
	{"key.schema.id.serializer", ",io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer,", "the schema's id is written in front of the record, not into a header"},
	{"value.schema.id.serializer", ",io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer,", "the schema's id is written in front of the record, not into a header"},
	{"key.schema.id.deserializer", ",io.confluent.kafka.serializers.schema.id.PrefixSchemaIdDeserializer,io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer,", "the schema's id is read from in front of the record, not from a header"},
	{"value.schema.id.deserializer", ",io.confluent.kafka.serializers.schema.id.PrefixSchemaIdDeserializer,io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer,", "the schema's id is read from in front of the record, not from a header"},
	{"generate.struct.for.nulls", ",false,", "null stays null"},
	{"schema.backup.enabled", ",false,", "backup envelopes are neither read nor written here"},
}

// parse reads the settings m of a converter by its table. The error is that
// of the first key at fault, in the class that users know.
func parse(def *config.Def, m config.Map, isKey bool) (*config.Values, error) {
	m = m.Clone()
	m[typeKey] = "value"
	if isKey {
		m[typeKey] = "key"
	}
	for _, role := range []string{"key", "value"} {
		name := role + ".subject.name.strategy"
		if s, ok := m[name]; ok && !strings.Contains(s, ".") { // the short names of managed workers
			m[name] = subjects + s
		}
	}
	for _, r := range refused {
		if v, ok := m[r.key]; ok && v != "" && !strings.Contains(r.harmless, ","+v+",") {
			return nil, settingError(config.Invalid(r.key, v, r.why))
		}
	}
	v, err := def.Parse(m)
	if err != nil {
		return nil, settingError(err)
	}
	return v, nil
}

func settingError(err error) error {
	var first *config.Error
	if errors.As(err, &first) {
		err = first
	}
	return &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: err.Error()}
}

// CacheSize returns how many schemas a converter may remember; at least one.
func CacheSize(v *config.Values) int {
	return max(1, min(v.Int("schemas.cache.config"), v.Int("schemas.cache.size"), v.Int("max.schemas.per.subject")))
}
