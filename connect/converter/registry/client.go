package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/jaas"
)

// maxAnswer bounds what the registry may answer, in bytes.
const maxAnswer = 32 << 20

// Format is a format of schemas, and how its converter speaks of it.
type Format struct {
	Type sr.SchemaType
	Name string // in messages, such as Avro
	Texts
}

// Schema is a schema of the registry.
type Schema struct {
	ID         int
	Version    int // in its subject; 0 when that is not known
	Text       string
	References []sr.SchemaReference
}

// Client asks the registry on behalf of one converter, which uses it from one
// goroutine at a time.
type Client struct {
	sr       *sr.Client
	format   Format
	role     string // key or value
	strategy strategy
	shown    string // the addresses without logins

	register, latest       bool
	useID                  int
	idStrict, latestStrict bool
	normalize              bool
	latestTTL              time.Duration // 0 is for ever

	ctx       context.Context // of every request; ends with Close
	end       context.CancelFunc
	transport *http.Transport
}

// Close ends the requests that are under way, from any goroutine; those that
// would follow fail at once. What needs no request goes on (Promise 7).
func (c *Client) Close() error {
	c.end()
	c.transport.CloseIdleConnections()
	return nil
}

// newClient makes the client for the settings of a converter. request.header.NAME
// in m is sent with every request.
func newClient(v *config.Values, m config.Map, format Format, isKey bool) (*Client, error) {
	c := &Client{
		format:       format,
		role:         "value",
		register:     v.Bool("auto.register.schemas"),
		latest:       v.Bool("use.latest.version"),
		useID:        v.Int("use.schema.id"),
		idStrict:     v.Bool("id.compatibility.strict"),
		latestStrict: v.Bool("latest.compatibility.strict"),
		normalize:    v.Bool("normalize.schemas"),
		latestTTL:    time.Duration(max(0, v.Int("latest.cache.ttl.sec"))) * time.Second,
	}
	if isKey {
		c.role = "key"
	}
	c.strategy = strategyOf(v.String(c.role + ".subject.name.strategy"))
	urls, logins, err := addresses(v.List("schema.registry.url"))
	if err != nil {
		return nil, settingError(err)
	}
	c.shown = strings.Join(urls, ", ")
	if c.transport, err = transportOf(v, m); err != nil {
		return nil, settingError(err)
	}
	login, err := loginOf(v)
	if err != nil {
		return nil, settingError(err)
	}
	headers := m.WithPrefix("request.header.")
	c.sr, err = sr.NewClient(
		sr.URLs(urls...),
		sr.UserAgent("kconnect"),
		sr.HTTPClient(&http.Client{Transport: limited{c.transport}, Timeout: time.Duration(v.Int("http.connect.timeout.ms")+v.Int("http.read.timeout.ms")) * time.Millisecond}),
		sr.PreReq(func(r *http.Request) error {
			for name, value := range headers {
				r.Header.Set(name, value)
			}
			switch own := logins[r.URL.Host]; {
			case login != nil:
				login(r)
			case own != nil:
				password, _ := own.Password()
				r.SetBasicAuth(own.Username(), password)
			}
			return nil
		}),
	)
	if err != nil {
		return nil, settingError(err)
	}
	c.ctx, c.end = context.WithCancel(context.Background())
	return c, nil
}

// addresses takes the logins out of URLs, so that no error can show them.
func addresses(list []string) (urls []string, logins map[string]*url.Userinfo, err error) {
	if len(list) == 0 {
		return nil, nil, config.Invalid("schema.registry.url", "", "it must name a registry")
	}
	logins = map[string]*url.Userinfo{}
	for _, text := range list {
		u, err := url.Parse(strings.TrimSpace(text))
		switch {
		case err != nil || u.Host == "":
			return nil, nil, config.Invalid("schema.registry.url", config.Secret(text), "it is not a URL: write http://host:port or https://host:port")
		case u.Scheme == "mock":
			return nil, nil, config.Invalid("schema.registry.url", config.Secret(text), "there is no mock registry here")
		case u.Scheme != "http" && u.Scheme != "https":
			return nil, nil, config.Invalid("schema.registry.url", config.Secret(text), "it must begin with http:// or https://")
		}
		if u.User != nil {
			logins[u.Host] = u.User
			u.User = nil
		}
		urls = append(urls, u.String())
	}
	return urls, logins, nil
}

// loginOf returns what puts the login of the settings on a request; nil for
// that of the URL, or none.
func loginOf(v *config.Values) (func(*http.Request), error) {
	if token := v.Password("bearer.auth.token"); token != "" {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.Reveal()) }, nil
	}
	var user, password string
	switch v.String("basic.auth.credentials.source") {
	case "USER_INFO":
		info := v.Password("basic.auth.user.info")
		if info == "" {
			info = v.Password("schema.registry.basic.auth.user.info")
		}
		if info == "" {
			return nil, config.Invalid("basic.auth.user.info", "", "USER_INFO needs it, as user:password")
		}
		user, password, _ = strings.Cut(info.Reveal(), ":")
	case "SASL_INHERIT":
		login, _ := jaas.Parse(v.Password("sasl.jaas.config").Reveal())
		user, password = login.Options["username"], login.Options["password"]
		if user == "" {
			return nil, config.Invalid("sasl.jaas.config", "", "SASL_INHERIT needs it beside the keys of the converter, with username and password")
		}
	default:
		return nil, nil
	}
	return func(r *http.Request) { r.SetBasicAuth(user, password) }, nil
}

// limited is a transport that gives up on an answer without end.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

func transportOf(v *config.Values, m config.Map) (*http.Transport, error) {
	t, err := tlsOf(m)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: time.Duration(v.Int("http.connect.timeout.ms")) * time.Millisecond}).DialContext,
		TLSClientConfig:       t,
		ResponseHeaderTimeout: time.Duration(v.Int("http.read.timeout.ms")) * time.Millisecond,
		MaxIdleConnsPerHost:   1,
		IdleConnTimeout:       30 * time.Second,
		ForceAttemptHTTP2:     true,
	}
	if host := v.String("proxy.host"); host != "" {
		transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: net.JoinHostPort(host, strconv.Itoa(v.Int("proxy.port")))})
	}
	return transport, nil
}

// request is the context of one request.
func (c *Client) request() context.Context {
	if c.normalize {
		return sr.WithParams(c.ctx, sr.Normalize)
	}
	return c.ctx
}

// Written is the schema with which values are written.
type Written struct {
	ID int
	// Other is the schema to write with, when it is not that of the values;
	// nil otherwise.
	Other *Schema
	// Until is when the registry has to be asked again; zero is never.
	Until time.Time
}

// Register returns the id with which values of schema s are written under a
// subject, as the settings want it: s is registered or looked up, or the
// newest schema or that of use.schema.id is taken, for which compatible says
// whether it can be written with.
func (c *Client) Register(subject string, s Schema, compatible func(other Schema) error) (Written, error) {
	own := sr.Schema{Schema: s.Text, Type: c.format.Type, References: s.References}
	name := c.format.Name
	switch {
	case c.register:
		id, err := c.sr.RegisterSchema(c.request(), subject, own, -1, -1)
		if err != nil {
			return Written{}, c.failure("Error registering "+name+" schema"+s.Text, registerRemedy(subject, err), err)
		}
		return Written{ID: id}, nil
	case c.useID >= 0:
		other, err := c.ByID(subject, c.useID)
		if err != nil {
			return Written{}, err
		}
		if c.idStrict {
			if err := compatible(other); err != nil {
				return Written{}, c.incompatible(other, s, "id.compatibility.strict", err)
			}
		}
		return Written{ID: other.ID, Other: &other}, nil
	case c.latest:
		found, err := c.sr.SchemaByVersion(c.request(), subject, -1)
		if err != nil {
			return Written{}, c.failure("Error retrieving latest version of "+name+" schema"+s.Text, "Register a schema under subject "+subject+", or set auto.register.schemas=true.", err)
		}
		other := schemaOf(found)
		if c.latestStrict {
			if err := compatible(other); err != nil {
				return Written{}, c.incompatible(other, s, "latest.compatibility.strict", err)
			}
		}
		w := Written{ID: other.ID, Other: &other}
		if c.latestTTL > 0 {
			w.Until = time.Now().Add(c.latestTTL)
		}
		return w, nil
	}
	found, err := c.sr.LookupSchema(c.request(), subject, own)
	if err != nil {
		return Written{}, c.failure("Error retrieving "+name+" schema"+s.Text, "Register the schema under subject "+subject+", or set auto.register.schemas=true or use.latest.version=true.", err)
	}
	return Written{ID: found.ID}, nil
}

func registerRemedy(subject string, err error) string {
	var answer *sr.ResponseError
	if errors.As(err, &answer) && answer.StatusCode == http.StatusConflict {
		return "The schema is not compatible with what is registered under subject " + subject + ": change the data, or the compatibility level of that subject."
	}
	return "The schema was to be registered under subject " + subject + "."
}

// incompatible is the error of a schema that cannot be written with.
func (c *Client) incompatible(other, own Schema, setting string, err error) error {
	return SerializationError("Error serializing "+c.format.Name+" message", &connect.Error{
		Class: "java.io.IOException", Kind: connect.Data, Cause: err,
		Message: fmt.Sprintf("Incompatible schema %s with refs %v of type %s for schema %s. Set %s=false to disable this check",
			other.Text, other.References, c.format.Type, own.Text, setting),
	})
}

func schemaOf(s sr.SubjectSchema) Schema {
	return Schema{ID: s.ID, Version: s.Version, Text: s.Schema.Schema, References: s.References}
}

// ByID returns the schema of an id. subject says in which context of the
// registry the id counts; it may be empty.
func (c *Client) ByID(subject string, id int) (Schema, error) {
	ctx := c.ctx
	if subject != "" {
		ctx = sr.WithParams(ctx, sr.Subject(subject))
	}
	doing := "Error retrieving " + c.format.Name + " " + c.role + " schema for id " + strconv.Itoa(id)
	s, err := c.sr.SchemaByID(ctx, id)
	var answer *sr.ResponseError
	if subject != "" && errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && !strings.HasPrefix(subject, ":") {
		// Some registries take the subject for a condition, not for a hint.
		s, err = c.sr.SchemaByID(c.ctx, id)
	}
	if err != nil {
		return Schema{}, c.failure(doing, "The record's schema is not in this registry: it was deleted, or the producer uses another one than schema.registry.url.", err)
	}
	if s.Type != c.format.Type {
		return Schema{}, SerializationError(doing, &connect.Error{
			Class: "java.io.IOException", Kind: connect.Data,
			Message: fmt.Sprintf("Invalid schema %s with refs %v of type %s", s.Schema, s.References, s.Type),
			Remedy:  fmt.Sprintf("The schema is of type %s: use the converter of that format.", s.Type),
		})
	}
	return Schema{ID: id, Text: s.Schema, References: s.References}, nil
}

// Version returns which version of a subject a schema is.
func (c *Client) Version(subject string, s Schema) (int, error) {
	ctx := sr.WithParams(c.ctx, sr.ShowDeleted)
	found, err := c.sr.LookupSchema(ctx, subject, sr.Schema{Schema: s.Text, Type: c.format.Type, References: s.References})
	if err != nil {
		return 0, c.failure("Error retrieving "+c.format.Name+" "+c.role+" schema version for id "+strconv.Itoa(s.ID),
			"The schema is not registered under subject "+subject+": set "+c.role+".subject.name.strategy to what the producer uses.", err)
	}
	return found.Version, nil
}

// Named is a schema under the name by which others refer to it.
type Named struct {
	Name string
	Schema
}

// maxReferences bounds how many schemas one schema may bring along.
const maxReferences = 1000

// References returns the schemas that s refers to, directly and through each
// other, those first that others refer to, each name once.
func (c *Client) References(s Schema) ([]Named, error) {
	var all []Named
	seen := map[string]bool{}
	var visit func(refs []sr.SchemaReference) error
	visit = func(refs []sr.SchemaReference) error {
		for _, r := range refs {
			if seen[r.Name] {
				continue
			}
			if seen[r.Name] = true; len(seen) > maxReferences {
				return SerializationError(fmt.Sprintf("Schema %d refers to more than %d schemas", s.ID, maxReferences), nil)
			}
			found, err := c.sr.SchemaByVersion(c.ctx, r.Subject, r.Version)
			if err != nil {
				return c.failure(fmt.Sprintf("Error retrieving %s schema %s, version %d of subject %s", c.format.Name, r.Name, r.Version, r.Subject), "Another schema refers to it.", err)
			}
			if err := visit(found.References); err != nil {
				return err
			}
			all = append(all, Named{r.Name, schemaOf(found)})
		}
		return nil
	}
	if err := visit(slices.Clone(s.References)); err != nil {
		return nil, err
	}
	return all, nil
}
