package worker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
