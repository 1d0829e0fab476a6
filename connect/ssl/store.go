package ssl

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"

	"kconnect/connect/config"
)

// store is what a key or trust store holds.
type store struct {
	pairs   []tls.Certificate // the private keys, each with its chain
	trusted []*x509.Certificate
}

// pool are the certificates that a store vouches for: those that it trusts, and as in Java the first of each key's chain.
func (s *store) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, cert := range s.trusted {
		pool.AddCert(cert)
	}
	for _, pair := range s.pairs {
		pool.AddCert(pair.Leaf)
	}
	return pool
}

// trustStore reads ssl.truststore.*; nil when nothing is configured.
func (s settings) trustStore() (*store, error) {
	st, err := s.open("ssl.truststore", true, "ssl.truststore.password", "certificates")
	if err != nil || st == nil {
		return nil, err
	}
	if len(st.trusted)+len(st.pairs) == 0 {
		return nil, s.invalid(s.named("ssl.truststore", "certificates"), s.shown("ssl.truststore", "certificates"),
			"the trust store holds no trusted certificate: give it that of the authority that signed the other side's (keytool -importcert -trustcacerts)")
	}
	return st, nil
}

// keyStore reads ssl.keystore.*, and when trusting the trusted certificates in it; nil when nothing is configured.
func (s settings) keyStore(trusting bool) (*store, error) {
	st, err := s.open("ssl.keystore", trusting, "ssl.key.password", "key", "certificate.chain")
	if err != nil || st == nil {
		return nil, err
	}
	if len(st.pairs) == 0 {
		return nil, s.invalid(s.named("ssl.keystore", "key"), s.shown("ssl.keystore", "key"), "the key store does not hold a private key and its certificate: it needs both")
	}
	return st, nil
}

// named is the key that errors name: that of the file, or of the text where there is no file.
func (s settings) named(prefix, inline string) string {
	if s.String(prefix+".location") != "" {
		return prefix + ".location"
	}
	return prefix + "." + inline
}

// shown is what errors show of the value of that key.
func (s settings) shown(prefix, inline string) any {
	if location := s.String(prefix + ".location"); location != "" {
		return location
	}
	return s.Password(prefix + "." + inline)
}

// open reads a store: a file, or the texts under inline keys. nil when neither is configured. keyPassword is the key of
// the password of what is encrypted in it.
func (s settings) open(prefix string, trusting bool, keyPassword string, inline ...string) (*store, error) {
	location, kind := s.String(prefix+".location"), s.String(prefix+".type")
	password, hasPassword := s.OptPassword(prefix + ".password")
	var text string
	for _, key := range inline {
		text += s.Password(prefix+"."+key).Reveal() + "\n"
	}
	given := strings.TrimSpace(text) != ""
	kind = strings.ToUpper(kind)
	switch {
	case !given && location == "":
		return nil, nil
	case given && location != "":
		return nil, s.invalid(prefix+".location", location, "there are inline certificates or keys as well: use one or the other")
	case given && kind != "PEM":
		return nil, s.invalid(prefix+".type", kind, "certificates and keys in the configuration itself are PEM: set "+s.prefix+prefix+".type=PEM")
	case kind != "PEM" && kind != "JKS" && kind != "PKCS12":
		return nil, s.invalid(prefix+".type", kind, "this worker reads stores of type PEM, PKCS12 and JKS: convert it (keytool -importkeystore -deststoretype PKCS12)")
	case kind == "PEM" && hasPassword:
		return nil, s.invalid(prefix+".password", password, "a store of type PEM has no password: leave the key out; an encrypted private key has its password in "+s.prefix+"ssl.key.password")
	}
	data := []byte(text)
	if !given {
		var err error
		if data, err = os.ReadFile(location); err != nil {
			return nil, s.fault(prefix+".location", location, "the file cannot be read: "+pathless(err)+"; check path and permissions, on every worker", err)
		}
	}
	opened, err := s.decode(data, kind, prefix, trusting, password, hasPassword, keyPassword)
	if err == nil {
		return opened, nil
	}
	var wrong *passwordError
	if errors.As(err, &wrong) {
		key, value := prefix+".password", any(password)
		if wrong.ofKey {
			key, value = keyPassword, s.Password(keyPassword)
			if key == prefix+".password" {
				key = s.named(prefix, inline[0])
			}
		}
		if value == any(config.Secret("")) {
			value = nil
		}
		return nil, s.fault(key, value, wrong.Error(), err)
	}
	return nil, s.fault(s.named(prefix, inline[0]), s.shown(prefix, inline[0]), err.Error(), err)
}

// decode reads the bytes of a store, whose form tells of which type it is.
func (s settings) decode(data []byte, kind, prefix string, trusting bool, password config.Secret, hasPassword bool, keyPassword string) (*store, error) {
	own, hasOwn := s.OptPassword(keyPassword)
	switch {
	case kind == "PEM" && prefix == "ssl.truststore":
		return readTrustedPEM(string(data))
	case kind == "PEM":
		return readPEM(string(data), own.Reveal())
	case bytes.HasPrefix(data, jksMagic):
		if !hasOwn {
			own = password
		}
		return readJKS(data, password.Reveal(), hasPassword, own.Reveal())
	case bytes.HasPrefix(data, []byte{0x30}): // a sequence of ASN.1
		return readPKCS12(data, password.Reveal(), hasPassword, trusting)
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return nil, errors.New("the file is PEM: set the type of the store to PEM")
	}
	return nil, errors.New("the file is neither a JKS nor a PKCS12 store: check the path, and the type of the store")
}

// passwordError says that a password does not fit.
type passwordError struct {
	ofKey   bool // that of a private key, not that of the store
	missing bool
}

func (e *passwordError) Error() string {
	what := "the store"
	if e.ofKey {
		what = "the private key in the store"
	}
	if e.missing {
		return what + " is encrypted and its password is not given: set it"
	}
	return what + " does not open with the password: check it (keytool -list), or make the store anew"
}

// matched pairs private keys with the certificates of their public keys, and follows from there who signed whom.
func matched(keys []crypto.Signer, certs []*x509.Certificate) []tls.Certificate {
	var pairs []tls.Certificate
	for _, key := range keys {
		public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
		if !ok {
			continue
		}
		for _, leaf := range certs {
			if !public.Equal(leaf.PublicKey) {
				continue
			}
			pair := tls.Certificate{PrivateKey: key, Leaf: leaf}
			for _, cert := range chain(leaf, certs) {
				pair.Certificate = append(pair.Certificate, cert.Raw)
			}
			pairs = append(pairs, pair)
			break
		}
	}
	return pairs
}

// chain is leaf and those above it.
func chain(leaf *x509.Certificate, certs []*x509.Certificate) []*x509.Certificate {
	line := []*x509.Certificate{leaf}
	for len(line) <= len(certs) {
		last := line[len(line)-1]
		if bytes.Equal(last.RawIssuer, last.RawSubject) {
			break
		}
		i := -1
		for j, cert := range certs {
			if bytes.Equal(cert.RawSubject, last.RawIssuer) && last.CheckSignatureFrom(cert) == nil {
				i = j
				break
			}
		}
		if i < 0 {
			break
		}
		line = append(line, certs[i])
	}
	return line
}

// pathless is the reason of a file error; the path is told already.
func pathless(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
