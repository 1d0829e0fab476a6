package registry

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"kconnect/connect"
	"kconnect/connect/config"
)

var avro = Format{Type: sr.TypeAvro, Name: "Avro"}

func client(m config.Map) (*Client, error) {
	_, c, err := Open(avro, Def(), m, false, Translation[int, int]{})
	if err != nil {
		return nil, err
	}
	return c.Client, nil
}

// echo is a registry whose schemas are the headers it was asked with.
func echo(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := r.Header.Get(name)
		_, _ = w.Write([]byte(`{"schema":"` + text + `"}`))
	}
}

func TestLogins(t *testing.T) {
	s := httptest.NewServer(echo("Authorization"))
	defer s.Close()
	const basic = "Basic dXNlcjpwYTpzcw==" // user:pa:ss
	for _, k := range []struct {
		name string
		more config.Map
		want string
	}{
		{"none", nil, ""},
		{"in the URL", config.Map{"schema.registry.url": strings.Replace(s.URL, "http://", "http://user:pa%3Ass@", 1)}, basic},
		{"user info", config.Map{"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "user:pa:ss"}, basic},
		{"user info by its older name", config.Map{"basic.auth.credentials.source": "USER_INFO", "schema.registry.basic.auth.user.info": "user:pa:ss"}, basic},
		{"inherited", config.Map{"basic.auth.credentials.source": "SASL_INHERIT", "sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required username="user" password='pa:ss';`}, basic},
		{"token", config.Map{"bearer.auth.token": "abc"}, "Bearer abc"},
		{"header", config.Map{"request.header.Authorization": "Own"}, "Own"},
	} {
		t.Run(k.name, func(t *testing.T) {
			m := config.Map{"schema.registry.url": s.URL}
			for name, v := range k.more {
				m[name] = v
			}
			c, err := client(m)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.ByID("", 1)
			if err != nil || got.Text != k.want {
				t.Errorf("%q, %v", got.Text, err)
			}
		})
	}
}

func TestTheNextRegistryIsAsked(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	s := httptest.NewServer(echo("User-Agent"))
	defer s.Close()
	c, err := client(config.Map{"schema.registry.url": gone.URL + ", " + s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.ByID("", 1); err != nil || got.Text != "kconnect" {
		t.Errorf("%q, %v", got.Text, err)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(echo("User-Agent"))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	file := filepath.Join(t.TempDir(), "trust.pem")
	if err := os.WriteFile(file, []byte(authority), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		name  string
		url   string
		more  config.Map
		fault string
	}{
		{"unknown authority", s.URL, nil, "certificate"},
		{"certificates", s.URL, config.Map{tlsPrefix + "ssl.truststore.certificates": authority, tlsPrefix + "ssl.truststore.type": "PEM"}, ""},
		{"file", s.URL, config.Map{tlsPrefix + "ssl.truststore.location": file, tlsPrefix + "ssl.truststore.type": "PEM"}, ""},
		{"another host", strings.Replace(s.URL, "127.0.0.1", "localhost", 1), config.Map{tlsPrefix + "ssl.truststore.location": file, tlsPrefix + "ssl.truststore.type": "PEM"}, "certificate"},
		{"any host", strings.Replace(s.URL, "127.0.0.1", "localhost", 1), config.Map{tlsPrefix + "ssl.truststore.location": file, tlsPrefix + "ssl.truststore.type": "PEM", tlsPrefix + "ssl.endpoint.identification.algorithm": ""}, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			m := config.Map{"schema.registry.url": k.url}
			for name, v := range k.more {
				m[name] = v
			}
			c, err := client(m)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.ByID("", 1)
			if k.fault == "" && err != nil || k.fault != "" && (err == nil || !strings.Contains(connect.Trace(err), k.fault)) {
				t.Error(err)
			}
		})
	}
}

func TestASlowRegistryIsRetriable(t *testing.T) {
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer s.Close()
	defer close(stop)
	c, err := client(config.Map{"schema.registry.url": s.URL, "http.read.timeout.ms": "20"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ByID("", 1)
	err = c.ReadError("t", err)
	if connect.KindOf(err) != connect.Retriable || connect.ClassOf(err) != connect.ClassRetriable || !strings.Contains(connect.Trace(err), "org.apache.kafka.common.errors.TimeoutException") {
		t.Error(connect.Trace(err))
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	for _, k := range []struct {
		more config.Map
		want string
	}{
		{config.Map{"schema.registry.url": "localhost:8081"}, "it is not a URL"},
		{config.Map{"schema.registry.url": "ftp://localhost"}, "it must begin with http:// or https://"},
		{config.Map{"schema.registry.url": "mock://x"}, "there is no mock registry here"},
		{config.Map{"schema.registry.url": ""}, "schema.registry.url"},
		{config.Map{"basic.auth.credentials.source": "USER_INFO"}, "USER_INFO needs it"},
		{config.Map{"basic.auth.credentials.source": "SASL_INHERIT"}, "SASL_INHERIT needs it"},
		{config.Map{"basic.auth.credentials.source": "FILE"}, "basic.auth.credentials.source"},
		{config.Map{"bearer.auth.credentials.source": "OAUTHBEARER"}, "STATIC_TOKEN"},
		{config.Map{"rule.executors": "encrypt"}, "rules of data contracts are not run here"},
		{config.Map{"context.name.strategy": "com.example.Own"}, "name the context in the URL"},
		{config.Map{"value.subject.name.strategy": "com.example.Own"}, "TopicNameStrategy"},
		{config.Map{"value.schema.id.serializer": "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer"}, "not into a header"},
		{config.Map{tlsPrefix + "ssl.truststore.location": "/nowhere.pem"}, "/nowhere.pem"},
		{config.Map{tlsPrefix + "ssl.truststore.location": "client_test.go"}, "schema.registry.ssl.truststore"},
	} {
		m := config.Map{"schema.registry.url": "http://localhost:8081"}
		for name, v := range k.more {
			m[name] = v
		}
		_, err := client(m)
		if err == nil || connect.ClassOf(err) != connect.ClassConfig || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%v: %v", k.more, err)
		}
	}
}

// TestSecretsAreNotShown holds Promise 8.
func TestSecretsAreNotShown(t *testing.T) {
	c, err := client(config.Map{"schema.registry.url": "http://user:geheim@127.0.0.1:1", "bearer.auth.token": "geheim"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ByID("", 1)
	if err == nil || strings.Contains(connect.Trace(err), "geheim") {
		t.Error(connect.Trace(err))
	}
	if _, err := client(config.Map{"schema.registry.url": "ftp://user:geheim@host"}); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Error(err)
	}
}

func TestPrefix(t *testing.T) {
	b := AppendPrefix([]byte("x"), 0x01020304)
	if string(b) != "x\x00\x01\x02\x03\x04" {
		t.Errorf("% x", b)
	}
	if id, rest, err := Split(append(b[1:], "rest"...)); id != 0x01020304 || string(rest) != "rest" || err != nil {
		t.Error(id, rest, err)
	}
	for _, b := range []string{"", "\x00\x00\x00\x00", "{\"a\":1}"} {
		if _, _, err := Split([]byte(b)); err == nil {
			t.Errorf("%q is a record", b)
		}
	}
}

func TestCloseEndsRequests(t *testing.T) {
	asked, ended := make(chan struct{}, 1), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
		close(ended)
	}))
	defer s.Close()
	c, err := client(config.Map{"schema.registry.url": s.URL})
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() {
		_, err := c.ByID("", 1)
		answer <- err
	}()
	<-asked
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := <-answer; connect.KindOf(err) != connect.Retriable {
		t.Errorf("under way: %v", err)
	}
	if _, err := c.ByID("", 2); connect.KindOf(err) != connect.Retriable {
		t.Errorf("after it: %v", err)
	}
}
