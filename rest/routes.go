package rest

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"kconnect/connect/herder"
)

// requestTimeout is how long the Herder, or another worker, may take.
const requestTimeout = 90 * time.Second

// resource answers one request or returns the error to answer with.
type resource func(*call) error

// route is a path with its methods; :name and :task are parameters.
type route struct {
	path string
	// typed routes refuse any Content-Type but JSON, also of calls that take
	// no body (golden rest 04-content-type-and-header-case).
	typed bool
	on    map[string]resource
}

func (s *Server) rootRoutes() []route {
	type on = map[string]resource
	return []route{
		{"/", false, on{"GET": s.root}},
		{"/health", false, on{"GET": s.health}},
		{"/connectors", true, on{"GET": s.list, "POST": s.create}},
		{"/connectors/:name", true, on{"GET": s.info, "DELETE": s.delete}},
		{"/connectors/:name/config", true, on{"GET": s.config, "PUT": s.putConfig, "PATCH": s.patchConfig}},
		{"/connectors/:name/status", true, on{"GET": s.status}},
		{"/connectors/:name/restart", true, on{"POST": s.restart}},
		{"/connectors/:name/pause", true, on{"PUT": s.target(herder.Paused, http.StatusAccepted)}},
		{"/connectors/:name/resume", true, on{"PUT": s.target(herder.Started, http.StatusAccepted)}},
		{"/connectors/:name/stop", true, on{"PUT": s.target(herder.Stopped, http.StatusNoContent)}},
		{"/connectors/:name/topics", true, on{"GET": s.topics}},
		{"/connectors/:name/topics/reset", true, on{"PUT": s.resetTopics}},
		{"/connectors/:name/offsets", true, on{"GET": s.offsets, "PATCH": s.alterOffsets, "DELETE": s.resetOffsets}},
		{"/connectors/:name/tasks", true, on{"GET": s.tasks, "POST": s.putTasks}},
		{"/connectors/:name/tasks/:task/status", true, on{"GET": s.taskStatus}},
		{"/connectors/:name/tasks/:task/restart", true, on{"POST": s.restartTask}},
		{"/connectors/:name/fence", false, on{"PUT": s.fence}},
		{"/connector-plugins", true, on{"GET": s.plugins}},
		{"/connector-plugins/:name/config", true, on{"GET": s.pluginConfig}},
		{"/connector-plugins/:name/config/validate", true, on{"PUT": s.validate}},
	}
}

func (s *Server) adminRoutes() []route {
	type on = map[string]resource
	return []route{
		{"/admin/loggers", true, on{"GET": s.loggers}},
		{"/admin/loggers/:name", true, on{"GET": s.logger, "PUT": s.setLogger}},
	}
}

// router makes the handler of a listener. Whatever before does holds for every
// answer, errors included. auth, when it is not nil, says who may call.
func (s *Server) router(auth *BasicAuth, routes []route, before ...echo.MiddlewareFunc) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = writeError
	e.Pre(before...)
	e.Pre(s.gate)
	for _, r := range routes {
		for method, do := range r.on {
			e.Add(method, r.path, s.serve(auth, r, do))
			if method == http.MethodGet {
				e.HEAD(r.path, s.serve(auth, r, do)) // net/http leaves the body out
			}
		}
		e.OPTIONS(r.path, options(auth, r))
	}
	return e
}

// gate bounds the body, cleans the path before it is routed, and keeps everything out that
// comes before the worker can answer (rest.md, "Start-up and transient answers").
func (s *Server) gate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		limitBody(c)
		if c.Request().Method == http.MethodConnect {
			return badRequest("this is no proxy")
		}
		u := c.Request().URL
		raw, _, _ := strings.Cut(c.Request().RequestURI, "?")
		if u.IsAbs() { // as proxies send it
			raw = u.EscapedPath()
		}
		path, err := cleanPath(raw)
		if err != nil {
			return badRequest(err.Error())
		}
		// echo routes by RawPath when it is set; it always is, so that
		// parameters are escaped exactly once.
		u.RawPath = path
		u.Path, _ = url.PathUnescape(path)
		if path != "/health" && path != "/metrics" && !s.herder.Ready() {
			c.Response().Header()["Content-Type"] = nil
			return c.NoContent(http.StatusNotFound)
		}
		return next(c)
	}
}

// serve wraps a resource into what all have in common.
func (s *Server) serve(auth *BasicAuth, r route, do resource) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		err := s.answer(auth, c, r, do)
		if err != nil {
			writeError(err, c)
		}
		log := s.log.Info
		if c.Request().Method == http.MethodGet || c.Request().Method == http.MethodHead {
			log = s.log.Debug
		}
		log("request", zap.String("method", c.Request().Method), zap.String("path", c.Request().URL.Path),
			zap.Int("status", c.Response().Status), zap.Duration("took", time.Since(began)))
		return nil
	}
}

func (s *Server) answer(auth *BasicAuth, c echo.Context, r route, do resource) error {
	h := c.Request().Header
	if slices.ContainsFunc(c.ParamValues(), func(v string) bool { return strings.Contains(v, "/") }) {
		return frameworkError(http.StatusNotFound) // echo gives a last parameter all that remains
	}
	if given := h.Values("Content-Type"); len(given) > 0 {
		switch content, ok := parseMedia(given[0]); {
		case !ok || len(given) > 1 || !strings.Contains(given[0], "/"):
			return badRequest("the header Content-Type is no media type")
		case r.typed && !content.covers("application", "json"):
			return frameworkError(http.StatusUnsupportedMediaType)
		}
	}
	types, ok := accepted(h)
	if !ok {
		return badRequest("the header Accept is no list of media types")
	}
	accept := best(types, "application", "json")
	if accept == nil {
		return frameworkError(http.StatusNotAcceptable)
	}
	if auth.refuses(c, r.path) {
		return nil
	}
	if accept.specific() == 2 {
		c.Set(acceptedParams, accept.params)
	}
	limit := int64(maxBody)
	if h.Get(headerMAC) != "" {
		limit = maxTasksBody
	}
	body, err := readBody(c, limit)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), requestTimeout)
	defer cancel()
	one := &call{Context: c, ctx: ctx, body: body}
	err = do(one)
	var elsewhere *herder.ElsewhereError
	if errors.As(err, &elsewhere) {
		err = s.forward(one, elsewhere.URL)
	}
	// Only the end of this request's time counts: a Herder may well report that
	// something of its own took too long.
	if err != nil && ctx.Err() != nil {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return &statusError{status: http.StatusInternalServerError, message: msgTimeout}
		case errors.Is(err, context.Canceled):
			return &statusError{status: http.StatusServiceUnavailable, message: msgStopping}
		}
	}
	return err
}

// options lists the methods of a path (golden rest 01-root-health), in Allow
// alone for a client that wants anything but plain text: its type is then that
// of the answer without a body, as in Java.
func options(auth *BasicAuth, r route) echo.HandlerFunc {
	var methods []string
	for _, m := range []string{"HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"} {
		_, on := r.on[m]
		if m == "OPTIONS" || on || m == "HEAD" && r.on["GET"] != nil {
			methods = append(methods, m)
		}
	}
	return func(c echo.Context) error {
		types, ok := accepted(c.Request().Header)
		if !ok {
			return badRequest("the header Accept is no list of media types")
		}
		if auth.refuses(c, r.path) {
			return nil
		}
		wanted := slices.MaxFunc(types, func(a, b mediaRange) int { return cmp.Compare(a.weight, b.weight) })
		h := c.Response().Header()
		h.Set("Allow", strings.Join(methods, ","))
		if !wanted.covers("text", "plain") {
			h.Set("Content-Type", wanted.text)
			return c.NoContent(http.StatusOK)
		}
		h.Set("Content-Type", "text/plain")
		c.Response().WriteHeader(http.StatusOK)
		_, err := c.Response().Write([]byte(strings.Join(methods, ", ")))
		return err
	}
}
