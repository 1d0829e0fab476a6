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

// acceptedParams is where the parameters are that the client wants to see in
// the Content-Type of its answer.
const acceptedParams = "accepted.params"

// jsonType returns the Content-Type of an answer in JSON.
func jsonType(c echo.Context) string {
	params, _ := c.Get(acceptedParams).(string)
	return contentJSON + params
}

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
	v := r.query().Get(key)
	if v == "" {
		return absent
	}
	return strings.EqualFold(v, "true")
}

// query returns the parameters of the query as Java reads them: a bad escape
// stands for itself, and a semicolon separates nothing.
func (r *call) query() url.Values {
	text := func(s string) string {
		if t, err := url.QueryUnescape(s); err == nil {
			return t
		}
		return s
	}
	q := url.Values{}
	for item := range strings.SplitSeq(r.Request().URL.RawQuery, "&") {
		if item != "" {
			key, value, _ := strings.Cut(item, "=")
			q.Add(text(key), text(value))
		}
	}
	return q
}

// document parses the body. A body of no certain type is refused here and not
// with the other types: calls that take no body do not mind one.
func (r *call) document() (*document, json.Token, error) {
	if content := r.Request().Header.Get("Content-Type"); len(r.body) > 0 && (content == "" || strings.Contains(content, "*")) {
		e := frameworkError(http.StatusUnsupportedMediaType)
		e.framework = false // it is the resource that asks for the body
		return nil, nil, e
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
		h.Set("Location", r.baseURL()+"/connectors/"+segment(r.location))
	}
	if len(body) > 0 {
		h.Set("Content-Type", jsonType(r))
		h.Set("Content-Length", strconv.Itoa(len(body))) // as in Java, however long it is
	}
	r.Response().WriteHeader(status)
	_, _ = r.Response().Write(body) // a client that is gone is no fault of ours
}

// segment escapes a name for a URL as Java does in Location, which keeps more
// characters as they are than url.PathEscape.
func segment(name string) string {
	return strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";").Replace(url.PathEscape(name))
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
