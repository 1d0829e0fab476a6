package kafkaconf

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"kconnect/connect/config"
	"kconnect/connect/jaas"
)

var saslKeys = config.NewDef(
	key("sasl.mechanism", config.String, "GSSAPI", nil),
	key("sasl.jaas.config", config.Password, "", nil),
	key("sasl.client.callback.handler.class", config.Class, "", nil),
	key("sasl.login.callback.handler.class", config.Class, "", nil),
	key("sasl.login.class", config.Class, "", nil),
).Merge(oauthKeys)

func (c *client) sasl() error {
	mechanism := c.String("sasl.mechanism")
	for _, key := range []string{"sasl.client.callback.handler.class", "sasl.login.class"} {
		if v := c.String(key); v != "" {
			return config.Invalid(key, v, "this worker runs no Java classes: put the user into sasl.jaas.config and leave the key out")
		}
	}
	module := "ScramLoginModule"
	switch mechanism {
	case "OAUTHBEARER":
		return c.oauth()
	case "PLAIN":
		module = "PlainLoginModule"
	case "SCRAM-SHA-256", "SCRAM-SHA-512":
	default:
		// Promise 9: what is not there yet refuses.
		why := "this worker can do PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER: use a listener of the brokers that has one of them"
		if _, set := c.raw["sasl.mechanism"]; !set {
			why = "it is what counts when the key is not set; " + why
		}
		return config.Invalid("sasl.mechanism", mechanism, why)
	}
	if v := c.String("sasl.login.callback.handler.class"); v != "" {
		return config.Invalid("sasl.login.callback.handler.class", v, "this worker runs no Java classes: put the user into sasl.jaas.config and leave the key out")
	}
	text, given := c.OptPassword("sasl.jaas.config")
	refuse := func(why string) error { return config.Invalid("sasl.jaas.config", text, why) }
	form := `write org.apache.kafka.common.security.` + strings.ToLower(strings.TrimSuffix(module, "LoginModule")) + "." + module +
		` required username="..." password="...";`
	if !given {
		return config.Invalid("sasl.jaas.config", nil, "security.protocol asks for a user: "+form)
	}
	login, ok := jaas.Parse(text.Reveal())
	switch {
	case !ok:
		return refuse("not one login module with its options: " + form)
	case login.SimpleModule() != module:
		return refuse("the login module is not that of " + mechanism + ": " + form)
	case login.Options["username"] == "" || login.Options["password"] == "":
		return refuse("username or password is missing or empty: " + form)
	}
	user, password := login.Options["username"], login.Options["password"]
	switch mechanism {
	case "PLAIN":
		c.add(kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()))
	case "SCRAM-SHA-256":
		c.add(kgo.SASL(scram.Auth{User: user, Pass: password, IsToken: login.Options["tokenauth"] == "true"}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		c.add(kgo.SASL(scram.Auth{User: user, Pass: password, IsToken: login.Options["tokenauth"] == "true"}.AsSha512Mechanism()))
	}
	return nil
}
