// Package security runs workers whose every connection is protected: those of clients to a broker of the Java
// distribution with TLS and each login, and those to and between their REST APIs.
package security

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"kconnect/connect/config"
	"kconnect/connect/ssl"
	"kconnect/test/harness"
	"kconnect/test/harness/service"
)

// stores are the recorded key and trust stores of connect/ssl.
func stores(t *testing.T, file string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "connect", "ssl", "testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(path)
}

// under returns properties with a prefix.
func under(prefix string, properties map[string]string) map[string]string {
	m := make(map[string]string)
	for k, v := range properties {
		m[prefix+k] = v
	}
	return m
}

func merged(all ...map[string]string) map[string]string {
	m := make(map[string]string)
	for _, one := range all {
		maps.Copy(m, one)
	}
	return m
}

// provider issues tokens as an OAuth 2 provider does, over TLS.
type provider struct {
	key    *ecdsa.PrivateKey
	url    string
	jwks   string // the file with its public key
	issued atomic.Int32
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := new(provider)
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	public, err := p.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	set := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","kid":"one","use":"sig","alg":"ES256","x":"%s","y":"%s"}]}`, b64(public[1:33]), b64(public[33:]))
	p.jwks = filepath.ToSlash(filepath.Join(t.TempDir(), "jwks.json"))
	if err := os.WriteFile(p.jwks, []byte(set), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(p.answer))
	if server.TLS, _, err = ssl.Listener(config.Map{"ssl.keystore.location": stores(t, "server.p12"), "ssl.keystore.password": "store-pass"}, "x."); err != nil {
		t.Fatal(err)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	p.url = server.URL + "/token"
	return p
}

func (p *provider) answer(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id != "kconnect" || secret != "client secret" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "kafka" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
		return
	}
	p.issued.Add(1)
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": p.token("kconnect"), "token_type": "Bearer"})
}

// token is one for a subject that lasts an hour.
func (p *provider) token(subject string) string {
	now := time.Now().Unix()
	signed := b64([]byte(`{"alg":"ES256","kid":"one","typ":"JWT"}`)) + "." +
		b64(fmt.Appendf(nil, `{"iss":"https://provider","aud":"brokers","sub":%q,"scope":"kafka","iat":%d,"exp":%d}`, subject, now, now+3600))
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, digest[:])
	if err != nil {
		panic(err) // no randomness
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + b64(signature)
}

const (
	plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
	scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
	oauth = "org.apache.kafka.common.security.oauthbearer."
)

// broker starts one with a listener for each way to log in.
func broker(t *testing.T, p *provider) *harness.Kafka {
	t.Helper()
	k := harness.PrivateBrokerWith(t, service.BrokerOptions{
		JVM: []string{"-D" + "org.apache.kafka.sasl.oauthbearer.allowed.urls=file:" + p.jwks},
		Properties: map[string]string{
			"ssl.keystore.location": stores(t, "server.p12"), "ssl.keystore.type": "PKCS12", "ssl.keystore.password": "store-pass",
			"ssl.truststore.location": stores(t, "trust.p12"), "ssl.truststore.type": "PKCS12", "ssl.truststore.password": "store-pass",
		},
		Listeners: []service.Listener{
			{Name: "MTLS", Protocol: "SSL", Properties: map[string]string{"ssl.client.auth": "required"}},
			{Name: "PASSWORD", Protocol: "SASL_SSL", Properties: map[string]string{
				"sasl.enabled.mechanisms": "PLAIN", "plain.sasl.jaas.config": plain + ` required user_alice="pl;ain";`,
			}},
			{Name: "SALTED", Protocol: "SASL_SSL", Properties: map[string]string{
				"sasl.enabled.mechanisms":                 "SCRAM-SHA-256,SCRAM-SHA-512",
				"scram-sha-256.sasl.jaas.config":          scram + " required;",
				"scram-sha-512.sasl.jaas.config":          scram + " required;",
				"scram-sha-512.connections.max.reauth.ms": "2000", // clients have to log in again and again
			}},
			{Name: "TOKEN", Protocol: "SASL_SSL", Properties: map[string]string{
				"sasl.enabled.mechanisms":                        "OAUTHBEARER",
				"oauthbearer.sasl.jaas.config":                   oauth + "OAuthBearerLoginModule required;",
				"oauthbearer.sasl.server.callback.handler.class": oauth + "OAuthBearerValidatorCallbackHandler",
				"oauthbearer.sasl.oauthbearer.jwks.endpoint.url": "file:" + p.jwks,
				"oauthbearer.sasl.oauthbearer.expected.audience": "brokers",
				"oauthbearer.sasl.oauthbearer.expected.issuer":   "https://provider",
				"oauthbearer.connections.max.reauth.ms":          "2000",
			}},
		},
	})
	admin := k.Admin(t)
	altered, err := admin.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{
		{User: "bob", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "s256"},
		{User: "carol", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: "s512"},
	})
	if err == nil {
		err = altered.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestConnectionsToTheBrokerAreProtected(t *testing.T) {
	p := newProvider(t)
	k := broker(t, p)
	t.Run("all of a worker", func(t *testing.T) { everyLogin(t, p, k) })
	t.Run("a connector's own", func(t *testing.T) { ownOverrides(t, k) })
	t.Run("refused ones", func(t *testing.T) { refusals(t, k) })
}

// everyLogin has the group, the internal topics, producers, consumers and admin clients of a worker log in, each way in
// turn, while lines go from a file through a topic into a file.
func everyLogin(t *testing.T, p *provider, k *harness.Kafka) {
	token := filepath.ToSlash(filepath.Join(t.TempDir(), "token"))
	if err := os.WriteFile(token, []byte(p.token("from-a-file")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := filepath.ToSlash(filepath.Join(t.TempDir(), "secrets.properties"))
	if err := os.WriteFile(secrets, []byte("password=pl;ain\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	trust := map[string]string{"ssl.truststore.location": stores(t, "trust.jks"), "ssl.truststore.password": "store-pass"}
	login := func(mechanism, jaas string) map[string]string {
		return merged(trust, map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.jaas.config": jaas})
	}
	bearer := func(jaas string, more map[string]string) map[string]string {
		return merged(login("OAUTHBEARER", oauth+"OAuthBearerLoginModule required "+jaas+";"),
			map[string]string{"sasl.login.callback.handler.class": oauth + "OAuthBearerLoginCallbackHandler"}, more)
	}
	for _, test := range []struct {
		name, listener string
		client         map[string]string
		worker         map[string]string
		opts           string
		again          bool // the broker wants a new login every two seconds: a connection has to get over that
	}{
		{name: "certificate of a JKS store", listener: "MTLS", client: merged(trust, map[string]string{"security.protocol": "SSL",
			"ssl.keystore.location": stores(t, "client.jks"), "ssl.keystore.password": "store-pass", "ssl.key.password": "key-pass"})},
		{name: "certificate of a PKCS12 store", listener: "MTLS", client: map[string]string{"security.protocol": "SSL",
			"ssl.truststore.location": stores(t, "trust.p12"), "ssl.truststore.password": "store-pass", "ssl.truststore.type": "PKCS12",
			"ssl.keystore.location": stores(t, "client.p12"), "ssl.keystore.password": "store-pass", "ssl.keystore.type": "PKCS12"}},
		{name: "certificate in PEM", listener: "MTLS", client: map[string]string{"security.protocol": "SSL",
			"ssl.truststore.location": stores(t, "ca.pem"), "ssl.truststore.type": "PEM",
			"ssl.keystore.location": stores(t, "encrypted.pem"), "ssl.keystore.type": "PEM", "ssl.key.password": "key-pass"}},
		{name: "PLAIN, the password from a provider", listener: "PASSWORD", client: login("PLAIN", plain+` required username="alice" password="${file:`+secrets+`:password}";`),
			worker: map[string]string{"config.providers": "file", "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider"}},
		{name: "SCRAM-SHA-256", listener: "SALTED", client: login("SCRAM-SHA-256", scram+` required username="bob" password="s256";`)},
		{name: "SCRAM-SHA-512", listener: "SALTED", client: login("SCRAM-SHA-512", scram+` required username="carol" password="s512";`), again: true},
		{name: "token of a provider", listener: "TOKEN",
			client: bearer(`clientId="kconnect" clientSecret="client secret" scope="kafka" ssl.truststore.location="`+stores(t, "trust.p12")+`" ssl.truststore.password="store-pass"`,
				map[string]string{"sasl.oauthbearer.token.endpoint.url": p.url}),
			worker: map[string]string{"kconnect.sasl.oauthbearer.allowed.urls": p.url}, again: true},
		{name: "token of a file", listener: "TOKEN", client: bearer("", map[string]string{"sasl.oauthbearer.token.endpoint.url": "file:" + token}),
			opts: "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file:" + token},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KAFKA_OPTS", test.opts)
			w := harness.Worker(t, merged(map[string]string{"bootstrap.servers": k.Listener(t, test.listener)}, test.worker,
				test.client, under("producer.", test.client), under("consumer.", test.client), under("admin.", test.client)))
			began := time.Now()
			carry(t, w)
			if test.again {
				harness.Eventually(t, "the broker wants new logins", func() (bool, string) { return time.Since(began) > 5*time.Second, "" })
				carry(t, w)
			}
			if code := w.Term(t); code != 0 {
				t.Errorf("the worker ended with status %d", code)
			}
			for _, secret := range []string{"pl;ain", "s256", "s512", "client secret", "store-pass", "key-pass"} {
				if strings.Contains(w.Log(t), secret) {
					t.Errorf("the log shows %q", secret)
				}
			}
		})
	}
	if p.issued.Load() == 0 {
		t.Error("nobody asked the provider for a token")
	}
}

// refusals has workers that the broker does not accept, or that do not accept the broker: the start ends, with the reason.
func refusals(t *testing.T, k *harness.Kafka) {
	trust := map[string]string{"security.protocol": "SASL_SSL", "ssl.truststore.location": stores(t, "ca.pem"), "ssl.truststore.type": "PEM"}
	for _, test := range []struct {
		name, listener string
		client         map[string]string
		says           string
	}{
		{"a wrong password", "SALTED", merged(trust, map[string]string{"sasl.mechanism": "SCRAM-SHA-512", "sasl.jaas.config": scram + ` required username="carol" password="wr0ng";`}), "sasl.jaas.config"},
		{"a mechanism that is off", "SALTED", merged(trust, map[string]string{"sasl.mechanism": "PLAIN", "sasl.jaas.config": plain + ` required username="alice" password="wr0ng";`}), "sasl.mechanism"},
		{"Kerberos", "SALTED", trust, "GSSAPI"},
		{"another authority", "MTLS", map[string]string{"security.protocol": "SSL", "ssl.truststore.location": stores(t, "other.pem"), "ssl.truststore.type": "PEM"}, "ssl.truststore"},
	} {
		t.Run(test.name, func(t *testing.T) {
			log, code := harness.FailedStart(t, merged(map[string]string{"bootstrap.servers": k.Listener(t, test.listener)}, test.client))
			if code == 0 || !strings.Contains(log, test.says) || strings.Contains(log, "wr0ng") {
				t.Errorf("status %d, %s", code, log)
			}
		})
	}
}

// carry lets lines go from a file through a topic into a file.
func carry(t *testing.T, w *harness.Connect) {
	t.Helper()
	dir, topic := t.TempDir(), harness.Name("lines")
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	lines := "one\ntwo\nthree\n"
	if err := os.WriteFile(in, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Create(t, topic+"-source", map[string]string{"connector.class": "FileStreamSource", "file": in, "topic": topic,
		"topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1"})
	w.Create(t, topic+"-sink", map[string]string{"connector.class": "FileStreamSink", "file": out, "topics": topic,
		"errors.tolerance": "all", "errors.deadletterqueue.topic.name": topic + "-dlq", "errors.deadletterqueue.topic.replication.factor": "1",
		"consumer.override.metadata.max.age.ms": "500"})
	harness.Eventually(t, "the lines are in the other file", func() (bool, string) {
		b, err := os.ReadFile(out)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(b) == lines, fmt.Sprintf("%q", b)
	})
}

// ownOverrides has a worker whose producers have no login but that of the connector.
func ownOverrides(t *testing.T, k *harness.Kafka) {
	trust := map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "ssl.truststore.location": stores(t, "ca.pem"), "ssl.truststore.type": "PEM"}
	w := harness.Worker(t, merged(map[string]string{"bootstrap.servers": k.Listener(t, "PASSWORD"), "connector.client.config.override.policy": "Principal",
		"sasl.jaas.config": plain + ` required username="alice" password="pl;ain";`}, trust, under("producer.", trust), under("admin.", trust)))
	dir, topic := t.TempDir(), harness.Name("lines")
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source := map[string]string{"connector.class": "FileStreamSource", "file": filepath.Join(dir, "in"), "topic": topic}
	w.Create(t, topic, source)
	failed := w.WaitStatus(t, topic, "FAILED", 1)
	if trace := failed.Tasks[0].Trace; !strings.Contains(trace, "sasl.jaas.config") || !strings.Contains(trace, "PlainLoginModule required") {
		t.Errorf("without a login: %s", trace)
	}
	source["producer.override.sasl.jaas.config"] = plain + ` required username="alice" password="pl;ain";`
	source["admin.override.sasl.jaas.config"] = source["producer.override.sasl.jaas.config"]
	body, err := json.Marshal(source)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := w.Do(t, http.MethodPut, "/connectors/"+topic+"/config", string(body)); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	k.Consume(t, topic, 1)
}

// api calls a REST API with a certificate and a user.
type api struct {
	http.RoundTripper
	user, password string
}

func (a api) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.user != "" {
		r = r.Clone(r.Context())
		r.SetBasicAuth(a.user, a.password)
	}
	return a.RoundTripper.RoundTrip(r)
}

// TestWorkersServeAndCallEachOtherOverTLSAskingForUsers has two workers of one group that want certificates and users,
// and a request that one of them has to forward.
func TestWorkersServeAndCallEachOtherOverTLSAskingForUsers(t *testing.T) {
	dir := t.TempDir()
	users := filepath.ToSlash(filepath.Join(dir, "users.properties"))
	jaas := filepath.Join(dir, "jaas.conf")
	for file, text := range map[string]string{users: "alice=wonder land\n",
		jaas: `KafkaConnect { org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file="` + users + `"; };`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KAFKA_OPTS", "-Djava.security.auth.login.config="+jaas)
	client, err := ssl.Client(config.Map{"ssl.truststore.location": stores(t, "ca.pem"), "ssl.truststore.type": "PEM",
		"ssl.keystore.location": stores(t, "client.p12"), "ssl.keystore.password": "store-pass"})
	if err != nil {
		t.Fatal(err)
	}
	through := func(t *tls.Config, user, password string) http.RoundTripper {
		return api{&http.Transport{TLSClientConfig: t, DisableKeepAlives: true}, user, password}
	}
	properties := harness.Properties{
		"listeners.https.ssl.keystore.location": stores(t, "server.p12"), "listeners.https.ssl.keystore.password": "store-pass",
		"listeners.https.ssl.client.auth": "required", "rest.advertised.listener": "https",
		"rest.extension.classes": "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
	}
	var workers [2]*harness.Connect
	for i := range workers {
		if i > 0 {
			properties = harness.Join(workers[0])
		}
		port, err := service.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		properties["listeners"] = "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		workers[i] = harness.WorkerThrough(t, properties, through(client, "alice", "wonder land"))
	}
	lone := filepath.Join(dir, "in")
	if err := os.WriteFile(lone, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// One of the two is not the leader: it forwards what a client asks, and sends the tasks of its connectors to the leader
	// in signed requests without a user.
	var names [4]string
	for i := range names {
		names[i] = harness.Name("forwarded")
		workers[i%2].Create(t, names[i], map[string]string{"connector.class": "FileStreamSource", "file": lone, "topic": names[i]})
	}
	for i, name := range names {
		workers[0].WaitStatus(t, name, "RUNNING", 1)
		if status, _, body := workers[(i+1)%2].Do(t, http.MethodDelete, "/connectors/"+name, ""); status != http.StatusNoContent {
			t.Errorf("DELETE: %d %s", status, body)
		}
	}
	get := func(path string, t *tls.Config, user, password string) (int, error) {
		res, err := (&http.Client{Transport: through(t, user, password), Timeout: 30 * time.Second}).Get(workers[0].URL + path) //nolint:noctx // bounded
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	if status, err := get("/connectors", client, "alice", "wrong"); status != http.StatusUnauthorized || err != nil {
		t.Errorf("a wrong password: %d, %v", status, err)
	}
	if status, err := get("/health", client, "", ""); status != http.StatusUnauthorized || err != nil {
		t.Errorf("no user: %d, %v", status, err)
	}
	nobody := client.Clone()
	nobody.Certificates = nil
	if status, err := get("/connectors", nobody, "alice", "wonder land"); err == nil {
		t.Errorf("no certificate: %d", status)
	}
}
