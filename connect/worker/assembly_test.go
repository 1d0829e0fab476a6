package worker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/kafkaconf"
)

func TestClientsAreMadeOfWorkerSettingsAndPermittedOverrides(t *testing.T) {
	const principal = "sasl.jaas.config"
	connector := config.Map{"producer.override.acks": "1", "producer.override." + principal: "s3cr3t", "consumer.override.x": "1"}
	for _, test := range []struct {
		policy, allowed string
		forbidden       []string
	}{
		{"", "", nil},
		{"All", "", nil},
		{"org.apache.kafka.connect.connector.policy.AllConnectorClientConfigOverridePolicy", "", nil},
		{"None", "", []string{"producer.override.acks", "producer.override." + principal}},
		{"Principal", "", []string{"producer.override.acks"}},
		{"Allowlist", "acks", []string{"producer.override." + principal}},
		{"Allowlist", "acks, sasl.jaas.config", nil},
	} {
		properties := config.Map{"bootstrap.servers": "b:1", "producer.acks": "all", "producer.linger.ms": "9", "consumer.acks": "x"}
		if test.policy != "" {
			properties["connector.client.config.override.policy"] = test.policy
			properties["connector.client.config.override.allowlist"] = test.allowed
		}
		a := assembly{w: &Worker{cfg: Config{Properties: properties}}, cfg: connector, base: base{id: group.ID{Connector: "c", Task: 3}}}
		m, err := a.client("producer.", "producer.override.", "producer")
		if test.forbidden != nil {
			if err == nil || !strings.Contains(err.Error(), "["+strings.Join(test.forbidden, " ")+"]") || strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("%s: %v", test.policy, err)
			}
			continue
		}
		want := config.Map{"bootstrap.servers": "b:1", "client.id": "connector-producer-c-3", "acks": "1", "linger.ms": "9", principal: "s3cr3t"}
		if diff := cmp.Diff(want, m); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", test.policy, err, diff)
		}
	}
}

func TestConnectorsCannotAllowThemselvesAddresses(t *testing.T) {
	a := assembly{w: &Worker{cfg: Config{Properties: config.Map{kafkaconf.AllowedURLs: "https://a"}}}, cfg: config.Map{"admin.override." + kafkaconf.AllowedURLs: "https://b"}}
	if m, err := a.client("admin.", "admin.override.", "x"); err == nil || !strings.Contains(err.Error(), "admin.override."+kafkaconf.AllowedURLs) {
		t.Errorf("%v, %v", m, err)
	}
	a.cfg = nil
	if m, err := a.client("admin.", "admin.override.", "x"); err != nil || m[kafkaconf.AllowedURLs] != "https://a" {
		t.Errorf("%v, %v", m, err)
	}
}

func TestAnUnknownOverridePolicyIsRefused(t *testing.T) {
	m := config.Map{"bootstrap.servers": "b:1", "group.id": "g", "config.storage.topic": "c", "offset.storage.topic": "o", "status.storage.topic": "s",
		"key.converter": "K", "value.converter": "V"}
	for policy, known := range map[string]bool{"Principal": true, "org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy": true, "com.example.Mine": false} {
		m["connector.client.config.override.policy"] = policy
		if _, err := Def.Parse(m); (err == nil) != known || err != nil && !strings.Contains(err.Error(), "com.example.Mine") {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

// TestATaskThatCannotBePutTogetherFailsAsInJava has the first line of the trace
// and the version of a status, as a Java 4.2 worker writes them.
func TestATaskThatCannotBePutTogetherFailsAsInJava(t *testing.T) {
	for name, test := range map[string]struct {
		config config.Map
		trace  string
	}{
		"a transformation's settings": {
			config.Map{"transforms": "s", "transforms.s.type": "Picky"},
			"org.apache.kafka.connect.errors.ConnectException: org.apache.kafka.common.config.ConfigException: No sieve configured",
		},
		"a producer's settings": {
			config.Map{"producer.override.acks": "7"},
			"org.apache.kafka.common.config.ConfigException: Invalid value 7 for configuration acks: String must be one of: all, -1, 0, 1",
		},
		"the name of a dead letter queue": {
			config.Map{"topics": "numbers", "errors.deadletterqueue.topic.name": "bad topic!"},
			"org.apache.kafka.connect.errors.ConnectException: Could not initialize dead letter queue with topic=bad topic!",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := parts{source: func() connect.SourceTask { return &counter{to: 1, batch: 1} }, config: test.config}
			if test.config["topics"] != "" {
				p.sink = func() connect.SinkTask { return &collector{} }
			}
			b := newBed(t, p)
			b.start()
			b.untilState(Failed)
			last := b.heard.last(theTask)
			if line, _, _ := strings.Cut(last.Trace, "\n"); line != test.trace || last.Version != "" {
				t.Errorf("version %q, trace %s", last.Version, line)
			}
		})
	}
}
