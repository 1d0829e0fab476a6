package ssl

import (
	"errors"

	"kconnect/connect/config"
)

// Keys defines the keys of a client. A default of null is that of Java: the store is not configured.
var Keys = config.NewDef(
	config.Key{Name: "ssl.protocol", Type: config.String, Default: config.Default("TLSv1.3"), Validate: config.OneOf("TLS", "TLSv1.1", "TLSv1.2", "TLSv1.3")},
	config.Key{Name: "ssl.enabled.protocols", Type: config.List, Default: config.Default("TLSv1.2,TLSv1.3")},
	config.Key{Name: "ssl.cipher.suites", Type: config.List},
	config.Key{Name: "ssl.endpoint.identification.algorithm", Type: config.String, Default: config.Default("https"), Validate: config.OneOfFold("https", "")},
	config.Key{Name: "ssl.truststore.type", Type: config.String, Default: config.Default("JKS")},
	config.Key{Name: "ssl.truststore.location", Type: config.String},
	config.Key{Name: "ssl.truststore.password", Type: config.Password},
	config.Key{Name: "ssl.truststore.certificates", Type: config.Password},
	config.Key{Name: "ssl.keystore.type", Type: config.String, Default: config.Default("JKS")},
	config.Key{Name: "ssl.keystore.location", Type: config.String},
	config.Key{Name: "ssl.keystore.password", Type: config.Password},
	config.Key{Name: "ssl.keystore.key", Type: config.Password},
	config.Key{Name: "ssl.keystore.certificate.chain", Type: config.Password},
	config.Key{Name: "ssl.key.password", Type: config.Password},
	config.Key{Name: "ssl.engine.factory.class", Type: config.Class},
	config.Key{Name: "ssl.provider", Type: config.String},
)

// listenerKeys are those of an https listener.
var listenerKeys = Keys.Merge(config.NewDef(
	config.Key{Name: "ssl.client.auth", Type: config.String, Default: config.Default("none"), Validate: config.OneOf("required", "requested", "none")},
))

// settings are values under keys that may have a prefix, which their errors show.
type settings struct {
	*config.Values
	prefix string
}

// read parses the keys of m that begin with prefix.
func read(def *config.Def, m config.Map, prefix string) (settings, error) {
	own := m
	if prefix != "" {
		own = m.WithPrefix(prefix)
	}
	v, err := def.Parse(own)
	if err != nil {
		var one *config.Error
		if prefix == "" || !errors.As(err, &one) {
			return settings{}, err
		}
		named := *one
		named.Key = prefix + one.Key
		return settings{}, &named
	}
	return settings{v, prefix}, nil
}

func (s settings) invalid(key string, value any, why string) error {
	return config.Invalid(s.prefix+key, value, why)
}

// fault is an error of what a key points to.
func (s settings) fault(key string, value any, why string, cause error) error {
	e := config.Invalid(s.prefix+key, value, why)
	e.Cause = cause
	return e
}
