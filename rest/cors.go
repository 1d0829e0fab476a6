package rest

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"kconnect/connect/config"
)

// origins are the web pages that may read answers.
type origins struct {
	any      bool
	exact    []string
	patterns []*config.Pattern
}

// parseOrigins reads access.control.allow.origin: origins separated by commas,
// of which * is every one. One with the signs of a regular expression is one,
// as in the Java worker; a plain one is taken by the letter, because the dot in
// http://my.example.com must not let in http://my-example.com.
func parseOrigins(allow string) (origins, error) {
	var o origins
	for _, text := range strings.Split(allow, ",") {
		switch text = strings.TrimSpace(text); {
		case text == "":
		case text == "*":
			o.any = true
		case strings.ContainsAny(text, `\*+?()[]{}|^$`):
			p, err := config.CompilePattern("(?i)(?:" + text + ")")
			if err != nil {
				return o, config.Invalid("access.control.allow.origin", allow, "each origin has to be *, of the form http://host:port, or a regular expression for such: "+err.Error())
			}
			o.patterns = append(o.patterns, p)
		default:
			o.exact = append(o.exact, text)
		}
	}
	return o, nil
}

func (o origins) allow(origin string) bool {
	if origin == "" || o.any {
		return origin != ""
	}
	for _, text := range o.exact {
		if strings.EqualFold(text, origin) {
			return true
		}
	}
	for _, p := range o.patterns {
		if ok, err := p.Matches(origin); ok && err == nil {
			return true
		}
	}
	return false
}

// withCORS lets pages of the origins in allow read answers (rest.md, "CORS and
// extra headers").
func withCORS(allow, methods string) (echo.MiddlewareFunc, error) {
	allowed, err := parseOrigins(allow)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(methods) == "" {
		methods = "GET,HEAD,POST"
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Add("Vary", "Origin")
			if origin := c.Request().Header.Get("Origin"); allowed.allow(origin) {
				h.Set("Access-Control-Allow-Origin", origin)
				if c.Request().Method == http.MethodOptions && c.Request().Header.Get("Access-Control-Request-Method") != "" {
					h.Set("Access-Control-Allow-Methods", methods)
					h.Set("Access-Control-Allow-Headers", "Content-Type")
					h.Set("Access-Control-Max-Age", "60")
				}
			}
			return next(c)
		}
	}, nil
}
