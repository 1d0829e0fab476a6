package source

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// link is the connection of a task or a table monitor, and the patience with
// which it is kept (D11): a database that cannot be reached is asked again with
// growing pauses, however long it takes.
type link struct {
	db  *dialect.Database
	s   *settings
	env *connect.Env

	conn    *dialect.Conn
	tries   int       // failures in a row
	retryAt time.Time // not to be used before
	waiting bool

	connects *atomic.Int64 // connections that were made; nil: nobody counts
}

// linkError is a failure to connect that was weighed already: final is what
// fails the task, nil when the link waits.
type linkError struct{ cause, final error }

func (e *linkError) Error() string { return e.cause.Error() }
func (e *linkError) Unwrap() error { return e.cause }

// pingTimeout is how long a connection may take to answer before a round.
const pingTimeout = 5 * time.Second

// connect returns the connection, which was asked whether it works or is new.
// The error is a *linkError, unless ctx ended.
func (l *link) connect(ctx context.Context) (*dialect.Conn, error) {
	if l.conn != nil {
		ping, cancel := context.WithTimeout(ctx, pingTimeout)
		err := l.conn.Ping(ping)
		cancel()
		if err == nil {
			return l.conn, nil
		}
		l.drop(true)
	}
	c, err := l.db.Connect(ctx, l.db.ReadSession(l.s.isolation)...)
	if err == nil {
		if l.connects != nil {
			l.connects.Add(1)
		}
		l.conn = c
		return c, nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	return nil, l.refused(err)
}

// refused weighs a failure to connect.
func (l *link) refused(err error) *linkError {
	if class := l.db.Classify(err); !class.Surroundings() || !l.s.wait && l.tries+1 >= l.s.attempts {
		return &linkError{err, connectError(err)}
	}
	l.wait(fmt.Errorf("connecting to the database: %w", err))
	return &linkError{err, nil}
}

// share weighs an error that another link with the same database met: how long
// to wait for it is this one's affair.
func (l *link) share(err error) error {
	var failed *linkError
	if errors.As(err, &failed) {
		return l.refused(failed.cause)
	}
	return err
}

func connectError(err error) error {
	return connect.NewError("Could not connect to the database", &connect.Error{Class: connect.ClassSQL, Message: err.Error()})
}

const firstPause = 100 * time.Millisecond

// wait puts the next attempt off and says so. Pauses double from 100 ms up to
// connection.backoff.ms and are spread by up to a half, so that tasks do not
// all come back at once.
func (l *link) wait(err error) {
	pause := min(firstPause<<min(l.tries, 20), max(l.s.backoff, firstPause))
	if l.s.wait {
		pause -= time.Duration(rand.Int64N(int64(pause)/2 + 1))
	} else {
		pause = l.s.backoff
	}
	l.tries++
	l.retryAt = l.env.Now().Add(pause)
	l.waiting = true
	l.env.Health.Waiting(err)
	l.env.Logger.Warn("waiting for the database", zap.Int("attempts", l.tries), zap.Duration("pause", pause), zap.Error(err))
}

// works takes the waiting back.
func (l *link) works() {
	l.tries = 0
	l.env.Health.Moving()
	if l.waiting {
		l.waiting = false
		l.env.Logger.Info("the database answers again")
	}
}

// drop closes the connection when it is no longer to be used.
func (l *link) drop(broken bool) {
	if broken {
		_ = l.close() // it is broken, and its error would say no more
	}
}

func (l *link) close() error {
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close()
	l.conn = nil
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
