package rest

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kconnect/connect/config"
)

const headersKey = "response.http.headers.config"

// HeaderRule adds a header to every answer of the main listeners.
type HeaderRule struct {
	Name    string
	Value   string
	Replace bool // what the answer has under the name goes away
	Date    bool // Value is ms from now, shown as an HTTP date
}

// ParseHeaders reads response.http.headers.config: a list of rules separated
// by commas, each "set|add|setDate|addDate Name: value" and in double quotes
// when it has a comma itself. The error is a *config.Error.
func ParseHeaders(text string) ([]HeaderRule, error) {
	var rules []HeaderRule
	for _, item := range splitQuoted(text) {
		rule, err := parseHeader(item)
		if err != nil {
			return nil, config.Invalid(headersKey, text, err.Error())
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func parseHeader(item string) (HeaderRule, error) {
	action, rest, _ := strings.Cut(item, " ")
	name, value, colon := strings.Cut(rest, ":")
	r := HeaderRule{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)}
	switch action {
	case "set":
		r.Replace = true
	case "add":
	case "setDate":
		r.Replace, r.Date = true, true
	case "addDate":
		r.Date = true
	default:
		return r, fmt.Errorf("the rule '%s' has to begin with set, add, setDate or addDate", item)
	}
	if !colon || !headerName.MatchString(r.Name) {
		return r, fmt.Errorf("the rule '%s' has to be of the form '%s Name: value'", item, action)
	}
	if strings.ContainsAny(r.Value, "\r\n\x00") {
		return r, fmt.Errorf("the value of the rule for '%s' must not have line breaks", r.Name)
	}
	if _, err := strconv.ParseInt(r.Value, 10, 64); r.Date && err != nil {
		return r, fmt.Errorf("the rule '%s' needs a whole number of milliseconds", item)
	}
	return r, nil
}

// splitQuoted splits at commas outside double quotes and trims the items;
// empty ones are left out. A backslash in quotes takes the next character as it is.
func splitQuoted(text string) []string {
	var (
		items  []string
		b      strings.Builder
		quoted bool
	)
	end := func() {
		if s := strings.TrimSpace(b.String()); s != "" {
			items = append(items, s)
		}
		b.Reset()
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case c == ',' && !quoted:
			end()
		default:
			b.WriteByte(c)
		}
	}
	end()
	return items
}

// withHeaders applies the rules before anything else writes to the answer.
func withHeaders(rules []HeaderRule) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			for _, r := range rules {
				value := r.Value
				if r.Date {
					ms, _ := strconv.ParseInt(value, 10, 64) // ParseHeaders checked it
					value = time.Now().Add(time.Duration(ms) * time.Millisecond).UTC().Format(http.TimeFormat)
				}
				if r.Replace {
					h.Set(r.Name, value)
				} else {
					h.Add(r.Name, value)
				}
			}
			return next(c)
		}
	}
}
