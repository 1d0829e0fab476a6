package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"kconnect/connect/herder"
)

// maxAnswer bounds another worker's answer, in bytes.
const maxAnswer = 64 << 20

func newForwarder(cfg Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			// Workers reach each other directly, whatever proxy this process has.
			Proxy:               nil,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig:     cfg.ClientTLS,
			TLSHandshakeTimeout: 10 * time.Second,
			IdleConnTimeout:     30 * time.Second,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// forward sends a request on to the worker at base, and its status and body
// back to the client. A request goes at most two hops, first to the leader and
// from there to an owner: the parameter forward counts them, so that workers
// that disagree about who leads cannot send it round for ever
// (group-protocol.md, section 5).
func (s *Server) forward(r *call, base string) error {
	query := r.Request().URL.Query()
	hop := "true"
	if v := query.Get("forward"); strings.EqualFold(v, "true") {
		hop = "false"
	} else if v != "" {
		return &herder.ConflictError{Message: "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"}
	}
	if base == "" {
		return &herder.ConflictError{Message: (&herder.ElsewhereError{}).Error()}
	}
	query.Set("forward", hop)

	target := strings.TrimRight(base, "/") + r.Request().URL.EscapedPath() + "?" + query.Encode()
	req, err := http.NewRequestWithContext(r.ctx, r.Request().Method, target, bytes.NewReader(r.body))
	if err != nil {
		return fmt.Errorf("cannot forward the request to the worker at %s: %w", base, err)
	}
	req.Header.Set("Accept", contentJSON)
	req.Header.Set("User-Agent", "kafka-connect")
	if len(r.body) > 0 {
		req.Header.Set("Content-Type", contentJSON)
	}
	// The signature is of the body, which stays as it is. Java drops it here,
	// and the leader then refuses what a worker sent to a former leader.
	for _, h := range []string{"Authorization", headerMAC, headerAlgorithm} {
		if v := r.Request().Header.Get(h); v != "" {
			req.Header.Set(h, v)
		}
	}
	res, err := s.forwarder.Do(req)
	if err != nil {
		return ioError(r, base, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return ioError(r, base, err)
	case len(body) > maxAnswer:
		return ioError(r, base, fmt.Errorf("its answer is larger than %d bytes", maxAnswer))
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return ioError(r, base, fmt.Errorf("unexpected status code %d", res.StatusCode))
	case len(body) > 0 && !json.Valid(body), len(body) == 0 && res.StatusCode >= 400:
		// A worker that still starts answers with a bare 404, which must not
		// look as if the connector did not exist.
		return ioError(r, base, fmt.Errorf("it answered %d without a message of the REST API, it may still be starting", res.StatusCode))
	}
	r.reply(res.StatusCode, body)
	return nil
}

// ioError is a failure between workers. It does not wrap err: that a
// connection took too long says nothing about the time of the request.
func ioError(r *call, base string, err error) error {
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	return &statusError{status: http.StatusInternalServerError,
		message: fmt.Sprintf("IO Error trying to forward REST request to the worker at %s: %v", base, err)}
}
