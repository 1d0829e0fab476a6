package registry

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"

	"kconnect/connect/config"
)

const ssl = "schema.registry.ssl."

func tlsKey(name string, t config.Type, def, doc string) config.Key {
	return secured(key(ssl+name, t, def, doc))
}

// tlsKeys are those of a Java client behind the registry's prefix.
var tlsKeys = []config.Key{
	tlsKey("truststore.type", config.String, "JKS", "Format of the trust store. Only PEM can be read."),
	tlsKey("truststore.location", config.String, "", "File with the certificates of the authorities that may have signed the registry's. Unset: those that the system trusts."),
	tlsKey("truststore.certificates", config.Password, "", "Those certificates themselves, as PEM."),
	tlsKey("truststore.password", config.Password, "", "Password of the trust store; PEM needs none."),
	tlsKey("keystore.type", config.String, "JKS", "Format of the key store. Only PEM can be read."),
	tlsKey("keystore.location", config.String, "", "File with the key and the certificate chain by which the worker shows who it is."),
	tlsKey("keystore.key", config.Password, "", "That key itself, as PEM."),
	tlsKey("keystore.certificate.chain", config.Password, "", "That certificate chain itself, as PEM."),
	tlsKey("keystore.password", config.Password, "", "Password of the key store; PEM needs none."),
	tlsKey("key.password", config.Password, "", "Password of the key. Encrypted keys cannot be read."),
	checked(tlsKey("endpoint.identification.algorithm", config.String, "https", "https checks that the certificate is that of the host; empty does not."), config.OneOfFold("https", "")),
}

// tlsOf returns the TLS of connections to the registry.
func tlsOf(v *config.Values) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	trusted, err := pemOf(v, "truststore", "truststore.certificates")
	if err != nil {
		return nil, err
	}
	if trusted != nil { // otherwise what the system trusts
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(trusted) {
			return nil, config.Invalid(ssl+"truststore.location", v.String(ssl+"truststore.location"), "it holds no certificate in PEM form")
		}
	}
	own, err := pemOf(v, "keystore", "keystore.key", "keystore.certificate.chain")
	if err != nil {
		return nil, err
	}
	if own != nil {
		if v.Password(ssl+"key.password") != "" || strings.Contains(string(own), "ENCRYPTED") {
			return nil, config.Invalid(ssl+"key.password", config.Secret(""), "an encrypted key cannot be read: decrypt it with openssl pkcs8")
		}
		pair, err := tls.X509KeyPair(own, own)
		if err != nil {
			return nil, config.Invalid(ssl+"keystore.location", v.String(ssl+"keystore.location"), "key and certificate chain cannot be read as PEM: "+err.Error())
		}
		t.Certificates = []tls.Certificate{pair}
	}
	if v.String(ssl+"endpoint.identification.algorithm") == "" {
		withoutHostNames(t)
	}
	return t, nil
}

// withoutHostNames accepts the certificate of any host that a trusted
// authority signed.
func withoutHostNames(t *tls.Config) {
	t.InsecureSkipVerify = true // the chain is verified below
	t.VerifyConnection = func(s tls.ConnectionState) error {
		o := x509.VerifyOptions{Roots: t.RootCAs, Intermediates: x509.NewCertPool()}
		for _, c := range s.PeerCertificates[1:] {
			o.Intermediates.AddCert(c)
		}
		_, err := s.PeerCertificates[0].Verify(o)
		return err
	}
}

// pemOf returns the PEM text of a store: what the settings hold themselves, or
// its file; nil for none.
func pemOf(v *config.Values, store string, inline ...string) ([]byte, error) {
	var text strings.Builder
	for _, name := range inline {
		if s := v.Password(ssl + name); s != "" {
			text.WriteString(s.Reveal() + "\n")
		}
	}
	if text.Len() > 0 {
		return []byte(text.String()), nil
	}
	location := v.String(ssl + store + ".location")
	if location == "" {
		return nil, nil
	}
	b, err := os.ReadFile(location)
	if err != nil {
		return nil, config.Invalid(ssl+store+".location", location, "it cannot be read: "+err.Error())
	}
	if block, _ := pem.Decode(b); block == nil {
		return nil, config.Invalid(ssl+store+".location", location, "it is no PEM file. Convert the store: keytool -importkeystore -srckeystore "+location+
			" -destkeystore store.p12 -deststoretype PKCS12; openssl pkcs12 -in store.p12 -nodes -out store.pem; and set "+ssl+store+".type=PEM")
	}
	return b, nil
}
