package converter

import (
	"strconv"

	"kconnect/connect"
)

// The Java classes of what the JSON parser of the Java worker throws. They
// show in traces and dead-letter headers.
const (
	classJSONParse       = "com.fasterxml.jackson.core.JsonParseException"
	classJSONEOF         = "com.fasterxml.jackson.core.io.JsonEOFException"
	classJSONConstraints = "com.fasterxml.jackson.core.exc.StreamConstraintsException"
	classJSONGeneration  = "com.fasterxml.jackson.core.JsonGenerationException"
	classInvalidFormat   = "com.fasterxml.jackson.databind.exc.InvalidFormatException"
	classNumberFormat    = "java.lang.NumberFormatException"
	classCharConversion  = "java.io.CharConversionException"
)

// syntaxError is text that is not acceptable JSON, at a byte offset.
type syntaxError struct {
	class   string
	message string
	offset  int
}

func (e *syntaxError) Error() string {
	if e.class == classNumberFormat { // the message is Java's own
		return e.message
	}
	return e.message + " at byte " + strconv.Itoa(e.offset)
}

// JavaClass returns the class name for traces and headers.
func (e *syntaxError) JavaClass() string { return e.class }

// serializationError wraps a parser's error in the two exceptions in which
// users of the Java worker find it.
func serializationError(message string, cause error) *connect.Error {
	return connect.NewDataError(message, &connect.Error{
		Class:   connect.ClassSerialization,
		Kind:    connect.Data,
		Message: connect.ClassOf(cause) + ": " + cause.Error(),
		Cause:   cause,
	})
}
