package registry

import (
	"crypto/tls"
	"errors"

	"kconnect/connect/config"
	"kconnect/connect/ssl"
)

// tlsPrefix is in front of the ssl.* keys that are for the registry.
const tlsPrefix = "schema.registry."

// tlsDocs are the keys that users need; the others are those of every client.
var tlsDocs = map[string]string{
	"ssl.truststore.type":                   "Format of the trust store: JKS, PKCS12 or PEM.",
	"ssl.truststore.location":               "File with the certificates of the authorities that may have signed the registry's. Unset: those that the system trusts.",
	"ssl.truststore.certificates":           "Those certificates themselves, as PEM.",
	"ssl.truststore.password":               "Password of the trust store.",
	"ssl.keystore.type":                     "Format of the key store: JKS, PKCS12 or PEM.",
	"ssl.keystore.location":                 "File with the key and the certificate chain by which the worker shows who it is.",
	"ssl.keystore.key":                      "That key itself, as PEM.",
	"ssl.keystore.certificate.chain":        "That certificate chain itself, as PEM.",
	"ssl.keystore.password":                 "Password of the key store.",
	"ssl.key.password":                      "Password of the key.",
	"ssl.endpoint.identification.algorithm": "https checks that the certificate is that of the host; empty does not.",
	"ssl.protocol":                          "Accepted: ssl.enabled.protocols says which versions are used.",
	"ssl.enabled.protocols":                 "Versions of TLS that may be used.",
	"ssl.cipher.suites":                     "Cipher suites that may be used before TLS 1.3. Unset: those of the library.",
	"ssl.engine.factory.class":              "Java classes cannot be loaded: only unset is accepted.",
	"ssl.provider":                          "Java classes cannot be loaded: only unset is accepted.",
}

// tlsKeys are those of a Java client behind the registry's prefix.
func tlsKeys() []config.Key {
	keys := ssl.Keys.Prefixed(tlsPrefix).Keys()
	for i := range keys {
		k := &keys[i]
		k.Doc, k.Group, k.Display = tlsDocs[k.Name[len(tlsPrefix):]], groupSecurity, k.Name
	}
	return keys
}

// tlsOf returns the TLS of connections to the registry.
func tlsOf(m config.Map) (*tls.Config, error) {
	t, err := ssl.Client(m.WithPrefix(tlsPrefix))
	var fault *config.Error
	if errors.As(err, &fault) {
		named := *fault
		named.Key = tlsPrefix + named.Key
		return nil, &named
	}
	return t, err
}
