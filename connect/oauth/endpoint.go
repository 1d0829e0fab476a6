package oauth

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kconnect/connect/config"
)

// Endpoint retrieves tokens from a provider by the credentials of a client (RFC 6749, section 4.4).
type Endpoint struct {
	URL       string
	ID        string
	Secret    config.Secret
	Scope     string // empty: none is asked for
	URLEncode bool   // id, secret and scope, as the RFC has it and many providers do not

	// Backoff doubles between tries, which end after MaxBackoff in all.
	Backoff, MaxBackoff time.Duration

	client *http.Client
}

// unasked bounds a step of a request for which no timeout is configured, where Java would wait for ever.
const unasked = 30 * time.Second

// Connect makes the client of e. A timeout of 0 is 30 s; t may be nil, which stands for the authorities of the system.
// The proxy is that of the environment, as usual: HTTPS_PROXY, NO_PROXY.
func (e *Endpoint) Connect(t *tls.Config, connect, read time.Duration) {
	if connect <= 0 {
		connect = unasked
	}
	if read <= 0 {
		read = unasked
	}
	e.client = &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: connect}).DialContext,
			TLSClientConfig: t, TLSHandshakeTimeout: connect, ResponseHeaderTimeout: read,
			DisableKeepAlives: true, // the next token is hours away
		},
		Timeout: connect + 2*read,
		// The credentials are for this address alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// final are answers after which it is no use to ask again.
var final = []int{400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 501, 505}

// Retrieve asks for a token, again while that may help. Connect comes first.
func (e *Endpoint) Retrieve(ctx context.Context) (string, error) {
	deadline := time.Now().Add(e.MaxBackoff)
	for wait := e.Backoff; ; wait *= 2 {
		text, again, err := e.ask(ctx)
		left := time.Until(deadline)
		if err == nil || !again || left <= 0 || wait <= 0 {
			return text, err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(min(wait, left)):
		}
	}
}

// ask sends one request and says whether another may fare better.
func (e *Endpoint) ask(ctx context.Context) (text string, again bool, err error) {
	id, secret, scope := e.ID, e.Secret.Reveal(), e.Scope
	if e.URLEncode {
		id, secret, scope = url.QueryEscape(id), url.QueryEscape(secret), url.QueryEscape(scope)
	}
	body := "grant_type=client_credentials"
	if scope != "" {
		body += "&scope=" + scope
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, strings.NewReader(body))
	if err != nil {
		return "", false, fmt.Errorf("the token endpoint %s cannot be asked: it is no URL", e.URL)
	}
	req.SetBasicAuth(id, secret)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := e.client.Do(req)
	if err != nil {
		return "", true, fmt.Errorf("the token endpoint cannot be asked: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // only read from
	const most = 1 << 20
	answer, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return "", true, fmt.Errorf("the answer of the token endpoint %s: %w", e.URL, err)
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		return "", !slices.Contains(final, res.StatusCode), fmt.Errorf("the token endpoint %s answered %d%s", e.URL, res.StatusCode, complaint(answer))
	}
	if text = accessToken(answer); text == "" {
		return "", false, errors.New("the token endpoint " + e.URL + " gave no access_token: is it the address of tokens?")
	}
	return text, false, nil
}

// accessToken takes the token out of an answer; empty when there is none.
func accessToken(answer []byte) string {
	var fields map[string]any
	if json.Unmarshal(answer, &fields) != nil {
		return ""
	}
	for _, name := range []string{"access_token", "id_token"} {
		if text, _ := fields[name].(string); strings.TrimSpace(text) != "" {
			return strings.TrimSpace(text)
		}
	}
	return ""
}

// complaint is what an answer says about the failure (RFC 6749, section 5.2), and nothing else of it.
func complaint(answer []byte) string {
	var fields map[string]any
	if json.Unmarshal(answer, &fields) != nil {
		return ""
	}
	for _, names := range [][2]string{{"error", "error_description"}, {"errorCode", "errorSummary"}} {
		if code, ok := fields[names[0]].(string); ok {
			if more, ok := fields[names[1]].(string); ok {
				code += " - " + more
			}
			return " (" + code + ")"
		}
	}
	return ""
}
