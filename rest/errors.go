package rest

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"kconnect/connect/herder"
)

const (
	msgTimeout  = "Request timed out. The worker did not finish it in time; what was asked may still happen. GET /health tells whether the worker is well."
	msgStopping = "The worker is shutting down. Send the request to another worker, or again later."
)

// statusError is an error whose status is decided here and not by the Herder.
type statusError struct {
	status  int
	message string
	// framework errors are raised before a resource is reached. Their answers
	// have no Content-Type, as in Java (golden rest 01-root-health).
	framework bool
}

func (e *statusError) Error() string { return e.message }

// frameworkError is the answer to a request that no resource takes.
func frameworkError(status int) *statusError {
	return &statusError{status: status, message: fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)), framework: true}
}

// badRequest is the answer to what a Java worker's HTTP server refuses before
// it is a request: there it is a page of HTML or nothing.
func badRequest(why string) error {
	return &statusError{status: http.StatusBadRequest, message: "Bad request: " + why}
}

// missing is the answer to a request that lacks what it is about. Java answers
// with 500, the status of the null dereference that happens there.
func missing(expected string) error {
	return &statusError{status: http.StatusInternalServerError, message: "The request lacks its content: expected " + expected}
}

// statusOf chooses status and message for an error; the one place that does.
func statusOf(err error) *statusError {
	var (
		own         *statusError
		router      *echo.HTTPError
		notFound    *herder.NotFoundError
		badRequest  *herder.BadRequestError
		forbidden   *herder.ForbiddenError
		conflict    *herder.ConflictError
		unavailable *herder.UnavailableError
	)
	answer := func(status int) *statusError { return &statusError{status: status, message: err.Error()} }
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &router):
		return frameworkError(router.Code)
	case errors.As(err, &notFound):
		return answer(http.StatusNotFound)
	case errors.As(err, &badRequest):
		return answer(http.StatusBadRequest)
	case errors.As(err, &forbidden):
		return answer(http.StatusForbidden)
	case errors.As(err, &conflict):
		return answer(http.StatusConflict)
	case errors.As(err, &unavailable):
		return answer(http.StatusServiceUnavailable)
	}
	return answer(http.StatusInternalServerError)
}

// writeError answers with the error body of the API.
func writeError(err error, c echo.Context) {
	if c.Response().Committed {
		return // the client has read the status already; nothing can be said any more
	}
	e := statusOf(err)
	body, _ := encode(errorBody{e.status, e.message}) // an int and a text cannot fail
	h := c.Response().Header()
	if e.framework {
		h["Content-Type"] = nil // also keeps net/http from guessing one
	} else {
		h.Set("Content-Type", jsonType(c))
	}
	c.Response().WriteHeader(e.status)
	_, _ = c.Response().Write(body) // a client that is gone is no fault of ours
}

type errorBody struct {
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}
