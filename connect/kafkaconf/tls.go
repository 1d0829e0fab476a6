package kafkaconf

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/connect/config"
)

var tlsKeys = config.NewDef(
	key("ssl.protocol", config.String, "TLSv1.3", config.OneOf("TLS", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
	key("ssl.enabled.protocols", config.List, "TLSv1.2,TLSv1.3", nil),
	key("ssl.cipher.suites", config.List, "", nil),
	key("ssl.endpoint.identification.algorithm", config.String, "https", config.OneOfFold("https", "")),
	key("ssl.truststore.type", config.String, "JKS", nil),
	key("ssl.truststore.location", config.String, "", nil),
	key("ssl.truststore.password", config.Password, "", nil),
	key("ssl.truststore.certificates", config.Password, "", nil),
	key("ssl.keystore.type", config.String, "JKS", nil),
	key("ssl.keystore.location", config.String, "", nil),
	key("ssl.keystore.password", config.Password, "", nil),
	key("ssl.keystore.key", config.Password, "", nil),
	key("ssl.keystore.certificate.chain", config.Password, "", nil),
	key("ssl.key.password", config.Password, "", nil),
	key("ssl.engine.factory.class", config.Class, "", nil),
	key("ssl.provider", config.String, "", nil),
)

// security adds TLS and SASL as security.protocol wants it. Java ignores the keys of what is not switched on; so do we.
func (c *client) security() error {
	protocol := strings.ToUpper(c.String("security.protocol"))
	if strings.HasSuffix(protocol, "SSL") {
		t, err := c.tls()
		if err != nil {
			return err
		}
		c.add(kgo.DialTLSConfig(t))
	}
	if strings.HasPrefix(protocol, "SASL_") {
		return c.sasl()
	}
	return nil
}

var tlsVersions = map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}

func (c *client) tls() (*tls.Config, error) {
	for _, key := range []string{"ssl.engine.factory.class", "ssl.provider"} {
		if v := c.String(key); v != "" {
			return nil, config.Invalid(key, v, "this worker has its own TLS: leave the key out")
		}
	}
	t := &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS10}
	for _, name := range c.List("ssl.enabled.protocols") {
		version, ok := tlsVersions[name]
		if !ok {
			return nil, config.Invalid("ssl.enabled.protocols", name, "use TLSv1.2 and TLSv1.3")
		}
		t.MinVersion, t.MaxVersion = min(t.MinVersion, version), max(t.MaxVersion, version)
	}
	if t.MinVersion > t.MaxVersion {
		return nil, config.Invalid("ssl.enabled.protocols", "", "no protocol is left: use TLSv1.2 and TLSv1.3")
	}
	if err := c.ciphers(t); err != nil {
		return nil, err
	}

	trusted, err := c.pem("ssl.truststore", "certificates")
	if err != nil {
		return nil, err
	}
	if trusted != nil { // otherwise what the system trusts
		t.RootCAs = x509.NewCertPool()
		found := false
		for _, b := range trusted {
			if b.Type != "CERTIFICATE" {
				continue
			}
			cert, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				return nil, fmt.Errorf("a certificate of ssl.truststore: %w", err)
			}
			t.RootCAs.AddCert(cert)
			found = true
		}
		if !found {
			return nil, errors.New("ssl.truststore holds no certificate: give it those of the authority that signed the brokers', as PEM")
		}
	}
	own, err := c.pem("ssl.keystore", "key", "certificate.chain")
	if err != nil {
		return nil, err
	}
	if own != nil {
		cert, err := keyPair(own)
		if err != nil {
			return nil, err
		}
		t.Certificates = []tls.Certificate{cert}
	}
	if c.String("ssl.endpoint.identification.algorithm") == "" {
		withoutHostNames(t)
	}
	return t, nil
}

func (c *client) ciphers(t *tls.Config) error {
	suites := slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites())
	for _, name := range c.List("ssl.cipher.suites") {
		i := slices.IndexFunc(suites, func(s *tls.CipherSuite) bool { return s.Name == name })
		if i < 0 {
			return config.Invalid("ssl.cipher.suites", name, "this worker does not know the cipher suite: leave it out")
		}
		t.CipherSuites = append(t.CipherSuites, suites[i].ID) // of TLS 1.3 all are on; naming one changes nothing
	}
	return nil
}

// pem reads a store: a file of PEM blocks, or the values of inline keys. nil when neither is configured.
func (c *client) pem(store string, inline ...string) ([]*pem.Block, error) {
	location, kind := c.String(store+".location"), c.String(store+".type")
	var text string
	for _, key := range inline {
		text += c.Password(store+"."+key).Reveal() + "\n"
	}
	given := strings.TrimSpace(text) != ""
	switch {
	case !given && location == "":
		return nil, nil
	case !strings.EqualFold(kind, "PEM"):
		return nil, config.Invalid(store+".type", kind, "this worker reads stores of type PEM: convert it "+
			"(keytool -importkeystore -deststoretype PKCS12, then openssl pkcs12 -nodes) and set "+store+".type=PEM")
	case given && location != "":
		return nil, config.Invalid(store+".location", location, "there are inline certificates or keys as well: use one or the other")
	case !given:
		b, err := os.ReadFile(location)
		if err != nil {
			return nil, fmt.Errorf("%s.location: %w", store, err)
		}
		text = string(b)
	}
	out, err := blocks(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", store, err)
	}
	return out, nil
}

// A value of a properties file often has its line breaks turned into blanks, which encoding/pem does not read.
var block = regexp.MustCompile(`-+BEGIN ([A-Z0-9 ]+?)-+([^-]*)-+END [A-Z0-9 ]+?-+`)

func blocks(text string) ([]*pem.Block, error) {
	out := []*pem.Block{}
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m[2]), ""))
		if err != nil {
			return nil, fmt.Errorf("PEM block %d (%s) is damaged: copy it anew", len(out)+1, m[1])
		}
		out = append(out, &pem.Block{Type: m[1], Bytes: b})
	}
	return out, nil
}

// keyPair makes the worker's own certificate of a key and the chain that begins with it.
func keyPair(store []*pem.Block) (tls.Certificate, error) {
	var key, chain []byte
	for _, b := range store {
		switch {
		case b.Type == "ENCRYPTED PRIVATE KEY":
			return tls.Certificate{}, errors.New("ssl.keystore: the private key is encrypted, which this worker cannot undo: " +
				"decrypt it (openssl pkey -in key.pem -out plain.pem) and protect the file by its permissions")
		case strings.HasSuffix(b.Type, "PRIVATE KEY"):
			key = pem.EncodeToMemory(b)
		case b.Type == "CERTIFICATE":
			chain = append(chain, pem.EncodeToMemory(b)...)
		}
	}
	if key == nil || chain == nil {
		return tls.Certificate{}, errors.New("ssl.keystore does not hold a private key, readable without a password, and its certificate: it needs both, as PEM")
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("ssl.keystore: %w", err)
	}
	return cert, nil
}

// withoutHostNames checks who signed a broker's certificate, but not whose it is.
func withoutHostNames(t *tls.Config) {
	roots := t.RootCAs
	t.InsecureSkipVerify = true // of the two checks, the one that is wanted follows
	t.VerifyConnection = func(s tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range s.PeerCertificates[1:] {
			opts.Intermediates.AddCert(cert)
		}
		_, err := s.PeerCertificates[0].Verify(opts)
		return err
	}
}
