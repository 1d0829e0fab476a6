package herder

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

func TestAStartWaitsForBrokersButNotForOtherSettings(t *testing.T) {
	for _, test := range []struct {
		err  error
		says string
	}{
		{io.EOF, ""},
		{kerr.CoordinatorNotAvailable, ""},
		{fmt.Errorf("broker 1: %w", kerr.SaslAuthenticationFailed), "sasl.jaas.config"},
		{kerr.UnsupportedSaslMechanism, "sasl.mechanism"},
		{fmt.Errorf("dial: %w", &tls.CertificateVerificationError{Err: errors.New("unknown")}), "ssl.truststore"},
	} {
		err := refused(test.err)
		if (err != nil) != (test.says != "") || err != nil && (!errors.Is(err, test.err) || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%v: %v", test.err, err)
		}
	}
}
