package main

import (
	"fmt"
	"maps"
	"os"
	"strings"

	"kconnect/connect/config"
	"kconnect/connect/jaas"
	"kconnect/connect/kafkaconf"
)

// The environments of containers and services that ran a Java worker can stay as they are: what they tell the JVM about
// logins counts here, too.
const (
	jaasProperty = "java.security.auth.login.config"
	urlsProperty = "org.apache.kafka.sasl.oauthbearer.allowed.urls"
)

// clientPrefixes begin the settings of the Kafka clients; the worker's own have none.
var clientPrefixes = []string{"", "producer.", "consumer.", "admin."}

// systemProperty returns a property of the JVM that the environment sets for the Java worker. Of several -D options the
// last counts; KAFKA_OPTS comes after JAVA_TOOL_OPTIONS, which every JVM reads.
func systemProperty(env func(string) string, name string) string {
	found := ""
	for _, option := range strings.Fields(env("JAVA_TOOL_OPTIONS") + " " + env("KAFKA_OPTS")) {
		if value, ok := strings.CutPrefix(strings.Trim(option, `"'`), "-D"+name+"="); ok {
			found = strings.Trim(value, `"'`)
		}
	}
	return found
}

// jaasPath is the path of the JAAS file that the environment names; empty for none. Java takes a path or a URL, behind a
// second = when no other file is to count.
func jaasPath(env func(string) string) string {
	path := strings.TrimPrefix(systemProperty(env, jaasProperty), "=")
	return strings.TrimPrefix(strings.TrimPrefix(path, "file://"), "file:")
}

// inherited returns m with what a JVM would take from the environment where m does not say it itself: the login in the
// section KafkaClient of the JAAS file, and the addresses from which tokens may come.
func inherited(m config.Map, env func(string) string) (config.Map, error) {
	m = maps.Clone(m)
	if urls := systemProperty(env, urlsProperty); urls != "" && m[kafkaconf.AllowedURLs] == "" {
		m[kafkaconf.AllowedURLs] = urls
	}
	path := jaasPath(env)
	for _, prefix := range clientPrefixes {
		_, given := m[prefix+"sasl.jaas.config"]
		if given || path == "" || !strings.HasPrefix(strings.ToUpper(m[prefix+"security.protocol"]), "SASL_") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("the JAAS file of the Kafka clients: %w; write sasl.jaas.config, or mend KAFKA_OPTS", err)
		}
		sections, err := jaas.ParseFile(string(text))
		if err != nil {
			return nil, fmt.Errorf("the JAAS file %s cannot be read: %w", path, err)
		}
		if logins := sections["KafkaClient"]; len(logins) > 0 {
			m[prefix+"sasl.jaas.config"] = logins[0].String()
		}
	}
	return m, nil
}

// refuseKerberos refuses a start whose clients could never log in. Other faults under the prefixes may be overridden by
// every connector, and show where they are not.
func refuseKerberos(m config.Map) error {
	for _, prefix := range clientPrefixes {
		if m[prefix+"sasl.mechanism"] == "GSSAPI" && strings.HasPrefix(strings.ToUpper(m[prefix+"security.protocol"]), "SASL_") {
			return config.Invalid(prefix+"sasl.mechanism", "GSSAPI",
				"Kerberos is not part of this worker: use a listener of the brokers that has PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")
		}
	}
	return nil
}
