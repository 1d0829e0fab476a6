package ssl

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/youmark/pkcs8"
)

// readTrustedPEM reads a trust store: all of its certificates are trusted, what else is in it does not count.
func readTrustedPEM(text string) (*store, error) {
	all, err := blocks(text)
	if err != nil {
		return nil, err
	}
	s := new(store)
	for _, b := range all {
		if b.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("a certificate of the store cannot be read: %w", err)
		}
		s.trusted = append(s.trusted, cert)
	}
	return s, nil
}

// readPEM reads a key store; password is that of an encrypted private key.
func readPEM(text, password string) (*store, error) {
	certs, err := readTrustedPEM(text)
	if err != nil {
		return nil, err
	}
	all, err := blocks(text)
	if err != nil {
		return nil, err
	}
	var keys []crypto.Signer
	for _, b := range all {
		if !strings.HasSuffix(b.Type, "PRIVATE KEY") {
			continue
		}
		key, err := privateKey(b, password)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	s := &store{pairs: matched(keys, certs.trusted)}
	if len(keys) > 0 && len(s.pairs) < len(keys) {
		return nil, errors.New("there is no certificate of the private key's public key: give both of the same pair")
	}
	return s, nil
}

func privateKey(b *pem.Block, password string) (crypto.Signer, error) {
	if b.Type == "ENCRYPTED PRIVATE KEY" {
		return encryptedKey(b.Bytes, password)
	}
	return plainKey(b.Bytes)
}

// A value of a properties file often has its line breaks turned into blanks, which encoding/pem does not read.
var block = regexp.MustCompile(`(?s)-+BEGIN ([A-Z0-9 ]+?)-+(.*?)-+END [A-Z0-9 ]+?-+`)

func blocks(text string) ([]*pem.Block, error) {
	var out []*pem.Block
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		if strings.Contains(m[2], "DEK-Info:") {
			return nil, errors.New("the private key is encrypted in the old way of OpenSSL: convert it (openssl pkcs8 -topk8 -v2 aes-256-cbc)")
		}
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m[2]), ""))
		if err != nil {
			return nil, fmt.Errorf("PEM block %d (%s) is damaged: copy it anew", len(out)+1, m[1])
		}
		out = append(out, &pem.Block{Type: m[1], Bytes: b})
	}
	return out, nil
}

// plainKey reads a private key in one of its three encodings.
func plainKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("the private key is none that this worker can use: make an RSA, EC or Ed25519 key in PKCS #8 (openssl pkcs8 -topk8)")
}

func encryptedKey(der []byte, password string) (crypto.Signer, error) {
	if password == "" {
		return nil, &passwordError{ofKey: true, missing: true}
	}
	key, _, err := pkcs8.ParsePrivateKey(der, []byte(password))
	if err != nil {
		if strings.Contains(err.Error(), "supported") {
			return nil, fmt.Errorf("the private key is encrypted in a way that this worker cannot undo (%w): convert it (openssl pkcs8 -topk8 -v2 aes-256-cbc)", err)
		}
		return nil, &passwordError{ofKey: true}
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key is not one for signatures: make an RSA or EC key")
	}
	return signer, nil
}
