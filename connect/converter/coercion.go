package converter

import (
	"errors"

	"kconnect/connect"
	"kconnect/connect/config"
)

const coercionKey = "kconnect.converter.coercion"

// coercionDef holds the keys that Java's converters lack. They are not in the
// definitions of the plugins, because those are what users of the Java worker
// see listed (D26).
var coercionDef = config.NewDef(
	config.Key{
		Name: coercionKey, Type: config.String, Validate: orNull(config.OneOf("safe", "java")),
		Doc: "What a converter does with a value that its schema cannot hold: safe refuses it, java changes it as the Java worker does.",
	},
	config.Key{
		Name: "kconnect.compatibility", Type: config.String, Default: new("safe"), Validate: config.OneOf("safe", "java"),
		Doc: "java sets every switch between safe and Java behaviour to Java.",
	},
)

func orNull(v config.Validator) config.Validator {
	return config.Func(v.String(), func(name string, value any) error {
		if value == nil {
			return nil
		}
		return v.Check(name, value)
	})
}

// JavaCoercion tells whether the settings of a converter ask for Java's silent
// coercion (D1).
func JavaCoercion(m config.Map) (bool, error) {
	v, err := parse(coercionDef, m)
	if err != nil {
		return false, err
	}
	if mode, ok := v.OptString(coercionKey); ok {
		return mode == "java", nil
	}
	return v.String("kconnect.compatibility") == "java", nil
}

// parse reads m and gives its first fault in the class that users know.
func parse(def *config.Def, m config.Map) (*config.Values, error) {
	v, err := def.Parse(m)
	if err == nil {
		return v, nil
	}
	var first *config.Error
	if errors.As(err, &first) {
		err = first
	}
	return nil, &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: err.Error()}
}

// parseTyped is parse for a definition with converter.type, which the worker
// knows and the user need not say; what the user says there does not count.
func parseTyped(def *config.Def, m config.Map, isKey bool) (*config.Values, error) {
	m = m.Clone()
	m[typeKey] = "value"
	if isKey {
		m[typeKey] = "key"
	}
	return parse(def, m)
}

const typeKey = "converter.type"

// typeKeyDef is the key that every converter has.
var typeKeyDef = config.Key{
	Name: typeKey, Type: config.String, Required: true, Importance: config.Low, Validate: config.OneOf("key", "value", "header"),
	Doc: "What the converter is used for: key, value or header. The worker sets it.",
}
