package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

const contentJSON = "application/json"

// call is one request that has reached its resource.
type call struct {
	echo.Context
	ctx  context.Context // ends when the client is gone or the request timed out
	body []byte

	// location is the connector whose URL a 201 answer tells, also when another
	// worker gave that answer.
	location string
}

// name returns the connector, plugin or logger in the path.
func (r *call) name() string {
	name, _ := url.PathUnescape(r.Param("name")) // cleanPath escaped it
	return name
}

// task returns the task number in the path. What is none has an answer of its
// own: the framework's text, but as JSON (golden rest 10-tasks).
func (r *call) task() (int, error) {
	text, _ := url.PathUnescape(r.Param("task"))
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		e := frameworkError(http.StatusNotFound)
		e.framework = false
		return 0, e
	}
	return int(n), nil
}

// flag returns a boolean of the query as Java reads it: true in any case is
// true, any other text is false, and none at all is what absent says.
func (r *call) flag(key string, absent bool) bool {
	v := r.QueryParam(key)
	if v == "" {
		return absent
	}
	return strings.EqualFold(v, "true")
}

// document parses the body. A body without a type is refused here and not with
// the other types: calls that take no body do not mind one.
func (r *call) document() (*document, json.Token, error) {
	if len(r.body) > 0 && r.Request().Header.Get("Content-Type") == "" {
		return nil, nil, frameworkError(http.StatusUnsupportedMediaType)
	}
	return parse(r.body)
}

// json answers with v.
func (r *call) json(status int, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	r.reply(status, b)
	return nil
}

// empty answers without a body.
func (r *call) empty(status int) error {
	r.reply(status, nil)
	return nil
}

func (r *call) reply(status int, body []byte) {
	h := r.Response().Header()
	if status == http.StatusCreated && r.location != "" {
		h.Set("Location", r.baseURL()+"/connectors/"+url.PathEscape(r.location))
	}
	if len(body) > 0 {
		h.Set("Content-Type", contentJSON)
		h.Set("Content-Length", strconv.Itoa(len(body))) // as in Java, however long it is
	}
	r.Response().WriteHeader(status)
	_, _ = r.Response().Write(body) // a client that is gone is no fault of ours
}

// baseURL is the address under which the client knows this worker.
func (r *call) baseURL() string {
	if r.Request().TLS != nil {
		return "https://" + r.Request().Host
	}
	return "http://" + r.Request().Host
}

// encode writes JSON as other Connect workers do, without escapes that only
// web pages need.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
