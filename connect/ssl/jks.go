package ssl

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
)

var jksMagic = []byte{0xFE, 0xED, 0xFE, 0xED}

// readJKS reads a JKS store. Without a password it is not checked whether somebody changed it, as in Java.
func readJKS(data []byte, password string, checked bool, keyPassword string) (*store, error) {
	ks := keystore.New(keystore.WithCaseExactAliases(), keystore.WithOrderedAliases())
	if err := ks.Load(bytes.NewReader(data), []byte(password)); err != nil {
		// With all entries there, what the library finds fault with is the digest, which is made with the password.
		const countAt = 8 // after the magic and the version
		if len(data) < countAt+4 || uint32(len(ks.Aliases())) != binary.BigEndian.Uint32(data[countAt:]) {
			return nil, fmt.Errorf("the JKS store is damaged (%w): make it anew", err)
		}
		if checked {
			return nil, &passwordError{}
		}
	}
	s := new(store)
	for _, alias := range ks.Aliases() {
		if ks.IsTrustedCertificateEntry(alias) {
			entry, err := ks.GetTrustedCertificateEntry(alias)
			if err != nil {
				return nil, err
			}
			cert, err := x509.ParseCertificate(entry.Certificate.Content)
			if err != nil {
				return nil, fmt.Errorf("the certificate under the alias %s cannot be read: %w", alias, err)
			}
			s.trusted = append(s.trusted, cert)
			continue
		}
		entry, err := ks.GetPrivateKeyEntry(alias, []byte(keyPassword))
		if err != nil {
			return nil, &passwordError{ofKey: true, missing: keyPassword == ""}
		}
		pair, err := jksPair(entry)
		if err != nil {
			return nil, fmt.Errorf("the private key under the alias %s cannot be used: %w", alias, err)
		}
		s.pairs = append(s.pairs, pair)
	}
	return s, nil
}

func jksPair(entry keystore.PrivateKeyEntry) (tls.Certificate, error) {
	key, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok || len(entry.CertificateChain) == 0 {
		return tls.Certificate{}, errors.New("it is not one for signatures, or has no certificate")
	}
	pair := tls.Certificate{PrivateKey: signer}
	for _, c := range entry.CertificateChain {
		pair.Certificate = append(pair.Certificate, c.Content)
	}
	pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0])
	return pair, err
}
