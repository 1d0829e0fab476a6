package ssl

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// readPKCS12 reads a PKCS12 store. Its trusted certificates are looked for when they are wanted: each look at a store
// costs the milliseconds that its password is protected by.
func readPKCS12(data []byte, password string, given, trusting bool) (*store, error) {
	if trusting {
		if trusted, err := pkcs12.DecodeTrustStore(data, password); err == nil {
			return &store{trusted: trusted}, nil
		}
	}
	key, first, others, err := pkcs12.DecodeChain(data, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, &passwordError{missing: !given}
	case errors.Is(err, pkcs12.ErrDecryption):
		return nil, &passwordError{ofKey: true}
	case err != nil:
		return severalKeys(data, password, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key of the PKCS12 store is not one for signatures: make an RSA or EC key (keytool -genkeypair -keyalg EC)")
	}
	certs := append([]*x509.Certificate{first}, others...)
	s := &store{pairs: matched([]crypto.Signer{signer}, certs)}
	if !trusting {
		return s, nil
	}
	if _, err := pkcs12.ToPEM(data, password); err != nil && strings.Contains(err.Error(), trustedMark) { //nolint:staticcheck // see severalKeys
		s.trusted = besideChains(certs, s.pairs)
	}
	return s, nil
}

// severalKeys reads a store that does not have exactly one private key; err is why it could not be read as one.
func severalKeys(data []byte, password string, err error) (*store, error) {
	bags, bagsErr := pkcs12.ToPEM(data, password) //nolint:staticcheck // what replaced it reads stores of one key only
	switch {
	case bagsErr == nil:
		return fromBags(bags)
	case !strings.Contains(bagsErr.Error(), trustedMark):
		return nil, fmt.Errorf("the PKCS12 store cannot be read (%w): make it anew by keytool -importkeystore", err)
	}
	if _, err := pkcs12.DecodeTrustStore(data, password); err == nil {
		return new(store), nil // trusted certificates and no key
	}
	return nil, errors.New("this worker does not read a PKCS12 store with several private keys and trusted certificates: keep the certificates in a store of their own")
}

// trustedMark is the attribute of a certificate that Java trusts. The library reads it in stores without a private key
// alone; its name in an error tells that a store with one has such certificates.
const trustedMark = "2.16.840.1.113894.746875.1.1"

// besideChains are the trusted certificates of a store with a private key. Java writes the chain of a key and a trusted
// certificate apart, even when they are the same: what is there once, as part of a chain, is not trusted. Otherwise
// everybody would be whom the same public authority has signed.
func besideChains(certs []*x509.Certificate, pairs []tls.Certificate) []*x509.Certificate {
	left := slices.Clone(certs)
	for _, pair := range pairs {
		for _, der := range pair.Certificate {
			if i := slices.IndexFunc(left, func(c *x509.Certificate) bool { return bytes.Equal(c.Raw, der) }); i >= 0 {
				left = slices.Delete(left, i, i+1)
			}
		}
	}
	return left
}

// fromBags takes the keys and certificates out of a store with several private keys.
func fromBags(bags []*pem.Block) (*store, error) {
	var keys []crypto.Signer
	var certs []*x509.Certificate
	for _, bag := range bags {
		if bag.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(bag.Bytes)
			if err != nil {
				return nil, fmt.Errorf("a certificate of the PKCS12 store cannot be read: %w", err)
			}
			certs = append(certs, cert)
			continue
		}
		key, err := plainKey(bag.Bytes)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return &store{pairs: matched(keys, certs)}, nil
}
