package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kconnect/connect/config"
	"kconnect/connect/worker"
)

func TestSystemPropertiesAreReadFromTheEnvironmentOfTheJavaWorker(t *testing.T) {
	for _, test := range []struct{ tool, opts, want string }{
		{"", "", ""},
		{"", "-Xmx1g -Djava.security.auth.login.config=/a -Dother=1", "/a"},
		{"-Djava.security.auth.login.config=/t", "", "/t"},
		{"-Djava.security.auth.login.config=/t", "-Djava.security.auth.login.config=/a -Djava.security.auth.login.config=/b", "/b"},
		{"", `"-Djava.security.auth.login.config=/a"`, "/a"},
		{"", `-Djava.security.auth.login.config="/a"`, "/a"},
		{"", "-Djava.security.auth.login.configuration=/a", ""},
	} {
		env := map[string]string{"JAVA_TOOL_OPTIONS": test.tool, "KAFKA_OPTS": test.opts}
		if got := systemProperty(func(name string) string { return env[name] }, jaasProperty); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// settings are a worker's configuration with the smallest set of keys and more.
func settings(t *testing.T, pairs ...string) (config.Map, *config.Values) {
	t.Helper()
	m := config.Map{"bootstrap.servers": "b:1", "group.id": "g", "config.storage.topic": "c", "offset.storage.topic": "o", "status.storage.topic": "s",
		"key.converter": "K", "value.converter": "V"}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	v, err := worker.Def.Parse(m)
	if err != nil {
		t.Fatal(err)
	}
	return m, v
}

const sslData = "../../connect/ssl/testdata/"

func TestListenersHaveTheirOwnTLS(t *testing.T) {
	m, v := settings(t, "listeners", "HTTPS://:8443", "ssl.keystore.location", "/of/brokers",
		"listeners.https.ssl.keystore.location", sslData+"server.p12", "listeners.https.ssl.keystore.password", "store-pass",
		"admin.listeners", "https://:9443", "admin.listeners.https.ssl.keystore.location", sslData+"server.jks", "admin.listeners.https.ssl.keystore.password", "store-pass")
	c, err := restConfig(m, v, zap.NewNop())
	if err != nil || c.TLS == nil || c.AdminTLS == nil || c.ClientTLS == nil {
		t.Fatalf("%+v, %v", c, err)
	}
	delete(m, "listeners.https.ssl.keystore.location")
	if c, err = restConfig(m, v, zap.NewNop()); err != nil || c.TLS != nil {
		t.Errorf("one key with the prefix leaves those without it out: %v, %v", c.TLS, err)
	}
	delete(m, "listeners.https.ssl.keystore.password")
	if _, err = restConfig(m, v, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "/of/brokers") {
		t.Errorf("without a key with the prefix those without it count: %v", err)
	}
	m, v = settings(t, "ssl.keystore.location", "/of/brokers")
	if _, err := restConfig(m, v, zap.NewNop()); err != nil {
		t.Errorf("http listeners need no key store: %v", err)
	}
}

func TestUsersAreReadWhereTheJavaWorkerHasThem(t *testing.T) {
	dir := t.TempDir()
	jaas := filepath.Join(dir, "jaas.conf")
	text := `KafkaConnect { org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file="` + filepath.ToSlash(filepath.Join(dir, "users")) + `"; };`
	for file, content := range map[string]string{jaas: text, filepath.Join(dir, "users"): "a=b\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		class, opts, key string
		fault            string
	}{
		"no extension":         {"", "-Djava.security.auth.login.config=" + jaas, "", "nobody"},
		"KAFKA_OPTS":           {basicAuthExtension, "-Djava.security.auth.login.config=" + jaas, "", ""},
		"a URL, the only file": {"BasicAuthSecurityRestExtension", "-Djava.security.auth.login.config==file://" + filepath.ToSlash(jaas), "", ""},
		"our key":              {basicAuthExtension, "-Djava.security.auth.login.config=/no/such", jaas, ""},
		"no file":              {basicAuthExtension, "", "", "KAFKA_OPTS"},
		"a file that is gone":  {basicAuthExtension, "", "/no/such", "/no/such"},
		"another extension":    {basicAuthExtension + ",com.example.Guard", "", jaas, "com.example.Guard"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KAFKA_OPTS", test.opts)
			t.Setenv("JAVA_TOOL_OPTIONS", "")
			pairs := []string{"rest.extension.classes", test.class}
			if test.key != "" {
				pairs = append(pairs, jaasKey, test.key)
			}
			m, v := settings(t, pairs...)
			c, err := restConfig(m, v, zap.NewNop())
			switch {
			case test.fault == "nobody":
				if err != nil || c.Auth != nil {
					t.Errorf("%v, %v", c.Auth, err)
				}
			case test.fault == "":
				if err != nil || c.Auth == nil {
					t.Errorf("%v, %v", c.Auth, err)
				}
			case err == nil || !strings.Contains(err.Error(), test.fault):
				t.Errorf("%v, want %q", err, test.fault)
			}
		})
	}
}

func TestClientsInheritTheLoginsOfTheEnvironment(t *testing.T) {
	jaas := filepath.Join(t.TempDir(), "jaas.conf")
	if err := os.WriteFile(jaas, []byte(`KafkaClient { a.PlainLoginModule required username="u" password="p\"w"; };`), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) string {
		if name != "KAFKA_OPTS" {
			return ""
		}
		return "-Djava.security.auth.login.config=" + jaas + " -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=https://a,https://b"
	}
	m := config.Map{"security.protocol": "sasl_ssl", "producer.security.protocol": "SASL_SSL", "producer.sasl.jaas.config": "own", "consumer.security.protocol": "SSL"}
	got, err := inherited(m, env)
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(m)
	want["sasl.jaas.config"] = `a.PlainLoginModule required password="p\"w" username="u";`
	want["kconnect.sasl.oauthbearer.allowed.urls"] = "https://a,https://b"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	m["kconnect.sasl.oauthbearer.allowed.urls"] = "https://c"
	if got, err := inherited(m, env); err != nil || got["kconnect.sasl.oauthbearer.allowed.urls"] != "https://c" {
		t.Errorf("our own key counts first: %v, %v", got, err)
	}
	if err := os.Remove(jaas); err != nil {
		t.Fatal(err)
	}
	if _, err := inherited(m, env); err == nil || !strings.Contains(err.Error(), jaas) {
		t.Errorf("no file: %v", err)
	}
	if _, err := inherited(config.Map{}, env); err != nil {
		t.Errorf("nobody needs the file: %v", err)
	}
}

func TestKerberosIsRefusedAtTheStartUnderEveryPrefix(t *testing.T) {
	for _, prefix := range []string{"", "producer.", "consumer.", "admin."} {
		m := config.Map{prefix + "security.protocol": "SASL_PLAINTEXT", prefix + "sasl.mechanism": "GSSAPI"}
		if err := refuseKerberos(m); err == nil || !strings.Contains(err.Error(), prefix+"sasl.mechanism") || !strings.Contains(err.Error(), "SCRAM-SHA-512") {
			t.Errorf("%q: %v", prefix, err)
		}
		m[prefix+"security.protocol"] = "PLAINTEXT"
		if err := refuseKerberos(m); err != nil {
			t.Errorf("%q: not switched on: %v", prefix, err)
		}
	}
}
