package ssl

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"slices"
	"strings"

	"kconnect/connect/config"
)

// Client returns the TLS configuration of a client of brokers or of a token endpoint. Without a trust store the
// authorities of the system count.
func Client(m config.Map) (*tls.Config, error) {
	s, err := read(Keys, m, "")
	if err != nil {
		return nil, err
	}
	t, err := s.base()
	if err != nil {
		return nil, err
	}
	trust, err := s.trustStore()
	if err != nil {
		return nil, err
	}
	own, err := s.keyStore(false)
	if err != nil {
		return nil, err
	}
	s.asClient(t, trust, own)
	return t, nil
}

// Listener returns the TLS configuration of https listeners, nil when they have no key store, and of a client of the
// same settings, with which a worker calls the listeners of others. Keys that begin with prefix, such as
// "listeners.https.", replace all others as soon as there is one of them; otherwise those without a prefix count.
//
// Without a trust store the certificates in the key store are trusted, as in the Java worker.
func Listener(m config.Map, prefix string) (server, client *tls.Config, err error) {
	if len(m.WithPrefix(prefix)) == 0 {
		prefix = ""
	}
	s, err := read(listenerKeys, m, prefix)
	if err != nil {
		return nil, nil, err
	}
	if server, err = s.base(); err != nil {
		return nil, nil, err
	}
	client = server.Clone()
	trust, err := s.trustStore()
	if err != nil {
		return nil, nil, err
	}
	own, err := s.keyStore(trust == nil)
	if err != nil {
		return nil, nil, err
	}
	if trust == nil && own != nil {
		trust = own
	}
	s.asClient(client, trust, own)
	if own == nil {
		return nil, client, nil
	}
	server.Certificates = own.pairs
	switch s.String("ssl.client.auth") {
	case "required":
		server.ClientAuth = tls.RequireAndVerifyClientCert
	case "requested":
		// Java checks a certificate that is shown, and refuses one of an unknown authority.
		server.ClientAuth = tls.VerifyClientCertIfGiven
	}
	server.ClientCAs = trust.pool()
	return server, client, nil
}

// asClient adds to t what a client has.
func (s settings) asClient(t *tls.Config, trust, own *store) {
	if trust != nil { // otherwise what the system trusts
		t.RootCAs = trust.pool()
	}
	if own != nil {
		t.Certificates = own.pairs
	}
	if s.String("ssl.endpoint.identification.algorithm") == "" {
		withoutHostNames(t)
	}
}

var versions = map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}

// base reads protocols and cipher suites. ssl.protocol names no limit: Java chooses by it which implementation it takes.
func (s settings) base() (*tls.Config, error) {
	for _, key := range []string{"ssl.engine.factory.class", "ssl.provider"} {
		if v := s.String(key); v != "" {
			return nil, s.invalid(key, v, "this worker has its own TLS: leave the key out")
		}
	}
	t := &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS10}
	for _, name := range s.List("ssl.enabled.protocols") {
		version, ok := versions[name]
		if !ok {
			return nil, s.invalid("ssl.enabled.protocols", name, "use TLSv1.2 and TLSv1.3")
		}
		t.MinVersion, t.MaxVersion = min(t.MinVersion, version), max(t.MaxVersion, version)
	}
	if t.MinVersion > t.MaxVersion {
		return nil, s.invalid("ssl.enabled.protocols", "", "no protocol is left: use TLSv1.2 and TLSv1.3")
	}
	suites := slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites())
	for _, name := range s.List("ssl.cipher.suites") {
		i := slices.IndexFunc(suites, func(c *tls.CipherSuite) bool { return c.Name == name })
		if i < 0 {
			return nil, s.invalid("ssl.cipher.suites", name, "this worker does not know the cipher suite: leave it out; it has "+strings.Join(slices.Sorted(maps.Values(secure())), ", "))
		}
		t.CipherSuites = append(t.CipherSuites, suites[i].ID) // of TLS 1.3 all are on; naming one changes nothing
	}
	return t, nil
}

func secure() map[uint16]string {
	names := make(map[uint16]string)
	for _, c := range tls.CipherSuites() {
		names[c.ID] = c.Name
	}
	return names
}

// withoutHostNames checks who signed a server's certificate, but not whose it is.
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
