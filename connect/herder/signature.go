package herder

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // HmacMD5 is one of the algorithms that clusters may agree on
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // likewise HmacSHA1
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"kconnect/connect/storage"
)

// Signing is how workers sign requests to each other (spec group-protocol,
// "Internal requests").
type Signing struct {
	KeyAlgorithm string        // inter.worker.key.generation.algorithm
	KeySize      int           // bytes; 0: the algorithm's own
	KeyTTL       time.Duration // inter.worker.key.ttl.ms
	Algorithm    string        // inter.worker.signature.algorithm
	Accepted     []string      // inter.worker.verification.algorithms
}

// Signature is what a signed request carries.
type Signature struct {
	Algorithm string // Java's name of the MAC; empty when the request is not signed
	MAC       []byte
	Body      []byte // the signed bytes, exactly as they came
}

// algorithm is a MAC algorithm under its Java name.
type algorithm struct {
	name string
	hash func() hash.Hash
	key  int // bytes of a generated key
}

var algorithms = []algorithm{
	{"HmacSHA256", sha256.New, 32},
	{"HmacSHA1", sha1.New, 64},
	{"HmacSHA224", sha256.New224, 28},
	{"HmacSHA384", sha512.New384, 48},
	{"HmacSHA512", sha512.New, 64},
	{"HmacMD5", md5.New, 64},
}

// findAlgorithm finds a MAC algorithm by its Java name, in any case.
func findAlgorithm(name string) (algorithm, bool) {
	i := slices.IndexFunc(algorithms, func(a algorithm) bool { return strings.EqualFold(a.name, name) })
	if i < 0 {
		return algorithm{}, false
	}
	return algorithms[i], true
}

// Check reports an algorithm that is not known.
func (s *Signing) Check() error {
	for key, names := range map[string][]string{"inter.worker.key.generation.algorithm": {s.KeyAlgorithm}, "inter.worker.signature.algorithm": {s.Algorithm}, "inter.worker.verification.algorithms": s.Accepted} {
		for _, n := range names {
			if _, ok := findAlgorithm(n); !ok {
				return fmt.Errorf("%s: %s is not one of HmacSHA1, HmacSHA224, HmacSHA256, HmacSHA384, HmacSHA512, HmacMD5", key, n)
			}
		}
	}
	if !slices.Contains(s.Accepted, s.Algorithm) {
		return fmt.Errorf("inter.worker.verification.algorithms must contain the inter.worker.signature.algorithm %s", s.Algorithm)
	}
	return nil
}

func sign(a algorithm, key, body []byte) []byte {
	m := hmac.New(a.hash, key)
	m.Write(body)
	return m.Sum(nil)
}

// verify checks the signature of an internal request, in Java's order and words.
func (h *Herder) verify(s Signature) error {
	if !h.view.Load().signed {
		return nil
	}
	if s.Algorithm == "" {
		return &BadRequestError{Message: "Internal request missing required signature"}
	}
	a, ok := findAlgorithm(s.Algorithm)
	if !ok || !slices.ContainsFunc(h.cfg.Signing.Accepted, func(n string) bool { return strings.EqualFold(n, s.Algorithm) }) {
		return &BadRequestError{Message: fmt.Sprintf("This worker does not support the '%s' key signing algorithm used by other workers. This worker is currently configured to use: [%s]. "+
			"Check that all workers' configuration files permit the same set of signature algorithms, and correct any misconfigured worker and restart it.",
			s.Algorithm, strings.Join(h.cfg.Signing.Accepted, ", "))}
	}
	key := h.configs.Snapshot().SessionKey
	if key == nil {
		return &UnavailableError{Message: "This worker is still starting up and has not been able to read a session key from the config topic yet"}
	}
	if !hmac.Equal(sign(a, key.Key, s.Body), s.MAC) {
		return &ForbiddenError{Message: "Internal request contained invalid signature."}
	}
	return nil
}

// keyIsDue reports whether the leader has to write a new session key.
func (h *Herder) keyIsDue(now time.Time) bool {
	key := h.configs.Snapshot().SessionKey
	if key == nil {
		return true
	}
	a, size := h.keyFormat()
	return !strings.EqualFold(key.Algorithm, a) || len(key.Key) != size || now.Sub(time.UnixMilli(key.CreatedAt)) >= h.cfg.Signing.KeyTTL
}

func (h *Herder) keyFormat() (name string, size int) {
	a, _ := findAlgorithm(h.cfg.Signing.KeyAlgorithm)
	if h.cfg.Signing.KeySize > 0 {
		return a.name, h.cfg.Signing.KeySize
	}
	return a.name, a.key
}

// ensureSessionKey writes a session key when one is due. Only the leader calls it.
func (h *Herder) ensureSessionKey(ctx context.Context) {
	h.keyMu.Lock()
	defer h.keyMu.Unlock()
	if !h.view.Load().signed || !h.keyIsDue(time.Now()) {
		return
	}
	name, size := h.keyFormat()
	key := storage.SessionKey{Key: make([]byte, size), Algorithm: name, CreatedAt: time.Now().UnixMilli()}
	_, _ = rand.Read(key.Key) // never fails
	if err := h.configs.PutSessionKey(ctx, key); err != nil {
		h.log.Warn("The session key could not be written; it is tried again", zap.Error(err))
	}
}

// rotateSessionKey replaces a key that has expired, on the loop's tick.
func (h *Herder) rotateSessionKey() {
	if v := h.view.Load(); v.leader && v.settled && v.signed && h.keyIsDue(time.Now()) {
		h.aside(h.ensureSessionKey)
	}
}
