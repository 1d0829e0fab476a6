package data

// Error is a fault of data or of a schema. Its class is the Java class under
// which users know it; it shows in traces and in dead-letter headers.
type Error struct {
	Class   string // empty means DataException
	Message string
	Cause   error
}

// Error returns the message alone; the class is shown by connect's formatter.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// JavaClass returns the class name for traces and headers.
func (e *Error) JavaClass() string {
	if e.Class == "" {
		return "org.apache.kafka.connect.errors.DataException"
	}
	return e.Class
}

func dataError(message string) error { return &Error{Message: message} }
