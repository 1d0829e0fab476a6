package herder

// The errors of a request. rest chooses the status code by type; every other
// error is a 500 with its message.

// NotFoundError is answered with 404.
type NotFoundError struct{ Message string }

func (e *NotFoundError) Error() string { return e.Message }

// BadRequestError is answered with 400.
type BadRequestError struct{ Message string }

func (e *BadRequestError) Error() string { return e.Message }

// ForbiddenError is answered with 403.
type ForbiddenError struct{ Message string }

func (e *ForbiddenError) Error() string { return e.Message }

// ConflictError is answered with 409: the connector exists, or the cluster is
// between two states and the client should try again.
type ConflictError struct{ Message string }

func (e *ConflictError) Error() string { return e.Message }

// UnavailableError is answered with 503.
type UnavailableError struct{ Message string }

func (e *UnavailableError) Error() string { return e.Message }

// ElsewhereError says that another worker must do it: the leader, or the owner
// of a connector or task. rest forwards the request to URL, at most twice. An
// empty URL means that nobody is known.
type ElsewhereError struct{ URL string }

func (e *ElsewhereError) Error() string {
	if e.URL == "" {
		return "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
	}
	return "the worker at " + e.URL + " has to do this"
}
