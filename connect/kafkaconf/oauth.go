package kafkaconf

import (
	"context"
	"crypto/tls"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	saslOAuth "github.com/twmb/franz-go/pkg/sasl/oauth"

	"kconnect/connect/config"
	"kconnect/connect/jaas"
	"kconnect/connect/oauth"
	"kconnect/connect/ssl"
)

// AllowedURLs is the key of the addresses that sasl.oauthbearer.token.endpoint.url may have. It is the worker's: whoever
// makes clients for connectors sets it after their overrides, because a connector must not read any file, and call any
// address, from the worker's machine. Java has a system property for it, org.apache.kafka.sasl.oauthbearer.allowed.urls.
const AllowedURLs = "kconnect.sasl.oauthbearer.allowed.urls"

var oauthKeys = config.NewDef(
	key(AllowedURLs, config.List, "", nil),
	key("sasl.oauthbearer.token.endpoint.url", config.String, "", nil),
	key("sasl.oauthbearer.scope", config.String, "", nil),
	key("sasl.oauthbearer.client.credentials.client.id", config.String, "", nil),
	key("sasl.oauthbearer.client.credentials.client.secret", config.Password, "", nil),
	key("sasl.oauthbearer.header.urlencode", config.Boolean, "false", nil),
	key("sasl.oauthbearer.sub.claim.name", config.String, "sub", nil),
	key("sasl.oauthbearer.jwt.retriever.class", config.Class, oauthPackage+"DefaultJwtRetriever", nil),
	key("sasl.oauthbearer.jwt.validator.class", config.Class, oauthPackage+"DefaultJwtValidator", nil),
	key("sasl.login.connect.timeout.ms", config.Int, "", nil),
	key("sasl.login.read.timeout.ms", config.Int, "", nil),
	key("sasl.login.retry.backoff.ms", config.Long, "100", nil),
	key("sasl.login.retry.backoff.max.ms", config.Long, "10000", nil),
	key("sasl.login.refresh.window.factor", config.Double, "0.8", config.Between(0.5, 1.0)),
	key("sasl.login.refresh.window.jitter", config.Double, "0.05", config.Between(0.0, 0.25)),
	key("sasl.login.refresh.min.period.seconds", config.Short, "60", config.Between(0, 900)),
	key("sasl.login.refresh.buffer.seconds", config.Short, "300", config.Between(0, 3600)),
)

const oauthPackage = "org.apache.kafka.common.security.oauthbearer."

// oauth adds a login with tokens.
func (c *client) oauth() error {
	// The handler is what asks the endpoint in Java; before Kafka 4 it was in a package below.
	handler := c.String("sasl.login.callback.handler.class")
	if handler != "" && handler != oauthPackage+"OAuthBearerLoginCallbackHandler" && handler != oauthPackage+"secured.OAuthBearerLoginCallbackHandler" {
		return config.Invalid("sasl.login.callback.handler.class", handler, "this worker runs no Java classes: with OAUTHBEARER it does what "+oauthPackage+"OAuthBearerLoginCallbackHandler does")
	}
	for key, known := range map[string][]string{
		"sasl.oauthbearer.jwt.retriever.class": {"DefaultJwtRetriever", "ClientCredentialsJwtRetriever", "FileJwtRetriever"},
		"sasl.oauthbearer.jwt.validator.class": {"DefaultJwtValidator", "ClientJwtValidator"},
	} {
		if v := c.String(key); !strings.HasPrefix(v, oauthPackage) || !slices.Contains(known, strings.TrimPrefix(v, oauthPackage)) {
			return config.Invalid(key, v, "this worker runs no Java classes and does what these do: "+strings.Join(known, ", "))
		}
	}
	text, given := c.OptPassword("sasl.jaas.config")
	login := jaas.Login{Module: oauthPackage + "OAuthBearerLoginModule"}
	if given {
		var ok bool
		if login, ok = jaas.Parse(text.Reveal()); !ok || login.SimpleModule() != "OAuthBearerLoginModule" {
			return config.Invalid("sasl.jaas.config", text, "not the one login module of OAUTHBEARER: write "+oauthPackage+`OAuthBearerLoginModule required clientId="..." clientSecret="...";`)
		}
	}
	extensions, err := saslExtensions(login, text)
	if err != nil {
		return err
	}
	retriever, err := c.retriever(login)
	if err != nil {
		return err
	}
	seconds := func(key string) time.Duration { return time.Duration(c.Short(key)) * time.Second }
	source := oauth.NewSource(retriever, oauth.Refresh{
		Window: c.Double("sasl.login.refresh.window.factor"), Jitter: c.Double("sasl.login.refresh.window.jitter"),
		MinPeriod: seconds("sasl.login.refresh.min.period.seconds"), Buffer: seconds("sasl.login.refresh.buffer.seconds"),
	}, oauth.Claims{Subject: c.String("sasl.oauthbearer.sub.claim.name")})
	c.add(kgo.SASL(saslOAuth.Oauth(func(ctx context.Context) (saslOAuth.Auth, error) {
		token, err := source.Token(ctx)
		return saslOAuth.Auth{Token: token, Extensions: extensions}, err
	})))
	return nil
}

// retriever is the file or the endpoint of sasl.oauthbearer.token.endpoint.url.
func (c *client) retriever(login jaas.Login) (oauth.Retriever, error) {
	const key = "sasl.oauthbearer.token.endpoint.url"
	address := strings.TrimSpace(c.String(key))
	refuse := func(why string) (oauth.Retriever, error) { return nil, config.Invalid(key, address, why) }
	if address == "" {
		return nil, config.Invalid(key, nil, "OAUTHBEARER needs the address of the provider's token endpoint, or file:/path of a token")
	}
	u, err := url.Parse(address)
	if err != nil {
		return refuse("not a URL: write https://host/path, or file:/path of a token")
	}
	if !slices.Contains(c.List(AllowedURLs), address) {
		return refuse("the URL is not allowed: name it in the worker's configuration by " + AllowedURLs +
			", or as for a Java worker by -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=... in the environment variable KAFKA_OPTS")
	}
	class := strings.TrimPrefix(c.String("sasl.oauthbearer.jwt.retriever.class"), oauthPackage)
	switch {
	case u.Scheme == "file" && u.Path != "" && class != "ClientCredentialsJwtRetriever":
		return oauth.File{Path: u.Path}, nil
	case u.Scheme == "file" || class == "FileJwtRetriever":
		return refuse(class + " does not take such a URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return refuse("write http://, https:// or file:")
	}
	return c.endpoint(address, u.Scheme == "https", login)
}

func (c *client) endpoint(address string, secure bool, login jaas.Login) (oauth.Retriever, error) {
	id := strings.TrimSpace(c.String("sasl.oauthbearer.client.credentials.client.id"))
	secret := config.Secret(strings.TrimSpace(c.Password("sasl.oauthbearer.client.credentials.client.secret").Reveal()))
	scope := strings.TrimSpace(c.String("sasl.oauthbearer.scope"))
	for option, value := range map[string]*string{"clientId": &id, "clientSecret": (*string)(&secret), "scope": &scope} {
		if *value == "" {
			*value = strings.TrimSpace(login.Options[option])
		}
	}
	if id == "" {
		return nil, config.Invalid("sasl.oauthbearer.client.credentials.client.id", nil, "OAUTHBEARER needs the client's id, here or as clientId in sasl.jaas.config")
	}
	if secret == "" {
		return nil, config.Invalid("sasl.oauthbearer.client.credentials.client.secret", nil, "OAUTHBEARER needs the client's secret, here or as clientSecret in sasl.jaas.config")
	}
	e := &oauth.Endpoint{
		URL: address, ID: id, Secret: secret, Scope: scope, URLEncode: c.Bool("sasl.oauthbearer.header.urlencode"),
		Backoff:    time.Duration(c.Long("sasl.login.retry.backoff.ms")) * time.Millisecond,
		MaxBackoff: time.Duration(c.Long("sasl.login.retry.backoff.max.ms")) * time.Millisecond,
	}
	var t *tls.Config
	if own := sslOptions(login); secure && len(own) > 0 {
		// The client's own ssl.* keys are for the brokers; those of the endpoint are options of the login, as in Java.
		var err error
		if t, err = ssl.Client(own); err != nil {
			return nil, config.Invalid("sasl.jaas.config", c.Password("sasl.jaas.config"), "TLS of the token endpoint: "+err.Error())
		}
	}
	millis := func(key string) time.Duration {
		ms, _ := c.OptInt(key)
		return time.Duration(ms) * time.Millisecond
	}
	e.Connect(t, millis("sasl.login.connect.timeout.ms"), millis("sasl.login.read.timeout.ms"))
	return e, nil
}

func sslOptions(login jaas.Login) config.Map {
	own := make(config.Map)
	for name, value := range login.Options {
		if strings.HasPrefix(name, "ssl.") {
			own[name] = value
		}
	}
	return own
}

var (
	extensionName  = regexp.MustCompile(`^[A-Za-z]+$`)
	extensionValue = regexp.MustCompile(`^[\x21-\x7E \t\r\n]+$`)
)

// saslExtensions are the options extension_NAME of a login (KIP-342).
func saslExtensions(login jaas.Login, text config.Secret) (map[string]string, error) {
	extensions := make(map[string]string)
	for option, value := range login.Options {
		name, ok := strings.CutPrefix(option, "extension_")
		if !ok {
			continue
		}
		if !extensionName.MatchString(name) || name == "auth" || !extensionValue.MatchString(value) {
			return nil, config.Invalid("sasl.jaas.config", text, "the name of an option extension_NAME has to be of letters and not auth, its value of printable ASCII")
		}
		extensions[name] = value
	}
	return extensions, nil
}
