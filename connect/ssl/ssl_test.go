package ssl

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kconnect/connect/config"
)

// stored returns keys for a store of testdata.
func stored(which, file, kind string, more ...string) []string {
	pairs := []string{which + ".location", filepath.Join("testdata", file), which + ".type", kind}
	if kind != "PEM" {
		pairs = append(pairs, which+".password", "store-pass")
	}
	return append(pairs, more...)
}

func configured(lists ...[]string) config.Map {
	m := config.Map{}
	for _, pairs := range lists {
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}

// shake lets two sides meet and returns what each finds fault with, and whom the server saw.
func shake(t *testing.T, server, client *tls.Config, host string) (peer string, serverErr, clientErr error) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close() //nolint:errcheck // a pipe
	defer b.Close() //nolint:errcheck // a pipe
	client = client.Clone()
	client.ServerName = host
	done := make(chan error, 1)
	s := tls.Server(a, server)
	go func() {
		err := s.HandshakeContext(t.Context())
		if err == nil {
			_, err = s.Write([]byte("."))
		}
		_ = a.Close() // a pipe
		done <- err
	}()
	c := tls.Client(b, client)
	if clientErr = c.HandshakeContext(t.Context()); clientErr == nil {
		_, clientErr = c.Read(make([]byte, 1)) // with TLS 1.3 a refusal comes after the client's handshake
	}
	_ = b.Close() // a pipe
	serverErr = <-done
	if certs := s.ConnectionState().PeerCertificates; len(certs) > 0 {
		peer = certs[0].Subject.CommonName
	}
	return peer, serverErr, clientErr
}

func TestStoresOfEveryKindAreRead(t *testing.T) {
	text := func(file string) string {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	oneLine := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	plain := text("plain.pem")
	end := strings.Index(plain, "-----BEGIN CERTIFICATE")
	keyPass := []string{"ssl.key.password", "key-pass"}
	for name, test := range map[string][2]config.Map{
		"PKCS12": {configured(stored("ssl.keystore", "server.p12", "PKCS12"), stored("ssl.truststore", "trust.p12", "PKCS12")),
			configured(stored("ssl.keystore", "client.p12", "PKCS12"), stored("ssl.truststore", "trust.p12", "PKCS12"))},
		"JKS, a key with a password of its own": {configured(stored("ssl.keystore", "server.jks", "JKS"), stored("ssl.truststore", "trust.jks", "JKS")),
			configured(stored("ssl.keystore", "client.jks", "JKS", keyPass...), stored("ssl.truststore", "trust.jks", "JKS"))},
		"PKCS12 declared as JKS, and the reverse": {configured(stored("ssl.keystore", "server.p12", "JKS"), stored("ssl.truststore", "trust.jks", "PKCS12")),
			configured(stored("ssl.keystore", "client.jks", "PKCS12", keyPass...), stored("ssl.truststore", "trust.p12", "jks"))},
		"PEM": {configured(stored("ssl.keystore", "server.p12", "PKCS12"), stored("ssl.truststore", "ca.pem", "PEM")),
			configured(stored("ssl.keystore", "plain.pem", "PEM"), stored("ssl.truststore", "ca.pem", "PEM"))},
		"PEM, an encrypted key": {configured(stored("ssl.keystore", "server.p12", "PKCS12"), stored("ssl.truststore", "ca.pem", "PEM")),
			configured(stored("ssl.keystore", "encrypted.pem", "PEM", keyPass...), stored("ssl.truststore", "ca.pem", "PEM"))},
		"PEM, inline": {configured(stored("ssl.keystore", "server.p12", "PKCS12"), []string{"ssl.truststore.type", "PEM", "ssl.truststore.certificates", oneLine(text("ca.pem"))}),
			configured([]string{"ssl.keystore.type", "PEM", "ssl.keystore.key", oneLine(plain[:end]), "ssl.keystore.certificate.chain", plain[end:]}, stored("ssl.truststore", "ca.pem", "PEM"))},
		"two keys, of which one fits": {configured(stored("ssl.keystore", "server.p12", "PKCS12"), stored("ssl.truststore", "trust.p12", "PKCS12")),
			configured(stored("ssl.keystore", "two.p12", "PKCS12"), stored("ssl.truststore", "trust.p12", "PKCS12"))},
		"PKCS12 of OpenSSL": {configured(stored("ssl.keystore", "server.p12", "PKCS12"), stored("ssl.truststore", "trust.p12", "PKCS12")),
			configured(stored("ssl.keystore", "openssl.p12", "PKCS12"), stored("ssl.truststore", "trust.p12", "PKCS12"))},
		"PKCS12 with the ciphers of old": {configured(stored("ssl.keystore", "server.p12", "PKCS12"), stored("ssl.truststore", "trust.p12", "PKCS12")),
			configured(stored("ssl.keystore", "legacy.p12", "PKCS12"), stored("ssl.truststore", "trust.p12", "PKCS12"))},
		"the key store as trust store": {configured(stored("ssl.keystore", "server.p12", "PKCS12")),
			configured(stored("ssl.keystore", "client.p12", "PKCS12"), stored("ssl.truststore", "server.p12", "PKCS12"))},
		"a JKS trust store without a password": {configured(stored("ssl.keystore", "server.p12", "PKCS12")),
			configured(stored("ssl.keystore", "client.p12", "PKCS12"), []string{"ssl.truststore.location", "testdata/trust.jks"})},
		"only TLS 1.2": {configured(stored("ssl.keystore", "server.p12", "PKCS12")),
			configured(stored("ssl.keystore", "client.p12", "PKCS12"), stored("ssl.truststore", "ca.pem", "PEM"),
				[]string{"ssl.enabled.protocols", "TLSv1.2", "ssl.cipher.suites", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"})},
	} {
		test[0]["ssl.client.auth"] = "required"
		server, _, err := Listener(test[0], "listeners.https.")
		if err != nil {
			t.Errorf("%s: server: %v", name, err)
			continue
		}
		client, err := Client(test[1])
		if err != nil {
			t.Errorf("%s: client: %v", name, err)
			continue
		}
		peer, serverErr, clientErr := shake(t, server, client, "localhost")
		if serverErr != nil || clientErr != nil || peer != "client" {
			t.Errorf("%s: server %v, client %v, seen %q", name, serverErr, clientErr, peer)
		}
	}
}

func TestBothSidesRefuseStrangers(t *testing.T) {
	good := stored("ssl.keystore", "client.p12", "PKCS12")
	trust := stored("ssl.truststore", "trust.p12", "PKCS12")
	for name, test := range map[string]struct {
		server, client []string
		host           string
		ok             bool
	}{
		"all is well":                            {nil, append(good, trust...), "127.0.0.1", true},
		"no certificate, required":               {nil, trust, "localhost", false},
		"no certificate, requested":              {[]string{"ssl.client.auth", "requested"}, trust, "localhost", true},
		"a stranger's, requested":                {append([]string{"ssl.client.auth", "requested"}, stored("ssl.truststore", "other.pem", "PEM")...), append(good, trust...), "localhost", true},
		"a certificate, none":                    {append([]string{"ssl.client.auth", "none"}, stored("ssl.truststore", "other.pem", "PEM")...), append(good, trust...), "localhost", true},
		"a stranger's, required":                 {stored("ssl.truststore", "other.pem", "PEM"), append(good, trust...), "localhost", false},
		"another host":                           {nil, append(good, trust...), "elsewhere", false},
		"another host, names unchecked":          {nil, append(append(good, trust...), "ssl.endpoint.identification.algorithm", ""), "elsewhere", true},
		"another authority":                      {nil, append(good, stored("ssl.truststore", "other.pem", "PEM")...), "localhost", false},
		"another authority, names unchecked":     {nil, append(append(good, stored("ssl.truststore", "other.pem", "PEM")...), "ssl.endpoint.identification.algorithm", ""), "localhost", false},
		"the system's authorities":               {nil, good, "localhost", false},
		"an authority that is only in the chain": {nil, append(good, stored("ssl.truststore", "openssl.p12", "PKCS12")...), "localhost", false},
	} {
		server, _, err := Listener(configured(stored("ssl.keystore", "server.p12", "PKCS12"), []string{"ssl.client.auth", "required"}, test.server), "")
		if err != nil {
			t.Fatal(err)
		}
		client, err := Client(configured(test.client))
		if err != nil {
			t.Fatal(err)
		}
		_, serverErr, clientErr := shake(t, server, client, test.host)
		if (serverErr == nil && clientErr == nil) != test.ok {
			t.Errorf("%s: server %v, client %v", name, serverErr, clientErr)
		}
	}
}

func TestWorkersTrustEachOther(t *testing.T) {
	for _, prefix := range []string{"", "listeners.https."} {
		m := config.Map{"ssl.keystore.location": "/no/such"}
		if prefix == "" {
			m = config.Map{}
		}
		for k, v := range configured(stored("ssl.keystore", "server.p12", "PKCS12"), []string{"ssl.client.auth", "required"}) {
			m[prefix+k] = v
		}
		server, client, err := Listener(m, "listeners.https.")
		if err != nil {
			t.Fatal(err)
		}
		peer, serverErr, clientErr := shake(t, server, client, "localhost")
		if serverErr != nil || clientErr != nil || peer != "server" {
			t.Errorf("%q: server %v, client %v, seen %q", prefix, serverErr, clientErr, peer)
		}
	}
}

func TestWithoutAKeyStoreThereIsNoServer(t *testing.T) {
	server, client, err := Listener(config.Map{}, "listeners.https.")
	if err != nil || server != nil || client == nil || client.RootCAs != nil {
		t.Errorf("server %v, client %v, %v", server, client, err)
	}
}

func TestRefusalsNameKeyAndRemedyAndNoSecret(t *testing.T) {
	const wrong = "wr0ng-pass"
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	jks, err := os.ReadFile("testdata/trust.jks")
	if err != nil {
		t.Fatal(err)
	}
	cut := file("cut.jks", string(jks[:len(jks)/2]))
	for i, test := range []struct {
		pairs []string
		key   string
		part  string
	}{
		{[]string{"ssl.keystore.location", "/no/such.jks"}, "ssl.keystore.location", "no such file"},
		{[]string{"ssl.keystore.location", "testdata/client.p12"}, "ssl.keystore.password", "not given: set it"},
		{[]string{"ssl.keystore.location", "testdata/client.p12", "ssl.keystore.password", wrong}, "ssl.keystore.password", "check it"},
		{[]string{"ssl.keystore.location", "testdata/legacy.p12", "ssl.keystore.password", wrong}, "ssl.keystore.password", "check it"},
		{[]string{"ssl.keystore.location", "testdata/client.jks", "ssl.keystore.password", wrong}, "ssl.keystore.password", "check it"},
		{stored("ssl.keystore", "client.jks", "JKS"), "ssl.key.password", "the private key"},
		{stored("ssl.keystore", "client.jks", "JKS", "ssl.key.password", wrong), "ssl.key.password", "check it"},
		{[]string{"ssl.truststore.location", "testdata/trust.jks", "ssl.truststore.password", wrong}, "ssl.truststore.password", "check it"},
		{[]string{"ssl.truststore.location", "testdata/trust.p12", "ssl.truststore.password", wrong}, "ssl.truststore.password", "check it"},
		{[]string{"ssl.truststore.location", cut}, "ssl.truststore.location", "damaged"},
		{[]string{"ssl.truststore.location", file("text", "nothing")}, "ssl.truststore.location", "neither a JKS nor a PKCS12"},
		{[]string{"ssl.truststore.location", "testdata/ca.pem"}, "ssl.truststore.location", "set the type"},
		{stored("ssl.keystore", "trust.p12", "PKCS12"), "ssl.keystore.location", "needs both"},
		{stored("ssl.keystore", "trust.jks", "JKS"), "ssl.keystore.location", "needs both"},
		{stored("ssl.keystore", "ca.pem", "PEM"), "ssl.keystore.location", "needs both"},
		{stored("ssl.keystore", "encrypted.pem", "PEM"), "ssl.key.password", "set it"},
		{stored("ssl.keystore", "encrypted.pem", "PEM", "ssl.key.password", wrong), "ssl.key.password", "check it"},
		{stored("ssl.keystore", "pbes1.pem", "PEM", "ssl.key.password", wrong), "ssl.keystore.location", "openssl pkcs8"},
		{stored("ssl.keystore", "plain.pem", "PEM", "ssl.keystore.password", wrong), "ssl.keystore.password", "has no password"},
		{[]string{"ssl.truststore.location", file("none.pem", "text"), "ssl.truststore.type", "PEM"}, "ssl.truststore.location", "no trusted certificate"},
		{[]string{"ssl.keystore.type", "JKS", "ssl.keystore.key", wrong}, "ssl.keystore.type", "PEM"},
		{[]string{"ssl.keystore.type", "PEM", "ssl.keystore.key", wrong, "ssl.keystore.location", "x"}, "ssl.keystore.location", "one or the other"},
		{[]string{"ssl.keystore.type", "JCEKS", "ssl.keystore.location", "x"}, "ssl.keystore.type", "keytool"},
		{[]string{"ssl.keystore.type", "PEM", "ssl.keystore.key", "-----BEGIN PRIVATE KEY-----\n" + wrong + "!\n-----END PRIVATE KEY-----"}, "ssl.keystore.key", "damaged"},
		{[]string{"ssl.keystore.type", "PEM", "ssl.keystore.key", "-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: x\n\nAAAA\n-----END RSA PRIVATE KEY-----"}, "ssl.keystore.key", "old way"},
		{[]string{"ssl.protocol", "SSLv3"}, "ssl.protocol", "TLSv1.3"},
		{[]string{"ssl.provider", "BC"}, "ssl.provider", "leave the key out"},
		{[]string{"ssl.client.auth", "maybe"}, "ssl.client.auth", "requested"},
	} {
		prefix := [2]string{"", "admin.listeners.https."}[i%2]
		m := config.Map{}
		for k, v := range configured(test.pairs) {
			m[prefix+k] = v
		}
		_, _, err := Listener(m, "admin.listeners.https.")
		var found *config.Error
		if !errors.As(err, &found) || found.Key != prefix+test.key || !strings.Contains(err.Error(), test.part) {
			t.Errorf("%v: %v, want key %s and %q", test.pairs, err, prefix+test.key, test.part)
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, wrong) || strings.Contains(text, "store-pass") {
			t.Errorf("%v: %s: shows a secret", test.pairs, text)
		}
	}
}
