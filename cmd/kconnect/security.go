package main

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/ssl"
	"kconnect/rest"
)

// basicAuthExtension is the one Java REST extension whose work this program does.
const basicAuthExtension = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"

// secure reads who may call the REST API, and over what.
func secure(c *rest.Config, properties config.Map, values *config.Values, log *zap.Logger) (err error) {
	if c.TLS, c.ClientTLS, err = ssl.Listener(properties, "listeners.https."); err != nil && calls(c.Listeners) {
		return err
	}
	if c.AdminTLS, _, err = ssl.Listener(properties, "admin.listeners.https."); err != nil && calls(c.AdminListeners) {
		return err
	}
	for _, class := range values.List("rest.extension.classes") {
		if class != basicAuthExtension && class != basicAuthExtension[strings.LastIndex(basicAuthExtension, ".")+1:] {
			return &connect.Error{Class: connect.ClassConfig, Kind: connect.Config,
				Message: "Invalid value " + class + " for configuration rest.extension.classes: Java classes cannot be loaded, of them " + basicAuthExtension +
					" alone is part of this program; leave the class out and protect the port by other means"}
		}
		path := cmp.Or(values.String(jaasKey), jaasPath(os.Getenv))
		if path == "" {
			return config.Invalid("rest.extension.classes", class, "no JAAS file tells the users: give its path by "+
				"-D"+jaasProperty+"=... in the environment variable KAFKA_OPTS, or by the key "+jaasKey)
		}
		if c.Auth, err = rest.ReadBasicAuth(path, func(sentence string) { log.Warn(sentence) }); err != nil {
			return err
		}
	}
	return nil
}

// calls says whether one of the listeners is https. Java does not look at the keys of TLS otherwise.
func calls(listeners []string) bool {
	return slices.ContainsFunc(listeners, func(l string) bool {
		return strings.HasPrefix(strings.ToLower(strings.TrimSpace(l)), "https:")
	})
}

const jaasKey = "kconnect.rest.basic.auth.jaas.config"
