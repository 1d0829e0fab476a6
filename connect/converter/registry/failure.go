package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"

	"kconnect/connect"
	"kconnect/connect/data"
)

// The classes under which users of the Java converters know these errors.
const (
	classRest          = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException"
	classTimeout       = "org.apache.kafka.common.errors.TimeoutException"
	classNetwork       = "org.apache.kafka.common.errors.NetworkException"
	classInvalidConfig = "org.apache.kafka.common.errors.InvalidConfigurationException"
	classConnectFailed = "java.net.ConnectException"
)

// SerializationError is a fault of a record or of its schema.
func SerializationError(message string, cause error) *connect.Error {
	return &connect.Error{Class: connect.ClassSerialization, Kind: connect.Data, Message: message, Cause: cause}
}

// failure turns what the client of the registry returns into an error that
// says what was asked (doing) and what can be done about it. It is Retriable
// when the registry cannot be reached, does not answer in time, or answers
// that the fault is its own (Promise 4).
func (c *Client) failure(doing, remedy string, err error) *connect.Error {
	var answer *sr.ResponseError
	if !errors.As(err, &answer) {
		e := SerializationError(doing, c.unreachable(err))
		e.Kind = connect.Retriable
		if isTimeout(err) {
			e.Class = classTimeout
		}
		return e
	}
	code := answer.ErrorCode
	if code == 0 {
		code = answer.StatusCode
	}
	rest := &connect.Error{
		Class: classRest, Kind: connect.Data, Remedy: remedy,
		Message: answer.Error() + "; error code: " + strconv.Itoa(code),
	}
	switch {
	case answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout:
		rest.Remedy = "The schema registry failed. The record is tried again until it answers, or, with kconnect.connection.failure=fail, for errors.retry.timeout."
		e := SerializationError(doing, rest)
		e.Kind = connect.Retriable
		return e
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		rest.Remedy = "Check the login of the schema registry: basic.auth.credentials.source, basic.auth.user.info, bearer.auth.token, and what that user may do."
	}
	if code/100 == 4 { // a plain status, as Java tells these from codes of five digits
		return &connect.Error{Class: classInvalidConfig, Kind: connect.Config, Message: rest.Message, Remedy: rest.Remedy, Cause: rest}
	}
	return SerializationError(doing, rest)
}

// unreachable is the cause of an error without an answer.
func (c *Client) unreachable(err error) error {
	return &connect.Error{
		Class: classConnectFailed, Kind: connect.Retriable,
		Message: fmt.Sprintf("The schema registry at %s cannot be reached: %v", c.shown, cause(err)),
		Remedy:  "The record is tried again until it answers, or, with kconnect.connection.failure=fail, for errors.retry.timeout.",
	}
}

// cause is the innermost network error, without the URL in front of it.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		if op := (*net.OpError)(nil); errors.As(err, &op) {
			return op
		}
		err = inner
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// Texts are what a converter says around an error.
type Texts struct {
	Writing, Reading, Access string // in front of the topic's name
	WritingEnd, ReadingEnd   string // behind it
}

// WriteError says for which topic data could not be written.
func (c *Client) WriteError(topic string, err error) error {
	t := &c.format.Texts
	return t.wrap("serializing", t.Writing+topic+t.WritingEnd, topic, err)
}

// ReadError says of which topic data could not be read.
func (c *Client) ReadError(topic string, err error) error {
	t := &c.format.Texts
	return t.wrap("deserializing", t.Reading+topic+t.ReadingEnd, topic, err)
}

// Malformed is the error of a record whose bytes are not what its schema says.
func (c *Client) Malformed(id int, err error) error {
	e := SerializationError("Error deserializing "+c.format.Name+" message for id "+strconv.Itoa(id), err)
	e.Remedy = "The bytes are not what the schema says: they were cut, or written with another schema."
	return e
}

// wrap puts the exception of the Java converters around one of this package.
// An error of another class is one of them already.
func (t *Texts) wrap(doing, message, topic string, err error) error {
	var e *connect.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Class == classTimeout:
		return connect.NewRetriable(message, e)
	case e.Class == classInvalidConfig:
		return &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: t.Access + topic + " : " + e.Message, Remedy: e.Remedy}
	case e.Class != connect.ClassSerialization:
		return err
	case e.Kind != connect.Retriable:
		return connect.NewDataError(message, e)
	case connect.ClassOf(e.Cause) != classConnectFailed: // the registry's own fault
		return connect.NewRetriable(message, e)
	}
	return &connect.Error{
		Class: classNetwork, Kind: connect.Retriable, Cause: e,
		Message: "Network connection error while " + doing + " data for topic " + topic + ": " + connect.MessageOf(e.Cause),
	}
}

// InvalidSchema is the error of a schema of the registry that cannot be read.
func InvalidSchema(s Schema, err error) error {
	return SerializationError("The schema with id "+strconv.Itoa(s.ID)+" cannot be read", err)
}

// WrongKind is the error of a value that is not of the runtime type of its
// schema.
func WrongKind(s *data.Schema, v data.Value) error {
	what := "Invalid type for "
	switch s.Logical() {
	case data.LogicalDecimal:
		what += "Decimal, expected BigDecimal but was"
	case data.LogicalDate:
		what += "Date, expected Date but was"
	case data.LogicalTime:
		what += "Time, expected Date but was"
	case data.LogicalTimestamp:
		what += "Timestamp, expected Date but was"
	default:
		what += s.Type().String() + ":"
	}
	return connect.NewDataError(what+" class "+v.JavaClass(), nil)
}
