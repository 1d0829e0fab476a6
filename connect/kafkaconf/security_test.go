package kafkaconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"kconnect/connect/config"
)

// ping connects with a configuration.
func ping(t *testing.T, m config.Map) error {
	t.Helper()
	opts, err := Common(m)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, opts).Ping(t.Context())
}

func TestUsersLogIn(t *testing.T) {
	addr := fake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", "pl;ain"), kfake.Superuser("SCRAM-SHA-256", "bob", "s256"), kfake.Superuser("SCRAM-SHA-512", "carol", "s512"))
	login := func(mechanism, module, user, password string) error {
		return ping(t, with("bootstrap.servers", addr, "security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", mechanism, "default.api.timeout.ms", "3000",
			"sasl.jaas.config", fmt.Sprintf("org.apache.kafka.common.security.%s required username=%q password=%q;", module, user, password)))
	}
	for _, err := range []error{
		login("PLAIN", "plain.PlainLoginModule", "alice", "pl;ain"),
		login("SCRAM-SHA-256", "scram.ScramLoginModule", "bob", "s256"),
		login("SCRAM-SHA-512", "scram.ScramLoginModule", "carol", "s512"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if err := login("PLAIN", "plain.PlainLoginModule", "alice", secret); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a wrong password: %v", err)
	}
}

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	a.cert, a.key, a.pem, _ = a.issue(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue makes a certificate and its key; of an authority that has none yet, its own.
func (a *authority) issue(template *x509.Certificate) (cert *x509.Certificate, key *ecdsa.PrivateKey, certPEM, keyPEM string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: "kafkaconf"}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		a.t.Fatal(err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k}))
}

func TestTLSChecksBothSides(t *testing.T) {
	ca := newAuthority(t)
	broker := func(host string) string {
		_, _, cert, key := ca.issue(&x509.Certificate{DNSNames: []string{host}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		clients := x509.NewCertPool()
		clients.AddCert(ca.cert)
		addr := fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert}))
		return "localhost" + addr[strings.LastIndex(addr, ":"):]
	}
	right, wrong := broker("localhost"), broker("elsewhere")
	_, _, cert, key := ca.issue(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	dir := t.TempDir()
	store, trust := filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")
	for file, text := range map[string]string{store: key + cert, trust: "a comment\n" + ca.pem} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	oneLine := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	files := []string{"security.protocol", "SSL", "default.api.timeout.ms", "2000", "ssl.truststore.type", "PEM", "ssl.truststore.location", trust, "ssl.keystore.type", "PEM", "ssl.keystore.location", store}
	inline := []string{"security.protocol", "ssl", "default.api.timeout.ms", "2000", "ssl.truststore.type", "PEM", "ssl.truststore.certificates", oneLine(ca.pem),
		"ssl.keystore.type", "PEM", "ssl.keystore.key", oneLine(key), "ssl.keystore.certificate.chain", cert}
	for name, test := range map[string]struct {
		pairs []string
		ok    bool
	}{
		"files":                       {append(slices.Clone(files), "bootstrap.servers", right), true},
		"inline":                      {append(slices.Clone(inline), "bootstrap.servers", right), true},
		"only TLS 1.2":                {append(slices.Clone(files), "bootstrap.servers", right, "ssl.enabled.protocols", "TLSv1.2", "ssl.cipher.suites", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), true},
		"a certificate for elsewhere": {append(slices.Clone(files), "bootstrap.servers", wrong), false},
		"host names unchecked":        {append(slices.Clone(files), "bootstrap.servers", wrong, "ssl.endpoint.identification.algorithm", ""), true},
		"nobody's certificate":        {[]string{"security.protocol", "SSL", "default.api.timeout.ms", "2000", "ssl.truststore.type", "PEM", "ssl.truststore.location", trust, "bootstrap.servers", right}, false},
		"an unknown authority":        {[]string{"security.protocol", "SSL", "default.api.timeout.ms", "2000", "ssl.keystore.type", "PEM", "ssl.keystore.location", store, "bootstrap.servers", right}, false},
		"an unknown authority, host names unchecked": {[]string{"security.protocol", "SSL", "default.api.timeout.ms", "2000", "ssl.endpoint.identification.algorithm", "",
			"ssl.keystore.type", "PEM", "ssl.keystore.location", store, "bootstrap.servers", right}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := ping(t, with(test.pairs...)); (err == nil) != test.ok {
				t.Errorf("Ping: %v", err)
			}
		})
	}
}
