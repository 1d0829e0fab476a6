package connect

import (
	"errors"
	"strings"
	"time"
)

// Kind says what the worker does about an error.
type Kind uint8

const (
	// Fatal fails the task.
	Fatal Kind = iota
	// Retriable is a fault of the surroundings: wait and try again (Promise 4).
	Retriable
	// Data is a fault of one record: errors.tolerance and the dead letter queue decide.
	Data
	// Config is a fault of a configuration: it is refused.
	Config
)

// The Java classes under which users know errors.
const (
	ClassConnect              = "org.apache.kafka.connect.errors.ConnectException"
	ClassRetriable            = "org.apache.kafka.connect.errors.RetriableException"
	ClassData                 = "org.apache.kafka.connect.errors.DataException"
	ClassConfig               = "org.apache.kafka.common.config.ConfigException"
	ClassSerialization        = "org.apache.kafka.common.errors.SerializationException"
	ClassTableAlterOrCreate   = "io.confluent.connect.jdbc.sink.TableAlterOrCreateException"
	ClassSQL                  = "java.sql.SQLException"
	ClassIllegalArgument      = "java.lang.IllegalArgumentException"
	ClassNullPointer          = "java.lang.NullPointerException"
	ClassUnsupportedOperation = "java.lang.UnsupportedOperationException"
)

// Error is the one error model that users read: in traces, dead-letter
// headers and REST answers.
type Error struct {
	Class   string // Java class name; empty means ConnectException
	Kind    Kind
	Message string
	Cause   error
	// Remedy says what to do about it, where Message is a text of the Java
	// worker that has to stay as it is. It shows in traces only.
	Remedy string
	// RetryAfter is how long to wait before a retriable error is tried again;
	// zero leaves it to the worker, which grows its delay from 0.1 s to 10 s.
	RetryAfter time.Duration
}

// Error returns the message, followed by the cause's where there is one.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	if e.Message == "" {
		return e.Cause.Error()
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// JavaClass returns the class name for traces and headers.
func (e *Error) JavaClass() string {
	if e.Class == "" {
		return ClassConnect
	}
	return e.Class
}

// JavaMessage returns the message without its cause, as Java's getMessage.
func (e *Error) JavaMessage() string { return e.Message }

// NewError returns a fatal ConnectException.
func NewError(message string, cause error) *Error { return &Error{Message: message, Cause: cause} }

// NewRetriable returns an error that is tried again.
func NewRetriable(message string, cause error) *Error {
	return &Error{Class: ClassRetriable, Kind: Retriable, Message: message, Cause: cause}
}

// NewDataError returns a fault of one record.
func NewDataError(message string, cause error) *Error {
	return &Error{Class: ClassData, Kind: Data, Message: message, Cause: cause}
}

// KindOf returns the Kind of the outermost Error in the chain; other errors are Fatal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Fatal
}

// ClassOf returns the Java class under which an error is shown. Errors of
// other packages have one by a method JavaClass; all else is a ConnectException.
func ClassOf(err error) string {
	if c, ok := err.(interface{ JavaClass() string }); ok {
		return c.JavaClass()
	}
	return ClassConnect
}

// MessageOf returns the message of the error itself, without its causes'.
func MessageOf(err error) string {
	if m, ok := err.(interface{ JavaMessage() string }); ok {
		return m.JavaMessage()
	}
	return err.Error()
}

// Trace returns the text that statuses and headers show: class and message of
// the error, then a line "Caused by: " for each cause that carries a class of its own.
func Trace(err error) string {
	var b strings.Builder
	for first := true; err != nil; first = false {
		if !first {
			b.WriteString("\nCaused by: ")
		}
		b.WriteString(ClassOf(err))
		if m := MessageOf(err); m != "" {
			b.WriteString(": ")
			b.WriteString(m)
		}
		if e, ok := err.(*Error); ok && e.Remedy != "" { //nolint:errorlint // of this link
			b.WriteString("\n\t" + e.Remedy)
		}
		err = classed(errors.Unwrap(err))
	}
	b.WriteByte('\n')
	return b.String()
}

// classed skips links that only wrap text around a cause with a class; a last
// link without one is shown.
func classed(err error) error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if _, ok := e.(interface{ JavaClass() string }); ok {
			return e
		}
	}
	return err
}
