package config

// Error is a configuration that is not acceptable. Error gives the text of
// Kafka's org.apache.kafka.common.config.ConfigException for the same fault,
// because that text is what users search for and what the REST API answers.
type Error struct {
	Key     string // the key, as the user writes it; empty when no single key is at fault
	Value   string // the value as given, [hidden] for a secret, "null" for none
	Message string // why it is refused; the whole text when Whole is set
	Whole   bool   // Message needs no "Invalid value ... for configuration ..." before it
	Cause   error  // what lies behind it, not part of the text; may be nil
}

// Unwrap returns Cause.
func (e *Error) Unwrap() error { return e.Cause }

func (e *Error) Error() string {
	if e.Whole {
		return e.Message
	}
	s := "Invalid value " + e.Value + " for configuration " + e.Key
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Missing is the error of a required key that is absent.
func Missing(key string) *Error {
	return &Error{Key: key, Whole: true, Message: `Missing required configuration "` + key + `" which has no default value.`}
}

// Invalid is the error of a value that key refuses. value is what the
// configuration shows to its user: pass a Secret as it is, never its text.
func Invalid(key string, value any, message string) *Error {
	return &Error{Key: key, Value: javaText(value), Message: message}
}

// JavaClass returns the class under which users know the error.
func (e *Error) JavaClass() string { return "org.apache.kafka.common.config.ConfigException" }

// JavaMessage returns the text without Cause, which is not part of it.
func (e *Error) JavaMessage() string { return e.Error() }
