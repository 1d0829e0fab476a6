package herder

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"kconnect/connect/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAlgorithmsAreThoseOfJava signs the message of RFC 2202 and RFC 4231
// (their second test cases) under the names that javax.crypto.Mac has.
func TestAlgorithmsAreThoseOfJava(t *testing.T) {
	for name, want := range map[string]string{
		"HmacMD5":    "750c783e6ab0b503eaa86e310a5db738",
		"HmacSHA1":   "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		"HmacSHA224": "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
		"HmacSHA256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"HmacSHA384": "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
		"HmacSHA512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
		"hmacsha1":   "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
	} {
		a, ok := findAlgorithm(name)
		if !ok {
			t.Errorf("%s is not known", name)
			continue
		}
		if got := hex.EncodeToString(sign(a, []byte("Jefe"), []byte("what do ya want for nothing?"))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, ok := findAlgorithm("SHA256"); ok {
		t.Error("SHA256 is no MAC algorithm of Java")
	}
}

func TestSigningIsCheckedAtTheStart(t *testing.T) {
	good := Signing{KeyAlgorithm: "HmacSHA256", Algorithm: "HmacSHA256", Accepted: []string{"HmacSHA1", "HmacSHA256"}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for key, s := range map[string]Signing{
		"inter.worker.key.generation.algorithm": {KeyAlgorithm: "AES", Algorithm: "HmacSHA256", Accepted: []string{"HmacSHA256"}},
		"inter.worker.signature.algorithm":      {KeyAlgorithm: "HmacSHA256", Algorithm: "HmacSHA3", Accepted: []string{"HmacSHA256"}},
		"inter.worker.verification.algorithms":  {KeyAlgorithm: "HmacSHA256", Algorithm: "HmacSHA256", Accepted: []string{"HmacSHA1"}},
	} {
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// signing is a herder that has a config topic and nothing else.
func signing(t *testing.T, s Signing) *Herder {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	configs, err := storage.OpenConfigs(t.Context(), storage.LogConfig{
		Topic: storage.Topic{Name: "configs", Partitions: 1, Replication: 1}, Client: []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)},
	}, func(storage.Change) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tail sync.WaitGroup
	tail.Go(func() { _ = configs.Run(ctx) })
	t.Cleanup(func() { cancel(); tail.Wait(); configs.Close() })
	h := New(Config{Signing: s}, nil, nil, nil, zap.NewNop())
	h.configs = configs
	h.view.Store(&view{signed: true, leader: true, settled: true})
	return h
}

var usual = Signing{KeyAlgorithm: "HmacSHA256", KeyTTL: time.Hour, Algorithm: "HmacSHA256", Accepted: []string{"HmacSHA256", "HmacSHA512"}}

// TestASignatureIsCheckedInJavasOrder walks through the answers of the Java
// worker (spec group-protocol, "Internal requests"), each with what would make
// the next check fail, too.
func TestASignatureIsCheckedInJavasOrder(t *testing.T) {
	h := signing(t, usual)
	body := []byte("[]")
	check := func(s Signature, want error) {
		t.Helper()
		err := h.verify(s)
		if want == nil {
			if err != nil {
				t.Errorf("%s: %v", s.Algorithm, err)
			}
			return
		}
		if err == nil || err.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", s.Algorithm, err, want)
			return
		}
		same := false
		switch want.(type) { //nolint:errorlint // its own type is asked for
		case *BadRequestError:
			same = errors.As(err, new(*BadRequestError))
		case *UnavailableError:
			same = errors.As(err, new(*UnavailableError))
		case *ForbiddenError:
			same = errors.As(err, new(*ForbiddenError))
		}
		if !same {
			t.Errorf("%s: the error is a %T, want a %T", s.Algorithm, err, want)
		}
	}
	missing := &BadRequestError{Message: "Internal request missing required signature"}
	unsupported := &BadRequestError{Message: "This worker does not support the 'HmacSHA1' key signing algorithm used by other workers. This worker is currently configured to use: [HmacSHA256, HmacSHA512]. " +
		"Check that all workers' configuration files permit the same set of signature algorithms, and correct any misconfigured worker and restart it."}
	early := &UnavailableError{Message: "This worker is still starting up and has not been able to read a session key from the config topic yet"}
	wrong := &ForbiddenError{Message: "Internal request contained invalid signature."}

	check(Signature{Body: body}, missing)
	check(Signature{Algorithm: "HmacSHA1", Body: body}, unsupported)
	check(Signature{Algorithm: "HmacSHA256", Body: body}, early)

	key := storage.SessionKey{Key: []byte("0123456789abcdef0123456789abcdef"), Algorithm: "HmacSHA256", CreatedAt: time.Now().UnixMilli()}
	if err := h.configs.PutSessionKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	check(Signature{Body: body}, missing)
	check(Signature{Algorithm: "HmacSHA1", Body: body}, unsupported)
	for _, name := range usual.Accepted {
		a, _ := findAlgorithm(name)
		mac := sign(a, key.Key, body)
		check(Signature{Algorithm: name, MAC: mac, Body: body}, nil)
		check(Signature{Algorithm: name, MAC: mac, Body: []byte("[ ]")}, wrong)
		check(Signature{Algorithm: name, MAC: mac[:len(mac)-1], Body: body}, wrong)
		check(Signature{Algorithm: name, Body: body}, wrong)
		check(Signature{Algorithm: name, MAC: sign(a, []byte("another key"), body), Body: body}, wrong)
	}

	// Groups of the older protocols sign, but nobody checks.
	h.view.Store(&view{})
	check(Signature{Body: body}, nil)
}

func TestAnInternalRequestWithoutSignatureReachesNobody(t *testing.T) {
	h := signing(t, usual)
	if err := h.PutTaskConfigs(t.Context(), "a", nil, Signature{}); !errors.As(err, new(*BadRequestError)) {
		t.Errorf("task configurations: %v", err)
	}
	if err := h.Fence(t.Context(), "a", Signature{}); !errors.As(err, new(*BadRequestError)) {
		t.Errorf("fencing: %v", err)
	}
}

func TestTheLeaderReplacesASessionKeyThatIsDue(t *testing.T) {
	for _, c := range []struct {
		name string
		have *storage.SessionKey
		size int // inter.worker.key.size in bytes
		due  bool
	}{
		{"there is none", nil, 0, true},
		{"a good one", &storage.SessionKey{Key: make([]byte, 32), Algorithm: "HmacSHA256"}, 0, false},
		{"one that a Java leader made", &storage.SessionKey{Key: make([]byte, 32), Algorithm: "hmacsha256"}, 0, false},
		{"another algorithm", &storage.SessionKey{Key: make([]byte, 32), Algorithm: "HmacSHA1"}, 0, true},
		{"another size", &storage.SessionKey{Key: make([]byte, 32), Algorithm: "HmacSHA256"}, 64, true},
		{"the size asked for", &storage.SessionKey{Key: make([]byte, 64), Algorithm: "HmacSHA256"}, 64, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := usual
			s.KeySize = c.size
			h := signing(t, s)
			now := time.Now()
			if c.have != nil {
				c.have.CreatedAt = now.UnixMilli()
				if err := h.configs.PutSessionKey(t.Context(), *c.have); err != nil {
					t.Fatal(err)
				}
			}
			if got := h.keyIsDue(now); got != c.due {
				t.Errorf("due: %t", got)
			}
			if !h.keyIsDue(now.Add(time.Hour)) {
				t.Error("it is not due when inter.worker.key.ttl.ms is over")
			}
			before := h.configs.Snapshot().SessionKey
			h.ensureSessionKey(t.Context())
			after := h.configs.Snapshot().SessionKey
			if (before != after) != c.due {
				t.Errorf("the key was replaced: %t", before != after)
			}
			want := 32
			if c.size > 0 {
				want = c.size
			}
			if len(after.Key) != want || !strings.EqualFold(after.Algorithm, "HmacSHA256") || h.keyIsDue(now) {
				t.Errorf("the key now is of %s with %d bytes, want %d", after.Algorithm, len(after.Key), want)
			}
		})
	}
}

func TestNoSessionKeyIsMadeForAGroupThatChecksNone(t *testing.T) {
	h := signing(t, usual)
	h.view.Store(&view{leader: true, settled: true})
	h.ensureSessionKey(t.Context())
	if h.configs.Snapshot().SessionKey != nil {
		t.Error("a key was written")
	}
}
