package oauth

import (
	"context"
	"math/rand/v2"
	"time"
)

// Refresh says how long a token is used before the next is asked for (sasl.login.refresh.*).
type Refresh struct {
	Window, Jitter    float64 // the share of its life, and by how much more of it at random
	MinPeriod, Buffer time.Duration
}

// at is when the next token is due. Java's order: a share of the life, though not before the period is over, and not
// closer to the end than the buffer, of which a short life leaves out both.
func (r Refresh) at(got time.Time, t token) time.Time {
	began := got
	if !t.issued.IsZero() && t.issued.Before(got) {
		began = t.issued
	}
	life := t.expires.Sub(began)
	due := began.Add(time.Duration(float64(life) * (r.Window + r.Jitter*rand.Float64())))
	if left := t.expires.Sub(got); left > r.MinPeriod+r.Buffer {
		if latest := t.expires.Add(-r.Buffer); due.After(latest) {
			due = latest
		}
		if earliest := got.Add(r.MinPeriod); due.Before(earliest) {
			due = earliest
		}
	}
	return due
}

// Retriever gets a token's text.
type Retriever interface {
	Retrieve(ctx context.Context) (string, error)
}

// Source gives the tokens of one client. It may be used by several goroutines at once; one of them asks for a new token
// while the others wait.
type Source struct {
	retriever Retriever
	refresh   Refresh
	claims    Claims

	turn  chan struct{} // holds one element while nobody uses what follows
	token token
	due   time.Time
}

// NewSource makes a source that has no token yet.
func NewSource(r Retriever, refresh Refresh, claims Claims) *Source {
	s := &Source{retriever: r, refresh: refresh, claims: claims, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// Token returns a token that has not expired. The error is that of the last try, or of ctx.
func (s *Source) Token(ctx context.Context) (string, error) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { s.turn <- struct{}{} }()
	now := time.Now()
	if now.Before(s.due) {
		return s.token.text, nil
	}
	text, err := s.retriever.Retrieve(ctx)
	var next token
	if err == nil {
		next, err = s.claims.parse(text)
	}
	if err == nil {
		s.token, s.due = next, s.refresh.at(time.Now(), next)
		return next.text, nil
	}
	if time.Now().Before(s.token.expires) {
		return s.token.text, nil
	}
	return "", err
}
