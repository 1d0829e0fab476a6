package golden

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Error is a recorded exception. Class and message of the first one count, of
// causes the class, and the message unless the JSON parser made it.
type Error struct {
	Class   string  `json:"class"`
	Message *string `json:"message"` // nil is Java's null message
	Cause   *Error  `json:"cause"`
}

// identityHash is what Java prints for objects without a text of their own;
// recordings have @HASH in its place.
var identityHash = regexp.MustCompile(`@[0-9a-f]{1,8}\b`)

// HideHashes puts @HASH in the place of identity hashes.
func HideHashes(s string) string { return identityHash.ReplaceAllString(s, "@HASH") }

// Diff returns how err differs from the recorded exception, or "".
func (e *Error) Diff(err error) string {
	for depth := 0; ; depth++ {
		if e == nil {
			return ""
		}
		if err == nil {
			return fmt.Sprintf("no error; want %s", e)
		}
		class, message := describe(err)
		parser := depth > 0 && (strings.Contains(e.Class, "fasterxml") || e.Message != nil && strings.Contains(*e.Message, "com.fasterxml"))
		want := ""
		if e.Message != nil {
			want = *e.Message
		}
		if class != e.Class || !parser && HideHashes(loseSurrogates(message)) != HideHashes(want) {
			return fmt.Sprintf("at depth %d: got %s: %s; want %s", depth, class, message, e)
		}
		e, err = e.Cause, errors.Unwrap(err)
	}
}

func (e *Error) String() string {
	b, _ := json.Marshal(e) // strings and pointers always marshal
	return string(b)
}

// describe asks an error for its Java class and its own message, which the
// error types of connect and connect/data know.
func describe(err error) (class, message string) {
	class, message = "org.apache.kafka.connect.errors.ConnectException", err.Error()
	if c, ok := err.(interface{ JavaClass() string }); ok {
		class = c.JavaClass()
	}
	if m, ok := err.(interface{ JavaMessage() string }); ok {
		message = m.JavaMessage()
	}
	return class, message
}
