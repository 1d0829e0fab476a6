package oauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Claims names the claims that a token must have besides exp.
type Claims struct {
	Subject string // sasl.oauthbearer.sub.claim.name
}

// token is a JSON web token whose signature is the broker's affair.
type token struct {
	text    string
	issued  time.Time // zero: it does not say
	expires time.Time
}

// parse looks into a token as the Java client does: three parts, a time of expiry, a subject.
func (c Claims) parse(text string) (token, error) {
	text = strings.TrimSpace(text)
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return token{}, errors.New("the token is no JSON web token of three parts: have the provider issue one, this client needs to know when it expires")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims map[string]any
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return token{}, errors.New("the claims of the token cannot be read: they are not JSON in base64url")
	}
	if subject, ok := claims[c.Subject].(string); !ok || strings.TrimSpace(subject) == "" {
		return token{}, fmt.Errorf("the token has no claim %s: name another by sasl.oauthbearer.sub.claim.name", c.Subject)
	}
	t := token{text: text, issued: instant(claims["iat"]), expires: instant(claims["exp"])}
	if t.expires.IsZero() {
		return token{}, errors.New("the token does not say when it expires: it needs a claim exp")
	}
	return t, nil
}

// instant reads seconds since 1970; the zero time when there are none.
func instant(claim any) time.Time {
	seconds, ok := claim.(float64)
	if !ok || math.Abs(seconds) > 1<<40 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000))
}
